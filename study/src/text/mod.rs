//! Studies as text to read and as JSON.

mod pairs;
mod seeds;

pub use pairs::{pairs_json, pairs_text};
pub use seeds::{claim_results, seeds_json, seeds_text, verdict_json};

use quotree_reports::{Sheet, Style, wrap};

/// A table with a heading.
fn section(heading: &str, sheet: &Sheet, style: Style) -> String {
    format!("\n{}\n{}", style.heading(heading), sheet.text(style))
}

/// Sentences, each on lines of its own.
fn sentences(all: &[String], style: Style) -> String {
    if all.is_empty() {
        String::new()
    } else {
        format!("\n{}", all.iter().map(|one| wrap(style, one, 2)).collect::<String>())
    }
}
