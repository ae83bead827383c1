//! Keeps what quotas offer up to date.
//!
//! Offers say which leaf to look into. While workloads wait in one leaf only, a search goes there at once, and what would
//! be offered is left for later.

use super::{
    offers::{Row, replace},
    request_class::{Contest, RequestQueue},
    tournament::Tournament,
};
use crate::scheduler::{
    quota::Gates,
    state::{QuotaSlot, Ratio},
};

impl Tournament {
    /// Updates the offers of the marked quotas, and of the quotas above as far as they change. `gates` writes what a
    /// quota leaves, `share` the share by which the policy orders leaves.
    pub(crate) fn refresh(&mut self, gates: impl Fn(QuotaSlot, &mut Gates), share: impl Fn(QuotaSlot) -> Ratio) {
        while let Some(slot) = self.dirty.pop_last() {
            let row = self.rows.at_mut(slot);
            if std::mem::take(&mut row.gates_are_stale) {
                gates(slot, &mut row.gates);
                self.want_again(slot);
            }
            #[cfg(debug_assertions)]
            self.check_gates(slot, &gates);
            self.forget_hider(slot);
            self.note_waiting(slot);
            self.to_offer.insert(slot);
        }
        // A quota comes before those below it, so the last is refreshed first.
        while self.waiting.len() > 1
            && let Some(slot) = self.to_offer.pop_last()
        {
            self.offer(slot, Contest::Any, &share);
            if self.entitled_first {
                self.offer(slot, Contest::Entitled, &share);
            }
        }
    }

    /// What a quota leaves changes only with its usage, its holds and its limits.
    #[cfg(debug_assertions)]
    fn check_gates(&self, slot: QuotaSlot, gates: impl Fn(QuotaSlot, &mut Gates)) {
        let mut now = Gates::default();
        gates(slot, &mut now);
        debug_assert_eq!(self.rows.at(slot).gates, now, "a change was not marked by `touch`");
    }

    /// Notes whether workloads wait in a leaf.
    fn note_waiting(&mut self, slot: QuotaSlot) {
        let row = self.rows.at_mut(slot);
        let waits = row.is_leaf && row.line.whole().is_some();
        if std::mem::replace(&mut row.waits, waits) == waits {
            return;
        }
        if waits {
            self.waiting.insert(slot);
        } else {
            self.waiting.swap_remove(&slot);
        }
    }

    /// The only leaf in which workloads wait. Then no offers are kept.
    pub(super) fn only_leaf(&self) -> Option<QuotaSlot> {
        self.waiting.first().copied().filter(|_| self.waiting.len() == 1)
    }

    /// Updates what a quota offers to the quota above, and marks the latter if the offers change.
    pub(super) fn offer(&mut self, slot: QuotaSlot, contest: Contest, share: impl Fn(QuotaSlot) -> Ratio) {
        let Some(parent) = *self.parents.at(slot) else { return };
        let row = self.rows.at_mut(slot);
        self.amounts.clear();
        let now = match contest {
            Contest::Any => {
                row.offer(slot, if row.is_leaf { share(slot) } else { Ratio::default() }, &mut self.amounts)
            }
            Contest::Entitled => row.offer_entitled(slot, &mut self.amounts).into_iter().collect(),
        };
        let Some(places) = row.offered.get_mut(contest as usize) else { return };
        let before = std::mem::replace(places, now.iter().map(|offer| offer.key()).collect());
        if replace(self.rows.at_mut(parent).offers_mut(contest), &before, &now, &self.amounts) {
            self.to_offer.insert(parent);
        }
    }

    /// Makes the queues wanted again that were tried in vain, if the guarantee of the leaf does not cover them now:
    /// they are tried when it covers them again.
    fn want_again(&mut self, leaf: QuotaSlot) {
        let uncovered = |row: &Row| row.gates.covers.as_ref().and_then(|covers| row.tried.above(covers));
        while let Some(ask) = uncovered(self.rows.at(leaf)) {
            self.forget_try(RequestQueue { ask, leaf });
        }
        self.dirty.remove(leaf);
    }
}
