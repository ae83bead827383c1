//! The API over the store: paths, queries and bodies on one side, calls of the store on the other.

pub(crate) mod answer;
mod call;
mod discovery;
mod reviews;
pub(crate) mod stream;

pub(crate) use answer::{Reply, answer};
pub(crate) use call::{Call, Target};
