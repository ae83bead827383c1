//! The differences between two runs. They are computed from two `summary.json` values, so the runs can be from
//! different days, versions and machines.

mod teams;
mod text;

pub use teams::{Bound, Outcome, Pair, Team, Teams};

use quotree_sim::model::Start;
use serde::Serialize;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// A value that differs between the two runs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Change {
    /// `quota`, `namespace`, `workload`, `node`, `claim`, `metric` or `run`.
    pub of: &'static str,
    /// The name of the quota, workload, ... that has the value; empty for the run as a whole.
    pub name: String,
    /// The field, with nested fields joined by dots: `used.cpu`, `wait.p50_ms`.
    pub field: String,
    /// The value in the first run; absent if it has none.
    pub a: Option<Value>,
    /// The value in the second run.
    pub b: Option<Value>,
    /// Whether the first value is a lower bound, since it includes times that have not ended at the end of the run.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub a_at_least: bool,
    /// Whether the second value is a lower bound.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub b_at_least: bool,
}

/// The difference of two runs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Diff {
    /// The scenario of the first run.
    pub a: String,
    /// The scenario of the second.
    pub b: String,
    /// Whether both runs have the same digest, that is, the same trace.
    pub same_digest: bool,
    /// The domains of the worst-case outages of the two runs, where one of them has such an outage.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub worst_outage: Option<[Option<String>; 2]>,
    /// The calendar time of moment 0, if both runs have the same.
    #[serde(skip)]
    pub starts_at: Option<Start>,
    /// The end times of the two runs, milliseconds, if they differ. Amounts over time, counts and waits of such runs
    /// cannot be compared.
    pub ends_ms: Option<(u64, u64)>,
    /// Which teams win and which lose.
    pub teams: Teams,
    /// The first eviction that differs, as `(index, in the first run, in the second run)`.
    pub first_eviction: Option<(usize, Option<String>, Option<String>)>,
    /// Quotas, workloads, ... that only the first run has, as `kind name`.
    pub only_in_a: Vec<String>,
    /// Quotas, workloads, ... that only the second run has.
    pub only_in_b: Vec<String>,
    /// Values that differ, in the order of the summary.
    pub changes: Vec<Change>,
}

/// Why two values cannot be compared.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DiffError {
    /// One of them is not a summary.
    #[error("the {which} file is not the summary.json of a run: {why}")]
    NoSummary {
        /// `first` or `second`.
        which: &'static str,
        /// What is wrong with it.
        why: String,
    },
}

/// The lists whose entries have names, and the kind of their entries.
const LISTS: [(&str, &str); 6] = [
    ("quotas", "quota"),
    ("namespaces", "namespace"),
    ("users", "user"),
    ("groups", "group"),
    ("workloads", "workload"),
    ("nodes", "node"),
];

/// The fields of the run as a whole that are compared.
const FACTS: [&str; 7] = ["scenario", "seed", "semantics", "policy", "scenario_digest", "end_ms", "quiet_ms"];

/// Compares two summaries.
///
/// # Errors
/// [`DiffError`] if one of them is not a summary.
pub fn diff(a: &Value, b: &Value) -> Result<Diff, DiffError> {
    let (first, second) = (summary("first", a)?, summary("second", b)?);
    let mut diff = Diff {
        a: text_of(first, "scenario"),
        b: text_of(second, "scenario"),
        same_digest: first.get("digest").is_some() && first.get("digest") == second.get("digest"),
        worst_outage: worst_outage(first, second),
        starts_at: starts_at(first).filter(|start| starts_at(second) == Some(*start)),
        ends_ms: ends(first, second),
        teams: Teams::of(first, second),
        first_eviction: first_eviction(first, second),
        only_in_a: Vec::new(),
        only_in_b: Vec::new(),
        changes: Vec::new(),
    };
    for fact in FACTS {
        diff.value("run", "", fact, first.get(fact), second.get(fact));
    }
    for (list, kind) in LISTS {
        diff.list(kind, &named(first, list), &named(second, list));
    }
    diff.value("metric", "", "", first.get("metrics"), second.get("metrics"));
    diff.list("claim", &claims(first), &claims(second));
    Ok(diff)
}

impl Diff {
    /// Whether nothing at all differs.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
            && self.only_in_a.is_empty()
            && self.only_in_b.is_empty()
            && self.first_eviction.is_none()
            && self.same_digest
    }

    fn list(&mut self, kind: &'static str, a: &[(String, &Value)], b: &[(String, &Value)]) {
        let in_b: BTreeMap<&str, &Value> = b.iter().map(|(name, row)| (name.as_str(), *row)).collect();
        let in_a: BTreeMap<&str, &Value> = a.iter().map(|(name, row)| (name.as_str(), *row)).collect();
        for (name, row) in a {
            match in_b.get(name.as_str()) {
                Some(other) => self.value(kind, name, "", Some(row), Some(other)),
                None => self.only_in_a.push(format!("{kind} {name}")),
            }
        }
        let new = b.iter().filter(|(name, _)| !in_a.contains_key(name.as_str()));
        self.only_in_b.extend(new.map(|(name, _)| format!("{kind} {name}")));
    }

    /// Compares maps key by key, and all other values as a whole.
    fn value(&mut self, of: &'static str, name: &str, field: &str, a: Option<&Value>, b: Option<&Value>) {
        self.bounded(of, name, field, (a, false), (b, false));
    }

    /// As [`value`](Self::value), for values that may be lower bounds.
    fn bounded(
        &mut self,
        of: &'static str,
        name: &str,
        field: &str,
        (a, a_at_least): (Option<&Value>, bool),
        (b, b_at_least): (Option<&Value>, bool),
    ) {
        let same = a == b && a_at_least == b_at_least;
        if same || matches!(field, "name" | "claim" | "line" | "explanations") {
            return;
        }
        let empty = Map::new();
        let maps = match (a, b) {
            (Some(Value::Object(a)), Some(Value::Object(b))) => Some((a, b)),
            (Some(Value::Object(a)), None) => Some((a, &empty)),
            (None, Some(Value::Object(b))) => Some((&empty, b)),
            _ => None,
        };
        let Some((in_a, in_b)) = maps else {
            let (name, field, a, b) = (name.to_owned(), field.to_owned(), a.cloned(), b.cloned());
            return self.changes.push(Change { of, name, field, a, b, a_at_least, b_at_least });
        };
        let inner = |key: &str| if field.is_empty() { key.to_owned() } else { format!("{field}.{key}") };
        if in_a.contains_key("sum_ms") || in_b.contains_key("sum_ms") {
            // A sum of waits depends on their number: runs are compared by the mean.
            let (a, b) = (mean_ms(in_a), mean_ms(in_b));
            let bounds = (is_bound(in_a, "mean"), is_bound(in_b, "mean"));
            self.bounded(of, name, &inner("mean_ms"), (a.as_ref(), bounds.0), (b.as_ref(), bounds.1));
        }
        // RunSource with the mean, and with each value.
        let told = |key: &str| matches!(key, "sum_ms" | "at_least");
        for (key, value) in in_a.iter().filter(|(key, _)| !told(key)) {
            let bounds = (is_bound(in_a, key), is_bound(in_b, key));
            self.bounded(of, name, &inner(key), (Some(value), bounds.0), (in_b.get(key), bounds.1));
        }
        for (key, value) in in_b.iter().filter(|(key, _)| !in_a.contains_key(*key) && !told(key)) {
            self.bounded(of, name, &inner(key), (None, false), (Some(value), is_bound(in_b, key)));
        }
    }
}

/// Whether a figure of a spread, such as `p95_ms`, is a lower bound.
fn is_bound(spread: &Map<String, Value>, key: &str) -> bool {
    let figure = key.split_once('_').map_or(key, |(figure, _)| figure);
    let named = spread.get("at_least").and_then(Value::as_array);
    named.is_some_and(|figures| figures.iter().any(|name| name.as_str() == Some(figure)))
}

/// The mean wait in whole milliseconds; nothing if no pod was bound.
fn mean_ms(waits: &Map<String, Value>) -> Option<Value> {
    let number = |field: &str| waits.get(field).and_then(Value::as_u64);
    number("sum_ms")?.checked_div(number("count")?).map(Value::from)
}

/// The fields of a summary, or an error if it is not one.
fn summary<'a>(which: &'static str, value: &'a Value) -> Result<&'a Map<String, Value>, DiffError> {
    let error = |why: &str| DiffError::NoSummary { which, why: why.to_owned() };
    let fields = value.as_object().ok_or_else(|| error("it is not a JSON object"))?;
    for list in ["quotas", "namespaces", "evictions"] {
        if !fields.get(list).is_some_and(Value::is_array) {
            return Err(error(&format!("it has no list `{list}`")));
        }
    }
    Ok(fields)
}

fn text_of(fields: &Map<String, Value>, field: &str) -> String {
    fields.get(field).and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn rows<'a>(fields: &'a Map<String, Value>, list: &str) -> &'a [Value] {
    fields.get(list).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn named<'a>(fields: &'a Map<String, Value>, list: &str) -> Vec<(String, &'a Value)> {
    let name = |row: &'a Value| Some((row.get("name")?.as_str()?.to_owned(), row));
    rows(fields, list).iter().filter_map(name).collect()
}

/// Claims by their text; equal texts are numbered, so that each claim has its own name.
fn claims(fields: &Map<String, Value>) -> Vec<(String, &Value)> {
    let mut times: BTreeMap<&str, usize> = BTreeMap::new();
    let list = fields.get("claims").and_then(|claims| claims.get("results")).and_then(Value::as_array);
    let named = |row| {
        let text = Value::get(row, "claim")?.as_str()?;
        let time = times.entry(text).or_default();
        *time += 1;
        Some((if *time == 1 { text.to_owned() } else { format!("{text} (#{time})") }, row))
    };
    list.map_or(&[][..], Vec::as_slice).iter().filter_map(named).collect()
}

/// When the two runs end, if that differs.
fn ends(a: &Map<String, Value>, b: &Map<String, Value>) -> Option<(u64, u64)> {
    let end = |fields: &Map<String, Value>| fields.get("end_ms").and_then(Value::as_u64);
    Some((end(a)?, end(b)?)).filter(|(a, b)| a != b)
}

/// The calendar time of moment 0 of a run.
fn starts_at(of: &Map<String, Value>) -> Option<Start> {
    of.get("starts_at")?.as_str()?.parse().ok()
}

/// The domains of the worst-case outages of two runs.
fn worst_outage(a: &Map<String, Value>, b: &Map<String, Value>) -> Option<[Option<String>; 2]> {
    let domain = |of: &Map<String, Value>| Some(of.get("worst_outage")?.get("domain")?.as_str()?.to_owned());
    let both = [domain(a), domain(b)];
    both.iter().any(Option::is_some).then_some(both)
}

fn first_eviction(a: &Map<String, Value>, b: &Map<String, Value>) -> Option<(usize, Option<String>, Option<String>)> {
    let of_a = a;
    let (a, b) = (rows(a, "evictions"), rows(b, "evictions"));
    let index = (0..a.len().max(b.len())).find(|i| a.get(*i) != b.get(*i))?;
    let start = starts_at(of_a);
    let eviction = |row: &Value| {
        let word = |field: &str| row.get(field).and_then(Value::as_str);
        let ms = row.get("at_ms").and_then(Value::as_u64).unwrap_or_default();
        let at = format!("{}{}", crate::format::moment(ms), crate::format::date(start, ms));
        let (pod, rule) = (word("pod").unwrap_or_default(), word("rule").unwrap_or_default());
        let cause = word("cause").map_or_else(String::new, |cause| format!(" to make room for {cause}"));
        format!("at {at} {pod} is evicted{cause} ({rule})")
    };
    Some((index, a.get(index).map(eviction), b.get(index).map(eviction)))
}
