//! Which node a pod gets, and which it may stand on at all (P1, P2).

use crate::scheduler::nodes::{Assignment, NodeSlot, Nodes, RuledOut, Template, score, score::ranking::UNFIT};
use crate::{
    api::{DeviceSet, NodeId, Placement},
    scheduler::state::interner::TemplateId,
};

impl Nodes {
    /// The best node with room for one pod, and its devices there (P1, P2). `draw` decides for `random`.
    pub(crate) fn pick(&mut self, id: TemplateId, template: &Template, draw: u64) -> Option<Assignment> {
        if self.domains.confined.is_some() {
            return self.pick_within(template, draw);
        }
        self.look_at_new_classes(id, template);
        if self.scorer.placement.by_pod() {
            return self.pick_by_pod(id, template, draw);
        }
        let mut best: Option<(u64, NodeId, Assignment)> = None;
        for class in &self.suitable.at(id).0 {
            let Some((_, index)) = self.classes.get_index_mut(*class as usize) else { continue };
            let found = index.first_fit(&self.nodes, template);
            if let Some((score, spot)) = found {
                let key = (score, self.nodes.at(spot.node).id);
                if best.as_ref().is_none_or(|(s, n, _)| key < (*s, *n)) {
                    best = Some((key.0, key.1, spot));
                }
            }
        }
        best.map(|(_, _, spot)| spot)
    }

    /// The same where the score depends on the pod.
    fn pick_by_pod(&mut self, id: TemplateId, template: &Template, draw: u64) -> Option<Assignment> {
        let (nodes, suitable) = (&self.nodes, &self.suitable.at(id).0);
        let (scorer, fragments) = (&self.scorer, &self.fragments);
        let rate = |slot: NodeSlot| {
            let node = nodes.at(slot);
            if !node.up || !node.spec.schedulable || suitable.binary_search(&node.class).is_err() {
                return UNFIT;
            }
            let points = scorer.points(node, template, fragments, node.usable);
            points.map_or(UNFIT, |(points, _)| u64::from(100u32.saturating_sub(points)) << 32 | u64::from(node.id.0))
        };
        let best = match scorer.placement {
            Placement::Random { seed } => self.rankings.nth(id, nodes.len(), rate, |of| score::drawn(seed, draw, of)),
            _ => self.rankings.least(id, nodes.len(), rate),
        };
        if best == UNFIT {
            return None;
        }
        let node = self.slot(NodeId(best as u32))?;
        let devices = match self.scorer.placement {
            Placement::Random { seed } => score::drawn_devices(self.at(node), template, seed, draw)?,
            _ => self.devices(node, template)?,
        };
        Some(Assignment { node, devices })
    }

    /// The devices a pod would get on a node by this placement policy; nothing if it does not fit (P1, P2). Those that
    /// `random` draws it gets only where the node was drawn, too.
    pub(crate) fn devices(&self, slot: NodeSlot, template: &Template) -> Option<DeviceSet> {
        let node = self.at(slot);
        match self.scorer.placement {
            Placement::Fgd => {
                let usable = self.fragments.usable(node);
                self.fragments.points(node, template, usable).map(|(_, devices)| devices)
            }
            _ => node.choose(template),
        }
    }

    /// Whether the template may stand on this node at all: up, schedulable, tolerated and selected.
    pub(crate) fn is_suitable(&self, slot: NodeSlot, template: &Template) -> bool {
        let node = self.nodes.at(slot);
        let class = self.classes.get_index(node.class as usize);
        let here = self.domains.confined.as_ref().is_none_or(|domain| node.spec.is_in(domain));
        here && node.up
            && node.spec.schedulable
            && class.is_some_and(|(c, _)| c.tolerated(template) && c.selected(template))
    }

    /// Why a node is out of the question whatever is free on it: (cordoned, tainted, unselected).
    pub(crate) fn ruled_out(&self, slot: NodeSlot, template: &Template) -> Option<RuledOut> {
        let node = self.nodes.at(slot);
        let class = self.classes.get_index(node.class as usize).map(|(class, _)| class);
        if self.domains.confined.as_ref().is_some_and(|domain| !node.spec.is_in(domain)) {
            return Some(RuledOut::Elsewhere);
        }
        if !node.spec.schedulable {
            return Some(RuledOut::Cordoned);
        }
        match class {
            Some(class) if !class.tolerated(template) => Some(RuledOut::Tainted),
            Some(class) if !class.selected(template) => Some(RuledOut::Unselected),
            _ => None,
        }
    }

    fn look_at_new_classes(&mut self, id: TemplateId, template: &Template) {
        if self.suitable.len() <= id as usize {
            self.suitable.resize_with(id as usize + 1, Default::default);
        }
        let (suitable, seen) = self.suitable.at_mut(id);
        for at in *seen..self.classes.len() {
            let class = self.classes.get_index(at).map(|(class, _)| class);
            if class.is_some_and(|c| c.tolerated(template) && c.selected(template)) {
                suitable.push(crate::scheduler::state::table::narrow(at));
            }
        }
        *seen = self.classes.len();
    }
}
