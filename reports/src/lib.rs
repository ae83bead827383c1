//! Summaries, tables and figures drawn out of a finished quotree run. Nothing is computed anew here: the simulator
//! measures, this crate draws. Everything is a string out of a value: no files, no terminal, no clock.

mod datasets;
mod diff;
mod fleet;
mod grid;
mod instances;
mod json;
mod people;
mod picture;
mod say;
mod style;
mod summary;
mod tables;
mod tree;

pub use diff::{Change, Diff, DiffError, diff};
pub use json::summary_json;
pub use people::{By, breakdown_text, tenancy_text};
pub use picture::tree_svg;
pub use say::{count, gist, percent, seconds, span};
pub use style::Style;
pub use summary::{nodes_text, state_text, summary_text};
pub use tables::tables_csv;
