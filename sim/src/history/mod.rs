//! The history of a run, for reports: what each quota used over time, why each pod waited, which workload evicted
//! which. A `Recorder` collects the history while the run goes on, and changes nothing. The size of a series is bounded
//! (see [`Line`]); the number of rows grows with the pods, as the world itself does.

mod cluster;
mod edits;
mod explained;
mod finish;
mod line;
mod loans;
mod questions;
mod quotas;
mod rows;
mod stated;
mod waits;
mod work;

pub use crate::world::PodLabel;
pub(crate) use explained::Interview;
pub use explained::{
    CheckHistory, ClosestHistory, HolderHistory, NAMED_NODES, ObstacleHistory, SparedHistory, VerdictHistory,
};
pub use line::{Bucket, Line, MOST_STEPS, Steps};
pub use questions::questions;
pub use rows::{
    Amount, COST_PARTS, Change, ClusterLines, EditHistory, EvictionHistory, History, JobEnd, JobHistory, LoanHistory,
    NodeHistory, NodeIs, PlacementHistory, PodEnd, PodHistory, QuotaHistory, QuotaLines, ResourceLines, WaitHistory,
    Why,
};
pub use stated::JobStated;

use crate::{
    metrics::MetricsCollector,
    model::QuotaEdit,
    trace::TraceEvent,
    world::{Fact, State, World},
};
use quotree_core::{Action, Name, Plan, Scheduler};

/// Collects the history of a run.
#[derive(Debug)]
pub(crate) struct Recorder {
    quotas: quotas::Quotas,
    cluster: cluster::Cluster,
    work: work::Work,
    waits: waits::Waits,
    /// The leaf of each core workload at its submission, as an index of all known quotas.
    leaves: Vec<Option<u32>>,
    /// Whether an amount may have changed since the last sample.
    dirty: bool,
}

impl Recorder {
    pub(crate) fn new(world: &World<'_>) -> Self {
        let mut quotas = quotas::Quotas::default();
        quotas.plant(world, None);
        Self {
            quotas,
            cluster: cluster::Cluster::new(world),
            work: work::Work::default(),
            waits: waits::Waits::default(),
            leaves: Vec::new(),
            dirty: true,
        }
    }

    /// Receives a fact of the world.
    pub(crate) fn on(&mut self, fact: &Fact, world: &World<'_>, metrics: &MetricsCollector) {
        match *fact {
            Fact::Capacity { resource, amount } => self.cluster.grow(resource, amount),
            Fact::Submitted { unit, .. } => {
                let leaf = world.namespaces[world.units[unit].namespace].leaf;
                self.leaves.resize(unit as usize, None);
                self.leaves.push(leaf.map(|leaf| self.quotas.place(quotree_core::QuotaId(leaf))));
            }
            Fact::Trace(
                TraceEvent::Node { node, .. }
                | TraceEvent::Cordon { node, .. }
                | TraceEvent::Drain { node, .. }
                | TraceEvent::NodeChanged { node }
                | TraceEvent::Device { node, .. }
                | TraceEvent::Relabel { node, .. },
            ) => self.cluster.touch(node.0),
            _ => {}
        }
        self.work.on(fact, world, metrics, &mut self.cluster);
        self.waits.on(fact, world);
        self.dirty |= changes_amounts(fact);
    }

    /// Receives the plan of a decision, before it is carried out.
    pub(crate) fn decided(&mut self, plan: &Plan, world: &World<'_>) {
        self.waits.decided(plan, world, &self.quotas);
        for action in &plan.actions {
            if let Action::Hold { workload, .. } = action {
                self.quotas.hold(*workload);
            }
        }
        self.dirty |= !plan.actions.is_empty() || !plan.verdicts.is_empty();
    }

    /// Records that another tree takes effect.
    pub(crate) fn planted(&mut self, world: &World<'_>, by: Option<&Name>) {
        self.quotas.plant(world, by);
        self.dirty = true;
    }

    /// Records a refused edit of a quota.
    pub(crate) fn refused(&mut self, world: &World<'_>, edit: (&Name, &QuotaEdit), by: Option<&Name>) {
        self.quotas.refused(world, edit, by);
    }

    /// Takes samples after all events of this time.
    pub(crate) fn settled(&mut self, world: &World<'_>, scheduler: &Scheduler, metrics: &MetricsCollector) {
        self.waits.settled(world, scheduler, &self.quotas);
        if !std::mem::take(&mut self.dirty) {
            return;
        }
        self.quotas.settled(world, scheduler, metrics);
        self.cluster.settled(world);
    }
}

/// Whether a fact may change an amount that a series shows.
fn changes_amounts(fact: &Fact) -> bool {
    match fact {
        Fact::Pod { from, to, .. } => {
            let waits = |state: State| state == State::Waiting;
            from.holds_resources() != to.holds_resources() || waits(*from) != waits(*to)
        }
        Fact::Capacity { .. } | Fact::Resized => true,
        Fact::Trace(what) => matches!(
            what,
            TraceEvent::Node { .. }
                | TraceEvent::Cordon { .. }
                | TraceEvent::Drain { .. }
                | TraceEvent::NodeChanged { .. }
                | TraceEvent::Device { .. }
                | TraceEvent::Relabel { .. }
                | TraceEvent::Release { .. }
        ),
        _ => false,
    }
}
