//! `bench stream`: from a POST that was answered to its event on the live stream, idle and while a bulk ingest runs.
use crate::Failure;
use crate::attack::templates;
use crate::machine::load;
use crate::server::{MEDIA, Server};
use serde_json::json;
use std::collections::HashMap;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

/// What is measured.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// A STIX 2.1 bundle (ATT&CK enterprise), for the bulk ingest.
    pub bundle: PathBuf,
    /// POSTs of one object, idle and again under the bulk ingest.
    #[arg(long, default_value_t = 500)]
    pub posts: usize,
    /// Between two of them, ms.
    #[arg(long, default_value_t = 15)]
    pub gap_ms: u64,
}

/// Runs, prints one JSON line idle and one under the bulk ingest.
///
/// # Errors
/// The server's.
pub fn run(args: &Args) -> Result<(), Failure> {
    let scratch = std::env::temp_dir().join(format!("bench-stream-{}", std::process::id()));
    let server = Server::eye(&scratch)?;
    let arrivals = listen(&server)?;
    measure(args, &server, &arrivals, "idle", 0)?;
    let templates = templates(&args.bundle)?;
    let (over, stored) = (AtomicBool::new(false), AtomicU64::new(0));
    std::thread::scope(|s| -> Result<(), Failure> {
        let bulk = s.spawn(|| -> Result<(), String> {
            let mut round = 0;
            while !over.load(Ordering::Relaxed) {
                for chunk in templates.chunks(1_000) {
                    let objects: Vec<String> = chunk.iter().map(|t| t.renamed(round)).collect();
                    post(&server, &format!("{{\"objects\":[{}]}}", objects.join(","))).map_err(|e| e.to_string())?;
                    stored.fetch_add(chunk.len() as u64, Ordering::Relaxed);
                    if over.load(Ordering::Relaxed) {
                        break;
                    }
                }
                round += 1;
            }
            Ok(())
        });
        let measured = measure(args, &server, &arrivals, "bulk", 1);
        over.store(true, Ordering::Relaxed);
        match bulk.join() {
            Ok(Ok(())) => measured,
            Ok(Err(e)) => Err(e.into()),
            Err(_) => Err("the bulk ingest broke off".into()),
        }
    })?;
    println!("{}", json!({"bench": "stream", "what": "bulk", "posted_meanwhile": stored.into_inner()}));
    Ok(())
}

/// Ids as they arrive, with the instant.
fn listen(server: &Server) -> Result<Receiver<(String, Instant)>, Failure> {
    let answer = ureq::get(format!("{}/stream/live", server.base))
        .header("Authorization", &server.auth)
        .header("Accept", "text/event-stream")
        .call()?;
    let (say, arrivals) = channel();
    std::thread::spawn(move || {
        for line in BufReader::new(answer.into_body().into_reader()).lines() {
            let Ok(line) = line else { return };
            // Only the notes of this measurement: the rest of a bulk ingest is not worth parsing here.
            let Some(at) = line.find("\"id\":\"note--b") else { continue };
            if line.starts_with("data:")
                && let Some(id) = line.get(at + 6..at + 6 + 42)
                && say.send((id.to_owned(), Instant::now())).is_err()
            {
                return;
            }
        }
    });
    Ok(arrivals)
}

fn post(server: &Server, body: &str) -> Result<(), Failure> {
    ureq::post(format!("{}/objects/", server.collection))
        .header("Authorization", &server.auth)
        .header("Accept", MEDIA)
        .header("Content-Type", MEDIA)
        .send(body)?
        .body_mut()
        .read_to_string()?;
    Ok(())
}

fn measure(
    args: &Args,
    server: &Server,
    arrivals: &Receiver<(String, Instant)>,
    what: &str,
    series: u32,
) -> Result<(), Failure> {
    let mut sent = HashMap::new();
    let mut posts = Vec::new();
    for n in 0..args.posts {
        let id = format!("note--b0000000-0000-4000-800{series}-{n:012}");
        let body = format!(
            r#"{{"objects":[{{"type":"note","spec_version":"2.1","id":"{id}","created":"2026-01-01T00:00:00.000Z","modified":"2026-01-01T00:00:00.000Z","content":"EXERCISE","object_refs":["{id}"]}}]}}"#
        );
        let since = Instant::now();
        post(server, &body)?;
        posts.push(since.elapsed().as_secs_f64() * 1e3);
        sent.insert(id, Instant::now());
        std::thread::sleep(Duration::from_millis(args.gap_ms));
    }
    let mut late = Vec::new();
    let until = Instant::now() + Duration::from_secs(20);
    while !sent.is_empty() && Instant::now() < until {
        let Ok((id, at)) = arrivals.recv_timeout(Duration::from_millis(100)) else { continue };
        if let Some(answered) = sent.remove(&id) {
            late.push(at.saturating_duration_since(answered).as_secs_f64() * 1e3);
        }
    }
    late.sort_by(f64::total_cmp);
    posts.sort_by(f64::total_cmp);
    let q = |list: &[f64], q: f64| {
        let at = ((list.len() as f64 * q) as usize).min(list.len().saturating_sub(1));
        (list.get(at).copied().unwrap_or(f64::NAN) * 100.0).round() / 100.0
    };
    println!(
        "{}",
        json!({"bench": "stream", "what": what, "posts": args.posts, "lost": sent.len(), "event_p50_ms": q(&late, 0.5),
            "event_p99_ms": q(&late, 0.99), "event_max_ms": q(&late, 1.0), "post_p50_ms": q(&posts, 0.5),
            "post_p99_ms": q(&posts, 0.99), "load": load()})
    );
    Ok(())
}
