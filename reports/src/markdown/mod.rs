//! The summary of a run as Markdown, fit for a comment on a pull request: the verdict, the findings, the failed claims,
//! the teams, and how to repeat the run. It stays below the size limit of GitHub, and states what is left out.

pub(crate) mod escape;
mod teams;

use crate::{
    claims::verdict,
    findings::when,
    format::{count, many, moment_up, span},
    layout::NO_BREAK,
    style::Tone,
};
use escape::{block, clipped, code, words};
use quotree_page::model::{Claim, Finding, Piece, Report};

/// The most bytes of each of the three lists. A comment on GitHub has at most 65,536 characters, and a text never has
/// more characters than bytes.
const MOST_OF_A_LIST: usize = 19_000;
/// The most characters of a name, and of a text.
const LONG: usize = 200;
/// The most characters of a command.
const LONG_COMMAND: usize = 2_000;

/// The summary of a run as Markdown, below 65,536 bytes.
#[must_use]
pub fn summary_markdown(report: &Report) -> String {
    let mut text = title(report);
    text += &happened(report);
    text += &failed(report);
    text += &teams::table(report);
    text += &foot(report);
    text
}

fn title(report: &Report) -> String {
    let failed = report.claims.iter().filter(|claim| !claim.passed).count() as u64;
    let (verdict, tone) = verdict(report.claims.len() as u64 - failed, failed);
    let broken = report.breaches.len() as u64;
    let (mark, verdict) = match (broken, tone) {
        (1.., _) => ("❌", many(broken, "violated invariant")),
        (0, Tone::Bad) => ("❌", verdict),
        (0, Tone::Good) => ("✅", verdict),
        _ => ("ℹ️", verdict),
    };
    let about = clipped(&report.run.about, 2 * LONG);
    let about = if about.is_empty() { about } else { format!("{}\n\n", words(&about)) };
    format!("## {mark} {}: {verdict}\n\n{about}", code(&clipped(&report.run.scenario, LONG)))
}

fn happened(report: &Report) -> String {
    let line = |finding: &Finding| {
        let pieces = joined(finding.pieces.iter().map(|piece| of_piece(report, piece)));
        format!("- {pieces} ({})\n", words(&when(report, finding).replace(NO_BREAK, " ")))
    };
    let lines = report.findings.iter().map(line);
    section("What happened", "", lines, |left| format!("- … and {}\n", many(left, "more sentence")))
}

fn of_piece(report: &Report, piece: &Piece) -> String {
    match piece {
        Piece::Subject { name, .. } => code(&clipped(name, LONG)),
        Piece::Rule(rule) => code(rule),
        Piece::Span(ms) => span(*ms),
        Piece::Moment(ms) => moment_up(*ms),
        piece => quoted(&clipped(&quotree_page::words(report, piece), 2 * LONG)),
    }
}

/// Text in which names are in backticks, with the names as code.
fn quoted(text: &str) -> String {
    let parts: Vec<&str> = text.split('`').collect();
    if parts.len().is_multiple_of(2) || parts.iter().skip(1).step_by(2).any(|part| part.trim().is_empty()) {
        return words(text);
    }
    joined(parts.iter().enumerate().map(|(i, part)| if i % 2 == 1 { code(part) } else { words(part) }))
}

/// The parts of a sentence, joined. Two adjacent pieces of code get a space between them, since otherwise Markdown
/// would read them as one.
fn joined(parts: impl Iterator<Item = String>) -> String {
    parts.fold(String::new(), |text, part| {
        let apart = if text.ends_with('`') && part.starts_with('`') { " " } else { "" };
        text + apart + &part
    })
}

fn failed(report: &Report) -> String {
    let line = |claim: &Claim| {
        let at = claim.at_ms.map(|ms| format!(" at {}", moment_up(ms))).unwrap_or_default();
        let mut line = format!("- {} (line {})", code(&clipped(&claim.claim, 2 * LONG)), claim.line);
        line += &format!(", observed{at}: {}\n", words(&clipped(&claim.seen, 2 * LONG)));
        if let Some(because) = &claim.because {
            line += &format!("  - It should hold because: {}\n", words(&clipped(because, 2 * LONG)));
        }
        let explained = claim.explanations.iter().take(3);
        line.extend(explained.map(|text| format!("  - {}\n", quoted(&clipped(&crate::short_reason(text), 4 * LONG)))));
        line
    };
    let all: Vec<&Claim> = report.claims.iter().filter(|claim| !claim.passed).collect();
    let lines = all.iter().map(|claim| line(claim));
    section("Claims that failed", "", lines, |left| format!("- … and {}\n", many(left, "more claim")))
}

fn foot(report: &Report) -> String {
    let run = &report.run;
    let facts = [
        format!("policy {}", words(&clipped(&run.policy, LONG))),
        format!("seed {}", run.seed),
        format!("ended at {}", moment_up(run.end_ms)),
        many(run.events, "event"),
        format!("run digest {}", code(&run.digest)),
        format!("scenario digest {}", code(&run.scenario_digest)),
        format!("quotree {}", words(&clipped(&run.version, LONG))),
    ];
    let cut = if run.command.chars().count() > LONG_COMMAND { "\nThe command is cut off.\n" } else { "" };
    let command = block("sh", &clipped(&run.command, LONG_COMMAND));
    format!("Run it again ({}):\n\n{command}{cut}", facts.join(" · "))
}

/// A section with as many lines as fit; `more` returns the line for those that are left out. Empty if there are no
/// lines.
fn section(heading: &str, head: &str, lines: impl IntoIterator<Item = String>, more: impl Fn(u64) -> String) -> String {
    let (mut text, mut left) = (String::new(), 0);
    for line in lines {
        if left > 0 || text.len() + line.len() > MOST_OF_A_LIST {
            left += 1;
        } else {
            text += &line;
        }
    }
    if text.is_empty() && left == 0 {
        return text;
    }
    let more = if left > 0 { more(left) } else { String::new() };
    format!("### {heading}\n\n{head}{text}{more}\n")
}

/// A count, or a dot for none, in a cell.
fn number(n: u64) -> String {
    if n == 0 { "·".to_owned() } else { count(n.into()) }
}
