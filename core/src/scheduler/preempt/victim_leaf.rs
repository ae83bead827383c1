//! Which leaves a preemptor may take victims from, and in what resources (R1, R2).

use super::{
    contested::contested,
    eligibility::{PreemptionKind, Preemptor, Resources, branch, common_in_scope, is_guarded, reclaimable},
};
use crate::{
    api::{QuotaId, Unquotaed, VictimOrder},
    counters::touch,
    scheduler::{
        cluster::Cluster,
        queue::{ByOveruse, VictimRank},
        state::{QuotaSlot, Ratio},
    },
};
use smallvec::SmallVec;
use std::cmp::Reverse;

/// A leaf that may be preempted from.
#[derive(Debug, Clone)]
pub(crate) struct VictimLeaf<'a> {
    pub(crate) leaf: QuotaSlot,
    /// The quota where its branch meets that of the preemptor.
    pub(crate) common: QuotaSlot,
    /// The contested resources in which every quota on its branch is above its guarantee (R2b).
    pub(crate) resources: Resources,
    /// The resources that are lacking (R5).
    pub(crate) lacking: &'a [usize],
}

/// Where a preemptor may reclaim from other leaves.
pub(super) struct Reach<'l> {
    /// The quotas within the preemptor's scope where other branches meet its own, from the nearest up (R2a). Each with
    /// its child that leads to the preemptor.
    pub(super) forks: SmallVec<[(QuotaSlot, QuotaSlot); 8]>,
    /// Pods without a quota, where they may be victims. They free room on nodes, and no quota (R5).
    pub(super) no_quota: Option<VictimLeaf<'l>>,
}

/// Where a preemptor may reclaim `lacking` resources, below `below` or anywhere; nothing if nowhere.
pub(super) fn reach<'l>(
    cluster: &Cluster,
    preemptor: &Preemptor,
    lacking: &'l [usize],
    below: Option<QuotaSlot>,
) -> Option<Reach<'l>> {
    let (ledger, own) = (&cluster.quotas.ledger, preemptor.leaf);
    let scope = cluster.quotas.reclaim_scope(preemptor.ask, own).filter(|_| below != Some(own))?;
    let mut forks = SmallVec::new();
    for (child, common) in ledger.path(own).zip(ledger.path(own).skip(1)) {
        forks.push((common, child));
        if Some(common) == below || common == scope {
            break;
        }
    }
    let everywhere = below.is_none() && ledger.parent(scope).is_none();
    let leaf = ledger.no_quota();
    let is_open = everywhere && cluster.policy.unquotaed == Unquotaed::Schedule && !cluster.victims.of(leaf).is_empty();
    let resources = || lacking.iter().copied().collect();
    let no_quota = is_open.then(|| VictimLeaf { leaf, common: scope, resources: resources(), lacking });
    Some(Reach { forks, no_quota })
}

/// All leaves that a preemptor may take victims from where `lacking` resources are missing, below `below` or anywhere.
/// For preemption by priority this is only its own leaf.
pub(super) fn victim_leaves<'a>(
    cluster: &Cluster,
    preemptor: &Preemptor,
    lacking: &'a [usize],
    below: Option<QuotaSlot>,
) -> Vec<VictimLeaf<'a>> {
    let mut found = Vec::new();
    if preemptor.kind == PreemptionKind::Priority {
        let (own, resources) = (preemptor.leaf, lacking.iter().copied().collect());
        found.push(VictimLeaf { leaf: own, common: own, resources, lacking });
    } else if let Some(reach) = reach(cluster, preemptor, lacking, below) {
        let contested = contested(cluster, preemptor, lacking);
        for (common, child) in reach.forks {
            add_branches(cluster, common, child, (lacking, &contested), &mut found);
        }
        found.extend(reach.no_quota);
    }
    found
}

/// Adds the leaves below `common` that may be preempted from, but not those below its child `own`. On the way down the
/// tree, a bit mask has the contested resources in which every quota so far is above its guarantee. [`reclaimable`]
/// computes the same for a whole branch.
fn add_branches<'a>(
    cluster: &Cluster,
    common: QuotaSlot,
    own: QuotaSlot,
    (lacking, resources): (&'a [usize], &[usize]),
    found: &mut Vec<VictimLeaf<'a>>,
) {
    let tree = &cluster.quotas.tree;
    let Some(quota) = cluster.quotas.quota_id(common) else { return };
    let all = u64::MAX >> (64 - resources.len().clamp(1, 64));
    let mut stack: SmallVec<[(QuotaId, u64); 16]> = SmallVec::new();
    touch(tree.children(quota).len());
    stack.extend(tree.children(quota).iter().rev().filter(|q| q.0 != own.0).map(|q| (*q, all)));
    while let Some((quota, mask)) = stack.pop() {
        let leaf = QuotaSlot::from(quota);
        let mut over = 0;
        for (i, r) in resources.iter().enumerate().take(64) {
            if mask >> i & 1 == 1 && !is_guarded(cluster, leaf, *r, 1) {
                over |= 1 << i;
            }
        }
        if over == 0 {
            continue;
        }
        let children = tree.children(quota);
        touch(children.len());
        if children.is_empty() && !cluster.victims.of(leaf).is_empty() {
            let resources = (0u32..).zip(resources).filter(|(i, _)| over >> i & 1 == 1).map(|(_, r)| *r).collect();
            found.push(VictimLeaf { leaf, common, resources, lacking });
        }
        stack.extend(children.iter().rev().map(|q| (*q, over)));
    }
}

/// The leaf, if [`victim_leaves`] without `below` would include it. `scope` is the preemptor's reclaim scope.
pub(super) fn victim_leaf<'a>(
    cluster: &Cluster,
    preemptor: &Preemptor,
    scope: Option<QuotaSlot>,
    leaf: QuotaSlot,
    (lacking, contested): (&'a [usize], &[usize]),
) -> Option<VictimLeaf<'a>> {
    let own = preemptor.leaf;
    let all = || lacking.iter().copied().collect::<Resources>();
    if preemptor.kind == PreemptionKind::Priority {
        return (leaf == own).then(|| VictimLeaf { leaf, common: own, resources: all(), lacking });
    }
    let common = common_in_scope(cluster, preemptor, scope.filter(|_| leaf != own), leaf)?;
    if leaf == cluster.quotas.ledger.no_quota() {
        return Some(VictimLeaf { leaf, common, resources: all(), lacking });
    }
    let resources = reclaimable(cluster, leaf, common, contested);
    (!resources.is_empty()).then(|| VictimLeaf { leaf, common, resources, lacking })
}

/// The position of a leaf in the order in which leaves are searched for victims (V1).
pub(super) fn search_order(cluster: &Cluster, from: &VictimLeaf) -> ByOveruse {
    let lowest_priority = cluster.victims.of(from.leaf).first().map_or(i32::MAX, |key| key.priority);
    let has_quota = from.leaf != cluster.quotas.ledger.no_quota();
    ByOveruse { has_quota, lowest_priority, overuse: overuse(cluster, from) }
}

/// For each quota from just below the common ancestor down to the leaf: how far it is above its min, relative to its
/// min, in the worst contested resource (V1). Nothing where the policy orders victims by start alone.
pub(super) fn overuse(cluster: &Cluster, from: &VictimLeaf) -> SmallVec<[Ratio; 4]> {
    if cluster.policy.victims == VictimOrder::Latest {
        return SmallVec::new();
    }
    let share = |q: QuotaSlot| largest_overuse(cluster, q, &from.resources);
    let mut shares: SmallVec<[Ratio; 4]> = branch(cluster, from.leaf, from.common).map(share).collect();
    shares.reverse();
    shares
}

/// How far a quota is above its min relative to its min, in the worst of these resources.
pub(super) fn largest_overuse(cluster: &Cluster, quota: QuotaSlot, resources: &[usize]) -> Ratio {
    let quotas = &cluster.quotas;
    let ratio = |r: &usize| {
        let min = quotas.min(quota, *r);
        Ratio { over: (quotas.ledger.remaining_usage(quota, *r) - min).max(0), of: min }
    };
    resources.iter().map(ratio).max().unwrap_or_default()
}

/// A rank that no candidate of a leaf precedes: that of its first possible victim (V1).
pub(super) fn first_rank(cluster: &Cluster, from: &VictimLeaf) -> Option<VictimRank> {
    let first = cluster.victims.of(from.leaf).first()?;
    Some(VictimRank {
        has_quota: from.leaf != cluster.quotas.ledger.no_quota(),
        breaks_budget: false,
        priority: first.priority,
        overuse: overuse(cluster, from),
        has_surplus: first.has_surplus,
        started: first.started,
        id: first.id,
        ordinal: Reverse(u32::MAX),
    })
}

/// The part of a rank that depends on the leaf alone: no later leaf has a lower one.
pub(super) fn leaf_order(rank: &VictimRank) -> ByOveruse {
    ByOveruse { has_quota: rank.has_quota, lowest_priority: rank.priority, overuse: rank.overuse.clone() }
}
