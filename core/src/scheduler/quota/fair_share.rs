//! Fair shares: what every quota would get if all that there is were divided now (F1, F2). Exact fractions; whole base
//! units by largest remainder, ties to the earlier sibling.

use crate::api::{QuotaId, Reclaim};
use crate::scheduler::{Scheduler, quota::ledger::cell};

/// One who takes part in a division.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Claimant {
    base: i64,
    cap: i64,
    weight: u64,
    min: i64,
}

/// Fair shares that are kept: where neither what there is nor what is asked has changed, nothing is divided again.
///
/// They are of one tree: when it is replaced, start anew.
#[derive(Debug, Clone, Default)]
pub struct FairShares {
    rows: Vec<Vec<i64>>,
    /// By resource and quota: what each can use.
    demands: Vec<Vec<i64>>,
    /// By resource: what all nodes have, as of that many changes of nodes.
    nodes: Vec<i64>,
    changes: u64,
    claimants: Vec<Claimant>,
    /// By quota: whether anything that its division goes by has changed.
    news: Vec<bool>,
}

impl FairShares {
    /// One row a quota in tree order, one amount a governed resource.
    #[must_use]
    pub fn rows(&self) -> &[Vec<i64>] {
        &self.rows
    }
}

impl Scheduler {
    /// The fair share of every quota now, one row a quota in tree order, one amount a governed resource (F1, F2).
    ///
    /// Takes time in proportion to the tree, times the number of siblings that reclaim_scope their limit.
    #[must_use]
    pub fn fair_shares(&self) -> Vec<Vec<i64>> {
        let mut shares = FairShares::default();
        self.refresh_fair_shares(&mut shares);
        shares.rows
    }

    /// Brings kept shares of this scheduler up to date. Looks at every quota once, and divides only among siblings of whom one
    /// asks for something else, or whose parent has another share.
    pub fn refresh_fair_shares(&self, kept: &mut FairShares) {
        let (width, quotas) = (self.tree.width(), self.tree.len());
        let is_new = kept.rows.len() != quotas;
        if is_new {
            kept.rows = vec![vec![0; width]; quotas];
            kept.demands = vec![vec![0; quotas]; width];
        }
        if is_new || kept.changes != self.nodes.changes {
            kept.changes = self.nodes.changes;
            kept.nodes = (0..width).map(|resource| self.on_nodes(resource)).collect();
        }
        for resource in 0..width {
            kept.news.clear();
            kept.news.resize(quotas, is_new);
            let Some(demands) = kept.demands.get_mut(resource) else { continue };
            self.renew_demands(resource, demands, &mut kept.news);
            let all = self.max(0, resource).min(cell(&kept.nodes, resource)).min(cell(demands, 0));
            if set(&mut kept.rows, QuotaId(0), resource, all) {
                mark(&mut kept.news, QuotaId(0));
            }
            for parent in self.tree.ids() {
                if !kept.news.get(parent.0 as usize).copied().unwrap_or(false) {
                    continue;
                }
                let children = self.tree.children(parent);
                let amount = kept.rows.get(parent.0 as usize).map_or(0, |row| cell(row, resource));
                kept.claimants.clear();
                kept.claimants.extend(children.iter().map(|q| self.claimant(*q, resource, demands)));
                let mut put = |child: &QuotaId, share: i64| {
                    if set(&mut kept.rows, *child, resource, share) {
                        mark(&mut kept.news, *child);
                    }
                };
                // Where there is enough for all, everybody has what it wants.
                if kept.claimants.iter().map(|c| i128::from(c.cap)).sum::<i128>() <= i128::from(amount) {
                    children.iter().zip(&kept.claimants).for_each(|(child, claimant)| put(child, claimant.cap));
                } else {
                    children.iter().zip(divide(amount, &kept.claimants)).for_each(|(child, share)| put(child, share));
                }
            }
        }
    }

    /// Brings demands up to date; those have news below whom one has changed.
    fn renew_demands(&self, resource: usize, demands: &mut [i64], news: &mut [bool]) {
        for quota in self.tree.ids().rev() {
            let asked = if self.tree.is_leaf(quota) {
                cell(self.ledger.request.row(quota.0), resource)
            } else if news.get(quota.0 as usize).copied().unwrap_or(false) {
                self.tree.children(quota).iter().map(|q| cell(demands, q.0 as usize)).fold(0, i64::saturating_add)
            } else {
                continue;
            };
            let asked = asked.min(self.max(quota.0, resource));
            let Some(slot) = demands.get_mut(quota.0 as usize).filter(|slot| **slot != asked) else { continue };
            *slot = asked;
            if let Some(parent) = self.tree.parent(quota) {
                mark(news, parent);
            }
        }
    }

    /// What each quota can use of a resource: what it asks for, as far as ceilings let it.
    pub(crate) fn demands(&self, resource: usize) -> Vec<i64> {
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

    /// What all nodes have of a resource.
    fn on_nodes(&self, resource: usize) -> i64 {
        let has = |node: &u32| cell(&self.nodes.at(*node).total, resource);
        self.nodes.by_id.values().map(has).fold(0, i64::saturating_add)
    }

    fn claimant(&self, quota: QuotaId, resource: usize, demand: &[i64]) -> Claimant {
        let (min, max) = (self.min(quota.0, resource), self.max(quota.0, resource));
        let wants = cell(demand, quota.0 as usize).min(max);
        let weight = self.tree.spec(quota).and_then(|spec| spec.weight);
        Claimant { base: min.min(wants), cap: wants, weight: weight.unwrap_or(min.unsigned_abs()), min }
    }

    /// Keeps the shares that decisions go by (F3) up to date.
    pub(crate) fn refresh_shares(&mut self) {
        if self.policy.reclaim == Reclaim::FairShare {
            self.shares = self.fair_shares();
        }
    }
}

/// Whether that is something else than before.
fn set(shares: &mut [Vec<i64>], quota: QuotaId, resource: usize, amount: i64) -> bool {
    let slot = shares.get_mut(quota.0 as usize).and_then(|row| row.get_mut(resource));
    slot.is_some_and(|slot| std::mem::replace(slot, amount) != amount)
}

fn mark(news: &mut [bool], quota: QuotaId) {
    if let Some(slot) = news.get_mut(quota.0 as usize) {
        *slot = true;
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
