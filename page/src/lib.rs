//! The report of a run: a stable data format ([`model::Report`], docs/report-format.md), and the page that shows it.
//! The simulator measures the figures and fills the report. This crate does not depend on the simulator, and measures
//! no figure itself.

pub mod axis;
pub mod colours;
mod compare;
mod html;
pub mod model;
mod pack;
mod page;
mod sentence;
mod still;
pub mod units;

pub use html::{is_hidden, visible, visible_json};
pub use page::{compare, page};
pub use sentence::{moment, sentence, words};
pub use still::main_resource;
