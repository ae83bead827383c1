//! The overview: six numbers, the findings, the teams.

use super::{
    Context, at, none,
    table::{Cell, table},
};
use crate::{
    html::Html,
    model::{AmountTime, FindingKind, Piece, ResourceIx, ResourceTotals, SubjectKind},
    units,
};

/// The resource that the page shows first: the first one that is governed and used, else the first one.
#[must_use]
pub fn main_resource(report: &crate::model::Report) -> ResourceIx {
    let governed = |row: &&ResourceTotals| at(&report.resources, row.resource).is_some_and(|r| r.governed);
    let rows = &report.totals.resources;
    let used = |row: &&ResourceTotals| row.used_unit_s > 0;
    let there = |row: &&ResourceTotals| row.capacity_unit_s > 0;
    let find = |of: &dyn Fn(&&ResourceTotals) -> bool| rows.iter().find(of);
    let row = find(&|r| governed(r) && used(r) && there(r)).or_else(|| find(&used)).or_else(|| find(&there));
    row.map_or(0, |row| row.resource)
}

/// A tile: label, value, unit, a line below it, and the tab that it links to.
struct Tile {
    key: String,
    value: String,
    unit: String,
    note: String,
    tab: &'static str,
    at_ms: Option<u64>,
    /// How the value is computed, if the label does not show it.
    how: Option<String>,
}

/// Writes the six numbers.
pub(super) fn tiles(html: &mut Html, context: &Context<'_>) {
    html.open("div", &[("class", "tiles")]);
    for tile in [used(context), borrowed(context), missed(context), waited(context), evicted(context), cost(context)] {
        let address = format!("#{}", tile.tab);
        let moment = tile.at_ms.map(|ms| ms.to_string());
        let mut attributes = vec![("class", "tile"), ("href", address.as_str()), ("data-tab", "")];
        attributes.extend(moment.as_deref().map(|ms| ("data-at", ms)));
        attributes.extend(tile.how.as_deref().map(|how| ("title", how)));
        html.open("a", &attributes).leaf("div", &[("class", "k")], &tile.key);
        html.open("div", &[("class", "v")]).text(&tile.value);
        if !tile.unit.is_empty() {
            html.leaf("small", &[], format!(" {}", tile.unit));
        }
        html.close("div").leaf("div", &[("class", "n")], tile.note).close("a");
    }
    html.close("div");
}

fn totals<'a>(context: &Context<'a>) -> Option<&'a ResourceTotals> {
    context.report.totals.resources.iter().find(|row| row.resource == context.main)
}

fn used(context: &Context<'_>) -> Tile {
    let row = totals(context);
    let percent = units::percent(units::wide(u128::from(row.map_or(0, |r| r.utilisation_permille))));
    let (value, unit) = percent.split_once(" %").map_or((percent.as_str(), ""), |(number, _)| (number, "%"));
    let (value, unit) = (value.to_owned(), unit.to_owned());
    let cluster = context.report.cluster.resources.iter().find(|r| r.resource == context.main);
    let most = cluster.map_or(0, |r| r.capacity.peak());
    let note = format!(
        "mean over {}, of those that were up (at most {})",
        units::span(context.report.run.end_ms),
        context.units.amount(context.main, most)
    );
    let key =
        context.units.resource(context.main).map_or_else(|| "In use".to_owned(), |r| format!("{} in use", r.short));
    Tile { key, value, unit, note, tab: "cluster", at_ms: None, how: None }
}

/// The leaf with the largest part of a figure, and that part.
fn mostly(context: &Context<'_>, of: fn(&crate::model::QuotaSeries) -> u128) -> Option<String> {
    let leaves = context.leaves();
    let rows = leaves.iter().filter_map(|q| context.series(*q, context.main).map(|row| (*q, of(row))));
    let (sum, best) = rows.fold((0, (0, 0)), |(sum, best): (u128, (u32, u128)), row| {
        (sum + row.1, if row.1 > best.1 { row } else { best })
    });
    (sum > 0).then(|| format!("{} of it by {}", units::part(best.1, sum), context.quota_name(Some(best.0))))
}

fn borrowed(context: &Context<'_>) -> Tile {
    let unit_s = totals(context).map_or(0, |row| row.borrowed_unit_s);
    let (value, unit) = context.units.amount_time_parts(AmountTime { resource: context.main, unit_s });
    let note = mostly(context, |row| row.borrowed_unit_s).unwrap_or_else(|| {
        if context.report.quotas.is_empty() { "there is no quota" } else { "no quota used more than its guarantee" }
            .to_owned()
    });
    Tile { key: "Borrowed".to_owned(), value, unit, note, tab: "quotas", at_ms: None, how: None }
}

fn missed(context: &Context<'_>) -> Tile {
    let unit_s = totals(context).map_or(0, |row| row.missed_unit_s);
    let (value, unit) = context.units.amount_time_parts(AmountTime { resource: context.main, unit_s });
    let note = match mostly(context, |row| row.missed_unit_s) {
        Some(mostly) => format!("below min while pods were pending, {mostly}"),
        None => "no pod was pending while its quota was below min".to_owned(),
    };
    // The moment at which most was missed, of all roots together.
    let roots = (0..).zip(&context.report.quotas).filter(|(_, q)| q.parent.is_none()).map(|(i, _)| i);
    let worst = roots.filter_map(|q| context.series(q, context.main)).flat_map(|row| row.missed.steps());
    let worst = worst.filter(|step| step.value > 0).fold(None, |best: Option<crate::model::Step>, step| {
        if best.is_none_or(|b| step.value > b.value) { Some(step) } else { best }
    });
    Tile {
        key: "Unmet guarantee".to_owned(),
        value,
        unit,
        note,
        tab: "quotas",
        at_ms: worst.map(|step| step.at_ms),
        how: None,
    }
}

fn waited(context: &Context<'_>) -> Tile {
    let totals = &context.report.totals;
    let pod = totals.longest_wait_pod.and_then(|p| at(&context.report.pods, p));
    let start = |ms: u64| if ms == 0 { "at once".to_owned() } else { format!("within {}", units::span(ms)) };
    let never = totals.pods_submitted.saturating_sub(totals.pods_bound);
    let note = match pod {
        Some(pod) if never > 0 => {
            let job = context.job_name(Some(pod.job));
            format!(
                "a pod of {job}; {} of {} never started",
                units::count(never),
                units::many(totals.pods_submitted, "pod")
            )
        }
        Some(pod) if totals.longest_wait_ms > 0 => format!(
            "a pod of {}; at least half start {}, 95 % {}",
            context.job_name(Some(pod.job)),
            start(totals.wait.p50_ms),
            start(totals.wait.p95_ms)
        ),
        _ if totals.wait.count == 0 => "no pod was bound".to_owned(),
        _ => "every pod started at once".to_owned(),
    };
    let value = units::span(totals.longest_wait_ms);
    Tile { key: "Longest wait".to_owned(), value, unit: String::new(), note, tab: "waits", at_ms: None, how: None }
}

fn evicted(context: &Context<'_>) -> Tile {
    let totals = &context.report.totals;
    let lost = if totals.lost_work_ms == 0 {
        "no work lost".to_owned()
    } else {
        format!("{} of work lost", units::long_span(totals.lost_work_ms))
    };
    let note = format!("{} wasted, {lost}", units::count(totals.wasted_evictions));
    Tile {
        key: "Evictions".to_owned(),
        value: units::count(totals.evictions),
        unit: String::new(),
        note,
        tab: "waits",
        at_ms: None,
        how: None,
    }
}

fn cost(context: &Context<'_>) -> Tile {
    let totals = &context.report.totals;
    match totals.cost_milli {
        Some(cost) => {
            let idle = units::part(totals.cost_idle_milli.unwrap_or(0), cost);
            let note = format!("{idle} of it for idle (unallocated) capacity");
            Tile {
                key: "Cost".to_owned(),
                value: context.units.money(cost),
                unit: String::new(),
                note,
                tab: "jobs",
                at_ms: None,
                how: super::money::says(context),
            }
        }
        None => {
            let note = format!(
                "{} succeeded, {} failed",
                units::count(totals.pods_succeeded),
                units::count(totals.pods_failed)
            );
            Tile {
                key: "Pods".to_owned(),
                value: units::count(totals.pods_submitted),
                unit: String::new(),
                note,
                tab: "jobs",
                at_ms: None,
                how: None,
            }
        }
    }
}

/// Writes the findings.
pub(super) fn sentences(html: &mut Html, context: &Context<'_>) {
    if context.report.findings.is_empty() {
        return none(html, "Nothing out of the ordinary.");
    }
    html.open("ul", &[("class", "says-list")]);
    for finding in &context.report.findings {
        let (icon, tone) = icon(finding.kind);
        html.open("li", &[]).leaf("span", &[("class", &format!("ico {tone}")), ("aria-hidden", "true")], icon);
        html.open("span", &[]);
        for piece in &finding.pieces {
            write_piece(html, context, piece);
        }
        html.text(" ")
            .leaf("span", &[("class", "when")], crate::moment(context.report, finding))
            .close("span")
            .close("li");
    }
    html.close("ul");
}

const fn icon(kind: FindingKind) -> (&'static str, &'static str) {
    match kind {
        FindingKind::Failed => ("!", "bad"),
        FindingKind::Borrowed => ("⇄", "warn"),
        FindingKind::TakenBack | FindingKind::Evicted => ("▼", "bad"),
        FindingKind::Missed => ("!", "warn"),
        FindingKind::Fragmented => ("▦", "run"),
        FindingKind::Waited | FindingKind::Unfinished => ("…", "warn"),
        FindingKind::Incident => ("■", "bad"),
        FindingKind::QuotaEdit => ("◆", "run"),
        FindingKind::Refused => ("✕", ""),
        FindingKind::Lost => ("✕", "bad"),
        FindingKind::Idle => ("○", ""),
        FindingKind::Note => ("·", ""),
    }
}

fn write_piece(html: &mut Html, context: &Context<'_>, piece: &Piece) {
    let units = &context.units;
    match piece {
        Piece::Text(text) => html.text(text.replace('`', "")),
        Piece::Subject { kind, name } => {
            html.open("b", &[]);
            match kind {
                SubjectKind::Quota => html.story("quota", name),
                SubjectKind::Job => html.story("job", name),
                SubjectKind::Pod => html.story("pod", name),
                SubjectKind::Node => html.story("node", name),
                SubjectKind::User => html.story("user", name),
                SubjectKind::Rack => html.story("rack", name),
                SubjectKind::Group | SubjectKind::Dataset => html.name(name),
            };
            html.close("b")
        }
        Piece::Amount(a) => html.leaf("span", &[("class", "nowrap")], units.amount(a.resource, a.amount)),
        Piece::AmountTime(time) => html.leaf("span", &[("class", "nowrap")], units.amount_time(*time)),
        Piece::Span(ms) => html.text(crate::units::span(*ms)),
        Piece::Moment(ms) => html.text(units.moment(*ms)),
        Piece::Count(n) => html.text(crate::units::count(*n)),
        Piece::Permille(n) => html.text(crate::units::percent(crate::units::wide(u128::from(*n)))),
        Piece::MoneyMilli(milli) => html.text(units.money(*milli)),
        Piece::Rule(rule) => html.leaf("span", &[("class", "rule")], rule),
    };
}

/// Writes the teams with their figures for the whole run.
pub(super) fn teams(html: &mut Html, context: &Context<'_>) {
    let leaves = context.leaves();
    if leaves.is_empty() {
        return none(html, "There is no quota.");
    }
    let headings = [
        ("Team", false),
        ("Guarantee", true),
        ("Mean use", true),
        ("Borrowed", true),
        ("Lent", true),
        ("Missed", true),
        ("Pod wait p50 / p95 / max", true),
        ("Evicted", true),
        ("Cost", true),
    ];
    let end = u128::from(context.report.run.end_ms.max(1));
    let rows = leaves.iter().filter_map(|quota| at(&context.report.quotas, *quota).map(|row| (*quota, row)));
    let cells = rows.map(|(quota, row)| {
        let series = context.series(quota, context.main);
        let time = |of: fn(&crate::model::QuotaSeries) -> u128| {
            let unit_s = series.map_or(0, of);
            Cell::some(unit_s > 0, || context.units.amount_time(AmountTime { resource: context.main, unit_s }))
        };
        let min = row.min.iter().find(|a| a.resource == context.main).map_or(0, |a| a.amount);
        let mean = i64::try_from(series.map_or(0, |s| s.used_unit_s) * 1000 / end).unwrap_or(i64::MAX);
        let wait = [row.wait.p50_ms, row.wait.p95_ms, row.wait.max_ms].map(units::span).join(" / ");
        vec![
            Cell::Team(Some(quota)),
            Cell::some(min > 0, || context.units.amount(context.main, min)),
            Cell::some(mean > 0, || context.units.amount(context.main, mean)),
            time(|s| s.borrowed_unit_s),
            time(|s| s.lent_unit_s),
            time(|s| s.missed_unit_s),
            match (row.wait.count > 0, row.pending) {
                (false, 0) => Cell::text("·"),
                (true, 0) => Cell::text(wait),
                (bound, n) => {
                    Cell::text(format!("{}, {} never started", if bound { &wait } else { "·" }, units::count(n)))
                }
            },
            Cell::some(row.evicted > 0, || units::count(row.evicted)),
            Cell::some(row.cost_milli > 0, || context.units.money(row.cost_milli)),
        ]
    });
    table(html, context, "Teams over the whole run", &headings, leaves.len(), cells);
    super::money::note(html, context);
}
