//! What there is to read: the files that were named, and in folders all that may hold data, each CSV file with the
//! mapping beside it.
use super::super::Io;
use crate::fetch;
use crate::node::Problem;
use formats::{Format, Mapping};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

/// Files one call may name, folders opened.
const MOST_FILES: usize = 100_000;
/// Folders in folders.
const DEEPEST: usize = 64;
/// Bytes from which a file is told.
const HEAD: u64 = 1 << 16;
/// The mapping of every CSV file of a folder that has none of its own name.
const MAPPING: &str = "mapping.toml";

/// What there is to read.
#[derive(Default)]
pub struct Found {
    /// Files, addresses and `-`, in the order in which they were named.
    pub sources: Vec<PathBuf>,
    /// What a folder holds beside, and why it is no data.
    pub passed: Vec<(PathBuf, &'static str)>,
    /// What could not be looked into.
    pub failed: Vec<(PathBuf, std::io::Error)>,
}

/// `-` and addresses stand for themselves.
pub fn address(path: &Path) -> Option<&str> {
    path.to_str().filter(|w| fetch::is_address(w))
}

impl Found {
    /// All that the words name.
    pub fn of(words: &[PathBuf], io: &Io<'_>) -> Result<Self, Problem> {
        let mut found = Self::default();
        for word in words {
            let path = io.path(word);
            if word == Path::new("-") || address(word).is_some() {
                found.sources.push(word.clone());
            } else if path.is_dir() {
                found.folder(&path, 0)?;
            } else {
                found.sources.push(path);
            }
        }
        Ok(found)
    }

    fn folder(&mut self, folder: &Path, depth: usize) -> Result<(), Problem> {
        let inside =
            std::fs::read_dir(folder).and_then(|dir| dir.map(|e| e.map(|e| e.path())).collect::<Result<Vec<_>, _>>());
        let mut inside = match inside {
            Ok(inside) => inside,
            Err(e) => {
                self.failed.push((folder.to_owned(), e));
                return Ok(());
            }
        };
        inside.sort();
        for path in inside {
            let hidden = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
            if !path.is_dir() {
                self.file(path);
            } else if hidden {
                self.passed.push((path, "a hidden folder"));
            } else if path.is_symlink() || depth == DEEPEST {
                self.passed.push((path, "a link to a folder, or one too deep"));
            } else {
                self.folder(&path, depth + 1)?;
            }
            if self.sources.len() > MOST_FILES {
                return Err(Problem::other(format!("more than {MOST_FILES} files; name fewer")));
            }
        }
        Ok(())
    }

    /// A file of a folder; what cannot be opened is told when it is read.
    fn file(&mut self, path: PathBuf) {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        match head(&path).and_then(|head| formats::beside(&name, &head)) {
            Some(why) => self.passed.push((path, why.says())),
            None => self.sources.push(path),
        }
    }
}

/// The beginning of a file; `None` for what can be read once only, or not at all.
fn head(path: &Path) -> Option<Vec<u8>> {
    let file = File::open(path).ok().filter(|f| f.metadata().is_ok_and(|m| m.is_file()))?;
    let mut head = Vec::new();
    file.take(HEAD).read_to_end(&mut head).ok()?;
    Some(head)
}

/// A mapping with where it stands.
#[derive(Clone)]
pub struct Beside {
    pub path: PathBuf,
    pub mapping: Mapping,
}

/// The mappings that stand beside CSV files, each read once.
#[derive(Default)]
pub struct Mappings(BTreeMap<PathBuf, Result<Mapping, String>>);

impl Mappings {
    /// The mapping beside a CSV file: that of its own name (`complaints.toml` of `complaints.csv`), else `mapping.toml`.
    pub fn beside(&mut self, path: &Path, format: Option<Format>) -> Result<Option<Beside>, Problem> {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let csv = || head(path).is_some_and(|head| formats::guess(&name, &head) == Ok(Format::Csv));
        if !format.map_or_else(csv, |named| named == Format::Csv) {
            return Ok(None);
        }
        let places = [path.with_extension("toml"), path.with_extension("mapping.toml"), path.with_file_name(MAPPING)];
        let Some(place) = places.into_iter().find(|place| place.is_file()) else { return Ok(None) };
        let read = self.0.entry(place.clone()).or_insert_with(|| read_mapping(&place).map_err(|e| e.to_string()));
        match read {
            Ok(mapping) => Ok(Some(Beside { path: place, mapping: mapping.clone() })),
            Err(why) => Err(Problem::other(why.clone())),
        }
    }
}

/// A mapping file.
pub fn read_mapping(path: &Path) -> Result<Mapping, Problem> {
    Mapping::parse(&read(path)?).map_err(|e| Problem::other(format!("{}: {e}", path.display())))
}

/// A text file, named when it cannot be read.
pub fn read(path: &Path) -> Result<String, Problem> {
    std::fs::read_to_string(path).map_err(|e| Problem::other(format!("{}: {e}", path.display())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::meter::Meter;

    const SITES: &str = "[object.site]\ntype = \"url\"\ncolumns.site = { to = \"value\" }\n";

    fn found(root: &Path) -> Found {
        let mut stdin: &[u8] = b"";
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let (cwd, meter) = (root.to_owned(), Meter::silent());
        let io = Io { out: &mut out, err: &mut err, stdin: &mut stdin, cwd, meter, about: Vec::new() };
        Found::of(&[PathBuf::from(".")], &io).unwrap()
    }

    #[test]
    fn a_folder_gives_its_data_and_says_what_it_passes_by() {
        let dir = tempfile::tempdir().unwrap();
        for (name, text) in [("a.csv", "site\nx\n"), ("README.md", "x"), ("mapping.toml", SITES), ("empty.txt", "")] {
            std::fs::write(dir.path().join(name), text).unwrap();
        }
        std::fs::create_dir_all(dir.path().join("in/.git")).unwrap();
        std::fs::write(dir.path().join("in/note.txt"), "EXERCISE they called me").unwrap();
        // Round and round, were it followed.
        std::os::unix::fs::symlink(dir.path(), dir.path().join("in/loop")).unwrap();
        let found = found(dir.path());
        let names = |paths: Vec<&PathBuf>| -> Vec<String> {
            paths.into_iter().map(|p| p.file_name().unwrap().to_string_lossy().into_owned()).collect()
        };
        assert_eq!(names(found.sources.iter().collect()), ["a.csv", "note.txt"]);
        assert_eq!(
            names(found.passed.iter().map(|(path, _)| path).collect()),
            ["README.md", "empty.txt", ".git", "loop", "mapping.toml"]
        );
        assert!(found.failed.is_empty());
    }

    #[test]
    fn a_csv_files_mapping_is_that_of_its_name_before_the_folders_and_a_bad_one_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        std::fs::write(at("a.csv"), "site,seen\nx,1\ny,2\n").unwrap();
        std::fs::write(at("note.txt"), "EXERCISE they called me").unwrap();
        let beside = |name: &str| Mappings::default().beside(&at(name), None).map(|b| b.map(|b| b.path));
        assert_eq!(beside("a.csv").unwrap(), None);
        std::fs::write(at("mapping.toml"), SITES).unwrap();
        assert_eq!(beside("a.csv").unwrap(), Some(at("mapping.toml")));
        assert_eq!(beside("note.txt").unwrap(), None, "a text needs none");
        std::fs::write(at("a.toml"), "country = \"Siam\"\n").unwrap();
        let why = beside("a.csv").unwrap_err().to_string();
        assert!(why.contains("a.toml") && why.contains("line 1"), "{why}");
    }
}
