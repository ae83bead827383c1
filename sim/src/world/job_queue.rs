//! Job queues: which core workloads are suspended, in which order they are released, and which return to the queue
//! because they did not start in time.
//!
//! The scheduler knows a core workload from its release until it ends or returns to the queue. The queue releases a
//! core workload when three conditions hold: it is the workload's turn; fewer than `max_jobs` released ones have not
//! ended; and the requests of the workloads of the leaf, including pending ones, stay within the max of the leaf. A job
//! queue keeps pending work away from the scheduler; it places nothing.

use super::{CONTROLLER, Fact, State, World, WorldEvent};
use crate::{
    model::{JobQueue, Kind, QueueOrder, Scenario},
    trace::TraceEvent,
};
use quotree_core::{Amounts, Event, Name, PodSet, PodTemplate, QuotaId, Scheduler, Time, WorkloadId, WorkloadSpec};
use quotree_syntax::time_text;
use quotree_words::{Names, with_unit};
use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// The sort key of a suspended core workload: priority, number of tries where that counts, age (O3), number.
type Place = (Reverse<i32>, u32, Time, u32);

/// The job queues of a run, in the order of the scenario.
#[derive(Debug, Default)]
pub(crate) struct JobQueues {
    queues: Vec<QueueState>,
    /// Core workloads that are suspended or released, by number.
    jobs: BTreeMap<u32, Job>,
}

/// One job queue.
#[derive(Debug, Default)]
struct QueueState {
    /// Suspended core workloads, in order of release.
    suspended: BTreeSet<Place>,
    /// Core workloads that were released and have not ended.
    out: BTreeSet<u32>,
    /// Core workloads that were released and have not started yet.
    starting: BTreeSet<u32>,
    /// The room in the leaf when the queue last could not release anything. The queue does not try again while this
    /// room stays the same and no core workload joins or leaves it.
    no_fit: Option<Vec<(Name, i128)>>,
}

#[derive(Debug)]
struct Job {
    queue: usize,
    spec: WorkloadSpec,
    /// How often it was released.
    tries: u32,
    /// While it is suspended: it is not released before this time.
    suspended: Option<Time>,
    /// While it is suspended: its position in the queue.
    place: Place,
}

impl JobQueues {
    pub(crate) fn new(scenario: &Scenario) -> Self {
        Self { queues: scenario.queues.iter().map(|_| QueueState::default()).collect(), jobs: BTreeMap::new() }
    }

    /// How many job queues there are.
    pub(crate) const fn len(&self) -> usize {
        self.queues.len()
    }

    /// Whether a core workload is suspended, and so unknown to the scheduler.
    pub(crate) fn is_suspended(&self, unit: u32) -> bool {
        self.jobs.get(&unit).is_some_and(|job| job.suspended.is_some())
    }

    /// Whether a core workload is in its back-off: it did not start in time, and is not released before a later time.
    pub(crate) fn backs_off(&self, unit: u32, now: Time) -> bool {
        self.jobs.get(&unit).is_some_and(|job| job.suspended.is_some_and(|until| until > now))
    }

    /// The suspended core workloads, by number, as they were submitted.
    pub(crate) fn suspended(&self) -> impl Iterator<Item = &WorkloadSpec> {
        self.jobs.values().filter(|job| job.suspended.is_some()).map(|job| &job.spec)
    }

    /// Records that a core workload has started to run.
    pub(crate) fn started(&mut self, unit: u32) {
        if let Some(queue) = self.jobs.get(&unit).and_then(|job| self.queues.get_mut(job.queue)) {
            queue.starting.remove(&unit);
            queue.no_fit = None;
        }
    }

    /// Removes a core workload whose pods have all ended, or that no queue counts any more.
    pub(crate) fn ended(&mut self, unit: u32) {
        let Some(job) = self.jobs.remove(&unit) else { return };
        if let Some(queue) = self.queues.get_mut(job.queue) {
            queue.suspended.remove(&job.place);
            queue.out.remove(&unit);
            queue.starting.remove(&unit);
            queue.no_fit = None;
        }
    }

    /// Ends the back-off of a core workload.
    pub(crate) fn may_try_again(&mut self, unit: u32) {
        if let Some(queue) = self.jobs.get(&unit).and_then(|job| self.queues.get_mut(job.queue)) {
            queue.no_fit = None;
        }
    }

    /// Whether a start timeout is obsolete: the core workload has started, or was released again since.
    pub(crate) fn has_started(&self, unit: u32, tries: u32) -> bool {
        let starting = |job: &Job| {
            let queue = self.queues.get(job.queue);
            job.tries == tries && queue.is_some_and(|queue| queue.starting.contains(&unit))
        };
        !self.jobs.get(&unit).is_some_and(starting)
    }

    /// Inserts a suspended core workload into its queue. With `takes_turns`, workloads with fewer tries go first.
    fn enqueue(&mut self, unit: u32, age: Time, takes_turns: bool) {
        let Some(job) = self.jobs.get_mut(&unit) else { return };
        job.place = (Reverse(job.spec.priority), if takes_turns { job.tries } else { 0 }, age, unit);
        if let Some(queue) = self.queues.get_mut(job.queue) {
            queue.suspended.insert(job.place);
            queue.no_fit = None;
        }
    }
}

/// Suspends a new core workload if its leaf has a job queue; otherwise returns it, to be passed to the scheduler now.
pub(crate) fn suspend(world: &mut World<'_>, unit: u32, spec: WorkloadSpec, restarts: bool) -> Option<WorkloadSpec> {
    let Some(queue) = queue_of(world, unit) else { return Some(spec) };
    let place = (Reverse(spec.priority), 0, world.units[unit].age, unit);
    if restarts {
        // Work that was released once stays out: its replacement is not suspended.
        world.job_queues.jobs.insert(unit, Job { queue, spec: spec.clone(), tries: 0, suspended: None, place });
        if let Some(queue) = world.job_queues.queues.get_mut(queue) {
            queue.out.insert(unit);
        }
        return Some(spec);
    }
    world.job_queues.jobs.insert(unit, Job { queue, spec, tries: 0, suspended: Some(world.now), place });
    enqueue(world, unit);
    world.trace(TraceEvent::Suspend { workload: WorkloadId(unit) });
    world.emit(Fact::Suspended { unit });
    None
}

/// The job queue of a core workload, by its index in the scenario. Deployments have none, since they never end.
fn queue_of(world: &World<'_>, unit: u32) -> Option<usize> {
    if world.scenario.queues.is_empty() {
        return None;
    }
    let unit = &world.units[unit];
    let kind = world.kind(unit.owner);
    let leaf = world.namespaces[unit.namespace].leaf?;
    let name = world.trees.current().name(QuotaId(leaf));
    let queue = world.scenario.queues.iter().position(|queue| queue.quota == *name);
    queue.filter(|_| !matches!(kind, None | Some(Kind::Deployment { .. })))
}

fn enqueue(world: &mut World<'_>, unit: u32) {
    let job = world.job_queues.jobs.get(&unit);
    let spec = job.and_then(|job| world.scenario.queues.get(job.queue));
    let takes_turns = spec.is_some_and(|queue| queue.queueing == QueueOrder::RoundRobin);
    world.job_queues.enqueue(unit, world.units[unit].age, takes_turns);
}

/// Edits a core workload, suspended or not. Returns whether the scheduler does not know it.
pub(crate) fn edit(world: &mut World<'_>, unit: u32, priority: Option<i32>, preemptible: Option<bool>) -> bool {
    let JobQueues { queues, jobs } = &mut world.job_queues;
    let Some(job) = jobs.get_mut(&unit) else { return false };
    job.spec.priority = priority.unwrap_or(job.spec.priority);
    job.spec.preemptible = preemptible.unwrap_or(job.spec.preemptible);
    if job.suspended.is_none() {
        return false;
    }
    if let Some(queue) = queues.get_mut(job.queue) {
        queue.suspended.remove(&job.place);
    }
    enqueue(world, unit);
    true
}

/// Changes what the pods of a core workload request when it is released.
pub(crate) fn resize(world: &mut World<'_>, unit: u32, template: &Arc<PodTemplate>) {
    let JobQueues { queues, jobs } = &mut world.job_queues;
    let Some(job) = jobs.get_mut(&unit) else { return };
    job.spec.pods.iter_mut().for_each(|set| set.template = Arc::clone(template));
    if let Some(queue) = queues.get_mut(job.queue) {
        queue.no_fit = None;
    }
}

/// The core workload that this queue releases next, if any.
pub(crate) fn next_to_release(world: &mut World<'_>, queue: usize, scheduler: &Scheduler) -> Option<u32> {
    let spec = world.scenario.queues.get(queue)?;
    let JobQueues { queues, jobs } = &mut world.job_queues;
    let state = queues.get_mut(queue)?;
    let blocks = spec.queueing == QueueOrder::Block;
    let full = spec.max_jobs.is_some_and(|most| state.out.len() >= most as usize);
    if full || state.suspended.is_empty() || blocks && !state.starting.is_empty() {
        return None;
    }
    let room = room_in_leaf(spec, scheduler);
    if state.no_fit.as_ref() == Some(&room) {
        return None;
    }
    let may_start = |place: &&Place| {
        let job = jobs.get(&place.3);
        job.is_some_and(|job| job.suspended.is_some_and(|from| from <= world.now) && fits(&room, &job.spec))
    };
    let tried = if blocks { 1 } else { usize::MAX };
    let found = state.suspended.iter().take(tried).find(may_start).map(|place| place.3);
    if found.is_none() {
        state.no_fit = Some(room);
    }
    found
}

/// What the max of the leaf leaves beside all requests of the leaf's workloads, including pending ones, by resource.
fn room_in_leaf(queue: &JobQueue, scheduler: &Scheduler) -> Vec<(Name, i128)> {
    let leaf = scheduler.tree().by_name(queue.quota.as_str());
    let Some((leaf, spec)) = leaf.and_then(|leaf| Some((leaf, scheduler.tree().spec(leaf)?))) else {
        return Vec::new();
    };
    let requested = scheduler.usage(leaf).request;
    let left =
        |most: i64, resource: &Name| i128::from(most) - i128::from(requested.get(resource.as_str()).unwrap_or(0));
    spec.max.iter().map(|(resource, most)| (resource.clone(), left(most, resource))).collect()
}

/// Releases a core workload, which passes it to the scheduler.
pub(crate) fn release(world: &mut World<'_>, queue: usize, unit: u32) {
    let JobQueues { queues, jobs } = &mut world.job_queues;
    let Some(job) = jobs.get_mut(&unit) else { return };
    (job.tries, job.suspended) = (job.tries + 1, None);
    let (spec, tries) = (job.spec.clone(), job.tries);
    if let Some(queue) = queues.get_mut(queue) {
        queue.suspended.remove(&job.place);
        queue.out.insert(unit);
        queue.starting.insert(unit);
    }
    world.trace(TraceEvent::LetOut { workload: WorkloadId(unit), tries });
    world.accounts.all[world.units[unit].account].let_out += 1;
    if let Some(ms) = world.scenario.queues.get(queue).and_then(|queue| queue.start_timeout_ms) {
        world.schedule(world.now.after_ms(ms), CONTROLLER, WorldEvent::StartTimeout { unit, tries });
    }
    world.tell(Event::WorkloadSubmitted(spec));
}

/// Returns a released core workload that has not started in time to its queue, unless it is about to start.
pub(crate) fn start_timeout(world: &mut World<'_>, unit: u32, tries: u32, scheduler: &Scheduler) {
    let job = world.job_queues.jobs.get(&unit);
    let Some(spec) = job.and_then(|job| world.scenario.queues.get(job.queue)) else { return };
    let Some(timeout_ms) = spec.start_timeout_ms.filter(|_| !world.job_queues.has_started(unit, tries)) else {
        return;
    };
    let about_to_start = world.pods_of(unit).any(|pod| world.pods[pod].state != State::Waiting)
        || scheduler.workload(WorkloadId(unit)).is_some_and(|view| view.held);
    if about_to_start {
        // The pods that are leaving for it would have been evicted in vain (S3).
        let again = world.now.after_ms(timeout_ms);
        world.schedule(again, CONTROLLER, WorldEvent::StartTimeout { unit, tries });
        return;
    }
    let wait_ms = spec.wait_ms(tries);
    let until = world.now.after_ms(wait_ms);
    let JobQueues { queues, jobs } = &mut world.job_queues;
    if let Some(job) = jobs.get_mut(&unit) {
        job.suspended = Some(until);
        if let Some(queue) = queues.get_mut(job.queue) {
            queue.out.remove(&unit);
            queue.starting.remove(&unit);
        }
    }
    enqueue(world, unit);
    world.schedule(until, CONTROLLER, WorldEvent::BackOffOver(unit));
    world.accounts.all[world.units[unit].account].start_timeouts += 1;
    world.trace(TraceEvent::Suspend { workload: WorkloadId(unit) });
    world.emit(Fact::StartTimedOut { unit, tries, timeout_ms, wait_ms });
    world.tell(Event::WorkloadWithdrawn { workload: WorkloadId(unit) });
}

/// After a new tree: updates the job queues of namespaces. A suspended core workload moves to the new queue, or is
/// released if there is none; a released one is counted by the new queue, or by none.
pub(crate) fn assign_anew(world: &mut World<'_>) {
    let units: Vec<u32> = world.job_queues.jobs.keys().copied().collect();
    for unit in units {
        let now = queue_of(world, unit);
        let JobQueues { queues, jobs } = &mut world.job_queues;
        let Some(job) = jobs.get_mut(&unit).filter(|job| now != Some(job.queue)) else { continue };
        let (before, suspended) = (job.queue, job.suspended.is_some());
        job.queue = now.unwrap_or(before);
        let mut starting = false;
        if let Some(queue) = queues.get_mut(before) {
            queue.suspended.remove(&job.place);
            queue.out.remove(&unit);
            starting = queue.starting.remove(&unit);
            queue.no_fit = None;
        }
        match now {
            Some(_) if suspended => enqueue(world, unit),
            Some(queue) => {
                if let Some(queue) = queues.get_mut(queue) {
                    queue.out.insert(unit);
                    queue.starting.extend(starting.then_some(unit));
                }
            }
            None if suspended => {
                release(world, before, unit);
                world.job_queues.ended(unit);
            }
            None => world.job_queues.ended(unit),
        }
    }
}

/// Why a suspended core workload is not released, as a sentence without its subject.
pub(crate) fn why_suspended(world: &World<'_>, unit: u32, scheduler: &Scheduler) -> String {
    let Some(job) = world.job_queues.jobs.get(&unit) else { return String::new() };
    let (spec, state) = (world.scenario.queues.get(job.queue), world.job_queues.queues.get(job.queue));
    let Some((spec, state)) = spec.zip(state) else { return String::new() };
    let before = state.suspended.iter().take_while(|place| place.3 != unit).count();
    let place = format!("position {} of {} in the job queue of {}", before + 1, state.suspended.len(), spec.quota);
    let room = room_in_leaf(spec, scheduler);
    let lack = room.iter().find(|(resource, left)| !covers(*left, &job.spec, resource));
    let lack = lack.map(|(resource, left)| over_max(spec, scheduler, (resource, *left), needs(&job.spec, resource)));
    if let Some(until) = job.suspended.filter(|until| *until > world.now) {
        let left = time_text(until.since(world.now));
        let of_max = lack.or_else(|| within_max(spec, scheduler, &job.spec));
        let of_max = of_max.map_or_else(String::new, |clause| format!("; {clause}"));
        return format!("{place}: it did not start within `start_timeout`, and its next attempt is in {left}{of_max}");
    }
    if let Some(most) = spec.max_jobs.filter(|most| state.out.len() >= *most as usize) {
        return format!("{place}: the queue admits at most {most} at once (`max_jobs`), and has admitted as many");
    }
    if let Some(lack) = lack {
        return format!("{place}: {lack}");
    }
    match state.starting.first().filter(|_| spec.queueing == QueueOrder::Block) {
        Some(first) => {
            format!("{place}: {} is ahead of it and has not started yet", world.names().workload(WorkloadId(*first)))
        }
        None => place,
    }
}

/// The reason that the max of the leaf does not cover a job beside the admitted ones: the amounts, the users of the
/// max, and the max that would be enough.
fn over_max(queue: &JobQueue, scheduler: &Scheduler, (resource, left): (&Name, i128), needed: i128) -> String {
    let show = |sum: i128| show(resource, sum);
    let usage = scheduler.tree().by_name(queue.quota.as_str()).map(|leaf| scheduler.usage(leaf)).unwrap_or_default();
    let of = |amounts: &Amounts| i128::from(amounts.get(resource.as_str()).unwrap_or(0));
    let (requested, used) = (of(&usage.request), of(&usage.used));
    let waiting = match requested.saturating_sub(used) {
        waiting if waiting > 0 => format!(", and {} in pending pods", show(waiting)),
        _ => String::new(),
    };
    let leaf = &queue.quota;
    format!(
        "it requests {}, and what is admitted already leaves {} of the max of {leaf} ({}); held by: {leaf} {} in {} \
         bound pods{waiting}; would help: raise the max of {leaf} by {}",
        show(needed),
        show(left.max(0)),
        show(left.saturating_add(requested)),
        show(used),
        usage.pods,
        show(needed.saturating_sub(left)),
    )
}

/// What a job requests beside what the max of the leaf leaves, for a job that something other than the max keeps from
/// starting.
fn within_max(queue: &JobQueue, scheduler: &Scheduler, job: &WorkloadSpec) -> Option<String> {
    let leaf = scheduler.tree().by_name(queue.quota.as_str())?;
    let used = scheduler.usage(leaf).used;
    let limits = scheduler.tree().spec(leaf)?.max.iter().filter(|(resource, _)| needs(job, resource) > 0);
    let requests = limits.map(|(resource, max)| {
        let used = i128::from(used.get(resource.as_str()).unwrap_or(0));
        let (needed, used, max) = (needs(job, resource), show(resource, used), show(resource, i128::from(max)));
        format!("{} ({} uses {used} of its max of {max})", show(resource, needed), queue.quota)
    });
    let requests: Vec<String> = requests.collect();
    (!requests.is_empty()).then(|| format!("it requests {}", requests.join(", ")))
}

fn show(resource: &Name, sum: i128) -> String {
    let base_units = i64::try_from(sum).unwrap_or(if sum < 0 { i64::MIN } else { i64::MAX });
    with_unit(resource, base_units)
}

/// Whether the pods that a job needs to start fit.
fn fits(room: &[(Name, i128)], spec: &WorkloadSpec) -> bool {
    room.iter().all(|(resource, left)| covers(*left, spec, resource))
}

/// Whether this amount of a resource is enough for a job to start.
fn covers(left: i128, spec: &WorkloadSpec, resource: &Name) -> bool {
    let needed = needs(spec, resource);
    needed == 0 || needed <= left
}

/// How much of a resource a job needs to start; with several roles, that of the minimum of each.
fn needs(spec: &WorkloadSpec, resource: &Name) -> i128 {
    let of = |set: &PodSet| i128::from(set.template.request.get(resource.as_str()).unwrap_or(0));
    spec.pods.iter().map(|set| of(set) * i128::from(set.min)).sum()
}
