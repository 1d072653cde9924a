//! The check of markings where an object enters: nothing tighter than its audience may hold comes in.
use crate::{Collection, People, Result, Viewer};
use ledger::CollectionId;
use std::fmt;
use std::sync::Arc;
use stix::{Marking, Tlp};

/// Stands after the TLP of an object that carries other marking-definitions too: it stays where it is until they resolve.
pub const OTHERS: &str = "OTHERS";

/// A collection an object may go to instead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Its id.
    pub id: CollectionId,
    /// Its title.
    pub title: Arc<str>,
    /// The tightest marking it takes.
    pub highest: Tlp,
}

/// What a collection takes: asked for once a request, used for each object.
#[derive(Debug, Clone)]
pub struct CollectionPolicy {
    /// The marking of objects that bring none.
    pub default: Tlp,
    /// The tightest marking it takes.
    pub highest: Tlp,
    /// Where else the viewer may write, for those it refuses.
    pub elsewhere: Arc<[Place]>,
    /// The entry's text of each TLP, without and with other markings.
    texts: [[Arc<str>; 2]; 5],
}

impl CollectionPolicy {
    /// What a collection with these bounds takes.
    ///
    /// ```
    /// use people::{CollectionPolicy, accept};
    /// use stix::{Marking, Tlp};
    /// let policy = CollectionPolicy::new(Tlp::Green, Tlp::Amber, []);
    /// assert_eq!(&*accept(&policy, Marking { tlp: None, others: false }, None)?.text, "TLP:GREEN");
    /// assert!(accept(&policy, Marking { tlp: Some(Tlp::Red), others: false }, None).is_err());
    /// # Ok::<(), people::Refused>(())
    /// ```
    pub fn new(default: Tlp, highest: Tlp, elsewhere: impl IntoIterator<Item = Place>) -> Self {
        let texts = Tlp::ALL.map(|tlp| [tlp.as_str().into(), format!("{tlp} {OTHERS}").into()]);
        Self { default, highest, elsewhere: elsewhere.into_iter().collect(), texts }
    }
}

/// The marking that holds for an object here; never written into its body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EffectiveMarking {
    /// Its TLP.
    pub tlp: Tlp,
    /// It carries other markings, and must not be shared onward until they resolve.
    pub others: bool,
    /// What stands in the entry, such as `TLP:AMBER`.
    pub text: Arc<str>,
}

/// An object tighter than the collection takes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("it is marked {marking}, and this collection takes at most {highest}; {}", SendTo(where_to_send))]
pub struct Refused {
    /// What it is marked.
    pub marking: Tlp,
    /// What the collection takes.
    pub highest: Tlp,
    /// Where the sender may write and it may stand.
    pub where_to_send: Vec<Place>,
}

struct SendTo<'a>(&'a [Place]);
impl fmt::Display for SendTo<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("no collection that you may write to takes it: ask a supervisor");
        }
        f.write_str("send it to ")?;
        for (n, place) in self.0.iter().enumerate() {
            write!(f, "{}{} ({})", if n == 0 { "" } else { " or " }, place.title, place.id)?;
        }
        Ok(())
    }
}

/// Places named in one refusal.
const PLACES: usize = 3;

/// Whether an object may enter: its own marking, else `given` (`--marking`), else the collection's default.
///
/// # Errors
/// [`Refused`], with the marking's name and where to send it.
pub fn accept(policy: &CollectionPolicy, marking: Marking, given: Option<Tlp>) -> Result<EffectiveMarking, Refused> {
    let tlp = marking.tlp.or(given).unwrap_or(policy.default);
    if tlp > policy.highest {
        let takes = policy.elsewhere.iter().filter(|p| p.highest >= tlp);
        let where_to_send = takes.take(PLACES).cloned().collect();
        return Err(Refused { marking: tlp, highest: policy.highest, where_to_send });
    }
    let pair = policy.texts.get(usize::from(tlp.level()));
    let text = pair.and_then(|pair| pair.get(usize::from(marking.others))).cloned();
    Ok(EffectiveMarking { tlp, others: marking.others, text: text.unwrap_or_else(|| tlp.as_str().into()) })
}

impl People {
    /// What a collection takes from this viewer.
    ///
    /// # Errors
    /// As [`People::viewer`].
    pub fn policy(&self, viewer: &Viewer, collection: &Collection) -> Result<CollectionPolicy> {
        let now = self.current()?;
        let others = now.collections.values().filter(|c| c.id != collection.id && viewer.may_write(c.col));
        let mut places: Vec<(u64, Place)> = others
            .map(|c| (c.first, Place { id: c.id, title: c.title().into(), highest: c.audience.highest }))
            .collect();
        places.sort_by_key(|(first, _)| *first);
        let elsewhere = places.into_iter().map(|(_, place)| place);
        Ok(CollectionPolicy::new(collection.audience.default, collection.audience.highest, elsewhere))
    }
}
