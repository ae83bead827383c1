//! The differences of two runs as text: first whether there are any, then the changes by kind.

use super::{Change, Diff, teams::in_short};
use crate::{
    format::{self, many},
    grid::{self, Cell, Column},
    layout::wrap,
    people::money,
    style::{Style, Tone},
};
use serde_json::Value;
use std::collections::BTreeMap;

/// The heading of each kind, in the order of the text.
const KINDS: [(&str, &str); 9] = [
    ("run", "Runs"),
    ("claim", "Claims"),
    ("namespace", "Namespaces"),
    ("quota", "Quotas"),
    ("user", "Users"),
    ("group", "Groups"),
    ("workload", "Workloads"),
    ("metric", "Metrics"),
    ("node", "Nodes"),
];

impl Diff {
    /// The difference as text, with a newline at the end.
    #[must_use]
    pub fn text(&self, style: Style) -> String {
        if self.is_empty() {
            return "The two runs are equal: they have the same digest and the same summary.\n".to_owned();
        }
        let same = if self.same_digest { "same run digest" } else { "different run digests" };
        let names = if self.a == self.b { self.a.clone() } else { format!("{} → {}", self.a, self.b) };
        let what = many(self.changes.len() as u64, "value");
        let teams = if self.teams.rows.is_empty() { String::new() } else { format!(" · {}", in_short(&self.teams)) };
        let mut text = wrap(style, &format!("{}  {same}, {what} changed{teams}", style.heading(&names)), 2);
        if let Some([a, b]) = &self.worst_outage {
            let name = |side: &Option<String>| side.clone().unwrap_or_else(|| "none".to_owned());
            let sentence = match a == b {
                true => format!("Worst outage of both sides: {}.", name(a)),
                false => format!("Worst outage: {} → {}.", name(a), name(b)),
            };
            text.push_str(&wrap(style, &sentence, 2));
        }
        let dated = |ms: u64| format!("{}{}", format::moment(ms), format::date(self.starts_at, ms));
        if let Some((a, b)) = self.ends_ms {
            let warning = format!(
                "The runs end at different times, {} and {}, so amounts over time, counts and waits cannot be compared.",
                dated(a),
                dated(b)
            );
            text.push_str(&style.paint_lines(Tone::Odd, &wrap(style, &warning, 2)));
        }
        text.push_str(&self.teams.text(style));
        for (kind, heading) in KINDS {
            text.push_str(&self.section(style, kind, heading));
        }
        if let Some((index, a, b)) = &self.first_eviction {
            let none = || "no such eviction".to_owned();
            text.push_str(&format!(
                "\n{}\n",
                style.paint(Tone::Strong, &format!("First eviction that differs: #{}", index + 1))
            ));
            text.push_str(&wrap(style, &format!("  - {}", a.clone().unwrap_or_else(none)), 4));
            text.push_str(&wrap(style, &format!("  + {}", b.clone().unwrap_or_else(none)), 4));
        }
        for (mark, side, only) in [("-", "first", &self.only_in_a), ("+", "second", &self.only_in_b)] {
            if !only.is_empty() {
                text.push_str(&format!("\n{}\n", style.paint(Tone::Strong, &format!("Only in the {side} run"))));
                only.iter()
                    .take(style.rows)
                    .for_each(|name| text.push_str(&wrap(style, &format!("  {mark} {name}"), 4)));
                text.push_str(&style.more_after("  ", only.len(), style.rows, "change"));
            }
        }
        text
    }

    fn section(&self, style: Style, kind: &str, heading: &str) -> String {
        const COLUMNS: [Column; 5] = [
            Column::left("  ", 0),
            Column::left("", 0),
            Column::right("FIRST", 0),
            Column::right("SECOND", 0),
            Column::right("", 0),
        ];
        let ours = || self.changes.iter().filter(|change| change.of == kind);
        let waits: BTreeMap<(&str, &str), &Change> = ours()
            .filter_map(|change| Some(((change.name.as_str(), change.field.strip_prefix("wait.")?), change)))
            .collect();
        let changes: Vec<&Change> = ours().filter(|change| !says_nothing_new(change, &waits)).collect();
        if changes.is_empty() {
            return String::new();
        }
        let mut last = "";
        let mut rows = Vec::new();
        for change in changes.iter().take(style.rows) {
            let name = if change.name == last { String::new() } else { change.name.clone() };
            last = &change.name;
            rows.push(vec![
                Cell::new(format!("  {name}")),
                Cell::new(label(&change.field)).tone(Tone::Faint),
                Cell::new(bound(change.a_at_least, shown(&change.field, change.a.as_ref()))),
                Cell::new(bound(change.b_at_least, shown(&change.field, change.b.as_ref()))),
                Cell::new(delta(change)).tone(Tone::Odd),
            ]);
        }
        let table = grid::lines(style, &COLUMNS, &rows);
        format!(
            "\n{}\n{table}{}",
            style.paint(Tone::Strong, heading),
            style.more_after("  ", changes.len(), style.rows, "change")
        )
    }
}

/// The endings of JSON field names that mean a unit.
const UNITS: [&str; 4] = ["_ms", "_permille", "_unit_s", "_milli"];

/// A field name in words, without the unit, which its values have: `borrowed_unit_s.cpu` becomes "borrowed cpu".
fn label(field: &str) -> String {
    let part = |part: &str| {
        let unit = UNITS.iter().find_map(|unit| part.strip_suffix(unit));
        unit.map_or_else(|| part.to_owned(), |words| words.replace('_', " "))
    };
    match field.split_once('.') {
        None if field == "seen" => "observed".to_owned(),
        Some((head, key)) if head.ends_with("_time_s") => {
            format!("{} {key}-seconds", head.trim_end_matches("_time_s").replace('_', " "))
        }
        Some((head, key)) => format!("{} {}", part(head).replace('_', " "), part(key)),
        None => part(field).replace('_', " "),
    }
}

/// A number with the unit that its field name means.
fn with_unit(field: &str, number: u64) -> String {
    let (head, key) = field.split_once('.').unwrap_or((field, ""));
    let is = |unit: &str| head.ends_with(unit) || key.ends_with(unit);
    if is("_ms") {
        format::span(number)
    } else if head == "slowdown" && is("_permille") {
        format::ratio(number)
    } else if is("_permille") {
        format::percent(number)
    } else if is("_unit_s") {
        format::unit_hours(key, number.into())
    } else if is("_milli") {
        format!("{} price units", money(number.into()))
    } else {
        format::count(number.into())
    }
}

/// Whether the text leaves out a change: that of one of the upper quantiles, or of a first wait that is equal to the
/// change of all waits (`waits`, by name and figure).
fn says_nothing_new(change: &Change, waits: &BTreeMap<(&str, &str), &Change>) -> bool {
    if change.field.ends_with(".p99_ms") || change.field.ends_with(".p99_permille") {
        return true;
    }
    let figure = change.field.strip_prefix("first_wait.");
    let all = figure.and_then(|figure| waits.get(&(change.name.as_str(), figure)));
    all.is_some_and(|all| (&all.a, &all.b) == (&change.a, &change.b))
}

/// A value that may be a lower bound.
fn bound(at_least: bool, text: String) -> String {
    if at_least { format!("≥{text}") } else { text }
}

fn shown(field: &str, value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => "—".to_owned(),
        Some(Value::Number(number)) => number.as_u64().map_or_else(|| number.to_string(), |n| with_unit(field, n)),
        Some(Value::String(text)) => clipped(text),
        Some(value) => clipped(&value.to_string()),
    }
}

/// The text, cut off at the end if it is too long for a table.
fn clipped(text: &str) -> String {
    const MOST: usize = 60;
    match text.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

/// The signed difference of two numbers.
fn delta(change: &Change) -> String {
    let number = |value: &Option<Value>| value.as_ref().and_then(Value::as_u64);
    let (Some(a), Some(b)) = (number(&change.a), number(&change.b)) else { return String::new() };
    let sign = if b > a { "+" } else { "-" };
    format!("{sign}{}", with_unit(&change.field, a.abs_diff(b)))
}
