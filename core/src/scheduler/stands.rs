//! Whether an eviction that a plan asked for is still of use, and still allowed (E2).

use super::{
    Scheduler,
    cluster::{Cluster, Eviction},
    state::{QuotaSlot, Row, amount_of},
};
use crate::api::{PodId, Rule};
use std::collections::BTreeMap;

impl Scheduler {
    /// Whether an eviction that a plan asked for still stands: a hold waits for it, and it takes nobody's guarantee (R2); or it
    /// is for no workload and its reason holds (a stale gang, G3; a max, T4). A caller that has not asked for it yet can take back one that does not
    /// ([`Event::EvictWithdrawn`](crate::Event::EvictWithdrawn)): a newer fact or tree spares the pod. Nothing if no plan
    /// evicts the pod, or it is seen to be stopped by now ([`Event::PodLeaving`](crate::Event::PodLeaving)). Costs a path of the
    /// tree for each eviction under way; for all of them at once there is [`useless_evictions`](Self::useless_evictions).
    ///
    /// A min is judged as at the moment of the decision: each quota that had to be above it still is. Pods of which the eviction
    /// was not seen yet count as pods that stay. So of ten evictions that are sent one after the other, those stand that leave
    /// the quota at its min. A max (T4) is judged in the same way.
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
        let eviction = self.cluster.evictions.of(pod)?;
        stands(&self.cluster, pod, eviction, &mut None)
    }

    /// The evictions that do not stand any more ([`eviction_stands`](Self::eviction_stands)), by pod. Costs a path of the tree for
    /// each eviction under way.
    #[must_use]
    pub fn useless_evictions(&self) -> Vec<PodId> {
        let mut unseen = None;
        let all = self.cluster.evictions.all();
        let useless = all.filter(|(pod, eviction)| stands(&self.cluster, *pod, eviction, &mut unseen) == Some(false));
        useless.map(|(pod, _)| pod).collect()
    }
}

/// What the pods use together that plans evict and that nobody was seen stopping yet, by quota.
struct Unseen(BTreeMap<QuotaSlot, Row>);

impl Unseen {
    fn of(cluster: &Cluster) -> Self {
        let mut sums: BTreeMap<QuotaSlot, Row> = BTreeMap::new();
        for (id, _) in cluster.evictions.all() {
            let Some(slot) = cluster.workloads.slot(id.workload) else { continue };
            let uses = cluster.workloads.governed(slot.pod(id.ordinal));
            for quota in cluster.quotas.ledger.path(cluster.workloads.at(slot).leaf) {
                let sum = sums.entry(quota).or_insert_with(|| uses.iter().map(|_| 0).collect());
                sum.iter_mut().zip(uses).for_each(|(sum, uses)| *sum = sum.saturating_add(*uses));
            }
        }
        Self(sums)
    }

    fn at(&self, quota: QuotaSlot, resource: usize) -> i64 {
        self.0.get(&quota).map_or(0, |row| amount_of(row, resource))
    }
}

fn stands(cluster: &Cluster, id: PodId, eviction: &Eviction, unseen: &mut Option<Unseen>) -> Option<bool> {
    let slot = cluster.workloads.slot(id.workload)?;
    let pod = slot.pod(id.ordinal);
    let is_waited_for = || cluster.workloads.pod(pod).is_some_and(|row| row.evicted_for.is_some());
    let (quotas, leaf) = (&cluster.quotas, cluster.workloads.at(slot).leaf);
    let mut stays = |q: QuotaSlot, resource: usize| {
        let unseen = unseen.get_or_insert_with(|| Unseen::of(cluster));
        quotas.ledger.remaining_usage(q, resource).saturating_add(unseen.at(q, resource))
    };
    Some(match (eviction.rule, eviction.contests) {
        (Rule::G3, _) => true,
        (Rule::T4, _) => {
            let uses = cluster.workloads.governed(pod);
            let mut exceeds = |q, r| amount_of(uses, r) > 0 && stays(q, r) > quotas.max(q, r);
            quotas.ledger.path(leaf).any(|q| quotas.resources().any(|r| exceeds(q, r)))
        }
        (Rule::R2, Some((common, resource))) => {
            let mut branch = quotas.ledger.path(leaf).take_while(|q| *q != common);
            is_waited_for() && branch.all(|q| stays(q, resource) > quotas.min(q, resource))
        }
        _ => is_waited_for(),
    })
}
