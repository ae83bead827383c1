//! Steps in which the cluster is otherwise than the scheduler's plans say: pods that others bound (E1), or
//! bound elsewhere (E3).

use super::{Driver, nth};
use quotree_core::{BoundAt, DeviceSet, Event, FoundState, NodeId, NodeSpec, PodId, PodOutcome, PodState, PodTemplate};
use std::sync::Arc;

/// The devices that somebody who asks nobody gives a pod on a node: the first ones.
fn first_devices(node: &NodeSpec, template: &PodTemplate) -> DeviceSet {
    let Some(devices) = node.devices.first() else { return DeviceSet::default() };
    let requested = template.request.get(devices.resource.as_str()).unwrap_or(0);
    let stated = template.devices.as_ref().map(|ask| i64::from(ask.count));
    let count = stated.unwrap_or(requested.div_euclid(devices.each).max(i64::from(requested > 0)));
    DeviceSet((0..count.min(i64::from(devices.count))).fold(0, |set, device| set | 1 << device))
}

impl Driver<'_> {
    /// A pending pod is found on a node that is up.
    pub(super) fn find(&mut self, k: usize, node: usize, state: usize) {
        let pods = self.alive().into_iter().filter_map(|w| self.core().workload(w)).flat_map(|w| w.pods);
        let pending: Vec<PodId> = pods.filter(|pod| pod.state == PodState::Pending).map(|pod| pod.id).collect();
        let Some((pod, node)) = nth(&pending, k).zip(nth(&self.up(), node).and_then(|node| self.node(node))) else {
            return;
        };
        let state = [FoundState::Binding, FoundState::Running, FoundState::Terminating].get(state % 3).copied();
        let Some((state, template)) = state.zip(self.template(pod)) else { return };
        self.guests.insert(pod);
        let devices = first_devices(&node, &template);
        self.apply(Event::PodFound { pod, node: node.id, devices, state, since: self.now });
        match state {
            FoundState::Binding => self.outcome(Event::bound(pod, self.now), 20),
            FoundState::Running => {}
            FoundState::Terminating => {
                self.outcome(Event::PodGone { pod, outcome: PodOutcome::Evicted }, 50);
                if self.play.delays.is_none() {
                    self.answer_evictions(&[pod.workload]);
                }
            }
        }
    }

    /// Where a pod is really bound, if that is not where the plan put it.
    pub(super) fn stray(&mut self, pod: PodId, planned: NodeId) -> Option<BoundAt> {
        self.straying_binds.0 = self.straying_binds.0.checked_sub(1)?;
        let node = nth(&self.up(), planned.0 as usize + self.straying_binds.1).and_then(|node| self.node(node))?;
        self.guests.insert(pod);
        Some(BoundAt { node: node.id, devices: first_devices(&node, &*self.template(pod)?) })
    }

    /// What a pod has in common with those of its set.
    pub(super) fn template(&self, pod: PodId) -> Option<Arc<PodTemplate>> {
        let mut ordinal = pod.ordinal;
        let sets = &self.specs.get(&pod.workload)?.pods;
        let set = sets.iter().find(|set| {
            let here = ordinal < set.count;
            ordinal = if here { ordinal } else { ordinal - set.count };
            here
        });
        set.map(|set| set.template.clone())
    }

    /// The nodes on which pods are that no plan put there.
    pub(super) fn visited(&self) -> std::collections::BTreeSet<NodeId> {
        let nodes = self.core().nodes().into_iter();
        nodes.filter(|node| node.pods.iter().any(|pod| self.guests.contains(pod))).map(|node| node.id).collect()
    }
}
