//! What a verdict does not know about a pending workload: the names of the pods that its hold waits for, and how often it
//! was passed; and what a workload in its back-off would wait for.

use crate::{model::Kind, text::Names, view::RunView, world::CoreWorkload};
use quotree_core::{Event, Queueing, Verdict, WorkloadSpec};

/// Clauses for the reason of a verdict, each after `; `.
pub(super) fn beyond(view: &RunView<'_>, verdict: &Verdict) -> String {
    let names = view.world.names();
    let mut text = String::new();
    let awaited = view.scheduler.waits_for(verdict.workload);
    if !awaited.is_empty() {
        let mut first: Vec<String> = awaited.iter().take(NAMED).map(|pod| names.pod(*pod).into_owned()).collect();
        first.extend((awaited.len() > NAMED).then(|| format!("{} more", awaited.len() - NAMED)));
        text += &format!("; waits for: {}", first.join(", "));
    }
    let passed = passed_by(view, verdict);
    let leaf = view.scheduler.workload(verdict.workload).and_then(|workload| workload.leaf);
    if let Some(leaf) = leaf.filter(|_| passed >= MANY) {
        text += &format!(
            "; passed by: {passed} younger workloads of no higher priority started while it waited, which `queueing: \
             Block` on {} would stop (O2)",
            view.tree().name(leaf)
        );
    }
    text
}

/// What a suspended core workload would wait for if its job queue released it now, found with a copy of the scheduler;
/// nothing if it would start, or evict for its start.
pub(super) fn if_released(view: &RunView<'_>, spec: &WorkloadSpec) -> Option<Verdict> {
    let mut copy = view.scheduler.clone();
    copy.apply(Event::WorkloadSubmitted(spec.clone())).ok()?;
    copy.decide(view.now());
    copy.explain(spec.id).filter(|_| !copy.workload(spec.id).is_some_and(|workload| workload.held))
}

/// How many pods that a hold waits for are named.
const NAMED: usize = 4;

/// How many younger workloads must have passed for it to be told.
const MANY: usize = 10;

/// How many younger workloads of its leaf, of no higher priority, started while this one waited. None where the leaf
/// keeps a line (O2), or the workload can never run (O4): then a line would not help.
fn passed_by(view: &RunView<'_>, verdict: &Verdict) -> usize {
    let Some(own) = view.scheduler.workload(verdict.workload) else { return 0 };
    let queueing = own.leaf.and_then(|leaf| view.tree().spec(leaf)).map(|spec| spec.queueing);
    if queueing != Some(Queueing::Skip) || verdict.cannot_run.is_some() {
        return 0;
    }
    let leaf = own.leaf.map(|leaf| leaf.0);
    let priority = |unit: &CoreWorkload| {
        let workload = view.world.workload_of(unit.owner)?;
        let row = match &workload.kind {
            Kind::Trace { rows, .. } => rows.get(unit.number as usize).and_then(|row| row.priority),
            _ => None,
        };
        Some(row.unwrap_or(workload.priority.number))
    };
    let passed = |unit: &&CoreWorkload| {
        let is_of_leaf = view.world.namespaces[unit.namespace].leaf == leaf;
        is_of_leaf && unit.age > own.submitted && !unit.fresh && priority(unit).is_some_and(|p| p <= own.priority)
    };
    view.world.units.iter().filter(passed).count()
}
