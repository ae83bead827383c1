//! Static versions of the figures over time: usage by quota, pending requests, what would still fit, each leaf, the
//! cluster; and the loans.

use super::{
    Context, none,
    plot::{Layer, Plot, draw, peak},
    table::{Cell, table},
};
use crate::{
    html::Html,
    model::{AmountTime, QuotaIx, QuotaSeries, ResourceKind, Series},
    units,
};

/// The most leaves with a chart of their own.
const MOST_LEAVES: usize = 24;

fn area<'a>(series: &'a Series, less: Option<&'a Series>, class: String, paint: String) -> Layer<'a> {
    Layer { series, less, class, paint, line: false }
}

fn line<'a>(series: &'a Series, class: &str) -> Layer<'a> {
    Layer { series, less: None, class: class.to_owned(), paint: String::new(), line: true }
}

/// Draws layers of amounts of the main resource.
fn amounts(html: &mut Html, context: &Context<'_>, label: String, height: f64, top: f64, layers: Vec<Layer<'_>>) {
    scaled(html, context, label, height, (top, 0), layers);
}

/// As [`amounts`], on axes that reach at least this amount and this moment.
fn scaled(
    html: &mut Html,
    context: &Context<'_>,
    label: String,
    height: f64,
    (top, until_ms): (f64, u64),
    layers: Vec<Layer<'_>>,
) {
    let is_bytes = context.units.resource(context.main).is_some_and(|r| r.kind == ResourceKind::Bytes);
    let unit = if is_bytes { 1_073_741_824.0 } else { 1000.0 };
    let tick = move |value: f64| if is_bytes { units::bytes(value) } else { units::short(value / 1000.0) };
    let plot = Plot { label, height, layers, unit, tick: &tick, top, until_ms };
    draw(html, &plot, context.report.run.end_ms, &context.units);
}

/// How far the axes of the usage figure must reach: usage, pending requests, and time.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Reach {
    used: f64,
    waited: f64,
    until_ms: u64,
}

impl Reach {
    /// The values of one run.
    pub(crate) fn of(context: &Context<'_>) -> Self {
        let end = context.report.run.end_ms;
        Self { used: peak(&used(context), end), waited: peak(&waited(context), end), until_ms: end }
    }

    /// The maximum of both.
    pub(crate) fn and(self, other: Self) -> Self {
        Self {
            used: self.used.max(other.used),
            waited: self.waited.max(other.waited),
            until_ms: self.until_ms.max(other.until_ms),
        }
    }
}

/// The usage of the main resource as a layer for each leaf, and the line of capacity.
fn used<'a>(context: &Context<'a>) -> Vec<Layer<'a>> {
    let mut layers = Vec::new();
    for (quota, row) in rows(context).into_iter().filter(|(_, row)| row.used_unit_s > 0) {
        let colour = context.colour(quota);
        layers.push(area(&row.used, Some(&row.borrowed), colour.class(), String::new()));
        if row.borrowed_unit_s > 0 {
            layers.push(area(&row.borrowed, None, colour.class(), colour.pattern()));
        }
    }
    if let Some(cluster) = context.report.cluster.resources.iter().find(|r| r.resource == context.main) {
        let beside = without_quota(context).map(|root| &root.used);
        if layers.is_empty() || beside.is_some() {
            layers.push(area(&cluster.allocated, beside, "slate".to_owned(), String::new()));
        }
        layers.push(line(&cluster.capacity, "capline"));
    }
    layers
}

/// The root quota, if there is also usage by pods whose namespaces are on no leaf: the usage of the cluster beyond that
/// of the root is theirs.
fn without_quota<'a>(context: &Context<'a>) -> Option<&'a QuotaSeries> {
    let mut roots = (0..).zip(&context.report.quotas).filter(|(_, quota)| quota.parent.is_none());
    let root = roots.next().filter(|_| roots.next().is_none() && context.report.jobs.iter().any(|j| j.quota.is_none()));
    context.series(root?.0, context.main)
}

/// The pending requests of the main resource, as a layer for each leaf.
fn waited<'a>(context: &Context<'a>) -> Vec<Layer<'a>> {
    let layer = |(quota, row): (QuotaIx, &'a QuotaSeries)| {
        area(&row.request, Some(&row.used), context.colour(quota).class(), String::new())
    };
    rows(context).into_iter().map(layer).collect()
}

fn rows<'a>(context: &Context<'a>) -> Vec<(QuotaIx, &'a QuotaSeries)> {
    context.leaves().into_iter().filter_map(|q| context.series(q, context.main).map(|row| (q, row))).collect()
}

/// Draws the usage of the main resource, stacked by leaf, with the line of capacity; below it, the pending requests.
pub(crate) fn uses(html: &mut Html, context: &Context<'_>, reach: Reach) {
    let short = context.units.short_name(context.main);
    let label = format!("{short} in use over time, by quota, with capacity");
    scaled(html, context, label, 260.0, (reach.used, reach.until_ms), used(context));
    html.leaf("h4", &[], format!("{short} waited for"));
    let label = format!("{short} that pods wait for over time, by quota");
    scaled(html, context, label, 100.0, (reach.waited, reach.until_ms), waited(context));
    legend(html, context);
}

/// Writes the leaves and their colours.
fn legend(html: &mut Html, context: &Context<'_>) {
    html.open("ul", &[("class", "legend")]);
    for quota in context.leaves().into_iter().take(MOST_LEAVES) {
        html.open("li", &[]);
        context.team(html, Some(quota));
        html.close("li");
    }
    html.leaf("li", &[], "hatched: borrowed").close("ul");
}

/// Draws what is free on one node, and on all nodes together.
pub(super) fn fit(html: &mut Html, context: &Context<'_>) {
    let Some(row) = context.report.cluster.resources.iter().find(|r| r.resource == context.main) else {
        return none(html, "Nothing to show.");
    };
    let layers = vec![
        line(&row.capacity, "capline"),
        area(&row.capacity, Some(&row.allocated), "slate".to_owned(), "url(#borrowed-slate)".to_owned()),
    ];
    let short = context.units.short_name(context.main);
    amounts(html, context, format!("{short} that are free on all nodes together, over time"), 150.0, 0.0, layers);
    let most = vec![area(&row.most_free, None, "slate".to_owned(), String::new())];
    amounts(html, context, format!("the most {short} that are free on one node, over time"), 120.0, 0.0, most);
}

/// Writes what each leaf lent to each other leaf, as a table.
pub(super) fn loans(html: &mut Html, context: &Context<'_>) {
    let mut loans: Vec<_> =
        context.report.loans.iter().filter(|l| l.resource == context.main && l.unit_s > 0).collect();
    if loans.is_empty() {
        return none(html, "No quota borrowed.");
    }
    loans.sort_by_key(|l| std::cmp::Reverse(l.unit_s));
    let headings = [("Lender", false), ("Borrower", false), ("Lent", true), ("At most at once", true)];
    let rows = loans.iter().map(|l| {
        vec![
            Cell::Team(Some(l.lender)),
            Cell::Team(Some(l.borrower)),
            Cell::text(context.units.amount_time(AmountTime { resource: l.resource, unit_s: l.unit_s })),
            Cell::text(context.units.amount(l.resource, l.most)),
        ]
    });
    table(html, context, "Who lent to whom", &headings, loans.len(), rows);
}

/// Draws a chart for each leaf: usage, borrowed and pending amounts, and its limits.
pub(super) fn leaves(html: &mut Html, context: &Context<'_>) {
    let rows = rows(context);
    let top = rows.iter().map(|(_, row)| row.request.peak().max(row.min.peak())).max().unwrap_or(0);
    each_leaf(html, context, &rows, |quota, row| {
        let colour = context.colour(quota);
        let layers = vec![
            area(&row.used, Some(&row.borrowed), colour.class(), String::new()),
            area(&row.borrowed, None, colour.class(), colour.pattern()),
            area(&row.request, Some(&row.used), String::new(), "url(#waiting)".to_owned()),
            line(&row.min, "minline"),
            line(&row.max, "maxline"),
            line(&row.share, "shareline"),
        ];
        let label = "over time: used, borrowed, waited for, min, max and fair share";
        LeafChart { label, height: 170.0, top: units::real(top), layers }
    });
}

/// Draws a chart for each leaf: the distance from its fair share.
pub(super) fn shares(html: &mut Html, context: &Context<'_>) {
    let end = context.report.run.end_ms;
    let far = |(quota, row): &(QuotaIx, &QuotaSeries)| peak(&distance(context, *quota, row), end);
    let mut rows = rows(context);
    let top = rows.iter().map(far).fold(0.0, f64::max);
    // Of others nothing would be seen.
    rows.retain(|row| far(row) * 100.0 >= top);
    if !rows.is_empty() && top <= 0.0 {
        return none(html, "Every leaf has exactly its fair share, all the time.");
    }
    each_leaf(html, context, &rows, |quota, row| LeafChart {
        label: "over time: how far above and below its fair share it is",
        height: 110.0,
        top,
        layers: distance(context, quota, row),
    });
}

/// A chart of one leaf.
struct LeafChart<'a> {
    label: &'static str,
    height: f64,
    top: f64,
    layers: Vec<Layer<'a>>,
}

/// How far a leaf is above or below its fair share, as layers.
fn distance<'a>(context: &Context<'_>, quota: QuotaIx, row: &'a QuotaSeries) -> Vec<Layer<'a>> {
    let colour = context.colour(quota);
    vec![
        area(&row.used, Some(&row.share), colour.class(), colour.pattern()),
        area(&row.share, Some(&row.used), String::new(), "url(#waiting)".to_owned()),
    ]
}

fn each_leaf<'a>(
    html: &mut Html,
    context: &Context<'a>,
    rows: &[(QuotaIx, &'a QuotaSeries)],
    chart: impl Fn(QuotaIx, &'a QuotaSeries) -> LeafChart<'a>,
) {
    if rows.is_empty() {
        return none(html, "No quota limits it.");
    }
    html.open("div", &[("class", "grid")]);
    for (quota, row) in rows.iter().take(MOST_LEAVES) {
        html.open("div", &[("class", "c6")]).open("h4", &[]);
        context.team(html, Some(*quota));
        html.close("h4");
        let chart = chart(*quota, row);
        let label = format!("{} {}", context.quota_name(Some(*quota)), chart.label);
        amounts(html, context, label, chart.height, chart.top, chart.layers);
        html.close("div");
    }
    html.close("div");
    if rows.len() > MOST_LEAVES {
        html.leaf("p", &[("class", "sub")], format!("{MOST_LEAVES} of {} leaves", rows.len()));
    }
}

/// Draws the cluster over time: allocated amounts, jobs, nodes.
pub(super) fn cluster(html: &mut Html, context: &Context<'_>) {
    let cluster = &context.report.cluster;
    html.open("div", &[("class", "grid")]);
    if let Some(row) = cluster.resources.iter().find(|r| r.resource == context.main) {
        let short = context.units.short_name(context.main);
        html.open("div", &[("class", "c6")]).leaf("h4", &[], format!("{short} allocated, of those that are up"));
        let layers =
            vec![area(&row.allocated, None, "slate".to_owned(), String::new()), line(&row.capacity, "capline")];
        amounts(html, context, format!("{short} allocated and up over time"), 170.0, 0.0, layers);
        html.close("div");
    }
    let counts: [(&str, &[(&Series, &str)]); 4] = [
        ("Jobs running and pending", &[(&cluster.jobs_running, "accent"), (&cluster.jobs_pending, "warn-c")]),
        ("Jobs succeeded and failed so far", &[(&cluster.jobs_succeeded, "good-c"), (&cluster.jobs_failed, "bad-c")]),
        ("Pods that run and wait", &[(&cluster.pods_running, "accent"), (&cluster.pods_waiting, "warn-c")]),
        ("Nodes that take pods", &[(&cluster.nodes_ready, "slate")]),
    ];
    for (title, rows) in counts {
        html.open("div", &[("class", "c6")]).leaf("h4", &[], title);
        let layers =
            rows.iter().map(|(series, class)| area(series, None, (*class).to_owned(), String::new())).collect();
        let plot = Plot {
            label: title.to_owned(),
            height: 170.0,
            layers,
            unit: 1.0,
            tick: &units::short,
            top: 0.0,
            until_ms: 0,
        };
        draw(html, &plot, context.report.run.end_ms, &context.units);
        html.close("div");
    }
    html.close("div");
}
