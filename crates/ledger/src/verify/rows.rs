//! Columns read strictly: a value of another type than was written is damage, even when SQLite would convert it.
use rusqlite::Row;
use rusqlite::types::ValueRef;

/// What a column holds instead of what was written there.
pub(super) type Wrong = String;

pub(super) fn int(row: &Row<'_>, i: usize, name: &str) -> Result<i64, Wrong> {
    match row.get_ref(i) {
        Ok(ValueRef::Integer(n)) => Ok(n),
        Ok(_) => Err(format!("`{name}` is no whole number")),
        Err(e) => Err(format!("`{name}`: {e}")),
    }
}

pub(super) fn count(row: &Row<'_>, i: usize, name: &str) -> Result<u64, Wrong> {
    u64::try_from(int(row, i, name)?).map_err(|_| format!("`{name}` is negative"))
}

pub(super) fn small<T: TryFrom<i64>>(row: &Row<'_>, i: usize, name: &str) -> Result<T, Wrong> {
    T::try_from(int(row, i, name)?).map_err(|_| format!("`{name}` is out of range"))
}

pub(super) fn maybe(row: &Row<'_>, i: usize, name: &str) -> Result<Option<u64>, Wrong> {
    match row.get_ref(i) {
        Ok(ValueRef::Null) => Ok(None),
        _ => count(row, i, name).map(Some),
    }
}

pub(super) fn blob<'r>(row: &'r Row<'_>, i: usize, name: &str) -> Result<&'r [u8], Wrong> {
    match row.get_ref(i) {
        Ok(ValueRef::Blob(bytes)) => Ok(bytes),
        Ok(_) => Err(format!("`{name}` holds no bytes")),
        Err(e) => Err(format!("`{name}`: {e}")),
    }
}

pub(super) fn hash(row: &Row<'_>, i: usize, name: &str) -> Result<[u8; 32], Wrong> {
    blob(row, i, name)?.try_into().map_err(|_| format!("`{name}` is not 32 bytes"))
}

pub(super) fn text<'r>(row: &'r Row<'_>, i: usize, name: &str) -> Result<&'r str, Wrong> {
    match row.get_ref(i) {
        Ok(ValueRef::Text(bytes)) => std::str::from_utf8(bytes).map_err(|_| format!("`{name}` is no UTF-8 text")),
        Ok(_) => Err(format!("`{name}` is no text")),
        Err(e) => Err(format!("`{name}`: {e}")),
    }
}
