//! The summary in the terminal: what happened, usage of each quota, evictions and pending pods with their reasons, metrics,
//! and the claims.

use crate::{
    claims, datasets, figures,
    findings::findings_text,
    fleet,
    format::{self, dated, many, span},
    grid::{self, COUNT_COLUMNS, Cell, Column, count_cells},
    instances,
    jobs::in_a_cell,
    layout::{self, NO_BREAK, wrap},
    pending,
    people::{By, breakdown_text},
    style::{Style, Tone},
    tree,
};
use quotree_page::model::Report;
use quotree_sim::result::{EvictionRow, NamespaceRow, NodeRow, QuantityMap, QuotaRow, RunResult};
use std::collections::BTreeSet;

/// The whole summary of a run, ending in a newline. If there is a report, its findings come first. `by` adds usage
/// tables.
#[must_use]
pub fn summary_text(result: &RunResult, report: Option<&Report>, by: &[By], style: Style) -> String {
    let (verdict, tone) = claims::verdict(result.claims.passed, result.claims.failed);
    let mut text = header(result, Some(&style.paint(tone, &verdict)), style);
    text.push_str(&worst_outage(result, style));
    if let Some(report) = report {
        if !report.run.about.is_empty() {
            text.push_str(&style.paint_lines(Tone::Faint, &wrap(style, &quotree_page::visible(&report.run.about), 0)));
        }
        text.push_str(&format!("\n{}\n", style.heading("What happened")));
        text.push_str(&findings_text(report, style));
    }
    text.push_str(&state(result, style));
    text.push_str(&figures::text(result, style));
    text.push_str(&claims::text(result, style));
    text.extend(by.iter().map(|by| breakdown_text(result, *by, style)));
    text.push('\n');
    text.push_str(&digests(result, style));
    if let Some(report) = report {
        text.push_str(&hints(result, report, style));
    }
    text
}

/// Suggestions for further questions: commands that can be copied.
fn hints(result: &RunResult, report: &Report, style: Style) -> String {
    let plain = |word: &str| !word.is_empty() && word.chars().all(|c| c.is_ascii_alphanumeric() || "-_./".contains(c));
    let file = Some(report.run.file.as_str()).filter(|file| plain(file)).unwrap_or("FILE");
    let pod = result.pending.first().map(|row| &row.pod).or_else(|| result.evictions.first().map(|row| &row.pod));
    let evicted = result.evictions.first().map(|row| row.rule.as_str());
    let rule = evicted.or_else(|| result.pending.first().map(|row| row.rule.as_str()));
    let mut commands = Vec::new();
    if let Some(pod) = pod.filter(|pod| plain(pod) && pod.len() + file.len() < 60) {
        commands
            .push((format!("quotree explain {file} {pod}"), "why this pod waits, and what happened to it".to_owned()));
    }
    if let Some(rule) = rule.filter(|rule| plain(rule)) {
        commands.push((format!("quotree explain --rule {rule}"), format!("what rule {rule} says")));
    }
    let widest = commands.iter().map(|(command, _)| layout::width(command)).max().unwrap_or(0);
    let line = |(command, what): &(String, String)| wrap(style, &format!("{command:<widest$}  {what}"), 2);
    let lines: String = commands.iter().map(line).collect();
    if lines.is_empty() { lines } else { format!("\n{}", style.paint_lines(Tone::Faint, &lines)) }
}

/// The state at the end of the run: the summary without findings, metrics and claims.
#[must_use]
pub fn state_text(result: &RunResult, style: Style) -> String {
    format!("{}{}{}", header(result, None, style), digests(result, style), state(result, style))
}

fn state(result: &RunResult, style: Style) -> String {
    let sections = [
        quotas(result, style),
        namespaces(result, style),
        datasets::section(result, style),
        instances::text(result, style),
        refusals(result, style),
        fleet::quota_drains(result, style),
        evictions(result, style),
        pending::text(result, style),
    ];
    sections.into_iter().filter(|section| !section.is_empty()).collect()
}

fn heading(style: Style, text: &str) -> String {
    format!("\n{}\n", style.heading(text))
}

fn header(result: &RunResult, verdict: Option<&str>, style: Style) -> String {
    let name = style.heading(&result.scenario);
    let facts = [
        format!("policy {}", result.policy),
        format!("seed {}", result.seed),
        format!("ended at {}", dated(result, result.end_ms)),
        many(result.events, "event"),
    ];
    // Lines end between facts.
    let facts = verdict.map(str::to_owned).into_iter().chain(facts).map(|fact| fact.replace(' ', NO_BREAK));
    wrap(style, &format!("{name}  {}", facts.collect::<Vec<_>>().join(" · ")), 2)
}

/// Which domain the worst-case outage of a run is of.
fn worst_outage(result: &RunResult, style: Style) -> String {
    let Some(worst) = &result.worst_outage else { return String::new() };
    let span = |ms: u128| span(u64::try_from(ms).unwrap_or(u64::MAX));
    let others = match worst.tried {
        1 => String::new(),
        _ => format!("; with the mildest, {}, {}", worst.mildest, span(worst.mildest_wait_ms)),
    };
    let (domain, tried, waits) = (&worst.domain, many(worst.tried, "domain"), span(worst.wait_ms));
    wrap(style, &format!("Worst outage of {tried}: {domain}. Jobs wait {waits} in sum{others}."), 2)
}

/// The digests that identify a run.
fn digests(result: &RunResult, style: Style) -> String {
    let lines = [
        format!("run digest {} · semantics version {}", result.digest, result.semantics),
        format!("scenario digest {}", result.scenario_digest),
    ];
    lines.iter().map(|line| style.paint_lines(Tone::Faint, &wrap(style, line, 2))).collect()
}

fn quotas(result: &RunResult, style: Style) -> String {
    let mut text = format!("\n{}", tree::table(style, result));
    text.push_str(&tree::legend(result, style));
    text.push_str(&loans(result, style));
    text
}

/// Which leaves borrow, and which quotas lend, in one line. A whole branch may lend to its sibling (L2).
fn loans(result: &RunResult, style: Style) -> String {
    let parents: BTreeSet<&str> = result.quotas.iter().filter_map(|q| q.parent.as_deref()).collect();
    if parents.is_empty() {
        // A single quota has nobody to borrow from or to lend to.
        return String::new();
    }
    let is_leaf = |q: &&QuotaRow| !parents.contains(q.name.as_str());
    let said = |verb: &str, leaves_only: bool, pick: fn(&QuotaRow) -> &QuantityMap| {
        let quotas = result.quotas.iter().filter(|q| !leaves_only || is_leaf(q));
        let all: Vec<_> = quotas
            .filter_map(|q| format::amounts(&pick(q).0).map(|amounts| format!("{} {verb} {amounts}", q.name)))
            .collect();
        let shown = (style.rows / 10).max(1);
        let more = all.len().saturating_sub(shown);
        let line = all.iter().take(shown).map(String::as_str).collect::<Vec<_>>().join("; ");
        if more > 0 {
            format!("{line}; and {} more (all with `--format json`)", format::count(more as u128))
        } else {
            line
        }
    };
    let borrows = said("borrows", true, |q| &q.borrowed);
    let lends = said("lends", false, |q| &q.lent);
    let sentences: Vec<_> = [borrows, lends].into_iter().filter(|s| !s.is_empty()).collect();
    let nobody = || format!("No quota borrows at {}", dated(result, result.end_ms));
    let line = if sentences.is_empty() { nobody() } else { sentences.join(". ") };
    wrap(style, &format!("{line}."), 2)
}

fn namespaces(result: &RunResult, style: Style) -> String {
    let columns = [Column::left("NAMESPACE", 0), Column::left("QUOTA", 1)];
    let mut columns: Vec<Column> = columns.into_iter().chain(COUNT_COLUMNS).collect();
    columns.push(Column::right("WAIT p50/p95/max", 1));
    let row = |n: &NamespaceRow| {
        let quota = n.quota.as_deref().map_or_else(|| Cell::new("(none)").tone(Tone::Odd), Cell::new);
        [Cell::new(&n.name), quota].into_iter().chain(count_cells(&n.counts)).chain([in_a_cell(&n.wait)]).collect()
    };
    if result.namespaces.is_empty() {
        return String::new();
    }
    format!("\n{}", grid::first(style, &columns, result.namespaces.iter().map(row), "namespace"))
}

/// Submissions and edits that were refused.
fn refusals(result: &RunResult, style: Style) -> String {
    if result.refusals.is_empty() {
        return String::new();
    }
    let all: u64 = result.refusals.iter().map(|row| row.times).sum();
    let mut text = heading(style, &many(all, "refusal"));
    for row in result.refusals.iter().take(style.rows) {
        let by = row.by.as_deref().map(|by| format!(" by {by}")).unwrap_or_default();
        let times = if row.times > 1 { format!(" ({} times)", format::count(row.times.into())) } else { String::new() };
        let line = format!("  at {}  {}{by}: {}{times}", dated(result, row.at_ms), row.what, row.why);
        text.push_str(&wrap(style, &line, 6));
    }
    text.push_str(&style.more(result.refusals.len(), style.rows, "refusal"));
    text
}

fn evictions(result: &RunResult, style: Style) -> String {
    let all = &result.evictions;
    if all.is_empty() {
        return String::new();
    }
    let by_rule: Vec<_> = result
        .metrics
        .evictions_by_rule
        .iter()
        .map(|(rule, n)| format!("{} by {rule}", format::count((*n).into())))
        .collect();
    let by_rule = if by_rule.is_empty() { String::new() } else { format!(" ({})", by_rule.join(", ")) };
    let mut text = heading(style, &format!("{}{by_rule}", many(all.len() as u64, "eviction")));
    let shown = (style.rows / 8).max(1);
    for row in all.iter().take(shown) {
        text.push_str(&wrap(style, &eviction(result, row), 6));
    }
    text + &style.more_after("  ", all.len(), shown, "eviction")
}

fn eviction(result: &RunResult, row: &EvictionRow) -> String {
    let leaf = row.leaf.as_deref().map(|leaf| format!(" ({leaf})")).unwrap_or_default();
    let unnamed = row.cause.as_deref().filter(|cause| !row.reason.contains(cause));
    let cause = unnamed.map(|cause| format!(" for {cause}")).unwrap_or_default();
    let lost = if row.lost_ms > 0 { format!("; lost {} of work", span(row.lost_ms)) } else { String::new() };
    let failed = if row.failed { "; the API refused it, and the pod went on" } else { "" };
    format!(
        "  at {}  {}{leaf}{cause}  {}{lost}{failed}",
        dated(result, row.at_ms),
        row.pod,
        ruled(&row.rule, &row.reason)
    )
}

/// A reason with its rule, which is not repeated if the reason already contains it.
pub(crate) fn ruled(rule: &str, reason: &str) -> String {
    match reason {
        "" => rule.to_owned(),
        reason if reason.contains(rule) => reason.to_owned(),
        reason => format!("{reason} ({rule})"),
    }
}

/// The nodes: state, pods, usage and allocatable capacity of each.
#[must_use]
pub fn nodes_text(result: &RunResult, style: Style) -> String {
    let columns = [
        Column::left("NODE", 0),
        Column::left("STATE", 0),
        Column::right("PODS", 0),
        Column::left("USED", 0),
        Column::left("ALLOCATABLE", 1),
    ];
    if result.nodes.is_empty() {
        return String::new();
    }
    let row = |node: &NodeRow| {
        let state = match (node.up, node.schedulable) {
            (false, _) => Cell::new("down").tone(Tone::Bad),
            (true, false) => Cell::new("cordoned").tone(Tone::Odd),
            (true, true) if node.unhealthy > 0 => {
                Cell::new(format!("ready, {}", many(node.unhealthy, "unhealthy device"))).tone(Tone::Odd)
            }
            (true, true) => Cell::new("ready"),
        };
        let amounts = |map: &QuantityMap| format::amounts(&map.0).map_or_else(Cell::none, Cell::new);
        vec![Cell::new(&node.name), state, Cell::count(node.pods), amounts(&node.used), amounts(&node.allocatable)]
    };
    format!("\n{}", grid::first(style, &columns, result.nodes.iter().map(row), "node"))
}
