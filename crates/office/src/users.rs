//! `/users`: accounts, for administrators.
use crate::office::{Office, blocking, refused};
use crate::shown::{arrived, columns, moment, with_done};
use askama::Template;
use axum::extract::{Path, RawQuery, State};
use axum::response::Response;
use gate::Visitor;
use http::StatusCode;
use people::entry::Sort;
use people::{Account, Error, Reach, Right, Role, SHORTEST_PASSWORD, check_rules};
use std::sync::Arc;
use web::parts::{Column, Paging, Tag, Tone, Total};
use web::{Chrome, ErrorSummary, Field, Fields, Problem};

/// Accounts on a page.
const PAGE: usize = 200;
/// Collections named on an account's page; of more, how many there are.
const REACHED: usize = 50;
/// The longest name or password that is looked at, characters.
const LONGEST: usize = 1_000;

struct Row {
    number: u32,
    name: String,
    display: String,
    role: String,
    sort: String,
    state: Tag,
}

#[derive(Template)]
#[template(path = "office_users.html")]
struct UsersPage {
    chrome: Chrome,
    errors: ErrorSummary,
    columns: Vec<Column>,
    rows: Vec<Row>,
    paging: Paging,
    /// Those without a second factor alone are shown.
    without_factor: bool,
    name: Field,
    password: Field,
    role: Field,
    once: String,
}

#[derive(Template)]
#[template(path = "office_user.html")]
struct UserPage {
    chrome: Chrome,
    errors: ErrorSummary,
    crumbs: Vec<(String, String)>,
    account: Row,
    action: String,
    /// Whether its role and state may be changed: not the machine's own accounts, not one's own.
    others: bool,
    person: bool,
    disabled: bool,
    factor: Option<u32>,
    sessions: usize,
    tokens: usize,
    last_seen: Option<jiff::Timestamp>,
    reach_columns: Vec<Column>,
    reach: Vec<Reached>,
    /// Collections beyond those.
    reach_more: usize,
    role: Field,
    password: Field,
}

/// What an account may in one collection.
struct Reached {
    title: String,
    href: String,
    may: String,
    how: String,
}

impl Reached {
    fn of(chrome: &Chrome, reach: &Reach, number: u32) -> Self {
        let may = match (reach.reads, reach.writes) {
            (_, true) => "office-may-write",
            (true, false) => "office-may-read",
            (false, false) => "office-may-nothing",
        };
        Self {
            title: reach.collection.title().to_owned(),
            href: format!("/collections/{}?account={number}", reach.collection.id),
            may: chrome.t(may),
            how: chrome.t(if reach.by_name { "office-reach-by-name" } else { "office-reach-by-role" }),
        }
    }
}

/// A role's word on pages.
pub(crate) fn role_word(chrome: &Chrome, role: &str) -> String {
    chrome.t(&format!("office-role-{role}"))
}

impl Row {
    fn of(chrome: &Chrome, account: &Account) -> Self {
        let sort = match account.body.sort {
            Sort::Person => "office-sort-person",
            Sort::Token => "office-sort-token",
            Sort::Machine => "office-sort-machine",
            Sort::Peer => "office-sort-peer",
            Sort::Unknown => "office-sort-unknown",
        };
        let state = if account.body.disabled {
            Tag::new(chrome.t("office-disabled"), Tone::Grey)
        } else {
            Tag::new(chrome.t("office-enabled"), Tone::Green)
        };
        Self {
            number: account.number,
            name: account.body.name.clone(),
            display: account.body.display.clone(),
            role: role_word(chrome, account.body.role.as_str()),
            sort: chrome.t(sort),
            state,
        }
    }
}

/// The choice of a role.
pub(crate) fn role_field(chrome: &Chrome, roles: impl IntoIterator<Item = Role>, now: &str) -> Field {
    let field = Field::radios("role", chrome.t("office-role")).small().value(now);
    roles.into_iter().fold(field, |field, role| {
        let hint = chrome.t(&format!("office-role-{role}-hint"));
        field.choice_with(role.as_str(), role_word(chrome, role.as_str()), hint)
    })
}

/// Roles of people: those that sign in.
fn roles() -> impl Iterator<Item = Role> {
    Role::GIVEN.into_iter().filter(|role| role.may(Right::SignIn))
}

fn password_field(chrome: &Chrome, errors: &ErrorSummary) -> Field {
    let field = Field::password("password", chrome.t("office-password-first"), "new-password");
    field.hint(chrome.t1("office-password-hint", "n", SHORTEST_PASSWORD)).error(errors.of("password"))
}

async fn accounts(office: &Office, visitor: &Visitor) -> Result<Vec<Arc<Account>>, Problem> {
    let (people, viewer) = (office.people().clone(), visitor.viewer.clone());
    blocking(move || people.accounts(&viewer)).await?.map_err(|e| refused(&e))
}

async fn draw(
    office: &Office,
    visitor: Visitor,
    status: StatusCode,
    query: &Fields,
    sent: &Fields,
    errors: ErrorSummary,
) -> Result<Response, Problem> {
    let without_factor = query.text("factor") == "none";
    let all = if without_factor {
        let (people, viewer) = (office.people().clone(), visitor.viewer.clone());
        blocking(move || people.without_second_factor(&viewer)).await?.map_err(|e| refused(&e))?
    } else {
        accounts(office, &visitor).await?
    };
    let kept = if without_factor { "factor=none&" } else { "" };
    let Visitor { chrome, .. } = visitor.titled("office-users-title");
    let after: u32 = query.text("after").parse().unwrap_or(0);
    let rest: Vec<_> = all.iter().filter(|a| a.number > after).collect();
    let rows: Vec<Row> = rest.iter().take(PAGE).map(|a| Row::of(&chrome, a)).collect();
    let last = rows.last().map_or(0, |row| row.number);
    let page = UsersPage {
        columns: columns(
            &chrome,
            &["office-name", "office-display", "office-role", "office-col-sort", "office-col-state"],
        ),
        paging: Paging {
            shown: rows.len() as u64,
            total: Total::Exactly(all.len() as u64),
            next: (rest.len() > PAGE).then(|| format!("/users?{kept}after={last}")),
            previous: (after > 0).then(|| format!("/users?{kept}")),
        },
        rows,
        without_factor,
        name: Field::input("name", chrome.t("office-name"))
            .hint(chrome.t("office-name-hint"))
            .value(sent.text("name").chars().take(LONGEST).collect::<String>())
            .error(errors.of("name"))
            .attribute("autocomplete", "off")
            .attribute("spellcheck", "false"),
        password: password_field(&chrome, &errors),
        role: role_field(&chrome, roles(), sent.text("role")).error(errors.of("role")),
        once: office.once(&chrome.csrf)?,
        errors,
        chrome,
    };
    Ok(web::page_with(status, &page))
}

/// `GET /users`.
pub(crate) async fn list(
    State(office): State<Office>,
    visitor: Visitor,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let (visitor, query) = arrived(visitor, query)?;
    draw(&office, visitor, StatusCode::OK, &query, &Fields::default(), ErrorSummary::default()).await
}

/// `POST /users`.
pub(crate) async fn add(State(office): State<Office>, visitor: Visitor, sent: Fields) -> Result<Response, Problem> {
    let l = visitor.chrome.l.clone();
    let mut check = sent.check(&l);
    let name = check.required("name", "office-name-missing", 120).to_owned();
    let role = roles().find(|role| role.as_str() == sent.text("role"));
    if role.is_none() {
        check.wrong("role", "office-role-missing");
    }
    let password = sent.raw("password").unwrap_or_default().to_owned();
    let mut errors = check.done();
    if password.chars().count() > LONGEST || check_rules(&password, &name).is_err() {
        errors.push("password", l.t1("office-password-rules", "n", SHORTEST_PASSWORD));
    }
    let Some(role) = role.filter(|_| errors.is_empty()) else {
        return draw(&office, visitor, StatusCode::UNPROCESSABLE_ENTITY, &Fields::default(), &sent, errors).await;
    };
    office.spend(&visitor.chrome.csrf, sent.text("once"))?;
    let (people, viewer) = (office.people().clone(), visitor.viewer.clone());
    match blocking(move || people.add_user(&viewer, &name, role, &password)).await? {
        Ok(_) => Ok(web::see_other("/users?done=added")),
        Err(Error::Invalid(_)) => {
            errors.push("name", l.t("office-name-wrong"));
            draw(&office, visitor, StatusCode::UNPROCESSABLE_ENTITY, &Fields::default(), &sent, errors).await
        }
        Err(error) => Err(refused(&error)),
    }
}

async fn draw_one(
    office: &Office,
    visitor: Visitor,
    status: StatusCode,
    number: u32,
    errors: ErrorSummary,
) -> Result<Response, Problem> {
    let all = accounts(office, &visitor).await?;
    let account = all.iter().find(|a| a.number == number).ok_or_else(Problem::not_found)?;
    let Visitor { viewer, chrome, .. } = visitor;
    let (people, asks) = (office.people().clone(), viewer.clone());
    let (sessions, factor, reach, tokens) = blocking(move || {
        let (sessions, factor) = (people.sessions(&asks, number)?, people.second_factor(&asks, number)?);
        let tokens = people.tokens(&asks).iter().filter(|t| t.account == number).count();
        Ok((sessions, factor, people.reach(&asks, number)?, tokens))
    })
    .await?
    .map_err(|e: Error| refused(&e))?;
    let person = account.body.sort == Sort::Person;
    let roles: Vec<Role> = if person { roles().collect() } else { Role::GIVEN.to_vec() };
    let page = UserPage {
        crumbs: vec![(chrome.t("office-users-title"), "/users".into())],
        account: Row::of(&chrome, account),
        action: format!("/users/{number}"),
        others: !matches!(account.body.sort, Sort::Machine | Sort::Unknown) && number != viewer.account(),
        person,
        disabled: account.body.disabled,
        factor,
        sessions: sessions.len(),
        tokens,
        last_seen: sessions.iter().map(|s| s.seen).max().map(moment),
        reach_columns: columns(&chrome, &["office-col-collection", "office-col-may", "office-col-how"]),
        reach: reach.iter().take(REACHED).map(|r| Reached::of(&chrome, r, number)).collect(),
        reach_more: reach.len().saturating_sub(REACHED),
        role: role_field(&chrome, roles, account.body.role.as_str()).error(errors.of("role")),
        password: password_field(&chrome, &errors),
        errors,
        chrome: chrome.titled(account.display()),
    };
    Ok(web::page_with(status, &page))
}

/// `GET /users/{number}`.
pub(crate) async fn one(
    State(office): State<Office>,
    mut visitor: Visitor,
    Path(number): Path<u32>,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    visitor.chrome = with_done(visitor.chrome, query.as_deref());
    draw_one(&office, visitor, StatusCode::OK, number, ErrorSummary::default()).await
}

/// `POST /users/{number}`: the button's word says what is done.
pub(crate) async fn change(
    State(office): State<Office>,
    visitor: Visitor,
    Path(number): Path<u32>,
    sent: Fields,
) -> Result<Response, Problem> {
    // Who takes their own role away may leave the node without an administrator.
    if number == visitor.viewer.account() {
        return Err(Problem::forbidden().because("office-own-account").so("office-own-account-so"));
    }
    let (people, viewer) = (office.people().clone(), visitor.viewer.clone());
    let deed = sent.text("deed").to_owned();
    let (field, key, answer) = match deed.as_str() {
        "role" => {
            let role: Option<Role> = sent.text("role").parse().ok();
            let role = role.ok_or_else(|| Problem::bad_request("office-role-missing"))?;
            ("role", "office-role-wrong", blocking(move || people.set_role(&viewer, number, role)).await?)
        }
        "disabled" | "enabled" => {
            let disabled = deed == "disabled";
            ("role", "office-role-wrong", blocking(move || people.set_disabled(&viewer, number, disabled)).await?)
        }
        "password" => {
            let password: String = sent.raw("password").unwrap_or_default().chars().take(LONGEST).collect();
            let set = blocking(move || people.set_password(&viewer, number, &password));
            ("password", "office-password-rules", set.await?)
        }
        "reset" => ("role", "office-role-wrong", blocking(move || people.reset_second_factor(&viewer, number)).await?),
        _ => return Err(Problem::bad_request("office-deed-unknown")),
    };
    match answer {
        Ok(()) => Ok(web::see_other(&format!("/users/{number}?done={deed}"))),
        Err(Error::Invalid(_)) => {
            let mut errors = ErrorSummary::default();
            errors.push(field, visitor.chrome.t1(key, "n", SHORTEST_PASSWORD));
            draw_one(&office, visitor, StatusCode::UNPROCESSABLE_ENTITY, number, errors).await
        }
        Err(error) => Err(refused(&error)),
    }
}
