//! The edits that the shrinker tries: each removes values or makes them smaller. None makes anything larger, so any
//! sequence of them ends.

use quotree_sim::scenario::Value;
use std::{collections::BTreeSet, ops::Range};

/// The path from the root to a value: the index of an entry at each step.
pub(crate) type Path = Vec<usize>;

/// Fields that bound a run; they are never removed.
const GUARDS: [&str; 2] = ["max_events", "until"];

/// The number of values.
pub(crate) fn count(value: &Value) -> usize {
    1 + children(value).into_iter().map(count).sum::<usize>()
}

fn children(value: &Value) -> Vec<&Value> {
    match value {
        Value::List(items) => items.iter().collect(),
        Value::Map(entries) => entries.iter().map(|(_, value)| value).collect(),
        Value::Struct { args, fields, .. } => args.iter().chain(fields.iter().map(|(_, value)| value)).collect(),
        _ => Vec::new(),
    }
}

/// The path to every value, outer ones first.
pub(crate) fn paths(value: &Value) -> Vec<Path> {
    fn gather(value: &Value, path: &mut Path, all: &mut Vec<Path>) {
        all.push(path.clone());
        for (number, child) in children(value).into_iter().enumerate() {
            path.push(number);
            gather(child, path, all);
            path.pop();
        }
    }
    let mut all = Vec::new();
    gather(value, &mut Vec::new(), &mut all);
    all
}

/// The value at a path.
pub(crate) fn at<'a>(value: &'a Value, path: &[usize]) -> Option<&'a Value> {
    path.iter().try_fold(value, |value, number| children(value).get(*number).copied())
}

fn at_mut<'a>(value: &'a mut Value, path: &[usize]) -> Option<&'a mut Value> {
    path.iter().try_fold(value, |value, number| match value {
        Value::List(items) => items.get_mut(*number),
        Value::Map(entries) => entries.get_mut(*number).map(|(_, value)| value),
        Value::Struct { args, fields, .. } => {
            let named = number.checked_sub(args.len());
            match named {
                None => args.get_mut(*number),
                Some(number) => fields.get_mut(number).map(|(_, value)| value),
            }
        }
        _ => None,
    })
}

/// Replaces the value at a path.
pub(crate) fn set(value: &mut Value, path: &[usize], new: Value) {
    if let Some(slot) = at_mut(value, path) {
        *slot = new;
    }
}

/// Whether the value at a path is a field that bounds runs.
pub(crate) fn is_guard(value: &Value, path: &[usize]) -> bool {
    let Some((number, above)) = path.split_last() else { return false };
    match at(value, above) {
        Some(Value::Struct { args, fields, .. }) => number
            .checked_sub(args.len())
            .and_then(|number| fields.get(number))
            .is_some_and(|(name, _)| GUARDS.contains(&name.as_str())),
        _ => false,
    }
}

/// How many entries of a value can be removed.
pub(crate) fn entries(value: &Value) -> usize {
    match value {
        Value::List(items) => items.len(),
        Value::Map(entries) => entries.len(),
        Value::Struct { fields, .. } => fields.iter().filter(|(name, _)| !GUARDS.contains(&name.as_str())).count(),
        _ => 0,
    }
}

/// The scenario without some entries of the value at a path, and the names that those entries had.
pub(crate) fn without(whole: &Value, path: &[usize], range: Range<usize>) -> Option<(Value, Vec<String>)> {
    let mut whole = whole.clone();
    let value = at_mut(&mut whole, path)?;
    let range = range.start..range.end.min(entries(value));
    let mut names = Vec::new();
    match value {
        Value::List(items) => names.extend(items.drain(range).filter_map(|item| named(&item))),
        Value::Map(entries) => {
            names.extend(entries.drain(range).filter_map(|(key, _)| match key {
                Value::String(text) => Some(text),
                _ => None,
            }));
        }
        Value::Struct { fields, .. } => {
            let mut number = 0;
            fields.retain(|(name, _)| {
                if GUARDS.contains(&name.as_str()) {
                    return true;
                }
                number += 1;
                !range.contains(&(number - 1))
            });
        }
        _ => return None,
    }
    Some((whole, names))
}

/// The name of a value, if it has one.
fn named(value: &Value) -> Option<String> {
    let Value::Struct { fields, .. } = value else { return None };
    fields.iter().find_map(|(field, value)| match value {
        Value::String(text) if field == "name" => Some(text.clone()),
        _ => None,
    })
}

/// The scenario without the events and claims that mention these names.
pub(crate) fn unmentioned(mut whole: Value, names: &[String]) -> Value {
    if let Value::Struct { fields, .. } = &mut whole {
        for (field, value) in fields {
            if let Value::List(items) = value
                && (field == "events" || field == "expect")
            {
                items.retain(|item| !names.iter().any(|name| mentions(item, name)));
            }
        }
    }
    whole
}

/// Whether a value mentions a name, or the name of one of its parts, such as `pool-0` of `pool`.
fn mentions(value: &Value, name: &str) -> bool {
    match value {
        Value::String(text) => text.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with('-')),
        value => children(value).into_iter().any(|child| mentions(child, name)),
    }
}

/// Simpler values: for a quota, one of its children; for a random time, its shortest value.
pub(crate) fn simpler(value: &Value) -> Vec<Value> {
    let Value::Struct { name, args, fields } = value else { return Vec::new() };
    match name.as_str() {
        "Quota" => {
            let below = fields.iter().find(|(field, _)| field == "children").map(|(_, children)| children);
            below.map(children).unwrap_or_default().into_iter().cloned().collect()
        }
        "Uniform" | "Exponential" | "Fixed" => {
            args.iter().chain(fields.iter().map(|(_, value)| value)).take(1).cloned().collect()
        }
        _ => Vec::new(),
    }
}

/// The scenario with the workloads of one namespace moved to another.
pub(crate) fn merged_namespaces(whole: &Value) -> Vec<Value> {
    let mut used = BTreeSet::new();
    each_namespace(&mut whole.clone(), &mut |namespace| {
        used.insert(namespace.clone());
    });
    let pairs = used.iter().flat_map(|to| used.iter().skip_while(move |from| *from <= to).map(move |from| (from, to)));
    let merged = |(from, to): (&String, &String)| {
        let mut merged = whole.clone();
        each_namespace(&mut merged, &mut |namespace| {
            if namespace == from {
                namespace.clone_from(to);
            }
        });
        merged
    };
    pairs.map(merged).collect()
}

/// Visits the namespace of every workload.
fn each_namespace(value: &mut Value, see: &mut dyn FnMut(&mut String)) {
    let all: Vec<Path> = paths(value);
    for path in all {
        if let Some(Value::Struct { fields, .. }) = at_mut(value, &path) {
            for (field, value) in fields {
                if let Value::String(text) = value
                    && field == "namespace"
                {
                    see(text);
                }
            }
        }
    }
}

/// Smaller numbers; each part of an amount or time is reduced separately.
pub(crate) fn smaller(value: &Value) -> Vec<Value> {
    match value {
        Value::Number(text) => {
            let Ok(number) = text.parse::<u64>() else { return Vec::new() };
            less(number).into_iter().map(Value::number).collect()
        }
        Value::String(text) => {
            let parts = parts(text);
            let mut candidates = Vec::new();
            if parts.len() > 1 {
                candidates.extend(parts.iter().map(|(number, unit)| format!("{number}{unit}")));
            }
            for (at, (number, unit)) in parts.iter().enumerate() {
                let written = |other: u64| {
                    let part = |(i, (n, u)): (usize, &(u64, &str))| {
                        if i == at { format!("{other}{unit}") } else { format!("{n}{u}") }
                    };
                    parts.iter().enumerate().map(part).collect::<String>()
                };
                candidates.extend(less(*number).into_iter().map(written));
            }
            candidates.into_iter().map(Value::String).collect()
        }
        _ => Vec::new(),
    }
}

/// Numbers below this one that are worth trying.
fn less(number: u64) -> Vec<u64> {
    // A large number is not reduced by one: that would take too many steps.
    const SMALL: u64 = 8;
    let mut less = vec![0, 1, number / 2, number - number / 4];
    less.extend(number.checked_sub(1).filter(|_| number <= SMALL));
    less.retain(|smaller| *smaller < number);
    less.dedup();
    less
}

/// The parts of an amount or a time: `1h30m` as 1 h and 30 m. Empty if the text is neither.
fn parts(text: &str) -> Vec<(u64, &str)> {
    let mut parts = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        let (number, after) = rest.split_at(digits);
        let letters = after.find(|c: char| c.is_ascii_digit()).unwrap_or(after.len());
        let (unit, after) = after.split_at(letters);
        let Ok(number) = number.parse() else { return Vec::new() };
        parts.push((number, unit));
        rest = after;
    }
    parts
}
