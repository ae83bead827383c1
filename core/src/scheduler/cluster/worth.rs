//! Whether a search for victims may find any (W2).

use super::groups::Cluster;
use crate::{api::Reclaim, scheduler::quota::Demand};

impl Cluster {
    /// The largest request within its guarantee for which a search for victims could succeed (W2): of each resource as
    /// much as all nodes together have free, or any amount if a borrower uses the resource. `None` where no search
    /// could succeed.
    ///
    /// While pods are terminating or holds exist, and where the policy reclaims fair shares, there is no such limit: any
    /// search may find victims.
    pub(crate) fn worth_a_search(&mut self) -> Option<Demand> {
        self.refresh_overuse();
        if !self.policy.reclaims() {
            return None;
        }
        let resources = self.quotas.resources();
        if self.policy.reclaim == Reclaim::FairShare || self.is_under_way() {
            return Some(resources.map(|_| i64::MAX).collect());
        }
        let limit = |r: usize| if self.borrowers.use_any(r) { i64::MAX } else { self.nodes.spare(r) };
        (!self.borrowers.is_empty()).then(|| resources.map(limit).collect())
    }

    /// Whether some pods are terminating, or some workloads have a hold.
    pub(crate) fn is_under_way(&self) -> bool {
        !self.holds.is_empty() || self.holds.terminating() > 0
    }
}
