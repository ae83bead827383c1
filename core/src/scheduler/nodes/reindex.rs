//! Keeping the order of nodes in step with them: a node leaves it before a change and enters it anew after.

use crate::scheduler::nodes::{ClassIndex, NodeSlot, Nodes};
use crate::{api::Placement, scheduler::state::interner::Interner};

impl Nodes {
    /// Counts the typical pods for the kind of a node, where the policy looks at them.
    pub(crate) fn look_at_kind(&mut self, slot: NodeSlot, interner: &Interner) {
        if self.scorer.placement == Placement::Fgd {
            let node = self.nodes.at(slot);
            let class = self.classes.get_index(node.class as usize).map(|(class, _)| class);
            self.fragments.sees(node, interner, |template| class.is_some_and(|class| class.lets_on(template)));
        }
    }

    pub(crate) fn leave(&mut self, slot: NodeSlot) {
        if self.scorer.placement.by_pod() {
            return;
        }
        let node = self.nodes.at(slot);
        if let Some((_, index)) = self.classes.get_index_mut(node.class as usize) {
            index.remove(node.score, node.id);
        }
    }

    pub(crate) fn enter(&mut self, slot: NodeSlot) {
        if self.scorer.sees(self.nodes.at(slot)) {
            self.rescore();
            return;
        }
        let node = self.nodes.at_mut(slot);
        if self.scorer.placement.by_pod() {
            if self.scorer.placement == Placement::Fgd {
                node.usable = self.fragments.usable(node);
            }
            self.rankings.touch(slot);
            return;
        }
        node.score = self.scorer.score(node);
        let node = self.nodes.at(slot);
        if !(node.up && node.spec.schedulable) {
            return;
        }
        if let Some((_, index)) = self.classes.get_index_mut(node.class as usize) {
            index.insert(node.score, slot, node);
        }
    }

    /// The largest node has grown: every score is measured anew.
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
            let score = self.scorer.score(self.nodes.at(slot));
            self.nodes.at_mut(slot).score = score;
            let node = self.nodes.at(slot);
            if !(node.up && node.spec.schedulable) {
                continue;
            }
            if let Some((_, index)) = self.classes.get_index_mut(node.class as usize) {
                index.insert(score, slot, node);
            }
        }
    }
}
