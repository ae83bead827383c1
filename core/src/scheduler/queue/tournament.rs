//! The pending workloads, arranged so that the next one to try is found without looking at the others.
//!
//! Workloads with the same request form a *class*; those of one leaf within a class form a *queue*, in order (O1). Over
//! the queues of a class runs a tournament in the shape of the quota tree: each quota passes up the first of what its
//! children pass up, as long as it admits one more such request. A second tournament passes up only workloads that the
//! guarantees on their path cover. So when quota or room comes free, the first workload in order that may use it is the
//! winner of its class, and a change costs one path of the tree.
//!
//! A queue is tried when it is *ready* or *due* (rule W2 calls both due). A *ready* queue may simply fit: every quota
//! on its path admits its request, and some node may have room. A *due* queue has a reason to be tried whatever its
//! quotas admit: it got a new first workload, the guarantee of its leaf covers its request again, or after an event its
//! head could preempt or take over a hold. A queue is *suspended* when its head could not be placed although every
//! quota on the path admits it. It is ready again after the next event or the end of a hold.

use super::{
    order::PendingKey,
    request_class::{BOTH, Contest, Entry, PerContest, RequestClass, RequestQueue},
};
use crate::{
    counters::touch,
    scheduler::{
        quota::Admission,
        state::{AskId, QuotaSlot, Table},
    },
};
use std::collections::BTreeSet;

/// The heads of the queues that are *due*: they are tried next time, whatever their quotas admit.
#[derive(Debug, Clone, Default)]
pub(super) struct Due {
    /// Those that may be entitled; this is judged when the next queue is chosen.
    pub(super) unjudged: BTreeSet<(PendingKey, RequestQueue)>,
    /// Those that are not entitled. Under an order without entitlement, all.
    pub(super) judged: BTreeSet<(PendingKey, RequestQueue)>,
}

/// The classes of pending workloads, and which of their queues are tried next.
///
/// A queue is *ready* when every quota on its path admits its request, a node may have room, and it is not suspended. A
/// queue is *due* when it is tried next time whatever its quotas admit. A queue can be both.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tournament {
    pub(super) classes: Table<AskId, RequestClass>,
    /// Per quota, the classes whose admission is kept up to date there.
    tracked: Table<QuotaSlot, Vec<AskId>>,
    /// The winner of each class that may have room: the first of its ready queues.
    pub(super) ready: PerContest<BTreeSet<(PendingKey, AskId)>>,
    pub(super) due: Due,
    /// Queues that became due since the last choice of a queue. They join `due` with their heads at the next one.
    pub(super) newly_due: Vec<RequestQueue>,
    /// Requests that came within the min of some quota since the last refresh.
    came_within_min: BTreeSet<AskId>,
    retry_on_event: Vec<RequestQueue>,
    suspended: Vec<RequestQueue>,
    without_room: Vec<AskId>,
    /// Quotas whose admissions must be updated.
    dirty: Vec<QuotaSlot>,
    is_dirty: Table<QuotaSlot, bool>,
    pub(super) parents: Table<QuotaSlot, Option<QuotaSlot>>,
    /// Whether entitled workloads go first (O1).
    pub(super) entitled_first: bool,
}

impl Tournament {
    pub(crate) fn new(parents: Table<QuotaSlot, Option<QuotaSlot>>, entitled_first: bool) -> Self {
        let rows = parents.len();
        Self {
            entitled_first,
            tracked: (0..rows).map(|_| Vec::new()).collect(),
            is_dirty: (0..rows).map(|_| false).collect(),
            parents,
            ..Self::default()
        }
    }

    /// Adds a workload to its queue. `admission` computes the admission of the request at a quota.
    pub(crate) fn insert(&mut self, queue: RequestQueue, key: PendingKey, admission: impl Fn(QuotaSlot) -> Admission) {
        self.classes.extend_to(queue.ask, || RequestClass { room: true, ..RequestClass::default() });
        self.track(queue, &admission);
        self.classes.at_mut(queue.ask).count += 1;
        if self.classes.at(queue.ask).count == 1 {
            self.set_room(queue.ask, true);
        }
        let entry = self.entry(queue);
        entry.is_queue = true;
        let head = entry.keys.any.first().copied();
        entry.keys.any.insert(key);
        touch(1);
        if head.is_some_and(|head| head < key) {
            return;
        }
        if let Some(head) = head.filter(|_| entry.due) {
            self.remove_due(head, queue);
            self.due.unjudged.insert((key, queue));
        }
        self.update_winners(queue);
        self.make_due(queue);
    }

    /// Takes a workload out of its queue.
    pub(crate) fn remove(&mut self, queue: RequestQueue, key: PendingKey) {
        self.classes.at_mut(queue.ask).count -= 1;
        let entry = self.entry(queue);
        let was_head = entry.keys.any.first() == Some(&key);
        entry.keys.any.remove(&key);
        touch(1);
        let due = entry.due;
        let next = entry.keys.any.first().copied();
        if due && was_head {
            self.remove_due(key, queue);
            match next {
                // Whether the next one is entitled is decided when it is chosen.
                Some(next) => drop(self.due.unjudged.insert((next, queue))),
                None => self.entry(queue).due = false,
            }
        }
        if was_head {
            self.update_winners(queue);
            // The next one may do what the head could not, such as take over a hold that was made before it came.
            if !due && next.is_some() {
                self.retry_on_event(queue);
            }
        }
    }

    /// Moves a workload within its queue.
    pub(crate) fn rekey(&mut self, queue: RequestQueue, old: PendingKey, new: PendingKey) {
        let before = self.head(queue);
        let entry = self.entry(queue);
        entry.keys.any.remove(&old);
        entry.keys.any.insert(new);
        touch(2);
        let due = entry.due;
        let now = self.head(queue);
        if before != now && due {
            if let Some(head) = before {
                self.remove_due(head, queue);
            }
            self.due.unjudged.extend(now.map(|head| (head, queue)));
        }
        self.update_winners(queue);
    }

    fn remove_due(&mut self, head: PendingKey, queue: RequestQueue) {
        self.due.unjudged.remove(&(head, queue));
        self.due.judged.remove(&(head, queue));
    }

    fn contests(&self) -> &'static [Contest] {
        if self.entitled_first { BOTH } else { &[Contest::Any] }
    }

    fn entry(&mut self, queue: RequestQueue) -> &mut Entry {
        self.classes.at_mut(queue.ask).entries.entry(queue.leaf).or_default()
    }

    fn get(&self, queue: RequestQueue) -> Option<&Entry> {
        self.classes.get(queue.ask).and_then(|class| class.entries.get(&queue.leaf))
    }

    /// The first workload of a queue.
    pub(crate) fn head(&self, queue: RequestQueue) -> Option<PendingKey> {
        self.get(queue)?.keys.any.first().copied()
    }

    /// All workloads of a queue, in order.
    pub(crate) fn keys_of(&self, queue: RequestQueue) -> Vec<PendingKey> {
        self.get(queue).map(|entry| entry.keys.any.iter().copied().collect()).unwrap_or_default()
    }

    /// The queues of a leaf that are not empty.
    pub(crate) fn queues_of(&self, leaf: QuotaSlot) -> impl Iterator<Item = RequestQueue> + '_ {
        let queues = self.tracked.at(leaf).iter().map(move |ask| RequestQueue { ask: *ask, leaf });
        queues.inspect(|_| touch(1)).filter(|queue| self.head(*queue).is_some())
    }

    /// Whether a queue is due.
    pub(super) fn is_due(&self, queue: RequestQueue) -> bool {
        self.get(queue).is_some_and(|entry| entry.due)
    }

    /// Whether a queue is ready.
    pub(crate) fn is_ready(&self, queue: RequestQueue) -> bool {
        let Some(class) = self.classes.get(queue.ask) else { return false };
        let passes =
            |q: QuotaSlot| class.entries.get(&q).is_some_and(|entry| entry.admission.admits && !entry.suspended);
        let mut path = std::iter::successors(Some(queue.leaf), |q| *self.parents.at(*q));
        class.room && path.all(passes)
    }

    /// Begins to keep the admission of a request up to date on the whole path of a queue.
    fn track(&mut self, queue: RequestQueue, admission: &impl Fn(QuotaSlot) -> Admission) {
        let mut at = Some(queue.leaf);
        while let Some(q) = at {
            let entry = self.classes.at_mut(queue.ask).entries.entry(q).or_default();
            if !entry.tracked {
                entry.tracked = true;
                entry.admission = admission(q);
                self.tracked.at_mut(q).push(queue.ask);
            }
            at = *self.parents.at(q);
        }
    }

    /// Recomputes the winner of an entry and, as far as it changes, of the entries above.
    fn update_winners(&mut self, queue: RequestQueue) {
        let ask = queue.ask;
        for contest in self.contests().iter().copied() {
            let mut at = queue.leaf;
            loop {
                touch(1);
                let room = self.classes.at(ask).room;
                let entry = self.entry(RequestQueue { ask, leaf: at });
                let keys = if entry.is_queue { &entry.keys.any } else { entry.keys.get(contest) };
                let admission = entry.admission;
                let may = admission.admits && !entry.suspended && (contest == Contest::Any || admission.within_min);
                let now = if may { keys.first().copied() } else { None };
                let before = std::mem::replace(entry.winner.get_mut(contest), now);
                if before == now {
                    break;
                }
                if let Some(parent) = *self.parents.at(at) {
                    let keys = self.entry(RequestQueue { ask, leaf: parent }).keys.get_mut(contest);
                    if let Some(before) = before {
                        keys.remove(&before);
                    }
                    keys.extend(now);
                    at = parent;
                    continue;
                }
                let ready = self.ready.get_mut(contest);
                if let Some(before) = before {
                    ready.remove(&(before, ask));
                }
                if let Some(now) = now.filter(|_| room) {
                    ready.insert((now, ask));
                }
                break;
            }
        }
    }

    /// Marks the quota for re-evaluation, because its usage or the reservations of its holds have changed.
    pub(crate) fn touch(&mut self, quota: QuotaSlot) {
        if !std::mem::replace(self.is_dirty.at_mut(quota), true) {
            self.dirty.push(quota);
        }
    }

    /// Updates the admissions at the marked quotas. `admission` computes the admission of a request at a quota.
    pub(crate) fn refresh(&mut self, admission: impl Fn(AskId, QuotaSlot) -> Admission) {
        for quota in std::mem::take(&mut self.dirty) {
            *self.is_dirty.at_mut(quota) = false;
            let mut asks = std::mem::take(self.tracked.at_mut(quota));
            touch(asks.len());
            asks.retain(|ask| self.refresh_one(*ask, quota, &admission));
            *self.tracked.at_mut(quota) = asks;
        }
        self.recheck_entitlement();
    }

    /// Updates one admission. Gives whether a workload with this request is still pending.
    fn refresh_one(
        &mut self,
        ask: AskId,
        quota: QuotaSlot,
        admission: &impl Fn(AskId, QuotaSlot) -> Admission,
    ) -> bool {
        let queue = RequestQueue { ask, leaf: quota };
        if self.classes.at(ask).count == 0 {
            self.entry(queue).tracked = false;
            return false;
        }
        let entry = self.entry(queue);
        let now = admission(ask, quota);
        let before = std::mem::replace(&mut entry.admission, now);
        if before != now {
            let (came_within_min, is_queue) = (now.within_min && !before.within_min, entry.is_queue);
            self.update_winners(queue);
            if came_within_min {
                self.came_within_min.insert(ask);
                if is_queue {
                    self.make_due(queue);
                }
            }
        }
        true
    }

    /// Due queues whose requests came within the min of a quota may be entitled now: they are judged again (O1).
    fn recheck_entitlement(&mut self) {
        let asks = std::mem::take(&mut self.came_within_min);
        if asks.is_empty() || self.due.judged.is_empty() {
            return;
        }
        touch(self.due.judged.len());
        let again: Vec<(PendingKey, RequestQueue)> =
            self.due.judged.iter().filter(|(_, queue)| asks.contains(&queue.ask)).copied().collect();
        for entry in again {
            self.due.judged.remove(&entry);
            self.due.unjudged.insert(entry);
        }
    }

    /// Notes whether some node may have room for a class.
    pub(crate) fn set_room(&mut self, ask: AskId, room: bool) {
        let class = self.classes.at_mut(ask);
        if class.room == room {
            return;
        }
        class.room = room;
        if !room {
            self.without_room.push(ask);
        }
        touch(self.parents.len());
        for (quota, parent) in self.parents.keys().zip(self.parents.iter()) {
            if parent.is_some() {
                continue;
            }
            let Some(entry) = self.classes.at(ask).entries.get(&quota) else { continue };
            for contest in BOTH.iter().copied() {
                if let Some(top) = entry.winner.get(contest) {
                    let ready = self.ready.get_mut(contest);
                    if room {
                        ready.insert((*top, ask));
                    } else {
                        ready.remove(&(*top, ask));
                    }
                }
            }
        }
    }

    /// The classes without room that have pending workloads.
    pub(crate) fn classes_without_room(&mut self) -> Vec<AskId> {
        touch(self.without_room.len());
        self.without_room.retain(|ask| !self.classes.at(*ask).room && self.classes.at(*ask).count > 0);
        self.without_room.clone()
    }

    /// Makes a queue due.
    pub(crate) fn make_due(&mut self, queue: RequestQueue) {
        let entry = self.entry(queue);
        if entry.due || entry.keys.any.is_empty() {
            return;
        }
        entry.due = true;
        self.newly_due.push(queue);
    }

    /// After the next event, the queue is checked again: it becomes due if its head could then preempt or take over a
    /// hold.
    pub(crate) fn retry_on_event(&mut self, queue: RequestQueue) {
        if !std::mem::replace(&mut self.entry(queue).retry_on_event, true) {
            self.retry_on_event.push(queue);
        }
    }

    /// The queues that the next event makes due, if their heads could then preempt or take over a hold.
    pub(crate) fn awaiting_event(&self) -> impl Iterator<Item = RequestQueue> + '_ {
        self.retry_on_event.iter().copied()
    }

    /// Notes that the head of a queue could not be placed. `retry`: the next event may change that. `suspend`: the
    /// queue would otherwise be ready again at once.
    pub(crate) fn could_not_place(&mut self, queue: RequestQueue, retry: bool, suspend: bool) {
        let head = self.head(queue);
        if std::mem::replace(&mut self.entry(queue).due, false)
            && let Some(head) = head
        {
            self.remove_due(head, queue);
            self.newly_due.retain(|newly| *newly != queue);
        }
        if retry {
            self.retry_on_event(queue);
        }
        if suspend && !std::mem::replace(&mut self.entry(queue).suspended, true) {
            self.suspended.push(queue);
            self.update_winners(queue);
        }
    }

    /// Makes those suspended queues ready again for which `may` is true.
    pub(crate) fn resume(&mut self, may: impl Fn(RequestQueue) -> bool) {
        touch(self.suspended.len());
        let (again, rest): (Vec<RequestQueue>, Vec<RequestQueue>) =
            std::mem::take(&mut self.suspended).into_iter().partition(|queue| may(*queue));
        self.suspended = rest;
        for queue in again {
            self.entry(queue).suspended = false;
            self.update_winners(queue);
        }
    }

    /// After an event, makes all suspended queues ready again, and takes out the queues that wait for an event.
    pub(crate) fn take_retries(&mut self) -> Vec<RequestQueue> {
        self.resume(|_| true);
        let retries = std::mem::take(&mut self.retry_on_event);
        touch(retries.len());
        for queue in &retries {
            self.entry(*queue).retry_on_event = false;
        }
        retries
    }
}
