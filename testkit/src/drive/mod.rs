//! Plays a world against the core as a cluster would: feeds the facts, carries out the plans at once or with delays,
//! recreates what is evicted as a controller does (O3), and checks the laws after everything.
//!
//! Checked: `audit` and an independent recount (I1, I2, I6, I8) after every fact and decision, every invariant of the
//! [`Auditor`] (I3 to I5, I7, I9, I11), S1 (deciding again gives nothing), S2 (between two facts no settled state occurs
//! twice, nobody evicts each other, and it ends), S3 (no eviction in vain), S4 (in a pool no entitled workload waits), I4
//! (a plan that evicts places its cause), I12 (replay equals record), and that no fact that can happen is refused.
//!
//! Here is how a world is played from step to step; `steps` and `sites` are what the steps do, `deciding` and `outcomes` what
//! follows, `account` keeps S2, S3, S4 and I4.

mod account;
mod deciding;
mod outcomes;
mod sites;
mod steps;

use crate::{
    dice::Dice,
    recount::{Specs, recount},
    reference::Reference,
    sites::Site,
    worlds::World,
};
use quotree_core::{Action, Auditor, Event, Log, PodId, Recorder, Scheduler, Time, WorkloadId, audit};
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
    /// What occurred, in the words of [`beside::occurred`](crate::beside::occurred), where the reference was beside.
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
