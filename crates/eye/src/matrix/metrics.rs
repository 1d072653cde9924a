//! What `/metrics` tells, and what it never tells.
use super::{PHONE, Site, id, note};
use ledger::INTAKE;

impl Site {
    async fn metrics(&self) -> String {
        let got = self.ask(self.seat("administrator", "bearer"), "GET", "/metrics").await;
        assert_eq!(got.status, 200, "{}", got.text);
        assert!(got.text.ends_with("# EOF\n"), "{}", got.text);
        got.text
    }
}

fn value(text: &str, sample: &str) -> f64 {
    let line = text.lines().find_map(|l| l.strip_prefix(sample)?.strip_prefix(' '));
    line.unwrap_or_else(|| panic!("no {sample} in\n{text}")).parse().unwrap()
}

#[tokio::test]
async fn metrics_count_appends_commits_and_requests_as_they_happen() {
    let site = Site::new();
    let before = site.metrics().await;
    site.take(INTAKE, &note(&id(2), "EXERCISE counted"));
    let twice =
        site.node.intel.take(&site.local(), INTAKE, &[&note(&id(2), "EXERCISE counted")], ledger::Urgency::Bulk);
    assert!(matches!(twice.unwrap()[0].outcome, intel::Took::Same { .. }));
    let analyst = site.seat("analyst", "session").clone();
    for path in ["/search?q=EXERCISE+secret.example", &format!("/objects/{}", id(404)), "/nowhere/at/all"] {
        site.ask(&analyst, "GET", path).await;
    }
    let after = site.metrics().await;
    let grew = |sample: &str| value(&after, sample) - value(&before, sample);
    assert_eq!(grew("eye_log_entries"), 1.0);
    assert_eq!(grew("eye_appends_total"), 2.0);
    assert_eq!(grew("eye_entries_written_total{kind=\"stix\"}"), 1.0);
    assert_eq!(grew("eye_entries_same_total"), 1.0);
    assert!(grew("eye_commit_seconds_count") >= 1.0 && value(&after, "eye_commit_seconds_sum") > 0.0);
    assert_eq!(value(&after, "eye_commit_seconds_bucket{le=\"+Inf\"}"), value(&after, "eye_commit_seconds_count"));
    let route = |path: &str, status: &str| {
        format!("eye_http_requests_total{{door=\"pages\",method=\"GET\",route=\"{path}\",status=\"{status}\"}}")
    };
    assert_eq!(value(&after, &route("/search", "2xx")), 1.0);
    assert_eq!(value(&after, &route("/objects/{id}", "4xx")), 1.0);
    let none = "eye_http_request_duration_seconds_count{door=\"none\",method=\"*\",route=\"none\"}";
    assert_eq!(value(&after, none), 1.0);
    // The two pages, and the first look at the metrics.
    assert_eq!(grew("eye_access_log_rows_total"), 3.0);
    for sample in ["eye_stream_listeners", "eye_quarantine_records", "eye_quarantine_bytes"] {
        assert_eq!(value(&after, sample), 0.0, "{sample}");
    }
    for sample in ["eye_view_behind_entries{view=\"intel\"}", "eye_writer_queue_appends{urgency=\"bulk\"}"] {
        value(&after, sample);
    }
    assert_eq!(value(&after, "eye_appends_refused_total{why=\"conflict\"}"), 0.0);
    site.node.close();
}

#[tokio::test]
async fn metrics_name_nobody_and_nothing_that_stands_in_the_node() {
    let site = Site::new();
    site.hide();
    let analyst = site.seat("analyst", "session").clone();
    for path in ["/search?q=shared.example", &format!("/objects/{PHONE}"), "/private.example/+15550100"] {
        site.ask(&analyst, "GET", path).await;
    }
    let told = site.metrics().await;
    for word in ["EXERCISE", super::CANARY, ".example", "15550100", "note--", "phone-number--", "-token", "192.0.2"] {
        assert!(!told.contains(word), "{word} in\n{told}");
    }
    assert!(!told.contains(&site.closed.to_string()));
    site.node.close();
}

#[tokio::test]
async fn watching_a_node_does_not_let_it_grow_and_whoever_may_not_is_taken_down_each_time() {
    let site = Site::new();
    site.metrics().await;
    let size = |site: &Site| {
        let log = site.node.people.access_log();
        (log.head().unwrap().n, site.node.ledger.head().pos)
    };
    let (rows, entries) = size(&site);
    assert_eq!(rows, 1, "who watches is known");
    for _ in 0..50 {
        site.metrics().await;
    }
    let (now, head) = size(&site);
    // Two when a full hour struck meanwhile.
    assert!(now <= rows + 1 && head == entries, "{rows} rows became {now}, {entries} entries {head}");
    let rows = now;
    let told = site.metrics().await;
    let scrapes = "eye_http_requests_total{door=\"watch\",method=\"GET\",route=\"/metrics\",status=\"2xx\"}";
    assert_eq!(value(&told, scrapes), 51.0, "each is counted");
    for _ in 0..3 {
        assert_eq!(site.ask(site.seat("analyst", "bearer"), "GET", "/metrics").await.status, 403);
    }
    let (now, _) = size(&site);
    assert!((rows + 3..=rows + 4).contains(&now), "{rows} rows became {now}");
    site.node.close();
}
