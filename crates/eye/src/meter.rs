//! How far long work is: told by whoever works, drawn by whoever has a terminal, in this process or at the other end of
//! the socket.
use crate::frames::Progress;
use indicatif::{ProgressBar, ProgressState, ProgressStyle};
use std::fmt;
use std::io::{self, IsTerminal, Read, Write};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Told no more often than this.
const EVERY: Duration = Duration::from_millis(100);
/// On a narrower terminal only the bar itself stands, columns.
const NARROW: u16 = 64;
/// Columns of what is worked on.
const NAME: usize = 22;

type Ear = dyn Fn(&Progress) + Send + Sync;

/// Tells somebody how far work is; cheap to clone.
#[derive(Clone)]
pub struct Meter {
    ear: Option<Arc<Ear>>,
    last: Arc<Mutex<Option<Instant>>>,
}

impl Meter {
    /// Nobody listens.
    pub fn silent() -> Self {
        Self { ear: None, last: Arc::default() }
    }

    /// `ear` hears what is done, how much of it, and of how much, when that is known.
    pub fn heard_by(ear: impl Fn(&Progress) + Send + Sync + 'static) -> Self {
        Self { ear: Some(Arc::new(ear)), last: Arc::default() }
    }

    /// So many of so many things.
    pub fn tell(&self, what: &str, at: u64, of: Option<u64>) {
        self.note(what, at, of, false);
    }

    /// So many bytes of so many.
    pub fn tell_bytes(&self, what: &str, at: u64, of: Option<u64>) {
        self.note(what, at, of, true);
    }

    fn note(&self, what: &str, at: u64, of: Option<u64>, bytes: bool) {
        let Some(ear) = &self.ear else { return };
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if last.is_some_and(|l| l.elapsed() < EVERY) {
            return;
        }
        *last = Some(Instant::now());
        ear(&Progress { what: what.to_owned(), at, of, bytes });
    }

    /// A reader that tells how many bytes went through it.
    pub fn count<R>(&self, what: impl Into<String>, of: Option<u64>, inner: R) -> Counted<R> {
        Counted { meter: self.clone(), what: what.into(), at: 0, of, inner }
    }
}

/// See [`Meter::count`].
pub struct Counted<R> {
    meter: Meter,
    what: String,
    at: u64,
    of: Option<u64>,
    inner: R,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let got = self.inner.read(buf)?;
        self.at += got as u64;
        self.meter.note(&self.what, self.at, self.of, true);
        Ok(got)
    }
}

/// A bar on this process's terminal, drawn anew after each line of text.
#[derive(Clone, Default)]
pub struct Bar(Arc<Mutex<Option<Drawn>>>);

struct Drawn {
    bar: ProgressBar,
    /// What decides its style: bytes, a known end, a narrow terminal.
    style: (bool, bool, bool),
    what: String,
}

/// Whether a bar may be drawn for a command: to somebody who looks, and never beside JSON.
pub fn is_wanted(words: &[String]) -> bool {
    io::stderr().is_terminal() && !words.iter().any(|w| w == "--json")
}

/// Columns of the terminal; 80 when it does not say.
fn columns() -> u16 {
    rustix::termios::tcgetwinsize(io::stderr()).map_or(80, |size| size.ws_col).max(1)
}

fn style((bytes, ends, narrow): (bool, bool, bool)) -> ProgressStyle {
    let template = match (ends, narrow) {
        (true, false) => format!("{{msg:{NAME}!}} {{wide_bar}} {{done}} {{rate}} {{left}}"),
        (true, true) => "{percent:>3} % {wide_bar} {left}".to_owned(),
        (false, false) => format!("{{msg:{NAME}!}} {{elapsed}} {{done}} {{rate}}"),
        (false, true) => "{elapsed} {done}".to_owned(),
    };
    let drawn = ProgressStyle::with_template(&template).unwrap_or_else(|_| ProgressStyle::default_bar());
    drawn
        .with_key("done", move |state: &ProgressState, w: &mut dyn fmt::Write| {
            let of = state.len().map(|of| format!(" of {}", amount(of, bytes))).unwrap_or_default();
            let _ = write!(w, "{}{of}", amount(state.pos(), bytes));
        })
        .with_key("rate", move |state: &ProgressState, w: &mut dyn fmt::Write| {
            if is_steady(state) {
                let _ = write!(w, "{}/s", amount(state.per_sec() as u64, bytes));
            }
        })
        .with_key("left", |state: &ProgressState, w: &mut dyn fmt::Write| {
            if is_steady(state) {
                let _ = write!(w, "{} left", time(state.eta().as_secs()));
            }
        })
}

/// Whether a rate says anything yet.
fn is_steady(state: &ProgressState) -> bool {
    state.elapsed() >= Duration::from_secs(1) && state.per_sec() >= 1.0
}

/// `4,819`, or `32.3 MB`.
fn amount(n: u64, bytes: bool) -> String {
    if bytes { indicatif::DecimalBytes(n).to_string() } else { indicatif::HumanCount(n).to_string() }
}

/// `42 s`, `3 min`, `2 h 05`.
fn time(seconds: u64) -> String {
    match seconds {
        0..=90 => format!("{seconds} s"),
        91..=5_400 => format!("{} min", seconds.div_ceil(60)),
        _ => format!("{} h {:02}", seconds / 3_600, seconds % 3_600 / 60),
    }
}

/// The end of a long name tells more than its beginning: it holds the kind of file.
fn short(what: &str) -> String {
    let many = what.chars().count();
    if many <= NAME {
        return what.to_owned();
    }
    std::iter::once('…').chain(what.chars().skip(many + 1 - NAME)).collect()
}

impl Bar {
    pub fn show(&self, progress: &Progress) {
        let wanted = (progress.bytes, progress.of.is_some(), columns() < NARROW);
        let mut slot = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // Another piece of work has a rate of its own.
        if slot.as_ref().is_some_and(|drawn| drawn.what != progress.what)
            && let Some(old) = slot.take()
        {
            old.bar.finish_and_clear();
        }
        let drawn = slot.get_or_insert_with(|| {
            let bar = ProgressBar::no_length().with_style(style(wanted)).with_message(short(&progress.what));
            // What was done before is no speed.
            bar.set_position(progress.at);
            bar.reset_eta();
            Drawn { bar, style: wanted, what: progress.what.clone() }
        });
        if drawn.style != wanted {
            drawn.style = wanted;
            drawn.bar.set_style(style(wanted));
        }
        match progress.of {
            Some(of) => drawn.bar.set_length(of),
            None => drawn.bar.unset_length(),
        }
        drawn.bar.set_position(progress.at);
    }

    pub fn clear(&self) {
        if let Some(drawn) = self.0.lock().unwrap_or_else(PoisonError::into_inner).take() {
            drawn.bar.finish_and_clear();
        }
    }

    /// A meter that draws here.
    pub fn meter(&self) -> Meter {
        let bar = self.clone();
        Meter::heard_by(move |progress| bar.show(progress))
    }

    /// A writer before whose text the bar goes away.
    pub fn before<W: Write>(&self, to: W) -> Before<W> {
        Before { bar: self.clone(), to }
    }
}

/// See [`Bar::before`].
pub struct Before<W> {
    bar: Bar,
    to: W,
}

impl<W: Write> Write for Before<W> {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.bar.clear();
        self.to.write(buf)
    }
    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_counted_reader_passes_every_byte_and_tells_how_many_of_how_many() {
        let heard = Arc::new(Mutex::new(Vec::new()));
        let ear = Arc::clone(&heard);
        let meter = Meter::heard_by(move |p| ear.lock().unwrap().push((p.what.clone(), p.at, p.of, p.bytes)));
        let mut read = Vec::new();
        meter.count("file", Some(5), &b"12345"[..]).read_to_end(&mut read).unwrap();
        assert_eq!(read, b"12345");
        assert_eq!(heard.lock().unwrap()[0], ("file".to_owned(), 5, Some(5), true));
    }

    #[test]
    fn what_is_drawn_of_a_name_and_of_the_time_left_is_short() {
        assert_eq!(short("list.txt"), "list.txt");
        let name = short("EXERCISE-a-file-with-a-very-long-name.json");
        assert!(name.chars().count() == NAME && name.ends_with("long-name.json"), "{name}");
        assert_eq!([0, 90, 91, 5_400, 7_500].map(time), ["0 s", "90 s", "2 min", "90 min", "2 h 05"]);
    }
}
