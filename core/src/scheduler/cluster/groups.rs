//! The whole state of a scheduler: the groups of state side by side.

use super::{
    arrivals::Arrivals, backing_off::BackingOff, borrowers::Borrowers, evictions::Evictions, holds::Holds,
    just_bound::JustBound, overuse::Overuse, victim_index::VictimIndex,
};
use crate::{
    api::{NameMap, Policy, Time, WorkloadId},
    scheduler::{
        nodes::Nodes,
        queue::Queue,
        quota::{Capacity, Quotas},
        state::{Interner, QuotaSlot, Workloads},
    },
    tree::QuotaTree,
};
use std::collections::BTreeSet;

/// All that a scheduler knows.
#[derive(Debug, Clone)]
pub(crate) struct Cluster {
    pub(crate) policy: Policy,
    /// When the last decision was made.
    pub(crate) now: Time,
    /// Counts the events and decisions so far.
    pub(crate) generation: u64,
    pub(crate) quotas: Quotas,
    pub(crate) workloads: Workloads,
    pub(crate) nodes: Nodes,
    pub(crate) queue: Queue,
    pub(crate) victims: VictimIndex,
    /// Leaves in the order in which reclaim looks at them; up to date after [`refresh_overuse`](Self::refresh_overuse).
    pub(crate) overuse: Overuse,
    /// Leaves from which something could be reclaimed; up to date after [`refresh_overuse`](Self::refresh_overuse).
    pub(crate) borrowers: Borrowers,
    pub(crate) holds: Holds,
    /// When the replacements of evicted workloads arrived (H2).
    pub(crate) arrivals: Arrivals,
    /// The evictions under way, and what failed (E2).
    pub(crate) evictions: Evictions,
    /// How many more pods of each disruption budget may be evicted (R7).
    pub(crate) budgets: NameMap<u32>,
    /// Times at which a decision may differ although no event came before.
    pub(crate) timers: BTreeSet<Time>,
    /// Workloads that may be gangs below their minimum (G3).
    pub(crate) maybe_stale: BTreeSet<WorkloadId>,
    /// Workloads that wait after a failed bind (E6).
    pub(crate) backing_off: BackingOff,
    /// The change counters of nodes and of non-preemptible usage when the leaves with strict queueing were last settled
    /// (O4).
    pub(crate) lines_settled_at: (u64, u64),
    /// Workloads that are no possible victims yet, because some of their pods were just bound (R2c).
    pub(crate) just_bound: JustBound,
}

impl Cluster {
    /// A cluster without nodes and workloads.
    pub(crate) fn new(tree: QuotaTree, policy: Policy) -> Self {
        let interner = Interner::new(&tree);
        let quotas = Quotas::new(tree, &policy);
        Self {
            now: Time(0),
            generation: 0,
            workloads: Workloads::new(interner),
            nodes: Nodes::new(&policy),
            queue: Queue::new(&quotas, &policy),
            victims: VictimIndex::new(quotas.ledger.slots().count()),
            overuse: Overuse::new(&quotas.tree, &policy),
            borrowers: Borrowers::new(&quotas, &policy),
            holds: Holds::default(),
            arrivals: Arrivals::default(),
            evictions: Evictions::default(),
            budgets: NameMap::default(),
            timers: BTreeSet::new(),
            maybe_stale: BTreeSet::new(),
            backing_off: BackingOff::default(),
            lines_settled_at: (0, 0),
            just_bound: JustBound::default(),
            quotas,
            policy,
        }
    }

    /// Updates the order of leaves by overuse: looks only at the leaves whose usage or first possible victim has
    /// changed.
    pub(crate) fn refresh_overuse(&mut self) {
        while let Some(leaf) = self.quotas.ledger.pop_usage_changed().or_else(|| self.victims.pop_changed()) {
            self.update_overuse(leaf);
        }
    }

    /// After a change of the min or max of quotas, discards everything that was computed from them.
    pub(crate) fn note_other_quotas(&mut self) {
        self.quotas.forget_demands();
        self.queue.tournament.touch_all();
        self.quotas.ledger.slots().for_each(|leaf| self.update_overuse(leaf));
    }

    fn update_overuse(&mut self, leaf: QuotaSlot) {
        if self.overuse.is_kept() {
            self.overuse.update(leaf, &self.quotas, &self.victims);
        }
        self.borrowers.update(leaf, &self.quotas, &self.victims);
    }

    /// Brings the fair shares that decisions use up to date (F3).
    pub(crate) fn refresh_shares(&mut self) {
        let nodes = &self.nodes;
        self.quotas.refresh_shares(Capacity { changes: nodes.changes(), of: |r| nodes.capacity(r) });
        for leaf in self.quotas.take_changed_shares() {
            self.queue.tournament.note_share(leaf);
        }
    }
}
