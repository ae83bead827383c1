//! Fair shares (F1, F2): what every quota would get if the capacity were divided now.

use super::state::{Reference, Stage};
use quotree_core::{NodeSpec, Reclaim};
use std::sync::Arc;

/// A claim in a division: at most how much, and with what weight.
type Claim = (i64, u64);

impl Reference {
    pub(super) fn refresh_shares(&mut self) {
        if self.policy.reclaim != Reclaim::FairShare {
            return;
        }
        let (width, rows) = (self.tree.governed.len(), self.tree.quotas.len());
        let mut shares = vec![vec![0; width]; rows];
        for (r, name) in self.tree.governed.iter().enumerate() {
            let demand = self.demand(r);
            let has = |node: &Arc<NodeSpec>| node.allocatable.get(name.as_str()).unwrap_or(0);
            let cluster: i64 = self.nodes.values().map(has).sum();
            shares[0][r] = cluster.min(self.tree.quotas[0].max[r]).min(demand[0]);
            for parent in 0..rows {
                let children: Vec<usize> = (0..rows).filter(|q| self.tree.quotas[*q].parent == Some(parent)).collect();
                for (child, share) in children.iter().zip(self.divide(shares[parent][r], &children, r, &demand)) {
                    shares[*child][r] = share;
                }
            }
        }
        self.shares = shares;
    }

    /// What each quota could use: the requests below it, as far as max allows.
    fn demand(&self, r: usize) -> Vec<i64> {
        let mut demand = vec![0; self.tree.quotas.len()];
        for workload in self.workloads.values() {
            let pods = workload.pods.iter().filter(|pod| pod.stage != Stage::Gone);
            let asked: i64 = pods.map(|pod| self.row(&workload.sets[pod.set].template)[r]).sum();
            if let Some(leaf) = workload.leaf {
                demand[leaf] += asked;
            }
        }
        for (q, quota) in self.tree.quotas.iter().enumerate().rev() {
            demand[q] = demand[q].min(quota.max[r]);
            if let Some(parent) = quota.parent {
                demand[parent] += demand[q];
            }
        }
        demand
    }

    /// First everybody's min as far as it is requested (scaled by min if that is too much), then the rest by weight.
    fn divide(&self, amount: i64, children: &[usize], r: usize, demand: &[i64]) -> Vec<i64> {
        let min = |q: usize| self.tree.quotas[q].min[r];
        let base = |q: usize| min(q).min(demand[q]);
        let bases: i64 = children.iter().map(|q| base(*q)).sum();
        if bases > amount {
            return divide_by_weight(
                amount,
                &children.iter().map(|q| (base(*q), min(*q).unsigned_abs())).collect::<Vec<_>>(),
            );
        }
        let weight = |q: usize| self.tree.quotas[q].weight.unwrap_or(min(q).unsigned_abs());
        let none = children.iter().all(|q| weight(*q) == 0);
        let above: Vec<Claim> =
            children.iter().map(|q| (demand[*q] - base(*q), if none { 1 } else { weight(*q) })).collect();
        children.iter().zip(divide_by_weight(amount - bases, &above)).map(|(q, more)| base(*q) + more).collect()
    }
}

/// Raises all in proportion to weight, each up to its limit; those of weight 0 share equally what nobody else can use.
fn divide_by_weight(amount: i64, claims: &[Claim]) -> Vec<i64> {
    let weighted = level(amount, claims);
    let left = amount - weighted.iter().sum::<i64>();
    let idle: Vec<Claim> = claims.iter().map(|(limit, weight)| (*limit, u64::from(*weight == 0))).collect();
    let rest = level(left, &idle);
    weighted.iter().zip(rest).map(|(a, b)| a + b).collect()
}

/// Water filling: claims that are full get their limit, one after the other, and the rest is divided by weight, whole
/// units by largest remainder, ties to the earlier.
fn level(amount: i64, claims: &[Claim]) -> Vec<i64> {
    let mut got = vec![0; claims.len()];
    let mut left = i128::from(amount);
    let mut open: Vec<usize> = (0..claims.len()).filter(|i| claims[*i].1 > 0).collect();
    loop {
        let weights: i128 = open.iter().map(|i| i128::from(claims[*i].1)).sum();
        let part = |i: usize| left * i128::from(claims[i].1);
        let Some(full) = open.iter().position(|i| i128::from(claims[*i].0) * weights <= part(*i)) else {
            let mut by_remainder: Vec<(i128, usize)> = open.iter().map(|i| (-(part(*i) % weights), *i)).collect();
            by_remainder.sort_unstable();
            let whole: i128 = open.iter().map(|i| part(*i) / weights).sum();
            for (i, place) in by_remainder.iter().map(|(_, i)| *i).zip(0i128..) {
                got[i] = i64::try_from(part(i) / weights + i128::from(place < left - whole)).unwrap_or(i64::MAX);
            }
            return got;
        };
        let i = open.remove(full);
        got[i] = claims[i].0;
        left -= i128::from(claims[i].0);
    }
}
