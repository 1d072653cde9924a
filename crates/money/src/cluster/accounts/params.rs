//! What "swept whole", "few", "a pool" and "about the gas then spent" mean: numbers with defaults, for whoever asks to change.

/// Parameters of the rules for chains of accounts. The defaults were chosen on tuning seeds of the EXERCISE world alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Params {
    /// *Swept whole*: so many thousandths of what had come in had gone on by the last sweep.
    pub swept: u32,
    /// *Few*: a funder of one party pays gas for no more addresses than this. Services' gas wallets pay for thousands.
    pub few: u32,
    /// *Gas*: so many thousandths of the coins that a funder sent were spent as fees. Less is no gas but a payment.
    pub gas: u32,
    /// *Then*: gas is spent within so many seconds. Whoever empties by machine sends gas and empties; a person who was sent gas
    /// takes their time.
    pub soon: u32,
    /// Of those whom a funder pays gas, so many thousandths must be emptied so soon for any to count.
    pub mostly: u32,
    /// *A pool*: so many addresses at least are swept into it.
    pub pool: u32,
    /// Whoever makes contracts and empties them empties them into no more places than this.
    pub places: u32,
    /// A key is in control of no more accounts than this; more is a service's, which holds keys for its customers.
    pub held: u32,
    /// *Internal*: an address that had so many thousandths of its money from the service that it is swept to is the service's
    /// own, not a customer's.
    pub internal: u32,
}

impl Default for Params {
    fn default() -> Self {
        Self { swept: 990, few: 256, gas: 250, soon: 3_600, mostly: 750, pool: 2, places: 4, held: 50, internal: 500 }
    }
}
