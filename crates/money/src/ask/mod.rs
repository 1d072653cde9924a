//! Questions about addresses and clusters: what one received and paid, who is with whom, why, what would part them, where they contradict themselves.
//!
//! Never: an answer without its class, a relation that unites senders, a number for certainty that nobody measured. `view` brings a
//! chain, its tags and the decisions of people together; `answer` reads answers out of it, `part` finds what parts two addresses;
//! `decision` is what the ledger keeps, `standing` what all of them come to, `effect` whether one would do anything.

mod account;
mod answer;
mod decision;
mod effect;
mod part;
mod standing;
mod view;

pub use account::{AccountLine, EntryLine, MAX_ENTRIES, account};
pub use answer::{
    AddressLine, Apart, ClusterLine, ContradictionLine, CustomerLine, HeldLine, PartyLine, PooledLine, StepLine,
    WhyLine,
};
pub use decision::{Decision, DecisionBody, Deed, MOST_WITHOUT, REASON, RULES, Witnessed, rule_name, rule_named};
pub use standing::undone;
pub use view::{Named, View, with_view};
