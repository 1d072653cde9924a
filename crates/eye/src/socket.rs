//! One process owns a data folder. With a server running every other `eye` sends its words through this socket and
//! copies out what comes back, in the frames of `frames.rs`.
use crate::arguments::Arguments;
use crate::commands::{self, Io};
use crate::frames::{MOST, Progress, Request, Stdin, frame, read_frame};
use crate::meter::{self, Bar, Meter};
use crate::node::{Node, Problem};
use clap::Parser;
use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::os::fd::AsRawFd;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};

const NAME: &str = "eye.sock";

/// Asks the running server, if there is one: its exit code. `given` is read there in place of this process's stdin.
pub fn ask(data: &Path, words: &[String], cwd: &Path, given: Option<&String>) -> Result<Option<u8>, Problem> {
    let Ok(reached) = reach(data) else { return Ok(None) };
    let Ok(mut stream) = UnixStream::connect(&reached.path) else { return Ok(None) };
    let request = serde_json::to_vec(&Request {
        words: words.to_vec(),
        cwd: cwd.to_path_buf(),
        progress: meter::is_wanted(words),
    })
    .map_err(|e| Problem::other(e.to_string()))?;
    let wants_stdin = reads_stdin(words);
    // In one write: a short command may have been answered before a second one went out.
    let mut first = zeroize::Zeroizing::new(Vec::with_capacity(request.len() + 8_192));
    frame(&mut *first, 1, &request)?;
    if let Some(given) = given {
        frame(&mut *first, 1, given.as_bytes())?;
    }
    if !wants_stdin || given.is_some() {
        frame(&mut *first, 0, &[])?;
    }
    if stream.write_all(&first).is_err() {
        // The server ended between connect and write, and took nothing.
        return Ok(None);
    }
    if wants_stdin && given.is_none() {
        let mut sender = stream.try_clone()?;
        std::thread::spawn(move || {
            let mut buffer = vec![0; 1 << 16];
            let mut stdin = io::stdin().lock();
            // A server that ended reads no more; its answer says why.
            while let Ok(got) = stdin.read(&mut buffer) {
                let Some(part) = buffer.get(..got).filter(|p| !p.is_empty()) else { break };
                if frame(&mut sender, 1, part).is_err() {
                    return;
                }
            }
            drop(frame(&mut sender, 0, &[]));
        });
    }
    copy_answer(stream).map(Some)
}

/// Copies the answer out until its exit code.
fn copy_answer(stream: UnixStream) -> Result<u8, Problem> {
    let mut reader = BufReader::new(stream);
    let mut out = BufWriter::with_capacity(1 << 16, io::stdout().lock());
    let bar = Bar::default();
    loop {
        let (kind, bytes) = read_frame(&mut reader, u32::MAX).map_err(|e| match e.kind() {
            io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset => Problem::other(
                "the server ended before it had answered; ask again, and look whether the command was carried out",
            ),
            _ => e.into(),
        })?;
        match kind {
            1 => {
                bar.clear();
                out.write_all(&bytes)?;
            }
            3 => {
                if let Ok(progress) = serde_json::from_slice::<Progress>(&bytes) {
                    out.flush()?;
                    bar.show(&progress);
                }
            }
            2 => {
                bar.clear();
                out.flush()?;
                io::stderr().write_all(&bytes)?;
            }
            _ => {
                bar.clear();
                out.flush()?;
                return Ok(bytes.first().copied().unwrap_or(1));
            }
        }
    }
}

/// A path of the socket that is short enough for the system; valid while this lives.
struct Reached {
    path: PathBuf,
    _folder: File,
}

/// Socket paths may have 107 bytes; a folder's open descriptor is a short name for a long path.
fn reach(data: &Path) -> io::Result<Reached> {
    let folder = File::open(data)?;
    let path = if data.as_os_str().len() < 90 {
        data.join(NAME)
    } else {
        PathBuf::from(format!("/proc/self/fd/{}/{NAME}", folder.as_raw_fd()))
    };
    Ok(Reached { path, _folder: folder })
}

fn reads_stdin(words: &[String]) -> bool {
    words.iter().any(|w| w == "-" || w == "--password-stdin" || w == crate::passphrase::WORD)
}

/// Listens for commands until the process ends, each on a thread of its own.
pub fn listen(data: &Path, node: &Node) -> Result<(), Problem> {
    let path = data.join(NAME);
    // The lock says that no other server lives; what stands here was left by one that was killed.
    if path.exists() {
        std::fs::remove_file(&path)?;
    }
    let reached = reach(data)?;
    let listener = UnixListener::bind(&reached.path)?;
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600))?;
    let (node, data) = (node.clone(), data.to_path_buf());
    std::thread::Builder::new().name("socket".into()).spawn(move || {
        for stream in listener.incoming().flatten() {
            let (node, data) = (node.clone(), data.clone());
            let started = std::thread::Builder::new().name("command".into()).spawn(move || {
                if let Err(e) = answer(&data, &node, &stream) {
                    tracing::debug!(error = %e, "a command's caller went away");
                }
            });
            if let Err(e) = started {
                tracing::warn!(error = %e, "no thread for a command");
            }
        }
    })?;
    Ok(())
}

/// Takes the socket away, so that the next command opens the folder itself.
pub fn remove(data: &Path) {
    if let Err(e) = std::fs::remove_file(data.join(NAME)) {
        tracing::debug!(error = %e, "the socket was gone already");
    }
}

fn answer(data: &Path, node: &Node, stream: &UnixStream) -> io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let (_, request) = read_frame(&mut reader, MOST)?;
    let request: Request = serde_json::from_slice(&request).map_err(io::Error::other)?;
    let writer = std::sync::Arc::new(std::sync::Mutex::new(BufWriter::new(stream.try_clone()?)));
    let meter = if request.progress { told_over(&writer) } else { Meter::silent() };
    let code = match Arguments::try_parse_from(&request.words) {
        Ok(arguments) => {
            let (mut out, mut err) = (Framed { kind: 1, to: &writer }, Framed { kind: 2, to: &writer });
            let mut stdin = Stdin::new(reader);
            let mut io =
                Io { out: &mut out, err: &mut err, stdin: &mut stdin, cwd: request.cwd, meter, about: Vec::new() };
            commands::run(data, node, &arguments.command, &mut io)
        }
        Err(_) => 2,
    };
    let mut writer = writer.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    frame(&mut *writer, 0, &[code])?;
    writer.flush()
}

/// Sends how far it is to the caller, who draws it.
fn told_over(writer: &std::sync::Arc<std::sync::Mutex<BufWriter<UnixStream>>>) -> Meter {
    let writer = std::sync::Arc::clone(writer);
    Meter::heard_by(move |progress| {
        let Ok(bytes) = serde_json::to_vec(progress) else { return };
        let mut to = writer.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        // A caller that went away needs no bar.
        drop(frame(&mut *to, 3, &bytes).and_then(|()| to.flush()));
    })
}

struct Framed<'a> {
    kind: u8,
    to: &'a std::sync::Mutex<BufWriter<UnixStream>>,
}

impl Write for Framed<'_> {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        let mut to = self.to.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        frame(&mut *to, self.kind, buf)?;
        Ok(buf.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        self.to.lock().unwrap_or_else(std::sync::PoisonError::into_inner).flush()
    }
}
