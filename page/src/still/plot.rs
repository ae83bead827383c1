//! Plots over time as static SVG: axes, stacked steps, lines. Colours are CSS classes, so that themes and print work
//! without changes to the SVG.

use crate::{
    axis::{ticks, time_step, time_ticks},
    html::Html,
    model::Series,
    units::{self, DAY_MS, Units},
};
use std::fmt::Write;

/// The size of a plot and its margins, in units of its view box.
const WIDTH: f64 = 720.0;
const LEFT: f64 = 44.0;
const RIGHT: f64 = 8.0;
const TOP: f64 = 10.0;
const BOTTOM: f64 = 20.0;
/// A limit line that is more than this many times above the usage is named instead of drawn. The axis reaches at most
/// this many times the usage.
const LOW: f64 = 20.0;
const ROOM: f64 = 1.15;
/// The most moments at which a series is drawn: one for every two units of the view box.
const MOST_MOMENTS: usize = 360;

/// A layer of a plot.
pub(crate) struct Layer<'a> {
    pub(crate) series: &'a Series,
    /// A series that is subtracted, for a layer that shows the rest of another one.
    pub(crate) less: Option<&'a Series>,
    pub(crate) class: String,
    /// The pattern; empty for the colour of the class.
    pub(crate) paint: String,
    /// Whether it is a line. Areas are stacked in their order.
    pub(crate) line: bool,
}

impl Layer<'_> {
    fn at(&self, ms: u64) -> f64 {
        let value = |series: &Series| units::real(series.at(ms).unwrap_or(0));
        let value = value(self.series) - self.less.map_or(0.0, value);
        if self.line { value } else { value.max(0.0) }
    }
}

/// What a plot shows.
pub(crate) struct Plot<'a> {
    pub(crate) label: String,
    pub(crate) height: f64,
    pub(crate) layers: Vec<Layer<'a>>,
    /// Base units of one unit on the axis.
    pub(crate) unit: f64,
    pub(crate) tick: &'a dyn Fn(f64) -> String,
    /// The least value that the axis must reach, base units.
    pub(crate) top: f64,
    /// The least time that the time axis must reach.
    pub(crate) until_ms: u64,
}

/// The largest value of stacked areas and of lines.
pub(crate) fn peak(layers: &[Layer<'_>], end_ms: u64) -> f64 {
    let areas = moments(layers, end_ms.max(1)).into_iter().map(|ms| {
        let stacked = layers.iter().filter(|layer| !layer.line).map(|layer| layer.at(ms));
        stacked.sum::<f64>()
    });
    let lines = layers.iter().filter(|layer| layer.line).map(|layer| units::real(layer.series.peak()));
    areas.chain(lines).fold(0.0, f64::max)
}

/// Writes a plot.
pub(crate) fn draw(html: &mut Html, plot: &Plot<'_>, end_ms: u64, units: &Units<'_>) {
    let end = end_ms.max(1);
    let moments = moments(&plot.layers, end);
    let axis_end = end.max(plot.until_ms);
    let mut stack = vec![vec![0.0; moments.len()]];
    for layer in plot.layers.iter().filter(|l| !l.line) {
        let below = stack.last().map(Vec::as_slice).unwrap_or_default();
        stack.push(moments.iter().zip(below).map(|(ms, below)| below + layer.at(*ms)).collect());
    }
    let own = stack.last().into_iter().flatten().copied().fold(plot.top, f64::max);
    let lines = plot.layers.iter().filter(|l| l.line).map(|l| units::real(l.series.peak())).fold(0.0, f64::max);
    // What is used would not be seen below a line that is far above it.
    let is_low = own > 0.0 && own * LOW < lines;
    let most = if is_low { own * ROOM } else { own.max(lines) }.max(1.0);
    let ticks = ticks(most / plot.unit);
    let top = ticks.last().map_or(most, |last| (last * plot.unit).max(most));
    let x = |ms: u64| LEFT + ms_real(ms) / ms_real(axis_end) * (WIDTH - LEFT - RIGHT);
    let y = |value: f64| TOP + (plot.height - TOP - BOTTOM) * (1.0 - value / top);
    let size = format!("0 0 {WIDTH} {}", plot.height);
    html.open("svg", &[("viewBox", &size), ("role", "img"), ("aria-label", &plot.label)]);
    for ms in time_ticks(axis_end) {
        let (at, label) = (
            format!("{:.1}", x(ms)),
            if time_step(axis_end) >= DAY_MS { format!("d{}", ms / DAY_MS) } else { units.moment(ms) },
        );
        let path = format!("M{at} {TOP}V{}", plot.height - BOTTOM);
        html.shape("path", &[("class", "gridline"), ("d", &path)]);
        let is_last = x(ms) > WIDTH - RIGHT - 20.0;
        let anchor = if ms == 0 {
            "start"
        } else if is_last {
            "end"
        } else {
            "middle"
        };
        html.leaf("text", &[("x", &at), ("y", &format!("{}", plot.height - 4.0)), ("text-anchor", anchor)], label);
    }
    for value in &ticks {
        let at = y(value * plot.unit);
        let class = if *value == 0.0 { "axis" } else { "gridline" };
        html.shape("path", &[("class", class), ("d", &format!("M{LEFT} {at:.1}H{}", WIDTH - RIGHT))]);
        let place = [("x", &*format!("{}", LEFT - 6.0)), ("y", &*format!("{:.1}", at + 4.0)), ("text-anchor", "end")];
        html.leaf("text", &place, (plot.tick)(value * plot.unit));
    }
    if is_low {
        let place = [("x", &*format!("{}", WIDTH - RIGHT)), ("y", &*format!("{}", TOP + 11.0)), ("text-anchor", "end")];
        html.leaf("text", &place, format!("lines go up to {}, above this axis", (plot.tick)(lines)));
    }
    let areas = plot.layers.iter().filter(|l| !l.line).zip(stack.iter().zip(stack.iter().skip(1)));
    for (layer, (below, above)) in areas {
        if below == above {
            continue;
        }
        let path = steps(&moments, above, end, &x, &y) + &back(&moments, below, &x, &y);
        if layer.paint.is_empty() {
            html.shape("path", &[("class", &format!("solid {}", layer.class)), ("d", &path)]);
        } else {
            html.shape("path", &[("class", &layer.class), ("fill", &layer.paint), ("d", &path)]);
        }
    }
    for layer in plot.layers.iter().filter(|l| l.line) {
        // A limit of -1 is none: the line has a gap there.
        let values: Vec<f64> = moments.iter().map(|ms| layer.at(*ms)).collect();
        let mut path = String::new();
        let mut from = 0;
        while from < moments.len() {
            let is_set = |i: &usize| values.get(*i).is_some_and(|v| *v >= 0.0 && *v <= top);
            let to = (from..moments.len()).take_while(is_set).last().map_or(from, |last| last + 1);
            if let (Some(at), Some(values)) = (moments.get(from..to), values.get(from..to))
                && to > from
            {
                path += &steps(at, values, moments.get(to).copied().unwrap_or(end), &x, &y);
            }
            from = to.max(from + 1);
        }
        if !path.is_empty() {
            html.shape("path", &[("class", &layer.class), ("d", &path)]);
        }
    }
    html.close("svg");
}

/// Milliseconds as a number for drawing, which is exact to a tenth of a pixel.
#[expect(clippy::cast_precision_loss, reason = "moments are drawn to a tenth of a pixel")]
fn ms_real(ms: u64) -> f64 {
    ms as f64
}

/// The moments at which to draw: every change if there are few, else moments at equal distances.
fn moments(layers: &[Layer<'_>], end: u64) -> Vec<u64> {
    let series = layers.iter().flat_map(|l| std::iter::once(l.series).chain(l.less));
    let mut all: Vec<u64> = series.flat_map(|s| s.steps().map(|step| step.at_ms)).filter(|ms| *ms < end).collect();
    all.push(0);
    all.sort_unstable();
    all.dedup();
    if all.len() > MOST_MOMENTS {
        let most = u64::try_from(MOST_MOMENTS).unwrap_or(1);
        all = (0..most).map(|i| end / most * i + end % most * i / most).collect();
        all.dedup();
    }
    all
}

fn steps(at: &[u64], values: &[f64], end: u64, x: &dyn Fn(u64) -> f64, y: &dyn Fn(f64) -> f64) -> String {
    let mut path = String::new();
    let mut last = f64::NAN;
    for (i, (ms, value)) in at.iter().zip(values).enumerate() {
        if i == 0 {
            let _ = write!(path, "M{:.1} {:.1}", x(*ms), y(*value));
        } else if (value - last).abs() > f64::EPSILON {
            let _ = write!(path, "H{:.1}V{:.1}", x(*ms), y(*value));
        }
        last = *value;
    }
    let _ = write!(path, "H{:.1}", x(end));
    path
}

fn back(at: &[u64], values: &[f64], x: &dyn Fn(u64) -> f64, y: &dyn Fn(f64) -> f64) -> String {
    let mut path = String::new();
    for (ms, value) in at.iter().zip(values).rev() {
        let _ = write!(path, "V{:.1}H{:.1}", y(*value), x(*ms));
    }
    path + "Z"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_far_above_all_use_is_named_instead_of_drawn() {
        let flat = |value| Series::of([crate::model::Step { at_ms: 0, value }]);
        let drawn = |used: i64, capacity: i64| {
            let (used, capacity) = (flat(used), flat(capacity));
            let layer = |series, line| Layer { series, less: None, class: String::new(), paint: String::new(), line };
            let layers = vec![layer(&used, false), layer(&capacity, true)];
            let tick = |value: f64| format!("{value}");
            let plot =
                Plot { label: String::new(), height: 100.0, layers, unit: 1.0, tick: &tick, top: 0.0, until_ms: 0 };
            let (mut html, report) = (Html::default(), crate::model::Report::default());
            draw(&mut html, &plot, 1_000, &Units::of(&report));
            html.done()
        };
        assert!(!drawn(50, 1_000).contains("above"), "twenty times as much is drawn");
        assert!(drawn(50, 1_001).contains("lines go up to 1001, above this axis"));
        assert!(!drawn(0, 1_000).contains("above"), "nothing is used: the line is all there is");
    }

    #[test]
    fn a_long_series_is_drawn_at_few_moments() {
        let series = Series::of((0..5_000).map(|i| crate::model::Step { at_ms: i * 10, value: 1 }));
        let layer = Layer { series: &series, less: None, class: String::new(), paint: String::new(), line: false };
        assert!(moments(&[layer], 50_000).len() <= MOST_MOMENTS);
    }
}
