//! Whatever somebody searches for, uploads, or writes into an object.
use crate::search::{Query, Words};

/// A query: what goes to FTS5 is phrases, `NEAR` around them, and `AND` and `OR` for the types.
pub fn query(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let query = Query::read(&text, Some("TH"));
    let Some(words) = Words::new(&query.phrases, &query.types) else { return };
    let conn = rusqlite::Connection::open_in_memory().expect("SQLite opens");
    conn.execute_batch("CREATE VIRTUAL TABLE t USING fts5(x)").expect("FTS5 is there");
    for asked in words.simple().into_iter().chain([words.within(1, true)]).chain(words.weighed.iter().cloned()) {
        let quotes = asked.matches('"').count();
        assert!(quotes % 2 == 0, "{asked}");
        let outside: String = asked.split('"').step_by(2).collect();
        let syntax = |word: &str| matches!(word, "AND" | "OR" | "(" | ")" | "NEAR" | "," | "100000000");
        let apart = outside.replace('(', " ( ").replace(')', " ) ").replace(',', " , ");
        assert!(apart.split_whitespace().all(syntax), "{asked}");
        conn.query_row("SELECT count(*) FROM t WHERE t MATCH ?", [asked], |r| r.get::<_, i64>(0))
            .expect("FTS5 reads it");
    }
}

/// A form with a file, as bytes.
pub fn multipart(bytes: &[u8]) {
    use axum::extract::FromRequest;
    let request = axum::http::Request::builder()
        .method("POST")
        .header("content-type", "multipart/form-data; boundary=b")
        .body(axum::body::Body::from(bytes.to_vec()));
    let Ok(request) = request else { return };
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread().build() else { return };
    runtime.block_on(async {
        if let Ok(form) = axum::extract::Multipart::from_request(request, &()).await {
            let _any = crate::http::upload::receive(form, 1 << 20).await;
        }
    });
}

/// An object's words for full text, its name for people.
pub fn words(bytes: &[u8]) {
    if let Ok(value) = serde_json::from_slice::<serde_json::Value>(bytes) {
        crate::view::text_of_object(&value);
        assert!(crate::name_of(&value).chars().count() <= 121);
    }
}

#[cfg(test)]
#[path = "../../../tests/fuzz/replay.rs"]
mod replay;

#[cfg(test)]
mod tests {
    #[test]
    fn no_seed_and_nothing_a_fuzzer_found_breaks_a_rule() {
        super::replay::replay(
            env!("CARGO_MANIFEST_DIR"),
            &[("query", super::query), ("multipart", super::multipart), ("words", super::words)],
        );
    }
}
