//! Who set which field: `metadata.managedFields`. A field is a path of segments as the API writes them, `f:spec`, or
//! `k:{"type":"Ready"}` for an item of a list; `.` stands for the item itself.

use super::{
    difference::Difference,
    lists::{ListOf, list_of},
};
use crate::{kinds::Kind, store::Writer, value};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// The path of a field.
pub(crate) type Path = Vec<String>;

/// What one manager set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) manager: String,
    pub(crate) operation: String,
    pub(crate) subresource: String,
    pub(crate) api_version: String,
    pub(crate) time: String,
    pub(crate) fields: BTreeSet<Path>,
}

impl Entry {
    pub(crate) fn new(kind: &Kind, writer: &Writer, operation: &str, subresource: &str, time: &str) -> Self {
        Self {
            manager: writer.manager.clone(),
            operation: operation.to_owned(),
            subresource: subresource.to_owned(),
            api_version: kind.api_version(),
            time: time.to_owned(),
            fields: BTreeSet::new(),
        }
    }

    /// The entry as the API writes it, of these fields.
    fn written(&self, fields: Value) -> Value {
        let mut written = json!({
            "manager": self.manager, "operation": self.operation, "apiVersion": self.api_version,
            "time": self.time, "fieldsType": "FieldsV1", "fieldsV1": fields,
        });
        if !self.subresource.is_empty() {
            value::set(&mut written, &["subresource"], self.subresource.as_str());
        }
        written
    }

    /// Whether both are kept as one entry.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        self.manager == other.manager && self.operation == other.operation && self.subresource == other.subresource
    }
}

/// The entries of an object.
pub(crate) fn read(object: &Value) -> Vec<Entry> {
    let entry = |entry: &Value| {
        let text = |field: &str| value::text(entry, &[field]).to_owned();
        let mut fields = BTreeSet::new();
        from_v1(value::at(entry, &["fieldsV1"]), &mut Vec::new(), &mut fields);
        Entry {
            manager: text("manager"),
            operation: text("operation"),
            subresource: text("subresource"),
            api_version: text("apiVersion"),
            time: text("time"),
            fields,
        }
    };
    value::items(object, &["metadata", "managedFields"]).iter().map(entry).collect()
}

/// Writes the entries that own something.
pub(crate) fn write(object: &mut Value, entries: &[Entry]) {
    let entry = |entry: &Entry| entry.written(to_v1(&entry.fields));
    let entries: Vec<Value> = entries.iter().filter(|entry| !entry.fields.is_empty()).map(entry).collect();
    if entries.is_empty() {
        value::remove(object, &["metadata", "managedFields"]);
    } else {
        value::set(object, &["metadata", "managedFields"], entries);
    }
}

/// A write that is no apply: what it changed is the writer's, and nobody else's.
pub(crate) fn note_update(kind: &Kind, old: &Value, new: &mut Value, writer: &Writer, subresource: &str, time: &str) {
    let Difference { changed, gone } = Difference::of(kind, old, new);
    if changed.is_empty() && gone.is_empty() {
        return;
    }
    let text = |entry: &Value, field: &str| value::text(entry, &[field]).to_owned();
    let is_mine = |entry: &Value| {
        text(entry, "manager") == writer.manager
            && text(entry, "operation") == "Update"
            && text(entry, "subresource") == subresource
    };
    let list = value::place(new, &["metadata", "managedFields"]);
    let mut entries = list.as_array_mut().map(std::mem::take).unwrap_or_default();
    for entry in &mut entries {
        let theirs = !is_mine(entry);
        let Some(tree) = entry.get_mut("fieldsV1") else { continue };
        gone.iter().for_each(|path| remove_path(tree, path));
        changed.iter().filter(|_| theirs).for_each(|path| remove_path(tree, path));
    }
    if !changed.is_empty() {
        let place = entries.iter().position(is_mine).unwrap_or_else(|| {
            entries.push(Entry::new(kind, writer, "Update", subresource, time).written(json!({})));
            entries.len() - 1
        });
        if let Some(mine) = entries.get_mut(place) {
            value::set(mine, &["time"], time);
            let tree = value::place(mine, &["fieldsV1"]);
            changed.iter().for_each(|path| insert_path(tree, path));
        }
    }
    entries.retain(|entry| value::has(entry, &["fieldsV1"]));
    if entries.is_empty() {
        value::remove(new, &["metadata", "managedFields"]);
    } else {
        value::set(new, &["metadata", "managedFields"], entries);
    }
}

fn insert_path(tree: &mut Value, path: &[String]) {
    let path: Vec<&str> = path.iter().map(String::as_str).collect();
    value::default(tree, &path, json!({}));
}

/// Removes a field, and what holds nothing without it.
fn remove_path(tree: &mut Value, path: &[String]) {
    let (Some((segment, rest)), Some(fields)) = (path.split_first(), tree.as_object_mut()) else { return };
    let Some(inner) = fields.get_mut(segment) else { return };
    remove_path(inner, rest);
    if inner.as_object().is_none_or(Map::is_empty) {
        fields.shift_remove(segment);
    }
}

/// What no manager owns: the server sets it, or it is the name.
pub(super) const UNOWNED: [&str; 10] = [
    "name",
    "namespace",
    "uid",
    "resourceVersion",
    "generation",
    "creationTimestamp",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
    "selfLink",
    "managedFields",
];

/// Every field of an object that can be owned, with its value.
pub(crate) fn leaves(kind: &Kind, object: &Value) -> BTreeMap<Path, Value> {
    let mut found = BTreeMap::new();
    for (field, inner) in object.as_object().into_iter().flatten() {
        match field.as_str() {
            "apiVersion" | "kind" => {}
            "metadata" => {
                for (name, inner) in inner.as_object().into_iter().flatten() {
                    if !UNOWNED.contains(&name.as_str()) {
                        walk(kind, name, inner, &mut vec!["f:metadata".to_owned(), format!("f:{name}")], &mut found);
                    }
                }
            }
            _ => walk(kind, field, inner, &mut vec![format!("f:{field}")], &mut found),
        }
    }
    found
}

/// The fields of a value that can be owned, below a path.
pub(super) fn walk(kind: &Kind, field: &str, inner: &Value, path: &mut Path, found: &mut BTreeMap<Path, Value>) {
    let mut under = |segment: String, field: &str, inner: &Value| {
        path.push(segment);
        walk(kind, field, inner, path, found);
        path.pop();
    };
    match inner {
        Value::Object(fields) if !fields.is_empty() => {
            fields.iter().for_each(|(name, inner)| under(format!("f:{name}"), name, inner));
        }
        Value::Array(items) => match list_of(kind, field) {
            ListOf::Atom => {
                found.insert(path.clone(), inner.clone());
            }
            ListOf::Set => items.iter().for_each(|item| under(format!("v:{item}"), "", item)),
            ListOf::Keyed(keys) => {
                for item in items {
                    path.push(segment_of(&keys, item));
                    path.push(".".to_owned());
                    found.insert(path.clone(), Value::Null);
                    path.pop();
                    for (name, inner) in item.as_object().into_iter().flatten() {
                        path.push(format!("f:{name}"));
                        walk(kind, name, inner, path, found);
                        path.pop();
                    }
                    path.pop();
                }
            }
        },
        _ => {
            found.insert(path.clone(), inner.clone());
        }
    }
}

/// `k:{"type":"Ready"}`.
pub(crate) fn segment_of(keys: &[String], item: &Value) -> String {
    let key: Map<String, Value> =
        keys.iter().map(|key| (key.clone(), item.get(key).cloned().unwrap_or_default())).collect();
    format!("k:{}", Value::Object(key))
}

fn to_v1(fields: &BTreeSet<Path>) -> Value {
    let mut tree = json!({});
    fields.iter().for_each(|path| insert_path(&mut tree, path));
    tree
}

fn from_v1(tree: &Value, path: &mut Path, found: &mut BTreeSet<Path>) {
    for (segment, inner) in tree.as_object().into_iter().flatten() {
        path.push(segment.clone());
        match inner.as_object() {
            Some(fields) if !fields.is_empty() => from_v1(inner, path, found),
            _ => {
                found.insert(path.clone());
            }
        }
        path.pop();
    }
}
