//! Two runs: use before and after on one scale, the waits of all pods, and how the wait of each team changed.

use crate::{
    FigureError,
    axes::{self, Axis, Plane},
    canvas::{self, Area, HEIGHT, Head, MARGIN, NORMAL, SMALL, TOP, WIDTH, fitting, readable, say, style, write},
    leaves,
    legend::{self, Entry, Swatch},
    palette::{ACCENT, BAD, GOOD, LINE, PAPER, SLATE, SOFT, TEXT},
    shapes::{DASHES, Pen, path},
    timeline::TimeAxis,
    usage::{CAPACITY, Scale, Usage, plural},
    waits::{self, WaitAxis},
};
use plotters::{
    element::Circle,
    style::{Color, RGBColor, ShapeStyle, text_anchor::HPos},
};
use quotree_page::{
    colours::shared,
    main_resource,
    model::{Report, ResourceIx, WaitSteps, at},
    units,
};

const BEFORE: Pen = Pen { colour: SLATE, width: 3, dashes: DASHES[1] };
const AFTER: Pen = Pen { colour: ACCENT, width: 3, dashes: &[] };
/// The most teams whose change is shown.
const MOST_TEAMS: usize = 7;
/// Where the lower row begins.
const LOWER: i32 = 420;

/// The figure.
pub(crate) fn draw(before: &Report, after: &Report) -> Result<String, FigureError> {
    let resource = main_resource(before);
    let name = at(&before.resources, resource).map(|row| row.name.as_str());
    let same = (0..).zip(&after.resources).find(|(_, row)| Some(row.name.as_str()) == name);
    let other: ResourceIx = same.map_or_else(|| main_resource(after), |(index, _)| index);
    let [colours_before, colours_after] = shared(&before.quotas, &after.quotas);
    let uses = [Usage::of(before, resource, &colours_before), Usage::of(after, other, &colours_after)];
    let title = format!("Before and after: {} in use, and waits", plural(before, resource));
    let about = about(before, after);
    canvas::figure(&Head { title: &title, about: &about }, |area| {
        let middle = WIDTH.cast_signed() / 2;
        let width = middle - MARGIN + 8;
        let time = TimeAxis::of(before.run.end_ms.max(after.run.end_ms));
        let most = uses.iter().map(|usage| usage.most).fold(0.0, f64::max);
        let y = Scale::of(before, resource, most).axis(most);
        for ((usage, word), left) in uses.iter().zip(["before", "after"]).zip([MARGIN - 20, middle + 4]) {
            let part = area.clone().shrink((left, TOP + 2), (width, LOWER - TOP - 44));
            let note = usage.timeline.note();
            write(area, &format!("{word}{note}"), (left + 84, TOP - 4), &style(NORMAL, TEXT, HPos::Left))?;
            let x = Axis { name: time.name.to_owned(), end: time.end, ticks: time.ticks.clone() };
            let plane = axes::draw(&part, &x, &y)?;
            usage.draw(&part, &plane, SMALL)?;
        }
        key(area, &uses)?;
        let part = area.clone().shrink((MARGIN - 20, LOWER), (width, HEIGHT.cast_signed() - LOWER - 6));
        distributions(&part, before, after)?;
        let part = area.clone().shrink((middle + 4, LOWER), (width, HEIGHT.cast_signed() - LOWER - 6));
        teams(&part, &changes(before, after))
    })
}

/// What was run before and after: scenario, policy and seed, or the commands where these are the same.
fn about(before: &Report, after: &Report) -> String {
    let [a, b] = [before, after].map(canvas::run_of);
    let commands = [before, after].map(|report| report.run.command.trim_start_matches("quotree run "));
    let [first, second] = commands;
    if a == b && first != second {
        return format!("before: {first} · after: {second}");
    }
    format!("before: {a} · after: {b}")
}

/// A row of swatches for both pictures of use.
fn key(area: &Area<'_>, uses: &[Usage<'_>]) -> Result<(), FigureError> {
    let mut entries = vec![("capacity of nodes up".to_owned(), Swatch::Line(CAPACITY))];
    for leaf in uses.iter().flat_map(|usage| &usage.leaves) {
        if !entries.iter().any(|(name, _)| *name == leaf.name) {
            entries.push((leaf.name.clone(), Swatch::Area(leaf.colour)));
        }
    }
    let borrowed = |usage: &Usage<'_>| usage.leaves.iter().any(|leaf| leaf.total(|row| row.borrowed_unit_s) > 0);
    if uses.iter().any(borrowed) {
        entries.push(("borrowed".to_owned(), Swatch::Hatched(SLATE)));
    }
    let (mut left, right) = (MARGIN + 64, WIDTH.cast_signed() - MARGIN);
    for (i, (name, swatch)) in entries.iter().enumerate() {
        let name = fitting(area, &readable(name), SMALL, 170);
        let next = left + 34 + canvas::width(area, &name, SMALL) + 22;
        if next > right - 90 && i + 1 < entries.len() {
            let more = format!("and {} more", entries.len() - i);
            return write(area, &more, (left, LOWER - 20), &style(SMALL, SOFT, HPos::Left));
        }
        legend::swatch(area, (left, LOWER - 20), *swatch)?;
        write(area, &name, (left + 34, LOWER - 20), &style(SMALL, TEXT, HPos::Left))?;
        left = next;
    }
    Ok(())
}

/// The waits of all pods in both runs.
fn distributions(area: &Area<'_>, before: &Report, after: &Report) -> Result<(), FigureError> {
    let both = [(before.waits_of(None), BEFORE, "before"), (after.waits_of(None), AFTER, "after")];
    let longest = both.iter().filter_map(|(steps, ..)| steps.and_then(|steps| steps.wait_ms.last()));
    let axis = WaitAxis::to(longest.copied().max().unwrap_or(0));
    let y = Axis { end: 1040.0, ..Axis::percent("pods started, %") };
    let plane = axes::draw(area, &axis.axis("wait from creation to start, all pods", 0.11), &y)?;
    waits::divide(area, &plane)?;
    let mut entries = Vec::new();
    for (steps, pen, word) in both {
        if let Some(steps) = steps {
            waits::curve(area, &plane, axis, steps, pen)?;
            let (name, note) = (format!("{word}: {}", waits::note(steps)), String::new());
            entries.push(Entry { swatch: Swatch::Line(pen), name, note });
        }
    }
    if entries.is_empty() {
        return say(area, plane.middle(), "No pod was created");
    }
    let y = plane.bottom - 26 * i32::try_from(entries.len()).unwrap_or(1) + 6;
    legend::column(area, (plane.x(0.15), y), plane.right - plane.x(0.15), &entries)?;
    Ok(())
}

/// The wait that 95 of 100 pods did not exceed; nothing if more than five of 100 were never started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum P95 {
    Ms(u64),
    Never,
}

impl P95 {
    fn of(steps: &WaitSteps) -> Self {
        steps.within(95).map_or(Self::Never, Self::Ms)
    }

    fn order(self) -> u64 {
        match self {
            Self::Ms(ms) => ms,
            Self::Never => u64::MAX,
        }
    }
}

/// A team in both runs.
struct Change {
    name: String,
    before: P95,
    after: P95,
}

impl Change {
    /// The difference with its sign, and whether it is good.
    fn said(&self) -> (String, RGBColor) {
        let colour = match self.after.order().cmp(&self.before.order()) {
            std::cmp::Ordering::Less => GOOD,
            std::cmp::Ordering::Equal => SOFT,
            std::cmp::Ordering::Greater => BAD,
        };
        let said = match (self.before, self.after) {
            (P95::Never, P95::Never) => "never started".to_owned(),
            (before, after) if before == after => "no change".to_owned(),
            (P95::Ms(before), P95::Ms(after)) if after > before => format!("+{}", units::span(after - before)),
            (P95::Ms(before), P95::Ms(after)) => format!("−{}", units::span(before - after)),
            (_, P95::Never) => "now never started".to_owned(),
            (P95::Never, P95::Ms(after)) => format!("starts: {}", waits::said(after)),
        };
        (said, colour)
    }
}

/// The teams that both runs have, most changed first.
fn changes(before: &Report, after: &Report) -> Vec<Change> {
    let of = |report: &Report, name: &str| {
        let is_it = |steps: &&WaitSteps| steps.quota.is_some_and(|quota| leaves::name(report, quota) == name);
        report.whole_waits().find(is_it).map(P95::of)
    };
    let leaves = before.quotas.iter().filter(|quota| quota.leaf);
    let change =
        |name: &String| Some(Change { name: name.clone(), before: of(before, name)?, after: of(after, name)? });
    let mut changes: Vec<Change> = leaves.filter_map(|quota| change(&quota.name)).collect();
    changes.sort_by_key(|change| std::cmp::Reverse(change.before.order().abs_diff(change.after.order())));
    changes
}

/// How the wait of each team changed: a ring before, a dot after.
fn teams(area: &Area<'_>, changes: &[Change]) -> Result<(), FigureError> {
    let shown = changes.get(..MOST_TEAMS.min(changes.len())).unwrap_or_default();
    let finite = shown.iter().flat_map(|change| [change.before, change.after]);
    let longest = finite.filter_map(|p95| if let P95::Ms(ms) = p95 { Some(ms) } else { None }).max().unwrap_or(0);
    let axis = WaitAxis::to(longest);
    let (width, height) = area.dim_in_pixel();
    let (width, height) = (width.cast_signed(), height.cast_signed());
    let (names, said) = (150, 130);
    let plot = area.clone().shrink((names - 84, 0), (width - names + 84 - said, height));
    let x = axis.axis("wait p95 of pods", 0.16);
    let plane = axes::draw(&plot, &x, &Axis { name: String::new(), end: 1.0, ticks: Vec::new() })?;
    waits::divide(&plot, &plane)?;
    if shown.is_empty() {
        return say(&plot, plane.middle(), "No team has pods in both runs");
    }
    let count = i32::try_from(shown.len()).unwrap_or(1);
    let distance = ((plane.bottom - plane.top - 16) / count).min(40);
    for (change, row) in shown.iter().zip(0..) {
        let y = plane.top + 8 + distance * row + distance / 2;
        let name = fitting(area, &readable(&change.name), SMALL, names - 16);
        write(area, &name, (names - 12, y), &style(SMALL, TEXT, HPos::Right))?;
        dumbbell(&plot, &plane, axis, change, y)?;
        let (text, colour) = change.said();
        let text = fitting(area, &text, SMALL, said - 4);
        write(area, &text, (width - said, y), &style(SMALL, colour, HPos::Left))?;
    }
    if changes.len() > shown.len() {
        let more = format!("and {} more", changes.len() - shown.len());
        write(area, &more, (names - 12, plane.bottom + 16), &style(SMALL, SOFT, HPos::Right))?;
    }
    let y = plane.bottom + 40;
    for (left, word, is_after) in [(width - said - 24, "before", false), (width - said + 54, "after", true)] {
        dot(area, (left, y), is_after)?;
        write(area, word, (left + 12, y), &style(SMALL, TEXT, HPos::Left))?;
    }
    Ok(())
}

/// A ring before, a dot after.
fn dot(area: &Area<'_>, at: (i32, i32), is_after: bool) -> Result<(), FigureError> {
    if is_after {
        return Ok(area.draw(&Circle::new(at, 6, ACCENT.filled()))?);
    }
    area.draw(&Circle::new(at, 6, PAPER.filled()))?;
    Ok(area.draw(&Circle::new(at, 6, ShapeStyle::from(SLATE).stroke_width(2)))?)
}

fn dumbbell(area: &Area<'_>, plane: &Plane, axis: WaitAxis, change: &Change, y: i32) -> Result<(), FigureError> {
    let place = |p95: P95| match p95 {
        P95::Ms(ms) => plane.x(axis.place(ms)),
        P95::Never => plane.right + 8,
    };
    let (from, to) = (place(change.before), place(change.after));
    path(area, &[(plane.left, y), (plane.right, y)], Pen { colour: LINE, width: 1, dashes: &[] })?;
    path(area, &[(from, y), (to, y)], Pen { colour: SLATE, width: 2, dashes: &[] })?;
    dot(area, (from, y), false)?;
    dot(area, (to, y), true)
}
