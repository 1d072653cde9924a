use super::{Io, PATIENCE};
use crate::arguments::{World, WorldHere};
use crate::node::{Node, Problem};
use people::entry::Member;
use people::{Role, Viewer};
use std::path::Path;

/// Writes a world of files with its truth beside it.
pub fn write(world: &World, io: &mut Io<'_>) -> Result<(), Problem> {
    let files = world.written().ok_or_else(|| Problem::other("name the folder to write to"))?;
    let plan = world::Plan {
        seed: files.seed,
        agencies: files.agencies,
        months: files.months,
        objects: files.objects,
        ..world::Plan::default()
    };
    let dir = io.path(files.dir.as_deref().unwrap_or(Path::new(".")));
    if std::fs::read_dir(&dir).is_ok_and(|mut inside| inside.next().is_some()) {
        let text = format!("{}: the folder is not empty; two worlds in one would mix: name a new one", dir.display());
        return Err(Problem::other(text));
    }
    let meter = io.meter.clone();
    let made = world::write(&plan, &dir, &mut |at, of| meter.tell("EXERCISE objects", at, Some(of)))
        .map_err(|e| Problem::other(e.to_string()))?;
    writeln!(io.out, "EXERCISE: {} reports, {} objects in {} files", made.reports, made.objects, made.files)?;
    let Some(stories) = files.money else { return Ok(()) };
    // Money moves in the first weeks of the world, a story an hour or more often.
    let plan = world::money::MoneyPlan { seed: files.seed, stories, ..world::money::MoneyPlan::default() };
    let made = world::money::write_money(&plan, &dir.join("money"), &mut |at, of| {
        meter.tell("EXERCISE stories of money", at, Some(of));
    });
    let made = made.map_err(|e| Problem::other(e.to_string()))?;
    Ok(writeln!(io.out, "EXERCISE: {} transactions of three chains in {} files of money", made.txs, made.files)?)
}

/// What is done with the small world of this node.
pub fn here(node: &Node, me: &Viewer, world: &World, io: &mut Io<'_>) -> Result<(), Problem> {
    match &world.here {
        Some(WorldHere::Load { seed }) => load_world(node, me, seed.unwrap_or(world.files.seed), io),
        Some(WorldHere::Remove) => remove_world(node, me, io),
        _ => write(world, io),
    }
}

/// Brings the small world once; a second call changes nothing.
fn load_world(node: &Node, me: &Viewer, seed: u64, io: &mut Io<'_>) -> Result<(), Problem> {
    let known = node.people.collections(me)?.into_iter().find(|c| c.is_exercise_world());
    let collection = match known {
        Some(collection) => collection,
        None => {
            let members = vec![Member::role(Role::Reader, false), Member::role(Role::Analyst, true)];
            let mut audience = people::entry::AudienceBody::shared(intel::WORLD, stix::Tlp::AmberStrict, members);
            audience.exercise = true;
            audience.listed = true;
            audience.description = "An invented world that shows how objects link. EXERCISE, all of it.".into();
            node.people.create_collection(me, &audience)?
        }
    };
    let me = node.people.local_viewer()?;
    let bodies = world::small(seed);
    let bodies: Vec<&str> = bodies.iter().map(String::as_str).collect();
    let taken = node.intel.take(&me, collection.id, &bodies, ledger::Urgency::Bulk)?;
    node.ledger.level(PATIENCE)?;
    let new = taken.iter().filter(|t| matches!(t.outcome, intel::Took::New { .. })).count();
    writeln!(
        io.out,
        "the EXERCISE world stands in the collection \"{}\": {} objects, {new} of them new",
        intel::WORLD,
        bodies.len()
    )?;
    Ok(())
}

fn remove_world(node: &Node, me: &Viewer, io: &mut Io<'_>) -> Result<(), Problem> {
    let Some(collection) = node.intel.exercise_world(me)? else {
        writeln!(io.out, "no EXERCISE world is loaded")?;
        return Ok(());
    };
    let gone = node.intel.withdraw_collection(me, collection.id, "the EXERCISE world was removed")?;
    node.ledger.level(PATIENCE)?;
    writeln!(io.out, "withdrew {gone} objects of the EXERCISE world")?;
    Ok(())
}
