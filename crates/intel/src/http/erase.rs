//! `/objects/{id}/erase`: a supervisor erases an object. What it does is said, and asked again, on a page of its own.
use super::object::named;
use super::shown::{Answer, blocking, page_of, problem, reason_of, tried};
use super::{Desk, Visitor};
use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use web::{Chrome, Field, Fields, Problem};

#[derive(Template)]
#[template(path = "intel_erase.html")]
struct ErasePage {
    chrome: Chrome,
    id: String,
    /// The object's page.
    back: String,
    action: String,
    errors: web::ErrorSummary,
    reason: Field,
}

pub(super) async fn ask(State(desk): State<Desk>, visitor: Visitor, Path(address): Path<String>) -> Answer {
    let id = named(&desk, &visitor, &address)?;
    draw(desk, visitor, id, web::ErrorSummary::default(), StatusCode::OK).await
}

async fn draw(desk: Desk, visitor: Visitor, id: String, errors: web::ErrorSummary, status: StatusCode) -> Answer {
    let Visitor { viewer, chrome, .. } = visitor;
    let (intel, asked) = (desk.intel.clone(), id.clone());
    // What the viewer does not see cannot be erased either, and is not told of.
    blocking(move || {
        let stands = intel.count_versions(&viewer, &asked)? > 0 || !intel.withdrawals(&viewer, &asked)?.is_empty();
        stands.then_some(()).ok_or(crate::Error::NotFound)
    })
    .await?;
    let back = page_of(&desk.intel, &id);
    let reason = Field::area("reason", chrome.t("intel-erase-reason"), 2)
        .hint(chrome.t("intel-erase-reason-hint"))
        .error(errors.of("reason"));
    let title = chrome.t("intel-erase-title");
    let page = ErasePage { action: format!("{back}/erase"), back, id, reason, errors, chrome: chrome.titled(title) };
    Ok(web::page_with(status, &page))
}

pub(super) async fn erase(
    State(desk): State<Desk>,
    visitor: Visitor,
    Path(address): Path<String>,
    sent: Fields,
) -> Answer {
    let id = named(&desk, &visitor, &address)?;
    let reason = match reason_of(&visitor.chrome, &sent) {
        Ok(reason) => reason,
        Err(errors) => return draw(desk, visitor, id, errors, StatusCode::UNPROCESSABLE_ENTITY).await,
    };
    let (intel, viewer) = (desk.intel.clone(), visitor.viewer.clone());
    tried(move || intel.expunge(&viewer, &id, &reason)).await?.map_err(|e| match e {
        crate::Error::NotFound => Problem::not_found(),
        other => problem(&other),
    })?;
    Ok(web::see_other("/?done=erased"))
}
