//! Why pods are pending at the end: equal verdicts are grouped.

use crate::{
    format::many,
    layout::wrap,
    style::{Style, Tone},
    summary::ruled,
};
use quotree_sim::result::{PendingRow, RunResult};
use std::collections::BTreeMap;

/// The pending pods by reason: for each reason the pods that wait for it, by quota.
pub(crate) fn text(result: &RunResult, style: Style) -> String {
    if result.pending.is_empty() {
        return String::new();
    }
    // By reason as it is shown, then by quota.
    let mut groups: Vec<(String, Vec<Waiting<'_>>)> = Vec::new();
    let mut index: BTreeMap<String, usize> = BTreeMap::new();
    // Many replicas wait for one reason: it is laid out once.
    let mut known: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for row in &result.pending {
        let place = *known.entry((row.rule.as_str(), row.reason.as_str())).or_insert_with(|| {
            let reason = in_short(style, row);
            let place = *index.entry(reason.clone()).or_insert(groups.len());
            if place == groups.len() {
                groups.push((reason, Vec::new()));
            }
            place
        });
        let Some((_, all)) = groups.get_mut(place) else { continue };
        let whose = row.quota.as_ref().unwrap_or(&row.namespace).as_str();
        match all.iter_mut().find(|waiting| waiting.whose == whose) {
            Some(waiting) => waiting.rows.push(row),
            None => all.push(Waiting { whose, rows: vec![row] }),
        }
    }
    let all: u64 = result.pending.iter().map(|row| row.pods).sum();
    let mut text = format!("\n{}\n", style.heading(&many(all, "pending pod")));
    let shown = (style.rows / 4).max(1);
    let mut cut = false;
    for (reason, all) in groups.iter().take(shown) {
        for waiting in all.iter().take(shown) {
            cut |= waiting.rows.len() > NAMES;
            text.push_str(&wrap(style, &format!("  {}", waiting.text()), 6));
        }
        text.push_str(&style.more_after("  ", all.len(), shown, "quota"));
        text.push_str(reason);
    }
    if groups.len() <= shown && cut {
        text += &style.paint_lines(Tone::Faint, "  … all pending pods are listed with `--format json`\n");
    }
    text + &style.more_after("  ", groups.len(), shown, "reason")
}

/// How many names are shown of the pods that wait in one quota for the same reason.
const NAMES: usize = 3;

/// The pods that wait in one quota for the same reason.
struct Waiting<'a> {
    whose: &'a str,
    rows: Vec<&'a PendingRow>,
}

impl Waiting<'_> {
    fn text(&self) -> String {
        let names: Vec<&str> = self.rows.iter().take(NAMES).map(|row| row.pod.as_str()).collect();
        let pods: u64 = self.rows.iter().map(|row| row.pods).sum();
        let more = if self.rows.len() > NAMES { format!(", … ({})", many(pods, "pod")) } else { String::new() };
        format!("{}: {}{more}", self.whose, names.join(", "))
    }
}

/// A short verdict: what blocks the pod, which leaves use what is missing, and what would help. `explain` prints the
/// rest.
fn in_short(style: Style, row: &PendingRow) -> String {
    let reason = ruled(row.rule.as_str(), row.reason.as_str());
    let mut clauses = reason.split("; ");
    let mut text = wrap(style, &format!("      {}", clauses.next().unwrap_or_default()), 8);
    let short = ["it requests", "released now", "held by", "waits for", "passed by", "it cannot run", "would help"];
    let is_short = |clause: &&str| short.iter().any(|begin| clause.starts_with(begin));
    for clause in clauses.filter(is_short) {
        text.push_str(&style.paint_lines(Tone::Faint, &wrap(style, &format!("      {clause}"), 8)));
    }
    text
}
