//! The metrics of a run in the terminal, one line each.

use crate::{
    fleet,
    format::{self, long_span, many, moment_up, unit_hours},
    jobs,
    layout::wrap,
    style::{Style, Tone},
};
use quotree_sim::result::{EndReason, Metrics, RunResult};

/// The metrics, one line each.
pub(crate) fn text(result: &RunResult, style: Style) -> String {
    let m = &result.metrics;
    let count = |number: u64| format::count(number.into());
    let heading = wrap(style, &format!("Metrics {}", window(result)), 2);
    let mut text = format!("\n{}", style.paint_lines(Tone::Strong, &heading));
    let mut line = |what: &str, value: String| {
        text.push_str(&wrap(style, &format!("  {what:<17}{value}"), 19));
    };
    line(
        "pods",
        format!(
            "{} submitted, {}, {} succeeded, {} failed",
            format::count(m.pods_submitted.into()),
            many(m.pods_bound, "binding"),
            format::count(m.pods_succeeded.into()),
            format::count(m.pods_failed.into())
        ),
    );
    let jobs = m.jobs;
    if jobs.submitted > 0 {
        let withdrawn = if jobs.withdrawn > 0 { format!(", {} deleted", count(jobs.withdrawn)) } else { String::new() };
        line(
            "jobs",
            format!(
                "{} submitted, {} started, {} succeeded, {} failed{withdrawn}",
                count(jobs.submitted),
                count(jobs.started),
                count(jobs.succeeded),
                count(jobs.failed)
            ),
        );
        line("wait", jobs::in_words(&m.wait));
        if m.first_wait != m.wait {
            line("to first start", jobs::in_words(&m.first_wait));
        }
    }
    if m.turnaround.count > 0 {
        line("turnaround", jobs::in_words(&m.turnaround));
    }
    if m.slowdown.count > 0 {
        line("slowdown", jobs::slowdowns(&m.slowdown));
    }
    let used: Vec<_> = m.utilisation_permille.iter().map(|(r, p)| format!("{r} {}", format::percent(*p))).collect();
    if !used.is_empty() {
        line("utilisation", used.join(", "));
    }
    line(
        "evictions",
        format!("{}, {} of them wasted; {} of work lost", m.evictions, m.wasted_evictions, long_span(m.lost_work_ms)),
    );
    if let Some(nodes) = fleet::nodes(m) {
        line("nodes", nodes);
    }
    let unmet: Vec<_> = m.starved_unit_s.iter().filter(|(_, v)| **v > 0).map(|(r, v)| unit_hours(r, *v)).collect();
    if !unmet.is_empty() {
        line("unmet guarantee", format!("{} below min while pods were pending", unmet.join(", ")));
    }
    line("fairness", fairness(m));
    if let Some(deadlines) = m.deadlines {
        line("deadlines", format!("{} met, {} missed", deadlines.met, deadlines.missed));
    }
    if m.search_bounds_hit > 0 {
        line("victim search", format!("stopped at its limit {}", many(m.search_bounds_hit, "time")));
    }
    text
}

/// Jain's index, and the shortfalls from fair shares, over the run and at its end.
fn fairness(m: &Metrics) -> String {
    let index = |permille: u64| format!("{}.{:03}", permille / 1000, permille % 1000);
    let mean = m.jain_mean_permille.map(|mean| format!("{} over time, ", index(mean))).unwrap_or_default();
    let short = m.fairness_error_mean_permille.map(|mean| format!("{} over time, ", format::percent(mean)));
    format!(
        "Jain index {mean}{} at the end; capacity below fair share {}{} at the end",
        index(m.jain_permille),
        short.unwrap_or_default(),
        format::percent(m.fairness_error_permille)
    )
}

/// The period that the figures cover, and why it ends there.
fn window(result: &RunResult) -> String {
    let end = moment_up(result.end_ms);
    match (result.end, result.quiet_ms.filter(|quiet| *quiet < result.end_ms)) {
        (EndReason::Until, Some(quiet)) => {
            format!("from 0s to {end} (`until` of the scenario; after {} nothing more could happen)", moment_up(quiet))
        }
        (EndReason::Until, None) => format!("from 0s to {end} (`until` of the scenario)"),
        (EndReason::Quiet, _) => format!("from 0s to {end}, when nothing more could happen"),
        (_, Some(quiet)) => format!("from 0s to {end}; after {} nothing more could happen", moment_up(quiet)),
        (_, None) => format!("from 0s to {end}"),
    }
}
