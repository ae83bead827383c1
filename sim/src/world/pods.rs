//! The records of pods and of units: a unit is one workload as the core sees it, a lone pod or a gang.

use quotree_core::Time;

/// No node, no unit, nothing.
pub(crate) const NONE: u32 = u32::MAX;

/// What a pod is doing, or how it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    /// It is being made: not yet counted anywhere.
    New,
    Waiting,
    Binding,
    Running,
    /// An eviction was decided and the request for it was lost: it works on until the request is sent again.
    Unreached,
    /// An eviction was decided and it is not gone.
    Leaving,
    Succeeded,
    /// It failed, or was lost with its node.
    Failed,
    Evicted,
    Deleted,
}

impl State {
    /// It uses its node and quota (L1).
    pub(crate) const fn uses(self) -> bool {
        matches!(self, Self::Binding | Self::Running | Self::Unreached | Self::Leaving)
    }

    /// It uses them, and the scheduler has not decided that it goes.
    pub(crate) const fn stays(self) -> bool {
        matches!(self, Self::Binding | Self::Running)
    }

    /// The scheduler has decided that it goes.
    pub(crate) const fn goes(self) -> bool {
        matches!(self, Self::Unreached | Self::Leaving)
    }

    /// It does its work, if all that must work with it do.
    pub(crate) const fn works(self) -> bool {
        matches!(self, Self::Running | Self::Unreached)
    }

    /// It has not ended.
    pub(crate) const fn lives(self) -> bool {
        matches!(self, Self::Waiting | Self::Binding | Self::Running | Self::Unreached | Self::Leaving)
    }
}

/// A pod.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pod {
    /// When it came into this state.
    pub(crate) at: Time,
    pub(crate) unit: u32,
    /// Where it is, or [`NONE`].
    pub(crate) node: u32,
    pub(crate) shape: u32,
    pub(crate) role: u32,
    pub(crate) state: State,
}

/// A workload as the core sees it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CoreWorkload {
    pub(crate) created: Time,
    /// When all of it ran and its work began; nothing while it does not work.
    pub(crate) working_since: Option<Time>,
    /// Work that is left, milliseconds; `u64::MAX` without end. Training keeps its own.
    pub(crate) left_ms: u64,
    /// The workload of the scenario.
    pub(crate) owner: u32,
    pub(crate) namespace: u32,
    /// Whose it is.
    pub(crate) account: u32,
    /// The how-manieth of its owner, from 1; of a trace, the row.
    pub(crate) number: u32,
    /// How often its work was started anew.
    pub(crate) turn: u32,
    pub(crate) first_pod: u32,
    /// How many pods it was made with; later ones stand in `World::joined`.
    pub(crate) first_count: u32,
    /// How many pods it has by now: the next ordinal.
    pub(crate) count: u32,
    pub(crate) live: u32,
    pub(crate) active: u32,
    pub(crate) running: u32,
    /// How often this work was evicted.
    pub(crate) evictions: u32,
    /// How long it ran in earlier tries, milliseconds.
    pub(crate) ran_ms: u64,
}

/// How many pods are in which state.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) running: u64,
    pub(crate) pending: u64,
    pub(crate) succeeded: u64,
    pub(crate) failed: u64,
    /// Evictions decided so far.
    pub(crate) evicted: u64,
    /// Of the running ones, those that were told to go.
    pub(crate) leaving: u64,
    /// Pods made so far.
    pub(crate) made: u64,
}

impl Counts {
    /// A pod goes from one state to another.
    pub(crate) fn shift(&mut self, from: State, to: State) {
        self.running = self.running + u64::from(to.uses()) - u64::from(from.uses());
        self.pending = self.pending + u64::from(to == State::Waiting) - u64::from(from == State::Waiting);
        self.succeeded += u64::from(to == State::Succeeded);
        self.failed += u64::from(to == State::Failed);
        self.evicted += u64::from(to.goes() && !from.goes());
        self.leaving = self.leaving + u64::from(to.goes()) - u64::from(from.goes());
        self.made += u64::from(from == State::New);
    }

    /// The sum.
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
