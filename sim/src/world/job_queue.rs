//! Job queues at work: units that are suspended, whose turn it is, and who goes back because it did not start in time.
//!
//! The scheduler knows a unit from when it is let out until it ends or goes back. A unit is let out when it is its turn,
//! fewer than `max_jobs` are out, and what the leaf's workloads ask, waiting ones included, stays within the leaf's max:
//! the queue keeps the waiting out of the scheduler, it does not place anybody.

use super::{CONTROLLER, State, WorldEvent};
use crate::{
    engine::Engine,
    model::{JobQueue, Kind, QueueOrder, Scenario},
    options::{RunError, TimelineEvent},
    text::{Names, time_text},
    timeline::Entry,
    trace::TraceEvent,
};
use quotree_core::{Event, Name, QuotaId, Time, WorkloadId, WorkloadSpec};
use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
};

/// The place of a suspended unit: priority, how often it was tried where that counts, submission, number.
type Place = (Reverse<i32>, u32, Time, u32);

/// The queues of a run.
#[derive(Debug, Default)]
pub(crate) struct JobQueues {
    lines: Vec<Row>,
    /// Units that are suspended or out, by number.
    jobs: BTreeMap<u32, Job>,
}

/// One queue: who is suspended, in order, and how many are out.
#[derive(Debug, Default)]
struct Row {
    suspended: BTreeSet<Place>,
    out: BTreeSet<u32>,
    /// Those of them that have not started yet.
    starting: BTreeSet<u32>,
    /// What the leaf had left when nobody could be let out; while that stays and nobody comes, nobody is looked at again.
    looked: Option<Vec<(Name, i128)>>,
}

#[derive(Debug)]
struct Job {
    line: usize,
    spec: WorkloadSpec,
    /// How often it was let out.
    tries: u32,
    /// While it is suspended: not before.
    suspended: Option<Time>,
    /// Its place in the line while it is suspended.
    place: Place,
}

impl JobQueues {
    pub(crate) fn new(scenario: &Scenario) -> Self {
        Self { lines: scenario.queues.iter().map(|_| Row::default()).collect(), jobs: BTreeMap::new() }
    }

    /// Whether the scheduler does not know a unit because it is suspended.
    pub(crate) fn is_suspended(&self, unit: u32) -> bool {
        self.jobs.get(&unit).is_some_and(|job| job.suspended.is_some())
    }

    /// The suspended units, by number, with what was submitted.
    pub(crate) fn suspended(&self) -> impl Iterator<Item = &WorkloadSpec> {
        self.jobs.values().filter(|job| job.suspended.is_some()).map(|job| &job.spec)
    }

    /// A unit runs.
    pub(crate) fn started(&mut self, unit: u32) {
        if let Some(line) = self.jobs.get(&unit).and_then(|job| self.lines.get_mut(job.line)) {
            line.starting.remove(&unit);
            line.looked = None;
        }
    }

    /// All pods of a unit have ended.
    pub(crate) fn ended(&mut self, unit: u32) {
        let Some(job) = self.jobs.remove(&unit) else { return };
        if let Some(line) = self.lines.get_mut(job.line) {
            line.suspended.remove(&job.place);
            line.out.remove(&unit);
            line.starting.remove(&unit);
            line.looked = None;
        }
    }

    /// The back-off of a unit is over.
    pub(crate) fn may_try_again(&mut self, unit: u32) {
        if let Some(line) = self.jobs.get(&unit).and_then(|job| self.lines.get_mut(job.line)) {
            line.looked = None;
        }
    }
}

impl Engine<'_> {
    /// Suspends a new unit if a queue stands before its leaf; gives it back if the scheduler is to know of it now.
    pub(crate) fn suspend(&mut self, unit: u32, spec: WorkloadSpec, restarts: bool) -> Option<WorkloadSpec> {
        let Some(line) = self.queue_of(unit) else { return Some(spec) };
        let place = (Reverse(spec.priority), 0, self.now, unit);
        if restarts {
            // What was let out once stays out, whoever stands in for it.
            self.world.job_queues.jobs.insert(unit, Job { line, spec: spec.clone(), tries: 0, suspended: None, place });
            if let Some(line) = self.world.job_queues.lines.get_mut(line) {
                line.out.insert(unit);
            }
            return Some(spec);
        }
        self.world.job_queues.jobs.insert(unit, Job { line, spec, tries: 0, suspended: Some(self.now), place });
        self.line_up(unit);
        self.trace(TraceEvent::Suspend { workload: WorkloadId(unit) });
        let why = self.why_suspended(unit);
        self.tell(unit, TimelineEvent::Suspended, |_, _| Entry {
            what: format!("is suspended: {why}"),
            ..Entry::default()
        });
        None
    }

    /// The queue in front of a unit, by its place in the scenario. Deployments have none: they never end.
    fn queue_of(&self, unit: u32) -> Option<usize> {
        if self.scenario.queues.is_empty() {
            return None;
        }
        let unit = &self.world.units[unit];
        let kind = self.kind(unit.owner);
        let leaf = self.world.namespaces[unit.namespace].leaf?;
        let name = self.core.scheduler().tree().name(QuotaId(leaf));
        let queue = self.scenario.queues.iter().position(|queue| queue.quota == *name);
        queue.filter(|_| !matches!(kind, None | Some(Kind::Deployment { .. })))
    }

    fn job_queue(&self, line: usize) -> Option<&JobQueue> {
        self.scenario.queues.get(line)
    }

    fn line_up(&mut self, unit: u32) {
        let created = self.world.units[unit].created;
        let Some(job) = self.world.job_queues.jobs.get(&unit) else { return };
        let turns = self.job_queue(job.line).is_some_and(|queue| queue.queueing == QueueOrder::RoundRobin);
        let place = (Reverse(job.spec.priority), if turns { job.tries } else { 0 }, created, unit);
        let line = job.line;
        let queues = &mut self.world.job_queues;
        if let (Some(job), Some(line)) = (queues.jobs.get_mut(&unit), queues.lines.get_mut(line)) {
            job.place = place;
            line.suspended.insert(place);
            line.looked = None;
        }
    }

    /// A unit is edited, suspended or not; gives whether the scheduler does not know of it.
    pub(crate) fn edit_job(&mut self, unit: u32, priority: Option<i32>, preemptible: Option<bool>) -> bool {
        let Some(job) = self.world.job_queues.jobs.get_mut(&unit) else { return false };
        job.spec.priority = priority.unwrap_or(job.spec.priority);
        job.spec.preemptible = preemptible.unwrap_or(job.spec.preemptible);
        let (line, place, suspended) = (job.line, job.place, job.suspended.is_some());
        if suspended {
            if let Some(line) = self.world.job_queues.lines.get_mut(line) {
                line.suspended.remove(&place);
            }
            self.line_up(unit);
        }
        suspended
    }

    /// Lets out whose turn it is, in every queue.
    pub(crate) fn let_jobs_out(&mut self) -> Result<(), RunError> {
        for line in 0..self.scenario.queues.len() {
            while let Some(unit) = self.next_job(line) {
                self.let_out(line, unit)?;
            }
        }
        Ok(())
    }

    /// Who is let out next, if anybody.
    fn next_job(&mut self, line: usize) -> Option<u32> {
        let queue = self.job_queue(line)?;
        let state = self.world.job_queues.lines.get(line)?;
        let blocks = queue.queueing == QueueOrder::Block;
        let full = queue.max_jobs.is_some_and(|most| state.out.len() >= most as usize);
        if full || state.suspended.is_empty() || blocks && !state.starting.is_empty() {
            return None;
        }
        let room = self.room_in_leaf(queue);
        if state.looked.as_ref() == Some(&room) {
            return None;
        }
        let may = |place: &&Place| {
            let job = self.world.job_queues.jobs.get(&place.3);
            job.is_some_and(|job| job.suspended.is_some_and(|from| from <= self.now) && fits(&room, &job.spec))
        };
        let looked_at = if blocks { 1 } else { usize::MAX };
        let found = state.suspended.iter().take(looked_at).find(may).map(|place| place.3);
        if let Some(line) = self.world.job_queues.lines.get_mut(line).filter(|_| found.is_none()) {
            line.looked = Some(room);
        }
        found
    }

    /// What the leaf's max leaves beside all that the leaf's workloads ask, waiting ones included, by resource.
    fn room_in_leaf(&self, queue: &JobQueue) -> Vec<(Name, i128)> {
        let scheduler = self.core.scheduler();
        let leaf = scheduler.tree().by_name(queue.quota.as_str());
        let Some((leaf, spec)) = leaf.and_then(|leaf| Some((leaf, scheduler.tree().spec(leaf)?))) else {
            return Vec::new();
        };
        let asked = scheduler.usage(leaf).request;
        let left =
            |most: i64, resource: &Name| i128::from(most) - i128::from(asked.get(resource.as_str()).unwrap_or(0));
        spec.max.iter().map(|(resource, most)| (resource.clone(), left(most, resource))).collect()
    }

    fn let_out(&mut self, line: usize, unit: u32) -> Result<(), RunError> {
        let Some(job) = self.world.job_queues.jobs.get_mut(&unit) else { return Ok(()) };
        (job.tries, job.suspended) = (job.tries + 1, None);
        let (spec, tries, place) = (job.spec.clone(), job.tries, job.place);
        if let Some(line) = self.world.job_queues.lines.get_mut(line) {
            line.suspended.remove(&place);
            line.out.insert(unit);
            line.starting.insert(unit);
        }
        self.trace(TraceEvent::LetOut { workload: WorkloadId(unit), tries });
        self.tell(unit, TimelineEvent::LetOut, |_, _| Entry {
            what: "is admitted from its job queue".into(),
            ..Entry::default()
        });
        self.timeline_waits(unit);
        self.figures.let_out += 1;
        let account = self.world.units[unit].account;
        self.world.accounts.all[account].let_out += 1;
        if let Some(ms) = self.job_queue(line).and_then(|queue| queue.start_timeout_ms) {
            self.queue.schedule(self.now.after_ms(ms), CONTROLLER, WorldEvent::StartTimeout { unit, tries });
        }
        self.feed(Event::WorkloadSubmitted(spec))
    }

    /// Whether a start timeout has nothing to end any more.
    pub(crate) fn has_started(&self, unit: u32, tries: u32) -> bool {
        let job = self.world.job_queues.jobs.get(&unit);
        let starting = |job: &Job| {
            let line = self.world.job_queues.lines.get(job.line);
            job.tries == tries && line.is_some_and(|line| line.starting.contains(&unit))
        };
        !job.is_some_and(starting)
    }

    /// A unit that was let out has not started in time: it goes back, unless it is about to start.
    pub(crate) fn start_timeout(&mut self, unit: u32, tries: u32) -> Result<(), RunError> {
        let Some(queue) = self.world.job_queues.jobs.get(&unit).and_then(|job| self.job_queue(job.line)).cloned()
        else {
            return Ok(());
        };
        if self.has_started(unit, tries) || queue.start_timeout_ms.is_none() {
            return Ok(());
        }
        let about_to = self.world.pods_of(unit).any(|pod| self.world.pods[pod].state != State::Waiting)
            || self.core.scheduler().workload(WorkloadId(unit)).is_some_and(|view| view.held);
        if about_to {
            // What leaves for it would leave in vain (S3).
            let again = self.now.after_ms(queue.start_timeout_ms.unwrap_or(queue.backoff_ms));
            self.queue.schedule(again, CONTROLLER, WorldEvent::StartTimeout { unit, tries });
            return Ok(());
        }
        let wait = queue.wait_ms(tries);
        let until = self.now.after_ms(wait);
        if let Some(job) = self.world.job_queues.jobs.get_mut(&unit) {
            job.suspended = Some(until);
            if let Some(line) = self.world.job_queues.lines.get_mut(job.line) {
                line.out.remove(&unit);
                line.starting.remove(&unit);
            }
        }
        self.line_up(unit);
        self.queue.schedule(until, CONTROLLER, WorldEvent::BackOffOver(unit));
        self.figures.start_timeouts += 1;
        let account = self.world.units[unit].account;
        self.world.accounts.all[account].start_timeouts += 1;
        self.trace(TraceEvent::Suspend { workload: WorkloadId(unit) });
        self.tell(unit, TimelineEvent::Suspended, |_, _| Entry {
            what: format!(
                "did not start within {} and returns to its job queue for at least {} (attempt {tries})",
                time_text(queue.start_timeout_ms.unwrap_or(0)),
                time_text(wait)
            ),
            ..Entry::default()
        });
        self.feed(Event::WorkloadWithdrawn { workload: WorkloadId(unit) })
    }

    /// The tree was replaced: namespaces may stand behind other queues, or behind none. Who is suspended waits there, or is
    /// let out; who is out counts there, or nowhere.
    pub(crate) fn line_up_anew(&mut self) -> Result<(), RunError> {
        let units: Vec<u32> = self.world.job_queues.jobs.keys().copied().collect();
        for unit in units {
            let now = self.queue_of(unit);
            let queues = &mut self.world.job_queues;
            let Some(job) = queues.jobs.get_mut(&unit).filter(|job| now != Some(job.line)) else { continue };
            let (before, place, suspended) = (job.line, job.place, job.suspended.is_some());
            job.line = now.unwrap_or(before);
            let mut starting = false;
            if let Some(line) = queues.lines.get_mut(before) {
                line.suspended.remove(&place);
                line.out.remove(&unit);
                starting = line.starting.remove(&unit);
                line.looked = None;
            }
            match now {
                Some(_) if suspended => self.line_up(unit),
                Some(line) => {
                    if let Some(line) = queues.lines.get_mut(line) {
                        line.out.insert(unit);
                        line.starting.extend(starting.then_some(unit));
                    }
                }
                None if suspended => {
                    self.let_out(before, unit)?;
                    // No queue counts it any more.
                    self.world.job_queues.ended(unit);
                }
                None => self.world.job_queues.ended(unit),
            }
        }
        Ok(())
    }

    /// Why a suspended unit is not let out, in a sentence without its subject.
    pub(crate) fn why_suspended(&self, unit: u32) -> String {
        let Some(job) = self.world.job_queues.jobs.get(&unit) else { return String::new() };
        let (Some(queue), Some(line)) = (self.job_queue(job.line), self.world.job_queues.lines.get(job.line)) else {
            return String::new();
        };
        let before = line.suspended.iter().take_while(|place| place.3 != unit).count();
        let place = format!("position {} of {} in the job queue of {}", before + 1, line.suspended.len(), queue.quota);
        if let Some(until) = job.suspended.filter(|until| *until > self.now) {
            let left = time_text(until.since(self.now));
            return format!("{place}: it did not start in time, the next attempt is in {left}");
        }
        if let Some(most) = queue.max_jobs.filter(|most| line.out.len() >= *most as usize) {
            return format!("{place}: the queue has admitted its max_jobs of {most}");
        }
        if !fits(&self.room_in_leaf(queue), &job.spec) {
            return format!("{place}: with it, the admitted jobs would request more than the max of {}", queue.quota);
        }
        let names = self.names();
        match line.starting.first().filter(|_| queue.queueing == QueueOrder::Block) {
            Some(first) => format!("{place}: {} has not started yet", names.workload(WorkloadId(*first))),
            None => place,
        }
    }
}

/// Whether what a job needs to start fits; of several roles, the minimum of each.
fn fits(room: &[(Name, i128)], spec: &WorkloadSpec) -> bool {
    let needs = |resource: &Name| -> i128 {
        let of = |set: &quotree_core::PodSet| i128::from(set.template.request.get(resource.as_str()).unwrap_or(0));
        spec.pods.iter().map(|set| of(set) * i128::from(set.min)).sum()
    };
    room.iter().all(|(resource, left)| needs(resource) == 0 || needs(resource) <= *left)
}
