use crate::append::{Append, Receipt};
use crate::checkpoint::FIRST_COMMIT;
use crate::folding::{FoldState, open_view};
use crate::index::{Index, SharedPending};
use crate::keys::Keys;
use crate::names::Names;
use crate::queue::Queue;
use crate::sqlite::{self, Cache};
use crate::tail::{LogHead, Tail};
use crate::view::{Generation, RoomFactory, Shared, View};
use crate::writer::{Message, Writer};
use crate::{Error, Folder, LogReader, Result, State, log};
use event_listener::EventListener;
use rusqlite::{Connection, OptionalExtension};
use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
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
}

impl Default for Options {
    fn default() -> Self {
        Self { clock: Arc::new(SystemClock), tail_bytes: 6 << 20, pause_behind: 20_000, pause_behind_waiting: 5_000 }
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
    inner: Arc<Inner>,
}

struct Inner {
    folder: Folder,
    keys: Arc<Keys>,
    names: Arc<Names>,
    tail: Arc<Tail>,
    queue: Arc<Queue>,
    log: LogReader,
    state: State,
    views: HashMap<&'static str, View>,
    origin: Arc<str>,
    options: Options,
    threads: Mutex<Vec<JoinHandle<()>>>,
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
        let keys = Keys::create(&folder.keys()).map_err(|e| Error::Folder(e.to_string()))?;
        let conn = sqlite::open_writer(&folder.log(), true, Cache::Log)?;
        conn.execute_batch("BEGIN IMMEDIATE")?;
        log::create(&conn)?;
        log::set_meta(&conn, "origin", &format!("{}/1", node_name(&keys)))?;
        conn.execute_batch("COMMIT")?;
        Ok(())
    }

    /// Opens the node in `root` and starts its threads: the writer, the index and one fold for each room.
    ///
    /// # Errors
    /// [`Error::Locked`], [`Error::Folder`], the storage's.
    pub fn open(root: &Path, options: Options, rooms: Vec<RoomFactory>) -> Result<Self> {
        if !Folder::holds_a_node(root) {
            return Err(Error::Folder(format!(
                "no node lives in {}: make one with `eye init --data {0}`",
                root.display()
            )));
        }
        let folder = Folder::take(root)?;
        let keys = Arc::new(Keys::open(&folder.keys()).map_err(|e| Error::Folder(e.to_string()))?);
        let conn = sqlite::open_writer(&folder.log(), true, Cache::Log)?;
        log::create(&conn)?;
        let names = Arc::new(Names::load(&conn)?);
        let origin: Arc<str> =
            log::meta_text(&conn, "origin")?.ok_or_else(|| Error::Damaged("the log has no origin".into()))?.into();
        let head = LogHead { pos: log::last_pos(&conn)?, arrived: log::last_arrived(&conn)? };
        let tail = Arc::new(Tail::new(head, options.tail_bytes));
        let log_reader = LogReader::new(folder.log(), Arc::clone(&names));
        let state = State::open(&folder.state())?;
        state.ensure("CREATE TABLE IF NOT EXISTS generations(room TEXT NOT NULL, version INTEGER NOT NULL, generation INTEGER NOT NULL, PRIMARY KEY(room, version)) WITHOUT ROWID")?;

        let pending = SharedPending::default();
        let index: RoomFactory = {
            let (pending, keys) = (pending.clone(), Arc::clone(&keys));
            Arc::new(move || Box::new(Index::new(pending.clone(), Arc::clone(&keys))))
        };
        let mut threads = Vec::new();
        let mut views = HashMap::new();
        let mut in_order = Vec::new();
        for factory in std::iter::once(index).chain(rooms) {
            let opened = OpenView { folder: &folder, state: &state, head };
            let (view, fold) = opened.open(factory, &tail, &log_reader)?;
            let name = format!("fold-{}", view.name());
            threads.push(spawn(name, move || fold.run())?);
            in_order.push(view.clone());
            views.insert(view.name(), view);
        }
        let index = views.get(Index::NAME).cloned().ok_or(Error::Closed)?;
        pending.lock().withdrawn = load_withdrawn(&index)?;
        let queue = Arc::new(Queue::default());
        let writer = start_writer(conn, &names, &keys, &options, &origin, head, pending, index, &tail, in_order)?;
        let thread_queue = Arc::clone(&queue);
        threads.push(spawn("writer".into(), move || writer.run(&thread_queue))?);
        let inner = Inner {
            folder,
            keys,
            names,
            tail,
            queue,
            log: log_reader,
            state,
            views,
            origin,
            options,
            threads: Mutex::new(threads),
        };
        Ok(Self { inner: Arc::new(inner) })
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

    /// Blocks until every view has reached the head of this moment.
    ///
    /// # Errors
    /// [`Error::Behind`].
    pub fn level(&self, patience: Duration) -> Result<()> {
        let head = self.head().pos;
        self.inner.views.values().try_for_each(|v| v.wait(head, patience))
    }

    /// Runs `f` in the writer's thread, between commits.
    pub(crate) fn in_writer<T: Send + 'static>(
        &self,
        f: impl FnOnce(&mut Writer) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let (reply, answer) = std::sync::mpsc::sync_channel(1);
        let run = Message::Run(Box::new(move |writer| drop(reply.send(f(writer)))));
        self.inner.queue.push(run, false)?;
        answer.recv().map_err(|_| Error::Closed)?
    }

    pub(crate) fn names(&self) -> &Arc<Names> {
        &self.inner.names
    }
    pub(crate) fn tail(&self) -> &Arc<Tail> {
        &self.inner.tail
    }

    /// Finishes what is queued, commits every view, closes every file. Appends after it are refused.
    pub fn close(&self) {
        self.inner.queue.close();
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
        let threads = std::mem::take(&mut *self.inner.threads.lock().unwrap_or_else(PoisonError::into_inner));
        for thread in threads {
            if thread.join().is_err() {
                tracing::error!("a ledger thread ended badly");
            }
        }
        self.inner.state.close();
        self.inner.log.close_idle();
        for view in self.inner.views.values() {
            view.close_idle();
        }
        self.inner.tail.wake();
        self.inner.folder.release();
    }
}

/// The node's name: 16 hexadecimal digits of its public key's hash.
fn node_name(keys: &Keys) -> String {
    use sha2::{Digest, Sha256};
    let hash = Sha256::digest(keys.signing().verifying_key().as_bytes());
    hash.iter().take(8).map(|b| format!("{b:02x}")).collect()
}

fn spawn(name: String, f: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>> {
    std::thread::Builder::new().name(name).spawn(f).map_err(Error::io("starting a thread"))
}

struct OpenView<'a> {
    folder: &'a Folder,
    state: &'a State,
    head: LogHead,
}

impl OpenView<'_> {
    fn open(&self, factory: RoomFactory, tail: &Arc<Tail>, log: &LogReader) -> Result<(View, FoldState)> {
        let room = factory();
        let (name, version) = (room.name(), room.version());
        let number = self.generation(name, version)?;
        let path = self.folder.view(name, version, number);
        let conn = open_view(&path, room.as_ref())?;
        let position = crate::view::position(&conn)?;
        if position > self.head.pos {
            return Err(Error::Damaged(format!(
                "the view {name} stands at {position}, past the log's end {}",
                self.head.pos
            )));
        }
        let shared = Arc::new(Shared {
            name,
            kinds: room.kinds(),
            position: position.into(),
            relevant: self.head.pos.into(),
            waiting: 0.into(),
            unfolded: 0.into(),
            reached: event_listener::Event::new(),
            wake: event_listener::Event::new(),
            gate: RwLock::new(Generation { number, path }),
            pool: Mutex::default(),
            commands: Mutex::default(),
            factory,
        });
        let fold = FoldState::new(room, conn, Arc::clone(&shared), Arc::clone(tail), log.clone())?;
        Ok((View { shared }, fold))
    }

    fn generation(&self, name: &'static str, version: u32) -> Result<u64> {
        let found: Option<i64> = self.state.read(|c| {
            Ok(c.query_row("SELECT generation FROM generations WHERE room = ? AND version = ?", (name, version), |r| {
                r.get(0)
            })
            .optional()?)
        })?;
        match found {
            Some(n) => Ok(log::unsigned(n)),
            None => self.state.write(move |c| {
                c.execute("INSERT INTO generations(room, version, generation) VALUES (?,?,1)", (name, version))?;
                Ok(1)
            }),
        }
    }
}

/// Waits until the index knows everything, so that the pending map may begin empty, and reads what was withdrawn.
fn load_withdrawn(index: &View) -> Result<HashMap<i64, u32>> {
    index.wait(u64::MAX, Duration::from_secs(600))?;
    index.read(|r| {
        let mut stmt = r.conn.prepare("SELECT h, n FROM withdrawn")?;
        let rows = stmt.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    })
}

#[expect(clippy::too_many_arguments, reason = "called once, where every part is made")]
fn start_writer(
    conn: Connection,
    names: &Arc<Names>,
    keys: &Arc<Keys>,
    options: &Options,
    origin: &Arc<str>,
    head: LogHead,
    pending: SharedPending,
    index: View,
    tail: &Arc<Tail>,
    views: Vec<View>,
) -> Result<Writer> {
    let last_commit: Option<(i64, Vec<u8>)> = conn
        .query_row("SELECT n, hash FROM commits ORDER BY n DESC LIMIT 1", [], |r| Ok((r.get(0)?, r.get(1)?)))
        .optional()?;
    let (commit_n, commit_hash) = match last_commit {
        Some((n, hash)) => (
            log::unsigned(n),
            hash.try_into().map_err(|_| Error::Damaged("the last commit's hash is not 32 bytes".into()))?,
        ),
        None => (0, FIRST_COMMIT),
    };
    let suppressed = {
        let mut stmt = conn.prepare("SELECT h, pos FROM suppressed")?;
        let rows = stmt.query_map([], |r| Ok((r.get::<_, Vec<u8>>(0)?, log::unsigned(r.get(1)?))))?;
        let rows = rows.collect::<rusqlite::Result<Vec<_>>>()?;
        rows.into_iter().filter_map(|(h, pos)| Some((<[u8; 32]>::try_from(h).ok()?, pos))).collect()
    };
    let origin_n = names.number_or_add(&conn, origin)?;
    Ok(Writer {
        conn,
        names: Arc::clone(names),
        keys: Arc::clone(keys),
        salts: crate::salt::Salts::default(),
        clock: Arc::clone(&options.clock),
        origin: Arc::clone(origin),
        origin_n,
        next_pos: head.pos + 1,
        last_arrived: head.arrived,
        commit_n,
        commit_hash,
        trees: HashMap::new(),
        touched: std::collections::BTreeSet::new(),
        pending,
        index,
        suppressed,
        last_cause: None,
        tail: Arc::clone(tail),
        views,
    })
}
