//! Claims, refusals, failures, datasets, rules, and the inputs of the run.

use super::{
    Context, at, none,
    table::{Cell, table},
};
use crate::{
    html::Html,
    model::{Claim, Failure},
    units,
};

/// Writes the claims, failed ones first.
pub(super) fn claims(html: &mut Html, context: &Context<'_>) {
    let mut rows: Vec<&Claim> = context.report.claims.iter().collect();
    if rows.is_empty() {
        return none(html, "The scenario claims nothing.");
    }
    rows.sort_by_key(|claim| claim.passed);
    let headings =
        [("", false), ("Claim", false), ("Expected", false), ("Seen", false), ("When", false), ("Line", true)];
    let cells = rows.iter().map(|claim| {
        let when = if claim.passed { claim.at_ms } else { claim.breach_from_ms.or(claim.at_ms) };
        vec![
            if claim.passed { Cell::Chip("good", "✓", "holds") } else { Cell::Chip("bad", "✕", "fails") },
            Cell::Written(&claim.claim, claim.because.as_deref()),
            Cell::Name(&claim.expected),
            Cell::Name(&claim.seen),
            Cell::some(when.is_some(), || context.units.moment(when.unwrap_or(0))),
            Cell::some(claim.line > 0, || claim.line.to_string()),
        ]
    });
    table(html, context, "Claims", &headings, rows.len(), cells);
}

/// Writes what was refused.
pub(super) fn refusals(html: &mut Html, context: &Context<'_>) {
    let rows = &context.report.refusals;
    if rows.is_empty() {
        return none(html, "Nothing was refused.");
    }
    let headings = [("When", false), ("What", false), ("Who", false), ("Why", false), ("Times", true)];
    let cells = rows.iter().map(|r| {
        vec![
            Cell::text(context.units.moment(r.at_ms)),
            Cell::text(r.what.replace('`', "")),
            r.by.as_ref().map_or_else(|| Cell::text("·"), |by| Cell::Story("user", by)),
            Cell::text(r.why.replace('`', "")),
            Cell::text(units::count(r.times)),
        ]
    });
    table(html, context, "Refusals", &headings, rows.len(), cells);
}

/// Writes what failed, and violated invariants.
pub(super) fn failures(html: &mut Html, context: &Context<'_>) {
    let all: Vec<&Failure> = context.report.breaches.iter().chain(&context.report.failures).collect();
    let headings = [("When", false), ("What", false), ("Why", false)];
    let cells =
        all.iter().map(|f| vec![Cell::text(context.units.moment(f.at_ms)), Cell::Name(&f.what), Cell::text(&f.why)]);
    table(html, context, "Failures", &headings, all.len(), cells);
}

/// Writes the datasets.
pub(super) fn datasets(html: &mut Html, context: &Context<'_>) {
    let rows = &context.report.datasets;
    let headings = [
        ("Dataset", false),
        ("Namespace", false),
        ("Phase", false),
        ("Size", true),
        ("Cached", true),
        ("Read", true),
        ("From the cache", true),
        ("Waited for input", true),
        ("Idle GPU time", true),
    ];
    let cells = rows.iter().map(|d| {
        let bytes = |n: u64| units::bytes(units::wide(u128::from(n)));
        vec![
            Cell::Name(&d.name),
            Cell::Name(&d.namespace),
            Cell::text(&d.phase),
            Cell::text(bytes(d.size_bytes)),
            Cell::text(bytes(d.cached_bytes)),
            Cell::text(units::bytes(units::wide(d.read_bytes))),
            Cell::text(units::percent(units::wide(u128::from(d.hit_permille)))),
            Cell::some(d.wait_ms > 0, || units::long_span(d.wait_ms)),
            Cell::some(d.gpu_idle_ms > 0, || units::long_span(d.gpu_idle_ms)),
        ]
    });
    table(html, context, "Datasets", &headings, rows.len(), cells);
}

/// Writes the rules that the report mentions.
pub(super) fn rules(html: &mut Html, context: &Context<'_>) {
    if context.report.rules.is_empty() {
        return none(html, "No rule is cited.");
    }
    html.open("dl", &[("class", "kv")]);
    for rule in &context.report.rules {
        let id = format!("rule-{}", rule.rule);
        html.open("dt", &[])
            .leaf("span", &[("class", "rule"), ("id", &id), ("tabindex", "-1")], &rule.rule)
            .close("dt");
        html.open("dd", &[]).leaf("b", &[], &rule.title);
        if !rule.text.is_empty() {
            html.text(". ").text(&rule.text);
        }
        html.close("dd");
    }
    html.close("dl");
}

/// Writes the inputs of the run, and how to repeat it.
pub(super) fn run(html: &mut Html, context: &Context<'_>) {
    let (run, totals) = (&context.report.run, &context.report.totals);
    html.open("dl", &[("class", "kv")]);
    let mut row = |key: &str, value: String, is_code: bool| {
        if !value.is_empty() {
            html.leaf("dt", &[], key).open("dd", &[("class", if is_code { "mono" } else { "" })]);
            html.name(&value).close("dd");
        }
    };
    row("Run again with", run.command.clone(), true);
    row("File", run.file.clone(), true);
    row("Policy", run.policy.clone(), false);
    let options: Vec<String> = run.options.iter().map(|o| format!("{}: {}", o.name, o.value)).collect();
    row("Not at the default", options.join(" · "), false);
    row("Seed", run.seed.to_string(), false);
    let how = if run.settled { "nothing more could happen" } else { "stopped by its time" };
    row("End", format!("{} after {}, {how}", context.units.moment(run.end_ms), units::span(run.end_ms)), false);
    row("Events, decisions", format!("{}, {}", units::count(run.events), units::count(run.decisions)), false);
    let thousandths = |n: u64| format!("{}.{:03}", n / 1000, n % 1000);
    let mean = totals.jain_mean_permille.map(|mean| format!("{} over time, ", thousandths(mean))).unwrap_or_default();
    row("Jain's index", format!("{mean}{} at the end", thousandths(totals.jain_permille)), false);
    let deadlines = totals.deadlines.map(|d| format!("{} met, {} missed", units::count(d.met), units::count(d.missed)));
    row("Deadlines", deadlines.unwrap_or_default(), false);
    for used in &totals.resources {
        let Some(resource) = at(&context.report.resources, used.resource) else { continue };
        let percent = units::percent(units::wide(u128::from(used.utilisation_permille)));
        row(&format!("{} in use", resource.short), percent, false);
    }
    if totals.search_bounds_hit > 0 {
        row("Victim searches stopped at a limit", units::count(totals.search_bounds_hit), false);
    }
    row("Rules", format!("version {}", run.semantics), false);
    row("Scenario digest", run.scenario_digest.clone(), true);
    row("Run digest", run.digest.clone(), true);
    row("Program", run.version.clone(), false);
    html.close("dl");
}
