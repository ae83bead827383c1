//! Whether a search for victims may find some (W2).

use super::groups::Cluster;
use crate::{api::Reclaim, scheduler::quota::Demand};

impl Cluster {
    /// What a request within its guarantee may request, so that it is worth a search for victims (W2): of each resource
    /// as much as the nodes have free together, or anything if a borrower uses it. `None` where nothing could come of
    /// any search.
    ///
    /// While pods are terminating or holds exist, and where the policy reclaims fair shares, there is no such limit: any
    /// search may find victims.
    pub(crate) fn worth_a_search(&mut self) -> Option<Demand> {
        self.refresh_overuse();
        if !self.policy.reclaims() {
            return None;
        }
        let resources = self.quotas.resources();
        if self.policy.reclaim == Reclaim::FairShare || !self.holds.is_empty() || self.holds.terminating() > 0 {
            return Some(resources.map(|_| i64::MAX).collect());
        }
        let limit = |r: usize| if self.borrowers.use_any(r) { i64::MAX } else { self.nodes.spare(r) };
        (!self.borrowers.is_empty()).then(|| resources.map(limit).collect())
    }
}
