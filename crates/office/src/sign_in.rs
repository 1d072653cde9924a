//! Coming in and going out: name and password, links that work once, sign-out.
use crate::office::{Office, blocking, refused};
use crate::shown::moment;
use crate::users::role_word;
use askama::Template;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use gate::{About, Gate, Visitor};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use people::{AuthError, LinkState, SignIn, SignedIn};
use web::{Chrome, ErrorSummary, Field, Fields, Problem};

/// The longest name or password that is looked at, characters.
const LONGEST: usize = 1_000;
/// The longest address to come back to, bytes.
const LONGEST_NEXT: usize = 500;

#[derive(Template)]
#[template(path = "office_sign_in.html")]
struct SignInPage {
    chrome: Chrome,
    errors: ErrorSummary,
    name: Field,
    password: Field,
    code: Field,
    /// The code is asked for openly, for the password was right.
    needs_code: bool,
    next: String,
}

#[derive(Template)]
#[template(path = "office_link.html")]
struct LinkPage {
    chrome: Chrome,
    secret: String,
    /// Whom it signs in.
    name: String,
    role: String,
    until: jiff::Timestamp,
    errors: ErrorSummary,
    /// Asked for of an account with a second factor.
    code: Option<Field>,
}

/// A link that signs nobody in any more: what became of it, and what to do.
#[derive(Template)]
#[template(path = "office_link_spent.html")]
struct SpentPage {
    chrome: Chrome,
    /// Somebody has come in with it, then.
    used: Option<jiff::Timestamp>,
    /// Nobody has, and its time was over then.
    over: Option<jiff::Timestamp>,
}

/// A path on this node, or the overview: nobody is sent elsewhere after signing in.
fn next(sent: &str) -> &str {
    let plain = sent.bytes().all(|b| b.is_ascii_graphic() && b != b'\\');
    let own = sent.starts_with('/') && !sent.starts_with("//") && !sent.starts_with("/sign-");
    if own && plain && sent.len() <= LONGEST_NEXT { sent } else { "/" }
}

fn agent(headers: &HeaderMap) -> String {
    let text = headers.get(header::USER_AGENT).and_then(|v| v.to_str().ok()).unwrap_or_default();
    text.chars().take(LONGEST).collect()
}

/// The frame of a page before anybody is known. Its address may hold a link's secret, so it is not kept.
fn front(office: &Office, parts: &Parts, title: &str) -> Chrome {
    let mut chrome = office.gate().chrome(parts);
    chrome.path = "/".into();
    let title = chrome.t(title);
    chrome.titled(title)
}

/// The field for a code of the second factor.
fn code_field(chrome: &Chrome, errors: &ErrorSummary) -> Field {
    let code = Field::input("code", chrome.t("office-code")).hint(chrome.t("office-code-hint")).width(20);
    code.error(errors.of("code")).attribute("autocomplete", "one-time-code").attribute("spellcheck", "false")
}

fn form(chrome: Chrome, sent: &Fields, errors: ErrorSummary, needs_code: bool) -> SignInPage {
    SignInPage {
        name: Field::input("name", chrome.t("office-name"))
            .value(sent.text("name").chars().take(LONGEST).collect::<String>())
            .error(errors.of("name"))
            .attribute("autocomplete", "username")
            .attribute("spellcheck", "false"),
        password: Field::password("password", chrome.t("office-password"), "current-password")
            .error(errors.of("password")),
        code: code_field(&chrome, &errors),
        needs_code,
        next: next(sent.text("next")).to_owned(),
        errors,
        chrome,
    }
}

/// `GET /sign-in`.
pub(crate) async fn page(State(office): State<Office>, parts: Parts) -> Result<Response, Problem> {
    let query = Fields::parse(parts.uri.query().unwrap_or_default().as_bytes())?;
    let chrome = front(&office, &parts, "office-sign-in-title");
    Ok(web::page(&form(chrome, &query, ErrorSummary::default(), false)))
}

/// `POST /sign-in`.
pub(crate) async fn submit(State(office): State<Office>, parts: Parts, sent: Fields) -> Response {
    let chrome = front(&office, &parts, "office-sign-in-title");
    let mut check = sent.check(&chrome.l);
    check.required("name", "office-name-missing", LONGEST);
    if sent.raw("password").is_none_or(str::is_empty) {
        check.wrong("password", "office-password-missing");
    }
    check.text("code", LONGEST);
    let errors = check.done();
    if !errors.is_empty() {
        let needs_code = !sent.text("code").is_empty();
        return web::page_with(StatusCode::UNPROCESSABLE_ENTITY, &form(chrome, &sent, errors, needs_code));
    }
    let (people, fields, peer, agent) =
        (office.people().clone(), sent.clone(), Gate::peer(&parts), agent(&parts.headers));
    let answer = blocking(move || {
        let code = Some(fields.text("code")).filter(|code| !code.is_empty());
        let password = fields.raw("password").unwrap_or_default();
        people.sign_in(&SignIn { name: fields.text("name"), password, code, peer, agent: &agent })
    });
    match answer.await {
        Ok(Ok(signed_in)) => welcome(&office, &parts, &signed_in, next(sent.text("next"))),
        Ok(Err(AuthError::People(error))) => not_let_in(&AuthError::People(error)),
        Ok(Err(error)) => again(chrome, &sent, &error),
        Err(problem) => problem.into_response(),
    }
}

/// The form once more, with what to do about it. Wrong name, wrong password and wrong code read alike.
fn again(chrome: Chrome, sent: &Fields, error: &AuthError) -> Response {
    let mut errors = ErrorSummary::default();
    match error {
        AuthError::NeedsCode => errors.push("code", chrome.t("office-code-needed")),
        AuthError::Throttled { retry_after } => {
            errors.push("name", chrome.t1("office-throttled", "seconds", *retry_after));
        }
        _ => errors.push("name", chrome.t("office-refused")),
    }
    let needs_code = matches!(error, AuthError::NeedsCode) || !sent.text("code").is_empty();
    let status = StatusCode::from_u16(error.status()).unwrap_or(StatusCode::UNAUTHORIZED);
    let mut response = web::page_with(status, &form(chrome, sent, errors, needs_code));
    if let Some(seconds) = error.retry_after() {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

/// The hall's refusal, other than of what was typed.
fn not_let_in(error: &AuthError) -> Response {
    let mut response = match error {
        AuthError::People(error) => refused(error),
        other => Problem::of(StatusCode::from_u16(other.status()).unwrap_or(StatusCode::UNAUTHORIZED)),
    }
    .into_response();
    if let Some(seconds) = error.retry_after() {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

/// What the row of a request of nobody's says. The gate gives every request its own.
fn about(parts: &Parts) -> About {
    parts.extensions.get::<About>().cloned().unwrap_or_default()
}

fn welcome(office: &Office, parts: &Parts, signed_in: &SignedIn, to: &str) -> Response {
    about(parts).came_in(&signed_in.viewer);
    let mut response = web::see_other(to);
    match office.gate().cookie(&signed_in.cookie, signed_in.max_age) {
        Some(cookie) => {
            response.headers_mut().append(header::SET_COOKIE, cookie);
            response
        }
        None => Problem::internal().into_response(),
    }
}

/// What a link is now. Its row of the access log says which one it is and who issued it, never its secret.
async fn look_at_link(office: &Office, secret: &str, parts: &Parts) -> Result<LinkState, Response> {
    let (people, asked) = (office.people().clone(), secret.to_owned());
    let found = blocking(move || Ok((people.link_state(&asked)?, people.issued_link(&asked)?))).await;
    let (state, issued) =
        found.map_err(IntoResponse::into_response)?.map_err(|e: people::Error| refused(&e).into_response())?;
    about(parts).named(issued.iter().flat_map(people::IssuedLink::ids));
    Ok(state)
}

/// The button of a link that stands, or what became of it.
fn link_answer(
    office: &Office,
    secret: String,
    parts: &Parts,
    state: LinkState,
    error: Option<&AuthError>,
) -> Response {
    let LinkState::Stands { name, role, until, needs_code } = state else { return spent(office, parts, &state) };
    let chrome = front(office, parts, "office-link-title");
    let mut errors = ErrorSummary::default();
    match error {
        None => {}
        Some(AuthError::NeedsCode) => errors.push("code", chrome.t("office-link-code-needed")),
        Some(_) => errors.push("code", chrome.t("office-code-wrong")),
    }
    let status = error.and_then(|e| StatusCode::from_u16(e.status()).ok()).unwrap_or(StatusCode::OK);
    let role = role_word(&chrome, role.as_str());
    let code = needs_code.then(|| code_field(&chrome, &errors));
    web::page_with(status, &LinkPage { chrome, secret, name, role, until: moment(until), errors, code })
}

/// `GET /sign-in/link/{secret}`: a button, for programs that look at links before people do must not use them up.
pub(crate) async fn link_page(State(office): State<Office>, Path(secret): Path<String>, parts: Parts) -> Response {
    let fits = secret.len() <= LONGEST_NEXT && secret.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b));
    if !fits {
        return Problem::not_found().into_response();
    }
    match look_at_link(&office, &secret, &parts).await {
        Ok(state) => link_answer(&office, secret, &parts, state, None),
        Err(response) => response,
    }
}

fn spent(office: &Office, parts: &Parts, state: &LinkState) -> Response {
    let chrome = front(office, parts, "office-link-spent-title");
    let (used, over) = match state {
        LinkState::Used { at } => (Some(moment(*at)), None),
        LinkState::Over { at } => (None, Some(moment(*at))),
        LinkState::Stands { .. } | LinkState::Unknown => (None, None),
    };
    web::page_with(StatusCode::GONE, &SpentPage { chrome, used, over })
}

/// `POST /sign-in/link/{secret}`.
pub(crate) async fn link_submit(
    State(office): State<Office>,
    Path(secret): Path<String>,
    parts: Parts,
    sent: Fields,
) -> Response {
    if let Err(response) = look_at_link(&office, &secret, &parts).await {
        return response;
    }
    let (people, peer, agent) = (office.people().clone(), Gate::peer(&parts), agent(&parts.headers));
    let (code, tried) = (sent.text("code").chars().take(LONGEST).collect::<String>(), secret.clone());
    let came = blocking(move || {
        let code = Some(code.as_str()).filter(|code| !code.is_empty());
        people.sign_in_with_link(&tried, code, peer, &agent)
    });
    match came.await {
        Ok(Ok(signed_in)) => welcome(&office, &parts, &signed_in, "/"),
        // Somebody may have used it up a moment ago: it is looked at once more.
        Ok(Err(error @ (AuthError::Refused | AuthError::NeedsCode))) => {
            match look_at_link(&office, &secret, &parts).await {
                Ok(state) => link_answer(&office, secret, &parts, state, Some(&error)),
                Err(response) => response,
            }
        }
        Ok(Err(error)) => not_let_in(&error),
        Err(problem) => problem.into_response(),
    }
}

/// `POST /sign-out`.
pub(crate) async fn out(State(office): State<Office>, visitor: Visitor) -> Result<Response, Problem> {
    let viewer = visitor.viewer;
    let people = office.people().clone();
    blocking(move || people.sign_out(&viewer)).await?.map_err(|e| refused(&e))?;
    let mut response = web::see_other("/sign-in");
    if let Some(clear) = office.gate().no_cookie() {
        response.headers_mut().append(header::SET_COOKIE, clear);
    }
    Ok(response)
}

#[cfg(test)]
mod tests {
    use super::next;

    #[test]
    fn after_sign_in_nobody_is_sent_to_another_site() {
        assert_eq!(next("/objects/note--1"), "/objects/note--1");
        for bad in [
            "",
            "//evil.example",
            "https://evil.example",
            "/\\evil.example",
            "/a\r\nb",
            "/\t/evil.example",
            "/sign-out",
        ] {
            assert_eq!(next(bad), "/", "{bad:?}");
        }
    }
}
