//! The queues of all leaves, with those that block (O2).

use super::{order::PendingKey, request_class::RequestQueue, tournament::Tournament};
use crate::{
    api::{Order, Policy, Queueing, QuotaId, Unquotaed},
    scheduler::{
        quota::Quotas,
        state::{AskId, QuotaSlot, Ratio, Table, WorkloadSlot, Workloads},
    },
    tree::QuotaTree,
};
use std::{cmp::Reverse, collections::BTreeSet};

/// What a pending workload waits for: the request of its next unit, and its place in the order.
pub(crate) type Pending = (AskId, PendingKey);

/// The pending workloads.
#[derive(Debug, Clone)]
pub(crate) struct Queue {
    pub(crate) tournament: Tournament,
    /// Per leaf that blocks (O2): all its pending workloads. Only the first of them takes part in the tournament.
    blocking: Table<QuotaSlot, Option<BTreeSet<PendingKey>>>,
    /// Per workload: what it waits for, unless it holds or has nothing pending.
    pending: Table<WorkloadSlot, Option<Pending>>,
    order: Order,
    /// The slot of workloads without a quota, where the policy refuses them (A4). They are pending, but never tried.
    refuses: Option<QuotaSlot>,
}

impl Queue {
    pub(crate) fn new(quotas: &Quotas, policy: &Policy) -> Self {
        let ledger = &quotas.ledger;
        let parents = ledger.slots().map(|q| ledger.parent(q)).collect();
        Self {
            tournament: Tournament::new(parents, policy.order == Order::GuaranteedFirst),
            blocking: ledger.slots().map(|q| blocking_queue(&quotas.tree, QuotaId(q.0))).collect(),
            pending: Table::default(),
            order: policy.order,
            refuses: (policy.unquotaed == Unquotaed::Refuse).then_some(ledger.no_quota()),
        }
    }

    /// What a workload waits for, if it is pending.
    pub(crate) fn pending(&self, slot: WorkloadSlot) -> Option<Pending> {
        self.pending.get(slot).copied().flatten()
    }

    /// Whether workloads charged to this slot are refused, because they have no quota (A4).
    pub(crate) fn refuses(&self, leaf: QuotaSlot) -> bool {
        self.refuses == Some(leaf)
    }

    /// The first pending workload of a leaf that blocks (O2).
    pub(crate) fn blocking_head(&self, leaf: QuotaSlot) -> Option<PendingKey> {
        self.blocking.at(leaf).as_ref().and_then(|queue| queue.first()).copied()
    }

    /// The place of a workload in the order, now.
    pub(crate) fn key(&self, slot: WorkloadSlot, workloads: &Workloads, quotas: &Quotas) -> PendingKey {
        let workload = workloads.at(slot);
        let share = if self.order == Order::Share { quotas.dominant_share(workload.leaf) } else { Ratio::default() };
        let priority = Reverse(workload.priority);
        PendingKey { share, priority, submitted: workload.submitted, id: workload.id, slot }
    }

    /// Puts a workload into the queue of its leaf, to wait for this request.
    pub(crate) fn enqueue(&mut self, slot: WorkloadSlot, ask: AskId, workloads: &Workloads, quotas: &Quotas) {
        let leaf = workloads.at(slot).leaf;
        let key = self.key(slot, workloads, quotas);
        self.set_pending(slot, Some((ask, key)));
        if self.refuses(leaf) {
            return;
        }
        if let Some(queue) = self.blocking.at_mut(leaf) {
            let head = queue.first().copied();
            queue.insert(key.within_leaf());
            match head {
                Some(head) if head < key.within_leaf() => return,
                Some(head) => {
                    if let Some((ask, key)) = self.pending(head.slot) {
                        self.tournament.remove(RequestQueue { ask, leaf }, key);
                    }
                }
                None => {}
            }
        }
        self.join(RequestQueue { ask, leaf }, key, workloads, quotas);
    }

    fn join(&mut self, queue: RequestQueue, key: PendingKey, workloads: &Workloads, quotas: &Quotas) {
        let ask = workloads.interner.ask(queue.ask);
        self.tournament.insert(queue, key, |q| quotas.admission(ask, q));
    }

    /// Takes a workload out of the queue.
    pub(crate) fn dequeue(&mut self, slot: WorkloadSlot, workloads: &Workloads, quotas: &Quotas) {
        let leaf = workloads.at(slot).leaf;
        let Some((ask, key)) = self.pending(slot) else { return };
        self.set_pending(slot, None);
        if self.refuses(leaf) {
            return;
        }
        let Some(queue) = self.blocking.at_mut(leaf) else {
            return self.tournament.remove(RequestQueue { ask, leaf }, key);
        };
        let was_head = queue.first() == Some(&key.within_leaf());
        queue.remove(&key.within_leaf());
        let next = queue.first().copied();
        if was_head {
            self.tournament.remove(RequestQueue { ask, leaf }, key);
            if let Some(next) = next
                && let Some((ask, _)) = self.pending(next.slot)
            {
                let key = self.key(next.slot, workloads, quotas);
                self.set_pending(next.slot, Some((ask, key)));
                self.join(RequestQueue { ask, leaf }, key, workloads, quotas);
            }
        }
    }

    fn set_pending(&mut self, slot: WorkloadSlot, pending: Option<Pending>) {
        self.pending.extend_to(slot, || None);
        *self.pending.at_mut(slot) = pending;
    }

    /// After a change of the usage of a leaf, marks the quotas on its path for re-evaluation. Where the order goes by
    /// share, also moves the workloads of the leaf to their new place.
    pub(crate) fn touch(&mut self, leaf: QuotaSlot, workloads: &Workloads, quotas: &Quotas) {
        quotas.ledger.path(leaf).for_each(|q| self.tournament.touch(q));
        if self.order == Order::Share {
            self.reorder(leaf, workloads, quotas);
        }
    }

    /// Moves the pending workloads of a leaf to where its share puts them now (O1, `share`).
    fn reorder(&mut self, leaf: QuotaSlot, workloads: &Workloads, quotas: &Quotas) {
        let queues: Vec<RequestQueue> = self.tournament.queues_of(leaf).collect();
        for queue in queues {
            for old in self.tournament.keys_of(queue) {
                let new = self.key(old.slot, workloads, quotas);
                if new != old {
                    self.tournament.rekey(queue, old, new);
                    if let Some((ask, _)) = self.pending(old.slot) {
                        self.set_pending(old.slot, Some((ask, new)));
                    }
                }
            }
        }
    }
}

/// The queue of a leaf that blocks (O2); nothing for other quotas.
fn blocking_queue(tree: &QuotaTree, quota: QuotaId) -> Option<BTreeSet<PendingKey>> {
    let spec = tree.spec(quota)?;
    (spec.queueing == Queueing::Block && tree.is_leaf(quota)).then(BTreeSet::new)
}
