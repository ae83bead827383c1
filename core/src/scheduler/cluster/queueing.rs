//! Putting workloads into the queue and taking them out, as their pods change.

use super::{groups::Cluster, impossible::cannot_run};
use crate::scheduler::{
    queue::{Offered, PendingKey, RequestQueue},
    state::{BackOff, QuotaSlot, WorkloadSlot},
};
use smallvec::SmallVec;

impl Cluster {
    /// Puts a workload into the queue for its next unit, if it has one and does not wait after a failed bind (E6).
    /// Returns whether that may change which workload is tried next.
    pub(crate) fn enqueue(&mut self, slot: WorkloadSlot) -> bool {
        if self.workloads.at(slot).backs_off != BackOff::Over {
            return false;
        }
        let ask = self.workloads.next_ask(slot);
        ask.is_some_and(|ask| self.queue.enqueue(slot, ask, &self.workloads, &self.quotas))
    }

    /// Takes a workload out of the queue, if it is pending.
    pub(crate) fn dequeue(&mut self, slot: WorkloadSlot) {
        self.queue.dequeue(slot, &self.workloads);
    }

    /// Puts a workload into the queue again after a failed bind, the loss of pods, or the end of its hold. It may be there
    /// already, where pods of it were evicted after its hold had ended. If none of its pods is on a node, it is no longer
    /// an admitted job (A5).
    pub(crate) fn requeue(&mut self, slot: WorkloadSlot) {
        if !self.workloads.at(slot).is_on_nodes() {
            self.set_admitted(slot, false);
        }
        self.enqueue_anew(slot);
    }

    /// Puts a workload into the queue anew if its next unit has changed (G1, G2).
    pub(crate) fn requeue_if_changed(&mut self, slot: WorkloadSlot) {
        if self.workloads.at(slot).hold.is_none() {
            self.enqueue_anew(slot);
        }
    }

    fn enqueue_anew(&mut self, slot: WorkloadSlot) {
        let before = self.queue.pending(slot);
        if self.workloads.next_ask(slot) != before {
            self.dequeue(slot);
            self.enqueue(slot);
        }
    }

    /// Updates which workload blocks each leaf with strict queueing: the first one that can run. Those before it cannot
    /// run and block nobody (O2, O4).
    pub(crate) fn settle_lines(&mut self) {
        let version = (self.nodes.changes(), self.quotas.ledger.non_preemptible_changes());
        let changed = std::mem::replace(&mut self.lines_settled_at, version) != version;
        if !changed && self.queue.is_settled() {
            return;
        }
        for leaf in self.queue.take_unsettled(changed) {
            let (mut offered, mut closed) = (Offered::new(), false);
            for key in self.queue.in_line(leaf) {
                offered.push(key);
                closed = self.can_run(key.slot);
                if closed {
                    break;
                }
            }
            self.queue.settle(leaf, (offered, closed), &self.workloads, &self.quotas);
        }
    }

    /// The workload that a workload is blocked by in a leaf with strict queueing: the first one before it that can run
    /// (O2, O4).
    pub(crate) fn blocking_head(&self, leaf: QuotaSlot, key: PendingKey) -> Option<PendingKey> {
        let mut before = self.queue.in_line(leaf).take_while(|other| *other < key);
        before.find(|other| self.can_run(other.slot))
    }

    fn can_run(&self, slot: WorkloadSlot) -> bool {
        let leaf = self.workloads.at(slot).leaf;
        self.queue.pending(slot).is_none_or(|ask| {
            let interner = &self.workloads.interner;
            cannot_run(&self.quotas, &self.nodes, interner, interner.ask(ask), leaf).is_none()
        })
    }

    /// The usage of a leaf, or what holds reserve there, has changed.
    pub(crate) fn touch(&mut self, leaf: QuotaSlot) {
        self.queue.touch(leaf, &self.quotas);
    }

    /// After the end of a hold, resumes the suspended queues that quotas admit now, so that the same decision tries
    /// them (O1).
    pub(crate) fn resume_admitted(&mut self) {
        let (quotas, interner) = (&self.quotas, &self.workloads.interner);
        self.queue.tournament.resume(|queue| quotas.admits(interner.ask(queue.ask), queue.leaf));
    }

    /// After a workload of this priority became a possible victim, makes the next event check the queues of its leaf
    /// that could preempt it (R1).
    pub(super) fn retry_preemptors(&mut self, leaf: QuotaSlot, priority: i32) {
        if !self.policy.preempts_within_leaf() {
            return;
        }
        let (within, tournament) = (self.policy.within, &mut self.queue.tournament);
        // A queue with a higher priority comes first.
        let could = |(key, _): &(PendingKey, RequestQueue)| within.may_preempt(key.priority.0, priority);
        let queues: SmallVec<[RequestQueue; 4]> =
            tournament.queues_of(leaf).take_while(could).map(|(_, queue)| queue).collect();
        queues.into_iter().for_each(|queue| tournament.make_due(queue));
    }
}
