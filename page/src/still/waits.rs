//! Waits, evictions and incidents, as tables.

use super::{
    Context, at,
    cdf::{self, Curve},
    none,
    table::{Cell, table},
};
use crate::{
    html::Html,
    model::{Wait, WaitSteps},
    units,
};
use std::collections::BTreeMap;

/// Draws the curves of all pods and of each leaf.
pub(super) fn curves(html: &mut Html, context: &Context<'_>) {
    let curves: Vec<Curve<'_>> = context
        .report
        .whole_waits()
        .map(|steps| {
            let class = steps.quota.map_or_else(|| "slate".to_owned(), |q| context.colour(q).class());
            let name = steps.quota.map_or("all", |q| context.quota_name(Some(q)));
            (class, name.to_owned(), steps)
        })
        .take(MOST_CURVES)
        .collect();
    if curves.is_empty() { none(html, "No pod was ever bound.") } else { cdf::draw(html, &curves) }
}

/// The most curves in one figure.
const MOST_CURVES: usize = 24;

/// Writes the waits by leaf and size.
pub(super) fn distribution(html: &mut Html, context: &Context<'_>) {
    let rows: Vec<&WaitSteps> = context.report.wait_steps.iter().collect();
    if rows.is_empty() {
        return none(html, "No pod was ever bound.");
    }
    let headings = [
        ("Leaf", false),
        ("Size", false),
        ("Pods", true),
        ("Mean", true),
        ("p50", true),
        ("p95", true),
        ("p99", true),
        ("Max", true),
        ("Never started", true),
    ];
    let cells = rows.iter().map(|row| {
        let q = &row.quantiles;
        let span = |ms: u64| Cell::some(q.count > 0, || units::span(ms));
        let mean = q.sum_ms.checked_div(u128::from(q.count)).and_then(|ms| u64::try_from(ms).ok()).unwrap_or(0);
        vec![
            if row.quota.is_none() { Cell::text("all") } else { Cell::Team(row.quota) },
            Cell::text(if row.size.is_empty() { "all" } else { &row.size }),
            Cell::text(units::count(q.count)),
            span(mean),
            span(q.p50_ms),
            span(q.p95_ms),
            span(q.p99_ms),
            span(q.max_ms),
            Cell::some(row.never > 0, || units::count(row.never)),
        ]
    });
    table(html, context, "Waits by leaf and size", &headings, rows.len(), cells);
}

/// Writes the time waited by the rule that blocked the pods.
pub(super) fn by_rule(html: &mut Html, context: &Context<'_>) {
    let mut sums: BTreeMap<&str, (u128, u64)> = BTreeMap::new();
    for row in &context.report.wait_times {
        let sum = sums.entry(&row.rule).or_default();
        *sum = (sum.0 + row.wait_ms, sum.1 + row.waits);
    }
    if sums.is_empty() {
        return none(html, "No pod waited.");
    }
    let mut rows: Vec<_> = sums.into_iter().collect();
    rows.sort_by_key(|(_, (ms, _))| std::cmp::Reverse(*ms));
    let title = |rule: &str| context.report.rules.iter().find(|r| r.rule == rule).map_or("", |r| &r.title);
    let cells = rows.iter().map(|(rule, (ms, waits))| {
        vec![
            Cell::Rule(rule),
            Cell::text(title(rule)),
            Cell::text(units::long_span(*ms)),
            Cell::text(units::count(*waits)),
        ]
    });
    let headings = [("Rule", false), ("What it says", false), ("Time waited", true), ("Stretches", true)];
    table(html, context, "Time waited by rule", &headings, rows.len(), cells);
}

/// Writes the pods that are pending at the end.
pub(super) fn waiting(html: &mut Html, context: &Context<'_>) {
    let report = context.report;
    let open = |wait: &&Wait| {
        wait.to_ms >= report.run.end_ms && at(&report.pods, wait.pod).is_some_and(|pod| pod.ended_ms.is_none())
    };
    let rows: Vec<&Wait> = report.waits.iter().filter(open).collect();
    if rows.is_empty() {
        return none(html, "No pod is pending at the end.");
    }
    let cells = rows.iter().map(|wait| {
        let pod = at(&report.pods, wait.pod);
        let quota = pod.and_then(|p| at(&report.jobs, p.job)).and_then(|j| j.quota);
        let since = pod.map_or(wait.from_ms, |p| p.created_ms);
        let verdict = wait.verdict.and_then(|v| at(&report.verdicts, v));
        vec![
            Cell::Story("pod", context.pod_name(Some(wait.pod))),
            Cell::Team(quota),
            Cell::text(units::span(report.run.end_ms.saturating_sub(since))),
            Cell::Rule(&wait.rule),
            Cell::text(verdict.map_or("", |v| &v.binding.text)),
        ]
    });
    let headings = [("Pod", false), ("Leaf", false), ("Has waited", true), ("Rule", false), ("Why", false)];
    table(html, context, "Pods that wait at the end", &headings, rows.len(), cells);
}

/// Writes all evictions.
pub(super) fn evictions(html: &mut Html, context: &Context<'_>) {
    let all = &context.report.evictions;
    if all.is_empty() {
        return none(html, "No pod was evicted.");
    }
    let headings = [
        ("When", false),
        ("Victim", false),
        ("Leaf", false),
        ("For", false),
        ("Rule", false),
        ("Why", false),
        ("Cause started after", true),
        ("Lost work", true),
        ("In vain", false),
    ];
    let cells = all.iter().map(|e| {
        let after = e.cause_bound_ms.map(|ms| units::span(ms.saturating_sub(e.at_ms)));
        vec![
            Cell::text(context.units.moment(e.at_ms)),
            Cell::Story("pod", context.pod_name(Some(e.pod))),
            Cell::Team(e.leaf),
            if e.cause.is_some() { Cell::Story("job", context.job_name(e.cause)) } else { Cell::text("no preemptor") },
            Cell::Rule(&e.rule),
            Cell::text(&e.reason),
            Cell::text(after.unwrap_or_else(|| if e.cause.is_some() { "never" } else { "·" }.to_owned())),
            Cell::some(e.lost_work_ms > 0, || units::long_span(e.lost_work_ms)),
            Cell::some(e.wasted, || "yes".to_owned()),
        ]
    });
    table(html, context, "Evictions", &headings, all.len(), cells);
}

/// Writes what happened to nodes.
pub(super) fn incidents(html: &mut Html, context: &Context<'_>) {
    let all = &context.report.incidents;
    if all.is_empty() {
        return none(html, "No node failed, left or came.");
    }
    let headings = [
        ("When", false),
        ("What", false),
        ("Lasted", true),
        ("Nodes", true),
        ("Gone", false),
        ("Pods lost", true),
        ("Lost work", true),
    ];
    let cells = all.iter().map(|i| {
        let count = |n: usize| units::count(n as u64);
        vec![
            Cell::text(context.units.moment(i.from_ms)),
            Cell::text(format!("{} of {}", i.kind.replace('_', " "), i.what)),
            Cell::text(i.to_ms.map_or_else(|| "not over".to_owned(), |to| units::span(to.saturating_sub(i.from_ms)))),
            Cell::text(count(i.nodes.len())),
            Cell::text(context.units.amounts(&i.gone)),
            Cell::some(!i.lost_pods.is_empty(), || count(i.lost_pods.len())),
            Cell::some(i.lost_work_ms > 0, || units::long_span(i.lost_work_ms)),
        ]
    });
    table(html, context, "Incidents", &headings, all.len(), cells);
}
