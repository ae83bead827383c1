//! A log of events and decisions. A replay of the log gives the same plans, digest for digest (I12).
//!
//! A [`Recorder`] hands each entry to a [`Sink`]: a [`Log`], which keeps them all, or a function of the caller, which can
//! write them to a file. A [`Replay`] takes them one by one, so neither needs memory for the whole log.

use crate::{
    api::{Event, EventError, Finding, Plan, Policy, Time, TreeSpec},
    scheduler::Scheduler,
};
use serde::{Deserialize, Serialize};

/// All events and decisions of a scheduler, in order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Log {
    /// The tree that it started with.
    pub tree: TreeSpec,
    /// Its policy.
    pub policy: Policy,
    /// The events and decisions.
    pub entries: Vec<Entry>,
}

/// One entry of a log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Entry {
    /// An event that was accepted.
    Event(Event),
    /// A call of [`Scheduler::decide`].
    Decide {
        /// The time that was given to the scheduler.
        at: Time,
        /// The digest of the plan that it returned ([`Plan::digest`]).
        digest: u64,
    },
}

/// Where the entries of a recorder go, in order: a [`Log`], or any function that takes an [`Entry`].
pub trait Sink {
    /// Takes the next entry. What cannot be written is for the sink to report: the scheduler has gone on.
    fn take(&mut self, entry: Entry);
}

impl Sink for Log {
    fn take(&mut self, entry: Entry) {
        self.entries.push(entry);
    }
}

impl<F: FnMut(Entry)> Sink for F {
    fn take(&mut self, entry: Entry) {
        self(entry);
    }
}

/// A scheduler that hands out its events and decisions as entries of a log; by default it keeps them.
#[derive(Debug, Clone)]
pub struct Recorder<S = Log> {
    scheduler: Scheduler,
    sink: S,
}

/// Why a replay differs from its log.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReplayError {
    /// The tree of the log is not valid.
    #[error("the quota tree of the log is invalid ({} findings)", .0.len())]
    Tree(Vec<Finding>),
    /// An event that was accepted when it was recorded is refused in the replay.
    #[error("entry {entry}: {error}")]
    Event {
        /// The number of the entry, from 0.
        entry: usize,
        /// Why the scheduler refuses it now.
        error: EventError,
    },
    /// A decision gives another plan.
    #[error(
        "entry {entry}: the decision differs from the recorded one (plan digest {now:016x}, recorded {recorded:016x})"
    )]
    Plan {
        /// The number of the entry, from 0.
        entry: usize,
        /// The digest in the log.
        recorded: u64,
        /// The digest of the plan now.
        now: u64,
    },
}

impl Recorder {
    /// A scheduler without nodes and workloads, and an empty log.
    ///
    /// # Errors
    /// As [`Scheduler::new`].
    pub fn new(tree: &TreeSpec, policy: Policy) -> Result<Self, Vec<Finding>> {
        let log = Log { tree: tree.clone(), policy: policy.clone(), entries: Vec::new() };
        Self::with_sink(tree, policy, log)
    }

    /// The log so far.
    #[must_use]
    pub fn log(&self) -> &Log {
        &self.sink
    }

    /// The log, without the scheduler.
    #[must_use]
    pub fn into_log(self) -> Log {
        self.sink
    }
}

impl<S: Sink> Recorder<S> {
    /// A scheduler without nodes and workloads that hands each entry to `sink`. To replay the entries, tree and policy are
    /// needed, too.
    ///
    /// # Errors
    /// As [`Scheduler::new`].
    ///
    /// ```
    /// use quotree_core::{Entry, Event, Policy, QuotaSpec, Recorder, Replay, Time, TreeSpec};
    /// let tree: TreeSpec = [QuotaSpec::new("root", None).namespace("ns")].into_iter().collect();
    /// let mut replay = Replay::new(&tree, Policy::default()).unwrap();
    /// // Each entry is replayed as soon as it is recorded, and then forgotten.
    /// let sink = |entry: Entry| replay.step(entry).unwrap();
    /// let mut recorder = Recorder::with_sink(&tree, Policy::default(), sink).unwrap();
    /// recorder.apply(Event::Tick).unwrap();
    /// recorder.decide(Time(0));
    /// drop(recorder);
    /// assert_eq!((replay.entries(), replay.agreed()), (2, 1));
    /// ```
    pub fn with_sink(tree: &TreeSpec, policy: Policy, sink: S) -> Result<Self, Vec<Finding>> {
        Ok(Self { scheduler: Scheduler::new(tree, policy)?, sink })
    }

    /// Calls [`Scheduler::apply`], and records the event if it is accepted.
    ///
    /// # Errors
    /// As [`Scheduler::apply`].
    pub fn apply(&mut self, event: Event) -> Result<(), EventError> {
        self.scheduler.apply(event.clone())?;
        self.sink.take(Entry::Event(event));
        Ok(())
    }

    /// Calls [`Scheduler::decide`], and records the call with the digest of the plan.
    pub fn decide(&mut self, now: Time) -> Plan {
        let plan = self.scheduler.decide(now);
        self.sink.take(Entry::Decide { at: now, digest: plan.digest() });
        plan
    }
}

impl<S> Recorder<S> {
    /// The scheduler that is recorded.
    #[must_use]
    pub fn scheduler(&self) -> &Scheduler {
        &self.scheduler
    }

    /// Where its entries go.
    #[must_use]
    pub fn sink(&self) -> &S {
        &self.sink
    }

    /// Where its entries go, to write out what it has kept.
    pub fn sink_mut(&mut self) -> &mut S {
        &mut self.sink
    }
}

/// A replay of entries, one after the other. It keeps the scheduler and no entry.
#[derive(Debug, Clone)]
pub struct Replay {
    scheduler: Scheduler,
    entries: usize,
    agreed: u64,
}

impl Replay {
    /// A replay of a log that started with this tree and policy.
    ///
    /// # Errors
    /// [`ReplayError::Tree`] if the tree is not valid.
    pub fn new(tree: &TreeSpec, policy: Policy) -> Result<Self, ReplayError> {
        let scheduler = Scheduler::new(tree, policy).map_err(ReplayError::Tree)?;
        Ok(Self { scheduler, entries: 0, agreed: 0 })
    }

    /// Applies the next event, or decides and compares the plan.
    ///
    /// # Errors
    /// [`ReplayError`] if the entry comes out differently. The replay should then end.
    pub fn step(&mut self, entry: Entry) -> Result<(), ReplayError> {
        let number = self.entries;
        self.entries += 1;
        match entry {
            Entry::Event(event) => {
                self.scheduler.apply(event).map_err(|error| ReplayError::Event { entry: number, error })
            }
            Entry::Decide { at, digest } => {
                let now = self.scheduler.decide(at).digest();
                if now != digest {
                    return Err(ReplayError::Plan { entry: number, recorded: digest, now });
                }
                self.agreed += 1;
                Ok(())
            }
        }
    }

    /// How many entries there were.
    #[must_use]
    pub fn entries(&self) -> usize {
        self.entries
    }

    /// How many decisions were compared, and gave the same plan.
    #[must_use]
    pub fn agreed(&self) -> u64 {
        self.agreed
    }

    /// The scheduler as it is after the last entry.
    #[must_use]
    pub fn scheduler(&self) -> &Scheduler {
        &self.scheduler
    }
}

impl Log {
    /// Replays the log on a new scheduler and compares every plan. Gives the number of decisions that were compared.
    ///
    /// # Errors
    /// [`ReplayError`] at the first entry that comes out differently.
    pub fn replay(&self) -> Result<u64, ReplayError> {
        let mut replay = Replay::new(&self.tree, self.policy.clone())?;
        self.entries.iter().try_for_each(|entry| replay.step(entry.clone()))?;
        Ok(replay.agreed)
    }
}
