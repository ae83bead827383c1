//! Admission and entitlement (A1, A2, A5, O1, R2a), in the resources that count (Q5).

use super::{
    ledger::Ledger,
    state::{Ask, Reference},
};
use quotree_core::{BlockingReason, QuotaId, Reclaim};

pub(super) fn quota_id(quota: usize) -> QuotaId {
    QuotaId(u32::try_from(quota).unwrap_or(u32::MAX))
}

impl Reference {
    /// The first limit that bars an ask: resource by resource in order of names, from the leaf up, max before min; then
    /// job limits (A1, A2, A5).
    pub(super) fn barred(&self, ledger: &Ledger, ask: &Ask, leaf: Option<usize>) -> Option<BlockingReason> {
        self.over_a_limit(ledger, ask, leaf).or_else(|| self.over_jobs(ledger, ask, leaf))
    }

    /// The first job limit that bars an ask, from the leaf up (A5).
    pub(super) fn over_jobs(&self, ledger: &Ledger, ask: &Ask, leaf: Option<usize>) -> Option<BlockingReason> {
        let full = |q: usize| Some((q, self.tree.quotas[q].jobs.filter(|limit| ledger.jobs(q) >= *limit)?));
        let (q, limit) = self.tree.path(leaf.filter(|_| ask.job)?).find_map(full)?;
        Some(BlockingReason::Jobs { quota: quota_id(q), limit })
    }

    /// The first max that bars an ask, or min that bars a non-preemptible one (A1, A2).
    pub(super) fn over_a_limit(&self, ledger: &Ledger, ask: &Ask, leaf: Option<usize>) -> Option<BlockingReason> {
        let leaf = leaf?;
        let with = self.ledger_with_ask(ask, leaf);
        for (r, amount) in self.requested(ask) {
            for q in self.tree.path(leaf) {
                let quota = &self.tree.quotas[q];
                let name = self.tree.governed[r].clone();
                let charged = ledger.charged(q, r);
                let needed = with.as_ref().map_or(amount, |with| with.charged(q, r) - charged);
                if quota.max[r] != i64::MAX && charged + needed > quota.max[r] {
                    let available = quota.max[r] - charged;
                    return Some(BlockingReason::Ceiling { quota: quota_id(q), resource: name, needed, available });
                }
                let non_preemptible = ledger.non_preemptible(q, r);
                if !ask.preemptible && self.tree.counted[r] && non_preemptible + amount > quota.min[r] {
                    let available = quota.min[r] - non_preemptible;
                    return Some(BlockingReason::Guarantee {
                        quota: quota_id(q),
                        resource: name,
                        needed: amount,
                        available,
                    });
                }
            }
        }
        None
    }

    /// The ledger with the ask placed in its leaf, for a tree in which some quota limits lending. In such a tree, what
    /// the ask adds above that quota depends on the quota's usage (L3); in other trees the ask adds its request to
    /// every quota of the path.
    pub(super) fn ledger_with_ask(&self, ask: &Ask, leaf: usize) -> Option<Ledger> {
        self.tree.keeps_any().then(|| self.ledger_with(Some((leaf, ask))))
    }

    /// The counted resources that an ask requests, with their amounts (Q5).
    pub(super) fn requested_counted(&self, ask: &Ask) -> Vec<(usize, i64)> {
        self.requested(ask).into_iter().filter(|(r, _)| self.tree.counted[*r]).collect()
    }

    /// Whether the min of a quota covers the ask in addition to everything that will be placed there. The root covers
    /// everything, unless it is the only quota (O1).
    pub(super) fn covers(&self, ledger: &Ledger, ask: &Ask, q: usize) -> bool {
        if q == 0 && self.tree.quotas.len() > 1 {
            return true;
        }
        self.requested_counted(ask)
            .iter()
            .all(|(r, amount)| ledger.standing(q, *r) + amount <= self.tree.quotas[q].min[*r])
    }

    /// Whether all quotas of the path below the root cover the ask (O1).
    pub(super) fn entitled(&self, ledger: &Ledger, ask: &Ask, leaf: Option<usize>) -> bool {
        leaf.is_some_and(|leaf| self.tree.path(leaf).all(|q| self.covers(ledger, ask, q)))
    }

    /// What a quota may claim from others: its min, or its fair share (R2a, F3).
    pub(super) fn claim(&self, q: usize, r: usize) -> i64 {
        match self.policy.reclaim {
            Reclaim::FairShare => self.shares[q][r],
            _ => self.tree.quotas[q].min[r],
        }
    }

    /// What a quota keeps even if others need it: its min, and at least its fair share (R2b, F3).
    pub(super) fn floor(&self, q: usize, r: usize) -> i64 {
        self.claim(q, r).max(self.tree.quotas[q].min[r])
    }

    /// The highest quota below which an ask may reclaim (R2a): the lowest quota above the leaf that does not cover the
    /// ask, or else the root. `None` if the leaf does not cover it.
    pub(super) fn reclaim_scope(&self, ledger: &Ledger, ask: &Ask, leaf: Option<usize>) -> Option<usize> {
        let leaf = leaf?;
        let requested = self.requested_counted(ask);
        let within =
            |q: usize| requested.iter().all(|(r, amount)| ledger.standing(q, *r) + amount <= self.claim(q, *r));
        if !within(leaf) {
            return None;
        }
        let above: Vec<usize> = self.tree.path(leaf).skip(1).collect();
        above.iter().copied().find(|q| !within(*q)).or(above.last().copied()).or(Some(leaf))
    }
}
