//! Whether a waiting workload could simply be placed, by the letter of A1, A2, A5, L3, O2 and P1: recounted from what the
//! scheduler lets everybody see and from the facts it was told. Sure only when it says yes.

use crate::{space::Space, walk::Walk};
use quotree_core::{
    Amounts, Level, Name, NodeId, NodeSpec, PodSet, PodState, PodTemplate, Queueing, QuotaId, QuotaTree, Scheduler,
    Unquotaed, WorkloadId,
};
use std::collections::BTreeSet;

/// A cluster and a tree at rest.
pub(crate) struct Room<'a> {
    walk: &'a Walk<'a>,
    scheduler: &'a Scheduler,
    spaces: Vec<Space<'a>>,
}

/// What a workload waits for.
struct Asked<'a> {
    pods: Vec<&'a PodTemplate>,
    total: Amounts,
    /// Whether nothing of it stands yet.
    first: bool,
    /// The level of which one domain has all of it, and where some of it stands.
    together: Option<(Level, Option<NodeId>)>,
}

impl<'a> Room<'a> {
    pub(crate) fn new(walk: &'a Walk<'a>, scheduler: &'a Scheduler) -> Self {
        let space = |view: quotree_core::NodeView| Some(Space::new(walk.nodes.get(&view.id.0)?, &view));
        let up = scheduler.nodes().into_iter().filter(|node| node.schedulable);
        Self { walk, scheduler, spaces: up.filter_map(space).collect() }
    }

    /// Whether it could be placed as things stand.
    pub(crate) fn admits(&self, id: WorkloadId) -> bool {
        let (Some(view), Some(spec)) = (self.scheduler.workload(id), self.walk.specs.get(&id)) else { return false };
        let Some(asked) = self.asked(id) else { return false };
        // Pods that are not alike are packed one after the other, in their order: another order might do better.
        let Some(pod) = asked.pods.first().filter(|first| asked.pods.iter().all(|pod| pod == *first)) else {
            return false;
        };
        let tree = self.scheduler.tree();
        let by_quota = match view.leaf {
            None => self.scheduler.policy().unquotaed == Unquotaed::Schedule,
            Some(leaf) => {
                let skips = tree.spec(leaf).is_some_and(|spec| spec.queueing == Queueing::Skip);
                skips && tree.path(leaf).all(|q| self.quota_admits(q, &asked, spec.preemptible))
            }
        };
        by_quota && self.has_room_for(pod, &asked)
    }

    /// Whether every resource it asks is governed, for only what a quota guarantees can be reclaimed, and whether there is a
    /// place where all of it could stand together.
    pub(crate) fn is_covered(&self, id: WorkloadId) -> bool {
        let governed = |name: &Name| self.scheduler.tree().governed().any(|governed| governed == name);
        let stands = |level: Level| self.spaces.iter().any(|space| domain(space.spec, level).is_some());
        let covered = |asked: Asked<'_>| {
            asked.total.iter().all(|(name, n)| n == 0 || governed(name))
                && asked.together.is_none_or(|(level, _)| stands(level))
        };
        self.asked(id).is_some_and(covered)
    }

    /// Whether there is as much as is guaranteed below the root: then whoever is entitled finds somebody above theirs. Who is
    /// kept out by a job limit may not evict (A5), so there must be none.
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
            let there = self.spaces.iter().filter_map(|space| space.spec.allocatable.get(name.as_str()));
            promised <= there.sum()
        })
    }

    /// What it waits for: what its minimum lacks, or one of those beyond it.
    fn asked(&self, id: WorkloadId) -> Option<Asked<'a>> {
        let (view, spec) = (self.scheduler.workload(id)?, self.walk.specs.get(&id)?);
        let mut ordinal = 0;
        let (mut lacking, mut beyond) = (Vec::new(), Vec::new());
        let mut first = true;
        for PodSet { template, count, min } in &spec.pods {
            let range = ordinal..ordinal + count;
            ordinal += count;
            let of_set = || view.pods.iter().filter(|pod| range.contains(&pod.id.ordinal));
            let waiting = of_set().filter(|pod| pod.state == PodState::Waiting).count();
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
        let stands = view.pods.iter().find_map(|pod| pod.node);
        Some(Asked { pods, total, first, together: spec.together.map(|level| (level, stands)) })
    }

    fn quota_admits(&self, quota: QuotaId, asked: &Asked<'_>, preemptible: bool) -> bool {
        let tree = self.scheduler.tree();
        let usage = self.scheduler.usage(quota);
        let of = |amounts: &Amounts, name: &Name| amounts.get(name.as_str()).unwrap_or(0);
        let (max, min) = (tree.named(tree.max(quota), i64::MAX), tree.named(tree.min(quota), i64::MIN));
        let ceilings = asked.total.iter().filter(|(_, n)| *n > 0).all(|(name, n)| {
            if !tree.governed().any(|governed| governed == name) {
                return true;
            }
            let below = max.get(name.as_str()).is_none_or(|max| charged(self.scheduler, tree, quota, name) + n <= max);
            below && (preemptible || of(&usage.used_np, name) + n <= of(&min, name))
        });
        let jobs = tree.spec(quota).and_then(|spec| spec.max_jobs);
        ceilings && jobs.is_none_or(|most| !asked.first || usage.jobs < most)
    }

    /// Whether equal pods find places: of equal ones each node takes as many as it can. Those that stand together find
    /// all of them in one domain, in that of the others where some of them stand (P1).
    fn has_room_for(&self, pod: &PodTemplate, asked: &Asked<'_>) -> bool {
        let room = |within: &dyn Fn(&Space<'_>) -> bool| {
            let spaces = self.spaces.iter().filter(|space| within(space));
            spaces.fold(asked.pods.len(), |left, space| left - space.takes(pod, left)) == 0
        };
        let Some((level, stands)) = asked.together else { return room(&|_| true) };
        let domains: BTreeSet<Place<'_>> = match stands.map(|node| self.walk.nodes.get(&node.0)) {
            Some(node) => node.and_then(|node| domain(node, level)).into_iter().collect(),
            None => self.spaces.iter().filter_map(|space| domain(space.spec, level)).collect(),
        };
        domains.iter().any(|place| room(&|space| domain(space.spec, level).as_ref() == Some(place)))
    }
}

/// Where a node stands: its number, or its rack and zone, or its zone.
type Place<'a> = (Option<u32>, Option<&'a Name>, Option<&'a Name>);

/// The domain of a level that a node stands in, if it stands in any.
fn domain(node: &NodeSpec, level: Level) -> Option<Place<'_>> {
    match level {
        Level::Node => Some((Some(node.id.0), None, None)),
        Level::Rack => node.rack.as_ref().map(|rack| (None, Some(rack), node.zone.as_ref())),
        Level::Zone => node.zone.as_ref().map(|zone| (None, None, Some(zone))),
        _ => None,
    }
}

/// What counts against a ceiling: what is used below, and what is kept by those that do not lend all (L3).
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
