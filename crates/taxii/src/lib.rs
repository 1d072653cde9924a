//! Owns the TAXII 2.1 door (OASIS Standard, 10 June 2021): its paths, media types, filters, pages and status resources.
//! Never touches SQL or the log: it asks the intelligence room, and what the viewer may not see is 404 like what is not.
//! Data flows one way: request → who asks → path and filters → the room → JSON, bodies byte for byte.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing))]

mod answer;
mod cursor;
mod door;
mod filter;
mod limits;
mod media;
mod status;

use answer::Answer;
use axum::body::{Body, to_bytes};
use axum::extract::State;
use axum::http::{HeaderMap, Method, Request, header};
use axum::response::Response;
use door::{Asked, Door};
use gate::{Caller, Refusal, Routes, Rule};
use intel::Intel;
pub use limits::Limits;
use people::Right;
pub use status::forget;

/// The media type of every answer (TAXII 2.1 §1.6.8).
pub const MEDIA: &str = "application/taxii+json;version=2.1";

/// Programs alone: no cookie counts, and refusals are TAXII's error messages.
static TAXII: gate::Door = gate::Door { name: "taxii", cookie: false, pages: false, logged: gate::Logged::Each, tell };

/// The door's routes. A rule says what a role may; which collections somebody sees and writes to, the door asks itself:
/// one that they do not see is 404 like one that is not.
pub fn routes(intel: Intel, limits: Limits) -> Routes {
    const OBJECTS: &str = "/taxii2/api/collections/{collection}/objects/";
    const OBJECT: &str = "/taxii2/api/collections/{collection}/objects/{object}/";
    let reads = Rule::Needs(Right::ReadBodies);
    let read = [
        ("/taxii2/", Rule::SignedIn),
        ("/taxii2/api/", Rule::SignedIn),
        ("/taxii2/api/status/{status}/", Rule::SignedIn),
        ("/taxii2/api/collections/", Rule::SignedIn),
        ("/taxii2/api/collections/{collection}/", Rule::SignedIn),
        ("/taxii2/api/collections/{collection}/manifest/", reads),
        (OBJECTS, reads),
        (OBJECT, reads),
        ("/taxii2/api/collections/{collection}/objects/{object}/versions/", reads),
    ];
    // Every other method and path is told in TAXII's own words that it is none.
    let routes = Routes::new(&TAXII)
        .any("/taxii2", Rule::SignedIn, handle)
        .any("/taxii2/{*path}", Rule::SignedIn, handle)
        .post(OBJECTS, Rule::Needs(Right::Write), handle)
        .delete(OBJECT, Rule::Needs(Right::Withdraw), handle);
    let with = |routes: Routes<Door>, (path, rule)| routes.get(path, rule, handle).any(path, Rule::SignedIn, handle);
    read.into_iter().fold(routes, with).with_state(Door::new(intel, limits))
}

fn tell(refusal: &Refusal) -> Response {
    let answer = Answer::error(refusal.status(), refusal.words());
    match refusal.status() {
        401 => answer
            .with(header::WWW_AUTHENTICATE, "Bearer realm=\"eye\"")
            .with(header::WWW_AUTHENTICATE, "Basic realm=\"eye\", charset=\"UTF-8\""),
        _ => answer,
    }
    .into_response()
}

/// The gate has asked who is there before the body is read: a stranger's hundred megabytes are not.
async fn handle(State(door): State<Door>, Caller { viewer, about }: Caller, request: Request<Body>) -> Response {
    let (parts, body) = request.into_parts();
    let body = match read(door.limits.body, &parts.method, &parts.headers, body).await {
        Ok(body) => body,
        Err(answer) => return answer.into_response(),
    };
    let at_once = parts.method == Method::GET && door.at_once(parts.uri.path());
    let work = move || {
        let asked = Asked {
            method: parts.method.as_str(),
            path: parts.uri.path(),
            query: parts.uri.query().unwrap_or(""),
            accept: text(&parts.headers, &header::ACCEPT),
            content_type: text(&parts.headers, &header::CONTENT_TYPE),
            body: &body,
        };
        door.answer(&viewer, &asked)
    };
    // A read of one object takes less time than handing it to another thread and back.
    let answered = if at_once { Ok(work()) } else { tokio::task::spawn_blocking(work).await };
    match answered {
        Ok(answer) => {
            about.objects(&answer.ids);
            about.count(answer.objects);
            answer.into_response()
        }
        Err(_) => Answer::error(500, "the request could not be worked on").into_response(),
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &header::HeaderName) -> Option<&'a str> {
    headers.get(name).and_then(|v| v.to_str().ok())
}

async fn read(most: usize, method: &Method, headers: &HeaderMap, body: Body) -> Result<Vec<u8>, Answer> {
    if *method != Method::POST {
        return Ok(Vec::new());
    }
    if let Some(encoding) = text(headers, &header::CONTENT_ENCODING).filter(|e| !e.eq_ignore_ascii_case("identity")) {
        return Err(Answer::error(415, format!("send the body as it is: `Content-Encoding: {encoding}` is not read")));
    }
    let too_large =
        || Answer::error(413, format!("the body is larger than {most} bytes; send fewer objects at a time"));
    if text(headers, &header::CONTENT_LENGTH).and_then(|l| l.parse::<usize>().ok()).is_some_and(|l| l > most) {
        return Err(too_large());
    }
    to_bytes(body, most).await.map(Vec::from).map_err(|_| too_large())
}

/// What is fuzzed (`cargo fuzz` sets the cfg), and what tests replay.
#[cfg(any(test, fuzzing))]
#[doc(hidden)]
#[path = "../fuzz/targets.rs"]
pub mod fuzzing;
