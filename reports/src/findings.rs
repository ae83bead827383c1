//! Findings of a run as sentences in the terminal. Times have the notation of all terminal output, so that they can be
//! given to `--at`.

use crate::{
    format::{moment_up, span},
    layout::{NO_BREAK, wrap},
    style::{Style, Tone},
};
use quotree_page::model::{Finding, Piece, Report};

/// The findings as sentences, the most important first.
#[must_use]
pub fn findings_text(report: &Report, style: Style) -> String {
    let line = |finding: &Finding| {
        let when = style.paint(Tone::Faint, &format!("({})", when(report, finding)));
        wrap(style, &format!("- {} {when}", sentence(report, finding)), 2)
    };
    report.findings.iter().map(line).collect()
}

/// The words of a finding.
fn sentence(report: &Report, finding: &Finding) -> String {
    let words = |piece: &Piece| match piece {
        Piece::Span(ms) => span(*ms),
        Piece::Moment(ms) => moment_up(*ms),
        piece => quotree_page::words(report, piece),
    };
    finding.pieces.iter().map(words).collect()
}

/// The time of a finding: a moment to look at, or the whole run.
pub(crate) fn when(report: &Report, finding: &Finding) -> String {
    if finding.is_of_whole_run(report.run.end_ms) {
        format!("whole{NO_BREAK}run")
    } else {
        format!("at{NO_BREAK}{}", moment_up(finding.at_ms))
    }
}
