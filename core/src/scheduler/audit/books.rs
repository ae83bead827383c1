//! What each quota and node uses and reserves, taken from a state and updated as the actions of a plan are applied.

use crate::{
    api::{EvictReason, NodeId, PodId, PodState, QuotaId, WorkloadId},
    scheduler::{
        cluster::Cluster,
        quota::Ledger,
        state::{QuotaSlot, amount_of},
    },
};
use std::collections::BTreeMap;

/// Amounts of the governed resources, in the tree's order.
pub(super) type Amount = Vec<i64>;

/// A pod that the plan evicts.
pub(super) struct Victim<'a> {
    pub(super) pod: PodId,
    pub(super) node: NodeId,
    /// None where it has no quota.
    pub(super) leaf: Option<QuotaId>,
    pub(super) request: Amount,
    pub(super) reason: &'a EvictReason,
}

/// Usage and reservations of quotas and nodes.
pub(super) struct Books<'a> {
    pub(super) before: &'a Cluster,
    /// Usage without terminating pods (R2(b)), by quota.
    pub(super) remaining: Vec<Amount>,
    /// What holding workloads will use (R2(a)), by quota.
    pub(super) held: Vec<Amount>,
    /// What admission counts (A1), by quota.
    pub(super) charged: Vec<Amount>,
    /// What is neither used nor reserved, by node.
    pub(super) free: BTreeMap<NodeId, Amount>,
    /// What pods that were terminating before the plan will free, by node. Any workload may use that room.
    pub(super) terminating: BTreeMap<NodeId, Amount>,
}

impl<'a> Books<'a> {
    pub(super) fn open(before: &'a Cluster) -> Self {
        let (quotas, workloads, nodes) = (&before.quotas, &before.workloads, &before.nodes);
        let table = |of: &dyn Fn(&Ledger, QuotaSlot, usize) -> i64| {
            let row = |q: QuotaId| quotas.resources().map(|r| of(&quotas.ledger, q.into(), r)).collect();
            quotas.tree.ids().map(row).collect()
        };
        let mut free = BTreeMap::new();
        for slot in nodes.sorted() {
            let node = nodes.at(slot);
            let of = |r| amount_of(&node.free, r) - amount_of(&node.reserved, r);
            free.insert(node.id, quotas.resources().map(of).collect());
        }
        let mut terminating: BTreeMap<NodeId, Amount> = BTreeMap::new();
        for slot in workloads.sorted() {
            for ordinal in workloads.at(slot).in_state(PodState::Terminating) {
                let Some(pod) = workloads.pod(slot.pod(ordinal)) else { continue };
                let node = nodes.at(pod.assignment.node).id;
                add(terminating.entry(node).or_default(), workloads.governed(slot.pod(ordinal)), 1);
            }
        }
        Self {
            before,
            remaining: table(&Ledger::remaining_usage),
            held: table(&|ledger, q, r| amount_of(ledger.held.row(q), r)),
            charged: table(&Ledger::charged),
            free,
            terminating,
        }
    }

    pub(super) fn leaf(&self, workload: WorkloadId) -> Option<QuotaId> {
        let slot = self.before.workloads.slot(workload)?;
        self.before.quotas.quota_id(self.before.workloads.at(slot).leaf)
    }

    fn request(&self, pod: PodId) -> Amount {
        let workloads = &self.before.workloads;
        let slot = workloads.slot(pod.workload);
        slot.map_or_else(Vec::new, |slot| workloads.governed(slot.pod(pod.ordinal)).to_vec())
    }

    /// A pod that the plan evicts; nothing where no such pod is running.
    pub(super) fn victim<'r>(&self, pod: PodId, reason: &'r EvictReason) -> Option<Victim<'r>> {
        let slot = self.before.workloads.slot(pod.workload)?;
        let row = self.before.workloads.pod(slot.pod(pod.ordinal)).filter(|row| row.is_active())?;
        let node = self.before.nodes.at(row.assignment.node).id;
        Some(Victim { pod, node, leaf: self.leaf(pod.workload), request: self.request(pod), reason })
    }

    fn path(&self, leaf: Option<QuotaId>) -> impl Iterator<Item = QuotaId> + 'a {
        let tree = &self.before.quotas.tree;
        leaf.into_iter().flat_map(|leaf| tree.path(leaf))
    }

    pub(super) fn is_under(&self, victim: &Victim<'_>, quota: QuotaId) -> bool {
        victim.leaf.is_some_and(|leaf| self.before.quotas.tree.is_under(leaf, quota))
    }

    /// The pods that a hold will place, with their nodes.
    pub(super) fn placed(&self, spots: &[(PodId, NodeId)]) -> Vec<(NodeId, Amount)> {
        spots.iter().map(|(pod, node)| (*node, self.request(*pod))).collect()
    }

    pub(super) fn bind(&mut self, pod: PodId, node: NodeId, held: bool) {
        let (leaf, request) = (self.leaf(pod.workload), self.request(pod));
        for quota in self.path(leaf) {
            add_at(&mut self.remaining, quota, &request, 1);
            if held {
                // Its victims are gone, so its usage equals what its hold was charged.
                add_at(&mut self.held, quota, &request, -1);
            } else {
                add_at(&mut self.charged, quota, &request, 1);
            }
        }
        if !held {
            add(self.free.entry(node).or_default(), &request, -1);
        }
    }

    fn evict(&mut self, victim: &Victim<'_>) {
        for quota in self.path(victim.leaf) {
            add_at(&mut self.remaining, quota, &victim.request, -1);
        }
    }

    /// Evicts a pod for no workload (G3, T4). Later holds of the plan may use the room of the pod.
    pub(super) fn evict_for_nobody(&mut self, victim: &Victim<'_>) {
        self.evict(victim);
        add(self.terminating.entry(victim.node).or_default(), &victim.request, 1);
    }

    /// Makes a hold: reserves, on quotas and nodes, what its workload needs beyond what its victims still use (H1).
    pub(super) fn hold(&mut self, workload: WorkloadId, placed: &[(NodeId, Amount)], victims: &[Victim<'_>]) {
        for quota in self.path(self.leaf(workload)) {
            let mut beyond = Amount::new();
            placed.iter().for_each(|(_, request)| add(&mut beyond, request, 1));
            add_at(&mut self.held, quota, &beyond, 1);
            victims.iter().filter(|v| self.is_under(v, quota)).for_each(|v| add(&mut beyond, &v.request, -1));
            beyond.iter_mut().for_each(|n| *n = (*n).max(0));
            add_at(&mut self.charged, quota, &beyond, 1);
        }
        let mut missing: BTreeMap<NodeId, Amount> = BTreeMap::new();
        for (node, request) in placed {
            add(missing.entry(*node).or_default(), request, 1);
        }
        for victim in victims {
            self.evict(victim);
            if let Some(row) = missing.get_mut(&victim.node) {
                add(row, &victim.request, -1);
            }
        }
        for (node, mut beyond) in missing {
            beyond.iter_mut().for_each(|n| *n = (*n).max(0));
            add(self.free.entry(node).or_default(), &beyond, -1);
        }
    }
}

/// The amount of a quota in one of these tables.
pub(super) fn at(table: &[Amount], quota: QuotaId, resource: usize) -> i64 {
    table.get(quota.0 as usize).map_or(0, |row| amount_of(row, resource))
}

pub(super) fn add_at(table: &mut [Amount], quota: QuotaId, amounts: &[i64], sign: i64) {
    if let Some(row) = table.get_mut(quota.0 as usize) {
        add(row, amounts, sign);
    }
}

pub(super) fn add(row: &mut Amount, amounts: &[i64], sign: i64) {
    row.resize(row.len().max(amounts.len()), 0);
    for (slot, n) in row.iter_mut().zip(amounts) {
        *slot = slot.saturating_add(n.saturating_mul(sign));
    }
}
