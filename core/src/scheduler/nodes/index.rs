//! Nodes of one class in the order of placement score, in blocks. Each block knows the most that one of its nodes has
//! available.
//!
//! The best node for a pod is the first in order that has room. Blocks without room are skipped as a whole, so a search
//! costs about the square root of the class, and a change of one node costs one small block.

use super::{devices::NodeDevices, node::Node};
use crate::{
    api::NodeId,
    counters::touch,
    scheduler::state::{Assignment, NodeSlot, ResourceId, Table, Template},
};
use smallvec::SmallVec;

const BLOCK: usize = 64;

/// The place of a node in the order.
pub(super) type Key = (u64, NodeId);

#[derive(Debug, Clone)]
struct Entry {
    key: Key,
    slot: NodeSlot,
    /// What the node has available, copied here so that a search reads memory in order.
    room: Most,
}

/// The most that a node has available, or that any node of a block has.
#[derive(Debug, Clone, Default)]
struct Most {
    resources: SmallVec<[i64; 4]>,
    device: i64,
    /// The resource of the devices, if all nodes have the same one.
    of: Of,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Of {
    /// There is no node yet.
    #[default]
    Nothing,
    One(ResourceId),
    Several,
}

#[derive(Debug, Clone, Default)]
struct Block {
    entries: Vec<Entry>,
    /// An upper bound of what any node of the block has available; exact unless `loose`.
    most: Most,
    /// Whether `most` may be too large, because a node left the block. It is recomputed only after it has misled a
    /// search.
    loose: bool,
}

#[derive(Debug, Clone, Default)]
pub(super) struct ClassIndex {
    blocks: Vec<Block>,
}

impl Most {
    fn of(node: &Node) -> Self {
        let mut most = Self::default();
        most.measure(node);
        most
    }

    /// Takes over what a node has available.
    fn measure(&mut self, node: &Node) {
        let held = node.devices.first();
        self.resources.resize(node.free.len(), 0);
        for ((room, free), reserved) in self.resources.iter_mut().zip(&node.free).zip(&node.reserved) {
            *room = free - reserved;
        }
        self.device = held.into_iter().flat_map(NodeDevices::available).max().unwrap_or_default();
        self.of = held.map_or(Of::Several, |held| Of::One(held.resource));
    }

    fn raise(&mut self, other: &Self) {
        if self.resources.len() < other.resources.len() {
            self.resources.resize(other.resources.len(), 0);
        }
        for (most, available) in self.resources.iter_mut().zip(&other.resources) {
            *most = (*most).max(*available);
        }
        self.device = self.device.max(other.device);
        self.of = if self.of == Of::Nothing || self.of == other.of { other.of } else { Of::Several };
    }

    /// Whether the node with these amounts may be the one with the most, so that the maximum changes when it leaves.
    fn touches(&self, other: &Self) -> bool {
        self.device == other.device || self.resources.iter().zip(&other.resources).any(|(most, a)| most == a)
    }

    fn may_fit(&self, template: &Template) -> bool {
        let has = |r: u16| self.resources.get(usize::from(r)).copied().unwrap_or_default();
        template.request.iter().all(|(r, amount)| has(*r) >= *amount)
            && template.devices.iter().all(|ask| self.device >= ask.each || self.of != Of::One(ask.resource))
    }
}

impl Block {
    fn recompute(&mut self) {
        touch(self.entries.len());
        (self.most, self.loose) = (Most::default(), false);
        for entry in &self.entries {
            self.most.raise(&entry.room);
        }
    }
}

impl ClassIndex {
    /// The block whose range contains this key, if there is any block.
    fn block_of(&self, key: Key) -> usize {
        let after = self.blocks.partition_point(|block| block.entries.first().is_some_and(|first| first.key <= key));
        after.saturating_sub(1)
    }

    pub(super) fn insert(&mut self, score: u64, slot: NodeSlot, node: &Node) {
        touch(1);
        let key = (score, node.id);
        let entry = Entry { key, slot, room: Most::of(node) };
        let at = self.block_of(key);
        let Some(block) = self.blocks.get_mut(at) else {
            let most = entry.room.clone();
            self.blocks.push(Block { entries: vec![entry], most, loose: false });
            return;
        };
        if block.entries.is_empty() {
            (block.most, block.loose) = (entry.room.clone(), false);
            block.entries.push(entry);
            return;
        }
        let place = block.entries.partition_point(|e| e.key < key);
        block.most.raise(&entry.room);
        block.entries.insert(place, entry);
        if block.entries.len() > BLOCK {
            let mut upper = Block { entries: block.entries.split_off(BLOCK / 2), ..Block::default() };
            block.recompute();
            upper.recompute();
            self.blocks.insert(at + 1, upper);
        }
    }

    /// Takes out a node that was inserted with this score.
    pub(super) fn remove(&mut self, score: u64, id: NodeId) {
        touch(1);
        let key = (score, id);
        let at = self.block_of(key);
        let Some(block) = self.blocks.get_mut(at) else { return };
        let Ok(place) = block.entries.binary_search_by_key(&key, |e| e.key) else { return };
        let entry = block.entries.remove(place);
        block.loose |= block.most.touches(&entry.room);
        // The last block stays: the only node of its kind leaves and enters with each change.
        if block.entries.is_empty() && self.blocks.len() > 1 {
            self.blocks.remove(at);
        }
    }

    /// Moves a node from the place of its score `before` to that of its score now. Most changes leave it where it is; the
    /// only node of its class always stays there.
    pub(super) fn update(&mut self, before: u64, slot: NodeSlot, node: &Node) {
        let (old, new) = ((before, node.id), (node.score, node.id));
        let at = self.block_of(old);
        let first_of_next = self.blocks.get(at + 1).and_then(|next| next.entries.first()).map(|entry| entry.key);
        let last_of_previous = at.checked_sub(1).and_then(|previous| self.blocks.get(previous));
        let last_of_previous = last_of_previous.and_then(|block| block.entries.last()).map(|entry| entry.key);
        let Some(block) = self.blocks.get_mut(at) else { return };
        let Ok(place) = block.entries.binary_search_by_key(&old, |e| e.key) else { return };
        let key_at = |place: usize| block.entries.get(place).map(|entry| entry.key);
        let below = place.checked_sub(1).map_or(last_of_previous, key_at);
        let above = key_at(place + 1).or(first_of_next);
        if below.is_some_and(|below| below > new) || above.is_some_and(|above| above < new) {
            self.remove(before, node.id);
            return self.insert(node.score, slot, node);
        }
        touch(1);
        let is_alone = block.entries.len() == 1;
        let Some(entry) = block.entries.get_mut(place) else { return };
        entry.key = new;
        block.loose |= block.most.touches(&entry.room);
        entry.room.measure(node);
        if is_alone {
            (block.most, block.loose) = (Most::default(), false);
        }
        block.most.raise(&entry.room);
    }

    /// Whether some node has each requested amount.
    pub(super) fn may_have_room(&self, template: &Template) -> bool {
        touch(self.blocks.len());
        let has_room = |entry: &Entry| {
            touch(1);
            entry.room.may_fit(template)
        };
        self.blocks.iter().any(|block| block.most.may_fit(template) && block.entries.iter().any(has_room))
    }

    /// The first node with room, in order, and its key; nothing where that comes after `best`, a node of another class.
    pub(super) fn first_fit(
        &mut self,
        rows: &Table<NodeSlot, Node>,
        template: &Template,
        best: Option<Key>,
    ) -> Option<(Key, Assignment)> {
        let is_late = |key: Key| best.is_some_and(|best| best < key);
        touch(self.blocks.len());
        for block in &mut self.blocks {
            if block.entries.first().is_some_and(|first| is_late(first.key)) {
                return None;
            }
            if !block.most.may_fit(template) {
                continue;
            }
            for Entry { key, slot, room } in &block.entries {
                touch(1);
                if !room.may_fit(template) {
                    continue;
                }
                if is_late(*key) {
                    return None;
                }
                if let Some(devices) = rows.at(*slot).fit(template) {
                    return Some((*key, Assignment { node: *slot, devices }));
                }
            }
            if block.loose {
                block.recompute();
            }
        }
        None
    }
}
