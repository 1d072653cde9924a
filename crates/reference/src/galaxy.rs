//! Galaxies: names and synonyms of actors, tools, sectors, with what is written about them.

use crate::list::{ListInfo, read_info};
use crate::table::Table;
use crate::{Result, at};
use serde::{Deserialize, Serialize};
use std::path::Path;

/// A cluster that was found by one of its names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GalaxyHit {
    /// The galaxy's type, such as `threat-actor`.
    pub galaxy: String,
    /// The cluster's own name.
    pub value: String,
    /// Its uuid in MISP's galaxies.
    pub uuid: Option<String>,
    /// What is written about it, at most 2,000 characters.
    pub description: String,
    /// Its other names.
    pub synonyms: Vec<String>,
    /// Pages about it, at most 20.
    pub refs: Vec<String>,
}

impl GalaxyHit {
    /// The name and the other names, as they are looked up.
    pub(crate) fn keys(&self) -> impl Iterator<Item = String> {
        std::iter::once(&self.value).chain(&self.synonyms).map(|name| key(name))
    }
}

pub(crate) fn key(name: &str) -> String {
    name.trim().to_lowercase()
}

pub(crate) struct Galaxy {
    pub info: ListInfo,
    table: Table,
}

impl Galaxy {
    pub fn open(folder: &Path) -> Result<Self> {
        Ok(Self { info: read_info(folder)?, table: at(folder, Table::open(folder))? })
    }

    /// All clusters of the name, at most 50.
    pub fn find(&self, name: &str) -> Vec<GalaxyHit> {
        let wanted = key(name);
        let mut hits: Vec<GalaxyHit> = Vec::new();
        self.table.find(&wanted, |text| {
            if let Ok(hit) = serde_json::from_str::<GalaxyHit>(text)
                && hit.keys().any(|key| key == wanted)
                && !hits.contains(&hit)
            {
                hits.push(hit);
            }
            hits.len() >= 50
        });
        hits
    }
}
