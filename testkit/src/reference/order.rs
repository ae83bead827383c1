//! Who is tried next (O1, O2, W1 to W3): lines, cells, and when a cell that was tried in vain is tried again.

use super::{
    ledger::Ledger,
    state::{Ask, Cell, Reference, Workload},
};
use quotree_core::{Order, Preemption, Reclaim, Time, Unquotaed, WithinQueuePreemption, WorkloadId};
use std::cmp::{Ordering, Reverse};

/// A share `over / of`, compared exactly (Q4); of 0 it is infinite.
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

/// The place among those of equal entitlement (O1): smallest first.
pub(super) type Key = (Share, Reverse<i32>, Time, WorkloadId);

impl Reference {
    pub(super) fn key(&self, ledger: &Ledger, workload: &Workload) -> Key {
        let mut share = Share { over: 0, of: 1 };
        if self.policy.order == Order::Share {
            let leaf = self.row_of_leaf(workload.leaf);
            let min = |r: usize| workload.leaf.map_or(0, |leaf| self.tree.quotas[leaf].min[r]);
            let shares = (0..self.tree.governed.len()).map(|r| Share { over: ledger.standing(leaf, r), of: min(r) });
            share = shares.max().unwrap_or(share);
        }
        (share, Reverse(workload.priority), workload.submitted, workload.id)
    }

    /// Whether a workload stands in a cell: it waits, and nobody of a leaf that blocks stands before it (O2).
    fn is_in_cell(&self, workload: &Workload) -> bool {
        let Some(leaf) = workload.leaf else {
            return workload.waits.is_some() && self.policy.unquotaed == Unquotaed::Schedule;
        };
        workload.waits.is_some() && (!self.tree.quotas[leaf].block || self.head_of_line(leaf) == Some(workload.id))
    }

    /// The first who waits in a leaf.
    pub(super) fn head_of_line(&self, leaf: usize) -> Option<WorkloadId> {
        let waits = self.work.values().filter(|w| w.leaf == Some(leaf) && w.waits.is_some());
        waits.min_by_key(|w| (Reverse(w.priority), w.submitted, w.id)).map(|w| w.id)
    }

    /// The heads of all cells, with their keys.
    fn heads(&self, ledger: &Ledger) -> Vec<(Key, Cell)> {
        let mut heads: Vec<(Key, Cell)> = Vec::new();
        let mut waiting: Vec<(Key, &Workload)> =
            self.work.values().filter(|w| self.is_in_cell(w)).map(|w| (self.key(ledger, w), w)).collect();
        waiting.sort_by_key(|(key, _)| *key);
        for (key, workload) in waiting {
            let Some(ask) = &workload.waits else { continue };
            if !heads.iter().any(|(_, cell)| cell.0 == workload.leaf && cell.1 == *ask) {
                heads.push((key, (workload.leaf, ask.clone())));
            }
        }
        heads
    }

    /// The workload that speaks for a cell.
    pub(super) fn head(&self, ledger: &Ledger, cell: &Cell) -> Option<(Key, WorkloadId)> {
        let of = self.work.values().filter(|w| w.leaf == cell.0 && w.waits.as_ref() == Some(&cell.1));
        of.filter(|w| self.is_in_cell(w)).map(|w| (self.key(ledger, w), w.id)).min()
    }

    /// Stands in line for what it needs next. Who comes to the head of a cell makes it due (W2).
    pub(super) fn line_up(&mut self, id: WorkloadId) {
        let ask = self.at(id).next_ask();
        if let Some(ask) = ask.as_ref().filter(|ask| !self.work.values().any(|w| w.waits.as_ref() == Some(ask))) {
            self.roomless.remove(ask);
        }
        self.at_mut(id).waits = ask;
        self.due_if_head(id);
    }

    /// Leaves the line. In a leaf that blocks, the next comes to its head.
    pub(super) fn step_out(&mut self, id: WorkloadId) {
        let leaf = self.at(id).leaf;
        let led = leaf.is_some_and(|leaf| self.head_of_line(leaf) == Some(id));
        self.at_mut(id).waits = None;
        if let Some(leaf) = leaf.filter(|leaf| led && self.tree.quotas[*leaf].block)
            && let Some(next) = self.head_of_line(leaf)
        {
            self.due_if_head(next);
        }
    }

    fn due_if_head(&mut self, id: WorkloadId) {
        let workload = self.at(id);
        let Some(ask) = workload.waits.clone() else { return };
        let cell = (workload.leaf, ask);
        let ledger = self.ledger();
        if self.head(&ledger, &cell).is_some_and(|(_, head)| head == id) {
            let within = cell.0.is_some_and(|leaf| self.covers(&ledger, &cell.1, leaf));
            self.cells.entry(cell).or_insert(super::state::Memory { due: true, within }).due = true;
        }
    }

    /// Takes in what has come free: asks for which there may be room again, leaves that came within their min (W2).
    pub(super) fn look_around(&mut self) {
        let freed = std::mem::take(&mut self.freed);
        if !freed.is_empty() {
            let rooms = self.rooms();
            let some =
                |ask: &Ask| ask.members.iter().any(|(t, _)| freed.iter().any(|node| rooms.fit(*node, t).is_some()));
            let roomless = self.roomless.iter().filter(|ask| !some(ask)).cloned().collect();
            self.roomless = roomless;
        }
        let ledger = self.ledger();
        for (_, cell) in self.heads(&ledger) {
            let within = cell.0.is_some_and(|leaf| self.covers(&ledger, &cell.1, leaf));
            let memory = self.cells.entry(cell).or_default();
            memory.due |= within && !memory.within;
            memory.within = within;
        }
    }

    /// The next cell to try: of each leaf the head of those to be tried competes, the entitled first (O1).
    pub(super) fn next_cell(&self) -> Option<Cell> {
        let ledger = self.ledger();
        let mut heads: Vec<(Key, Cell)> = Vec::new();
        for (key, cell) in self.heads(&ledger) {
            let due = self.cells.get(&cell).is_some_and(|memory| memory.due);
            let open = || !self.roomless.contains(&cell.1) && self.barred(&ledger, &cell.1, cell.0).is_none();
            if (due || open()) && !heads.iter().any(|(_, (leaf, _))| *leaf == cell.0) {
                heads.push((key, cell));
            }
        }
        let ranked = self.policy.order == Order::GuaranteedFirst;
        let entitled = heads.iter().find(|(_, (leaf, ask))| ranked && self.entitled(&ledger, ask, *leaf));
        entitled.or(heads.first()).map(|(_, cell)| cell.clone())
    }

    /// After a fact, everybody who may take from others, or take over a hold, is tried again (W2).
    pub(super) fn wake_takers(&mut self) {
        let ledger = self.ledger();
        for (_, cell) in self.heads(&ledger) {
            let may = |id, key| self.may_take(&ledger, id, &cell.1) || !self.holds_to_take(&ledger, id, key).is_empty();
            if self.head(&ledger, &cell).is_some_and(|(key, id)| may(id, key)) {
                self.cells.entry(cell).or_default().due = true;
            }
        }
    }

    /// Whether there is anybody a workload could take from.
    pub(super) fn may_take(&self, ledger: &Ledger, id: WorkloadId, ask: &Ask) -> bool {
        self.may_reclaim(ledger, id, ask) || self.may_displace(id)
    }

    pub(super) fn may_reclaim(&self, ledger: &Ledger, id: WorkloadId, ask: &Ask) -> bool {
        let allowed = matches!(self.policy.preemption, Preemption::Auto | Preemption::ReclaimOnly);
        allowed && self.policy.reclaim != Reclaim::Off && self.reach(ledger, ask, self.at(id).leaf).is_some()
    }

    pub(super) fn displaces_at_all(&self) -> bool {
        matches!(self.policy.preemption, Preemption::Auto | Preemption::PriorityOnly)
            && self.policy.within != WithinQueuePreemption::Never
    }

    pub(super) fn may_displace(&self, id: WorkloadId) -> bool {
        let by = self.at(id);
        let equal = self.policy.within == WithinQueuePreemption::LowerOrNewerEqual;
        let lower = |w: &Workload| w.priority < by.priority || equal && w.priority == by.priority;
        let mut of_leaf = self.work.values().filter(|w| w.leaf == by.leaf && w.filed.is_some());
        by.leaf.is_some() && self.displaces_at_all() && of_leaf.any(lower)
    }

    /// A workload has a new place among the victims: who may displace it is tried again (W3).
    pub(super) fn refile(&mut self, id: WorkloadId) {
        let Some(workload) = self.work.get(&id) else { return };
        let (leaf, now) = (workload.leaf, workload.place_among_victims());
        if now == workload.filed {
            return;
        }
        self.at_mut(id).filed = now;
        let Some((priority, ..)) = now.filter(|_| self.displaces_at_all()) else { return };
        let equal = self.policy.within == WithinQueuePreemption::LowerOrNewerEqual;
        for ((_, Reverse(by), ..), cell) in self.heads(&self.ledger()) {
            if cell.0 == leaf && (by > priority || equal && by == priority) {
                self.cells.entry(cell).or_default().due = true;
            }
        }
    }
}
