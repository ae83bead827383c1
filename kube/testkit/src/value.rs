//! Objects are plain JSON values: reading and writing a field of one by its path.

use serde_json::{Map, Value};

static NULL: Value = Value::Null;

/// The value at a path of fields, or null.
pub(crate) fn at<'a>(object: &'a Value, path: &[&str]) -> &'a Value {
    path.iter().try_fold(object, |value, field| value.get(field)).unwrap_or(&NULL)
}

/// The text at a path, or the empty text.
pub(crate) fn text<'a>(object: &'a Value, path: &[&str]) -> &'a str {
    at(object, path).as_str().unwrap_or_default()
}

/// The items of the list at a path; none if there is no list.
pub(crate) fn items<'a>(object: &'a Value, path: &[&str]) -> &'a [Value] {
    at(object, path).as_array().map(Vec::as_slice).unwrap_or_default()
}

/// Whether there is something at a path: not absent, null, or empty.
pub(crate) fn has(object: &Value, path: &[&str]) -> bool {
    match at(object, path) {
        Value::Null => false,
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => !items.is_empty(),
        Value::Object(fields) => !fields.is_empty(),
        _ => true,
    }
}

/// The fields of a value, which becomes an object if it is none.
pub(crate) fn fields(value: &mut Value) -> &mut Map<String, Value> {
    if !value.is_object() {
        *value = Value::Object(Map::new());
    }
    match value {
        Value::Object(fields) => fields,
        _ => unreachable!("made an object above"),
    }
}

/// The place of a path, made where it is missing.
pub(crate) fn place<'a>(object: &'a mut Value, path: &[&str]) -> &'a mut Value {
    path.iter().fold(object, |value, field| fields(value).entry(*field).or_insert(Value::Null))
}

/// Sets the value at a path.
pub(crate) fn set(object: &mut Value, path: &[&str], value: impl Into<Value>) {
    *place(object, path) = value.into();
}

/// Sets the value at a path if there is none.
pub(crate) fn default(object: &mut Value, path: &[&str], value: impl Into<Value>) {
    if at(object, path).is_null() {
        set(object, path, value);
    }
}

/// Removes the value at a path, and tells whether there was one.
pub(crate) fn remove(object: &mut Value, path: &[&str]) -> bool {
    let Some((last, parents)) = path.split_last() else { return false };
    let parent = parents.iter().try_fold(object, |value, field| value.get_mut(field));
    parent.and_then(Value::as_object_mut).is_some_and(|fields| fields.shift_remove(*last).is_some())
}

/// Puts the value at a path of `from` in its place in `to`; without one there, removes it.
pub(crate) fn copy(from: &Value, to: &mut Value, path: &[&str]) {
    match at(from, path) {
        Value::Null => {
            remove(to, path);
        }
        value => set(to, path, value.clone()),
    }
}

/// Whether all fields of two objects are equal but those that are left out.
pub(crate) fn same_but(old: &Value, new: &Value, left_out: impl Fn(&str) -> bool) -> bool {
    let (Value::Object(old), Value::Object(new)) = (old, new) else { return old == new };
    let counted = |fields: &Map<String, Value>| fields.keys().filter(|field| !left_out(field)).count();
    let equal = |(field, value): (&String, &Value)| left_out(field) || new.get(field) == Some(value);
    old.iter().all(equal) && counted(old) == counted(new)
}

/// The name of an object.
pub(crate) fn name(object: &Value) -> &str {
    text(object, &["metadata", "name"])
}

/// The namespace of an object; empty for one of the whole cluster.
pub(crate) fn namespace(object: &Value) -> &str {
    text(object, &["metadata", "namespace"])
}

/// The label of an object.
pub(crate) fn label<'a>(object: &'a Value, key: &str) -> Option<&'a str> {
    at(object, &["metadata", "labels", key]).as_str()
}

/// Sets a condition of the status by its type: its time moves when its status does.
pub(crate) fn set_condition(object: &mut Value, condition: Value, now: &str) {
    let list = place(object, &["status", "conditions"]);
    if !list.is_array() {
        *list = Value::Array(Vec::new());
    }
    let Some(list) = list.as_array_mut() else { return };
    let mut condition = condition;
    let old = list.iter_mut().find(|old| old.get("type") == condition.get("type"));
    let since = match &old {
        Some(old) if old.get("status") == condition.get("status") => at(old, &["lastTransitionTime"]).clone(),
        _ => Value::from(now),
    };
    set(&mut condition, &["lastTransitionTime"], since);
    match old {
        Some(old) => *old = condition,
        None => list.push(condition),
    }
}
