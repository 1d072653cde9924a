mod open;

use crate::append::{Append, Receipt};
use crate::erase::{ExpungeNotice, Hook};
use crate::heads::SignedHead;
use crate::keys::{Keys, KeysError};
use crate::minute::Minute;
use crate::queue::Queue;
use crate::sqlite::{self, Cache};
use crate::tail::{LogHead, Tail};
use crate::view::View;
use crate::writer::{Message, Writer};
use crate::{Error, Folder, LogReader, Result, State, log};
use event_listener::EventListener;
use rusqlite::OptionalExtension;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::thread::JoinHandle;
use std::time::Duration;

/// Where the ledger gets its time; tests bring their own.
pub trait Clock: Send + Sync + 'static {
    /// µs since the epoch.
    fn now(&self) -> i64;
}

/// The machine's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;
impl Clock for SystemClock {
    fn now(&self) -> i64 {
        jiff::Timestamp::now().as_microsecond()
    }
}

/// How a ledger is opened.
#[derive(Clone)]
pub struct Options {
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Bytes of newest entries kept in memory for folds and streams.
    pub tail_bytes: usize,
    /// A view further behind than this pauses bulk appends.
    pub pause_behind: u64,
    /// And further than this while somebody waits for a view.
    pub pause_behind_waiting: u64,
    /// Whether a thread takes the node log's leaf once a minute; without it only [`Ledger::tick`] and closing do.
    pub every_minute: bool,
    /// How long an erasure waits for whoever reads a file; our own readers take a second at most.
    pub erasing_waits: Duration,
    /// Pages of 4 KB that the log's file may have: for tests of a full disk.
    #[doc(hidden)]
    pub log_pages: Option<u32>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            clock: Arc::new(SystemClock),
            tail_bytes: 6 << 20,
            pause_behind: 20_000,
            pause_behind_waiting: 5_000,
            every_minute: true,
            erasing_waits: Duration::from_secs(30),
            log_pages: None,
        }
    }
}

/// Whether somebody waits at a screen, or a feed comes in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Urgency {
    /// Goes first.
    Interactive,
    /// Goes behind, and pauses while views are far behind.
    Bulk,
}

/// A node's ledger: one process, one folder.
#[derive(Clone)]
pub struct Ledger {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    folder: Folder,
    keys: Arc<Keys>,
    tail: Arc<Tail>,
    queue: Arc<Queue>,
    counters: Arc<crate::counters::Counters>,
    log: LogReader,
    state: State,
    views: HashMap<&'static str, View>,
    in_order: Arc<Vec<View>>,
    origin: Arc<str>,
    options: Options,
    threads: Mutex<Threads>,
    pub(crate) minute: Minute,
    /// Held shared by whoever copies bodies beside (rebuild, backup), whole by an erasure; counts the erasures.
    erasing: RwLock<u64>,
    /// Generations that are folded beside: an erasure removes their files.
    building: Mutex<Vec<PathBuf>>,
    hooks: Mutex<Vec<Hook>>,
    /// Erasures that were finished for somebody else since the start.
    resumed: Mutex<Vec<ExpungeNotice>>,
}

/// In the order in which they end.
#[derive(Default)]
struct Threads {
    minute: Option<JoinHandle<()>>,
    writer: Option<JoinHandle<()>>,
    folds: Vec<JoinHandle<()>>,
}

impl Ledger {
    /// Makes a node in a folder that holds none: keys, an empty log, epoch 1.
    ///
    /// # Errors
    /// [`Error::Folder`] when a node lives there already.
    pub fn create(root: &Path) -> Result<()> {
        if Folder::holds_a_node(root) {
            return Err(Error::Folder(format!("a node lives in {} already", root.display())));
        }
        let folder = Folder::take(root)?;
        // Keys without a log are what a kill left of an earlier attempt: nothing was signed with them yet.
        let keys = match Keys::create(&folder.keys()) {
            Err(KeysError::Exists(_)) => Keys::open(&folder.keys()),
            made => made,
        };
        let keys = keys.map_err(|e| Error::Folder(e.to_string()))?;
        let unfinished = root.join("log.db.unfinished");
        crate::generations::remove(&unfinished);
        let conn = sqlite::open_writer(&unfinished, true, Cache::Log)?;
        conn.execute_batch("BEGIN IMMEDIATE")?;
        log::create(&conn)?;
        log::set_meta(&conn, "origin", &format!("{}/1", node_name(&keys.signing().verifying_key())))?;
        conn.execute_batch("COMMIT")?;
        sqlite::checkpoint_truncate(&conn)?;
        conn.close().map_err(|(_, e)| e)?;
        std::fs::rename(&unfinished, folder.log()).map_err(Error::io("naming the new log"))
    }

    /// Appends and returns when it is durable. Blocks: from async code call it on a blocking thread, or use [`Ledger::append_then`].
    ///
    /// # Errors
    /// [`Error::Conflict`], [`Error::Limit`], [`Error::Clock`], [`Error::Closed`], the storage's: nothing was written.
    pub fn append(&self, append: Append, urgency: Urgency) -> Result<Receipt> {
        let (reply, answer) = std::sync::mpsc::sync_channel(1);
        self.append_then(append, urgency, move |result| drop(reply.send(result)))?;
        answer.recv().map_err(|_| Error::Closed)?
    }

    /// Appends; `then` is called in the writer's thread with the durable result: hand it on, do no work there.
    ///
    /// # Errors
    /// [`Error::Closed`]; everything else reaches `then`.
    pub fn append_then(
        &self,
        append: Append,
        urgency: Urgency,
        then: impl FnOnce(Result<Receipt>) + Send + 'static,
    ) -> Result<()> {
        let bulk = urgency == Urgency::Bulk;
        if bulk {
            self.pause_for_views();
        }
        self.inner.queue.push(Message::Append(append, Box::new(then)), bulk)
    }

    /// Waits while a view is further behind than bulk may leave it. A view that stands still (a full disk) does not
    /// stop the log for longer than ten seconds an append.
    fn pause_for_views(&self) {
        use std::sync::atomic::Ordering;
        let patience = std::time::Instant::now() + Duration::from_secs(10);
        for view in self.inner.views.values() {
            loop {
                let waiting = self.inner.views.values().any(|v| v.shared.waiting.load(Ordering::Acquire) > 0);
                let limit =
                    if waiting { self.inner.options.pause_behind_waiting } else { self.inner.options.pause_behind };
                let behind = view.behind();
                if behind <= limit || std::time::Instant::now() > patience {
                    break;
                }
                let listener = view.shared.reached.listen();
                if view.behind() > limit {
                    use event_listener::Listener;
                    listener.wait_deadline(std::time::Instant::now() + Duration::from_millis(200));
                }
            }
        }
    }

    /// Where the log ends.
    pub fn head(&self) -> LogHead {
        self.inner.tail.head()
    }

    /// Hears of the next durable append after this call.
    pub fn listen(&self) -> EventListener {
        self.inner.tail.listen()
    }

    /// Entries after `after`: from memory when they are new, from the log otherwise. Empty at the head.
    ///
    /// # Errors
    /// The storage's.
    pub fn entries_after(&self, after: u64) -> Result<Vec<Arc<crate::Entry>>> {
        if after >= self.head().pos {
            return Ok(Vec::new());
        }
        match self.inner.tail.after(after) {
            Some(batch) => Ok(batch.iter().filter(|e| e.pos > after).cloned().collect()),
            None => self.inner.log.range(after, 500, 2 << 20),
        }
    }

    /// Whether an object of this id was erased here: the log's own list, which knows from the moment the erasure is written.
    ///
    /// # Errors
    /// The storage's.
    pub fn was_erased(&self, object: &str) -> Result<bool> {
        let h = crate::commit::suppression(self.keys().index_hmac(), object);
        self.inner.log.with(|conn, _| {
            let mut stmt = conn.prepare_cached("SELECT 1 FROM suppressed WHERE h = ?")?;
            Ok(stmt.exists([&h[..]])?)
        })
    }

    /// The log, for reading.
    pub fn log(&self) -> &LogReader {
        &self.inner.log
    }

    /// What is not in the log.
    pub fn state(&self) -> &State {
        &self.inner.state
    }

    /// A room's view.
    ///
    /// # Errors
    /// [`Error::Folder`] when no such room was given at [`Ledger::open`].
    pub fn view(&self, room: &str) -> Result<View> {
        self.inner.views.get(room).cloned().ok_or_else(|| Error::Folder(format!("no room is called `{room}`")))
    }

    /// Every view, by name.
    pub fn views(&self) -> Vec<View> {
        let mut views: Vec<View> = self.inner.views.values().cloned().collect();
        views.sort_by_key(View::name);
        views
    }

    /// The node's keys.
    pub fn keys(&self) -> &Keys {
        &self.inner.keys
    }

    /// `node/epoch`.
    pub fn origin(&self) -> &str {
        &self.inner.origin
    }

    /// The data folder.
    pub fn folder(&self) -> &Folder {
        &self.inner.folder
    }

    /// The clock's µs.
    pub fn now(&self) -> i64 {
        self.inner.options.clock.now()
    }

    /// How many entries the slowest view has still to fold.
    pub fn behind(&self) -> u64 {
        self.inner.views.values().map(View::behind).max().unwrap_or(0)
    }

    /// What the writer has counted since this process opened the folder. Waits for nothing.
    pub fn counted(&self) -> crate::Counted {
        self.inner.counters.read(self.inner.queue.waiting())
    }

    /// Blocks until every view has reached the head of this moment.
    ///
    /// # Errors
    /// [`Error::Behind`].
    pub fn level(&self, patience: Duration) -> Result<()> {
        let head = self.head().pos;
        self.inner.views.values().try_for_each(|v| v.wait(head, patience))
    }

    /// Whether the writer, every fold and the state's thread still run. Never waits: what cannot be asked at once is taken to be alive.
    pub fn is_alive(&self) -> bool {
        let ended = |thread: &JoinHandle<()>| thread.is_finished();
        match self.inner.threads.try_lock() {
            Ok(threads) => {
                threads.writer.as_ref().is_some_and(|w| !ended(w))
                    && !threads.folds.iter().any(ended)
                    && self.inner.state.is_alive()
            }
            Err(std::sync::TryLockError::WouldBlock) => true,
            Err(std::sync::TryLockError::Poisoned(_)) => false,
        }
    }

    /// Runs `f` in the writer's thread, between commits.
    pub(crate) fn in_writer<T: Send + 'static>(
        &self,
        f: impl FnOnce(&mut Writer) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let (reply, answer) = std::sync::mpsc::sync_channel(1);
        let run = Message::Run(Box::new(move |writer| drop(reply.send(writer.task(f)))));
        self.inner.queue.push(run, false)?;
        answer.recv().map_err(|_| Error::Closed)?
    }

    /// Signs what changed and takes a leaf into the node's log: what happens once a minute by itself. Returns the
    /// checkpoint, a signed note.
    ///
    /// # Errors
    /// [`Error::Closed`], the storage's.
    pub fn tick(&self) -> Result<String> {
        self.inner.minute.tick()
    }

    /// The newest signed head of every collection, in order of the collections' small numbers.
    ///
    /// # Errors
    /// [`Error::Closed`].
    pub fn heads(&self) -> Result<Vec<SignedHead>> {
        self.in_writer(|writer| Ok(writer.heads.newest.values().cloned().collect()))
    }

    /// The newest checkpoint of the node's own log: what witnesses cosign. [`crate::verify_checkpoint`] reads it.
    ///
    /// # Errors
    /// The storage's.
    pub fn checkpoint(&self) -> Result<Option<String>> {
        self.inner.log.with(|conn, _| {
            let sql = "SELECT checkpoint FROM nodelog ORDER BY n DESC LIMIT 1";
            Ok(conn.query_row(sql, [], |r| r.get(0)).optional()?)
        })
    }

    /// A collection that every node has under an id of its own, such as `house`: derived from the node's key.
    pub fn derived_collection(&self, name: &str) -> crate::CollectionId {
        derived_collection(&self.inner.keys, name)
    }

    pub(crate) fn inner(&self) -> &Inner {
        &self.inner
    }

    /// Finishes what is queued, commits every view, closes every file. A view that lacks a few thousand entries at most is
    /// brought level; one that lacks more stands where it is and goes on at the next start. Appends after it are refused, and
    /// whoever still waits for a view hears [`Error::Closed`].
    pub fn close(&self) {
        self.inner.minute.stop();
        self.inner.queue.close();
        let threads = std::mem::take(&mut *self.inner.threads.lock().unwrap_or_else(PoisonError::into_inner));
        let join = |thread: JoinHandle<()>| {
            if thread.join().is_err() {
                tracing::error!("a ledger thread ended badly");
            }
        };
        // The writer asks the index until it ends, so the folds end after it.
        threads.minute.into_iter().chain(threads.writer).for_each(join);
        for view in self.inner.views.values() {
            // A fold that has ended already has committed what it had.
            let ended = view.command(|fold| {
                fold.closing = true;
                Ok(())
            });
            if ended.is_err() {
                tracing::debug!(view = view.name(), "fold had ended");
            }
        }
        threads.folds.into_iter().for_each(join);
        self.inner.state.close();
        self.inner.log.close_idle();
        for view in self.inner.views.values() {
            view.close_idle();
        }
        self.inner.tail.wake();
        self.inner.folder.release();
    }
}

impl Inner {
    /// Nobody erases while this is held; the number says whether somebody did since it was last held.
    pub(crate) fn no_erasure(&self) -> RwLockReadGuard<'_, u64> {
        self.erasing.read().unwrap_or_else(PoisonError::into_inner)
    }
    pub(crate) fn erasing_now(&self) -> bool {
        matches!(self.erasing.try_read(), Err(std::sync::TryLockError::WouldBlock))
    }
    pub(crate) fn erasure(&self) -> RwLockWriteGuard<'_, u64> {
        self.erasing.write().unwrap_or_else(PoisonError::into_inner)
    }
    pub(crate) fn building(&self) -> MutexGuard<'_, Vec<PathBuf>> {
        self.building.lock().unwrap_or_else(PoisonError::into_inner)
    }
    pub(crate) fn hooks(&self) -> MutexGuard<'_, Vec<Hook>> {
        self.hooks.lock().unwrap_or_else(PoisonError::into_inner)
    }
    pub(crate) fn resumed(&self) -> MutexGuard<'_, Vec<ExpungeNotice>> {
        self.resumed.lock().unwrap_or_else(PoisonError::into_inner)
    }
    pub(crate) fn options(&self) -> &Options {
        &self.options
    }
    pub(crate) fn views(&self) -> &[View] {
        &self.in_order
    }
}

/// See [`Ledger::derived_collection`].
pub(crate) fn derived_collection(keys: &Keys, name: &str) -> crate::CollectionId {
    let id = crate::keys::keyed_id(keys.index_hmac(), &[crate::HOUSE_SEED.as_bytes(), name.as_bytes()]);
    let mut bytes = [0; 16];
    bytes.iter_mut().zip(id).for_each(|(to, from)| *to = from);
    crate::CollectionId(uuid::Builder::from_random_bytes(bytes).into_uuid())
}

/// The node's name: 16 hexadecimal digits of its public key's hash.
pub(crate) fn node_name(key: &ed25519_dalek::VerifyingKey) -> String {
    use sha2::{Digest, Sha256};
    let hash = Sha256::digest(key.as_bytes());
    hash.iter().take(8).map(|b| format!("{b:02x}")).collect()
}
