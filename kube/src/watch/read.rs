//! Values that several kinds of objects have: amounts, times, labels, selectors.

use super::slim::{Quantities, Quantity, Requirement};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{LabelSelector as ApiSelector, ObjectMeta, Time};
use quotree_core::{Amounts, Name, Unit, parse_quantity_up};
use quotree_k8s::{LabelSelector, Labels, affinity};
use std::collections::BTreeMap;

/// Why an object cannot be used. The object is left as it was before, and the mistake is counted and reported.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{kind} {name}: {field}: {why}")]
pub struct Unreadable {
    /// The kind of the object.
    pub kind: &'static str,
    /// `namespace/name`, or the name.
    pub name: String,
    /// The field.
    pub field: String,
    /// What is wrong with it.
    pub why: String,
}

/// What is wrong with a field, before it is known of which object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Wrong {
    pub(crate) field: String,
    pub(crate) why: String,
}

impl Wrong {
    pub(crate) fn new(field: impl Into<String>, why: impl Into<String>) -> Self {
        Self { field: field.into(), why: why.into() }
    }

    pub(crate) fn of(self, kind: &'static str, metadata: &ObjectMeta) -> Unreadable {
        let name = metadata.name.as_deref().unwrap_or_default();
        let name = metadata.namespace.as_ref().map_or_else(|| name.to_owned(), |space| format!("{space}/{name}"));
        Unreadable { kind, name, field: self.field, why: self.why }
    }
}

/// Amounts in base units. What is finer than a base unit rounds up, as in the API.
pub(crate) fn amounts(field: &str, quantities: Option<&Quantities>) -> Result<Amounts, Wrong> {
    let mut amounts = Amounts::new();
    for (resource, quantity) in quantities.into_iter().flatten() {
        let text = match quantity {
            Quantity::Text(text) => text.clone(),
            Quantity::Number(number) => number.to_string(),
        };
        let amount = parse_quantity_up(&text, Unit::of(resource))
            .map_err(|error| Wrong::new(format!("{field}.{resource}"), error.to_string()))?;
        amounts.set(resource.as_str(), amount);
    }
    Ok(amounts)
}

/// A text as a name; absent is `None`.
pub(crate) fn name(text: Option<&String>) -> Option<Name> {
    text.map(|text| Name::from(text.as_str()))
}

/// A text as a name; absent is empty.
pub(crate) fn text(text: Option<&String>) -> Name {
    name(text).unwrap_or_default()
}

/// Labels or annotations.
pub(crate) fn labels(map: Option<&BTreeMap<String, String>>) -> Labels {
    map.into_iter().flatten().map(|(key, value)| (key.as_str().into(), value.as_str().into())).collect()
}

/// A time of an object, in milliseconds since 1970.
pub(crate) fn time(time: Option<&Time>) -> Option<i64> {
    time.map(|time| time.0.as_millisecond())
}

/// A requirement of labels or fields.
pub(crate) fn requirement(field: &str, given: &Requirement) -> Result<affinity::Requirement, Wrong> {
    let operator = given.operator.as_deref().unwrap_or_default();
    Ok(affinity::Requirement {
        key: text(given.key.as_ref()),
        operator: affinity::Operator::of(operator)
            .ok_or_else(|| Wrong::new(field, format!("`{operator}` is not an operator")))?,
        values: given.values.iter().flatten().map(|value| value.as_str().into()).collect(),
    })
}

/// A selector of labels.
pub(crate) fn selector(field: &str, given: &ApiSelector) -> Result<LabelSelector, Wrong> {
    let expressions = given.match_expressions.iter().flatten().map(|expression| {
        let given = Requirement {
            key: Some(expression.key.clone()),
            operator: Some(expression.operator.clone()),
            values: expression.values.clone(),
        };
        requirement(field, &given)
    });
    let labels = given.match_labels.iter().flatten();
    Ok(LabelSelector {
        labels: labels.map(|(key, value)| (key.as_str().into(), value.as_str().into())).collect(),
        expressions: expressions.collect::<Result<_, _>>()?,
    })
}
