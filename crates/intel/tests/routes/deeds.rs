//! What a person decides on pages: a word on a selector, and that the EXERCISE world goes.
use super::{form, node};
use axum::http::StatusCode;
use ledger::INTAKE;
use people::Role;
use people::entry::{AudienceBody, Member};

const PAGE: &str = "/selectors?kind=domain&value=shop.example";

#[tokio::test]
async fn a_word_on_a_selector_wants_a_reason_stands_with_it_and_can_be_undone() {
    let node = node();
    node.take(INTAKE, 1, "EXERCISE see shop.example");
    node.take(INTAKE, 2, "EXERCISE also shop.example");
    let csrf = node.supervisor.csrf.clone();
    let say = |word: &str, reason: &str| {
        let pairs = [
            ("csrf", csrf.as_str()),
            ("kind", "domain"),
            ("value", "shop.example"),
            ("word", word),
            ("reason", reason),
        ];
        form("/selectors/overrule", &pairs)
    };
    let (_, page) = node.get(&node.supervisor, PAGE).await;
    // One word is a button, several are a choice.
    let offers = |page: &str, word: &str| {
        ["", "type=\"radio\" "].iter().any(|kind| page.contains(&format!("name=\"word\" {kind}value=\"{word}\"")))
    };
    assert!(offers(&page, "nothing") && !offers(&page, "links") && !offers(&page, "undo"), "{page}");
    let (status, _, page) = node.ask(&node.supervisor, say("nothing", " ")).await;
    assert!(status == StatusCode::UNPROCESSABLE_ENTITY && page.contains("Say why."), "{status}");
    let (status, _, _) = node.ask(&node.supervisor, say("anything", "EXERCISE")).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    let (status, at, page) = node.ask(&node.supervisor, say("nothing", "EXERCISE a <market>")).await;
    assert_eq!(status, StatusCode::SEE_OTHER, "{page}");
    let (_, page) = node.get(&node.supervisor, &at).await;
    assert!(
        page.contains("Links nothing</span>")
            && page.contains("somebody decided so")
            && page.contains("Your word is saved"),
        "{page}"
    );
    assert!(!page.contains("Withdraw it again"), "{page}");
    assert!(page.contains("EXERCISE a &#60;market&#62;") && !page.contains("a <market>"), "{page}");
    assert!(offers(&page, "links") && offers(&page, "undo") && !offers(&page, "nothing"), "{page}");
    assert_eq!(node.ask(&node.supervisor, say("undo", "EXERCISE it was another")).await.0, StatusCode::SEE_OTHER);
    let (_, page) = node.get(&node.supervisor, PAGE).await;
    assert!(!page.contains("somebody decided so") && !offers(&page, "undo"), "{page}");
    assert_eq!(node.strings.missing(), Vec::<String>::new());
}

#[tokio::test]
async fn who_may_not_overrule_sees_the_word_and_no_form_and_is_refused() {
    let node = node();
    node.take(INTAKE, 1, "EXERCISE see shop.example");
    let (_, page) = node.get(&node.reader, PAGE).await;
    assert!(!page.contains("/selectors/overrule"));
    let (csrf, value) = (node.reader.csrf.as_str(), "shop.example");
    let pairs = [("csrf", csrf), ("kind", "domain"), ("value", value), ("word", "nothing"), ("reason", "EXERCISE")];
    assert_eq!(node.ask(&node.reader, form("/selectors/overrule", &pairs)).await.0, StatusCode::FORBIDDEN);
    assert!(node.intel.overruled(&node.me, selectors::Kind::Domain, value).unwrap().is_none());
}

#[tokio::test]
async fn a_personal_selector_has_a_page_whose_address_tells_nothing_and_takes_a_word() {
    let node = node();
    let audience = AudienceBody::shared("EXERCISE closed", stix::Tlp::Red, vec![Member::role(Role::Supervisor, true)]);
    let closed = node.intel.people().create_collection(&node.me, &audience).unwrap().id;
    let node = super::Node { me: node.intel.people().local_viewer().unwrap(), ..node };
    let (one, _) =
        (node.take(INTAKE, 1, "EXERCISE call +1 202 555 0123"), node.take(INTAKE, 2, "EXERCISE +12025550123"));
    node.take(closed, 3, "EXERCISE mail mei.exercise@example.com");
    let at = |kind, value: &str| format!("/selectors?at={}", node.intel.address_of_selector(kind, value));
    let phone = at(selectors::Kind::Phone, "+12025550123");
    let (status, page) = node.get(&node.reader, &phone).await;
    assert!(status == StatusCode::OK && page.contains(&one) && page.contains("+12025550123"), "{status} {page}");
    let (_, page) = node.get(&node.supervisor, &format!("/objects/{one}")).await;
    assert!(page.contains(&phone), "{page}");
    for href in page.split("href=\"").skip(1).filter_map(|rest| rest.split('"').next()) {
        assert!(!href.contains("2025550123"), "{href}");
    }
    // By its value, by a seal of something else, of an unseen holder, of nothing, or changed: not found, all alike.
    let mark = node.intel.mark_of(1);
    let (unseen, none) =
        (at(selectors::Kind::Email, "mei.exercise@example.com"), at(selectors::Kind::Phone, "+12025550124"));
    let domain = at(selectors::Kind::Domain, "shop.example");
    let mut changed = phone.clone();
    let last = if changed.pop() == Some('0') { '1' } else { '0' };
    changed.push(last);
    let by_value = "/selectors?kind=phone&value=%2B12025550123".to_owned();
    for path in [by_value, format!("/selectors?at={mark}"), unseen.clone(), none, domain, changed] {
        assert_eq!(node.get(&node.reader, &path).await.0, StatusCode::NOT_FOUND, "{path}");
    }
    assert_eq!(node.get(&node.supervisor, &unseen).await.0, StatusCode::OK);
    let csrf = node.supervisor.csrf.as_str();
    let pairs = [
        ("csrf", csrf),
        ("kind", "phone"),
        ("value", "+12025550123"),
        ("word", "nothing"),
        ("reason", "EXERCISE a hotline"),
    ];
    let (status, back, _) = node.ask(&node.supervisor, form("/selectors/overrule", &pairs)).await;
    assert_eq!((status, back.as_str()), (StatusCode::SEE_OTHER, format!("{phone}&done=overruled").as_str()));
    let (_, page) = node.get(&node.reader, &phone).await;
    assert!(page.contains("EXERCISE a hotline"), "{page}");
}

#[tokio::test]
async fn the_exercise_world_goes_whole_after_a_question_and_nothing_else_goes() {
    let node = node();
    let real = node.take(INTAKE, 1, "EXERCISE a report that stays");
    assert_eq!(node.get(&node.supervisor, "/exercise-world").await.0, StatusCode::NOT_FOUND);
    let members = vec![Member::role(Role::Reader, false), Member::role(Role::Supervisor, true)];
    let mut audience = AudienceBody::shared(intel::WORLD, stix::Tlp::AmberStrict, members);
    audience.exercise = true;
    let world = node.intel.people().create_collection(&node.me, &audience).unwrap().id;
    let node = super::Node { me: node.intel.people().local_viewer().unwrap(), ..node };
    assert_eq!(
        node.get(&node.supervisor, "/exercise-world").await.0,
        StatusCode::NOT_FOUND,
        "an empty one does not stand"
    );
    let (one, two) = (node.take(world, 2, "EXERCISE invented"), node.take(world, 3, "EXERCISE invented too"));
    assert!(node.get(&node.supervisor, "/").await.1.contains("href=\"/exercise-world\""));
    assert!(!node.get(&node.reader, "/").await.1.contains("/exercise-world"));
    let (status, page) = node.get(&node.supervisor, "/exercise-world").await;
    assert!(status == StatusCode::OK && page.contains("2 objects in the collection"), "{page}");
    assert!(page.contains(&format!("<strong translate=\"no\">{}</strong>", intel::WORLD)), "{page}");
    assert_eq!(
        node.get(&node.supervisor, &format!("/objects/{one}")).await.0,
        StatusCode::OK,
        "asking removes nothing"
    );
    let bare = form("/exercise-world", &[]);
    assert_eq!(node.ask(&node.supervisor, bare).await.0, StatusCode::FORBIDDEN);
    let sent = form("/exercise-world", &[("csrf", &node.supervisor.csrf)]);
    let (status, at, page) = node.ask(&node.supervisor, sent).await;
    assert_eq!(status, StatusCode::SEE_OTHER, "{page}");
    let (_, overview) = node.get(&node.supervisor, &at).await;
    assert!(overview.contains("The EXERCISE world is removed.") && !overview.contains("href=\"/exercise-world\""));
    for gone in [one, two] {
        assert_eq!(node.get(&node.supervisor, &format!("/objects/{gone}")).await.0, StatusCode::GONE);
    }
    assert_eq!(node.get(&node.supervisor, &format!("/objects/{real}")).await.0, StatusCode::OK);
    assert_eq!(node.strings.missing(), Vec::<String>::new());
}

#[tokio::test]
async fn words_that_were_not_looked_for_are_told() {
    let node = node();
    let many: Vec<String> = (0..20).map(|n| format!("word{n}")).collect();
    let (_, page) = node.get(&node.supervisor, &format!("/search?q={}", many.join("+"))).await;
    assert!(page.contains("Only the first sixteen words were looked for; 4 more were left out."), "{page}");
    let (_, page) = node.get(&node.supervisor, "/search?q=one+two").await;
    assert!(!page.contains("sixteen"));
    assert_eq!(node.strings.missing(), Vec::<String>::new());
}

#[tokio::test]
async fn who_reported_is_named_wherever_its_object_is_listed_and_a_hidden_reporter_is_not() {
    let node = node();
    let members = vec![Member::role(Role::Supervisor, true)];
    let closed = AudienceBody::shared("EXERCISE closed", stix::Tlp::Red, members);
    let closed = node.intel.people().create_collection(&node.me, &closed).unwrap().id;
    let node = super::Node { me: node.intel.people().local_viewer().unwrap(), ..node };
    let at = "2026-01-01T00:00:00.000Z";
    let take = |collection, object: serde_json::Value| {
        let taken = node.intel.take(&node.me, collection, &[&object.to_string()], ledger::Urgency::Interactive);
        assert!(matches!(taken.unwrap()[0].outcome, intel::Took::New { .. }), "{object}");
    };
    let object = |kind: &str, n: u32, more: serde_json::Value| {
        let mut object = serde_json::json!({"type": kind, "spec_version": "2.1", "created": at, "modified": at,
            "id": format!("{kind}--00000000-0000-4000-8000-{n:012}")});
        object.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        object
    };
    let identity = |n, name: &str| object("identity", n, serde_json::json!({"name": name}));
    let id = |kind: &str, n: u32| format!("{kind}--00000000-0000-4000-8000-{n:012}");
    take(INTAKE, identity(1, "EXERCISE agency of the north"));
    take(closed, identity(2, "EXERCISE agency unseen"));
    for (n, said) in [
        (1, serde_json::json!({"created_by_ref": id("identity", 1)})),
        (2, serde_json::json!({"created_by_ref": id("identity", 2)})),
        (3, serde_json::json!({"external_references": [{"source_name": "EXERCISE bulletin"}]})),
    ] {
        let mut incident = object("incident", n, said);
        incident["name"] = format!("EXERCISE incident {n}").into();
        incident["description"] = "EXERCISE pay at shop.example".into();
        take(INTAKE, incident);
    }
    let relates = serde_json::json!({"relationship_type": "related-to", "source_ref": id("incident", 1),
        "target_ref": id("identity", 2)});
    take(INTAKE, object("relationship", 9, relates));
    let first = format!("/objects/{}", id("incident", 1));
    for path in ["/", "/search?q=shop.example", "/selectors?kind=domain&value=shop.example", &first] {
        let (_, page) = node.get(&node.reader, path).await;
        assert!(page.contains("Reported by") && page.contains("EXERCISE bulletin"), "{path}: {page}");
        assert!(page.contains("EXERCISE agency of the north") && !page.contains("agency unseen"), "{path}");
    }
    let (_, page) = node.get(&node.supervisor, "/search?q=shop.example").await;
    assert!(page.contains("EXERCISE agency unseen"), "{page}");
    let (_, page) = node.get(&node.reader, "/search?type=relationship").await;
    assert!(page.contains("EXERCISE incident 1") && page.contains("not yours to see"), "{page}");
    assert!(!page.contains("agency unseen"), "{page}");
    assert_eq!(node.strings.missing(), Vec::<String>::new());
}

#[tokio::test]
async fn who_has_nothing_to_write_to_is_told_so_and_whom_to_ask() {
    let node = node();
    for path in ["/report", "/import"] {
        assert!(node.get(&node.supervisor, path).await.1.contains("<form class=\"ce-form\""), "{path}");
        assert_eq!(node.get(&node.reader, path).await.0, StatusCode::FORBIDDEN, "{path}");
    }
    for collection in node.intel.people().collections(&node.me).unwrap() {
        let readers_only = |audience: &mut AudienceBody| audience.members.iter_mut().for_each(|m| m.write = false);
        if collection.audience.node.is_none() {
            node.intel.people().change_audience(&node.me, collection.id, readers_only).unwrap();
        }
    }
    for path in ["/report", "/import"] {
        let (status, page) = node.get(&node.supervisor, path).await;
        assert_eq!(status, StatusCode::OK, "{path}");
        assert!(
            page.contains("no collection that you may write to") && page.contains("Ask your administrator"),
            "{path}"
        );
        assert!(!page.contains("<form class=\"ce-form\""), "{path}");
    }
    assert_eq!(node.strings.missing(), Vec::<String>::new());
}

#[tokio::test]
async fn who_has_no_shell_is_sent_to_the_operator_and_who_has_one_gets_the_command() {
    let node = node();
    let administrator = super::seat(node.intel.people(), Role::Administrator);
    let (_, page) = node.get(&node.supervisor, "/feeds").await;
    assert!(page.contains("Ask the operator") && !page.contains("eye reference"), "{page}");
    let (_, page) = node.get(&administrator, "/feeds").await;
    assert!(page.contains("eye reference add"), "{page}");
    let (_, page) = node.get(&node.supervisor, "/import").await;
    assert!(page.contains("ask the operator") && !page.contains("command line"), "{page}");
    let part =
        |name: &str, value: &str| format!("--b\r\ncontent-disposition: form-data; name={name}\r\n\r\n{value}\r\n");
    for (format, file, due) in [
        ("csv", "a,b\r\nEXERCISE,1", "Ask the operator of this node to bring it in"),
        ("", "\0EXERCISE", "Choose its format below"),
    ] {
        let (_, form) = node.get(&node.supervisor, "/import").await;
        let once = form.split("name=\"once\" value=\"").nth(1).unwrap().split('"').next().unwrap();
        let fields = [
            part("csrf", &node.supervisor.csrf),
            part("once", once),
            part("format", format),
            part("collection", &INTAKE.to_string()),
            part("\"file\"; filename=\"EXERCISE\"", file),
        ];
        let request = axum::http::Request::post("/import")
            .header("content-type", "multipart/form-data; boundary=b")
            .body(axum::body::Body::from(format!("{}--b--\r\n", fields.concat())))
            .unwrap();
        let (status, _, page) = node.ask(&node.supervisor, request).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{page}");
        assert!(page.contains(due) && !page.contains("--mapping") && !page.contains("--format"), "{page}");
    }
    let (status, at, _) =
        node.ask(&administrator, axum::http::Request::get("/").body(axum::body::Body::empty()).unwrap()).await;
    assert_eq!(
        (status, at.as_str()),
        (StatusCode::SEE_OTHER, "/desk"),
        "who reads no intelligence has another first page"
    );
    assert_eq!(node.strings.missing(), Vec::<String>::new());
}
