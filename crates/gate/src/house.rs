use crate::Line;
use axum::Router;
use axum::body::Body;
use axum::extract::connect_info::IntoMakeServiceWithConnectInfo;
use axum::extract::{ConnectInfo, Request};
use axum::response::Response;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tower::ServiceExt;
use tower::util::MapRequestLayer;
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

    /// As [`House::into_make_service`], behind a proxy on this machine: a request that comes over loopback is from whom the
    /// proxy says, the last address of its `X-Forwarded-For` (what stands before it, anybody may have written). Without
    /// one it is from loopback.
    #[must_use]
    pub fn behind_proxy(self) -> Self {
        let router = self.router.layer(MapRequestLayer::new(forwarded));
        Self { router, ..self }
    }

    /// For a server; each connection brings its address, and no request's body pauses for longer than `pause`.
    pub fn into_make_service(self, pause: Duration) -> IntoMakeServiceWithConnectInfo<Router, SocketAddr> {
        self.router.layer(RequestBodyTimeoutLayer::new(pause)).into_make_service_with_connect_info()
    }
}

fn forwarded(mut request: Request<Body>) -> Request<Body> {
    let said = request.headers().get_all("x-forwarded-for").iter().next_back();
    let last = said.and_then(|v| v.to_str().ok()).and_then(|v| v.rsplit(',').next());
    let address: Option<IpAddr> = last.and_then(|v| v.trim().parse().ok());
    if let (Some(address), Some(from)) = (address, request.extensions_mut().get_mut::<ConnectInfo<SocketAddr>>())
        && from.0.ip().is_loopback()
    {
        from.0.set_ip(address);
    }
    request
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_proxy_on_this_machine_says_who_asks_and_only_its_own_word_counts() {
        let asked = |from: &str, said: &[&str]| {
            let mut request = Request::new(Body::empty());
            for said in said {
                request.headers_mut().append("x-forwarded-for", said.parse().unwrap());
            }
            request.extensions_mut().insert(ConnectInfo(SocketAddr::new(from.parse().unwrap(), 9)));
            forwarded(request).extensions().get::<ConnectInfo<SocketAddr>>().unwrap().0.ip().to_string()
        };
        assert_eq!(asked("127.0.0.1", &["203.0.113.7"]), "203.0.113.7");
        assert_eq!(
            asked("127.0.0.1", &["198.51.100.1, 203.0.113.7"]),
            "203.0.113.7",
            "a client's own claim comes first"
        );
        assert_eq!(asked("::1", &["198.51.100.1", "2001:db8::7"]), "2001:db8::7");
        assert_eq!(asked("198.51.100.9", &["203.0.113.7"]), "198.51.100.9", "a stranger is no proxy");
        assert_eq!(asked("127.0.0.1", &[]), "127.0.0.1");
        assert_eq!(asked("127.0.0.1", &["unknown"]), "127.0.0.1");
    }
}
