//! The claims of a run: the verdict in a few words, and each claim with what was measured.

use crate::{
    format::{self, dated, many},
    layout::wrap,
    style::{Style, Tone},
};
use quotree_sim::result::{ClaimResult, RunResult};

/// The verdict in a few words, and its tone: `all 25 claims hold`.
pub(crate) fn verdict(passed: u64, failed: u64) -> (String, Tone) {
    match (passed, failed) {
        (0, 0) => ("nothing is claimed".to_owned(), Tone::Faint),
        (1, 0) => ("the claim holds".to_owned(), Tone::Good),
        (all, 0) => (format!("all {} claims hold", format::count(all.into())), Tone::Good),
        (0, 1) => ("the claim failed".to_owned(), Tone::Bad),
        (_, failed) => {
            (format!("{} of {} failed", format::count(failed.into()), many(passed + failed, "claim")), Tone::Bad)
        }
    }
}

/// All claims, those that failed first.
pub(crate) fn text(result: &RunResult, style: Style) -> String {
    let all = &result.claims;
    if all.results.is_empty() {
        return String::new();
    }
    let (verdict, tone) = verdict(all.passed, all.failed);
    let mut chars = verdict.chars();
    let head: String = chars.next().into_iter().flat_map(char::to_uppercase).chain(chars).collect();
    let mut text = format!("\n{}\n", style.paint(tone, &head));
    let failed_first = all.results.iter().filter(|c| !c.passed).chain(all.results.iter().filter(|c| c.passed));
    for claim in failed_first.take(style.rows) {
        text.push_str(&one(style, claim, result));
    }
    text + &style.more(all.results.len(), style.rows, "claim")
}

fn one(style: Style, claim: &ClaimResult, result: &RunResult) -> String {
    let mark = if claim.passed { style.paint(Tone::Good, "✓") } else { style.paint(Tone::Bad, "✗") };
    let mut text = wrap(style, &format!("  {mark} {}", claim.claim), 4);
    if let Some(because) = claim.because.as_deref().map(quotree_page::visible) {
        // On the same line if there is room.
        let both = wrap(style, &format!("{}  — {because}", text.trim_end()), 4);
        let own_line = || format!("{text}{}", wrap(style, &format!("      — {because}"), 8));
        text = if both.lines().count() == 1 { both } else { own_line() };
    }
    if let Some(note) = &claim.note {
        text.push_str(&style.paint_lines(Tone::Odd, &wrap(style, &format!("      note: {note}"), 8)));
    }
    if !claim.passed {
        let at = claim.at_ms.map(|ms| format!(" at {}", dated(result, ms))).unwrap_or_default();
        text.push_str(&wrap(style, &format!("      line {}: observed{at}: {}", claim.line, claim.seen), 8));
        for explanation in &claim.explanations {
            text.push_str(&wrap(style, &format!("      {}", format::short_reason(explanation)), 8));
        }
    }
    text
}
