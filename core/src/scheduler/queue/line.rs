//! An ordered line of entries, of which the first that passes some limits is found without looking at those before it.
//!
//! Each entry says what it requests. A part of the line knows the least that any of its entries requests, so a search
//! skips all parts in which nothing can pass. The line is a treap: a search tree in the order of the keys, and a heap in
//! the order of numbers that look random, so its depth is logarithmic whatever comes in which order. These numbers are
//! made of the keys, so equal lines are equal trees.

use super::order::PendingKey;
use crate::{counters::touch, scheduler::state::narrow};
use smallvec::SmallVec;
use std::cmp::Ordering;

/// The place of an entry in the order, and what it is: a request, or a quota.
pub(super) type LineKey = (PendingKey, u32);

/// What an entry is, or the entries of a part together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Labels {
    /// It may be placed as soon as quotas admit it.
    pub(super) open: bool,
    /// It found no room on any node, and may be placed once a node has room for it and quotas admit it.
    pub(super) closed: bool,
    /// It is to be tried as soon as the guarantee of its leaf covers it, or now if it is due.
    pub(super) wanted: bool,
    /// It is to be tried now.
    pub(super) due: bool,
    /// Bits of the request classes that are open.
    pub(super) classes: u64,
}

/// What an entry requests: as far as it is open, closed, and wanted. The latter two have only the amounts of resources.
#[derive(Debug, Clone, Copy)]
pub(super) struct Requests<'a> {
    pub(super) open: &'a [i64],
    pub(super) closed: &'a [i64],
    pub(super) wanted: &'a [i64],
}

impl<'a> Requests<'a> {
    /// The same, whatever it is.
    pub(super) fn same(amounts: &'a [i64]) -> Self {
        Self { open: amounts, closed: amounts, wanted: amounts }
    }
}

/// What a search sees of an entry or a part: its labels, the least amounts of what is open, closed, and wanted. Of the
/// latter two only the amounts of resources are kept.
#[derive(Debug, Clone, Copy)]
pub(super) struct Seen<'a> {
    pub(super) labels: Labels,
    pub(super) open: &'a [i64],
    pub(super) closed: &'a [i64],
    pub(super) wanted: &'a [i64],
}

/// Whether some amounts are within limits.
pub(super) fn within(amounts: &[i64], limits: &[i64]) -> bool {
    amounts.iter().zip(limits).all(|(amount, limit)| amount <= limit)
}

const NONE: u32 = u32::MAX;

#[derive(Debug, Clone, Copy)]
struct Node {
    key: LineKey,
    /// Where it stands in the heap: larger numbers are above.
    rank: u32,
    left: u32,
    right: u32,
    own: Labels,
    /// The labels of the part below this node, itself included.
    part: Labels,
}

/// The line.
#[derive(Debug, Clone, Default)]
pub(super) struct Line {
    nodes: Vec<Node>,
    /// Per node: what its entry requests as far as it is open, closed, and wanted; then the least of the part, likewise.
    amounts: Vec<i64>,
    free: Vec<u32>,
    root: Option<u32>,
    /// How many amounts an entry has, and how many of them are of resources.
    width: (usize, usize),
}

impl Line {
    /// A line of entries with so many amounts each, of which the first ones are of `resources`.
    pub(super) fn new(width: usize, resources: usize) -> Self {
        Self { width: (width, resources), ..Self::default() }
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
                self.amounts.resize(self.nodes.len() * self.stride(), i64::MAX);
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

    /// Gives an entry other labels and, if there are some, other requests.
    pub(super) fn relabel(&mut self, key: LineKey, labels: Labels, requests: Option<Requests<'_>>) {
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
            return;
        }
        self.node_mut(at).own = labels;
        if let Some(requests) = requests {
            self.set_own(at, requests);
        }
        path.into_iter().rev().for_each(|at| self.update(at));
    }

    /// What the whole line is; nothing if it is empty.
    pub(super) fn whole(&self) -> Option<Seen<'_>> {
        self.root.map(|root| self.part(root))
    }

    /// The first entry after a key that `passes`. It is asked about parts, too, without a key: nothing of a part passes
    /// unless the part itself does.
    pub(super) fn first(
        &self,
        after: Option<LineKey>,
        passes: impl Fn(Option<LineKey>, Seen<'_>) -> bool,
    ) -> Option<LineKey> {
        self.first_below(self.root.unwrap_or(NONE), after, &passes)
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

    /// Whether `found` is true of some entry that passes. It is asked about each, in no order, until one is found.
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
    ) -> Option<LineKey> {
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
                return Some(node.key);
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
        let node = *self.node(at);
        match key.cmp(&node.key) {
            Ordering::Less => self.node_mut(at).left = self.remove_below(node.left, key),
            Ordering::Greater => self.node_mut(at).right = self.remove_below(node.right, key),
            Ordering::Equal => {
                self.free.push(at);
                return self.merge(node.left, node.right);
            }
        }
        self.update(at);
        at
    }

    /// The part below a node in two: what is before a key, and what is after it.
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

    /// Two parts as one, where all of the first is before the second.
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

    /// Computes what the part below a node is from its entry and the two parts below it.
    fn update(&mut self, at: u32) {
        touch(1);
        let (width, resources) = self.width;
        let node = *self.node(at);
        let mut part = node.own;
        let mut row: SmallVec<[i64; 24]> = SmallVec::from_elem(i64::MAX, width + 2 * resources);
        let (open_row, rest) = row.split_at_mut(width);
        let (closed_row, wanted_row) = rest.split_at_mut(resources);
        let own = self.own(at);
        if own.labels.open {
            least(open_row, own.open);
        }
        if own.labels.closed {
            least(closed_row, own.closed);
        }
        if own.labels.wanted {
            least(wanted_row, own.wanted);
        }
        for below in [node.left, node.right].into_iter().filter(|below| *below != NONE) {
            let Seen { labels, open, closed, wanted } = self.part(below);
            part.open |= labels.open;
            part.closed |= labels.closed;
            part.wanted |= labels.wanted;
            part.due |= labels.due;
            part.classes |= labels.classes;
            least(open_row, open);
            least(closed_row, closed);
            least(wanted_row, wanted);
        }
        self.node_mut(at).part = part;
        self.row_mut(at).iter_mut().skip(width + 2 * resources).zip(&row).for_each(|(cell, amount)| *cell = *amount);
    }

    fn set_own(&mut self, at: u32, requests: Requests<'_>) {
        let (width, resources) = self.width;
        let own = requests.open.iter().take(width);
        let own = own.chain(requests.closed.iter().take(resources)).chain(requests.wanted.iter().take(resources));
        self.row_mut(at).iter_mut().zip(own).for_each(|(cell, amount)| *cell = *amount);
    }

    fn own(&self, at: u32) -> Seen<'_> {
        self.seen(self.node(at).own, self.row(at))
    }

    fn part(&self, at: u32) -> Seen<'_> {
        self.seen(self.node(at).part, self.row(at).get(self.stride() / 2..).unwrap_or_default())
    }

    fn seen<'a>(&self, labels: Labels, row: &'a [i64]) -> Seen<'a> {
        let (width, resources) = self.width;
        let (open, rest) = row.split_at_checked(width).unwrap_or_default();
        let (closed, rest) = rest.split_at_checked(resources).unwrap_or_default();
        Seen { labels, open, closed, wanted: rest.get(..resources).unwrap_or_default() }
    }

    fn stride(&self) -> usize {
        2 * (self.width.0 + 2 * self.width.1)
    }

    fn row(&self, at: u32) -> &[i64] {
        let start = at as usize * self.stride();
        self.amounts.get(start..start + self.stride()).unwrap_or_default()
    }

    fn row_mut(&mut self, at: u32) -> &mut [i64] {
        let (start, stride) = (at as usize * self.stride(), self.stride());
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

fn least(into: &mut [i64], other: &[i64]) {
    into.iter_mut().zip(other).for_each(|(least, amount)| *least = (*least).min(*amount));
}

/// A number that looks random, made of a key (the finalizer of SplitMix64).
fn rank((key, id): LineKey) -> u32 {
    let mut mixed = (u64::from(key.id.0) << 32 | u64::from(id)).wrapping_add(0x9E37_79B9_7F4A_7C15);
    mixed = (mixed ^ mixed >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
    (mixed >> 32) as u32
}

#[cfg(test)]
mod tests {
    use super::{Labels, Line, LineKey, PendingKey, Requests, Seen, within};
    use crate::{
        api::{Time, WorkloadId},
        scheduler::state::{Ratio, WorkloadSlot},
    };
    use std::{cmp::Reverse, collections::BTreeMap};

    fn key(id: u32) -> LineKey {
        let (share, slot) = (Ratio::default(), WorkloadSlot(id));
        (PendingKey { share, priority: Reverse(0), submitted: Time(0), id: WorkloadId(id), slot }, id % 3)
    }

    /// Numbers that look random, the same in each run.
    fn draws() -> impl FnMut(u32) -> u32 {
        let mut state = 7u64;
        move |below| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) as u32 % below
        }
    }

    /// Each answer of the line is that of a plain map, after each of many changes.
    #[test]
    fn a_line_finds_what_a_pass_over_all_entries_finds() {
        let mut draw = draws();
        let mut line = Line::new(3, 2);
        let mut plain: BTreeMap<LineKey, (Labels, [i64; 3])> = BTreeMap::new();
        for _ in 0..6000 {
            let at = key(draw(90));
            let bits = draw(16);
            let (open, wanted, closed, due) = (bits & 1 > 0, bits & 2 > 0, bits & 8 > 0, bits == 4);
            let labels = Labels { open, closed, wanted, due, classes: if open { 1 << draw(5) } else { 0 } };
            let amounts = [i64::from(draw(9)), i64::from(draw(9)), i64::from(draw(9))];
            match draw(3) {
                0 => {
                    line.remove(at);
                    plain.remove(&at);
                }
                1 if plain.contains_key(&at) => {
                    line.relabel(at, labels, Some(Requests::same(&amounts)));
                    plain.insert(at, (labels, amounts));
                }
                _ if !plain.contains_key(&at) => {
                    line.insert(at, labels, Requests::same(&amounts));
                    plain.insert(at, (labels, amounts));
                }
                _ => {}
            }
            assert_eq!(line.iter().collect::<Vec<_>>(), plain.keys().copied().collect::<Vec<_>>());
            let limits = [i64::from(draw(9)), i64::from(draw(9)), i64::from(draw(9))];
            let free = [i64::from(draw(9)), i64::from(draw(9))];
            let (roomy, after) = (u64::from(draw(32)), Some(key(draw(90))).filter(|_| bits > 1));
            let passes = |labels: Labels, amounts: &[i64]| {
                let covered = labels.wanted && within(&amounts[..2], &limits[..2]);
                let fits = labels.closed && within(&amounts[..2], &free);
                labels.due || covered || fits || labels.open && labels.classes & roomy != 0 && within(amounts, &limits)
            };
            let ask = |_: Option<LineKey>, seen: Seen<'_>| {
                let covered = seen.labels.wanted && within(seen.wanted, &limits);
                let open = seen.labels.open && seen.labels.classes & roomy != 0 && within(seen.open, &limits);
                seen.labels.due || covered || open || seen.labels.closed && within(seen.closed, &free)
            };
            let found = line.first(after, ask);
            let mut behind = plain.iter().filter(|(at, _)| after.is_none_or(|after| **at > after));
            let first = behind.find(|(_, (labels, amounts))| passes(*labels, amounts)).map(|(at, _)| *at);
            assert_eq!(found, first);
            let mut all: Vec<LineKey> = Vec::new();
            let nothing_more = line.any(ask, |at| {
                all.push(at);
                false
            });
            assert!(!nothing_more && line.any(ask, |_| true) == first.is_some() || after.is_some());
            let passing = plain.iter().filter(|(_, (labels, amounts))| passes(*labels, amounts)).map(|(at, _)| *at);
            assert_eq!(all.len(), passing.clone().count());
            assert!(passing.clone().all(|at| all.contains(&at)));
        }
        assert!(plain.len() > 20);
    }
}
