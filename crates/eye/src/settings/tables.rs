//! Each table of `eye.toml` with its keys: default, least and greatest value. The defaults are the rooms' own.
use serde::{Deserialize, Serialize};

/// A bound: `table.key`, the least and the greatest that may be written.
pub type Range = (&'static str, u64, u64);

macro_rules! table {
    ($(#[$about:meta])* $name:ident in $table:literal: $($(#[$doc:meta])* $key:ident = $default:expr, $least:expr, $most:expr;)+) => {
        $(#[$about])*
        #[derive(Debug, Clone, Serialize, Deserialize)]
        #[serde(deny_unknown_fields, default)]
        pub struct $name {
            $($(#[$doc])* pub $key: u64,)+
        }

        impl Default for $name {
            fn default() -> Self {
                Self { $($key: number($default),)+ }
            }
        }

        impl $name {
            pub const RANGES: &[Range] = &[$((concat!($table, ".", stringify!($key)), $least, $most),)+];
        }
    };
}

/// No key's value is larger: TOML's integers are signed.
fn number(value: impl TryInto<u64>) -> u64 {
    value.try_into().unwrap_or(u64::MAX)
}

const GIB: u64 = 1 << 30;
const TIB: u64 = 1 << 40;
/// Seconds.
const DAY: u64 = 86_400;

table! { Import in "import":
    /// Bytes of one file after decompression.
    file_bytes = formats::Limits::default().max_input_bytes, 1, TIB;
    /// Bytes of one record.
    record_bytes = formats::Limits::default().max_object_bytes, 1, GIB;
    /// Records of one file.
    records = formats::Limits::default().max_records, 1, 1_000_000_000;
    /// Levels of nesting: each is a call on the reader's stack.
    depth = formats::Limits::default().max_depth, 1, 127;
    /// Bytes of lookup tables held while reading one file.
    held_bytes = formats::Limits::default().max_held_bytes, 1, 64 * GIB;
}

table! { Fetch in "fetch":
    /// Bytes of one answer as sent.
    bytes = 4 * GIB, 1, TIB;
    /// Seconds until a connection stands.
    connect_seconds = 15, 1, 3_600;
    /// Seconds without a byte.
    idle_seconds = 60, 1, 3_600;
    /// Seconds for all of it.
    seconds = 7_200, 1, 7 * DAY;
    /// Redirects that are followed.
    redirects = 5, 0, 20;
}

table! { Quarantine in "quarantine":
    /// Bytes kept of one record.
    record_bytes = intel::Limits::default().file.max_kept_bytes, 1, GIB;
    /// Records kept of one import.
    import_records = intel::Limits::default().aside_records, 1, 1_000_000_000;
    /// Bytes kept of one import.
    import_bytes = intel::Limits::default().aside_bytes, 1, TIB;
    /// Bytes kept in all.
    total_bytes = intel::Limits::default().aside_total, 1, TIB;
}

table! { Pages in "pages":
    /// Bytes of an uploaded file.
    upload_bytes = intel::Limits::default().upload, 1, 64 * GIB;
    /// Milliseconds that a request waits for a view.
    patience_ms = intel::Limits::default().patience.as_millis(), 1, 60_000;
}

table! { SignIn in "sign_in":
    /// Minutes that a session lasts, whatever it does.
    session_minutes = people::Lasting::default().whole, 1, 43_200;
    /// Minutes that a session lasts without a request.
    idle_minutes = people::Lasting::default().idle, 1, 43_200;
    /// Sessions of one account at a time.
    sessions = people::Lasting::default().sessions, 1, 1_000;
    /// Wrong attempts on one account that cost nothing. The greatest keeps guessing hopeless.
    account_tries = people::Guessing::default().account, 1, 100;
    /// Wrong attempts from one address that cost nothing.
    address_tries = people::Guessing::default().address, 1, 10_000;
    /// The longest pause after wrong attempts, seconds. The least keeps guessing slow.
    pause_seconds = people::Guessing::default().longest, 60, DAY;
    /// Seconds without an attempt until wrong ones are forgotten.
    forget_seconds = people::Guessing::default().forget, 60, 30 * DAY;
}

table! { AccessLog in "access_log":
    /// Days after which its rows are forgotten; 0 = never.
    keep_days = 0, 0, 36_500;
}

impl AccessLog {
    /// How long rows stay; `None` = for ever.
    pub fn keep(&self) -> Option<std::time::Duration> {
        (self.keep_days > 0).then(|| std::time::Duration::from_secs(self.keep_days * DAY))
    }
}

table! { Server in "server":
    /// Connections at a time.
    connections = crate::guard::Limits::default().connections, 1, 100_000;
    /// Seconds until a request's head is whole.
    head_seconds = crate::guard::Limits::default().head.as_secs(), 1, 3_600;
    /// Seconds that a request's body may pause.
    body_pause_seconds = gate::BODY_PAUSE.as_secs(), 1, 3_600;
}

table! { Taxii in "taxii":
    /// Bytes of a body. It is held in memory while it is read.
    body_bytes = taxii::Limits::default().body, 1_024, GIB;
    /// Objects of one envelope that is posted. Each has its line in the answer and in the status resource.
    post_objects = taxii::Limits::default().objects, 1, 1_000_000;
    /// Objects on a page when the client names no number.
    page_objects = taxii::Limits::default().page, 1, 100_000;
    /// Objects on a page at most.
    page_most = taxii::Limits::default().most, 1, 100_000;
    /// Bytes after which a page takes no further object; the first always has its place.
    page_bytes = taxii::Limits::default().page_bytes, 1_024, GIB;
    /// Values that one filter may hold: the database takes no more.
    filter_values = taxii::Limits::default().values, 1, 5_000;
    /// Hours that a status resource is kept; the standard asks for a day (TAXII 2.1 §4.3).
    status_hours = taxii::Limits::default().status.as_secs() / 3_600, 24, 24 * 365;
}

table! { Stream in "stream":
    /// Listeners at a time.
    listeners = stream::Limits::default().listeners, 1, 10_000;
    /// Listeners of one account.
    account_listeners = stream::Limits::default().of_account, 1, 10_000;
    /// Entries that are read for a listener at a time.
    batch_entries = stream::Limits::default().batch, 1, 10_000;
    /// Seconds after which a quiet stream shows that it lives.
    heartbeat_seconds = stream::Limits::default().heartbeat.as_secs(), 1, 300;
    /// Bytes after which a batch takes no further entry; the first always has its place.
    batch_bytes = stream::Limits::default().batch_bytes, 1_024, GIB;
    /// Entries that the view may lack while the stream goes on without waiting for it.
    unfolded_entries = stream::Limits::default().unfolded, 1, 1_000_000;
    /// Seconds that a batch waits for the view when it lacks more.
    unfolded_seconds = stream::Limits::default().lag.as_secs(), 1, 60;
}
