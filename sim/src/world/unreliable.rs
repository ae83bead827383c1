//! What happens between a decision and its outcome: delays of binds and evictions, binds that fail, and eviction
//! requests that are lost and sent again, or refused.
//!
//! The scheduler is notified when a bind failed and when an evicted pod is gone, but not when a request was lost. Until
//! the request is sent again, the pod continues to work, may finish, and counts as terminating for the scheduler (L1).
//! The same holds for a request that the API refuses: whoever carries out the plan sends it again for a while, as the
//! adapter for Kubernetes does, and only then reports to the scheduler that the eviction failed (E2), or that it was taken
//! back, where it is of no use any more. Later there is news of the workload, as when a disruption budget allows more, and
//! the scheduler may evict it again.
//! Each kind of failure has its own random stream, from which nothing is drawn if the failure cannot happen.

use super::{Fact, OUTCOME, State, World, WorldEvent, cost, fleet, pod_lifecycle, training};
use crate::{random::Stream, trace::TraceEvent};
use quotree_core::{Event, Scheduler, WorkloadChange, WorkloadId};
use std::collections::{BTreeMap, BTreeSet};

/// The random streams for these outcomes, and the core workloads of which a bind or an eviction ever failed.
#[derive(Debug)]
pub(crate) struct Unreliable {
    bind_latencies: Stream,
    graces: Stream,
    failed_binds: Stream,
    lost_evictions: Stream,
    refused_evictions: Stream,
    failed: BTreeSet<u32>,
    /// By core workload: the roles of pods that are gone while all others are to be evicted, too. What follows from the
    /// loss waits until these are gone, or their evictions failed.
    losses: BTreeMap<u32, Vec<u32>>,
}

impl Unreliable {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            bind_latencies: Stream::new(seed, "bind-latency"),
            graces: Stream::new(seed, "eviction-grace"),
            failed_binds: Stream::new(seed, "failed-binds"),
            lost_evictions: Stream::new(seed, "lost-evictions"),
            refused_evictions: Stream::new(seed, "refused-evictions"),
            failed: BTreeSet::new(),
            losses: BTreeMap::new(),
        }
    }

    /// Whether a bind or an eviction of this core workload has ever failed.
    pub(crate) fn has_failed(&self, unit: u32) -> bool {
        self.failed.contains(&unit)
    }

    /// Notes that a pod of this role is gone while all others of its core workload are to be evicted, too.
    pub(crate) fn note_loss(&mut self, unit: u32, role: u32) {
        self.losses.entry(unit).or_default().push(role);
    }
}

/// Whether binds can fail and eviction requests can be lost or refused at this time.
fn is_unreliable(world: &World<'_>) -> bool {
    world.scenario.world.reliable_from.is_none_or(|from| world.now < from)
}

/// Whether a request goes wrong that does so with this probability. Where that is 0, nothing is drawn.
fn goes_wrong(world: &mut World<'_>, permille: u64, stream: fn(&mut Unreliable) -> &mut Stream) -> bool {
    permille > 0 && is_unreliable(world) && stream(&mut world.unreliable).below(1000) < permille
}

/// Requests the bind of a pod. After the latency the bind succeeds or fails.
pub(crate) fn request_bind(world: &mut World<'_>, pod: u32) {
    let delay = world.unreliable.bind_latencies.duration_ms(&world.scenario.world.bind_latency);
    let permille = world.scenario.world.failed_binds_permille;
    let fails = goes_wrong(world, permille, |streams| &mut streams.failed_binds);
    world.after(delay, if fails { WorldEvent::BindFailed(pod) } else { WorldEvent::Bound(pod) });
}

/// Requests an eviction that the scheduler decided. The API may refuse it, but only for a running pod.
pub(crate) fn request_planned_eviction(world: &mut World<'_>, pod: u32) {
    let permille = world.scenario.world.refused_evictions_permille;
    let works = world.pods[pod].state.is_running();
    if works && goes_wrong(world, permille, |streams| &mut streams.refused_evictions) {
        world.set_state(pod, State::EvictionPending);
        let id = world.id_of(pod);
        world.trace(TraceEvent::RefusedEviction { pod: id });
        let until = world.now.after_ms(world.scenario.world.eviction_retry_ms);
        return world.schedule(until, OUTCOME, WorldEvent::EvictionFailed(pod));
    }
    request_eviction(world, pod);
}

/// Gives up a refused eviction, and the pod goes on. The scheduler learns that it failed, or that it was taken back, if it
/// stands no longer: another one of its plan failed before.
pub(crate) fn eviction_failed(world: &mut World<'_>, pod: u32, scheduler: &Scheduler) {
    if !is_due(world, pod) {
        return;
    }
    let (id, unit) = (world.id_of(pod), world.pods[pod].unit);
    if scheduler.eviction_stands(id) == Some(false) {
        return go_on(world, pod, Event::EvictWithdrawn { pod: id });
    }
    let news = world.now.after_ms(world.scenario.world.eviction_retry_ms);
    world.schedule(news, OUTCOME, WorldEvent::Evictable(unit));
    go_on(world, pod, Event::EvictFailed { pod: id });
}

/// Whether the time is over that a pod runs on after its eviction was lost or refused. A restart of the scheduler may have
/// ended that time, and another one may have begun.
fn is_due(world: &World<'_>, pod: u32) -> bool {
    let record = world.pods[pod];
    let over = record.at.after_ms(world.scenario.world.eviction_retry_ms) <= world.now;
    record.state == State::EvictionPending && over
}

/// A pod goes on, since its eviction is given up.
fn go_on(world: &mut World<'_>, pod: u32, event: Event) {
    world.set_state(pod, State::Running);
    let (id, unit) = (world.id_of(pod), world.pods[pod].unit);
    world.trace(TraceEvent::EvictionFailed { pod: id });
    world.tell(event);
    world.unreliable.failed.insert(unit);
    if let Some(roles) = world.unreliable.losses.remove(&unit) {
        pod_lifecycle::go_on_without(world, unit, &roles);
    }
}

/// The scheduler is restarted: its evictions that were lost or refused are not sent again, and these pods go on. Those of
/// drains are sent by others. Costs all pods.
pub(crate) fn forget_evictions(world: &mut World<'_>, scheduler: &Scheduler) {
    let pending = world.pods.ids().filter(|pod| world.pods[*pod].state == State::EvictionPending);
    for pod in pending.collect::<Vec<_>>() {
        let id = world.id_of(pod);
        // With one pod that goes on, its gang may have been withdrawn.
        let is_pending = world.pods[pod].state == State::EvictionPending;
        if is_pending && scheduler.eviction_stands(id).is_some() {
            go_on(world, pod, Event::EvictWithdrawn { pod: id });
        }
    }
}

/// Whether nobody needs to know any more that a core workload may be evicted again.
pub(crate) fn is_out_of_reach(world: &World<'_>, unit: u32) -> bool {
    world.units[unit].live == 0 || world.job_queues.is_suspended(unit)
}

/// Reports news of a core workload of which an eviction was refused: its pods may be evicted again.
pub(crate) fn evictable(world: &mut World<'_>, unit: u32) {
    if is_out_of_reach(world, unit) {
        return;
    }
    let workload = WorkloadId(unit);
    world.trace(TraceEvent::Evictable { workload });
    world.tell(Event::WorkloadChanged(WorkloadChange::of(workload)));
}

/// Requests the eviction of a pod. The request arrives and the grace period begins, or the request is lost. Only the
/// request for a running pod can be lost; a bind in progress is cancelled by its sender.
pub(crate) fn request_eviction(world: &mut World<'_>, pod: u32) {
    let permille = world.scenario.world.lost_evictions_permille;
    let works = world.pods[pod].state.is_running();
    if works && goes_wrong(world, permille, |streams| &mut streams.lost_evictions) {
        world.set_state(pod, State::EvictionPending);
        let id = world.id_of(pod);
        world.trace(TraceEvent::LostEviction { pod: id });
        let again = world.now.after_ms(world.scenario.world.eviction_retry_ms);
        world.schedule(again, OUTCOME, WorldEvent::EvictAgain(pod));
        return;
    }
    world.set_state(pod, State::Leaving);
    let delay = grace(world, pod);
    world.after(delay, WorldEvent::Gone(pod));
}

/// The time from the eviction of a pod until it is gone; nothing if it never is.
fn grace(world: &mut World<'_>, pod: u32) -> Option<u64> {
    let controller = &mut world.controllers[world.units[world.pods[pod].unit].owner];
    let workload = world.scenario.workloads.get(controller.workload as usize);
    let own = workload.and_then(|workload| workload.eviction_grace.as_ref());
    match (own, &mut controller.graces) {
        (Some(grace), Some(stream)) => stream.duration_ms(grace),
        (Some(grace), None) => world.unreliable.graces.duration_ms(grace),
        (None, _) => world.unreliable.graces.duration_ms(&world.scenario.world.eviction_grace),
    }
}

/// Sends a lost request again. When the request arrives, the pod stops working; if its gang is then below its minimum,
/// the whole gang stops.
pub(crate) fn evict_again(world: &mut World<'_>, pod: u32) {
    if !is_due(world, pod) {
        return;
    }
    request_eviction(world, pod);
    if world.pods[pod].state != State::Leaving {
        return;
    }
    let unit = world.pods[pod].unit;
    if pod_lifecycle::still_trains(world, unit) {
        let owner = world.units[unit].owner;
        training::update_rate(world, owner);
    } else {
        let lost_ms = pod_lifecycle::interrupt(world, unit);
        world.emit(Fact::WorkLost { pod, lost_ms });
    }
}

/// Handles a failed bind: the pod is pending again.
pub(crate) fn bind_failed(world: &mut World<'_>, pod: u32) {
    if world.pods[pod].state != State::Binding {
        return;
    }
    world.set_state(pod, State::Waiting);
    fleet::unplace(world, pod);
    cost::discharge(world, pod);
    let (id, unit) = (world.id_of(pod), world.pods[pod].unit);
    world.unreliable.failed.insert(unit);
    world.trace(TraceEvent::BindFailed { pod: id });
    world.tell(Event::BindFailed { pod: id })
}
