//! `/ledger`: how long the log is, what was signed, how far the views are.
use crate::office::{Office, blocking, refused};
use crate::shown::{columns, moment};
use askama::Template;
use axum::extract::State;
use axum::response::Response;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use gate::Visitor;
use jiff::Timestamp;
use people::{Error, Right};
use web::parts::Column;
use web::{Chrome, Problem};

struct Head {
    title: String,
    id: String,
    entries: u64,
    root: String,
    note: String,
}

struct Room {
    name: &'static str,
    position: u64,
    behind: u64,
    unfolded: u64,
}

#[derive(Template)]
#[template(path = "office_ledger.html")]
struct LedgerPage {
    chrome: Chrome,
    origin: String,
    entries: u64,
    newest: Option<Timestamp>,
    unfolded: u64,
    /// Whether the viewer has the machine's command line at hand.
    manages: bool,
    head_columns: Vec<Column>,
    heads: Vec<Head>,
    room_columns: Vec<Column>,
    rooms: Vec<Room>,
    checkpoint: Option<String>,
}

/// `GET /ledger`. Collections that the viewer does not know of are not named, and neither are their sizes.
pub(crate) async fn page(State(office): State<Office>, visitor: Visitor) -> Result<Response, Problem> {
    let Visitor { viewer, chrome, .. } = visitor.titled("office-ledger-title");
    let (ledger, people) = (office.ledger().clone(), office.people().clone());
    let manages = viewer.may(Right::ManageMachine);
    let (known, signed, checkpoint) =
        blocking(move || Ok((people.collections(&viewer)?, ledger.heads()?, ledger.checkpoint()?)))
            .await?
            .map_err(|e: Error| refused(&e))?;
    let heads = signed.into_iter().filter_map(|signed| {
        let collection = known.iter().find(|c| *c.id.as_bytes() == signed.head.collection)?;
        Some(Head {
            title: collection.title().to_owned(),
            id: collection.id.to_string(),
            entries: signed.head.size,
            root: STANDARD.encode(signed.head.root),
            note: signed.note,
        })
    });
    let ledger = office.ledger();
    let rooms: Vec<Room> = ledger
        .views()
        .iter()
        .map(|v| Room { name: v.name(), position: v.position(), behind: v.behind(), unfolded: v.unfolded() })
        .collect();
    let head = ledger.head();
    let mut head_columns =
        columns(&chrome, &["office-col-collection", "office-col-entries", "office-col-root", "office-col-note"]);
    let mut room_columns =
        columns(&chrome, &["office-col-room", "office-col-position", "office-col-behind", "office-col-unfolded"]);
    head_columns.iter_mut().skip(1).take(1).chain(room_columns.iter_mut().skip(1)).for_each(|c| c.numeric = true);
    let page = LedgerPage {
        origin: ledger.origin().to_owned(),
        entries: head.pos,
        newest: (head.pos > 0).then(|| moment(head.arrived)),
        manages,
        unfolded: rooms.iter().map(|room| room.unfolded).sum(),
        head_columns,
        heads: heads.collect(),
        room_columns,
        rooms,
        checkpoint,
        chrome,
    };
    Ok(web::page(&page))
}
