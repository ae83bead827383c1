//! The inputs of the two runs: scenario, policy, nodes, work, and the quotas whose guarantee or limit differs.

use super::Both;
use crate::{
    html::Html,
    model::{Amount, JobState, Quota},
    still::{
        Context, none,
        table::{Cell, table as write_table},
    },
    units,
};
use std::collections::BTreeMap;

/// A fact of a run.
type Fact = (&'static str, fn(&Context<'_>) -> String);

const FACTS: [Fact; 11] = [
    ("Scenario", |c| c.report.run.scenario.clone()),
    ("File", |c| c.report.run.file.clone()),
    ("Command", |c| c.report.run.command.clone()),
    ("Scenario digest", |c| c.report.run.scenario_digest.clone()),
    ("Policy", |c| c.report.run.policy.clone()),
    ("Options", |c| {
        let options = c.report.run.options.iter().map(|choice| format!("{}: {}", choice.name, choice.value));
        options.collect::<Vec<String>>().join(", ")
    }),
    ("Seed", |c| c.report.run.seed.to_string()),
    ("Rules", |c| c.report.run.semantics.clone()),
    ("Length", |c| units::span(c.report.run.end_ms)),
    ("Nodes", |c| units::count(c.report.nodes.len() as u64)),
    ("Jobs submitted", |c| {
        let jobs = &c.report.jobs;
        let withdrawn = jobs.iter().filter(|job| job.state == JobState::Withdrawn).count() as u64;
        let of = if withdrawn > 0 { format!(", {} withdrawn", units::count(withdrawn)) } else { String::new() };
        format!("{}{of}", units::count(jobs.len() as u64))
    }),
];

/// The inputs that differ: name, value before, value after.
fn differences(both: &Both<'_>) -> Vec<(String, String, String)> {
    let (before, after) = (&both.before, &both.after);
    let facts = FACTS.iter().map(|(name, of)| ((*name).to_owned(), of(before), of(after)));
    let mut rows: Vec<_> = facts.filter(|(_, before, after)| before != after).collect();
    let find = |context: &Context<'_>, name: &str| {
        context.report.quotas.iter().find(|quota| quota.name == name).map(|quota| limits(context, quota))
    };
    let names = before.report.quotas.iter().chain(&after.report.quotas).map(|quota| quota.name.as_str());
    let mut seen = BTreeMap::new();
    for name in names {
        if seen.insert(name, ()).is_some() {
            continue;
        }
        let (a, b) = (find(before, name), find(after, name));
        if a != b {
            let said = |limits: Option<String>| limits.unwrap_or_else(|| "absent".to_owned());
            rows.push((format!("Quota {name}"), said(a), said(b)));
        }
    }
    rows
}

/// The guarantee and the limit of a quota, at the end.
fn limits(context: &Context<'_>, quota: &Quota) -> String {
    let amounts =
        |amounts: &[Amount]| if amounts.is_empty() { "none".to_owned() } else { context.units.amounts(amounts) };
    format!("min {}; max {}", amounts(&quota.min), amounts(&quota.max))
}

/// Writes the table.
pub(super) fn table(html: &mut Html, both: &Both<'_>) {
    let rows = differences(both);
    if rows.is_empty() {
        return none(html, "Both runs have the same input.");
    }
    let headings = [("What", false), ("Before", false), ("After", false)];
    let said = |text: &str| Cell::Long(if text.is_empty() { "·".to_owned() } else { text.to_owned() });
    let cells = rows.iter().map(|(name, before, after)| vec![Cell::Name(name), said(before), said(after)]);
    write_table(html, &both.before, "What was changed", &headings, rows.len(), cells);
}
