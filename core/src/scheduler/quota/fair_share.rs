//! Fair shares: what every quota would get if the capacity were divided now (F1, F2). Fractions are exact. The base
//! units that remain after rounding down go to the largest remainders, the earlier sibling first among equals.

use super::{
    quotas::Quotas,
    shares::{Claimant, FairShares},
};
use crate::{
    api::{QuotaId, Reclaim},
    scheduler::state::{QuotaSlot, amount_of, narrow},
};
use std::{cmp::Reverse, collections::BTreeSet};

/// What all nodes together have of each governed resource. `changes` shows whether this may differ from an earlier
/// value.
pub(crate) struct Capacity<F: Fn(usize) -> i64> {
    pub(crate) changes: u64,
    pub(crate) of: F,
}

impl FairShares {
    /// Brings the shares up to date after the requests of these leaves may have changed. Repeats the division only
    /// along their paths: among siblings where the demand of one, or the share of the parent, has changed.
    pub(crate) fn refresh(
        &mut self,
        quotas: &Quotas,
        capacity: Capacity<impl Fn(usize) -> i64>,
        changed: impl Iterator<Item = QuotaId> + Clone,
    ) {
        let (width, len) = (quotas.tree.width(), quotas.tree.len());
        let is_new = self.demands.is_empty();
        self.moved.clear();
        if is_new {
            self.rows.resize_with(len, || vec![0; width]);
            self.demands = vec![vec![0; len]; width];
        }
        if is_new || self.changes != capacity.changes {
            self.changes = capacity.changes;
            self.capacity = (0..width).map(capacity.of).collect();
        }
        for resource in 0..width {
            let Some(demands) = self.demands.get_mut(resource) else { continue };
            self.dirty.clear();
            if is_new {
                quotas.refresh_demands(resource, demands, quotas.leaves(), &mut self.dirty);
                self.dirty.extend(quotas.tree.ids());
            } else {
                quotas.refresh_demands(resource, demands, changed.clone(), &mut self.dirty);
            }
            let root = quotas.max(QuotaSlot(0), resource).min(amount_of(&self.capacity, resource));
            if set(&mut self.rows, QuotaId(0), resource, root.min(amount_of(demands, 0))) {
                self.dirty.insert(QuotaId(0));
                self.moved.push(QuotaId(0));
            }
            // Parents come before their children.
            while let Some(parent) = self.dirty.pop_first() {
                let children = quotas.tree.children(parent);
                let amount = self.rows.get(parent.0 as usize).map_or(0, |row| amount_of(row, resource));
                self.claimants.clear();
                self.claimants.extend(children.iter().map(|q| quotas.claimant(*q, resource, demands)));
                let mut put = |child: &QuotaId, share: i64| {
                    if set(&mut self.rows, *child, resource, share) {
                        if quotas.tree.is_leaf(*child) {
                            self.moved.push(*child);
                        } else {
                            self.dirty.insert(*child);
                        }
                    }
                };
                // Where there is enough for all, each gets its demand.
                if self.claimants.iter().map(|c| i128::from(c.cap)).sum::<i128>() <= i128::from(amount) {
                    children.iter().zip(&self.claimants).for_each(|(child, claimant)| put(child, claimant.cap));
                } else {
                    children.iter().zip(divide(amount, &self.claimants)).for_each(|(child, share)| put(child, share));
                }
            }
        }
    }
}

impl Quotas {
    /// After a change of the min or max of quotas, makes the next refresh divide all shares anew.
    pub(crate) fn forget_demands(&mut self) {
        self.shares.demands.clear();
    }

    /// Updates the shares that decisions use, where the policy reclaims fair shares (F3). Costs the paths of the leaves
    /// whose requests have changed since the last time, with their siblings.
    pub(crate) fn refresh_shares(&mut self, capacity: Capacity<impl Fn(usize) -> i64>) {
        if self.reclaim != Reclaim::FairShare {
            return self.ledger.forget_requests_changed();
        }
        let changed = self.ledger.take_requests_changed();
        let mut shares = std::mem::take(&mut self.shares);
        shares.refresh(self, capacity, changed.iter().filter_map(|leaf| self.quota_id(*leaf)));
        self.shares = shares;
    }

    /// The leaves whose shares the last update has changed, and possibly the root. A leaf may come more than once.
    pub(crate) fn take_changed_shares(&mut self) -> impl Iterator<Item = QuotaSlot> + '_ {
        self.shares.moved.drain(..).map(QuotaSlot::from)
    }

    /// All leaves, in the order of the tree.
    pub(crate) fn leaves(&self) -> impl Iterator<Item = QuotaId> + Clone + '_ {
        (0..narrow(self.tree.len())).map(QuotaId).filter(|quota| self.tree.is_leaf(*quota))
    }

    /// Updates the demands of these leaves and of the quotas above them. Adds to `dirty` each quota that has a child
    /// with a changed demand.
    fn refresh_demands(
        &self,
        resource: usize,
        demands: &mut [i64],
        leaves: impl Iterator<Item = QuotaId>,
        dirty: &mut BTreeSet<QuotaId>,
    ) {
        let mut stale: BTreeSet<QuotaId> = BTreeSet::new();
        let mut update = |quota: QuotaId| {
            let demand = self.demand(quota, resource, demands);
            let slot = demands.get_mut(quota.0 as usize).filter(|slot| **slot != demand);
            slot.map(|slot| *slot = demand).and_then(|()| self.tree.parent(quota))
        };
        stale.extend(leaves.filter_map(&mut update));
        // Children come after their parents.
        while let Some(quota) = stale.pop_last() {
            dirty.insert(quota);
            stale.extend(update(quota));
        }
    }

    /// How much of a resource each quota can use: what its workloads request, as far as every max allows.
    pub(crate) fn demands(&self, resource: usize) -> Vec<i64> {
        let mut demands = vec![0i64; self.tree.len()];
        for quota in self.tree.ids().rev() {
            let demand = self.demand(quota, resource, &demands);
            demands.get_mut(quota.0 as usize).into_iter().for_each(|slot| *slot = demand);
        }
        demands
    }

    /// The demand of one quota, given those of its children.
    fn demand(&self, quota: QuotaId, resource: usize, demands: &[i64]) -> i64 {
        let requested = if self.tree.is_leaf(quota) {
            amount_of(self.ledger.request.row(quota.into()), resource)
        } else {
            self.tree.children(quota).iter().map(|q| amount_of(demands, q.0 as usize)).fold(0, i64::saturating_add)
        };
        requested.min(self.max(quota.into(), resource))
    }

    fn claimant(&self, quota: QuotaId, resource: usize, demands: &[i64]) -> Claimant {
        let (min, max) = (self.min(quota.into(), resource), self.max(quota.into(), resource));
        let cap = amount_of(demands, quota.0 as usize).min(max);
        let weight = self.tree.spec(quota).and_then(|spec| spec.weight);
        Claimant { base: min.min(cap), cap, weight: weight.unwrap_or(min.unsigned_abs()), min }
    }
}

/// Sets a share. Returns whether it has changed.
fn set(shares: &mut [Vec<i64>], quota: QuotaId, resource: usize, amount: i64) -> bool {
    let slot = shares.get_mut(quota.0 as usize).and_then(|row| row.get_mut(resource));
    slot.is_some_and(|slot| std::mem::replace(slot, amount) != amount)
}

/// Divides an amount among siblings (F1).
fn divide(amount: i64, claimants: &[Claimant]) -> Vec<i64> {
    let bases: i128 = claimants.iter().map(|c| i128::from(c.base)).sum();
    if bases > i128::from(amount) {
        let by_min: Vec<(i64, u64)> = claimants.iter().map(|c| (c.base, c.min.unsigned_abs())).collect();
        return pour(amount, &by_min);
    }
    let rest = amount - i64::try_from(bases).unwrap_or(amount);
    let no_weights = claimants.iter().all(|c| c.weight == 0);
    let weight = |c: &Claimant| if no_weights { 1 } else { c.weight };
    let above: Vec<(i64, u64)> = claimants.iter().map(|c| (c.cap - c.base, weight(c))).collect();
    claimants.iter().zip(pour(rest, &above)).map(|(c, more)| c.base + more).collect()
}

/// Divides an amount by water-filling: each gets a part in proportion to its weight, up to its limit. `limits` are
/// pairs of limit and weight. What those with a weight cannot use goes, in equal parts, to those of weight 0.
fn pour(amount: i64, limits: &[(i64, u64)]) -> Vec<i64> {
    let mut got = vec![0i64; limits.len()];
    let mut left = raise(amount, limits, &mut got);
    if left > 0 {
        let rest: Vec<(i64, u64)> =
            limits.iter().map(|(limit, weight)| if *weight == 0 { (*limit, 1) } else { (0, 0) }).collect();
        left = raise(left, &rest, &mut got);
    }
    debug_assert!(left >= 0);
    got
}

/// One round of water-filling over those of positive weight. Returns what is left over.
fn raise(amount: i64, limits: &[(i64, u64)], got: &mut [i64]) -> i64 {
    let mut left = i128::from(amount.max(0));
    let mut open: Vec<(usize, i128, i128)> = limits
        .iter()
        .enumerate()
        .filter(|(_, (limit, weight))| *limit > 0 && *weight > 0)
        .map(|(i, (limit, weight))| (i, i128::from(*limit), i128::from(*weight)))
        .collect();
    loop {
        let weights: i128 = open.iter().map(|(_, _, weight)| weight).sum();
        // Full when limit <= left * weight / weights; weights fit 64 bits each, so these products fit 128.
        let full =
            |(_, limit, weight): &(usize, i128, i128)| limit.saturating_mul(weights) <= left.saturating_mul(*weight);
        let mut filled = 0;
        open.retain(|claim| {
            let (i, limit, _) = *claim;
            if full(claim) {
                give(got, i, limit);
                filled += limit;
            }
            !full(claim)
        });
        if filled == 0 {
            break;
        }
        left -= filled;
    }
    let weights: i128 = open.iter().map(|(_, _, weight)| weight).sum();
    if weights == 0 {
        return i64::try_from(left).unwrap_or(i64::MAX);
    }
    let mut remainders: Vec<(Reverse<i128>, usize)> = Vec::new();
    let mut given = 0;
    for (i, _, weight) in &open {
        let (whole, remainder) = div_rem(left.saturating_mul(*weight), weights);
        give(got, *i, whole);
        given += whole;
        remainders.push((Reverse(remainder), *i));
    }
    // The largest remainders, in any order: each gets one.
    let ones = usize::try_from(left - given).unwrap_or(0);
    if (1..remainders.len()).contains(&ones) {
        remainders.select_nth_unstable(ones);
    }
    for (_, i) in remainders.into_iter().take(ones) {
        give(got, i, 1);
    }
    0
}

/// Quotient and remainder. Amounts seldom need 128 bits, and their division takes many times as long as that of 64.
fn div_rem(amount: i128, by: i128) -> (i128, i128) {
    match (u64::try_from(amount), u64::try_from(by)) {
        (Ok(amount), Ok(by)) => (i128::from(amount / by), i128::from(amount % by)),
        _ => (amount / by, amount % by),
    }
}

fn give(got: &mut [i64], i: usize, amount: i128) {
    if let Some(slot) = got.get_mut(i) {
        *slot = slot.saturating_add(i64::try_from(amount).unwrap_or(i64::MAX));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn f1_water_rises_by_weight_and_stops_at_demand() {
        type Row = (i64, &'static [(i64, u64)], &'static [i64]);
        let rows: &[Row] = &[
            (10, &[(10, 1), (10, 1)], &[5, 5]),
            (10, &[(2, 1), (10, 1)], &[2, 8]),
            (10, &[(10, 3), (10, 1)], &[8, 2]),
            (7, &[(10, 1), (10, 1), (10, 1)], &[3, 2, 2]),
            (10, &[(3, 0), (4, 1)], &[3, 4]),
            (81, &[(100, 8), (100, 8), (100, 7)], &[28, 28, 25]),
            (0, &[(5, 1)], &[0]),
            (9, &[], &[]),
        ];
        for (amount, limits, wanted) in rows {
            assert_eq!(pour(*amount, limits), *wanted, "{amount} over {limits:?}");
        }
    }

    proptest! {
        #[test]
        fn i11_shares_sum_to_what_is_shared(
            amount in 0i64..10_000,
            limits in prop::collection::vec((0i64..5_000, 0u64..10), 1..12),
        ) {
            let got = pour(amount, &limits);
            let wanted: i64 = limits.iter().map(|(limit, _)| limit).sum();
            prop_assert_eq!(got.iter().sum::<i64>(), amount.min(wanted));
            for (got, (limit, _)) in got.iter().zip(&limits) {
                prop_assert!(got <= limit);
            }
        }
    }
}
