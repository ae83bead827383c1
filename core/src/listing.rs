//! What a LIST of a cluster shows, and the events by which a scheduler that starts learns of it (E4).

use crate::{
    api::{
        Action, Event, FoundState, Name, NewBudget, NodeId, NodeSpec, Plan, PodId, PodOutcome, PodState, Time,
        TreeSpec, WorkloadId, WorkloadView,
    },
    scheduler::Scheduler,
};
use std::collections::{BTreeMap, BTreeSet};

/// What a cluster shows of itself: no decision, no hold, no clock. It follows the events and plans of a scheduler, and gives
/// the events by which a new one takes its place.
///
/// # Examples
/// ```
/// use quotree_core::{Amounts, Event, Listing, NodeSpec, Policy, QuotaSpec, Scheduler, Time, TreeSpec, WorkloadSpec};
/// let tree: TreeSpec = [QuotaSpec::new("root", None).namespace("ns")].into_iter().collect();
/// let (mut listing, mut before) = (Listing::new(&tree), Scheduler::new(&tree, Policy::default()).unwrap());
/// let cpu = |n| Amounts::new().with("cpu", n);
/// let up = Event::NodeUp(NodeSpec::new(0, cpu(8000)));
/// for event in [up, Event::WorkloadSubmitted(WorkloadSpec::pod(1, "ns", Time(0), cpu(1000)))] {
///     listing.note(&event);
///     before.apply(event).unwrap();
/// }
/// listing.carry_out(&before.decide(Time(0)));
/// let mut after = Scheduler::new(listing.tree(), Policy::default()).unwrap();
/// for event in listing.events(&before) {
///     after.apply(event).unwrap();
/// }
/// assert_eq!(after.nodes(), before.nodes(), "the pod was found where it was bound");
/// ```
#[derive(Debug, Clone, Default)]
pub struct Listing {
    tree: TreeSpec,
    nodes: BTreeMap<NodeId, NodeSpec>,
    /// How each workload was submitted, and changed since.
    workloads: BTreeMap<WorkloadId, Vec<Event>>,
    started: BTreeMap<PodId, Time>,
    /// How many more pods of each disruption budget may be evicted.
    budgets: BTreeMap<Name, u32>,
    budget_of: BTreeMap<WorkloadId, Name>,
    /// Pods whose eviction is under way and was taken from their budget. A newer `BudgetChanged` already counts it.
    taken: BTreeMap<PodId, Name>,
}

impl Listing {
    /// An empty cluster with this quota tree.
    #[must_use]
    pub fn new(tree: &TreeSpec) -> Self {
        Self { tree: tree.clone(), ..Self::default() }
    }

    /// The quota tree in effect.
    #[must_use]
    pub const fn tree(&self) -> &TreeSpec {
        &self.tree
    }

    /// The workloads that were submitted and not withdrawn, in the order of their ids.
    pub fn workloads(&self) -> impl Iterator<Item = WorkloadId> {
        self.workloads.keys().copied()
    }

    /// Follows an event that the scheduler accepted.
    pub fn note(&mut self, event: &Event) {
        match event {
            Event::NodeUp(spec) | Event::NodeChanged(spec) => _ = self.nodes.insert(spec.id, spec.clone()),
            Event::NodeDown { node } => _ = self.nodes.remove(node),
            Event::TreeChanged(tree) => self.tree = tree.clone(),
            Event::WorkloadSubmitted(spec) => {
                self.workloads.insert(spec.id, vec![event.clone()]);
                self.budget_of.extend(spec.budget.clone().map(|budget| (spec.id, budget)));
            }
            Event::WorkloadChanged(change) => {
                match &change.budget {
                    Some(NewBudget::Named(budget)) => _ = self.budget_of.insert(change.workload, budget.clone()),
                    Some(NewBudget::None) => _ = self.budget_of.remove(&change.workload),
                    None => {}
                }
                self.workloads.entry(change.workload).or_default().push(event.clone());
            }
            Event::PodChanged { pod, .. } => self.workloads.entry(pod.workload).or_default().push(event.clone()),
            Event::WorkloadWithdrawn { workload } => {
                self.workloads.remove(workload);
                self.budget_of.remove(workload);
            }
            // The cluster did not evict it, so the budget allows as much as before.
            Event::EvictFailed { pod } | Event::EvictWithdrawn { pod } => {
                let budget = self.taken.remove(pod);
                if let Some(left) = budget.and_then(|budget| self.budgets.get_mut(&budget)) {
                    *left += 1;
                }
            }
            Event::PodLeaving { pod } => _ = self.taken.remove(pod),
            Event::PodBound { pod, at, .. } => _ = self.started.insert(*pod, *at),
            Event::PodGone { pod, .. } => {
                self.started.remove(pod);
                self.taken.remove(pod);
            }
            Event::PodFound { pod, since, .. } => _ = self.started.insert(*pod, *since),
            Event::BudgetChanged { budget, allowed } => {
                self.budgets.insert(budget.clone(), *allowed);
                self.taken.retain(|_, other| other != budget);
            }
            _ => {}
        }
    }

    /// Follows a plan: the disruption budgets of its victims allow less.
    pub fn carry_out(&mut self, plan: &Plan) {
        for action in &plan.actions {
            let Action::Evict { pod, .. } = action else { continue };
            let Some(budget) = self.budget_of.get(&pod.workload) else { continue };
            if let Some(left) = self.budgets.get_mut(budget).filter(|left| **left > 0) {
                *left -= 1;
                self.taken.insert(*pod, budget.clone());
            }
        }
    }

    /// The events by which a new scheduler learns of everything: nodes and budgets, workloads in the order of their ids, and
    /// then the pods that have a node. `core` is the scheduler before it.
    #[must_use]
    pub fn events(&self, core: &Scheduler) -> Vec<Event> {
        let mut events: Vec<Event> = self.nodes.values().cloned().map(Event::NodeUp).collect();
        let budget =
            |(budget, allowed): (&Name, &u32)| Event::BudgetChanged { budget: budget.clone(), allowed: *allowed };
        events.extend(self.budgets.iter().map(budget));
        let views: Vec<WorkloadView> = self.workloads.keys().filter_map(|id| core.workload(*id)).collect();
        for view in &views {
            let history = self.workloads.get(&view.id).into_iter().flatten();
            let wanted: u32 = history.clone().map(pods).sum();
            events.extend(history.cloned());
            // Pods that are not there any more keep their ordinals.
            let there: BTreeSet<u32> = view.pods.iter().map(|pod| pod.id.ordinal).collect();
            let gone = (0..wanted).filter(|ordinal| !there.contains(ordinal)).map(|ordinal| view.id.pod(ordinal));
            events.extend(gone.map(|pod| Event::PodGone { pod, outcome: PodOutcome::Deleted }));
        }
        for pod in views.iter().flat_map(|view| &view.pods) {
            let state = match pod.state {
                PodState::Binding => FoundState::Binding,
                PodState::Running => FoundState::Running,
                PodState::Terminating => FoundState::Terminating,
                _ => continue,
            };
            let since = self.started.get(&pod.id).copied().unwrap_or_default();
            let found = |node| Event::PodFound { pod: pod.id, node, devices: pod.devices, state, since };
            events.extend(pod.node.map(found));
        }
        events
    }

    /// Whether nothing that a LIST does not show, but holds and clocks, decides what a scheduler does: no workload was evicted
    /// whole and waits for its controller. What a plan of this moment bound is up to the caller (R2(c)).
    #[must_use]
    pub fn shows_all_but_holds(&self, core: &Scheduler) -> bool {
        let shown = |view: &WorkloadView| {
            let mut states = view.pods.iter().map(|pod| pod.state);
            !states.any(|state| state == PodState::Pending) || view.held || core.bound_by(view.id).is_some()
        };
        let views = self.workloads.keys().filter_map(|id| core.workload(*id));
        views.into_iter().all(|view| shown(&view))
    }
}

fn pods(event: &Event) -> u32 {
    match event {
        Event::WorkloadSubmitted(spec) => spec.pods.iter().map(|set| set.count).sum(),
        Event::WorkloadChanged(change) => change.add_pods.as_ref().map_or(0, |set| set.count),
        _ => 0,
    }
}
