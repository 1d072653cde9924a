//! The session's cookie (RFC 6265bis): never readable by scripts, never sent by other sites' forms.
use http::{HeaderMap, HeaderValue, header};

/// Over TLS the browser itself keeps other hosts and plain HTTP from setting it (`__Host-`, RFC 6265bis §4.1.3.2).
const OVER_TLS: &str = "__Host-eye";
/// On loopback without TLS.
const PLAIN: &str = "eye";

fn name(tls: bool) -> &'static str {
    if tls { OVER_TLS } else { PLAIN }
}

/// The session's cookie in a request.
pub(crate) fn sent(tls: bool, headers: &HeaderMap) -> Option<String> {
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|v| v.to_str().ok());
    let mut found = cookies.filter_map(|line| web::chrome::cookie(line, name(tls)));
    found.next().filter(|value| !value.is_empty()).map(str::to_owned)
}

/// `Set-Cookie` for a session of `max_age` seconds.
pub(crate) fn set(tls: bool, value: &str, max_age: u64) -> Option<HeaderValue> {
    let secure = if tls { "; Secure" } else { "" };
    let name = name(tls);
    HeaderValue::from_str(&format!("{name}={value}; Path=/; HttpOnly; SameSite=Lax; Max-Age={max_age}{secure}")).ok()
}
