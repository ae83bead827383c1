//! Confining the choice of nodes to one domain of the topology tree (P1).
//!
//! While the choice is confined to a domain, no node outside it is suitable. Within a domain, the search looks at each
//! node.

use super::{inventory::Nodes, score};
use crate::{
    api::{Domain, Level, Placement},
    scheduler::state::{Assignment, NodeSlot, Template},
};

impl Nodes {
    /// Confines the choice of nodes to a domain, or ends the confinement.
    pub(crate) fn confine(&mut self, domain: Option<Domain>) {
        self.domains.confined = domain;
    }

    /// Whether the choice of nodes is confined to a domain.
    pub(crate) fn is_confined(&self) -> bool {
        self.domains.confined.is_some()
    }

    /// All domains of a level, in order.
    pub(crate) fn domains_of(&self, level: Level) -> Vec<Domain> {
        if level == Level::Node {
            return self.sorted().into_iter().map(|slot| Domain::Node(self.at(slot).id)).collect();
        }
        let of_level = |domain: &&Domain| matches!(domain, Domain::Zone(_)) == (level == Level::Zone);
        self.domains.members.keys().filter(of_level).cloned().collect()
    }

    /// The nodes of a domain, by id.
    pub(crate) fn members(&self, domain: &Domain) -> Vec<NodeSlot> {
        match domain {
            Domain::Node(id) => self.slot(*id).into_iter().collect(),
            _ => self.domains.members.get(domain).into_iter().flat_map(|members| members.values().copied()).collect(),
        }
    }

    /// The best node of the domain, by the same score as [`pick`](Self::pick) among all nodes.
    pub(super) fn pick_within(&self, template: &Template, draw: u64) -> Option<Assignment> {
        let domain = self.domains.confined.as_ref()?;
        let fits = |slot: &NodeSlot| self.is_suitable(*slot, template) && self.at(*slot).fit(template).is_some();
        let fitting = self.members(domain).into_iter().filter(fits);
        if let Placement::Random { seed } = self.scorer.placement {
            let fitting: Vec<NodeSlot> = fitting.collect();
            let node = *fitting.get(score::drawn(seed, draw, fitting.len()))?;
            let devices = score::drawn_devices(self.at(node), template, seed, draw)?;
            return Some(Assignment { node, devices });
        }
        let rank = |slot: &NodeSlot| {
            let node = self.at(*slot);
            if !self.scorer.placement.by_pod() {
                return (node.score, node.id);
            }
            let points = self.scorer.points(node, template, &self.fragmentation, self.fragmentation.usable(node));
            (u64::from(100u32.saturating_sub(points.map_or(0, |(points, _)| points))), node.id)
        };
        let node = fitting.min_by_key(rank)?;
        Some(Assignment { node, devices: self.devices(node, template)? })
    }
}
