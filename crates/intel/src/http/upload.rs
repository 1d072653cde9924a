//! Files that a form brings: each becomes an import of its own.
use super::import::draw;
use super::report::{placed, places};
use super::shown::{Answer, now, problem, tried};
use super::{Desk, Visitor};
use crate::{ImportJob, Reason};
use axum::extract::{Multipart, State};
use axum::http::StatusCode;
use std::sync::Arc;
use web::chrome::FlashKind;
use web::{Chrome, ErrorSummary, Fields, Problem};

/// Files of one form at most.
const FILES: usize = 50;
/// Bytes of a field beside the files.
const FIELD: usize = 10_000;
/// Bytes of a mapping.
const MAPPING: usize = 100_000;

/// A form with files: the fields, each file's name and bytes.
pub(crate) struct Sent {
    fields: Fields,
    files: Vec<(String, Vec<u8>)>,
    /// Of CSV files; empty when none was chosen.
    mapping: Vec<u8>,
}

/// Reads a form; its files have `most` bytes together.
pub(crate) async fn receive(mut form: Multipart, most: usize) -> Result<Sent, Problem> {
    let mut pairs: Vec<(String, String)> = Vec::new();
    let (mut files, mut mapping, mut left) = (Vec::new(), Vec::new(), most);
    while let Some(mut field) = form.next_field().await.map_err(|_| Problem::too_large(most))? {
        let key = field.name().unwrap_or_default().to_owned();
        let name = field.file_name().map(own_name).unwrap_or_default();
        let room = match key.as_str() {
            "file" => left,
            "mapping" => MAPPING,
            _ => FIELD,
        };
        let mut bytes = Vec::new();
        while let Some(chunk) = field.chunk().await.map_err(|_| Problem::too_large(most))? {
            if bytes.len() + chunk.len() > room {
                return Err(Problem::too_large(most));
            }
            bytes.extend_from_slice(&chunk);
        }
        if key == "file" {
            left -= bytes.len();
            // A browser sends a field without a name when no file was chosen.
            if !(name.is_empty() && bytes.is_empty()) {
                files.push((name, bytes));
            }
        } else if key == "mapping" {
            mapping = bytes;
        } else {
            pairs.push((key, String::from_utf8_lossy(&bytes).into_owned()));
        }
        if files.len() > FILES {
            return Err(Problem::bad_request("intel-files-too-many"));
        }
        if pairs.len() > web::form::FIELDS_LIMIT {
            return Err(Problem::bad_request("form-too-many-fields"));
        }
    }
    let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
    Ok(Sent { fields: Fields::parse(body.as_bytes())?, files, mapping })
}

/// A file's name without the folders before it, whatever system it comes from.
fn own_name(sent: &str) -> String {
    sent.rsplit(['/', '\\']).next().unwrap_or_default().chars().take(200).collect()
}

pub(super) async fn upload(State(desk): State<Desk>, visitor: Visitor, form: Multipart) -> Answer {
    let Ok(_permit) = Arc::clone(&desk.uploads).try_acquire_owned() else {
        return Err(Problem::unavailable().because("intel-uploads-busy"));
    };
    let sent = receive(form, desk.intel.limits().upload).await?;
    visitor.check_csrf(&sent.fields)?;
    let places = places(&desk, &visitor).await?;
    if places.is_empty() {
        return Err(Problem::forbidden());
    }
    let mut errors = ErrorSummary::default();
    let format = match sent.fields.text("format") {
        "" => None,
        word => {
            let known = formats::Format::all().iter().find(|f| f.as_str() == word).copied();
            if known.is_none() {
                errors.push("format", visitor.chrome.t("intel-format-wrong"));
            }
            known
        }
    };
    if sent.files.iter().all(|(_, bytes)| bytes.is_empty()) {
        errors.push("file", visitor.chrome.t("intel-file-missing"));
    }
    let mapping = mapping(&visitor.chrome, &sent.mapping, &mut errors);
    let place = placed(&visitor.chrome, &places, &sent.fields, &mut errors);
    let Some((place, marking)) = place.filter(|_| errors.is_empty()) else {
        return draw(desk, visitor, &places, &sent.fields, None, errors, StatusCode::UNPROCESSABLE_ENTITY).await;
    };
    desk.once.spend(&visitor.chrome.csrf, sent.fields.text("once"), now())?;
    let Sent { fields, files, .. } = sent;
    let (desk_too, viewer, several) = (desk.clone(), visitor.viewer.clone(), files.len() > 1);
    let collection = Some(place.id);
    let job = move |source| ImportJob {
        source,
        format,
        collection,
        marking,
        mapping: mapping.clone(),
        ..ImportJob::default()
    };
    let take = move |name: &str, bytes: &[u8]| {
        let report = desk_too.intel.import(&viewer, &job(name.to_owned()), Box::new(bytes), &mut |_| {})?;
        let number = report.import;
        desk_too.remember(viewer.account(), report);
        Ok(number)
    };
    let (taken, refused) = tried(move || take_each(&files, &take)).await?.map_err(|e| problem(&e))?;
    match (taken.as_slice(), refused.is_empty()) {
        ([import], true) => Ok(web::see_other(&format!("/import/{}", desk.intel.mark_of(*import)))),
        (_, true) => Ok(web::see_other("/import?done=files")),
        // The files' own fault, told to who sent them.
        (taken, false) => {
            for (name, refused) in &refused {
                let why = match refused {
                    Refused::Empty => visitor.chrome.t("intel-file-empty"),
                    Refused::Unread(error) => unread(&visitor.chrome, error),
                    Refused::NotNow => visitor.chrome.t("intel-file-not-now"),
                };
                let named = visitor.chrome.t2("intel-file-named", "name", name.as_str(), "why", why.as_str());
                errors.push_each("file", if several { named } else { why });
            }
            let mut visitor = visitor;
            if !taken.is_empty() {
                let text = visitor.chrome.t1("intel-files-taken", "n", taken.len());
                visitor.chrome = visitor.chrome.with_notice(FlashKind::Done, text);
            }
            draw(desk, visitor, &places, &fields, None, errors, StatusCode::UNPROCESSABLE_ENTITY).await
        }
    }
}

/// Numbers of the imports that files became, and the files that were not taken, each with why.
type Taken = (Vec<u64>, Vec<(String, Refused)>);

/// Takes one file, by its name and bytes; the number of its import.
type Take<'a> = dyn Fn(&str, &[u8]) -> crate::Result<Option<u64>> + 'a;

/// Why a file was not taken.
#[derive(Debug)]
enum Refused {
    /// There is nothing in it.
    Empty,
    /// What was wrong with it.
    Unread(crate::Error),
    /// The node could take no more: the file's turn did not come, or it was the one at which that showed.
    NotNow,
}

/// Takes one file after the other: each is an import of its own, and one that cannot be read keeps none from being taken.
/// When the node itself can go on no more, what was taken before is still told; if that was nothing, its error is all there is
/// to say.
fn take_each(files: &[(String, Vec<u8>)], take: &Take<'_>) -> crate::Result<Taken> {
    let (mut taken, mut refused, mut stopped) = (Vec::new(), Vec::new(), false);
    for (name, bytes) in files {
        let why = match bytes.is_empty() {
            true => Refused::Empty,
            false if stopped => Refused::NotNow,
            false => match take(name, bytes) {
                Ok(import) => {
                    taken.extend(import);
                    continue;
                }
                Err(e) if e.status() == 422 => Refused::Unread(e),
                Err(e) if taken.is_empty() => return Err(e),
                Err(error) => {
                    tracing::error!(%error, "not every file of a form could be taken");
                    stopped = true;
                    Refused::NotNow
                }
            },
        };
        refused.push((name.clone(), why));
    }
    Ok((taken, refused))
}

/// The mapping that was sent, if one was; what is wrong with it stands beside its field.
fn mapping(chrome: &Chrome, sent: &[u8], errors: &mut ErrorSummary) -> Option<formats::Mapping> {
    if sent.is_empty() {
        return None;
    }
    let read = formats::Mapping::parse(&String::from_utf8_lossy(sent));
    read.map_err(|e| errors.push("mapping", chrome.t1("intel-mapping-wrong", "why", e.to_string()))).ok()
}

/// Why a file was not taken at all.
fn unread(chrome: &Chrome, error: &crate::Error) -> String {
    // What these say in words are options of a command, which is not at hand here.
    let e = match error {
        crate::Error::Format(_) => return chrome.t("intel-file-format"),
        crate::Error::Read(formats::ReadError::Options(_)) => return chrome.t("intel-file-operator"),
        crate::Error::Read(e) => e,
        other => return chrome.t1("intel-file-refused", "why", other.to_string()),
    };
    let reason = Reason::from(e);
    chrome.t2("intel-file-unread", "why", chrome.l.said("aside", reason.code), "detail", reason.detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(names: &[&str]) -> Vec<(String, Vec<u8>)> {
        names.iter().map(|name| ((*name).to_owned(), if *name == "empty" { Vec::new() } else { vec![1] })).collect()
    }

    /// Takes every file but those whose name says how they fail.
    fn take(name: &str, _: &[u8]) -> crate::Result<Option<u64>> {
        match name {
            "unread" => Err(formats::ReadError::Options("EXERCISE".into()).into()),
            "full" => Err(ledger::Error::Closed.into()),
            _ => Ok(Some(7)),
        }
    }

    #[test]
    fn what_was_taken_is_told_also_when_the_node_can_go_on_no_more() {
        let (taken, refused) = take_each(&files(&["a", "unread", "full", "empty", "b"]), &take).unwrap();
        assert_eq!(taken, [7]);
        let why: Vec<String> = refused.iter().map(|(name, why)| format!("{name} {why:?}")).collect();
        assert!(why[0].starts_with("unread Unread"), "{why:?}");
        assert_eq!(why[1..], ["full NotNow", "empty Empty", "b NotNow"]);
    }

    #[test]
    fn an_error_of_the_nodes_before_anything_was_taken_is_the_answer() {
        assert!(take_each(&files(&["unread", "full", "b"]), &take).is_err());
    }
}
