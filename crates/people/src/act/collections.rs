//! Collections that people make, name, close and open again. Each is an entry of the collection's own audience, so nothing is
//! lost: what was closed is opened as it was.
use crate::entry::{AudienceBody, Member, Purpose};
use crate::{Collection, Error, People, Result, Right, Viewer};
use ledger::CollectionId;
use std::sync::Arc;
use stix::Tlp;

/// What commands call the first collection, whatever its title.
const RESERVED: &str = "intake";

/// A collection to be made. Nobody is in its audience but, where they would not see it themselves, who makes it.
#[derive(Debug, Clone, Copy)]
pub struct NewCollection<'a> {
    /// What people call it: no other that they know of has this title.
    pub title: &'a str,
    /// What stands in it.
    pub description: &'a str,
    /// The tightest marking that may stand in it.
    pub highest: Tlp,
    /// The marking of objects that bring none; `None` = `highest`.
    pub default: Option<Tlp>,
    /// It is a TAXII collection.
    pub listed: bool,
    /// Its contents are an exercise's.
    pub exercise: bool,
}

impl People {
    /// Makes a shared collection; [`People::grant`] says afterwards who reads it.
    ///
    /// # Errors
    /// [`Error::Forbidden`], [`Error::Taken`], [`Error::Invalid`], the ledger's.
    pub fn make_collection(&self, viewer: &Viewer, new: &NewCollection<'_>) -> Result<Arc<Collection>> {
        viewer.need(Right::Grant)?;
        let title = self.free_title(viewer, new.title, None)?;
        // Who lists every collection needs no place in an audience, and reads nothing by making one.
        let members = if viewer.may(Right::SeeCollections) {
            Vec::new()
        } else {
            vec![Member::account(viewer.account(), viewer.may(Right::Write))]
        };
        let body = AudienceBody {
            description: new.description.trim().to_owned(),
            default: new.default.unwrap_or(new.highest),
            listed: new.listed,
            exercise: new.exercise,
            ..AudienceBody::shared(&title, new.highest, members)
        };
        self.create_collection(viewer, &body)
    }

    /// Gives a shared collection another title, and says anew what stands in it.
    ///
    /// # Errors
    /// As [`People::make_collection`]; [`Error::NoCollection`].
    pub fn rename_collection(
        &self,
        viewer: &Viewer,
        id: CollectionId,
        title: &str,
        description: Option<&str>,
    ) -> Result<Arc<Collection>> {
        self.changeable(viewer, id)?;
        let title = self.free_title(viewer, title, Some(id))?;
        self.change_audience(viewer, id, |audience| {
            audience.title.clone_from(&title);
            if let Some(text) = description {
                text.trim().clone_into(&mut audience.description);
            }
        })
    }

    /// Closes a shared collection, so that nobody reads or writes it any more, or opens it again with the audience that it had:
    /// for whoever lists every collection and for the command line, which alone still know it then.
    ///
    /// # Errors
    /// [`Error::Forbidden`], [`Error::NoCollection`], [`Error::Invalid`] for the collections that every node has, the ledger's.
    pub fn close_collection(&self, viewer: &Viewer, id: CollectionId, closed: bool) -> Result<Arc<Collection>> {
        let there = self.changeable(viewer, id)?;
        if !there.may_be_closed_by(viewer) {
            return Err(Error::Forbidden(Right::SeeCollections));
        }
        if there.audience.closed == closed {
            return Ok(there);
        }
        self.change_audience(viewer, id, |audience| audience.closed = closed)
    }

    /// The collections whose audience the viewer may change, closed ones too, by title.
    ///
    /// # Errors
    /// [`Error::Forbidden`]; as [`People::viewer`].
    pub fn grantable_collections(&self, viewer: &Viewer) -> Result<Vec<Arc<Collection>>> {
        viewer.need(Right::Grant)?;
        let now = self.current()?;
        let mut list: Vec<_> = now.collections.values().filter(|c| c.may_be_granted_by(viewer)).cloned().collect();
        list.sort_by(|a, b| a.title().cmp(b.title()).then(a.first.cmp(&b.first)));
        Ok(list)
    }

    /// A shared collection that the viewer may change: the node rests on its first ones.
    fn changeable(&self, viewer: &Viewer, id: CollectionId) -> Result<Arc<Collection>> {
        viewer.need(Right::Grant)?;
        let there = self.collection(id)?.filter(|c| c.may_be_granted_by(viewer)).ok_or(Error::NoCollection)?;
        if there.audience.sort != Purpose::Shared {
            return Err(Error::invalid("only a collection that somebody made is renamed, closed or opened"));
        }
        if there.is_exercise_world() {
            return Err(Error::invalid(
                "the EXERCISE world is found by its name: it is removed whole, not renamed or closed",
            ));
        }
        Ok(there)
    }

    /// The title as it is kept. Titles that the viewer does not know of are not compared: a refusal would tell of them.
    fn free_title(&self, viewer: &Viewer, title: &str, own: Option<CollectionId>) -> Result<String> {
        let title = title.trim();
        let same = |other: &str| other.to_lowercase() == title.to_lowercase();
        let known = self.collections(viewer)?.into_iter().chain(self.grantable_collections(viewer)?);
        let mut others = known.filter(|c| Some(c.id) != own);
        if same(RESERVED) || others.any(|c| same(c.title())) {
            return Err(Error::Taken);
        }
        Ok(title.to_owned())
    }
}
