//! A deterministic discrete-event simulator around [`quotree_core`]: scenario files, claims, traces, metrics.
//!
//! [`run`] takes a checked [`Scenario`] and gives a [`Run`]: what came out, how its claims were judged,
//! and a digest that is the same whenever, and wherever, the same thing is run again.

mod cells;
mod driver;
pub mod import;
mod judge;
mod metrics;
pub mod model;
mod options;
pub mod people;
pub mod queue;
pub mod random;
pub mod result;
pub mod scenario;
mod story;
pub mod text;
pub mod trace;
mod world;

pub use driver::run;
pub use model::Scenario;
pub use options::{Run, RunError, RunOptions, StoryEvent, StoryLine, StoryPod};
pub use trace::Observer;
