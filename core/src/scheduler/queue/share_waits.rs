//! Queues that wait until the fair share of their leaf covers their request (F3).
//!
//! After each event, a workload that may not reclaim could do so if its leaf had a larger share or used less. Such queues
//! are therefore sorted by amount, leaf by leaf, and only the leaves are looked at whose share or usage has changed.

use super::{request_class::RequestQueue, tournament::Tournament};
use crate::{
    counters::touch,
    scheduler::{quota::Demand, state::QuotaSlot},
};

impl Tournament {
    /// Checks a queue again after the event at which the share of its leaf covers its request.
    pub(crate) fn wait_for_share(&mut self, queue: RequestQueue) {
        let Some(waiting) = self.queues.get_mut(&queue).filter(|waiting| !waiting.beyond_share) else { return };
        waiting.beyond_share = true;
        self.rows.at_mut(queue.leaf).beyond_share.insert(queue.ask, &self.classes.at(queue.ask).demand);
    }

    /// Notes that the share or the usage of a leaf has changed.
    pub(crate) fn note_share(&mut self, leaf: QuotaSlot) {
        if !self.rows.at(leaf).beyond_share.is_empty() {
            self.shares_changed.insert(leaf);
        }
    }

    /// Makes the next check after an event include the queues that the share of their leaf covers by now. `left` is what
    /// a leaf may still use of its share, for each resource.
    pub(crate) fn check_what_shares_cover(&mut self, left: impl Fn(QuotaSlot) -> Demand) {
        while let Some(leaf) = self.shares_changed.pop() {
            touch(1);
            let left = left(leaf);
            let covered: Vec<_> = self.rows.at(leaf).beyond_share.maybe_within(&left).collect();
            for queue in covered.into_iter().map(|ask| RequestQueue { ask, leaf }) {
                self.forget_share(queue);
                self.retry_on_event(queue);
            }
        }
    }

    /// Takes a queue out of those that wait for a share.
    pub(super) fn forget_share(&mut self, queue: RequestQueue) {
        if let Some(waiting) = self.queues.get_mut(&queue) {
            waiting.beyond_share = false;
        }
        self.rows.at_mut(queue.leaf).beyond_share.remove(queue.ask, &self.classes.at(queue.ask).demand);
    }

    /// The queues that wait for a share, of leaves whose share or usage has changed since the last check.
    pub(super) fn beyond_changed_shares(&self) -> impl Iterator<Item = RequestQueue> + '_ {
        let of = |leaf: &QuotaSlot| {
            let leaf = *leaf;
            self.rows.at(leaf).beyond_share.iter().map(move |ask| RequestQueue { ask, leaf })
        };
        self.shares_changed.iter().flat_map(of)
    }
}
