//! The scheduler under test, with or without a recorder around it and an auditor beside it.

use quotree_core::{
    Auditor, Breach, Event, EventError, Finding, Log, Plan, Policy, Recorder, Scheduler, Time, TreeSpec,
};

/// A scheduler, and who looks at it.
#[derive(Debug)]
pub(crate) struct Core {
    scheduler: Kept,
    auditor: Option<Box<Auditor>>,
}

#[derive(Debug)]
enum Kept {
    Plain(Scheduler),
    Recording(Recorder),
}

impl Core {
    pub(crate) fn new(tree: &TreeSpec, policy: Policy, record: bool, audit: bool) -> Result<Self, Vec<Finding>> {
        let scheduler = if record {
            Kept::Recording(Recorder::new(tree, policy)?)
        } else {
            Kept::Plain(Scheduler::new(tree, policy)?)
        };
        Ok(Self { scheduler, auditor: audit.then(Box::default) })
    }

    #[inline]
    pub(crate) fn apply(&mut self, event: Event) -> Result<(), EventError> {
        if let Some(auditor) = &mut self.auditor {
            auditor.fact(&event);
        }
        match &mut self.scheduler {
            Kept::Plain(scheduler) => scheduler.apply(event),
            Kept::Recording(recorder) => recorder.apply(event),
        }
    }

    /// Decides, and tells what is wrong with the decision if anybody looks.
    pub(crate) fn decide(&mut self, now: Time) -> (Plan, Vec<Breach>) {
        let before = self.auditor.as_ref().map(|_| self.scheduler().clone());
        let plan = match &mut self.scheduler {
            Kept::Plain(scheduler) => scheduler.decide(now),
            Kept::Recording(recorder) => recorder.decide(now),
        };
        let after = match &self.scheduler {
            Kept::Plain(scheduler) => scheduler,
            Kept::Recording(recorder) => recorder.scheduler(),
        };
        let looked = self.auditor.as_mut().zip(before);
        let breaches = looked.map(|(auditor, before)| auditor.decision(&before, &plan, after, now));
        (plan, breaches.unwrap_or_default())
    }

    pub(crate) fn scheduler(&self) -> &Scheduler {
        match &self.scheduler {
            Kept::Plain(scheduler) => scheduler,
            Kept::Recording(recorder) => recorder.scheduler(),
        }
    }

    pub(crate) fn log(&self) -> Option<Log> {
        match &self.scheduler {
            Kept::Plain(_) => None,
            Kept::Recording(recorder) => Some(recorder.log().clone()),
        }
    }
}
