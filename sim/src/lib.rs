//! A deterministic discrete-event simulator around [`quotree_core`]: scenario files, claims, traces, metrics.
//!
//! [`run`] takes a checked [`Scenario`] and gives a [`Run`]: its result, the outcomes of its claims, and a digest,
//! which is the same on every machine for the same scenario.

mod claims;
mod engine;
pub mod history;
mod metrics;
mod options;
pub mod people;
pub mod queue;
mod report;
pub mod result;
mod timeline;
pub mod trace;
mod view;
mod wait_classes;
mod world;

pub use engine::run;
pub use options::{Question, Restart, Run, RunError, RunOptions, TimelineEntry, TimelineEvent, TimelinePod};
pub use quotree_feasible as feasible;
pub use quotree_import as import;
pub use quotree_model as model;
pub use quotree_model::{Scenario, random};
pub use quotree_scenario as scenario;
pub use quotree_words as words;
pub use trace::Observer;
