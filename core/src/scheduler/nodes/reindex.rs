//! Keeping the index of nodes up to date: a node leaves it before a change and enters it again after.

use super::{index::ClassIndex, inventory::Nodes, node::Node};
use crate::{
    api::Placement,
    scheduler::state::{Interner, NodeSlot},
};

impl Nodes {
    /// Computes, for the kind of a node, what the typical pods could use, where the placement policy needs it.
    pub(crate) fn count_typical_pods(&mut self, slot: NodeSlot, interner: &Interner) {
        if self.scorer.placement == Placement::Fgd {
            let node = self.rows.at(slot);
            let class = self.classes.get_index(node.class as usize).map(|(class, _)| class);
            self.fragmentation.learn(node, interner, |template| class.is_some_and(|class| class.is_open_to(template)));
        }
    }

    pub(crate) fn leave(&mut self, slot: NodeSlot) {
        self.count_spare(slot, -1);
        if self.scorer.placement.by_pod() {
            return;
        }
        let node = self.rows.at(slot);
        if let Some((_, index)) = self.classes.get_index_mut(node.class as usize) {
            index.remove(node.score, node.id);
        }
    }

    pub(crate) fn enter(&mut self, slot: NodeSlot) {
        self.count_spare(slot, 1);
        if self.scorer.learn(self.rows.at(slot)) {
            self.rescore();
            return;
        }
        if self.scorer.placement.by_pod() {
            return self.rank_anew(slot);
        }
        let node = self.rows.at_mut(slot);
        node.score = self.scorer.score(node);
        let node = self.rows.at(slot);
        if !(node.up && node.spec.schedulable) {
            return;
        }
        if let Some((_, index)) = self.classes.get_index_mut(node.class as usize) {
            index.insert(node.score, slot, node);
        }
    }

    /// Changes what is used or reserved on a node, and moves it to its place in the index.
    pub(super) fn change_usage(&mut self, slot: NodeSlot, change: impl FnOnce(&mut Node)) {
        self.count_spare(slot, -1);
        change(self.rows.at_mut(slot));
        self.count_spare(slot, 1);
        if self.scorer.placement.by_pod() {
            return self.rank_anew(slot);
        }
        let node = self.rows.at_mut(slot);
        let score = self.scorer.score(node);
        let before = std::mem::replace(&mut node.score, score);
        let node = self.rows.at(slot);
        if node.up
            && node.spec.schedulable
            && let Some((_, index)) = self.classes.get_index_mut(node.class as usize)
        {
            index.update(before, slot, node);
        }
    }

    /// Has the next search for a pod compute again how well a node suits it.
    fn rank_anew(&mut self, slot: NodeSlot) {
        let node = self.rows.at_mut(slot);
        if self.scorer.placement == Placement::Fgd {
            node.usable = self.fragmentation.usable(node);
        }
        self.rankings.touch(slot);
    }

    fn count_spare(&mut self, slot: NodeSlot, sign: i128) {
        let free = &self.rows.at(slot).free;
        if self.spare.len() < free.len() {
            self.spare.resize(free.len(), 0);
        }
        self.spare.iter_mut().zip(free).for_each(|(spare, free)| *spare += sign * i128::from((*free).max(0)));
    }

    /// Computes every score again, because the largest node has grown.
    fn rescore(&mut self) {
        if self.scorer.placement.by_pod() {
            self.rankings.clear();
            return;
        }
        for (_, index) in &mut self.classes {
            *index = ClassIndex::default();
        }
        let slots: Vec<NodeSlot> = self.by_id.values().copied().collect();
        for slot in slots {
            let score = self.scorer.score(self.rows.at(slot));
            self.rows.at_mut(slot).score = score;
            let node = self.rows.at(slot);
            if !(node.up && node.spec.schedulable) {
                continue;
            }
            if let Some((_, index)) = self.classes.get_index_mut(node.class as usize) {
                index.insert(score, slot, node);
            }
        }
    }
}
