//! Putting workloads into the queue and taking them out, as their pods change.

use super::groups::Cluster;
use crate::scheduler::{
    queue::{PendingKey, RequestQueue},
    state::{QuotaSlot, WorkloadSlot},
};
use smallvec::SmallVec;

impl Cluster {
    /// Puts a workload into the queue for its next unit, if it has one.
    pub(crate) fn enqueue(&mut self, slot: WorkloadSlot) {
        if let Some(ask) = self.workloads.next_ask(slot) {
            self.queue.enqueue(slot, ask, &self.workloads, &self.quotas);
        }
    }

    /// Takes a workload out of the queue, if it is pending.
    pub(crate) fn dequeue(&mut self, slot: WorkloadSlot) {
        self.queue.dequeue(slot, &self.workloads, &self.quotas);
    }

    /// Puts a workload into the queue whose bind failed, whose pods were lost, or whose hold ended. If none of its pods
    /// is left on a node, it is no admitted job any more (A5).
    pub(crate) fn requeue(&mut self, slot: WorkloadSlot) {
        if !self.workloads.at(slot).is_on_nodes() {
            self.set_admitted(slot, false);
        }
        self.enqueue(slot);
    }

    /// Updates the queue where the next unit of a workload is another one than before (G1, G2).
    pub(crate) fn requeue_if_changed(&mut self, slot: WorkloadSlot) {
        let before = self.queue.pending(slot).map(|(ask, _)| ask);
        if self.workloads.at(slot).hold.is_none() && self.workloads.next_ask(slot) != before {
            self.dequeue(slot);
            self.enqueue(slot);
        }
    }

    /// The usage of a leaf, or what holds reserve there, has changed.
    pub(crate) fn touch(&mut self, leaf: QuotaSlot) {
        self.queue.touch(leaf, &self.workloads, &self.quotas);
    }

    /// A hold ended: queues that were suspended and are admitted now are offered again in the same decision (O1).
    pub(crate) fn resume_admitted(&mut self) {
        let (quotas, interner) = (&self.quotas, &self.workloads.interner);
        self.queue.tournament.resume(|queue| quotas.admits(interner.ask(queue.ask), queue.leaf));
    }

    /// A workload of this priority became a possible victim: queues of its leaf that could preempt it are tried again
    /// (R1).
    pub(super) fn retry_preemptors(&mut self, leaf: QuotaSlot, priority: i32) {
        if !self.policy.preempts_within_leaf() {
            return;
        }
        let (within, tournament) = (self.policy.within, &mut self.queue.tournament);
        let could = |key: PendingKey| within.may_preempt(key.priority.0, priority);
        let queues: SmallVec<[RequestQueue; 4]> =
            tournament.queues_of(leaf).filter(|queue| tournament.head(*queue).is_some_and(could)).collect();
        queues.into_iter().for_each(|queue| tournament.make_due(queue));
    }
}
