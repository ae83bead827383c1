//! Reading files. Reads are bounded and decompress `.gz`. Only regular files and stdin (`-`) are read: a pipe or a device may never end.

use super::inputs;
use crate::exit::Trouble;
use flate2::read::MultiGzDecoder;
use std::{
    fs::{self, File},
    io::{ErrorKind, Read},
    path::Path,
    sync::OnceLock,
};

/// The largest size of a file, compressed or not; larger files are an error. This limits the memory that a bad input
/// can take.
const MOST_BYTES: u64 = 1 << 28;

/// The path that means stdin as an input, and stdout as an output.
pub(crate) const STANDARD: &str = "-";

/// Whether a path means stdin or stdout.
pub(crate) fn is_standard(path: &Path) -> bool {
    path == Path::new(STANDARD)
}

/// The bytes of an input, decompressed if its name ends in `.gz`; `-` is stdin. From then on, no output may be the same file.
///
/// # Errors
/// Why it cannot be read, as one clause.
pub(crate) fn bytes(path: &Path) -> Result<Vec<u8>, String> {
    if is_standard(path) {
        return stdin();
    }
    let bytes = peek(path)?;
    inputs::add(path);
    Ok(bytes)
}

/// As [`bytes`], for a file that the command may write again: it does not become an input, and `-` has no meaning.
///
/// # Errors
/// Why it cannot be read, as one clause.
pub(crate) fn peek(path: &Path) -> Result<Vec<u8>, String> {
    // Opening a pipe would wait for its writer, so its kind is looked up first.
    regular(&fs::metadata(path).map_err(|error| why(&error))?)?;
    let file = File::open(path).map_err(|error| why(&error))?;
    regular(&file.metadata().map_err(|error| why(&error))?)?;
    let packed = path.extension().is_some_and(|extension| extension == "gz");
    if packed { limited(MultiGzDecoder::new(file), "it cannot be decompressed: ") } else { limited(file, "") }
}

/// All of stdin. It is read once, however often it is asked for.
fn stdin() -> Result<Vec<u8>, String> {
    static READ: OnceLock<Result<Vec<u8>, String>> = OnceLock::new();
    READ.get_or_init(|| limited(std::io::stdin().lock(), "")).clone()
}

fn limited(reader: impl Read, fails: &str) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    reader.take(MOST_BYTES + 1).read_to_end(&mut bytes).map_err(|error| format!("{fails}{}", why(&error)))?;
    if bytes.len() as u64 > MOST_BYTES {
        return Err(format!("it is larger than {} MiB", MOST_BYTES >> 20));
    }
    Ok(bytes)
}

/// An error if this is no regular file.
fn regular(of: &fs::Metadata) -> Result<(), String> {
    if of.is_file() {
        Ok(())
    } else if of.is_dir() {
        Err("it is a folder, not a file".to_owned())
    } else {
        Err(format!("it is {}, not a file; `-` reads from stdin", special(of)))
    }
}

/// What a file that is neither regular nor a folder is.
#[cfg(unix)]
fn special(of: &fs::Metadata) -> &'static str {
    use std::os::unix::fs::FileTypeExt;
    match of.file_type() {
        kind if kind.is_fifo() => "a pipe",
        kind if kind.is_socket() => "a socket",
        _ => "a device",
    }
}

#[cfg(not(unix))]
fn special(_: &fs::Metadata) -> &'static str {
    "a device"
}

fn why(error: &std::io::Error) -> String {
    match error.kind() {
        ErrorKind::NotFound => "no such file".to_owned(),
        ErrorKind::PermissionDenied => "permission denied".to_owned(),
        _ => error.to_string(),
    }
}

/// The text of an input.
///
/// # Errors
/// If it cannot be read or is not UTF-8.
pub(crate) fn text(path: &Path) -> Result<String, Trouble> {
    as_text(path, bytes(path))
}

/// As [`text`], for a file that the command may write again.
///
/// # Errors
/// If it cannot be read or is not UTF-8.
pub(crate) fn peek_text(path: &Path) -> Result<String, Trouble> {
    as_text(path, peek(path))
}

fn as_text(path: &Path, bytes: Result<Vec<u8>, String>) -> Result<String, Trouble> {
    let bytes = bytes.map_err(|why| Trouble::invalid(format!("cannot read `{}`: {why}", path.display())))?;
    String::from_utf8(bytes).map_err(|_| Trouble::invalid(format!("`{}` is not UTF-8 text", path.display())))
}
