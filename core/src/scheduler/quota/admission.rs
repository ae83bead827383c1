//! Admission: whether the quotas on a path admit a request (A1, A2, A5), and whether their guarantees cover it (O1,
//! R2a).

use super::quotas::Quotas;
use crate::{
    api::{BlockingReason, QuotaId},
    scheduler::state::{Ask, QuotaSlot, amount_of},
    tree::UNLIMITED,
};

impl Quotas {
    pub(super) fn job_limit(&self, slot: QuotaSlot) -> Option<u32> {
        self.quota_id(slot).and_then(|quota| self.tree.spec(quota)).and_then(|spec| spec.max_jobs)
    }

    /// The first limit on the path that refuses a request, from the leaf up (A1, A2, A5).
    pub(crate) fn first_limit(&self, ask: &Ask, leaf: QuotaSlot) -> Option<BlockingReason> {
        let mut first = None;
        self.each_limit(ask, leaf, |limit| {
            first = Some(limit);
            false
        });
        first
    }

    /// Whether every quota on the path admits a request (A1, A2, A5). Each try asks this, so it builds no reason; debug
    /// builds compare it with [`first_limit`](Self::first_limit).
    pub(crate) fn admits(&self, ask: &Ask, leaf: QuotaSlot) -> bool {
        if self.ledger.any_lend_limit() {
            return self.first_limit(ask, leaf).is_none();
        }
        let ledger = &self.ledger;
        let is_within = |(q, quota): (QuotaSlot, QuotaId)| {
            let (max, used, reserved) = (self.tree.max(quota), ledger.effective_usage.row(q), ledger.reserved.row(q));
            ask.requested().all(|(r, amount)| {
                let (max, charged) = (amount_of(max, r), amount_of(used, r).saturating_add(amount_of(reserved, r)));
                max == UNLIMITED || charged.saturating_add(amount) <= max
            })
        };
        let mut path = ledger.path(leaf).map_while(|q| self.quota_id(q).map(|quota| (q, quota)));
        let admits = path.all(is_within) && !self.lacks_guarantee(ask, leaf) && !self.lacks_job(ask, leaf);
        debug_assert_eq!(admits, self.first_limit(ask, leaf).is_none(), "the same limits");
        admits
    }

    /// All limits on the path that refuse a request, in the order of [`first_limit`](Self::first_limit).
    pub(crate) fn all_limits(&self, ask: &Ask, leaf: QuotaSlot) -> Vec<BlockingReason> {
        let mut all = Vec::new();
        self.each_limit(ask, leaf, |limit| {
            all.push(limit);
            true
        });
        all
    }

    /// Calls `found` with each limit that refuses a request, until it returns `false`.
    fn each_limit(&self, ask: &Ask, leaf: QuotaSlot, mut found: impl FnMut(BlockingReason) -> bool) {
        for (resource, amount) in ask.requested() {
            let name = || self.resource_name(resource);
            // Only with lend floors (L3) a request adds less to a quota above its leaf.
            let added = self.ledger.any_lend_limit().then(|| self.ledger.added_charge(leaf, resource, amount));
            let mut added = added.iter().flatten();
            for q in self.ledger.path(leaf) {
                let needed = added.next().copied().unwrap_or(amount);
                let Some(quota) = self.quota_id(q) else { break };
                let limit = self.max(q, resource);
                let charged = self.ledger.charged(q, resource);
                if limit != UNLIMITED && charged.saturating_add(needed) > limit {
                    let available = limit.saturating_sub(charged);
                    if !found(BlockingReason::Ceiling { quota, resource: name(), needed, available }) {
                        return;
                    }
                }
                let fixed = self.ledger.non_preemptible_usage(q, resource);
                let min = self.min(q, resource);
                if !ask.preemptible && self.counts(resource) && fixed.saturating_add(amount) > min {
                    let available = min.saturating_sub(fixed);
                    if !found(BlockingReason::Guarantee { quota, resource: name(), needed: amount, available }) {
                        return;
                    }
                }
            }
        }
        if !ask.job {
            return;
        }
        for q in self.ledger.path(leaf) {
            let limit = self.job_limit(q).filter(|limit| *self.ledger.jobs.at(q) >= *limit);
            if let Some(limit) = limit
                && !found(BlockingReason::Jobs { quota: QuotaId(q.0), limit })
            {
                return;
            }
        }
    }

    /// Whether a limit on jobs refuses a request (A5).
    pub(crate) fn lacks_job(&self, ask: &Ask, leaf: QuotaSlot) -> bool {
        let is_full = |q| self.job_limit(q).is_some_and(|limit| *self.ledger.jobs.at(q) >= limit);
        ask.job && self.ledger.path(leaf).any(is_full)
    }

    /// The quotas and resources in which a request would exceed max (A1), with what it adds to the charge there.
    pub(crate) fn exceeded_max(&self, ask: &Ask, leaf: QuotaSlot) -> impl Iterator<Item = (QuotaSlot, usize)> {
        ask.requested().flat_map(move |(r, amount)| {
            let added = self.ledger.added_charge(leaf, r, amount);
            let exceeds = move |(q, more): (QuotaSlot, i64)| {
                let limit = self.max(q, r);
                (limit != UNLIMITED && self.ledger.charged(q, r).saturating_add(more) > limit).then_some((q, r))
            };
            self.ledger.path(leaf).zip(added).filter_map(exceeds)
        })
    }

    /// Whether a request would exceed a max (A1) even after all terminating pods are gone and all holding workloads are
    /// placed. With lend floors (L3) that charge is not known here, and the answer is `false`.
    pub(crate) fn exceeds_max_when_settled(&self, ask: &Ask, leaf: QuotaSlot) -> bool {
        let exceeds = |q: QuotaSlot, (r, amount): (usize, i64)| {
            let limit = self.max(q, r);
            limit != UNLIMITED && self.ledger.projected_usage(q, r).saturating_add(amount) > limit
        };
        !self.ledger.any_lend_limit && self.ledger.path(leaf).any(|q| ask.requested().any(|need| exceeds(q, need)))
    }

    /// Whether a request is not preemptible and would take non-preemptible usage above a min on the path (A2). No
    /// eviction changes that.
    pub(crate) fn lacks_guarantee(&self, ask: &Ask, leaf: QuotaSlot) -> bool {
        let lacks = |q, (r, amount): (usize, i64)| {
            self.ledger.non_preemptible_usage(q, r).saturating_add(amount) > self.min(q, r)
        };
        let quotas = || self.ledger.path(leaf).filter(|q| self.quota_id(*q).is_some());
        !ask.preemptible && quotas().any(|q| self.counted(ask).any(|need| lacks(q, need)))
    }

    /// Whether the projected usage of a quota with the request is within its min (O1). Always so at a root with
    /// children.
    pub(super) fn covers(&self, ask: &Ask, slot: QuotaSlot) -> bool {
        let within = |(r, amount)| self.ledger.projected_usage(slot, r).saturating_add(amount) <= self.min(slot, r);
        self.is_inner_root(slot) || self.counted(ask).all(within)
    }

    /// Whether a request is entitled: every min on the path below the root covers it (O1).
    pub(crate) fn is_entitled(&self, ask: &Ask, leaf: QuotaSlot) -> bool {
        self.quota_id(leaf).is_some() && self.ledger.path(leaf).all(|q| self.covers(ask, q))
    }

    /// Whether a holding workload is entitled. Its request is part of the projected usage already.
    pub(crate) fn is_holder_entitled(&self, ask: &Ask, leaf: QuotaSlot) -> bool {
        let within = |q, r| self.ledger.projected_usage(q, r) <= self.min(q, r);
        let covered = |q| self.is_inner_root(q) || self.counted(ask).all(|(r, _)| within(q, r));
        self.quota_id(leaf).is_some() && self.ledger.path(leaf).all(covered)
    }

    /// By how much a quota would exceed its guarantee with a request; not positive where the guarantee covers it (R2a).
    pub(crate) fn above_guarantee(&self, slot: QuotaSlot, resource: usize, amount: i64) -> i64 {
        let usage = self.ledger.projected_usage(slot, resource).saturating_add(amount);
        usage.saturating_sub(self.guarantee(slot, resource))
    }

    /// The highest quota below which a request may reclaim (R2a): the lowest quota above the leaf whose guarantee does
    /// not cover the request, or the root. Nothing where the guarantee of the leaf does not cover it.
    pub(crate) fn reclaim_scope(&self, ask: &Ask, leaf: QuotaSlot) -> Option<QuotaSlot> {
        self.quota_id(leaf)?;
        let covered = |q: QuotaSlot| {
            self.counted(ask)
                .all(|(r, amount)| self.ledger.projected_usage(q, r).saturating_add(amount) <= self.guarantee(q, r))
        };
        if !covered(leaf) {
            return None;
        }
        // In a tree of one quota the leaf is the root: it has no siblings, but pods without a quota give way (A4).
        let mut scope = self.ledger.parent(leaf).is_none().then_some(leaf);
        for q in self.ledger.path(leaf).skip(1) {
            scope = Some(q);
            if !covered(q) {
                break;
            }
        }
        scope
    }
}
