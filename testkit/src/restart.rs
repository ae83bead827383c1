//! Restarts: a log is played, and at every decision at rest a second scheduler is made from what a LIST of the cluster
//! shows then. It must evict nobody whom the first does not evict (E4).

use quotree_core::{
    Action, Entry, Event, FoundState, Log, Name, NewBudget, NodeId, NodeSpec, Plan, PodId, PodOutcome, PodState,
    Scheduler, Time, TreeSpec, WorkloadId, WorkloadView,
};
use std::collections::{BTreeMap, BTreeSet};

/// What a cluster shows of itself: no decision, no hold, no clock.
#[derive(Debug, Clone, Default)]
struct Cluster {
    tree: TreeSpec,
    nodes: BTreeMap<NodeId, NodeSpec>,
    /// How each workload was submitted, and changed since.
    workloads: BTreeMap<WorkloadId, Vec<Event>>,
    started: BTreeMap<PodId, Time>,
    /// How many more pods of each disruption budget may be evicted.
    budgets: BTreeMap<Name, u32>,
    budget_of: BTreeMap<WorkloadId, Name>,
}

impl Cluster {
    fn note(&mut self, event: &Event) {
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
            Event::PodBound { pod, at, .. } => _ = self.started.insert(*pod, *at),
            Event::PodFound { pod, since, .. } => _ = self.started.insert(*pod, *since),
            Event::BudgetChanged { budget, allowed } => _ = self.budgets.insert(budget.clone(), *allowed),
            _ => {}
        }
    }

    fn carry_out(&mut self, plan: &Plan) {
        for pod in evicted(plan) {
            let budget = self.budget_of.get(&pod.workload);
            if let Some(left) = budget.and_then(|budget| self.budgets.get_mut(budget)) {
                *left = left.saturating_sub(1);
            }
        }
    }

    /// The events by which a scheduler learns of everything: nodes and budgets, workloads in the order of their ids, and
    /// then the pods that have a node.
    fn list(&self, core: &Scheduler) -> Vec<Event> {
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
}

fn pods(event: &Event) -> u32 {
    match event {
        Event::WorkloadSubmitted(spec) => spec.pods.iter().map(|set| set.count).sum(),
        Event::WorkloadChanged(change) => change.add_pods.as_ref().map_or(0, |set| set.count),
        _ => 0,
    }
}

fn evicted(plan: &Plan) -> BTreeSet<PodId> {
    let pod = |action: &Action| if let Action::Evict { pod, .. } = action { Some(*pod) } else { None };
    plan.actions.iter().filter_map(pod).collect()
}

/// Whether the first scheduler knows nothing that a LIST does not show, but clocks: no hold, nothing that a plan of this
/// moment bound, no workload that was evicted whole and waits for its controller, no pod that is on its way.
fn is_at_rest(core: &Scheduler, cluster: &Cluster, last_bind: Option<Time>, now: Time) -> bool {
    let calm = |view: &WorkloadView| {
        let states = || view.pods.iter().map(|pod| pod.state);
        let moves = states().any(|state| matches!(state, PodState::Binding | PodState::Terminating));
        let waits = states().any(|state| state == PodState::Pending);
        !view.held && !moves && (!waits || core.bound_by(view.id).is_some())
    };
    let views = cluster.workloads.keys().filter_map(|id| core.workload(*id));
    last_bind.is_none_or(|bind| bind < now) && views.into_iter().all(|view| calm(&view))
}

/// The violations, and how many restarts were judged, and how many of these evicted somebody.
#[must_use]
pub fn restarts(log: &Log) -> (Vec<String>, u32, u32) {
    let (mut wrong, mut judged, mut evicting) = (Vec::new(), 0, 0);
    let Ok(mut core) = Scheduler::new(&log.tree, log.policy.clone()) else { return (wrong, 0, 0) };
    let mut cluster = Cluster { tree: log.tree.clone(), ..Cluster::default() };
    let mut last_bind = None;
    for (number, entry) in log.entries.iter().enumerate() {
        match entry {
            Entry::Event(event) => {
                cluster.note(event);
                if let Err(error) = core.apply(event.clone()) {
                    wrong.push(format!("entry {number}: {error}"));
                }
            }
            Entry::Decide { at, .. } => {
                let rest = is_at_rest(&core, &cluster, last_bind, *at);
                let again = rest.then(|| Scheduler::new(&cluster.tree, log.policy.clone()).ok()).flatten();
                let events = if rest { cluster.list(&core) } else { Vec::new() };
                let plan = core.decide(*at);
                if let Some(mut again) = again {
                    for event in events {
                        if let Err(error) = again.apply(event.clone()) {
                            wrong.push(format!("entry {number}: after a restart {error}: {event:?}"));
                        }
                    }
                    let other = again.decide(*at);
                    judged += 1;
                    evicting += u32::from(!evicted(&other).is_empty());
                    if !evicted(&other).is_subset(&evicted(&plan)) {
                        wrong.push(format!(
                            "entry {number}: after a restart {:?} are evicted, without it {:?}",
                            evicted(&other),
                            evicted(&plan)
                        ));
                    }
                }
                let binds = |action: &Action| matches!(action, Action::Bind { .. });
                last_bind = if plan.actions.iter().any(binds) { Some(*at) } else { last_bind };
                cluster.carry_out(&plan);
            }
        }
    }
    (wrong, judged, evicting)
}
