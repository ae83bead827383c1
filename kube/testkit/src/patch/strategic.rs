//! Strategic merge patch: a merge patch in which lists of objects are merged by their keys, with the directives
//! `$patch: delete | replace | merge`, `$deleteFromPrimitiveList/FIELD` and `$setElementOrder/FIELD`.

use super::lists::{ListOf, list_of, same_item};
use crate::{kinds::Kind, refusal::Refusal, value};
use serde_json::{Map, Value};

/// Applies a patch.
pub(crate) fn apply(kind: &Kind, object: &mut Value, patch: &Value) -> Result<(), Refusal> {
    let Some(patch) = patch.as_object() else {
        return Err(Refusal::bad_request("the patch is not an object"));
    };
    merge_fields(kind, object, patch)
}

fn merge_fields(kind: &Kind, object: &mut Value, patch: &Map<String, Value>) -> Result<(), Refusal> {
    match patch.get("$patch").and_then(Value::as_str) {
        None | Some("merge") => {}
        Some("delete") => {
            *object = Value::Object(Map::new());
            return Ok(());
        }
        Some("replace") => {
            let rest = patch.iter().filter(|(field, _)| *field != "$patch");
            *object = Value::Object(rest.map(|(field, value)| (field.clone(), value.clone())).collect());
            return Ok(());
        }
        Some(other) => return Err(Refusal::bad_request(format!("Unknown patch type: {other}"))),
    }
    for (field, new) in patch {
        if field == "$patch" || field == "$retainKeys" || field.starts_with("$setElementOrder/") {
            continue;
        }
        if let Some(list) = field.strip_prefix("$deleteFromPrimitiveList/") {
            if let Some(items) = value::fields(object).get_mut(list).and_then(Value::as_array_mut) {
                items.retain(|item| !new.as_array().is_some_and(|gone| gone.contains(item)));
            }
            continue;
        }
        match new {
            Value::Null => {
                value::remove(object, &[field]);
            }
            Value::Object(fields) => merge_fields(kind, value::place(object, &[field]), fields)?,
            Value::Array(items) => merge_list(kind, field, value::place(object, &[field]), items)?,
            _ => value::set(object, &[field], new.clone()),
        }
    }
    order(object, patch);
    Ok(())
}

fn merge_list(kind: &Kind, field: &str, list: &mut Value, patch: &[Value]) -> Result<(), Refusal> {
    let keys = match list_of(kind, field) {
        ListOf::Atom => {
            *list = Value::Array(patch.to_vec());
            return Ok(());
        }
        ListOf::Set => Vec::new(),
        ListOf::Keyed(keys) => keys,
    };
    let mut items = list.as_array().cloned().unwrap_or_default();
    if patch.iter().any(|item| directive(item) == "replace") {
        items = patch.iter().filter(|item| directive(item) != "replace").cloned().collect();
        *list = Value::Array(items);
        return Ok(());
    }
    for new in patch {
        let at = items.iter().position(|old| if keys.is_empty() { old == new } else { same_item(&keys, old, new) });
        match (new, at) {
            (Value::Object(fields), at) => {
                if let Some(key) = keys.iter().find(|key| !fields.contains_key(*key)) {
                    let message = format!("map: {new} does not contain declared merge key: {key}");
                    return Err(Refusal::new(500, "InternalError", message));
                }
                match at.and_then(|at| items.get_mut(at)) {
                    _ if directive(new) == "delete" => items.retain(|old| !same_item(&keys, old, new)),
                    Some(old) => merge_fields(kind, old, fields)?,
                    None => {
                        let mut item = Value::Null;
                        merge_fields(kind, &mut item, fields)?;
                        items.push(item);
                    }
                }
            }
            (_, Some(_)) => {}
            (_, None) => items.push(new.clone()),
        }
    }
    *list = Value::Array(items);
    Ok(())
}

fn directive(item: &Value) -> &str {
    value::text(item, &["$patch"])
}

/// Puts lists in the order that the patch wants: named items first, in that order.
fn order(object: &mut Value, patch: &Map<String, Value>) {
    for (field, wanted) in patch {
        let Some(field) = field.strip_prefix("$setElementOrder/") else { continue };
        let wanted = wanted.as_array().map(Vec::as_slice).unwrap_or_default();
        let Some(items) = object.get_mut(field).and_then(Value::as_array_mut) else { continue };
        let is = |item: &Value, wanted: &Value| match wanted.as_object() {
            Some(keys) => keys.iter().all(|(key, value)| item.get(key) == Some(value)),
            None => item == wanted,
        };
        let rank = |item: &Value| wanted.iter().position(|one| is(item, one)).unwrap_or(usize::MAX);
        items.sort_by_key(rank);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn lists_are_merged_by_key_and_directives_obeyed() {
        let pods = Kind::new("", "v1", "Pod", "pods");
        let pod = json!({
            "metadata": { "finalizers": ["a", "b"] },
            "spec": { "schedulingGates": [{ "name": "x" }, { "name": "y" }], "tolerations": [{ "key": "t" }] },
            "status": { "conditions": [{ "type": "Ready", "status": "True", "reason": "r" }] },
        });
        for (patch, path, expected) in [
            (
                json!({ "spec": { "schedulingGates": [{ "name": "x", "$patch": "delete" }] } }),
                "/spec/schedulingGates",
                json!([{ "name": "y" }]),
            ),
            (json!({ "spec": { "schedulingGates": [{ "$patch": "replace" }] } }), "/spec/schedulingGates", json!([])),
            (json!({ "spec": { "tolerations": [{ "key": "u" }] } }), "/spec/tolerations", json!([{ "key": "u" }])),
            (
                json!({ "status": { "conditions": [{ "type": "Ready", "status": "False", "reason": null }, { "type": "Q" }] } }),
                "/status/conditions",
                json!([{ "type": "Ready", "status": "False" }, { "type": "Q" }]),
            ),
            (json!({ "metadata": { "finalizers": ["b", "c"] } }), "/metadata/finalizers", json!(["a", "b", "c"])),
            (
                json!({ "metadata": { "$deleteFromPrimitiveList/finalizers": ["a"] } }),
                "/metadata/finalizers",
                json!(["b"]),
            ),
            (
                json!({ "spec": { "$setElementOrder/schedulingGates": [{ "name": "y" }, { "name": "x" }] } }),
                "/spec/schedulingGates",
                json!([{ "name": "y" }, { "name": "x" }]),
            ),
            (json!({ "status": { "$patch": "replace", "phase": "Failed" } }), "/status", json!({ "phase": "Failed" })),
        ] {
            let mut patched = pod.clone();
            apply(&pods, &mut patched, &patch).unwrap();
            assert_eq!(patched.pointer(path), Some(&expected), "{patch}");
        }
        let without_key = json!({ "spec": { "schedulingGates": [{ "$patch": "delete" }] } });
        assert!(apply(&pods, &mut pod.clone(), &without_key).is_err());
    }
}
