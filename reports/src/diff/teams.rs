//! Which teams win and which lose between two runs. The teams are the leaves of the quota tree; they are compared by
//! the figures that matter to them.

use super::{is_bound, named};
use crate::{
    format::{self, many},
    grid::{self, Cell, Column},
    layout::wrap,
    style::{Style, Tone},
};
use quotree_core::Unit;
use serde::Serialize;
use serde_json::{Map, Value};
use std::{
    cmp::Ordering,
    collections::{BTreeMap, BTreeSet},
};

/// The result for a team in the second run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Better than in the first.
    Wins,
    /// Worse.
    Loses,
    /// None of the compared figures differs.
    Same,
}

/// A figure of a team in both runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Pair<T> {
    /// In the first run.
    pub a: T,
    /// In the second.
    pub b: T,
}

/// A wait, milliseconds, and whether it is a lower bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize)]
pub struct Bound {
    /// How long.
    pub ms: u64,
    /// Whether it is a lower bound, since a job is still waiting.
    pub at_least: bool,
}

/// A team in both runs. The first figure that differs decides in which run the team fares better: the unmet guarantee,
/// the p95 of waits, their p50, evictions (the fewer the better), then use (the more the better).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Team {
    /// The leaf.
    pub name: String,
    /// The result for the team.
    pub outcome: Outcome,
    /// The figure that decided; absent if none differs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<&'static str>,
    /// Unmet guarantee, base units times seconds.
    pub unmet_unit_s: Pair<u128>,
    /// The median of the waits of its jobs.
    pub wait_p50: Pair<Bound>,
    /// Their p95.
    pub wait_p95: Pair<Bound>,
    /// What its pods used, base units times seconds.
    pub used_unit_s: Pair<u128>,
    /// Evictions of its pods.
    pub evicted: Pair<u64>,
}

/// The teams that both runs have, and the resource that amounts are about.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Teams {
    /// The resource: GPUs if there are any, else cpu, else the first.
    pub resource: String,
    /// Winners first, then losers.
    pub rows: Vec<Team>,
}

impl Teams {
    pub(super) fn of(a: &Map<String, Value>, b: &Map<String, Value>) -> Self {
        let (a, b) = (named(a, "quotas"), named(b, "quotas"));
        let resource = resource(&a, &b);
        let parents: BTreeSet<&str> = a.iter().chain(&b).filter_map(|(_, row)| row.get("parent")?.as_str()).collect();
        let second: BTreeMap<&str, &Value> = b.iter().map(|(name, row)| (name.as_str(), *row)).collect();
        let leaves = a.iter().filter(|(name, _)| !parents.contains(name.as_str()));
        let both = leaves.filter_map(|(name, row)| Some((name, *row, *second.get(name.as_str())?)));
        let mut rows: Vec<Team> = both.map(|(name, a, b)| team(name, &resource, a, b)).collect();
        rows.sort_by_key(|team| team.outcome);
        Self { resource, rows }
    }

    /// The table of teams as text; empty if no team is better or worse off.
    pub(super) fn text(&self, style: Style) -> String {
        let count = |outcome| self.rows.iter().filter(|team| team.outcome == outcome).count() as u64;
        let (wins, loses, same) = (count(Outcome::Wins), count(Outcome::Loses), count(Outcome::Same));
        if wins + loses == 0 {
            return String::new();
        }
        let verb =
            |n: u64, one: &str, more: &str| format!("{} {}", format::count(n.into()), if n == 1 { one } else { more });
        let scale = Scale::of(self);
        let heading = format!(
            "Teams: {}, {}, {} as before",
            verb(wins, "wins", "win"),
            verb(loses, "loses", "lose"),
            format::count(same.into())
        );
        let mut text = format!("\n{}\n", style.heading(&heading));
        let about = format!("The second run, and in brackets what changed. Amounts in {}.", scale.unit);
        text += &style.paint_lines(Tone::Faint, &wrap(style, &about, 2));
        let columns = [
            Column::left("TEAM", 0),
            Column::left("", 0),
            Column::right("UNMET GUARANTEE", 0),
            Column::right("JOB WAIT p50", 1),
            Column::right("JOB WAIT p95", 0),
            Column::right("USED", 2),
            Column::right("EVICTED", 0),
        ];
        text + &grid::first(style, &columns, self.rows.iter().map(|team| cells(team, &scale)), "team")
    }
}

fn cells(team: &Team, scale: &Scale) -> Vec<Cell> {
    let (word, tone) = match team.outcome {
        Outcome::Wins => ("wins", Tone::Good),
        Outcome::Loses => ("loses", Tone::Bad),
        Outcome::Same => ("same", Tone::Faint),
    };
    let wait = |pair: Pair<Bound>| {
        let delta = match pair.b.ms.cmp(&pair.a.ms) {
            Ordering::Equal if pair.a.at_least == pair.b.at_least => String::new(),
            Ordering::Equal => format!(" (was {})", format::bounded(pair.a.ms, pair.a.at_least)),
            order => format!(" ({}{})", sign(order), format::span(pair.a.ms.abs_diff(pair.b.ms))),
        };
        format!("{}{delta}", format::bounded(pair.b.ms, pair.b.at_least))
    };
    vec![
        Cell::new(&team.name),
        Cell::new(word).tone(tone),
        changed(team.unmet_unit_s, |n| scale.shown(n)),
        Cell::new(wait(team.wait_p50)),
        Cell::new(wait(team.wait_p95)),
        changed(team.used_unit_s, |n| scale.shown(n)),
        changed(Pair { a: team.evicted.a.into(), b: team.evicted.b.into() }, format::count),
    ]
}

const fn sign(order: Ordering) -> &'static str {
    match order {
        Ordering::Less => "-",
        Ordering::Equal => "±",
        Ordering::Greater => "+",
    }
}

/// A cell with the second value, and its difference from the first.
fn changed(pair: Pair<u128>, shown: impl Fn(u128) -> String) -> Cell {
    match pair.b.cmp(&pair.a) {
        Ordering::Equal if pair.b == 0 => Cell::none(),
        Ordering::Equal => Cell::new(shown(pair.b)),
        order => Cell::new(format!("{} ({}{})", shown(pair.b), sign(order), shown(pair.a.abs_diff(pair.b)))),
    }
}

/// The unit in which amounts over time are shown: hours, or seconds if the amounts are small.
struct Scale {
    unit: String,
    /// Hundredths of a unit, in base units times seconds.
    hundredth: u128,
}

impl Scale {
    fn of(teams: &Teams) -> Self {
        let (one, of) = match Unit::of(&teams.resource) {
            Unit::Milli => (1000, ""),
            Unit::Bytes => (1 << 30, "GiB "),
        };
        let pairs = teams.rows.iter().flat_map(|team| [team.used_unit_s, team.unmet_unit_s]);
        let most = pairs.map(|pair| pair.a.max(pair.b)).max().unwrap_or(0);
        let (what, seconds) = if most >= 10 * 3600 * one { ("hours", 3600) } else { ("seconds", 1) };
        Self { unit: format!("{of}{}-{what}", teams.resource), hundredth: (one * seconds / 100).max(1) }
    }

    fn shown(&self, base_seconds: u128) -> String {
        let hundredths = base_seconds / self.hundredth;
        let text = format!("{}.{:02}", format::count(hundredths / 100), hundredths % 100);
        text.strip_suffix(".00").map_or_else(|| text.clone(), str::to_owned)
    }
}

/// GPUs if any quota names them, else cpu, else the first resource.
fn resource(a: &[(String, &Value)], b: &[(String, &Value)]) -> String {
    let rows = a.iter().chain(b).map(|(_, row)| *row);
    let maps =
        rows.flat_map(|row| ["min", "max", "used_time_s"].into_iter().filter_map(|key| row.get(key)?.as_object()));
    let names: BTreeSet<&str> = maps.flat_map(|map| map.keys().map(String::as_str)).collect();
    let gpu = names.iter().find(|name| **name == "gpu" || name.ends_with("/gpu"));
    gpu.or_else(|| names.get("cpu")).or_else(|| names.first()).map(|name| (*name).to_owned()).unwrap_or_default()
}

fn team(name: &str, resource: &str, a: &Value, b: &Value) -> Team {
    let pair = |of: &dyn Fn(&Value) -> u128| Pair { a: of(a), b: of(b) };
    let time = |key: &'static str| pair(&|row: &Value| unit_seconds(row, key, resource));
    let wait = |key: &'static str| {
        let of = |row: &Value| {
            let Some(wait) = row.get("wait").and_then(Value::as_object) else { return Bound::default() };
            Bound { ms: wait.get(key).and_then(Value::as_u64).unwrap_or(0), at_least: is_bound(wait, key) }
        };
        Pair { a: of(a), b: of(b) }
    };
    let evicted = |row: &Value| row.get("evicted").and_then(Value::as_u64).unwrap_or(0);
    let mut team = Team {
        name: name.to_owned(),
        outcome: Outcome::Same,
        by: None,
        unmet_unit_s: time("starved_time_s"),
        wait_p50: wait("p50_ms"),
        wait_p95: wait("p95_ms"),
        used_unit_s: time("used_time_s"),
        evicted: Pair { a: evicted(a), b: evicted(b) },
    };
    let orders = [
        ("unmet guarantee", team.unmet_unit_s.b.cmp(&team.unmet_unit_s.a)),
        ("wait p95", team.wait_p95.b.cmp(&team.wait_p95.a)),
        ("wait p50", team.wait_p50.b.cmp(&team.wait_p50.a)),
        ("evictions", team.evicted.b.cmp(&team.evicted.a)),
        ("use", team.used_unit_s.a.cmp(&team.used_unit_s.b)),
    ];
    if let Some((by, order)) = orders.into_iter().find(|(_, order)| *order != Ordering::Equal) {
        team.by = Some(by);
        team.outcome = if order == Ordering::Less { Outcome::Wins } else { Outcome::Loses };
    }
    team
}

/// An amount over time in base units times seconds, rounded down, from its decimal of units times seconds.
fn unit_seconds(row: &Value, key: &str, resource: &str) -> u128 {
    let text = row.get(key).and_then(|map| map.get(resource)).and_then(Value::as_str).unwrap_or("0");
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    match Unit::of(resource) {
        Unit::Bytes => whole.parse().unwrap_or(0),
        Unit::Milli => {
            let thousandths: String = part.chars().chain("000".chars()).take(3).collect();
            whole.parse::<u128>().unwrap_or(0).saturating_mul(1000).saturating_add(thousandths.parse().unwrap_or(0))
        }
    }
}

/// The result for the teams, for the first line of a difference.
pub(super) fn in_short(teams: &Teams) -> String {
    let names = |outcome| {
        let all: Vec<&str> =
            teams.rows.iter().filter(|team| team.outcome == outcome).map(|team| team.name.as_str()).collect();
        let more = all.len().saturating_sub(3);
        let first = all.iter().take(3).copied().collect::<Vec<_>>().join(", ");
        if more > 0 { format!("{first} and {}", many(more as u64, "other")) } else { first }
    };
    let said = |verb: &str, names: String| (!names.is_empty()).then(|| format!("{verb}: {names}"));
    let parts = [said("better off", names(Outcome::Wins)), said("worse off", names(Outcome::Loses))];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    if parts.is_empty() { "no team is better or worse off".to_owned() } else { parts.join("; ") }
}
