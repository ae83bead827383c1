//! Which queue is tried next (O1): entitled heads first where the policy says so, then the order of pending workloads.

use super::{order::PendingKey, request_class::RequestQueue, tournament::Tournament};
use crate::{
    counters::touch,
    scheduler::state::{AskId, QuotaSlot, WorkloadSlot},
};
use std::collections::BTreeSet;

/// The questions about quotas and workloads that the choice asks, answered from the present state.
pub(crate) struct Judge<E, A, C, L> {
    /// Whether the head of a queue is entitled.
    pub(crate) is_entitled: E,
    /// Whether all limits on the path admit the request of a queue.
    pub(crate) admits: A,
    /// Whether a request could run at all (O4).
    pub(crate) can_run: C,
    /// The leaf of a workload.
    pub(crate) leaf_of: L,
}

impl Tournament {
    /// The next queue to try; nothing where no queue can be placed.
    pub(crate) fn next<E, A, C, L>(&mut self, judge: &Judge<E, A, C, L>) -> Option<RequestQueue>
    where
        E: Fn(RequestQueue) -> bool,
        A: Fn(RequestQueue) -> bool,
        C: Fn(RequestQueue) -> bool,
        L: Fn(WorkloadSlot) -> QuotaSlot,
    {
        for queue in std::mem::take(&mut self.newly_due) {
            if let Some(head) = self.head(queue) {
                self.due.unjudged.insert((head, queue));
            }
        }
        if self.entitled_first {
            let (first, not_entitled) = self.first_entitled(judge);
            for entry in not_entitled {
                self.due.unjudged.remove(&entry);
                self.due.judged.insert(entry);
            }
            if first.is_some() {
                return first;
            }
        } else {
            self.due.judged.append(&mut self.due.unjudged);
        }
        let ready = self.ready.any.first().map(|(key, ask)| (*key, queue_of(*key, *ask, &judge.leaf_of)));
        let offered = [ready, self.due.judged.first().copied(), self.due.unjudged.first().copied()];
        offered.into_iter().flatten().min().map(|(_, queue)| queue)
    }

    /// The first entitled queue whose head comes first in its leaf, since inside a leaf priority goes before
    /// entitlement (O1). Also gives the due queues that were judged not entitled.
    fn first_entitled<E, A, C, L>(
        &self,
        judge: &Judge<E, A, C, L>,
    ) -> (Option<RequestQueue>, Vec<(PendingKey, RequestQueue)>)
    where
        E: Fn(RequestQueue) -> bool,
        A: Fn(RequestQueue) -> bool,
        C: Fn(RequestQueue) -> bool,
        L: Fn(WorkloadSlot) -> QuotaSlot,
    {
        let mut not_entitled = Vec::new();
        // The other queues of classes whose winner does not come first in its leaf.
        let mut others: BTreeSet<(PendingKey, RequestQueue)> = BTreeSet::new();
        let winners = self.ready.entitled.iter();
        let mut ready = winners.map(|(key, ask)| (*key, queue_of(*key, *ask, &judge.leaf_of))).peekable();
        let mut due = self.due.unjudged.iter().copied().peekable();
        loop {
            touch(1);
            let offered = [ready.peek().copied(), others.first().copied(), due.peek().copied()];
            let Some((key, queue)) = offered.iter().flatten().min().copied() else { return (None, not_entitled) };
            let is_due = offered.first() != Some(&Some((key, queue))) && !others.contains(&(key, queue));
            if is_due {
                due.next();
                if !(judge.is_entitled)(queue) {
                    not_entitled.push((key, queue));
                    continue;
                }
            } else if !others.remove(&(key, queue)) {
                ready.next();
                if !self.is_first_of_leaf(queue, key, judge) {
                    others.extend(self.entitled_queues(queue.ask).filter(|other| *other > (key, queue)));
                }
            }
            if self.is_first_of_leaf(queue, key, judge) {
                return (Some(queue), not_entitled);
            }
        }
    }

    /// All queues of a class that are ready and within min on their whole path.
    fn entitled_queues(&self, ask: AskId) -> impl Iterator<Item = (PendingKey, RequestQueue)> + '_ {
        let class = self.classes.get(ask);
        let within_min = move |q: QuotaSlot| {
            class.and_then(|class| class.entries.get(&q)).is_some_and(|entry| entry.admission.within_min)
        };
        let covered =
            move |leaf: QuotaSlot| std::iter::successors(Some(leaf), |q| *self.parents.at(*q)).all(within_min);
        let entries = class.into_iter().flat_map(|class| class.entries.iter()).inspect(|_| touch(1));
        let queues = entries.filter(|(_, entry)| entry.is_queue);
        queues
            .filter_map(move |(leaf, entry)| Some((*entry.keys.any.first()?, RequestQueue { ask, leaf: *leaf })))
            .filter(move |(_, queue)| self.is_ready(*queue) && covered(queue.leaf))
    }

    /// Whether no other queue of the same leaf that would be tried, and that could run at all (O4), has an earlier head.
    fn is_first_of_leaf<E, A, C, L>(&self, queue: RequestQueue, key: PendingKey, judge: &Judge<E, A, C, L>) -> bool
    where
        A: Fn(RequestQueue) -> bool,
        C: Fn(RequestQueue) -> bool,
    {
        let is_tried = |other| self.is_due(other) || self.is_ready(other) && (judge.admits)(other);
        let is_earlier = |other: &RequestQueue| self.head(*other).is_some_and(|head| head < key);
        !self.queues_of(queue.leaf).filter(is_earlier).any(|other| is_tried(other) && (judge.can_run)(other))
    }
}

fn queue_of(key: PendingKey, ask: AskId, leaf_of: &impl Fn(WorkloadSlot) -> QuotaSlot) -> RequestQueue {
    RequestQueue { ask, leaf: leaf_of(key.slot) }
}
