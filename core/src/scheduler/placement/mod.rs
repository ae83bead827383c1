//! Which node a pod gets.

pub(crate) mod topology;
