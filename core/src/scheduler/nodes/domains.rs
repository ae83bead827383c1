//! Nodes by racks and zones, and looking at one domain only (P1).
//!
//! While nodes are confined to a domain, those no_quota do not suit anybody. Which node of a domain a pod gets is found by a
//! plain look at all of it.

use crate::api::{Domain, Level, NodeId, NodeSpec, Placement};
use crate::scheduler::nodes::{Assignment, NodeSlot, Nodes, Template, score};
use std::collections::BTreeMap;

#[derive(Debug, Clone, Default)]
pub(super) struct Domains {
    /// Racks and zones with their nodes.
    members: BTreeMap<Domain, BTreeMap<NodeId, NodeSlot>>,
    pub(super) confined: Option<Domain>,
}

impl Domains {
    pub(super) fn insert(&mut self, spec: &NodeSpec, slot: NodeSlot) {
        for domain in [Level::Rack, Level::Zone].into_iter().filter_map(|level| spec.domain(level)) {
            self.members.entry(domain).or_default().insert(spec.id, slot);
        }
    }

    pub(super) fn remove(&mut self, spec: &NodeSpec) {
        for domain in [Level::Rack, Level::Zone].into_iter().filter_map(|level| spec.domain(level)) {
            if let Some(members) = self.members.get_mut(&domain) {
                members.remove(&spec.id);
                if members.is_empty() {
                    self.members.remove(&domain);
                }
            }
        }
    }
}

impl Nodes {
    /// Looks at one domain only from here on, or at all nodes again.
    pub(crate) fn confine(&mut self, domain: Option<Domain>) {
        self.domains.confined = domain;
    }

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

    /// The best node of the domain, as [`pick`](Self::pick) would choose among all.
    pub(super) fn pick_within(&self, template: &Template, draw: u64) -> Option<Assignment> {
        let domain = self.domains.confined.as_ref()?;
        let fits = |slot: &NodeSlot| self.is_suitable(*slot, template) && self.at(*slot).choose(template).is_some();
        let fitting = self.members(domain).into_iter().filter(fits);
        if let Placement::Random { seed } = self.scorer.placement {
            let fitting: Vec<NodeSlot> = fitting.collect();
            let node = *fitting.get(score::drawn(seed, draw, fitting.len()))?;
            let devices = score::drawn_devices(self.at(node), template, seed, draw)?;
            return Some(Assignment { node, devices });
        }
        let worth = |slot: &NodeSlot| {
            let node = self.at(*slot);
            if !self.scorer.placement.by_pod() {
                return (node.score, node.id);
            }
            let points = self.scorer.points(node, template, &self.fragments, self.fragments.usable(node));
            (u64::from(100u32.saturating_sub(points.map_or(0, |(points, _)| points))), node.id)
        };
        let node = fitting.min_by_key(worth)?;
        Some(Assignment { node, devices: self.devices(node, template)? })
    }
}
