//! Every part of the hall on a few pages, filled with invented EXERCISE data.
//! `cargo run -p web --example gallery -- 8099`, then open the printed address; `tests/pages` looks at them.

use askama::Template;
use axum::{Router, extract::State, http::request::Parts, response::Response, routing::get};
use jiff::Timestamp;
use web::{
    Catalogue, Chrome, Csrf, Fields, Flash, Hall, NavItem, Problem, UserChip,
    chrome::FlashKind,
    form::Field,
    graph::{Edge, Figure, Node},
    parts::{Column, Event, FilterGroup, Filters, Paging, Readers, Tab, Tag, Tlp, Tone, Total},
};

struct Row {
    what: &'static str,
    kind: &'static str,
    source: &'static str,
    marking: Tlp,
    links: u64,
    at: Timestamp,
    tag: Tag,
}

#[derive(Template)]
#[template(path = "overview.html")]
struct Overview {
    chrome: Chrome,
    columns: Vec<Column>,
    rows: Vec<Row>,
    paging: Paging,
    events: Vec<Event>,
}

#[derive(Template)]
#[template(path = "search.html")]
struct Search {
    chrome: Chrome,
    filters: Filters,
    columns: Vec<Column>,
    rows: Vec<Row>,
    paging: Paging,
}

#[derive(Template)]
#[template(path = "object.html")]
struct Object {
    chrome: Chrome,
    crumbs: Vec<(String, String)>,
    tabs: Vec<Tab>,
    marking: Tlp,
    state: Tag,
    at: Timestamp,
    columns: Vec<Column>,
    rows: Vec<Row>,
    figure: Figure,
    readers: Readers,
    events: Vec<Event>,
}

#[derive(Template)]
#[template(path = "report.html")]
struct Report {
    chrome: Chrome,
    errors: web::ErrorSummary,
    fields: Vec<Field>,
    readers: Readers,
}

#[derive(Template)]
#[template(path = "sign_in.html")]
struct SignIn {
    chrome: Chrome,
    fields: Vec<Field>,
}

fn moment(minutes: i64) -> Timestamp {
    Timestamp::UNIX_EPOCH + jiff::SignedDuration::from_mins(29_000_000 + minutes)
}

fn rows() -> Vec<Row> {
    let row = |what, kind, source, marking, links, minutes, text: &str, tone| Row {
        what,
        kind,
        source,
        marking,
        links,
        at: moment(minutes),
        tag: Tag::new(text, tone),
    };
    vec![
        row(
            "bc1qexercise0000000000000000000000000000xwlh",
            "wallet",
            "EXERCISE Agency North",
            Tlp::Amber,
            4,
            0,
            "checksum right",
            Tone::Green,
        ),
        row("+1 555 0100", "phone", "EXERCISE hotline note", Tlp::Green, 12, -4, "re-assigned", Tone::Amber),
        row("jobs-abroad.example", "domain", "EXERCISE feed", Tlp::Clear, 1, -13, "listed", Tone::Red),
        row("ลูกค้าสัมพันธ์ รายได้ดี ที่พักฟรี", "lure", "EXERCISE Agency South", Tlp::Amber, 0, -31, "advert", Tone::Purple),
        row("招聘客服 包吃住 高薪", "lure", "EXERCISE Agency South", Tlp::AmberStrict, 3, -44, "advert", Tone::Purple),
        row("@exercise_recruiter", "handle", "EXERCISE consulate", Tlp::Red, 2, -80, "seen before", Tone::Blue),
        row(
            "XX00 EXER 0000 0000 0000 00",
            "iban",
            "EXERCISE bank desk",
            Tlp::Amber,
            0,
            -121,
            "checksum wrong",
            Tone::Grey,
        ),
    ]
}

fn events() -> Vec<Event> {
    let event = |title: &str, by: &str, minutes, text: &str, link: Option<(&str, &str)>, marking| Event {
        title: title.into(),
        by: by.into(),
        at: moment(minutes),
        text: text.into(),
        link: link.map(|(a, b)| (a.into(), b.into())),
        marking,
    };
    vec![
        event(
            "Linked to a report of another agency",
            "EXERCISE Agency North",
            0,
            "Same wallet, checksum right.",
            Some(("/object", "Open the link")),
            Some(Tlp::Amber),
        ),
        event("Number corrected", "EXERCISE analyst Rin", -60, "", None, None),
        event(
            "Received over TAXII",
            "EXERCISE Agency South",
            -121,
            "1,204 objects, 12 set aside.",
            Some(("/search", "See the batch")),
            None,
        ),
    ]
}

fn readers(leaves: bool) -> Readers {
    Readers {
        collection: "EXERCISE intake".into(),
        accounts: 14,
        agencies: if leaves { vec!["EXERCISE Agency North".into(), "EXERCISE hotline".into()] } else { vec![] },
        marking: Some(Tlp::Amber),
        leaves,
    }
}

fn figure(chrome: &Chrome) -> Figure {
    let things = [
        ("w", "bc1qexercise0000000000000000000000000000xwlh", "wallet", "Wallet"),
        ("r1", "Report of a relative, Agency North", "report", "Report"),
        ("r2", "Hotline note 114", "report", "Report"),
        ("r3", "คำร้องเรียนหมายเลข 7", "report", "Report"),
        ("p", "+1 555 0100", "phone", "Phone"),
        ("h", "@exercise_recruiter", "handle", "Handle"),
        ("d", "jobs-abroad.example", "domain", "Domain"),
        ("b", "XX00 EXER 0000 0000 0000 00", "iban", "Bank account"),
        ("l", "招聘客服 包吃住 高薪", "lure", "Advert"),
    ];
    let nodes: Vec<Node> = things
        .iter()
        .map(|(id, label, kind, kind_label)| Node {
            id: (*id).into(),
            label: (*label).into(),
            kind: (*kind).into(),
            kind_label: (*kind_label).into(),
            href: format!("/object?id={id}"),
            marking: (*kind == "report").then_some(Tlp::Amber),
        })
        .collect();
    let edges: Vec<Edge> = [
        ("w", "r1", "names it", true),
        ("w", "r2", "names it", true),
        ("w", "r3", "names it", false),
        ("r1", "p", "caller's number", true),
        ("r2", "p", "recruiter", true),
        ("r2", "h", "recruiter", true),
        ("r3", "d", "advert's site", true),
        ("h", "l", "posted", false),
        ("w", "b", "paid out to", false),
    ]
    .iter()
    .map(|(from, to, label, sure)| Edge { from: (*from).into(), to: (*to).into(), label: (*label).into(), sure: *sure })
    .collect();
    Figure::new(&chrome.t("gallery-around"), &chrome.t("gallery-around-text"), "w", &nodes, &edges)
}

/// The chrome of a signed-in analyst; `?lang=` chooses the language, `?theme=` the colours.
fn chrome(hall: &Hall, csrf: &Csrf, parts: &Parts, title: &str, current: &str) -> Chrome {
    let mut chrome = hall.chrome(parts);
    let query = Fields::parse(parts.uri.query().unwrap_or_default().as_bytes()).unwrap_or_default();
    if !query.text("lang").is_empty() {
        chrome.l = hall.catalogue.locale(query.text("lang"));
    }
    let items = ["overview", "search", "report", "import", "feeds", "people", "ledger"];
    let keys = [
        "gallery-nav-overview",
        "gallery-nav-search",
        "gallery-nav-report",
        "gallery-nav-import",
        "gallery-nav-feeds",
        "gallery-nav-people",
        "gallery-nav-ledger",
    ];
    chrome.nav = items
        .iter()
        .zip(keys)
        .map(|(item, key)| NavItem {
            key,
            href: if *item == "overview" { "/".into() } else { format!("/{item}") },
            current: *item == current,
        })
        .collect::<Vec<_>>()
        .into();
    chrome.user = Some(UserChip { name: "EXERCISE Rin".into(), role: chrome.t("gallery-role") });
    chrome.csrf = csrf.token("gallery");
    chrome.as_of = Some(moment(1));
    let title = chrome.t(title);
    chrome.titled(title)
}

type Here = State<(Hall, Csrf)>;

async fn overview(State((hall, csrf)): Here, parts: Parts) -> Response {
    let mut chrome = chrome(&hall, &csrf, &parts, "gallery-overview-title", "overview");
    chrome.notices.push(Flash {
        kind: FlashKind::Done,
        text: chrome.t("gallery-done"),
        link: Some(("/object".into(), chrome.t("gallery-see"))),
    });
    chrome.notices.push(Flash { kind: FlashKind::Warning, text: chrome.t("gallery-warning"), link: None });
    let columns = vec![
        Column::new(chrome.t("gallery-what")),
        Column::new(chrome.t("gallery-source")),
        Column::new(chrome.t("gallery-marking")),
        Column::new(chrome.t("gallery-links")).numeric(),
        Column::new(chrome.t("gallery-when")),
    ];
    let paging = Paging { shown: 7, total: Total::Exactly(4819), next: Some("/?after=7".into()), previous: None };
    web::page(&Overview { chrome, columns, rows: rows(), paging, events: events() })
}

async fn search(State((hall, csrf)): Here, parts: Parts) -> Response {
    let chrome = chrome(&hall, &csrf, &parts, "gallery-search-title", "search");
    let query = Fields::parse(parts.uri.query().unwrap_or_default().as_bytes()).unwrap_or_default();
    let sort = query.text("sort");
    let columns = vec![
        Column::new(chrome.t("gallery-what")).sorting("/search?", "what", sort),
        Column::new(chrome.t("gallery-kind")),
        Column::new(chrome.t("gallery-source")).sorting("/search?", "source", sort),
        Column::new(chrome.t("gallery-marking")),
        Column::new(chrome.t("gallery-links")).numeric().sorting("/search?", "links", sort),
        Column::new(chrome.t("gallery-when")).sorting("/search?", "when", if sort.is_empty() { "-when" } else { sort }),
    ];
    let choice = |value: &str, label: &str, n: u64| web::form::Choice {
        value: value.into(),
        label: label.into(),
        hint: chrome.n(n),
        chosen: query.has("kind", value) || (value == "wallet" && query.text("kind").is_empty()),
    };
    let filters = Filters {
        action: "/search".into(),
        kept: vec![("q".into(), query.text("q").into())],
        groups: vec![
            FilterGroup {
                name: "kind".into(),
                label: chrome.t("gallery-filter-kind"),
                choices: vec![
                    choice("wallet", "Wallet", 1204),
                    choice("phone", "Phone", 611),
                    choice("domain", "Domain", 13752),
                    choice("report", "Report", 88),
                ],
                single: false,
            },
            FilterGroup {
                name: "since".into(),
                label: chrome.t("gallery-filter-period"),
                choices: vec![choice("24h", "24 h", 310), choice("7d", "7 d", 2210), choice("all", "All", 4819)],
                single: true,
            },
        ],
        chosen: vec![("Wallet".into(), "/search?kind=".into())],
        clear: "/search".into(),
    };
    let found = if query.text("q") == "nothing" { vec![] } else { rows() };
    let paging = Paging {
        shown: 7,
        total: Total::MoreThan(10_000),
        next: Some("/search?after=7".into()),
        previous: Some("/search".into()),
    };
    web::page(&Search { chrome, filters, columns, rows: found, paging })
}

async fn object(State((hall, csrf)): Here, parts: Parts) -> Response {
    let chrome =
        chrome(&hall, &csrf, &parts, "gallery-object", "search").titled("bc1qexercise0000000000000000000000000000xwlh");
    let tab = |label: String, current, count| Tab { label, href: "/object".into(), current, count };
    let page = Object {
        crumbs: vec![
            (chrome.t("gallery-search-title"), "/search".into()),
            ("EXERCISE intake".into(), "/search".into()),
        ],
        tabs: vec![
            tab(chrome.t("gallery-links-title"), true, Some(12)),
            tab(chrome.t("gallery-history"), false, Some(3)),
            tab(chrome.t("gallery-raw"), false, None),
        ],
        marking: Tlp::Amber,
        state: Tag::new("checksum right", Tone::Green),
        at: moment(-5000),
        columns: ["gallery-what", "gallery-why", "gallery-sure", "gallery-when"]
            .iter()
            .map(|k| Column::new(chrome.t(k)))
            .collect(),
        rows: rows(),
        figure: figure(&chrome),
        readers: readers(false),
        events: events(),
        chrome,
    };
    web::page(&page)
}

async fn report(State((hall, csrf)): Here, parts: Parts) -> Response {
    let chrome = chrome(&hall, &csrf, &parts, "gallery-report-title", "report");
    let sent = Fields::parse(b"text=&country=&caveat=source&channel=phone").unwrap_or_default();
    let mut check = sent.check(&chrome.l);
    check.required("text", "gallery-text-missing", 100_000);
    check.one_of("country", &["KH", "TH"], "gallery-country-wrong");
    let errors = check.done();
    let fields = vec![
        Field::area("text", chrome.t("gallery-text"), 8).hint(chrome.t("gallery-text-hint")).error(errors.of("text")),
        Field::select("country", chrome.t("gallery-country"))
            .choice("", "")
            .choice("KH", "EXERCISE Land A")
            .choice("TH", "EXERCISE Land B")
            .error(errors.of("country")),
        Field::radios("channel", chrome.t("gallery-channel"))
            .choice("phone", "Phone")
            .choice_with("walk-in", "In person", "Consulate or office")
            .value("phone")
            .small(),
        Field::checkboxes("caveat", chrome.t("gallery-caveats"))
            .choice("source", "Protect the source")
            .choice("court", "Not for court")
            .chosen(sent.all("caveat"))
            .small(),
        Field::file("file", chrome.t("gallery-file")),
    ];
    web::page_with(
        axum::http::StatusCode::UNPROCESSABLE_ENTITY,
        &Report { chrome, errors, fields, readers: readers(true) },
    )
}

async fn sign_in(State((hall, _)): Here, parts: Parts) -> Response {
    let chrome = hall.chrome(&parts);
    let title = chrome.t("gallery-sign-in-title");
    let fields = vec![
        Field::input("name", chrome.t("gallery-name")).attribute("autocomplete", "username").width(20),
        Field::password("password", chrome.t("gallery-password"), "current-password").width(20),
    ];
    web::page(&SignIn { chrome: chrome.titled(title), fields })
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let port: u16 = std::env::args().nth(1).as_deref().unwrap_or("0").parse()?;
    let catalogue = Catalogue::new(&[("en", include_str!("gallery.ftl"))])?;
    let hall = Hall { catalogue, node_name: "EXERCISE Bureau".into(), exercise: true, tls: false };
    let state = (hall.clone(), Csrf::generate()?);
    let routes = Router::new()
        .route("/", get(overview))
        .route("/search", get(search))
        .route("/object", get(object))
        .route("/report", get(report))
        .route("/sign-in", get(sign_in))
        .route("/conflict", get(async || Problem::conflict().at("report 114")))
        .merge(web::asset_routes())
        .with_state(state);
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", port)).await?;
    println!("listening on http://{}", listener.local_addr()?);
    axum::serve(listener, web::secured(routes, hall).into_make_service()).await?;
    Ok(())
}
