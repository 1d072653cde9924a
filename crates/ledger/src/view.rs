use crate::folding::FoldState;
use crate::{Error, Kinds, Result, Room, sqlite};
use event_listener::{Event, Listener};
use rusqlite::Connection;
use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant};

/// Makes a room's fold: once at start, once again for each rebuild.
pub type RoomFactory = Arc<dyn Fn() -> Box<dyn Room> + Send + Sync>;

pub(crate) type Command = Box<dyn FnOnce(&mut FoldState) + Send>;

/// Readers idle longer than this are closed (LEDGER.md, "Memory").
const IDLE: Duration = Duration::from_secs(60);
/// More idle readers than this are closed at once.
const POOL: usize = 4;

/// The file that readers open now.
#[derive(Debug, Clone, Default)]
pub(crate) struct Generation {
    pub(crate) number: u64,
    pub(crate) path: PathBuf,
}

pub(crate) struct Shared {
    pub(crate) name: &'static str,
    pub(crate) kinds: Kinds,
    /// The last entry whose effect a reader can see.
    pub(crate) position: AtomicU64,
    /// What the file holds, a moment before the room and those who wait hear of it.
    pub(crate) committed: AtomicU64,
    /// The last durable entry of this room's kinds.
    pub(crate) relevant: AtomicU64,
    pub(crate) waiting: AtomicUsize,
    pub(crate) unfolded: AtomicU64,
    pub(crate) reached: Event,
    pub(crate) wake: Event,
    /// Readers hold it shared while they read; whoever must have no reader (TRUNCATE, swap) takes it whole.
    pub(crate) gate: RwLock<Generation>,
    pub(crate) pool: Mutex<Vec<(Connection, u64, Instant)>>,
    pub(crate) commands: Mutex<Commands>,
    pub(crate) factory: RoomFactory,
    /// Nobody folds any longer.
    pub(crate) closed: AtomicBool,
}

/// What waits for the folding thread.
#[derive(Default)]
pub(crate) struct Commands {
    pub(crate) waiting: VecDeque<Command>,
    pub(crate) ended: bool,
}

impl Shared {
    /// Whoever waits for this view, or wants something of its thread, hears that it has ended.
    pub(crate) fn end(&self) {
        let unheard = {
            let mut commands = self.commands.lock().unwrap_or_else(PoisonError::into_inner);
            commands.ended = true;
            std::mem::take(&mut commands.waiting)
        };
        drop(unheard);
        self.closed.store(true, Ordering::Release);
        self.reached.notify(usize::MAX);
    }

    fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }
}

/// A room's view: wait until it has reached what you must see, then read.
#[derive(Clone)]
pub struct View {
    pub(crate) shared: Arc<Shared>,
}

/// One read transaction on a view.
pub struct Reading<'a> {
    /// The connection: read only.
    pub conn: &'a Connection,
    /// The last entry this transaction sees.
    pub position: u64,
}

struct Waiting<'a>(&'a Shared);
impl<'a> Waiting<'a> {
    fn new(shared: &'a Shared) -> Self {
        shared.waiting.fetch_add(1, Ordering::AcqRel);
        shared.wake.notify(usize::MAX);
        Self(shared)
    }
}
impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::AcqRel);
    }
}

impl View {
    /// The room's name.
    pub fn name(&self) -> &'static str {
        self.shared.name
    }

    /// The last entry whose effect a reader can see, or that did not concern the room.
    pub fn position(&self) -> u64 {
        self.shared.position.load(Ordering::Acquire)
    }

    /// How many entries of the log it has still to pass, 0 when none of them concerns it.
    pub fn behind(&self) -> u64 {
        self.shared.relevant.load(Ordering::Acquire).saturating_sub(self.position())
    }

    /// Entries that the fold could not read.
    pub fn unfolded(&self) -> u64 {
        self.shared.unfolded.load(Ordering::Acquire)
    }

    /// The first `most` entries that the fold could not read, each with where and why: `pos` and words without a body's.
    ///
    /// # Errors
    /// As [`View::read`].
    pub fn unfolded_entries(&self, most: u32) -> Result<Vec<(u64, String)>> {
        self.read(|r| Ok(unfolded(r.conn, most)?))
    }

    /// What the view must reach so that nothing of its kinds up to `pos` is missing.
    fn target(&self, pos: u64) -> u64 {
        pos.min(self.shared.relevant.load(Ordering::Acquire))
    }

    /// Whether everything of its kinds up to `pos` can be read now.
    pub fn has_reached(&self, pos: u64) -> bool {
        self.position() >= self.target(pos)
    }

    /// Blocks until everything of its kinds up to `pos` can be read (the read barrier).
    ///
    /// # Errors
    /// [`Error::Behind`] after `patience`, [`Error::Closed`] when the ledger closes meanwhile.
    pub fn wait(&self, pos: u64, patience: Duration) -> Result<()> {
        let target = self.target(pos);
        if self.position() >= target {
            return Ok(());
        }
        let _waiting = Waiting::new(&self.shared);
        let deadline = Instant::now() + patience;
        loop {
            let listener = self.shared.reached.listen();
            if self.position() >= target {
                return Ok(());
            }
            if self.shared.is_closed() {
                return Err(Error::Closed);
            }
            if listener.wait_deadline(deadline).is_none() {
                return Err(Error::Behind { view: self.shared.name, behind: self.behind() });
            }
        }
    }

    /// As [`View::wait`], for callers that await; put your own time limit around it. Returns at once when the ledger
    /// closes: [`View::read`] then answers [`Error::Closed`].
    pub async fn reach(&self, pos: u64) {
        let target = self.target(pos);
        if self.position() >= target {
            return;
        }
        let _waiting = Waiting::new(&self.shared);
        loop {
            let listener = self.shared.reached.listen();
            if self.position() >= target || self.shared.is_closed() {
                return;
            }
            listener.await;
        }
    }

    /// Runs `f` in one read transaction; it may take a second, not more (page by `pos`).
    ///
    /// # Errors
    /// `f`'s and the storage's; [`Error::Behind`] when the file is damaged: it is folded anew from the log.
    pub fn read<T>(&self, f: impl FnOnce(&Reading<'_>) -> Result<T>) -> Result<T> {
        let gate = self.shared.gate.read().unwrap_or_else(PoisonError::into_inner);
        if self.shared.is_closed() {
            return Err(Error::Closed);
        }
        let (number, result) = (gate.number, self.read_behind(&gate, f));
        drop(gate);
        if let Err(e) = &result
            && e.is_corrupt()
        {
            // The reader asks again, behind the barrier of the file that takes its place.
            self.report_damage(number, e.to_string());
            return Err(Error::Behind { view: self.shared.name, behind: self.shared.relevant.load(Ordering::Acquire) });
        }
        result
    }

    fn read_behind<T>(&self, gate: &Generation, f: impl FnOnce(&Reading<'_>) -> Result<T>) -> Result<T> {
        let conn = match self.take(gate.number) {
            Some(conn) => conn,
            None => {
                let conn = sqlite::open_reader(&gate.path)?;
                (self.shared.factory)().prepare(&conn)?;
                conn
            }
        };
        conn.prepare_cached("BEGIN")?.execute([])?;
        let result = position(&conn).and_then(|position| f(&Reading { conn: &conn, position }));
        let ended = conn.prepare_cached("ROLLBACK").and_then(|mut s| s.execute([]));
        if ended.is_ok() {
            self.give(conn, gate.number);
        }
        result
    }

    /// A reader found what the writer may not meet for long: the file is folded anew.
    fn report_damage(&self, number: u64, why: String) {
        let mut commands = self.shared.commands.lock().unwrap_or_else(PoisonError::into_inner);
        if !commands.ended {
            commands.waiting.push_back(Box::new(move |fold| fold.replace_damaged(number, &why)));
        }
        drop(commands);
        self.shared.wake.notify(usize::MAX);
    }

    /// Returns when damage that a reader has reported is mended: its report stands before this in the queue.
    pub(crate) fn mended(&self) -> Result<()> {
        self.command(|_| Ok(()))
    }

    fn take(&self, generation: u64) -> Option<Connection> {
        let mut pool = self.shared.pool.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        pool.retain(|(_, g, at)| *g == generation && now.duration_since(*at) < IDLE);
        pool.pop().map(|(conn, _, _)| conn)
    }

    /// Closes every idle reader, so that a TRUNCATE checkpoint finds none.
    pub(crate) fn close_idle(&self) {
        self.shared.pool.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// Closes readers that nobody used for a minute.
    pub(crate) fn close_long_idle(&self) {
        let now = Instant::now();
        let mut pool = self.shared.pool.lock().unwrap_or_else(PoisonError::into_inner);
        pool.retain(|(_, _, at)| now.duration_since(*at) < IDLE);
    }

    fn give(&self, conn: Connection, generation: u64) {
        let mut pool = self.shared.pool.lock().unwrap_or_else(PoisonError::into_inner);
        if pool.len() < POOL {
            pool.push((conn, generation, Instant::now()));
        }
    }

    /// Runs `command` in the folding thread, between transactions, and waits for it.
    pub(crate) fn command<T: Send + 'static>(
        &self,
        f: impl FnOnce(&mut FoldState) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let (reply, answer) = std::sync::mpsc::sync_channel(1);
        let command: Command = Box::new(move |state| drop(reply.send(state.task(f))));
        {
            let mut commands = self.shared.commands.lock().unwrap_or_else(PoisonError::into_inner);
            if commands.ended {
                return Err(Error::Closed);
            }
            commands.waiting.push_back(command);
        }
        self.shared.wake.notify(usize::MAX);
        answer.recv().map_err(|_| Error::Closed)?
    }
}

/// The position that stands in the file, committed with the rows.
pub(crate) fn position(conn: &Connection) -> Result<u64> {
    let pos: i64 = conn.prepare_cached("SELECT value FROM meta WHERE key = 'position'")?.query_row([], |r| r.get(0))?;
    Ok(crate::log::unsigned(pos))
}

/// The first entries that a view's file has passed by, with what was wrong.
pub(crate) fn unfolded(conn: &Connection, most: u32) -> rusqlite::Result<Vec<(u64, String)>> {
    let mut stmt = conn.prepare_cached("SELECT pos, why FROM unfolded ORDER BY pos LIMIT ?")?;
    stmt.query_map([most], |row| Ok((crate::log::unsigned(row.get(0)?), row.get(1)?)))?.collect()
}
