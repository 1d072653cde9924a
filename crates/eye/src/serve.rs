use crate::arguments::Serve;
use crate::node::{self, Node, Problem};
use crate::{commands, guard, http, memory, socket};
use axum_server::Handle;
use axum_server::accept::NoDelayAcceptor;
use axum_server::tls_rustls::{RustlsAcceptor, RustlsConfig};
use gate::{Gate, House, Routes};
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::time::Duration;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// Requests under way get as long as this when the server ends.
const GRACE: Duration = Duration::from_secs(5);
const DAY: Duration = Duration::from_secs(86_400);

/// Serves until SIGTERM or SIGINT.
pub fn run(data: &Path, how: &Serve) -> Result<(), Problem> {
    tracing_subscriber::fmt()
        .json()
        .with_writer(|| Unfailing(std::io::stderr()))
        .log_internal_errors(false)
        .with_max_level(tracing::Level::INFO)
        .init();
    if !how.listen.ip().is_loopback() && how.tls_cert.is_none() {
        return Err(Problem::other(
            "plain HTTP is served on loopback only: give --tls-cert and --tls-key, or listen on 127.0.0.1",
        ));
    }
    let node = node::open(data)?;
    let result = listen(data, how, &node);
    socket::remove(data);
    node.close();
    result
}

fn listen(data: &Path, how: &Serve, node: &Node) -> Result<(), Problem> {
    let listener = TcpListener::bind(how.listen).map_err(|e| match e.kind() {
        std::io::ErrorKind::AddrInUse => {
            Problem::other(format!("{} is in use; choose another with --listen ADDR:PORT", how.listen))
        }
        _ => Problem::other(format!("cannot listen on {}: {e}", how.listen)),
    })?;
    listener.set_nonblocking(true)?;
    let address = listener.local_addr()?;
    socket::listen(data, node)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .max_blocking_threads(32)
        .thread_keep_alive(memory::THREAD_STAYS)
        .enable_all()
        .build()?;
    runtime.block_on(serve(listener, address, how, node, house(node, how.is_over_tls())?))
}

/// A writer that takes every line: the log may stand on the disk that is full, and whoever logs is to go on working.
struct Unfailing<W>(W);

impl<W: std::io::Write> std::io::Write for Unfailing<W> {
    fn write(&mut self, buf: &[u8]) -> std::io::Result<usize> {
        // There is nowhere else to say that nothing can be said.
        let _ = self.0.write_all(buf);
        Ok(buf.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        let _ = self.0.flush();
        Ok(())
    }
}

/// Every door and every room's pages, each route behind its rule.
pub(crate) fn house(node: &Node, tls: bool) -> Result<House, Problem> {
    let strings = [("en", intel::http::FTL), ("en", office::FTL)];
    let catalogue = web::Catalogue::new(&strings).map_err(|e| Problem::other(e.to_string()))?;
    let about = node.people.node()?.unwrap_or_default();
    let hall = web::Hall { catalogue, node_name: about.name, exercise: about.exercise, tls };
    let gate = Gate::new(&node.ledger, &node.people, hall).over_tls(tls).framed(office::frame);
    let listeners = stream::Listeners::new(node.settings.stream());
    let routes = office::routes(&gate, facts(node))
        .and(intel::http::routes(node.intel.clone()))
        .and(http::routes(node.clone(), listeners.clone()))
        .and(taxii::routes(node.intel.clone(), node.settings.taxii()))
        .and(stream::routes(node.intel.clone(), &listeners))
        .and(Routes::assets());
    Ok(gate.open(routes))
}

/// What the administrator's first page is told of the machine.
fn facts(node: &Node) -> office::Facts {
    let (node, same) = (node.clone(), node.clone());
    office::Facts::new(
        move || commands::problems(node.ledger.folder().root(), &node),
        move || same.intel.quarantine_size().ok().map(|(records, _)| records),
    )
}

async fn serve(
    listener: TcpListener,
    address: SocketAddr,
    how: &Serve,
    node: &Node,
    house: House,
) -> Result<(), Problem> {
    let handle = Handle::new();
    // Before anybody is told that it listens: whoever reads that may end it at once.
    tokio::spawn(end(handle.clone(), signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?));
    tokio::spawn(async {
        let mut pause = tokio::time::interval(memory::EVERY);
        loop {
            pause.tick().await;
            tokio::task::spawn_blocking(memory::give_back).await.ok();
        }
    });
    if let Some(keep) = node.settings.access_log.keep() {
        tokio::spawn(retention(node.clone(), keep));
    }
    let mut limits = node.settings.server();
    limits.connections = guard::connections(limits.connections);
    let house = if how.behind_proxy { house.behind_proxy() } else { house };
    let service = house.into_make_service(Duration::from_secs(node.settings.server.body_pause_seconds));
    let scheme = if how.tls_cert.is_some() { "https" } else { "http" };
    let tls = match (&how.tls_cert, &how.tls_key) {
        (Some(cert), Some(key)) => {
            // Fails only when a provider is installed already.
            drop(rustls::crypto::ring::default_provider().install_default());
            let read = RustlsConfig::from_pem_file(cert, key).await;
            Some(read.map_err(|e| Problem::other(format!("{} and {}: {e}", cert.display(), key.display())))?)
        }
        _ => None,
    };
    // No delay: an event is a small write, and the next would wait for the listener's acknowledgement of it.
    println(&format!("listening on {scheme}://{address}"))?;
    match tls {
        Some(tls) => {
            guard::guarded(
                axum_server::from_tcp(listener)?.acceptor(RustlsAcceptor::new(tls).acceptor(NoDelayAcceptor::new())),
                limits,
            )
            .handle(handle)
            .serve(service)
            .await?;
        }
        None => {
            guard::guarded(axum_server::from_tcp(listener)?.acceptor(NoDelayAcceptor::new()), limits)
                .handle(handle)
                .serve(service)
                .await?
        }
    }
    Ok(())
}

/// Forgets old rows of the access log, at start and once a day.
async fn retention(node: Node, keep: Duration) {
    let mut pause = tokio::time::interval(DAY);
    loop {
        pause.tick().await;
        let node = node.clone();
        let forgotten = tokio::task::spawn_blocking(move || {
            let keep = i64::try_from(keep.as_micros()).unwrap_or(i64::MAX);
            node.people.access_log().forget(node.ledger.now().saturating_sub(keep))
        });
        match forgotten.await {
            Ok(Ok(0)) | Err(_) => {}
            Ok(Ok(rows)) => tracing::info!(rows, "old rows of the access log were forgotten"),
            Ok(Err(error)) => tracing::error!(%error, "old rows of the access log stay"),
        }
    }
}

fn println(line: &str) -> Result<(), Problem> {
    use std::io::Write;
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}")?;
    Ok(out.flush()?)
}

async fn end(handle: Handle<SocketAddr>, mut terminate: Signal, mut interrupt: Signal) {
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    handle.graceful_shutdown(Some(GRACE));
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    struct Full;
    impl Write for Full {
        fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
            Err(std::io::ErrorKind::StorageFull.into())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Err(std::io::ErrorKind::StorageFull.into())
        }
    }

    #[test]
    fn a_log_on_a_full_disk_is_no_error_of_whoever_logs() {
        let mut log = Unfailing(Full);
        assert!(log.write_all(b"EXERCISE").is_ok() && log.flush().is_ok());
    }
}
