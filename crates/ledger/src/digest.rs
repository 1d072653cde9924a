//! The hash of a view's rows, by which two folds of one log are compared.
use rusqlite::Connection;
use rusqlite::types::ValueRef;
use sha2::{Digest, Sha256};

/// Every ordinary table but the ledger's own two, by name; rows in order of the primary key.
pub(crate) fn tables(conn: &Connection) -> rusqlite::Result<[u8; 32]> {
    let mut hash = Sha256::new();
    let mut stmt = conn.prepare(
        "SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' \
         AND name NOT IN ('meta', 'unfolded') ORDER BY name",
    )?;
    let names = stmt.query_map([], |r| r.get::<_, String>(0))?.collect::<rusqlite::Result<Vec<_>>>()?;
    for name in &names {
        // Where a row waits depends on its transactions (`Staged`).
        if name.strip_suffix("_new").is_some_and(|all| names.iter().any(|n| n == all)) {
            continue;
        }
        let waiting = format!("{name}_new");
        let waiting = names.contains(&waiting).then_some(waiting);
        text(&mut hash, b't', name.as_bytes());
        table(conn, name, waiting.as_deref(), &mut hash)?;
    }
    Ok(hash.finalize().into())
}

fn table(conn: &Connection, name: &str, waiting: Option<&str>, hash: &mut Sha256) -> rusqlite::Result<()> {
    let mut key = Vec::new();
    let mut stmt = conn.prepare("SELECT name FROM pragma_table_info(?) WHERE pk > 0 ORDER BY pk")?;
    let mut rows = stmt.query([name])?;
    while let Some(row) = rows.next()? {
        key.push(quoted(&row.get::<_, String>(0)?));
    }
    let order = if key.is_empty() { "rowid".to_owned() } else { key.join(", ") };
    let also = waiting.map(|w| format!("UNION ALL SELECT * FROM {}", quoted(w))).unwrap_or_default();
    let mut stmt = conn.prepare(&format!("SELECT * FROM {} {also} ORDER BY {order}", quoted(name)))?;
    let columns = stmt.column_count();
    let mut rows = stmt.query([])?;
    while let Some(row) = rows.next()? {
        hash.update(b"r");
        for column in 0..columns {
            match row.get_ref(column)? {
                ValueRef::Null => hash.update(b"n"),
                ValueRef::Integer(n) => text(hash, b'i', &n.to_be_bytes()),
                ValueRef::Real(n) => text(hash, b'f', &n.to_be_bytes()),
                ValueRef::Text(bytes) => text(hash, b's', bytes),
                ValueRef::Blob(bytes) => text(hash, b'b', bytes),
            }
        }
    }
    Ok(())
}

fn text(hash: &mut Sha256, tag: u8, bytes: &[u8]) {
    hash.update([tag]);
    hash.update((bytes.len() as u64).to_be_bytes());
    hash.update(bytes);
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
