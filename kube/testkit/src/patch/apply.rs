//! Server-side apply: a manager states all the fields that it wants. It becomes their owner, conflicts with other owners
//! who want something else, and what it no longer states and nobody else owns is removed.

use super::{
    lists::{ListOf, list_of, same_item},
    owners::{self, Entry, Path, leaves, segment_of},
};
use crate::{kinds::Kind, refusal::Refusal, store::Writer, value};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// The object after an apply, with its owners.
pub(crate) fn apply(
    kind: &Kind,
    old: &Value,
    configuration: Value,
    writer: &Writer,
    subresource: &str,
    time: &str,
) -> Result<Value, Refusal> {
    if !configuration.is_object() {
        return Err(Refusal::bad_request("the configuration is not an object"));
    }
    if value::has(&configuration, &["metadata", "managedFields"]) {
        return Err(Refusal::bad_request("metadata.managedFields must be nil"));
    }
    let wanted = leaves(kind, &configuration);
    let now = leaves(kind, old);
    let mut mine = Entry::new(kind, writer, "Apply", subresource, time);
    let (own, mut others): (Vec<Entry>, Vec<Entry>) =
        owners::read(old).into_iter().partition(|entry| entry.is_same(&mine));
    let mut conflicts = Vec::new();
    for other in &mut others {
        let differs = |path: &&Path| {
            wanted.get(*path).is_some_and(|new| !new.is_null() && now.get(*path).is_some_and(|is| is != new))
        };
        let taken: BTreeSet<Path> = other.fields.iter().filter(differs).cloned().collect();
        if writer.force {
            other.fields.retain(|path| !taken.contains(path));
        } else {
            conflicts
                .extend(taken.into_iter().map(|path| (other.manager.clone(), other.api_version.clone(), shown(&path))));
        }
    }
    if !conflicts.is_empty() {
        return Err(refused(kind, old, &conflicts));
    }
    mine.fields = wanted.into_keys().collect();
    let mut new = old.clone();
    for gone in own.iter().flat_map(|entry| &entry.fields).filter(|path| !mine.fields.contains(*path)) {
        if !others.iter().any(|other| other.fields.contains(gone)) {
            remove_path(&mut new, gone);
        }
    }
    merge(kind, "", &mut new, &configuration);
    others.push(mine);
    owners::write(&mut new, &others);
    Ok(new)
}

fn refused(kind: &Kind, old: &Value, conflicts: &[(String, String, String)]) -> Refusal {
    let words = if conflicts.len() == 1 { "1 conflict".to_owned() } else { format!("{} conflicts", conflicts.len()) };
    let each = |(manager, version, field): &(String, String, String)| {
        format!("conflict with \"{manager}\" using {version}: {field}")
    };
    let list: Vec<String> = conflicts.iter().map(each).collect();
    let mut refusal = Refusal::new(409, "Conflict", format!("Apply failed with {words}: {}", list.join(", ")));
    let cause = |(manager, version, field): &(String, String, String)| {
        let message = format!("conflict with \"{manager}\" using {version}");
        json!({ "reason": "FieldManagerConflict", "message": message, "field": field })
    };
    let causes: Vec<Value> = conflicts.iter().map(cause).collect();
    refusal.details = json!({ "name": value::name(old), "kind": kind.plural, "causes": causes });
    refusal
}

/// `.spec.min`, `.status.conditions[type="Ready"].status`.
fn shown(path: &Path) -> String {
    path.iter()
        .map(|segment| match segment.split_once(':') {
            Some(("f", field)) => format!(".{field}"),
            Some(("k", key)) => {
                let key = key.trim_start_matches('{').trim_end_matches('}').replacen('"', "", 2).replace(':', "=");
                format!("[{key}]")
            }
            Some((_, item)) => format!("[{item}]"),
            None => String::new(),
        })
        .collect()
}

/// Merges what is stated into the object.
fn merge(kind: &Kind, field: &str, object: &mut Value, stated: &Value) {
    match stated {
        Value::Object(stated) => {
            let fields = value::fields(object);
            for (name, inner) in stated {
                merge(kind, name, fields.entry(name.as_str()).or_insert(Value::Null), inner);
            }
        }
        Value::Array(stated) => {
            let list = list_of(kind, field);
            let mut items = object.as_array().cloned().unwrap_or_default();
            match list {
                ListOf::Atom => items = stated.clone(),
                ListOf::Set => {
                    items.extend(stated.iter().filter(|item| !items.contains(item)).cloned().collect::<Vec<_>>())
                }
                ListOf::Keyed(keys) => {
                    for new in stated {
                        match items.iter_mut().find(|old| same_item(&keys, old, new)) {
                            Some(old) => merge(kind, "", old, new),
                            None => items.push(new.clone()),
                        }
                    }
                }
            }
            *object = Value::Array(items);
        }
        _ => *object = stated.clone(),
    }
}

/// Removes what a path names; a parent that is empty then stays.
fn remove_path(object: &mut Value, path: &[String]) {
    let Some((segment, rest)) = path.split_first() else { return };
    match segment.split_once(':') {
        Some(("f", field)) if rest.is_empty() => {
            value::remove(object, &[field]);
        }
        Some(("f", field)) => {
            if let Some(inner) = object.get_mut(field) {
                remove_path(inner, rest);
            }
        }
        Some(("v", item)) => {
            if let Some(items) = object.as_array_mut() {
                let gone: Value = serde_json::from_str(item).unwrap_or_default();
                items.retain(|one| *one != gone);
            }
        }
        Some(("k", _)) => {
            let Some(items) = object.as_array_mut() else { return };
            let is = |item: &Value| *segment == segment_of(&keys_of(segment), item);
            if rest == ["."] {
                items.retain(|item| !is(item));
            } else if let Some(item) = items.iter_mut().find(|item| is(item)) {
                remove_path(item, rest);
            }
        }
        _ => {}
    }
}

fn keys_of(segment: &str) -> Vec<String> {
    let key = segment.strip_prefix("k:").and_then(|text| serde_json::from_str::<Value>(text).ok());
    key.as_ref().and_then(Value::as_object).map(|key| key.keys().cloned().collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn owners_conflict_share_and_give_up_fields() {
        let maps = Kind { status: false, ..Kind::new("", "v1", "ConfigMap", "configmaps") };
        let by = |manager: &str, force| Writer { manager: manager.to_owned(), force };
        let stated =
            |data: Value| json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": "m" }, "data": data });
        let run = |old: &Value, data: Value, writer: &Writer| apply(&maps, old, stated(data), writer, "", "t");
        let empty = json!({ "metadata": { "name": "m" } });
        let first = run(&empty, json!({ "a": "1", "b": "1" }), &by("x", false)).unwrap();
        let refused = run(&first, json!({ "a": "2" }), &by("y", false)).unwrap_err();
        assert_eq!(refused.message, "Apply failed with 1 conflict: conflict with \"x\" using v1: .data.a");
        let shared = run(&first, json!({ "a": "1" }), &by("y", false)).unwrap();
        let given_up = run(&shared, json!({}), &by("x", false)).unwrap();
        assert_eq!(given_up["data"], json!({ "a": "1" }), "y still owns a, nobody owns b");
        let forced = run(&shared, json!({ "a": "3" }), &by("y", true)).unwrap();
        assert_eq!(forced["data"], json!({ "a": "3", "b": "1" }));
    }
}
