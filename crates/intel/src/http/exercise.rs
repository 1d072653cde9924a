//! `/exercise-world`: one button takes the EXERCISE world away. What it does is said, and asked again, on a page of its own.
use super::shown::{Answer, blocking};
use super::{Desk, Visitor};
use crate::{Error, Intel};
use askama::Template;
use axum::extract::State;
use ledger::CollectionId;
use people::Viewer;

/// The reason that stands in the record.
const REASON: &str = "the EXERCISE world was removed";

#[derive(Template)]
#[template(path = "intel_exercise.html")]
struct ExercisePage {
    chrome: web::Chrome,
    /// Its collection's title.
    place: String,
    objects: u64,
}

/// An EXERCISE world that stands: at least one object of it.
pub(super) struct Standing {
    collection: CollectionId,
    title: String,
    objects: u64,
}

impl Standing {
    /// The one that the viewer may take away.
    pub fn of(intel: &Intel, viewer: &Viewer) -> crate::Result<Option<Self>> {
        let world = intel.exercise_world(viewer)?.filter(|w| viewer.may_withdraw() && viewer.may_write(w.col));
        let Some(world) = world else { return Ok(None) };
        let count = intel.counts(viewer)?.into_iter().find(|c| c.collection == world.id && c.versions > 0);
        Ok(count.map(|c| Self { collection: world.id, title: world.title().to_owned(), objects: c.objects }))
    }
}

pub(super) async fn ask(State(desk): State<Desk>, visitor: Visitor) -> Answer {
    let Visitor { viewer, chrome, .. } = visitor;
    let intel = desk.intel.clone();
    let world = blocking(move || Standing::of(&intel, &viewer)?.ok_or(Error::NotFound)).await?;
    let name = chrome.t("intel-exercise-title");
    Ok(web::page(&ExercisePage { chrome: chrome.titled(name), place: world.title, objects: world.objects }))
}

pub(super) async fn remove(State(desk): State<Desk>, visitor: Visitor) -> Answer {
    let (intel, viewer) = (desk.intel.clone(), visitor.viewer);
    blocking(move || {
        let world = Standing::of(&intel, &viewer)?.ok_or(Error::NotFound)?;
        intel.withdraw_collection(&viewer, world.collection, REASON)
    })
    .await?;
    Ok(web::see_other("/?done=exercise-removed"))
}
