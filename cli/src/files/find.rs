//! Finding scenarios in folders.

use super::{read, slashed};
use crate::exit::Trouble;
use quotree_sim::scenario::{self, Notation};
use std::path::{Path, PathBuf};

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
    let Ok(bytes) = read::peek(path) else { return true };
    scenario::is_scenario(&slashed(path), &String::from_utf8_lossy(&bytes))
}
