//! A file as it is read: plain, packed by gzip or bzip2, or the only file in a zip archive.
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

/// What only a workbook's archive has.
const WORKBOOK: &str = "xl/";
/// Most entries of an archive that are looked at.
const MAX_ENTRIES: usize = 10_000;

/// Whether a file is an archive of the zip kind, and if so whether it is a workbook.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Archive {
    /// It is none.
    No,
    /// A workbook.
    Workbook,
    /// Files.
    Files,
}

/// What kind of file it is, by its bytes.
///
/// # Errors
/// It cannot be read.
pub fn archive(path: &Path) -> Result<Archive, String> {
    let mut file = File::open(path).map_err(|error| error.to_string())?;
    let mut head = [0; 4];
    if file.read_exact(&mut head).is_err() || head != *b"PK\x03\x04" {
        return Ok(Archive::No);
    }
    let archive = zip::ZipArchive::new(file).map_err(|_| broken())?;
    Ok(if archive.file_names().any(|name| name.starts_with(WORKBOOK)) { Archive::Workbook } else { Archive::Files })
}

/// Hands a file's text to `read`.
///
/// # Errors
/// Those of `read`; an archive with several files, or with none; one that is locked or broken.
pub fn unpacked<T>(path: &Path, read: impl FnOnce(Box<dyn BufRead + '_>) -> Result<T, String>) -> Result<T, String> {
    let file = File::open(path).map_err(|error| error.to_string())?;
    if archive(path)? == Archive::No {
        let plain: Box<dyn BufRead> = Box::new(BufReader::new(file));
        return read(formats::decompress(plain).map_err(|error| error.to_string())?);
    }
    let mut archive = zip::ZipArchive::new(file).map_err(|_| broken())?;
    let many = archive.len();
    if many > MAX_ENTRIES {
        return Err(format!("the archive has {many} entries: unpack it, and load its files"));
    }
    // macOS puts a folder of its own beside the file.
    let names = archive.file_names().filter(|name| !name.ends_with('/') && !name.starts_with("__MACOSX/"));
    let names: Vec<String> = names.map(str::to_owned).collect();
    let [name] = names.as_slice() else {
        return Err(format!("the archive holds {} files: unpack it, and load each of them", names.len()));
    };
    let member = archive.by_name(name).map_err(|error| match error {
        zip::result::ZipError::UnsupportedArchive(_) => {
            "the archive is locked, or packed in a way that is not read: unpack it".to_owned()
        }
        _ => broken(),
    })?;
    read(Box::new(BufReader::new(member)))
}

fn broken() -> String {
    "the archive cannot be unpacked: fetch it again".into()
}
