//! Steps that change nodes and devices. A node fails, recovers, is cordoned, is drained or changes its mode; a device
//! becomes unhealthy.

use super::{Driver, nth};
use crate::worlds::{Step, World};
use quotree_core::{DeviceSet, Event, NodeId, NodeSpec, PodId, PodOutcome, PodState, PodView, WorkloadId};
use std::collections::BTreeSet;

impl Driver<'_> {
    /// Carries out a step about a node or its devices.
    pub(super) fn node_step(&mut self, step: Step) {
        match step {
            Step::NodeDown(k) => {
                if let Some(node) = nth(&self.up(), k) {
                    self.node_down(node);
                }
            }
            Step::NodeUp(k) => {
                let down: Vec<usize> = self.down.iter().copied().collect();
                if let Some((node, mut spec)) = nth(&down, k).and_then(|n| Some((n, self.node(n)?))) {
                    spec.schedulable = true;
                    self.down.remove(&node);
                    self.apply(Event::NodeUp(spec));
                }
            }
            Step::Cordon(k) => {
                if let Some(node) = nth(&self.up(), k) {
                    if !self.cordoned.remove(&node) {
                        self.cordoned.insert(node);
                    }
                    self.change(node);
                }
            }
            Step::Unhealthy(k, devices) => {
                if let Some(node) = nth(&self.up(), k) {
                    self.unhealthy.insert(node, devices);
                    self.change(node);
                }
            }
            Step::ChangeMode(k, mode) => {
                let free = |n: &usize| !self.down.contains(n) && !self.devices_in_use(*n);
                let free: Vec<usize> = (0..self.node_traits.len()).filter(free).collect();
                if let Some(node) = nth(&free, k) {
                    if let Some(site) = self.node_traits.get_mut(node) {
                        site.mode = mode;
                    }
                    self.change(node);
                }
            }
            Step::Drain(k) => self.drain(k),
            _ => {}
        }
    }

    pub(super) fn up(&self) -> Vec<usize> {
        (0..self.world.nodes.len()).filter(|n| !self.down.contains(n)).collect()
    }

    /// The current state of the node.
    pub(super) fn node(&self, i: usize) -> Option<NodeSpec> {
        let world = World { node_traits: self.node_traits.clone(), ..World::new(&self.world.nodes) };
        let mut spec = World { devices: self.world.devices, ..world }.node(i)?;
        spec.schedulable = !self.cordoned.contains(&i);
        let count = spec.devices.first().map_or(0, |devices| devices.count);
        let devices = 1u64.checked_shl(count).map_or(u64::MAX, |above| above - 1);
        spec.unhealthy = DeviceSet(self.unhealthy.get(&i).copied().unwrap_or(0) & devices);
        Some(spec)
    }

    fn change(&mut self, node: usize) {
        if let Some(spec) = self.node(node) {
            self.apply(Event::NodeChanged(spec));
        }
    }

    fn devices_in_use(&self, node: usize) -> bool {
        let pods = self.alive().into_iter().filter_map(|w| self.core().workload(w)).flat_map(|w| w.pods);
        let here = |pod: &PodView| pod.node.is_some_and(|id| id.0 as usize == node);
        pods.into_iter().any(|pod| here(&pod) && pod.devices != DeviceSet::default())
    }

    fn node_down(&mut self, node: usize) {
        let id = NodeId(u32::try_from(node).unwrap_or(u32::MAX));
        let view = self.core().nodes().into_iter().find(|n| n.id == id);
        let hit: BTreeSet<WorkloadId> = view.into_iter().flat_map(|n| n.pods).map(|p| p.workload).collect();
        self.down.insert(node);
        self.cordoned.remove(&node);
        self.apply(Event::NodeDown { node: id });
        for workload in hit {
            self.recreate(workload);
        }
    }

    /// Cordons a node and deletes its pods; if a gang would fall below its minimum, all its pods are deleted.
    fn drain(&mut self, k: usize) {
        let Some(node) = nth(&self.up(), k) else { return };
        self.cordoned.insert(node);
        self.change(node);
        let id = NodeId(u32::try_from(node).unwrap_or(u32::MAX));
        let here = self.core().nodes().into_iter().find(|n| n.id == id).map(|n| n.pods).unwrap_or_default();
        let hit: BTreeSet<WorkloadId> = here.iter().map(|pod| pod.workload).collect();
        for workload in &hit {
            let needs: u32 = self.specs.get(workload).map_or(0, |spec| spec.pods.iter().map(|set| set.min).sum());
            let pods = self.core().workload(*workload).map(|w| w.pods).unwrap_or_default();
            let stays = |state| matches!(state, PodState::Running | PodState::Binding);
            let placed: Vec<PodId> = pods.iter().filter(|p| stays(p.state)).map(|p| p.id).collect();
            let mut deleted: Vec<PodId> = placed.iter().copied().filter(|pod| here.contains(pod)).collect();
            if self.world.roles || placed.len() - deleted.len() < needs as usize {
                deleted = placed;
            }
            deleted.iter().for_each(|pod| self.apply(Event::PodLeaving { pod: *pod }));
            deleted.iter().for_each(|pod| self.outcome(Event::PodGone { pod: *pod, outcome: PodOutcome::Evicted }, 50));
        }
        if self.play.delays.is_none() {
            self.answer_evictions(&hit.into_iter().collect::<Vec<_>>());
        }
    }
}
