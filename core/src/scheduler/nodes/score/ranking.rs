//! Nodes in order of scores that depend on the pod: for every template that was asked for, what each node is worth to it.
//!
//! A node is worth the same until something changes on it, so a list is kept up to date by looking at the nodes that
//! changed since it was last asked. Lists are forgotten, longest unasked first, when they would take too much memory.

use crate::scheduler::nodes::NodeSlot;
use crate::scheduler::state::{interner::TemplateId, table::Table};
use std::collections::VecDeque;

const BLOCK: usize = 64;
/// How many worths are kept at most, over all lists.
const MOST: usize = 1 << 22;
/// Stands for a node that does not fit.
pub(crate) const UNFIT: u64 = u64::MAX;

/// The worth of every node, and the least of each block of them.
#[derive(Debug, Default)]
struct List {
    worths: Vec<u64>,
    least: Vec<u64>,
    /// The changes up to here are in.
    seen: u64,
}

#[derive(Debug, Default)]
pub(crate) struct Rankings {
    lists: Table<Option<List>>,
    kept: usize,
    /// Nodes in order of changes; the first of them was change number `first`.
    changes: VecDeque<NodeSlot>,
    first: u64,
    /// Per node: the number of its last change.
    last: Vec<u64>,
}

/// A copy decides the same without the lists, and copies are made to try things out: they start with none.
impl Clone for Rankings {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl List {
    fn set(&mut self, slot: usize, worth: u64) {
        let Some(cell) = self.worths.get_mut(slot) else { return };
        let old = std::mem::replace(cell, worth);
        let block = slot / BLOCK;
        let Some(least) = self.least.get_mut(block) else { return };
        if worth <= *least {
            *least = worth;
        } else if old == *least {
            *least = self.worths.iter().skip(block * BLOCK).take(BLOCK).copied().min().unwrap_or(UNFIT);
        }
    }

    fn fill(&mut self, slots: usize, rate: impl FnMut(NodeSlot) -> u64) {
        self.worths.clear();
        self.worths.extend((0..crate::scheduler::state::table::narrow(slots)).map(rate));
        self.least.clear();
        self.least.extend(self.worths.chunks(BLOCK).map(|block| block.iter().copied().min().unwrap_or(UNFIT)));
    }
}

impl Rankings {
    /// Something changed on this node.
    pub(crate) fn touch(&mut self, slot: NodeSlot) {
        let number = self.first + self.changes.len() as u64;
        self.changes.push_back(slot);
        let at = slot as usize;
        if self.last.len() <= at {
            self.last.resize(at + 1, 0);
        }
        if let Some(last) = self.last.get_mut(at) {
            *last = number;
        }
        // Looking at more changes than there are nodes costs more than looking at every node.
        if self.changes.len() > self.last.len() + BLOCK {
            self.changes.pop_front();
            self.first += 1;
        }
    }

    /// Every worth may be another: all lists are forgotten.
    pub(crate) fn clear(&mut self) {
        self.lists = Table::default();
        self.kept = 0;
    }

    /// The least worth of all `slots` nodes for a template, where `rate` tells that of one; [`UNFIT`] if there is none.
    pub(crate) fn least(&mut self, id: TemplateId, slots: usize, rate: impl FnMut(NodeSlot) -> u64) -> u64 {
        self.bring_up(id, slots, rate).least.iter().copied().min().unwrap_or(UNFIT)
    }

    /// The `nth` least worth of those nodes that fit, where `nth` is told how many do; [`UNFIT`] if none does.
    pub(crate) fn nth(
        &mut self,
        id: TemplateId,
        slots: usize,
        rate: impl FnMut(NodeSlot) -> u64,
        nth: impl FnOnce(usize) -> usize,
    ) -> u64 {
        let list = self.bring_up(id, slots, rate);
        let mut fitting: Vec<u64> = list.worths.iter().copied().filter(|worth| *worth != UNFIT).collect();
        let nth = nth(fitting.len());
        if nth >= fitting.len() { UNFIT } else { *fitting.select_nth_unstable(nth).1 }
    }

    fn bring_up(&mut self, id: TemplateId, slots: usize, mut rate: impl FnMut(NodeSlot) -> u64) -> &List {
        if self.lists.len() <= id as usize {
            self.lists.resize_with(id as usize + 1, || None);
        }
        let now = self.first + self.changes.len() as u64;
        let mut list = self.lists.at_mut(id).take().unwrap_or_default();
        self.kept -= list.worths.len();
        if list.worths.len() != slots || list.seen < self.first {
            list.fill(slots, rate);
        } else {
            let skipped = usize::try_from(list.seen - self.first).unwrap_or(usize::MAX);
            for (number, slot) in (list.seen..).zip(self.changes.iter().skip(skipped)) {
                if self.last.get(*slot as usize) == Some(&number) {
                    list.set(*slot as usize, rate(*slot));
                }
            }
        }
        list.seen = now;
        self.make_room_for(slots);
        self.kept += slots;
        self.lists.at_mut(id).insert(list)
    }

    fn make_room_for(&mut self, slots: usize) {
        while self.kept > 0 && self.kept + slots > MOST {
            let age = |id: &TemplateId| self.lists.at(*id).as_ref().map_or(u64::MAX, |list| list.seen);
            let Some(oldest) = self.lists.ids().min_by_key(age) else { return };
            self.kept -= self.lists.at_mut(oldest).take().map_or(0, |list| list.worths.len());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_longest_unasked_is_forgotten_where_they_take_too_much() {
        let mut rankings = Rankings::default();
        let slots = MOST * 3 / 8;
        for id in [0, 1, 0, 2] {
            rankings.touch(0);
            assert_eq!(rankings.least(id, slots, |slot| u64::from(slot) + 7), 7);
        }
        let kept: Vec<bool> = rankings.lists.iter().map(Option::is_some).collect();
        assert_eq!((kept, rankings.kept), (vec![true, false, true], 2 * slots));
        // Two that take just what they may stay.
        let mut rankings = Rankings::default();
        for id in [0, 1] {
            rankings.least(id, MOST / 2, |_| 7);
        }
        assert_eq!(rankings.kept, MOST);
        // One that is too long by itself is kept all the same, alone.
        assert_eq!(Rankings::default().least(0, MOST + 1, |_| 7), 7);
    }

    /// Whatever changes between asks, the least is that of a plain look at all.
    #[test]
    fn the_least_is_that_of_a_plain_look() {
        let mut rankings = Rankings::default();
        let mut worths = [[7u64; 200]; 3];
        let mut state = 1u64;
        let mut draw = |below: u64| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) % below
        };
        for _ in 0..200u32 {
            rankings.touch(0);
        }
        for round in 0..5000u32 {
            let slot = draw(200) as usize;
            for worths in &mut worths {
                worths[slot] = if draw(4) == 0 { UNFIT } else { draw(1000) };
            }
            rankings.touch(slot as u32);
            // Now and then so much happens between two asks that not all changes are kept.
            for _ in 0..if round % 100 == 0 { 300 } else { 0 } {
                rankings.touch(slot as u32);
            }
            if draw(3) == 0 {
                let id = draw(3) as u32;
                let of = &worths[id as usize];
                let least = rankings.least(id, 200, |slot| of[slot as usize]);
                assert_eq!(Some(&least), of.iter().min(), "round {round}");
            }
        }
    }
}
