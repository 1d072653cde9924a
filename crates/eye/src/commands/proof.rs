use super::Io;
use crate::node::{Node, Problem};
use ed25519_dalek::VerifyingKey;
use ledger::{MAX_PROOF_BYTES, ProofFile, verify_proof_file};
use people::Viewer;
use serde_json::json;
use std::io::Read;
use std::path::Path;

/// Proves that an object's current version stands in the ledger, with nothing but its proof file; writes that to `to`.
pub fn object(
    node: &Node,
    me: &Viewer,
    id: &str,
    to: Option<&Path>,
    without_body: bool,
    json: bool,
    io: &mut Io<'_>,
) -> Result<u8, Problem> {
    let Some((row, _)) = node.intel.current(me, id)? else { return Err(intel::Error::NotFound.into()) };
    let write = |with_body: bool| -> Result<Vec<u8>, Problem> {
        node.ledger.prove(row.pos, with_body)?.to_json().map_err(|e| Problem::other(e.to_string()))
    };
    let own = Some(node.ledger.keys().signing().verifying_key());
    let code = tell(id, &write(true)?, None, own, json, io)?;
    if let Some(to) = to.filter(|_| code == 0) {
        let to = io.path(to);
        std::fs::write(&to, write(!without_body)?).map_err(|e| Problem::other(format!("{}: {e}", to.display())))?;
        writeln!(io.err, "the proof stands in {}: `eye verify` reads it anywhere", to.display())?;
    }
    Ok(code)
}

/// Checks a proof file; against `public_key` when one is given, and with a node in `data` whether that node signed it.
pub fn file(data: &Path, path: &Path, public_key: Option<&str>, json: bool, io: &mut Io<'_>) -> Result<u8, Problem> {
    let shown = path.display();
    let due = public_key.map(read_key).transpose()?;
    let open = std::fs::File::open(path)
        .map_err(|e| Problem::other(format!("{shown}: {e}; name a proof file or an object's STIX id")))?;
    let mut bytes = Vec::new();
    open.take(MAX_PROOF_BYTES as u64 + 1).read_to_end(&mut bytes)?;
    let own = ledger::Folder::holds_a_node(data).then(|| ledger::Keys::open(&data.join("keys")).ok()).flatten();
    tell(&shown.to_string(), &bytes, due, own.map(|k| k.signing().verifying_key()), json, io)
}

fn read_key(text: &str) -> Result<VerifyingKey, Problem> {
    let mut bytes = [0; 32];
    let read = hex::decode_to_slice(text.trim(), &mut bytes).ok().and_then(|()| VerifyingKey::from_bytes(&bytes).ok());
    read.ok_or_else(|| Problem::other("--public-key wants an Ed25519 public key, 64 hexadecimal digits"))
}

/// `due` is the key that must have signed, `own` this node's.
fn tell(
    what: &str,
    proof: &[u8],
    due: Option<VerifyingKey>,
    own: Option<VerifyingKey>,
    json: bool,
    io: &mut Io<'_>,
) -> Result<u8, Problem> {
    let verified = match verify_proof_file(proof, due.as_ref()) {
        Ok(verified) => verified,
        Err(e) => {
            if json {
                io.json(&json!({"ok": false, "what": what, "problem": e.to_string()}))?;
            } else {
                writeln!(io.err, "{what}: not proved: {e}")?;
            }
            return Ok(1);
        }
    };
    let file = ProofFile::from_json(proof).map_err(|e| Problem::other(e.to_string()))?;
    let key = hex::encode(file.public_key.0);
    let ours = own.map(|k| k.to_bytes() == file.public_key.0);
    let checkpoint = verified.checkpoint.as_ref().map(|c| c.size);
    let head = &verified.head;
    if json {
        io.json(&json!({"ok": true, "what": what, "origin": head.origin, "index": verified.seq, "size": head.size,
            "root": hex::encode(head.root), "body": verified.body, "checkpoint": checkpoint, "key": key, "this_node": ours}))?;
        return Ok(0);
    }
    writeln!(io.out, "{what}: proved")?;
    writeln!(io.out, "  entry {} of {} in its collection, signed by {}", verified.seq + 1, head.size, head.origin)?;
    let body = if verified.body { "the body is the one that was written" } else { "the body is not in the proof" };
    writeln!(io.out, "  {body}")?;
    match checkpoint {
        Some(size) => writeln!(io.out, "  the node's own log fixes that head, in its first {size} leaves")?,
        None => writeln!(io.out, "  the node's own log does not fix that head yet: ask again in a minute")?,
    }
    match ours {
        _ if due.is_some() => writeln!(io.out, "  the key is the one you named: {key}")?,
        Some(true) => writeln!(io.out, "  the key is this node's: {key}")?,
        Some(false) => {
            writeln!(io.out, "  the key is not this node's; ask its agency by another way whether it is theirs: {key}")?
        }
        None => writeln!(io.out, "  ask the agency by another way whether this is its key: {key}")?,
    }
    Ok(0)
}
