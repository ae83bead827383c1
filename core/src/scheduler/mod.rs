//! The scheduler: a state machine fed by facts.
//!
//! [`Scheduler::apply`] takes in a fact, [`Scheduler::decide`] says what to do. Between the two, state is kept so that
//! both cost what the change costs, not what the cluster is: the ledger along one path of the tree, the nodes in
//! order of score, the pending in a tournament, the victims of each leaf in order.

mod advice;
mod audit;
mod cluster;
mod cycle;
mod explain;
mod facts;
mod hold;
mod nodes;
mod placement;
mod preempt;
mod queue;
mod quota;
mod state;
#[cfg(test)]
mod tests;
mod view;

pub use audit::{Auditor, Breach, audit, audit_plan};
pub use quota::fair_share::FairShares;
pub use view::{NodeView, PodState, PodView, Usage, WorkloadView};

use crate::{
    api::{Event, EventError, Finding, Name, NameMap, Plan, PodId, Policy, QuotaId, Time, TreeSpec, WorkloadId},
    scheduler::state::table::Table,
    tree::QuotaTree,
};
use hold::Hold;
use nodes::{NodeSlot, Nodes, PodRef};
use queue::order::Key;
use queue::pending::PendingQueue;
use quota::ledger::{Ledger, QuotaSlot};
use state::interner::Interner;
use state::workloads::{HoldId, VictimKey, WorkloadSlot, Workloads};
use std::collections::{BTreeMap, BTreeSet};

/// The scheduler. Feed it facts with [`apply`](Self::apply), ask it what to do with [`decide`](Self::decide).
///
/// ```
/// use quotree_core::{Action, Amounts, Event, NodeSpec, Policy, QuotaSpec, Scheduler, Time, TreeSpec, WorkloadSpec};
/// let cpu = |n: i64| Amounts::new().with("cpu", n * 1000);
/// let tree: TreeSpec = [
///     QuotaSpec::new("root", None).min(cpu(8)).max(cpu(8)),
///     QuotaSpec::new("team", Some("root")).min(cpu(8)).max(cpu(8)).namespace("team-ns"),
/// ]
/// .into_iter()
/// .collect();
/// let mut scheduler = Scheduler::new(&tree, Policy::default()).unwrap();
/// scheduler.apply(Event::NodeUp(NodeSpec::new(0, cpu(8)))).unwrap();
/// scheduler.apply(Event::WorkloadSubmitted(WorkloadSpec::pod(1, "team-ns", Time(0), cpu(5)))).unwrap();
/// let plan = scheduler.decide(Time(0));
/// assert!(matches!(plan.actions[..], [Action::Bind { .. }]));
/// assert!(scheduler.decide(Time(0)).is_empty());
/// ```
#[derive(Debug, Clone)]
pub struct Scheduler {
    tree: QuotaTree,
    policy: Policy,
    interner: Interner,
    ledger: Ledger,
    nodes: Nodes,
    pending: PendingQueue,
    workloads: Workloads,
    /// Per leaf, who could be evicted, in order (V1).
    victims: Table<BTreeSet<VictimKey>>,
    /// Per leaf that blocks (O2): everybody who waits there; only the first is in `pending`.
    blocking_queues: Table<Option<BTreeSet<Key>>>,
    holds: BTreeMap<HoldId, Hold>,
    next_hold: HoldId,
    /// Holds whose victims may all be gone.
    ready_holds: Vec<HoldId>,
    /// Holds that facts have ended, to be told with the next plan.
    ended_holds: Vec<(WorkloadId, crate::api::ReleaseReason)>,
    /// Pods that leave for nobody, in order of ids and not of places: who is waited for must not depend on whose place in
    /// the table was reused.
    unclaimed_terminating: BTreeMap<PodId, PodRef>,
    /// How many more pods each budget lets go (R7).
    budgets: NameMap<u32>,
    /// Times at which a decision may differ although no fact came.
    timers: BTreeSet<Time>,
    /// Quotas that were over a lowered ceiling, and since which decision (T4).
    over_max_since: BTreeMap<QuotaSlot, Option<Time>>,
    /// Quotas over a ceiling that an edit lowered, until they are not (I2).
    over_by_edit: BTreeSet<QuotaSlot>,
    /// Nodes that were made smaller than what stands on them (I8).
    shrunk: BTreeSet<NodeSlot>,
    /// Workloads that may be gangs below their minimum (G3).
    maybe_stale: BTreeSet<WorkloadId>,
    /// Nodes on which room came free.
    freed_nodes: Vec<NodeSlot>,
    /// Workloads of which pods were bound since the last fact: no victims before the next (S1).
    bound_this_cycle: Vec<WorkloadSlot>,
    /// Whether a fact came since the last decision.
    facts: bool,
    now: Time,
    generation: u64,
    /// Fair shares, one row a quota; kept while the policy decides by them (F3).
    shares: Vec<Vec<i64>>,
}

impl Scheduler {
    /// A scheduler without nodes and workloads.
    ///
    /// # Errors
    /// All findings of the validation (T2), when one of them is an error.
    pub fn new(tree: &TreeSpec, policy: Policy) -> Result<Self, Vec<Finding>> {
        let tree = QuotaTree::new(tree, policy.over_promised)?;
        Ok(Self::with_tree(tree, policy))
    }

    /// Takes in a fact. Costs what the fact changes: one path of the tree, one node.
    ///
    /// # Errors
    /// [`EventError`] when the fact cannot be; then nothing changes.
    pub fn apply(&mut self, event: Event) -> Result<(), EventError> {
        self.take_in(event)?;
        for slot in std::mem::take(&mut self.bound_this_cycle) {
            if let Some(workload) = self.workloads.get_mut(slot) {
                workload.bound_this_cycle = false;
                self.update_victim_index(slot);
            }
        }
        self.facts = true;
        self.generation += 1;
        Ok(())
    }

    /// Decides what to do now. Deciding again without new facts gives an empty plan (S1).
    pub fn decide(&mut self, now: Time) -> Plan {
        self.now = self.now.max(now);
        let mut plan = Plan::default();
        self.plan(&mut plan);
        self.generation += 1;
        plan.generation = self.generation;
        plan
    }

    /// Counts the facts and plans so far; a plan carries the number it was made at. An applier that sees another number
    /// holds a stale plan and must not carry it out.
    #[must_use]
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// The earliest time at which a decision can differ although no fact comes (timeouts, protected runtimes).
    #[must_use]
    pub fn next_wake(&self) -> Option<Time> {
        self.timers.first().copied()
    }

    /// The quota tree.
    #[must_use]
    pub fn tree(&self) -> &QuotaTree {
        &self.tree
    }

    /// The policy.
    #[must_use]
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// The quota row of an leaf; none for those no_quota.
    fn quota(&self, leaf: QuotaSlot) -> Option<QuotaId> {
        (leaf != self.ledger.no_quota()).then_some(QuotaId(leaf))
    }

    fn leaf_of(&self, namespace: &Name) -> QuotaSlot {
        self.ledger.leaf(self.tree.leaf_of(namespace.as_str()))
    }
}

/// The line of an leaf, if it blocks (O2).
fn blocking_queues(tree: &QuotaTree, quota: QuotaId) -> Option<BTreeSet<Key>> {
    let spec = tree.spec(quota)?;
    (spec.queueing == crate::api::Queueing::Block && tree.is_leaf(quota)).then(BTreeSet::new)
}
