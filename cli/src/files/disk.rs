//! The files that a scenario names. A scenario may come from anywhere, so what it can make quotree read is limited: files below its
//! folder or below the working directory, unless `--allow-outside` says otherwise.

use super::read;
use quotree_sim::scenario::Loader;
use std::{
    fs,
    path::{Path, PathBuf},
    sync::atomic::{AtomicBool, Ordering},
};

/// Whether `--allow-outside` was given.
static ALLOW_OUTSIDE: AtomicBool = AtomicBool::new(false);

/// Allows scenarios to name any file.
pub(crate) fn allow_outside() {
    ALLOW_OUTSIDE.store(true, Ordering::Relaxed);
}

/// Reads a scenario from the file system, with the files that it names.
#[derive(Debug, Clone)]
pub(crate) struct Disk {
    /// The scenario, which the user named.
    main: PathBuf,
    /// The folders that files may be below, as absolute paths without links; nothing if any file may be read.
    below: Option<Vec<PathBuf>>,
}

impl Disk {
    /// For this scenario.
    pub(crate) fn of(main: &Path) -> Self {
        let is_limited = !ALLOW_OUTSIDE.load(Ordering::Relaxed);
        let folder = main.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let below = || [folder, Path::new(".")].iter().filter_map(|folder| fs::canonicalize(folder).ok()).collect();
        Self { main: main.to_path_buf(), below: is_limited.then(below) }
    }

    /// The real path of a file, if the scenario may not read from there.
    pub(crate) fn refuses(&self, path: &Path) -> Option<PathBuf> {
        // What cannot be resolved is not there; reading it says so.
        let (below, real) = (self.below.as_ref()?, fs::canonicalize(path).ok()?);
        (!below.iter().any(|folder| real.starts_with(folder))).then_some(real)
    }
}

impl Loader for Disk {
    fn read(&self, path: &str) -> Result<Vec<u8>, String> {
        let path = Path::new(path);
        if path == self.main {
            return read::bytes(path);
        }
        if let Some(real) = self.refuses(path) {
            return Err(format!(
                "`{}` is neither below the folder of the scenario nor below the working directory; `--allow-outside` reads it \
                 all the same",
                real.display()
            ));
        }
        // `-` named in a scenario is a file of that name.
        if read::is_standard(path) { read::bytes(Path::new("./-")) } else { read::bytes(path) }
    }
}
