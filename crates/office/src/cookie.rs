//! The session's cookie (RFC 6265bis): never readable by scripts, never sent by other sites' forms.
use crate::Office;
use http::{HeaderMap, HeaderValue, header};

/// Over TLS the browser itself keeps other hosts and plain HTTP from setting it (`__Host-`, RFC 6265bis §4.1.3.2).
const OVER_TLS: &str = "__Host-eye";
/// On loopback without TLS.
const PLAIN: &str = "eye";

pub(crate) fn name(office: &Office) -> &'static str {
    if office.tls() { OVER_TLS } else { PLAIN }
}

/// The session's cookie in a request.
pub(crate) fn sent(office: &Office, headers: &HeaderMap) -> Option<String> {
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|v| v.to_str().ok());
    let mut found = cookies.filter_map(|line| web::chrome::cookie(line, name(office)));
    found.next().filter(|value| !value.is_empty()).map(str::to_owned)
}

/// `Set-Cookie` for a session of `max_age` seconds.
pub(crate) fn set(office: &Office, value: &str, max_age: u64) -> Option<HeaderValue> {
    let secure = if office.tls() { "; Secure" } else { "" };
    let name = name(office);
    let line = format!("{name}={value}; Path=/; HttpOnly; SameSite=Lax; Max-Age={max_age}{secure}");
    HeaderValue::from_str(&line).ok()
}

/// `Set-Cookie` that removes it.
pub(crate) fn clear(office: &Office) -> Option<HeaderValue> {
    set(office, "", 0)
}
