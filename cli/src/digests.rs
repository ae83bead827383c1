//! Pinned digests: a text file that states, for each scenario or seed, the digest of its run and of its plans.
//!
//! A change that must not alter a decision is checked against such a file. After a change that was meant to alter
//! decisions, `--bless` writes the file again.

use crate::{
    exit::{Exit, Trouble},
    files,
};
use quotree_core::{Entry, Log, StableHasher};
use std::{collections::BTreeMap, fmt::Write, hash::Hasher, path::Path};

/// The most differences that are printed one by one.
const MAX_SHOWN: usize = 20;

/// The digests of this run, by scenario path or by seed.
pub(crate) type Digests = BTreeMap<String, String>;

/// One digest over all plans of a recorded run.
pub(crate) fn of_plans(log: &Log) -> u64 {
    let mut hasher = StableHasher::default();
    for entry in &log.entries {
        if let Entry::Decide { at, digest } = entry {
            hasher.write_u64(at.0);
            hasher.write_u64(*digest);
        }
    }
    hasher.finish()
}

/// The result of a comparison: the exit code and the text to print.
pub(crate) struct Compared {
    pub(crate) exit: Exit,
    pub(crate) text: String,
}

/// Compares the digests of this run with those in `path`, or writes them there if `bless` is set. Entries of the file that
/// were not run are ignored and kept.
///
/// # Errors
/// If the file cannot be read or written, or a line of it is not `digest key`.
pub(crate) fn compare(path: &Path, seen: &Digests, bless: bool) -> Result<Compared, Trouble> {
    let pinned = read(path, bless)?;
    if bless {
        return write(path, pinned, seen);
    }
    let mut text = String::new();
    let mut differing = 0;
    for (key, digest) in seen {
        let change = match pinned.get(key) {
            Some(old) if old == digest => continue,
            Some(old) => format!("{key}: {digest}, pinned {old}"),
            None => format!("{key}: {digest}, not pinned"),
        };
        differing += 1;
        if differing <= MAX_SHOWN {
            let _ = writeln!(text, "CHANGED {change}");
        }
    }
    if differing > MAX_SHOWN {
        let _ = writeln!(text, "… and {} more", differing - MAX_SHOWN);
    }
    let path = path.display();
    if differing == 0 {
        let _ = writeln!(text, "all {} digests equal those in {path}", seen.len());
        return Ok(Compared { exit: Exit::Fine, text });
    }
    let _ = writeln!(
        text,
        "{differing} of {} digests differ from {path}: the scheduler made other decisions. If that is intended, update the file with --bless",
        seen.len()
    );
    Ok(Compared { exit: Exit::ClaimFailed, text })
}

/// The digests in a file; none if it is to be written and is not there yet.
///
/// # Errors
/// If the file cannot be read, or a line of it is not `digest key`.
pub(crate) fn read(path: &Path, bless: bool) -> Result<Digests, Trouble> {
    if bless && !path.exists() { Ok(Digests::new()) } else { parse(path, &files::peek_text(path)?) }
}

fn write(path: &Path, pinned: Digests, seen: &Digests) -> Result<Compared, Trouble> {
    let mut all = pinned;
    let changed = seen.iter().filter(|(key, digest)| all.get(*key) != Some(digest)).count();
    all.extend(seen.clone());
    let mut entries: Vec<_> = all.into_iter().collect();
    // Seeds in order of their number, paths by name.
    entries.sort_by_cached_key(|(key, _)| (key.parse::<u64>().ok(), key.clone()));
    let lines: String = entries.iter().fold(String::new(), |text, (key, digest)| text + digest + " " + key + "\n");
    files::rewrite(path, &lines)?;
    let text = format!("{} digests written to {}, {changed} of them new or changed\n", entries.len(), path.display());
    Ok(Compared { exit: Exit::Fine, text })
}

fn parse(path: &Path, text: &str) -> Result<Digests, Trouble> {
    let mut digests = Digests::new();
    for (number, line) in text.lines().enumerate() {
        match line.split_once(' ') {
            Some((digest, key)) if !digest.is_empty() && digest.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-') => {
                digests.insert(key.to_owned(), digest.to_owned());
            }
            _ => {
                let (path, line) = (path.display(), number + 1);
                let help = "`--digests` names a file that `--bless` has written";
                return Err(Trouble::invalid(format!("{path}:{line}: expected `digest key`\n  = help: {help}")));
            }
        }
    }
    Ok(digests)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digests(entries: &[(&str, &str)]) -> Digests {
        entries.iter().map(|(key, digest)| ((*key).to_owned(), (*digest).to_owned())).collect()
    }

    #[test]
    fn a_blessed_file_is_equal_until_a_digest_changes() {
        let folder = std::env::temp_dir().join(format!("quotree-digests-{}", std::process::id()));
        let path = folder.join("pins");
        let first = digests(&[("10", "aa"), ("9", "bb")]);
        assert!(compare(&path, &first, false).is_err(), "the file does not exist yet");
        assert_eq!(compare(&path, &first, true).unwrap().exit, Exit::Fine);
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "bb 9\naa 10\n", "by number");
        assert_eq!(
            compare(&path, &digests(&[("9", "bb")]), false).unwrap().exit,
            Exit::Fine,
            "a part of the seeds was run"
        );
        let other = compare(&path, &digests(&[("9", "cc"), ("11", "dd")]), false).unwrap();
        assert_eq!(other.exit, Exit::ClaimFailed);
        assert!(
            other.text.starts_with("CHANGED 11: dd, not pinned\nCHANGED 9: cc, pinned bb\n2 of 2"),
            "{}",
            other.text
        );
        std::fs::write(&path, "zz 1\n").unwrap();
        assert!(compare(&path, &first, false).is_err(), "not hexadecimal");
        std::fs::remove_dir_all(folder).unwrap();
    }
}
