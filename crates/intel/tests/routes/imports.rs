//! What a person brings in by hand: a report's country, a CSV file with its mapping, a file that breaks off.
use super::{Node, form, node};
use axum::body::Body;
use axum::http::{Request, StatusCode};
use ledger::INTAKE;

const SITES: &str = "[object.site]\ntype = \"auto\"\ncolumns.site = { to = \"value\" }\n";

/// A form with files: fields and (name, file's name, what it says).
async fn upload(node: &Node, files: &[(&str, &str, &str)]) -> (StatusCode, String, String) {
    let (_, page) = node.get(&node.supervisor, "/import").await;
    let (_, rest) = page.split_once("name=\"once\" value=\"").unwrap();
    let once = rest.split('"').next().unwrap();
    let mut body = String::new();
    for (name, value) in [("csrf", &*node.supervisor.csrf), ("once", once), ("collection", &INTAKE.to_string())] {
        body.push_str(&format!("--b\r\ncontent-disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n"));
    }
    for (name, file, says) in files {
        let head = format!("content-disposition: form-data; name=\"{name}\"; filename=\"{file}\"");
        body.push_str(&format!("--b\r\n{head}\r\n\r\n{says}\r\n"));
    }
    body.push_str("--b--\r\n");
    let sent = Request::post("/import").header("content-type", "multipart/form-data; boundary=b");
    node.ask(&node.supervisor, sent.body(Body::from(body)).unwrap()).await
}

#[tokio::test]
async fn a_country_that_there_is_not_is_refused_beside_its_field_with_what_may_have_been_meant() {
    let node = node();
    let (csrf, intake) = (node.supervisor.csrf.as_str(), INTAKE.to_string());
    let look = |country| {
        let pairs = [
            ("csrf", csrf),
            ("step", "look"),
            ("text", "EXERCISE phone 02 555 0100"),
            ("country", country),
            ("collection", intake.as_str()),
        ];
        form("/report", &pairs)
    };
    for (wrong, says) in [("Thailand", "TH (Thailand)"), ("UK", "GB (United Kingdom)"), ("ZZ", "ISO 3166-1")] {
        let (status, _, page) = node.ask(&node.supervisor, look(wrong)).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{wrong}");
        assert!(page.contains("country-error") && page.contains(says), "{wrong}: {page}");
        assert!(page.contains(&format!("value=\"{wrong}\"")), "what was typed is lost");
    }
    for right in ["", "th", "XA"] {
        assert_eq!(node.ask(&node.supervisor, look(right)).await.0, StatusCode::OK, "{right}");
    }
    assert_eq!(node.strings.missing(), Vec::<String>::new());
}

#[tokio::test]
async fn a_csv_file_comes_with_its_mapping_and_what_is_set_aside_shows_its_header() {
    let node = node();
    let csv = ("file", "EXERCISE.csv", "site,seen\nscam.example,1\nno site,2\n");
    let (status, _, page) = upload(&node, &[csv]).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(page.contains("file-error") && page.contains("mapping"), "{page}");
    let (status, _, page) = upload(&node, &[csv, ("mapping", "m.toml", "country = \"Siam\"\n")]).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(page.contains("mapping-error") && page.contains("line 1"), "{page}");
    let (status, place, page) = upload(&node, &[csv, ("mapping", "m.toml", SITES)]).await;
    assert_eq!(status, StatusCode::SEE_OTHER, "{page}");
    let (_, page) = node.get(&node.supervisor, &place).await;
    assert!(page.contains("scam.example"), "{page}");
    let aside = page.split("id=\"aside\"").nth(1).and_then(|rest| rest.split("</ol>").next()).unwrap();
    assert!(aside.contains("site,seen\nno site,2"), "{aside}");
    assert_eq!(node.strings.missing(), Vec::<String>::new());
}

#[tokio::test]
async fn a_file_that_breaks_off_says_what_stays_and_how_to_take_it_back() {
    let node = node();
    let id = "note--00000000-0000-4000-8000-000000000077";
    let at = "2026-01-01T00:00:00.000Z";
    let note = serde_json::json!({"type": "note", "spec_version": "2.1", "id": id, "created": at, "modified": at,
        "content": "EXERCISE", "object_refs": [id]});
    let cut = format!("{{\"type\":\"bundle\",\"id\":\"bundle--1\",\"objects\":[{note},{{\"type\":");
    let (status, place, page) = upload(&node, &[("file", "EXERCISE.json", &cut)]).await;
    assert_eq!(status, StatusCode::SEE_OTHER, "{page}");
    let (_, page) = node.get(&node.supervisor, &place).await;
    assert!(page.contains("could not be read to its end") && page.contains("One new object was taken"), "{page}");
    assert!(page.contains(&format!("{place}/withdraw")) && page.contains(id), "{page}");
    assert!(node.get(&node.supervisor, "/import").await.1.contains("Not read to its end"));
    let why = [("csrf", &*node.supervisor.csrf), ("reason", "EXERCISE cut off")];
    assert_eq!(node.ask(&node.supervisor, form(&format!("{place}/withdraw"), &why)).await.0, StatusCode::SEE_OTHER);
    assert_eq!(node.get(&node.supervisor, &format!("/objects/{id}")).await.0, StatusCode::GONE);
    assert_eq!(node.strings.missing(), Vec::<String>::new());
}

#[tokio::test]
async fn several_files_are_an_import_each_and_a_bad_one_keeps_none_from_being_taken() {
    let node = node();
    let (one, two) = (("file", "a.txt", "scam-one.example\n"), ("file", "b.txt", "scam-two.example\n"));
    let (status, place, page) = upload(&node, &[one, two]).await;
    assert_eq!((status, place.as_str()), (StatusCode::SEE_OTHER, "/import?done=files"), "{page}");
    let (_, list) = node.get(&node.supervisor, &place).await;
    assert!(list.contains("a.txt") && list.contains("b.txt") && list.contains("each is an import"), "{list}");
    for host in ["scam-one.example", "scam-two.example"] {
        assert!(node.get(&node.supervisor, &format!("/search?q={host}")).await.1.contains("/objects/"), "{host}");
    }
    let (good, bad) = (("file", "c.txt", "scam-three.example\n"), ("file", "d.bin", "\u{0}\u{1}\u{2}"));
    let (status, _, page) = upload(&node, &[good, bad, ("file", "e.txt", "")]).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(
        page.contains("d.bin: ") && page.contains("e.txt: There is nothing in it") && !page.contains("c.txt: "),
        "{page}"
    );
    assert!(page.contains("One file was taken") && page.contains("c.txt"), "{page}");
    let none = upload(&node, &[("file", "", "")]).await;
    assert!(none.0 == StatusCode::UNPROCESSABLE_ENTITY && none.2.contains("not empty"), "{}", none.2);
    let many = vec![("file", "x.txt", "scam.example\n"); 51];
    assert_eq!(upload(&node, &many).await.0, StatusCode::BAD_REQUEST);
    assert_eq!(node.strings.missing(), Vec::<String>::new());
}

#[tokio::test]
async fn the_list_says_which_imports_were_withdrawn_and_how_much_of_them() {
    let node = node();
    let (_, whole, _) = upload(&node, &[("file", "whole.txt", "scam-one.example\nscam-two.example\n")]).await;
    let (_, part, _) = upload(&node, &[("file", "part.txt", "scam-three.example\nscam-four.example\n")]).await;
    let row = async |name: &str| {
        let (_, list) = node.get(&node.supervisor, "/import").await;
        list.split("<tr").find(|row| row.contains(name)).unwrap().to_owned()
    };
    assert!(!row("whole.txt").await.contains("ithdrawn"));
    let why = [("csrf", &*node.supervisor.csrf), ("reason", "EXERCISE the wrong file")];
    assert_eq!(node.ask(&node.supervisor, form(&format!("{whole}/withdraw"), &why)).await.0, StatusCode::SEE_OTHER);
    let (_, page) = node.get(&node.supervisor, &part).await;
    let object = page.split("/objects/").nth(1).unwrap().split(['"', '?']).next().unwrap().to_owned();
    let gone = form(&format!("/objects/{object}/withdraw"), &why);
    assert_eq!(node.ask(&node.supervisor, gone).await.0, StatusCode::SEE_OTHER);
    assert!(row("whole.txt").await.contains(">Withdrawn<"), "{}", row("whole.txt").await);
    assert!(row("part.txt").await.contains(">1 withdrawn<"), "{}", row("part.txt").await);
    assert_eq!(node.strings.missing(), Vec::<String>::new());
}
