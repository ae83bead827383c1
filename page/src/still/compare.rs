//! Two runs side by side: what changed in all, which teams win and lose, use and waits on one scale, claims that changed.

use super::{
    Context, at,
    cdf::{self, Curve},
    figures,
    table::{Cell, table},
};
use crate::{
    html::Html,
    model::{AmountTime, Claim, Quota, QuotaIx, ResourceIx},
    units,
};

/// A figure of both runs, whether less of it is better, and how it is printed.
struct Figure<'a> {
    name: &'a str,
    before: i128,
    after: i128,
    less_is_better: Option<bool>,
    say: Box<dyn Fn(u128) -> String + 'a>,
}

impl Figure<'_> {
    fn difference(&self) -> String {
        let difference = self.after - self.before;
        let sign = match difference {
            0 => return "·".to_owned(),
            d if d > 0 => "+",
            _ => "−",
        };
        format!("{sign}{}", (self.say)(difference.unsigned_abs()))
    }

    fn cell(&self) -> Cell<'static> {
        Cell::Toned(self.tone(), self.difference())
    }

    fn tone(&self) -> &'static str {
        let better = self.less_is_better.map(|less| (self.after < self.before) == less);
        match better {
            Some(_) | None if self.after == self.before => "",
            Some(true) => "better",
            Some(false) => "worse",
            None => "",
        }
    }

    fn said(&self, value: i128) -> String {
        (self.say)(u128::try_from(value).unwrap_or(0))
    }
}

fn whole(value: u128) -> i128 {
    i128::try_from(value).unwrap_or(i128::MAX)
}

/// Writes the comparison.
pub(crate) fn write(html: &mut Html, before: &Context<'_>, after: &Context<'_>) {
    let (a, b) = (&before.report.run, &after.report.run);
    html.open("header", &[("class", "head")]).open("div", &[("class", "wide")]).open("div", &[("class", "what")]);
    html.open("div", &[("class", "title")]).open("h1", &[]).name(&a.scenario);
    if b.scenario != a.scenario {
        html.text(" and ").name(&b.scenario);
    }
    html.close("h1").close("div").open("p", &[("class", "facts")]);
    for (word, run) in [("before: ", a), (" · after: ", b)] {
        html.text(word).leaf("b", &[], &run.policy).text(format!(", seed {}, {}", run.seed, units::span(run.end_ms)));
    }
    html.close("p").close("div").close("div").close("header");
    html.open("main", &[("class", "wide"), ("id", "main")]).open("div", &[("class", "grid")]);
    let mut card = |columns: &str, title: &str, sub: &str, body: &dyn Fn(&mut Html)| {
        html.open("article", &[("class", &format!("card {columns}"))]).open("header", &[]).open("div", &[]);
        html.leaf("h3", &[], title).leaf("p", &[("class", "sub")], sub).close("div").close("header");
        body(html);
        html.close("article");
    };
    card("c12", "In all", "Green is better after, red is worse.", &|h| totals(h, before, after));
    card(
        "c12",
        "Teams that win and lose",
        "Most changed first, by the wait that 95 of 100 pods do not exceed.",
        &|h| {
            teams(h, before, after);
        },
    );
    card("c6", "Use before", "", &|h| figures::uses(h, before));
    card("c6", "Use after", "", &|h| figures::uses(h, after));
    card("c12", "Waits before and after", "All pods.", &|h| waits(h, before, after));
    card("c12", "Claims that changed", "", &|h| claims(h, before, after));
    html.close("div").close("main");
}

/// The figures of the whole run.
fn totals(html: &mut Html, before: &Context<'_>, after: &Context<'_>) {
    let (a, b) = (&before.report.totals, &after.report.totals);
    let main = before.main;
    let of = |context: &Context<'_>, get: fn(&crate::model::ResourceTotals) -> u128| {
        whole(context.report.totals.resources.iter().find(|r| r.resource == main).map_or(0, get))
    };
    let count = |n: u128| units::whole(units::wide(n));
    let hours = |unit_s: u128| before.units.amount_time(AmountTime { resource: main, unit_s });
    let figure = |name, before: i128, after: i128, less, say: Box<dyn Fn(u128) -> String>| Figure {
        name,
        before,
        after,
        less_is_better: less,
        say,
    };
    let (units_a, units_b) = (before.units, before.units);
    let rows: Vec<Figure<'_>> = vec![
        Figure {
            name: "In use",
            before: of(before, |r| r.utilisation_permille.into()),
            after: of(after, |r| r.utilisation_permille.into()),
            less_is_better: Some(false),
            say: Box::new(|permille| units::percent(units::wide(permille))),
        },
        Figure {
            name: "Borrowed",
            before: of(before, |r| r.borrowed_unit_s),
            after: of(after, |r| r.borrowed_unit_s),
            less_is_better: None,
            say: Box::new(hours),
        },
        Figure {
            name: "Unmet guarantee",
            before: of(before, |r| r.missed_unit_s),
            after: of(after, |r| r.missed_unit_s),
            less_is_better: Some(true),
            say: Box::new(move |unit_s| units_a.amount_time(AmountTime { resource: main, unit_s })),
        },
        figure(
            "Wait, half of all pods",
            a.wait.p50_ms.into(),
            b.wait.p50_ms.into(),
            Some(true),
            Box::new(units::long_span),
        ),
        figure(
            "Wait, 95 % of all pods",
            a.wait.p95_ms.into(),
            b.wait.p95_ms.into(),
            Some(true),
            Box::new(units::long_span),
        ),
        figure(
            "Longest wait",
            a.longest_wait_ms.into(),
            b.longest_wait_ms.into(),
            Some(true),
            Box::new(units::long_span),
        ),
        figure("Pods done", a.pods_succeeded.into(), b.pods_succeeded.into(), Some(false), Box::new(count)),
        figure("Pods that failed", a.pods_failed.into(), b.pods_failed.into(), Some(true), Box::new(count)),
        figure("Evictions", a.evictions.into(), b.evictions.into(), Some(true), Box::new(count)),
        figure("Wasted evictions", a.wasted_evictions.into(), b.wasted_evictions.into(), Some(true), Box::new(count)),
        figure("Work lost", whole(a.lost_work_ms), whole(b.lost_work_ms), Some(true), Box::new(units::long_span)),
        figure("Makespan", a.makespan_ms.into(), b.makespan_ms.into(), Some(true), Box::new(units::long_span)),
        Figure {
            name: "Cost",
            before: whole(a.cost_milli.unwrap_or(0)),
            after: whole(b.cost_milli.unwrap_or(0)),
            less_is_better: Some(true),
            say: Box::new(move |milli| units_b.money(milli)),
        },
    ];
    let cells = rows
        .iter()
        .map(|f| vec![Cell::text(f.name), Cell::text(f.said(f.before)), Cell::text(f.said(f.after)), f.cell()]);
    let headings = [("Figure", false), ("Before", true), ("After", true), ("Difference", true)];
    table(html, before, "Figures of both runs", &headings, rows.len(), cells);
}

/// A team in both runs.
struct Team<'a> {
    quota: QuotaIx,
    before: &'a Quota,
    after: Option<(QuotaIx, &'a Quota)>,
}

fn teams(html: &mut Html, before: &Context<'_>, after: &Context<'_>) {
    let find = |name: &str| (0..).zip(&after.report.quotas).find(|(_, q)| q.name == name);
    let rows = before.leaves().into_iter().filter_map(|quota| {
        let row = at(&before.report.quotas, quota)?;
        Some(Team { quota, before: row, after: find(&row.name) })
    });
    let mut rows: Vec<Team<'_>> = rows.collect();
    if rows.is_empty() {
        return super::none(html, "There is no quota.");
    }
    let change = |team: &Team<'_>| {
        team.after.map_or(0, |(_, q)| i128::from(q.wait.p95_ms) - i128::from(team.before.wait.p95_ms))
    };
    rows.sort_by_key(|team| std::cmp::Reverse(change(team).unsigned_abs()));
    let used = |context: &Context<'_>, quota: QuotaIx, resource: ResourceIx| {
        whole(context.series(quota, resource).map_or(0, |s| s.used_unit_s))
    };
    let headings = [
        ("Team", false),
        ("Wait p95 before", true),
        ("after", true),
        ("Difference", true),
        ("Used before", true),
        ("after", true),
        ("Difference", true),
        ("Evicted before", true),
        ("after", true),
        ("Cost before", true),
        ("after", true),
    ];
    let cells = rows.iter().map(|team| {
        let Some((other, quota)) = team.after else {
            return vec![Cell::Team(Some(team.quota)), Cell::text("only before")];
        };
        let wait = Figure {
            name: "",
            before: team.before.wait.p95_ms.into(),
            after: quota.wait.p95_ms.into(),
            less_is_better: Some(true),
            say: Box::new(units::long_span),
        };
        let main = before.main;
        let used = Figure {
            name: "",
            before: used(before, team.quota, main),
            after: used(after, other, main),
            less_is_better: Some(false),
            say: Box::new(move |unit_s| before.units.amount_time(AmountTime { resource: main, unit_s })),
        };
        vec![
            Cell::Team(Some(team.quota)),
            Cell::text(wait.said(wait.before)),
            Cell::text(wait.said(wait.after)),
            wait.cell(),
            Cell::text(used.said(used.before)),
            Cell::text(used.said(used.after)),
            used.cell(),
            Cell::text(units::count(team.before.evicted)),
            Cell::text(units::count(quota.evicted)),
            Cell::text(before.units.money(team.before.cost_milli)),
            Cell::text(after.units.money(quota.cost_milli)),
        ]
    });
    table(html, before, "Teams in both runs", &headings, rows.len(), cells);
}

fn waits(html: &mut Html, before: &Context<'_>, after: &Context<'_>) {
    let whole =
        |context: &Context<'_>| context.report.wait_steps.iter().position(|w| w.quota.is_none() && w.size.is_empty());
    let curve = |context: &Context<'_>, class: &str, name: &str| {
        let steps = whole(context).and_then(|i| context.report.wait_steps.get(i)).cloned();
        steps.map(|steps| (class.to_owned(), name.to_owned(), steps))
    };
    let curves: Vec<_> =
        [curve(before, "slate", "before"), curve(after, "accent", "after")].into_iter().flatten().collect();
    let borrowed: Vec<Curve<'_>> =
        curves.iter().map(|(class, name, steps)| (class.clone(), name.clone(), steps)).collect();
    if borrowed.is_empty() { super::none(html, "No pod was ever bound.") } else { cdf::draw(html, &borrowed) }
}

fn claims(html: &mut Html, before: &Context<'_>, after: &Context<'_>) {
    let pairs = before.report.claims.iter().filter_map(|claim| {
        let other = after.report.claims.iter().find(|c| c.claim == claim.claim)?;
        (other.passed != claim.passed).then_some((claim, other))
    });
    let rows: Vec<(&Claim, &Claim)> = pairs.collect();
    if rows.is_empty() {
        return super::none(html, "Every claim of both runs comes out the same.");
    }
    let word = |claim: &Claim| {
        if claim.passed { Cell::Chip("good", "✓", "holds") } else { Cell::Chip("bad", "✕", "fails") }
    };
    let cells = rows.iter().map(|(a, b)| {
        vec![Cell::Written(&a.claim, a.because.as_deref()), word(a), word(b), Cell::Name(&a.seen), Cell::Name(&b.seen)]
    });
    let headings = [("Claim", false), ("Before", false), ("After", false), ("Seen before", false), ("after", false)];
    table(html, before, "Claims that changed", &headings, rows.len(), cells);
}
