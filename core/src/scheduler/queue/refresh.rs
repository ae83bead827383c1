//! Keeps what quotas offer up to date.

use super::{offers::Row, request_class::RequestQueue, tournament::Tournament};
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
            self.rows.at_mut(slot).gates = gates(slot);
            self.want_again(slot);
            let Some(parent) = *self.parents.at(slot) else { continue };
            let row = self.rows.at_mut(slot);
            let now = row.offers(slot, share(slot), self.entitled_first);
            let before = row.note(&now);
            if self.rows.at_mut(parent).replace(before, now) {
                self.dirty.insert(parent);
            }
        }
    }

    /// What was tried in vain is wanted again once the guarantee has not covered it.
    fn want_again(&mut self, leaf: QuotaSlot) {
        let uncovered = |row: &Row| row.gates.covers.as_ref().and_then(|covers| row.tried.above(covers));
        while let Some(ask) = uncovered(self.rows.at(leaf)) {
            self.forget_try(RequestQueue { ask, leaf });
        }
        self.dirty.remove(&leaf);
    }
}
