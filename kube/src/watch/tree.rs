//! An ElasticQuotaTree (`scheduling.sigs.k8s.io/v1beta1`) as the specification of a quota tree.
//!
//! The validation of trees (T2) is the core's. Here only the form is checked.

use super::{
    read::{Unreadable, Wrong, amounts},
    slim::Quantities,
};
use kube::core::{ApiResource, DynamicObject, GroupVersionKind};
use quotree_core::{Name, QuotaSpec, TreeSpec, Unit, parse_quantity_up};
use quotree_k8s::{
    names,
    quota::{lendable, take_vendor_keys},
};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};

/// How deep a tree may be nested; deeper ones are refused before they exhaust the stack.
const DEEPEST: usize = 64;

/// The kind of the object.
pub const KIND: &str = "ElasticQuotaTree";

/// Where the API has the object.
#[must_use]
pub fn resource() -> ApiResource {
    let kind = GroupVersionKind::gvk("scheduling.sigs.k8s.io", "v1beta1", KIND);
    ApiResource::from_gvk_with_plural(&kind, "elasticquotatrees")
}

/// A quota, as the object has it.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Quota {
    name: Option<String>,
    min: Option<Quantities>,
    max: Option<Quantities>,
    namespaces: Option<Vec<String>>,
    attributes: Option<BTreeMap<String, serde_json::Value>>,
    children: Option<Vec<Quota>>,
    /// What is no field of a quota.
    #[serde(flatten)]
    rest: BTreeMap<String, serde_json::Value>,
}

/// The fields of a quota. The CRD keeps unknown ones, and a misspelt `min` would take a guarantee away.
const FIELDS: &str = "`name`, `min`, `max`, `namespaces`, `attributes` and `children`";

/// The tree of an object.
///
/// # Errors
/// If `spec.root` is missing or not of this form.
pub fn tree(object: &DynamicObject) -> Result<TreeSpec, Unreadable> {
    read(&object.data).map_err(|wrong| wrong.of(KIND, &object.metadata))
}

fn read(data: &serde_json::Value) -> Result<TreeSpec, Wrong> {
    let root = data.get("spec").and_then(|spec| spec.get("root"));
    let root = root.ok_or_else(|| Wrong::new("spec.root", "missing, it is the root of the tree"))?;
    let root = Quota::deserialize(root).map_err(|error| Wrong::new("spec.root", error.to_string()))?;
    let mut quotas = Vec::new();
    add(&root, None, 0, &mut quotas)?;
    Ok(quotas.into_iter().collect())
}

fn add(quota: &Quota, parent: Option<&Name>, depth: usize, quotas: &mut Vec<QuotaSpec>) -> Result<(), Wrong> {
    let below = parent.map_or("spec.root".to_owned(), |parent| format!("a child of `{parent}`"));
    if depth > DEEPEST {
        return Err(Wrong::new(below, format!("the tree is nested more than {DEEPEST} deep")));
    }
    let name = quota.name.as_deref().filter(|name| !name.is_empty());
    let name: Name = name.ok_or_else(|| Wrong::new(below, "a quota has no `name`"))?.into();
    if let Some(unknown) = quota.rest.keys().next() {
        let what = format!("`{unknown}` is no field of a quota; these are: {FIELDS}");
        return Err(Wrong::new(format!("`{name}`"), what));
    }
    let mut spec = QuotaSpec::new(name.as_str(), parent.map(Name::as_str));
    spec.min = amounts(&format!("min of `{name}`"), quota.min.as_ref())?;
    spec.max = amounts(&format!("max of `{name}`"), quota.max.as_ref())?;
    // What it notes is that a number of jobs in min guarantees nothing.
    take_vendor_keys(&mut spec, &mut BTreeSet::new());
    spec.namespaces = quota.namespaces.iter().flatten().map(|namespace| namespace.as_str().into()).collect();
    for (key, value) in quota.attributes.iter().flatten() {
        let Some(text) = value.as_str() else {
            return Err(Wrong::new(format!("attributes of `{name}`"), format!("`{key}` must be a string")));
        };
        if key == names::LEND_LIMIT {
            spec.lend = Some(lendable(&spec.min, &lend_limit(&name, text)?));
        } else {
            spec.attributes.push((key.as_str().into(), text.into()));
        }
    }
    quotas.push(spec);
    quota.children.iter().flatten().try_for_each(|child| add(child, Some(&name), depth + 1, quotas))
}

/// The amounts of a lending limit, which is JSON in a string.
fn lend_limit(quota: &Name, text: &str) -> Result<quotree_core::Amounts, Wrong> {
    let field = format!("{} of `{quota}`", names::LEND_LIMIT);
    let given: BTreeMap<String, serde_json::Value> =
        serde_json::from_str(text).map_err(|error| Wrong::new(&field, error.to_string()))?;
    let amount = |(resource, value): (&String, &serde_json::Value)| {
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let amount = parse_quantity_up(&text, Unit::of(resource));
        amount.map(|amount| (Name::from(resource.as_str()), amount)).map_err(|e| Wrong::new(&field, e.to_string()))
    };
    given.iter().map(amount).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_misspelt_field_is_no_guarantee_of_nothing() {
        let tree = |field: &str| {
            let leaf = json!({ "name": "root.a", field: { "cpu": "4" }, "max": { "cpu": "8" }, "namespaces": ["a"] });
            let root = json!({ "name": "root", "min": { "cpu": "8" }, "max": { "cpu": "8" }, "children": [leaf] });
            read(&json!({ "spec": { "root": root } }))
        };
        assert_eq!(tree("min").unwrap().quotas.len(), 2);
        let wrong = format!("{:?}", tree("mim").unwrap_err());
        assert!(wrong.contains("root.a") && wrong.contains("`mim` is no field of a quota"), "{wrong}");
    }
}
