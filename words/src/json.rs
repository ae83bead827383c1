//! Verdicts as JSON: every number of the reason, ids as names, amounts as Kubernetes quantities.

use super::{Names, advice, amount, search_limit, verdict::domain_name};
use quotree_core::{BlockingReason, Holder, Name, NearMissNode, PodId, Protection, Verdict};
use serde_json::{Map, Value, json};

fn quantity(resource: &Name, base_units: i64) -> Value {
    amount(resource, base_units).to_string().into()
}

/// A verdict as JSON: `rule` and what binds with its amounts, `entitled`, `holders`, `also`, `protected`, `bounds_hit`,
/// `helps`. Lists of pods name the first `named` pods; their counts are complete.
#[must_use]
pub fn verdict_json(verdict: &Verdict, names: &dyn Names, named: usize) -> Value {
    let pods = |all: &[PodId]| -> Value { all.iter().take(named).map(|pod| json!(names.pod(*pod))).collect() };
    let mut map = binding(&verdict.binding, names, &pods);
    let mut put = |key: &str, value: Value| drop(map.insert(key.into(), value));
    put("entitled", verdict.entitled.into());
    put("holders", holders(&verdict.binding, &verdict.holders, names, &pods));
    let also = verdict.also.iter().map(|other| {
        let mut map = binding(&other.binding, names, &pods);
        map.insert("what".into(), super::obstacle(verdict, &other.binding, names).into());
        map.insert("holders".into(), holders(&other.binding, &other.holders, names, &pods));
        Value::Object(map)
    });
    put("also", also.collect());
    let protected = verdict.protected.iter().map(|class| {
        let mut map = Map::new();
        map.insert("rule".into(), class.shield.rule().to_string().into());
        map.insert("why".into(), super::protection(class, names).into());
        map.insert("pods".into(), class.pods.into());
        match &class.shield {
            Protection::NotEntitled { quota, resource, by } => {
                map.insert("quota".into(), json!(names.tree().name(*quota)));
                map.insert("resource".into(), json!(resource));
                map.insert("by".into(), quantity(resource, *by));
            }
            Protection::WithinGuarantee { quota, resource } => {
                map.insert("quota".into(), json!(names.tree().name(*quota)));
                map.insert("resource".into(), json!(resource));
            }
            Protection::Budget { budget } => drop(map.insert("budget".into(), json!(budget))),
            _ => {}
        }
        if class.shield != Protection::NoHelp {
            map.insert("who".into(), pods(&class.who));
        }
        Value::Object(map)
    });
    put("protected", protected.collect());
    if let Some(why) = &verdict.cannot_run {
        put("cannot_run", super::verdict::cannot_run(why, names).into());
    }
    put("bounds_hit", verdict.bounds_hit.iter().map(|b| search_limit(*b)).collect());
    put("helps", verdict.helps.iter().map(|h| advice(h, names)).collect());
    Value::Object(map)
}

fn holders(of: &BlockingReason, holders: &[Holder], names: &dyn Names, pods: &dyn Fn(&[PodId]) -> Value) -> Value {
    let unnamed = Name::from("");
    let resource = of.amounts().map_or(&unnamed, |(resource, ..)| resource);
    let holder = |holder: &Holder| {
        json!({
            "quota": holder.quota.map(|quota| names.tree().name(quota)), "pods": holder.pods.len(),
            "used": quantity(resource, holder.used), "borrowed": quantity(resource, holder.borrowed),
            "who": pods(&holder.pods),
        })
    };
    holders.iter().map(holder).collect()
}

/// What binds: its rule, where, and its amounts.
fn binding(of: &BlockingReason, names: &dyn Names, pods: &dyn Fn(&[PodId]) -> Value) -> Map<String, Value> {
    let mut map = Map::new();
    let mut put = |key: &str, value: Value| drop(map.insert(key.into(), value));
    put("rule", of.rule().to_string().into());
    if let Some(quota) = of.quota() {
        put("quota", json!(names.tree().name(quota)));
    }
    if let Some((resource, needed, available)) = of.amounts() {
        put("resource", json!(resource));
        put("needed", quantity(resource, needed));
        put("available", quantity(resource, available));
    }
    match of {
        BlockingReason::Jobs { limit, .. } => put("limit", (*limit).into()),
        BlockingReason::Behind { head } => put("head", json!(names.workload(*head))),
        BlockingReason::Room(room) => {
            if let Some(resource) = &room.resource {
                put("free", quantity(resource, room.free));
                put("fragmented", room.is_fragmented().into());
            }
            let nodes = &room.nodes;
            put(
                "nodes",
                json!({
                    "total": nodes.total, "full": nodes.full, "fragmented": nodes.fragmented,
                    "elsewhere": nodes.elsewhere, "tainted": nodes.tainted, "unselected": nodes.unselected, "unschedulable": nodes.unschedulable,
                }),
            );
            put("placed", room.placed.into());
            if let Some(domain) = &room.within {
                put("within", domain_name(domain, names).into());
            }
            put("without", pods(&room.without));
            put("without_pods", room.without.len().into());
            let near = |near: &NearMissNode| {
                json!({
                    "node": names.node(near.node), "resource": near.resource, "lacks": near.lacks,
                    "needed": quantity(&near.resource, near.needed),
                    "available": quantity(&near.resource, near.available), "taken": pods(&near.taken),
                    "taken_pods": near.taken.len(),
                })
            };
            put("closest", room.closest.iter().map(near).collect());
        }
        BlockingReason::Held { leaving } | BlockingReason::Settling { leaving } => put("leaving", (*leaving).into()),
        BlockingReason::BackOff { failures, until } => {
            put("failures", (*failures).into());
            put("until_ms", until.map_or(serde_json::Value::Null, |until| until.0.into()));
        }
        _ => {}
    }
    map
}
