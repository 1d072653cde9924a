//! Questions about clusters: who is with whom, why, what would part them, where they contradict themselves.
//!
//! Never: an answer without its class, a relation that unites senders, a number for certainty that nobody measured. `view` brings a
//! chain, its tags and the decisions of people together; `answer` reads answers out of it; `decision` is what the ledger keeps.

mod answer;
mod decision;
mod view;

pub use answer::{
    AddressLine, Apart, ClusterLine, ContradictionLine, CustomerLine, PartyLine, PooledLine, StepLine, WhyLine,
};
pub use decision::{Decision, DecisionBody, Deed, MOST_WITHOUT, REASON, RULES, Witnessed, rule_name, rule_named};
pub use view::{Named, View, with_view};
