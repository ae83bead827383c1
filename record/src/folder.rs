//! The files of a recording: `segment-000001.jsonl.zst`, `segment-000002.jsonl.zst`, ..

use std::{
    fs, io,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

const BEFORE: &str = "segment-";
const AFTER: &str = ".jsonl.zst";

/// The file of a segment.
///
/// ```
/// use quotree_record::folder::file;
/// assert_eq!(file("rec".as_ref(), 7).to_str(), Some("rec/segment-000007.jsonl.zst"));
/// ```
#[must_use]
pub fn file(folder: &Path, segment: u64) -> PathBuf {
    folder.join(format!("{BEFORE}{segment:06}{AFTER}"))
}

/// The segments of a folder, oldest first. Other files are passed over.
///
/// # Errors
/// If the folder cannot be read.
pub fn segments(folder: &Path) -> io::Result<Vec<(u64, PathBuf)>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let number = name.strip_prefix(BEFORE).and_then(|rest| rest.strip_suffix(AFTER));
        if let Some(number) = number.and_then(|number| number.parse::<u64>().ok()) {
            found.push((number, path));
        }
    }
    found.sort();
    Ok(found)
}

/// How much of a recording is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Keep {
    /// Segments that were ended longer ago are deleted.
    pub age: Duration,
    /// If all segments together have more bytes, the oldest are deleted.
    pub bytes: u64,
}

/// Deletes old segments, never the newest. Returns how many it deleted.
///
/// # Errors
/// If the folder cannot be read, or a file not be deleted.
pub fn prune(folder: &Path, keep: Keep, now: SystemTime) -> io::Result<usize> {
    let mut all = segments(folder)?;
    all.pop();
    let mut known = Vec::new();
    for (_, path) in all {
        let about = fs::metadata(&path)?;
        known.push((path, about.len(), now.duration_since(about.modified()?).unwrap_or_default()));
    }
    let mut total: u64 = known.iter().map(|(_, bytes, _)| *bytes).sum();
    let mut deleted = 0;
    for (path, bytes, age) in known {
        if total <= keep.bytes && age <= keep.age {
            break;
        }
        fs::remove_file(path)?;
        total -= bytes;
        deleted += 1;
    }
    Ok(deleted)
}
