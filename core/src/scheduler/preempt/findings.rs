//! What stopped a search that found no plan, for the verdict to report.

use crate::api::{BlockingReason, Bound};

#[derive(Debug, Default)]
pub(crate) struct SearchFindings {
    /// Whether the reasons that stop a search are recorded; otherwise only the bounds that it hit are.
    pub(crate) in_full: bool,
    /// The bounds that cut the search short.
    pub(crate) bounds: Vec<Bound>,
    /// What stopped it, one for each kind of preemption.
    pub(crate) stops: Vec<BlockingReason>,
    /// How many pods are terminating, where the workload fits once they are gone.
    pub(crate) settling: Option<u32>,
}

impl SearchFindings {
    /// Notes a bound, if it was hit.
    pub(crate) fn note(&mut self, bound: Bound, hit: bool) {
        if hit && !self.bounds.contains(&bound) {
            self.bounds.push(bound);
        }
    }
}
