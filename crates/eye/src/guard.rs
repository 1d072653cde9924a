//! What one listener may cost: connections at a time, and how long a client may take to say what it wants.
use axum_server::accept::Accept;
use axum_server::{Address, Server};
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tower::Service;

/// Descriptors that the process asks the system for at least.
const DESCRIPTORS: u64 = 4_096;

/// What the server's clients may cost together.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Connections at a time; more are closed at once. Each is a descriptor, and the views need some too.
    pub connections: usize,
    /// A request's head must be whole after this, and so must the next one's on a connection that stays open.
    pub head: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self { connections: 1_000, head: Duration::from_secs(30) }
    }
}

/// Raises the process's limit of descriptors as far as the system allows; says how many connections that leaves.
pub fn connections(wanted: usize) -> usize {
    use rustix::process::{Resource, getrlimit, setrlimit};
    let mut limit = getrlimit(Resource::Nofile);
    let needed = u64::try_from(wanted).unwrap_or(u64::MAX).saturating_mul(2).max(DESCRIPTORS);
    let most = limit.maximum.unwrap_or(needed).min(needed);
    if limit.current.is_some_and(|now| now < most) {
        limit.current = Some(most);
        if let Err(e) = setrlimit(Resource::Nofile, limit) {
            tracing::warn!(error = %e, "the limit of open files stays as it was");
        }
    }
    let open = getrlimit(Resource::Nofile).current.map_or(needed, |n| n.min(needed));
    let places = usize::try_from(open / 2).unwrap_or(wanted).min(wanted);
    if places < wanted {
        tracing::warn!(places, wanted, "the system's limit of open files leaves fewer connections");
    }
    places
}

/// A server whose clients must come to the point.
pub fn guarded<A: Address, Acc>(server: Server<A, Acc>, limits: Limits) -> Server<A, Doorkeeper<Acc>> {
    let mut server = server
        .first_request_timeout(limits.head)
        .map(|inner| Doorkeeper { inner, places: Arc::new(Semaphore::new(limits.connections)) });
    server.http_builder().http1().header_read_timeout(limits.head);
    server
}

/// Lets in as many connections as there are places.
#[derive(Debug, Clone)]
pub struct Doorkeeper<Acc> {
    inner: Acc,
    places: Arc<Semaphore>,
}

impl<Acc, I, S> Accept<I, S> for Doorkeeper<Acc>
where
    Acc: Accept<I, S>,
    Acc::Future: Send + 'static,
    Acc::Stream: 'static,
    Acc::Service: 'static,
{
    type Stream = Acc::Stream;
    type Service = Seated<Acc::Service>;
    type Future = Pin<Box<dyn Future<Output = io::Result<(Self::Stream, Self::Service)>> + Send>>;

    fn accept(&self, stream: I, service: S) -> Self::Future {
        let Ok(place) = Arc::clone(&self.places).try_acquire_owned() else {
            return Box::pin(async { Err(io::Error::other("every connection is taken")) });
        };
        let accepted = self.inner.accept(stream, service);
        Box::pin(async move {
            let (stream, service) = accepted.await?;
            Ok((stream, Seated { service, _place: Arc::new(place) }))
        })
    }
}

/// A connection's service: its place is free again when the connection ends.
#[derive(Debug, Clone)]
pub struct Seated<S> {
    service: S,
    _place: Arc<OwnedSemaphorePermit>,
}

impl<S: Service<R>, R> Service<R> for Seated<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.service.poll_ready(context)
    }

    fn call(&mut self, request: R) -> Self::Future {
        self.service.call(request)
    }
}
