//! Random simulated worlds with laws to hold, and a shrinker that makes failing scenarios small.
//!
//! [`World::draw`] makes a scenario out of a seed, [`play`] runs a scenario and judges it by laws, [`shrink`] makes a scenario
//! that fails as small as it can while it fails in the same way. Nothing here knows a clock, a thread or a file: the command
//! line has those.

mod asked;
mod cards;
mod data;
mod draw;
mod features;
mod knobs;
mod lives;
mod nodes;
mod people;
mod places;
mod play;
mod queues;
mod room;
mod shrink;
mod space;
mod suspended;
mod tree;
mod tries;
mod walk;
mod words;
mod work;
mod world;

pub use features::{Feature, Features};
pub use play::{Failure, Played, calm_from, play};
pub use shrink::{ShrinkOptions, Shrunk, Unshrinkable, shrink};
pub use world::World;
