//! Which lists are merged item by item, and what tells one item from another.

use crate::kinds::Kind;
use serde_json::Value;

/// How a list is merged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ListOf {
    /// It is one value: a new list replaces it.
    Atom,
    /// Texts, each once.
    Set,
    /// Objects that are told apart by these fields.
    Keyed(Vec<String>),
}

/// The lists of the built-in kinds, by the name of the field.
const BUILT_IN: &[(&str, &str)] = &[
    ("containers", "name"),
    ("initContainers", "name"),
    ("ephemeralContainers", "name"),
    ("volumes", "name"),
    ("env", "name"),
    ("volumeMounts", "mountPath"),
    ("schedulingGates", "name"),
    ("resourceClaims", "name"),
    ("imagePullSecrets", "name"),
    ("secrets", "name"),
    ("hostAliases", "ip"),
    ("podIPs", "ip"),
    ("conditions", "type"),
    ("addresses", "type"),
    ("ownerReferences", "uid"),
];

/// How the list in this field is merged.
pub(crate) fn list_of(kind: &Kind, field: &str) -> ListOf {
    if field == "finalizers" {
        return ListOf::Set;
    }
    if let Some(lists) = &kind.lists {
        return lists.get(field).map_or(ListOf::Atom, |keys| ListOf::Keyed(keys.clone()));
    }
    let key = BUILT_IN.iter().find(|(name, _)| *name == field);
    key.map_or(ListOf::Atom, |(_, key)| ListOf::Keyed(vec![(*key).to_owned()]))
}

/// Whether two items are the same one.
pub(crate) fn same_item(keys: &[String], a: &Value, b: &Value) -> bool {
    keys.iter().all(|key| a.get(key) == b.get(key))
}
