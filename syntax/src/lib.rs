//! The notation of scenario files, without their meaning: text is split into tokens, tokens are parsed into a tree that
//! knows the place of each value, and records define each field of the language in one place ([`mod@record`]).
//!
//! The notation is that of RON. No mistake is fatal: each becomes a [`Diagnostic`] at its place, and reading continues.

mod brackets;
mod comments;
mod diagnostic;
mod duration;
mod format;
mod lexer;
mod parser;
mod reader;
pub mod record;
mod resource;
mod tree;
mod value;
mod values;
mod words;
pub mod yaml;

pub use comments::{Comment, comments};
pub use diagnostic::{Diagnostic, Help, Place, Report, Severity, Source, Span};
pub use duration::{MAX_MS, exact, parse_duration, time_text};
pub use format::format;
pub use parser::parse;
pub use reader::{At, Fields, Given, Read, Rows, Variant, choice, choices, list, variant, wrong};
pub use record::{Group, Part, Record, Row, Type, Unnamed, plain, sentence};
pub use resource::{AmountError, misspelt_resource, parse_amount};
pub use tree::{Ident, Node, Shape, Struct, clip};
pub use value::{Value, quoted};
pub use values::{Count, Later, Ms, Path, Permille, Positive, Quantity, Texts, entries, quantity};
