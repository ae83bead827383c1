//! A deterministic discrete-event simulator around [`quotree_core`]: scenario files, claims, traces, metrics.
//!
//! [`run`] takes a checked [`Scenario`] and gives a [`Run`]: what came out, how its claims were judged,
//! and a digest that is the same whenever, and wherever, the same thing is run again.

mod claims;
mod engine;
mod metrics;
mod options;
pub mod people;
pub mod queue;
pub mod result;
pub mod text;
mod timeline;
pub mod trace;
mod world;

pub use engine::run;
pub use options::{Run, RunError, RunOptions, TimelineEntry, TimelineEvent, TimelinePod};
pub use quotree_import as import;
pub use quotree_model as model;
pub use quotree_model::{Scenario, random};
pub use quotree_scenario as scenario;
pub use trace::Observer;
