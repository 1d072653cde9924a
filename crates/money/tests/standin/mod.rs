//! A node that answers what a test says, on a free port.
#![allow(dead_code)] // each test uses some of it

use serde_json::{Value, json};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// What the stand-in does with a question.
pub enum Reply {
    Result(Value),
    Error(i64, &'static str),
    Bytes(Vec<u8>),
    Status(&'static str),
    Silence,
    Cut,
}

pub type Answering = Arc<Mutex<dyn FnMut(&str, &Value) -> Reply + Send>>;

/// A node on a free port; each connection is one question.
pub fn serve(answering: Answering) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let answering = Arc::clone(&answering);
            std::thread::spawn(move || answer(stream, &answering));
        }
    });
    url
}

fn answer(mut stream: TcpStream, answering: &Answering) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        if stream.read_exact(&mut byte).is_err() {
            return;
        }
        head.push(byte[0]);
    }
    let head = String::from_utf8(head).unwrap().to_ascii_lowercase();
    let len = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    let mut body = vec![0; len.map_or(0, |len| len.trim().parse().unwrap())];
    stream.read_exact(&mut body).unwrap();
    let asked: Value = serde_json::from_slice(&body).unwrap_or(Value::Null);
    // JSON-RPC names a method; an API of plain HTTP is asked by its path.
    let path = head.split(' ').nth(1).unwrap().trim_start_matches('/').to_owned();
    if let Some(questions) = asked.as_array() {
        return answer_all(stream, answering, questions);
    }
    let reply = match asked["method"].as_str() {
        Some(method) => (*answering.lock().unwrap())(method, &asked["params"]),
        None => (*answering.lock().unwrap())(&path, &asked),
    };
    let ok = |body: Value, more: usize| {
        let body = body.to_string();
        format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}", body.len() + more)
    };
    let id = &asked["id"];
    let text = match reply {
        Reply::Result(result) if id.is_null() => ok(result, 0),
        Reply::Result(result) => ok(json!({"jsonrpc": "2.0", "id": id, "result": result}), 0),
        Reply::Error(code, message) => {
            ok(json!({"jsonrpc": "2.0", "id": id, "error": {"code": code, "message": message}}), 0)
        }
        Reply::Status(line) => {
            format!("HTTP/1.1 {line}\r\nRetry-After: 0\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        }
        Reply::Bytes(bytes) => {
            let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", bytes.len());
            drop(stream.write_all(&[head.as_bytes(), &bytes].concat()));
            return;
        }
        Reply::Cut => ok(json!({"jsonrpc": "2.0", "id": id, "result": "0x"}), 10),
        // The client hangs up when its patience ends.
        Reply::Silence => return drop(stream.read(&mut [0])),
    };
    // A client that has heard enough hangs up.
    drop(stream.write_all(text.as_bytes()));
}

/// A batch: an answer for each question, the last first, for their order says nothing. What is more than an answer is the whole's.
fn answer_all(mut stream: TcpStream, answering: &Answering, questions: &[Value]) {
    let mut answers = Vec::new();
    for asked in questions.iter().rev() {
        let reply = (*answering.lock().unwrap())(asked["method"].as_str().unwrap(), &asked["params"]);
        let id = &asked["id"];
        answers.push(match reply {
            Reply::Result(result) => json!({"jsonrpc": "2.0", "id": id, "result": result}),
            Reply::Error(code, message) => {
                json!({"jsonrpc": "2.0", "id": id, "error": {"code": code, "message": message}})
            }
            Reply::Status(line) => {
                let text =
                    format!("HTTP/1.1 {line}\r\nRetry-After: 0\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
                return drop(stream.write_all(text.as_bytes()));
            }
            Reply::Cut => {
                return drop(stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\nConnection: close\r\n\r\n[{"));
            }
            Reply::Silence => return drop(stream.read(&mut [0])),
            Reply::Bytes(_) => unreachable!("bytes are no answer of JSON-RPC"),
        });
    }
    let body = Value::from(answers).to_string();
    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
    drop(stream.write_all(&[head.as_bytes(), body.as_bytes()].concat()));
}
