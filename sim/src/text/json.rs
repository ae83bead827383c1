//! Verdicts as JSON: every number of the reason, ids as names, amounts as Kubernetes quantities.

use super::{Names, amount, bound_word, help_text};
use quotree_core::{Binding, Name, Verdict};
use serde_json::{Map, Value, json};

fn quantity(resource: &Name, base_units: i64) -> Value {
    amount(resource, base_units).to_string().into()
}

/// A verdict as JSON: `rule`, what binds with its amounts, `entitled`, `holders`, `protected`, `bounds_hit`, `helps`.
#[must_use]
pub fn verdict_json(verdict: &Verdict, names: &dyn Names) -> Value {
    let tree = names.tree();
    let mut map = Map::new();
    let mut put = |key: &str, value: Value| drop(map.insert(key.into(), value));
    put("rule", verdict.binding.rule().to_string().into());
    let mut contested = None;
    match &verdict.binding {
        Binding::Ceiling { quota, resource, needed, available }
        | Binding::Guarantee { quota, resource, needed, available } => {
            put("quota", json!(tree.name(*quota)));
            put("resource", json!(resource));
            put("needed", quantity(resource, *needed));
            put("available", quantity(resource, *available));
            contested = Some(resource);
        }
        Binding::Jobs { quota, limit } => {
            put("quota", json!(tree.name(*quota)));
            put("limit", (*limit).into());
        }
        Binding::Behind { head } => put("head", json!(names.workload(*head))),
        Binding::Room { resource, needed, available, nodes, placed } => {
            if let Some(resource) = resource {
                put("resource", json!(resource));
                put("needed", quantity(resource, *needed));
                put("available", quantity(resource, *available));
            }
            put(
                "nodes",
                json!({
                    "total": nodes.total, "full": nodes.full, "fragmented": nodes.fragmented,
                    "tainted": nodes.tainted, "unselected": nodes.unselected, "unschedulable": nodes.unschedulable,
                }),
            );
            put("placed", (*placed).into());
            contested = resource.as_ref();
        }
        Binding::Held { leaving } => put("leaving", (*leaving).into()),
        _ => {}
    }
    put("entitled", verdict.entitled.into());
    let unnamed = Name::from("");
    let contested = contested.unwrap_or(&unnamed);
    let holders = verdict.holders.iter().map(|h| {
        json!({
            "quota": tree.name(h.quota), "pods": h.pods,
            "used": quantity(contested, h.used), "borrowed": quantity(contested, h.borrowed),
        })
    });
    put("holders", holders.collect());
    let protected = verdict.protected.iter().map(|p| json!({ "rule": p.rule.to_string(), "pods": p.pods }));
    put("protected", protected.collect());
    put("bounds_hit", verdict.bounds_hit.iter().map(|b| bound_word(*b)).collect());
    put("helps", verdict.helps.iter().map(|h| help_text(h, names)).collect());
    Value::Object(map)
}
