//! How long pods waited: the part of them that was bound within a time, with a place for "at once" and a logarithmic axis.

use crate::{
    FigureError,
    axes::{self, Axis, Plane},
    canvas::{self, Area, HEIGHT, Head, MARGIN, TOP, WIDTH, say},
    leaves,
    legend::{self, Entry, Swatch},
    palette::{self, TEXT},
    shapes::{self, DASHES, Pen},
    timeline::ms_real,
    usage::LEGEND,
};
use plotters::element::PathElement;
use quotree_page::{
    colours::colours,
    model::{Report, WaitSteps},
    units::{self, DAY_MS},
};

/// The most leaves with a curve of their own.
const MOST: usize = 8;
/// The part of the axis that waits under a second have.
const AT_ONCE: f64 = 0.12;
/// Where the axis may have a tick, milliseconds.
const TICKS: [u64; 10] =
    [1_000, 10_000, 60_000, 600_000, 3_600_000, 21_600_000, DAY_MS, 7 * DAY_MS, 30 * DAY_MS, 365 * DAY_MS];
/// Where it may end.
const ENDS: [u64; 14] = [
    60_000,
    180_000,
    600_000,
    1_800_000,
    3_600_000,
    10_800_000,
    21_600_000,
    43_200_000,
    DAY_MS,
    2 * DAY_MS,
    7 * DAY_MS,
    30 * DAY_MS,
    90 * DAY_MS,
    365 * DAY_MS,
];

/// The axis of waits: a place for those under a second, then logarithms.
#[derive(Debug, Clone, Copy)]
pub(crate) struct WaitAxis {
    /// The end, milliseconds.
    end: u64,
}

impl WaitAxis {
    /// An axis to the longest wait or beyond, and at least to a minute.
    pub(crate) fn to(longest_ms: u64) -> Self {
        Self { end: ENDS.into_iter().find(|end| *end >= longest_ms).unwrap_or(longest_ms) }
    }

    /// The position of a wait on the axis, from 0 to 1.
    pub(crate) fn place(self, ms: u64) -> f64 {
        let log = |ms: u64| (ms_real(ms) / 1_000.0).ln();
        if ms < 1_000 { AT_ONCE / 2.0 } else { AT_ONCE + (1.0 - AT_ONCE) * log(ms) / log(self.end) }
    }

    /// The axis with ticks at least a part of it apart.
    pub(crate) fn axis(self, name: &str, apart: f64) -> Axis {
        let mut ticks = vec![(AT_ONCE / 2.0, "at once".to_owned())];
        let mut last = AT_ONCE / 2.0;
        for ms in TICKS.into_iter().filter(|ms| *ms < self.end) {
            let at = self.place(ms);
            if at - last >= apart && 1.0 - at >= apart {
                ticks.push((at, units::span(ms)));
                last = at;
            }
        }
        ticks.push((1.0, units::span(self.end)));
        Axis { name: name.to_owned(), end: 1.0, ticks }
    }
}

/// Draws the curve of a distribution.
pub(crate) fn curve(
    area: &Area<'_>,
    plane: &Plane,
    axis: WaitAxis,
    steps: &WaitSteps,
    pen: Pen,
) -> Result<(), FigureError> {
    let all = steps.pods_in_all();
    if all == 0 {
        return Ok(());
    }
    let height = |pods: u64| plane.y(ms_real(pods) / ms_real(all) * 1000.0);
    let mut points = vec![(plane.x(0.0), height(0)), (plane.x(AT_ONCE / 4.0), height(0))];
    let mut to = |x: i32, y: i32| {
        let before = points.last().map_or(y, |last| last.1);
        if before != y {
            points.extend([(x, before), (x, y)]);
        }
    };
    let at_once = steps.wait_ms.iter().zip(&steps.pods).filter(|(ms, _)| **ms < 1_000).map(|(_, pods)| *pods).max();
    to(plane.x(AT_ONCE / 4.0), height(at_once.unwrap_or(0)));
    for (ms, pods) in steps.wait_ms.iter().zip(&steps.pods).filter(|(ms, _)| **ms >= 1_000) {
        to(plane.x(axis.place(*ms)), height(*pods));
    }
    let last = points.last().map_or(0, |last| last.1);
    points.push((plane.right, last));
    shapes::path(area, &points, pen)
}

/// Draws the line between "at once" and the logarithms.
pub(crate) fn divide(area: &Area<'_>, plane: &Plane) -> Result<(), FigureError> {
    let x = plane.x(AT_ONCE);
    Ok(area.draw(&PathElement::new(vec![(x, plane.top), (x, plane.bottom)], palette::STRONG))?)
}

/// What a legend says of a distribution.
pub(crate) fn note(steps: &WaitSteps) -> String {
    let q = &steps.quantiles;
    let never = match steps.never {
        0 => String::new(),
        never => format!("{} of {} never started", units::count(never), units::count(steps.pods_in_all())),
    };
    if q.count == 0 {
        return never;
    }
    if never.is_empty() { format!("p50 {}, p95 {}", said(q.p50_ms), said(q.p95_ms)) } else { never }
}

/// A wait in words.
pub(crate) fn said(ms: u64) -> String {
    if ms < 1_000 { "at once".to_owned() } else { units::span(ms) }
}

/// The figure.
pub(crate) fn draw(report: &Report) -> Result<String, FigureError> {
    let tree = colours(&report.quotas);
    let mut leaves: Vec<&WaitSteps> = report.whole_waits().filter(|steps| steps.quota.is_some()).collect();
    let many = leaves.len();
    leaves.sort_by_key(|steps| (std::cmp::Reverse(steps.pods_in_all()), steps.quota));
    leaves.truncate(MOST);
    leaves.sort_by_key(|steps| steps.quota);
    let longest = report.whole_waits().filter_map(|steps| steps.wait_ms.last()).copied().max().unwrap_or(0);
    let axis = WaitAxis::to(longest);
    let left_out =
        if many > MOST { format!(" · the {MOST} quotas with the most pods of {many}") } else { String::new() };
    let about = format!("{}{left_out}", canvas::run_of(report));
    canvas::figure(&Head { title: "How long pods waited, by quota", about: &about }, |area| {
        let (width, height) = (WIDTH.cast_signed(), HEIGHT.cast_signed());
        let part = area.clone().shrink((MARGIN - 20, TOP - 12), (width - MARGIN - LEGEND - 12, height - TOP));
        let x = axis.axis("time from creation to start (binding), logarithmic", 0.055);
        let y = Axis { end: 1020.0, ..Axis::percent("pods started within that time, %") };
        let plane = axes::draw(&part, &x, &y)?;
        divide(&part, &plane)?;
        let mut entries = Vec::new();
        if let Some(all) = report.waits_of(None) {
            let pen = Pen { colour: TEXT, width: 4, dashes: &[] };
            curve(&part, &plane, axis, all, pen)?;
            entries.push(Entry { swatch: Swatch::Line(pen), name: "all pods".to_owned(), note: note(all) });
        } else {
            say(&part, plane.middle(), "No pod was created")?;
        }
        for (i, steps) in leaves.iter().enumerate() {
            let quota = steps.quota.unwrap_or_default();
            let dashes = DASHES.iter().cycle().nth(i).copied().unwrap_or_default();
            let pen = Pen { colour: palette::of(leaves::colour(&tree, quota)), width: 2, dashes };
            curve(&part, &plane, axis, steps, pen)?;
            entries.push(Entry { swatch: Swatch::Line(pen), name: leaves::name(report, quota), note: note(steps) });
        }
        legend::column(area, (width - MARGIN - LEGEND + 4, TOP + 12), LEGEND - 4, &entries)?;
        Ok(())
    })
}
