//! Whether an eviction that a plan asked for is still of use (E2).

use super::{
    Scheduler,
    cluster::Cluster,
    state::{PodRef, amount_of},
};
use crate::api::{PodId, Rule};

impl Scheduler {
    /// Whether an eviction that a plan asked for still stands: a hold waits for it, or it is for no workload and its reason
    /// holds (G3, T4). A caller that has not asked for it yet can take back one that does not
    /// ([`Event::EvictWithdrawn`](crate::Event::EvictWithdrawn)): a newer fact or tree spares the pod. Nothing if no plan
    /// evicts the pod, or somebody else stops it by now. Costs a path of the tree.
    ///
    /// ```
    /// use quotree_core::{Amounts, Event, NodeSpec, Policy, QuotaSpec, Scheduler, Time, TreeSpec, WorkloadId, WorkloadSpec};
    /// let cpu = |n: i64| Amounts::new().with("cpu", n * 1000);
    /// let leaf = |name: &str| QuotaSpec::new(name, Some("root")).min(cpu(2)).max(cpu(4)).namespace(name);
    /// let root = QuotaSpec::new("root", None).min(cpu(4)).max(cpu(4));
    /// let tree: TreeSpec = [root, leaf("a"), leaf("b")].into_iter().collect();
    /// let mut scheduler = Scheduler::new(&tree, Policy::default()).unwrap();
    /// scheduler.apply(Event::NodeUp(NodeSpec::new(0, cpu(4)))).unwrap();
    /// let pod = WorkloadId(1).pod(0);
    /// scheduler.apply(Event::WorkloadSubmitted(WorkloadSpec::pod(1, "b", Time(0), cpu(4)))).unwrap();
    /// scheduler.decide(Time(0));
    /// scheduler.apply(Event::bound(pod, Time(0))).unwrap();
    /// scheduler.apply(Event::WorkloadSubmitted(WorkloadSpec::pod(2, "a", Time(1), cpu(2)))).unwrap();
    /// scheduler.decide(Time(1));
    /// assert_eq!(scheduler.eviction_stands(pod), Some(true), "2 reclaims what a is guaranteed");
    /// scheduler.apply(Event::WorkloadWithdrawn { workload: WorkloadId(2) }).unwrap();
    /// assert_eq!(scheduler.eviction_stands(pod), Some(false), "nobody needs it any more");
    /// scheduler.apply(Event::EvictWithdrawn { pod }).unwrap();
    /// assert_eq!(scheduler.eviction_stands(pod), None);
    /// ```
    #[must_use]
    pub fn eviction_stands(&self, pod: PodId) -> Option<bool> {
        let rule = self.cluster.evictions.of(pod)?.rule;
        let slot = self.cluster.workloads.slot(pod.workload)?;
        let pod = slot.pod(pod.ordinal);
        Some(match rule {
            Rule::G3 => true,
            Rule::T4 => would_exceed_max(&self.cluster, pod),
            _ => self.cluster.workloads.pod(pod).is_some_and(|row| row.evicted_for.is_some()),
        })
    }
}

/// Whether a quota on the path of a terminating pod would be above its max if the pod went on.
fn would_exceed_max(cluster: &Cluster, pod: PodRef) -> bool {
    let (quotas, uses) = (&cluster.quotas, cluster.workloads.governed(pod));
    let exceeds = |q, r| {
        let used = amount_of(uses, r);
        used > 0 && quotas.ledger.remaining_usage(q, r).saturating_add(used) > quotas.max(q, r)
    };
    quotas.ledger.path(cluster.workloads.at(pod.workload).leaf).any(|q| quotas.resources().any(|r| exceeds(q, r)))
}
