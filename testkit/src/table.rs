//! Rule tables: each row is what happens, its last column what comes of it. A row that fails is shown beside what really
//! came, all rows at once.
//!
//! The tree is `root 40/40; a<root 20/40; ...`: name, the one above, guarantee/ceiling, then `lend=`, `jobs=`, `block`.
//! Amounts are `cpu` or `cpu,gpu`, `-` is none; the namespace of a leaf is its name. The cluster is a list of nodes, each
//! amounts and, after `:`, `dev` (its gpus are devices), `label=value`, `!taint`, `in.zone.rack`.
//!
//! | in a row | happens |
//! |---|---|
//! | `+1 a 4 x3/2 p2 np on=k:v tol=t b=name` | workload 1 into namespace a: 3 pods of 4 of which 2 must run, priority 2, not preemptible, selector, toleration, budget; `same.rack`: its pods stand in one rack |
//! | `-1`, `done 1`, `gone 1` | withdrawn; its running pods end well; its leaving pods are gone |
//! | `lose 1` | one of its running pods fails |
//! | `prio 1 2`, `more 1 2`, `free 1`, `firm 1` | a new priority; two more elastic pods; may, or may not, be evicted from now on |
//! | `down 0`, `up 0 4`, `change 0 4`, `cordon 0` | a node |
//! | `tree ...`, `budget n 1`, `tick 50`, `fail` | the tree; a budget; time; the next bind fails |
//! | `slow`, `once` | from here evicted pods leave by `gone` only; nothing is recreated |
//!
//! `&` joins what happens before the scheduler decides. What comes of it: actions in order, then ` | ` and who waits, by
//! the binding rule. `2'` is what the controller made of the evicted 2.

use quotree_core::{
    Action, Amounts, Auditor, BlockingReason, DeviceSpec, Event, Level, NodeId, NodeSpec, Plan, PodId, PodOutcome,
    PodSet, PodState, PodTemplate, Policy, Queueing, QuotaSpec, Recorder, Scheduler, Time, TreeSpec, Unit,
    WorkloadChange, WorkloadId, WorkloadSpec, audit, parse_quantity,
};
use std::{collections::BTreeMap, sync::Arc};

/// Recreated workloads count up from the first by this much.
const AGAIN: u32 = 100;

/// Why a table cannot be read; the text is shown.
type Malformed = String;

/// Plays the rows and compares what comes of each.
///
/// # Panics
/// When a row comes out differently, when an invariant breaks, or when the table cannot be read: all of them, in one text.
pub fn check(tree: &str, cluster: &str, policy: Policy, rows: &[(&str, &str)]) {
    let mut seen = Vec::new();
    let mut wrong = false;
    match Game::new(tree, cluster, policy) {
        Err(why) => {
            wrong = true;
            seen.push(why);
        }
        Ok(mut game) => {
            for (row, wanted) in rows {
                let got = game.row(row).unwrap_or_else(|why| format!("MALFORMED: {why}"));
                let same = got == *wanted && game.broken.is_empty();
                wrong |= !same;
                let mark = if same { " " } else { "X" };
                seen.push(format!("{mark} {row:24} {got}"));
                if !same {
                    seen.push(format!("  {:24} {wanted}   <- wanted", ""));
                }
                seen.extend(game.broken.drain(..).map(|b| format!("  BROKEN {b}")));
            }
        }
    }
    assert!(!wrong, "\n{tree}\n{cluster}\n{}\n", seen.join("\n"));
}

/// The actions and verdicts of a played table, for whoever wants to look closer.
#[derive(Debug)]
pub struct Game {
    core: Recorder,
    auditor: Auditor,
    now: Time,
    nodes: usize,
    specs: BTreeMap<WorkloadId, WorkloadSpec>,
    slow: bool,
    once: bool,
    failing: u32,
    broken: Vec<String>,
    plans: Vec<Plan>,
}

/// Reads a tree.
///
/// # Errors
/// What cannot be read.
pub fn tree(text: &str) -> Result<TreeSpec, Malformed> {
    text.split(';').map(str::trim).filter(|t| !t.is_empty()).map(quota).collect()
}

fn quota(text: &str) -> Result<QuotaSpec, Malformed> {
    let mut words = text.split_whitespace();
    let name = words.next().unwrap_or_default();
    let (name, parent) = name.split_once('<').map_or((name, None), |(n, p)| (n, Some(p)));
    let (min, max) = words.next().and_then(|w| w.split_once('/')).ok_or_else(|| format!("`{text}`: min/max"))?;
    let mut quota = QuotaSpec::new(name, parent).min(amounts(min)?).max(amounts(max)?);
    for word in words {
        match word.split_once('=').unwrap_or((word, "")) {
            ("lend", n) => quota.lend = Some(amounts(n)?),
            ("jobs", n) => quota.max_jobs = Some(number(n)?),
            ("ns", n) => quota.namespaces = n.split(',').map(Into::into).collect(),
            ("weight", n) => quota.weight = Some(number(n)?.into()),
            ("block", _) => quota.queueing = Queueing::Block,
            (other, _) => return Err(format!("`{other}` in `{text}`")),
        }
    }
    Ok(quota)
}

/// Reads `cpu`, `cpu,gpu` or `-`.
///
/// # Errors
/// What cannot be read.
pub fn amounts(text: &str) -> Result<Amounts, Malformed> {
    let mut amounts = Amounts::new();
    for (name, part) in ["cpu", "gpu"].iter().zip(text.split(',')).filter(|(_, part)| *part != "-") {
        let amount = parse_quantity(part, Unit::Milli).map_err(|e| e.to_string())?;
        amounts.set(*name, amount);
    }
    Ok(amounts)
}

fn number(text: &str) -> Result<u32, Malformed> {
    text.parse().map_err(|_| format!("`{text}` is no number"))
}

fn node(id: usize, text: &str) -> Result<NodeSpec, Malformed> {
    let (size, options) = text.split_once(':').unwrap_or((text, ""));
    let mut node = NodeSpec::new(u32::try_from(id).unwrap_or(u32::MAX), amounts(size)?);
    for option in options.split(',').filter(|o| !o.is_empty()) {
        if option == "dev" {
            let gpus = node.allocatable.get("gpu").unwrap_or(0);
            let count = u32::try_from(gpus / 1000).unwrap_or(0);
            node.devices.push(DeviceSpec { resource: "gpu".into(), count, each: 1000 });
        } else if let Some((zone, rack)) = option.strip_prefix("in.").and_then(|place| place.split_once('.')) {
            let name = |text: &str| (!text.is_empty()).then(|| text.into());
            (node.zone, node.rack) = (name(zone), name(rack));
        } else if let Some(taint) = option.strip_prefix('!') {
            node.taints.push(taint.into());
        } else if let Some((label, value)) = option.split_once('=') {
            node.labels.push((label.into(), value.into()));
        } else {
            return Err(format!("`{option}` of a node"));
        }
    }
    Ok(node)
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
            slow: false,
            once: false,
            failing: 0,
            broken: Vec::new(),
            plans: Vec::new(),
        };
        for node in nodes {
            game.tell(Event::NodeUp(node))?;
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

    /// How many pods of a namespace run and how many wait.
    #[must_use]
    pub fn pods(&self, namespace: &str) -> (usize, usize) {
        let views = self.specs.keys().filter_map(|w| self.core().workload(*w));
        let states: Vec<PodState> =
            views.filter(|w| w.namespace == *namespace).flat_map(|w| w.pods).map(|p| p.state).collect();
        let waiting = states.iter().filter(|s| **s == PodState::Waiting).count();
        (states.len() - waiting, waiting)
    }

    /// How many pods were evicted so far.
    #[must_use]
    pub fn evictions(&self) -> usize {
        let actions = self.plans.iter().flat_map(|p| &p.actions);
        actions.filter(|a| matches!(a, Action::Evict { .. })).count()
    }

    /// What broke so far; empties the list.
    pub fn broken(&mut self) -> Vec<String> {
        std::mem::take(&mut self.broken)
    }

    /// Plays one row, one second after the one before, and tells what came of it.
    ///
    /// # Errors
    /// What cannot be read, or is refused.
    pub fn row(&mut self, row: &str) -> Result<String, Malformed> {
        self.now = self.now.after_ms(1000);
        for act in row.split(" & ") {
            self.act(act.trim())?;
        }
        let mut done = Vec::new();
        for _ in 0..100 {
            let plan = self.decide();
            if plan.is_empty() {
                break;
            }
            self.carry_out(&plan, &mut done)?;
        }
        let text = self.tell_actions(&done);
        let waiting: Vec<String> = self.core().waiting().into_iter().map(|w| self.waits(w)).collect();
        Ok(if waiting.is_empty() { text } else { format!("{text} | {}", waiting.join(", ")).trim_start().to_owned() })
    }

    fn tell(&mut self, event: Event) -> Result<(), Malformed> {
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
        if let Some(submission) = act.strip_prefix('+') {
            return self.submit(submission);
        }
        if let Some(id) = act.strip_prefix('-') {
            return self.tell(Event::WorkloadWithdrawn { workload: self.id(id)? });
        }
        let (verb, rest) = act.split_once(' ').unwrap_or((act, ""));
        let (first, second) = rest.split_once(' ').unwrap_or((rest, ""));
        match verb {
            "done" => self.end(self.id(first)?, PodState::Running, PodOutcome::Succeeded),
            "gone" => {
                let workload = self.id(first)?;
                self.end(workload, PodState::Leaving, PodOutcome::Evicted)?;
                self.recreate(workload)
            }
            "leave" => {
                let pods = self.core().workload(self.id(first)?).map(|w| w.pods).unwrap_or_default();
                let most = if second.is_empty() { usize::MAX } else { number(second)? as usize };
                let run = pods.iter().filter(|p| p.state == PodState::Running).take(most);
                run.map(|pod| pod.id).try_for_each(|pod| self.tell(Event::PodLeaving { pod }))
            }
            "lose" => {
                let pods = self.core().workload(self.id(first)?).map(|w| w.pods).unwrap_or_default();
                let pod = pods.iter().find(|p| p.state == PodState::Running).ok_or("no pod runs")?;
                self.tell(Event::PodGone { pod: pod.id, outcome: PodOutcome::Failed })
            }
            "prio" => {
                let priority = second.parse().map_err(|_| format!("`{act}`"))?;
                let change = WorkloadChange { priority: Some(priority), ..WorkloadChange::of(self.id(first)?) };
                self.tell(Event::WorkloadChanged(change))
            }
            "more" => {
                let workload = self.id(first)?;
                let template = self.specs.get(&workload).and_then(|s| s.pods.first()).map(|s| s.template.clone());
                let set = template.map(|template| PodSet { template, count: number(second).unwrap_or(1), min: 0 });
                self.tell(Event::WorkloadChanged(WorkloadChange { add_pods: set, ..WorkloadChange::of(workload) }))
            }
            "free" | "firm" => {
                let preemptible = Some(verb == "free");
                let change = WorkloadChange { preemptible, ..WorkloadChange::of(self.id(first)?) };
                self.tell(Event::WorkloadChanged(change))
            }
            "down" => self.tell(Event::NodeDown { node: NodeId(number(first)?) }),
            "up" => {
                let node = node(number(first)? as usize, second)?;
                self.tell(Event::NodeUp(node))
            }
            "change" => {
                let node = node(number(first)? as usize, second)?;
                self.tell(Event::NodeChanged(node))
            }
            "cordon" => {
                let node = NodeId(number(first)?);
                let view = self.core().nodes().into_iter().find(|n| n.id == node).ok_or("no such node")?;
                let mut spec = NodeSpec::new(node.0, view.allocatable);
                spec.schedulable = false;
                self.tell(Event::NodeChanged(spec))
            }
            "tree" => {
                let mut spec = tree(rest)?;
                leaves_are_namespaces(&mut spec);
                self.tell(Event::TreeChanged(spec))
            }
            "budget" => self.tell(Event::BudgetChanged { budget: first.into(), allowed: number(second)? }),
            "tick" => {
                self.now = self.now.after_ms(number(first)?.into());
                self.tell(Event::Tick)
            }
            "fail" => {
                self.failing += 1;
                Ok(())
            }
            "slow" => {
                self.slow = true;
                Ok(())
            }
            "once" => {
                self.once = true;
                Ok(())
            }
            _ => Err(format!("`{act}`")),
        }
    }

    /// The latest workload that stands for this number.
    fn id(&self, text: &str) -> Result<WorkloadId, Malformed> {
        let first = number(text)?;
        let latest = self.specs.keys().rev().find(|w| w.0 % AGAIN == first);
        latest.copied().ok_or_else(|| format!("no workload {text}"))
    }

    fn submit(&mut self, text: &str) -> Result<(), Malformed> {
        let mut words = text.split_whitespace();
        let id = number(words.next().unwrap_or_default())?;
        let namespace = words.next().ok_or("a namespace")?;
        let mut template = PodTemplate { request: amounts(words.next().ok_or("amounts")?)?, ..PodTemplate::default() };
        let (mut count, mut min, mut priority, mut preemptible, mut budget) = (1, 1, 0, true, None);
        let mut together = None;
        for word in words {
            if let Some(pods) = word.strip_prefix('x') {
                let (all, needed) = pods.split_once('/').unwrap_or((pods, pods));
                (count, min) = (number(all)?, number(needed)?);
            } else if let Some((label, value)) = word.strip_prefix("on=").and_then(|w| w.split_once(':')) {
                template.selector.push((label.into(), vec![value.into()]));
            } else if let Some(taint) = word.strip_prefix("tol=") {
                template.tolerations.push(taint.into());
            } else if let Some(name) = word.strip_prefix("b=") {
                budget = Some(name.into());
            } else if let Some(level) = word.strip_prefix("same.") {
                together = Some(match level {
                    "node" => Level::Node,
                    "rack" => Level::Rack,
                    "zone" => Level::Zone,
                    _ => return Err(format!("`{word}`")),
                });
            } else if word == "np" {
                preemptible = false;
            } else if let Some(p) = word.strip_prefix('p') {
                priority = p.parse().map_err(|_| format!("`{word}`"))?;
            } else {
                return Err(format!("`{word}` in `{text}`"));
            }
        }
        let spec = WorkloadSpec {
            id: WorkloadId(id),
            namespace: namespace.into(),
            submitted: self.now,
            priority,
            preemptible,
            pods: [PodSet { template: Arc::new(template), count, min }].into_iter().collect(),
            budget,
            together,
            replaces: None,
        };
        self.create(spec)
    }

    fn create(&mut self, spec: WorkloadSpec) -> Result<(), Malformed> {
        self.specs.insert(spec.id, spec.clone());
        self.tell(Event::WorkloadSubmitted(spec))
    }

    fn recreate(&mut self, workload: WorkloadId) -> Result<(), Malformed> {
        let view = self.core().workload(workload);
        let pods = view.as_ref().map(|w| w.pods.as_slice()).unwrap_or_default();
        if self.once || pods.iter().any(|p| p.state != PodState::Waiting) {
            return Ok(());
        }
        if view.is_some() {
            self.tell(Event::WorkloadWithdrawn { workload })?;
        }
        let Some(mut spec) = self.specs.get(&workload).cloned() else { return Ok(()) };
        spec.id = WorkloadId(workload.0 + AGAIN);
        spec.submitted = self.now;
        spec.replaces = Some(workload);
        self.create(spec)
    }

    fn end(&mut self, workload: WorkloadId, state: PodState, outcome: PodOutcome) -> Result<(), Malformed> {
        let pods = self.core().workload(workload).map(|w| w.pods).unwrap_or_default();
        for pod in pods.iter().filter(|p| p.state == state) {
            self.tell(Event::PodGone { pod: pod.id, outcome })?;
        }
        Ok(())
    }

    fn carry_out(&mut self, plan: &Plan, done: &mut Vec<Action>) -> Result<(), Malformed> {
        let mut gone: Vec<WorkloadId> = Vec::new();
        for action in &plan.actions {
            done.push(action.clone());
            match action {
                Action::Bind { pod, .. } if self.failing > 0 => {
                    self.failing -= 1;
                    self.tell(Event::BindFailed { pod: *pod })?;
                }
                Action::Bind { pod, .. } => self.tell(Event::PodBound { pod: *pod, at: self.now })?,
                Action::Evict { pod, .. } if !self.slow => {
                    gone.push(pod.workload);
                    self.tell(Event::PodGone { pod: *pod, outcome: PodOutcome::Evicted })?;
                }
                _ => {}
            }
        }
        gone.dedup();
        if !gone.is_empty() {
            // What was freed goes to the cause before the controllers answer.
            let plan = self.decide();
            self.carry_out(&plan, done)?;
        }
        gone.into_iter().try_for_each(|workload| self.recreate(workload))
    }

    fn tell_actions(&self, done: &[Action]) -> String {
        let mut told: Vec<(String, WorkloadId, u32, String)> = Vec::new();
        for action in done {
            let (verb, pod, after) = match action {
                Action::Bind { pod, node, .. } => {
                    let at = if self.nodes > 1 { format!("@{}", node.0) } else { String::new() };
                    ("bind", *pod, at)
                }
                Action::Evict { pod, reason } => ("evict", *pod, format!(" {}", reason.rule)),
                Action::Hold { workload, .. } if self.slow => ("hold", first_of(*workload), String::new()),
                Action::Hold { .. } => continue,
                Action::Release { workload, reason } => ("release", first_of(*workload), format!(" {reason:?}")),
                _ => continue,
            };
            match told.last_mut() {
                Some((v, w, n, a)) if v == verb && *w == pod.workload && (verb == "evict" || *a == after) => {
                    *n += 1;
                    if after.starts_with(" R") {
                        *a = after;
                    }
                }
                _ => told.push((verb.to_owned(), pod.workload, 1, after)),
            }
        }
        let text = told.into_iter().map(|(verb, workload, n, after)| {
            let times = if n > 1 { format!("x{n}") } else { String::new() };
            format!("{verb} {}{times}{after}", shown(workload))
        });
        text.collect::<Vec<_>>().join(", ")
    }

    fn waits(&self, workload: WorkloadId) -> String {
        let Some(verdict) = self.core().explain(workload) else { return format!("{} ?", shown(workload)) };
        let quota = match verdict.binding {
            BlockingReason::Ceiling { quota, .. }
            | BlockingReason::Guarantee { quota, .. }
            | BlockingReason::Jobs { quota, .. } => {
                format!("@{}", self.core().tree().name(quota))
            }
            _ => String::new(),
        };
        format!("{} {}{quota}", shown(workload), verdict.binding.rule())
    }
}

fn first_of(workload: WorkloadId) -> PodId {
    PodId { workload, ordinal: 0 }
}

fn shown(workload: WorkloadId) -> String {
    format!("{}{}", workload.0 % AGAIN, "'".repeat((workload.0 / AGAIN) as usize))
}

/// Each leaf without a namespace gets one of its own name.
fn leaves_are_namespaces(spec: &mut TreeSpec) {
    let parents: Vec<_> = spec.quotas.iter().filter_map(|q| q.parent.clone()).collect();
    for quota in spec.quotas.iter_mut().filter(|q| !parents.contains(&q.name) && q.namespaces.is_empty()) {
        quota.namespaces.push(quota.name.clone());
    }
}
