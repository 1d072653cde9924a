use people::Viewer;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use web::Chrome;

/// Ids of one request that are named; of more, how many there were.
const NAMED: usize = 50;

/// What an answer was about, for the access log. A handler names the objects that it shows, also when it then fails.
#[derive(Clone, Default)]
pub struct About(Arc<Mutex<Said>>);

#[derive(Default)]
pub(crate) struct Said {
    pub(crate) ids: Vec<String>,
    pub(crate) objects: usize,
    pub(crate) query: Option<String>,
    /// Who came in by this very request.
    pub(crate) came_in: Option<Viewer>,
    /// The frame of the page that was asked for, which its error page keeps.
    pub(crate) chrome: Option<Chrome>,
}

impl Said {
    /// Notes an id, as far as there is room; whether it is a new one.
    fn name(&mut self, id: &str) -> bool {
        if self.ids.iter().any(|known| known == id) {
            return false;
        }
        if self.ids.len() < NAMED {
            self.ids.push(id.to_owned());
        }
        true
    }
}

impl About {
    pub(crate) fn said(&self) -> MutexGuard<'_, Said> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The answer is about these objects.
    pub fn objects(&self, ids: impl IntoIterator<Item = impl AsRef<str>>) {
        let mut said = self.said();
        for id in ids {
            said.objects += usize::from(said.name(id.as_ref()));
        }
    }

    /// The request was about what has these ids and is no object: an account, a link.
    pub fn named(&self, ids: impl IntoIterator<Item = impl AsRef<str>>) {
        let mut said = self.said();
        for id in ids {
            said.name(id.as_ref());
        }
    }

    /// Nobody had signed in when the request came, and this is who came in by it: its row is theirs.
    pub fn came_in(&self, viewer: &Viewer) {
        self.said().came_in = Some(viewer.clone());
    }

    /// The answer is about so many objects, however many are named.
    pub fn count(&self, objects: usize) {
        let mut said = self.said();
        said.objects = said.objects.max(objects);
    }

    /// What was searched for: the log keeps its keyed hash alone.
    pub fn asked(&self, query: &str) {
        self.said().query = Some(query.to_owned());
    }
}
