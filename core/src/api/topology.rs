//! The topology tree of nodes: a node is in a rack, a rack in a zone.

use super::ids::{Name, NodeId};
use serde::{Deserialize, Serialize};

/// A level of the topology tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Level {
    /// One node.
    Node,
    /// A rack. Racks with the same name in different zones are different racks.
    Rack,
    /// A zone.
    Zone,
}

/// A topology domain: nodes that are close to each other.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Domain {
    /// A node.
    Node(NodeId),
    /// A rack.
    Rack {
        /// The zone it is in, if any.
        zone: Option<Name>,
        /// Its name.
        rack: Name,
    },
    /// A zone.
    Zone(Name),
}
