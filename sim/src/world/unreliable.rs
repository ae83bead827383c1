//! What happens between a decision and its outcome: delays of binds and evictions, binds that fail, and eviction
//! requests that are lost and sent again.
//!
//! The scheduler is notified when a bind failed and when an evicted pod is gone, but not when a request was lost. Until
//! the request is sent again, the pod continues to work, may finish, and counts as terminating for the scheduler (L1).
//! Each kind of failure has its own random stream, from which nothing is drawn if the failure cannot happen.

use super::{Fact, OUTCOME, State, World, WorldEvent, cost, fleet, pod_lifecycle, training};
use crate::{random::Stream, trace::TraceEvent};
use quotree_core::Event;
use std::collections::BTreeSet;

/// The random streams for these outcomes, and the core workloads that ever had a failed bind.
#[derive(Debug)]
pub(crate) struct Unreliable {
    bind_latencies: Stream,
    graces: Stream,
    failed_binds: Stream,
    lost_evictions: Stream,
    failed: BTreeSet<u32>,
}

impl Unreliable {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            bind_latencies: Stream::new(seed, "bind-latency"),
            graces: Stream::new(seed, "eviction-grace"),
            failed_binds: Stream::new(seed, "failed-binds"),
            lost_evictions: Stream::new(seed, "lost-evictions"),
            failed: BTreeSet::new(),
        }
    }

    /// Whether a bind of this core workload has ever failed.
    pub(crate) fn failed_to_bind(&self, unit: u32) -> bool {
        self.failed.contains(&unit)
    }
}

/// Whether binds can fail and eviction requests can be lost at this time.
fn is_unreliable(world: &World<'_>) -> bool {
    world.scenario.world.reliable_from.is_none_or(|from| world.now < from)
}

/// Requests the bind of a pod. After the latency the bind succeeds or fails.
pub(crate) fn request_bind(world: &mut World<'_>, pod: u32) {
    let delay = world.unreliable.bind_latencies.duration_ms(&world.scenario.world.bind_latency);
    let permille = world.scenario.world.failed_binds_permille;
    let fails = permille > 0 && is_unreliable(world) && world.unreliable.failed_binds.below(1000) < permille;
    world.after(delay, if fails { WorldEvent::BindFailed(pod) } else { WorldEvent::Bound(pod) });
}

/// Requests the eviction of a pod. The request arrives and the grace period begins, or the request is lost. Only the
/// request for a running pod can be lost; a bind in progress is cancelled by its sender.
pub(crate) fn request_eviction(world: &mut World<'_>, pod: u32) {
    let permille = world.scenario.world.lost_evictions_permille;
    let works = world.pods[pod].state.is_running();
    if works && permille > 0 && is_unreliable(world) && world.unreliable.lost_evictions.below(1000) < permille {
        world.set_state(pod, State::EvictionLost);
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
    if world.pods[pod].state != State::EvictionLost {
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
