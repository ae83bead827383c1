//! Nodes, and quotas that were reduced, in the summary; empty if nothing happened to them.

use crate::{
    format::{self, dated, many, span},
    layout::wrap,
    people::money,
    style::{Style, Tone},
};
use quotree_sim::result::{Metrics, QuotaOverrunRow, RunResult};

/// Quotas that an edit left above a limit: the estimated and the actual time until usage was within it.
pub(crate) fn quota_drains(result: &RunResult, style: Style) -> String {
    let all = &result.quota_drains;
    if all.is_empty() {
        return String::new();
    }
    let mut text = format!(
        "\n{}\n",
        style.paint(Tone::Strong, &format!("{} above a limit after an edit", many(all.len() as u64, "quota")))
    );
    for row in all.iter().take(style.rows) {
        text.push_str(&wrap(style, &format!("  at {}  {}", dated(result, row.at_ms), overrun(row)), 6));
    }
    text + &style.more_after("  ", all.len(), style.rows, "quota")
}

fn overrun(row: &QuotaOverrunRow) -> String {
    let over = format::amounts(&row.over.0).unwrap_or_default();
    let what = if row.limit == "max" { "above its max" } else { "of non-preemptible pods above its min" };
    let estimate = match row.estimate_ms {
        Some(ms) => format!("expected to be back within it after {}", span(ms)),
        None => "not expected to be back within it without evictions".to_owned(),
    };
    let actual = match (row.took_ms, row.replaced) {
        (Some(ms), _) => format!("was back within it after {}", span(ms)),
        (None, true) => "was edited again before that".to_owned(),
        (None, false) => "still above it at the end".to_owned(),
    };
    format!("{}: {over} {what}; {estimate}; {actual}", row.quota)
}

/// Failures, drains and cost of nodes in one line; nothing if there were none.
pub(crate) fn nodes(m: &Metrics) -> Option<String> {
    let mut parts = Vec::new();
    if m.node_failures > 0 {
        parts.push(many(m.node_failures, "failure"));
    }
    if m.drained > 0 {
        parts.push(format!("{} drained", many(m.drained, "pod")));
    }
    if m.failed_drains > 0 {
        parts.push(format!("{} timed out", many(m.failed_drains, "drain")));
    }
    if m.cost_milli > 0 {
        let (cost, idle) = (money(m.cost_milli), money(m.cost_idle_milli));
        parts.push(format!("cost {cost} price units, of which {idle} for idle (unallocated) capacity"));
    }
    (!parts.is_empty()).then(|| parts.join(", "))
}
