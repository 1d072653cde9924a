//! `/account`: one's own sessions, password, second factor and settings.
use crate::office::{Office, blocking, refused};
use crate::shown::{columns, moment, with_done};
use askama::Template;
use axum::extract::{RawQuery, State};
use axum::response::{IntoResponse, Response};
use gate::Visitor;
use http::{StatusCode, header};
use jiff::Timestamp;
use people::{Credential, Enrolment, Error, SHORTEST_PASSWORD, check_rules};
use web::parts::Column;
use web::{Chrome, ErrorSummary, Field, Fields, Problem};

/// The longest password that is looked at, characters.
const LONGEST: usize = 1_000;

struct Session {
    id: String,
    agent: String,
    created: Timestamp,
    seen: Timestamp,
    this: bool,
}

#[derive(Template)]
#[template(path = "office_account.html")]
struct AccountPage {
    chrome: Chrome,
    errors: ErrorSummary,
    columns: Vec<Column>,
    sessions: Vec<Session>,
    old: Field,
    new: Field,
    display: Field,
    zone: Field,
    code: Field,
    /// There is a password to change; else a first one is set.
    has_password: bool,
    /// Recovery codes left; `None` = no second factor.
    factor: Option<u32>,
}

#[derive(Template)]
#[template(path = "office_enrol.html")]
struct EnrolPage {
    chrome: Chrome,
    errors: ErrorSummary,
    code: Field,
    enrolment: Option<Enrolment>,
    /// The enrolment's address for a camera.
    qr: Option<web::Qr>,
}

#[derive(Template)]
#[template(path = "office_codes.html")]
struct CodesPage {
    chrome: Chrome,
    codes: Vec<String>,
}

fn code_field(chrome: &Chrome, errors: &ErrorSummary) -> Field {
    let field = Field::input("code", chrome.t("office-code")).error(errors.of("code")).width(20);
    field.attribute("autocomplete", "one-time-code").attribute("spellcheck", "false")
}

/// The page; `sent` and `errors` of a form that came back.
async fn draw(
    office: &Office,
    visitor: Visitor,
    status: StatusCode,
    sent: &Fields,
    errors: ErrorSummary,
) -> Result<Response, Problem> {
    let Visitor { viewer, chrome, .. } = visitor.titled("office-account-title");
    let (people, asks) = (office.people().clone(), viewer.clone());
    let (rows, factor) =
        blocking(move || Ok((people.sessions(&asks, asks.account())?, people.second_factor(&asks, asks.account())?)))
            .await?
            .map_err(|e: Error| refused(&e))?;
    let sessions = rows.into_iter().map(|row| Session {
        id: hex::encode(row.id),
        this: viewer.via() == Credential::Session(row.id),
        // The hall below says "Firefox on Linux" or "another program".
        agent: match row.agent.split_once(" on ") {
            Some((browser, system)) => chrome.t2("office-agent-on", "browser", browser, "system", system),
            None => chrome.l.said("agent", &row.agent),
        },
        created: moment(row.created),
        seen: moment(row.seen),
    });
    let has_password = office.people().has_password(&viewer);
    let kept = |name: &str, now: &str| sent.raw(name).unwrap_or(now).chars().take(LONGEST).collect::<String>();
    let page = AccountPage {
        columns: columns(&chrome, &["office-col-browser", "office-col-begun", "office-col-used", "office-col-do"]),
        sessions: sessions.collect(),
        old: Field::password("old", chrome.t("office-password-old"), "current-password").error(errors.of("old")),
        new: Field::password("new", chrome.t("office-password-new"), "new-password")
            .hint(chrome.t1("office-password-hint", "n", SHORTEST_PASSWORD))
            .error(errors.of("new")),
        display: Field::input("display", chrome.t("office-display"))
            .value(kept("display", viewer.name()))
            .error(errors.of("display"))
            .attribute("autocomplete", "off"),
        zone: Field::input("zone", chrome.t("office-zone"))
            .hint(chrome.t("office-zone-hint"))
            .value(kept("zone", viewer.zone()))
            .error(errors.of("zone"))
            .attribute("spellcheck", "false"),
        code: code_field(&chrome, &errors),
        has_password,
        factor,
        errors,
        chrome,
    };
    Ok(web::page_with(status, &page))
}

/// `GET /account`.
pub(crate) async fn page(
    State(office): State<Office>,
    mut visitor: Visitor,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    visitor.chrome = with_done(visitor.chrome, query.as_deref());
    draw(&office, visitor, StatusCode::OK, &Fields::default(), ErrorSummary::default()).await
}

async fn back(office: &Office, visitor: Visitor, sent: &Fields, field: &str, key: &str) -> Result<Response, Problem> {
    let mut errors = ErrorSummary::default();
    errors.push(field, visitor.chrome.t1(key, "n", SHORTEST_PASSWORD));
    draw(office, visitor, StatusCode::UNPROCESSABLE_ENTITY, sent, errors).await
}

/// `POST /account/password`.
pub(crate) async fn password(
    State(office): State<Office>,
    visitor: Visitor,
    sent: Fields,
) -> Result<Response, Problem> {
    let new = sent.raw("new").unwrap_or_default().to_owned();
    if new.chars().count() > LONGEST || check_rules(&new, visitor.viewer.name()).is_err() {
        return back(&office, visitor, &sent, "new", "office-password-rules").await;
    }
    let (people, viewer) = (office.people().clone(), visitor.viewer.clone());
    let old: String = sent.raw("old").unwrap_or_default().chars().take(LONGEST).collect();
    match blocking(move || people.change_own_password(&viewer, &old, &new)).await? {
        Ok(()) => Ok(web::see_other("/account?done=password")),
        Err(Error::Invalid(_)) => back(&office, visitor, &sent, "old", "office-password-wrong").await,
        Err(error) => Err(refused(&error)),
    }
}

fn wrong_zone(zone: &str) -> bool {
    !zone.is_empty() && jiff::tz::TimeZone::get(zone).is_err()
}

/// `POST /account/settings`.
pub(crate) async fn settings(
    State(office): State<Office>,
    visitor: Visitor,
    sent: Fields,
) -> Result<Response, Problem> {
    let (people, viewer, fields) = (office.people().clone(), visitor.viewer.clone(), sent.clone());
    let locale = visitor.viewer.locale().to_owned();
    let saved = move || people.set_own_settings(&viewer, fields.text("display"), fields.text("zone"), &locale);
    match blocking(saved).await? {
        Ok(()) => Ok(web::see_other("/account?done=settings")),
        Err(Error::Invalid(_)) if wrong_zone(sent.text("zone")) => {
            back(&office, visitor, &sent, "zone", "office-zone-wrong").await
        }
        Err(Error::Invalid(_)) => back(&office, visitor, &sent, "display", "office-display-wrong").await,
        Err(error) => Err(refused(&error)),
    }
}

/// `POST /account/sessions/revoke`.
pub(crate) async fn revoke(State(office): State<Office>, visitor: Visitor, sent: Fields) -> Result<Response, Problem> {
    let id: [u8; 16] =
        hex::decode(sent.text("session")).ok().and_then(|id| id.try_into().ok()).ok_or_else(Problem::not_found)?;
    let own = visitor.viewer.via() == Credential::Session(id);
    let people = office.people().clone();
    blocking(move || people.revoke_session(&visitor.viewer, id)).await?.map_err(|e| refused(&e))?;
    let mut response = web::see_other(if own { "/sign-in" } else { "/account?done=session" });
    if let (true, Some(clear)) = (own, office.gate().no_cookie()) {
        response.headers_mut().append(header::SET_COOKIE, clear);
    }
    Ok(response)
}

/// `POST /account/second-factor`: shows the secret.
pub(crate) async fn enrol(State(office): State<Office>, visitor: Visitor) -> Result<Response, Problem> {
    let Visitor { viewer, chrome, .. } = visitor.titled("office-enrol-title");
    let people = office.people().clone();
    match blocking(move || people.begin_second_factor(&viewer)).await? {
        Ok(enrolment) => {
            let errors = ErrorSummary::default();
            let qr = web::Qr::new(&enrolment.url, chrome.t("office-enrol-qr"));
            let code = code_field(&chrome, &errors);
            Ok(web::page(&EnrolPage { code, enrolment: Some(enrolment), qr, errors, chrome }))
        }
        Err(Error::Invalid(_)) => Err(Problem::conflict().because("office-factor-there").so("office-factor-there-so")),
        Err(error) => Err(refused(&error)),
    }
}

/// `POST /account/second-factor/confirm`: shows the recovery codes, this once.
pub(crate) async fn confirm(State(office): State<Office>, visitor: Visitor, sent: Fields) -> Result<Response, Problem> {
    let Visitor { viewer, chrome, .. } = visitor.titled("office-enrol-title");
    let people = office.people().clone();
    let code: String = sent.text("code").chars().take(LONGEST).collect();
    match blocking(move || people.confirm_second_factor(&viewer, &code)).await? {
        Ok(codes) => {
            let title = chrome.t("office-codes-title");
            Ok(web::page(&CodesPage { chrome: chrome.titled(title), codes }))
        }
        Err(Error::Invalid(_)) => {
            let mut errors = ErrorSummary::default();
            errors.push("code", chrome.t("office-code-wrong"));
            let page = EnrolPage { code: code_field(&chrome, &errors), enrolment: None, qr: None, errors, chrome };
            Ok(web::page_with(StatusCode::UNPROCESSABLE_ENTITY, &page))
        }
        Err(error) => Err(refused(&error)),
    }
}

/// `POST /account/second-factor/remove`.
pub(crate) async fn remove(State(office): State<Office>, visitor: Visitor, sent: Fields) -> Result<Response, Problem> {
    let (people, viewer) = (office.people().clone(), visitor.viewer.clone());
    let code: String = sent.text("code").chars().take(LONGEST).collect();
    match blocking(move || people.remove_second_factor(&viewer, &code)).await? {
        Ok(()) => Ok(web::see_other("/account?done=factor").into_response()),
        Err(Error::Invalid(_)) => back(&office, visitor, &sent, "code", "office-code-wrong").await,
        Err(error) => Err(refused(&error)),
    }
}
