//! The scheduler under test, optionally with a recorder of its log and an auditor of its decisions.

use crate::{
    model::{Change, Scenario},
    options::{Restart, RunError, RunOptions},
};
use quotree_core::{
    Auditor, Breach, Event, EventError, Finding, Listing, Log, Plan, PlanVerdicts, Policy, Recorder, Scheduler, Time,
    TreeSpec,
};

/// In clusters of up to this many quotas, nodes and workloads, plans have full verdicts. Where room is missing, metrics
/// and history take from them the resource that pods wait for; in larger clusters they take all requested resources.
const DETAIL: PlanVerdicts = PlanVerdicts::Full { up_to: 256 };

/// A scheduler, with its recorder and auditor.
#[derive(Debug)]
pub(crate) struct Core {
    scheduler: Inner,
    audit: Option<Audit>,
    /// Only in scenarios that restart the scheduler.
    restarts: Option<Box<Restarts>>,
}

/// What the cluster shows of itself, and the restarts so far.
#[derive(Debug)]
struct Restarts {
    listing: Listing,
    done: Vec<Restart>,
}

/// An auditor that checks the first of every N decisions in full.
#[derive(Debug)]
struct Audit {
    auditor: Box<Auditor>,
    every: u32,
    /// How many decisions come before the next one that is checked in full.
    skips: u32,
    /// Whether the last decision was checked in full.
    checked_last: bool,
}

#[derive(Debug)]
enum Inner {
    Plain(Scheduler),
    Recording(Recorder),
}

impl Core {
    /// A scheduler of this scenario, under this policy.
    pub(crate) fn new(scenario: &Scenario, policy: Policy, options: &RunOptions) -> Result<Self, Vec<Finding>> {
        let tree = &scenario.tree;
        let scheduler = Inner::new(tree, Policy { verdicts: DETAIL, ..policy }, options.record)?;
        let restarts = scenario.events.iter().any(|timed| matches!(timed.change, Change::RestartScheduler));
        let restarts = restarts.then(|| Box::new(Restarts { listing: Listing::new(tree), done: Vec::new() }));
        let every = options.audit_every.get();
        let audit = || Audit { auditor: Box::default(), every, skips: 0, checked_last: false };
        Ok(Self { scheduler, audit: options.audit.then(audit), restarts })
    }

    #[inline]
    pub(crate) fn apply(&mut self, event: Event) -> Result<(), EventError> {
        if let Some(audit) = &mut self.audit {
            audit.auditor.fact(&event);
        }
        let noted = self.restarts.is_some().then(|| event.clone());
        match &mut self.scheduler {
            Inner::Plain(scheduler) => scheduler.apply(event)?,
            Inner::Recording(recorder) => recorder.apply(event)?,
        }
        if let (Some(restarts), Some(event)) = (&mut self.restarts, noted) {
            restarts.listing.note(&event);
        }
        Ok(())
    }

    /// Ends the scheduler, and begins another one that learns what a LIST shows (E4). Costs all pods.
    ///
    /// # Errors
    /// What a LIST shows is refused: it contradicts itself.
    pub(crate) fn restart(&mut self, now: Time) -> Result<(), RunError> {
        let before = self.scheduler();
        let Some(restarts) = &self.restarts else { return Ok(()) };
        let (tree, policy) = (restarts.listing.tree(), before.policy().clone());
        let records = matches!(self.scheduler, Inner::Recording(_));
        let new = Inner::new(tree, policy, records).map_err(RunError::Tree)?;
        let listed = restarts.listing.events(before);
        let before = std::mem::replace(&mut self.scheduler, new).into_log();
        if let Some(restarts) = &mut self.restarts {
            restarts.done.push(Restart { at: now, before, listed: listed.len() });
        }
        if let Some(audit) = &mut self.audit {
            *audit.auditor = Auditor::default();
        }
        for event in listed {
            let what = format!("{event:?}");
            self.apply(event).map_err(|error| RunError::Refused { at: now, what, error })?;
        }
        Ok(())
    }

    /// Whether the last decision was checked in full, so that the state after it should be checked, too.
    pub(crate) fn checked_last(&self) -> bool {
        self.audit.as_ref().is_some_and(|audit| audit.checked_last)
    }

    /// Makes a decision. Returns the plan, and the violations that the auditor finds, if there is an auditor.
    pub(crate) fn decide(&mut self, now: Time) -> (Plan, Vec<Breach>) {
        let checks = self.audit.as_ref().is_some_and(|audit| audit.skips == 0);
        let before = checks.then(|| self.scheduler().clone());
        let plan = match &mut self.scheduler {
            Inner::Plain(scheduler) => scheduler.decide(now),
            Inner::Recording(recorder) => recorder.decide(now),
        };
        if let Some(restarts) = &mut self.restarts {
            restarts.listing.carry_out(&plan);
        }
        let after = match &self.scheduler {
            Inner::Plain(scheduler) => scheduler,
            Inner::Recording(recorder) => recorder.scheduler(),
        };
        let breaches = self.audit.as_mut().map(|audit| audit.look(before.as_ref(), &plan, after, now));
        (plan, breaches.unwrap_or_default())
    }

    pub(crate) fn scheduler(&self) -> &Scheduler {
        match &self.scheduler {
            Inner::Plain(scheduler) => scheduler,
            Inner::Recording(recorder) => recorder.scheduler(),
        }
    }

    /// The log since the last restart, and the restarts.
    pub(crate) fn into_logs(self) -> (Option<Log>, Vec<Restart>) {
        (self.scheduler.into_log(), self.restarts.map(|restarts| restarts.done).unwrap_or_default())
    }
}

impl Inner {
    fn new(tree: &TreeSpec, policy: Policy, records: bool) -> Result<Self, Vec<Finding>> {
        Ok(if records {
            Self::Recording(Recorder::new(tree, policy)?)
        } else {
            Self::Plain(Scheduler::new(tree, policy)?)
        })
    }

    fn into_log(self) -> Option<Log> {
        match self {
            Self::Plain(_) => None,
            Self::Recording(recorder) => Some(recorder.into_log()),
        }
    }
}

impl Audit {
    /// Audits a decision: in full where the state before it is given.
    fn look(&mut self, before: Option<&Scheduler>, plan: &Plan, after: &Scheduler, now: Time) -> Vec<Breach> {
        self.checked_last = before.is_some();
        self.skips = self.skips.checked_sub(1).unwrap_or(self.every - 1);
        match before {
            Some(before) => self.auditor.decision(before, plan, after, now),
            None => self.auditor.plan(plan, after),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::{MapLoader, load};
    use std::num::NonZeroU32;

    #[test]
    fn the_first_of_every_three_decisions_is_checked() {
        let text =
            r#"Scenario(name: "x", cluster: Pool({ "cpu": "1" }), quota: Quota(name: "root", namespaces: ["ns"]))"#;
        let scenario = load("x.ron", &MapLoader::new().with("x.ron", text)).scenario.unwrap();
        let options = RunOptions { audit: true, audit_every: NonZeroU32::new(3).unwrap(), ..RunOptions::default() };
        let mut core = Core::new(&scenario, Policy::default(), &options).unwrap();
        let mut checked = Vec::new();
        for now in 0..7 {
            let (plan, breaches) = core.decide(Time(now));
            assert!(plan.is_empty() && breaches.is_empty());
            checked.push(core.checked_last());
        }
        assert_eq!(checked, [true, false, false, true, false, false, true]);
        let mut unwatched = Core::new(&scenario, Policy::default(), &RunOptions::default()).unwrap();
        unwatched.decide(Time(0));
        assert!(!unwatched.checked_last());
    }
}
