//! The orders of the scheduler: which pending workload is next (O1), which victim goes first (V1), and which of two
//! preemptions costs less (V3). The order of the holds that a workload may take over is built from [`PendingKey`] (H2,
//! `cycle/takeover.rs`).
//!
//! Each order ends in an id, so that none depends on how rows are stored. The exception is [`ByOveruse`]: equal leaves
//! keep the order of the quota tree.

use crate::{
    api::{NodeId, Time, WorkloadId},
    scheduler::state::{Ratio, WorkloadSlot},
};
use smallvec::SmallVec;
use std::cmp::{Ordering, Reverse};

/// The order of pending workloads, smallest first: the leaf's share of usage where the policy orders by it, then
/// priority, age (O3) and id (O1). Between leaves, with `GuaranteedFirst`, entitled heads go before all others; the
/// choice of the next queue tests this, since every admission can change it. Inside a leaf this key alone decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct PendingKey {
    /// Dominant share of the leaf; 0 inside a leaf, and if the policy does not order by share.
    pub(crate) share: Ratio,
    pub(crate) priority: Reverse<i32>,
    pub(crate) submitted: Time,
    pub(crate) id: WorkloadId,
    /// Where the workload is stored; never decides, since ids are unique.
    pub(crate) slot: WorkloadSlot,
}

/// The order in which the workloads of one leaf become victims, smallest first (V1): lowest priority, workloads with
/// members above their minimum (G2), latest started, highest id. Budgets are tested when a victim is chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct VictimKey {
    pub(crate) priority: i32,
    pub(crate) has_surplus: Reverse<bool>,
    pub(crate) started: Reverse<Time>,
    pub(crate) id: Reverse<WorkloadId>,
    /// Where the workload is stored; never decides, since ids are unique.
    pub(crate) slot: WorkloadSlot,
}

/// The order of possible victims of one preemption, over all leaves, smallest first (V1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct VictimRank {
    /// Pods without a quota go first (A4).
    pub(crate) has_quota: bool,
    pub(crate) breaks_budget: bool,
    pub(crate) priority: i32,
    /// How far each quota is above its guarantee, from just below the common ancestor down to the leaf.
    pub(crate) overuse: SmallVec<[Ratio; 4]>,
    pub(crate) has_surplus: Reverse<bool>,
    pub(crate) started: Reverse<Time>,
    pub(crate) id: Reverse<WorkloadId>,
    pub(crate) ordinal: Reverse<u32>,
}

impl Ord for VictimRank {
    fn cmp(&self, other: &Self) -> Ordering {
        let first = |rank: &Self| (rank.has_quota, rank.breaks_budget, rank.priority);
        let last = |rank: &Self| (rank.has_surplus, rank.started, rank.id, rank.ordinal);
        first(self)
            .cmp(&first(other))
            .then_with(|| by_overuse(&self.overuse, &other.overuse))
            .then_with(|| last(self).cmp(&last(other)))
    }
}

impl PartialOrd for VictimRank {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Larger overuse first, compared level by level. Where one path ends, the value of its leaf also counts for the levels
/// below.
fn by_overuse(a: &[Ratio], b: &[Ratio]) -> Ordering {
    let at = |shares: &[Ratio], level: usize| shares.get(level).or(shares.last()).copied().unwrap_or_default();
    let levels = 0..a.len().max(b.len());
    levels.map(|level| at(b, level).cmp(&at(a, level))).find(|o| *o != Ordering::Equal).unwrap_or(Ordering::Equal)
}

/// The order in which leaves are searched for victims where not all can be searched: pods without a quota, lowest
/// priority, largest overuse (V1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ByOveruse {
    pub(crate) has_quota: bool,
    pub(crate) lowest_priority: i32,
    pub(crate) overuse: SmallVec<[Ratio; 4]>,
}

impl Ord for ByOveruse {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.has_quota, self.lowest_priority)
            .cmp(&(other.has_quota, other.lowest_priority))
            .then_with(|| by_overuse(&self.overuse, &other.overuse))
    }
}

impl PartialOrd for ByOveruse {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// What a set of victims costs (V3), cheapest first: broken budgets, highest priority, number of pods, overuse of their
/// leaves, work lost, node id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct EvictionCost {
    pub(crate) broken_budgets: usize,
    pub(crate) highest_priority: Option<i32>,
    pub(crate) pods: usize,
    /// Overuse of each victim's branch, in the order in which victims were chosen.
    pub(crate) overuse: Vec<SmallVec<[Ratio; 4]>>,
    /// Milliseconds that the victims have run, summed over pods.
    pub(crate) lost_ms: u128,
    pub(crate) node: NodeId,
}

impl Ord for EvictionCost {
    fn cmp(&self, other: &Self) -> Ordering {
        let first = |cost: &Self| (cost.broken_budgets, cost.highest_priority, cost.pods);
        let fair = || {
            let pairs = self.overuse.iter().zip(&other.overuse);
            pairs.map(|(a, b)| by_overuse(a, b)).find(|o| *o != Ordering::Equal).unwrap_or(Ordering::Equal)
        };
        first(self)
            .cmp(&first(other))
            .then_with(fair)
            .then_with(|| (self.lost_ms, self.node).cmp(&(other.lost_ms, other.node)))
    }
}

impl PartialOrd for EvictionCost {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
