//! What a quota leaves to requests, as plain amounts: the form in which the queue compares many requests with the limits
//! of a quota at once.

use super::quotas::Quotas;
use crate::{
    scheduler::state::{Ask, QuotaSlot},
    tree::UNLIMITED,
};
use smallvec::SmallVec;

/// The amounts of a request that are compared with the [`Gates`] of a quota: the amount of each governed resource, the
/// same amounts again if its pods are not preemptible, and 1 if it counts as a job. [`NOTHING`] where it requests
/// nothing.
pub(crate) type Demand = SmallVec<[i64; 8]>;

/// An amount that is within every limit.
pub(crate) const NOTHING: i64 = i64::MIN;

/// What a quota leaves.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Gates {
    /// What is left up to its limits (A1, A2, A5).
    pub(crate) limits: Demand,
    /// What is left up to its min (O1), for each governed resource. Nothing for pods without a quota, which are never
    /// entitled.
    pub(crate) covers: Option<Demand>,
}

impl Gates {
    /// Whether the limits admit a request.
    pub(crate) fn admits(&self, demand: &[i64]) -> bool {
        demand.iter().zip(&self.limits).all(|(amount, limit)| amount <= limit)
    }

    /// Whether the min covers a request.
    pub(crate) fn cover(&self, demand: &[i64]) -> bool {
        let within = |covers: &Demand| demand.iter().zip(covers).all(|(amount, limit)| amount <= limit);
        self.covers.as_ref().is_some_and(within)
    }

    /// The smaller of these and other gates, for each amount.
    pub(crate) fn and(&self, other: &Self) -> Self {
        let mut both = self.clone();
        both.limit_to(other);
        both
    }

    /// Leaves no more than other gates do.
    pub(crate) fn limit_to(&mut self, other: &Self) {
        let least = |amounts: &mut Demand, others: &Demand| {
            amounts.iter_mut().zip(others).for_each(|(amount, other)| *amount = (*amount).min(*other));
        };
        least(&mut self.limits, &other.limits);
        match (&mut self.covers, &other.covers) {
            (Some(covers), Some(others)) => least(covers, others),
            (covers, _) => *covers = None,
        }
    }
}

impl Clone for Gates {
    /// Copies amounts as a whole, not one by one.
    fn clone(&self) -> Self {
        let Self { limits, covers } = self;
        Self { limits: Demand::from_slice(limits), covers: covers.as_ref().map(|covers| Demand::from_slice(covers)) }
    }
}

/// Gives amounts this length, mostly the one that they have.
fn set_len(amounts: &mut Demand, len: usize) {
    if amounts.len() != len {
        amounts.resize(len, i64::MAX);
    }
}

impl Quotas {
    /// The amounts of a request that are compared with gates.
    pub(crate) fn demand_of(&self, ask: &Ask) -> Demand {
        let requested = |amount: &i64| if *amount > 0 { *amount } else { NOTHING };
        let fixed = |amount: &i64| if ask.preemptible { NOTHING } else { requested(amount) };
        let job = if ask.job { 1 } else { NOTHING };
        ask.total.iter().map(requested).chain(ask.total.iter().map(fixed)).chain([job]).collect()
    }

    /// What a quota leaves to requests. With lend floors (L3) the charge of a quota depends on the leaf. Then a request
    /// within these gates may still be refused by [`admits`](Self::admits).
    pub(crate) fn gates(&self, slot: QuotaSlot) -> Gates {
        let mut gates = Gates::default();
        self.write_gates(slot, &mut gates);
        gates
    }

    /// The same, written in place of what the quota left before.
    pub(crate) fn write_gates(&self, slot: QuotaSlot, gates: &mut Gates) {
        let width = self.tree.width();
        let Gates { limits, covers } = gates;
        set_len(limits, 2 * width + 1);
        let Some(quota) = self.quota_id(slot) else {
            limits.fill(i64::MAX);
            *covers = None;
            return;
        };
        let (ledger, min, max) = (&self.ledger, self.tree.min(quota), self.tree.max(quota));
        let (admitted, guaranteed) = limits.split_at_mut(width);
        // With lend floors (L3) a request may add less to a quota above its leaf, or nothing.
        let is_exact = !ledger.any_lend_limit() || self.tree.is_leaf(quota);
        for ((left, max), charged) in admitted.iter_mut().zip(max).zip(ledger.charged_row(slot)) {
            *left = match *max {
                UNLIMITED => i64::MAX,
                max if is_exact => max.saturating_sub(charged),
                max if charged <= max => i64::MAX,
                _ => 0,
            };
        }
        for (((r, left), min), fixed) in (0..).zip(&mut *guaranteed).zip(min).zip(ledger.non_preemptible_row(slot)) {
            *left = if self.counts(r) { min.saturating_sub(fixed) } else { i64::MAX };
        }
        let has_job_left = self.job_limit(slot).is_none_or(|limit| *ledger.jobs.at(slot) < limit);
        if let Some(jobs) = guaranteed.last_mut() {
            *jobs = if has_job_left { i64::MAX } else { 0 };
        }
        let covers = covers.get_or_insert_default();
        set_len(covers, width);
        if self.is_inner_root(slot) {
            return covers.fill(i64::MAX);
        }
        for (((r, left), min), projected) in (0..).zip(covers).zip(min).zip(ledger.projected_row(slot)) {
            *left = if self.counts(r) { min.saturating_sub(projected) } else { i64::MAX };
        }
    }

    /// What a leaf may still use of its guarantee, for each governed resource: no limit where guarantees do not count.
    pub(crate) fn left_of_guarantee(&self, leaf: QuotaSlot) -> Demand {
        let left = |r: usize| self.guarantee(leaf, r).saturating_sub(self.ledger.projected_usage(leaf, r));
        self.resources().map(|r| if self.counts(r) { left(r) } else { i64::MAX }).collect()
    }

    /// Whether the min of a leaf covers a request (O1).
    pub(crate) fn leaf_covers(&self, ask: &Ask, leaf: QuotaSlot) -> bool {
        self.quota_id(leaf).is_some() && self.covers(ask, leaf)
    }
}
