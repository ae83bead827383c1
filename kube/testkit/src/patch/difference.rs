//! The fields in which two states of an object differ. What is equal is not walked through: a write changes little of an object.

use super::{
    lists::{ListOf, list_of},
    owners::{Path, UNOWNED, segment_of, walk},
};
use crate::kinds::Kind;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// The fields that differ, of those that can be owned.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Difference {
    /// They are new or have another value.
    pub(super) changed: BTreeSet<Path>,
    /// They are no more.
    pub(super) gone: BTreeSet<Path>,
}

impl Difference {
    /// From the state before a write to the one after it.
    pub(super) fn of(kind: &Kind, old: &Value, new: &Value) -> Self {
        let mut found = Self::default();
        for field in names(old, new).filter(|field| !matches!(*field, "apiVersion" | "kind")) {
            let mut path = vec![format!("f:{field}")];
            let (old, new) = (old.get(field), new.get(field));
            if field != "metadata" {
                found.compare(kind, field, old, new, &mut path);
                continue;
            }
            let (old, new) = (old.unwrap_or(&Value::Null), new.unwrap_or(&Value::Null));
            for name in names(old, new).filter(|name| !UNOWNED.contains(name)) {
                path.push(format!("f:{name}"));
                found.compare(kind, name, old.get(name), new.get(name), &mut path);
                path.pop();
            }
        }
        found
    }

    fn compare(&mut self, kind: &Kind, field: &str, old: Option<&Value>, new: Option<&Value>, path: &mut Path) {
        match (old, new) {
            (Some(old), Some(new)) if old == new => {}
            (Some(Value::Object(a)), Some(Value::Object(b))) if !a.is_empty() && !b.is_empty() => {
                for name in a.keys().chain(b.keys().filter(|name| !a.contains_key(*name))) {
                    path.push(format!("f:{name}"));
                    self.compare(kind, name, a.get(name), b.get(name), path);
                    path.pop();
                }
            }
            (Some(Value::Array(a)), Some(Value::Array(b))) => match list_of(kind, field) {
                ListOf::Keyed(keys) => {
                    for (a, b) in pairs(&keys, a, b) {
                        let equal = matches!((a, b), (Some(a), Some(b)) if a == b);
                        if !equal {
                            let one = |item: Option<&Value>| item.map(|item| Value::Array(vec![item.clone()]));
                            self.replace(kind, field, one(a).as_ref(), one(b).as_ref(), path);
                        }
                    }
                }
                ListOf::Atom | ListOf::Set => self.replace(kind, field, old, new, path),
            },
            _ => self.replace(kind, field, old, new, path),
        }
    }

    /// One value is in the place of another.
    fn replace(&mut self, kind: &Kind, field: &str, old: Option<&Value>, new: Option<&Value>, path: &mut Path) {
        let (mut before, mut after) = (BTreeMap::new(), BTreeMap::new());
        for (value, leaves) in [(old, &mut before), (new, &mut after)] {
            if let Some(value) = value {
                walk(kind, field, value, path, leaves);
            }
        }
        self.gone.extend(before.keys().filter(|path| !after.contains_key(*path)).cloned());
        self.changed.extend(after.into_iter().filter(|(path, is)| before.get(path) != Some(is)).map(|(path, _)| path));
    }
}

/// The names of the fields of either object, each once.
fn names<'a>(old: &'a Value, new: &'a Value) -> impl Iterator<Item = &'a str> {
    let fields = |object: &'a Value| object.as_object().into_iter().flat_map(|fields| fields.keys());
    fields(old).chain(fields(new).filter(|name| old.get(name.as_str()).is_none())).map(String::as_str)
}

/// The items of two lists that are the same one, and those that have no other.
fn pairs<'a>(keys: &[String], old: &'a [Value], new: &'a [Value]) -> Vec<(Option<&'a Value>, Option<&'a Value>)> {
    let mut others: Vec<(String, &Value)> = old.iter().map(|item| (segment_of(keys, item), item)).collect();
    let mut found = Vec::new();
    for item in new {
        let segment = segment_of(keys, item);
        let place = others.iter().position(|(other, _)| *other == segment);
        found.push((place.map(|place| others.remove(place).1), Some(item)));
    }
    found.extend(others.into_iter().map(|(_, item)| (Some(item), None)));
    found
}
