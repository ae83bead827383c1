//! How the work of a controller ends: done, failed, or withdrawn. It ends only once. Then the end is counted, the
//! deadline is met or missed, the state needed only while it runs is dropped, and the workflow that contains it is
//! notified.

use super::{CONTROLLER, NONE, State, World, WorldEvent, access, job_record, owner_name, submit, workflow};
use crate::result::FailureRow;

/// How the work of a controller ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum End {
    #[default]
    Open,
    Succeeded,
    Failed,
    Withdrawn,
}

/// How many controllers were submitted, and how they ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Outcomes {
    pub(crate) submitted: u64,
    pub(crate) succeeded: u64,
    pub(crate) failed: u64,
    pub(crate) withdrawn: u64,
    /// Starts that a cron job skipped.
    pub(crate) skipped: u64,
    /// Met and missed deadlines.
    pub(crate) met: u64,
    pub(crate) missed: u64,
}

impl Outcomes {
    /// How many have neither ended nor been withdrawn.
    pub(crate) fn active(&self) -> u64 {
        self.submitted.saturating_sub(self.succeeded + self.failed + self.withdrawn)
    }

    /// Adds the counts of other outcomes.
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

/// Counts an outcome of a controller, in the account that it had at its submission.
pub(crate) fn count(world: &mut World<'_>, owner: u32, count: impl Fn(&mut Outcomes)) {
    if world.controllers[owner].account == NONE {
        let namespace = world.controllers[owner].namespace;
        world.controllers[owner].account = access::account_of(world, owner, NONE, namespace);
    }
    let account = world.controllers[owner].account;
    count(&mut world.accounts.all[account].outcomes);
}

/// Counts a controller that begins, and schedules its deadline.
pub(crate) fn open(world: &mut World<'_>, owner: u32) {
    let now = world.now;
    let state = &mut world.controllers[owner];
    (state.begun, state.since) = (true, now);
    count(world, owner, |outcomes| outcomes.submitted += 1);
    let deadline = match world.task(owner) {
        Some(task) => task.deadline_ms,
        None => world.workload_of(owner).and_then(|workload| workload.deadline_ms),
    };
    if let Some(ms) = deadline {
        world.controllers[owner].due = true;
        world.schedule(world.now.after_ms(ms), CONTROLLER, WorldEvent::Deadline(owner));
    }
}

/// Ends the work of a controller for good.
pub(crate) fn finish(world: &mut World<'_>, owner: u32, end: End) {
    let state = &mut world.controllers[owner];
    if state.end != End::Open {
        return;
    }
    (state.end, state.closed) = (end, true);
    let due = std::mem::take(&mut state.due);
    let (parent, begun) = (state.parent, state.begun);
    if parent != NONE {
        // There may be very many instances and tasks; the workloads of the scenario are few.
        (state.units, state.runtimes, state.graces) = (Vec::new(), None, None);
        (state.training, state.flow) = (None, None);
    }
    match end {
        End::Succeeded => count(world, owner, |o| (o.succeeded, o.met) = (o.succeeded + 1, o.met + u64::from(due))),
        End::Failed => count(world, owner, |o| (o.failed, o.missed) = (o.failed + 1, o.missed + u64::from(due))),
        End::Withdrawn | End::Open => count(world, owner, |o| o.withdrawn += u64::from(begun)),
    }
    world.controllers[owner].job.alone = None;
    job_record::end(world, world.controllers[owner].record, end);
    match world.controllers[owner].task {
        NONE => {}
        task => workflow::task_over(world, parent, task, end),
    }
}

/// Fails the work of a controller: withdraws its pods, and records the reason.
pub(crate) fn fail(world: &mut World<'_>, owner: u32, why: String) {
    if world.controllers[owner].end != End::Open {
        return;
    }
    record_failure_of(world, owner, why);
    submit::close(world, owner, State::Failed)
}

/// Records why the work of a controller failed, or never began.
pub(crate) fn record_failure_of(world: &mut World<'_>, owner: u32, why: String) {
    let state = &world.controllers[owner];
    let what = owner_name(world.scenario, state.workload, state.number, state.task);
    record_failure(world, what, why);
}

/// Records that something failed, and why.
pub(crate) fn record_failure(world: &mut World<'_>, what: String, why: String) {
    world.failures.push(FailureRow { at_ms: world.now.0, what, why });
}
