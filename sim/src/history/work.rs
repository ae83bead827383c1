//! Pods on nodes: when each was bound, ran, began to terminate and was gone.

use super::{
    cluster::Cluster,
    rows::{PlacementHistory, PodEnd},
};
use crate::{
    metrics::MetricsCollector,
    trace::TraceEvent,
    world::{Fact, NONE, State, World},
};
use quotree_core::PodId;
use std::collections::BTreeMap;

/// All placements so far.
#[derive(Debug, Default)]
pub(super) struct Work {
    pub(super) placements: Vec<PlacementHistory>,
    /// When each pod was created.
    pub(super) created: Vec<u64>,
    /// The core workload that each one replaces.
    pub(super) replaces: BTreeMap<u32, u32>,
    /// The current placement of each pod, or [`NONE`].
    open: Vec<u32>,
    /// Evictions so far.
    evictions: u32,
    /// The pod that is lost with its node in the fact that is being handled.
    lost: Option<u32>,
    /// Lost work: the time, the pod whose workload lost it, and the amount, pod-milliseconds.
    pub(super) lost_work: Vec<(u64, u32, u128)>,
}

impl Work {
    /// Receives a fact of the world.
    pub(super) fn on(&mut self, fact: &Fact, world: &World<'_>, metrics: &MetricsCollector, cluster: &mut Cluster) {
        match *fact {
            Fact::Pod { pod, from, to } => self.enter(world, cluster, pod, (from, to)),
            Fact::PodResized { pod, from } => {
                let record = world.pods[pod];
                let rows = (&world.shapes.rows[from], &world.shapes.rows[record.shape]);
                cluster.resize(record.node, rows);
            }
            Fact::Submitted { unit, replaces: Some(old) } => {
                self.replaces.insert(unit, old);
            }
            Fact::Interrupted { unit, lost_ms } => {
                self.lost_work.push((world.now.0, world.units[unit].first_pod, lost_ms));
            }
            Fact::Ended { pod, lost, .. } => self.lost = lost.then_some(pod),
            Fact::Trace(TraceEvent::Bind { pod, node, devices }) => {
                let Some(pod) = world.find(pod) else { return };
                let place = u32::try_from(self.placements.len()).unwrap_or(NONE);
                if let Some(open) = self.open.get_mut(pod as usize) {
                    *open = place;
                }
                let record = world.pods[pod];
                let leaf = world.namespaces[world.units[record.unit].namespace].leaf;
                self.placements.push(PlacementHistory {
                    pod,
                    node: node.0,
                    devices,
                    borrowed: metrics.borrowed_of(leaf, &world.shapes.rows[record.shape]),
                    bound_ms: world.now.0,
                    running_ms: None,
                    leaving_ms: None,
                    gone: None,
                    drained: false,
                    eviction: None,
                    cost_rate: world.costs.as_ref().map_or(0, |costs| costs.rate(world, pod)),
                });
                cluster.stand(node.0, &world.shapes.rows[world.pods[pod].shape], 1);
            }
            Fact::Trace(TraceEvent::Evict { pod, .. }) => {
                let eviction = self.evictions;
                self.evictions += 1;
                if let Some(placement) = self.placement(world, pod) {
                    placement.eviction = Some(eviction);
                }
            }
            Fact::Trace(TraceEvent::ToldToGo { pod, .. }) => {
                if let Some(placement) = self.placement(world, pod) {
                    placement.drained = true;
                }
            }
            _ => {}
        }
    }

    fn placement(&mut self, world: &World<'_>, pod: PodId) -> Option<&mut PlacementHistory> {
        let open = self.open.get(world.find(pod)? as usize)?;
        self.placements.get_mut(*open as usize)
    }

    fn enter(&mut self, world: &World<'_>, cluster: &mut Cluster, pod: u32, (from, to): (State, State)) {
        let now = world.now.0;
        if from == State::New {
            self.created.push(now);
            self.open.push(NONE);
        }
        let row = &world.shapes.rows[world.pods[pod].shape];
        cluster.count(row, from, to);
        let Some(open) = self.open.get_mut(pod as usize) else { return };
        let Some(placement) = self.placements.get_mut(*open as usize) else { return };
        match to {
            // Its eviction failed.
            State::Running if from == State::EvictionPending => placement.leaving_ms = None,
            State::Running => placement.running_ms = Some(now),
            State::EvictionPending | State::Leaving => {
                placement.leaving_ms.get_or_insert(now);
            }
            _ if to.holds_resources() => {}
            _ => {
                *open = NONE;
                let end = end_of(to, placement.drained, self.lost.take() == Some(pod));
                placement.gone = Some((now, end.unwrap_or(PodEnd::BindFailed)));
                cluster.stand(placement.node, row, -1);
            }
        }
    }
}

/// How a pod in this state has ended; nothing if it has not.
pub(super) const fn end_of(state: State, drained: bool, lost: bool) -> Option<PodEnd> {
    match state {
        State::Succeeded => Some(PodEnd::Succeeded),
        State::Failed if lost => Some(PodEnd::Lost),
        State::Failed => Some(PodEnd::Failed),
        State::Evicted if drained => Some(PodEnd::Drained),
        State::Evicted => Some(PodEnd::Evicted),
        State::Deleted => Some(PodEnd::Deleted),
        _ => None,
    }
}
