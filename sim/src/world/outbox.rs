//! What the world emits while it handles an event: events for the scheduler, timers for the queue, and facts for the
//! subscribers (observer, metrics, timeline). The engine empties the outbox after every step, so the world never calls
//! any of them.

use super::{State, WorldEvent};
use crate::{options::RunError, queue::Class, trace::TraceEvent};
use quotree_core::{Event, Time};

/// Something that happened in the world, for whoever follows the run. Pods and core workloads (`unit`) have the numbers of
/// the world.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Fact {
    /// A record of the trace.
    Trace(TraceEvent),
    /// A record that follows from others: observers see it, the digest does not contain it.
    Derived(TraceEvent),
    /// A pod changed its state.
    Pod { pod: u32, from: State, to: State },
    /// The scheduler bound a pod that had waited for so long.
    BindDecided { pod: u32, waited_ms: u64 },
    /// A pod runs that was bound at an earlier time.
    Started { pod: u32 },
    /// The eviction of this pod stopped its workload, and so much work is lost, pod-milliseconds.
    WorkLost { pod: u32, lost_ms: u128 },
    /// A plan evicted all pods of a core workload.
    EvictedWhole { unit: u32 },
    /// A plan left a gang running below its minimum.
    GangBelowMinimum,
    /// A pod ended. `node` is where it was, `at_once` whether it came into its last state at this time.
    Ended { pod: u32, state: State, lost: bool, node: u32, at_once: bool },
    /// A core workload was created, perhaps in place of another one.
    Submitted { unit: u32, replaces: Option<u32> },
    /// A pod joined a core workload.
    Joined { pod: u32 },
    /// A job queue keeps a new core workload from the scheduler.
    Suspended { unit: u32 },
    /// A core workload did not start in time and went back into its job queue for at least `wait_ms`.
    StartTimedOut { unit: u32, tries: u32, timeout_ms: u64, wait_ms: u64 },
    /// The cluster has so much more of a resource.
    Capacity { resource: u32, amount: i128 },
}

/// Everything that waits to be passed on, in order.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    pub(crate) facts: Vec<Fact>,
    pub(crate) core_events: Vec<Event>,
    pub(crate) timers: Vec<(Time, Class, WorldEvent)>,
    /// Outcomes without delay: they happen before anything else at this time.
    pub(crate) immediate: Vec<WorldEvent>,
    /// Why the run cannot go on.
    pub(crate) error: Option<RunError>,
}
