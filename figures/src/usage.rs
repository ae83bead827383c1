//! Use over time by quota: stacked leaves under the line of capacity. Solid is within the guarantee, fine lines are borrowed.

use crate::{
    FigureError,
    axes::{self, Axis, Plane},
    canvas::{self, Area, HEIGHT, Head, MARGIN, SMALL, TOP, WIDTH, fitting, readable, say, style, write},
    leaves::{self, Leaf},
    legend::{self, Entry, Swatch},
    palette::{PAPER, SLATE, TEXT, on},
    shapes::{self, Pen},
    timeline::{TimeAxis, Timeline},
};
use plotters::style::{RGBColor, text_anchor::HPos};
use quotree_page::{
    axis::ticks,
    colours::{Colour, colours},
    main_resource,
    model::{AmountTime, Report, ResourceIx, ResourceKind, Series, at},
    units::{self, Units},
};

/// The width of a legend beside a picture.
pub(crate) const LEGEND: i32 = 290;

/// How amounts of a resource stand on an axis.
pub(crate) struct Scale {
    /// The name with the unit: `GPUs`, `memory, GiB`.
    pub(crate) name: String,
    /// Base units of one.
    unit: f64,
}

impl Scale {
    /// The scale of a resource whose largest amount is known.
    pub(crate) fn of(report: &Report, resource: ResourceIx, most: f64) -> Self {
        let Some(row) = at(&report.resources, resource) else {
            return Self { name: "units".to_owned(), unit: 1000.0 };
        };
        if row.kind == ResourceKind::Bytes {
            let sizes = [("GiB", 1_073_741_824.0), ("MiB", 1_048_576.0), ("KiB", 1024.0)];
            let large = (most >= 10_240.0 * 1_073_741_824.0).then_some(("TiB", 1_099_511_627_776.0));
            let fit =
                large.or_else(|| sizes.into_iter().find(|(_, size)| most >= *size)).unwrap_or(("GiB", 1_073_741_824.0));
            return Self { name: format!("{}, {}", short(report, resource), fit.0), unit: fit.1 };
        }
        let name = if row.units.is_empty() { short(report, resource) } else { row.units.clone() };
        Self { name, unit: 1000.0 }
    }

    /// An axis from 0 to at least an amount.
    pub(crate) fn axis(&self, most: f64) -> Axis {
        let values = ticks((most / self.unit).max(1e-3));
        let values = if most > 0.0 { values } else { vec![0.0, 1.0] };
        // A little room, so that the line of capacity is not the edge of the picture.
        let end = values.last().copied().unwrap_or(1.0).max(most / self.unit * 1.04) * self.unit;
        let ticks = values.into_iter().map(|value| (value * self.unit, units::short(value))).collect();
        Axis { name: self.name.clone(), end, ticks }
    }
}

/// The short name of a resource, or its name.
pub(crate) fn short(report: &Report, resource: ResourceIx) -> String {
    let row = at(&report.resources, resource);
    row.map_or_else(|| "Resources".to_owned(), |row| if row.short.is_empty() { &row.name } else { &row.short }.clone())
}

/// A resource within a sentence: `GPUs`, `memory`.
pub(crate) fn plural(report: &Report, resource: ResourceIx) -> String {
    let units = at(&report.resources, resource).map_or("", |row| row.units.as_str());
    if units.is_empty() { short(report, resource).to_lowercase() } else { units.to_owned() }
}

/// One colour of a stack.
pub(crate) struct Layer {
    pub(crate) name: String,
    pub(crate) colour: RGBColor,
    pub(crate) solid: Vec<f64>,
    /// What is drawn as a tint with fine lines on top of it.
    pub(crate) hatched: Vec<f64>,
}

/// The series that a stack of use is made of.
fn series(report: &Report, resource: ResourceIx) -> Vec<&Series> {
    let cluster = report.cluster.resources.iter().find(|row| row.resource == resource);
    let rows = leaves::rows(report, resource).into_iter().flat_map(|(_, row)| [&row.used, &row.borrowed]);
    rows.chain(cluster.into_iter().flat_map(|row| [&row.capacity, &row.allocated])).collect()
}

/// Use of a resource, ready to be drawn.
pub(crate) struct Usage<'a> {
    report: &'a Report,
    pub(crate) resource: ResourceIx,
    pub(crate) timeline: Timeline,
    pub(crate) leaves: Vec<Leaf<'a>>,
    pub(crate) layers: Vec<Layer>,
    pub(crate) capacity: Vec<f64>,
    /// The largest amount of all.
    pub(crate) most: f64,
}

impl<'a> Usage<'a> {
    pub(crate) fn of(report: &'a Report, resource: ResourceIx, colours: &[Colour]) -> Self {
        let timeline = Timeline::of(series(report, resource), report.run.end_ms);
        let leaves = leaves::coloured(report, resource, colours, |row| row.used_unit_s);
        let cluster = report.cluster.resources.iter().find(|row| row.resource == resource);
        let mut layers: Vec<Layer> = leaves.iter().map(|leaf| layer(leaf, &timeline)).collect();
        let (allocated, capacity) =
            cluster.map_or((vec![], vec![]), |row| (timeline.means(&row.allocated), timeline.means(&row.capacity)));
        if leaves::rows(report, resource).is_empty() && allocated.iter().any(|value| *value > 0.0) {
            let hatched = vec![0.0; timeline.len()];
            layers.push(Layer { name: "all pods".to_owned(), colour: SLATE, solid: allocated, hatched });
        }
        let stacked = (0..timeline.len()).map(|i| {
            let height = |layer: &Layer| layer.solid.get(i).unwrap_or(&0.0) + layer.hatched.get(i).unwrap_or(&0.0);
            layers.iter().map(height).sum::<f64>()
        });
        let most = stacked.chain(capacity.iter().copied()).fold(0.0, f64::max);
        Self { report, resource, timeline, leaves, layers, capacity, most }
    }

    /// Draws it on axes.
    pub(crate) fn draw(&self, area: &Area<'_>, plane: &Plane, label: u32) -> Result<(), FigureError> {
        stack(area, plane, &self.timeline, &self.layers, label)?;
        let capacity: Vec<Option<f64>> = self.capacity.iter().map(|value| Some(*value)).collect();
        shapes::line(area, plane, &self.timeline, &capacity, CAPACITY)?;
        if self.layers.is_empty() {
            say(area, plane.middle(), &format!("No pod used any {}", plural(self.report, self.resource)))?;
        }
        Ok(())
    }
}

/// The line between two leaves, which also tells them apart without colour.
const EDGE: Pen = Pen { colour: PAPER, width: 1, dashes: &[] };

/// The line of capacity.
pub(crate) const CAPACITY: Pen = Pen { colour: TEXT, width: 2, dashes: &[] };

fn layer(leaf: &Leaf<'_>, timeline: &Timeline) -> Layer {
    let used = leaf.means(timeline, |row, timeline| timeline.means(&row.used));
    let hatched = leaf.means(timeline, |row, timeline| timeline.means(&row.borrowed));
    let solid = used.iter().zip(&hatched).map(|(used, borrowed)| (used - borrowed).max(0.0)).collect();
    Layer { name: leaf.name.clone(), colour: leaf.colour, solid, hatched }
}

/// Draws layers on top of each other, with their names where there is room.
pub(crate) fn stack(
    area: &Area<'_>,
    plane: &Plane,
    timeline: &Timeline,
    layers: &[Layer],
    label: u32,
) -> Result<(), FigureError> {
    let mut below = vec![0.0; timeline.len()];
    let mut names = Vec::new();
    for layer in layers {
        let add = |below: &[f64], more: &[f64]| below.iter().zip(more).map(|(a, b)| a + b).collect::<Vec<f64>>();
        let solid = add(&below, &layer.solid);
        let top = add(&solid, &layer.hatched);
        shapes::fill(area, plane, timeline, (&below, &solid), layer.colour, 1.0)?;
        shapes::fill(area, plane, timeline, (&solid, &top), layer.colour, 0.3)?;
        shapes::hatch(area, plane, timeline, (&solid, &top), layer.colour)?;
        shapes::edge(area, plane, timeline, (&below, &top), EDGE)?;
        if label > 0 {
            let name = fitting(area, &readable(&layer.name), label, 180);
            let size = (canvas::width(area, &name, label) + 12, label.cast_signed() + 6);
            names.extend(room(plane, timeline, (&below, &solid), size).map(|at| (name, at, on(layer.colour))));
        }
        below = top;
    }
    for (name, at, colour) in names {
        write(area, &name, at, &style(label, colour, HPos::Center))?;
    }
    Ok(())
}

/// The middle of the highest box of a size between two step functions.
fn room(
    plane: &Plane,
    timeline: &Timeline,
    (below, above): (&[f64], &[f64]),
    (width, height): (i32, i32),
) -> Option<(i32, i32)> {
    let xs: Vec<i32> = timeline.edges().iter().map(|ms| plane.x(crate::timeline::ms_real(*ms))).collect();
    let ys: Vec<(i32, i32)> = below.iter().zip(above).map(|(b, a)| (plane.y(*b), plane.y(*a))).collect();
    let mut best: Option<(i32, (i32, i32))> = None;
    for (first, left) in xs.iter().enumerate() {
        let (mut bottom, mut top) = (i32::MAX, i32::MIN);
        for ((low, high), right) in ys.iter().skip(first).zip(xs.iter().skip(first + 1)) {
            (bottom, top) = (bottom.min(*low), top.max(*high));
            if bottom - top < height {
                break;
            }
            if right - left >= width {
                let middle = (i32::midpoint(*left, *right), i32::midpoint(top, bottom));
                if best.is_none_or(|(most, _)| bottom - top > most) {
                    best = Some((bottom - top, middle));
                }
                break;
            }
        }
    }
    best.map(|(_, at)| at)
}

/// The figure.
pub(crate) fn draw(report: &Report) -> Result<String, FigureError> {
    let resource = main_resource(report);
    let usage = Usage::of(report, resource, &colours(&report.quotas));
    let units = Units::of(report);
    let title = format!("{} in use over time, by quota", short(report, resource));
    let about = format!("{}{}", canvas::run_of(report), usage.timeline.note());
    canvas::figure(&Head { title: &title, about: &about }, |area| {
        let (width, height) = (WIDTH.cast_signed(), HEIGHT.cast_signed());
        let part = area.clone().shrink((MARGIN - 20, TOP - 12), (width - MARGIN - LEGEND - 12, height - TOP));
        let time = TimeAxis::of(report.run.end_ms);
        let x = Axis { name: time.name.to_owned(), end: time.end, ticks: time.ticks };
        let y = Scale::of(report, resource, usage.most).axis(usage.most);
        let plane = axes::draw(&part, &x, &y)?;
        usage.draw(&part, &plane, SMALL)?;
        let hours = |unit_s| units.amount_time(AmountTime { resource, unit_s });
        let mut entries = Vec::new();
        if !usage.capacity.is_empty() {
            let name = "capacity of nodes up".to_owned();
            entries.push(Entry { swatch: Swatch::Line(CAPACITY), name, note: String::new() });
        }
        for leaf in usage.leaves.iter().rev() {
            let borrowed = leaf.total(|row| row.borrowed_unit_s);
            let borrowed = if borrowed > 0 { format!(", {} borrowed", hours(borrowed)) } else { String::new() };
            let used = hours(leaf.total(|row| row.used_unit_s));
            // The unit is said once where it is the same.
            let unit = used.rsplit_once(' ').map_or("", |(_, unit)| unit);
            let note = format!("{used}{}", borrowed.replace(&format!(" {unit} "), " "));
            entries.push(Entry { swatch: Swatch::Area(leaf.colour), name: leaf.name.clone(), note });
        }
        if usage.leaves.is_empty() && !usage.layers.is_empty() {
            entries.push(Entry { swatch: Swatch::Area(SLATE), name: "all pods".to_owned(), note: String::new() });
        }
        if usage.leaves.iter().any(|leaf| leaf.total(|row| row.borrowed_unit_s) > 0) {
            let name = "borrowed: above its min".to_owned();
            entries.push(Entry { swatch: Swatch::Hatched(SLATE), name, note: String::new() });
        }
        legend::column(area, (width - MARGIN - LEGEND + 4, TOP + 12), LEGEND - 4, &entries)?;
        Ok(())
    })
}
