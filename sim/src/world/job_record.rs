//! The record of each job: when it was submitted, started and ended, how long it waited, how often it was tried, and
//! what it lost.
//!
//! A *job* is what is submitted to run as one: an instance of a Job or Training (of a workflow, each of its tasks), a
//! row of a trace, or a replica of a Deployment. Its restarts, and the pods that replace lost ones, belong to it. A job
//! is *whole* while enough of its pods are bound: for a Training, the minimum of each role; for a row, all pods; for a
//! Job, as many as it wants at once. Terminating pods do not count. While a job is not whole, it waits. A gang has
//! started when it has been whole for the first time. A Job has started when as many different pods as it wants at once
//! have been bound, at the same time or not.

use super::{End, NONE, World};
use crate::model::Kind;
use quotree_core::Time;
use std::{cmp::Reverse, collections::BinaryHeap};

/// The time of an event that never happened.
const NEVER: Time = Time(u64::MAX);

/// A job.
#[derive(Debug, Clone, Copy)]
pub(crate) struct JobRecord {
    /// The first of its core workloads, and the current one.
    pub(crate) first: u32,
    unit: u32,
    /// How many more different pods of a Job must be bound before it counts as started.
    unstarted: u32,
    /// Its usage account when it was submitted.
    pub(crate) account: u32,
    /// How often it was tried. Each pod or gang that replaces another one counts, and each time that a gang waits for
    /// new members.
    pub(crate) attempts: u32,
    /// How often it was evicted. The eviction of a gang, or of several members in one plan, counts once.
    pub(crate) evictions: u32,
    pub(crate) end: End,
    pub(crate) submitted: Time,
    started: Time,
    ended: Time,
    /// Since when it is not whole.
    waits_since: Time,
    /// Earlier waits: their sum, and the longest.
    waited_ms: u64,
    longest_ms: u64,
    /// Work that was lost, pod-milliseconds.
    pub(crate) lost_ms: u64,
    /// How long its work takes alone at full speed; [`u64::MAX`] if that is not known or it never ends.
    ideal_ms: u64,
}

/// A length of time. If it has not ended, or was cut short, it is a lower bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Span {
    pub(crate) ms: u64,
    pub(crate) is_open: bool,
}

impl JobRecord {
    /// When it first counted as started.
    pub(crate) fn started(&self) -> Option<Time> {
        Some(self.started).filter(|at| *at != NEVER)
    }

    /// When it ended.
    pub(crate) fn ended(&self) -> Option<Time> {
        Some(self.ended).filter(|at| *at != NEVER)
    }

    /// Whether it waits; if it has ended, whether it waited at its end.
    pub(crate) fn waits(&self) -> bool {
        self.waits_since != NEVER && (self.waits_since < self.ended || self.started == NEVER)
    }

    /// Whether it can still start: it has not ended.
    pub(crate) fn is_live(&self) -> bool {
        self.ended == NEVER
    }

    /// The length of the current wait, or of the wait that its end cut short.
    fn open_ms(&self, now: Time) -> u64 {
        if self.waits() { self.ended.min(now).since(self.waits_since) } else { 0 }
    }

    /// The time from its submission until it first counted as started.
    pub(crate) fn first_wait(&self, now: Time) -> Span {
        match self.started() {
            Some(started) => Span { ms: started.since(self.submitted), is_open: false },
            None => Span { ms: self.ended.min(now).since(self.submitted), is_open: true },
        }
    }

    /// The sum of all waits of the job. A wait that is under way when the job succeeds counts as ended, since the job no
    /// longer needs the pod that is missing.
    pub(crate) fn wait(&self, now: Time) -> Span {
        let is_open = self.waits() && self.end != End::Succeeded;
        Span { ms: self.waited_ms.saturating_add(self.open_ms(now)), is_open }
    }

    /// Its longest wait.
    pub(crate) fn longest_wait_ms(&self, now: Time) -> u64 {
        self.longest_ms.max(self.open_ms(now))
    }

    /// The time from its submission until it succeeded.
    pub(crate) fn turnaround(&self, now: Time) -> Span {
        Span { ms: self.ended.min(now).since(self.submitted), is_open: self.end != End::Succeeded }
    }

    /// Its turnaround divided by the time that its work takes alone at full speed, thousandths, rounded to the nearest.
    /// It is never less than 1000.
    pub(crate) fn slowdown_permille(&self, now: Time) -> Option<Span> {
        let ideal = Some(u128::from(self.ideal_ms)).filter(|ideal| *ideal > 0 && self.ideal_ms != u64::MAX)?;
        let Span { ms, is_open } = self.turnaround(now);
        let permille = u64::try_from((u128::from(ms) * 1000 + ideal / 2) / ideal).unwrap_or(u64::MAX);
        Some(Span { ms: if is_open { permille.max(1000) } else { permille }, is_open })
    }

    /// Sets whether it is whole from now on.
    fn set_whole(&mut self, whole: bool, now: Time) {
        match (whole, self.waits_since == NEVER) {
            (true, false) => {
                let waited = now.since(self.waits_since);
                self.waited_ms = self.waited_ms.saturating_add(waited);
                self.longest_ms = self.longest_ms.max(waited);
                self.waits_since = NEVER;
                self.started = self.started.min(now);
            }
            (false, true) => self.waits_since = now,
            _ => {}
        }
    }
}

impl World<'_> {
    /// The turnaround of a job; nothing for a replica, which never ends by itself.
    pub(crate) fn turnaround(&self, record: &JobRecord, now: Time) -> Option<Span> {
        let is_replica = matches!(self.kind(self.units[record.first].owner), Some(Kind::Deployment { .. }));
        (!is_replica).then(|| record.turnaround(now))
    }
}

/// The job of a core workload that is being submitted: a new job, or that of the core workload that it replaces.
pub(crate) fn of_new(world: &mut World<'_>, (owner, unit): (u32, u32), account: u32, replaces: Option<u32>) -> u32 {
    let known = match replaces {
        Some(replaced) => world.units[replaced].job,
        None => world.controllers[owner].record,
    };
    if known != NONE {
        let record = &mut world.jobs[known];
        record.unit = unit;
        record.attempts += u32::from(replaces.is_some());
        return known;
    }
    let record = world.jobs.push(JobRecord {
        first: unit,
        unit,
        unstarted: match world.kind(owner) {
            Some(Kind::Job { completions, parallelism, .. }) => *completions.min(parallelism),
            _ => 0,
        },
        account,
        attempts: 1,
        evictions: 0,
        end: End::Open,
        submitted: world.now,
        started: NEVER,
        ended: NEVER,
        waits_since: world.now,
        waited_ms: 0,
        longest_ms: 0,
        lost_ms: 0,
        ideal_ms: u64::MAX,
    });
    if matches!(world.kind(owner), Some(Kind::Job { .. } | Kind::Training { .. })) {
        world.controllers[owner].record = record;
    }
    record
}

/// Updates a job after the state of one of its pods, or the number of pods that it wants, has changed.
#[inline]
pub(crate) fn update(world: &mut World<'_>, job: u32) {
    let record = &world.jobs[job];
    if record.ended != NEVER {
        return;
    }
    let unit = &world.units[record.unit];
    let controller = &world.controllers[unit.owner];
    let whole = match (&controller.training, controller.job.parallelism) {
        (Some(training), _) => training.unit == Some(record.unit) && training.is_whole(),
        (None, 0) => unit.active > 0 && unit.active == unit.first_count,
        (None, parallelism) => {
            let bound = controller.running - controller.leaving;
            bound > 0 && bound >= parallelism.min(controller.wanted)
        }
    };
    let now = world.now;
    world.jobs[job].set_whole(whole, now);
}

/// Counts a pod of a Job that is bound for the first time and does not replace another one.
pub(crate) fn pod_started(world: &mut World<'_>, job: u32) {
    let now = world.now;
    let record = &mut world.jobs[job];
    if record.unstarted > 0 {
        record.unstarted -= 1;
        if record.unstarted == 0 {
            record.started = record.started.min(now);
        }
    }
}

/// Records the end of a job.
pub(crate) fn end(world: &mut World<'_>, job: u32, end: End) {
    if job == NONE {
        return;
    }
    let now = world.now;
    let record = &mut world.jobs[job];
    if record.ended == NEVER {
        (record.ended, record.end) = (now, end);
    }
}

/// Sets how long the work of a new job takes alone at full speed, if that is known.
pub(crate) fn set_ideal(world: &mut World<'_>, unit: u32, ideal_ms: Option<u64>) {
    let job = world.units[unit].job;
    world.jobs[job].ideal_ms = ideal_ms.unwrap_or(u64::MAX);
}

/// The times at which the pods of a Job end if it runs alone: each begins when one of `parallelism` places is free.
#[derive(Debug, Clone, Default)]
pub(crate) struct Schedule {
    /// The time at which each used place becomes free.
    free: BinaryHeap<Reverse<u64>>,
    end_ms: u64,
}

impl Schedule {
    /// Adds a pod that works for this long. Returns when all pods so far have ended.
    pub(crate) fn add(&mut self, ms: u64, parallelism: u32) -> u64 {
        let full = self.free.len() >= parallelism as usize;
        let begins = if full { self.free.pop().map_or(0, |place| place.0) } else { 0 };
        let ends = begins.saturating_add(ms);
        self.free.push(Reverse(ends));
        self.end_ms = self.end_ms.max(ends);
        self.end_ms
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_alone_ends_when_its_last_place_is_free() {
        let mut schedule = Schedule::default();
        // Two places: 5 and 3; then 4 from 3 to 7, 1 from 5 to 6, 9 from 6 to 15.
        let ends: Vec<u64> = [5, 3, 4, 1, 9].into_iter().map(|ms| schedule.add(ms, 2)).collect();
        assert_eq!(ends, [5, 5, 7, 7, 15]);
        let mut one = Schedule::default();
        assert_eq!([5, 3, 4].map(|ms| one.add(ms, 1)), [5, 8, 12]);
    }
}
