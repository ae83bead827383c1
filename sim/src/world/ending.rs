//! How owners end: done, given up, or withdrawn. Each ends once; it is counted, its deadline is judged, what it needed only
//! to run is dropped, and who waits for it is told.

use super::{CONTROLLER, NONE, State, WorldEvent, owner_name};
use crate::{engine::Engine, options::RunError, result::FailureRow};

/// Failures told one by one; more are only counted.
const MOST_FAILURES: usize = 1_000;

/// How an owner ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum End {
    #[default]
    Open,
    Succeeded,
    Failed,
    Withdrawn,
}

/// How many came, and what became of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Outcomes {
    pub(crate) submitted: u64,
    pub(crate) succeeded: u64,
    pub(crate) failed: u64,
    pub(crate) withdrawn: u64,
    /// Starts that were left out.
    pub(crate) skipped: u64,
    /// Deadlines.
    pub(crate) met: u64,
    pub(crate) missed: u64,
}

impl Outcomes {
    /// Neither ended nor withdrawn.
    pub(crate) fn active(&self) -> u64 {
        self.submitted.saturating_sub(self.succeeded + self.failed + self.withdrawn)
    }

    /// The sum.
    pub(crate) fn add(&mut self, other: &Self) {
        self.submitted += other.submitted;
        self.succeeded += other.succeeded;
        self.failed += other.failed;
        self.withdrawn += other.withdrawn;
        self.skipped += other.skipped;
        self.met += other.met;
        self.missed += other.missed;
    }
}

impl Engine<'_> {
    /// Counts something of an owner, for whose it was when it came.
    pub(crate) fn tally(&mut self, owner: u32, count: impl Fn(&mut Outcomes)) {
        if self.world.controllers[owner].account == NONE {
            let namespace = self.world.controllers[owner].namespace;
            self.world.controllers[owner].account = self.account_of(owner, NONE, namespace);
        }
        let account = self.world.controllers[owner].account;
        count(&mut self.world.accounts.all[account].outcomes);
    }

    /// An owner comes: it is counted, and its deadline runs.
    pub(crate) fn begins(&mut self, owner: u32) {
        self.world.controllers[owner].begun = true;
        self.tally(owner, |outcomes| outcomes.submitted += 1);
        let deadline = match self.task(owner) {
            Some(task) => task.deadline_ms,
            None => self.workload_of(owner).and_then(|workload| workload.deadline_ms),
        };
        if let Some(ms) = deadline {
            self.world.controllers[owner].due = true;
            self.queue.schedule(self.now.after_ms(ms), CONTROLLER, WorldEvent::Deadline(owner));
        }
    }

    /// This moment has settled: what should be done by now is, or is late.
    pub(crate) fn judge_deadlines(&mut self) {
        for deadline in std::mem::take(&mut self.due) {
            match deadline {
                WorldEvent::Deadline(owner) if std::mem::take(&mut self.world.controllers[owner].due) => {
                    self.tally(owner, |outcomes| outcomes.missed += 1);
                }
                WorldEvent::RowDeadline { owner, row } => self.row_is_late(owner, row),
                _ => {}
            }
        }
    }

    /// An owner is over, for good.
    pub(crate) fn over(&mut self, owner: u32, end: End) -> Result<(), RunError> {
        let state = &mut self.world.controllers[owner];
        if state.end != End::Open {
            return Ok(());
        }
        (state.end, state.closed) = (end, true);
        let due = std::mem::take(&mut state.due);
        let (parent, begun) = (state.parent, state.begun);
        if parent != NONE {
            // There may be very many of these; those of the scenario itself are few.
            (state.units, state.runtimes, state.graces) = (Vec::new(), None, None);
            (state.training, state.flow) = (None, None);
        }
        match end {
            End::Succeeded => self.tally(owner, |o| (o.succeeded, o.met) = (o.succeeded + 1, o.met + u64::from(due))),
            End::Failed => self.tally(owner, |o| (o.failed, o.missed) = (o.failed + 1, o.missed + u64::from(due))),
            End::Withdrawn | End::Open => self.tally(owner, |o| o.withdrawn += u64::from(begun)),
        }
        match self.world.controllers[owner].task {
            NONE => Ok(()),
            task => self.task_over(parent, task, end),
        }
    }

    /// An owner gives up: everything of it is taken back, and why is told.
    pub(crate) fn fail(&mut self, owner: u32, why: String) -> Result<(), RunError> {
        if self.world.controllers[owner].end != End::Open {
            return Ok(());
        }
        self.tell_failure(owner, why);
        self.close(owner, State::Failed)
    }

    /// Tells why an owner failed, or never began.
    pub(crate) fn tell_failure(&mut self, owner: u32, why: String) {
        let state = &self.world.controllers[owner];
        let what = owner_name(self.scenario, state.workload, state.number, state.task);
        self.failed(what, why);
    }

    /// Tells that something failed, and why.
    pub(crate) fn failed(&mut self, what: String, why: String) {
        if self.failures.len() < MOST_FAILURES {
            self.failures.push(FailureRow { at_ms: self.now.0, what, why });
        }
    }
}
