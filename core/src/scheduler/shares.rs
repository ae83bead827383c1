//! Fair shares: what every quota would get if all that there is were divided now (F1, F2). Exact fractions; whole base
//! units by largest remainder, ties to the earlier sibling.

use super::{Scheduler, ledger::cell};
use crate::{ids::QuotaId, policy::Reclaim};

/// One who takes part in a division.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Claimant {
    base: i64,
    cap: i64,
    weight: u64,
    min: i64,
}

impl Scheduler {
    /// The fair share of every quota now, one row a quota in tree order, one amount a governed resource (F1, F2).
    ///
    /// Takes time in proportion to the tree, times the number of siblings that reach their limit.
    #[must_use]
    pub fn fair_shares(&self) -> Vec<Vec<i64>> {
        let mut shares = vec![vec![0; self.tree.width()]; self.tree.len()];
        for resource in 0..self.tree.width() {
            let demand = self.demands(resource);
            let all = self.divisible(resource);
            set(&mut shares, QuotaId(0), resource, all.min(demand.first().copied().unwrap_or_default()));
            for parent in self.tree.ids() {
                let children = self.tree.children(parent);
                let amount = shares.get(parent.0 as usize).map_or(0, |row| cell(row, resource));
                let claimants: Vec<Claimant> = children.iter().map(|q| self.claimant(*q, resource, &demand)).collect();
                for (child, share) in children.iter().zip(divide(amount, &claimants)) {
                    set(&mut shares, *child, resource, share);
                }
            }
        }
        shares
    }

    /// What each quota can use of a resource: what it asks for, as far as ceilings let it.
    pub(super) fn demands(&self, resource: usize) -> Vec<i64> {
        let mut demand = vec![0i64; self.tree.len()];
        for quota in self.tree.ids().rev() {
            let asked = if self.tree.is_leaf(quota) {
                cell(self.ledger.request.row(quota.0), resource)
            } else {
                self.tree.children(quota).iter().map(|q| cell(&demand, q.0 as usize)).fold(0, i64::saturating_add)
            };
            if let Some(slot) = demand.get_mut(quota.0 as usize) {
                *slot = asked.min(self.max(quota.0, resource));
            }
        }
        demand
    }

    /// What there is to divide: the root's ceiling, and no more than the nodes have.
    fn divisible(&self, resource: usize) -> i64 {
        let id = u16::try_from(resource).unwrap_or(u16::MAX);
        let has = |node: &u32| cell(&self.nodes.at(*node).total, usize::from(id));
        let cluster = self.nodes.by_id.values().map(has).fold(0, i64::saturating_add);
        self.max(0, resource).min(cluster)
    }

    fn claimant(&self, quota: QuotaId, resource: usize, demand: &[i64]) -> Claimant {
        let (min, max) = (self.min(quota.0, resource), self.max(quota.0, resource));
        let wants = cell(demand, quota.0 as usize).min(max);
        let weight = self.tree.spec(quota).and_then(|spec| spec.weight);
        Claimant { base: min.min(wants), cap: wants, weight: weight.unwrap_or(min.unsigned_abs()), min }
    }

    /// Keeps the shares that decisions go by (F3) up to date.
    pub(super) fn refresh_shares(&mut self) {
        if self.policy.reclaim == Reclaim::FairShare {
            self.shares = self.fair_shares();
        }
    }
}

fn set(shares: &mut [Vec<i64>], quota: QuotaId, resource: usize, amount: i64) {
    if let Some(slot) = shares.get_mut(quota.0 as usize).and_then(|row| row.get_mut(resource)) {
        *slot = amount;
    }
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

/// Raises everybody in proportion to weight until the amount is used or all are full: (limit, weight) each.
///
/// Those of weight 0 get what nobody with a weight can use, in equal parts.
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

/// One water-filling over those of positive weight; gives what is left.
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
        let (filled, rest): (Vec<_>, Vec<_>) = open.iter().copied().partition(full);
        if filled.is_empty() {
            break;
        }
        for (i, limit, _) in filled {
            give(got, i, limit);
            left -= limit;
        }
        open = rest;
    }
    let weights: i128 = open.iter().map(|(_, _, weight)| weight).sum();
    if weights == 0 {
        return i64::try_from(left).unwrap_or(i64::MAX);
    }
    let mut remainders: Vec<(std::cmp::Reverse<i128>, usize)> = Vec::new();
    let mut given = 0;
    for (i, _, weight) in &open {
        let exact = left.saturating_mul(*weight);
        give(got, *i, exact / weights);
        given += exact / weights;
        remainders.push((std::cmp::Reverse(exact % weights), *i));
    }
    remainders.sort_unstable();
    let ones = usize::try_from(left - given).unwrap_or(0);
    for (_, i) in remainders.into_iter().take(ones) {
        give(got, i, 1);
    }
    0
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
