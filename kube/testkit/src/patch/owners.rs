//! Who set which field: `metadata.managedFields`. A field is a path of segments as the API writes them, `f:spec`, or
//! `k:{"type":"Ready"}` for an item of a list; `.` stands for the item itself.

use super::lists::{ListOf, list_of};
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
    let entry = |entry: &Entry| {
        let mut written = json!({
            "manager": entry.manager, "operation": entry.operation, "apiVersion": entry.api_version,
            "time": entry.time, "fieldsType": "FieldsV1", "fieldsV1": to_v1(&entry.fields),
        });
        if !entry.subresource.is_empty() {
            value::set(&mut written, &["subresource"], entry.subresource.as_str());
        }
        written
    };
    let entries: Vec<Value> = entries.iter().filter(|entry| !entry.fields.is_empty()).map(entry).collect();
    if entries.is_empty() {
        value::remove(object, &["metadata", "managedFields"]);
    } else {
        value::set(object, &["metadata", "managedFields"], entries);
    }
}

/// A write that is no apply: what it changed is the writer's, and nobody else's.
pub(crate) fn note_update(kind: &Kind, old: &Value, new: &mut Value, writer: &Writer, subresource: &str, time: &str) {
    let before = leaves(kind, old);
    let after = leaves(kind, new);
    let changed: BTreeSet<&Path> =
        after.iter().filter(|(path, is)| before.get(*path) != Some(*is)).map(|(path, _)| path).collect();
    let mut entries = read(new);
    let mut mine = Entry::new(kind, writer, "Update", subresource, time);
    for entry in &mut entries {
        let is_mine = entry.is_same(&mine);
        entry.fields.retain(|path| after.contains_key(path) && (is_mine || !changed.contains(path)));
    }
    if !changed.is_empty() {
        mine.fields.extend(changed.into_iter().cloned());
        match entries.iter_mut().find(|entry| entry.is_same(&mine)) {
            Some(entry) => {
                entry.fields.append(&mut mine.fields);
                time.clone_into(&mut entry.time);
            }
            None => entries.push(mine),
        }
    }
    write(new, &entries);
}

/// What no manager owns: the server sets it, or it is the name.
const UNOWNED: [&str; 10] = [
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

fn walk(kind: &Kind, field: &str, inner: &Value, path: &mut Path, found: &mut BTreeMap<Path, Value>) {
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
    for path in fields {
        let path: Vec<&str> = path.iter().map(String::as_str).collect();
        value::default(&mut tree, &path, json!({}));
    }
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
