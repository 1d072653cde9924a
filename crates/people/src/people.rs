use crate::authenticate::Door;
use crate::entry::{LOCAL, NodeBody, Purpose, Sort};
use crate::snapshot::Snapshot;
use crate::view::{self, AccountRow};
use crate::viewer::Inner as ViewerInner;
use crate::{Account, Collection, Credential, Error, Options, Result, Right, Role, Viewer};
use ledger::{CollectionId, Ledger, View};
use std::sync::{Arc, Mutex, PoisonError, RwLock, Weak};
use std::time::Duration;

/// A Viewer is always current, so a request waits this long for the people's view and is then refused.
const PATIENCE: Duration = Duration::from_secs(2);

/// The hall: who is who and who sees what. Cloning is cheap; there is one for a ledger.
#[derive(Clone)]
pub struct People {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) ledger: Ledger,
    view: View,
    snapshot: RwLock<Arc<Snapshot>>,
    refreshing: Mutex<()>,
    pub(crate) door: Door,
}

impl std::fmt::Debug for People {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("People").finish_non_exhaustive()
    }
}

/// The halls of this process by their ledger's address, which is not given away while a hall holds the ledger.
static OPEN: Mutex<Vec<(usize, Weak<Inner>)>> = Mutex::new(Vec::new());

impl People {
    /// Opens the hall on a ledger that was opened with [`crate::room`] among its rooms.
    ///
    /// # Errors
    /// [`ledger::Error::Folder`] when the room is not there; the storage's.
    pub fn open(ledger: &Ledger) -> Result<Self> {
        Self::open_with(ledger, Options::default())
    }

    /// As [`People::open`], with other costs and times. Opened again, it is the same hall, with the first one's.
    ///
    /// # Errors
    /// As [`People::open`].
    pub fn open_with(ledger: &Ledger, options: Options) -> Result<Self> {
        // Two halls on one ledger would each believe their own memory: a token that one revoked would open the other.
        let this = std::ptr::from_ref(ledger.folder()).addr();
        let mut open = OPEN.lock().unwrap_or_else(PoisonError::into_inner);
        open.retain(|(_, hall)| hall.strong_count() > 0);
        if let Some(inner) = open.iter().filter(|(at, _)| *at == this).find_map(|(_, hall)| hall.upgrade()) {
            return Ok(Self { inner });
        }
        let inner = Arc::new(Inner {
            view: ledger.view(view::NAME)?,
            door: Door::open(ledger, options)?,
            ledger: ledger.clone(),
            snapshot: RwLock::default(),
            refreshing: Mutex::default(),
        });
        open.push((this, Arc::downgrade(&inner)));
        drop(open);
        // What memory holds of an account or audience goes with its body. Weak: the ledger must not hold the hall.
        let hall = Arc::downgrade(&inner);
        ledger.on_expunge(Box::new(move |_, _| {
            if let Some(inner) = hall.upgrade() {
                Self { inner }.forget();
            }
        }));
        Ok(Self { inner })
    }

    /// The state of audiences and accounts now: two atomic reads and a clone unless something moved.
    pub(crate) fn current(&self) -> Result<Arc<Snapshot>> {
        let inner = &*self.inner;
        if inner.view.behind() > 0 {
            inner.view.wait(u64::MAX, PATIENCE)?;
        }
        let folded = view::folded();
        if let Some(known) = self.known(folded) {
            return Ok(known);
        }
        let _one = inner.refreshing.lock().unwrap_or_else(PoisonError::into_inner);
        let folded = view::folded();
        if let Some(known) = self.known(folded) {
            return Ok(known);
        }
        let old = Arc::clone(&inner.snapshot.read().unwrap_or_else(PoisonError::into_inner));
        let fresh = Arc::new(old.refreshed(&inner.ledger, &inner.view, folded)?);
        *inner.snapshot.write().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&fresh);
        Ok(fresh)
    }

    fn known(&self, folded: u64) -> Option<Arc<Snapshot>> {
        let snapshot = self.inner.snapshot.read().unwrap_or_else(PoisonError::into_inner);
        (snapshot.folded == folded).then(|| Arc::clone(&snapshot))
    }

    /// Whether [`People::viewer`] and its like answer without waiting or reading a file.
    pub(crate) fn is_level(&self) -> bool {
        self.inner.view.behind() == 0 && self.known(view::folded()).is_some()
    }

    /// Forgets what memory holds of accounts and audiences; an erasure of either does this by itself.
    pub fn forget(&self) {
        // Whoever refreshes now has read the old one, and would put it back.
        let _one = self.inner.refreshing.lock().unwrap_or_else(PoisonError::into_inner);
        *self.inner.snapshot.write().unwrap_or_else(PoisonError::into_inner) = Arc::default();
    }

    /// The viewer of an account; `None` when there is none or it is disabled.
    ///
    /// # Errors
    /// [`ledger::Error::Behind`] when the people's view could not keep up: answer 503.
    pub fn viewer(&self, account: u32) -> Result<Option<Viewer>> {
        self.viewer_via(account, Credential::Inside)
    }

    pub(crate) fn viewer_via(&self, account: u32, via: Credential) -> Result<Option<Viewer>> {
        let now = self.current()?;
        let enabled = now.accounts.get(&account).filter(|a| !a.body.disabled);
        Ok(enabled.map(|a| Viewer::new(now.viewer(a), via)))
    }

    /// The command line: all collections but cases and personal notes. Also before `eye init`, when there are none.
    ///
    /// # Errors
    /// As [`People::viewer`].
    pub fn local_viewer(&self) -> Result<Viewer> {
        let now = self.current()?;
        if let Some(account) = now.accounts.get(&LOCAL) {
            return Ok(Viewer::new(now.viewer(account), Credential::Inside));
        }
        let row = AccountRow { number: LOCAL, first: 0, pos: 0, rights: 0 };
        let body = crate::act::machine(LOCAL, "local", Role::Local);
        let account = Account::new(&row, serde_json::to_string(&body).ok().as_deref());
        Ok(Viewer::new(Arc::new(ViewerInner::derive(&account, &now)), Credential::Inside))
    }

    /// The same viewer as of now, for streams and long work; `None` when its account is disabled or what it came in
    /// with no longer stands.
    ///
    /// # Errors
    /// As [`People::viewer`].
    pub fn again(&self, viewer: &Viewer) -> Result<Option<Viewer>> {
        if viewer.is_local() {
            return self.local_viewer().map(Some);
        }
        let Some(fresh) = self.viewer_via(viewer.account(), viewer.via())? else { return Ok(None) };
        Ok(self.stands(&fresh)?.then_some(fresh))
    }

    /// Who runs the node.
    ///
    /// # Errors
    /// As [`People::viewer`].
    pub fn node(&self) -> Result<Option<NodeBody>> {
        let now = self.current()?;
        Ok(now.house.and_then(|id| now.collections.get(&id)).and_then(|c| c.audience.node.clone()))
    }

    /// The collections whose bodies the viewer reads; for those who may list them all (administrators and auditors),
    /// every one, as titles and audiences. By title.
    ///
    /// # Errors
    /// As [`People::viewer`].
    pub fn collections(&self, viewer: &Viewer) -> Result<Vec<Arc<Collection>>> {
        let now = self.current()?;
        let all = viewer.may(Right::SeeCollections) && !viewer.is_local();
        let seen = |c: &&Arc<Collection>| all || viewer.sees(c.col);
        let mut list: Vec<_> = now.collections.values().filter(seen).cloned().collect();
        list.sort_by(|a, b| a.title().cmp(b.title()).then(a.first.cmp(&b.first)));
        Ok(list)
    }

    /// A collection by its id, whoever asks: check [`Viewer::sees`] before telling anybody of it.
    ///
    /// # Errors
    /// As [`People::viewer`].
    pub fn collection(&self, id: CollectionId) -> Result<Option<Arc<Collection>>> {
        Ok(self.current()?.collections.get(&id).cloned())
    }

    /// A collection by its small number, whoever asks.
    ///
    /// # Errors
    /// As [`People::viewer`].
    pub fn collection_of(&self, col: u32) -> Result<Option<Arc<Collection>>> {
        Ok(self.current()?.of_col(col).cloned())
    }

    /// The collection that the viewer may write to.
    ///
    /// # Errors
    /// [`Error::NoCollection`] when they do not see it, [`Error::Forbidden`] when they only read it.
    pub fn writable(&self, viewer: &Viewer, id: CollectionId) -> Result<Arc<Collection>> {
        let found = self.collection(id)?.filter(|c| viewer.sees(c.col) || viewer.may_write(c.col));
        let found = found.ok_or(Error::NoCollection)?;
        if viewer.may_write(found.col) { Ok(found) } else { Err(Error::Forbidden(Right::Write)) }
    }

    /// The first collection of a purpose: `house`, `intake`, `restricted`.
    ///
    /// # Errors
    /// As [`People::viewer`].
    pub fn collection_for(&self, purpose: Purpose) -> Result<Option<Arc<Collection>>> {
        let now = self.current()?;
        let own = now.collections.values().filter(|c| c.audience.sort == purpose && now.own(c));
        Ok(own.min_by_key(|c| c.first).cloned())
    }

    /// The name of an account for the pages of those who know accounts by their right; [`People::author_for`] asks for it. `None`
    /// when nobody has the number.
    ///
    /// # Errors
    /// As [`People::viewer`].
    pub fn name_of(&self, account: u32) -> Result<Option<String>> {
        Ok(self.current()?.accounts.get(&account).map(|a| a.display().to_owned()))
    }

    /// The name of the account that entered, imported or withdrew something, for somebody who reads it; `None` for a
    /// neighbour as well: who works here, and on what, is told to this node's own people alone.
    ///
    /// # Errors
    /// As [`People::viewer`].
    pub fn author_for(&self, viewer: &Viewer, account: u32) -> Result<Option<String>> {
        if viewer.may(Right::SeeAuthors) { self.name_of(account) } else { Ok(None) }
    }

    /// All accounts, by number.
    ///
    /// # Errors
    /// [`Error::Forbidden`]; as [`People::viewer`].
    pub fn accounts(&self, viewer: &Viewer) -> Result<Vec<Arc<Account>>> {
        viewer.need(Right::ManageAccounts)?;
        let mut list: Vec<_> = self.current()?.accounts.values().cloned().collect();
        list.sort_by_key(|a| a.number);
        Ok(list)
    }

    /// The account with a name that may sign in or use tokens.
    pub(crate) fn enabled_named(&self, name: &str) -> Result<Option<Arc<Account>>> {
        Ok(self.current()?.named(name).filter(|a| !a.body.disabled && a.body.sort != Sort::Machine).cloned())
    }
}
