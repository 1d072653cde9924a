//! What is derived from columns says up to which block it was built; if that block is not on the chain, it is built anew.
use super::bytes::{Fields, replace};
use super::{Head, Result, Store, io};
use std::path::Path;

const MAGIC: &[u8; 8] = b"EYEDRV\0\x01";

/// Writes `head` beside a derived file.
pub fn write_head(path: &Path, head: Option<Head>) -> Result<()> {
    let mut bytes = MAGIC.to_vec();
    put_head(head, &mut bytes);
    let crc = crc32fast::hash(&bytes);
    bytes.extend_from_slice(&crc.to_le_bytes());
    replace(path, &bytes)
}

/// A head as 41 bytes: one that says whether there is one, height, hash.
pub fn put_head(head: Option<Head>, into: &mut Vec<u8>) {
    into.push(u8::from(head.is_some()));
    into.extend_from_slice(&head.map_or(0, |head| head.height).to_le_bytes());
    into.extend_from_slice(&head.map_or([0; 32], |head| head.hash));
}

/// The reverse of [`put_head`]: `Some(None)` is the chain's beginning.
pub fn take_head(fields: &mut Fields<'_>) -> Option<Option<(u64, [u8; 32])>> {
    let [some] = fields.array()?;
    let (height, hash) = (fields.u64()?, fields.array()?);
    Some((some == 1).then_some((height, hash)))
}

/// Up to which block of `store` a derived file was built: how many blocks, or `None` when it must be built anew.
pub fn built_to(path: &Path, store: &Store) -> Result<Option<u64>> {
    let bytes = match std::fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(io(path)(error)),
    };
    let Some((body, crc)) = bytes.split_last_chunk::<4>() else { return Ok(None) };
    let mut fields = Fields(body);
    if crc32fast::hash(body) != u32::from_le_bytes(*crc) || fields.take(8) != Some(MAGIC) {
        return Ok(None);
    }
    match take_head(&mut fields) {
        Some(head) => blocks_at(head, store),
        None => Ok(None),
    }
}

/// How many blocks of `store` lead up to and with that head, if it is on the chain.
pub fn blocks_at(head: Option<(u64, [u8; 32])>, store: &Store) -> Result<Option<u64>> {
    let Some((height, hash)) = head else { return Ok(Some(0)) };
    Ok(store.at_height(height)?.filter(|(_, record)| record.hash == hash).map(|(place, _)| place + 1))
}
