//! Files and feeds over HTTP and HTTPS, for whoever has the command line: no page and no route fetches what a visitor
//! names. The answer streams; its size, time and redirects are bounded, and what it calls itself decides nothing.
use crate::node::Problem;
use crate::settings::Fetch;
use http::Uri;
use std::io::Read;
use std::time::Duration;
use ureq::config::RedirectAuthHeaders;
use ureq::tls::{PemItem, RootCerts, TlsConfig};

/// Header lines of a file, at most.
const HEADERS: usize = 20;
/// Characters of a source's name, at most.
const NAME: usize = 200;

/// An address with what the command line gave beside it.
pub struct Address<'a> {
    pub text: &'a str,
    /// Header lines, such as `Authorization: Bearer …`.
    pub headers: Option<&'a str>,
    /// Certificates of authorities in PEM, in place of the public ones.
    pub authorities: Option<&'a [u8]>,
}

/// An answer that is being read.
pub struct Fetched {
    pub body: Box<dyn Read>,
    /// As announced.
    pub size: Option<u64>,
}

/// Whether a word on the command line is an address.
pub fn is_address(word: &str) -> bool {
    let begins = |with: &str| word.get(..with.len()).is_some_and(|w| w.eq_ignore_ascii_case(with));
    begins("http://") || begins("https://")
}

/// An address as it may be kept and shown: host and last part of the path, never the query, which may hold a key.
pub fn name(address: &str) -> String {
    let Ok(uri) = address.parse::<Uri>() else { return "an address".into() };
    let last = uri.path().rsplit('/').find(|p| !p.is_empty()).unwrap_or_default();
    let slash = if last.is_empty() { "" } else { "/" };
    format!("{}{slash}{last}", uri.host().unwrap_or_default()).chars().take(NAME).collect()
}

/// Asks for an address; returns once its headers are there. Its errors do not name the address: whoever asked does.
pub fn fetch(address: &Address<'_>, limits: &Fetch) -> Result<Fetched, Problem> {
    let wrong = |why: &str| Problem::other(why);
    let uri: Uri = address.text.parse().map_err(|_| wrong("this is no address; escape what is not ASCII"))?;
    if uri.authority().is_some_and(|a| a.as_str().contains('@')) {
        return Err(wrong(
            "the address carries a password, which would stay in the shell's history and in lists of processes: write `Authorization: …` into a file and name it with --header-file",
        ));
    }
    let encrypted = uri.scheme_str() == Some("https");
    if address.headers.is_some() && !encrypted && !is_loopback(&uri) {
        return Err(wrong("headers of --header-file are sent over https only"));
    }
    let mut tls = TlsConfig::builder();
    if let Some(pem) = address.authorities {
        tls = tls.root_certs(authorities(pem).map_err(|why| wrong(&why))?);
    }
    let agent = ureq::Agent::config_builder()
        .https_only(encrypted)
        .tls_config(tls.build())
        // A key must not follow to where somebody else points.
        .max_redirects(if address.headers.is_some() { 0 } else { u32::try_from(limits.redirects).unwrap_or(u32::MAX) })
        .max_redirects_will_error(true)
        .redirect_auth_headers(RedirectAuthHeaders::Never)
        .timeout_connect(Some(Duration::from_secs(limits.connect_seconds)))
        .timeout_recv_response(Some(Duration::from_secs(limits.idle_seconds)))
        .timeout_per_read(Some(Duration::from_secs(limits.idle_seconds)))
        .timeout_global(Some(Duration::from_secs(limits.seconds)))
        .user_agent(concat!("compound-eye/", env!("CARGO_PKG_VERSION")))
        .build()
        .new_agent();
    let mut request = agent.get(uri);
    for (name, value) in headers(address.headers).map_err(|why| wrong(&why))? {
        request = request.header(name, value);
    }
    let answer = request.call().map_err(|e| wrong(&said(&e)))?;
    if answer.status().is_redirection() {
        return Err(wrong(
            "it redirects, and headers of --header-file are sent to no other address: name the other one",
        ));
    }
    let size = answer.body().content_length();
    if size.is_some_and(|s| s > limits.bytes) {
        return Err(wrong(&format!("it is larger than {} bytes (fetch.bytes in eye.toml)", limits.bytes)));
    }
    let body = Box::new(Bounded { inner: answer.into_body().into_reader(), left: limits.bytes });
    Ok(Fetched { body, size })
}

fn is_loopback(uri: &Uri) -> bool {
    let host = uri.host().unwrap_or_default().trim_matches(['[', ']']);
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

fn authorities(pem: &[u8]) -> Result<RootCerts, String> {
    let found: Vec<_> = ureq::tls::parse_pem(pem)
        .filter_map(|item| match item {
            Ok(PemItem::Certificate(c)) => Some(c),
            _ => None,
        })
        .collect();
    if found.is_empty() {
        Err("the file of --ca holds no certificate in PEM".into())
    } else {
        Ok(RootCerts::new_with_certs(&found))
    }
}

/// Header lines, `Name: value`; errors name the line alone, for it may hold a secret.
pub fn headers(text: Option<&str>) -> Result<Vec<(&str, &str)>, String> {
    let lines = text.unwrap_or_default().lines().enumerate().filter(|(_, l)| !l.trim().is_empty());
    let mut out = Vec::new();
    for (at, line) in lines {
        // The line may hold a secret: the error names its number alone.
        let (name, value) =
            line.split_once(':').ok_or_else(|| format!("line {} of the header file is not `Name: value`", at + 1))?;
        out.push((name.trim(), value.trim()));
    }
    if out.len() > HEADERS { Err(format!("more than {HEADERS} lines in the header file")) } else { Ok(out) }
}

/// What went wrong, without the address: its query may hold a key.
fn said(error: &ureq::Error) -> String {
    match error {
        ureq::Error::StatusCode(code) => format!("the server answers {code}"),
        ureq::Error::Timeout(_) => "no answer in time (fetch.*_seconds in eye.toml)".into(),
        ureq::Error::HostNotFound => "no such host".into(),
        ureq::Error::TooManyRedirects => {
            "it redirects, more often than is followed (fetch.redirects in eye.toml)".into()
        }
        ureq::Error::RequireHttpsOnly(_) => "it redirects to an address without encryption".into(),
        ureq::Error::BadUri(_) => "it points to something that is no address".into(),
        ureq::Error::Io(e) => e.to_string(),
        other => other.to_string(),
    }
}

/// More bytes than allowed are an error, never a silent end.
struct Bounded<R> {
    inner: R,
    left: u64,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buf: &mut [u8]) -> std::io::Result<usize> {
        let got = self.inner.read(buf)?;
        match self.left.checked_sub(got as u64) {
            Some(left) => self.left = left,
            None => return Err(std::io::Error::other("more bytes than one answer may have (fetch.bytes in eye.toml)")),
        }
        Ok(got)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;
    use std::net::TcpListener;

    /// A server on a free port that gives each connection the next answer; the requests it got.
    fn serve(answers: Vec<Vec<u8>>) -> (String, std::thread::JoinHandle<Vec<String>>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let thread = std::thread::spawn(move || {
            let mut asked = Vec::new();
            for answer in answers {
                let (mut stream, _) = listener.accept().unwrap();
                let mut head = Vec::new();
                while !head.ends_with(b"\r\n\r\n") {
                    let mut byte = [0];
                    stream.read_exact(&mut byte).unwrap();
                    head.push(byte[0]);
                }
                asked.push(String::from_utf8(head).unwrap());
                // A client that has heard enough hangs up.
                drop(stream.write_all(&answer));
            }
            asked
        });
        (base, thread)
    }

    fn ok(body: &str) -> Vec<u8> {
        format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}", body.len()).into_bytes()
    }

    fn moved(to: &str) -> Vec<u8> {
        format!("HTTP/1.1 302 Found\r\nLocation: {to}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").into_bytes()
    }

    fn ask(text: &str, headers: Option<&str>, limits: &Fetch) -> Result<String, String> {
        let asked = Address { text, headers, authorities: None };
        let mut fetched = fetch(&asked, limits).map_err(|e| e.to_string())?;
        let mut body = String::new();
        fetched.body.read_to_string(&mut body).map_err(|e| e.to_string())?;
        Ok(body)
    }

    #[test]
    fn an_answer_is_read_and_a_redirect_followed() {
        let (base, server) = serve(vec![moved("/list.txt"), ok("EXERCISE")]);
        assert_eq!(ask(&format!("{base}/feed"), None, &Fetch::default()).unwrap(), "EXERCISE");
        assert!(server.join().unwrap()[1].starts_with("GET /list.txt "));
    }

    #[test]
    fn redirects_without_end_and_answers_without_end_are_refused() {
        let (base, server) = serve(vec![moved("/a"), moved("/b"), moved("/c")]);
        let why = ask(&base, None, &Fetch { redirects: 2, ..Fetch::default() }).unwrap_err();
        assert!(why.contains("redirects"), "{why}");
        server.join().unwrap();
        let mut endless = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n".to_vec();
        endless.extend([b'x'; 5_000]);
        let (base, server) = serve(vec![endless, ok(&"x".repeat(5_000))]);
        for _ in 0..2 {
            let why = ask(&base, None, &Fetch { bytes: 1_000, ..Fetch::default() }).unwrap_err();
            assert!(why.contains("fetch.bytes"), "{why}");
        }
        server.join().unwrap();
    }

    #[test]
    fn an_answer_that_breaks_off_is_an_error_not_a_short_file() {
        let (base, server) = serve(vec![b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nEXERCISE".to_vec()]);
        assert!(ask(&base, None, &Fetch::default()).is_err());
        server.join().unwrap();
    }

    #[test]
    fn what_opens_a_feed_stands_in_no_name_and_no_error_and_follows_no_redirect() {
        let secret = "zwirblefink";
        assert_eq!(name("https://feeds.example:8443/v1/list.txt?key=zwirblefink#f"), "feeds.example/list.txt");
        let limits = Fetch::default();
        for text in [
            format!("https://u:{secret}@feeds.example/"),
            format!("http://127.0.0.1:1/?key={secret}"),
            format!("https://[{secret}/"),
        ] {
            let why = ask(&text, None, &limits).unwrap_err();
            assert!(!why.contains(secret), "{why}");
        }
        let header = format!("Authorization: Bearer {secret}");
        let why = ask("http://feeds.example/", Some(&header), &limits).unwrap_err();
        assert!(why.contains("https") && !why.contains(secret), "{why}");
        let (base, server) = serve(vec![moved("http://127.0.0.1:1/")]);
        let why = ask(&base, Some(&header), &limits).unwrap_err();
        assert!(why.contains("redirects") && !why.contains(secret), "{why}");
        assert!(server.join().unwrap()[0].to_lowercase().contains(&format!("authorization: bearer {secret}")));
        assert!(!ask("https://feeds.example/", Some(secret), &limits).unwrap_err().contains(secret));
    }

    #[test]
    fn an_answer_other_than_a_file_says_its_status() {
        let (base, server) =
            serve(vec![b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".to_vec()]);
        assert!(ask(&base, None, &Fetch::default()).unwrap_err().contains("404"));
        server.join().unwrap();
    }
}
