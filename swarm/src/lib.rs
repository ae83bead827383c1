//! Property tests of whole simulations: random scenarios, laws that every run must satisfy, and a shrinker for failing
//! scenarios.
//!
//! [`World::draw`] generates a scenario from a seed, [`play`] runs a scenario and checks the laws, and [`shrink`]
//! reduces a failing scenario as long as it fails in the same way. This crate uses no clock, threads or files; the
//! command line does.

mod access_law;
mod age_law;
mod datasets;
mod draw;
mod feasible_law;
mod features;
mod fit_law;
mod gpus;
mod job_law;
mod job_queue_law;
mod knobs;
mod log_laws;
mod node_fit;
mod nodes;
mod people;
mod play;
mod queues;
mod recurring;
mod restart_law;
mod shrink;
mod shrink_moves;
mod topology;
mod tree;
mod units;
mod workloads;
mod world;

pub use features::{Feature, Features};
pub use play::{Failure, Played, calm_from, play};
pub use shrink::{ShrinkOptions, Shrunk, Unshrinkable, shrink};
pub use world::World;
