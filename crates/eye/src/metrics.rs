//! `/metrics`: what the machine does, as OpenMetrics text. Counts, durations, routes' patterns and the rooms' own words:
//! no content, no address, no name of anybody. Counters begin with the process.
use crate::http::problem;
use crate::node::{Node, Problem};
use axum::Extension;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use gate::{Answered, CLASSES, Tallies};
use ledger::{Counted, TimesRead};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, NoLabelSet, text::encode};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::{Registry, Unit};
use std::fmt;

/// What is looked at.
#[derive(Clone)]
pub struct Watched {
    pub node: Node,
    pub listeners: stream::Listeners,
}

/// One look.
#[derive(Debug)]
struct Look {
    head: u64,
    views: Vec<(&'static str, u64, u64)>,
    counted: Counted,
    answered: Vec<Answered>,
    listeners: usize,
    access_rows: u64,
    quarantine: (u64, u64),
}

type Labels<'a> = Vec<(&'static str, &'a str)>;

pub async fn metrics(State(watched): State<Watched>, Extension(tallies): Extension<Tallies>) -> Response {
    // On a blocking thread: two of the numbers stand in files.
    let looked = tokio::task::spawn_blocking(move || look(&watched, &tallies)).await;
    let look = match looked {
        Ok(Ok(look)) => look,
        Ok(Err(error)) => {
            tracing::error!(%error, "the metrics could not be read");
            return problem(500, "the metrics could not be read; the server's log says why");
        }
        Err(_) => return problem(500, "the metrics could not be read"),
    };
    let mut registry = Registry::with_prefix("eye");
    registry.register_collector(Box::new(look));
    let mut text = String::new();
    if encode(&mut text, &registry).is_err() {
        return problem(500, "the metrics could not be written");
    }
    ([(header::CONTENT_TYPE, "application/openmetrics-text; version=1.0.0; charset=utf-8")], text).into_response()
}

fn look(watched: &Watched, tallies: &Tallies) -> Result<Look, Problem> {
    let node = &watched.node;
    Ok(Look {
        head: node.ledger.head().pos,
        views: node.ledger.views().iter().map(|v| (v.name(), v.behind(), v.unfolded())).collect(),
        counted: node.ledger.counted(),
        answered: tallies.read(),
        listeners: watched.listeners.count(),
        access_rows: node.people.access_log().rows()?,
        quarantine: node.intel.quarantine_size()?,
    })
}

/// Writes families one after the other.
struct Page<'a>(DescriptorEncoder<'a>);

impl Page<'_> {
    fn gauges(&mut self, name: &str, help: &str, unit: Option<&Unit>, rows: &[(Labels<'_>, u64)]) -> fmt::Result {
        let mut family = self.0.encode_descriptor(name, help, unit, MetricType::Gauge)?;
        for (labels, value) in rows {
            let value = i64::try_from(*value).unwrap_or(i64::MAX);
            if labels.is_empty() {
                family.encode_gauge(&value)?;
            } else {
                family.encode_family(labels)?.encode_gauge(&value)?;
            }
        }
        Ok(())
    }

    fn counters(&mut self, name: &str, help: &str, rows: &[(Labels<'_>, u64)]) -> fmt::Result {
        let mut family = self.0.encode_descriptor(name, help, None, MetricType::Counter)?;
        for (labels, value) in rows {
            if labels.is_empty() {
                family.encode_counter::<NoLabelSet, _, f64>(value, None)?;
            } else {
                family.encode_family(labels)?.encode_counter::<NoLabelSet, _, f64>(value, None)?;
            }
        }
        Ok(())
    }

    fn seconds(&mut self, name: &str, help: &str, rows: &[(Labels<'_>, &TimesRead)]) -> fmt::Result {
        let mut family = self.0.encode_descriptor(name, help, Some(&Unit::Seconds), MetricType::Histogram)?;
        for (labels, times) in rows {
            if labels.is_empty() {
                family.encode_histogram::<NoLabelSet>(times.seconds, times.count, &times.buckets, None)?;
            } else {
                let mut row = family.encode_family(labels)?;
                row.encode_histogram::<NoLabelSet>(times.seconds, times.count, &times.buckets, None)?;
            }
        }
        Ok(())
    }
}

impl Collector for Look {
    fn encode(&self, encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let mut page = Page(encoder);
        self.ledger(&mut page)?;
        self.views(&mut page)?;
        self.requests(&mut page)?;
        page.gauges(
            "stream_listeners",
            "Who listens to the live stream now",
            None,
            &[(vec![], self.listeners as u64)],
        )?;
        page.counters(
            "access_log_rows",
            "Rows of the access log since the node was made",
            &[(vec![], self.access_rows)],
        )?;
        let (records, bytes) = self.quarantine;
        page.gauges("quarantine_records", "Records set aside by imports and kept", None, &[(vec![], records)])?;
        page.gauges("quarantine", "What they take", Some(&Unit::Bytes), &[(vec![], bytes)])
    }
}

impl Look {
    fn ledger(&self, page: &mut Page<'_>) -> fmt::Result {
        let Counted { appends, refused, entries, same, kept_out, commits, waiting_interactive, waiting_bulk } =
            &self.counted;
        page.gauges("log_entries", "Entries in the log", None, &[(vec![], self.head)])?;
        page.counters("appends", "Appends that are durable", &[(vec![], *appends)])?;
        let rows: Vec<_> = refused.iter().map(|(why, n)| (vec![("why", *why)], *n)).collect();
        page.counters("appends_refused", "Appends that came to nothing, by why", &rows)?;
        let rows: Vec<_> = entries.iter().map(|(kind, n)| (vec![("kind", kind.as_str())], *n)).collect();
        page.counters("entries_written", "Entries written, by kind", &rows)?;
        page.counters("entries_same", "Entries that were there already", &[(vec![], *same)])?;
        let help = "Entries not taken while the others of their append were";
        page.counters("entries_refused", help, &[(vec![], *kept_out)])?;
        page.seconds("commit", "One commit of entries to the disk, its fsync included", &[(vec![], commits)])?;
        let waiting = [("interactive", *waiting_interactive), ("bulk", *waiting_bulk)];
        let rows = waiting.map(|(urgency, n)| (vec![("urgency", urgency)], n as u64));
        page.gauges("writer_queue_appends", "Appends that wait for the writer", None, &rows)
    }

    fn views(&self, page: &mut Page<'_>) -> fmt::Result {
        let rows: Vec<_> = self.views.iter().map(|(view, behind, _)| (vec![("view", *view)], *behind)).collect();
        page.gauges("view_behind_entries", "Entries that a view has still to fold", None, &rows)?;
        let rows: Vec<_> = self.views.iter().map(|(view, _, n)| (vec![("view", *view)], *n)).collect();
        page.gauges("view_unfolded_entries", "Entries that a view could not read", None, &rows)
    }

    fn requests(&self, page: &mut Page<'_>) -> fmt::Result {
        let labels = |a: &Answered| vec![("door", a.line.door), ("method", a.line.method), ("route", a.line.path)];
        let mut rows = Vec::new();
        for a in &self.answered {
            for (class, n) in CLASSES.iter().zip(a.classes).filter(|(_, n)| *n > 0) {
                let mut labels = labels(a);
                labels.push(("status", class));
                rows.push((labels, n));
            }
        }
        page.counters("http_requests", "Requests answered, by route and status class", &rows)?;
        let rows: Vec<_> = self.answered.iter().map(|a| (labels(a), &a.took)).collect();
        page.seconds("http_request_duration", "From a request's head to its answer's", &rows)
    }
}
