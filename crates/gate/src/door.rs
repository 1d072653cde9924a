use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use people::{AuthError, Right};
use web::Problem;
use web::csrf::CsrfError;

/// What the routes of one door have in common.
#[derive(Debug)]
pub struct Door {
    /// Its name in tables.
    pub name: &'static str,
    /// Whether a browser's session counts, beside the `Authorization` header.
    pub cookie: bool,
    /// Whether it is one of pages: a stranger's browser is led to the sign-in, and what changes something must be a
    /// form of this very session.
    pub pages: bool,
    /// Which of its requests stand in the access log.
    pub logged: Logged,
    /// How a refusal is told.
    pub tell: fn(&Refusal) -> Response,
}

/// Which requests are taken down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Logged {
    /// Each.
    Each,
    /// What is refused or fails, each; what is answered, once an hour for each account and route. For what a machine asks
    /// for every few seconds and what says nothing about anybody: a row each time would let the node grow by being watched.
    Hourly,
    /// None: what everybody may have.
    None,
}

/// Pages for people.
pub static PAGES: Door = Door { name: "pages", cookie: true, pages: true, logged: Logged::Each, tell: problem };
/// JSON for programs, which send no cookie.
pub static API: Door = Door { name: "api", cookie: false, pages: false, logged: Logged::Each, tell: problem };
/// Numbers of the machine for whoever watches it. Its requests are counted like all others.
pub static WATCH: Door = Door { name: "watch", cookie: false, pages: false, logged: Logged::Hourly, tell: problem };
/// What everybody may have and nobody needs to have had: assets, health.
pub static PUBLIC: Door = Door { name: "public", cookie: false, pages: false, logged: Logged::None, tell: problem };

/// Why somebody does not pass. It says nothing of what stands behind the door.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// No credentials, or (`ended`) a session that stands no more. 401.
    SignIn {
        /// There was a session's cookie.
        ended: bool,
    },
    /// Credentials that are not accepted. 401.
    Refused,
    /// The role has not the right. 403.
    Forbidden(Right),
    /// A form of another session, or of another site. 403.
    Form(CsrfError),
    /// Too many wrong attempts. 429.
    Wait {
        /// Until the next.
        seconds: u64,
    },
    /// The form is too large. 413.
    TooLarge,
    /// The node cannot say yet. 503.
    Behind,
    /// Who asks cannot be taken down, so nothing is read. 503.
    Unlogged,
    /// The node's own fault, told to its log. 500.
    Broken,
}

impl From<AuthError> for Refusal {
    fn from(error: AuthError) -> Self {
        match error {
            AuthError::Ended => Self::SignIn { ended: true },
            AuthError::Refused | AuthError::NeedsCode => Self::Refused,
            AuthError::Throttled { retry_after } => Self::Wait { seconds: retry_after },
            AuthError::People(error) if error.status() == 503 => Self::Behind,
            AuthError::People(error) => {
                tracing::error!(%error, "it could not be said who asks");
                Self::Broken
            }
        }
    }
}

impl Refusal {
    /// The HTTP status.
    pub fn status(&self) -> u16 {
        match self {
            Self::SignIn { .. } | Self::Refused => 401,
            Self::Forbidden(_) | Self::Form(_) => 403,
            Self::TooLarge => 413,
            Self::Wait { .. } => 429,
            Self::Behind | Self::Unlogged => 503,
            Self::Broken => 500,
        }
    }

    /// In words, for programs.
    pub fn words(&self) -> String {
        match self {
            Self::SignIn { .. } | Self::Refused => "send a bearer token, or a name and password as Basic".into(),
            Self::Forbidden(right) => format!("your role may not {}", right.as_str()),
            Self::Form(error) => error.to_string(),
            Self::TooLarge => "the form is too large".into(),
            Self::Wait { seconds } => format!("too many attempts; try again in {seconds} s"),
            Self::Behind => "the node is catching up; ask again in a moment".into(),
            Self::Unlogged => {
                "the node cannot write its access log, so nothing is read; the server's log says why".into()
            }
            Self::Broken => "the request could not be worked on; the server's log says why".into(),
        }
    }

    /// Seconds for `Retry-After`.
    pub(crate) fn retry_after(&self) -> Option<u64> {
        match self {
            Self::Wait { seconds } => Some(*seconds),
            Self::Behind => Some(1),
            _ => None,
        }
    }
}

/// As the hall tells problems: a page, a part of one, or RFC 9457 JSON.
fn problem(refusal: &Refusal) -> Response {
    let told = match refusal {
        Refusal::Form(error) => Problem::from(*error),
        other => Problem::of(StatusCode::from_u16(other.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)),
    };
    let mut response = told.into_response();
    if response.status() == StatusCode::UNAUTHORIZED {
        // Never Basic: a browser would ask for a password in a window of its own, and send it with every form.
        response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"eye\""));
    }
    response
}
