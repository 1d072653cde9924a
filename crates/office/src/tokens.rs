//! `/tokens`: what programs come in with. A secret is shown once, in the answer to the form that made it.
use crate::desk::ends_soon;
use crate::office::{Office, blocking, refused};
use crate::shown::{arrived, columns, moment, names};
use crate::users::{role_field, role_word};
use askama::Template;
use axum::extract::{RawQuery, State};
use axum::response::Response;
use gate::Visitor;
use http::StatusCode;
use jiff::Timestamp;
use people::{Error, NewToken, Role};
use web::parts::{Column, Paging, Total};
use web::{Chrome, ErrorSummary, Field, Fields, Problem};

/// Tokens on a page.
const PAGE: usize = 200;
/// The longest a token is given for, days: ten years.
const LONGEST_DAYS: i64 = 3_650;

struct Row {
    number: u64,
    account: String,
    /// Its page, for those who manage accounts.
    href: Option<String>,
    role: String,
    created: Timestamp,
    by: String,
    expires: Option<Timestamp>,
}

#[derive(Template)]
#[template(path = "office_tokens.html")]
struct TokensPage {
    chrome: Chrome,
    errors: ErrorSummary,
    columns: Vec<Column>,
    rows: Vec<Row>,
    paging: Paging,
    /// Those that end soon alone are shown.
    soon: bool,
    manages: bool,
    name: Field,
    role: Field,
    days: Field,
    once: String,
}

#[derive(Template)]
#[template(path = "office_secret.html")]
struct SecretPage {
    chrome: Chrome,
    secret: String,
    /// Where its collections are granted, when its role alone lets it see nothing.
    granted: Option<String>,
}

async fn draw(
    office: &Office,
    visitor: Visitor,
    status: StatusCode,
    query: &Fields,
    sent: &Fields,
    errors: ErrorSummary,
) -> Result<Response, Problem> {
    let Visitor { viewer, chrome, .. } = visitor.titled("office-tokens-title");
    let (people, asks) = (office.people().clone(), viewer.clone());
    let after: u64 = query.text("after").parse().unwrap_or(0);
    let (soon, now) = (query.text("ends") == "soon", office.ledger().now());
    let kept = if soon { "ends=soon&" } else { "" };
    let manages = viewer.may_manage_accounts();
    let (all, rest, tokens, names, accounts) = blocking(move || {
        let mut all = people.tokens(&asks);
        all.retain(|t| !soon || ends_soon(t.expires, now));
        let rest: Vec<_> = all.iter().filter(|t| t.number > after).cloned().collect();
        let shown: Vec<_> = rest.iter().take(PAGE).cloned().collect();
        let names = names(&people, shown.iter().flat_map(|t| [t.account, t.made_by]))?;
        let accounts = if manages { people.accounts(&asks)? } else { Vec::new() };
        Ok((all.len(), rest.len(), shown, names, accounts))
    })
    .await?
    .map_err(|e: Error| refused(&e))?;
    let name_of = |account: u32| names.get(&account).cloned().unwrap_or_default();
    // By number, as they come.
    let role_of = |account: u32| {
        let found = accounts.binary_search_by_key(&account, |a| a.number).ok().and_then(|at| accounts.get(at));
        role_word(&chrome, found.map_or(viewer.role(), |a| a.body.role).as_str())
    };
    let last = tokens.last().map_or(0, |t| t.number);
    let rows: Vec<Row> = tokens
        .into_iter()
        .map(|t| Row {
            number: t.number,
            account: name_of(t.account),
            href: manages.then(|| format!("/users/{}", t.account)),
            role: role_of(t.account),
            created: moment(t.created),
            by: name_of(t.made_by),
            expires: t.expires.map(moment),
        })
        .collect();
    let days = sent.raw("days").map_or_else(|| "90".to_owned(), |d| d.chars().take(10).collect());
    let page = TokensPage {
        columns: columns(
            &chrome,
            &[
                "office-col-account",
                "office-role",
                "office-col-made",
                "office-col-by",
                "office-col-ends",
                "office-col-do",
            ],
        ),
        paging: Paging {
            shown: rows.len() as u64,
            total: Total::Exactly(all as u64),
            next: (rest > PAGE).then(|| format!("/tokens?{kept}after={last}")),
            previous: (after > 0).then(|| format!("/tokens?{kept}")),
        },
        rows,
        soon,
        manages,
        name: Field::input("name", chrome.t("office-token-name"))
            .hint(chrome.t("office-token-name-hint"))
            .value(sent.text("name").chars().take(200).collect::<String>())
            .error(errors.of("name"))
            .attribute("autocomplete", "off"),
        role: role_field(&chrome, Role::GIVEN, sent.text("role")).error(errors.of("role")),
        days: Field::input("days", chrome.t("office-token-days"))
            .hint(chrome.t("office-token-days-hint"))
            .value(days)
            .error(errors.of("days"))
            .width(5)
            .attribute("inputmode", "numeric"),
        once: office.once(&chrome.csrf)?,
        errors,
        chrome,
    };
    Ok(web::page_with(status, &page))
}

/// `GET /tokens`.
pub(crate) async fn list(
    State(office): State<Office>,
    visitor: Visitor,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let (visitor, query) = arrived(visitor, query)?;
    draw(&office, visitor, StatusCode::OK, &query, &Fields::default(), ErrorSummary::default()).await
}

/// `POST /tokens`: administrators make one for a program; everybody one that acts as themselves.
pub(crate) async fn create(State(office): State<Office>, visitor: Visitor, sent: Fields) -> Result<Response, Problem> {
    let l = visitor.chrome.l.clone();
    let manages = visitor.viewer.may_manage_accounts();
    let mut check = sent.check(&l);
    let name = check.text("name", 120).to_owned();
    let days = check.number("days", 1..=LONGEST_DAYS).and_then(|d| u32::try_from(d).ok());
    let role: Option<Role> = sent.text("role").parse().ok();
    if manages && role.is_none() {
        check.wrong("role", "office-role-missing");
    }
    let mut errors = check.done();
    if !errors.is_empty() {
        return draw(&office, visitor, StatusCode::UNPROCESSABLE_ENTITY, &Fields::default(), &sent, errors).await;
    }
    office.spend(&visitor.chrome.csrf, sent.text("once"))?;
    let (people, viewer) = (office.people().clone(), visitor.viewer.clone());
    let made = blocking(move || match role.filter(|_| manages) {
        Some(role) => people.create_token(&viewer, &NewToken { name: &name, role, days }),
        None => people.add_token(&viewer, viewer.account(), days),
    });
    match made.await? {
        Ok(secret) => {
            let chrome = visitor.titled("office-secret-title").chrome;
            // Nothing is a peer's by its role.
            let granted = role.filter(|role| manages && *role == Role::Peer).map(|_| "/collections".to_owned());
            Ok(web::page(&SecretPage { chrome, secret, granted }))
        }
        Err(Error::Invalid(_)) => {
            errors.push(if manages { "name" } else { "days" }, l.t("office-token-wrong"));
            draw(&office, visitor, StatusCode::UNPROCESSABLE_ENTITY, &Fields::default(), &sent, errors).await
        }
        Err(error) => Err(refused(&error)),
    }
}

/// `POST /tokens/revoke`.
pub(crate) async fn revoke(State(office): State<Office>, visitor: Visitor, sent: Fields) -> Result<Response, Problem> {
    let number: u64 = sent.text("token").parse().map_err(|_| Problem::not_found())?;
    let (people, viewer) = (office.people().clone(), visitor.viewer.clone());
    blocking(move || people.revoke_token(&viewer, number)).await?.map_err(|e| refused(&e))?;
    Ok(web::see_other("/tokens?done=revoked"))
}
