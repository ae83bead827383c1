//! Which node a pod gets, and which nodes are suitable for it at all (P1, P2).

use super::{
    class::{Class, RuledOut},
    index::{ClassIndex, Key},
    inventory::Nodes,
    node::Node,
    score::{self, ranking::UNFIT},
};
use crate::{
    api::{DeviceSet, Domain, NodeId, Placement},
    scheduler::state::{Assignment, NodeSlot, Template, TemplateId, narrow},
};

impl Nodes {
    /// The best node with room for one pod, and its devices there (P1, P2). `draw` is the random number of the pod, for
    /// placement `Random`.
    pub(crate) fn pick(&mut self, id: TemplateId, template: &Template, draw: u64) -> Option<Assignment> {
        if self.domains.confined.is_some() {
            return self.pick_within(template, draw);
        }
        self.update_suitable(id, template);
        if self.scorer.placement.by_pod() {
            return self.pick_by_pod(id, template, draw);
        }
        let mut best: Option<(Key, Assignment)> = None;
        for class in &self.suitable.at(id).0 {
            let Some((_, index)) = self.classes.get_index_mut(*class as usize) else { continue };
            let found = index.first_fit(&self.rows, template, best.map(|(key, _)| key));
            best = found.or(best);
        }
        best.map(|(_, found)| found)
    }

    /// Whether [`pick`](Self::pick) may find a node: some node has each requested amount, regardless of single devices.
    pub(crate) fn may_have_room(&self, template: &Template) -> bool {
        let may = |(class, index): (&Class, &ClassIndex)| {
            index.may_have_room(template) && class.is_tolerated(template) && class.is_selected(template)
        };
        self.domains.confined.is_some() || self.scorer.placement.by_pod() || self.classes.iter().any(may)
    }

    /// As [`pick`](Self::pick), where the score depends on the pod.
    fn pick_by_pod(&mut self, id: TemplateId, template: &Template, draw: u64) -> Option<Assignment> {
        let (rows, suitable) = (&self.rows, &self.suitable.at(id).0);
        let (scorer, fragmentation) = (&self.scorer, &self.fragmentation);
        let rate = |slot: NodeSlot| {
            let node = rows.at(slot);
            if !node.up || !node.spec.schedulable || suitable.binary_search(&node.class).is_err() {
                return UNFIT;
            }
            let points = scorer.points(node, template, fragmentation, node.usable);
            points.map_or(UNFIT, |(points, _)| u64::from(100u32.saturating_sub(points)) << 32 | u64::from(node.id.0))
        };
        let best = match scorer.placement {
            Placement::Random { seed } => self.rankings.nth(id, rows.len(), rate, |of| score::drawn(seed, draw, of)),
            _ => self.rankings.least(id, rows.len(), rate),
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

    /// The devices that a pod would get on a node by the placement policy; nothing if it does not fit (P1, P2). Under
    /// `Random`, the device is random only where the node is, too.
    pub(crate) fn devices(&self, slot: NodeSlot, template: &Template) -> Option<DeviceSet> {
        let node = self.at(slot);
        match self.scorer.placement {
            Placement::Fgd => {
                let usable = self.fragmentation.usable(node);
                self.fragmentation.points(node, template, usable).map(|(_, devices)| devices)
            }
            _ => node.fit(template),
        }
    }

    /// Whether a pod may be placed on a node, regardless of what is free. The node must be up, schedulable, and in the
    /// domain that the choice is confined to. Its labels must match the pod's selector, and the pod must tolerate its
    /// taints.
    pub(crate) fn is_suitable(&self, slot: NodeSlot, template: &Template) -> bool {
        let node = self.rows.at(slot);
        let class = self.classes.get_index(node.class as usize);
        let here = self.domains.confined.as_ref().is_none_or(|domain| node.spec.is_in(domain));
        here && node.up
            && node.spec.schedulable
            && class.is_some_and(|(class, _)| class.is_tolerated(template) && class.is_selected(template))
    }

    /// Why a node that is up is not suitable.
    pub(crate) fn ruled_out(&self, slot: NodeSlot, template: &Template) -> Option<RuledOut> {
        let node = self.rows.at(slot);
        let class = self.classes.get_index(node.class as usize).map(|(class, _)| class);
        if self.domains.confined.as_ref().is_some_and(|domain| !node.spec.is_in(domain)) {
            return Some(RuledOut::Elsewhere);
        }
        if !node.spec.schedulable {
            return Some(RuledOut::Cordoned);
        }
        match class {
            Some(class) if !class.is_tolerated(template) => Some(RuledOut::Tainted),
            Some(class) if !class.is_selected(template) => Some(RuledOut::Unselected),
            _ => None,
        }
    }

    /// How many pods of a kind the suitable nodes (all, or those of one domain) would hold if they were empty. This is
    /// an upper bound from the amounts of each node (O4). Costs the distinct shapes of nodes, or the nodes of the
    /// domain.
    pub(crate) fn would_hold(&self, template: &Template, domain: Option<&Domain>) -> u64 {
        let hold = |node: &Node, nodes: u32| {
            let class = self.classes.get_index(node.class as usize).map(|(class, _)| class);
            let suits = class.is_some_and(|class| class.is_tolerated(template) && class.is_selected(template));
            if node.spec.schedulable && suits { node.most(template).saturating_mul(nodes.into()) } else { 0 }
        };
        let of_member = |slot: &NodeSlot| self.shapes.empty(self.at(*slot)).map_or(0, |empty| hold(empty, 1));
        match domain {
            None => self.shapes.iter().map(|(node, count)| hold(node, count)).fold(0, u64::saturating_add),
            Some(domain) => self.members(domain).iter().map(of_member).fold(0, u64::saturating_add),
        }
    }

    /// Tests a template against the classes of labels and taints that are new since it was last placed.
    fn update_suitable(&mut self, id: TemplateId, template: &Template) {
        self.suitable.extend_to(id, Default::default);
        let (suitable, seen) = self.suitable.at_mut(id);
        for at in *seen..self.classes.len() {
            let class = self.classes.get_index(at).map(|(class, _)| class);
            if class.is_some_and(|class| class.is_tolerated(template) && class.is_selected(template)) {
                suitable.push(narrow(at));
            }
        }
        *seen = self.classes.len();
    }
}
