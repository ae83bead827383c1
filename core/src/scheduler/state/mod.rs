//! What everything else builds on: arenas, interned requests, workloads.

pub(crate) mod interner;
pub(crate) mod table;
pub(crate) mod workloads;
