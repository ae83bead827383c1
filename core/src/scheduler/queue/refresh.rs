//! Keeps what quotas offer up to date.

use super::{request_class::RequestQueue, tournament::Tournament};
use crate::scheduler::{
    quota::Gates,
    state::{QuotaSlot, Ratio},
};

impl Tournament {
    /// Updates the offers of the marked quotas, and of those above them as far as they change. `gates` gives what a
    /// quota leaves, `share` the share by which the policy orders leaves.
    pub(crate) fn refresh(&mut self, gates: impl Fn(QuotaSlot) -> Gates, share: impl Fn(QuotaSlot) -> Ratio) {
        // A quota comes before those below it, so the last is refreshed first.
        while let Some(slot) = self.dirty.pop_last() {
            let gates = gates(slot);
            self.want_again(slot, &gates);
            let Some(parent) = *self.parents.at(slot) else { continue };
            let row = self.rows.at_mut(slot);
            let now = row.offers(slot, &gates, share(slot), self.entitled_first);
            let before = row.note(&now);
            if self.rows.at_mut(parent).replace(before, now) {
                self.dirty.insert(parent);
            }
        }
    }

    /// What was tried in vain is wanted again once the guarantee has not covered it.
    fn want_again(&mut self, leaf: QuotaSlot, gates: &Gates) {
        let Some(covers) = &gates.covers else { return };
        while let Some(ask) = self.rows.at(leaf).tried.above(covers) {
            self.forget_try(RequestQueue { ask, leaf });
        }
        self.dirty.remove(&leaf);
    }
}
