//! `bench size`: what a node costs that holds a million objects: memory ten seconds after the load, start to ready, the
//! program's and the folder's bytes.
use crate::Failure;
use crate::attack::templates;
use crate::machine::load;
use crate::server::{MEDIA, Server, eye};
use serde_json::json;
use std::path::PathBuf;
use std::time::Duration;

/// What is measured.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// A STIX 2.1 bundle (ATT&CK enterprise).
    pub bundle: PathBuf,
    /// Objects to store over TAXII.
    #[arg(long, default_value_t = 1_000_000)]
    pub objects: u64,
    /// A node that stays; it is filled only when it is new.
    #[arg(long)]
    pub folder: Option<PathBuf>,
}

/// Runs, prints one JSON line.
///
/// # Errors
/// The server's.
pub fn run(args: &Args) -> Result<(), Failure> {
    let own = std::env::temp_dir().join(format!("bench-size-{}", std::process::id()));
    let folder = args.folder.clone().unwrap_or_else(|| own.clone());
    if !folder.exists() {
        // Made here, so that stopping the first server leaves it for the second.
        Server::make(&folder)?;
        let server = Server::eye(&folder)?;
        fill(args, &server)?;
        std::thread::sleep(Duration::from_secs(10));
        println!(
            "{}",
            json!({"bench": "size", "what": "after the load", "memory_mb": server.memory()?, "load": load()})
        );
    }
    let mut ready = Vec::new();
    for _ in 0..3 {
        ready.push(Server::eye(&folder)?.ready_ms.round());
    }
    let server = Server::eye(&folder)?;
    std::thread::sleep(Duration::from_secs(10));
    println!(
        "{}",
        json!({"bench": "size", "what": "after a start", "memory_mb": server.memory()?, "ready_ms": ready,
            "binary_mb": (eye()?.metadata()?.len() as f64 / 104_857.6).round() / 10.0, "load": load()})
    );
    drop(server);
    if args.folder.is_none() {
        std::fs::remove_dir_all(&own)?;
    }
    Ok(())
}

fn fill(args: &Args, server: &Server) -> Result<(), Failure> {
    let templates = templates(&args.bundle)?;
    let (mut stored, mut round) = (0u64, 0u64);
    let before = server.cpu()?;
    while stored < args.objects {
        for chunk in templates.chunks(1_000) {
            let objects: Vec<String> = chunk.iter().map(|t| t.renamed(round)).collect();
            ureq::post(format!("{}/objects/", server.collection))
                .header("Authorization", &server.auth)
                .header("Accept", MEDIA)
                .header("Content-Type", MEDIA)
                .send(&format!("{{\"objects\":[{}]}}", objects.join(",")))?
                .body_mut()
                .read_to_string()?;
            stored += chunk.len() as u64;
        }
        round += 1;
    }
    server.settle()?;
    let cpu = server.cpu()? - before;
    println!(
        "{}",
        json!({"bench": "size", "what": "load", "objects": stored, "cpu_s": cpu,
            "per_cpu_s": (stored as f64 / cpu).round(), "memory_mb": server.memory()?, "load": load()})
    );
    Ok(())
}
