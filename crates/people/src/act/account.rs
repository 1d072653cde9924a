//! Accounts: made, changed, disabled; never renumbered, never removed.
use super::{MOST, account_entry, check_name};
use crate::entry::{AccountBody, IMPORTER, Sort, account_subject};
use crate::{Account, Error, People, Result, Right, Role, Viewer};
use ledger::{CollectionId, Expect};

/// One of the node's own accounts.
pub(crate) fn machine(account: u32, name: &str, role: Role) -> AccountBody {
    AccountBody {
        account,
        name: name.into(),
        display: String::new(),
        role,
        sort: Sort::Machine,
        disabled: false,
        zone: String::new(),
        locale: String::new(),
    }
}

impl People {
    /// Makes an account; without a password or token it cannot come in yet.
    pub(crate) fn create_account(&self, viewer: &Viewer, name: &str, role: Role, sort: Sort) -> Result<u32> {
        check_name(name, "the name")?;
        check_given(role)?;
        let name = name.trim();
        self.change(viewer, |now, fresh| {
            fresh.need(Right::ManageAccounts)?;
            if now.named(name).is_some() {
                return Err(Error::invalid("an account with that name exists already; choose another name"));
            }
            let house = now.house.ok_or_else(|| Error::invalid("this folder was not made by `eye init`"))?;
            if now.accounts.len() >= MOST {
                return Err(Error::invalid(format!("a node has at most {MOST} accounts")));
            }
            let account = now.accounts.keys().max().copied().unwrap_or(IMPORTER).saturating_add(1);
            let body = AccountBody { sort, ..machine(account, name, role) };
            // Numbers are given in order, so two that are made at once meet here, and so do two of one name.
            let expect = Expect { collection: house, subject: account_subject(account).into(), last: None };
            Ok((account_entry(house, fresh.account(), &body)?, vec![expect], account))
        })
    }

    /// Changes an account; `alter` may refuse.
    pub(crate) fn change_account(
        &self,
        viewer: &Viewer,
        number: u32,
        needs: Option<Right>,
        alter: impl Fn(&mut AccountBody) -> Result<()>,
    ) -> Result<()> {
        self.change(viewer, |now, fresh| {
            if let Some(right) = needs {
                fresh.need(right)?;
            }
            let account = now.accounts.get(&number).ok_or(Error::NoAccount)?;
            if account.body.sort == Sort::Machine {
                return Err(Error::invalid("the node's own accounts cannot be changed"));
            }
            let mut body = (*account.body).clone();
            alter(&mut body)?;
            body.account = number;
            let house = now.house.ok_or(Error::NoAccount)?;
            Ok((account_entry(house, fresh.account(), &body)?, vec![account.expect(house)], ()))
        })
    }

    /// Gives an account another role: at once, and every session of it ends.
    ///
    /// # Errors
    /// [`Error::Forbidden`], [`Error::NoAccount`], [`Error::Invalid`], the ledger's.
    pub fn set_role(&self, viewer: &Viewer, account: u32, role: Role) -> Result<()> {
        check_given(role)?;
        self.change_account(viewer, account, Some(Right::ManageAccounts), |body| {
            if body.sort == Sort::Person && !role.may(Right::SignIn) {
                return Err(Error::invalid(
                    "a person cannot have that role: it never signs in; make a token for the node",
                ));
            }
            body.role = role;
            Ok(())
        })?;
        self.inner.door.drop_sessions(account, None)
    }

    /// Disables an account, or enables it again: at once, and every session of it ends.
    ///
    /// # Errors
    /// As [`People::set_role`].
    pub fn set_disabled(&self, viewer: &Viewer, account: u32, disabled: bool) -> Result<()> {
        if disabled && account == viewer.account() {
            return Err(Error::invalid("nobody disables the account they are signed in with; let another do it"));
        }
        self.change_account(viewer, account, Some(Right::ManageAccounts), |body| {
            body.disabled = disabled;
            Ok(())
        })?;
        self.inner.door.drop_sessions(account, None)
    }

    /// Sets the viewer's own name for pages, time zone (IANA) and language (BCP 47).
    ///
    /// # Errors
    /// [`Error::Invalid`] for a zone that does not exist; the ledger's.
    pub fn set_own_settings(&self, viewer: &Viewer, display: &str, zone: &str, locale: &str) -> Result<()> {
        if !display.is_empty() {
            check_name(display, "the name")?;
        }
        if !zone.is_empty() && jiff::tz::TimeZone::get(zone).is_err() {
            return Err(Error::invalid("write a time zone such as Asia/Bangkok"));
        }
        let tag = |b: u8| b.is_ascii_alphanumeric() || b == b'-';
        if locale.len() > 35 || !locale.bytes().all(tag) {
            return Err(Error::invalid("write a language tag such as en or th-TH"));
        }
        self.change_account(viewer, viewer.account(), None, |body| {
            body.display = display.trim().into();
            body.zone = zone.into();
            body.locale = locale.into();
            Ok(())
        })
    }
}

/// Nobody is made `local` or something unknown.
fn check_given(role: Role) -> Result<()> {
    if Role::GIVEN.contains(&role) { Ok(()) } else { Err(Error::invalid("that role is not given to accounts")) }
}

impl Account {
    /// "The account is still the one that was read."
    pub(crate) fn expect(&self, house: CollectionId) -> Expect {
        Expect { collection: house, subject: account_subject(self.number).into(), last: Some(self.pos) }
    }
}
