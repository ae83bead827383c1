//! Who is admitted, and who is entitled: the quota_check of A1, A2, A5, O1 and R2(a).

use crate::scheduler::{
    Scheduler,
    queue::pending::Admission,
    quota::ledger::{Ledger, QuotaSlot, cell},
    state::interner::Ask,
};
use crate::{
    api::{BlockingReason, QuotaId, Reclaim},
    tree::{QuotaTree, UNLIMITED},
};

impl Scheduler {
    pub(crate) fn quota_check(&self) -> QuotaCheck<'_> {
        QuotaCheck { tree: &self.tree, ledger: &self.ledger }
    }

    pub(crate) fn min(&self, leaf: QuotaSlot, resource: usize) -> i64 {
        self.quota_check().min(leaf, resource)
    }

    pub(crate) fn max(&self, leaf: QuotaSlot, resource: usize) -> i64 {
        self.quota_check().max(leaf, resource)
    }

    /// Whether the whole path below the root covers the ask (O1).
    pub(crate) fn entitled(&self, ask: &Ask, leaf: QuotaSlot) -> bool {
        self.quota_check().entitled(ask, leaf)
    }

    pub(crate) fn is_inner_root(&self, leaf: QuotaSlot) -> bool {
        self.quota_check().is_inner_root(leaf)
    }

    /// What a quota is guaranteed when others take from each other: its min, or its fair share (F3).
    pub(crate) fn guarantee(&self, leaf: QuotaSlot, resource: usize) -> i64 {
        match self.policy.reclaim {
            Reclaim::FairShare => self.shares.get(leaf as usize).map_or(0, |row| cell(row, resource)),
            Reclaim::Min | Reclaim::Off => self.min(leaf, resource),
        }
    }

    /// What is left to a quota whatever others need: its min, and no less than its fair share where that decides (F3).
    pub(crate) fn floor(&self, leaf: QuotaSlot, resource: usize) -> i64 {
        self.guarantee(leaf, resource).max(self.min(leaf, resource))
    }

    /// The first limit on the path that any_lend_limit an ask out, leaf first (A1, A2, A5).
    pub(crate) fn blocked(&self, ask: &Ask, leaf: QuotaSlot) -> Option<BlockingReason> {
        self.quota_check().blocked(ask, leaf)
    }

    /// All limits on the path that keep an ask out, in the same order.
    pub(crate) fn limits(&self, ask: &Ask, leaf: QuotaSlot) -> Vec<BlockingReason> {
        self.quota_check().limits(ask, leaf)
    }

    /// How far up an ask may reclaim (R2a): the lowest quota above the leaf that has no guarantee left for it, or the
    /// root; nothing if the leaf itself has none. `extra` is the ask, where it is not yet part of what stands.
    pub(crate) fn reclaim_scope(&self, ask: &Ask, leaf: QuotaSlot) -> Option<QuotaSlot> {
        self.quota(leaf)?;
        let within = |q: QuotaSlot| {
            ask.requested()
                .all(|(r, amount)| self.ledger.projected_usage(q, r).saturating_add(amount) <= self.guarantee(q, r))
        };
        let mut above = self.ledger.path(leaf);
        let leaf = above.next()?;
        if !within(leaf) {
            return None;
        }
        // In a tree of one quota the leaf is the root: there is nobody beside it, but pods without quota give way (A4).
        let mut top = self.ledger.parent(leaf).is_none().then_some(leaf);
        for q in above {
            top = Some(q);
            if !within(q) {
                break;
            }
        }
        top
    }
}

/// Tree and ledger, looked at together: what a quota's numbers say of an ask. A view, so that the rest of the scheduler
/// can be changed while it is asked.
#[derive(Clone, Copy)]
pub(crate) struct QuotaCheck<'a> {
    pub(crate) tree: &'a QuotaTree,
    pub(crate) ledger: &'a Ledger,
}

impl QuotaCheck<'_> {
    fn quota(&self, leaf: QuotaSlot) -> Option<QuotaId> {
        (leaf != self.ledger.no_quota()).then_some(QuotaId(leaf))
    }

    pub(crate) fn min(&self, leaf: QuotaSlot, resource: usize) -> i64 {
        self.quota(leaf).map_or(0, |quota| cell(self.tree.min(quota), resource))
    }

    pub(crate) fn max(&self, leaf: QuotaSlot, resource: usize) -> i64 {
        self.quota(leaf).map_or(UNLIMITED, |quota| cell(self.tree.max(quota), resource))
    }

    fn job_limit(&self, leaf: QuotaSlot) -> Option<u32> {
        self.quota(leaf).and_then(|quota| self.tree.spec(quota)).and_then(|spec| spec.max_jobs)
    }

    /// The first limit on the path that any_lend_limit an ask out, leaf first (A1, A2, A5).
    pub(crate) fn blocked(&self, ask: &Ask, leaf: QuotaSlot) -> Option<BlockingReason> {
        let mut first = None;
        self.each_limit(ask, leaf, |limit| {
            first = Some(limit);
            false
        });
        first
    }

    /// All limits on the path that keep an ask out, in the same order.
    pub(crate) fn limits(&self, ask: &Ask, leaf: QuotaSlot) -> Vec<BlockingReason> {
        let mut all = Vec::new();
        self.each_limit(ask, leaf, |limit| {
            all.push(limit);
            true
        });
        all
    }

    /// Tells `found` of the limits that keep an ask out, as long as it wants to know more.
    fn each_limit(&self, ask: &Ask, leaf: QuotaSlot, mut found: impl FnMut(BlockingReason) -> bool) {
        for (resource, amount) in ask.requested() {
            let name = || self.tree.resource_name(resource).cloned().unwrap_or_else(|| "".into());
            let added = self.ledger.added(leaf, resource, amount);
            for (q, needed) in self.ledger.path(leaf).zip(added) {
                let Some(quota) = self.quota(q) else { break };
                let limit = self.max(q, resource);
                let charged = self.ledger.charged(q, resource);
                if limit != UNLIMITED && charged.saturating_add(needed) > limit {
                    let available = limit.saturating_sub(charged);
                    if !found(BlockingReason::Ceiling { quota, resource: name(), needed, available }) {
                        return;
                    }
                }
                let non_preemptible_usage = self.ledger.non_preemptible_usage(q, resource);
                let min = self.min(q, resource);
                if !ask.preemptible && non_preemptible_usage.saturating_add(amount) > min {
                    let available = min.saturating_sub(non_preemptible_usage);
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
                && !found(BlockingReason::Jobs { quota: QuotaId(q), limit })
            {
                return;
            }
        }
    }

    /// The admission of an ask at one quota. Optimistic where lending limits make the charge depend on the leaf (L3).
    pub(crate) fn admission(&self, ask: &Ask, leaf: QuotaSlot) -> Admission {
        let Some(quota) = self.quota(leaf) else { return Admission { open: true, within: false } };
        let is_leaf = self.tree.is_leaf(quota);
        let mut open = !ask.job || self.job_limit(leaf).is_none_or(|limit| *self.ledger.jobs.at(leaf) < limit);
        for (resource, amount) in ask.requested() {
            let limit = self.max(leaf, resource);
            let least = if is_leaf { amount } else { self.ledger.least_delta(amount) };
            open &= limit == UNLIMITED || self.ledger.charged(leaf, resource).saturating_add(least) <= limit;
            let non_preemptible_usage = self.ledger.non_preemptible_usage(leaf, resource);
            open &= ask.preemptible || non_preemptible_usage.saturating_add(amount) <= self.min(leaf, resource);
        }
        Admission { open, within: self.covers(ask, leaf) }
    }

    /// Whether a quota's min covers what will stand there, the ask included (O1). A root with children covers everything.
    fn covers(&self, ask: &Ask, leaf: QuotaSlot) -> bool {
        let within = |(r, amount)| self.ledger.projected_usage(leaf, r).saturating_add(amount) <= self.min(leaf, r);
        self.is_inner_root(leaf) || ask.requested().all(within)
    }

    /// Whether this is the root of a tree with more than one node.
    pub(crate) fn is_inner_root(&self, leaf: QuotaSlot) -> bool {
        leaf == 0 && self.tree.len() > 1
    }

    /// Whether the whole path below the root covers the ask (O1).
    pub(crate) fn entitled(&self, ask: &Ask, leaf: QuotaSlot) -> bool {
        self.quota(leaf).is_some() && self.ledger.path(leaf).all(|q| self.covers(ask, q))
    }
}
