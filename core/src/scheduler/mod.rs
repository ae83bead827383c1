//! The scheduler: a state machine fed by facts.

mod view;

pub use view::{NodeView, PodState, PodView, Usage, WorkloadView};

use crate::{
    event::{Event, EventError},
    ids::{QuotaId, Time, WorkloadId},
    plan::{Plan, Verdict},
    policy::Policy,
    spec::TreeSpec,
    tree::{Finding, QuotaTree},
};

/// The scheduler. Feed it facts with [`apply`](Self::apply), ask it what to do with [`decide`](Self::decide).
#[derive(Debug, Clone)]
pub struct Scheduler {
    tree: QuotaTree,
    policy: Policy,
}

impl Scheduler {
    /// A scheduler without nodes and workloads.
    ///
    /// # Errors
    /// All findings of the validation, when one of them is an error.
    pub fn new(tree: &TreeSpec, policy: Policy) -> Result<Self, Vec<Finding>> {
        Ok(Self { tree: QuotaTree::new(tree, policy.over_promised)?, policy })
    }

    /// Takes in a fact.
    ///
    /// # Errors
    /// [`EventError`] when the fact cannot be; then nothing changes.
    pub fn apply(&mut self, event: Event) -> Result<(), EventError> {
        let _ = event;
        Ok(())
    }

    /// Decides what to do now. Deciding again without new facts gives an empty plan (S1).
    pub fn decide(&mut self, now: Time) -> Plan {
        let _ = now;
        Plan::default()
    }

    /// Counts the facts and plans so far; a plan carries the number it was made at.
    #[must_use]
    pub fn generation(&self) -> u64 {
        0
    }

    /// The earliest time at which a decision can differ although no fact comes (timeouts, protected runtimes).
    #[must_use]
    pub fn next_wake(&self) -> Option<Time> {
        None
    }

    /// Why a workload waits, now and in full; nothing when it does not wait or is not known.
    #[must_use]
    pub fn explain(&self, workload: WorkloadId) -> Option<Verdict> {
        let _ = workload;
        None
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

    /// The ledger of a quota.
    #[must_use]
    pub fn usage(&self, quota: QuotaId) -> Usage {
        let _ = quota;
        Usage::default()
    }

    /// All nodes, by id.
    #[must_use]
    pub fn nodes(&self) -> Vec<NodeView> {
        Vec::new()
    }

    /// A workload; nothing when it is not known or has ended.
    #[must_use]
    pub fn workload(&self, id: WorkloadId) -> Option<WorkloadView> {
        let _ = id;
        None
    }

    /// The workloads that wait or hold, by id.
    #[must_use]
    pub fn waiting(&self) -> Vec<WorkloadId> {
        Vec::new()
    }

    /// The fair share of every quota now, one row a quota in tree order, one amount a governed resource (F1, F2).
    #[must_use]
    pub fn fair_shares(&self) -> Vec<Vec<i64>> {
        Vec::new()
    }
}
