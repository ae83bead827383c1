//! Who is tried next (O1, O2, O4, W1 to W3): the request queues, their order, and when a queue is due again.

use super::{
    ledger::Ledger,
    state::{Ask, Reference, RequestQueue, Workload},
};
use quotree_core::{Order, Preemption, Reclaim, Time, Unquotaed, WithinQueuePreemption, WorkloadId};
use std::{
    cmp::{Ordering, Reverse},
    collections::BTreeSet,
};

/// A share `over / of`, compared exactly (Q4); infinite if `of` is 0.
#[derive(Debug, Clone, Copy)]
pub(super) struct Share {
    pub(super) over: i64,
    pub(super) of: i64,
}

impl Ord for Share {
    fn cmp(&self, other: &Self) -> Ordering {
        let infinite = |s: &Self| s.of == 0 && s.over > 0;
        match (infinite(self), infinite(other)) {
            (false, false) => {
                let cross = |a: i64, b: i64| i128::from(a) * i128::from(b.max(1));
                cross(self.over, other.of).cmp(&cross(other.over, self.of))
            }
            (a, b) => a.cmp(&b),
        }
    }
}

impl PartialOrd for Share {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Share {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Share {}

/// The order among workloads of equal entitlement (O1): the smallest first.
pub(super) type Key = (Share, Reverse<i32>, Time, WorkloadId);

impl Reference {
    pub(super) fn key(&self, ledger: &Ledger, workload: &Workload) -> Key {
        let mut share = Share { over: 0, of: 1 };
        if self.policy.order == Order::Share {
            let leaf = self.row_of_leaf(workload.leaf);
            let min = |r: usize| workload.leaf.map_or(0, |leaf| self.tree.quotas[leaf].min[r]);
            let counted = (0..self.tree.governed.len()).filter(|r| self.tree.counted[*r]);
            let shares = counted.map(|r| Share { over: ledger.standing(leaf, r), of: min(r) });
            share = shares.max().unwrap_or(share);
        }
        (share, Reverse(workload.priority), workload.submitted, workload.id)
    }

    /// Whether a workload is in a request queue: it is pending, and in a leaf that blocks nobody who can run is before it
    /// (O2, O4).
    pub(super) fn is_in_queue(&self, ledger: &Ledger, workload: &Workload) -> bool {
        let allowed = workload.leaf.is_some() || self.policy.unquotaed == Unquotaed::Schedule;
        workload.pending_ask.is_some() && allowed && self.behind(ledger, workload).is_none()
    }

    /// The heads of all request queues, with their keys.
    fn heads(&self, ledger: &Ledger) -> Vec<(Key, RequestQueue)> {
        let mut heads: Vec<(Key, RequestQueue)> = Vec::new();
        let mut waiting: Vec<(Key, &Workload)> =
            self.workloads.values().filter(|w| self.is_in_queue(ledger, w)).map(|w| (self.key(ledger, w), w)).collect();
        waiting.sort_by_key(|(key, _)| *key);
        for (key, workload) in waiting {
            let Some(ask) = &workload.pending_ask else { continue };
            if !heads.iter().any(|(_, queue)| queue.0 == workload.leaf && queue.1 == *ask) {
                heads.push((key, (workload.leaf, ask.clone())));
            }
        }
        heads
    }

    /// The head of a request queue.
    pub(super) fn head(&self, ledger: &Ledger, queue: &RequestQueue) -> Option<(Key, WorkloadId)> {
        let of = self.workloads.values().filter(|w| w.leaf == queue.0 && w.pending_ask.as_ref() == Some(&queue.1));
        of.filter(|w| self.is_in_queue(ledger, w)).map(|w| (self.key(ledger, w), w.id)).min()
    }

    /// Enqueues a workload for its next ask. A workload that comes to the head of a queue makes the queue due (W2).
    pub(super) fn enqueue(&mut self, id: WorkloadId) {
        let ask = self.workload(id).next_ask().filter(|_| self.workload(id).backs_off.is_none());
        if let Some(ask) =
            ask.as_ref().filter(|ask| !self.workloads.values().any(|w| w.pending_ask.as_ref() == Some(ask)))
        {
            self.failed.remove(ask);
        }
        self.workload_mut(id).pending_ask = ask;
        self.due_if_head(id);
        self.update_lines();
    }

    /// Dequeues a workload. In a leaf that blocks, the next ones come to the front.
    pub(super) fn dequeue(&mut self, id: WorkloadId) {
        self.workload_mut(id).pending_ask = None;
        self.update_lines();
    }

    pub(super) fn due_if_head(&mut self, id: WorkloadId) {
        let workload = self.workload(id);
        let Some(ask) = workload.pending_ask.clone() else { return };
        let queue = (workload.leaf, ask);
        let ledger = self.ledger();
        if self.head(&ledger, &queue).is_some_and(|(_, head)| head == id) {
            self.queues.entry(queue).or_default().due = true;
        }
    }

    /// Checks what has changed: leaves whose usage fell below their min (W2).
    pub(super) fn update_queues(&mut self) {
        self.update_lines();
        let ledger = self.ledger();
        for (_, queue) in self.heads(&ledger) {
            let within = self.is_within_min(&ledger, &queue);
            self.queues.entry(queue).or_default().tried &= within;
        }
    }

    /// Whether there may be room for an ask: it has not failed for lack of room since it was enqueued, or one of its pods
    /// fits on a node that changed in its favour since (W2).
    fn may_have_room(&self, ask: &Ask) -> bool {
        let Some(failed) = self.failed.get(ask) else { return true };
        let free_nodes = self.free_nodes();
        let mut freed = self.freed.iter().filter(|(_, freed)| *freed > failed);
        freed.any(|(node, _)| ask.members.iter().any(|(template, _)| free_nodes.fit(*node, template).is_some()))
    }

    /// Whether the leaf of a queue is within min for what it requests.
    pub(super) fn is_within_min(&self, ledger: &Ledger, queue: &RequestQueue) -> bool {
        queue.0.is_some_and(|leaf| self.covers(ledger, &queue.1, leaf))
    }

    /// Whether a queue is tried whatever limits bar it: it is due, or its leaf is within min for what it requests and it
    /// was not tried since (W2).
    fn is_due(&self, ledger: &Ledger, queue: &RequestQueue) -> bool {
        let state = self.queues.get(queue).copied().unwrap_or_default();
        state.due || !state.tried && self.is_within_min(ledger, queue) && self.is_worth_a_search(ledger, &queue.1)
    }

    /// The next queue to try: the first due queue of each leaf competes, the entitled first (O1). One that cannot run
    /// competes beside the first that can (O4).
    pub(super) fn next_queue(&self) -> Option<RequestQueue> {
        let ledger = self.ledger();
        let (mut heads, mut hidden): (Vec<RequestQueue>, BTreeSet<Option<usize>>) = Default::default();
        for (_, queue) in self.heads(&ledger) {
            let due = self.is_due(&ledger, &queue);
            let open = || self.may_have_room(&queue.1) && self.barred(&ledger, &queue.1, queue.0).is_none();
            if hidden.contains(&queue.0) || !(due || open()) {
                continue;
            }
            if !self.cannot_run(&ledger, &queue.1, queue.0) {
                hidden.insert(queue.0);
            }
            heads.push(queue);
        }
        let ranked = self.policy.order == Order::GuaranteedFirst;
        let entitled = heads.iter().find(|(leaf, ask)| ranked && self.entitled(&ledger, ask, *leaf));
        entitled.or(heads.first()).cloned()
    }

    /// After an event, makes every queue due whose head may preempt in its leaf or take over a hold. One that may
    /// reclaim may be tried again, while its leaf is within min; where it reclaims a fair share, it is due (W2).
    pub(super) fn retry_preemptors(&mut self) {
        let ledger = self.ledger();
        for (_, queue) in self.heads(&ledger) {
            let Some((key, id)) = self.head(&ledger, &queue) else { continue };
            let may_reclaim = self.may_reclaim(&ledger, id, &queue.1);
            let by_share = may_reclaim && self.policy.reclaim == Reclaim::FairShare;
            let may = self.may_preempt_within(id) || !self.holds_it_may_take(&ledger, id, key).is_empty();
            let state = self.queues.entry(queue).or_default();
            state.due |= may || by_share;
            state.tried &= !may_reclaim;
        }
    }

    /// Who requests nothing that is guaranteed was promised nothing: it may take only from pods without a quota (R2b).
    pub(super) fn may_reclaim(&self, ledger: &Ledger, id: WorkloadId, ask: &Ask) -> bool {
        let allowed = matches!(self.policy.preemption, Preemption::Auto | Preemption::ReclaimOnly);
        let promised = !self.requested_counted(ask).is_empty();
        allowed
            && ask.may_evict
            && (promised || self.policy.unquotaed == Unquotaed::Schedule)
            && self.policy.reclaim != Reclaim::Off
            && self.reclaim_scope(ledger, ask, self.workload(id).leaf).is_some()
    }

    pub(super) fn preempts_within(&self) -> bool {
        matches!(self.policy.preemption, Preemption::Auto | Preemption::PriorityOnly)
            && self.policy.within != WithinQueuePreemption::Never
    }

    pub(super) fn may_preempt_within(&self, id: WorkloadId) -> bool {
        let by = self.workload(id);
        let equal = self.policy.within == WithinQueuePreemption::LowerOrNewerEqual;
        let lower = |w: &Workload| w.priority < by.priority || equal && w.priority == by.priority;
        let mut of_leaf = self.workloads.values().filter(|w| w.leaf == by.leaf && w.victim_rank.is_some());
        by.may_evict && by.leaf.is_some() && self.preempts_within() && of_leaf.any(lower)
    }

    /// Ranks a workload among the victims again; if its rank changed, the queues that may preempt it are due (W3).
    pub(super) fn update_victim_rank(&mut self, id: WorkloadId) {
        let Some(workload) = self.workloads.get(&id) else { return };
        let (leaf, now) = (workload.leaf, workload.rank_as_victim());
        if now == workload.victim_rank {
            return;
        }
        self.workload_mut(id).victim_rank = now;
        let Some((priority, ..)) = now.filter(|_| self.preempts_within()) else { return };
        let equal = self.policy.within == WithinQueuePreemption::LowerOrNewerEqual;
        for ((_, Reverse(by), ..), queue) in self.heads(&self.ledger()) {
            if queue.0 == leaf && (by > priority || equal && by == priority) {
                self.queues.entry(queue).or_default().due = true;
            }
        }
    }
}
