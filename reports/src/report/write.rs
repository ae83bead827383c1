//! The report as files.

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
