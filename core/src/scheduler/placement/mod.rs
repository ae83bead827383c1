//! Placement: whether all pods of a unit find a node, and what is missing where they do not (P1, G1).

mod fit;
pub(crate) mod shortfall;
mod topology;

pub(crate) use fit::pick;
pub(crate) use topology::{closest, domains, fits, place, place_as_reserved, room_missing, within};
