//! The pending workloads, arranged so that the next one to try is found without looking at the others.
//!
//! Workloads of one leaf with the same request form a *queue*, in order (O1); all with the same request form a *class*.
//! Each leaf has a [`Line`] of its queues, in the order of their heads. The line finds the first head whose request is
//! within what the quotas leave. Each leaf offers its first queue, and a few behind it, to the quota above, which has a
//! line of the offers of its children, and so on up to the root. So a change costs one path of the tree, and a search
//! looks only at what may be placed.
//!
//! A queue is tried when it is *ready*, *wanted* or *due* (rule W2 calls all of them due). A *ready* queue may simply
//! fit: every quota on its path admits its request, and some node may have room. A *wanted* queue has not been tried
//! since the guarantee of its leaf came to cover its request. A *due* queue is tried regardless of what its quotas
//! admit: it got a new head, or an event made it possible that its head preempts or takes over a hold. A queue is
//! *suspended* when it was found ready, but a limit bars it: with lend floors (L3) quotas may admit too much. It may be
//! ready again after the next event or the end of a hold.

use super::{
    dirty::Dirty,
    entry::{Labels, LineKey, Requests, within},
    in_order::InOrder,
    line::Line,
    offers::Row,
    order::PendingKey,
    request_class::{FEW, FreshNode, RequestClass, RequestQueue, Waiting, bit},
};
use crate::scheduler::{
    quota::{Demand, Gates, Ledger},
    state::{AskId, QuotaSlot, Table},
};
use indexmap::{IndexMap, IndexSet};
use rustc_hash::FxBuildHasher;
use smallvec::SmallVec;
use std::collections::BTreeSet;

/// The pending workloads by leaf and request, and which of their queues are tried next.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tournament {
    pub(super) classes: Table<AskId, RequestClass>,
    pub(super) queues: IndexMap<RequestQueue, Waiting, FxBuildHasher>,
    /// For each quota: the queues of the leaf, or the offers of the quotas below.
    pub(super) rows: Table<QuotaSlot, Row>,
    /// Quotas of which something has changed.
    pub(super) dirty: Dirty,
    /// Quotas that are up to date, but whose offers must be computed again.
    pub(super) to_offer: Dirty,
    /// The leaves in which workloads wait.
    pub(super) waiting: IndexSet<QuotaSlot, FxBuildHasher>,
    /// Leaves whose entitled workloads are known to be hidden.
    pub(super) hiding: BTreeSet<QuotaSlot>,
    /// The change counter of nodes when that was last determined.
    pub(super) node_changes: u64,
    /// Whether a request is admitted if each quota on its path leaves enough for it: so where there are no lend floors
    /// (L3).
    pub(super) limits_decide: bool,
    /// A buffer for the amounts of an offer.
    pub(super) amounts: Vec<i64>,
    pub(super) parents: Table<QuotaSlot, Option<QuotaSlot>>,
    /// The root of the tree, and the slot of pods without a quota.
    pub(super) roots: SmallVec<[QuotaSlot; 2]>,
    /// Whether entitled workloads go first (O1).
    pub(super) entitled_first: bool,
    /// For each bit of [`Labels::classes`]: how many classes with room have it.
    pub(super) rooms: Vec<u32>,
    /// The bits of all classes with room.
    pub(super) roomy: u64,
    retry_on_event: Vec<RequestQueue>,
    /// The leaves whose share or usage has changed, as far as queues wait for a share there.
    pub(super) shares_changed: IndexSet<QuotaSlot, FxBuildHasher>,
    suspended: Vec<RequestQueue>,
    /// Classes of gangs that have found no room.
    pub(super) without_room: Vec<AskId>,
    /// Classes of single pods that have found no room.
    pub(super) closed_classes: Line,
    /// Nodes that changed since the queue was last updated, where single pods may find room.
    pub(super) fresh: SmallVec<[FreshNode; 4]>,
}

impl Tournament {
    pub(crate) fn new(ledger: &Ledger, width: usize, entitled_first: bool) -> Self {
        let parents: Table<QuotaSlot, Option<QuotaSlot>> = ledger.slots().map(|q| ledger.parent(q)).collect();
        let inner: BTreeSet<QuotaSlot> = parents.iter().copied().flatten().collect();
        let rows = parents.keys().map(|q| Row::new(!inner.contains(&q), width)).collect();
        let roots = parents.keys().filter(|q| parents.at(*q).is_none()).collect();
        Self {
            dirty: Dirty::all(parents.keys()),
            parents,
            roots,
            rows,
            entitled_first,
            limits_decide: !ledger.any_lend_limit(),
            rooms: vec![0; u64::BITS as usize],
            closed_classes: Line::new(width, width),
            ..Self::default()
        }
    }

    /// Adds a workload to its queue. `demand` returns the amounts that are compared with what quotas leave, and whether
    /// the request is for one pod. Returns whether the workload is the first of its queue: else it changes no choice.
    pub(crate) fn insert(
        &mut self,
        queue: RequestQueue,
        key: PendingKey,
        demand: impl FnOnce() -> (Demand, bool),
    ) -> bool {
        if let Some(waiting) = self.queues.get_mut(&queue) {
            if key > waiting.head {
                waiting.rest.insert(key);
                return false;
            }
            self.dirty.insert(queue.leaf);
            let before = std::mem::replace(&mut waiting.head, key);
            waiting.rest.insert(before);
            waiting.due = true;
            self.row_mut(queue).line.remove((before, queue.ask.0));
            self.stand_in_line(queue);
            return true;
        }
        self.dirty.insert(queue.leaf);
        self.classes.extend_to(queue.ask, RequestClass::default);
        let class = self.classes.at_mut(queue.ask);
        let place = class.leaves.len();
        if place == 0 {
            (class.demand, class.single) = demand();
        }
        class.leaves.push(queue.leaf);
        let open = place == 0 || class.is_open();
        let (rest, due) = (InOrder::default(), true);
        let (tried, suspended, retry_on_event, beyond_share) = (false, false, false, false);
        let waiting = Waiting { head: key, rest, place, due, tried, suspended, retry_on_event, beyond_share, open };
        self.queues.insert(queue, waiting);
        self.stand_in_line(queue);
        if place == 0 {
            self.count_room(queue.ask, true);
            let class = self.classes.at_mut(queue.ask);
            (class.room, class.failed) = (true, None);
        } else if place == FEW {
            // It is a large class from now on.
            self.open_and_close(queue.ask);
        }
        true
    }

    /// Takes a workload out of its queue.
    pub(crate) fn remove(&mut self, queue: RequestQueue, key: PendingKey) {
        let Some(waiting) = self.queues.get_mut(&queue) else { return };
        if waiting.head != key {
            waiting.rest.remove(&key);
            return;
        }
        self.dirty.insert(queue.leaf);
        let (due, next) = (waiting.due, waiting.rest.pop_first());
        self.row_mut(queue).line.remove((key, queue.ask.0));
        let Some(next) = next else { return self.remove_empty(queue) };
        if let Some(waiting) = self.queues.get_mut(&queue) {
            waiting.head = next;
        }
        self.stand_in_line(queue);
        // The next one may do what the head could not, such as take over a hold that was made before it came.
        if !due {
            self.retry_on_event(queue);
        }
    }

    fn remove_empty(&mut self, queue: RequestQueue) {
        let Some(waiting) = self.queues.swap_remove(&queue) else { return };
        let class = self.classes.at_mut(queue.ask);
        class.leaves.swap_remove(waiting.place);
        let moved = class.leaves.get(waiting.place).map(|leaf| RequestQueue { leaf: *leaf, ..queue });
        if waiting.tried {
            self.rows.at_mut(queue.leaf).tried.remove(queue.ask, &class.demand);
        }
        if waiting.beyond_share {
            self.rows.at_mut(queue.leaf).beyond_share.remove(queue.ask, &class.demand);
        }
        if let Some(moved) = moved.and_then(|moved| self.queues.get_mut(&moved)) {
            moved.place = waiting.place;
        }
        let class = self.classes.at(queue.ask);
        match (class.leaves.is_empty(), class.room) {
            (true, true) => self.count_room(queue.ask, false),
            (true, false) => self.list_closed(queue.ask, false),
            _ => {}
        }
    }

    fn row_mut(&mut self, queue: RequestQueue) -> &mut Row {
        self.rows.at_mut(queue.leaf)
    }

    /// The key and labels of a queue in the line of its leaf.
    fn labels(&self, queue: RequestQueue) -> Option<(LineKey, Labels)> {
        let (waiting, class) = (self.queues.get(&queue)?, self.classes.at(queue.ask));
        let (open, due) = (waiting.open, waiting.due);
        let closed = class.single && !waiting.suspended && (!class.room || class.is_large());
        let classes = if open { bit(queue.ask) } else { 0 };
        let labels = Labels { open, closed, wanted: due || !waiting.tried, due, shows: false, classes };
        Some(((waiting.head, queue.ask.0), labels))
    }

    /// Puts a queue into the line of its leaf.
    fn stand_in_line(&mut self, queue: RequestQueue) {
        let Some((key, labels)) = self.labels(queue) else { return };
        let demand = &self.classes.at(queue.ask).demand;
        self.rows.at_mut(queue.leaf).line.insert(key, labels, Requests::same(demand));
    }

    /// Changes a queue and updates its labels in the line of its leaf, if there is such a queue.
    pub(super) fn change(&mut self, queue: RequestQueue, change: impl FnOnce(&mut Waiting)) {
        if let Some(waiting) = self.queues.get_mut(&queue) {
            change(waiting);
        }
        if let Some((key, labels)) = self.labels(queue) {
            self.row_mut(queue).line.relabel(key, labels, None);
            self.dirty.insert(queue.leaf);
        }
    }

    /// Whether a queue is tried regardless of limits. `leaf` has what its leaf leaves, `worth_a_search` the largest
    /// request for which a search for victims could succeed.
    pub(crate) fn is_due(&self, queue: RequestQueue, leaf: &Gates, worth_a_search: Option<&[i64]>) -> bool {
        let demand = &self.classes.at(queue.ask).demand;
        let is_worth = worth_a_search.is_some_and(|limits| within(demand, limits));
        self.queues.get(&queue).is_some_and(|waiting| waiting.due || is_worth && !waiting.tried && leaf.cover(demand))
    }

    /// Whether a queue is tried regardless of limits, whatever a search for victims could find.
    pub(crate) fn is_surely_due(&self, queue: RequestQueue) -> bool {
        self.queues.get(&queue).is_some_and(|waiting| waiting.due)
    }

    /// The first workload of a queue.
    pub(crate) fn head(&self, queue: RequestQueue) -> Option<PendingKey> {
        self.queues.get(&queue).map(|waiting| waiting.head)
    }

    /// The queues of a leaf, in the order of their heads.
    pub(crate) fn queues_of(&self, leaf: QuotaSlot) -> impl Iterator<Item = (PendingKey, RequestQueue)> + '_ {
        self.rows.at(leaf).line.iter().map(move |(key, ask)| (key, RequestQueue { ask: AskId(ask), leaf }))
    }

    /// Marks all quotas for re-evaluation, because limits have changed.
    pub(crate) fn touch_all(&mut self) {
        self.parents.keys().for_each(|quota| self.touch(quota));
    }

    /// Marks the quota for re-evaluation, because its usage or the reservations of its holds have changed.
    pub(crate) fn touch(&mut self, quota: QuotaSlot) {
        self.rows.at_mut(quota).gates_are_stale = true;
        self.dirty.insert(quota);
        self.note_share(quota);
    }

    /// Makes a queue due.
    pub(crate) fn make_due(&mut self, queue: RequestQueue) {
        if self.queues.get(&queue).is_some_and(|waiting| !waiting.due) {
            self.change(queue, |waiting| waiting.due = true);
        }
    }

    /// Makes the next event check the queue: the queue becomes due if its head could then preempt or take over a hold.
    pub(crate) fn retry_on_event(&mut self, queue: RequestQueue) {
        if let Some(waiting) = self.queues.get_mut(&queue).filter(|waiting| !waiting.retry_on_event) {
            waiting.retry_on_event = true;
            self.retry_on_event.push(queue);
        }
    }

    /// The queues that the next event checks, and makes due if their heads could then preempt or take over a hold.
    pub(crate) fn awaiting_event(&self) -> impl Iterator<Item = RequestQueue> + '_ {
        self.retry_on_event.iter().copied().chain(self.beyond_changed_shares())
    }

    /// The asks that lists refer to, also those of queues that are gone.
    pub(super) fn listed_asks(&self) -> impl Iterator<Item = AskId> + '_ {
        let queues = self.retry_on_event.iter().chain(&self.suspended);
        queues.map(|queue| queue.ask).chain(self.without_room.iter().copied())
    }

    /// Notes that the head of a queue could not be placed. `retry`: the next event may change that. `covered`: the
    /// guarantee of its leaf covers the request.
    pub(crate) fn could_not_place(&mut self, queue: RequestQueue, retry: bool, covered: bool) {
        let was_tried = self.queues.get(&queue).is_some_and(|waiting| waiting.tried);
        self.change(queue, |waiting| {
            waiting.due = false;
            waiting.tried |= covered;
        });
        if covered && !was_tried {
            let demand = &self.classes.at(queue.ask).demand;
            self.rows.at_mut(queue.leaf).tried.insert(queue.ask, demand);
        }
        if retry {
            self.retry_on_event(queue);
        }
    }

    /// Makes a queue wanted again although it was tried while the guarantee of its leaf covers it.
    pub(crate) fn forget_try(&mut self, queue: RequestQueue) {
        if self.queues.get(&queue).is_some_and(|waiting| waiting.tried) {
            self.rows.at_mut(queue.leaf).tried.remove(queue.ask, &self.classes.at(queue.ask).demand);
            self.change(queue, |waiting| waiting.tried = false);
        }
    }

    /// Makes a queue not ready, until [`resume`](Self::resume) or the next event: a limit bars it (L3).
    pub(crate) fn suspend(&mut self, queue: RequestQueue) {
        self.change(queue, |waiting| (waiting.suspended, waiting.open) = (true, false));
        self.suspended.push(queue);
    }

    /// Makes the suspended queues ready again for which `may` returns true.
    pub(crate) fn resume(&mut self, may: impl Fn(RequestQueue) -> bool) {
        let (again, rest): (Vec<RequestQueue>, Vec<RequestQueue>) =
            std::mem::take(&mut self.suspended).into_iter().partition(|queue| may(*queue));
        self.suspended = rest;
        for queue in again {
            let open = self.classes.at(queue.ask).is_open();
            self.change(queue, |waiting| (waiting.suspended, waiting.open) = (false, open));
        }
    }

    /// Whether an event alone changes which queues are tried.
    pub(crate) fn awaits_event(&self) -> bool {
        !self.suspended.is_empty() || self.awaiting_event().next().is_some()
    }

    /// After an event, makes all suspended queues ready again, and takes out the queues that wait for an event.
    pub(crate) fn take_retries(&mut self) -> Vec<RequestQueue> {
        self.resume(|_| true);
        let retries = std::mem::take(&mut self.retry_on_event);
        for queue in &retries {
            if let Some(waiting) = self.queues.get_mut(queue) {
                waiting.retry_on_event = false;
            }
        }
        retries
    }
}
