//! Changes that touch several groups of state at once.

pub(crate) mod lifecycle;
pub(crate) mod trial;
