//! The pending workloads, and the orders of the crate.

pub(crate) mod order;
pub(crate) mod pending;
