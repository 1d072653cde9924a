//! The truth beside a world's money: `truth.jsonl`, one JSON object a line, told apart by `kind`.
use serde::{Deserialize, Serialize};

/// What an address is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Use {
    /// A person's or firm's own.
    Own,
    /// Customers pay in here; its operator sweeps it.
    Deposit,
    /// Victims pay here; its operator sweeps it.
    Collection,
    /// What was collected gathers here.
    Pool,
    /// A service's working wallet.
    Hot,
    /// A service's store.
    Cold,
    /// Pays others' gas, signs others' transactions, makes others' contracts.
    Helper,
    /// A desk that trades outside of exchanges.
    Desk,
}

/// What makes an address look like something it is not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Trap {
    /// Victims who empty their own wallets to one address.
    SharedTarget,
    /// Victims whose tokens one contract takes by their allowance.
    Drainer,
    /// Victims to whom offenders send the gas for their payment.
    GasForVictims,
    /// Victims whose accounts an app activates.
    Activation,
    /// Customers who pay a tagged hot wallet from their own.
    DirectPayer,
    /// A service's store, emptied into its hot wallet.
    RetiredCold,
    /// Wallets that an exchange filled and their owner brings together.
    Withdrawal,
    /// Transactions that another signs and pays for.
    Relayer,
    /// Accounts of contracts, called by a bundler, paid by a paymaster.
    Bundler,
    /// Gas from a contract that anybody sends many payments with.
    Disperse,
    /// Energy that is rented.
    EnergyRental,
    /// Accounts whose provider pays the gas out of their tokens.
    GasFree,
    /// Accounts that run one wallet maker's code (EIP-7702).
    SharedDelegate,
    /// Contracts of one public factory, equal in every byte.
    EqualBytecode,
    /// A payment firm's contracts that pay its merchants.
    Processor,
    /// A Safe of which each of several people alone may dispose.
    SharedSafe,
    /// A Safe whose key signs for all customers of a wallet maker.
    SharedSigner,
    /// Control that was sold or stolen.
    Handover,
    /// A key that a service holds beside its customers'.
    CoSigner,
    /// Contracts that a maker may change and customers use.
    VendorAdmin,
    /// Money that is moved on to another chain.
    Bridge,
    /// Payments of nothing, and of tokens that only look like others.
    Spam,
    /// A sale that its buyer completes (SIGHASH_SINGLE | ANYONECANPAY).
    Sale,
    /// Whirlpool's shape.
    Whirlpool,
    /// Wasabi's shape.
    Wasabi,
    /// JoinMarket's shape.
    JoinMarket,
    /// Two who join (Stonewall X2), or one who looks like two.
    Stonewall,
    /// A channel that both ends pay into.
    DualFunding,
    /// A payment to which the one who is paid adds an input (BIP 78): no shape shows it.
    PayJoin,
}

/// One line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Line {
    /// The first line.
    Money {
        /// The plan's seed.
        seed: u64,
        /// How many stories each chain was asked for.
        stories: u64,
        /// How many days they cover.
        days: u64,
        /// When they begin, RFC 3339.
        start: String,
    },
    /// Who owns addresses.
    Party {
        /// `X1`: an exchange, `S1`: a syndicate, `D1`: a desk, and so on.
        id: String,
        /// What it is.
        what: String,
        /// As whom tags know it; absent where nothing of it is tagged.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        actor: Option<String>,
    },
    /// An address.
    Address(AddressTruth),
    /// Money that left one chain and came out on another.
    Bridged {
        /// Where it went in: chain and transaction.
        from: (String, String),
        /// Who is paid on the other side.
        to: (String, String),
    },
}

/// Whose an address is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AddressTruth {
    /// The chain's code.
    pub chain: String,
    /// As its chain writes it.
    pub address: String,
    /// The party that can move what is there.
    pub owner: String,
    /// What for.
    pub used: Use,
    /// For deposits and collection addresses: whose pool it is swept to.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub operator: Option<String>,
    /// The address that controls it by what the chain records.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub by: Option<String>,
    /// Why it may be taken for something else.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub trap: Option<Trap>,
}
