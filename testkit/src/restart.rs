//! Restarts: a log is played, and at decisions a second scheduler is made from what a LIST of the cluster shows then (E4). At rest
//! it must evict nobody whom the first does not evict. While pods are on their way, leave, or have room held for them, it must
//! evict nobody whom the first would not evict if it were told its own tree once more, which ends all holds (T4): so a restart
//! loses holds, and nothing else.

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

/// Whether nothing that a LIST does not show, but holds and clocks, decides what the first scheduler does: nothing was bound by a
/// plan of this moment, and no workload was evicted whole and waits for its controller.
fn is_under_way(core: &Scheduler, cluster: &Cluster, last_bind: Option<Time>, now: Time) -> bool {
    let shown = |view: &WorkloadView| {
        let mut states = view.pods.iter().map(|pod| pod.state);
        !states.any(|state| state == PodState::Pending) || view.held || core.bound_by(view.id).is_some()
    };
    let views = cluster.workloads.keys().filter_map(|id| core.workload(*id));
    last_bind.is_none_or(|bind| bind < now) && views.into_iter().all(|view| shown(&view))
}

/// When a scheduler is restarted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Restart {
    /// At rest.
    AtRest,
    /// While pods are being bound, are leaving, or have room held for them.
    UnderWay,
}

/// What came of restarts.
#[derive(Debug, Clone, Default)]
pub struct Restarts {
    /// What is wrong.
    pub wrong: Vec<String>,
    /// How many were judged.
    pub judged: u32,
    /// In how many the second scheduler evicted somebody.
    pub evicting: u32,
    /// In how many the first had room held.
    pub holding: u32,
}

/// Restarts the scheduler of a log at each of its decisions that is of this kind.
#[must_use]
pub fn restarts(log: &Log, when: Restart) -> Restarts {
    let mut all = Restarts::default();
    let Ok(mut core) = Scheduler::new(&log.tree, log.policy.clone()) else { return all };
    let mut cluster = Cluster { tree: log.tree.clone(), ..Cluster::default() };
    let mut last_bind = None;
    for (number, entry) in log.entries.iter().enumerate() {
        match entry {
            Entry::Event(event) => {
                cluster.note(event);
                if let Err(error) = core.apply(event.clone()) {
                    all.wrong.push(format!("entry {number}: {error}"));
                }
            }
            Entry::Decide { at, .. } => {
                let rests = is_at_rest(&core, &cluster, last_bind, *at);
                let wanted = match when {
                    Restart::AtRest => rests,
                    Restart::UnderWay => !rests && is_under_way(&core, &cluster, last_bind, *at),
                };
                let again = wanted.then(|| Scheduler::new(&cluster.tree, log.policy.clone()).ok()).flatten();
                let events = if wanted { cluster.list(&core) } else { Vec::new() };
                let before = wanted.then(|| core.clone());
                let plan = core.decide(*at);
                if let Some((again, before)) = again.zip(before) {
                    judge(&mut all, (number, *at), (again, &events), (before, &plan), (&cluster, when));
                }
                let binds = |action: &Action| matches!(action, Action::Bind { .. });
                last_bind = if plan.actions.iter().any(binds) { Some(*at) } else { last_bind };
                cluster.carry_out(&plan);
            }
        }
    }
    all
}

/// Judges one restart: the second scheduler and what it is told, the first one and what it decides.
fn judge(
    all: &mut Restarts,
    (number, at): (usize, Time),
    (mut again, events): (Scheduler, &[Event]),
    (mut before, plan): (Scheduler, &Plan),
    (cluster, when): (&Cluster, Restart),
) {
    for event in events {
        if let Err(error) = again.apply(event.clone()) {
            all.wrong.push(format!("entry {number}: after a restart {error}: {event:?}"));
        }
    }
    let other = evicted(&again.decide(at));
    let mut allowed = evicted(plan);
    if when == Restart::UnderWay {
        all.holding += u32::from(cluster.workloads.keys().any(|id| before.workload(*id).is_some_and(|view| view.held)));
        if let Err(error) = before.apply(Event::TreeChanged(cluster.tree.clone())) {
            all.wrong.push(format!("entry {number}: its own tree is refused: {error}"));
        }
        allowed = evicted(&before.decide(at));
    }
    all.judged += 1;
    all.evicting += u32::from(!other.is_empty());
    if !other.is_subset(&allowed) {
        all.wrong.push(format!("entry {number}: after a restart {other:?} are evicted, without it {allowed:?}"));
    }
}
