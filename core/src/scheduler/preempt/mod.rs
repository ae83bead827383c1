//! Preemption: who may be a victim, and the search for a plan.

pub(crate) mod eligibility;
pub(crate) mod search;
