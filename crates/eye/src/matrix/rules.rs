//! The rule of each route decides, and nothing else does: expectations are derived from the table.
use super::{NO_IMPORT, Seat, Site, id};
use axum::http::{Request, header};
use gate::{Line, Rule};
use ledger::INTAKE;

/// What a rule promises.
fn due(line: &Line, seat: &Seat) -> &'static str {
    if line.rule == Rule::Open {
        return "yes";
    }
    let counts = seat.via != "session" || ["pages", "stream"].contains(&line.door);
    let Some(role) = seat.role.filter(|_| counts) else {
        // A browser without a session, or with one that ended, is led to sign in; wrong credentials are refused.
        let led = line.door == "pages" && line.method == "GET" && ["none", "session"].contains(&seat.via);
        return if led { "sign in" } else { "401" };
    };
    let form = line.door == "pages" && line.method == "POST";
    if !line.rule.lets(role) {
        "403"
    } else if form && seat.via == "basic" && role != people::Role::Peer {
        // A browser sends a password by itself: no form counts with it.
        "form 403"
    } else {
        "yes"
    }
}

async fn found(site: &Site, line: &Line, seat: &Seat) -> &'static str {
    let method = if line.method == "*" { "PUT" } else { line.method };
    // What changes something is aimed at nothing.
    let object = if method == "GET" { id(1) } else { id(404) };
    let got = site.ask(seat, method, &site.address(line, &object, INTAKE, NO_IMPORT)).await;
    assert!(got.status < 500, "{line} {} {}: {}", seat.who, seat.via, got.text);
    match got.status {
        401 if line.rule == Rule::Open => "yes",
        // Who goes on with what does not stand is told to wait.
        429 if seat.role.is_none() && seat.header.is_some() => "401",
        401 => {
            assert!(got.headers.contains_key(header::WWW_AUTHENTICATE), "{line}");
            "401"
        }
        403 if line.door == "pages" && got.text.contains("not from this session") => "form 403",
        403 => "403",
        303 if got.location().starts_with("/sign-in") && !line.path.starts_with("/sign-out") => "sign in",
        _ => "yes",
    }
}

/// One word for each way to come in, or one for all.
fn cell(words: &[&'static str]) -> String {
    let same = words.iter().all(|w| *w == words[0]);
    if same { words[0].to_owned() } else { words.join("/") }
}

#[tokio::test]
async fn each_route_lets_pass_whom_its_rule_names_and_nobody_else() {
    let site = Site::new();
    let mut lines: Vec<Line> = site.house.table().to_vec();
    // Signing out ends what the others come in with.
    lines.sort_by_key(|line| line.path == "/sign-out");
    let mut table = String::new();
    for line in &lines {
        let mut row: Vec<(&str, Vec<&'static str>)> = Vec::new();
        for seat in &site.seats {
            let (due, found) = (due(line, seat), found(&site, line, seat).await);
            assert_eq!(found, due, "{line}: {} by {}", seat.who, seat.via);
            match row.last_mut().filter(|(who, _)| *who == seat.who) {
                Some((_, words)) => words.push(found),
                None => row.push((seat.who, vec![found])),
            }
        }
        let cells: Vec<String> = row.iter().map(|(who, words)| format!("{who} {}", cell(words))).collect();
        table.push_str(&format!("{line}\n    {}\n", cells.join(", ")));
    }
    insta::assert_snapshot!(table);
    site.node.close();
}

#[tokio::test]
async fn no_form_acts_without_its_own_sessions_token_or_from_another_site() {
    let site = Site::new();
    let other = site.seat("reader", "session").csrf.clone();
    let posts: Vec<Line> =
        site.house.table().iter().filter(|l| l.method == "POST" && l.door == "pages").copied().collect();
    assert!(posts.len() > 15, "{posts:?}");
    for line in &posts {
        let path = site.address(line, &id(404), INTAKE, NO_IMPORT);
        for seat in site.seats.iter().filter(|s| s.via == "session" && s.who != "reader") {
            let may = seat.role.is_some_and(|role| line.rule.lets(role)) && line.rule != Rule::Open;
            let multipart = "--b\r\ncontent-disposition: form-data; name=\"csrf\"\r\n\r\nEXERCISE\r\n--b--\r\n";
            let forms = [String::new(), "csrf=".into(), format!("csrf={other}"), multipart.into()];
            for form in forms.iter().filter(|_| may) {
                let request = Request::post(&path).header(header::CONTENT_TYPE, "multipart/form-data; boundary=b");
                let got = site.send(seat, request, form).await;
                let unread = path == "/import" && !form.starts_with("--b");
                assert!(
                    got.status == 403 || (unread && [400, 413].contains(&got.status)),
                    "{line} {} {form}: {}",
                    seat.who,
                    got.status
                );
            }
            for (name, value) in [("sec-fetch-site", "cross-site"), ("origin", "https://evil.example")] {
                let request = Request::post(&path).header(name, value).header(header::HOST, "eye.example");
                let got = site.send(seat, request, &format!("csrf={}", seat.csrf)).await;
                let due = if may || line.rule == Rule::Open || seat.role.is_some() { 403 } else { 401 };
                assert_eq!(got.status, due, "{line} {} {name}", seat.who);
            }
        }
    }
    site.node.close();
}

#[tokio::test]
async fn an_open_route_answers_while_the_ledger_has_ended_and_readiness_says_so() {
    let site = Site::new();
    let nobody = site.seat("nobody", "none").clone();
    let ready = site.ask(&nobody, "GET", "/ready").await;
    assert_eq!((ready.status, ready.text.as_str()), (200, "{\"ready\":true,\"why\":null}"), "no number of anything");
    site.node.close();
    assert_eq!(site.ask(&nobody, "GET", "/ready").await.status, 503);
    assert_eq!(site.ask(&nobody, "GET", "/health").await.status, 200);
}

#[tokio::test]
async fn what_cannot_be_taken_down_in_the_access_log_is_not_read() {
    let site = Site::new();
    let seat = site.seat("analyst", "session").clone();
    assert_eq!(site.ask(&seat, "GET", "/search").await.status, 200);
    let stop = "CREATE TRIGGER full BEFORE INSERT ON access BEGIN SELECT RAISE(FAIL, 'full'); END";
    site.node.ledger.state().write(move |c| Ok(c.execute_batch(stop)?)).unwrap();
    let row = people::Access { method: "GET", route: "/search", status: 200, ..Default::default() };
    // The first refusal learns that what was handed over before is on the disk, which makes room for a row more.
    while site.node.people.access_log().record(&row).is_ok() || site.node.people.access_log().ready().is_ok() {}
    assert_eq!(site.ask(&seat, "GET", "/search").await.status, 503);
    assert_eq!(site.ask(&seat, "GET", "/health").await.status, 200);
    site.node.ledger.state().write(|c| Ok(c.execute_batch("DROP TRIGGER full")?)).unwrap();
    assert_eq!(site.ask(&seat, "GET", "/search").await.status, 200);
    site.node.close();
}
