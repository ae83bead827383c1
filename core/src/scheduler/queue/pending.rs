//! Who waits, arranged so that the next to be tried is at hand without looking at the others.
//!
//! Workloads that ask the same wait in one *class*; within a class, those of one leaf form a *queue*, in order (O1). A queue
//! stands or granularity as one: if its head cannot be placed, neither can those behind it. Over the queues of a class stands a
//! tournament in the shape of the quota tree. Each quota passes up the best of what its children pass up, as long as its
//! ceiling lets one such ask in (`open`); a second tournament counts only those whose guarantee covers it (`within`). So
//! when room comes free, the first in order that may use it is at the top of its class.
//!
//! A queue that was tried in vain is *parked*. It is tried again (*due*) when its leaf comes within its guarantee, and,
//! if it could take from others at all (*retry_on_event*), whenever a fact might have made that possible.

use crate::scheduler::state::table::Table;
use crate::scheduler::{queue::order::Key, quota::ledger::QuotaSlot, state::interner::AskId};
use indexmap::IndexMap;
use rustc_hash::FxBuildHasher;
use std::collections::BTreeSet;

/// Which tournament: over everybody, or over those whose guarantee covers them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Contest {
    Any = 0,
    Entitled = 1,
}

/// Whether a quota lets one more of an ask in, and whether its guarantee covers it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Admission {
    pub(crate) open: bool,
    pub(crate) within: bool,
}

/// A pair, one for each [`Contest`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct PerContest<T> {
    any: T,
    entitled: T,
}

impl<T> PerContest<T> {
    fn of(&self, contest: Contest) -> &T {
        match contest {
            Contest::Any => &self.any,
            Contest::Entitled => &self.entitled,
        }
    }

    fn get_mut(&mut self, contest: Contest) -> &mut T {
        match contest {
            Contest::Any => &mut self.any,
            Contest::Entitled => &mut self.entitled,
        }
    }
}

const BOTH: &[Contest] = &[Contest::Any, Contest::Entitled];

/// One quota in the tournament of one class.
#[derive(Debug, Clone, Default)]
struct Entry {
    admission: Admission,
    /// Whether the admission is kept up to date.
    tracked: bool,
    /// At a leaf: the waiting, the same on both contests. Above: what the children pass up.
    keys: PerContest<BTreeSet<Key>>,
    winner: PerContest<Option<Key>>,
    is_queue: bool,
    due: bool,
    retry_on_event: bool,
    /// Tried in vain although every admission was open; not offered again before the next fact or the end of a hold.
    suspended: bool,
}

#[derive(Debug, Clone, Default)]
struct RequestClass {
    entries: IndexMap<QuotaSlot, Entry, FxBuildHasher>,
    /// How many wait in it.
    count: u32,
    /// Whether some node may have room for it.
    room: bool,
}

/// A queue: a leaf's workloads of one class.
pub(crate) type RequestQueue = (AskId, QuotaSlot);

#[derive(Debug, Clone, Default)]
pub(crate) struct PendingQueue {
    classes: Table<RequestClass>,
    /// Per leaf, the classes whose admission is kept there.
    tracked: Table<Vec<AskId>>,
    ready: PerContest<BTreeSet<(Key, AskId)>>,
    due: PerContest<BTreeSet<(Key, RequestQueue)>>,
    newly_due: Vec<RequestQueue>,
    /// Asks that some guarantee has come to cover.
    came_within: BTreeSet<AskId>,
    retry_on_event: Vec<RequestQueue>,
    suspended: Vec<RequestQueue>,
    without_room: Vec<AskId>,
    dirty: Vec<QuotaSlot>,
    is_dirty: Table<bool>,
    pub(crate) parents: Table<Option<QuotaSlot>>,
    entitled_first: bool,
}

impl PendingQueue {
    /// `entitled_first` says whether entitlement counts in the order at all (O1).
    pub(crate) fn new(parents: Table<Option<QuotaSlot>>, entitled_first: bool) -> Self {
        let rows = parents.len();
        Self {
            entitled_first,
            tracked: (0..rows).map(|_| Vec::new()).collect(),
            is_dirty: (0..rows).map(|_| false).collect(),
            parents,
            ..Self::default()
        }
    }

    /// Puts a workload into its queue. `admission` tells the admission of an ask at an leaf.
    pub(crate) fn insert(&mut self, (ask, leaf): RequestQueue, key: Key, admission: impl Fn(QuotaSlot) -> Admission) {
        if self.classes.len() <= ask as usize {
            self.classes.resize_with(ask as usize + 1, || RequestClass { room: true, ..RequestClass::default() });
        }
        self.track(ask, leaf, &admission);
        self.classes.at_mut(ask).count += 1;
        if self.classes.at(ask).count == 1 {
            self.set_room(ask, true);
        }
        let entry = self.entry(ask, leaf);
        entry.is_queue = true;
        let led = entry.keys.any.first().copied();
        entry.keys.any.insert(key);
        if led.is_some_and(|led| led < key) {
            return;
        }
        if let Some(led) = led.filter(|_| entry.due) {
            for contest in BOTH.iter().copied() {
                self.due.get_mut(contest).remove(&(led, (ask, leaf)));
            }
            self.due.entitled.insert((key, (ask, leaf)));
        }
        self.update_tournament(ask, leaf);
        self.wake((ask, leaf));
    }

    /// Takes a workload out of its queue.
    pub(crate) fn remove(&mut self, (ask, leaf): RequestQueue, key: Key) {
        self.classes.at_mut(ask).count -= 1;
        let entry = self.entry(ask, leaf);
        let led = entry.keys.any.first() == Some(&key);
        entry.keys.any.remove(&key);
        let due = entry.due;
        let next = entry.keys.any.first().copied();
        if due && led {
            for contest in BOTH.iter().copied() {
                self.due.get_mut(contest).remove(&(key, (ask, leaf)));
            }
            match next {
                // Decided on the contest it was on: it is looked at again when it is picked.
                Some(next) => drop(self.due.entitled.insert((next, (ask, leaf)))),
                None => self.entry(ask, leaf).due = false,
            }
        }
        if led {
            self.update_tournament(ask, leaf);
            // The next may do what the first could not: take over a hold that was made before it came, say.
            if !due && next.is_some() {
                self.retry_on_event((ask, leaf));
            }
        }
    }

    fn contests(&self) -> &'static [Contest] {
        if self.entitled_first { BOTH } else { &[Contest::Any] }
    }

    /// The head of a queue.
    pub(crate) fn head(&self, (ask, leaf): RequestQueue) -> Option<Key> {
        self.classes.get(ask)?.entries.get(&leaf)?.keys.any.first().copied()
    }

    fn entry(&mut self, ask: AskId, leaf: QuotaSlot) -> &mut Entry {
        self.classes.at_mut(ask).entries.entry(leaf).or_default()
    }

    /// Keeps the quota_check of this ask up to date on the whole path.
    fn track(&mut self, ask: AskId, leaf: QuotaSlot, admission: &impl Fn(QuotaSlot) -> Admission) {
        let mut at = Some(leaf);
        while let Some(q) = at {
            let entry = self.classes.at_mut(ask).entries.entry(q).or_default();
            if !entry.tracked {
                entry.tracked = true;
                entry.admission = admission(q);
                self.tracked.at_mut(q).push(ask);
            }
            at = *self.parents.at(q);
        }
    }

    /// Recomputes what an entry passes up, and what that changes above.
    fn update_tournament(&mut self, ask: AskId, leaf: QuotaSlot) {
        for contest in self.contests().iter().copied() {
            let mut at = leaf;
            loop {
                let room = self.classes.at(ask).room;
                let entry = self.entry(ask, at);
                let keys = if entry.is_queue { &entry.keys.any } else { entry.keys.of(contest) };
                let may =
                    entry.admission.open && !entry.suspended && (contest == Contest::Any || entry.admission.within);
                let now = if may { keys.first().copied() } else { None };
                let before = std::mem::replace(entry.winner.get_mut(contest), now);
                if before == now {
                    break;
                }
                match *self.parents.at(at) {
                    Some(parent) => {
                        let keys = self.entry(ask, parent).keys.get_mut(contest);
                        if let Some(before) = before {
                            keys.remove(&before);
                        }
                        keys.extend(now);
                        at = parent;
                    }
                    None => {
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
        }
    }

    /// The use of this leaf, or what holds keep there, has changed.
    pub(crate) fn touch(&mut self, leaf: QuotaSlot) {
        if !std::mem::replace(self.is_dirty.at_mut(leaf), true) {
            self.dirty.push(leaf);
        }
    }

    /// Brings the quota_check of touched leaves up to date. `admission` tells the admission of an ask at an leaf.
    pub(crate) fn refresh(&mut self, admission: impl Fn(AskId, QuotaSlot) -> Admission) {
        for leaf in std::mem::take(&mut self.dirty) {
            *self.is_dirty.at_mut(leaf) = false;
            let mut asks = std::mem::take(self.tracked.at_mut(leaf));
            asks.retain(|ask| self.refresh_one(*ask, leaf, &admission));
            *self.tracked.at_mut(leaf) = asks;
        }
        self.recheck_entitlement();
    }

    /// Where a guarantee came to cover an ask, due queues of it that were not entitled may be now (O1).
    fn recheck_entitlement(&mut self) {
        let asks = std::mem::take(&mut self.came_within);
        if asks.is_empty() || self.due.any.is_empty() {
            return;
        }
        let again: Vec<(Key, RequestQueue)> =
            self.due.any.iter().filter(|(_, queue)| asks.contains(&queue.0)).copied().collect();
        for entry in again {
            self.due.any.remove(&entry);
            self.due.entitled.insert(entry);
        }
    }

    /// Gives whether anybody still waits there.
    fn refresh_one(&mut self, ask: AskId, leaf: QuotaSlot, admission: &impl Fn(AskId, QuotaSlot) -> Admission) -> bool {
        if self.classes.at(ask).count == 0 {
            self.entry(ask, leaf).tracked = false;
            return false;
        }
        let entry = self.entry(ask, leaf);
        let now = admission(ask, leaf);
        let before = std::mem::replace(&mut entry.admission, now);
        if before != now {
            let (came_within, is_queue) = (now.within && !before.within, entry.is_queue);
            self.update_tournament(ask, leaf);
            if came_within {
                self.came_within.insert(ask);
                if is_queue {
                    self.wake((ask, leaf));
                }
            }
        }
        true
    }

    /// Some node may (or cannot) have room for a class.
    pub(crate) fn set_room(&mut self, ask: AskId, room: bool) {
        let class = self.classes.at_mut(ask);
        if class.room == room {
            return;
        }
        class.room = room;
        if !room {
            self.without_room.push(ask);
        }
        for (leaf, parent) in self.parents.ids().zip(self.parents.iter()) {
            if parent.is_some() {
                continue;
            }
            let Some(entry) = self.classes.at(ask).entries.get(&leaf) else { continue };
            for contest in BOTH.iter().copied() {
                if let Some(top) = entry.winner.of(contest) {
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

    /// The classes without room in which somebody waits.
    pub(crate) fn without_room(&mut self) -> Vec<AskId> {
        self.without_room.retain(|ask| !self.classes.at(*ask).room && self.classes.at(*ask).count > 0);
        self.without_room.clone()
    }

    /// The queue is to be tried, whatever its quota_check say.
    pub(crate) fn wake(&mut self, queue: RequestQueue) {
        let entry = self.entry(queue.0, queue.1);
        if entry.due || entry.keys.any.is_empty() {
            return;
        }
        entry.due = true;
        self.newly_due.push(queue);
    }

    /// Offers again what was set aside, where `may` says so: a fact came, or a hold ended, and limits may bar it no more.
    pub(crate) fn resume(&mut self, may: impl Fn(RequestQueue) -> bool) {
        let (again, rest): (Vec<RequestQueue>, Vec<RequestQueue>) =
            std::mem::take(&mut self.suspended).into_iter().partition(|queue| may(*queue));
        self.suspended = rest;
        for (ask, leaf) in again {
            self.entry(ask, leaf).suspended = false;
            self.update_tournament(ask, leaf);
        }
    }

    /// A fact came that may let queues that are retry_on_event take from others: gives them, and forgets that they were.
    pub(crate) fn take_retries(&mut self) -> Vec<RequestQueue> {
        self.resume(|_| true);
        let retry_on_event = std::mem::take(&mut self.retry_on_event);
        for (ask, leaf) in &retry_on_event {
            self.entry(*ask, *leaf).retry_on_event = false;
        }
        retry_on_event
    }

    /// The queue is to be looked at again when a fact comes.
    pub(crate) fn retry_on_event(&mut self, queue: RequestQueue) {
        if !std::mem::replace(&mut self.entry(queue.0, queue.1).retry_on_event, true) {
            self.retry_on_event.push(queue);
        }
    }

    /// The queue was tried in vain.
    pub(crate) fn suspend(&mut self, queue: RequestQueue, retry_on_event: bool, open: bool) {
        let head = self.head(queue);
        let entry = self.entry(queue.0, queue.1);
        if std::mem::replace(&mut entry.due, false)
            && let Some(head) = head
        {
            for contest in BOTH.iter().copied() {
                self.due.get_mut(contest).remove(&(head, queue));
            }
            self.newly_due.retain(|c| *c != queue);
        }
        if retry_on_event {
            self.retry_on_event(queue);
        }
        let entry = self.entry(queue.0, queue.1);
        if open && !std::mem::replace(&mut entry.suspended, true) {
            self.suspended.push(queue);
            self.update_tournament(queue.0, queue.1);
        }
    }

    /// The next queue to try. `entitled` judges a queue's head now, `lets_in` whether no limit bars it, `leaf_of` tells
    /// where a workload waits.
    pub(crate) fn next(
        &mut self,
        entitled: impl Fn(RequestQueue) -> bool,
        lets_in: impl Fn(RequestQueue) -> bool,
        leaf_of: impl Fn(u32) -> QuotaSlot,
    ) -> Option<RequestQueue> {
        for queue in std::mem::take(&mut self.newly_due) {
            if let Some(head) = self.head(queue) {
                self.due.entitled.insert((head, queue));
            }
        }
        if self.entitled_first {
            let (first, lost) = self.first_entitled(&entitled, &lets_in, &leaf_of);
            for entry in lost {
                self.due.entitled.remove(&entry);
                self.due.any.insert(entry);
            }
            if first.is_some() {
                return first;
            }
        } else {
            self.due.any.append(&mut self.due.entitled);
        }
        let ready = self.ready.any.first().map(|(key, ask)| (*key, (*ask, leaf_of(key.slot))));
        let offered = [ready, self.due.any.first().copied(), self.due.entitled.first().copied()];
        offered.into_iter().flatten().min().map(|(_, queue)| queue)
    }

    /// The first entitled queue that leads its leaf: inside a leaf priority goes before entitlement (O1). With it, the
    /// due queues that turned out not to be entitled any more.
    fn first_entitled(
        &self,
        entitled: &impl Fn(RequestQueue) -> bool,
        lets_in: &impl Fn(RequestQueue) -> bool,
        leaf_of: &impl Fn(u32) -> QuotaSlot,
    ) -> (Option<RequestQueue>, Vec<(Key, RequestQueue)>) {
        let mut lost = Vec::new();
        // Those of a class that stand behind its first, where that one does not lead its leaf.
        let mut behind: BTreeSet<(Key, RequestQueue)> = BTreeSet::new();
        let mut ready = self.ready.entitled.iter().map(|(key, ask)| (*key, (*ask, leaf_of(key.slot)))).peekable();
        let mut due = self.due.entitled.iter().copied().peekable();
        loop {
            let offered = [ready.peek().copied(), behind.first().copied(), due.peek().copied()];
            let Some((key, queue)) = offered.iter().flatten().min().copied() else { return (None, lost) };
            let is_due = offered.first() != Some(&Some((key, queue))) && !behind.contains(&(key, queue));
            if is_due {
                due.next();
                if !entitled(queue) {
                    lost.push((key, queue));
                    continue;
                }
            } else if !behind.remove(&(key, queue)) {
                ready.next();
                if !self.leads(queue, key, lets_in) {
                    behind.extend(self.entitled_cells(queue.0).filter(|other| *other > (key, queue)));
                }
            }
            if self.leads(queue, key, lets_in) {
                return (Some(queue), lost);
            }
        }
    }

    /// The queues of a class that it would offer as entitled, one by one.
    fn entitled_cells(&self, ask: AskId) -> impl Iterator<Item = (Key, RequestQueue)> + '_ {
        let class = self.classes.get(ask);
        let within = move |q: QuotaSlot| {
            class.and_then(|class| class.entries.get(&q)).is_some_and(|entry| entry.admission.within)
        };
        let covered = move |leaf: QuotaSlot| std::iter::successors(Some(leaf), |q| *self.parents.at(*q)).all(within);
        let queues = class.into_iter().flat_map(|class| class.entries.iter()).filter(|(_, entry)| entry.is_queue);
        queues
            .filter_map(move |(leaf, entry)| Some((*entry.keys.any.first()?, (ask, *leaf))))
            .filter(move |(_, queue)| self.is_ready(*queue) && covered(queue.1))
    }

    /// Whether nobody of the same leaf who is to be tried goes before this head.
    fn leads(&self, (_, leaf): RequestQueue, key: Key, lets_in: &impl Fn(RequestQueue) -> bool) -> bool {
        let active = |other: RequestQueue| self.is_due(other) || self.is_ready(other) && lets_in(other);
        self.queues_of(leaf).all(|other| self.head(other).is_none_or(|head| head >= key) || !active(other))
    }

    /// Whether a queue is to be tried whatever its quota_check say.
    fn is_due(&self, queue: RequestQueue) -> bool {
        let entry = self.classes.get(queue.0).and_then(|class| class.entries.get(&queue.1));
        entry.is_some_and(|entry| entry.due)
    }

    /// The queues of a leaf in which somebody waits.
    pub(crate) fn queues_of(&self, leaf: QuotaSlot) -> impl Iterator<Item = RequestQueue> + '_ {
        self.tracked.at(leaf).iter().map(move |ask| (*ask, leaf)).filter(|queue| self.head(*queue).is_some())
    }

    /// Everybody in a queue, in order.
    pub(crate) fn keys_of(&self, (ask, leaf): RequestQueue) -> Vec<Key> {
        let entry = self.classes.get(ask).and_then(|class| class.entries.get(&leaf));
        entry.map(|entry| entry.keys.any.iter().copied().collect()).unwrap_or_default()
    }

    /// Moves a workload within its queue.
    pub(crate) fn rekey(&mut self, queue: RequestQueue, old: Key, new: Key) {
        let head = self.head(queue);
        let entry = self.entry(queue.0, queue.1);
        entry.keys.any.remove(&old);
        entry.keys.any.insert(new);
        let due = entry.due;
        let now = self.head(queue);
        if head != now && due {
            for contest in BOTH.iter().copied() {
                if let Some(head) = head {
                    self.due.get_mut(contest).remove(&(head, queue));
                }
            }
            if let Some(now) = now {
                self.due.entitled.insert((now, queue));
            }
        }
        self.update_tournament(queue.0, queue.1);
    }

    /// Whether a queue is still offered by its class: its quota_check are open and there may be room.
    pub(crate) fn is_ready(&self, (ask, leaf): RequestQueue) -> bool {
        let Some(class) = self.classes.get(ask) else { return false };
        let passes = |q: QuotaSlot| class.entries.get(&q).is_some_and(|entry| entry.admission.open && !entry.suspended);
        let mut path = std::iter::successors(Some(leaf), |q| *self.parents.at(*q));
        class.room && path.all(passes)
    }
}
