//! Who may be taken from, and who of them goes first (R1, R2b, R2c, R5, R7, V1).

use super::{
    admission::quota_id,
    ledger::Ledger,
    order::Share,
    state::{Ask, Reference, Workload},
};
use quotree_core::{
    EvictReason, Floor, NodeId, PodId, Rule, Time, Unquotaed, VictimOrder, WithinQueuePreemption, WorkloadId,
};
use std::cmp::{Ordering, Reverse};

/// By which right victims are looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Right {
    Reclaim,
    Priority,
}

/// For whom victims are looked for.
#[derive(Debug, Clone)]
pub(super) struct Seeker {
    pub(super) id: WorkloadId,
    pub(super) leaf: usize,
    pub(super) ask: Ask,
    pub(super) right: Right,
    pub(super) break_budgets: bool,
}

/// A leaf that may be taken from (no leaf: those without a quota), and for the sake of which resources.
#[derive(Debug, Clone)]
pub(super) struct Source {
    pub(super) leaf: Option<usize>,
    pub(super) common: usize,
    pub(super) resources: Vec<usize>,
}

/// The place among victims (V1): the smallest goes first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Rank {
    has_quota: bool,
    pub(super) breaks_budget: bool,
    pub(super) priority: i32,
    /// From just below the common ancestor down to the leaf; the larger goes first.
    pub(super) overuse: Vec<Share>,
    /// Whether it leaves its gang at its minimum or above (G2), when it started, its id.
    last: (Reverse<bool>, Reverse<Time>, Reverse<WorkloadId>, Reverse<u32>),
}

/// The larger overuse first, level by level from the top; where a branch ends its leaf stands for the levels below.
pub(super) fn by_overuse(a: &[Share], b: &[Share]) -> Ordering {
    let level = |of: &[Share], i: usize| of.get(i).or(of.last()).copied().unwrap_or(Share { over: 0, of: 1 });
    let compared = (0..a.len().max(b.len())).map(|i| level(b, i).cmp(&level(a, i)));
    compared.fold(Ordering::Equal, Ordering::then)
}

impl Ord for Rank {
    fn cmp(&self, other: &Self) -> Ordering {
        let first = |r: &Self| (r.has_quota, r.breaks_budget, r.priority);
        let overuse = by_overuse(&self.overuse, &other.overuse);
        first(self).cmp(&first(other)).then(overuse).then(self.last.cmp(&other.last))
    }
}

impl PartialOrd for Rank {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// What would be evicted at once.
#[derive(Debug, Clone)]
pub(super) struct Candidate {
    pub(super) workload: WorkloadId,
    pub(super) pods: Vec<PodId>,
    pub(super) leaf: Option<usize>,
    pub(super) common: usize,
    pub(super) resource: usize,
    pub(super) over: i64,
    pub(super) rank: Rank,
}

/// Whether a workload may be taken.
pub(super) enum Finding {
    No,
    /// Only its budget keeps it (R7).
    Spared,
    Yes(Candidate),
}

impl Reference {
    /// The leaves a seeker may take from for the sake of `resources`. With a `scope`, only below that quota (R5).
    pub(super) fn sources(
        &self,
        ledger: &Ledger,
        by: &Seeker,
        resources: &[usize],
        scope: Option<usize>,
    ) -> Vec<Source> {
        if by.right == Right::Priority {
            return vec![Source { leaf: Some(by.leaf), common: by.leaf, resources: resources.to_vec() }];
        }
        let Some(reach) = self.reach(ledger, &by.ask, Some(by.leaf)) else { return Vec::new() };
        let mut found = Vec::new();
        for leaf in self.tree.leaves().filter(|leaf| *leaf != by.leaf) {
            let common = self.tree.common(by.leaf, leaf);
            if !self.tree.is_under(common, reach) || scope.is_some_and(|scope| !self.tree.is_under(common, scope)) {
                continue;
            }
            let over = |q: usize, r: usize| ledger.live(q, r) > self.floor(q, r);
            let branch = |r: &usize| self.branch(leaf, common).all(|q| over(q, *r));
            let resources: Vec<usize> = resources.iter().copied().filter(branch).collect();
            if !resources.is_empty() {
                found.push(Source { leaf: Some(leaf), common, resources });
            }
        }
        if self.policy.unquotaed == Unquotaed::Schedule && scope.is_none() && reach == 0 {
            found.push(Source { leaf: None, common: reach, resources: resources.to_vec() });
        }
        found
    }

    /// The quotas from a leaf up to just below an ancestor.
    fn branch(&self, leaf: usize, common: usize) -> impl Iterator<Item = usize> + '_ {
        self.tree.path(leaf).take_while(move |q| *q != common)
    }

    /// Whether R1 or R2(c) lets a workload be a victim. Nobody seeks where a ceiling is enforced (T4).
    fn is_fair_game(&self, by: Option<&Seeker>, victim: &Workload) -> bool {
        let least = self.policy.min_runtime_ms;
        let Some((.., started)) = victim.filed else { return false };
        let protected = least > 0 && started.after_ms(least) > self.now;
        if protected || by.is_some_and(|by| by.id == victim.id) {
            return false;
        }
        let Some(by) = by.filter(|by| by.right == Right::Priority).map(|by| self.at(by.id)) else { return true };
        match self.policy.within {
            WithinQueuePreemption::LowerPriority => victim.priority < by.priority,
            WithinQueuePreemption::LowerOrNewerEqual => {
                victim.priority < by.priority || victim.priority == by.priority && victim.submitted > by.submitted
            }
            _ => false,
        }
    }

    /// What of one workload would go next, if it may be taken and uses what is contested: anywhere, or on a node.
    pub(super) fn candidate(
        &self,
        ledger: &Ledger,
        by: Option<&Seeker>,
        source: &Source,
        victim: &Workload,
        node: Option<NodeId>,
    ) -> Finding {
        if victim.leaf != source.leaf || !self.is_fair_game(by, victim) {
            return Finding::No;
        }
        let helps = |ordinal: u32| {
            let pod = &victim.pods[ordinal as usize];
            let row = self.row(&victim.sets[pod.set].template);
            node.is_none_or(|node| pod.spot.is_some_and(|spot| spot.node == node))
                && source.resources.iter().any(|r| row[*r] > 0)
        };
        let pods: Vec<PodId> = victim.unit(helps).into_iter().map(|ordinal| victim.id.pod(ordinal)).collect();
        if !pods.iter().any(|pod| helps(pod.ordinal)) {
            return Finding::No;
        }
        let rows: Vec<Vec<i64>> = pods.iter().map(|pod| self.row(self.template(*pod))).collect();
        let uses = |r: usize| rows.iter().map(|row| row[r]).sum::<i64>();
        let Some(resource) = source.resources.iter().copied().find(|r| uses(*r) > 0) else { return Finding::No };
        let below: Vec<usize> = source.leaf.into_iter().flat_map(|leaf| self.branch(leaf, source.common)).collect();
        let strict = self.policy.floor == Floor::Strict && by.is_none_or(|by| by.right == Right::Reclaim);
        let stays = |q: &usize| source.resources.iter().all(|r| ledger.live(*q, *r) - uses(*r) >= self.floor(*q, *r));
        if strict && !below.iter().all(stays) {
            return Finding::No;
        }
        let left = victim.budget.as_ref().and_then(|budget| self.budgets.get(budget));
        let breaks_budget = left.is_some_and(|left| (*left as usize) < pods.len());
        if breaks_budget && by.is_some_and(|by| !by.break_budgets) {
            return Finding::Spared;
        }
        let share = |q: &usize| {
            let min = |r: usize| self.tree.quotas[*q].min[r];
            let of = |r: &usize| Share { over: (ledger.live(*q, *r) - min(*r)).max(0), of: min(*r) };
            source.resources.iter().map(of).max().unwrap_or(Share { over: 0, of: 1 })
        };
        // Those without a quota are guaranteed nothing: over without end (A4).
        let outside = Share { over: 1, of: 0 };
        let overuse = match self.policy.victims {
            VictimOrder::Latest => Vec::new(),
            _ if source.leaf.is_none() => vec![outside],
            _ => below.iter().rev().map(share).collect(),
        };
        let ordinal = pods.last().map_or(0, |pod| pod.ordinal);
        let rank = Rank {
            has_quota: source.leaf.is_some(),
            breaks_budget,
            priority: victim.priority,
            overuse,
            last: (
                Reverse(pods.len() < victim.in_place().len()),
                Reverse(victim.filed.map_or(Time(0), |(.., started)| started)),
                Reverse(victim.id),
                Reverse(ordinal),
            ),
        };
        let min = source.leaf.map_or(0, |leaf| self.tree.quotas[leaf].min[resource]);
        let over = ledger.live(self.row_of_leaf(source.leaf), resource) - min;
        let (leaf, common) = (source.leaf, source.common);
        Finding::Yes(Candidate { workload: victim.id, pods, leaf, common, resource, over, rank })
    }

    /// The reason that an eviction tells.
    pub(super) fn reason(&self, candidate: &Candidate, rule: Rule, cause: Option<WorkloadId>) -> EvictReason {
        EvictReason {
            rule,
            cause,
            leaf: candidate.leaf.map(quota_id),
            common: Some(quota_id(candidate.common)),
            resource: self.tree.governed.get(candidate.resource).cloned(),
            over: candidate.over,
            priority: candidate.rank.priority,
            budget_broken: candidate.rank.breaks_budget && cause.is_some(),
        }
    }
}
