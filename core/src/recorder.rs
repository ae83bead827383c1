//! A log of events and decisions. A replay of the log gives the same plans, digest for digest (I12).

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

/// A scheduler that keeps a log of its events and decisions.
#[derive(Debug, Clone)]
pub struct Recorder {
    scheduler: Scheduler,
    log: Log,
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
        let scheduler = Scheduler::new(tree, policy.clone())?;
        Ok(Self { scheduler, log: Log { tree: tree.clone(), policy, entries: Vec::new() } })
    }

    /// Calls [`Scheduler::apply`], and records the event if it is accepted.
    ///
    /// # Errors
    /// As [`Scheduler::apply`].
    pub fn apply(&mut self, event: Event) -> Result<(), EventError> {
        self.scheduler.apply(event.clone())?;
        self.log.entries.push(Entry::Event(event));
        Ok(())
    }

    /// Calls [`Scheduler::decide`], and records the call with the digest of the plan.
    pub fn decide(&mut self, now: Time) -> Plan {
        let plan = self.scheduler.decide(now);
        self.log.entries.push(Entry::Decide { at: now, digest: plan.digest() });
        plan
    }

    /// The scheduler that is recorded.
    #[must_use]
    pub fn scheduler(&self) -> &Scheduler {
        &self.scheduler
    }

    /// The log so far.
    #[must_use]
    pub fn log(&self) -> &Log {
        &self.log
    }

    /// The log, without the scheduler.
    #[must_use]
    pub fn into_log(self) -> Log {
        self.log
    }
}

impl Log {
    /// Replays the log on a new scheduler and compares every plan. Gives the number of decisions that were compared.
    ///
    /// # Errors
    /// [`ReplayError`] at the first entry that comes out differently.
    pub fn replay(&self) -> Result<u64, ReplayError> {
        let mut scheduler = Scheduler::new(&self.tree, self.policy.clone()).map_err(ReplayError::Tree)?;
        let mut agreed = 0;
        for (entry, step) in self.entries.iter().enumerate() {
            match step {
                Entry::Event(event) => {
                    scheduler.apply(event.clone()).map_err(|error| ReplayError::Event { entry, error })?;
                }
                Entry::Decide { at, digest } => {
                    let now = scheduler.decide(*at).digest();
                    if now != *digest {
                        return Err(ReplayError::Plan { entry, recorded: *digest, now });
                    }
                    agreed += 1;
                }
            }
        }
        Ok(agreed)
    }
}
