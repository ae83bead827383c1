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
use smallvec::SmallVec;
use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
};

/// What a pending workload waits for: the request of its next unit, and its place in the order.
pub(crate) type Pending = (AskId, PendingKey);

/// The first workloads of a leaf that blocks, in order: seldom more than one.
pub(crate) type Offered = SmallVec<[PendingKey; 1]>;

/// The pending workloads.
#[derive(Debug, Clone)]
pub(crate) struct Queue {
    pub(crate) tournament: Tournament,
    /// The leaves that block (O2).
    blocking: BTreeMap<QuotaSlot, BlockingLeaf>,
    /// Those of them that are not settled.
    unsettled: SmallVec<[QuotaSlot; 4]>,
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
            blocking: quotas
                .tree
                .ids()
                .filter(|q| blocks(&quotas.tree, *q))
                .map(|q| (q.into(), BlockingLeaf { settled: true, ..BlockingLeaf::default() }))
                .collect(),
            unsettled: SmallVec::new(),
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

    /// The pending workloads of a leaf that blocks, in order; none of other leaves (O2).
    pub(crate) fn in_line(&self, leaf: QuotaSlot) -> impl Iterator<Item = PendingKey> + '_ {
        self.blocking.get(&leaf).into_iter().flat_map(|queue| queue.all.iter().copied())
    }

    /// Whether the queue of no blocking leaf has changed since [`take_unsettled`](Self::take_unsettled).
    pub(crate) fn is_settled(&self) -> bool {
        self.unsettled.is_empty()
    }

    /// Takes out the leaves that block and have changed since they were settled, or all that block.
    pub(crate) fn take_unsettled(&mut self, all: bool) -> SmallVec<[QuotaSlot; 4]> {
        let mut unsettled = std::mem::take(&mut self.unsettled);
        if all {
            unsettled = self.blocking.keys().copied().collect();
        }
        unsettled.sort_unstable();
        unsettled
    }

    /// Offers the first workloads of a leaf that blocks: the first that can run, and those before it that cannot (O2,
    /// O4). `closed` says that one can run, so that those behind it do not matter.
    pub(crate) fn settle(
        &mut self,
        leaf: QuotaSlot,
        (offered, closed): (Offered, bool),
        workloads: &Workloads,
        quotas: &Quotas,
    ) {
        let Some(queue) = self.blocking.get_mut(&leaf) else { return };
        (queue.settled, queue.closed) = (true, closed);
        let before = std::mem::replace(&mut queue.offered, offered.clone());
        for left in before.iter().filter(|key| !offered.contains(key)) {
            if let Some((ask, key)) = self.pending(left.slot) {
                self.tournament.remove(RequestQueue { ask, leaf }, key);
            }
        }
        for joining in offered.iter().filter(|key| !before.contains(key)) {
            if let Some((ask, _)) = self.pending(joining.slot) {
                let key = self.key(joining.slot, workloads, quotas);
                self.set_pending(joining.slot, Some((ask, key)));
                self.join(RequestQueue { ask, leaf }, key, workloads, quotas);
            }
        }
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
        if let Some(queue) = self.blocking.get_mut(&leaf) {
            let key = key.within_leaf();
            queue.all.insert(key);
            if !queue.closed || queue.offered.last().is_none_or(|last| key < *last) {
                queue.unsettle(leaf, &mut self.unsettled);
            }
            return;
        }
        self.join(RequestQueue { ask, leaf }, key, workloads, quotas);
    }

    fn join(&mut self, queue: RequestQueue, key: PendingKey, workloads: &Workloads, quotas: &Quotas) {
        let ask = workloads.interner.ask(queue.ask);
        self.tournament.insert(queue, key, |q| quotas.admission(ask, q));
    }

    /// Takes a workload out of the queue.
    pub(crate) fn dequeue(&mut self, slot: WorkloadSlot, workloads: &Workloads) {
        let leaf = workloads.at(slot).leaf;
        let Some((ask, key)) = self.pending(slot) else { return };
        self.set_pending(slot, None);
        if self.refuses(leaf) {
            return;
        }
        let was_offered = self.blocking.get_mut(&leaf).is_none_or(|queue| {
            let key = key.within_leaf();
            queue.all.remove(&key);
            let at = queue.offered.iter().position(|offered| *offered == key);
            if let Some(at) = at {
                queue.offered.remove(at);
                queue.unsettle(leaf, &mut self.unsettled);
            }
            at.is_some()
        });
        if was_offered {
            self.tournament.remove(RequestQueue { ask, leaf }, key);
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

/// The pending workloads of a leaf that blocks (O2).
#[derive(Debug, Clone, Default)]
struct BlockingLeaf {
    all: BTreeSet<PendingKey>,
    /// Those that take part in the tournament, in order.
    offered: Offered,
    /// Whether the last of them can run (O4).
    closed: bool,
    /// Whether `offered` is up to date.
    settled: bool,
}

impl BlockingLeaf {
    fn unsettle(&mut self, leaf: QuotaSlot, unsettled: &mut SmallVec<[QuotaSlot; 4]>) {
        if std::mem::take(&mut self.settled) {
            unsettled.push(leaf);
        }
    }
}

/// Whether a quota is a leaf that blocks (O2).
fn blocks(tree: &QuotaTree, quota: QuotaId) -> bool {
    tree.is_leaf(quota) && tree.spec(quota).is_some_and(|spec| spec.queueing == Queueing::Block)
}
