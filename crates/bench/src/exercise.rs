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
        let members = vec![people::entry::Member::role(people::Role::Supervisor, false)];
        let body = people::entry::AudienceBody::shared(title, stix::Tlp::AmberStrict, members);
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

/// Times in milliseconds, by the clock and of this thread's processor, for quantiles.
#[derive(Default)]
pub struct Times {
    clock: Vec<f64>,
    cpu: Vec<f64>,
}

impl Times {
    /// Runs and notes how long it took.
    pub fn of<T>(&mut self, f: impl FnOnce() -> T) -> T {
        let (since, on_cpu) = (Instant::now(), thread_cpu_ms());
        let out = f();
        self.clock.push(since.elapsed().as_secs_f64() * 1e3);
        self.cpu.push(thread_cpu_ms() - on_cpu);
        out
    }

    /// The quantile `q` of 0 to 1 by the clock, ms to three digits.
    pub fn quantile(&mut self, q: f64) -> f64 {
        quantile(&mut self.clock, q)
    }

    /// The quantile `q` of 0 to 1 of processor time, ms to three digits: what neighbours do not move much.
    pub fn cpu(&mut self, q: f64) -> f64 {
        quantile(&mut self.cpu, q)
    }

    /// Takes another's.
    pub fn extend(&mut self, other: &Self) {
        self.clock.extend_from_slice(&other.clock);
        self.cpu.extend_from_slice(&other.cpu);
    }
}

fn quantile(times: &mut [f64], q: f64) -> f64 {
    times.sort_unstable_by(f64::total_cmp);
    let at = ((times.len() as f64 * q).ceil() as usize).clamp(1, times.len().max(1)) - 1;
    (times.get(at).copied().unwrap_or(0.0) * 1e3).round() / 1e3
}

fn thread_cpu_ms() -> f64 {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    now.tv_sec as f64 * 1e3 + now.tv_nsec as f64 / 1e6
}
