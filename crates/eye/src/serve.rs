use crate::arguments::Serve;
use crate::node::{self, Node, Problem};
use crate::{http, office, socket};
use axum::Router;
use axum_server::Handle;
use axum_server::tls_rustls::RustlsConfig;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::time::Duration;

/// Requests under way get as long as this when the server ends.
const GRACE: Duration = Duration::from_secs(5);

/// Serves until SIGTERM or SIGINT.
pub fn run(data: &Path, how: &Serve) -> Result<(), Problem> {
    tracing_subscriber::fmt().json().with_writer(std::io::stderr).with_max_level(tracing::Level::INFO).init();
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
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).max_blocking_threads(32).enable_all().build()?;
    runtime.block_on(serve(listener, address, how, routes(node)?))
}

/// Every door and every room's pages. Pages want a session; the doors and the API ask for credentials themselves.
fn routes(node: &Node) -> Result<Router, Problem> {
    let strings = [("en", intel::http::FTL), ("en", office::FTL)];
    let catalogue = web::Catalogue::new(&strings).map_err(|e| Problem::other(e.to_string()))?;
    let about = node.people.node()?.unwrap_or_default();
    let hall = web::Hall { catalogue, node_name: about.name, exercise: about.exercise };
    let office = office::Office::new(node.people.clone(), hall.clone());
    let pages = office::signed_in(intel::http::router(node.intel.clone()), office.clone());
    let all = pages
        .merge(office::router(office))
        .merge(http::router(node.clone()))
        .merge(taxii::router(node.intel.clone()))
        .merge(stream::router(node.intel.clone()))
        .merge(web::asset_routes());
    Ok(web::secured(all, hall))
}

async fn serve(listener: TcpListener, address: SocketAddr, how: &Serve, routes: Router) -> Result<(), Problem> {
    let handle = Handle::new();
    tokio::spawn(end(handle.clone()));
    let service = routes.into_make_service_with_connect_info::<SocketAddr>();
    let scheme = if how.tls_cert.is_some() { "https" } else { "http" };
    println(&format!("listening on {scheme}://{address}"))?;
    match (&how.tls_cert, &how.tls_key) {
        (Some(cert), Some(key)) => {
            // Fails only when a provider is installed already.
            drop(rustls::crypto::ring::default_provider().install_default());
            let tls = RustlsConfig::from_pem_file(cert, key).await?;
            axum_server::from_tcp_rustls(listener, tls)?.handle(handle).serve(service).await?;
        }
        _ => axum_server::from_tcp(listener)?.handle(handle).serve(service).await?,
    }
    Ok(())
}

fn println(line: &str) -> Result<(), Problem> {
    use std::io::Write;
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}")?;
    Ok(out.flush()?)
}

async fn end(handle: Handle<SocketAddr>) {
    let terminate = async {
        match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
            Ok(mut signal) => {
                signal.recv().await;
            }
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        _ = terminate => {}
        _ = tokio::signal::ctrl_c() => {}
    }
    handle.graceful_shutdown(Some(GRACE));
}
