//! Whether a waiting workload could simply be placed, by the letter of A1, A2, A5, L3, O2 and P1: recounted from what the
//! scheduler lets everybody see and from the facts it was told. Sure only when it says yes.

use crate::walk::Walk;
use quotree_core::{
    Amounts, Name, NodeSpec, PodSet, PodState, PodTemplate, Queueing, QuotaId, QuotaTree, Scheduler, Unquotaed,
    WorkloadId,
};
use std::collections::BTreeMap;

/// What is free on a node.
#[derive(Debug, Clone)]
struct Space<'a> {
    spec: &'a NodeSpec,
    free: BTreeMap<Name, i64>,
    devices: Vec<(Name, Vec<i64>)>,
}

/// A cluster and a tree at rest.
pub(crate) struct Room<'a> {
    walk: &'a Walk,
    scheduler: &'a Scheduler,
    spaces: Vec<Space<'a>>,
}

/// What a workload waits for.
struct Asked<'a> {
    pods: Vec<&'a PodTemplate>,
    total: Amounts,
    /// Whether nothing of it stands yet.
    first: bool,
}

impl<'a> Room<'a> {
    pub(crate) fn new(walk: &'a Walk, scheduler: &'a Scheduler) -> Self {
        let space = |view: quotree_core::NodeView| {
            let spec = walk.nodes.get(&view.id.0)?;
            let free = spec
                .allocatable
                .iter()
                .map(|(name, all)| (name.clone(), all.saturating_sub(view.used.get(name.as_str()).unwrap_or(0))));
            Some(Space { spec, free: free.collect(), devices: view.devices_free.clone() })
        };
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
        by_quota && self.has_room_for(pod, asked.pods.len())
    }

    /// Whether every resource it asks is governed: only what a quota guarantees can be reclaimed.
    pub(crate) fn is_covered(&self, id: WorkloadId) -> bool {
        let governed = |name: &Name| self.scheduler.tree().governed().any(|governed| governed == name);
        self.asked(id).is_some_and(|asked| asked.total.iter().all(|(name, n)| n == 0 || governed(name)))
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
        Some(Asked { pods, total, first })
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

    /// Whether so many equal pods find places: of equal ones each node takes as many as it can.
    fn has_room_for(&self, pod: &PodTemplate, count: usize) -> bool {
        let mut left = count;
        for space in &self.spaces {
            let mut space = space.clone();
            while left > 0
                && let Some(after) = space.with(pod)
            {
                (space, left) = (after, left - 1);
            }
        }
        left == 0
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

impl Space<'_> {
    /// The node with the pod on it; nothing where it does not fit (P1).
    fn with(&self, pod: &PodTemplate) -> Option<Self> {
        let label = |wanted: &Name| self.spec.labels.iter().find(|(name, _)| name == wanted).map(|(_, value)| value);
        let selected =
            pod.selector.iter().all(|(name, values)| label(name).is_some_and(|value| values.contains(value)));
        if !selected || !self.spec.taints.iter().all(|taint| pod.tolerations.contains(taint)) {
            return None;
        }
        let mut after = self.clone();
        for (name, amount) in pod.request.iter().filter(|(_, n)| *n > 0) {
            let free = after.free.get_mut(name)?;
            *free = free.checked_sub(amount).filter(|left| *left >= 0)?;
            let Some((_, devices)) = after.devices.iter_mut().find(|(resource, _)| resource == name) else { continue };
            let whole = self.spec.devices.iter().find(|d| d.resource == *name).map_or(1, |d| d.each);
            let (count, each) = match pod.devices.as_ref().filter(|ask| ask.resource == *name) {
                Some(ask) => (i64::from(ask.count), ask.each),
                None if amount < whole => (1, amount),
                None if amount % whole == 0 => (amount / whole, whole),
                None => return None,
            };
            for _ in 0..count {
                // A device that this pod has a part of already is no other one.
                let fits = devices.iter_mut().filter(|free| **free >= each).min()?;
                *fits = -*fits;
            }
            devices.iter_mut().for_each(|free| {
                if *free < 0 {
                    *free = -*free - each;
                }
            });
        }
        Some(after)
    }
}
