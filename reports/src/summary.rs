//! The summary in the terminal: usage of each quota, evictions and pending pods with their reasons, metrics, and the
//! claims.

use crate::{
    datasets, fleet,
    format::{self, long_span, many, moment, span, unit_hours},
    grid::{self, COUNT_COLUMNS, Cell, Column, count_cells},
    instances, jobs,
    style::{Style, Tone},
    tree,
};
use quotree_sim::result::{
    ClaimResult, EndReason, EvictionRow, Metrics, NamespaceRow, PendingRow, QuantityMap, QuotaRow, RunResult,
};
use std::collections::{BTreeMap, BTreeSet};

/// The whole summary of a run, ending in a newline.
#[must_use]
pub fn summary_text(result: &RunResult, style: Style) -> String {
    let mut text = state_text(result, style);
    text.push_str(&metrics(result, style));
    text.push_str(&claims(result, style));
    text
}

/// The state at the end of the run: the summary without metrics and claims.
#[must_use]
pub fn state_text(result: &RunResult, style: Style) -> String {
    let sections = [
        header(result, style),
        quotas(result, style),
        namespaces(result, style),
        datasets::section(result, style),
        instances::text(result, style),
        refusals(result, style),
        fleet::quota_drains(result, style),
        evictions(result, style),
        pending(result, style),
    ];
    sections.into_iter().filter(|section| !section.is_empty()).collect()
}

fn heading(style: Style, text: &str) -> String {
    format!("\n{}\n", style.paint(Tone::Strong, text))
}

fn header(result: &RunResult, style: Style) -> String {
    let name = style.paint(Tone::Strong, &result.scenario);
    let ended = moment(result.end_ms);
    let line = format!("policy {} · seed {} · ended at {ended} · {}", result.policy, result.seed, events(result));
    let digests = format!(
        "run digest {} · scenario digest {} · semantics version {}",
        result.digest, result.scenario_digest, result.semantics
    );
    format!("{name}  {line}\n{}\n", style.paint(Tone::Faint, &digests))
}

fn events(result: &RunResult) -> String {
    many(result.events, "event")
}

fn quotas(result: &RunResult, style: Style) -> String {
    let mut text = format!("\n{}", tree::table(style, result));
    text.push_str(&style.paint(Tone::Faint, &tree::legend(result)));
    text.push('\n');
    text.push_str(&loans(result, style));
    text
}

/// Which leaves borrow, and which quotas lend, in one line. A whole branch may lend to its sibling (L2).
fn loans(result: &RunResult, style: Style) -> String {
    let parents: BTreeSet<&str> = result.quotas.iter().filter_map(|q| q.parent.as_deref()).collect();
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
    if sentences.is_empty() { "No quota borrows.\n".to_owned() } else { format!("{}.\n", sentences.join(". ")) }
}

fn namespaces(result: &RunResult, style: Style) -> String {
    let columns = [Column::left("NAMESPACE", 0), Column::left("QUOTA", 1)];
    let columns: Vec<Column> = columns.into_iter().chain(COUNT_COLUMNS).collect();
    let row = |n: &NamespaceRow| {
        let quota = n.quota.as_deref().map_or_else(|| Cell::new("(none)").tone(Tone::Odd), Cell::new);
        [Cell::new(&n.name), quota].into_iter().chain(count_cells(&n.counts)).collect()
    };
    let rows: Vec<Vec<Cell>> = result.namespaces.iter().take(style.rows).map(row).collect();
    if rows.is_empty() {
        return String::new();
    }
    let more = style.more(result.namespaces.len(), style.rows, "namespace");
    format!("\n{}{more}", grid::lines(style, &columns, &rows))
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
        text.push_str(&format!("  at {}  {}{by}: {}{times}\n", moment(row.at_ms), row.what, row.why));
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
        text.push_str(&eviction(row));
    }
    text + &style.more_after("  ", all.len(), shown, "eviction")
}

fn eviction(row: &EvictionRow) -> String {
    let leaf = row.leaf.as_deref().map(|leaf| format!(" ({leaf})")).unwrap_or_default();
    let unnamed = row.cause.as_deref().filter(|cause| !row.reason.contains(cause));
    let cause = unnamed.map(|cause| format!(" for {cause}")).unwrap_or_default();
    let lost = if row.lost_ms > 0 { format!("; lost {} of work", span(row.lost_ms)) } else { String::new() };
    format!("  at {}  {}{leaf}{cause}  {}{lost}\n", moment(row.at_ms), row.pod, ruled(&row.rule, &row.reason))
}

/// A short verdict: what blocks the pod, whose pods use what is missing, and what would help. `explain` prints the
/// rest.
fn in_short(style: Style, row: &PendingRow) -> String {
    let reason = ruled(&row.rule, &row.reason);
    let mut clauses = reason.split("; ");
    let mut text = format!("      {}\n", clauses.next().unwrap_or_default());
    let short = ["it requests", "released now", "held by", "waits for", "passed by", "it cannot run", "would help"];
    let is_short = |clause: &&str| short.iter().any(|begin| clause.starts_with(begin));
    for clause in clauses.filter(is_short) {
        text.push_str(&style.paint(Tone::Faint, &format!("      {clause}\n")));
    }
    text
}

/// A reason with its rule, which is not repeated.
fn ruled(rule: &str, reason: &str) -> String {
    match reason {
        "" => rule.to_owned(),
        reason if reason.contains(rule) => reason.to_owned(),
        reason => format!("{reason} ({rule})"),
    }
}

/// Why pods are pending: equal verdicts are grouped.
fn pending(result: &RunResult, style: Style) -> String {
    if result.pending.is_empty() {
        return String::new();
    }
    let mut groups: Vec<(&PendingRow, Vec<&PendingRow>)> = Vec::new();
    let mut index: BTreeMap<(Option<&str>, &str, &str), usize> = BTreeMap::new();
    for row in &result.pending {
        let key = (row.quota.as_deref(), row.rule.as_str(), row.reason.as_str());
        let place = *index.entry(key).or_insert(groups.len());
        match groups.get_mut(place) {
            Some((_, rows)) => rows.push(row),
            None => groups.push((row, vec![row])),
        }
    }
    let pods = |rows: &[&PendingRow]| rows.iter().map(|row| row.pods).sum::<u64>();
    let all: u64 = result.pending.iter().map(|row| row.pods).sum();
    let mut text = heading(style, &many(all, "pending pod"));
    let shown = (style.rows / 4).max(1);
    for (first, rows) in groups.iter().take(shown) {
        let whose = first.quota.as_deref().map_or_else(|| first.namespace.clone(), str::to_owned);
        let names: Vec<&str> = rows.iter().take(3).map(|row| row.pod.as_str()).collect();
        let more = if rows.len() > 3 { format!(", … ({})", many(pods(rows), "pod")) } else { String::new() };
        let who = format!("{whose}: {}{more}", names.join(", "));
        text.push_str(&format!("  {who}\n{}", in_short(style, first)));
    }
    if groups.len() <= shown && groups.iter().any(|(_, rows)| rows.len() > 3) {
        text += &style.paint(Tone::Faint, "  … all pending pods are listed with `--format json`\n");
    }
    text + &style.more_after("  ", groups.len(), shown, "reason")
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
    let rows: Vec<Vec<Cell>> = result
        .nodes
        .iter()
        .take(style.rows)
        .map(|node| {
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
        })
        .collect();
    if rows.is_empty() {
        return String::new();
    }
    format!("\n{}{}", grid::lines(style, &columns, &rows), style.more(result.nodes.len(), style.rows, "node"))
}

fn metrics(result: &RunResult, style: Style) -> String {
    let m = &result.metrics;
    let count = |number: u64| format::count(number.into());
    let mut text = heading(style, &format!("Metrics {}", window(result)));
    let mut line = |what: &str, value: String| {
        text.push_str(&format!("  {what:<17}{value}\n"));
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

/// Jain's index and what is lacking of the fair shares, over the run and at its end.
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

/// The time over which figures are, and why they end there.
fn window(result: &RunResult) -> String {
    let end = moment(result.end_ms);
    match (result.end, result.quiet_ms.filter(|quiet| *quiet < result.end_ms)) {
        (EndReason::Until, Some(quiet)) => {
            format!("from 0s to {end} (until; nothing more could happen after {})", moment(quiet))
        }
        (EndReason::Until, None) => format!("from 0s to {end} (until)"),
        (EndReason::Quiet, _) => format!("from 0s to {end}, when nothing more could happen"),
        (_, Some(quiet)) => format!("from 0s to {end}; nothing more could happen after {}", moment(quiet)),
        (_, None) => format!("from 0s to {end}"),
    }
}

fn claims(result: &RunResult, style: Style) -> String {
    let all = &result.claims;
    if all.results.is_empty() {
        return String::new();
    }
    let tone = if all.failed == 0 { Tone::Good } else { Tone::Bad };
    let head = if all.failed == 0 {
        if all.passed == 1 { "The claim holds".to_owned() } else { format!("All {} claims hold", all.passed) }
    } else {
        format!("{} of {} failed", all.failed, many(all.passed + all.failed, "claim"))
    };
    let mut text = format!("\n{}\n", style.paint(tone, &head));
    let failed_first = all.results.iter().filter(|c| !c.passed).chain(all.results.iter().filter(|c| c.passed));
    for claim in failed_first.take(style.rows) {
        text.push_str(&claim_text(style, claim));
    }
    text + &style.more(all.results.len(), style.rows, "claim")
}

fn claim_text(style: Style, claim: &ClaimResult) -> String {
    let mark = if claim.passed { style.paint(Tone::Good, "✓") } else { style.paint(Tone::Bad, "✗") };
    let because = claim.because.as_deref().map(|b| style.paint(Tone::Faint, &format!("  — {b}"))).unwrap_or_default();
    let mut text = format!("  {mark} {}{because}\n", claim.claim);
    if let Some(note) = &claim.note {
        text.push_str(&style.paint(Tone::Odd, &format!("      note: {note}\n")));
    }
    if !claim.passed {
        let at = claim.at_ms.map(|ms| format!(" at {}", moment(ms))).unwrap_or_default();
        text.push_str(&format!("      line {}: observed{at}: {}\n", claim.line, claim.seen));
        for explanation in &claim.explanations {
            text.push_str(&format!("      {}\n", format::short_reason(explanation)));
        }
    }
    text
}
