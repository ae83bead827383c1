//! Where the shared traces are. They are not part of the repository: a test that asks for them prints that it was
//! skipped if they are absent, or fails if they are required.

use std::{
    env, fs, io,
    io::Read,
    path::{Path, PathBuf},
};

/// The folder of shared data: `QUOTREE_SHARED`, else `../shared` beside the repository; `None` if there is none.
///
/// With `QUOTREE_REQUIRE_SHARED=1`, an absent folder fails the test that asks.
///
/// # Panics
/// If the folder is required and absent.
#[must_use]
pub fn shared() -> Option<PathBuf> {
    let default = || {
        let repository = Path::new(env!("CARGO_MANIFEST_DIR")).parent()?;
        Some(repository.parent()?.join("shared"))
    };
    let folder = env::var_os("QUOTREE_SHARED").map(PathBuf::from).or_else(default);
    let found = folder.filter(|folder| folder.is_dir());
    let required = env::var_os("QUOTREE_REQUIRE_SHARED").is_some_and(|v| v == "1");
    assert!(found.is_some() || !required, "QUOTREE_REQUIRE_SHARED=1, but there is no shared folder");
    if found.is_none() {
        eprintln!("SKIPPED: no shared traces (set QUOTREE_SHARED, or put them beside the repository as `../shared`)");
    }
    found
}

/// The text of a file in the shared folder, decompressed if its name ends in `.gz`.
///
/// # Errors
/// Those of reading the file, with its path in the message.
pub fn read_shared(folder: &Path, relative: &str) -> io::Result<String> {
    let path = folder.join(relative);
    let named = |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", path.display()));
    let bytes = fs::read(&path).map_err(named)?;
    let mut text = String::new();
    if path.extension().is_some_and(|e| e == "gz") {
        flate2::read::GzDecoder::new(&*bytes).read_to_string(&mut text).map_err(named)?;
    } else {
        (&*bytes).read_to_string(&mut text).map_err(named)?;
    }
    Ok(text)
}
