//! What a summary tells of nodes and of quotas that were cut: nothing where nothing befell them.

use crate::{
    people::money,
    say::{self, many, span},
    style::{Style, Tone},
};
use quotree_sim::result::{Metrics, QuotaOverrunRow, RunResult};

/// Quotas that an edit left over a limit: what was foreseen, and what it came to.
pub(crate) fn quota_drains(result: &RunResult, style: Style) -> String {
    let all = &result.quota_drains;
    if all.is_empty() {
        return String::new();
    }
    let mut text =
        format!("\n{}\n", style.paint(Tone::Strong, &format!("{} over a limit by an edit", quotas(all.len()))));
    for row in all.iter().take(style.rows) {
        text.push_str(&format!("  at {}  {}\n", span(row.at_ms), told(row)));
    }
    if all.len() > style.rows {
        let more = many((all.len() - style.rows) as u64, "more");
        text.push_str(&style.paint(Tone::Faint, &format!("… and {more}\n")));
    }
    text
}

fn quotas(count: usize) -> String {
    many(count as u64, "quota")
}

fn told(row: &QuotaOverrunRow) -> String {
    let over = say::amounts(&row.over.0).unwrap_or_default();
    let what = if row.limit == "max" { "over its max" } else { "that nobody may evict over its min" };
    let foreseen = match row.estimate_ms {
        Some(ms) => format!("within it by itself in {}", span(ms)),
        None => "never within it by itself".to_owned(),
    };
    let came = match (row.took_ms, row.replaced) {
        (Some(ms), _) => format!("it took {}", span(ms)),
        (None, true) => "edited again before".to_owned(),
        (None, false) => "not within it yet".to_owned(),
    };
    format!("{}: {over} {what}; foreseen: {foreseen}; {came}", row.quota)
}

/// What befell nodes, in a line; nothing where nothing did.
pub(crate) fn nodes(m: &Metrics) -> Option<String> {
    let mut told = Vec::new();
    if m.node_failures > 0 {
        told.push(many(m.node_failures, "failure"));
    }
    if m.drained > 0 {
        told.push(format!("{} drained", many(m.drained, "pod")));
    }
    if m.failed_drains > 0 {
        told.push(format!("{} not done in time", many(m.failed_drains, "drain")));
    }
    if m.cost_milli > 0 {
        told.push(format!("cost {}, of which {} paid by no pod", money(m.cost_milli), money(m.cost_idle_milli)));
    }
    (!told.is_empty()).then(|| told.join(", "))
}
