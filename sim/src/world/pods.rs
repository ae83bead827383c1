//! The records of pods and of core workloads. A core workload (`unit`) is a workload of the scheduler: a single pod or
//! a gang.

use quotree_core::Time;

/// The index that means no node, no user, nothing.
pub(crate) const NONE: u32 = u32::MAX;

/// The state of a pod.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    /// It is being created, and not yet counted anywhere.
    New,
    Waiting,
    Binding,
    Running,
    /// It is to be evicted, but the request was lost or refused: it keeps running until the request is sent again, or
    /// the scheduler gives it up.
    EvictionPending,
    /// It is terminating.
    Leaving,
    Succeeded,
    /// It failed, or was lost with its node.
    Failed,
    Evicted,
    Deleted,
}

impl State {
    /// Whether it uses its node and quota (L1).
    pub(crate) const fn holds_resources(self) -> bool {
        matches!(self, Self::Binding | Self::Running | Self::EvictionPending | Self::Leaving)
    }

    /// Whether it is pending.
    pub(crate) const fn is_pending(self) -> bool {
        matches!(self, Self::Waiting)
    }

    /// Whether it uses its node and quota, and is not terminating.
    pub(crate) const fn is_active(self) -> bool {
        matches!(self, Self::Binding | Self::Running)
    }

    /// Whether it is terminating.
    pub(crate) const fn is_leaving(self) -> bool {
        matches!(self, Self::EvictionPending | Self::Leaving)
    }

    /// Whether it works, provided that its gang does.
    pub(crate) const fn is_running(self) -> bool {
        matches!(self, Self::Running | Self::EvictionPending)
    }

    /// Whether it has not ended.
    pub(crate) const fn is_live(self) -> bool {
        matches!(self, Self::Waiting | Self::Binding | Self::Running | Self::EvictionPending | Self::Leaving)
    }
}

/// A pod.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pod {
    /// The time at which it entered this state.
    pub(crate) at: Time,
    pub(crate) unit: u32,
    /// Its node, or [`NONE`].
    pub(crate) node: u32,
    pub(crate) shape: u32,
    pub(crate) role: u32,
    pub(crate) state: State,
}

/// A workload of the scheduler: a single pod or a gang.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CoreWorkload {
    pub(crate) created: Time,
    /// When its work was submitted, if it keeps its age (O3). Never later than `created`.
    pub(crate) age: Time,
    /// Since when it has worked: all its required pods have run since. Absent while it does not work.
    pub(crate) working_since: Option<Time>,
    /// The remaining work, milliseconds; `u64::MAX` if it has no end. A training has its remaining work in its
    /// controller.
    pub(crate) left_ms: u64,
    /// Its controller.
    pub(crate) owner: u32,
    pub(crate) namespace: u32,
    /// Its usage account.
    pub(crate) account: u32,
    /// The job to which it belongs.
    pub(crate) job: u32,
    /// Whether it replaces no other core workload, and none of its pods has been bound yet.
    pub(crate) fresh: bool,
    /// Its number among those of its controller, from 1; for a trace, the row.
    pub(crate) number: u32,
    /// How often its work was restarted.
    pub(crate) turn: u32,
    pub(crate) first_pod: u32,
    /// How many pods it was created with; later members are in `World::joined`.
    pub(crate) first_count: u32,
    /// How many pods it has had so far, which is the next ordinal.
    pub(crate) count: u32,
    pub(crate) live: u32,
    pub(crate) active: u32,
    pub(crate) running: u32,
    /// How often this work was evicted.
    pub(crate) evictions: u32,
    /// How long it ran in earlier tries, milliseconds.
    pub(crate) ran_ms: u64,
}

impl CoreWorkload {
    /// One of its pods changes its state.
    #[inline]
    pub(crate) fn shift(&mut self, from: State, to: State) {
        self.active = self.active + u32::from(to.is_active()) - u32::from(from.is_active());
        self.live = self.live + u32::from(to.is_live()) - u32::from(from.is_live());
        self.running = self.running + u32::from(to.is_running()) - u32::from(from.is_running());
    }
}

/// The number of pods in each state.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) running: u64,
    pub(crate) pending: u64,
    pub(crate) succeeded: u64,
    pub(crate) failed: u64,
    /// Evictions decided so far.
    pub(crate) evicted: u64,
    /// How many of the running ones are terminating.
    pub(crate) leaving: u64,
    /// Pods created so far.
    pub(crate) made: u64,
}

impl Counts {
    /// A pod changes its state.
    #[inline]
    pub(crate) fn shift(&mut self, from: State, to: State) {
        self.running = self.running + u64::from(to.holds_resources()) - u64::from(from.holds_resources());
        self.pending = self.pending + u64::from(to == State::Waiting) - u64::from(from == State::Waiting);
        self.succeeded += u64::from(to == State::Succeeded);
        self.failed += u64::from(to == State::Failed);
        self.evicted += u64::from(to.is_leaving() && !from.is_leaving());
        self.leaving = self.leaving + u64::from(to.is_leaving()) - u64::from(from.is_leaving());
        self.made += u64::from(from == State::New);
    }

    /// Adds other counts.
    pub(crate) fn add(&mut self, other: &Self) {
        self.running += other.running;
        self.pending += other.pending;
        self.succeeded += other.succeeded;
        self.failed += other.failed;
        self.evicted += other.evicted;
        self.leaving += other.leaving;
        self.made += other.made;
    }
}
