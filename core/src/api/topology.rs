//! The topology tree of nodes: a node stands in a rack, a rack in a zone. Plain values.

use super::ids::{Name, NodeId};
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
