//! Placement (P1, P2): what is free, counted from the pods and holds, and which node a pod gets.

use super::{
    nodes::{Footprint, FreeNode},
    scores::Scores,
    state::{Assignment, For, Reference, Stage},
};
use quotree_core::{Domain, NodeId, NodeSpec, Placement, PodId, PodTemplate, WorkloadId};
use std::{collections::BTreeMap, sync::Arc};

#[derive(Debug, Clone)]
pub(super) struct FreeNodes {
    pub(super) nodes: BTreeMap<NodeId, FreeNode>,
    scores: Scores,
}

/// A random index below `of`, by seed and number: SplitMix64 twice, and the high half of the product.
fn drawn(seed: u64, number: u64, of: usize) -> usize {
    let mix = |number: u64| {
        let mut z = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    };
    ((u128::from(mix(seed.wrapping_add(mix(number)))) * of as u128) >> 64) as usize
}

impl FreeNodes {
    pub(super) fn new(nodes: BTreeMap<NodeId, FreeNode>, scores: Scores) -> Self {
        Self { nodes, scores }
    }

    /// Restricts the search to one domain.
    pub(super) fn confine(&mut self, domain: &Domain) {
        for host in self.nodes.values_mut() {
            host.outside = !host.is_in(domain);
        }
    }

    pub(super) fn fit(&self, node: NodeId, template: &PodTemplate) -> Option<u64> {
        let host = self.nodes.get(&node).filter(|host| host.is_suitable(template))?;
        self.devices(host, template)
    }

    /// The devices that a pod would get on a node, if it fits there.
    pub(super) fn devices(&self, host: &FreeNode, template: &PodTemplate) -> Option<u64> {
        host.choose(template).map(|fullest| self.scores.devices(host, template, fullest))
    }

    /// The node that the policy gives a pod, of those with room; the lowest id among equals (P2).
    pub(super) fn pick(&self, template: &PodTemplate, pod: PodId) -> Option<Assignment> {
        if let Placement::Random { seed } = self.scores.placement {
            return self.draw(template, pod, seed);
        }
        let mut best: Option<((i128, i128), Assignment)> = None;
        for (node, host) in &self.nodes {
            let Some(devices) = self.fit(*node, template) else { continue };
            let score = self.scores.score(host, template, devices);
            if best.is_none_or(|(least, _)| score.0 * least.1 < least.0 * score.1) {
                best = Some((score, Assignment { node: *node, devices }));
            }
        }
        best.map(|(_, assignment)| assignment)
    }

    /// A random one of the nodes with room, in order of ids; for a part of a device, a random device as well.
    fn draw(&self, template: &PodTemplate, pod: PodId, seed: u64) -> Option<Assignment> {
        let fitting: Vec<(NodeId, u64)> =
            self.nodes.keys().filter_map(|node| Some((*node, self.fit(*node, template)?))).collect();
        let number = u64::from(pod.workload.0) << 32 | u64::from(pod.ordinal);
        let (node, fullest) = *fitting.get(drawn(seed, number, fitting.len()))?;
        let host = self.nodes.get(&node)?;
        let Ok(Some((1, each))) = host.devices(template) else { return Some(Assignment { node, devices: fullest }) };
        let devices = host.fitting(template, (1, each));
        Some(Assignment { node, devices: 1 << devices[drawn(!seed, number, devices.len())] })
    }

    /// Places a pod.
    pub(super) fn put(&mut self, template: &PodTemplate, assignment: Assignment) {
        if let Some(host) = self.nodes.get_mut(&assignment.node) {
            let footprint = host.footprint(template, assignment.devices);
            host.take(&footprint);
            host.kinds.extend(host.kind(template));
        }
    }

    pub(super) fn is_overcommitted(&self, node: NodeId) -> bool {
        self.nodes.get(&node).is_some_and(FreeNode::is_overcommitted)
    }
}

impl Reference {
    /// What is available on every node, counted again.
    pub(super) fn free_nodes(&self) -> FreeNodes {
        let nodes = self.nodes.iter().map(|(id, spec)| (*id, FreeNode::new(spec.clone()))).collect();
        let mut free_nodes = FreeNodes::new(nodes, Scores::new(&self.policy, self.largest.clone()));
        for (_, workload, pod) in self.placed_pods() {
            if let Some(assignment) = pod.assignment {
                free_nodes.put(&workload.sets[pod.set].template, assignment);
            }
        }
        for hold in &self.holds {
            let mut kept: BTreeMap<NodeId, Footprint> = BTreeMap::new();
            let print = |pod: PodId, assignment: Assignment| {
                let host = free_nodes.nodes.get(&assignment.node);
                host.map_or_else(Footprint::default, |host| host.footprint(self.template(pod), assignment.devices))
            };
            for (pod, assignment) in &hold.assignments {
                kept.entry(assignment.node).or_default().add(&print(*pod, *assignment), 1);
            }
            for pod in self.leaving(For::Hold(hold.id)) {
                let Some(assignment) = self.pod(pod).assignment else { continue };
                if let Some(kept) = kept.get_mut(&assignment.node) {
                    kept.add(&print(pod, assignment), -1);
                }
            }
            for (node, kept) in kept {
                if let Some(host) = free_nodes.nodes.get_mut(&node) {
                    host.take(&kept.positive());
                }
            }
        }
        free_nodes.nodes.values_mut().for_each(FreeNode::reserve_unhealthy);
        if let Some(domain) = &self.domain {
            free_nodes.confine(domain);
        }
        free_nodes
    }

    /// Nodes for all pods of the ask, one after the other in order of ordinals, or `None` (G1).
    pub(super) fn place_in(&self, id: WorkloadId, mut free_nodes: FreeNodes) -> Option<Vec<(PodId, Assignment)>> {
        let mut assignments = Vec::new();
        for ordinal in self.workload(id).asked_pods() {
            let pod = id.pod(ordinal);
            let assignment = free_nodes.pick(self.template(pod), pod)?;
            free_nodes.put(self.template(pod), assignment);
            assignments.push((pod, assignment));
        }
        Some(assignments)
    }

    /// The nodes that a hold reserved for its pods, if all of them are still suitable.
    pub(super) fn reserved_assignments(&self, assignments: &[(PodId, Assignment)]) -> Option<Vec<(PodId, Assignment)>> {
        if !self.share_domain(assignments) {
            return None;
        }
        let mut free_nodes = self.free_nodes();
        for (pod, assignment) in assignments {
            let template = self.template(*pod);
            let host = free_nodes.nodes.get(&assignment.node)?;
            if !host.is_suitable(template) || host.is_unhealthy(assignment.devices) {
                return None;
            }
            free_nodes.put(template, *assignment);
            if free_nodes.is_overcommitted(assignment.node) {
                return None;
            }
        }
        Some(assignments.to_vec())
    }

    /// Notes how large a node is, in the resources that scores count.
    pub(super) fn measure(&mut self, spec: &NodeSpec) {
        let host = FreeNode::new(Arc::new(spec.clone()));
        for name in host.scored().into_iter().chain(host.device_resources().take(1)) {
            let largest = self.largest.entry(name.clone()).or_default();
            *largest = host.has(name).max(*largest);
        }
    }

    /// Starts to bind a pod.
    pub(super) fn start(&mut self, pod: PodId, assignment: Assignment) {
        let pod = self.pod_mut(pod);
        (pod.stage, pod.assignment) = (Stage::Binding, Some(assignment));
    }
}
