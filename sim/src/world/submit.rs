//! What all controllers have in common: submitting and withdrawing core workloads.

use super::{
    CoreWorkload, End, Fact, NONE, Pod, State, World, access, arrivals, dataset, deployment, ending, job, job_queue,
    job_record, nodes, pod_lifecycle, table::push_live, trace_rows, training, workflow,
};
use crate::{model::Kind, options::RunError, trace::TraceEvent};
use quotree_core::{Age, Event, PodOutcome, PodSet, Time, WorkloadId, WorkloadSpec};
use smallvec::SmallVec;

/// The most pods in a run: their numbers stay below [`NONE`](super::NONE).
pub(crate) const MOST_PODS: u32 = u32::MAX - 1;

/// A core workload that a controller submits.
pub(crate) struct NewWorkload {
    pub(crate) owner: u32,
    pub(crate) namespace: u32,
    /// Its own priority, if it differs from that of its controller.
    pub(crate) priority: Option<i32>,
    pub(crate) number: u32,
    /// How often the work was restarted.
    pub(crate) turn: u32,
    /// The remaining work, milliseconds; `u64::MAX` if it has no end.
    pub(crate) left_ms: u64,
    /// How long the work has run before, milliseconds.
    pub(crate) ran_ms: u64,
    /// How often the work was evicted before.
    pub(crate) evictions: u32,
    /// Its pods, with the shape of each set.
    pub(crate) sets: SmallVec<[(PodSet, u32); 1]>,
}

/// Submits a new core workload, and gives its number.
pub(crate) fn submit(world: &mut World<'_>, new: NewWorkload) -> Option<u32> {
    let count = new.sets.iter().fold(0u32, |sum, (set, _)| sum.saturating_add(set.count));
    let first_pod = world.pods.len();
    if first_pod.checked_add(count).is_none_or(|end| end > MOST_PODS) {
        world.out.error = Some(RunError::TooManyPods { most: MOST_PODS });
        return None;
    }
    let account = access::account_of(world, new.owner, new.number, new.namespace);
    let replaces = world.replacing.take();
    let age = age(world, new.owner, replaces);
    let job = job_record::of_new(world, (new.owner, world.units.len()), account, replaces);
    let unit = world.units.push(CoreWorkload {
        created: world.now,
        age,
        working_since: None,
        left_ms: new.left_ms,
        owner: new.owner,
        namespace: new.namespace,
        account,
        job,
        fresh: replaces.is_none(),
        number: new.number,
        turn: new.turn,
        first_pod,
        first_count: count,
        count,
        live: 0,
        active: 0,
        running: 0,
        evictions: new.evictions,
        ran_ms: new.ran_ms,
    });
    let mut sets = SmallVec::new();
    for (role, (set, shape)) in new.sets.into_iter().enumerate() {
        for _ in 0..set.count {
            add_pod(world, unit, shape, u32::try_from(role).unwrap_or(0));
        }
        sets.push(set);
    }
    remember(world, new.owner, unit);
    let Some(workload) = world.workload_of(new.owner) else {
        return Some(unit);
    };
    let (stated, together) = match world.task(new.owner) {
        Some(task) => (&task.priority, task.together),
        None => (&workload.priority, workload.together),
    };
    let details = trace_rows::details(world, new.owner, new.number);
    let (edits, edited) = (&world.edits, world.controllers[new.owner].workload);
    let spec = WorkloadSpec {
        id: WorkloadId(unit),
        namespace: world.namespaces[new.namespace].name.clone(),
        quota: None,
        submitted: age,
        priority: edits.priority(edited, new.priority, stated),
        preemptible: edits
            .preemptible(edited, details.and_then(|details| details.preemptible).unwrap_or(workload.preemptible)),
        may_evict: true,
        pods: sets,
        budget: trace_rows::budget_of(world, unit).cloned(),
        together: details.and_then(|details| details.together).or(together),
        replaces: replaces.map(WorkloadId),
    };
    world.trace(TraceEvent::Submit { workload: WorkloadId(unit), pods: count });
    world.emit(Fact::Submitted { unit, replaces });
    if let Some(spec) = job_queue::suspend(world, unit, spec, replaces.is_some()) {
        world.tell(Event::WorkloadSubmitted(spec));
    }
    Some(unit)
}

/// The submission time of the work of a new core workload (O3): that of its job, training, task or row. A replica is a
/// new pod; with the policy `Original` it has the age of the replica that it replaces.
fn age(world: &World<'_>, owner: u32, replaces: Option<u32>) -> Time {
    let policy = world.scenario.policy.age;
    let inherited = || replaces.map_or(world.now, |unit| world.units[unit].age);
    match world.kind(owner) {
        _ if policy == Age::Recreated => world.now,
        Some(Kind::Deployment { .. }) if policy == Age::Original => inherited(),
        Some(Kind::Deployment { .. }) | None => world.now,
        Some(Kind::Trace { .. }) => inherited(),
        Some(Kind::Job { .. } | Kind::Training { .. } | Kind::Workflow { .. }) => world.controllers[owner].since,
    }
}

/// Adds a pending pod.
pub(crate) fn add_pod(world: &mut World<'_>, unit: u32, shape: u32, role: u32) -> u32 {
    let pod = world.pods.push(Pod { at: world.now, unit, node: NONE, shape, role, state: State::New });
    world.set_state(pod, State::Waiting);
    pod
}

/// Adds a core workload to the list of its controller.
fn remember(world: &mut World<'_>, owner: u32, unit: u32) {
    let controller = &mut world.controllers[owner];
    push_live(&mut controller.units, unit, |unit| world.units[unit].live > 0);
    controller.made += 1;
}

/// Withdraws a core workload with all its pods, pending or running, at once. If it has no live pods, the scheduler no
/// longer knows it, and gets no event.
pub(crate) fn withdraw(world: &mut World<'_>, unit: u32, state: State) {
    if world.units[unit].live == 0 {
        return;
    }
    world.units[unit].working_since = None;
    dataset::stop_reading(world, unit);
    world.trace(TraceEvent::Withdraw { workload: WorkloadId(unit) });
    let is_known = !world.job_queues.is_suspended(unit);
    for pod in world.pods_of(unit) {
        if world.pods[pod].state.is_live() {
            let outcome = if state == State::Failed { PodOutcome::Failed } else { PodOutcome::Deleted };
            nodes::ended(world, pod, state, outcome);
        }
    }
    if is_known {
        world.tell(Event::WorkloadWithdrawn { workload: WorkloadId(unit) });
    }
}

/// Closes a controller that is deleted or fails: withdraws all its core workloads, instances and tasks, and creates no
/// more.
pub(crate) fn close(world: &mut World<'_>, owner: u32, state: State) {
    for instance in arrivals::open_instances(world, owner) {
        close(world, instance, state);
    }
    let controller = &mut world.controllers[owner];
    let submits = controller.generator.is_none();
    controller.closed = true;
    let units = std::mem::take(&mut controller.units);
    let tasks = controller.flow.take().map_or_else(Vec::new, |flow| flow.owners);
    let mut separate = Vec::new();
    if let Some(kind @ (Kind::Trace { .. } | Kind::Deployment { .. })) = world.kind(owner) {
        let waiting = world.rows.close(owner);
        let live = units.iter().copied().filter(|unit| world.units[*unit].live > 0);
        separate.extend(live.chain(waiting));
        for unit in separate.iter().filter(|_| matches!(kind, Kind::Trace { .. })) {
            let account = world.units[*unit].account;
            world.accounts.all[account].outcomes.withdrawn += 1;
        }
    }
    for unit in units {
        pod_lifecycle::interrupt(world, unit);
        withdraw(world, unit, state);
    }
    for unit in separate {
        job_record::end(world, world.units[unit].job, End::Withdrawn);
    }
    for task in tasks.into_iter().filter(|task| *task != NONE) {
        close(world, task, state);
    }
    if submits {
        ending::finish(world, owner, if state == State::Failed { End::Failed } else { End::Withdrawn });
    }
}

/// Submits a workload of the scenario or a task, or begins the arrivals of a workload.
pub(crate) fn arrive(world: &mut World<'_>, owner: u32) {
    if world.controllers[owner].closed {
        return;
    }
    let state = &world.controllers[owner];
    if state.number == NONE && world.workload_of(owner).is_some_and(|workload| workload.arrivals.is_some()) {
        return arrivals::start(world, owner);
    }
    // Tasks come with their workflow: no user submits them.
    if state.task == NONE && !access::may_submit(world, owner, None) {
        world.controllers[owner].closed = true;
        return;
    }
    begin(world, owner);
}

/// Begins the work of a controller.
pub(crate) fn begin(world: &mut World<'_>, owner: u32) {
    ending::open(world, owner);
    match world.kind(owner) {
        Some(Kind::Deployment { replicas, .. }) => deployment::scale(world, owner, *replicas),
        Some(Kind::Job { completions, .. }) => job::start(world, owner, *completions),
        Some(Kind::Training { .. }) => training::start(world, owner, 0),
        Some(Kind::Workflow { .. }) => workflow::start(world, owner),
        Some(Kind::Trace { .. }) | None => {}
    }
}
