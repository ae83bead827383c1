//! `summary.json`: the whole result in a stable order of fields.

use quotree_sim::result::RunResult;

/// The result as JSON, indented, ending in a newline. Fields stand in the order of docs/cli.md; equal runs give equal
/// bytes.
#[must_use]
pub fn summary_json(result: &RunResult) -> String {
    let mut text = serde_json::to_string_pretty(result).unwrap_or_else(|error| {
        // Only a map with keys that are no text could fail, and there is none.
        serde_json::json!({ "error": error.to_string() }).to_string()
    });
    text.push('\n');
    text
}
