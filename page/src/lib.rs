//! The report of a run: a stable data format ([`model::Report`], docs/report-format.md), and the page that shows it.
//! The simulator measures and fills the report. This crate knows nothing of it, and computes no figure anew.

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

pub use html::visible;
pub use page::{compare, page};
pub use sentence::{moment, sentence, words};
pub use still::main_resource;
