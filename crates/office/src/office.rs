//! What the front office's pages share.
use ledger::Ledger;
use people::People;
use std::sync::Arc;
use web::{Catalogue, Csrf, Hall, OnceTokens, Problem};

/// The front office of one node. Cloning is cheap.
#[derive(Clone)]
pub struct Office {
    inner: Arc<Inner>,
}

#[derive(Clone)]
struct Inner {
    ledger: Ledger,
    people: People,
    hall: Hall,
    once: OnceTokens,
    tls: bool,
}

impl std::fmt::Debug for Office {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Office").finish_non_exhaustive()
    }
}

impl Office {
    /// The office of a node that is served over plain HTTP on loopback; see [`Office::over_tls`].
    /// `catalogue` takes the place of the hall's own.
    #[must_use]
    pub fn new(ledger: &Ledger, people: &People, catalogue: Catalogue, hall: Hall) -> Self {
        // Fresh for each process: what was spent is forgotten with it, so its tokens must be void as well.
        let started = ledger.now().to_be_bytes();
        let key = ledger::keyed_id(ledger.keys().cookie(), &[b"office once", &started]);
        let inner = Inner {
            ledger: ledger.clone(),
            people: people.clone(),
            hall: Hall { catalogue, ..hall },
            once: OnceTokens::new(Csrf::new(key)),
            tls: false,
        };
        Self { inner: Arc::new(inner) }
    }

    /// Says whether browsers come over TLS: then the session's cookie is `Secure` and its name begins with `__Host-`.
    #[must_use]
    pub fn over_tls(self, tls: bool) -> Self {
        Self { inner: Arc::new(Inner { tls, ..(*self.inner).clone() }) }
    }

    pub(crate) fn ledger(&self) -> &Ledger {
        &self.inner.ledger
    }

    pub(crate) fn people(&self) -> &People {
        &self.inner.people
    }

    pub(crate) fn hall(&self) -> &Hall {
        &self.inner.hall
    }

    pub(crate) fn tls(&self) -> bool {
        self.inner.tls
    }

    /// A once-only token for a form of the session with this CSRF token.
    pub(crate) fn once(&self, csrf: &str) -> Result<String, Problem> {
        self.inner.once.issue(csrf, self.seconds()).map_err(|_| Problem::internal())
    }

    /// Spends it.
    pub(crate) fn spend(&self, csrf: &str, once: &str) -> Result<(), Problem> {
        Ok(self.inner.once.spend(csrf, once, self.seconds())?)
    }

    fn seconds(&self) -> i64 {
        self.inner.ledger.now() / 1_000_000
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
