//! Who reported an object, and what a relationship says: told beside its name wherever objects are listed.
use crate::rows::{ObjectRow, Versions};
use crate::{Hit, Intel, Result};
use people::Viewer;
use serde::Deserialize;
use std::collections::HashMap;

/// Other objects that are looked up for one page; those beyond stay unnamed.
const MOST_OTHERS: usize = 500;
/// Characters of a reporter's name.
const LONGEST: usize = 120;

/// What is told of an object beside its name.
#[derive(Debug, Clone, Default)]
pub struct Told {
    /// Who reported it: the identity that created it, where the viewer sees that identity; else the name of its first
    /// source; empty when neither is there.
    pub by: String,
    /// The identity's id, where it is the identity that is named.
    pub by_id: String,
    /// Of a relationship: its source, its type, its target. `None` for an end that is not here, or not the viewer's to see.
    pub statement: Option<(Option<Hit>, String, Option<Hit>)>,
}

/// The properties that are read (STIX 2.1 §3.2, §5.1).
#[derive(Deserialize, Default)]
#[serde(default)]
struct Body {
    created_by_ref: Option<String>,
    external_references: Vec<Source>,
    relationship_type: String,
    source_ref: String,
    target_ref: String,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Source {
    source_name: String,
}

impl Intel {
    /// Who reported each of these rows, and what those among them say that are relationships; by their positions.
    ///
    /// # Errors
    /// The storage's.
    pub fn told<'a>(
        &self,
        viewer: &Viewer,
        rows: impl IntoIterator<Item = &'a ObjectRow>,
    ) -> Result<HashMap<u64, Told>> {
        let mut rows: Vec<ObjectRow> = rows.into_iter().cloned().collect();
        rows.sort_by_key(|r| r.pos);
        rows.dedup_by_key(|r| r.pos);
        let mut read: Vec<(u64, bool, Body)> = Vec::new();
        self.bodies(&rows, &mut |row, body| {
            let body = serde_json::from_str(body).unwrap_or_default();
            read.push((row.pos, row.object_type == "relationship", body));
        })?;
        let mut others: HashMap<String, Option<Hit>> = HashMap::new();
        let mut other = |id: &str| -> Result<Option<Hit>> {
            if let Some(known) = others.get(id) {
                return Ok(known.clone());
            }
            if id.is_empty() || others.len() >= MOST_OTHERS {
                return Ok(None);
            }
            let newest = self.versions(viewer, id, &Versions::default())?;
            let hit = self.named(newest)?.pop();
            others.insert(id.to_owned(), hit.clone());
            Ok(hit)
        };
        let mut out = HashMap::new();
        for (pos, relationship, body) in read {
            let mut told = Told::default();
            if let Some(hit) = body.created_by_ref.as_deref().map_or(Ok(None), &mut other)?
                && hit.row.object_type == "identity"
                && !hit.name.is_empty()
            {
                (told.by, told.by_id) = (hit.name, hit.row.id);
            } else if let Some(source) = body.external_references.iter().find(|s| !s.source_name.trim().is_empty()) {
                told.by = source.source_name.trim().chars().filter(|c| !c.is_control()).take(LONGEST).collect();
            }
            if relationship {
                told.statement = Some((other(&body.source_ref)?, body.relationship_type, other(&body.target_ref)?));
            }
            out.insert(pos, told);
        }
        Ok(out)
    }
}
