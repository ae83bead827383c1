//! The queues of all leaves, including those of leaves with strict queueing (O2).

use super::{in_order::InOrder, order::PendingKey, request_class::RequestQueue, tournament::Tournament};
use crate::{
    api::{Order, Policy, Queueing, QuotaId, Unquotaed},
    scheduler::{
        quota::Quotas,
        state::{AskId, QuotaSlot, Ratio, Table, WorkloadSlot, Workloads},
    },
    tree::QuotaTree,
};
use smallvec::SmallVec;
use std::{cmp::Reverse, collections::BTreeMap};

/// The first workloads of a leaf with strict queueing, in order: seldom more than one.
pub(crate) type Offered = SmallVec<[PendingKey; 1]>;

/// The pending workloads.
#[derive(Debug, Clone)]
pub(crate) struct Queue {
    pub(crate) tournament: Tournament,
    /// The leaves with strict queueing (O2).
    blocking: BTreeMap<QuotaSlot, BlockingLeaf>,
    /// Those of them whose offered workloads are not up to date.
    unsettled: SmallVec<[QuotaSlot; 4]>,
    /// For each workload: the request of its next unit, unless it has a hold or nothing pending.
    pending: Table<WorkloadSlot, Option<AskId>>,
    order: Order,
    /// The slot of workloads without a quota, where the policy refuses them (A4). Such workloads are pending, but never
    /// tried.
    refuses: Option<QuotaSlot>,
}

impl Queue {
    pub(crate) fn new(quotas: &Quotas, policy: &Policy) -> Self {
        let ledger = &quotas.ledger;
        Self {
            tournament: Tournament::new(ledger, quotas.tree.width(), policy.order == Order::GuaranteedFirst),
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

    /// The request that a workload waits for, if it is pending.
    pub(crate) fn pending(&self, slot: WorkloadSlot) -> Option<AskId> {
        self.pending.get(slot).copied().flatten()
    }

    /// Whether workloads charged to this slot are refused, because they have no quota (A4).
    pub(crate) fn refuses(&self, leaf: QuotaSlot) -> bool {
        self.refuses == Some(leaf)
    }

    /// Whether a leaf has strict queueing (O2).
    pub(crate) fn is_strict(&self, leaf: QuotaSlot) -> bool {
        self.blocking.contains_key(&leaf)
    }

    /// The pending workloads of a leaf with strict queueing, in order; none for other leaves (O2).
    pub(crate) fn in_line(&self, leaf: QuotaSlot) -> impl Iterator<Item = PendingKey> + '_ {
        self.blocking.get(&leaf).into_iter().flat_map(|queue| queue.all.iter())
    }

    /// Whether no leaf with strict queueing has changed since [`take_unsettled`](Self::take_unsettled).
    pub(crate) fn is_settled(&self) -> bool {
        self.unsettled.is_empty()
    }

    /// Takes out the leaves with strict queueing that have changed since they were settled, or all of them.
    pub(crate) fn take_unsettled(&mut self, all: bool) -> SmallVec<[QuotaSlot; 4]> {
        let mut unsettled = std::mem::take(&mut self.unsettled);
        if all {
            unsettled = self.blocking.keys().copied().collect();
        }
        unsettled.sort_unstable();
        unsettled
    }

    /// Puts the first workloads of a leaf with strict queueing into the tournament: the first that can run, and those
    /// before it that cannot (O2, O4). `closed` means that the last of them can run, so that those behind it do not
    /// matter.
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
            if let Some(ask) = self.pending(left.slot) {
                self.tournament.remove(RequestQueue { ask, leaf }, *left);
            }
        }
        for joining in offered.iter().filter(|key| !before.contains(key)) {
            if let Some(ask) = self.pending(joining.slot) {
                self.join(RequestQueue { ask, leaf }, *joining, workloads, quotas);
            }
        }
    }

    /// The position of a workload in the order of all leaves, now.
    pub(crate) fn key(&self, slot: WorkloadSlot, workloads: &Workloads, quotas: &Quotas) -> PendingKey {
        PendingKey { share: self.share(workloads.at(slot).leaf, quotas), ..key_within_leaf(slot, workloads) }
    }

    /// The share by which the policy orders leaves, smallest first (O1, `share`); 0 where it does not.
    pub(crate) fn share(&self, leaf: QuotaSlot, quotas: &Quotas) -> Ratio {
        if self.order == Order::Share { quotas.dominant_share(leaf) } else { Ratio::default() }
    }

    /// Updates what quotas offer, after usage has changed.
    pub(crate) fn refresh(&mut self, quotas: &Quotas) {
        let order = self.order;
        let share = |leaf| if order == Order::Share { quotas.dominant_share(leaf) } else { Ratio::default() };
        self.tournament.refresh(|q, gates| quotas.write_gates(q, gates), share);
    }

    /// Puts a workload with this request into the queue of its leaf. Returns whether that may change a choice: not where
    /// others must go first.
    pub(crate) fn enqueue(&mut self, slot: WorkloadSlot, ask: AskId, workloads: &Workloads, quotas: &Quotas) -> bool {
        let leaf = workloads.at(slot).leaf;
        let key = key_within_leaf(slot, workloads);
        debug_assert!(self.pending(slot).is_none(), "a workload is in the queue once");
        self.set_pending(slot, Some(ask));
        if self.refuses(leaf) {
            return false;
        }
        if let Some(queue) = self.blocking.get_mut(&leaf) {
            queue.all.insert(key);
            let is_offered = !queue.closed || queue.offered.last().is_none_or(|last| key < *last);
            if is_offered {
                queue.unsettle(leaf, &mut self.unsettled);
            }
            return is_offered;
        }
        self.join(RequestQueue { ask, leaf }, key, workloads, quotas)
    }

    fn join(&mut self, queue: RequestQueue, key: PendingKey, workloads: &Workloads, quotas: &Quotas) -> bool {
        let ask = workloads.interner.ask(queue.ask);
        self.tournament.insert(queue, key, || (quotas.demand_of(ask), ask.is_single()))
    }

    /// Takes a workload out of the queue.
    pub(crate) fn dequeue(&mut self, slot: WorkloadSlot, workloads: &Workloads) {
        let leaf = workloads.at(slot).leaf;
        let Some(ask) = self.pending(slot) else { return };
        let key = key_within_leaf(slot, workloads);
        self.set_pending(slot, None);
        if self.refuses(leaf) {
            return;
        }
        let was_offered = self.blocking.get_mut(&leaf).is_none_or(|queue| {
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

    /// The asks that workloads wait for, and those that lists of queues refer to. An ask may come more than once.
    pub(crate) fn asks(&self) -> impl Iterator<Item = AskId> + '_ {
        let pending = self.pending.iter().flatten().copied();
        pending.chain(self.tournament.listed_asks())
    }

    fn set_pending(&mut self, slot: WorkloadSlot, ask: Option<AskId>) {
        self.pending.extend_to(slot, || None);
        *self.pending.at_mut(slot) = ask;
    }

    /// After a change of the usage of a leaf, marks the quotas on its path for re-evaluation.
    pub(crate) fn touch(&mut self, leaf: QuotaSlot, quotas: &Quotas) {
        quotas.ledger.path(leaf).for_each(|q| self.tournament.touch(q));
    }
}

/// The position of a workload in the order of its leaf, where all shares are equal. It stays the same as long as the
/// workload is pending.
pub(crate) fn key_within_leaf(slot: WorkloadSlot, workloads: &Workloads) -> PendingKey {
    let workload = workloads.at(slot);
    let (share, priority) = (Ratio::default(), Reverse(workload.priority));
    PendingKey { share, priority, submitted: workload.submitted, id: workload.id, slot }
}

/// The pending workloads of a leaf with strict queueing (O2).
#[derive(Debug, Clone, Default)]
struct BlockingLeaf {
    all: InOrder,
    /// Those that are in the tournament, in order.
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

/// Whether a quota is a leaf with strict queueing (O2).
fn blocks(tree: &QuotaTree, quota: QuotaId) -> bool {
    tree.is_leaf(quota) && tree.spec(quota).is_some_and(|spec| spec.queueing == Queueing::Block)
}
