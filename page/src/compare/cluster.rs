//! The cluster: six numbers of both runs, and all figures of the whole run with their differences.

use super::{
    Both,
    change::{Change, Good},
};
use crate::{
    html::Html,
    model::{JobWaits, Ms, ResourceTotals, Totals},
    still::{
        Context, money,
        table::{Cell, table as write_table},
    },
    units,
};

/// The name of the cost figure, which only runs with prices have.
const COST: &str = "Cost";

/// One total of the main resource in both runs.
fn of(both: &Both<'_>, get: fn(&ResourceTotals) -> u128) -> (u128, u128) {
    let one = |context: &Context<'_>| {
        let rows = &context.report.totals.resources;
        rows.iter().find(|row| row.resource == context.main).map_or(0, get)
    };
    (one(&both.before), one(&both.after))
}

/// One figure of the whole run, in both.
fn whole<T>(both: &Both<'_>, get: fn(&Totals) -> T) -> (T, T) {
    (get(&both.before.report.totals), get(&both.after.report.totals))
}

/// A wait of jobs in both runs.
fn wait<'a>(both: &Both<'a>, of: fn(&JobWaits) -> (Ms, bool)) -> Change<'a> {
    let one = |context: &Context<'a>| of(&context.report.totals.job_wait);
    Change::bounded_span((one(&both.before), one(&both.after)))
}

fn used<'a>(both: &Both<'a>) -> Change<'a> {
    let (before, after) = of(both, |row| row.utilisation_permille.into());
    Change::permille((before, after), Good::More)
}

/// Writes six numbers, each with the value after, the difference, and the value before.
pub(super) fn tiles(html: &mut Html, both: &Both<'_>) {
    let main = both.before.main;
    let short = both.before.units.short_name(main);
    let hours = |get, good| Change::amount_time(both, main, of(both, get), good);
    let tiles = [
        (format!("{short} in use"), used(both)),
        ("Borrowed".to_owned(), hours(|row| row.borrowed_unit_s, Good::None)),
        ("Unmet guarantee".to_owned(), hours(|row| row.missed_unit_s, Good::Less)),
        ("Job wait p95".to_owned(), wait(both, JobWaits::p95)),
        ("Evictions".to_owned(), Change::count(whole(both, |t| t.evictions), Good::Less)),
        (COST.to_owned(), Change::money(both, whole(both, |t| t.cost_milli.unwrap_or(0)))),
    ];
    html.open("div", &[("class", "tiles")]);
    for (name, change) in tiles {
        html.open("div", &[("class", "tile")]).leaf("div", &[("class", "k")], &name);
        if name == COST && whole(both, |t| t.cost_milli) == (None, None) {
            html.leaf("div", &[("class", "v")], "·").leaf("div", &[("class", "n")], "nothing has a price").close("div");
            continue;
        }
        html.leaf("div", &[("class", "v")], change.said_after());
        html.open("div", &[("class", "n")]);
        if change.size() == 0 {
            html.text("as before");
        } else {
            html.leaf("span", &[("class", change.tone())], change.difference());
            html.text(format!(" from {}", change.said_before()));
        }
        html.close("div").close("div");
    }
    html.close("div");
}

/// Writes the table of all figures.
pub(super) fn table(html: &mut Html, both: &Both<'_>) {
    let main = both.before.main;
    let hours = |get, good| Change::amount_time(both, main, of(both, get), good);
    let mean = |get: fn(&Totals) -> Option<u64>| whole(both, get);
    let mut rows = vec![
        ("In use".to_owned(), used(both)),
        ("Used".to_owned(), hours(|row| row.used_unit_s, Good::More)),
        ("Borrowed".to_owned(), hours(|row| row.borrowed_unit_s, Good::None)),
        ("Unmet guarantee".to_owned(), hours(|row| row.missed_unit_s, Good::Less)),
        ("Below the fair share".to_owned(), hours(|row| row.fairness_error_unit_s, Good::Less)),
    ];
    if let (Some(before), Some(after)) = mean(|t| t.jain_mean_permille) {
        let say = |permille: u128| format!("{:.3}", units::wide(permille) / 1000.0);
        rows.push(("Jain's index, mean".to_owned(), Change::of((before, after), Good::More, say)));
    }
    rows.extend([
        ("Job wait p50".to_owned(), wait(both, JobWaits::p50)),
        ("Job wait p95".to_owned(), wait(both, JobWaits::p95)),
        ("Longest wait of a job".to_owned(), wait(both, JobWaits::max)),
        ("Longest wait of a pod".to_owned(), Change::span(whole(both, |t| t.longest_wait_ms))),
        ("Pods created".to_owned(), Change::count(whole(both, |t| t.pods_submitted), Good::None)),
        ("Pods that succeeded".to_owned(), Change::count(whole(both, |t| t.pods_succeeded), Good::More)),
        ("Pods that failed".to_owned(), Change::count(whole(both, |t| t.pods_failed), Good::Less)),
        ("Pods that wait at the end".to_owned(), Change::count(whole(both, |t| t.pods_pending), Good::Less)),
        ("Evictions".to_owned(), Change::count(whole(both, |t| t.evictions), Good::Less)),
        ("Wasted evictions".to_owned(), Change::count(whole(both, |t| t.wasted_evictions), Good::Less)),
        ("Work lost".to_owned(), Change::span(whole(both, |t| t.lost_work_ms))),
        ("Makespan".to_owned(), Change::span(whole(both, |t| t.makespan_ms))),
    ]);
    if let (Some(before), Some(after)) = whole(both, |t| t.deadlines) {
        rows.push(("Deadlines missed".to_owned(), Change::count((before.missed, after.missed), Good::Less)));
    }
    rows.push((COST.to_owned(), Change::money(both, whole(both, |t| t.cost_milli.unwrap_or(0)))));
    rows.push((
        "Cost of idle capacity".to_owned(),
        Change::money(both, whole(both, |t| t.cost_idle_milli.unwrap_or(0))),
    ));
    for (name, (before, after)) in others(both) {
        rows.push((format!("{name} in use"), Change::permille((before, after), Good::More)));
    }
    // What is nothing in both runs is no figure of theirs.
    rows.retain(|(_, change)| change.is_something());
    let headings = [("Figure", false), ("Difference", true), ("Before", true), ("After", true)];
    let cells = rows.iter().map(|(name, change)| {
        let (before, after) = (change.said_before(), change.said_after());
        vec![Cell::text(name), Cell::Toned(change.tone(), change.difference()), Cell::text(before), Cell::text(after)]
    });
    write_table(html, &both.before, "Figures of both runs", &headings, rows.len(), cells);
    if whole(both, |t| t.cost_milli) != (None, None) {
        money::note(html, &both.after);
    }
}

/// The utilisation of the other resources that both clusters have, by their names.
fn others<'a>(both: &Both<'a>) -> Vec<(&'a str, (u64, u64))> {
    let share = |context: &Context<'_>, name: &str| {
        let totals = &context.report.totals.resources;
        let row = totals.iter().find(|row| context.units.resource(row.resource).is_some_and(|r| r.name == name))?;
        (row.capacity_unit_s > 0).then_some(row.utilisation_permille)
    };
    let resources = (0..).zip(&both.before.report.resources).filter(|(index, _)| *index != both.before.main);
    let both_have = |name: &str| Some((share(&both.before, name)?, share(&both.after, name)?));
    resources.filter_map(|(_, row)| Some((row.short.as_str(), both_have(&row.name)?))).collect()
}
