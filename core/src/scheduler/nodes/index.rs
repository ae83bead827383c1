//! Nodes of one class in order of placement score, in blocks that know the most that is free in them.
//!
//! The best node for a pod is the first in order that has room. Whole blocks without room are passed over, so a search
//! costs about the square root of the class, and a change of one node costs one small block.

use super::{Node, NodeSlot, Spot, Template};
use crate::{ids::NodeId, table::Table};
use smallvec::SmallVec;

const BLOCK: usize = 64;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Entry {
    score: u64,
    id: NodeId,
    slot: NodeSlot,
}

/// The most that any node of the block has available.
#[derive(Debug, Clone, Default)]
struct Most {
    resources: SmallVec<[i64; 4]>,
    device: i64,
}

#[derive(Debug, Clone, Default)]
struct Block {
    entries: Vec<Entry>,
    /// At least what any node of it has; exact unless `loose`.
    most: Most,
    /// Whether a node that held `most` up may have left. Measured again only when a search was misled by it.
    loose: bool,
}

#[derive(Debug, Clone, Default)]
pub(super) struct ClassIndex {
    blocks: Vec<Block>,
}

impl Most {
    fn of(node: &Node) -> Self {
        let bank = node.banks.first();
        let devices = bank.into_iter().flat_map(|bank| bank.free.iter().zip(&bank.reserved));
        Self {
            resources: node.free.iter().zip(&node.reserved).map(|(free, reserved)| free - reserved).collect(),
            device: devices.map(|(free, reserved)| free - reserved).max().unwrap_or_default(),
        }
    }

    fn raise(&mut self, other: &Self) {
        if self.resources.len() < other.resources.len() {
            self.resources.resize(other.resources.len(), 0);
        }
        for (most, available) in self.resources.iter_mut().zip(&other.resources) {
            *most = (*most).max(*available);
        }
        self.device = self.device.max(other.device);
    }

    /// Whether a node that has this may be what holds the block's figures up.
    fn touches(&self, other: &Self) -> bool {
        self.device == other.device || self.resources.iter().zip(&other.resources).any(|(most, a)| most == a)
    }

    fn may_fit(&self, template: &Template) -> bool {
        let has = |r: u16| self.resources.get(usize::from(r)).copied().unwrap_or_default();
        template.request.iter().all(|(r, amount)| has(*r) >= *amount)
            && template.devices.iter().all(|ask| self.device >= ask.each || self.device == 0)
    }
}

impl Block {
    fn measure(&mut self, nodes: &Table<Node>) {
        (self.most, self.loose) = (Most::default(), false);
        for entry in &self.entries {
            self.most.raise(&Most::of(nodes.at(entry.slot)));
        }
    }
}

impl ClassIndex {
    /// The block whose range holds this entry, if there is any block.
    fn block_of(&self, entry: Entry) -> usize {
        let after = self.blocks.partition_point(|block| block.entries.first().is_some_and(|first| *first <= entry));
        after.saturating_sub(1)
    }

    pub(super) fn insert(&mut self, score: u64, slot: NodeSlot, nodes: &Table<Node>) {
        let node = nodes.at(slot);
        let entry = Entry { score, id: node.id, slot };
        let at = self.block_of(entry);
        let Some(block) = self.blocks.get_mut(at) else {
            self.blocks.push(Block { entries: vec![entry], most: Most::of(node), loose: false });
            return;
        };
        let place = block.entries.partition_point(|e| *e < entry);
        block.entries.insert(place, entry);
        block.most.raise(&Most::of(node));
        if block.entries.len() > BLOCK {
            let mut upper = Block { entries: block.entries.split_off(BLOCK / 2), ..Block::default() };
            block.measure(nodes);
            upper.measure(nodes);
            self.blocks.insert(at + 1, upper);
        }
    }

    /// Takes a node out; it must still look as it did when it was put in.
    pub(super) fn remove(&mut self, score: u64, id: NodeId, nodes: &Table<Node>) {
        let probe = Entry { score, id, slot: NodeSlot::MAX };
        let at = self.block_of(probe);
        let Some(block) = self.blocks.get_mut(at) else { return };
        let Some(place) = block.entries.iter().position(|e| e.score == score && e.id == id) else { return };
        let entry = block.entries.remove(place);
        if block.entries.is_empty() {
            self.blocks.remove(at);
        } else if !block.loose {
            block.loose = block.most.touches(&Most::of(nodes.at(entry.slot)));
        }
    }

    /// The first node with room at or after the score `start`, else the first before it.
    pub(super) fn first_fit(&mut self, nodes: &Table<Node>, template: &Template, start: u64) -> Option<(u64, Spot)> {
        let found = self.scan(nodes, template, start, u64::MAX);
        found.or_else(|| start.checked_sub(1).and_then(|last| self.scan(nodes, template, 0, last)))
    }

    fn scan(&mut self, nodes: &Table<Node>, template: &Template, from: u64, to: u64) -> Option<(u64, Spot)> {
        let first = if from == 0 { 0 } else { self.block_of(Entry { score: from, id: NodeId(0), slot: 0 }) };
        for block in self.blocks.iter_mut().skip(first).filter(|block| block.most.may_fit(template)) {
            for entry in block.entries.iter().filter(|entry| entry.score >= from) {
                if entry.score > to {
                    return None;
                }
                if let Some(devices) = nodes.at(entry.slot).choose(template) {
                    return Some((entry.score, Spot { node: entry.slot, devices }));
                }
            }
            if block.loose {
                block.measure(nodes);
            }
        }
        None
    }
}
