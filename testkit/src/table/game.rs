//! Plays the rows of a rule table against the core: a clock, controllers that recreate what was evicted, and audits.

use super::{
    Malformed, RECREATED,
    outcome::outcome,
    read::{amounts, leaves_are_namespaces, node, number, selector, submission, tree},
};
use quotree_core::{
    Action, Auditor, BoundAt, DeviceSet, Event, FoundState, NewBudget, NodeId, NodeSpec, Plan, PodId, PodOutcome,
    PodSet, PodState, PodView, Policy, Recorder, Scheduler, Time, WorkloadChange, WorkloadId, WorkloadSpec, audit,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// A table that is being played, for tests that check more than the outcome of a row.
#[derive(Debug)]
pub struct Game {
    core: Recorder,
    auditor: Auditor,
    now: Time,
    nodes: usize,
    specs: BTreeMap<WorkloadId, WorkloadSpec>,
    /// The numbers of workloads that keep their age when they are created again (O3).
    jobs: BTreeSet<u32>,
    slow_evictions: bool,
    no_recreation: bool,
    failing_binds: u32,
    /// Where the next bind puts its pod, if not where the plan does.
    bind_goes_to: Option<NodeId>,
    broken: Vec<String>,
    plans: Vec<Plan>,
    tried: Vec<WorkloadId>,
}

impl Game {
    /// A game on this tree and cluster.
    ///
    /// # Errors
    /// What cannot be read, or is refused.
    pub fn new(text: &str, cluster: &str, policy: Policy) -> Result<Self, Malformed> {
        let mut spec = tree(text)?;
        leaves_are_namespaces(&mut spec);
        let core = Recorder::new(&spec, policy)
            .map_err(|f| f.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))?;
        let nodes: Vec<NodeSpec> =
            cluster.split_whitespace().enumerate().map(|(i, n)| node(i, n)).collect::<Result<_, _>>()?;
        let mut game = Self {
            core,
            auditor: Auditor::new(),
            now: Time(0),
            nodes: nodes.len(),
            specs: BTreeMap::new(),
            jobs: BTreeSet::new(),
            slow_evictions: false,
            no_recreation: false,
            failing_binds: 0,
            bind_goes_to: None,
            broken: Vec::new(),
            plans: Vec::new(),
            tried: Vec::new(),
        };
        for node in nodes {
            game.apply(Event::NodeUp(node))?;
        }
        Ok(game)
    }

    /// The scheduler.
    #[must_use]
    pub fn core(&self) -> &Scheduler {
        self.core.scheduler()
    }

    /// All plans so far that were not empty.
    #[must_use]
    pub fn plans(&self) -> &[Plan] {
        &self.plans
    }

    /// How many pods of a namespace run or are being bound, and how many wait.
    #[must_use]
    pub fn pods(&self, namespace: &str) -> (usize, usize) {
        let views = self.specs.keys().filter_map(|w| self.core().workload(*w));
        let states: Vec<PodState> =
            views.filter(|w| w.namespace == *namespace).flat_map(|w| w.pods).map(|p| p.state).collect();
        let waiting = states.iter().filter(|s| **s == PodState::Pending).count();
        (states.len() - waiting, waiting)
    }

    /// How many pods were evicted so far.
    #[must_use]
    pub fn evictions(&self) -> usize {
        let actions = self.plans.iter().flat_map(|p| &p.actions);
        actions.filter(|a| matches!(a, Action::Evict { .. })).count()
    }

    /// The invariants that broke since the last call.
    pub fn broken(&mut self) -> Vec<String> {
        std::mem::take(&mut self.broken)
    }

    /// The workloads that were tried in vain since the last call, in order.
    pub fn tried(&mut self) -> Vec<u32> {
        std::mem::take(&mut self.tried).into_iter().map(|workload| workload.0).collect()
    }

    /// Plays one row, one second after the one before, and writes its outcome.
    ///
    /// # Errors
    /// What cannot be read, or is refused.
    pub fn row(&mut self, row: &str) -> Result<String, Malformed> {
        self.now = self.now.after_ms(1000);
        let (acts, tree) = match row.find("tree ") {
            Some(start) => row.split_at(start),
            None => (row, ""),
        };
        for act in acts.split("; ").chain([tree]).map(str::trim).filter(|act| !act.is_empty()) {
            self.act(act)?;
        }
        let mut done = Vec::new();
        for _ in 0..100 {
            let plan = self.decide();
            if plan.is_empty() {
                break;
            }
            self.carry_out(&plan, &mut done)?;
        }
        Ok(outcome(self.core(), &done, self.nodes, self.slow_evictions))
    }

    fn apply(&mut self, event: Event) -> Result<(), Malformed> {
        self.auditor.fact(&event);
        self.core.apply(event).map_err(|e| e.to_string())?;
        self.broken.extend(audit(self.core.scheduler()).iter().map(ToString::to_string));
        Ok(())
    }

    fn decide(&mut self) -> Plan {
        let before = self.core.scheduler().clone();
        let plan = self.core.decide(self.now);
        let breaches = self.auditor.decision(&before, &plan, self.core.scheduler(), self.now);
        self.broken.extend(breaches.iter().map(ToString::to_string));
        self.tried.extend(plan.verdicts.iter().map(|verdict| verdict.workload));
        let again = self.core.decide(self.now);
        if !again.is_empty() {
            self.broken.push(format!("S1: deciding again gives {:?}", again.actions));
        }
        if !plan.is_empty() {
            self.plans.push(plan.clone());
        }
        plan
    }

    fn act(&mut self, act: &str) -> Result<(), Malformed> {
        let (subject, rest) = act.split_once(": ").unwrap_or((act, ""));
        let words: Vec<&str> = subject.split_whitespace().collect();
        match words.as_slice() {
            ["submit", ..] => {
                let (spec, job) = submission(act.trim_start_matches("submit "), self.now)?;
                self.jobs.extend(job.then_some(spec.id.0));
                self.create(spec)
            }
            ["withdraw", id] => self.apply(Event::WorkloadWithdrawn { workload: self.id(id)? }),
            ["finish", id] => self.end(self.id(id)?, PodState::Running, PodOutcome::Succeeded),
            ["fail", id] => {
                let pod = *self.running(id)?.first().ok_or("no pod runs")?;
                self.apply(Event::PodGone { pod, outcome: PodOutcome::Failed })
            }
            ["terminate", id] => self.terminate(id, usize::MAX),
            ["terminate", id, count] => self.terminate(id, number(count.trim_start_matches('x'))? as usize),
            ["gone", id] => {
                let workload = self.id(id)?;
                self.end(workload, PodState::Terminating, PodOutcome::Evicted)?;
                self.recreate(workload)
            }
            ["find", id, rest @ ..] => self.find(id, rest),
            ["recreate", id] => self.create_again(self.id(id)?),
            ["priority", id] => {
                let priority = Some(rest.parse().map_err(|_| format!("`{act}`"))?);
                self.change(WorkloadChange { priority, ..WorkloadChange::of(self.id(id)?) })
            }
            ["grow", id, "by", count] => {
                let workload = self.id(id)?;
                let template = self.specs.get(&workload).and_then(|s| s.pods.first()).map(|s| s.template.clone());
                let count = number(count)?;
                let add_pods = template.map(|template| PodSet { template, count, min: 0 });
                self.change(WorkloadChange { add_pods, ..WorkloadChange::of(workload) })
            }
            [word @ ("preemptible" | "non-preemptible"), id] => {
                let preemptible = Some(*word == "preemptible");
                self.change(WorkloadChange { preemptible, ..WorkloadChange::of(self.id(id)?) })
            }
            ["budget", "of", id] => {
                let budget = if rest == "none" { NewBudget::None } else { NewBudget::Named(rest.into()) };
                self.change(WorkloadChange { budget: Some(budget), ..WorkloadChange::of(self.id(id)?) })
            }
            ["pod", id, rest @ ..] => self.change_pods(id, rest),
            ["minimum", id] => {
                self.change(WorkloadChange { min: Some(number(rest)?), ..WorkloadChange::of(self.id(id)?) })
            }
            ["node", id, "down"] => self.apply(Event::NodeDown { node: NodeId(number(id)?) }),
            ["node", id, "up"] => self.apply(Event::NodeUp(node(number(id)? as usize, rest)?)),
            ["node", id, "changes"] => self.apply(Event::NodeChanged(node(number(id)? as usize, rest)?)),
            ["cordon", "node", id] => {
                let node = NodeId(number(id)?);
                let view = self.core().nodes().into_iter().find(|n| n.id == node).ok_or("no such node")?;
                let mut spec = NodeSpec::new(node.0, view.allocatable);
                spec.schedulable = false;
                self.apply(Event::NodeChanged(spec))
            }
            ["tree", ..] => {
                let mut spec = tree(act.trim_start_matches("tree "))?;
                leaves_are_namespaces(&mut spec);
                self.apply(Event::TreeChanged(spec))
            }
            ["budget", name, "allows", count] => {
                self.apply(Event::BudgetChanged { budget: (*name).into(), allowed: number(count)? })
            }
            ["wait", ms, "ms"] => {
                self.now = self.now.after_ms(number(ms)?.into());
                self.apply(Event::Tick)
            }
            ["next", "bind", "fails"] => {
                self.failing_binds += 1;
                Ok(())
            }
            ["next", "bind", "goes", "to", "node", id] => {
                self.bind_goes_to = Some(NodeId(number(id)?));
                Ok(())
            }
            ["eviction", "fails", id] => {
                let pods = self.pods_of(self.id(id)?).into_iter().filter(|pod| pod.state == PodState::Terminating);
                let pods: Vec<PodId> = pods.map(|pod| pod.id).collect();
                pods.into_iter().try_for_each(|pod| self.apply(Event::EvictFailed { pod }))
            }
            ["eviction", "taken", "back", id] => {
                self.terminating(id)?.into_iter().try_for_each(|pod| self.apply(Event::EvictWithdrawn { pod }))
            }
            ["eviction", "seen", id] => {
                self.terminating(id)?.into_iter().try_for_each(|pod| self.apply(Event::PodLeaving { pod }))
            }
            ["slow", "evictions"] => {
                self.slow_evictions = true;
                Ok(())
            }
            ["no", "recreation"] => {
                self.no_recreation = true;
                Ok(())
            }
            _ => Err(format!("`{act}`")),
        }
    }

    /// The latest workload with this number: the original or what replaced it.
    fn id(&self, text: &str) -> Result<WorkloadId, Malformed> {
        let first = number(text)?;
        let latest = self.specs.keys().rev().find(|w| w.0 % RECREATED == first);
        latest.copied().ok_or_else(|| format!("no workload {text}"))
    }

    fn pods_of(&self, workload: WorkloadId) -> Vec<PodView> {
        self.core().workload(workload).map(|w| w.pods).unwrap_or_default()
    }

    fn running(&self, id: &str) -> Result<Vec<PodId>, Malformed> {
        let pods = self.pods_of(self.id(id)?).into_iter();
        Ok(pods.filter(|pod| pod.state == PodState::Running).map(|pod| pod.id).collect())
    }

    fn terminating(&self, id: &str) -> Result<Vec<PodId>, Malformed> {
        let pods = self.pods_of(self.id(id)?).into_iter();
        Ok(pods.filter(|pod| pod.state == PodState::Terminating).map(|pod| pod.id).collect())
    }

    fn change(&mut self, change: WorkloadChange) -> Result<(), Malformed> {
        self.apply(Event::WorkloadChanged(change))
    }

    /// The running pods of a workload, or if none runs the pending ones, request something else: `x2 requests 3`.
    fn change_pods(&mut self, id: &str, how: &[&str]) -> Result<(), Malformed> {
        let workload = self.id(id)?;
        let (most, how) = match how {
            [count, how @ ..] if count.starts_with('x') => (number(count.trim_start_matches('x'))? as usize, how),
            how => (usize::MAX, how),
        };
        let spec = self.specs.get(&workload).and_then(|spec| spec.pods.first()).ok_or("no such workload")?;
        let mut template = (*spec.template).clone();
        match how {
            ["requests", text] => template.request = amounts(text)?,
            ["on", text] => template.selector = vec![selector(text)?],
            ["tolerates", taint] => template.tolerations = vec![(*taint).into()],
            _ => return Err(format!("`pod {id} {}`", how.join(" "))),
        }
        let pods = self.pods_of(workload);
        let runs = pods.iter().any(|pod| pod.state != PodState::Pending);
        let chosen = pods.into_iter().filter(|pod| (pod.state != PodState::Pending) == runs).take(most);
        let (pods, template) = (chosen.map(|pod| pod.id).collect::<Vec<_>>(), Arc::new(template));
        pods.into_iter().try_for_each(|pod| self.apply(Event::PodChanged { pod, template: template.clone() }))
    }

    fn terminate(&mut self, id: &str, most: usize) -> Result<(), Malformed> {
        let pods = self.running(id)?;
        pods.into_iter().take(most).try_for_each(|pod| self.apply(Event::PodLeaving { pod }))
    }

    /// Pending pods of a workload are found on a node: `x2 terminating on node 1`, all and running if not said otherwise.
    fn find(&mut self, id: &str, how: &[&str]) -> Result<(), Malformed> {
        let (mut most, mut state, mut node) = (usize::MAX, FoundState::Running, NodeId(0));
        let mut words = how.iter().copied();
        while let Some(word) = words.next() {
            match word {
                "binding" => state = FoundState::Binding,
                "terminating" => state = FoundState::Terminating,
                "on" => node = NodeId(number(words.nth(1).unwrap_or_default())?),
                _ => most = number(word.trim_start_matches('x'))? as usize,
            }
        }
        let pods = self.pods_of(self.id(id)?).into_iter().filter(|pod| pod.state == PodState::Pending);
        let pods: Vec<PodId> = pods.map(|pod| pod.id).take(most).collect();
        let (devices, since) = (DeviceSet::default(), self.now);
        pods.into_iter().try_for_each(|pod| self.apply(Event::PodFound { pod, node, devices, state, since }))
    }

    fn create(&mut self, spec: WorkloadSpec) -> Result<(), Malformed> {
        self.specs.insert(spec.id, spec.clone());
        self.apply(Event::WorkloadSubmitted(spec))
    }

    fn recreate(&mut self, workload: WorkloadId) -> Result<(), Malformed> {
        let view = self.core().workload(workload);
        let pods = view.as_ref().map(|w| w.pods.as_slice()).unwrap_or_default();
        if self.no_recreation || pods.iter().any(|p| p.state != PodState::Pending) {
            return Ok(());
        }
        if view.is_some() {
            self.apply(Event::WorkloadWithdrawn { workload })?;
        }
        self.create_again(workload)
    }

    fn create_again(&mut self, workload: WorkloadId) -> Result<(), Malformed> {
        let Some(mut spec) = self.specs.get(&workload).cloned() else { return Ok(()) };
        spec.id = WorkloadId(workload.0 + RECREATED);
        if !self.jobs.contains(&(workload.0 % RECREATED)) {
            spec.submitted = self.now;
        }
        spec.replaces = Some(workload);
        self.create(spec)
    }

    fn end(&mut self, workload: WorkloadId, state: PodState, outcome: PodOutcome) -> Result<(), Malformed> {
        for pod in self.pods_of(workload).iter().filter(|p| p.state == state) {
            self.apply(Event::PodGone { pod: pod.id, outcome })?;
        }
        Ok(())
    }

    fn carry_out(&mut self, plan: &Plan, done: &mut Vec<Action>) -> Result<(), Malformed> {
        let mut gone: Vec<WorkloadId> = Vec::new();
        for action in &plan.actions {
            done.push(action.clone());
            match action {
                Action::Bind { pod, .. } if self.failing_binds > 0 => {
                    self.failing_binds -= 1;
                    self.apply(Event::BindFailed { pod: *pod })?;
                }
                Action::Bind { pod, .. } => {
                    let at = |node| BoundAt { node, devices: DeviceSet::default() };
                    let elsewhere = self.bind_goes_to.take().map(at);
                    self.apply(Event::PodBound { pod: *pod, at: self.now, elsewhere })?;
                }
                Action::Evict { pod, .. } if !self.slow_evictions => {
                    gone.push(pod.workload);
                    self.apply(Event::PodGone { pod: *pod, outcome: PodOutcome::Evicted })?;
                }
                _ => {}
            }
        }
        gone.dedup();
        if !gone.is_empty() {
            // The preemptor takes what was freed before the controllers create the evicted pods again.
            let plan = self.decide();
            self.carry_out(&plan, done)?;
        }
        gone.into_iter().try_for_each(|workload| self.recreate(workload))
    }
}
