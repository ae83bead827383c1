//! Making room for a pod: evicts on the node where that costs least (V3).

use super::{
    candidates::{Candidate, better_candidate, candidate},
    contested::{contested, lacking},
    eligibility::{PreemptionKind, Resources},
    lenders::lenders,
    plan::eviction_cost,
    search::PreemptionSearch,
    victim_leaf::{VictimLeaf, search_order, victim_leaf, victim_leaves},
};
use crate::{
    api::{BlockingReason, NearMissNode, NodeId},
    counters::touch,
    scheduler::{
        placement::shortfall,
        queue::EvictionCost,
        state::{Assignment, NodeSlot, QuotaSlot, TemplateId, WorkloadSlot},
    },
};
use smallvec::SmallVec;
use std::collections::BTreeSet;

/// On a node with up to this many pods, the search looks at each pod.
const FEW_PODS: usize = 16;

impl PreemptionSearch<'_> {
    /// Evicts on the node where making room costs least (V3), and returns the place of the pod there.
    pub(super) fn make_room(&mut self, id: TemplateId) -> Option<Assignment> {
        let mut best: Option<(EvictionCost, Vec<Candidate>, Assignment)> = None;
        let mut tried: Vec<NearMissNode> = Vec::new();
        let scope = self.reclaim_scope();
        for node in self.nodes_to_try(id) {
            let before = self.victims.len();
            self.trial.unindexed = true;
            let cleared = self.clear_node((id, node), scope, best.as_ref().map(|(least, ..)| least));
            let victims = self.victims.split_off(before);
            if self.explains && cleared.is_none() {
                let workloads = &self.cluster.workloads;
                let gone = victims.iter().flat_map(|victim| &victim.pods).map(|pod| workloads.id_of(*pod)).collect();
                tried.extend(shortfall::near_miss(self.cluster, node, workloads.interner.template(id), gone));
            }
            victims.iter().rev().for_each(|victim| self.restore(&victim.pods));
            self.trial.unindexed = false;
            let Some(assignment) = cleared else { continue };
            let cost = eviction_cost(self.cluster, &victims, self.cluster.nodes.at(node).id);
            if best.as_ref().is_none_or(|(least, ..)| cost < *least) {
                best = Some((cost, victims, assignment));
            }
        }
        self.stop = match best {
            None if self.explains => Some(self.explain_room(id, tried)),
            _ => None,
        };
        let (_, victims, assignment) = best?;
        victims.into_iter().for_each(|victim| self.evict(victim));
        Some(assignment)
    }

    /// The obstacle that no node can be cleared for a pod, in the state on trial (X1).
    fn explain_room(&self, id: TemplateId, tried: Vec<NearMissNode>) -> BlockingReason {
        let mut room = shortfall::no_room(self.cluster, id, tried, self.trial.bound());
        let gone = self.victims.iter().flat_map(|victim| &victim.pods);
        room.without = gone.map(|pod| self.cluster.workloads.id_of(*pod)).collect();
        BlockingReason::Room(room)
    }

    /// Suitable nodes with a pod that may be evicted, by id. Where there are more than may be tried, the leaves whose
    /// pods would go first (V1) are looked at first.
    pub(super) fn nodes_to_try(&mut self, id: TemplateId) -> Vec<NodeSlot> {
        self.cluster.refresh_overuse();
        let cluster = &*self.cluster;
        let template = cluster.workloads.interner.template(id);
        let resources: Resources = template.request.iter().map(|(r, _)| usize::from(*r)).collect();
        let most = cluster.policy.bounds.nodes as usize;
        let in_order = lenders(cluster, &self.preemptor, &resources, None).filter(|_| self.steps.are_plenty());
        let leaves: Box<dyn Iterator<Item = VictimLeaf>> = match in_order {
            Some(leaves) => Box::new(leaves),
            None => {
                let mut leaves = victim_leaves(cluster, &self.preemptor, &resources, None);
                let pods: usize = leaves.iter().map(|from| *cluster.quotas.ledger.pods.at(from.leaf) as usize).sum();
                if pods > most {
                    leaves.sort_by_cached_key(|from| search_order(cluster, from));
                }
                Box::new(leaves.into_iter())
            }
        };
        let mut found: BTreeSet<(NodeId, NodeSlot)> = BTreeSet::new();
        'all: for from in leaves {
            for key in cluster.victims.of(from.leaf) {
                if found.len() == cluster.nodes.len() && self.steps.are_plenty() {
                    break 'all;
                }
                if !self.steps.count() {
                    break 'all;
                }
                for (_, pod) in cluster.workloads.at(key.slot).active() {
                    touch(1);
                    let node = pod.assignment.node;
                    if !cluster.nodes.is_suitable(node, template) {
                        continue;
                    }
                    let entry = (cluster.nodes.at(node).id, node);
                    if found.len() >= most && !found.contains(&entry) {
                        self.steps.more_nodes = true;
                        break 'all;
                    }
                    found.insert(entry);
                }
            }
        }
        found.into_iter().map(|(_, node)| node).collect()
    }

    /// The highest quota below which the workload may reclaim, in the state on trial (R2a).
    fn reclaim_scope(&self) -> Option<QuotaSlot> {
        self.cluster.quotas.reclaim_scope(self.preemptor.ask, self.preemptor.leaf)
    }

    /// Evicts on one node, in victim order, until the pod fits there. `scope` is the reclaim scope before. Gives up as
    /// soon as the evictions cost more than `least`, since a further victim makes no node cheaper. With declared
    /// budgets it does not give up early, since each victim shows which pods budgets protect (R7).
    fn clear_node(
        &mut self,
        (id, node): (TemplateId, NodeSlot),
        mut scope: Option<QuotaSlot>,
        least: Option<&EvictionCost>,
    ) -> Option<Assignment> {
        let first = self.victims.len();
        let least = least.filter(|_| self.cluster.budgets.is_empty() && self.steps.are_plenty());
        loop {
            let cluster = &*self.cluster;
            let template = cluster.workloads.interner.template(id);
            if let Some(devices) = cluster.nodes.devices(node, template) {
                return Some(Assignment { node, devices });
            }
            let lacking = lacking(cluster, id, node);
            let found = if self.is_worth_walking(node) { self.first_on_node(node, &lacking) } else { None };
            let best = found.unwrap_or_else(|| self.first_of_node(node, scope, &lacking));
            self.victims.push(best?);
            let costs_more = |least: &EvictionCost| {
                let victims = self.victims.get(first..).unwrap_or_default();
                eviction_cost(self.cluster, victims, self.cluster.nodes.at(node).id) > *least
            };
            let gives_up = least.is_some_and(costs_more);
            let victim = self.victims.pop().filter(|_| !gives_up)?;
            self.evict(victim);
            scope = self.reclaim_scope();
        }
    }

    /// Whether a walk in the order of leaves finds the first victim on a node sooner than a look at each pod there.
    /// That is so on a large node, such as a pool, that has many of all possible victims.
    fn is_worth_walking(&self, node: NodeSlot) -> bool {
        let pods = self.cluster.nodes.at(node).pods.len();
        let victims = match self.preemptor.kind {
            PreemptionKind::Priority => self.cluster.victims.of(self.preemptor.leaf).len(),
            PreemptionKind::Reclaim => self.cluster.victims.len(),
        };
        pods > FEW_PODS && victims <= pods * 2
    }

    /// The first victim on a node, searched in the order of leaves (V1); nothing where that order is not kept, or where
    /// the search may not stop early.
    fn first_on_node(&mut self, node: NodeSlot, lacking: &[usize]) -> Option<Option<Candidate>> {
        self.cluster.refresh_overuse();
        self.first_in_order(lacking, None, Some(node))
    }

    /// The first victim on a node, searched among all pods there (V1).
    fn first_of_node(&mut self, node: NodeSlot, scope: Option<QuotaSlot>, lacking: &[usize]) -> Option<Candidate> {
        let (cluster, preemptor) = (&*self.cluster, &self.preemptor);
        let contested = contested(cluster, preemptor, lacking);
        touch(cluster.nodes.at(node).pods.len());
        let there = cluster.nodes.at(node).pods.iter().map(|pod| pod.workload);
        let mut slots: SmallVec<[WorkloadSlot; 16]> = there.filter(|slot| cluster.victims.contains(*slot)).collect();
        slots.sort_unstable();
        slots.dedup();
        let mut best: Option<Candidate> = None;
        for slot in slots {
            if !self.steps.count() {
                break;
            }
            let leaf = cluster.workloads.at(slot).leaf;
            let Some(from) = victim_leaf(cluster, preemptor, scope, leaf, (lacking, &contested)) else { continue };
            let at = (slot, Some(node));
            best = better_candidate(best, candidate(cluster, preemptor, &self.trial, &from, at, &mut self.steps));
        }
        best
    }
}
