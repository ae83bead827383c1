//! The command under test, and folders for its files.

use snapbox::cmd::Command;
use std::{
    fs,
    path::{Path, PathBuf},
};

/// The command in a folder of the crate, without colours.
#[allow(dead_code, reason = "not every test runs it there")]
pub(crate) fn quotree_in(folder: &str, args: &[&str]) -> Command {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    Command::new(env!("CARGO_BIN_EXE_quotree")).current_dir(folder).env("NO_COLOR", "1").args(args)
}

/// An empty folder for one test.
#[allow(dead_code, reason = "not every test writes files")]
pub(crate) fn scratch(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    folder
}
