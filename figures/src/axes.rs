//! Axes with round ticks, a name and a unit, and the position of a value between them.

use crate::{
    FigureError,
    canvas::{Area, SMALL, style},
    palette::{LINE, SOFT, STRONG, TEXT},
};
use plotters::{
    chart::{ChartBuilder, LabelAreaPosition},
    coord::ranged1d::{KeyPointHint, NoDefaultFormatting, Ranged, ValueFormatter},
    style::text_anchor::HPos,
};
use std::ops::Range;

/// An axis: it begins at 0.
pub(crate) struct Axis {
    /// What it measures, with the unit.
    pub(crate) name: String,
    pub(crate) end: f64,
    /// Ticks with their labels.
    pub(crate) ticks: Vec<(f64, String)>,
}

impl Axis {
    /// Shares of a whole in percent, values in thousandths.
    pub(crate) fn percent(name: &str) -> Self {
        let ticks = [0, 250, 500, 750, 1000].map(|permille| (f64::from(permille), format!("{} %", permille / 10)));
        Self { name: name.to_owned(), end: 1000.0, ticks: ticks.to_vec() }
    }
}

/// The axis as plotters asks for it.
#[derive(Debug, Clone)]
struct Scale {
    end: f64,
    ticks: Vec<(f64, String)>,
}

impl Ranged for Scale {
    type FormatOption = NoDefaultFormatting;
    type ValueType = f64;

    fn map(&self, value: &f64, (from, to): (i32, i32)) -> i32 {
        from + pixels(value / self.end * f64::from(to - from))
    }

    fn key_points<Hint: KeyPointHint>(&self, hint: Hint) -> Vec<f64> {
        // Light points are lines between the ticks.
        if hint.weight().allow_light_points() { Vec::new() } else { self.ticks.iter().map(|tick| tick.0).collect() }
    }

    fn range(&self) -> Range<f64> {
        0.0..self.end
    }
}

impl ValueFormatter<f64> for Scale {
    fn format_ext(&self, value: &f64) -> String {
        let is_it = |tick: &&(f64, String)| tick.0.total_cmp(value).is_eq();
        self.ticks.iter().find(is_it).map_or_else(String::new, |(_, label)| label.clone())
    }
}

/// Where values lie in an area, pixels.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Plane {
    pub(crate) left: i32,
    pub(crate) right: i32,
    pub(crate) top: i32,
    pub(crate) bottom: i32,
    pub(crate) x_end: f64,
    pub(crate) y_end: f64,
}

impl Plane {
    pub(crate) fn x(&self, value: f64) -> i32 {
        self.left + pixels(value / self.x_end * f64::from(self.right - self.left))
    }

    pub(crate) fn y(&self, value: f64) -> i32 {
        self.bottom - pixels(value / self.y_end * f64::from(self.bottom - self.top))
    }

    pub(crate) fn middle(&self) -> (i32, i32) {
        (i32::midpoint(self.left, self.right), i32::midpoint(self.top, self.bottom))
    }
}

/// The nearest pixel. Values lie on axes, so they are small.
#[expect(clippy::cast_possible_truncation, reason = "it saturates, and lies on an axis of a few hundred pixels")]
pub(crate) fn pixels(value: f64) -> i32 {
    value.round() as i32
}

/// Draws axes that fill an area.
pub(crate) fn draw(area: &Area<'_>, x: &Axis, y: &Axis) -> Result<Plane, FigureError> {
    let scale = |axis: &Axis| Scale { end: axis.end, ticks: axis.ticks.clone() };
    let mut chart = ChartBuilder::on(area)
        .margin_top(8)
        .margin_right(18)
        .set_label_area_size(LabelAreaPosition::Left, 84)
        .set_label_area_size(LabelAreaPosition::Bottom, 58)
        .build_cartesian_2d(scale(x), scale(y))?;
    chart
        .configure_mesh()
        .bold_line_style(LINE)
        .axis_style(STRONG)
        .label_style(style(SMALL, SOFT, HPos::Center))
        .axis_desc_style(style(SMALL + 1, TEXT, HPos::Center))
        .x_desc(x.name.as_str())
        .y_desc(y.name.as_str())
        .draw()?;
    let (across, down) = chart.plotting_area().get_pixel_range();
    let (left, top) = area.get_base_pixel();
    Ok(Plane {
        left: across.start - left,
        right: across.end - left,
        top: down.start - top,
        bottom: down.end - top,
        x_end: x.end,
        y_end: y.end,
    })
}
