use crate::{Error, Result, sqlite};
use rusqlite::Connection;
use std::path::Path;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError, TryLockError};
use std::time::{Duration, Instant};

type Job = Box<dyn FnOnce(&Connection) -> Result<()> + Send>;

enum Message {
    Now(Job, SyncSender<Result<()>>),
    Soon(Job),
    /// Cut the WAL to nothing; answers whether that worked.
    Truncate(SyncSender<Result<bool>>),
    Close,
}

/// Jobs waiting longest before they are written.
const SOON: Duration = Duration::from_millis(100);
/// Jobs that may wait; a caller beyond that waits itself.
const QUEUE: usize = 4_096;

/// What is not in the log: sessions, throttles, budgets, leases, cursors, status rows, the access log.
/// One thread writes, many jobs a commit; each owner makes its tables with [`State::ensure`].
#[derive(Debug, Clone)]
pub struct State {
    sender: SyncSender<Message>,
    reader: Arc<Mutex<Connection>>,
    thread: Arc<Mutex<Option<std::thread::JoinHandle<()>>>>,
}

impl State {
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let conn = sqlite::open_writer(path, true, sqlite::Cache::Small)?;
        conn.pragma_update(None, "wal_autocheckpoint", 1000)?;
        conn.execute_batch("CREATE TABLE IF NOT EXISTS meta(key TEXT PRIMARY KEY, value) WITHOUT ROWID")?;
        let reader = sqlite::open_reader(path)?;
        let (sender, receiver) = sync_channel(QUEUE);
        let thread = std::thread::Builder::new()
            .name("state".into())
            .spawn(move || run(&conn, &receiver))
            .map_err(Error::io("starting the state thread"))?;
        Ok(Self { sender, reader: Arc::new(Mutex::new(reader)), thread: Arc::new(Mutex::new(Some(thread))) })
    }

    /// Makes tables that are not there yet.
    ///
    /// # Errors
    /// The storage's.
    pub fn ensure(&self, schema: &'static str) -> Result<()> {
        self.write(move |conn| Ok(conn.execute_batch(schema)?))
    }

    /// Runs `f` in a transaction and returns once it is on the disk. An error of `f` undoes what `f` did, alone.
    ///
    /// # Errors
    /// `f`'s, the storage's, [`Error::Closed`].
    pub fn write<T: Send + 'static>(&self, f: impl FnOnce(&Connection) -> Result<T> + Send + 'static) -> Result<T> {
        let (reply, answer) = sync_channel(1);
        let slot = Arc::new(Mutex::new(None));
        let out = Arc::clone(&slot);
        let job: Job = Box::new(move |conn| {
            let value = f(conn)?;
            *out.lock().unwrap_or_else(PoisonError::into_inner) = Some(value);
            Ok(())
        });
        self.sender.send(Message::Now(job, reply)).map_err(|_| Error::Closed)?;
        answer.recv().map_err(|_| Error::Closed)??;
        let value = slot.lock().unwrap_or_else(PoisonError::into_inner).take();
        value.ok_or(Error::Closed)
    }

    /// Runs `f` within 100 ms, with others, in one commit; a crash before that loses it.
    pub fn soon(&self, f: impl FnOnce(&Connection) -> Result<()> + Send + 'static) {
        if self.sender.send(Message::Soon(Box::new(f))).is_err() {
            tracing::error!("state is closed; a row was not written");
        }
    }

    /// Whether its thread runs. Never waits: what cannot be asked at once is taken to be alive.
    pub fn is_alive(&self) -> bool {
        match self.thread.try_lock() {
            Ok(thread) => thread.as_ref().is_some_and(|t| !t.is_finished()),
            Err(TryLockError::WouldBlock) => true,
            Err(TryLockError::Poisoned(_)) => false,
        }
    }

    /// Reads.
    ///
    /// # Errors
    /// `f`'s.
    pub fn read<T>(&self, f: impl FnOnce(&Connection) -> Result<T>) -> Result<T> {
        let conn = self.reader.lock().unwrap_or_else(PoisonError::into_inner);
        f(&conn)
    }

    /// Copies the WAL into the file and cuts it. `false`: somebody reads; ask again.
    pub(crate) fn truncate(&self) -> Result<bool> {
        let _no_reader = self.reader.lock().unwrap_or_else(PoisonError::into_inner);
        let (reply, answer) = sync_channel(1);
        self.sender.send(Message::Truncate(reply)).map_err(|_| Error::Closed)?;
        answer.recv().map_err(|_| Error::Closed)?
    }

    pub(crate) fn close(&self) {
        let handle = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(handle) = handle {
            // The thread may have ended already: then there is nobody to tell and nothing to wait for.
            if self.sender.send(Message::Close).is_ok() && handle.join().is_err() {
                tracing::error!("the state thread ended badly");
            }
        }
    }
}

fn run(conn: &Connection, receiver: &Receiver<Message>) {
    let mut closing = false;
    while !closing {
        let Ok(first) = receiver.recv() else { return };
        let started = Instant::now();
        let mut urgent = false;
        let mut jobs = Vec::new();
        let mut truncates = Vec::new();
        let mut next = Some(first);
        while let Some(message) = next.take() {
            match message {
                Message::Close => closing = true,
                Message::Truncate(reply) => {
                    urgent = true;
                    truncates.push(reply);
                }
                Message::Now(job, reply) => {
                    urgent = true;
                    jobs.push((job, Some(reply)));
                }
                Message::Soon(job) => jobs.push((job, None)),
            }
            if closing || jobs.len() >= 512 {
                break;
            }
            next = if urgent {
                receiver.try_recv().ok()
            } else {
                match receiver.recv_timeout(SOON.saturating_sub(started.elapsed())) {
                    Ok(message) => Some(message),
                    Err(RecvTimeoutError::Timeout) => None,
                    Err(RecvTimeoutError::Disconnected) => {
                        closing = true;
                        None
                    }
                }
            };
        }
        if Error::caught_in(|| commit(conn, jobs)).is_err() {
            roll_back(conn);
        }
        for reply in truncates {
            // A caller that went away no longer wants its answer.
            drop(reply.send(Error::caught(|| sqlite::checkpoint_truncate(conn))));
        }
    }
    if let Err(e) = sqlite::checkpoint_truncate(conn) {
        tracing::warn!(error = %e, "state checkpoint");
    }
}

fn commit(conn: &Connection, jobs: Vec<(Job, Option<SyncSender<Result<()>>>)>) {
    if jobs.is_empty() {
        return;
    }
    let mut answers = Vec::with_capacity(jobs.len());
    // One that could not be rolled back before.
    roll_back(conn);
    let began = conn.execute_batch("BEGIN IMMEDIATE");
    for (job, reply) in jobs {
        let result = match &began {
            Ok(()) => savepoint(conn, job),
            Err(e) => Err(Error::Damaged(e.to_string())),
        };
        answers.push((result, reply));
    }
    let ended = if began.is_ok() { conn.execute_batch("COMMIT") } else { Ok(()) };
    if ended.is_err() {
        roll_back(conn);
    }
    for (result, reply) in answers {
        let result = match (&ended, result) {
            (Err(e), Ok(())) => Err(Error::Damaged(e.to_string())),
            (_, result) => result,
        };
        match reply {
            // A caller that went away no longer wants its answer.
            Some(reply) => drop(reply.send(result)),
            None => {
                if let Err(e) = result {
                    tracing::error!(error = %e, "state: a row was not written");
                }
            }
        }
    }
}

fn roll_back(conn: &Connection) {
    // A failed COMMIT may have rolled back by itself.
    if !conn.is_autocommit() && conn.execute_batch("ROLLBACK").is_err() {
        tracing::error!("state: neither commit nor rollback worked");
    }
}

fn savepoint(conn: &Connection, job: Job) -> Result<()> {
    conn.execute_batch("SAVEPOINT job")?;
    match Error::caught(|| job(conn)) {
        Ok(()) => Ok(conn.execute_batch("RELEASE job")?),
        Err(e) => {
            conn.execute_batch("ROLLBACK TO job; RELEASE job")?;
            Err(e)
        }
    }
}
