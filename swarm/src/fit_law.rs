//! The law that no pending workload fits. From the public views of the scheduler and the events that it received, this
//! code computes independently whether a pending workload could be placed without evictions (A1, A2, A5, L3, O2, P1).
//! If it finds room, that is certain; if it finds none, there may still be room.

use crate::{log_laws::Replay, node_fit::FreeSpace};
use quotree_core::{
    Amounts, Level, Name, NodeId, NodeSpec, PodSet, PodState, PodTemplate, Queueing, QuotaId, QuotaTree, Scheduler,
    Unquotaed, WorkloadId,
};
use std::collections::BTreeSet;

/// A cluster and a quota tree at rest.
pub(crate) struct FitCheck<'a> {
    replay: &'a Replay<'a>,
    scheduler: &'a Scheduler,
    nodes: Vec<FreeSpace<'a>>,
}

/// The pods that a pending workload needs next.
struct Demand<'a> {
    pods: Vec<&'a PodTemplate>,
    total: Amounts,
    /// Whether none of its pods is placed yet.
    first: bool,
    /// The topology level at which all pods share a domain, and a node that runs one of the pods, if there is one.
    together: Option<(Level, Option<NodeId>)>,
}

impl<'a> FitCheck<'a> {
    pub(crate) fn new(replay: &'a Replay<'a>, scheduler: &'a Scheduler) -> Self {
        let node = |view: quotree_core::NodeView| Some(FreeSpace::new(replay.nodes.get(&view.id.0)?, &view));
        let up = scheduler.nodes().into_iter().filter(|node| node.schedulable);
        Self { replay, scheduler, nodes: up.filter_map(node).collect() }
    }

    /// Whether the workload could be placed now, without any eviction.
    pub(crate) fn admits(&self, id: WorkloadId) -> bool {
        let (Some(view), Some(spec)) = (self.scheduler.workload(id), self.replay.specs.get(&id)) else { return false };
        let Some(demand) = self.demand(id) else { return false };
        // The scheduler places different pods in their order, and another order might fit: only equal pods are judged.
        let Some(pod) = demand.pods.first().filter(|first| demand.pods.iter().all(|pod| pod == *first)) else {
            return false;
        };
        let tree = self.scheduler.tree();
        let by_quota = match view.leaf {
            None => self.scheduler.policy().unquotaed == Unquotaed::Schedule,
            Some(leaf) => {
                let skips = tree.spec(leaf).is_some_and(|spec| spec.queueing == Queueing::Skip);
                skips && tree.path(leaf).all(|q| self.quota_admits(q, &demand, spec.preemptible))
            }
        };
        by_quota && self.has_room_for(pod, &demand)
    }

    /// Whether every resource that it requests is governed (since only guaranteed quota can be reclaimed), and whether
    /// some domain could contain all of its pods.
    pub(crate) fn is_covered(&self, id: WorkloadId) -> bool {
        let governed = |name: &Name| self.scheduler.tree().governed().any(|governed| governed == name);
        let exists = |level: Level| self.nodes.iter().any(|node| domain(node.spec, level).is_some());
        let covered = |demand: Demand<'_>| {
            demand.total.iter().all(|(name, n)| n == 0 || governed(name))
                && demand.together.is_none_or(|(level, _)| exists(level))
        };
        self.demand(id).is_some_and(covered)
    }

    /// Whether the capacity of the cluster covers all guarantees below the root. Then, while an entitled workload is
    /// pending, some quota is above its min. There must be no job limit, since a workload that it blocks may not evict
    /// (A5).
    pub(crate) fn covers_guarantees(&self) -> bool {
        let tree = self.scheduler.tree();
        if tree.ids().filter_map(|q| tree.spec(q)).any(|spec| spec.max_jobs.is_some()) {
            return false;
        }
        let Some(root) = tree.ids().find(|q| tree.parent(*q).is_none()) else { return false };
        let below = tree.children(root);
        let promising: &[QuotaId] = if below.is_empty() { &[root] } else { below };
        tree.governed().enumerate().all(|(place, name)| {
            let promised: i64 = promising.iter().filter_map(|q| tree.min(*q).get(place)).sum();
            let there = self.nodes.iter().filter_map(|node| node.spec.allocatable.get(name.as_str()));
            promised <= there.sum()
        })
    }

    /// The pods that it needs next: those that are missing from its minimum, or one elastic pod.
    fn demand(&self, id: WorkloadId) -> Option<Demand<'a>> {
        let (view, spec) = (self.scheduler.workload(id)?, self.replay.specs.get(&id)?);
        let mut ordinal = 0;
        let (mut lacking, mut beyond) = (Vec::new(), Vec::new());
        let mut first = true;
        for PodSet { template, count, min } in &spec.pods {
            let range = ordinal..ordinal + count;
            ordinal += count;
            let of_set = || view.pods.iter().filter(|pod| range.contains(&pod.id.ordinal));
            let waiting = of_set().filter(|pod| pod.state == PodState::Pending).count();
            let standing = of_set().count() - waiting;
            first &= standing == 0;
            let lacks = (*min as usize).saturating_sub(standing);
            if lacks > waiting {
                return None;
            }
            lacking.extend((0..lacks).map(|_| template.as_ref()));
            beyond.extend((lacks < waiting).then_some(template.as_ref()));
        }
        let pods: Vec<&PodTemplate> = if lacking.is_empty() { beyond.into_iter().take(1).collect() } else { lacking };
        let mut total = Amounts::new();
        for (name, amount) in pods.iter().flat_map(|pod| pod.request.iter()) {
            let before = total.get(name.as_str()).unwrap_or(0);
            total.set(name.clone(), before.saturating_add(amount));
        }
        let placed_on = view.pods.iter().find_map(|pod| pod.node);
        Some(Demand { pods, total, first, together: spec.together.map(|level| (level, placed_on)) })
    }

    fn quota_admits(&self, quota: QuotaId, demand: &Demand<'_>, preemptible: bool) -> bool {
        let tree = self.scheduler.tree();
        let usage = self.scheduler.usage(quota);
        let of = |amounts: &Amounts, name: &Name| amounts.get(name.as_str()).unwrap_or(0);
        let (max, min) = (tree.named(tree.max(quota), i64::MAX), tree.named(tree.min(quota), i64::MIN));
        let ceilings = demand.total.iter().filter(|(_, n)| *n > 0).all(|(name, n)| {
            if !tree.governed().any(|governed| governed == name) {
                return true;
            }
            let below = max.get(name.as_str()).is_none_or(|max| charged(self.scheduler, tree, quota, name) + n <= max);
            below && (preemptible || of(&usage.used_np, name) + n <= of(&min, name))
        });
        let jobs = tree.spec(quota).and_then(|spec| spec.max_jobs);
        ceilings && jobs.is_none_or(|most| !demand.first || usage.jobs < most)
    }

    /// Whether nodes have room for these equal pods, if each node gets as many as fit. Pods with a topology level must
    /// share a domain: that of the pods which already run, if there are any (P1).
    fn has_room_for(&self, pod: &PodTemplate, demand: &Demand<'_>) -> bool {
        let room = |within: &dyn Fn(&FreeSpace<'_>) -> bool| {
            let nodes = self.nodes.iter().filter(|node| within(node));
            nodes.fold(demand.pods.len(), |left, node| left - node.takes(pod, left)) == 0
        };
        let Some((level, placed_on)) = demand.together else { return room(&|_| true) };
        let domains: BTreeSet<Place<'_>> = match placed_on.map(|node| self.replay.nodes.get(&node.0)) {
            Some(node) => node.and_then(|node| domain(node, level)).into_iter().collect(),
            None => self.nodes.iter().filter_map(|node| domain(node.spec, level)).collect(),
        };
        domains.iter().any(|place| room(&|node| domain(node.spec, level).as_ref() == Some(place)))
    }
}

/// A topology domain: a node number, or a rack and its zone, or a zone.
type Place<'a> = (Option<u32>, Option<&'a Name>, Option<&'a Name>);

/// The domain of this level that contains the node, if any.
fn domain(node: &NodeSpec, level: Level) -> Option<Place<'_>> {
    match level {
        Level::Node => Some((Some(node.id.0), None, None)),
        Level::Rack => node.rack.as_ref().map(|rack| (None, Some(rack), node.zone.as_ref())),
        Level::Zone => node.zone.as_ref().map(|zone| (None, None, Some(zone))),
        _ => None,
    }
}

/// What counts against a max: usage below the quota, and the lend floors of its children (L3).
fn charged(scheduler: &Scheduler, tree: &QuotaTree, quota: QuotaId, name: &Name) -> i64 {
    let children = tree.children(quota);
    if children.is_empty() {
        return scheduler.usage(quota).used.get(name.as_str()).unwrap_or(0);
    }
    let kept = |child: QuotaId| {
        let spec = tree.spec(child)?;
        let (lend, min) = (spec.lend.as_ref()?, spec.min.get(name.as_str()).unwrap_or(0));
        Some(min - lend.get(name.as_str()).unwrap_or(0))
    };
    children.iter().map(|child| charged(scheduler, tree, *child, name).max(kept(*child).unwrap_or(0))).sum()
}
