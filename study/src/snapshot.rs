//! The files of a study as they were when first read, so that all runs of a study see the same files, however long it takes.

use quotree_sim::scenario::Loader;
use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

/// A loader that reads each file once.
pub struct Snapshot<'l> {
    loader: &'l (dyn Loader + Sync),
    files: Mutex<BTreeMap<String, Result<Vec<u8>, String>>>,
}

impl<'l> Snapshot<'l> {
    /// Nothing is read yet.
    pub fn new(loader: &'l (dyn Loader + Sync)) -> Self {
        Self { loader, files: Mutex::default() }
    }
}

impl Loader for Snapshot<'_> {
    fn read(&self, path: &str) -> Result<Vec<u8>, String> {
        let mut files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        files.entry(path.to_owned()).or_insert_with(|| self.loader.read(path)).clone()
    }
}

impl std::fmt::Debug for Snapshot<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Snapshot").finish_non_exhaustive()
    }
}
