//! An ordered list of entries that finds the first entry within given limits without looking at all entries before it.
//!
//! Each entry has the amounts that it requests. Each part of the line (a subtree) has the smallest amounts that any of
//! its entries requests, so a search skips the parts in which no entry can pass. The line is a treap: a search tree in
//! the order of the keys, and a heap in the order of numbers that look random, so its depth is logarithmic for any
//! order of insertions. These numbers are computed from the keys, so equal lines are equal trees.

use super::entry::{Labels, LineKey, Requests, Seen};
use crate::{counters::touch, scheduler::state::narrow};
use smallvec::SmallVec;
use std::cmp::Ordering;

/// Where the amounts of each kind end in those of an entry. A search reads this for each part that it looks at, so
/// nothing is left to add up then.
#[derive(Debug, Clone, Copy, Default)]
struct Width {
    open: usize,
    /// The number of amounts of a closed and of a wanted entry.
    resources: usize,
    closed: usize,
    wanted: usize,
    /// The number of amounts of all kinds together.
    all: usize,
    /// The number of amounts of an entry and of its subtree.
    stride: usize,
}

impl Width {
    fn new(open: usize, resources: usize, hiders: usize) -> Self {
        let (closed, wanted) = (open + resources, open + 2 * resources);
        let all = wanted + hiders;
        Self { open, resources, closed, wanted, all, stride: 2 * all }
    }
}

const NONE: u32 = u32::MAX;

#[derive(Debug, Clone, Copy)]
struct Node {
    key: LineKey,
    /// The position of the node in the heap: larger numbers are above.
    rank: u32,
    left: u32,
    right: u32,
    own: Labels,
    /// The joined labels of the subtree of this node, including its own.
    part: Labels,
}

/// The line.
#[derive(Debug, Clone, Default)]
pub(super) struct Line {
    nodes: Vec<Node>,
    /// For each node: the open, closed, wanted and hider amounts of its entry, then the minima of its subtree in the
    /// same order.
    amounts: Vec<i64>,
    free: Vec<u32>,
    root: Option<u32>,
    width: Width,
}

impl Line {
    /// A line of entries with `open` amounts each, of which the first `resources` are amounts of resources.
    pub(super) fn new(open: usize, resources: usize) -> Self {
        Self { width: Width::new(open, resources, 0), ..Self::default() }
    }

    /// Such a line for entries that others may hide.
    pub(super) fn with_hiders(open: usize, resources: usize) -> Self {
        Self { width: Width::new(open, resources, open), ..Self::default() }
    }

    /// The number of amounts of an entry.
    pub(super) fn width(&self) -> usize {
        self.width.all
    }

    /// Splits the consecutive amounts of an entry of this line by kind.
    pub(super) fn requests<'a>(&self, amounts: &'a [i64]) -> Requests<'a> {
        let Seen { open, closed, wanted, hiders, .. } = self.seen(Labels::default(), amounts);
        Requests { open, closed, wanted, hiders }
    }

    /// Adds an entry.
    pub(super) fn insert(&mut self, key: LineKey, labels: Labels, requests: Requests<'_>) {
        let node = Node { key, rank: rank(key), left: NONE, right: NONE, own: labels, part: labels };
        let at = match self.free.pop() {
            Some(at) => {
                *self.node_mut(at) = node;
                at
            }
            None => {
                self.nodes.push(node);
                self.amounts.resize(self.nodes.len() * self.width.stride, i64::MAX);
                narrow(self.nodes.len() - 1)
            }
        };
        self.set_own(at, requests);
        self.update(at);
        let root = self.insert_below(self.root.unwrap_or(NONE), at);
        self.root = Some(root);
    }

    /// Takes an entry out, if it is there.
    pub(super) fn remove(&mut self, key: LineKey) {
        let root = self.remove_below(self.root.unwrap_or(NONE), key);
        self.root = (root != NONE).then_some(root);
        if self.root.is_none() {
            self.nodes.clear();
            self.amounts.clear();
            self.free.clear();
        }
    }

    /// Gives an entry other labels and, if there are some, other requests. Returns whether that changed anything.
    pub(super) fn relabel(&mut self, key: LineKey, labels: Labels, requests: Option<Requests<'_>>) -> bool {
        let mut path: SmallVec<[u32; 48]> = SmallVec::new();
        let mut at = self.root.unwrap_or(NONE);
        while at != NONE {
            path.push(at);
            let node = self.node(at);
            at = match key.cmp(&node.key) {
                Ordering::Less => node.left,
                Ordering::Greater => node.right,
                Ordering::Equal => break,
            };
        }
        if at == NONE {
            return false;
        }
        let relabelled = std::mem::replace(&mut self.node_mut(at).own, labels) != labels;
        let changed = requests.is_some_and(|requests| self.set_own(at, requests));
        if relabelled || changed {
            // Above a part that stays the same nothing changes.
            path.into_iter().rev().find(|at| !self.update(*at));
        }
        relabelled || changed
    }

    /// The labels and minima of the whole line; nothing if it is empty.
    pub(super) fn whole(&self) -> Option<Seen<'_>> {
        self.root.map(|root| self.part(root))
    }

    /// The first entry after a key that `passes`. The test is also called with a part, without a key: it must pass if
    /// any entry of the part passes.
    pub(super) fn first(
        &self,
        after: Option<LineKey>,
        passes: impl Fn(Option<LineKey>, Seen<'_>) -> bool,
    ) -> Option<LineKey> {
        self.first_entry(after, passes).map(|(key, _)| key)
    }

    /// As [`first`](Self::first), with the labels and amounts of the entry.
    pub(super) fn first_entry(
        &self,
        after: Option<LineKey>,
        passes: impl Fn(Option<LineKey>, Seen<'_>) -> bool,
    ) -> Option<(LineKey, Seen<'_>)> {
        let found = self.first_below(self.root.unwrap_or(NONE), after, &passes)?;
        Some((self.node(found).key, self.own(found)))
    }

    /// All entries in order.
    pub(super) fn iter(&self) -> impl Iterator<Item = LineKey> + '_ {
        let mut above: Vec<u32> = Vec::new();
        let mut at = self.root.unwrap_or(NONE);
        std::iter::from_fn(move || {
            while at != NONE {
                above.push(at);
                at = self.node(at).left;
            }
            let node = self.node(above.pop()?);
            at = node.right;
            Some(node.key)
        })
    }

    /// Whether `found` is true for some entry that passes. Entries are tested in no order, until one is found.
    pub(super) fn any(
        &self,
        passes: impl Fn(Option<LineKey>, Seen<'_>) -> bool,
        mut found: impl FnMut(LineKey) -> bool,
    ) -> bool {
        let mut below = vec![self.root.unwrap_or(NONE)];
        while let Some(at) = below.pop() {
            if at == NONE || !passes(None, self.part(at)) {
                continue;
            }
            touch(1);
            let node = self.node(at);
            if passes(Some(node.key), self.own(at)) && found(node.key) {
                return true;
            }
            below.extend([node.right, node.left]);
        }
        false
    }

    fn first_below(
        &self,
        at: u32,
        after: Option<LineKey>,
        passes: &impl Fn(Option<LineKey>, Seen<'_>) -> bool,
    ) -> Option<u32> {
        if at == NONE {
            return None;
        }
        touch(1);
        let node = self.node(at);
        if !passes(None, self.part(at)) {
            return None;
        }
        if after.is_none_or(|after| node.key > after) {
            if let Some(found) = self.first_below(node.left, after, passes) {
                return Some(found);
            }
            if passes(Some(node.key), self.own(at)) {
                return Some(at);
            }
        }
        self.first_below(node.right, after, passes)
    }

    fn insert_below(&mut self, at: u32, new: u32) -> u32 {
        if at == NONE {
            return new;
        }
        let (node, (key, rank)) = (*self.node(at), (self.node(new).key, self.node(new).rank));
        if (rank, key) > (node.rank, node.key) {
            let (left, right) = self.split(at, key);
            (self.node_mut(new).left, self.node_mut(new).right) = (left, right);
            self.update(new);
            return new;
        }
        if key < node.key {
            self.node_mut(at).left = self.insert_below(node.left, new);
        } else {
            self.node_mut(at).right = self.insert_below(node.right, new);
        }
        self.update(at);
        at
    }

    fn remove_below(&mut self, at: u32, key: LineKey) -> u32 {
        if at == NONE {
            return NONE;
        }
        let &Node { key: here, left, right, .. } = self.node(at);
        match key.cmp(&here) {
            Ordering::Less => self.node_mut(at).left = self.remove_below(left, key),
            Ordering::Greater => self.node_mut(at).right = self.remove_below(right, key),
            Ordering::Equal => {
                self.free.push(at);
                return self.merge(left, right);
            }
        }
        self.update(at);
        at
    }

    /// Splits a subtree in two: the entries before a key, and those after it.
    fn split(&mut self, at: u32, key: LineKey) -> (u32, u32) {
        if at == NONE {
            return (NONE, NONE);
        }
        let node = *self.node(at);
        if node.key < key {
            let (left, right) = self.split(node.right, key);
            self.node_mut(at).right = left;
            self.update(at);
            (at, right)
        } else {
            let (left, right) = self.split(node.left, key);
            self.node_mut(at).left = right;
            self.update(at);
            (left, at)
        }
    }

    /// Merges two subtrees, where all entries of the first are before those of the second.
    fn merge(&mut self, left: u32, right: u32) -> u32 {
        if left == NONE || right == NONE {
            return left.min(right);
        }
        let (a, b) = (*self.node(left), *self.node(right));
        if (a.rank, a.key) > (b.rank, b.key) {
            self.node_mut(left).right = self.merge(a.right, right);
            self.update(left);
            left
        } else {
            self.node_mut(right).left = self.merge(left, b.left);
            self.update(right);
            right
        }
    }

    /// Recomputes the labels and minima of a subtree from its root entry and its two children. Returns whether they
    /// have changed.
    #[expect(clippy::indexing_slicing, reason = "each node has a row of the same length")]
    fn update(&mut self, at: u32) -> bool {
        touch(1);
        let Width { open, closed, wanted, all: half, stride, .. } = self.width;
        let row = at as usize * stride;
        let &Node { own: mut part, left, right, .. } = self.node(at);
        let mut least: SmallVec<[i64; 16]> = SmallVec::from_slice(&self.amounts[row..row + half]);
        // An entry that is not open has no open amounts, and so on.
        for (amounts, counts) in [(0..open, part.open), (open..closed, part.closed), (closed..wanted, part.wanted)] {
            if !counts {
                least[amounts].fill(i64::MAX);
            }
        }
        for below in [left, right].into_iter().filter(|below| *below != NONE) {
            part.join(self.node(below).part);
            let minima = below as usize * stride + half;
            let others = &self.amounts[minima..minima + half];
            least.iter_mut().zip(others).for_each(|(least, other)| *least = (*least).min(*other));
        }
        let minima = &mut self.amounts[row + half..row + stride];
        let changed = *minima != *least;
        minima.copy_from_slice(&least);
        changed | (std::mem::replace(&mut self.node_mut(at).part, part) != part)
    }

    /// Sets the amounts of an entry. Returns whether they have changed.
    fn set_own(&mut self, at: u32, requests: Requests<'_>) -> bool {
        let Width { open, closed, wanted, all, .. } = self.width;
        let kinds = [(0..open, requests.open), (open..closed, requests.closed), (closed..wanted, requests.wanted)];
        let row = self.row_mut(at);
        let mut changed = false;
        for (cells, amounts) in kinds.into_iter().chain([(wanted..all, requests.hiders)]) {
            for (cell, amount) in row.get_mut(cells).into_iter().flatten().zip(amounts) {
                changed |= std::mem::replace(cell, *amount) != *amount;
            }
        }
        changed
    }

    fn own(&self, at: u32) -> Seen<'_> {
        self.seen(self.node(at).own, self.row(at).0)
    }

    fn part(&self, at: u32) -> Seen<'_> {
        self.seen(self.node(at).part, self.row(at).1)
    }

    fn seen<'a>(&self, labels: Labels, row: &'a [i64]) -> Seen<'a> {
        let Width { open, resources, .. } = self.width;
        let (open, rest) = row.split_at_checked(open).unwrap_or_default();
        let (closed, rest) = rest.split_at_checked(resources).unwrap_or_default();
        let (wanted, hiders) = rest.split_at_checked(resources).unwrap_or_default();
        Seen { labels, open, closed, wanted, hiders }
    }

    /// The amounts of an entry, and the minima of its subtree.
    fn row(&self, at: u32) -> (&[i64], &[i64]) {
        let row = self.amounts.get(at as usize * self.width.stride..).unwrap_or_default();
        let row = row.get(..self.width.stride).unwrap_or_default();
        row.split_at_checked(self.width.all).unwrap_or_default()
    }

    fn row_mut(&mut self, at: u32) -> &mut [i64] {
        let (start, stride) = (at as usize * self.width.stride, self.width.stride);
        self.amounts.get_mut(start..start + stride).unwrap_or_default()
    }

    #[expect(clippy::indexing_slicing, reason = "nodes name each other only by places of this line")]
    fn node(&self, at: u32) -> &Node {
        &self.nodes[at as usize]
    }

    #[expect(clippy::indexing_slicing, reason = "nodes name each other only by places of this line")]
    fn node_mut(&mut self, at: u32) -> &mut Node {
        &mut self.nodes[at as usize]
    }
}

/// The pseudorandom rank of a key (the finalizer of SplitMix64).
fn rank((key, id): LineKey) -> u32 {
    let mut mixed = (u64::from(key.id.0) << 32 | u64::from(id)).wrapping_add(0x9E37_79B9_7F4A_7C15);
    mixed = (mixed ^ mixed >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
    (mixed >> 32) as u32
}

#[cfg(test)]
mod tests {
    use super::{
        super::{entry::within, order::PendingKey},
        Labels, Line, LineKey, Requests, Seen,
    };
    use crate::{
        api::{Time, WorkloadId},
        scheduler::state::{Ratio, WorkloadSlot},
    };
    use std::{cmp::Reverse, collections::BTreeMap};

    fn key(id: u32) -> LineKey {
        let (share, slot) = (Ratio::default(), WorkloadSlot(id));
        (PendingKey { share, priority: Reverse(0), submitted: Time(0), id: WorkloadId(id), slot }, id % 3)
    }

    /// Pseudorandom numbers, the same in each run.
    fn draws() -> impl FnMut(u32) -> u32 {
        let mut state = 7u64;
        move |below| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) as u32 % below
        }
    }

    /// After each of many changes, every answer of the line equals that of a plain map.
    #[test]
    fn a_line_finds_what_a_pass_over_all_entries_finds() {
        let mut draw = draws();
        let mut line = Line::with_hiders(3, 2);
        let mut plain: BTreeMap<LineKey, (Labels, [i64; 3], [i64; 3])> = BTreeMap::new();
        for _ in 0..6000 {
            let at = key(draw(90));
            let bits = draw(16);
            let (open, wanted, closed, due) = (bits & 1 > 0, bits & 2 > 0, bits & 8 > 0, bits == 4);
            let classes = if open { 1 << draw(5) } else { 0 };
            let labels = Labels { open, closed, wanted, due, shows: draw(2) == 0, classes };
            let amounts = [i64::from(draw(9)), i64::from(draw(9)), i64::from(draw(9))];
            let hiders = [-i64::from(draw(9)), i64::MAX, -i64::from(draw(9))];
            let requests = Requests { hiders: &hiders, ..Requests::same(&amounts) };
            match draw(3) {
                0 => {
                    line.remove(at);
                    plain.remove(&at);
                }
                1 if plain.contains_key(&at) => {
                    let changed = line.relabel(at, labels, Some(requests));
                    assert_eq!(changed, plain.insert(at, (labels, amounts, hiders)) != Some((labels, amounts, hiders)));
                }
                _ if !plain.contains_key(&at) => {
                    line.insert(at, labels, requests);
                    plain.insert(at, (labels, amounts, hiders));
                }
                _ => {}
            }
            assert_eq!(line.iter().collect::<Vec<_>>(), plain.keys().copied().collect::<Vec<_>>());
            let limits = [i64::from(draw(9)), i64::from(draw(9)), i64::from(draw(9))];
            let free = [i64::from(draw(9)), i64::from(draw(9))];
            let (roomy, after) = (u64::from(draw(32)), Some(key(draw(90))).filter(|_| bits > 1));
            let shows = |labels: Labels, hiders: &[i64]| {
                labels.shows || hiders.iter().zip(&limits).any(|(needs, limit)| needs.saturating_neg() > *limit)
            };
            let passes = |(labels, amounts, hiders): &(Labels, [i64; 3], [i64; 3])| {
                let covered = labels.wanted && within(&amounts[..2], &limits[..2]);
                let fits = labels.closed && within(&amounts[..2], &free);
                let open = labels.open && labels.classes & roomy != 0 && within(amounts, &limits);
                (labels.due || covered || fits || open) && shows(*labels, hiders)
            };
            let ask = |_: Option<LineKey>, seen: Seen<'_>| {
                let covered = seen.labels.wanted && within(seen.wanted, &limits);
                let open = seen.labels.open && seen.labels.classes & roomy != 0 && within(seen.open, &limits);
                let fits = seen.labels.closed && within(seen.closed, &free);
                (seen.labels.due || covered || open || fits) && shows(seen.labels, seen.hiders)
            };
            let found = line.first(after, ask);
            let mut behind = plain.iter().filter(|(at, _)| after.is_none_or(|after| **at > after));
            let first = behind.find(|(_, entry)| passes(entry)).map(|(at, _)| *at);
            assert_eq!(found, first);
            let mut all: Vec<LineKey> = Vec::new();
            let nothing_more = line.any(ask, |at| {
                all.push(at);
                false
            });
            assert!(!nothing_more && line.any(ask, |_| true) == first.is_some() || after.is_some());
            let passing = plain.iter().filter(|(_, entry)| passes(entry)).map(|(at, _)| *at);
            assert_eq!(all.len(), passing.clone().count());
            assert!(passing.clone().all(|at| all.contains(&at)));
        }
        assert!(plain.len() > 20);
    }
}
