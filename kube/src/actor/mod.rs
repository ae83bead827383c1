//! The one owner of the core: facts in, intents out. It has no clock, thread or connection, so a test drives it with any
//! time, and it decides nothing: what to do is the core's plan.
//!
//! ```
//! use quotree_core::Time;
//! use quotree_kube::{actor::Actor, settings::{Mode, Settings}, watch::{Fact, Store}};
//!
//! let mut actor = Actor::new(Settings::new(Mode::Gate));
//! for store in [Store::Pods, Store::Nodes, Store::Namespaces, Store::Budgets] {
//!     actor.take(Fact::Synced(store));
//! }
//! assert!(actor.turn(Time(0)).is_empty());
//! assert!(!actor.is_started(), "nothing is decided before the quota tree was read");
//! ```

mod asked;
mod budgets;
mod dumped;
mod gangs;
mod intents;
mod names;
mod nodes;
mod plan;
mod pods;
mod reasons;
mod recount;
mod reserved;
mod restate;
mod seen;
mod tenants;
mod tree;
mod twin;

pub use asked::Asked;
pub use intents::{Failure, Intent, PodKey};
pub use reasons::Why;
pub use recount::{Recount, Recounted};
pub use twin::{Feed, Input, Reason, Twin};

use crate::{
    settings::Settings,
    watch::{Fact, Uid, Unreadable},
};
use budgets::Budgets;
use gangs::{Gangs, Unready};
use names::Ids;
use nodes::Nodes;
use pods::KnownPod;
use quotree_core::{Event, EventError, Finding, Name, PodOutcome, Scheduler, Time, TreeSpec};
use quotree_record::Line;
use recount::Carried;
use reserved::Reserved;
use restate::Recorder;
use seen::{Changes, Seen};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// The core and what was reported to it.
#[derive(Debug)]
struct Live {
    core: Scheduler,
    ids: Ids,
    known: BTreeMap<Uid, KnownPod>,
    nodes: Nodes,
    /// Nodes by the value of their label `kubernetes.io/hostname`.
    hostnames: BTreeMap<Name, Name>,
    gangs: Gangs,
    budgets: Budgets,
    /// Pods that are ours and were not reported to the core, and why.
    unready: BTreeMap<Uid, Unready>,
    /// Pods that plans evict and that are not known to leave.
    evicting: BTreeSet<Uid>,
    /// Pods that are admitted and not on their node yet.
    reserved: Reserved,
    /// No eviction is sent before this time.
    quiet_until: Time,
    /// Whether the newest tree was refused for what ran at that time.
    tree_waits: bool,
    /// Facts that the core refused, and about what.
    refused: Vec<(String, EventError)>,
    /// The tree in force.
    tree: Arc<TreeSpec>,
    /// Why the newest tree is not in force, and whether it is valid by itself.
    tree_refused: Option<(bool, String)>,
    recorder: Recorder,
    /// While a new core is told what there is: what the old one knew of pods with a node.
    carried: BTreeMap<Uid, Carried>,
}

impl Live {
    /// A core that is told nothing yet.
    fn new(
        tree: Arc<TreeSpec>,
        settings: &Settings,
        quiet_until: Time,
        recorder: Recorder,
    ) -> Result<Self, Vec<Finding>> {
        Ok(Self {
            core: Scheduler::new(&tree, settings.policy.clone())?,
            ids: Ids::default(),
            known: BTreeMap::new(),
            nodes: Nodes::default(),
            hostnames: BTreeMap::new(),
            gangs: Gangs::default(),
            budgets: Budgets::default(),
            unready: BTreeMap::new(),
            evicting: BTreeSet::new(),
            reserved: Reserved::default(),
            quiet_until,
            tree_waits: false,
            refused: Vec::new(),
            tree,
            tree_refused: None,
            recorder,
            carried: BTreeMap::new(),
        })
    }

    /// When there may be something to decide although no fact comes.
    fn next_wake(&self) -> Option<Time> {
        [self.core.next_wake(), gangs::next_wake(self)].into_iter().flatten().min()
    }

    /// Applies an event. One that is refused changes nothing and is noted.
    fn apply(&mut self, event: Event, about: impl FnOnce() -> String) -> bool {
        let kept = self.recorder.is_on().then(|| Box::new(event.clone()));
        match self.core.apply(event) {
            Ok(()) => {
                if let Some(event) = kept {
                    self.recorder.line(|| Line::Event(event));
                }
                true
            }
            Err(error) => {
                self.refused.push((about(), error));
                false
            }
        }
    }
}

/// Something that was wrong with what the API server shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Problem {
    /// An object cannot be read.
    Unreadable(Unreadable),
    /// The first quota tree is not valid, so there is no scheduler yet.
    Tree(Vec<Finding>),
    /// The core refuses a fact.
    Refused {
        /// Which object it is about.
        about: String,
        /// Why.
        why: EventError,
    },
    /// A new core that was told all that there is counts otherwise than the one at work. That is a mistake of this program.
    Drift(String),
}

/// The one owner of the core.
#[derive(Debug)]
pub struct Actor {
    settings: Settings,
    seen: Seen,
    changes: Changes,
    failures: Vec<Failure>,
    live: Option<Live>,
    problems: Vec<Problem>,
    /// With what the first core begins.
    recorder: Recorder,
    drift: Vec<(Name, Name, i64)>,
    /// Why there is no scheduler yet: the first tree is not valid.
    first_tree: Option<String>,
    /// How many pods were tried and not placed, by their schedulerName, where that is counted.
    tried: BTreeMap<Name, u64>,
}

impl Actor {
    /// An actor that has seen nothing yet.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        Self {
            settings,
            seen: Seen::default(),
            changes: Changes::default(),
            failures: Vec::new(),
            live: None,
            problems: Vec::new(),
            recorder: Recorder::default(),
            drift: Vec::new(),
            first_tree: None,
            tried: BTreeMap::new(),
        }
    }

    /// Takes a fact. It counts from the next turn on.
    pub fn take(&mut self, fact: Fact) {
        self.seen.take(fact, &mut self.changes);
    }

    /// Takes the failure of a write. It counts from the next turn on.
    pub fn take_failure(&mut self, failure: Failure) {
        self.failures.push(failure);
    }

    /// How many facts wait for the next turn.
    #[must_use]
    pub fn pending(&self) -> usize {
        self.changes.facts + self.failures.len()
    }

    /// Whether everything was listed and a valid tree is there, so that decisions are made.
    #[must_use]
    pub const fn is_started(&self) -> bool {
        self.live.is_some()
    }

    /// Its settings.
    #[must_use]
    pub const fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The core, once it is started.
    #[must_use]
    pub fn core(&self) -> Option<&Scheduler> {
        self.live.as_ref().map(|live| &live.core)
    }

    /// The kinds of objects that were listed.
    #[must_use]
    pub fn listed(&self) -> Vec<&'static str> {
        self.seen.synced.iter().map(|store| store.name()).collect()
    }

    /// The tree that is in force.
    #[must_use]
    pub fn tree(&self) -> Option<&Arc<TreeSpec>> {
        self.live.as_ref().map(|live| &live.tree)
    }

    /// Why the newest quota tree is not in force, and whether it is valid by itself.
    #[must_use]
    pub fn tree_refused(&self) -> Option<(bool, String)> {
        if let Some(why) = &self.seen.bad_tree {
            return Some((false, why.clone()));
        }
        let first = self.first_tree.clone().map(|why| (false, why));
        self.live.as_ref().map_or(first, |live| live.tree_refused.clone())
    }

    /// What was wrong since the last call.
    pub fn take_problems(&mut self) -> Vec<Problem> {
        let unreadable = std::mem::take(&mut self.seen.unreadable).into_iter().map(Problem::Unreadable);
        let mut problems: Vec<Problem> = unreadable.collect();
        problems.append(&mut self.problems);
        if let Some(live) = &mut self.live {
            problems.extend(live.refused.drain(..).map(|(about, why)| Problem::Refused { about, why }));
        }
        problems
    }

    /// How many pods were tried and not placed since the last call, by their schedulerName. Counted only where the settings say so
    /// ([`Settings::compat_metrics`]).
    pub fn take_tried(&mut self) -> BTreeMap<Name, u64> {
        std::mem::take(&mut self.tried)
    }

    /// When a turn may have something to do although no fact comes.
    #[must_use]
    pub fn next_wake(&self) -> Option<Time> {
        let live = self.live.as_ref()?;
        [live.next_wake(), live.reserved.next_wake()].into_iter().flatten().min()
    }

    /// Reports to the core what has changed, lets it decide, and returns what is to be written. `now` must not go back.
    pub fn turn(&mut self, now: Time) -> Vec<Intent> {
        let starts = self.live.is_none();
        if starts && !self.start(now) {
            return Vec::new();
        }
        let Some(live) = &mut self.live else { return Vec::new() };
        let due = live.next_wake().is_some_and(|at| at <= now);
        if self.changes.facts == 0 && self.failures.is_empty() && !due {
            let mut intents = reserved::give_up(live, &self.seen, self.settings.mode, now);
            intents.extend(self.restate(now));
            return intents;
        }
        let changes = std::mem::take(&mut self.changes);
        let failures = std::mem::take(&mut self.failures);
        live.report(&self.seen, &self.settings, changes, failures, now);
        if starts {
            // What was accepted before holds until the newest tree is accepted, by the rules of any other change of it.
            if let Some(newest) = self.seen.tree.as_ref().filter(|newest| **newest != *live.tree) {
                tree::replace(live, &self.seen, newest);
            }
            self.begin_recording(now);
        }
        let mut intents = self.decide(now);
        intents.extend(self.restate(now));
        intents
    }

    /// Lets the core decide about what was reported.
    fn decide(&mut self, now: Time) -> Vec<Intent> {
        let Some(live) = &mut self.live else { return Vec::new() };
        let plan = live.core.decide(now);
        live.recorder.decision(now, &plan);
        if self.settings.compat_metrics {
            plan::count_tried(live, &self.seen, &plan, &mut self.tried);
        }
        let mut intents = plan::useless_evictions(live, &self.seen, &self.settings);
        intents.extend(plan::intents(live, &self.seen, &self.settings, &plan));
        intents.extend(reserved::give_up(live, &self.seen, self.settings.mode, now));
        intents
    }

    /// Forgets what was decided, and decides anew about all that is there now: what a dry run shows.
    pub fn rehearse(&mut self, now: Time) -> Vec<Intent> {
        self.live = None;
        self.changes.facts = self.changes.facts.max(1);
        self.turn(now)
    }

    /// Makes a scheduler of all that is there. The core then knows the pods that wait, and finds those on nodes.
    fn start(&mut self, now: Time) -> bool {
        if !self.seen.is_complete(&self.settings) || self.changes.facts == 0 {
            return false;
        }
        let quiet_until = now.after_ms(self.settings.quiet_ms);
        // By the rules of this version an accepted tree may be none any more: then the newest one counts, if it is.
        let accepted = self.seen.accepted.as_ref().and_then(|tree| self.fresh(tree, quiet_until).ok());
        let newest = || self.seen.tree.as_ref().map(|tree| self.fresh(tree, quiet_until));
        let Some(begun) = accepted.map(Ok).or_else(newest) else { return false };
        match begun {
            Ok(live) => {
                self.first_tree = None;
                self.live = Some(live);
                let facts = self.changes.facts;
                self.changes = Changes { tree: false, facts, ..self.seen.as_changes() };
                true
            }
            Err(findings) => {
                self.first_tree = Some(tree::in_words(&findings));
                self.problems.push(Problem::Tree(findings));
                self.changes = Changes::default();
                false
            }
        }
    }
}

impl Live {
    /// Reports what has changed: the tree, budgets, nodes, then pods in the order in which they came.
    fn report(&mut self, seen: &Seen, settings: &Settings, changes: Changes, failures: Vec<Failure>, now: Time) {
        let Changes { mut pods, mut nodes, budgets, selectors, tree, groups, pod_groups, ends, .. } = changes;
        if tree && let Some(spec) = &seen.tree {
            tree::replace(self, seen, spec);
            self.quiet_until = self.quiet_until.max(now.after_ms(settings.quiet_ms));
        }
        budgets.iter().for_each(|key| budgets::allows(self, seen, key));
        budgets::select_anew(self, seen, &selectors);
        let nodes = nodes.take();
        if !nodes.is_empty() {
            let named = seen.nodes.values().map(|node| (node.facts.hostname().clone(), node.facts.name.clone()));
            self.hostnames = named.collect();
            // What a pod tolerates is said to the core as the taints that there are.
            if self.nodes.read_taints(seen) {
                let waits = |known: &KnownPod| known.state == pods::Progress::Waiting;
                let tolerates = |uid: &Uid| seen.pods.get(uid).is_some_and(|pod| !pod.facts.tolerations.is_empty());
                let waiting = self.known.iter().filter(|(uid, known)| waits(known) && tolerates(uid));
                waiting.for_each(|(uid, _)| pods.add(uid));
            }
        }
        for name in &nodes {
            self::nodes::advance(self, seen, settings, name).iter().for_each(|uid| pods.add(uid));
        }
        for uid in pods.take() {
            let gone = ends.get(&uid).copied().unwrap_or(PodOutcome::Deleted);
            pods::advance(self, seen, settings, &uid, gone, now);
        }
        if self.tree_waits
            && (groups || !ends.is_empty())
            && let Some(spec) = &seen.tree
        {
            tree::replace(self, seen, spec);
        }
        gangs::touch(self, &pod_groups);
        gangs::settle(self, seen, settings, now);
        for failure in failures {
            match failure {
                Failure::Bind { uid, .. } => pods::bind_failed(self, &uid),
                Failure::Evict { uid, .. } => {
                    self.reserved.again(&uid, now);
                    pods::eviction_ended(self, &uid, |pod| Event::EvictFailed { pod });
                }
                Failure::TakenBack { uid } => pods::eviction_ended(self, &uid, |pod| Event::EvictWithdrawn { pod }),
                Failure::Report { .. } => {}
            }
        }
    }
}
