//! Placement: whether all pods of a unit find a node, and what is missing where they do not (P1, G1).

pub(crate) mod shortfall;
mod topology;
mod unit;

pub(crate) use topology::{closest, domains, fits, node_checks, place, place_as_reserved, room_missing, within};
pub(crate) use unit::pick;
