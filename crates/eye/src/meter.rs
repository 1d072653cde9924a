//! How far long work is: told by whoever works, drawn by whoever has a terminal, in this process or at the other end of
//! the socket.
use indicatif::{ProgressBar, ProgressStyle};
use std::io::{self, IsTerminal, Read, Write};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Told no more often than this.
const EVERY: Duration = Duration::from_millis(100);

type Ear = dyn Fn(&str, u64, Option<u64>) + Send + Sync;

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
    pub fn heard_by(ear: impl Fn(&str, u64, Option<u64>) + Send + Sync + 'static) -> Self {
        Self { ear: Some(Arc::new(ear)), last: Arc::default() }
    }

    pub fn tell(&self, what: &str, at: u64, of: Option<u64>) {
        let Some(ear) = &self.ear else { return };
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if last.is_some_and(|l| l.elapsed() < EVERY) {
            return;
        }
        *last = Some(Instant::now());
        ear(what, at, of);
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
        self.meter.tell(&self.what, self.at, self.of);
        Ok(got)
    }
}

/// A bar on this process's terminal, drawn anew after each line of text.
#[derive(Clone, Default)]
pub struct Bar(Arc<Mutex<Option<ProgressBar>>>);

/// Whether a bar may be drawn for a command: to somebody who looks, and never beside JSON.
pub fn is_wanted(words: &[String]) -> bool {
    io::stderr().is_terminal() && !words.iter().any(|w| w == "--json")
}

impl Bar {
    pub fn show(&self, what: &str, at: u64, of: Option<u64>) {
        let mut slot = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let bar = slot.get_or_insert_with(|| {
            let bar = ProgressBar::no_length();
            let style = "{elapsed_precise} {wide_bar} {human_pos}/{human_len} {msg}";
            bar.set_style(ProgressStyle::with_template(style).unwrap_or_else(|_| ProgressStyle::default_bar()));
            bar
        });
        match of {
            Some(of) => bar.set_length(of),
            None => bar.unset_length(),
        }
        bar.set_message(what.to_owned());
        bar.set_position(at);
    }

    pub fn clear(&self) {
        if let Some(bar) = self.0.lock().unwrap_or_else(PoisonError::into_inner).take() {
            bar.finish_and_clear();
        }
    }

    /// A meter that draws here.
    pub fn meter(&self) -> Meter {
        let bar = self.clone();
        Meter::heard_by(move |what, at, of| bar.show(what, at, of))
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
        let meter = Meter::heard_by(move |what, at, of| ear.lock().unwrap().push((what.to_owned(), at, of)));
        let mut read = Vec::new();
        meter.count("file", Some(5), &b"12345"[..]).read_to_end(&mut read).unwrap();
        assert_eq!(read, b"12345");
        assert_eq!(heard.lock().unwrap()[0], ("file".to_owned(), 5, Some(5)));
    }
}
