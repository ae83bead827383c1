//! Stored fair shares. How they are divided is in [`fair_share`](super::fair_share).

use crate::api::QuotaId;
use std::collections::BTreeSet;

/// A quota that takes part in a division among siblings. Amounts are in base units.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Claimant {
    /// What it gets first: its min, as far as it has demand.
    pub(super) base: i64,
    /// The most that it can use: its demand.
    pub(super) cap: i64,
    pub(super) weight: u64,
    pub(super) min: i64,
}

/// Fair shares that are kept between updates: where neither capacity nor demand has changed, no division is repeated.
///
/// They belong to one quota tree; a new tree needs a new value.
#[derive(Debug, Clone, Default)]
pub struct FairShares {
    pub(super) rows: Vec<Vec<i64>>,
    /// By resource and quota: how much each can use.
    pub(super) demands: Vec<Vec<i64>>,
    /// By resource: the capacity at the change counter `changes` of the nodes.
    pub(super) capacity: Vec<i64>,
    pub(super) changes: u64,
    pub(super) claimants: Vec<Claimant>,
    /// Quotas where an input of the division among their children has changed.
    pub(super) dirty: BTreeSet<QuotaId>,
    /// The leaves whose shares the last update has changed, and possibly the root.
    pub(super) moved: Vec<QuotaId>,
}

impl FairShares {
    /// One row for each quota in tree order, one amount for each governed resource, in base units.
    #[must_use]
    pub fn rows(&self) -> &[Vec<i64>] {
        &self.rows
    }
}
