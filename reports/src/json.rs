//! `summary.json`: the whole result in a stable order of fields.

use quotree_sim::result::RunResult;
use std::io::{self, Write};

/// As [`summary_json`], but writes the text in parts instead of building it in memory.
///
/// # Errors
/// If `file` cannot be written.
pub fn write_summary(result: &RunResult, mut file: impl Write) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut file, result)?;
    file.write_all(b"\n")?;
    file.flush()
}

/// The result as indented JSON with a newline at the end. The order of fields is that of docs/cli.md, and equal runs give
/// equal bytes.
#[must_use]
pub fn summary_json(result: &RunResult) -> String {
    let mut text = serde_json::to_string_pretty(result).unwrap_or_else(|error| {
        // Only a map whose keys are not strings could fail, and the result has none.
        serde_json::json!({ "error": error.to_string() }).to_string()
    });
    text.push('\n');
    quotree_page::visible_json(text)
}
