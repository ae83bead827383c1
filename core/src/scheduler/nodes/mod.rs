//! The nodes: what each has free, what holds reserve on it, and which pods it runs (P1).
//!
//! A pool, where the nodes are not known, is one node. Amounts are kept per resource and, where a resource comes as
//! devices, per device. "Available" is what is free less what holds reserve for others (H1). Whether a pod fits a node,
//! and a fraction of a GPU one of its devices, is in [`fit`]; which node a pod gets is in [`pick`].

mod class;
mod confine;
mod devices;
mod domains;
mod excused;
mod fit;
mod freed;
mod index;
mod inventory;
mod layout;
mod node;
mod pick;
mod reindex;
mod reservation;
mod score;
mod settling;
mod shapes;
mod shortfall;
#[cfg(test)]
mod tests;
mod under_way;
mod unused;

pub(crate) use class::RuledOut;
pub(crate) use devices::NodeDevices;
pub(crate) use inventory::Nodes;
pub(crate) use node::Node;
pub(crate) use reservation::NodeReservation;
pub(crate) use settling::WouldFit;
