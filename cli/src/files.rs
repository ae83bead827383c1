//! Reading and writing files. Reads are bounded and decompress `.gz`; error messages name the file.

use crate::exit::Trouble;
use flate2::read::MultiGzDecoder;
use quotree_sim::scenario::{self, Loader, Notation};
use std::{
    fs::File,
    io::{ErrorKind, Read},
    path::{Path, PathBuf},
};

/// The largest size of a file, compressed or not; larger files are an error. This limits the memory that a bad input
/// can take.
const MOST_BYTES: u64 = 1 << 28;

/// Reads the files that scenarios refer to from the file system. Paths are used as they are.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Disk;

impl Loader for Disk {
    fn read(&self, path: &str) -> Result<Vec<u8>, String> {
        bytes(Path::new(path))
    }
}

/// The bytes of a file, decompressed if its name ends in `.gz`.
///
/// # Errors
/// Why it cannot be read, as one clause.
pub(crate) fn bytes(path: &Path) -> Result<Vec<u8>, String> {
    let file = File::open(path).map_err(|error| why(&error))?;
    if file.metadata().is_ok_and(|data| data.is_dir()) {
        return Err("it is a folder, not a file".to_owned());
    }
    let packed = path.extension().is_some_and(|extension| extension == "gz");
    let mut reader: Box<dyn Read> = if packed { Box::new(MultiGzDecoder::new(file)) } else { Box::new(file) };
    let mut bytes = Vec::new();
    reader.by_ref().take(MOST_BYTES + 1).read_to_end(&mut bytes).map_err(|error| match packed {
        true => format!("it cannot be decompressed: {error}"),
        false => why(&error),
    })?;
    if bytes.len() as u64 > MOST_BYTES {
        return Err(format!("it is larger than {} MiB", MOST_BYTES >> 20));
    }
    Ok(bytes)
}

fn why(error: &std::io::Error) -> String {
    match error.kind() {
        ErrorKind::NotFound => "no such file".to_owned(),
        ErrorKind::PermissionDenied => "permission denied".to_owned(),
        _ => error.to_string(),
    }
}

/// The text of a file.
///
/// # Errors
/// If it cannot be read or is not UTF-8.
pub(crate) fn text(path: &Path) -> Result<String, Trouble> {
    let bytes = bytes(path).map_err(|why| Trouble::invalid(format!("cannot read `{}`: {why}", path.display())))?;
    String::from_utf8(bytes).map_err(|_| Trouble::invalid(format!("`{}` is not UTF-8 text", path.display())))
}

/// Writes a file, and creates its folder if needed.
///
/// # Errors
/// If it cannot be written.
pub(crate) fn write(path: &Path, content: &(impl AsRef<[u8]> + ?Sized)) -> Result<(), Trouble> {
    let cannot = |error: std::io::Error| Trouble::invalid(format!("cannot write `{}`: {error}", path.display()));
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder).map_err(cannot)?;
    }
    std::fs::write(path, content).map_err(cannot)
}

/// Writes a file so that no reader ever sees a part of it: first into a temporary file beside it, which then gets its
/// name.
///
/// # Errors
/// If it cannot be written.
pub(crate) fn replace(path: &Path, content: &(impl AsRef<[u8]> + ?Sized)) -> Result<(), Trouble> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".part");
    let part = path.with_file_name(name);
    write(&part, content)?;
    std::fs::rename(&part, path)
        .map_err(|error| Trouble::invalid(format!("cannot write `{}`: {error}", path.display())))
}

/// The path in the notation of scenarios, with `/` as separator.
pub(crate) fn slashed(path: &Path) -> String {
    let text = path.to_string_lossy().into_owned();
    if std::path::MAIN_SEPARATOR == '/' { text } else { text.replace(std::path::MAIN_SEPARATOR, "/") }
}

/// All scenarios below these paths: files in RON, YAML and JSON, except files that are only included by scenarios, and
/// other YAML and JSON files. A path of a file is not filtered; folders are searched in order of file names.
///
/// # Errors
/// If a path cannot be read.
pub(crate) fn scenarios(paths: &[PathBuf]) -> Result<Vec<PathBuf>, Trouble> {
    let mut found = all(paths, &Notation::ALL)?;
    found.retain(|path| paths.contains(path) || is_scenario(path));
    Ok(found)
}

/// All files below these paths whose names have the extension of one of these notations, also files that scenarios
/// include.
///
/// # Errors
/// If a path cannot be read.
pub(crate) fn all(paths: &[PathBuf], notations: &[Notation]) -> Result<Vec<PathBuf>, Trouble> {
    let mut found = Vec::new();
    for path in paths {
        if path.is_dir() {
            search(path, notations, 0, &mut found)?;
        } else {
            found.push(path.clone());
        }
    }
    Ok(found)
}

fn search(folder: &Path, notations: &[Notation], depth: usize, found: &mut Vec<PathBuf>) -> Result<(), Trouble> {
    const MOST_DEPTH: usize = 64;
    let cannot = |error: std::io::Error| Trouble::invalid(format!("cannot read `{}`: {error}", folder.display()));
    let entries = std::fs::read_dir(folder).map_err(cannot)?;
    let mut entries = entries.collect::<Result<Vec<_>, _>>().map_err(cannot)?;
    entries.sort_by_key(std::fs::DirEntry::file_name);
    for entry in entries {
        let path = entry.path();
        let kind = entry.file_type().map_err(cannot)?;
        if kind.is_dir() && depth < MOST_DEPTH {
            search(&path, notations, depth + 1, found)?;
        } else if Notation::named(&slashed(&path)).is_some_and(|notation| notations.contains(&notation)) {
            found.push(path);
        }
    }
    Ok(())
}

/// Whether a file is a scenario rather than a part that scenarios include. A file that cannot be read counts as one, so
/// that the check reports why.
fn is_scenario(path: &Path) -> bool {
    let Ok(bytes) = bytes(path) else { return true };
    scenario::is_scenario(&slashed(path), &String::from_utf8_lossy(&bytes))
}
