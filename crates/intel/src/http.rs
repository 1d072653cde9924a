//! The room's pages: overview, search, objects, reports, imports, feeds. Each reads through a [`people::Viewer`].
mod address;
mod erase;
mod exercise;
mod feeds;
pub(crate) mod import;
mod object;
mod object_pages;
mod overview;
mod report;
mod search;
mod selector;
mod shown;
mod text;
pub(crate) mod upload;
mod withdrawn;

use crate::{ImportReport, Intel};
use axum::extract::DefaultBodyLimit;
use axum::handler::Handler;
use gate::{PAGES, Routes, Rule, Visitor};
use people::Right;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

/// The room's English strings, for [`web::Catalogue::new`].
pub const FTL: &str = include_str!("../i18n/en/intel.ftl");

/// What the multipart form may have around the file.
const AROUND: usize = 1 << 20;
/// Files that are taken at the same time, since each stands in memory.
const UPLOADS: usize = 2;
/// Reports of imports that are remembered for those who made them.
const REMEMBERED: usize = 50;

/// What the handlers share.
#[derive(Clone)]
pub(crate) struct Desk {
    intel: Intel,
    once: web::OnceTokens,
    uploads: Arc<tokio::sync::Semaphore>,
    /// Import, account, and what was said: reasons are shown to nobody but who sent the file.
    reports: Arc<Mutex<VecDeque<(u64, u32, ImportReport)>>>,
}

impl Desk {
    fn new(intel: Intel) -> Self {
        // Fresh for each process: tokens of before a restart are void, as what was spent is forgotten.
        let key = ledger::keyed_id(intel.inner.keys.index_hmac(), &[b"once", uuid::Uuid::new_v4().as_bytes()]);
        Self {
            intel,
            once: web::OnceTokens::new(web::Csrf::new(key)),
            uploads: Arc::new(tokio::sync::Semaphore::new(UPLOADS)),
            reports: Arc::default(),
        }
    }

    fn remember(&self, account: u32, report: ImportReport) {
        let Some(pos) = report.import else { return };
        let mut reports = self.reports.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        reports.push_front((pos, account, report));
        reports.truncate(REMEMBERED);
    }

    fn remembered(&self, account: u32, pos: u64) -> Option<ImportReport> {
        let reports = self.reports.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        reports.iter().find(|(p, a, _)| *p == pos && *a == account).map(|(_, _, r)| r.clone())
    }
}

/// The room's pages.
pub fn routes(intel: Intel) -> Routes {
    let reads = Rule::Needs(Right::ReadBodies);
    let (imports, withdraws) = (Rule::Needs(Right::Import), Rule::Needs(Right::Withdraw));
    Routes::new(&PAGES)
        .get("/", Rule::SignedIn, overview::overview)
        .get("/search", reads, search::search)
        .post("/search", reads, search::ask)
        .get("/objects/{id}", reads, object::object)
        .post("/objects/{id}/withdraw", withdraws, object::withdraw)
        .get("/objects/{id}/erase", Rule::Needs(Right::Expunge), erase::ask)
        .post("/objects/{id}/erase", Rule::Needs(Right::Expunge), erase::erase)
        .get("/selectors", reads, selector::selector)
        .post("/selectors/overrule", Rule::Needs(Right::OverruleLinks), selector::overrule)
        .get("/exercise-world", withdraws, exercise::ask)
        .post("/exercise-world", withdraws, exercise::remove)
        .get("/report", imports, report::form)
        .post("/report", imports, report::save)
        .get("/import", imports, import::list)
        .upload(
            "/import",
            imports,
            upload::upload.layer(DefaultBodyLimit::max(intel.limits().upload.saturating_add(AROUND))),
        )
        .get("/import/{import}", reads, import::one)
        .post("/import/{import}/withdraw", withdraws, import::withdraw)
        .get("/feeds", Rule::SignedIn, feeds::feeds)
        .with_state(Desk::new(intel))
}
