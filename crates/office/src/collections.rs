//! `/collections`: who reads and writes each collection, how that is granted and taken back, and how one is made, renamed,
//! closed and opened again.
mod made;

use crate::office::{Office, blocking, refused};
use crate::shown::{arrived, columns};
use crate::users::role_word;
use askama::Template;
use axum::extract::{Path, RawQuery, State};
use axum::response::Response;
use gate::Visitor;
use http::StatusCode;
use ledger::CollectionId;
use people::entry::{Member, Purpose, Sort};
use people::{Collection, Error, People, Right, Role, Viewer, Whom};
use std::sync::Arc;
use web::parts::{Column, Paging, Tag, Tone, Total};
use web::{Chrome, ErrorSummary, Field, Fields, Problem};

/// Collections on a page, and members.
const PAGE: usize = 200;
/// Members named in a row of the list; of more, how many there are.
const NAMED: usize = 5;
/// The longest name that is looked at, characters.
const LONGEST: usize = 1_000;

/// Somebody in an audience.
struct MemberRow {
    who: String,
    /// The name is a person's or program's, not a word of ours.
    is_name: bool,
    may: String,
    /// `role=…` or `account=…` for the form that takes it back; empty where it stays.
    key: Option<(&'static str, String)>,
}

struct Row {
    id: String,
    title: String,
    purpose: String,
    highest: String,
    members: Vec<MemberRow>,
    more: usize,
    closed: bool,
}

#[derive(Template)]
#[template(path = "office_collections.html")]
struct CollectionsPage {
    chrome: Chrome,
    columns: Vec<Column>,
    rows: Vec<Row>,
    paging: Paging,
    grants: bool,
    errors: ErrorSummary,
    fields: Vec<Field>,
    once: String,
}

#[derive(Template)]
#[template(path = "office_collection.html")]
struct CollectionPage {
    chrome: Chrome,
    errors: ErrorSummary,
    crumbs: Vec<(String, String)>,
    collection: Row,
    description: String,
    state: Tag,
    columns: Vec<Column>,
    paging: Paging,
    action: String,
    /// Whether the viewer may grant here.
    grants: bool,
    name: Field,
    role: Field,
    may: Field,
    /// Whether it can be renamed: the node's first ones and the EXERCISE world cannot.
    own: bool,
    /// Whether the viewer may close and open it.
    closes: bool,
    closed: bool,
    renames: Vec<Field>,
}

/// A role of an audience, and whether those above it on the ladder count.
fn role_told(chrome: &Chrome, role: Role) -> String {
    let above = Role::ALL.into_iter().any(|other| other != role && other.reaches(role));
    let key = if above { "office-member-role-above" } else { "office-member-role" };
    chrome.t1(key, "role", role_word(chrome, role.as_str()))
}

fn member(chrome: &Chrome, people: &People, member: &Member) -> people::Result<MemberRow> {
    let may = chrome.t(if member.write { "office-may-write" } else { "office-may-read" });
    let may = if member.conditions.is_empty() { may } else { chrome.t("office-may-unknown") };
    Ok(match (member.role, member.account, &member.peer) {
        (Some(role), ..) => {
            let who = role_told(chrome, role);
            MemberRow { who, is_name: false, may, key: Some(("role", role.as_str().to_owned())) }
        }
        (None, Some(number), _) => {
            let account = people.name_of(number)?.unwrap_or_else(|| number.to_string());
            let machine = [people::entry::LOCAL, people::entry::IMPORTER].contains(&number);
            let key = (!machine).then(|| ("account", number.to_string()));
            MemberRow { who: account, is_name: true, may, key }
        }
        (None, None, Some(node)) => MemberRow { who: node.clone(), is_name: true, may, key: None },
        _ => MemberRow { who: String::new(), is_name: false, may, key: None },
    })
}

impl Row {
    fn of(chrome: &Chrome, people: &People, collection: &Collection, from: usize, most: usize) -> people::Result<Self> {
        let audience = &collection.audience;
        let purpose = match audience.sort {
            Purpose::House => "office-purpose-house",
            Purpose::Intake => "office-purpose-intake",
            Purpose::Restricted => "office-purpose-restricted",
            Purpose::Shared => "office-purpose-shared",
            Purpose::Case => "office-purpose-case",
            Purpose::Notes => "office-purpose-notes",
            Purpose::Unknown => "office-purpose-unknown",
        };
        let shown = audience.members.iter().skip(from).take(most).map(|m| member(chrome, people, m));
        let members: Vec<_> = shown.collect::<people::Result<_>>()?;
        Ok(Self {
            id: collection.id.to_string(),
            title: collection.title().to_owned(),
            purpose: chrome.t(purpose),
            highest: audience.highest.as_str().to_owned(),
            more: audience.members.len().saturating_sub(from + members.len()),
            members,
            closed: audience.closed,
        })
    }
}

/// Where the next part of a list begins, and where the one before it.
fn paging(path: &str, from: usize, shown: usize, all: usize) -> Paging {
    Paging {
        shown: shown as u64,
        total: Total::Exactly(all as u64),
        next: (from + shown < all).then(|| format!("{path}?from={}", from + shown)),
        previous: (from > 0).then(|| path.to_owned()),
    }
}

/// `GET /collections`.
pub(crate) async fn list(
    State(office): State<Office>,
    visitor: Visitor,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let query = Fields::parse(query.unwrap_or_default().as_bytes())?;
    draw_list(&office, visitor, &query, &Fields::default(), ErrorSummary::default()).await
}

async fn draw_list(
    office: &Office,
    visitor: Visitor,
    query: &Fields,
    sent: &Fields,
    errors: ErrorSummary,
) -> Result<Response, Problem> {
    let from: usize = query.text("from").parse().unwrap_or(0);
    let Visitor { viewer, chrome, .. } = visitor.titled("office-collections-title");
    let (people, words) = (office.people().clone(), chrome.clone());
    let grants = viewer.may(Right::Grant);
    let (all, rows) = blocking(move || {
        let all = people.known_collections(&viewer)?;
        let rows = all.iter().skip(from).take(PAGE).map(|c| Row::of(&words, &people, c, 0, NAMED));
        let rows: Vec<_> = rows.collect::<people::Result<_>>()?;
        Ok((all.len(), rows))
    })
    .await?
    .map_err(|e: Error| refused(&e))?;
    let keys = ["office-col-collection", "office-col-purpose", "office-col-highest", "office-col-members"];
    let status = if errors.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let page = CollectionsPage {
        columns: columns(&chrome, &keys),
        paging: paging("/collections", from, rows.len(), all),
        rows,
        grants,
        fields: made::fields(&chrome, sent, &errors),
        once: office.once(&chrome.csrf)?,
        errors,
        chrome,
    };
    Ok(web::page_with(status, &page))
}

/// `POST /collections`: makes one.
pub(crate) async fn make(State(office): State<Office>, visitor: Visitor, sent: Fields) -> Result<Response, Problem> {
    let asked = match made::asked(&visitor.chrome.l, &sent) {
        Ok(asked) => asked,
        Err(errors) => return draw_list(&office, visitor, &Fields::default(), &sent, errors).await,
    };
    office.spend(&visitor.chrome.csrf, sent.text("once"))?;
    let (people, viewer) = (office.people().clone(), visitor.viewer.clone());
    match blocking(move || people.make_collection(&viewer, &asked.collection())).await? {
        Ok(collection) => {
            visitor.about.objects([format!("collection--{}", collection.id)]);
            Ok(web::see_other(&format!("/collections/{}?done=made", collection.id)))
        }
        Err(error @ (Error::Taken | Error::Invalid(_))) => {
            let taken = matches!(error, Error::Taken);
            let key = if taken { "office-collection-taken" } else { "office-collection-title-wrong" };
            let mut errors = ErrorSummary::default();
            errors.push("title", visitor.chrome.t(key));
            draw_list(&office, visitor, &Fields::default(), &sent, errors).await
        }
        Err(error) => Err(refused(&error)),
    }
}

/// The collection, if the viewer may know who is in its audience.
fn known(people: &People, viewer: &Viewer, id: CollectionId) -> people::Result<Arc<Collection>> {
    let known = people.known_collections(viewer)?.into_iter().find(|c| c.id == id);
    known.ok_or(Error::NoCollection)
}

async fn draw(
    office: &Office,
    visitor: Visitor,
    id: CollectionId,
    query: &Fields,
    sent: &Fields,
    errors: ErrorSummary,
) -> Result<Response, Problem> {
    let Visitor { viewer, chrome, .. } = visitor;
    let from: usize = query.text("from").parse().unwrap_or(0);
    let (people, words) = (office.people().clone(), chrome.clone());
    // Whose page led here: their name is filled in, by their number, for names stay out of addresses.
    let account: Option<u32> = query.text("account").parse().ok();
    let (collection, row, (grants, closes), name) = blocking(move || {
        let collection = known(&people, &viewer, id)?;
        let row = Row::of(&words, &people, &collection, from, PAGE)?;
        let grants = collection.may_be_granted_by(&viewer);
        let closes = collection.may_be_closed_by(&viewer);
        // Whoever grants here reads this audience's names. Others' names are told to those who see every account: else all
        // could be read off, number by number.
        let in_audience = |number: &u32| collection.audience.members.iter().any(|m| m.account == Some(*number));
        let may_know = |number: &u32| viewer.may(Right::ManageAccounts) || in_audience(number);
        let name = match account.filter(|_| grants).filter(may_know) {
            Some(number) => people.name_of(number)?,
            None => None,
        };
        Ok((collection, row, (grants, closes), name))
    })
    .await?
    .map_err(|e: Error| refused(&e))?;
    let audience = &collection.audience;
    let state = if audience.closed {
        Tag::new(chrome.t("office-closed"), Tone::Grey)
    } else {
        Tag::new(chrome.t("office-open"), Tone::Green)
    };
    let typed = if errors.is_empty() { name.unwrap_or_default() } else { sent.text("name").to_owned() };
    let roles = Role::GIVEN.into_iter().filter(|role| role.may(Right::ReadBodies) && *role != Role::Peer);
    let role = roles.fold(
        Field::select("role", chrome.t("office-grant-role")).choice("", chrome.t("office-grant-no-role")),
        |field, role| field.choice(role.as_str(), role_told(&chrome, role)),
    );
    let action = format!("/collections/{id}");
    let may = Field::radios("may", chrome.t("office-grant-may")).small();
    let may = may.choice("read", chrome.t("office-may-read")).choice("write", chrome.t("office-may-write"));
    let status = if errors.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let page = CollectionPage {
        crumbs: vec![(chrome.t("office-collections-title"), "/collections".into())],
        columns: columns(&chrome, &["office-col-who", "office-col-may", "office-col-do"]),
        paging: paging(&action, from, row.members.len(), audience.members.len()),
        collection: row,
        description: audience.description.clone(),
        state,
        action,
        grants,
        name: Field::input("name", chrome.t("office-grant-name"))
            .hint(chrome.t("office-grant-name-hint"))
            .value(typed.chars().take(LONGEST).collect::<String>())
            .error(errors.of("name"))
            .attribute("autocomplete", "off")
            .attribute("spellcheck", "false"),
        role: role.value(sent.text("role")).error(errors.of("role")),
        own: audience.sort == Purpose::Shared && !collection.is_exercise_world(),
        closes,
        closed: audience.closed,
        renames: made::names(&chrome, &made::Named::of(audience, sent, &errors), &errors),
        may: may.value(if sent.text("may") == "write" { "write" } else { "read" }).error(errors.of("may")),
        errors,
        chrome: chrome.titled(collection.title()),
    };
    Ok(web::page_with(status, &page))
}

/// `GET /collections/{collection}`.
pub(crate) async fn one(
    State(office): State<Office>,
    visitor: Visitor,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let id: CollectionId = id.parse().map_err(|_| Problem::not_found())?;
    let (visitor, query) = arrived(visitor, query)?;
    draw(&office, visitor, id, &query, &Fields::default(), ErrorSummary::default()).await
}

/// Whom a form means: an account by its name, or a role; or what is wrong with it.
fn whom(people: &People, viewer: &Viewer, sent: &Fields) -> Result<people::Result<Whom>, (&'static str, &'static str)> {
    let role: Option<Role> = sent.text("role").parse().ok();
    match (sent.text("name"), role) {
        ("", None) => Err(("name", "office-grant-nobody")),
        ("", Some(role)) => Ok(Ok(Whom::Role(role))),
        (_, Some(_)) => Err(("role", "office-grant-both")),
        (name, None) => match people.account_named(viewer, name) {
            Ok(account) if account.body.sort == Sort::Machine => Err(("name", "office-grant-machine")),
            Ok(account) => Ok(Ok(Whom::Account(account.number))),
            Err(Error::NoAccount) => Err(("name", "office-access-who-wrong")),
            Err(e) => Ok(Err(e)),
        },
    }
}

/// `POST /collections/{collection}`: the button's word says what is done.
pub(crate) async fn change(
    State(office): State<Office>,
    visitor: Visitor,
    Path(id): Path<String>,
    sent: Fields,
) -> Result<Response, Problem> {
    let id: CollectionId = id.parse().map_err(|_| Problem::not_found())?;
    let (people, viewer, fields) = (office.people().clone(), visitor.viewer.clone(), sent.clone());
    visitor.about.objects([format!("collection--{id}")]);
    let done = match sent.text("deed") {
        "grant" => {
            let write = match sent.text("may") {
                "read" => false,
                "write" => true,
                _ => return Err(Problem::bad_request("office-deed-unknown")),
            };
            let granted = blocking(move || {
                whom(&people, &viewer, &fields)
                    .map(|whom| whom.and_then(|whom| people.grant(&viewer, id, whom, write).map(|_| "granted")))
            });
            match granted.await? {
                Ok(Err(Error::Invalid(_))) => {
                    Err((if sent.text("name").is_empty() { "role" } else { "name" }, "office-grant-wrong"))
                }
                Ok(done) => Ok(done),
                Err(wrong) => Err(wrong),
            }
        }
        "take" => {
            let whom = match (sent.text("role").parse(), sent.text("account").parse()) {
                (Ok(role), _) => Whom::Role(role),
                (_, Ok(number)) => Whom::Account(number),
                _ => return Err(Problem::bad_request("office-deed-unknown")),
            };
            match blocking(move || people.take_back(&viewer, id, whom).map(|_| "taken")).await? {
                // Somebody else was faster, or it was never granted: nothing was changed, and that is what is said.
                Err(Error::NoGrant) => Ok(Ok("nothing-taken")),
                Err(Error::Invalid(_)) => Err(("name", "office-grant-machine")),
                done => Ok(done),
            }
        }
        "rename" => {
            let named = match made::Named::checked(&visitor.chrome.l, &sent) {
                Ok(named) => named,
                Err(errors) => return draw(&office, visitor, id, &Fields::default(), &sent, errors).await,
            };
            let (title, text) = (named.title, named.description);
            let renamed = blocking(move || people.rename_collection(&viewer, id, &title, Some(&text)));
            match renamed.await?.map(|_| "renamed") {
                Err(Error::Taken) => Err(("title", "office-collection-taken")),
                Err(Error::Invalid(_)) => Err(("title", "office-collection-title-wrong")),
                done => Ok(done),
            }
        }
        deed @ ("close" | "open") => {
            let close = deed == "close";
            let done = if close { "closed" } else { "opened" };
            Ok(blocking(move || people.close_collection(&viewer, id, close)).await?.map(|_| done))
        }
        _ => return Err(Problem::bad_request("office-deed-unknown")),
    };
    match done {
        Ok(Ok(word)) => Ok(web::see_other(&format!("/collections/{id}?done={word}"))),
        Ok(Err(error)) => Err(refused(&error)),
        Err((field, key)) => {
            let mut errors = ErrorSummary::default();
            errors.push(field, visitor.chrome.t(key));
            draw(&office, visitor, id, &Fields::default(), &sent, errors).await
        }
    }
}
