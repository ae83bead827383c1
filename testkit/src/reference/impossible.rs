//! Workloads that can never run, whatever ends (O4), and the line of a leaf that blocks (O2).

use super::{
    ledger::Ledger,
    nodes::FreeNode,
    placement::FreeNodes,
    scores::Scores,
    state::{Ask, Reference, Workload},
};
use quotree_core::{Domain, PodTemplate, WorkloadId};
use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
};

impl Reference {
    /// Whether an ask cannot run while the tree, the nodes and the non-preemptible usage are as they are (O4).
    pub(super) fn cannot_run(&self, ledger: &Ledger, ask: &Ask, leaf: Option<usize>) -> bool {
        let above = |q: usize| self.requested(ask).iter().any(|(r, amount)| *amount > self.tree.quotas[q].max[*r]);
        let fixed = |q: usize| {
            let short = |r: usize, amount: i64| ledger.non_preemptible(q, r) + amount > self.tree.quotas[q].min[r];
            self.requested_counted(ask).iter().any(|(r, amount)| short(*r, *amount))
        };
        leaf.is_some_and(|leaf| self.tree.path(leaf).any(|q| above(q) || !ask.preemptible && fixed(q)))
            || self.is_too_large(ask)
    }

    /// Whether the nodes could not hold the ask if they were empty; where its pods must share a domain, those of every
    /// domain.
    fn is_too_large(&self, ask: &Ask) -> bool {
        let mut empty = FreeNodes::new(BTreeMap::new(), Scores::new(&self.policy, self.largest.clone()));
        for (id, spec) in &self.nodes {
            let mut host = FreeNode::new(spec.clone());
            host.reserve_unhealthy();
            empty.nodes.insert(*id, host);
        }
        let Some((level, _)) = ask.together else { return !holds(&empty, ask, None) };
        let domains: BTreeSet<Domain> = self.nodes.values().filter_map(|node| node.domain(level)).collect();
        !domains.iter().any(|domain| holds(&empty, ask, Some(domain)))
    }

    /// The first pending workload of a leaf that can run.
    pub(super) fn head_of_leaf(&self, ledger: &Ledger, leaf: usize) -> Option<WorkloadId> {
        let can_run = |w: &&Workload| w.pending_ask.as_ref().is_some_and(|ask| !self.cannot_run(ledger, ask, w.leaf));
        let of_leaf = self.workloads.values().filter(|w| w.leaf == Some(leaf));
        of_leaf.filter(can_run).min_by_key(|w| place_in_line(w)).map(|w| w.id)
    }

    /// Whether a pending workload of a leaf that blocks waits behind the first that can run; that one.
    pub(super) fn behind(&self, ledger: &Ledger, workload: &Workload) -> Option<WorkloadId> {
        let leaf = workload.leaf.filter(|leaf| self.tree.quotas[*leaf].block)?;
        let head = self.head_of_leaf(ledger, leaf)?;
        (place_in_line(self.workload(head)) < place_in_line(workload)).then_some(head)
    }

    /// Makes those due that have come to the front of a leaf that blocks (W2).
    pub(super) fn update_lines(&mut self) {
        if !self.tree.quotas.iter().any(|quota| quota.block) {
            return;
        }
        let ledger = self.ledger();
        let block = |w: &&Workload| w.leaf.is_some_and(|leaf| self.tree.quotas[leaf].block);
        let front = self.workloads.values().filter(block).filter(|w| self.is_in_queue(&ledger, w));
        let front: BTreeSet<WorkloadId> = front.map(|w| w.id).collect();
        let before = std::mem::replace(&mut self.in_line, front.clone());
        front.difference(&before).for_each(|id| self.due_if_head(*id));
    }
}

/// The order in a leaf (O1).
fn place_in_line(workload: &Workload) -> (Reverse<i32>, quotree_core::Time, WorkloadId) {
    (Reverse(workload.priority), workload.submitted, workload.id)
}

/// Whether these empty nodes hold as many pods of each kind as the ask has.
fn holds(empty: &FreeNodes, ask: &Ask, domain: Option<&Domain>) -> bool {
    let inside = |host: &FreeNode| domain.is_none_or(|domain| host.is_in(domain));
    ask.members.iter().all(|(template, count)| {
        let hosts = empty.nodes.iter().filter(|(id, host)| inside(host) && empty.fit(**id, template).is_some());
        hosts.map(|(_, host)| most(host, template)).fold(0, i64::saturating_add) >= i64::from(*count)
    })
}

/// How many such pods a node holds at most: the smallest ratio of what it has to what one requests.
fn most(host: &FreeNode, template: &PodTemplate) -> i64 {
    let requested = template.request.iter().filter(|(_, amount)| *amount > 0);
    requested.map(|(name, amount)| host.total(name) / amount).min().unwrap_or(i64::MAX)
}
