//! The bottom of the scheduler: keys and tables, interned requests, and the workloads with their pods.

pub(crate) mod interner;
pub(crate) mod keys;
pub(crate) mod ratio;
pub(crate) mod row;
pub(crate) mod table;
pub(crate) mod workloads;
