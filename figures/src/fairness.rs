//! Fairness over time: how far each leaf is below its fair share (the terms of the fairness error of docs/metrics.md), and
//! Jain's index of use over fair share.

use crate::{
    FigureError,
    axes::{self, Axis},
    canvas::{self, HEIGHT, Head, MARGIN, SMALL, TOP, WIDTH, say},
    leaves::{self, Leaf},
    legend::{self, Entry, Swatch},
    palette::ACCENT,
    shapes::{self, Pen},
    timeline::{TimeAxis, Timeline},
    usage::{LEGEND, Layer, Scale, short, stack},
};
use quotree_page::{
    main_resource,
    model::{AmountTime, QuotaSeries, Report, ResourceIx, Series},
    units::{self, Units},
};

/// Jain's index as a line.
const JAIN: Pen = Pen { colour: ACCENT, width: 2, dashes: &[] };

/// How much a leaf is below its share: max(0, share - used) at every moment, as a series.
fn shortfall(row: &QuotaSeries) -> Series {
    let mut moments: Vec<u64> = row.share.steps().chain(row.used.steps()).map(|step| step.at_ms).collect();
    moments.sort_unstable();
    moments.dedup();
    let value = |series: &Series, at| series.at(at).unwrap_or(0);
    let below = |at| value(&row.share, at).saturating_sub(value(&row.used, at)).max(0);
    Series::of(moments.into_iter().map(|at_ms| quotree_page::model::Step { at_ms, value: below(at_ms) }))
}

/// The integral of the shortfall, base units times seconds.
fn unit_s(row: &QuotaSeries, end_ms: u64) -> u128 {
    u128::try_from(shortfall(row).area(end_ms) / 1000).unwrap_or(0)
}

/// Jain's index of used over share in each stretch; nothing where fewer than two leaves have a share, or none uses any.
fn jain(timeline: &Timeline, rows: &[&QuotaSeries]) -> Vec<Option<f64>> {
    let samples: Vec<_> = rows.iter().map(|row| (timeline.samples(&row.used), timeline.samples(&row.share))).collect();
    let index = |i: usize| {
        let ratio = |(used, share): &(Vec<Option<f64>>, Vec<Option<f64>>)| {
            let share = share.get(i).copied().flatten().filter(|share| *share > 0.0)?;
            Some(used.get(i).copied().flatten().unwrap_or(0.0) / share)
        };
        let ratios: Vec<f64> = samples.iter().filter_map(ratio).collect();
        let (sum, squares) = ratios.iter().fold((0.0, 0.0), |(sum, squares), x| (sum + x, squares + x * x));
        let count = units::wide(ratios.len() as u128);
        (ratios.len() > 1 && squares > 0.0).then(|| sum * sum / (count * squares) * 1000.0)
    };
    (0..timeline.len()).map(index).collect()
}

/// The lines and areas of the figure.
struct Fairness<'a> {
    resource: ResourceIx,
    timeline: Timeline,
    leaves: Vec<Leaf<'a>>,
    layers: Vec<Layer>,
    jain: Vec<Option<f64>>,
    /// Why there is nothing; empty if there is something.
    nothing: &'static str,
}

impl<'a> Fairness<'a> {
    fn of(report: &'a Report) -> Self {
        let (resource, end) = (main_resource(report), report.run.end_ms);
        let rows: Vec<&QuotaSeries> = leaves::rows(report, resource).into_iter().map(|(_, row)| row).collect();
        let timeline = Timeline::of(rows.iter().flat_map(|row| [&row.share, &row.used]), end);
        let leaves = leaves::leaves(report, resource, |row| unit_s(row, end));
        let layer = |leaf: &Leaf<'_>| Layer {
            name: leaf.name.clone(),
            colour: leaf.colour,
            solid: leaf.means(&timeline, |row, timeline| timeline.means(&shortfall(row))),
            hatched: vec![0.0; timeline.len()],
        };
        let layers = leaves.iter().map(layer).collect();
        let nothing = if rows.is_empty() {
            "There is no quota, so there are no fair shares"
        } else if rows.iter().all(|row| row.share.is_empty()) {
            "The run has no fair shares: they were switched off for speed"
        } else if leaves.is_empty() {
            "No leaf was ever below its fair share"
        } else {
            ""
        };
        let jain = jain(&timeline, &rows);
        Self { resource, timeline, leaves, layers, jain, nothing }
    }
}

/// The figure.
pub(crate) fn draw(report: &Report) -> Result<String, FigureError> {
    let fairness = Fairness::of(report);
    let (resource, timeline) = (fairness.resource, &fairness.timeline);
    let title = format!("{} below the fair share over time, by quota", short(report, resource));
    let units = Units::of(report);
    let hours = |unit_s| units.amount_time(AmountTime { resource, unit_s });
    let totals = report.totals.resources.iter().find(|row| row.resource == resource);
    let error = totals.map_or_else(String::new, |row| {
        format!(" · the sum is the fairness error, {}", hours(row.fairness_error_unit_s))
    });
    let about = format!("{}{error}{}", canvas::run_of(report), timeline.note());
    canvas::figure(&Head { title: &title, about: &about }, |area| {
        let (width, height) = (WIDTH.cast_signed(), HEIGHT.cast_signed());
        let room = width - MARGIN - LEGEND - 12;
        let time = TimeAxis::of(report.run.end_ms);
        let x = |name: &str| Axis { name: name.to_owned(), end: time.end, ticks: time.ticks.clone() };
        let upper = area.clone().shrink((MARGIN - 20, TOP - 12), (room, 390));
        let stacked =
            (0..timeline.len()).map(|i| fairness.layers.iter().filter_map(|layer| layer.solid.get(i)).sum::<f64>());
        let most = stacked.fold(0.0, f64::max);
        let y = Scale::of(report, resource, most).axis(most);
        let y = Axis { name: format!("{} below the fair share", y.name), ..y };
        let plane = axes::draw(&upper, &x(""), &y)?;
        stack(&upper, &plane, timeline, &fairness.layers, SMALL)?;
        if !fairness.nothing.is_empty() {
            say(&upper, plane.middle(), fairness.nothing)?;
        }
        let lower = area.clone().shrink((MARGIN - 20, TOP - 12 + 366), (room, height - TOP - 366));
        let ticks = vec![(0.0, "0".to_owned()), (500.0, "0.5".to_owned()), (1000.0, "1".to_owned())];
        let y = Axis { name: "Jain's index".to_owned(), end: 1050.0, ticks };
        let plane = axes::draw(&lower, &x(time.name), &y)?;
        shapes::line(&lower, &plane, timeline, &fairness.jain, JAIN)?;
        if fairness.jain.iter().all(Option::is_none) {
            say(&lower, plane.middle(), "There never were two leaves to compare")?;
        }
        // The shortfall of means is not the mean of the shortfall.
        let about = if timeline.mean_of_ms.is_some() { "about " } else { "" };
        let mut entries: Vec<Entry> = Vec::new();
        for leaf in fairness.leaves.iter().rev() {
            let note = format!("{about}{} below", hours(leaf.total(|row| unit_s(row, report.run.end_ms))));
            entries.push(Entry { swatch: Swatch::Area(leaf.colour), name: leaf.name.clone(), note });
        }
        let mean = report.totals.jain_mean_permille;
        let note = mean.map_or_else(String::new, |permille| {
            format!("mean over the run {:.2}", units::wide(u128::from(permille)) / 1000.0)
        });
        let name = "Jain's index, use / share".to_owned();
        let last = Entry { swatch: Swatch::Line(JAIN), name, note };
        let left = width - MARGIN - LEGEND + 4;
        let y = legend::column(area, (left, TOP + 12), LEGEND - 4, &entries)?;
        legend::column(area, (left, y.max(TOP + 390)), LEGEND - 4, &[last])?;
        Ok(())
    })
}
