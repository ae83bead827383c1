//! The scheduler under test, with or without a recorder around it.

use quotree_core::{Event, EventError, Finding, Log, Plan, Policy, Recorder, Scheduler, Time, TreeSpec};

/// A scheduler.
#[derive(Debug)]
pub(crate) enum Core {
    Plain(Scheduler),
    Recording(Recorder),
}

impl Core {
    pub(crate) fn new(tree: &TreeSpec, policy: Policy, record: bool) -> Result<Self, Vec<Finding>> {
        Ok(if record {
            Self::Recording(Recorder::new(tree, policy)?)
        } else {
            Self::Plain(Scheduler::new(tree, policy)?)
        })
    }

    #[inline]
    pub(crate) fn apply(&mut self, event: Event) -> Result<(), EventError> {
        match self {
            Self::Plain(scheduler) => scheduler.apply(event),
            Self::Recording(recorder) => recorder.apply(event),
        }
    }

    pub(crate) fn decide(&mut self, now: Time) -> Plan {
        match self {
            Self::Plain(scheduler) => scheduler.decide(now),
            Self::Recording(recorder) => recorder.decide(now),
        }
    }

    pub(crate) fn scheduler(&self) -> &Scheduler {
        match self {
            Self::Plain(scheduler) => scheduler,
            Self::Recording(recorder) => recorder.scheduler(),
        }
    }

    pub(crate) fn log(&self) -> Option<Log> {
        match self {
            Self::Plain(_) => None,
            Self::Recording(recorder) => Some(recorder.log().clone()),
        }
    }
}
