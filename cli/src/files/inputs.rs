//! The files that the command has read, so that no output damages one of them.

use crate::exit::Trouble;
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
};

/// All inputs so far, by what identifies the file however it is named: links lead to the same file.
static INPUTS: Mutex<BTreeMap<Identity, PathBuf>> = Mutex::new(BTreeMap::new());

#[cfg(unix)]
type Identity = (u64, u64);
#[cfg(not(unix))]
type Identity = PathBuf;

#[cfg(unix)]
fn identity(path: &Path) -> Option<Identity> {
    use std::os::unix::fs::MetadataExt;
    let of = fs::metadata(path).ok()?;
    Some((of.dev(), of.ino()))
}

#[cfg(not(unix))]
fn identity(path: &Path) -> Option<Identity> {
    fs::canonicalize(path).ok()
}

fn inputs() -> MutexGuard<'static, BTreeMap<Identity, PathBuf>> {
    INPUTS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Remembers that a file is an input.
pub(super) fn add(path: &Path) {
    if let Some(identity) = identity(path) {
        inputs().entry(identity).or_insert_with(|| path.to_path_buf());
    }
}

/// The files that were read so far, by one of their names.
pub(crate) fn read_so_far() -> Vec<PathBuf> {
    inputs().values().cloned().collect()
}

/// An error if an output is also an input.
pub(super) fn check(output: &Path) -> Result<(), Trouble> {
    let Some(input) = identity(output).and_then(|identity| inputs().get(&identity).cloned()) else { return Ok(()) };
    let (output, input) = (output.display().to_string(), input.display().to_string());
    let which = if output == input {
        "is also an input".to_owned()
    } else {
        format!("is the same file as the input `{input}`")
    };
    Err(Trouble::invalid(format!("`{output}` {which}: write to another file")))
}

/// An error if one of these outputs is also an input, or if two of them are the same file. Asked before the work is done; [`check`]
/// asks again before each file is written.
///
/// # Errors
/// The first conflict.
pub(crate) fn outputs<'p>(paths: impl IntoIterator<Item = &'p Path>) -> Result<(), Trouble> {
    let mut seen: Vec<(&Path, PathBuf)> = Vec::new();
    for path in paths.into_iter().filter(|path| !super::is_standard(path)) {
        // Devices and pipes may be written to by several.
        let is_file = fs::metadata(path).map_or(true, |of| of.is_file());
        check(path)?;
        let place = place(path);
        if let Some((other, _)) = seen.iter().find(|(_, known)| *known == place).filter(|_| is_file) {
            let (path, other) = (path.display(), other.display());
            return Err(Trouble::invalid(format!(
                "two outputs would go to the same file, `{other}` and `{path}`: name different files"
            )));
        }
        seen.push((path, place));
    }
    Ok(())
}

/// Where an output will be, without links as far as the path exists.
fn place(path: &Path) -> PathBuf {
    let real = |path: &Path| fs::canonicalize(if path.as_os_str().is_empty() { Path::new(".") } else { path }).ok();
    let beside = || Some(real(path.parent()?)?.join(path.file_name()?));
    real(path).or_else(beside).unwrap_or_else(|| path.to_path_buf())
}
