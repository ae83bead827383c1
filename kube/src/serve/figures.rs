//! The figures of the state, as metrics. Taken every few seconds by the loop.

use super::metric::{self, Values};
use crate::{
    actor::{Actor, Reason, Why},
    record::Tape,
    settings::Mode,
};
use quotree_core::{Amounts, Name, QuotaId, Scheduler, Unit};
use std::collections::BTreeMap;

/// Amounts in base units, as whole units: cores, bytes, pieces.
pub(crate) fn whole(resource: &str, amount: i64) -> f64 {
    match Unit::of(resource) {
        Unit::Bytes => amount as f64,
        _ => amount as f64 / 1000.0,
    }
}

/// Takes the figures of the core, but for what waits. Costs a pass over the quotas and the nodes.
pub fn take(values: &mut Values, actor: &Actor) {
    for metric in [metric::QUOTA, metric::PODS, metric::NODES, metric::NODE_RESOURCE, metric::DRIFT] {
        values.clear(metric);
    }
    if actor.drift().is_empty() {
        values.set(metric::DRIFT, &["", ""], 0.0);
    }
    for (queue, resource, amount) in actor.drift() {
        values.set(metric::DRIFT, &[queue.as_str(), resource.as_str()], whole(resource.as_str(), *amount));
    }
    let Some(core) = actor.core() else { return };
    quotas(values, core);
    nodes(values, core);
}

/// Takes what waits: workloads, and pods that the core does not know. Those have no leaf.
pub fn pending(values: &mut Values, reasons: &[Reason], unreported: &[Why]) {
    values.clear(metric::PENDING);
    let mut waiting: BTreeMap<(&str, &'static str), u32> = BTreeMap::new();
    let workloads = reasons.iter().map(|one| (one.leaf.as_str(), one.word));
    for row in workloads.chain(unreported.iter().map(|one| ("", one.reason))) {
        *waiting.entry(row).or_default() += 1;
    }
    for ((queue, reason), count) in waiting {
        values.set(metric::PENDING, &[queue, reason], f64::from(count));
    }
}

fn quotas(values: &mut Values, core: &Scheduler) {
    let tree = core.tree();
    let fair = core.fair_shares();
    let resources: Vec<String> = tree.governed().map(ToString::to_string).collect();
    for (place, quota) in tree.ids().enumerate() {
        let (name, usage) = (tree.name(quota).as_str(), core.usage(quota));
        values.set(metric::PODS, &[name], f64::from(usage.pods));
        let spec = tree.spec(quota);
        let kinds: [(&str, Option<&Amounts>); 7] = [
            ("min", spec.map(|spec| &spec.min)),
            ("used", Some(&usage.used)),
            ("request", Some(&usage.request)),
            ("borrowed", Some(&usage.borrowed)),
            ("lent", Some(&usage.lent)),
            ("freeing", Some(&usage.freeing)),
            ("held", Some(&usage.held)),
        ];
        for resource in &resources {
            for (kind, amounts) in kinds {
                let amount = amounts.and_then(|amounts| amounts.get(resource)).unwrap_or(0);
                values.set(metric::QUOTA, &[name, resource, kind], whole(resource, amount));
            }
            if let Some(max) = spec.and_then(|spec| spec.max.get(resource)) {
                values.set(metric::QUOTA, &[name, resource, "max"], whole(resource, max));
            }
        }
        let row = fair.get(place).map(Vec::as_slice).unwrap_or_default();
        for (resource, share) in resources.iter().zip(row) {
            values.set(metric::QUOTA, &[name, resource, "fair"], whole(resource, *share));
        }
    }
}

fn nodes(values: &mut Values, core: &Scheduler) {
    let (mut open, mut closed) = (0_u32, 0_u32);
    let mut sums: BTreeMap<(Name, &'static str), i64> = BTreeMap::new();
    for node in core.nodes() {
        if node.schedulable {
            open += 1
        } else {
            closed += 1
        }
        for (kind, amounts) in [("allocatable", &node.allocatable), ("used", &node.used), ("held", &node.held)] {
            for (resource, amount) in amounts.iter() {
                let sum = sums.entry((resource.clone(), kind)).or_default();
                *sum = sum.saturating_add(amount);
            }
        }
    }
    for (state, count) in [("open", open), ("closed", closed)] {
        values.set(metric::NODES, &[state], f64::from(count));
    }
    for ((resource, kind), sum) in sums {
        values.set(metric::NODE_RESOURCE, &[resource.as_str(), kind], whole(resource.as_str(), sum));
    }
}

/// What never changes.
pub fn build(values: &mut Values, mode: Mode) {
    let mode = match mode {
        Mode::Gate => "gate",
        Mode::Bind => "bind",
        Mode::Dry => "dry",
    };
    values.set(metric::BUILD, &[env!("CARGO_PKG_VERSION"), quotree_core::SEMANTICS_VERSION, mode], 1.0);
    let zero = [
        metric::DROPPED,
        metric::REFUSED,
        metric::RECORD_SEGMENTS,
        metric::RECORD_BYTES,
        metric::RECORD_DROPPED,
        metric::RECORD_FAILURES,
    ];
    zero.into_iter().for_each(|metric| values.set(metric, &[], 0.0));
}

/// The figures of the recording.
pub fn recording(values: &mut Values, tape: &Tape) {
    let counts = tape.counts();
    values.set(metric::RECORD_SEGMENTS, &[], counts.segments as f64);
    values.set(metric::RECORD_BYTES, &[], counts.bytes as f64);
    values.set(metric::RECORD_DROPPED, &[], counts.dropped as f64);
    values.set(metric::RECORD_FAILURES, &[], counts.failures as f64);
}

/// The name of the leaf of a workload.
pub(crate) fn leaf_name(core: &Scheduler, leaf: Option<QuotaId>) -> String {
    leaf.map_or_else(String::new, |leaf| core.tree().name(leaf).to_string())
}
