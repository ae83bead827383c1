//! A figure over settings: the mean of each setting with a bar from p5 to p95, a line for each series.

use crate::{
    FigureError,
    axes::{self, Axis},
    canvas::{self, HEIGHT, Head, MARGIN, SMALL, TOP, WIDTH, say},
    legend::{self, Entry, Swatch},
    palette::{ACCENT, BAD, GOOD, SLATE, TEXT},
    shapes::{DASHES, Pen, path},
};
use plotters::{
    element::Circle,
    style::{Color, RGBColor},
};
use quotree_page::units;

/// What a figure over settings shows.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Curves {
    /// The title.
    pub title: String,
    /// The line under it.
    pub about: String,
    /// What the settings are values of.
    pub x: String,
    /// The settings, left to right.
    pub ticks: Vec<String>,
    /// What is measured.
    pub y: String,
    /// The unit of the values.
    pub unit: YUnit,
    /// The series.
    pub curves: Vec<Curve>,
}

/// The unit of the values of a figure over settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum YUnit {
    /// A number of things.
    #[default]
    Count,
    /// Milliseconds.
    Ms,
    /// Thousandths of a whole, shown as percent.
    Permille,
    /// Thousandths of anything.
    Thousandths,
    /// Thousandths of a unit times seconds, shown in hours.
    MilliSeconds,
}

/// A series.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Curve {
    /// Its name; empty if there is only one.
    pub name: String,
    /// Its points.
    pub points: Vec<CurvePoint>,
}

/// A point of a series.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CurvePoint {
    /// Which setting.
    pub x: usize,
    /// The mean.
    pub y: i128,
    /// The lower end of the bar.
    pub low: i128,
    /// The upper end of the bar.
    pub high: i128,
}

const COLOURS: [RGBColor; 4] = [ACCENT, BAD, GOOD, SLATE];
/// The most series that are drawn.
const MOST: usize = 8;
/// The most ticks with a label.
const LABELS: usize = 16;

/// The figure.
pub(crate) fn draw(data: &Curves) -> Result<String, FigureError> {
    canvas::figure(&Head { title: &data.title, about: &data.about }, |area| {
        let named = data.curves.iter().any(|curve| !curve.name.is_empty());
        let side = if named { 300 } else { 0 };
        let right = WIDTH.cast_signed() - 2 * MARGIN - side;
        let part = area.clone().shrink((MARGIN - 20, TOP), (right, HEIGHT.cast_signed() - TOP - 8));
        let (x, y) = (x_axis(data), y_axis(data));
        let plane = axes::draw(&part, &x, &y)?;
        if data.curves.is_empty() {
            return say(&part, plane.middle(), "No run has this figure");
        }
        let mut entries = Vec::new();
        for (place, curve) in data.curves.iter().take(MOST).enumerate() {
            let colour = COLOURS.get(place % COLOURS.len()).copied().unwrap_or(TEXT);
            let pen = Pen { colour, width: 2, dashes: DASHES.get(place % DASHES.len()).copied().unwrap_or(&[]) };
            // Bars of several series stand side by side.
            let shift = i32::try_from(place).unwrap_or(0) * 5;
            let at =
                |point: &CurvePoint, value: i128| (plane.x(place_of(point.x)) + shift, plane.y(real(value.max(0))));
            let line: Vec<(i32, i32)> = curve.points.iter().map(|point| at(point, point.y)).collect();
            path(&part, &line, pen)?;
            for point in &curve.points {
                let bar = Pen { colour, width: 1, dashes: &[] };
                path(&part, &[at(point, point.low), at(point, point.high)], bar)?;
                part.draw(&Circle::new(at(point, point.y), 4, colour.filled()))?;
            }
            entries.push(Entry { swatch: Swatch::Line(pen), name: curve.name.clone(), note: String::new() });
        }
        if named {
            let left = WIDTH.cast_signed() - MARGIN - side + 10;
            let end = legend::column(area, (left, TOP + 24), side - 10, &entries)?;
            if data.curves.len() > MOST {
                let more = format!("and {} more", data.curves.len() - MOST);
                canvas::write(
                    area,
                    &more,
                    (left, end),
                    &canvas::style(SMALL, TEXT, plotters::style::text_anchor::HPos::Left),
                )?;
            }
        }
        Ok(())
    })
}

fn place_of(x: usize) -> f64 {
    f64::from(u32::try_from(x).unwrap_or(u32::MAX)) + 0.5
}

#[expect(clippy::cast_precision_loss, reason = "a place on a picture")]
fn real(value: i128) -> f64 {
    value as f64
}

fn x_axis(data: &Curves) -> Axis {
    let step = data.ticks.len().div_ceil(LABELS).max(1);
    let label = |(place, text): (usize, &String)| {
        let short: String = text.chars().take(18).collect();
        (place_of(place), if short.len() < text.len() { short + "…" } else { short })
    };
    let ticks = data.ticks.iter().enumerate().step_by(step).map(label).collect();
    Axis { name: data.x.clone(), end: f64::from(u32::try_from(data.ticks.len().max(1)).unwrap_or(u32::MAX)), ticks }
}

/// The vertical axis: from 0 to a round number above everything.
fn y_axis(data: &Curves) -> Axis {
    let points = data.curves.iter().take(MOST).flat_map(|curve| &curve.points);
    let most = points.map(|point| point.high.max(point.y)).max().unwrap_or(0).max(1);
    let step = step(most, data.unit);
    let steps = u32::try_from(most / step + 1).unwrap_or(1);
    let ticks = (0..=steps).map(|n| (real(step * i128::from(n)), shown(step * i128::from(n), data.unit))).collect();
    Axis { name: data.y.clone(), end: real(step * i128::from(steps)), ticks }
}

/// A round distance of ticks, so that there are about five.
fn step(most: i128, unit: YUnit) -> i128 {
    const TIMES: [i128; 14] = [
        1,
        10,
        100,
        1_000,
        5_000,
        15_000,
        60_000,
        300_000,
        900_000,
        3_600_000,
        10_800_000,
        43_200_000,
        86_400_000,
        604_800_000,
    ];
    let wanted = most / 5;
    if unit == YUnit::Ms
        && let Some(step) = TIMES.into_iter().find(|step| *step >= wanted)
    {
        return step;
    }
    let base: i128 = if unit == YUnit::MilliSeconds { 36_000 } else { 1 };
    let mut size = base;
    loop {
        for step in [size, size.saturating_mul(2), size.saturating_mul(5)] {
            if step >= wanted || step == i128::MAX {
                return step;
            }
        }
        size = size.saturating_mul(10);
    }
}

fn shown(value: i128, unit: YUnit) -> String {
    let small = u64::try_from(value).unwrap_or(u64::MAX);
    match unit {
        YUnit::Count => units::grouped(&value.to_string()),
        YUnit::Ms => units::span(small),
        YUnit::Permille => format!("{}.{} %", value / 10, value % 10),
        YUnit::Thousandths => format!("{}.{:02}", units::grouped(&(value / 1000).to_string()), value % 1000 / 10),
        YUnit::MilliSeconds => {
            let hundredths = value / 36_000;
            format!("{}.{:02} h", units::grouped(&(hundredths / 100).to_string()), hundredths % 100)
        }
    }
}
