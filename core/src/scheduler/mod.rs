//! The scheduler: events change its state, and on demand it makes a plan.
//!
//! [`Scheduler::apply`] applies an event, [`Scheduler::decide`] returns what to do now. The state is indexed, so that
//! the cost of both depends on what changes and not on the size of the cluster: usage is summed along one path of the
//! tree, nodes are in the order of their score, pending workloads in a tournament, and the possible victims of each
//! leaf in order.
//!
//! Folders build upon each other in this order: `state` (keys, workloads); `quota`, `nodes`, `queue` and `gang` (groups
//! of state with their own methods); `cluster` (all groups side by side); `placement`, `preempt` and `hold` (operations
//! on them); `explain`; then [`cycle`], one decision, and [`facts`], one event.

mod advice;
pub(crate) mod audit;
mod cluster;
mod cycle;
mod explain;
mod facts;
mod gang;
mod hold;
#[cfg(test)]
mod kept;
mod nodes;
mod placement;
mod preempt;
mod queue;
mod quota;
mod stands;
mod state;
#[cfg(test)]
mod tests;
mod view;

pub use quota::FairShares;

use crate::{
    api::{BlockingReason, Event, EventError, Finding, NodeCheck, Plan, Policy, Time, TreeSpec, Verdict, WorkloadId},
    tree::QuotaTree,
};
use cluster::Cluster;

/// The scheduler. Report events with [`apply`](Self::apply), ask what to do with [`decide`](Self::decide).
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
    cluster: Cluster,
    /// Whether something has changed since the last decision that could change a choice.
    has_changed: bool,
}

impl Scheduler {
    /// A scheduler without nodes and workloads.
    ///
    /// # Errors
    /// All findings of the validation (T2), when at least one of them is an error.
    pub fn new(tree: &TreeSpec, policy: Policy) -> Result<Self, Vec<Finding>> {
        let tree = QuotaTree::new(tree, policy.over_promised)?;
        Ok(Self { cluster: Cluster::new(tree, policy), has_changed: true })
    }

    /// Applies an event. Costs what the event changes: one path of the tree, one node. A new tree costs a pass over all
    /// nodes and workloads.
    ///
    /// # Errors
    /// [`EventError`] when the event is impossible or its values are invalid; then nothing changes.
    pub fn apply(&mut self, event: Event) -> Result<(), EventError> {
        self.has_changed |= facts::apply(&mut self.cluster, event)?;
        self.cluster.generation += 1;
        self.cluster.just_bound.note_event(self.cluster.generation);
        Ok(())
    }

    /// Decides what to do now, and assumes that the plan is carried out. A second decision at the same time without a
    /// new event is empty (S1). Time does not go back: a `now` before that of an earlier call counts as the latter.
    pub fn decide(&mut self, now: Time) -> Plan {
        self.cluster.now = self.cluster.now.max(now);
        let mut plan = Plan::default();
        if self.has_changed || self.cluster.changes_with_time() {
            self.has_changed = cycle::run(&mut self.cluster, self.has_changed, &mut plan);
        }
        self.cluster.generation += 1;
        plan.generation = self.cluster.generation;
        plan
    }

    /// Counts the events and plans so far. A plan contains this number. A plan with another number than the scheduler
    /// has now is outdated, and must not be carried out.
    #[must_use]
    pub fn generation(&self) -> u64 {
        self.cluster.generation
    }

    /// The earliest time at which a decision can differ although no event comes (timeouts, protected runtimes); nothing
    /// where only events change it.
    #[must_use]
    pub fn next_wake(&self) -> Option<Time> {
        self.cluster.timers.first().copied()
    }

    /// The quota tree.
    #[must_use]
    pub fn tree(&self) -> &QuotaTree {
        &self.cluster.quotas.tree
    }

    /// The policy.
    #[must_use]
    pub fn policy(&self) -> &Policy {
        &self.cluster.policy
    }

    /// What blocks a workload, in brief: where room is missing, without the nodes. Nothing when it is not pending and
    /// has no hold, or is not known. Costs a path of the tree.
    #[must_use]
    pub fn bound_by(&self, workload: WorkloadId) -> Option<BlockingReason> {
        explain::blocked_by(&self.cluster, workload)
    }

    /// Why a workload is pending, now and in full (X1), without advice: for that see [`explain`](Self::explain).
    /// Nothing when it is not pending and has no hold, or is not known.
    ///
    /// Costs a copy of the state and a pass over leaves, nodes and workloads.
    #[must_use]
    pub fn verdict(&self, workload: WorkloadId) -> Option<Verdict> {
        explain::full_verdict(&self.cluster, workload)
    }

    /// Why each node that is up does not take the next pod of a pending workload, by node id; empty if some nodes take
    /// the next pods, or if the workload is not pending. Neither evictions nor quotas are considered.
    ///
    /// Costs a copy of the state and a pass over the nodes.
    #[must_use]
    pub fn node_checks(&self, workload: WorkloadId) -> Vec<NodeCheck> {
        explain::node_checks(&self.cluster, workload)
    }
}
