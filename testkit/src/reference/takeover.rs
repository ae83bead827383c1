//! Taking holds over (H2): an entitled workload that came later may take what others hold.

use super::{
    decide::Decision,
    ledger::Ledger,
    order::Key,
    state::{Ask, Hold, Reference},
};
use quotree_core::{Action, ReleaseReason, WorkloadId};

impl Reference {
    /// An entitled workload that came after a hold was made takes it over if it needs it: first the holds of unentitled
    /// workloads of other leaves, then those of workloads later in order; each alone, then all together (H2).
    pub(super) fn take_over(&mut self, id: WorkloadId, ask: &Ask, key: Key, plan: &mut Decision) -> bool {
        let ids = self.holds_it_may_take(&self.ledger(), id, key);
        let each = ids.iter().map(|id| vec![*id]).collect::<Vec<_>>();
        each.into_iter().chain([ids]).any(|ids| self.take_holds(&ids, id, ask, plan))
    }

    /// The holds that a workload may take over.
    pub(super) fn holds_it_may_take(&self, ledger: &Ledger, id: WorkloadId, key: Key) -> Vec<u32> {
        let mut later: Vec<(bool, Key, u32)> = Vec::new();
        for hold in self.holds.iter().filter(|hold| self.workload(id).changed_at > hold.made) {
            let other = self.workload(hold.workload).leaf != self.workload(id).leaf;
            let unentitled = other && !self.holder_is_entitled(ledger, hold);
            let holder = self.key(ledger, self.workload(hold.workload));
            if unentitled || key < holder {
                later.push((unentitled, holder, hold.id));
            }
        }
        later.sort_unstable();
        later.into_iter().rev().map(|(_, _, id)| id).collect()
    }

    pub(super) fn take_holds(&mut self, ids: &[u32], id: WorkloadId, ask: &Ask, plan: &mut Decision) -> bool {
        let (mut trial, mut tried) = (self.clone(), plan.clone());
        let ended: Vec<Hold> = ids.iter().filter_map(|hold| trial.drop_hold(*hold)).collect();
        for hold in &ended {
            let reason = ReleaseReason::NeededBy(id);
            tried.actions.push(Action::Release { workload: hold.workload, reason });
        }
        let entitled = trial.entitled(&trial.ledger(), ask, trial.workload(id).leaf);
        if !entitled || !(trial.place_on_free(id, ask, &mut tried) || trial.preempt(id, ask, &mut tried)) {
            self.bound_hit |= trial.bound_hit;
            return false;
        }
        ended.iter().for_each(|hold| trial.requeue(hold.workload));
        (*self, *plan) = (trial, tried);
        true
    }

    /// Whether the ask of a hold stays within min; the hold is part of what stands already.
    fn holder_is_entitled(&self, ledger: &Ledger, hold: &Hold) -> bool {
        let Some(leaf) = self.workload(hold.workload).leaf else { return false };
        let requested = self.requested_counted(&hold.ask);
        let within = |q: usize| requested.iter().all(|(r, _)| ledger.standing(q, *r) <= self.tree.quotas[q].min[*r]);
        self.tree.path(leaf).all(|q| within(q) || q == 0 && self.tree.quotas.len() > 1)
    }
}
