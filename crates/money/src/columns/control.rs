//! What a chain records of who may act for an account: contracts and who made them, owners, thresholds, administrators.
use super::accounts::{ACCOUNT_BYTES, CONTROL};
use super::block::Span;
use super::bytes::{Fields, uint};
use super::{Accounts, UNKNOWN};

/// What is recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[repr(u8)]
pub enum ControlKind {
    /// `account` is a contract that `other` made.
    #[default]
    Made = 0,
    /// Who may act is set anew: nobody may, until owners follow; `weight` is the threshold.
    Anew = 1,
    /// `other` is one of the owners, with this weight.
    Owner = 2,
    /// `other` is none any more.
    NoOwner = 3,
    /// `weight` is the threshold from now on.
    Threshold = 4,
    /// `other` may change the contract's code from now on; unknown: nobody may.
    Admin = 5,
}

impl ControlKind {
    const ALL: [Self; 6] = [Self::Made, Self::Anew, Self::Owner, Self::NoOwner, Self::Threshold, Self::Admin];

    fn of(byte: u8) -> Option<Self> {
        Self::ALL.get(usize::from(byte)).copied()
    }
}

/// A record of control to append.
#[derive(Debug, Clone, Default)]
pub struct NewControl {
    /// The place of its transaction among the block's.
    pub tx: u32,
    /// What is recorded.
    pub kind: ControlKind,
    /// Of whom.
    pub account: Span,
    /// Maker, owner, administrator; empty where there is none.
    pub other: Span,
    /// An owner's weight, or the threshold.
    pub weight: u32,
}

/// A record of control as it is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Control {
    /// The transaction that says so.
    pub tx: u64,
    /// What is recorded.
    pub kind: ControlKind,
    /// Of whom.
    pub account: u32,
    /// Maker, owner, administrator, or [`UNKNOWN`].
    pub other: u32,
    /// An owner's weight, or the threshold.
    pub weight: u32,
}

impl Accounts {
    /// How many records of control there are.
    pub fn controls(&self) -> u64 {
        self.store.rows(CONTROL)
    }

    /// A record of control by its place; they stand in the order of the chain.
    pub fn control(&self, place: u64) -> Option<Control> {
        let mut fields = Fields(self.store.row(CONTROL, place)?);
        let tx = uint(fields.take(5)?);
        let kind = ControlKind::of(*fields.take(1)?.first()?)?;
        Some(Control { tx, kind, account: fields.u32()?, other: fields.u32()?, weight: fields.u32()? })
    }

    /// Whether an account's number is one that this record has given.
    pub fn knows(&self, account: u32) -> bool {
        account != UNKNOWN && u64::from(account) < self.accounts() && self.store.rows(ACCOUNT_BYTES) > 0
    }
}
