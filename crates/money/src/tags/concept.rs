//! Concepts of scam compounds' money that public taxonomies lack, and what stands nearest to them there.
//!
//! GraphSense's concepts (its `concepts.yaml`, derived from INTERPOL's Dark Web and Virtual Assets taxonomy) are taken as they
//! come; ours are added beside them, each with the broader public concept, so that a pack of ours still means something there.

/// A concept of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Concept {
    /// Its id, as packs write it.
    pub id: &'static str,
    /// What it means.
    pub means: &'static str,
    /// The nearest concepts of GraphSense's taxonomy: those that say what it does, then what it is.
    pub graphsense: &'static [&'static str],
    /// Other spellings that packs use.
    pub also: &'static [&'static str],
    /// What the address's holder is, as far as this concept says.
    pub role: Role,
}

/// What a rule needs to know of a tag's concepts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Holds many customers' money, and can be asked to freeze it: an exchange, a hosted wallet, a payment processor.
    Service,
    /// Trades for customers outside of an exchange.
    Desk,
    /// Blurs who paid whom.
    Mixing,
    /// Takes part in a CoinJoin.
    CoinJoin,
    /// On a sanctions list, or frozen by an issuer.
    Listed,
    /// Takes part in a crime.
    Offender,
    /// Proceeds pass through an account of theirs; whether they knew is not said, and many were deceived themselves.
    Mule,
    /// Anything else.
    Other,
}

/// All concepts of ours.
pub const OWN: [Concept; 7] = [
    Concept {
        id: "scam_compound",
        means: "held by those who run a compound where people are made to defraud others",
        graphsense: &["scam", "organization"],
        also: &["scam-compound", "fraud_factory"],
        role: Role::Offender,
    },
    Concept {
        id: "pig_butchering_platform",
        means: "pays in to or out of a made-up investment platform that a victim was groomed to use",
        graphsense: &["investment_fraud", "service"],
        also: &["pig-butchering-platform", "pig_butchering", "pig-butchering", "romance_baiting", "sha_zhu_pan"],
        role: Role::Offender,
    },
    Concept {
        id: "collection_address",
        means: "victims pay here and it is emptied to a pool",
        graphsense: &["scam", "perpetrator"],
        also: &["collection-address"],
        role: Role::Offender,
    },
    Concept {
        id: "pool",
        means: "gathers what many collection addresses took",
        graphsense: &["money_laundering", "perpetrator"],
        also: &["collection_pool", "consolidation_address"],
        role: Role::Offender,
    },
    Concept {
        id: "money_mule",
        means: "a person's account lent, sold or tricked away, through which proceeds pass",
        graphsense: &["money_laundering", "user"],
        also: &["money-mule", "mule"],
        role: Role::Mule,
    },
    Concept {
        id: "otc_desk",
        means: "changes coins for cash or bank money for customers, outside of an exchange",
        graphsense: &["exchange", "service"],
        also: &["otc-desk", "otc", "otc_broker"],
        role: Role::Desk,
    },
    Concept {
        id: "guarantee_marketplace",
        means: "holds deposits as guarantor between vendors of laundering, data and tools and their buyers",
        graphsense: &["market", "escrow_wallet"],
        also: &["guarantee-marketplace", "guarantee_market", "escrow_market"],
        role: Role::Offender,
    },
];

/// The concept of ours that a word names.
///
/// ```
/// assert_eq!(money::tags::own_concept("pig-butchering").unwrap().graphsense[0], "investment_fraud");
/// ```
pub fn own_concept(word: &str) -> Option<&'static Concept> {
    let word = word.trim().to_ascii_lowercase();
    OWN.iter().find(|concept| concept.id == word || concept.also.contains(&word.as_str()))
}

/// What a concept says of its holder.
pub fn role(word: &str) -> Role {
    if let Some(own) = own_concept(word) {
        return own.role;
    }
    match word.trim().to_ascii_lowercase().as_str() {
        "exchange" | "hosted_wallet" | "wallet_service" | "payment_processor" | "escrow_wallet" | "broker" => {
            Role::Service
        }
        "coinjoin" => Role::CoinJoin,
        "mixing" | "mixing_service" => Role::Mixing,
        "sanction" | "black_list" => Role::Listed,
        "scam" | "phishing" | "ransomware" | "sextortion" | "extortion" | "service_hack" | "terrorism"
        | "extremism" | "financial_crime" | "investment_fraud" | "ponzi_scheme" | "pyramid_scheme"
        | "money_laundering" | "perpetrator" | "abuse" | "payment_card_fraud" | "sexual_abuse"
        | "child_sexual_abuse" | "violence" => Role::Offender,
        _ => Role::Other,
    }
}

/// Whether a tag speaks of taking part in a CoinJoin: by its concepts, or by the word in its label or its pack's title. Such a
/// tag names no owner of anything that was spent together with its address.
pub fn speaks_of_coinjoin<'a>(mut concepts: impl Iterator<Item = &'a str>, words: &[&str]) -> bool {
    concepts.any(|concept| role(concept) == Role::CoinJoin)
        || words.iter().any(|text| text.to_lowercase().replace([' ', '-', '_'], "").contains("coinjoin"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_concept_of_ours_is_found_by_each_spelling_and_has_a_public_one_beside_it() {
        let mut words = std::collections::BTreeSet::new();
        for concept in &OWN {
            for word in std::iter::once(&concept.id).chain(concept.also) {
                assert!(words.insert(*word), "{word} names two");
                assert_eq!(own_concept(word), Some(concept));
            }
            assert!(!concept.graphsense.is_empty() && !concept.means.is_empty());
        }
        assert_eq!(own_concept("exchange"), None);
    }

    #[test]
    fn a_coinjoin_is_known_by_concept_label_or_title() {
        let none = || std::iter::empty::<&str>();
        assert!(speaks_of_coinjoin(["coinjoin"].into_iter(), &[]));
        assert!(speaks_of_coinjoin(none(), &["EXERCISE Coin-Join user"]));
        assert!(!speaks_of_coinjoin(["mixing_service"].into_iter(), &["EXERCISE mixer"]));
    }
}
