//! The topology tree of nodes: a node stands in a rack, a rack in a zone. Plain values.

use crate::api::{Name, NodeId, NodeSpec};
use serde::{Deserialize, Serialize};

/// A level of the topology tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Level {
    /// One node.
    Node,
    /// A rack: racks of one name in different zones are different ones.
    Rack,
    /// A zone.
    Zone,
}

/// A part of the topology tree: nodes that are close to each other.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Domain {
    /// A node.
    Node(NodeId),
    /// A rack.
    Rack {
        /// The zone it stands in, if any.
        zone: Option<Name>,
        /// Its name.
        rack: Name,
    },
    /// A zone.
    Zone(Name),
}

impl NodeSpec {
    /// The domain of this level that the node stands in, if it stands in any.
    #[must_use]
    pub fn domain(&self, level: Level) -> Option<Domain> {
        match level {
            Level::Node => Some(Domain::Node(self.id)),
            Level::Rack => self.rack.clone().map(|rack| Domain::Rack { zone: self.zone.clone(), rack }),
            Level::Zone => self.zone.clone().map(Domain::Zone),
        }
    }

    /// Whether the node stands in this domain.
    #[must_use]
    pub fn is_in(&self, domain: &Domain) -> bool {
        match domain {
            Domain::Node(id) => self.id == *id,
            Domain::Rack { zone, rack } => self.rack.as_ref() == Some(rack) && self.zone == *zone,
            Domain::Zone(zone) => self.zone.as_ref() == Some(zone),
        }
    }
}
