//! A node of its own for measurements that read as a person would, removed when dropped; and quantiles of times.
use crate::Failure;
use crate::node::Node;
use std::path::Path;
use std::time::{Duration, Instant};

/// A node that goes with its value, unless it is kept.
pub struct Exercise {
    node: Node,
    kept: bool,
}

impl Exercise {
    /// Makes a node below `parent`.
    ///
    /// # Errors
    /// The ledger's.
    pub fn make(parent: &Path, name: &str) -> Result<Self, Failure> {
        let node = Node::create(&parent.join(format!("bench-{name}-{}", std::process::id())))?;
        Ok(Self { node, kept: false })
    }

    /// A node in a folder that stays: made when it is new.
    ///
    /// # Errors
    /// The ledger's.
    pub fn keep(folder: &Path) -> Result<Self, Failure> {
        let node = if folder.exists() { Node::open(folder)? } else { Node::create(folder)? };
        Ok(Self { node, kept: true })
    }

    /// The viewer again, after audiences changed.
    ///
    /// # Errors
    /// The ledger's.
    pub fn refresh(&mut self) -> Result<(), Failure> {
        self.node.me = self.node.intel.people().local_viewer()?;
        Ok(())
    }

    /// Makes a shared collection and gives its id.
    ///
    /// # Errors
    /// The ledger's.
    pub fn collection(&self, title: &str) -> Result<(ledger::CollectionId, u32), Failure> {
        let body = people::entry::AudienceBody::shared(title, stix::Tlp::AmberStrict, Vec::new());
        let made = self.node.intel.people().create_collection(&self.node.me, &body)?;
        Ok((made.id, made.col))
    }

    /// Waits until every view has reached the head.
    ///
    /// # Errors
    /// The ledger's.
    pub fn level(&self) -> Result<(), Failure> {
        Ok(self.node.intel.ledger().level(Duration::from_secs(600))?)
    }
}

impl std::ops::Deref for Exercise {
    type Target = Node;
    fn deref(&self) -> &Node {
        &self.node
    }
}

impl Drop for Exercise {
    fn drop(&mut self) {
        self.node.ledger.close();
        if !self.kept {
            let _ = std::fs::remove_dir_all(&self.node.folder);
        }
    }
}

/// Times in milliseconds, for quantiles.
#[derive(Default)]
pub struct Times(Vec<f64>);

impl Times {
    /// Runs and notes how long it took.
    pub fn of<T>(&mut self, f: impl FnOnce() -> T) -> T {
        let since = Instant::now();
        let out = f();
        self.0.push(since.elapsed().as_secs_f64() * 1e3);
        out
    }

    /// The quantile `q` of 0 to 1, ms to three digits.
    pub fn quantile(&mut self, q: f64) -> f64 {
        self.0.sort_unstable_by(f64::total_cmp);
        let at = ((self.0.len() as f64 * q).ceil() as usize).clamp(1, self.0.len().max(1)) - 1;
        (self.0.get(at).copied().unwrap_or(0.0) * 1e3).round() / 1e3
    }

    /// Takes another's.
    pub fn extend(&mut self, other: &Self) {
        self.0.extend_from_slice(&other.0);
    }
}
