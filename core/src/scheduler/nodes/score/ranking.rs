//! The rank of each node for each template that was placed, where scores depend on the pod.
//!
//! The rank of a node changes only when something on the node changes. So an update of a list looks only at the nodes
//! that changed since the list was last used. If lists would take too much memory, those unused for the longest time
//! are dropped.

use crate::scheduler::state::{Key, NodeSlot, Table, TemplateId, narrow};
use std::collections::VecDeque;

const BLOCK: usize = 64;
/// The most ranks that are kept, over all lists.
const MOST: usize = 1 << 22;
/// The rank of a node that the pod does not fit.
pub(crate) const UNFIT: u64 = u64::MAX;

/// The rank of every node, and the least of each block of them.
#[derive(Debug, Default)]
struct List {
    ranks: Vec<u64>,
    least: Vec<u64>,
    /// The number of the last change that the list includes.
    seen: u64,
}

#[derive(Debug, Default)]
pub(crate) struct Rankings {
    lists: Table<TemplateId, Option<List>>,
    /// How many ranks are kept, over all lists.
    kept: usize,
    /// The changed nodes in the order of their changes; the first of them was change number `first`.
    changes: VecDeque<NodeSlot>,
    first: u64,
    /// Per node: the number of its last change.
    last: Vec<u64>,
}

/// A copy starts without lists. It decides the same, and copies are made only for trials.
impl Clone for Rankings {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl List {
    fn set(&mut self, slot: usize, rank: u64) {
        let Some(cell) = self.ranks.get_mut(slot) else { return };
        let old = std::mem::replace(cell, rank);
        let block = slot / BLOCK;
        let Some(least) = self.least.get_mut(block) else { return };
        if rank <= *least {
            *least = rank;
        } else if old == *least {
            *least = self.ranks.iter().skip(block * BLOCK).take(BLOCK).copied().min().unwrap_or(UNFIT);
        }
    }

    fn fill(&mut self, slots: usize, rate: impl FnMut(NodeSlot) -> u64) {
        self.ranks.clear();
        self.ranks.extend((0..narrow(slots)).map(NodeSlot).map(rate));
        self.least.clear();
        self.least.extend(self.ranks.chunks(BLOCK).map(|block| block.iter().copied().min().unwrap_or(UNFIT)));
    }
}

impl Rankings {
    /// Something changed on this node.
    pub(crate) fn touch(&mut self, slot: NodeSlot) {
        let number = self.first + self.changes.len() as u64;
        self.changes.push_back(slot);
        let at = slot.index();
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

    /// Every rank may have changed: drops all lists.
    pub(crate) fn clear(&mut self) {
        self.lists = Table::default();
        self.kept = 0;
    }

    /// The lowest rank for a template among the first `slots` nodes; [`UNFIT`] if the pod fits none. `rate` computes
    /// the rank of a node.
    pub(crate) fn least(&mut self, id: TemplateId, slots: usize, rate: impl FnMut(NodeSlot) -> u64) -> u64 {
        self.update(id, slots, rate).least.iter().copied().min().unwrap_or(UNFIT)
    }

    /// The n-th lowest rank of the nodes that the pod fits; [`UNFIT`] if it fits none. `nth` chooses n from the number
    /// of nodes that it fits.
    pub(crate) fn nth(
        &mut self,
        id: TemplateId,
        slots: usize,
        rate: impl FnMut(NodeSlot) -> u64,
        nth: impl FnOnce(usize) -> usize,
    ) -> u64 {
        let list = self.update(id, slots, rate);
        let mut fitting: Vec<u64> = list.ranks.iter().copied().filter(|rank| *rank != UNFIT).collect();
        let nth = nth(fitting.len());
        if nth >= fitting.len() { UNFIT } else { *fitting.select_nth_unstable(nth).1 }
    }

    /// Removes the list of a template that is gone.
    pub(crate) fn forget(&mut self, id: TemplateId) {
        if self.lists.get(id).is_some() {
            self.kept -= self.lists.at_mut(id).take().map_or(0, |list| list.ranks.len());
        }
    }

    /// Brings the list of a template up to date.
    fn update(&mut self, id: TemplateId, slots: usize, mut rate: impl FnMut(NodeSlot) -> u64) -> &List {
        self.lists.extend_to(id, || None);
        let now = self.first + self.changes.len() as u64;
        let mut list = self.lists.at_mut(id).take().unwrap_or_default();
        self.kept -= list.ranks.len();
        if list.ranks.len() != slots || list.seen < self.first {
            list.fill(slots, rate);
        } else {
            let skipped = usize::try_from(list.seen - self.first).unwrap_or(usize::MAX);
            for (number, slot) in (list.seen..).zip(self.changes.iter().skip(skipped)) {
                if self.last.get(slot.index()) == Some(&number) {
                    list.set(slot.index(), rate(*slot));
                }
            }
        }
        list.seen = now;
        self.drop_oldest(slots);
        self.kept += slots;
        self.lists.at_mut(id).insert(list)
    }

    /// Drops lists, those unused for the longest time first, until there is room for this many ranks.
    fn drop_oldest(&mut self, slots: usize) {
        while self.kept > 0 && self.kept + slots > MOST {
            let age = |id: &TemplateId| self.lists.at(*id).as_ref().map_or(u64::MAX, |list| list.seen);
            let Some(oldest) = self.lists.keys().min_by_key(age) else { return };
            self.kept -= self.lists.at_mut(oldest).take().map_or(0, |list| list.ranks.len());
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
            rankings.touch(NodeSlot(0));
            assert_eq!(rankings.least(TemplateId(id), slots, |slot| u64::from(slot.0) + 7), 7);
        }
        let kept: Vec<bool> = rankings.lists.iter().map(Option::is_some).collect();
        assert_eq!((kept, rankings.kept), (vec![true, false, true], 2 * slots));
        // Two that take just what they may stay.
        let mut rankings = Rankings::default();
        for id in [0, 1] {
            rankings.least(TemplateId(id), MOST / 2, |_| 7);
        }
        assert_eq!(rankings.kept, MOST);
        // A list that alone exceeds the limit is kept, and no other.
        assert_eq!(Rankings::default().least(TemplateId(0), MOST + 1, |_| 7), 7);
    }

    /// After any changes, the lowest rank is the same as in a search over all nodes.
    #[test]
    fn the_least_is_that_of_a_plain_look() {
        let mut rankings = Rankings::default();
        let mut ranks = [[7u64; 200]; 3];
        let mut state = 1u64;
        let mut draw = |below: u64| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) % below
        };
        for _ in 0..200u32 {
            rankings.touch(NodeSlot(0));
        }
        for round in 0..5000u32 {
            let slot = draw(200) as usize;
            for ranks in &mut ranks {
                ranks[slot] = if draw(4) == 0 { UNFIT } else { draw(1000) };
            }
            rankings.touch(NodeSlot(slot as u32));
            // Sometimes so much happens between two uses that not all changes are kept.
            for _ in 0..if round % 100 == 0 { 300 } else { 0 } {
                rankings.touch(NodeSlot(slot as u32));
            }
            if draw(3) == 0 {
                let id = draw(3) as u32;
                let of = &ranks[id as usize];
                let least = rankings.least(TemplateId(id), 200, |slot| of[slot.index()]);
                assert_eq!(Some(&least), of.iter().min(), "round {round}");
            }
        }
    }
}
