//! The quota tree as SVG: one bar for each quota and resource, all on one scale, with min, usage, borrowing and max. The
//! SVG embeds no fonts, keeps text as text, follows the light or dark setting of the reader, and is byte-identical for
//! equal results.

use crate::{
    format,
    tree::{governed, scale},
};
use quotree_core::Name;
use quotree_sim::result::{QuotaRow, RunResult};
use std::{collections::BTreeMap, fmt::Write};

const WIDTH: i64 = 1060;
/// The left edge of the bars, the length of the longest bar, and the left edge of the numbers.
const BARS: i64 = 250;
const BAR_LENGTH: i64 = 400;
const NUMBERS: i64 = BARS + BAR_LENGTH + 20;
/// The height of the bar of one resource of one quota.
const LANE: i64 = 30;
const TOP: i64 = 96;
const INDENT: i64 = 22;
/// The most quotas that are drawn; the number of the others is given.
const MOST_QUOTAS: usize = 120;

/// The styles, with each colour once for light and once for dark mode, since not every renderer supports CSS variables.
const STYLE: &str = "<style>
  text { font: 14px system-ui, sans-serif; fill: #1c2430; } .title { font-size: 18px; font-weight: 600; }
  .soft { fill: #667085; font-size: 12px; } .paper { fill: #ffffff; } .ceiling { fill: none; stroke: #c4cad4; }
  .promise { fill: #dbe6fb; } .own { fill: #2f6fde; } .borrowed { fill: #e08a1e; }
  .min { stroke: #1c2430; stroke-width: 2; } .branch { stroke: #c4cad4; fill: none; }
  @media (prefers-color-scheme: dark) {
    text { fill: #e8ecf3; } .soft { fill: #98a2b3; } .paper { fill: #10151d; } .ceiling { stroke: #475467; }
    .promise { fill: #22365c; } .own { fill: #5b93f5; } .borrowed { fill: #f0a23f; }
    .min { stroke: #e8ecf3; } .branch { stroke: #475467; }
  }
</style>
";

/// The quota tree of a finished run as SVG.
#[must_use]
pub fn tree_svg(result: &RunResult) -> String {
    let resources = governed(&result.quotas);
    let shown: Vec<&QuotaRow> = result.quotas.iter().take(MOST_QUOTAS).collect();
    let lanes = Lanes::of(&shown, &resources);
    let more = result.quotas.len() - shown.len();
    let height = TOP + lanes.height + if more > 0 { 24 } else { 0 } + 16;
    let mut svg = String::new();
    let title = escape(&result.scenario);
    let _ = writeln!(
        svg,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" width=\"{WIDTH}\" height=\"{height}\" role=\"img\" aria-label=\"Quota tree of {title}\">"
    );
    svg.push_str(STYLE);
    let _ = writeln!(svg, "<rect class=\"paper\" width=\"{WIDTH}\" height=\"{height}\" rx=\"8\"/>");
    let when = format!("policy {}, after {}", escape(&result.policy), format::moment(result.end_ms));
    let _ = writeln!(svg, "<text class=\"title\" x=\"20\" y=\"32\">{title}</text>");
    let _ = writeln!(
        svg,
        "<text class=\"soft\" x=\"20\" y=\"52\">{when}, {}</text>",
        format::many(result.evictions.len() as u64, "eviction")
    );
    legend(&mut svg);
    branches(&mut svg, &shown, &lanes);
    let scale = scale(&result.quotas);
    for (quota, y) in shown.iter().zip(&lanes.tops) {
        row(&mut svg, quota, *y, &lanes, &resources, &scale);
    }
    if more > 0 {
        let _ = writeln!(svg, "<text class=\"soft\" x=\"20\" y=\"{}\">… and {more} more</text>", height - 20);
    }
    svg.push_str("</svg>\n");
    svg
}

/// The position of each quota.
struct Lanes<'a> {
    tops: Vec<i64>,
    depths: BTreeMap<&'a str, i64>,
    height: i64,
}

impl<'a> Lanes<'a> {
    fn of(quotas: &[&'a QuotaRow], resources: &[Name]) -> Self {
        let mut lanes = Self { tops: Vec::new(), depths: BTreeMap::new(), height: 0 };
        for quota in quotas {
            let above = quota.parent.as_deref().and_then(|parent| lanes.depths.get(parent));
            let depth = above.map_or(0, |depth| depth + 1);
            lanes.depths.insert(&quota.name, depth);
            lanes.tops.push(TOP + lanes.height);
            lanes.height += LANE * i64::try_from(named(quota, resources).count().max(1)).unwrap_or(1);
        }
        lanes
    }

    fn left(&self, quota: &QuotaRow) -> i64 {
        20 + INDENT * self.depths.get(quota.name.as_str()).copied().unwrap_or(0).min(7)
    }
}

/// The resources for which a quota has a min, a max or usage.
fn named<'a>(quota: &'a QuotaRow, resources: &'a [Name]) -> impl Iterator<Item = &'a Name> {
    resources.iter().filter(|r| {
        let in_map = |amounts: &quotree_core::Amounts| amounts.get(r.as_str()).is_some();
        in_map(&quota.min.0) || in_map(&quota.max.0) || quota.used.0.get(r.as_str()).is_some_and(|used| used != 0)
    })
}

fn legend(svg: &mut String) {
    let marks = [
        ("own", "used within min"),
        ("borrowed", "borrowed"),
        ("promise", "unused min"),
        ("ceiling", "room up to max"),
    ];
    let mut x = BARS;
    for (class, text) in marks {
        let _ = writeln!(svg, "<rect class=\"{class}\" x=\"{x}\" y=\"72\" width=\"14\" height=\"10\"/>");
        let _ = writeln!(svg, "<text class=\"soft\" x=\"{}\" y=\"81\">{text}</text>", x + 20);
        x += 48 + 6 * i64::try_from(text.len()).unwrap_or(0);
    }
    let _ =
        writeln!(svg, "<path class=\"min\" d=\"M{x} 70v14\"/><text class=\"soft\" x=\"{}\" y=\"81\">min</text>", x + 8);
}

/// The lines from each quota to its parent.
fn branches(svg: &mut String, quotas: &[&QuotaRow], lanes: &Lanes<'_>) {
    let tops: BTreeMap<&str, (i64, i64)> =
        quotas.iter().zip(&lanes.tops).map(|(q, y)| (q.name.as_str(), (lanes.left(q), *y))).collect();
    for (quota, y) in quotas.iter().zip(&lanes.tops) {
        let Some((parent_x, parent_y)) = quota.parent.as_deref().and_then(|parent| tops.get(parent)) else { continue };
        let (x, from, to) = (parent_x + 6, parent_y + 22, y + 14);
        let _ = writeln!(svg, "<path class=\"branch\" d=\"M{x} {from}V{to}H{}\"/>", lanes.left(quota) - 4);
    }
}

fn row(
    svg: &mut String,
    quota: &QuotaRow,
    top: i64,
    lanes: &Lanes<'_>,
    resources: &[Name],
    scale: &BTreeMap<Name, i64>,
) {
    let name = short(&quota.name, 26);
    let _ = writeln!(svg, "<text x=\"{}\" y=\"{}\">{}</text>", lanes.left(quota), top + 19, escape(&name));
    for (lane, resource) in (0..).zip(named(quota, resources)) {
        let y = top + LANE * lane;
        let amount = |map: &quotree_sim::result::QuantityMap| map.0.get(resource.as_str());
        let (min, used, max) = (amount(&quota.min).unwrap_or(0), amount(&quota.used).unwrap_or(0), amount(&quota.max));
        let full = scale.get(resource).copied().unwrap_or(0);
        let long = |amount: i64| length(amount, full);
        let (own, top) = (long(used.min(min)), long(used));
        let mut rect = |class: &str, from: i64, to: i64| {
            if to > from || class == "ceiling" {
                let (x, width) = (BARS + from, (to - from).max(1));
                let _ = writeln!(
                    svg,
                    "<rect class=\"{class}\" x=\"{x}\" y=\"{}\" width=\"{width}\" height=\"16\"/>",
                    y + 6
                );
            }
        };
        rect("promise", own, long(min));
        rect("own", 0, own);
        rect("borrowed", own, top);
        rect("ceiling", 0, long(max.unwrap_or(full)));
        if min > 0 {
            let _ = writeln!(svg, "<path class=\"min\" d=\"M{} {}v22\"/>", BARS + long(min), y + 3);
        }
        let _ = writeln!(
            svg,
            "<text class=\"soft\" x=\"{NUMBERS}\" y=\"{}\">{}</text>",
            y + 19,
            numbers(quota, resource, lane == 0)
        );
    }
}

/// The text beside a bar.
fn numbers(quota: &QuotaRow, resource: &Name, counts: bool) -> String {
    let of = |map: &quotree_sim::result::QuantityMap| {
        map.0.get(resource.as_str()).map(|a| format::amount(resource.as_str(), a))
    };
    let zero = || "0".to_owned();
    let max = of(&quota.max).unwrap_or_else(|| "∞".to_owned());
    let (used, min) = (of(&quota.used).unwrap_or_else(zero), of(&quota.min).unwrap_or_else(zero));
    let mut text = format!("{used} {} (min {min}, max {max})", escape(resource.as_str()));
    if counts {
        let _ = write!(text, " · {} running", quota.counts.running);
        if quota.counts.pending > 0 {
            let _ = write!(text, ", {} pending", quota.counts.pending);
        }
    }
    text
}

/// The length of the bar for an amount; every amount above 0 is visible.
fn length(amount: i64, full: i64) -> i64 {
    if amount <= 0 || full <= 0 {
        return 0;
    }
    let long = i128::from(amount) * i128::from(BAR_LENGTH) / i128::from(full);
    i64::try_from(long).unwrap_or(BAR_LENGTH).clamp(1, BAR_LENGTH)
}

/// The text, shortened in the middle if it is long.
fn short(text: &str, most: usize) -> String {
    let count = text.chars().count();
    if count <= most {
        return text.to_owned();
    }
    let half = most / 2;
    let head: String = text.chars().take(half).collect();
    let tail: String = text.chars().skip(count - half + 1).collect();
    format!("{head}…{tail}")
}

/// Text escaped for XML; hidden characters, some of which XML does not allow, are shown by their codes.
fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in quotree_page::visible(text).chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            c => safe.push(c),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_names_are_escaped() {
        assert_eq!(escape("<a href=\"x\">&\u{0}"), "&lt;a href=&quot;x&quot;&gt;&amp;⟨U+0000⟩");
        assert_eq!(short("abcdefghij", 6), "abc…ij");
    }

    #[test]
    fn lengths_stay_within_the_bar() {
        assert_eq!(
            [(0, 10), (1, i64::MAX), (i64::MAX, i64::MAX), (20, 10), (5, 0)].map(|(a, f)| length(a, f)),
            [0, 1, 400, 400, 0]
        );
    }
}
