//! The laws of a scheduler at work, LI1 to LI12, judged from outside: from the objects of the API server and from who wrote what.
//! Nothing is asked of the scheduler itself, except by LI7, which compares what it shows with a recount.
//!
//! | law | says |
//! |---|---|
//! | LI1 | what is admitted to a node fits there beside what is there |
//! | LI2 | no admission lets a quota use more than its max, at any level |
//! | LI3 | what a leaf is guaranteed and asks for is served in time |
//! | LI4 | no victim is of a leaf at or under its min, unless a pod of higher priority in the same leaf waits |
//! | LI5, LI6 | a pod is admitted once, and evicted once |
//! | LI7 | at rest, the quotas show what a recount gives ([`Checker::shown`]) |
//! | LI8 | a gang has none or at least its minimum admitted, after a minute |
//! | LI9 | only the holder of the Lease writes |
//! | LI10 | pods of the system, of nodes and of other schedulers, gates of others, and times of grace are left alone |
//! | LI12 | while nothing fails: a pod is written for its admission and its eviction, its condition at most every 30 s while it waits, the status of the tree at most every 5 s |
//!
//! LI11, that a recording replays, is no law of objects: tests replay what they have recorded.
//!
//! [`Checker::look`] reads the log of the server in memory; [`crate::real::Follower`] gives the changes of a real one.
//!
//! # What is excused
//!
//! A decision can be as old as what the watch has not shown yet. What others have changed in the last [`STALE`] seconds therefore
//! excuses LI1, LI2 and LI4: a node that shrinks, a pod that somebody binds or resizes, a tree that is replaced.

mod bounds;
mod time;
mod tree;
mod writes;

pub use tree::{Quota, Tree};

use crate::{
    amounts::Amounts,
    census::{Census, Pod, add},
    faults::Verb,
    journal::Record,
    store::{Change, Store},
};
use jiff::{SpanRound, Timestamp, Unit};
use std::collections::{BTreeMap, BTreeSet};

/// How old a decision may be, seconds.
pub const STALE: i64 = 5;

/// How pods are admitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Admission {
    /// By removing the gate.
    Gate,
    /// By a binding.
    Bind,
}

/// What the laws are judged by.
#[derive(Debug, Clone)]
pub struct Limits {
    /// LI3: so many seconds may pass while a leaf is owed something and nothing changes for it. The longest grace and half a
    /// minute.
    pub served_within: i64,
    /// LI12: whether nothing fails, so that no write is repeated.
    pub no_faults: bool,
    /// The Lease that says who leads, as namespace and name; without one, LI9 is not judged.
    pub lease: Option<(String, String)>,
}

impl Default for Limits {
    fn default() -> Self {
        Self { served_within: 40, no_faults: false, lease: None }
    }
}

/// Something that breaks a law.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken {
    /// The law, such as `LI4`.
    pub law: &'static str,
    /// When, in seconds since the first look.
    pub second: i64,
    /// What is wrong.
    pub what: String,
}

impl std::fmt::Display for Broken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} at {} s: {}", self.law, self.second, self.what)
    }
}

/// What the scheduler did to a pod.
#[derive(Debug, Clone, Default)]
struct Life {
    admitted: u32,
    evicted: u32,
    /// The revision at the end of the last request that evicted it.
    last: u64,
    reported: Option<Timestamp>,
}

/// Judges the laws, change by change.
#[derive(Debug, Clone)]
pub struct Checker {
    user: String,
    admission: Admission,
    /// What the laws are judged by.
    pub limits: Limits,
    census: Census,
    seen: u64,
    now: Timestamp,
    began: Option<Timestamp>,
    tree: Tree,
    /// Whether a tree that is written counts; one that must be refused does not.
    pub trees_count: bool,
    tree_changed: Option<Timestamp>,
    lives: BTreeMap<String, Life>,
    holder: String,
    /// When others last changed what is on a node, or in a namespace.
    stirred: BTreeMap<String, Timestamp>,
    /// When the pods that stay in a namespace last used more than its min.
    above: BTreeMap<String, Timestamp>,
    /// Since when a namespace is owed something and nothing changes.
    owed: BTreeMap<String, Timestamp>,
    torn: BTreeMap<(String, String), Timestamp>,
    gangs: BTreeMap<(String, String), BTreeSet<String>>,
    waiting: BTreeMap<String, BTreeSet<String>>,
    budgets: BTreeSet<(String, String)>,
    status: Option<Timestamp>,
    broken: Vec<Broken>,
    /// How many changes were judged.
    pub changes: u64,
    /// How many pods were admitted and evicted by the scheduler.
    pub admissions: u64,
    /// How many pods the scheduler evicted.
    pub evictions: u64,
}

impl Checker {
    /// A checker of what this user does.
    pub fn new(user: &str, admission: Admission) -> Self {
        Self {
            user: user.to_owned(),
            admission,
            limits: Limits::default(),
            census: Census::default(),
            seen: 0,
            now: Timestamp::UNIX_EPOCH,
            began: None,
            tree: Tree::default(),
            trees_count: true,
            tree_changed: None,
            lives: BTreeMap::new(),
            holder: String::new(),
            stirred: BTreeMap::new(),
            above: BTreeMap::new(),
            owed: BTreeMap::new(),
            torn: BTreeMap::new(),
            gangs: BTreeMap::new(),
            waiting: BTreeMap::new(),
            budgets: BTreeSet::new(),
            status: None,
            broken: Vec::new(),
            changes: 0,
            admissions: 0,
            evictions: 0,
        }
    }

    /// The recount.
    pub fn census(&self) -> &Census {
        &self.census
    }

    /// The pods that wait to be admitted.
    pub fn waiting(&self) -> impl Iterator<Item = &Pod> {
        self.waiting.values().flatten().filter_map(|uid| self.census.pods.get(uid)).map(|pod| &**pod)
    }

    /// The tree in force.
    pub fn tree(&self) -> &Tree {
        &self.tree
    }

    /// What was broken since the last call.
    pub fn take_broken(&mut self) -> Vec<Broken> {
        std::mem::take(&mut self.broken)
    }

    fn breaks(&mut self, law: &'static str, what: String) {
        let since = self.began.unwrap_or(self.now);
        let second =
            (self.now - since).round(SpanRound::new().largest(Unit::Second)).map_or(0, |span| span.get_seconds());
        // The first hundred say enough.
        if self.broken.len() < 100 {
            self.broken.push(Broken { law, second, what });
        }
    }

    /// Whether less than so many seconds have passed since then.
    fn within(&self, since: Option<&Timestamp>, seconds: i64) -> bool {
        since.is_some_and(|since| self.now.duration_since(*since).as_secs() < seconds)
    }

    /// Judges all changes since the last look, in their order, by the requests that made them. To be called often: the store
    /// remembers a bounded number of changes.
    pub fn look(&mut self, store: &Store, journal: &[Record]) {
        let wrote = journal.iter().filter(|record| record.wrote());
        let by_end: BTreeMap<u64, &Record> = wrote.map(|record| (record.after, record)).collect();
        assert!(store.log().forgotten() <= self.seen || self.seen == 0, "the log has forgotten what was not judged");
        let by = |change: &Change| {
            let record = by_end.range(change.revision..).next().map(|(_, record)| *record);
            record.filter(|record| record.before < change.revision)
        };
        self.judge(store.now(), store.log().after(self.seen).map(|change| (change, by(change))));
    }

    /// Judges changes at a time, in their order, each with the request that made it where that is known.
    pub fn judge<'a>(&mut self, now: Timestamp, changes: impl IntoIterator<Item = (&'a Change, Option<&'a Record>)>) {
        self.now = now;
        self.began.get_or_insert(now);
        for (change, record) in changes {
            self.changes += 1;
            self.seen = change.revision;
            let ours = record.filter(|record| record.user == self.user);
            self.take(change, ours);
        }
        self.over_time();
    }

    /// Judges a change, with our request that made it.
    fn take(&mut self, change: &Change, ours: Option<&Record>) {
        self.lease(change, ours);
        match change.resource.1.as_str() {
            "pods" => {
                let before = change.before.as_deref();
                if let Some((old, new)) = self.census.take(change) {
                    let write = ours.map(|record| (record, before, change.after.as_deref()));
                    self.pod(old.as_deref(), new.as_deref(), write);
                }
            }
            "nodes" => {
                self.census.take(change);
                self.stirred.insert(format!("node {}", change.key.1), self.now);
            }
            "elasticquotatrees" => self.tree_change(change, ours),
            "poddisruptionbudgets" => {
                let bars = change.after.as_deref().is_some_and(|budget| {
                    crate::value::at(budget, &["status", "disruptionsAllowed"]).as_i64().unwrap_or(0) <= 0
                });
                if bars {
                    self.budgets.insert(change.key.clone())
                } else {
                    self.budgets.remove(&change.key)
                };
                self.owed.clear();
            }
            _ => {}
        }
    }

    /// A pod has changed.
    fn pod(&mut self, old: Option<&Pod>, new: Option<&Pod>, ours: Option<writes::Write<'_>>) {
        let Some(pod) = new.or(old) else { return };
        let namespace = pod.key.0.clone();
        let (was, is) = (old.map_or("", Pod::at), new.map_or("", Pod::at));
        let mut admits = false;
        if let Some(write) = ours {
            admits = self.write(old, new, write);
        }
        let grew = match (old, new) {
            (Some(old), Some(new)) => !was.is_empty() && old.requests != new.requests,
            _ => false,
        };
        if admits {
            self.admissions += 1;
            self.fits(pod, is);
            self.owed.remove(&namespace);
        } else if (was != is && !is.is_empty()) || grew {
            // Others have placed it, or changed what it takes.
            self.stirred.insert(format!("node {is}"), self.now);
            for place in self.tree.path(&namespace) {
                if let Some(quota) = self.tree.quotas.get(place) {
                    self.stirred.insert(quota.name.clone(), self.now);
                }
            }
        }
        self.index(pod, new);
        self.note_above(&namespace);
    }

    /// Keeps the lists of who waits and of gangs.
    fn index(&mut self, pod: &Pod, new: Option<&Pod>) {
        let alive = new.filter(|new| new.active && new.leaves.is_none());
        let waits = alive.is_some_and(|new| new.at().is_empty() && !new.foreign_gate && self.is_ours(new));
        let list = self.waiting.entry(pod.key.0.clone()).or_default();
        if waits {
            list.insert(pod.uid.clone())
        } else {
            list.remove(&pod.uid)
        };
        if let Some((gang, _)) = &pod.gang {
            let members = self.gangs.entry((pod.key.0.clone(), gang.clone())).or_default();
            if alive.is_some() {
                members.insert(pod.uid.clone())
            } else {
                members.remove(&pod.uid)
            };
        }
    }

    /// Whether a pod is one that the scheduler admits.
    fn is_ours(&self, pod: &Pod) -> bool {
        match self.admission {
            Admission::Gate => pod.gated,
            Admission::Bind => pod.scheduler == "quotree",
        }
    }

    /// What the pods below a quota take.
    pub fn used(&self, place: usize) -> Amounts {
        let mut sum = Amounts::new();
        for namespace in self.tree.namespaces(place) {
            if let Some(used) = self.census.used.get(namespace) {
                add(&mut sum, used, 1);
            }
        }
        sum
    }

    /// LI7: compares what quotas are shown to use, by quota and resource in thousandths, with a recount. To be called at rest.
    pub fn shown(&mut self, shown: impl Fn(&str, &str) -> Option<i128>) {
        for place in 0..self.tree.quotas.len() {
            let used = self.used(place);
            let Some(quota) = self.tree.quotas.get(place).cloned() else { continue };
            for resource in quota.max.keys() {
                let recount = used.get(resource).copied().unwrap_or(0);
                let its = shown(&quota.name, resource);
                if its != Some(recount) {
                    self.breaks(
                        "LI7",
                        format!("{} shows {its:?} {resource}, and a recount gives {recount}", quota.name),
                    );
                }
            }
        }
    }
}

/// Whether a record is a write of this resource.
fn is(record: &Record, verb: Verb, resource: &str) -> bool {
    record.verb == verb && record.resource == resource
}
