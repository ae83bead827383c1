//! Plays a small scenario against the core as a cluster would: sends the events, carries out the plans at once or with
//! delays, recreates evicted pods as a controller does (O3), and checks the laws after every event and decision.
//!
//! Checked are `audit` and an independent count (I1, I2, I6, I8), every invariant of the [`Auditor`] (I3 to I5, I7, I9,
//! I11), S1 (deciding again gives nothing), S2 (between two events no state at rest occurs twice, no two workloads
//! evict each other, and it ends), S3 (no eviction is in vain), S4 (in a pool no entitled workload is pending), I4 (a
//! plan that evicts places its preemptor), I12 (a replay equals the record), and that no possible event is refused.
//!
//! This file plays the steps; `steps` and `nodes` carry out each step, `deciding` and `outcomes` what follows,
//! `account` checks S2, S3, S4 and I4, `ages` who may pass whom (O3, H2).

mod account;
mod ages;
mod changes;
mod deciding;
mod found;
mod nodes;
mod outcomes;
mod steps;

use crate::{
    dice::Dice,
    recount::{Specs, recount},
    reference::Reference,
    traits::NodeTraits,
    worlds::World,
};
use quotree_core::{Action, Auditor, Event, Log, PodId, Recorder, Scheduler, Time, WorkloadId, audit};
use std::collections::{BTreeMap, BTreeSet};

/// The settings of a driver run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Play {
    /// The seed of the delays of binds and evictions; without one everything happens at once.
    pub delays: Option<u64>,
    /// Whether S2 and S3 must hold: they do under the default policy, without faults.
    pub settles: bool,
    /// Whether S4 must hold: it does in a pool of preemptible pods under the default policy.
    pub guaranteed: bool,
}

impl Play {
    /// Everything at once, and only the laws that hold in every scenario.
    pub const AT_ONCE: Self = Self { delays: None, settles: false, guaranteed: false };
}

/// The outcome of a driver run.
#[derive(Debug, Clone)]
pub struct Played {
    /// All violations of laws, each with the step it came after.
    pub violations: Vec<String>,
    /// Steps and actions as text, in order.
    pub trace: Vec<String>,
    /// The number of decisions.
    pub decisions: u64,
    /// The number of evicted pods.
    pub evictions: u64,
    /// The number of bound pods.
    pub binds: u64,
    /// What occurred, under the names of [`compare::occurred`](crate::compare::occurred), if the reference was played,
    /// too.
    pub seen: BTreeSet<&'static str>,
    /// The log of the core.
    pub log: Log,
}

/// A small scenario must come to rest within this many decisions after an event.
const MOST_DECISIONS: u32 = 300;

/// Plays a scenario to its end. If its tree is invalid, that is the only violation.
#[must_use]
pub fn drive(world: &World, play: Play) -> Played {
    match Recorder::new(&world.tree(), world.policy.clone()) {
        Ok(core) => Driver::new(world, play, core).run(),
        Err(findings) => {
            let violations = findings.iter().map(ToString::to_string).collect();
            let log = Log { tree: world.tree(), policy: world.policy.clone(), entries: Vec::new() };
            Played { violations, trace: Vec::new(), decisions: 0, evictions: 0, binds: 0, seen: BTreeSet::new(), log }
        }
    }
}

/// Plays a scenario with the reference scheduler and the core. Their first difference is the only violation, since
/// later ones follow from it. The laws are not checked; [`drive`] does that.
#[must_use]
pub fn drive_with_reference(world: &World, play: Play) -> Played {
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
    /// The reference, if the run is compared with it; then no law is checked.
    reference: Option<Reference>,
    dice: Dice,
    now: Time,
    specs: Specs,
    /// For each workload, the submission that it comes from; a recreated workload comes from the same one.
    origins: BTreeMap<WorkloadId, usize>,
    /// When each submission first came.
    first: BTreeMap<usize, Time>,
    /// For each workload, the submissions that were evicted for the room it waits for.
    victims: BTreeMap<WorkloadId, BTreeSet<usize>>,
    next_id: u32,
    /// The quotas as edited so far.
    quotas: Vec<crate::worlds::Quota>,
    down: BTreeSet<usize>,
    cordoned: BTreeSet<usize>,
    /// The traits of the nodes and their unhealthy devices, as changed so far.
    node_traits: Vec<NodeTraits>,
    unhealthy: BTreeMap<usize, u64>,
    failing_binds: u32,
    failing_evictions: u32,
    /// How many binds put their pods how far from where they should.
    straying_binds: (u32, usize),
    agenda: BTreeMap<(Time, u32), Event>,
    agenda_seq: u32,
    interval: Interval,
    auditor: Auditor,
    faulty: bool,
    /// Pods that were found where no plan put them (E1).
    guests: BTreeSet<PodId>,
    played: Played,
    context: String,
}

/// The states and evictions that must not occur twice between two events.
#[derive(Default)]
struct Interval {
    states: BTreeSet<Vec<(usize, usize)>>,
    evicted: BTreeSet<(usize, usize)>,
    evicted_for: BTreeMap<usize, u32>,
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
            first: BTreeMap::new(),
            victims: BTreeMap::new(),
            next_id: 0,
            quotas: world.quotas.clone(),
            down: BTreeSet::new(),
            cordoned: BTreeSet::new(),
            node_traits: world.node_traits.clone(),
            unhealthy: BTreeMap::new(),
            failing_binds: 0,
            failing_evictions: 0,
            straying_binds: (0, 0),
            agenda: BTreeMap::new(),
            agenda_seq: 0,
            interval: Interval::default(),
            auditor: Auditor::new(),
            faulty: false,
            guests: BTreeSet::new(),
            played: Played {
                violations: Vec::new(),
                trace: Vec::new(),
                decisions: 0,
                evictions: 0,
                binds: 0,
                seen: BTreeSet::new(),
                log,
            },
            context: "start".to_owned(),
        }
    }

    fn run(mut self) -> Played {
        for node in (0..self.world.nodes.len()).filter_map(|i| self.world.node(i)) {
            self.apply(Event::NodeUp(node));
        }
        for (i, step) in self.world.steps.iter().enumerate() {
            self.context = format!("step {i}, {step:?}");
            self.played.trace.push(format!("{} {step:?}", self.now.0));
            self.faulty |= step.is_fault();
            self.interval = Interval::default();
            self.step(*step, i);
            if (i + 1) % self.world.every.max(1) == 0 {
                self.settle();
                self.reach_next_moment();
                if self.play.delays.is_none() && !self.waits_for_next_moment() {
                    self.check_at_rest();
                }
                self.pass(self.world.pace);
            }
        }
        self.context = "the end".to_owned();
        self.interval = Interval::default();
        self.settle();
        self.run_to_end();
        self.check_at_rest();
        let log = self.core.log().clone();
        if self.reference.is_some() {
            return Played { log, ..self.played };
        }
        if let Err(error) = log.replay() {
            self.violation(format!("I12: {error}"));
        }
        Played { log, ..self.played }
    }

    fn violation(&mut self, what: String) {
        // A few are enough: a broken ledger would fill pages.
        if self.played.violations.len() < 12 {
            self.played.trace.push(format!("{} VIOLATION {what}", self.now.0));
            self.played.violations.push(format!("after {}: {what}", self.context));
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
            self.violation(format!("{breach} (after {after})"));
        }
        for what in recount(self.core(), &self.specs, !self.faulty, &self.visited()) {
            self.violation(format!("{what} (recounted after {after})"));
        }
    }

    /// Applies an event, which must be accepted.
    fn apply(&mut self, event: Event) {
        self.auditor.fact(&event);
        let text = if self.reference.is_some() { String::new() } else { format!("{event:?}") };
        let alike = self.is_comparable();
        match (self.core.apply(event.clone()), &mut self.reference) {
            (Err(error), _) => self.violation(format!("refused: {error}: {event:?}")),
            (Ok(()), Some(reference)) if alike => reference.apply(&event),
            (Ok(()), _) => {}
        }
        let brief: String = text.chars().take(60).collect();
        self.audited(&brief);
    }
}

fn nth<T: Copy>(of: &[T], k: usize) -> Option<T> {
    of.get(k.checked_rem(of.len())?).copied()
}

/// An action as short text.
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
