//! Who waits, arranged so that the next to be tried is at hand without looking at the others.
//!
//! Workloads that ask the same wait in one *lane*; within a lane, those of one leaf form a *cell*, in order (O1). A cell
//! stands or falls as one: if its head cannot be placed, neither can those behind it. Over the cells of a lane stands a
//! tournament in the shape of the quota tree. Each quota passes up the best of what its children pass up, as long as its
//! ceiling lets one such ask in (`open`); a second tournament counts only those whose guarantee covers it (`within`). So
//! when room comes free, the first in order that may use it is at the top of its lane.
//!
//! A cell that was tried in vain is *parked*. It is tried again (*fresh*) when its leaf comes within its guarantee, and,
//! if it could take from others at all (*stuck*), whenever a fact might have made that possible.

use crate::scheduler::state::table::Table;
use crate::scheduler::{queue::order::Key, quota::ledger::Account, state::interner::AskId};
use indexmap::IndexMap;
use rustc_hash::FxBuildHasher;
use std::collections::BTreeSet;

/// Which tournament: over everybody, or over those whose guarantee covers them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    Any = 0,
    Entitled = 1,
}

/// Whether a quota lets one more of an ask in, and whether its guarantee covers it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Gate {
    pub(crate) open: bool,
    pub(crate) within: bool,
}

/// A pair, one for each [`Side`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Sides<T> {
    any: T,
    entitled: T,
}

impl<T> Sides<T> {
    fn of(&self, side: Side) -> &T {
        match side {
            Side::Any => &self.any,
            Side::Entitled => &self.entitled,
        }
    }

    fn of_mut(&mut self, side: Side) -> &mut T {
        match side {
            Side::Any => &mut self.any,
            Side::Entitled => &mut self.entitled,
        }
    }
}

const BOTH: &[Side] = &[Side::Any, Side::Entitled];

/// One quota in the tournament of one lane.
#[derive(Debug, Clone, Default)]
struct Entry {
    gate: Gate,
    /// Whether the gate is kept up to date.
    listed: bool,
    /// At a leaf: the waiting, the same on both sides. Above: what the children pass up.
    keys: Sides<BTreeSet<Key>>,
    passed: Sides<Option<Key>>,
    is_cell: bool,
    fresh: bool,
    stuck: bool,
    /// Tried in vain although every gate was open; not offered again before the next fact or the end of a hold.
    set_aside: bool,
}

#[derive(Debug, Clone, Default)]
struct Lane {
    entries: IndexMap<Account, Entry, FxBuildHasher>,
    /// How many wait in it.
    count: u32,
    /// Whether some node may have room for it.
    room: bool,
}

/// A cell: a leaf's workloads of one lane.
pub(crate) type Cell = (AskId, Account);

#[derive(Debug, Clone, Default)]
pub(crate) struct Waiting {
    lanes: Table<Lane>,
    /// Per account, the lanes whose gate is kept there.
    listed: Table<Vec<AskId>>,
    ready: Sides<BTreeSet<(Key, AskId)>>,
    fresh: Sides<BTreeSet<(Key, Cell)>>,
    newly_fresh: Vec<Cell>,
    /// Asks that some guarantee has come to cover.
    came_within: BTreeSet<AskId>,
    stuck: Vec<Cell>,
    set_aside: Vec<Cell>,
    roomless: Vec<AskId>,
    dirty: Vec<Account>,
    is_dirty: Table<bool>,
    pub(crate) parents: Table<Option<Account>>,
    ranked: bool,
}

impl Waiting {
    /// `ranked` says whether entitlement counts in the order at all (O1).
    pub(crate) fn new(parents: Table<Option<Account>>, ranked: bool) -> Self {
        let rows = parents.len();
        Self {
            ranked,
            listed: (0..rows).map(|_| Vec::new()).collect(),
            is_dirty: (0..rows).map(|_| false).collect(),
            parents,
            ..Self::default()
        }
    }

    /// Puts a workload into its cell. `gate` tells the gate of an ask at an account.
    pub(crate) fn insert(&mut self, (ask, account): Cell, key: Key, gate: impl Fn(Account) -> Gate) {
        if self.lanes.len() <= ask as usize {
            self.lanes.resize_with(ask as usize + 1, || Lane { room: true, ..Lane::default() });
        }
        self.list(ask, account, &gate);
        self.lanes.at_mut(ask).count += 1;
        if self.lanes.at(ask).count == 1 {
            self.set_room(ask, true);
        }
        let entry = self.entry(ask, account);
        entry.is_cell = true;
        let led = entry.keys.any.first().copied();
        entry.keys.any.insert(key);
        if led.is_some_and(|led| led < key) {
            return;
        }
        if let Some(led) = led.filter(|_| entry.fresh) {
            for side in BOTH.iter().copied() {
                self.fresh.of_mut(side).remove(&(led, (ask, account)));
            }
            self.fresh.entitled.insert((key, (ask, account)));
        }
        self.pass_up(ask, account);
        self.wake((ask, account));
    }

    /// Takes a workload out of its cell.
    pub(crate) fn remove(&mut self, (ask, account): Cell, key: Key) {
        self.lanes.at_mut(ask).count -= 1;
        let entry = self.entry(ask, account);
        let led = entry.keys.any.first() == Some(&key);
        entry.keys.any.remove(&key);
        let fresh = entry.fresh;
        let next = entry.keys.any.first().copied();
        if fresh && led {
            for side in BOTH.iter().copied() {
                self.fresh.of_mut(side).remove(&(key, (ask, account)));
            }
            match next {
                // Decided on the side it was on: it is looked at again when it is picked.
                Some(next) => drop(self.fresh.entitled.insert((next, (ask, account)))),
                None => self.entry(ask, account).fresh = false,
            }
        }
        if led {
            self.pass_up(ask, account);
            // The next may do what the first could not: take over a hold that was made before it came, say.
            if !fresh && next.is_some() {
                self.stick((ask, account));
            }
        }
    }

    fn sides(&self) -> &'static [Side] {
        if self.ranked { BOTH } else { &[Side::Any] }
    }

    /// The head of a cell.
    pub(crate) fn head(&self, (ask, account): Cell) -> Option<Key> {
        self.lanes.get(ask)?.entries.get(&account)?.keys.any.first().copied()
    }

    fn entry(&mut self, ask: AskId, account: Account) -> &mut Entry {
        self.lanes.at_mut(ask).entries.entry(account).or_default()
    }

    /// Keeps the gates of this ask up to date on the whole path.
    fn list(&mut self, ask: AskId, account: Account, gate: &impl Fn(Account) -> Gate) {
        let mut at = Some(account);
        while let Some(q) = at {
            let entry = self.lanes.at_mut(ask).entries.entry(q).or_default();
            if !entry.listed {
                entry.listed = true;
                entry.gate = gate(q);
                self.listed.at_mut(q).push(ask);
            }
            at = *self.parents.at(q);
        }
    }

    /// Recomputes what an entry passes up, and what that changes above.
    fn pass_up(&mut self, ask: AskId, account: Account) {
        for side in self.sides().iter().copied() {
            let mut at = account;
            loop {
                let room = self.lanes.at(ask).room;
                let entry = self.entry(ask, at);
                let keys = if entry.is_cell { &entry.keys.any } else { entry.keys.of(side) };
                let may = entry.gate.open && !entry.set_aside && (side == Side::Any || entry.gate.within);
                let now = if may { keys.first().copied() } else { None };
                let before = std::mem::replace(entry.passed.of_mut(side), now);
                if before == now {
                    break;
                }
                match *self.parents.at(at) {
                    Some(parent) => {
                        let keys = self.entry(ask, parent).keys.of_mut(side);
                        if let Some(before) = before {
                            keys.remove(&before);
                        }
                        keys.extend(now);
                        at = parent;
                    }
                    None => {
                        let ready = self.ready.of_mut(side);
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

    /// The use of this account, or what holds keep there, has changed.
    pub(crate) fn touch(&mut self, account: Account) {
        if !std::mem::replace(self.is_dirty.at_mut(account), true) {
            self.dirty.push(account);
        }
    }

    /// Brings the gates of touched accounts up to date. `gate` tells the gate of an ask at an account.
    pub(crate) fn refresh(&mut self, gate: impl Fn(AskId, Account) -> Gate) {
        for account in std::mem::take(&mut self.dirty) {
            *self.is_dirty.at_mut(account) = false;
            let mut asks = std::mem::take(self.listed.at_mut(account));
            asks.retain(|ask| self.refresh_one(*ask, account, &gate));
            *self.listed.at_mut(account) = asks;
        }
        self.judge_again();
    }

    /// Where a guarantee came to cover an ask, fresh cells of it that were not entitled may be now (O1).
    fn judge_again(&mut self) {
        let asks = std::mem::take(&mut self.came_within);
        if asks.is_empty() || self.fresh.any.is_empty() {
            return;
        }
        let again: Vec<(Key, Cell)> =
            self.fresh.any.iter().filter(|(_, cell)| asks.contains(&cell.0)).copied().collect();
        for entry in again {
            self.fresh.any.remove(&entry);
            self.fresh.entitled.insert(entry);
        }
    }

    /// Gives whether anybody still waits there.
    fn refresh_one(&mut self, ask: AskId, account: Account, gate: &impl Fn(AskId, Account) -> Gate) -> bool {
        if self.lanes.at(ask).count == 0 {
            self.entry(ask, account).listed = false;
            return false;
        }
        let entry = self.entry(ask, account);
        let now = gate(ask, account);
        let before = std::mem::replace(&mut entry.gate, now);
        if before != now {
            let (came_within, is_cell) = (now.within && !before.within, entry.is_cell);
            self.pass_up(ask, account);
            if came_within {
                self.came_within.insert(ask);
                if is_cell {
                    self.wake((ask, account));
                }
            }
        }
        true
    }

    /// Some node may (or cannot) have room for a lane.
    pub(crate) fn set_room(&mut self, ask: AskId, room: bool) {
        let lane = self.lanes.at_mut(ask);
        if lane.room == room {
            return;
        }
        lane.room = room;
        if !room {
            self.roomless.push(ask);
        }
        for (account, parent) in self.parents.ids().zip(self.parents.iter()) {
            if parent.is_some() {
                continue;
            }
            let Some(entry) = self.lanes.at(ask).entries.get(&account) else { continue };
            for side in BOTH.iter().copied() {
                if let Some(top) = entry.passed.of(side) {
                    let ready = self.ready.of_mut(side);
                    if room {
                        ready.insert((*top, ask));
                    } else {
                        ready.remove(&(*top, ask));
                    }
                }
            }
        }
    }

    /// The lanes without room in which somebody waits.
    pub(crate) fn roomless(&mut self) -> Vec<AskId> {
        self.roomless.retain(|ask| !self.lanes.at(*ask).room && self.lanes.at(*ask).count > 0);
        self.roomless.clone()
    }

    /// The cell is to be tried, whatever its gates say.
    pub(crate) fn wake(&mut self, cell: Cell) {
        let entry = self.entry(cell.0, cell.1);
        if entry.fresh || entry.keys.any.is_empty() {
            return;
        }
        entry.fresh = true;
        self.newly_fresh.push(cell);
    }

    /// Offers again what was set aside, where `may` says so: a fact came, or a hold ended, and limits may bar it no more.
    pub(crate) fn offer_again(&mut self, may: impl Fn(Cell) -> bool) {
        let (again, rest): (Vec<Cell>, Vec<Cell>) =
            std::mem::take(&mut self.set_aside).into_iter().partition(|cell| may(*cell));
        self.set_aside = rest;
        for (ask, account) in again {
            self.entry(ask, account).set_aside = false;
            self.pass_up(ask, account);
        }
    }

    /// A fact came that may let cells that are stuck take from others: gives them, and forgets that they were.
    pub(crate) fn take_stuck(&mut self) -> Vec<Cell> {
        self.offer_again(|_| true);
        let stuck = std::mem::take(&mut self.stuck);
        for (ask, account) in &stuck {
            self.entry(*ask, *account).stuck = false;
        }
        stuck
    }

    /// The cell is to be looked at again when a fact comes.
    pub(crate) fn stick(&mut self, cell: Cell) {
        if !std::mem::replace(&mut self.entry(cell.0, cell.1).stuck, true) {
            self.stuck.push(cell);
        }
    }

    /// The cell was tried in vain.
    pub(crate) fn park(&mut self, cell: Cell, stuck: bool, open: bool) {
        let head = self.head(cell);
        let entry = self.entry(cell.0, cell.1);
        if std::mem::replace(&mut entry.fresh, false)
            && let Some(head) = head
        {
            for side in BOTH.iter().copied() {
                self.fresh.of_mut(side).remove(&(head, cell));
            }
            self.newly_fresh.retain(|c| *c != cell);
        }
        if stuck {
            self.stick(cell);
        }
        let entry = self.entry(cell.0, cell.1);
        if open && !std::mem::replace(&mut entry.set_aside, true) {
            self.set_aside.push(cell);
            self.pass_up(cell.0, cell.1);
        }
    }

    /// The next cell to try. `entitled` judges a cell's head now, `lets_in` whether no limit bars it, `account_of` tells
    /// where a workload waits.
    pub(crate) fn next(
        &mut self,
        entitled: impl Fn(Cell) -> bool,
        lets_in: impl Fn(Cell) -> bool,
        account_of: impl Fn(u32) -> Account,
    ) -> Option<Cell> {
        for cell in std::mem::take(&mut self.newly_fresh) {
            if let Some(head) = self.head(cell) {
                self.fresh.entitled.insert((head, cell));
            }
        }
        if self.ranked {
            let (first, lost) = self.first_entitled(&entitled, &lets_in, &account_of);
            for entry in lost {
                self.fresh.entitled.remove(&entry);
                self.fresh.any.insert(entry);
            }
            if first.is_some() {
                return first;
            }
        } else {
            self.fresh.any.append(&mut self.fresh.entitled);
        }
        let ready = self.ready.any.first().map(|(key, ask)| (*key, (*ask, account_of(key.slot))));
        let offered = [ready, self.fresh.any.first().copied(), self.fresh.entitled.first().copied()];
        offered.into_iter().flatten().min().map(|(_, cell)| cell)
    }

    /// The first entitled cell that leads its leaf: inside a leaf priority goes before entitlement (O1). With it, the
    /// fresh cells that turned out not to be entitled any more.
    fn first_entitled(
        &self,
        entitled: &impl Fn(Cell) -> bool,
        lets_in: &impl Fn(Cell) -> bool,
        account_of: &impl Fn(u32) -> Account,
    ) -> (Option<Cell>, Vec<(Key, Cell)>) {
        let mut lost = Vec::new();
        // Those of a lane that stand behind its first, where that one does not lead its leaf.
        let mut behind: BTreeSet<(Key, Cell)> = BTreeSet::new();
        let mut ready = self.ready.entitled.iter().map(|(key, ask)| (*key, (*ask, account_of(key.slot)))).peekable();
        let mut fresh = self.fresh.entitled.iter().copied().peekable();
        loop {
            let offered = [ready.peek().copied(), behind.first().copied(), fresh.peek().copied()];
            let Some((key, cell)) = offered.iter().flatten().min().copied() else { return (None, lost) };
            let is_fresh = offered.first() != Some(&Some((key, cell))) && !behind.contains(&(key, cell));
            if is_fresh {
                fresh.next();
                if !entitled(cell) {
                    lost.push((key, cell));
                    continue;
                }
            } else if !behind.remove(&(key, cell)) {
                ready.next();
                if !self.leads(cell, key, lets_in) {
                    behind.extend(self.entitled_cells(cell.0).filter(|other| *other > (key, cell)));
                }
            }
            if self.leads(cell, key, lets_in) {
                return (Some(cell), lost);
            }
        }
    }

    /// The cells of a lane that it would offer as entitled, one by one.
    fn entitled_cells(&self, ask: AskId) -> impl Iterator<Item = (Key, Cell)> + '_ {
        let lane = self.lanes.get(ask);
        let within =
            move |q: Account| lane.and_then(|lane| lane.entries.get(&q)).is_some_and(|entry| entry.gate.within);
        let covered =
            move |account: Account| std::iter::successors(Some(account), |q| *self.parents.at(*q)).all(within);
        let cells = lane.into_iter().flat_map(|lane| lane.entries.iter()).filter(|(_, entry)| entry.is_cell);
        cells
            .filter_map(move |(account, entry)| Some((*entry.keys.any.first()?, (ask, *account))))
            .filter(move |(_, cell)| self.is_ready(*cell) && covered(cell.1))
    }

    /// Whether nobody of the same leaf who is to be tried goes before this head.
    fn leads(&self, (_, account): Cell, key: Key, lets_in: &impl Fn(Cell) -> bool) -> bool {
        let active = |other: Cell| self.is_fresh(other) || self.is_ready(other) && lets_in(other);
        self.cells_of(account).all(|other| self.head(other).is_none_or(|head| head >= key) || !active(other))
    }

    /// Whether a cell is to be tried whatever its gates say.
    fn is_fresh(&self, cell: Cell) -> bool {
        let entry = self.lanes.get(cell.0).and_then(|lane| lane.entries.get(&cell.1));
        entry.is_some_and(|entry| entry.fresh)
    }

    /// The cells of a leaf in which somebody waits.
    pub(crate) fn cells_of(&self, account: Account) -> impl Iterator<Item = Cell> + '_ {
        self.listed.at(account).iter().map(move |ask| (*ask, account)).filter(|cell| self.head(*cell).is_some())
    }

    /// Everybody in a cell, in order.
    pub(crate) fn keys_of(&self, (ask, account): Cell) -> Vec<Key> {
        let entry = self.lanes.get(ask).and_then(|lane| lane.entries.get(&account));
        entry.map(|entry| entry.keys.any.iter().copied().collect()).unwrap_or_default()
    }

    /// Moves a workload within its cell.
    pub(crate) fn rekey(&mut self, cell: Cell, old: Key, new: Key) {
        let head = self.head(cell);
        let entry = self.entry(cell.0, cell.1);
        entry.keys.any.remove(&old);
        entry.keys.any.insert(new);
        let fresh = entry.fresh;
        let now = self.head(cell);
        if head != now && fresh {
            for side in BOTH.iter().copied() {
                if let Some(head) = head {
                    self.fresh.of_mut(side).remove(&(head, cell));
                }
            }
            if let Some(now) = now {
                self.fresh.entitled.insert((now, cell));
            }
        }
        self.pass_up(cell.0, cell.1);
    }

    /// Whether a cell is still offered by its lane: its gates are open and there may be room.
    pub(crate) fn is_ready(&self, (ask, account): Cell) -> bool {
        let Some(lane) = self.lanes.get(ask) else { return false };
        let passes = |q: Account| lane.entries.get(&q).is_some_and(|entry| entry.gate.open && !entry.set_aside);
        let mut path = std::iter::successors(Some(account), |q| *self.parents.at(*q));
        lane.room && path.all(passes)
    }
}
