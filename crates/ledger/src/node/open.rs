//! Opening a node: files, threads, what memory must know before the first append.
use super::{Inner, Ledger, Options, Threads};
use crate::counters::Counters;
use crate::fold::Fold;
use crate::folding::FoldState;
use crate::generations::{self, Generations};
use crate::heads::Heads;
use crate::index::{Index, SharedPending};
use crate::keys::Keys;
use crate::minute::Minute;
use crate::names::Names;
use crate::queue::Queue;
use crate::sqlite::{self, Cache};
use crate::tail::{LogHead, Tail};
use crate::view::{Generation, RoomFactory, Shared, View};
use crate::writer::Writer;
use crate::{Error, Folder, LogReader, Result, State, log};
use rusqlite::Connection;
use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::thread::JoinHandle;
use std::time::Duration;

impl Ledger {
    /// Opens the node in `root` and starts its threads: the writer, the index, one fold for each room, the minute.
    /// An erasure that was broken off goes on before this returns.
    ///
    /// # Errors
    /// [`Error::Locked`], [`Error::Folder`], [`Error::Full`], the storage's.
    pub fn open(root: &Path, options: Options, rooms: Vec<RoomFactory>) -> Result<Self> {
        Self::open_files(root, options, rooms).map_err(Error::told)
    }

    fn open_files(root: &Path, options: Options, rooms: Vec<RoomFactory>) -> Result<Self> {
        if !Folder::holds_a_node(root) {
            return Err(Error::Folder(format!(
                "no node lives in {}: make one with `eye init --data {0}`",
                root.display()
            )));
        }
        let folder = Folder::take(root)?;
        let keys = Arc::new(Keys::open(&folder.keys()).map_err(|e| Error::Folder(e.to_string()))?);
        let conn = sqlite::open_writer(&folder.log(), true, Cache::Log).map_err(in_file("log.db"))?;
        log::create(&conn).map_err(in_file("log.db"))?;
        if let Some(pages) = options.log_pages {
            conn.pragma_update(None, "max_page_count", pages)?;
        }
        let names = Arc::new(Names::load(&conn)?);
        let origin: Arc<str> =
            log::meta_text(&conn, "origin")?.ok_or_else(|| Error::Damaged("the log has no origin".into()))?.into();
        let head = LogHead { pos: log::last_pos(&conn)?, arrived: log::last_arrived(&conn)? };
        let tail = Arc::new(Tail::new(head, options.tail_bytes));
        let log_reader = LogReader::new(folder.log(), Arc::clone(&names));
        let state = State::open(&folder.state()).map_err(in_file("state.db"))?;
        for schema in [generations::SCHEMA, crate::erase::SCHEMA, crate::backup::SCHEMA] {
            state.ensure(schema).map_err(in_file("state.db"))?;
        }

        let pending = SharedPending::default();
        let index: RoomFactory = {
            let (pending, keys) = (pending.clone(), Arc::clone(&keys));
            Arc::new(move || Box::new(Index::new(pending.clone(), Arc::clone(&keys))))
        };
        let mut folds = Folds::default();
        for factory in std::iter::once(index).chain(rooms) {
            let (view, fold) = open_view(&folder, &state, head, factory, &tail, &log_reader)?;
            if folds.views.iter().any(|v| v.name() == view.name()) {
                return Err(Error::Folder(format!("two rooms are called `{}`", view.name())));
            }
            folds.threads.push(spawn(format!("fold-{}", view.name()), move || fold.run())?);
            folds.views.push(view);
        }
        let in_order = Arc::new(folds.views.clone());
        let views: HashMap<_, _> = in_order.iter().map(|v| (v.name(), v.clone())).collect();
        let index = views.get(Index::NAME).cloned().ok_or(Error::Closed)?;
        {
            let withdrawn = load_withdrawn(&index)?;
            let mut pending = pending.lock();
            pending.withdrawn = withdrawn;
            pending.floor = head.pos;
        }
        let queue = Arc::new(Queue::default());
        let counters = Arc::new(Counters::default());
        let writer = Start {
            names: &names,
            keys: &keys,
            options: &options,
            origin: &origin,
            head,
            clock_accepted: crate::clock::accepted(&state)?,
            pending,
            index,
            tail: &tail,
            views: &in_order,
            counters: &counters,
        };
        let mut writer = writer.writer(conn)?;
        if writer.heads.after_commit.is_none() {
            writer.take_node_leaf()?;
        }
        let mut threads = Threads::default();
        let thread_queue = Arc::clone(&queue);
        threads.writer = Some(spawn("writer".into(), move || {
            let _end = EndOnDrop(Arc::clone(&thread_queue));
            writer.run(&thread_queue);
        })?);
        let minute = Minute::new(Arc::clone(&queue), Arc::clone(&in_order), log_reader.clone());
        threads.folds = std::mem::take(&mut folds.threads);
        let every_minute = options.every_minute;
        let inner = Inner {
            folder,
            keys,
            tail,
            queue,
            counters,
            log: log_reader,
            state,
            views,
            in_order,
            origin,
            options,
            threads: Mutex::new(threads),
            minute,
            erasing: RwLock::default(),
            building: Mutex::default(),
            hooks: Mutex::default(),
            resumed: Mutex::default(),
        };
        let ledger = Self { inner: Arc::new(inner) };
        if let Err(e) = ledger.finish_expunging() {
            tracing::error!(error = %e, "an erasure is not finished; it is tried again every minute");
        }
        if every_minute {
            let (minute, inner) = (ledger.inner.minute.clone(), Arc::downgrade(&ledger.inner));
            let thread = spawn("minute".into(), move || minute.run(&inner))?;
            ledger.inner.threads.lock().unwrap_or_else(PoisonError::into_inner).minute = Some(thread);
        }
        Ok(ledger)
    }
}

/// Damage of a file that nothing can be folded into again: it is named.
fn in_file(name: &'static str) -> impl Fn(Error) -> Error {
    move |e| {
        if e.is_corrupt() { Error::Damaged(format!("{name}: {e}; restore the node from a backup")) } else { e }
    }
}

/// The folding threads that run so far; when opening fails they end, so that nothing holds a file of the folder.
#[derive(Default)]
struct Folds {
    views: Vec<View>,
    threads: Vec<JoinHandle<()>>,
}

impl Drop for Folds {
    fn drop(&mut self) {
        for (thread, view) in self.threads.drain(..).zip(&self.views) {
            let ended = view.command(|fold| {
                fold.closing = true;
                Ok(())
            });
            if ended.is_err() || thread.join().is_err() {
                tracing::error!(view = view.name(), "the fold had ended before");
            }
        }
    }
}

struct EndOnDrop(Arc<Queue>);
impl Drop for EndOnDrop {
    fn drop(&mut self) {
        self.0.end();
    }
}

pub(crate) fn spawn(name: String, f: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>> {
    std::thread::Builder::new().name(name).spawn(f).map_err(Error::io("starting a thread"))
}

fn open_view(
    folder: &Folder,
    state: &State,
    head: LogHead,
    factory: RoomFactory,
    tail: &Arc<Tail>,
    log: &LogReader,
) -> Result<(View, FoldState)> {
    let room = factory();
    let generations = Generations::new(folder, state, room.name(), room.version());
    let fold = open_fold(&generations, head, &factory)?;
    generations.remove_unfinished(fold.number);
    let shared = Arc::new(Shared {
        name: room.name(),
        kinds: room.kinds(),
        position: fold.at.into(),
        committed: fold.at.into(),
        relevant: head.pos.into(),
        waiting: 0.into(),
        unfolded: 0.into(),
        reached: event_listener::Event::new(),
        wake: event_listener::Event::new(),
        gate: RwLock::new(Generation { number: fold.number, path: fold.path.clone() }),
        pool: Mutex::default(),
        commands: Mutex::default(),
        factory,
        closed: false.into(),
    });
    let fold = FoldState::new(fold, Arc::clone(&shared), Arc::clone(tail), log.clone(), generations);
    Ok((View { shared }, fold))
}

/// The generation that serves; a new one when its file is damaged or knows more than the log.
fn open_fold(generations: &Generations, head: LogHead, factory: &RoomFactory) -> Result<Fold> {
    let number = generations.current()?;
    let path = generations.path(number);
    match Fold::open(&path, number, factory) {
        Ok(fold) if fold.at <= head.pos => return Ok(fold),
        Ok(fold) => {
            tracing::warn!(view = generations.room, at = fold.at, head = head.pos, "past the log's end: folded anew");
        }
        Err(e) if e.is_corrupt() => {
            tracing::warn!(view = generations.room, error = %e, "the view's file is damaged: folded anew from the log");
        }
        Err(e) => return Err(e),
    }
    let next = generations.next(number);
    generations.set(next)?;
    generations::remove(&path);
    Fold::open(&generations.path(next), next, factory)
}

/// Waits until the index knows everything, so that the pending map may begin empty, and reads what was withdrawn.
fn load_withdrawn(index: &View) -> Result<HashMap<i64, u32>> {
    let read = || {
        index.wait(u64::MAX, Duration::from_secs(600))?;
        index.read(|r| {
            let mut stmt = r.conn.prepare("SELECT h, n FROM withdrawn")?;
            let rows = stmt.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
            Ok(rows.collect::<rusqlite::Result<_>>()?)
        })
    };
    match read() {
        Err(Error::Behind { .. }) => index.mended().and_then(|()| read()),
        read => read,
    }
}

/// What the writer is made of.
struct Start<'a> {
    names: &'a Arc<Names>,
    keys: &'a Arc<Keys>,
    options: &'a Options,
    origin: &'a Arc<str>,
    head: LogHead,
    clock_accepted: i64,
    pending: SharedPending,
    index: View,
    tail: &'a Arc<Tail>,
    views: &'a Arc<Vec<View>>,
    counters: &'a Arc<Counters>,
}

impl Start<'_> {
    fn writer(self, conn: Connection) -> Result<Writer> {
        let (commit_n, commit_hash) = log::last_commit(&conn)?;
        let suppressed = log::suppressed(&conn)?;
        let heads = Heads::load(&conn, self.origin)?;
        let origin_n = self.names.number_or_add(&conn, self.origin)?;
        Ok(Writer {
            conn,
            names: Arc::clone(self.names),
            keys: Arc::clone(self.keys),
            salts: crate::salt::Salts::default(),
            clock: Arc::clone(&self.options.clock),
            origin: Arc::clone(self.origin),
            origin_n,
            next_pos: self.head.pos + 1,
            last_arrived: self.head.arrived,
            clock_accepted: self.clock_accepted,
            commit_n,
            commit_hash,
            trees: HashMap::new(),
            touched: std::collections::BTreeSet::new(),
            pending: self.pending,
            index: self.index,
            suppressed,
            last_cause: None,
            tail: Arc::clone(self.tail),
            views: Arc::clone(self.views),
            counters: Arc::clone(self.counters),
            heads,
            unsure: false,
        })
    }
}
