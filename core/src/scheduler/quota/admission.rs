//! Who is admitted, and who is entitled: the gates of A1, A2, A5, O1 and R2(a).

use crate::scheduler::{
    Scheduler,
    queue::pending::Gate,
    quota::ledger::{Account, Ledger, cell},
    state::interner::Ask,
};
use crate::{
    api::{BlockingReason, QuotaId, Reclaim},
    tree::{QuotaTree, UNLIMITED},
};

impl Scheduler {
    pub(crate) fn gates(&self) -> Gates<'_> {
        Gates { tree: &self.tree, ledger: &self.ledger }
    }

    pub(crate) fn min(&self, account: Account, resource: usize) -> i64 {
        self.gates().min(account, resource)
    }

    pub(crate) fn max(&self, account: Account, resource: usize) -> i64 {
        self.gates().max(account, resource)
    }

    /// Whether the whole path below the root covers the ask (O1).
    pub(crate) fn entitled(&self, ask: &Ask, account: Account) -> bool {
        self.gates().entitled(ask, account)
    }

    pub(crate) fn is_inner_root(&self, account: Account) -> bool {
        self.gates().is_inner_root(account)
    }

    /// What a quota is guaranteed when others take from each other: its min, or its fair share (F3).
    pub(crate) fn guarantee(&self, account: Account, resource: usize) -> i64 {
        match self.policy.reclaim {
            Reclaim::FairShare => self.shares.get(account as usize).map_or(0, |row| cell(row, resource)),
            Reclaim::Min | Reclaim::Off => self.min(account, resource),
        }
    }

    /// What is left to a quota whatever others need: its min, and no less than its fair share where that decides (F3).
    pub(crate) fn floor(&self, account: Account, resource: usize) -> i64 {
        self.guarantee(account, resource).max(self.min(account, resource))
    }

    /// The first limit on the path that keeps an ask out, leaf first (A1, A2, A5).
    pub(crate) fn barred(&self, ask: &Ask, account: Account) -> Option<BlockingReason> {
        self.gates().barred(ask, account)
    }

    /// All limits on the path that keep an ask out, in the same order.
    pub(crate) fn limits(&self, ask: &Ask, account: Account) -> Vec<BlockingReason> {
        self.gates().limits(ask, account)
    }

    /// How far up an ask may reclaim (R2a): the lowest quota above the leaf that has no guarantee left for it, or the
    /// root; nothing if the leaf itself has none. `extra` is the ask, where it is not yet part of what stands.
    pub(crate) fn reach(&self, ask: &Ask, account: Account) -> Option<Account> {
        self.quota(account)?;
        let within = |q: Account| {
            ask.requested().all(|(r, amount)| self.ledger.standing(q, r).saturating_add(amount) <= self.guarantee(q, r))
        };
        let mut above = self.ledger.path(account);
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
pub(crate) struct Gates<'a> {
    pub(crate) tree: &'a QuotaTree,
    pub(crate) ledger: &'a Ledger,
}

impl Gates<'_> {
    fn quota(&self, account: Account) -> Option<QuotaId> {
        (account != self.ledger.outside()).then_some(QuotaId(account))
    }

    pub(crate) fn min(&self, account: Account, resource: usize) -> i64 {
        self.quota(account).map_or(0, |quota| cell(self.tree.min(quota), resource))
    }

    pub(crate) fn max(&self, account: Account, resource: usize) -> i64 {
        self.quota(account).map_or(UNLIMITED, |quota| cell(self.tree.max(quota), resource))
    }

    fn job_limit(&self, account: Account) -> Option<u32> {
        self.quota(account).and_then(|quota| self.tree.spec(quota)).and_then(|spec| spec.max_jobs)
    }

    /// The first limit on the path that keeps an ask out, leaf first (A1, A2, A5).
    pub(crate) fn barred(&self, ask: &Ask, account: Account) -> Option<BlockingReason> {
        let mut first = None;
        self.each_limit(ask, account, |limit| {
            first = Some(limit);
            false
        });
        first
    }

    /// All limits on the path that keep an ask out, in the same order.
    pub(crate) fn limits(&self, ask: &Ask, account: Account) -> Vec<BlockingReason> {
        let mut all = Vec::new();
        self.each_limit(ask, account, |limit| {
            all.push(limit);
            true
        });
        all
    }

    /// Tells `found` of the limits that keep an ask out, as long as it wants to know more.
    fn each_limit(&self, ask: &Ask, account: Account, mut found: impl FnMut(BlockingReason) -> bool) {
        for (resource, amount) in ask.requested() {
            let name = || self.tree.resource_name(resource).cloned().unwrap_or_else(|| "".into());
            let added = self.ledger.added(account, resource, amount);
            for (q, needed) in self.ledger.path(account).zip(added) {
                let Some(quota) = self.quota(q) else { break };
                let limit = self.max(q, resource);
                let charged = self.ledger.charged(q, resource);
                if limit != UNLIMITED && charged.saturating_add(needed) > limit {
                    let available = limit.saturating_sub(charged);
                    if !found(BlockingReason::Ceiling { quota, resource: name(), needed, available }) {
                        return;
                    }
                }
                let firm = self.ledger.firm(q, resource);
                let min = self.min(q, resource);
                if !ask.preemptible && firm.saturating_add(amount) > min {
                    let available = min.saturating_sub(firm);
                    if !found(BlockingReason::Guarantee { quota, resource: name(), needed: amount, available }) {
                        return;
                    }
                }
            }
        }
        if !ask.job {
            return;
        }
        for q in self.ledger.path(account) {
            let limit = self.job_limit(q).filter(|limit| *self.ledger.jobs.at(q) >= *limit);
            if let Some(limit) = limit
                && !found(BlockingReason::Jobs { quota: QuotaId(q), limit })
            {
                return;
            }
        }
    }

    /// The gate of an ask at one quota. Optimistic where lending limits make the charge depend on the leaf (L3).
    pub(crate) fn gate(&self, ask: &Ask, account: Account) -> Gate {
        let Some(quota) = self.quota(account) else { return Gate { open: true, within: false } };
        let is_leaf = self.tree.is_leaf(quota);
        let mut open = !ask.job || self.job_limit(account).is_none_or(|limit| *self.ledger.jobs.at(account) < limit);
        for (resource, amount) in ask.requested() {
            let limit = self.max(account, resource);
            let least = if is_leaf { amount } else { self.ledger.least_delta(amount) };
            open &= limit == UNLIMITED || self.ledger.charged(account, resource).saturating_add(least) <= limit;
            let firm = self.ledger.firm(account, resource);
            open &= ask.preemptible || firm.saturating_add(amount) <= self.min(account, resource);
        }
        Gate { open, within: self.covers(ask, account) }
    }

    /// Whether a quota's min covers what will stand there, the ask included (O1). A root with children covers everything.
    fn covers(&self, ask: &Ask, account: Account) -> bool {
        let within = |(r, amount)| self.ledger.standing(account, r).saturating_add(amount) <= self.min(account, r);
        self.is_inner_root(account) || ask.requested().all(within)
    }

    /// Whether this is the root of a tree with more than one node.
    pub(crate) fn is_inner_root(&self, account: Account) -> bool {
        account == 0 && self.tree.len() > 1
    }

    /// Whether the whole path below the root covers the ask (O1).
    pub(crate) fn entitled(&self, ask: &Ask, account: Account) -> bool {
        self.quota(account).is_some() && self.ledger.path(account).all(|q| self.covers(ask, q))
    }
}
