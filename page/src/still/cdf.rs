//! The distribution of waits: the fraction of pods that had started after a wait. The axis has a section for "at once"
//! and is logarithmic after it.

use crate::{html::Html, model::WaitSteps, units};
use std::fmt::Write;

const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 260.0;
const LEFT: f64 = 46.0;
const RIGHT: f64 = 12.0;
const TOP: f64 = 10.0;
const BOTTOM: f64 = 24.0;
/// The width of the section for waits below a second.
const AT_ONCE: f64 = 46.0;
/// The ticks of the axis, milliseconds.
const TICKS: [u64; 9] = [1_000, 10_000, 60_000, 600_000, 3_600_000, 21_600_000, 86_400_000, 604_800_000, 2_592_000_000];

/// A curve: its class, its label, and the waits.
pub(crate) type Curve<'a> = (String, String, &'a WaitSteps);

/// Draws curves over one another.
pub(crate) fn draw(html: &mut Html, curves: &[Curve<'_>]) {
    let most = curves.iter().filter_map(|(_, _, steps)| steps.wait_ms.last()).copied().max().unwrap_or(0).max(1_000);
    let real = |ms: u64| units::wide(u128::from(ms));
    let log = |ms: u64| (real(ms) / 1_000.0).ln() / (real(most) * 1.15 / 1_000.0).ln().max(0.1);
    let x = |ms: u64| LEFT + AT_ONCE + log(ms) * (WIDTH - LEFT - RIGHT - AT_ONCE);
    let y = |part: f64| TOP + (1.0 - part) * (HEIGHT - TOP - BOTTOM);
    let says = curves.iter().map(|(_, name, steps)| {
        let q = &steps.quantiles;
        format!("{name}: half within {}, 95 % within {}", units::span(q.p50_ms), units::span(q.p95_ms))
    });
    let label = format!("Fraction of pods that waited at most a given time. {}", says.collect::<Vec<_>>().join("; "));
    let size = format!("0 0 {WIDTH} {HEIGHT}");
    html.open("svg", &[("viewBox", &size), ("role", "img"), ("aria-label", &label)]);
    for (part, text) in [(0.0, "0 %"), (0.25, "25 %"), (0.5, "50 %"), (0.75, "75 %"), (0.95, "95 %"), (1.0, "")] {
        let class = if part == 0.0 { "axis" } else { "gridline" };
        html.shape("path", &[("class", class), ("d", &format!("M{LEFT} {:.1}H{}", y(part), WIDTH - RIGHT))]);
        let place = format!("{:.1}", y(part) + 4.0);
        html.leaf("text", &[("x", "40"), ("y", &place), ("text-anchor", "end")], text);
    }
    let (bottom, middle) = (format!("{}", HEIGHT - 6.0), format!("{}", LEFT + AT_ONCE / 2.0));
    html.leaf("text", &[("x", &middle), ("y", &bottom), ("text-anchor", "middle")], "at once");
    let mut last = LEFT + AT_ONCE;
    for ms in TICKS.into_iter().filter(|ms| real(*ms) <= real(most) * 1.15) {
        if x(ms) - last < 34.0 {
            continue;
        }
        last = x(ms);
        html.shape("path", &[("class", "gridline"), ("d", &format!("M{last:.1} {TOP}V{}", HEIGHT - BOTTOM))]);
        html.leaf("text", &[("x", &format!("{last:.1}")), ("y", &bottom), ("text-anchor", "middle")], units::span(ms));
    }
    for (class, _, steps) in curves {
        let all = steps.quantiles.count + steps.never;
        if all == 0 {
            continue;
        }
        let part = |pods: u64| real(pods) / real(all);
        let points = steps.wait_ms.iter().zip(&steps.pods);
        let at_once = points.clone().filter(|(ms, _)| **ms < 1_000).map(|(_, pods)| *pods).max().unwrap_or(0);
        let mut path = format!("M{LEFT} {:.1}H{}V{:.1}H{}", y(0.0), LEFT + 6.0, y(part(at_once)), LEFT + AT_ONCE);
        for (ms, pods) in points.filter(|(ms, _)| **ms >= 1_000) {
            let _ = write!(path, "H{:.1}V{:.1}", x(*ms), y(part(*pods)));
        }
        let _ = write!(path, "H{}", WIDTH - RIGHT);
        html.shape("path", &[("class", &format!("stroke {class}")), ("d", &path)]);
    }
    html.close("svg").open("ul", &[("class", "legend")]);
    for (class, name, _) in curves {
        html.open("li", &[]).leaf("span", &[("class", &format!("dot {class}"))], "").name(name).close("li");
    }
    html.close("ul");
}
