//! A server under measurement: our own `eye` in a scratch folder, or a peer, with its process's CPU and memory.
use crate::Failure;
use crate::machine::{cpu_of, memory_mb};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// The media type of TAXII 2.1.
pub const MEDIA: &str = "application/taxii+json;version=2.1";
/// The intake's fixed id.
const INTAKE: &str = "4d1c3a5e-5c0f-4f0e-9b52-6d2f6f0a7e10";

/// A running server; it ends and its folder goes when this is dropped.
pub struct Server {
    child: Child,
    folder: PathBuf,
    keep: bool,
    /// `http://ADDRESS:PORT`.
    pub base: String,
    /// The collection's address.
    pub collection: String,
    /// The value of `Authorization`.
    pub auth: String,
    /// From start to the first good answer, ms.
    pub ready_ms: f64,
    /// Its name in results.
    pub label: &'static str,
}

/// The `eye` beside this program.
pub fn eye() -> Result<PathBuf, Failure> {
    let path = std::env::current_exe()?.with_file_name("eye");
    if path.exists() { Ok(path) } else { Err("no `eye` beside this program: cargo build --release -p eye".into()) }
}

impl Server {
    /// Makes a node that stays.
    pub fn make(folder: &Path) -> Result<(), Failure> {
        let made = Command::new(eye()?)
            .args(["init", "--name", "EXERCISE bench", "--country", "XA", "--exercise", "--data"])
            .arg(folder)
            .stdout(Stdio::null())
            .status()?;
        if made.success() { Ok(()) } else { Err("`eye init` failed".into()) }
    }

    /// Serves a node in `folder`, which is made when it does not exist, and kept when it did.
    pub fn eye(folder: &Path) -> Result<Self, Failure> {
        let (eye, keep) = (eye()?, folder.exists());
        if !keep {
            Self::make(folder)?;
        }
        let token = Command::new(&eye)
            .args(["token", "create", "--role", "analyst", "--name", "bench", "--data"])
            .arg(folder)
            .output()?;
        let token = String::from_utf8(token.stdout)?;
        let started = Instant::now();
        let mut child = Command::new(&eye)
            .args(["serve", "--listen", "127.0.0.1:0", "--data"])
            .arg(folder)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let mut line = String::new();
        BufReader::new(child.stdout.take().ok_or("no output")?).read_line(&mut line)?;
        let base = line.trim().strip_prefix("listening on ").ok_or("`eye serve` did not start")?.to_owned();
        while !ureq::get(format!("{base}/ready")).call().is_ok_and(|r| r.status() == 200) {
            std::thread::sleep(Duration::from_millis(1));
        }
        let ready_ms = started.elapsed().as_secs_f64() * 1e3;
        let collection = format!("{base}/taxii2/api/collections/{INTAKE}");
        let auth = format!("Bearer {}", token.trim());
        Ok(Self { child, folder: folder.to_owned(), keep, base, collection, auth, ready_ms, label: "eye" })
    }

    /// Serves OASIS's medallion with its memory backend, from the program given.
    pub fn medallion(program: &Path, folder: &Path) -> Result<Self, Failure> {
        std::fs::create_dir_all(folder)?;
        let port = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let base = format!("http://127.0.0.1:{port}");
        let store = json!({
            "/discovery": {"title": "peer", "default": format!("{base}/api/"), "api_roots": [format!("{base}/api/")]},
            "api": {
                "information": {"title": "peer", "versions": [MEDIA], "max_content_length": 104_857_600},
                "status": [],
                "collections": [{"id": INTAKE, "title": "peer", "can_read": true, "can_write": true,
                    "media_types": ["application/stix+json;version=2.1"], "objects": [], "manifest": []}],
            },
        });
        std::fs::write(folder.join("data.json"), store.to_string())?;
        let config = json!({
            "backend": {"module": "medallion.backends.memory_backend", "module_class": "MemoryBackend",
                "filename": folder.join("data.json")},
            "users": {"admin": "Password0"}, "taxii": {"max_page_size": 1000}});
        std::fs::write(folder.join("config.json"), config.to_string())?;
        let started = Instant::now();
        let child = Command::new(program)
            .args(["--host", "127.0.0.1", "--port", &port.to_string()])
            .arg(folder.join("config.json"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|e| format!("{}: {e}", program.display()))?;
        while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
            if started.elapsed() > Duration::from_secs(30) {
                return Err("medallion did not start".into());
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        let ready_ms = started.elapsed().as_secs_f64() * 1e3;
        let collection = format!("{base}/api/collections/{INTAKE}");
        // `admin:Password0`, as its own documentation has it.
        let auth = "Basic YWRtaW46UGFzc3dvcmQw".to_owned();
        let folder = folder.to_owned();
        Ok(Self { child, folder, keep: false, base, collection, auth, ready_ms, label: "medallion" })
    }

    /// Its process.
    pub fn process(&self) -> String {
        self.child.id().to_string()
    }

    /// User and system time so far, s.
    pub fn cpu(&self) -> Result<f64, Failure> {
        cpu_of(&self.process())
    }

    /// Resident memory, MB.
    pub fn memory(&self) -> Result<f64, Failure> {
        memory_mb(&self.process(), "VmRSS")
    }

    /// Waits until every view has reached the log's head (a peer has no views: at once).
    pub fn settle(&self) -> Result<(), Failure> {
        if self.label != "eye" {
            return Ok(());
        }
        for _ in 0..1_200 {
            let told = Command::new(eye()?).args(["stats", "--json", "--data"]).arg(&self.folder).output()?;
            if serde_json::from_slice::<Value>(&told.stdout)?.get("behind").and_then(Value::as_u64) == Some(0) {
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        Err("the views did not reach the head within two minutes".into())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // SIGTERM, so that it ends as it would for its operator; the folder goes when it has.
        if let Some(pid) = rustix::process::Pid::from_raw(self.child.id().cast_signed()) {
            rustix::process::kill_process(pid, rustix::process::Signal::TERM).ok();
        }
        drop(self.child.wait());
        if !self.keep {
            drop(std::fs::remove_dir_all(&self.folder));
        }
    }
}
