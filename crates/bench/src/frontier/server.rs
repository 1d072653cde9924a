//! A server of plain HTTP on a free port of this machine: each connection is one question.
use super::Answering;
use crate::Failure;
use serde_json::Value;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};

/// Serves until the process ends; says where.
pub fn serve(answering: Answering) -> Result<String, Failure> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let url = format!("http://{}", listener.local_addr()?);
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            // Whoever hangs up does so.
            let _gone = answer(stream, &answering);
        }
    });
    Ok(url)
}

fn answer(stream: TcpStream, answering: &Answering) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream);
    let (mut path, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? <= 2 {
            break;
        }
        if path.is_empty() {
            path = line.split(' ').nth(1).unwrap_or_default().trim_start_matches('/').to_owned();
        }
        if let Some(said) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = said.trim().parse().unwrap_or(0);
        }
    }
    let mut body = Vec::new();
    reader.by_ref().take(length).read_to_end(&mut body)?;
    let asked: Value = serde_json::from_slice(&body).unwrap_or(Value::Null);
    let (status, text) = answering(&path, &asked).map_or(("404 Not Found", String::new()), |text| ("200 OK", text));
    let head = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", text.len());
    reader.get_mut().write_all([head.as_bytes(), text.as_bytes()].concat().as_slice())
}
