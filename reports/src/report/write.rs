//! The report as files and as text.

use crate::style::{Style, Tone};
use quotree_page::model::Report;

/// The report as JSON, `report.json`. Equal reports give equal text.
///
/// # Errors
/// If it cannot be written as JSON, which no report causes.
pub fn report_json(report: &Report) -> Result<String, serde_json::Error> {
    serde_json::to_string(report).map(|text| text + "\n")
}

/// The report as a page, `report.html`.
///
/// # Errors
/// If the data cannot be compressed, which no report causes.
pub fn report_html(report: &Report) -> std::io::Result<String> {
    quotree_page::page(report)
}

/// What happened, in sentences, the most important first.
#[must_use]
pub fn findings_text(report: &Report, style: Style) -> String {
    let mut text = String::new();
    for finding in &report.findings {
        let when = style.paint(Tone::Faint, &format!("({})", quotree_page::moment(report, finding)));
        text.push_str(&format!("- {} {when}\n", quotree_page::sentence(report, finding)));
    }
    text
}
