//! The scheduler under test, optionally with a recorder of its log and an auditor of its decisions.

use quotree_core::{
    Auditor, Breach, Event, EventError, Finding, Log, Plan, Policy, Recorder, Scheduler, Time, TreeSpec,
};

/// A scheduler, with its recorder and auditor.
#[derive(Debug)]
pub(crate) struct Core {
    scheduler: Inner,
    auditor: Option<Box<Auditor>>,
}

#[derive(Debug)]
enum Inner {
    Plain(Scheduler),
    Recording(Recorder),
}

impl Core {
    pub(crate) fn new(tree: &TreeSpec, policy: Policy, record: bool, audit: bool) -> Result<Self, Vec<Finding>> {
        let scheduler = if record {
            Inner::Recording(Recorder::new(tree, policy)?)
        } else {
            Inner::Plain(Scheduler::new(tree, policy)?)
        };
        Ok(Self { scheduler, auditor: audit.then(Box::default) })
    }

    #[inline]
    pub(crate) fn apply(&mut self, event: Event) -> Result<(), EventError> {
        if let Some(auditor) = &mut self.auditor {
            auditor.fact(&event);
        }
        match &mut self.scheduler {
            Inner::Plain(scheduler) => scheduler.apply(event),
            Inner::Recording(recorder) => recorder.apply(event),
        }
    }

    /// Decides, and gives the violations that the auditor finds, if there is one.
    pub(crate) fn decide(&mut self, now: Time) -> (Plan, Vec<Breach>) {
        let before = self.auditor.as_ref().map(|_| self.scheduler().clone());
        let plan = match &mut self.scheduler {
            Inner::Plain(scheduler) => scheduler.decide(now),
            Inner::Recording(recorder) => recorder.decide(now),
        };
        let after = match &self.scheduler {
            Inner::Plain(scheduler) => scheduler,
            Inner::Recording(recorder) => recorder.scheduler(),
        };
        let looked = self.auditor.as_mut().zip(before);
        let breaches = looked.map(|(auditor, before)| auditor.decision(&before, &plan, after, now));
        (plan, breaches.unwrap_or_default())
    }

    pub(crate) fn scheduler(&self) -> &Scheduler {
        match &self.scheduler {
            Inner::Plain(scheduler) => scheduler,
            Inner::Recording(recorder) => recorder.scheduler(),
        }
    }

    pub(crate) fn log(&self) -> Option<Log> {
        match &self.scheduler {
            Inner::Plain(_) => None,
            Inner::Recording(recorder) => Some(recorder.log().clone()),
        }
    }
}
