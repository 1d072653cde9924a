//! One question, one answer: bounded in size and time, asked again when a node is busy.
use crate::chain::{Error, Result};
use base64::Engine;
use base64::prelude::BASE64_STANDARD as BASE64;
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;
use std::io::Read;
use std::time::Duration;
use ureq::tls::{PemItem, RootCerts, TlsConfig};

/// A node that is busy is asked so often, each time after twice the wait.
pub(crate) const TRIES: u32 = 7;
const FIRST_WAIT: Duration = Duration::from_millis(500);
/// What is shorter is no key.
const SECRET: usize = 6;
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// Where a node is, and what of it is loaded.
#[derive(Clone)]
pub struct Endpoint {
    /// `http://` or `https://`; may hold a key, and is never repeated.
    pub url: String,
    /// Header lines, such as a key.
    pub headers: Vec<(String, String)>,
    /// What stands in the query of each question to an API of plain HTTP, such as a key; never repeated.
    pub query: Vec<(String, String)>,
    /// Certificates of authorities in PEM, in place of the public ones.
    pub authorities: Option<Vec<u8>>,
    /// The first block of a record that is still empty; 0 if not given.
    pub from: Option<u64>,
    /// The last block; the node's last if not given.
    pub to: Option<u64>,
    /// A node that says nothing for so long is given up.
    pub patience: Duration,
    /// At most so many questions a second, if it is a server that limits them.
    pub calls_a_second: Option<u32>,
    /// An answer of more bytes is not read to its end.
    pub max_answer: u64,
    /// No more questions are asked in all.
    pub budget: Option<u64>,
}

impl Endpoint {
    /// A node at an address.
    pub fn at(url: &str) -> Endpoint {
        Endpoint {
            url: url.into(),
            headers: Vec::new(),
            query: Vec::new(),
            authorities: None,
            from: None,
            to: None,
            patience: Duration::from_secs(60),
            calls_a_second: None,
            max_answer: 256 << 20,
            budget: None,
        }
    }

    /// The same, saying who asks: the one line NAME:PASSWORD of Bitcoin Core's cookie, or of a file of one's own (HTTP's Basic scheme).
    ///
    /// # Errors
    /// A text that is no such line, or a header that says who asks already.
    pub fn with_password(mut self, text: &str) -> Result<Endpoint> {
        let line = text.trim_end_matches(['\r', '\n']);
        if !line.contains(':') || line.contains(['\r', '\n']) {
            return Err(Error::Unknown("the cookie file must be one line, NAME:PASSWORD".into()));
        }
        if self.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("authorization")) {
            return Err(Error::Unknown(
                "the header file says who asks already: leave it or the cookie file out".into(),
            ));
        }
        self.headers.push(("authorization".into(), format!("Basic {}", BASE64.encode(line))));
        Ok(self)
    }
}

// The address and the headers may hold keys.
impl std::fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Endpoint").field("from", &self.from).field("to", &self.to).finish_non_exhaustive()
    }
}

/// A node that is asked.
pub struct Node {
    agent: ureq::Agent,
    pub(super) url: String,
    name: String,
    headers: Vec<(String, String)>,
    query: Vec<(String, String)>,
    first_wait: Duration,
    between: Duration,
    max_answer: u64,
    budget: Option<u64>,
    asked: Option<std::time::Instant>,
    pub(super) calls: u64,
}

/// Why a question has no answer.
#[derive(Debug)]
pub enum Refusal {
    /// The node does not know this question.
    Unknown,
    /// It does not have what is asked for.
    Absent,
    /// It limits how often it is asked, or is not ready.
    Busy(Option<Duration>),
    /// It answers with an error.
    Said(String),
}

#[derive(Deserialize)]
pub(super) struct Answer<'a> {
    pub id: Option<u64>,
    #[serde(borrow)]
    pub result: Option<&'a RawValue>,
    pub error: Option<ErrorObject>,
}

#[derive(Deserialize)]
pub(super) struct ErrorObject {
    code: i64,
    #[serde(default)]
    message: String,
}

impl Node {
    /// A client; asks nothing yet.
    ///
    /// # Errors
    /// An address that is none, that carries a password, or that would send headers without encryption; unreadable certificates.
    pub fn new(endpoint: &Endpoint) -> Result<Node> {
        let wrong = |why: &str| Error::Unknown(why.to_owned());
        let uri: ureq::http::Uri = endpoint.url.parse().map_err(|_| wrong("the node's address cannot be read"))?;
        let host = uri.host().ok_or_else(|| wrong("the node's address names no host"))?;
        if uri.authority().is_some_and(|authority| authority.as_str().contains('@')) {
            return Err(wrong(
                "the node's address carries a password: write NAME:PASSWORD into a file and name it with --cookie-file",
            ));
        }
        let encrypted = uri.scheme_str() == Some("https");
        let bare = host.trim_matches(['[', ']']);
        let here = bare == "localhost" || bare.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback());
        let secret = !endpoint.headers.is_empty() || !endpoint.query.is_empty();
        if secret && !encrypted && !here {
            return Err(wrong("headers and keys are sent over https only"));
        }
        let mut tls = TlsConfig::builder();
        if let Some(pem) = &endpoint.authorities {
            let found: Vec<_> = ureq::tls::parse_pem(pem)
                .filter_map(|item| if let Ok(PemItem::Certificate(found)) = item { Some(found) } else { None })
                .collect();
            if found.is_empty() {
                return Err(wrong("the file of authorities holds no certificate in PEM"));
            }
            tls = tls.root_certs(RootCerts::new_with_certs(&found));
        }
        let agent = ureq::Agent::config_builder()
            .https_only(encrypted)
            .tls_config(tls.build())
            .http_status_as_error(false)
            // A key must not follow to where somebody else points.
            .max_redirects(0)
            .max_redirects_will_error(false)
            .timeout_connect(Some(Duration::from_secs(10).min(endpoint.patience)))
            .timeout_recv_response(Some(endpoint.patience))
            .timeout_per_read(Some(endpoint.patience))
            .timeout_global(Some(endpoint.patience * 4))
            .user_agent(concat!("compound-eye/", env!("CARGO_PKG_VERSION")))
            .build()
            .new_agent();
        let port = uri.port_u16().map(|port| format!(":{port}")).unwrap_or_default();
        let between = endpoint.calls_a_second.map_or(Duration::ZERO, |n| Duration::from_secs(1) / n.max(1));
        let (headers, query) = (endpoint.headers.clone(), endpoint.query.clone());
        let (url, name) = (endpoint.url.clone(), format!("{host}{port}"));
        let (first_wait, max_answer) = (FIRST_WAIT, endpoint.max_answer);
        let budget = endpoint.budget;
        Ok(Node { agent, url, name, headers, query, first_wait, between, max_answer, budget, asked: None, calls: 0 })
    }

    /// The same, waiting so long before it asks a busy node again.
    #[must_use]
    pub fn with_first_wait(self, first_wait: Duration) -> Node {
        Node { first_wait, ..self }
    }

    /// Host and port; never the path, which may hold a key.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where a question of plain HTTP is sent: `path` behind the node's address, then its own query.
    pub(super) fn place(&self, path: &str) -> String {
        let between = if path.starts_with('?') { "" } else { "/" };
        let mut url = format!("{}{between}{path}", self.url.trim_end_matches('/'));
        for (name, value) in &self.query {
            url.push(if url.contains('?') { '&' } else { '?' });
            url.push_str(name);
            url.push('=');
            url.push_str(value);
        }
        url
    }

    /// A text of the node's without the keys that it was sent: some servers repeat them.
    pub(crate) fn without_keys(&self, text: String) -> String {
        let keys =
            self.query.iter().chain(&self.headers).flat_map(|(_, value)| value.split(' ').chain([value.as_str()]));
        keys.filter(|key| key.len() >= SECRET)
            .fold(text, |text, key| if text.contains(key) { text.replace(key, "…") } else { text })
    }

    /// How many questions were asked.
    pub fn calls(&self) -> u64 {
        self.calls
    }

    /// Whether its budget is used up.
    pub fn is_spent(&self) -> bool {
        self.budget.is_some_and(|budget| self.calls >= budget)
    }

    /// An error of this node.
    pub(crate) fn fault(&self, why: impl std::fmt::Display) -> Error {
        Error::Unknown(format!("the node at {}: {why}", self.name))
    }

    /// Asks, again and again while the node is busy.
    ///
    /// # Errors
    /// No connection, no answer in time, too large or not JSON-RPC, or still busy.
    pub fn ask<T>(
        &mut self,
        method: &str,
        params: &Value,
        read: impl FnOnce(&RawValue) -> std::result::Result<T, String>,
    ) -> Result<std::result::Result<T, Refusal>> {
        let mut wait = self.first_wait;
        for left in (0..TRIES).rev() {
            match self.once(method, params)? {
                Ok(text) => {
                    let answer: Answer<'_> = serde_json::from_str(&text)
                        .map_err(|error| self.fault(format!("{method}: not JSON-RPC ({})", without_text(&error))))?;
                    if answer.error.is_none() && answer.id != Some(self.calls) {
                        return Err(self.fault(format!("{method}: the answer is not to what was asked")));
                    }
                    match refusal(answer.error) {
                        Some(Refusal::Busy(_)) if left > 0 => {}
                        Some(Refusal::Busy(_)) => break,
                        Some(other) => return Ok(Err(other)),
                        None => {
                            let null = RawValue::NULL;
                            return read(answer.result.unwrap_or(null))
                                .map(Ok)
                                .map_err(|why| self.fault(format!("{method}: {why}")));
                        }
                    }
                }
                Err(Refusal::Busy(told)) => wait = told.unwrap_or(wait),
                Err(Refusal::Said(why)) => return Err(self.fault(format!("{method}: {why}"))),
                Err(other) => return Ok(Err(other)),
            }
            if left > 0 {
                Self::rest(&mut wait);
            }
        }
        Err(self.busy(method))
    }

    /// Asks, and an answer there must be.
    pub fn must<T>(
        &mut self,
        method: &str,
        params: &Value,
        read: impl FnOnce(&RawValue) -> std::result::Result<T, String>,
    ) -> Result<T> {
        self.ask(method, params, read)?.map_err(|refusal| match refusal {
            Refusal::Said(why) => self.fault(format!("{method}: {why}")),
            Refusal::Absent => self.fault(format!("{method}: it does not have that")),
            _ => self.fault(format!("does not answer {method}")),
        })
    }

    /// Asks an API of plain HTTP: `path` behind the node's address, a JSON object, its answer; again while the node is busy.
    ///
    /// # Errors
    /// As [`Node::ask`]; an answer that names an error.
    pub fn post<T>(
        &mut self,
        path: &str,
        body: &Value,
        read: impl FnOnce(&str) -> std::result::Result<T, String>,
    ) -> Result<T> {
        let mut wait = self.first_wait;
        for left in (0..TRIES).rev() {
            let url = self.place(path);
            match self.send(path, &url, body.to_string())? {
                Ok(text) => return read(&text).map_err(|why| self.fault(format!("{path}: {why}"))),
                Err(Refusal::Busy(told)) => wait = told.unwrap_or(wait),
                Err(Refusal::Said(why)) => return Err(self.fault(format!("{path}: {why}"))),
                Err(Refusal::Unknown | Refusal::Absent) => break,
            }
            if left > 0 {
                Self::rest(&mut wait);
            }
        }
        Err(self.busy(path))
    }

    pub(crate) fn busy(&self, what: &str) -> Error {
        self.fault(format!(
            "{what}: it limits how often it is asked, {TRIES} times in a row; load again later, it goes on from there, or ask less \
             often with --calls-per-second"
        ))
    }

    /// Waits before a busy node is asked again, and doubles the next wait.
    pub(crate) fn rest(wait: &mut Duration) {
        std::thread::sleep((*wait).min(LONGEST_WAIT));
        *wait *= 2;
    }

    pub(crate) fn first_wait(&self) -> Duration {
        self.first_wait
    }

    fn once(&mut self, method: &str, params: &Value) -> Result<std::result::Result<String, Refusal>> {
        let id = self.calls + 1;
        let body = serde_json::json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params}).to_string();
        let url = self.url.clone();
        self.send(method, &url, body)
    }

    /// Posts a JSON text, once.
    pub(super) fn send(&mut self, what: &str, url: &str, body: String) -> Result<std::result::Result<String, Refusal>> {
        let bytes = match self.call(what, url, Some(body))? {
            Ok(bytes) => bytes,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let text = String::from_utf8(bytes).map_err(|_| self.fault(format!("{what}: the answer is no text")))?;
        Ok(Ok(text))
    }

    /// Posts a body, or asks for an address without one, once.
    pub(super) fn call(
        &mut self,
        what: &str,
        url: &str,
        body: Option<String>,
    ) -> Result<std::result::Result<Vec<u8>, Refusal>> {
        if self.is_spent() {
            return Err(self.fault(format!("{what}: its budget of {} calls is used up", self.calls)));
        }
        if let Some(asked) = self.asked {
            std::thread::sleep(self.between.saturating_sub(asked.elapsed()));
        }
        self.asked = Some(std::time::Instant::now());
        self.calls += 1;
        let posts = body.is_some();
        let sent = match body {
            Some(body) => {
                let request = self.agent.post(url).header("content-type", "application/json");
                self.headers.iter().fold(request, |request, (name, value)| request.header(name, value)).send(body)
            }
            None => {
                let request = self.agent.get(url);
                self.headers.iter().fold(request, |request, (name, value)| request.header(name, value)).call()
            }
        };
        let answer = sent.map_err(|error| self.fault(format!("{what}: {}", said(&error))))?;
        let status = answer.status().as_u16();
        if matches!(status, 429 | 503) {
            let after = answer.headers().get("retry-after").and_then(|after| after.to_str().ok()?.parse().ok());
            // No node says for how long we stand still, nor counts time beyond what can be counted.
            return Ok(Err(Refusal::Busy(after.map(|s| Duration::from_secs(s).min(LONGEST_WAIT)))));
        }
        let mut bytes = Vec::new();
        let read = answer.into_body().into_reader().take(self.max_answer + 1).read_to_end(&mut bytes);
        read.map_err(|error| self.fault(format!("{what}: {}", told(&error))))?;
        if bytes.len() as u64 > self.max_answer {
            return Err(self.fault(format!("{what}: an answer of more than {} bytes", self.max_answer)));
        }
        // Some servers answer errors of JSON-RPC with 400 or 500.
        let explained = posts && bytes.trim_ascii_start().starts_with(b"{");
        Ok(match status {
            200 => Ok(bytes),
            401 | 403 => {
                Err(Refusal::Said(format!("it answers {status}: it wants to know who asks, or knows nobody so")))
            }
            404 if !posts => Err(Refusal::Absent),
            _ if explained => Ok(bytes),
            _ => Err(Refusal::Said(format!("it answers {status}"))),
        })
    }
}

/// What an error of JSON-RPC means (EIP-1474; Bitcoin Core, `rpc/protocol.h`; the messages of servers that limit).
pub(super) fn refusal(error: Option<ErrorObject>) -> Option<Refusal> {
    let error = error?;
    let message = error.message.to_ascii_lowercase();
    let limits = ["rate limit", "too many requests", "compute units", "capacity exceeded"];
    Some(match error.code {
        -32601 | -32004 => Refusal::Unknown,
        // A height above the last, a block that is not known (Bitcoin Core, `RPC_INVALID_PARAMETER`, `RPC_INVALID_ADDRESS_OR_KEY`).
        -8 | -5 => Refusal::Absent,
        // -28: Bitcoin Core while it starts (`RPC_IN_WARMUP`).
        -32005 | 429 | -28 => Refusal::Busy(None),
        _ if limits.iter().any(|words| message.contains(words)) => Refusal::Busy(None),
        code => Refusal::Said(format!("error {code}: {}", error.message.chars().take(200).collect::<String>())),
    })
}

fn said(error: &ureq::Error) -> String {
    match error {
        ureq::Error::Timeout(_) => "no answer in time".into(),
        ureq::Error::HostNotFound => "no such host".into(),
        // It would repeat the address, which may hold a key.
        ureq::Error::BadUri(_) | ureq::Error::RequireHttpsOnly(_) => "its address cannot be asked".into(),
        ureq::Error::Io(error) => told(error),
        other => other.to_string(),
    }
}

fn told(error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::TimedOut | std::io::ErrorKind::WouldBlock => "no answer in time".into(),
        std::io::ErrorKind::UnexpectedEof => "the answer breaks off".into(),
        _ => error.to_string(),
    }
}

/// Where a JSON text is wrong, without the text.
pub(crate) fn without_text(error: &serde_json::Error) -> String {
    format!("{:?} error at line {} column {}", error.classify(), error.line(), error.column())
}
