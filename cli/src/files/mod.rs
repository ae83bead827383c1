//! Reading, writing and finding files; error messages name the file. No other part of the command opens one.

mod disk;
mod find;
mod inputs;
mod read;
mod write;

pub(crate) use disk::{Disk, allow_outside};
pub(crate) use find::{all, scenarios};
pub(crate) use inputs::{outputs, read_so_far};
pub(crate) use read::{bytes, is_standard, peek, peek_text, text};
pub(crate) use write::{Draft, cannot_write, discard_parts, private_folder, rewrite, write};

use std::path::Path;

/// The path in the notation of scenarios, with `/` as separator.
pub(crate) fn slashed(path: &Path) -> String {
    let text = path.to_string_lossy().into_owned();
    if std::path::MAIN_SEPARATOR == '/' { text } else { text.replace(std::path::MAIN_SEPARATOR, "/") }
}
