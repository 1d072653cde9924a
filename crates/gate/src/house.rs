use crate::Line;
use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::extract::connect_info::IntoMakeServiceWithConnectInfo;
use axum::response::Response;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tower::ServiceExt;
use tower_http::timeout::RequestBodyTimeoutLayer;

/// A request's body may pause this long, not longer, where the node's keeper says nothing else.
pub const BODY_PAUSE: Duration = Duration::from_secs(30);

/// Every route of a node behind its rule: what a server serves. Only [`crate::Gate::open`] makes one.
#[derive(Clone)]
pub struct House {
    router: Router,
    table: Arc<[Line]>,
}

impl std::fmt::Debug for House {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("House").field("routes", &self.table.len()).finish()
    }
}

impl House {
    pub(crate) fn new(router: Router, table: Vec<Line>) -> Self {
        Self { router, table: table.into() }
    }

    /// Its routes.
    pub fn table(&self) -> &[Line] {
        &self.table
    }

    /// Answers one request without a socket.
    pub async fn ask(&self, request: Request<Body>) -> Response {
        match self.router.clone().oneshot(request).await {
            Ok(response) => response,
            Err(never) => match never {},
        }
    }

    /// For a server; each connection brings its address, and no request's body pauses for longer than `pause`.
    pub fn into_make_service(self, pause: Duration) -> IntoMakeServiceWithConnectInfo<Router, SocketAddr> {
        self.router.layer(RequestBodyTimeoutLayer::new(pause)).into_make_service_with_connect_info()
    }
}
