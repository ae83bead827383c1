//! An audit over time. It checks each state and each plan, and the invariants that need several of them (I7, I9).

use crate::scheduler::audit::{
    breach::{Breach, breach},
    plan::audit_plan,
    state::audit,
};
use crate::{
    api::{Action, BorrowWhilePreempting, Event, Plan, PodOutcome, Time, WorkloadId},
    scheduler::{Scheduler, cluster::Cluster, cycle::retry},
};
use std::collections::{BTreeMap, BTreeSet};

/// Checks every invariant after every step, and remembers which workload evicted which.
///
/// A workload that is created again has a new id (O3). Its `replaces` must name the earlier workload. Otherwise I7 cannot
/// know that both do the same work.
///
/// # Examples
/// ```
/// use quotree_core::{Amounts, Auditor, Event, NodeSpec, Policy, QuotaSpec, Scheduler, Time, TreeSpec, WorkloadSpec};
/// let tree: TreeSpec = [QuotaSpec::new("root", None).namespace("ns")].into_iter().collect();
/// let mut scheduler = Scheduler::new(&tree, Policy::default()).unwrap();
/// let mut auditor = Auditor::new();
/// let cpu = |n| Amounts::new().with("cpu", n);
/// for event in [
///     Event::NodeUp(NodeSpec::new(0, cpu(8000))),
///     Event::WorkloadSubmitted(WorkloadSpec::pod(1, "ns", Time(0), cpu(1000))),
/// ] {
///     auditor.fact(&event);
///     scheduler.apply(event).unwrap();
/// }
/// let before = scheduler.clone();
/// let plan = scheduler.decide(Time(0));
/// assert!(auditor.decision(&before, &plan, &scheduler, Time(0)).is_empty());
/// ```
#[derive(Debug, Clone, Default)]
pub struct Auditor {
    /// For each workload that was created again: the first workload that did the same work.
    origins: BTreeMap<WorkloadId, WorkloadId>,
    /// In how many plans one workload evicted another since demand last changed. Both are named by the first workload
    /// of their work.
    evictions: BTreeMap<(WorkloadId, WorkloadId), u32>,
    /// The workloads, named in the same way, that lost pods by eviction since demand last changed.
    evicted: BTreeSet<WorkloadId>,
}

impl Auditor {
    /// An auditor that has seen nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Notes an event. Events that change demand or the cluster start a new count for I7; outcomes of plans, and
    /// workloads that are created again, do not.
    pub fn fact(&mut self, event: &Event) {
        if let Event::WorkloadSubmitted(spec) = event
            && let Some(earlier) = spec.replaces
        {
            let origin = self.origin(earlier);
            self.origins.insert(spec.id, origin);
        }
        let same_demand = match event {
            Event::PodBound { .. } | Event::Tick => true,
            Event::PodGone { outcome, .. } => *outcome == PodOutcome::Evicted,
            Event::WorkloadSubmitted(spec) => self.origins.contains_key(&spec.id),
            Event::WorkloadWithdrawn { workload } => self.evicted.contains(&self.origin(*workload)),
            _ => false,
        };
        if !same_demand {
            self.evictions.clear();
            self.evicted.clear();
        }
    }

    /// Checks a decision: the state it was made from, the plan, the state after it, and when it was made. Gives what is
    /// broken.
    ///
    /// Takes time linear in the size of the state, and a second decision on a copy.
    #[must_use]
    pub fn decision(&mut self, before: &Scheduler, plan: &Plan, after: &Scheduler, now: Time) -> Vec<Breach> {
        let mut found = audit(after);
        found.extend(audit_plan(before, plan));
        found.extend(self.plan(plan, after));
        audit_passed_over(after, now, &mut found);
        found
    }

    /// Notes the plan of a decision that is not checked in full, since I7 needs all plans. `after` is the state after
    /// it. Returns the breaches of I7.
    ///
    /// Takes time linear in the plan.
    #[must_use]
    pub fn plan(&mut self, plan: &Plan, after: &Scheduler) -> Vec<Breach> {
        let mut found = Vec::new();
        // This policy knob gives up S2, and I7 with it.
        if after.cluster.policy.growth == BorrowWhilePreempting::Refused {
            self.mutual(plan, &mut found);
        }
        found
    }

    fn origin(&self, workload: WorkloadId) -> WorkloadId {
        self.origins.get(&workload).copied().unwrap_or(workload)
    }

    /// No two workloads evict each other twice while demand stays the same (I7).
    fn mutual(&mut self, plan: &Plan, found: &mut Vec<Breach>) {
        let mut pairs = BTreeSet::new();
        for action in &plan.actions {
            let Action::Evict { pod, reason } = action else { continue };
            let victim = self.origin(pod.workload);
            self.evicted.insert(victim);
            pairs.extend(reason.cause.map(|cause| (self.origin(cause), victim)));
        }
        for (cause, victim) in pairs {
            *self.evictions.entry((cause, victim)).or_default() += 1;
            let times = |pair| self.evictions.get(&pair).copied().unwrap_or(0);
            if times((cause, victim)).min(times((victim, cause))) >= 2 {
                found
                    .push(breach(7, format!("{cause} and {victim} evict each other twice, and demand did not change")));
            }
        }
    }
}

/// If every pending workload is tried once more from the beginning, nothing is bound or evicted: no workload that could
/// be placed was passed over (I9).
fn audit_passed_over(after: &Scheduler, now: Time, found: &mut Vec<Breach>) {
    let mut again = after.clone();
    retry::everything(&mut again.cluster);
    again.has_changed = true;
    let plan = again.decide(now);
    // To pack a gang of unlike pods is a search, and the scheduler's is greedy: it can succeed where there is less room.
    let unlike = |workload: WorkloadId| is_of_unlike_pods(&after.cluster, workload);
    let is_packed = |action: &&Action| match action {
        Action::Bind { pod, .. } => unlike(pod.workload),
        Action::Hold { workload, .. } => unlike(*workload),
        Action::Evict { reason, .. } => reason.cause.is_some_and(unlike),
        Action::Release { .. } => false,
    };
    if let Some(action) = plan.actions.first().filter(|action| !is_packed(action)) {
        found.push(breach(9, format!("to try all pending workloads again gives {action:?}: one was passed over")));
    }
}

fn is_of_unlike_pods(cluster: &Cluster, workload: WorkloadId) -> bool {
    cluster.workloads.slot(workload).is_some_and(|slot| cluster.workloads.at(slot).sets.len() > 1)
}
