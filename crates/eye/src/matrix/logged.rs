//! Who opened which object stands in the access log, and nothing of what they typed or read does.
use super::{PHONE, Site, id};

#[tokio::test]
async fn the_access_log_names_who_opened_which_object_and_no_guessable_id_and_no_query() {
    let site = Site::new();
    let (analyst, api) = (site.seat("analyst", "session").clone(), site.seat("reader", "bearer").clone());
    let phone = site.node.intel.address_of(PHONE);
    let search = site.ask(&analyst, "GET", "/search?q=shared.example&type=note").await;
    assert!(search.status == 200 && search.text.contains(&id(1)));
    for path in [format!("/objects/{}", id(1)), format!("/objects/{phone}"), format!("/objects/{}", id(404))] {
        site.ask(&analyst, "GET", &path).await;
    }
    for path in [format!("/api/objects/{PHONE}"), "/api/search?q=%2B15550100".into(), "/api/objects/nonsense".into()] {
        site.ask(&api, "GET", &path).await;
    }
    let mut rows = site.node.people.access_log().page(&site.local(), None, 7).unwrap();
    rows.reverse();
    let subject = people::subject(site.node.ledger.keys(), PHONE);
    let told: Vec<_> = rows.iter().map(|r| (r.role.as_str(), r.route.as_str(), r.status, r.ids.as_str())).collect();
    let (one, none) = (id(1), id(404));
    assert_eq!(
        told,
        [
            ("analyst", "/search", 200, one.as_str()),
            ("analyst", "/objects/{id}", 200, one.as_str()),
            ("analyst", "/objects/{id}", 200, subject.as_str()),
            ("analyst", "/objects/{id}", 404, none.as_str()),
            ("reader", "/api/objects/{id}", 200, subject.as_str()),
            ("reader", "/api/search", 200, subject.as_str()),
            ("reader", "/api/objects/{id}", 404, "nonsense"),
        ]
    );
    let written = format!("{rows:?}");
    for word in ["15550100", "shared.example", PHONE, phone.as_str()] {
        assert!(!written.contains(word), "{word}");
    }
    assert!(rows[0].query.is_some() && rows[0].query != rows[5].query, "equal questions are known again by their hash");
    site.node.close();
}

#[tokio::test]
async fn a_guessable_id_stands_in_no_address_of_a_page() {
    let site = Site::new();
    let analyst = site.seat("analyst", "session").clone();
    let phone = site.node.intel.address_of(PHONE);
    assert!(phone.starts_with("phone-number~") && !PHONE.contains(&phone[13..21]));
    let typed = site.ask(&analyst, "GET", &format!("/objects/{PHONE}")).await;
    assert_eq!((typed.status, typed.location()), (303, format!("/objects/{phone}").as_str()));
    let absent = "phone-number--8b0e3a0d-9f4b-5a3c-8d39-6f1f1c1f5a02";
    let other = site.ask(&analyst, "GET", &format!("/objects/{absent}")).await;
    assert_eq!(other.status, 303, "whether it exists is told after the address is");
    assert_eq!(site.ask(&analyst, "GET", other.location()).await.status, 404);
    for path in ["/", "/search?q=%2B15550100", &format!("/objects/{phone}")] {
        let page = site.ask(&analyst, "GET", path).await;
        assert_eq!(page.status, 200, "{path}");
        assert!(
            page.text.contains(&format!("/objects/{phone}")) && !page.text.contains(&format!("/objects/{PHONE}")),
            "{path}"
        );
    }
    site.node.close();
}

#[test]
fn a_command_leaves_a_row_with_its_object_and_no_text_that_was_typed() {
    use crate::commands::{self, Io};
    use clap::Parser;
    let site = Site::new();
    let data = site.dir.path();
    let one = id(1);
    let lines = [
        &["search", "shared.example"][..],
        &["show", &one],
        &["show", "+15550100"],
        &["links", "shared.example"],
        &["logged", "money"],
        &["logged", "money", "--failed"],
    ];
    for line in lines {
        let line = ["eye", "--data", "."].into_iter().chain(line.iter().copied());
        let command = crate::arguments::Arguments::parse_from(line).command;
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let mut io = Io {
            out: &mut out,
            err: &mut err,
            stdin: &mut std::io::empty(),
            cwd: data.to_owned(),
            meter: crate::meter::Meter::silent(),
            about: Vec::new(),
        };
        commands::run(data, &site.node, &command, &mut io);
    }
    let mut rows = site.node.people.access_log().page(&site.local(), None, 6).unwrap();
    rows.reverse();
    let told: Vec<_> = rows.iter().map(|r| (r.method.as_str(), r.route.as_str(), r.status, r.ids.as_str())).collect();
    let expected = [
        ("search", "eye", 200, ""),
        ("show", "eye", 200, one.as_str()),
        ("show", "eye", 400, ""),
        ("links", "eye", 200, ""),
        ("money", "eye", 200, ""),
        ("money", "eye", 400, ""),
    ];
    assert_eq!(told, expected);
    let written = format!("{rows:?}");
    assert!(!written.contains("15550100") && !written.contains("shared.example"), "{written}");
    assert_eq!(rows[0].query, rows[3].query, "equal questions are known again by their hash");
    site.node.close();
}
