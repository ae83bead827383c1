//! Plays a world against the core as a cluster would: feeds the facts, carries out the plans at once or with delays,
//! recreates what is evicted as a controller does (O3), and checks the laws after everything.
//!
//! Checked: `audit` and an independent recount (I1, I2, I6, I8) after every fact and decision, every invariant of the [`Auditor`] (I3 to I5, I7, I9, I11), S1 (deciding again gives nothing), S2
//! (between two facts no settled state occurs twice, nobody evicts each other, and it ends), S3 (no eviction in vain), S4
//! (in a pool no entitled workload waits), I4 (a plan that evicts places its cause), I12 (replay equals record), and that
//! no fact that can happen is refused.

use crate::{
    beside,
    dice::Dice,
    recount::{Specs, recount},
    reference::Reference,
    sites::Site,
    worlds::{Job, Step, World},
};
use quotree_core::{
    Action, Auditor, DeviceSet, Event, EventError, Log, NodeId, NodeSpec, Plan, PodId, PodOutcome, PodSet, PodState,
    PodView, QuotaId, Recorder, ReleaseReason, Scheduler, Time, WorkloadChange, WorkloadId, WorkloadSpec, audit,
};
use std::collections::{BTreeMap, BTreeSet};

/// How a world is played.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Play {
    /// Seed of the delays of binds and evictions; without one everything happens at once.
    pub delays: Option<u64>,
    /// Whether no eviction may be in vain and nobody may evict each other (S2, S3): true of the default policy, when
    /// nothing breaks.
    pub settles: bool,
    /// Whether no entitled workload may wait (S4): true of a pool of preemptible pods by the default policy.
    pub guaranteed: bool,
}

impl Play {
    /// Everything at once, and only the laws that hold in every world.
    pub const AT_ONCE: Self = Self { delays: None, settles: false, guaranteed: false };
}

/// What came of it.
#[derive(Debug, Clone)]
pub struct Played {
    /// Everything that is wrong, each with the step it came after.
    pub wrong: Vec<String>,
    /// What happened, for reading.
    pub trace: Vec<String>,
    /// How often the scheduler decided.
    pub decisions: u64,
    /// Pods evicted.
    pub evictions: u64,
    /// Pods bound.
    pub binds: u64,
    /// What occurred, in the words of [`beside::occurred`], where the reference was beside.
    pub seen: BTreeSet<&'static str>,
    /// The log of the core.
    pub log: Log,
}

/// Between two facts a small world must settle within this many decisions.
const MOST_DECISIONS: u32 = 300;

/// Plays a world to its end. A tree that is refused is the one violation then.
#[must_use]
pub fn drive(world: &World, play: Play) -> Played {
    match Recorder::new(&world.tree(), world.policy.clone()) {
        Ok(core) => Driver::new(world, play, core).run(),
        Err(findings) => {
            let wrong = findings.iter().map(ToString::to_string).collect();
            let log = Log { tree: world.tree(), policy: world.policy.clone(), entries: Vec::new() };
            Played { wrong, trace: Vec::new(), decisions: 0, evictions: 0, binds: 0, seen: BTreeSet::new(), log }
        }
    }
}

/// Plays a world with the reference scheduler beside the core: whatever they decide differently is wrong, the first
/// difference only, since what follows from it says nothing. The laws are not judged; [`drive`] does that.
#[must_use]
pub fn drive_beside(world: &World, play: Play) -> Played {
    match Recorder::new(&world.tree(), world.policy.clone()) {
        Ok(core) => {
            let reference = Some(Reference::new(&world.tree(), world.policy.clone()));
            Driver { reference, ..Driver::new(world, play, core) }.run()
        }
        Err(_) => drive(world, play),
    }
}

struct Driver<'a> {
    world: &'a World,
    play: Play,
    core: Recorder,
    /// What decides beside the core, if anything does; then no law is judged.
    reference: Option<Reference>,
    dice: Dice,
    now: Time,
    specs: Specs,
    /// Which submission each workload stands for: a recreated one stands for the same.
    origins: BTreeMap<WorkloadId, usize>,
    next_id: u32,
    /// The world as it is now: edits change it.
    quotas: Vec<crate::worlds::Quota>,
    down: BTreeSet<usize>,
    cordoned: BTreeSet<usize>,
    /// The nodes' sites, as relabelled, and their ill devices.
    sites: Vec<Site>,
    ill: BTreeMap<usize, u64>,
    failing_binds: u32,
    agenda: BTreeMap<(Time, u32), Event>,
    agenda_seq: u32,
    stretch: Stretch,
    auditor: Auditor,
    faulty: bool,
    played: Played,
    place: String,
}

/// What must not happen twice between two facts.
#[derive(Default)]
struct Stretch {
    states: BTreeSet<Vec<(usize, usize)>>,
    evicted: BTreeSet<(usize, usize)>,
    owed: BTreeMap<usize, u32>,
    decisions: u32,
}

impl<'a> Driver<'a> {
    fn new(world: &'a World, play: Play, core: Recorder) -> Self {
        let log = core.log().clone();
        Self {
            world,
            play,
            core,
            reference: None,
            dice: Dice::new(play.delays.unwrap_or(0)),
            now: Time(0),
            specs: Specs::new(),
            origins: BTreeMap::new(),
            next_id: 0,
            quotas: world.quotas.clone(),
            down: BTreeSet::new(),
            cordoned: BTreeSet::new(),
            sites: world.sites.clone(),
            ill: BTreeMap::new(),
            failing_binds: 0,
            agenda: BTreeMap::new(),
            agenda_seq: 0,
            stretch: Stretch::default(),
            auditor: Auditor::new(),
            faulty: false,
            played: Played {
                wrong: Vec::new(),
                trace: Vec::new(),
                decisions: 0,
                evictions: 0,
                binds: 0,
                seen: BTreeSet::new(),
                log,
            },
            place: "start".to_owned(),
        }
    }

    fn run(mut self) -> Played {
        for node in (0..self.world.nodes.len()).filter_map(|i| self.world.node(i)) {
            self.tell(Event::NodeUp(node));
        }
        for (i, step) in self.world.steps.iter().enumerate() {
            self.place = format!("step {i}, {step:?}");
            self.played.trace.push(format!("{} {step:?}", self.now.0));
            self.faulty |= step.is_fault();
            self.stretch = Stretch::default();
            self.step(*step, i);
            if (i + 1) % self.world.every.max(1) == 0 {
                self.settle();
                if self.play.delays.is_none() {
                    self.at_rest();
                }
            }
        }
        self.place = "the end".to_owned();
        self.stretch = Stretch::default();
        self.settle();
        self.run_out();
        self.at_rest();
        let log = self.core.log().clone();
        if self.reference.is_some() {
            return Played { log, ..self.played };
        }
        if let Err(error) = log.replay() {
            self.wrong(format!("I12: {error}"));
        }
        Played { log, ..self.played }
    }

    fn wrong(&mut self, what: String) {
        // The first few tell; a broken ledger would fill pages.
        if self.played.wrong.len() < 12 {
            self.played.trace.push(format!("{} WRONG {what}", self.now.0));
            self.played.wrong.push(format!("after {}: {what}", self.place));
        }
    }

    fn core(&self) -> &Scheduler {
        self.core.scheduler()
    }

    fn audited(&mut self, after: &str) {
        if self.reference.is_some() {
            return;
        }
        for breach in audit(self.core()) {
            self.wrong(format!("{breach} (after {after})"));
        }
        for what in recount(self.core(), &self.specs, !self.faulty) {
            self.wrong(format!("{what} (recounted after {after})"));
        }
    }

    /// A fact that can happen must be taken.
    fn tell(&mut self, event: Event) {
        self.auditor.fact(&event);
        let text = if self.reference.is_some() { String::new() } else { format!("{event:?}") };
        match (self.core.apply(event.clone()), &mut self.reference) {
            (Err(error), _) => self.wrong(format!("refused: {error}: {event:?}")),
            (Ok(()), Some(reference)) if self.played.wrong.is_empty() => reference.apply(&event),
            (Ok(()), _) => {}
        }
        let brief: String = text.chars().take(60).collect();
        self.audited(&brief);
    }

    fn step(&mut self, step: Step, origin: usize) {
        match step {
            Step::Submit(job) => self.submit(job, origin),
            Step::Finish(k) => self.finish(k),
            Step::Withdraw(k) => {
                if let Some(workload) = nth(&self.alive(), k) {
                    self.tell(Event::WorkloadWithdrawn { workload });
                }
            }
            Step::NodeDown(k) => {
                let up: Vec<usize> = (0..self.world.nodes.len()).filter(|n| !self.down.contains(n)).collect();
                if let Some(node) = nth(&up, k) {
                    self.node_down(node);
                }
            }
            Step::NodeUp(k) => {
                let down: Vec<usize> = self.down.iter().copied().collect();
                if let Some((node, mut spec)) = nth(&down, k).and_then(|n| Some((n, self.node(n)?))) {
                    spec.schedulable = true;
                    self.down.remove(&node);
                    self.tell(Event::NodeUp(spec));
                }
            }
            Step::Cordon(k) => {
                let up: Vec<usize> = (0..self.world.nodes.len()).filter(|n| !self.down.contains(n)).collect();
                if let Some(node) = nth(&up, k) {
                    if !self.cordoned.remove(&node) {
                        self.cordoned.insert(node);
                    }
                    self.change(node);
                }
            }
            Step::Ill(k, devices) => {
                let up: Vec<usize> = (0..self.world.nodes.len()).filter(|n| !self.down.contains(n)).collect();
                if let Some(node) = nth(&up, k) {
                    self.ill.insert(node, devices);
                    self.change(node);
                }
            }
            Step::Relabel(k, mode) => {
                let free = |n: &usize| !self.down.contains(n) && !self.devices_in_use(*n);
                let free: Vec<usize> = (0..self.sites.len()).filter(free).collect();
                if let Some(node) = nth(&free, k) {
                    if let Some(site) = self.sites.get_mut(node) {
                        site.mode = mode;
                    }
                    self.change(node);
                }
            }
            Step::Drain(k) => self.drain(k),
            Step::Edit(quota, min, max) => self.edit(quota, min, max),
            Step::Priority(k, priority) => {
                if let Some(workload) = nth(&self.alive(), k) {
                    if let Some(spec) = self.specs.get_mut(&workload) {
                        spec.priority = priority;
                    }
                    let change = WorkloadChange { priority: Some(priority), ..WorkloadChange::of(workload) };
                    self.tell(Event::WorkloadChanged(change));
                }
            }
            Step::BindsFail(n) => self.failing_binds += n,
            Step::Tick(ms) => self.pass(ms),
            Step::Fail(k) => {
                let pods = self.alive().into_iter().filter_map(|w| self.core().workload(w)).flat_map(|w| w.pods);
                let run: Vec<PodId> = pods.filter(|p| p.state == PodState::Running).map(|p| p.id).collect();
                if let Some(pod) = nth(&run, k) {
                    self.tell(Event::PodGone { pod, outcome: PodOutcome::Failed });
                }
            }
            Step::More(k, count) => {
                let workload = nth(&self.alive(), k);
                if let Some(workload) = workload {
                    let set = self.specs.get_mut(&workload).and_then(|spec| {
                        let set = PodSet { count, min: 0, ..spec.pods.first()?.clone() };
                        spec.pods.push(set.clone());
                        Some(set)
                    });
                    self.tell(Event::WorkloadChanged(WorkloadChange {
                        workload,
                        priority: None,
                        add_pods: set,
                        preemptible: None,
                    }));
                }
            }
            Step::Budget(n, allowed) => {
                if let Some(n) = n.checked_rem(self.world.budgets) {
                    self.tell(Event::BudgetChanged { budget: format!("b{n}").into(), allowed });
                }
            }
        }
    }

    /// A node as it is now.
    fn node(&self, i: usize) -> Option<NodeSpec> {
        let world = World { sites: self.sites.clone(), ..World::new(&self.world.nodes) };
        let mut spec = World { devices: self.world.devices, ..world }.node(i)?;
        spec.schedulable = !self.cordoned.contains(&i);
        let count = spec.devices.first().map_or(0, |devices| devices.count);
        let devices = 1u64.checked_shl(count).map_or(u64::MAX, |above| above - 1);
        spec.unhealthy = DeviceSet(self.ill.get(&i).copied().unwrap_or(0) & devices);
        Some(spec)
    }

    fn change(&mut self, node: usize) {
        if let Some(spec) = self.node(node) {
            self.tell(Event::NodeChanged(spec));
        }
    }

    fn devices_in_use(&self, node: usize) -> bool {
        let pods = self.alive().into_iter().filter_map(|w| self.core().workload(w)).flat_map(|w| w.pods);
        let here = |pod: &PodView| pod.node.is_some_and(|id| id.0 as usize == node);
        pods.into_iter().any(|pod| here(&pod) && pod.devices != DeviceSet::default())
    }

    fn submit(&mut self, job: Job, origin: usize) {
        let id = WorkloadId(self.next_id);
        let spec = WorkloadSpec {
            id,
            namespace: format!("ns{}", job.leaf).into(),
            submitted: self.now,
            priority: job.priority,
            preemptible: job.preemptible,
            pods: self.world.pods(&job).into_iter().collect(),
            budget: self.world.budget(job.leaf).map(Into::into),
            together: job.looks.together,
            replaces: None,
        };
        self.create(spec, origin);
    }

    fn create(&mut self, spec: WorkloadSpec, origin: usize) {
        self.next_id += 1;
        self.specs.insert(spec.id, spec.clone());
        self.origins.insert(spec.id, origin);
        self.tell(Event::WorkloadSubmitted(spec));
    }

    /// A controller's answer to the loss of a workload's pods: the same again, new (O3).
    fn recreate(&mut self, workload: WorkloadId) {
        if self.core().workload(workload).is_some() {
            self.tell(Event::WorkloadWithdrawn { workload });
        }
        let Some((mut spec, origin)) = self.specs.get(&workload).cloned().zip(self.origins.get(&workload).copied())
        else {
            return;
        };
        let wanted: u32 = spec.pods.iter().map(|set| set.count).sum();
        spec.pods.truncate(1);
        if let Some(first) = spec.pods.first_mut() {
            first.count = wanted.min(first.count);
        }
        spec.id = WorkloadId(self.next_id);
        spec.submitted = self.now;
        spec.replaces = Some(workload);
        self.create(spec, origin);
    }

    fn alive(&self) -> Vec<WorkloadId> {
        self.specs.keys().copied().filter(|w| self.core().workload(*w).is_some()).collect()
    }

    fn states(&self, workload: WorkloadId) -> Vec<PodState> {
        self.core().workload(workload).map(|w| w.pods.iter().map(|p| p.state).collect()).unwrap_or_default()
    }

    fn finish(&mut self, k: usize) {
        let quiet = |s: &PodState| matches!(s, PodState::Running | PodState::Waiting);
        let mut runs = self.alive();
        runs.retain(|w| {
            let states = self.states(*w);
            states.contains(&PodState::Running) && states.iter().all(quiet)
        });
        let Some(workload) = nth(&runs, k) else { return };
        let pods = self.core().workload(workload).map(|w| w.pods).unwrap_or_default();
        for pod in pods.iter().filter(|p| p.state == PodState::Running) {
            self.tell(Event::PodGone { pod: pod.id, outcome: PodOutcome::Succeeded });
        }
        if self.core().workload(workload).is_some() {
            self.tell(Event::WorkloadWithdrawn { workload });
        }
    }

    fn node_down(&mut self, node: usize) {
        let id = NodeId(u32::try_from(node).unwrap_or(u32::MAX));
        let view = self.core().nodes().into_iter().find(|n| n.id == id);
        let hit: BTreeSet<WorkloadId> = view.into_iter().flat_map(|n| n.pods).map(|p| p.workload).collect();
        self.down.insert(node);
        self.cordoned.remove(&node);
        self.tell(Event::NodeDown { node: id });
        for workload in hit {
            self.recreate(workload);
        }
    }

    /// A node is closed, and its pods go by somebody else's word, gangs that would fall below their minimum whole.
    fn drain(&mut self, k: usize) {
        let up: Vec<usize> = (0..self.world.nodes.len()).filter(|n| !self.down.contains(n)).collect();
        let Some((node, mut spec)) = nth(&up, k).and_then(|n| Some((n, self.world.node(n)?))) else { return };
        self.cordoned.insert(node);
        spec.schedulable = false;
        let id = spec.id;
        self.tell(Event::NodeChanged(spec));
        let here = self.core().nodes().into_iter().find(|n| n.id == id).map(|n| n.pods).unwrap_or_default();
        let hit: BTreeSet<WorkloadId> = here.iter().map(|pod| pod.workload).collect();
        for workload in &hit {
            let needs: u32 = self.specs.get(workload).map_or(0, |spec| spec.pods.iter().map(|set| set.min).sum());
            let pods = self.core().workload(*workload).map(|w| w.pods).unwrap_or_default();
            let stays = |state| matches!(state, PodState::Running | PodState::Binding);
            let stand: Vec<PodId> = pods.iter().filter(|p| stays(p.state)).map(|p| p.id).collect();
            let mut told: Vec<PodId> = stand.iter().copied().filter(|pod| here.contains(pod)).collect();
            if self.world.roles || stand.len() - told.len() < needs as usize {
                told = stand;
            }
            told.iter().for_each(|pod| self.tell(Event::PodLeaving { pod: *pod }));
            told.iter().for_each(|pod| self.outcome(Event::PodGone { pod: *pod, outcome: PodOutcome::Evicted }, 50));
        }
        if self.play.delays.is_none() {
            self.replace_all(&hit.into_iter().collect::<Vec<_>>());
        }
    }

    fn edit(&mut self, quota: usize, min: [i64; 2], max: [i64; 2]) {
        let mut world = World { quotas: self.quotas.clone(), ..self.world.clone() };
        if let Some(slot) = world.quotas.get_mut(quota) {
            slot.min = min;
            slot.max = max;
        }
        let before = self.core().tree().len();
        let event = Event::TreeChanged(world.tree());
        match self.core.apply(event.clone()) {
            Ok(()) => {
                self.quotas = world.quotas;
                let alike = self.played.wrong.is_empty();
                self.reference.iter_mut().filter(|_| alike).for_each(|reference| reference.apply(&event));
            }
            Err(EventError::InvalidTree(_)) if self.core().tree().len() == before => {}
            Err(error) => self.wrong(format!("refused: {error}")),
        }
        self.audited("edit of the tree");
    }

    /// Lets time pass; what is due happens on the way.
    fn pass(&mut self, ms: u64) {
        let end = self.now.after_ms(ms);
        while let Some((&(due, seq), _)) = self.agenda.first_key_value().filter(|((due, _), _)| *due <= end) {
            self.now = self.now.max(due);
            if let Some(event) = self.agenda.remove(&(due, seq)) {
                self.happen(event);
                self.settle();
            }
        }
        self.now = end;
        self.tell(Event::Tick);
    }

    /// An outcome of a plan, if it can still come true.
    fn happen(&mut self, event: Event) {
        let (pod, wanted) = match &event {
            Event::PodBound { pod, .. } | Event::BindFailed { pod } => (*pod, PodState::Binding),
            Event::PodGone { pod, .. } => (*pod, PodState::Leaving),
            _ => return,
        };
        let view = self.core().workload(pod.workload);
        let state = view.and_then(|w| w.pods.into_iter().find(|p| p.id == pod)).map(|p| p.state);
        if state != Some(wanted) {
            return;
        }
        let event = match event {
            Event::PodBound { pod, .. } => Event::PodBound { pod, at: self.now },
            event => event,
        };
        self.tell(event);
        if wanted == PodState::Leaving && self.play.delays.is_some() {
            self.replace(pod.workload);
        }
    }

    /// What the controller does about an evicted pod that is gone.
    fn replace(&mut self, workload: WorkloadId) {
        let states = self.states(workload);
        if states.iter().any(|s| matches!(s, PodState::Running | PodState::Binding)) {
            let set = self.specs.get_mut(&workload).and_then(|spec| {
                let template = spec.pods.first()?.template.clone();
                let set = PodSet { template, count: 1, min: 0 };
                spec.pods.push(set.clone());
                Some(set)
            });
            let change = WorkloadChange { add_pods: set, ..WorkloadChange::of(workload) };
            self.tell(Event::WorkloadChanged(change));
        } else if !states.contains(&PodState::Leaving) {
            self.recreate(workload);
        }
    }

    /// Decides and carries out until nothing is left to do, or only to wait.
    fn settle(&mut self) {
        loop {
            let plan = self.decide();
            if plan.is_empty() {
                break;
            }
            self.stretch.decisions += 1;
            if self.stretch.decisions > MOST_DECISIONS {
                if self.reference.is_some() {
                    break;
                }
                self.wrong(format!("S2: no end after {MOST_DECISIONS} decisions"));
                break;
            }
            self.carry_out(&plan);
            self.remember();
        }
    }

    fn decide(&mut self) -> Plan {
        let plan = match self.reference.take() {
            Some(reference) => self.decide_beside(reference),
            None => {
                let before = self.core().clone();
                let plan = self.core.decide(self.now);
                for what in recount(self.core(), &self.specs, !self.faulty) {
                    self.wrong(format!("{what} (recounted after decide)"));
                }
                let after = self.core().clone();
                for breach in self.auditor.decision(&before, &plan, &after, self.now) {
                    self.wrong(breach.to_string());
                }
                plan
            }
        };
        self.played.decisions += 1;
        for action in &plan.actions {
            self.played.trace.push(format!("{}   {}", self.now.0, brief(action)));
        }
        let again = self.core.decide(self.now);
        let wrong = format!("S1: deciding again gives {:?}", again.actions);
        let alike = self.played.wrong.is_empty();
        if !again.is_empty() || self.reference.iter_mut().any(|r| alike && !r.decide(self.now).actions.is_empty()) {
            self.wrong(wrong);
        }
        if self.reference.is_none() {
            self.account(&plan);
        }
        plan
    }

    /// Decides, and holds the reference's answer against the core's.
    fn decide_beside(&mut self, mut reference: Reference) -> Plan {
        if !self.played.wrong.is_empty() {
            self.reference = Some(reference);
            return self.core.decide(self.now);
        }
        let pending = self.core().waiting().iter().any(|w| self.core().workload(*w).is_some_and(|w| w.held));
        let spared = reference.spared();
        let other = reference.decide(self.now);
        let plan = self.core.decide(self.now);
        self.played.seen.extend(beside::occurred(&plan));
        self.played.seen.extend(pending.then_some("holds pending"));
        self.played.seen.extend((reference.spared() > spared).then_some("pruning"));
        for what in beside::differences(&plan, &other, self.world.quotas.iter().any(|q| q.lend.is_some())) {
            self.wrong(what);
        }
        for what in beside::state_differences(self.core(), &reference) {
            self.wrong(what);
        }
        self.reference = Some(reference);
        plan
    }

    /// S2 and S3: who evicted whom, and what each eviction owes.
    fn account(&mut self, plan: &Plan) {
        let origin = |w: &WorkloadId| self.origins.get(w).copied();
        let mut both = Vec::new();
        for action in &plan.actions {
            match action {
                Action::Evict { pod, reason } => {
                    self.played.evictions += 1;
                    let pair = reason.cause.as_ref().and_then(origin).zip(origin(&pod.workload));
                    if let Some((cause, victim)) = pair {
                        *self.stretch.owed.entry(cause).or_default() += 1;
                        // A gang whose minimum is guaranteed may borrow for its other members, and lose those.
                        let elastic = |spec: &WorkloadSpec| spec.pods.iter().any(|set| set.min < set.count);
                        let of = [reason.cause, Some(pod.workload)].into_iter().flatten();
                        if of.filter_map(|w| self.specs.get(&w)).any(elastic) {
                            continue;
                        }
                        self.stretch.evicted.insert((cause, victim));
                        if self.stretch.evicted.contains(&(victim, cause)) {
                            both.push(format!("S2: submissions {cause} and {victim} evict each other"));
                        }
                    }
                }
                Action::Bind { pod, .. } => {
                    self.played.binds += 1;
                    if let Some(cause) = origin(&pod.workload) {
                        self.stretch.owed.remove(&cause);
                    }
                }
                // What was evicted for a hold that gave way serves whoever it gave way to (H2).
                Action::Release { workload, reason: ReleaseReason::NeededBy(taker) } => {
                    if let (Some(cause), Some(taker)) = (origin(workload), origin(taker)) {
                        let pods = self.stretch.owed.remove(&cause).unwrap_or(0);
                        *self.stretch.owed.entry(taker).or_default() += pods;
                    }
                }
                _ => {}
            }
        }
        if self.play.settles && !self.faulty {
            both.into_iter().for_each(|what| self.wrong(what));
        }
    }

    fn carry_out(&mut self, plan: &Plan) {
        let mut gone = Vec::new();
        let mut causes = BTreeSet::new();
        for action in &plan.actions {
            match action {
                Action::Bind { pod, .. } => {
                    let fails = self.failing_binds > 0;
                    self.failing_binds = self.failing_binds.saturating_sub(1);
                    let event = if fails {
                        Event::BindFailed { pod: *pod }
                    } else {
                        Event::PodBound { pod: *pod, at: self.now }
                    };
                    self.outcome(event, 20);
                }
                Action::Evict { pod, reason } => {
                    self.outcome(Event::PodGone { pod: *pod, outcome: PodOutcome::Evicted }, 50);
                    gone.push(pod.workload);
                    causes.extend(reason.cause);
                }
                // Its victims serve whoever it gave way to (H2).
                Action::Release { workload, reason: ReleaseReason::NeededBy(_) } => {
                    causes.remove(workload);
                }
                _ => {}
            }
        }
        if self.play.delays.is_none() && !gone.is_empty() {
            self.places_its_causes(&causes);
            self.replace_all(&gone);
        }
    }

    fn outcome(&mut self, event: Event, most_ms: u64) {
        if self.play.delays.is_none() {
            self.happen(event);
        } else {
            let due = self.now.after_ms(self.dice.below(most_ms));
            self.agenda_seq += 1;
            self.agenda.insert((due, self.agenda_seq), event);
        }
    }

    fn replace_all(&mut self, gone: &[WorkloadId]) {
        let mut whole = BTreeSet::new();
        for workload in gone {
            if !whole.contains(workload) {
                if self.states(*workload).iter().all(|s| *s == PodState::Waiting) {
                    whole.insert(*workload);
                }
                self.replace(*workload);
            }
        }
    }

    /// I4: with the victims gone and nothing else known, the causes are placed.
    fn places_its_causes(&mut self, causes: &BTreeSet<WorkloadId>) {
        let plan = self.decide();
        if self.reference.is_some() {
            return self.carry_out(&plan);
        }
        let bound: BTreeSet<WorkloadId> = plan
            .actions
            .iter()
            .filter_map(|a| if let Action::Bind { pod, .. } = a { Some(pod.workload) } else { None })
            .collect();
        for cause in causes.difference(&bound) {
            self.wrong(format!("I4: the victims of {cause} are gone, and it is not placed"));
        }
        self.carry_out(&plan);
    }

    /// S2: who runs, when nothing is under way, occurs once.
    fn remember(&mut self) {
        if self.reference.is_some() {
            return;
        }
        let mut state: BTreeMap<usize, usize> = BTreeMap::new();
        for workload in self.alive() {
            let view = self.core().workload(workload);
            let (pods, held) = view.map(|w| (w.pods, w.held)).unwrap_or_default();
            if held || pods.iter().any(|p| matches!(p.state, PodState::Leaving | PodState::Binding)) {
                return;
            }
            let running = pods.iter().filter(|p| p.state == PodState::Running).count();
            if let Some(origin) = self.origins.get(&workload).filter(|_| running > 0) {
                *state.entry(*origin).or_default() += running;
            }
        }
        let state: Vec<(usize, usize)> = state.into_iter().collect();
        let again = format!("S2: the state {state:?} (submission, running pods) occurs twice");
        if !self.stretch.states.insert(state) && self.play.settles && !self.faulty {
            self.wrong(again);
        }
    }

    /// Lets everything under way come to its end, and the scheduler's own clocks run out.
    fn run_out(&mut self) {
        for _ in 0..MOST_DECISIONS {
            let next = self.agenda.first_key_value().map(|((due, _), _)| *due);
            let next = next.or_else(|| self.core().next_wake().filter(|wake| *wake > self.now));
            let Some(next) = next else { return };
            self.pass(next.since(self.now));
            self.settle();
        }
        if self.reference.is_none() {
            self.wrong(format!("S2: no rest after {MOST_DECISIONS} waits"));
        }
    }

    /// S3 and S4, once nothing is under way.
    fn at_rest(&mut self) {
        if let Some(reference) = self.reference.take() {
            let alike = self.played.wrong.is_empty();
            let wrong = if alike { beside::explanations(self.core(), &reference) } else { Vec::new() };
            wrong.into_iter().for_each(|what| self.wrong(what));
            self.reference = Some(reference);
            return;
        }
        let owed = std::mem::take(&mut self.stretch.owed);
        if self.play.settles && !self.faulty {
            for (cause, pods) in owed {
                self.wrong(format!("S3: {pods} pods were evicted in vain for submission {cause}"));
            }
        }
        if self.play.guaranteed && !self.faulty {
            for workload in self.core().waiting() {
                if self.entitled(workload) {
                    self.wrong(format!("S4: {workload} is entitled and waits"));
                }
            }
        }
    }

    fn entitled(&self, workload: WorkloadId) -> bool {
        let tree = self.core().tree();
        let Some(spec) = self.specs.get(&workload) else { return false };
        let Some(leaf) = tree.leaf_of(spec.namespace.as_str()) else { return false };
        let runs = self.states(workload).iter().any(|s| *s != PodState::Waiting);
        let pods: i64 = if runs { 1 } else { spec.pods.iter().map(|set| i64::from(set.min)).sum() };
        let Some(request) = spec.pods.first().map(|set| &set.template.request) else { return false };
        let fits = |quota: QuotaId| {
            let used = self.core().usage(quota).used;
            let asked = tree.governed().zip(tree.min(quota)).filter_map(|(r, min)| {
                let n = request.get(r.as_str()).filter(|n| *n > 0)?;
                Some(used.get(r.as_str()).unwrap_or(0) + n * pods <= *min)
            });
            asked.min().unwrap_or(true)
        };
        tree.path(leaf).filter(|q| tree.parent(*q).is_some() || *q == leaf).all(fits)
    }
}

fn nth<T: Copy>(of: &[T], k: usize) -> Option<T> {
    of.get(k.checked_rem(of.len())?).copied()
}

/// An action in a few words.
#[must_use]
pub fn brief(action: &Action) -> String {
    let name = |pod: &PodId| pod.to_string();
    match action {
        Action::Bind { pod, node, .. } => format!("bind {} on {node}", name(pod)),
        Action::Evict { pod, reason } => {
            let cause = reason.cause.map_or_else(String::new, |w| format!(" for {w}"));
            format!("evict {} by {}{cause}", name(pod), reason.rule)
        }
        Action::Hold { workload, spots, victims } => {
            let nodes: Vec<String> = spots.iter().map(|(_, node)| node.to_string()).collect();
            format!("hold {workload} on {}, {victims} leave", nodes.join(" "))
        }
        Action::Release { workload, reason } => format!("release {workload}: {reason:?}"),
        other => format!("{other:?}"),
    }
}
