//! The state of a scheduler: the groups of state side by side, and the changes that touch several of them at once.

mod arrivals;
mod backing_off;
mod bind_protection;
mod borrowers;
mod evictions;
mod groups;
mod holds;
mod impossible;
mod just_bound;
mod lifecycle;
mod overuse;
mod queueing;
mod sweep;
mod trial;
mod victim_index;
mod worth;

pub(crate) use evictions::Eviction;
pub(crate) use groups::Cluster;
pub(crate) use holds::Hold;
pub(crate) use impossible::cannot_run;
pub(crate) use overuse::{Group, Place};
pub(crate) use trial::Trial;
