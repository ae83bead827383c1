//! A deterministic discrete-event simulator around [`quotree_core`]: scenario files, claims, traces, metrics.

pub mod import;
pub mod model;
pub mod result;
pub mod scenario;
