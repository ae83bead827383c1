//! Further reasons for a pending workload, which a verdict does not contain: the pods that its reservation waits for,
//! and how many younger workloads started before it. For a workload that its job queue suspends: what it would wait for
//! if it were released.

use crate::{model::Kind, view::RunView, world::CoreWorkload};
use quotree_core::{Event, Queueing, Time, Verdict, WorkloadSpec};
use quotree_words::Names;
use std::{cell::LazyCell, collections::BTreeMap};

/// Clauses for the reason of a verdict, each after `; `.
pub(super) fn beyond(
    view: &RunView<'_>,
    verdict: &Verdict,
    starts: &LazyCell<Starts, impl FnOnce() -> Starts>,
) -> String {
    let names = view.world.names();
    let mut text = String::new();
    let awaited = view.scheduler.waits_for(verdict.workload);
    if !awaited.is_empty() {
        let mut first: Vec<String> = awaited.iter().take(NAMED).map(|pod| names.pod(*pod).into_owned()).collect();
        first.extend((awaited.len() > NAMED).then(|| format!("{} more", awaited.len() - NAMED)));
        text += &format!("; waits for: {}", first.join(", "));
    }
    let passed = passed_by(view, verdict, starts);
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

/// What a suspended core workload would wait for if its job queue released it now, found with a copy of the scheduler.
/// Nothing if the workload would start, with or without evictions.
pub(super) fn if_released(view: &RunView<'_>, spec: &WorkloadSpec) -> Option<Verdict> {
    let mut copy = view.scheduler.clone();
    copy.apply(Event::WorkloadSubmitted(spec.clone())).ok()?;
    copy.decide(view.now());
    copy.explain(spec.id).filter(|_| !copy.workload(spec.id).is_some_and(|workload| workload.held))
}

/// How many of the pods that a hold waits for are named.
const NAMED: usize = 4;

/// The fewest younger workloads that must have started first for the reason to mention them.
const MANY: usize = 10;

/// For the workloads that have started, by leaf and priority: when they began to wait, in order.
#[derive(Debug, Default)]
pub(super) struct Starts(BTreeMap<(Option<u32>, i32), Vec<Time>>);

impl Starts {
    /// Collects these times for all core workloads of a run. Takes time linear in their number.
    pub(super) fn of(view: &RunView<'_>) -> Self {
        let mut starts = Self::default();
        for unit in view.world.units.iter().filter(|unit| !unit.fresh) {
            if let Some(priority) = priority_of(view, unit) {
                let leaf = view.world.namespaces[unit.namespace].leaf;
                starts.0.entry((leaf, priority)).or_default().push(unit.age);
            }
        }
        for ages in starts.0.values_mut() {
            ages.sort_unstable();
        }
        starts
    }

    /// How many workloads of a leaf have started that have at most this priority and began to wait after a moment.
    fn younger(&self, leaf: Option<u32>, priority: i32, than: Time) -> usize {
        let rows = self.0.range((leaf, i32::MIN)..=(leaf, priority));
        rows.map(|(_, ages)| ages.len() - ages.partition_point(|age| *age <= than)).sum()
    }
}

fn priority_of(view: &RunView<'_>, unit: &CoreWorkload) -> Option<i32> {
    let workload = view.world.workload_of(unit.owner)?;
    let row = match &workload.kind {
        Kind::Trace { rows, .. } => rows.get(unit.number as usize).and_then(|row| row.priority),
        _ => None,
    };
    Some(row.unwrap_or(workload.priority.number))
}

/// How many younger workloads of its leaf, of no higher priority, started while this one waited. None where the leaf
/// has strict queueing (O2), or the workload can never run (O4): then `Block` would not help.
fn passed_by(view: &RunView<'_>, verdict: &Verdict, starts: &LazyCell<Starts, impl FnOnce() -> Starts>) -> usize {
    let Some(own) = view.scheduler.workload(verdict.workload) else { return 0 };
    let queueing = own.leaf.and_then(|leaf| view.tree().spec(leaf)).map(|spec| spec.queueing);
    if queueing != Some(Queueing::Skip) || verdict.cannot_run.is_some() {
        return 0;
    }
    starts.younger(own.leaf.map(|leaf| leaf.0), own.priority, own.submitted)
}
