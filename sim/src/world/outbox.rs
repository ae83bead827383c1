//! What the world emits while it handles an event: events for the scheduler, timers for the queue, and facts for the
//! subscribers (observer, metrics, timeline). The engine empties the outbox after every step, so the world never calls
//! a receiver itself.

use super::{State, WorldEvent};
use crate::{options::RunError, queue::Class, trace::TraceEvent};
use quotree_core::{Event, Time};

/// A fact: something that happened in the world, for subscribers. Pods and core workloads (`unit`) have the numbers of
/// the world.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Fact {
    /// A record of the trace.
    Trace(TraceEvent),
    /// A record that follows from others: observers receive it, but it is not part of the digest.
    Derived(TraceEvent),
    /// A pod changed its state.
    Pod { pod: u32, from: State, to: State },
    /// A pod had this shape before it was resized.
    PodResized { pod: u32, from: u32 },
    /// All pods of a workload are resized.
    Resized,
    /// The scheduler decided to bind a pod.
    BindDecided { pod: u32 },
    /// A pod runs whose bind was decided at an earlier time.
    Started { pod: u32 },
    /// The eviction of this pod stopped its workload, and this much work is lost, pod-milliseconds.
    WorkLost { pod: u32, lost_ms: u128 },
    /// A core workload was interrupted for whatever reason, and this much work was lost, pod-milliseconds.
    Interrupted { unit: u32, lost_ms: u128 },
    /// A plan evicted all pods of a core workload.
    EvictedWhole { unit: u32 },
    /// A plan left a gang running below its minimum.
    GangBelowMinimum,
    /// A pod ended. `node` is its former node; `at_once` is set if it entered its last state at this time.
    Ended { pod: u32, state: State, lost: bool, node: u32, at_once: bool },
    /// A core workload was created, perhaps as a replacement.
    Submitted { unit: u32, replaces: Option<u32> },
    /// A pod joined a core workload.
    Joined { pod: u32 },
    /// A job queue suspends a new core workload.
    Suspended { unit: u32 },
    /// A core workload did not start in time and returned to its job queue for at least `wait_ms`.
    StartTimedOut { unit: u32, tries: u32, timeout_ms: u64, wait_ms: u64 },
    /// The capacity of the cluster grew by this amount of a resource.
    Capacity { resource: u32, amount: i128 },
}

/// All entries that have not been passed on, in order.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    pub(crate) facts: Vec<Fact>,
    pub(crate) core_events: Vec<Event>,
    pub(crate) timers: Vec<(Time, Class, WorldEvent)>,
    /// Outcomes without delay: they happen before anything else at this time.
    pub(crate) immediate: Vec<WorldEvent>,
    /// The error that ends the run.
    pub(crate) error: Option<RunError>,
}
