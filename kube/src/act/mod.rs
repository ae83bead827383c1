//! How an intent is written in each mode: the bodies of requests, as pure functions.

pub mod bind;
pub mod dry;
pub mod gate;
pub mod json;
