//! An object's page stays small, whatever the object holds and however often it was written.
use super::*;

/// What stands behind `rel="next"` before `place`.
fn next(page: &str, place: &str) -> Option<String> {
    let hrefs = page.split("rel=\"next\" href=\"").skip(1).filter_map(|rest| rest.split('"').next());
    hrefs.map(|href| href.replace("&#38;", "&").replace("&amp;", "&")).find(|href| href.ends_with(place))
}

#[tokio::test]
async fn an_object_that_shares_many_values_shows_them_page_by_page_each_once() {
    let node = node();
    let values: Vec<String> = (0..120).map(|n| format!("shop-{n:03}.example")).collect();
    let text = format!("EXERCISE {}", values.join(" "));
    let id = node.take(INTAKE, 1, &text);
    node.take(INTAKE, 2, &text);
    let mut at = Some(format!("/objects/{id}"));
    let mut shown: Vec<String> = Vec::new();
    let mut pages = 0;
    while let Some(path) = at.take() {
        let (status, page) = node.get(&node.reader, path.split('#').next().unwrap()).await;
        assert_eq!(status, StatusCode::OK, "{path}");
        let table = page.split("id=\"links\"").nth(1).unwrap().split("id=\"selectors\"").next().unwrap();
        shown.extend(values.iter().filter(|v| table.contains(&format!(">{v}<"))).cloned());
        at = next(&page, "#links");
        pages += 1;
    }
    assert_eq!(pages, 3, "fifty a page");
    shown.sort_unstable();
    assert_eq!(shown, values, "each once");
    let (status, beyond) = node.get(&node.reader, &format!("/objects/{id}?links=99999999&versions=x")).await;
    assert_eq!(status, StatusCode::OK);
    assert!(!beyond.contains("Nothing else that you may read"), "the end of a list is not an empty list");
}

#[tokio::test]
async fn many_versions_with_long_bodies_make_no_long_page() {
    let node = node();
    let id = "note--00000000-0000-4000-8000-000000000009";
    let long = "EXERCISE lorem ".repeat(4_400);
    for chunk in 0..3 {
        let bodies: Vec<String> = (0..25)
            .map(|n| {
                let n = chunk * 25 + n;
                let at = format!("2026-01-01T00:{:02}:{:02}.000Z", n / 60, n % 60);
                let content = format!("{long}{n}");
                serde_json::json!({"type": "note", "spec_version": "2.1", "id": id, "created": "2026-01-01T00:00:00.000Z",
                    "modified": at, "content": content, "object_refs": [id]})
                .to_string()
            })
            .collect();
        let bodies: Vec<&str> = bodies.iter().map(String::as_str).collect();
        node.intel.take(&node.me, INTAKE, &bodies, Urgency::Interactive).unwrap();
    }
    let (status, page) = node.get(&node.reader, &format!("/objects/{id}")).await;
    assert_eq!(status, StatusCode::OK);
    assert!(page.len() < 2 << 20, "{} bytes of 5 MB", page.len());
    assert!(page.contains("It is longer than what is shown here"));
    let older = next(&page, "#history").expect("75 versions are two pages");
    let (status, page) = node.get(&node.reader, older.split('#').next().unwrap()).await;
    assert_eq!(status, StatusCode::OK);
    assert!(next(&page, "#history").is_none());
    assert!(page.contains("Back to the newest versions"));
}

#[tokio::test]
async fn a_supervisor_erases_an_object_after_a_question_and_with_a_reason_and_nobody_else_is_let_to_it() {
    let node = node();
    let id = node.take(INTAKE, 1, "EXERCISE zwirblefink");
    let page = format!("/objects/{id}/erase");
    assert_eq!(node.get(&node.reader, &page).await.0, StatusCode::FORBIDDEN);
    let (status, asked) = node.get(&node.supervisor, &page).await;
    assert_eq!(status, StatusCode::OK);
    assert!(asked.contains("This cannot be undone") && !asked.contains("zwirblefink"));
    let never = "/objects/note--00000000-0000-4000-8000-000000000404/erase";
    assert_eq!(node.get(&node.supervisor, never).await.0, StatusCode::NOT_FOUND);
    let csrf = node.supervisor.csrf.clone();
    let (status, _, body) = node.ask(&node.supervisor, form(&page, &[("csrf", &csrf), ("reason", " ")])).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(body.contains("Say why."));
    assert_eq!(node.get(&node.supervisor, &format!("/objects/{id}")).await.0, StatusCode::OK, "nothing went");
    let (status, at, _) = node.ask(&node.supervisor, form(&page, &[("csrf", &csrf), ("reason", "EXERCISE")])).await;
    assert_eq!((status, at.as_str()), (StatusCode::SEE_OTHER, "/?done=erased"));
    assert_eq!(node.get(&node.supervisor, &format!("/objects/{id}")).await.0, StatusCode::NOT_FOUND);
    let (status, _, _) = node.ask(&node.supervisor, form(&page, &[("csrf", &csrf), ("reason", "EXERCISE")])).await;
    assert_eq!(status, StatusCode::NOT_FOUND, "once");
}
