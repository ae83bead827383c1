//! The racks and zones of the topology tree, with their nodes (P1).

use crate::{
    api::{Domain, Level, NodeId, NodeSpec},
    scheduler::state::NodeSlot,
};
use std::collections::BTreeMap;

#[derive(Debug, Clone, Default)]
pub(super) struct Domains {
    /// Racks and zones with their nodes.
    pub(super) members: BTreeMap<Domain, BTreeMap<NodeId, NodeSlot>>,
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
