//! What the front office's pages share.
use crate::desk::Facts;
use gate::Gate;
use ledger::Ledger;
use people::People;
use web::{Csrf, OnceTokens, Problem};

/// The front office of one node. Cloning is cheap.
#[derive(Clone)]
pub(crate) struct Office {
    gate: Gate,
    facts: Facts,
    once: OnceTokens,
}

impl Office {
    pub(crate) fn new(gate: &Gate, facts: Facts) -> Self {
        // Fresh for each process: what was spent is forgotten with it, so its tokens must be void as well.
        let started = gate.ledger().now().to_be_bytes();
        let key = ledger::keyed_id(gate.ledger().keys().cookie(), &[b"office once", &started]);
        Self { gate: gate.clone(), facts, once: OnceTokens::new(Csrf::new(key)) }
    }

    pub(crate) fn gate(&self) -> &Gate {
        &self.gate
    }

    pub(crate) fn facts(&self) -> &Facts {
        &self.facts
    }

    pub(crate) fn ledger(&self) -> &Ledger {
        self.gate.ledger()
    }

    pub(crate) fn people(&self) -> &People {
        self.gate.people()
    }

    /// A once-only token for a form of the session with this CSRF token.
    pub(crate) fn once(&self, csrf: &str) -> Result<String, Problem> {
        self.once.issue(csrf, self.seconds()).map_err(|_| Problem::internal())
    }

    /// Spends it.
    pub(crate) fn spend(&self, csrf: &str, once: &str) -> Result<(), Problem> {
        Ok(self.once.spend(csrf, once, self.seconds())?)
    }

    fn seconds(&self) -> i64 {
        self.ledger().now() / 1_000_000
    }
}

/// Runs what waits for the disk or hashes a password off the async threads.
pub(crate) async fn blocking<T: Send + 'static>(f: impl FnOnce() -> T + Send + 'static) -> Result<T, Problem> {
    tokio::task::spawn_blocking(f).await.map_err(|error| {
        tracing::error!(%error, "a request's work ended badly");
        Problem::internal()
    })
}

/// The hall's refusal as a page. What is not the asker's fault goes to the log.
pub(crate) fn refused(error: &people::Error) -> Problem {
    let status = http::StatusCode::from_u16(error.status()).unwrap_or(http::StatusCode::INTERNAL_SERVER_ERROR);
    if status.is_server_error() && status != http::StatusCode::SERVICE_UNAVAILABLE {
        tracing::error!(%error, "a request failed");
    }
    Problem::of(status)
}
