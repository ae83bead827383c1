//! Which pods may be evicted, and in which order (R1, R2b, R2c, R5, R7, V1).

use super::{
    admission::quota_id,
    ledger::Ledger,
    order::Share,
    state::{Ask, Reference, Workload},
};
use quotree_core::{EvictReason, Floor, Name, NodeId, PodId, Rule, Time, Unquotaed, VictimOrder, WorkloadId};
use std::cmp::{Ordering, Reverse};

/// The kind of preemption.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PreemptionKind {
    Reclaim,
    Priority,
}

/// The workload for which victims are searched.
#[derive(Debug, Clone)]
pub(super) struct Preemptor {
    pub(super) id: WorkloadId,
    pub(super) leaf: usize,
    pub(super) ask: Ask,
    pub(super) kind: PreemptionKind,
    pub(super) break_budgets: bool,
}

/// A leaf whose pods may be evicted (`None`: pods without a quota).
#[derive(Debug, Clone)]
pub(super) struct VictimLeaf {
    pub(super) leaf: Option<usize>,
    pub(super) common: usize,
    /// The governed resources for which they may be taken: a victim uses one of them. For R2 those contested ones in
    /// which the whole branch is over (R2b).
    pub(super) resources: Vec<usize>,
    /// What is lacking, governed or not: one of the pods evicted together uses some of it (R5).
    pub(super) lacking: Vec<Name>,
}

/// The rank of a victim (V1): the smallest is evicted first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Rank {
    has_quota: bool,
    pub(super) breaks_budget: bool,
    pub(super) priority: i32,
    /// From just below the common ancestor down to the leaf; the larger goes first.
    pub(super) overuse: Vec<Share>,
    /// Whether its gang stays at its minimum or above (G2), when it started, its id.
    last: (Reverse<bool>, Reverse<Time>, Reverse<WorkloadId>, Reverse<u32>),
}

/// The larger overuse first, level by level from the top; a shorter branch repeats its leaf for the levels below.
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

/// Pods that would be evicted together.
#[derive(Debug, Clone)]
pub(super) struct Candidate {
    pub(super) workload: WorkloadId,
    pub(super) pods: Vec<PodId>,
    pub(super) leaf: Option<usize>,
    pub(super) common: usize,
    pub(super) resource: Option<Name>,
    pub(super) over: i64,
    pub(super) rank: Rank,
}

/// Whether a workload may be evicted.
pub(super) enum Eligibility {
    No,
    /// Only its exhausted budget protects it (R7).
    BudgetExhausted,
    Yes(Candidate),
}

impl Reference {
    /// The leaves whose pods a preemptor may evict for what is lacking. With a `scope`, only below that quota (R5).
    pub(super) fn victim_leaves(
        &self,
        ledger: &Ledger,
        by: &Preemptor,
        lacking: &[Name],
        scope: Option<usize>,
    ) -> Vec<VictimLeaf> {
        let reclaim_scope = self.reclaim_scope(ledger, &by.ask, Some(by.leaf));
        self.victim_leaves_within(ledger, by, lacking, scope, reclaim_scope)
    }

    /// The same, as if the preemptor might reclaim as far up as `reclaim_scope`.
    pub(super) fn victim_leaves_within(
        &self,
        ledger: &Ledger,
        by: &Preemptor,
        lacking: &[Name],
        scope: Option<usize>,
        reclaim_scope: Option<usize>,
    ) -> Vec<VictimLeaf> {
        let governed = |r: &Name| self.tree.governed.iter().position(|g| g == r);
        let known: Vec<usize> = lacking.iter().filter_map(governed).collect();
        let from = |leaf, common, resources| VictimLeaf { leaf, common, resources, lacking: lacking.to_vec() };
        if by.kind == PreemptionKind::Priority {
            return vec![from(Some(by.leaf), by.leaf, known)];
        }
        let Some(reclaim_scope) = reclaim_scope else { return Vec::new() };
        let contested = self.contested(&by.ask, &known);
        let mut found = Vec::new();
        for leaf in self.tree.leaves().filter(|leaf| *leaf != by.leaf) {
            let common = self.tree.common(by.leaf, leaf);
            if !self.tree.is_under(common, reclaim_scope)
                || scope.is_some_and(|scope| !self.tree.is_under(common, scope))
            {
                continue;
            }
            let over = |q: usize, r: usize| ledger.live(q, r) > self.floor(q, r);
            let branch = |r: &usize| self.branch(leaf, common).all(|q| over(q, *r));
            let resources: Vec<usize> = contested.iter().copied().filter(branch).collect();
            if !resources.is_empty() {
                found.push(from(Some(leaf), common, resources));
            }
        }
        if self.policy.unquotaed == Unquotaed::Schedule && scope.is_none() && reclaim_scope == 0 {
            found.push(from(None, reclaim_scope, known));
        }
        found
    }

    /// The contested resources (R2b): the counted ones that are lacking or, if none of these is counted, those that the
    /// ask requests.
    fn contested(&self, ask: &Ask, lacking: &[usize]) -> Vec<usize> {
        let counted: Vec<usize> = lacking.iter().copied().filter(|r| self.tree.counted[*r]).collect();
        if counted.is_empty() { self.requested_counted(ask).into_iter().map(|(r, _)| r).collect() } else { counted }
    }

    /// The quotas from a leaf up to just below an ancestor.
    pub(super) fn branch(&self, leaf: usize, common: usize) -> impl Iterator<Item = usize> + '_ {
        self.tree.path(leaf).take_while(move |q| *q != common)
    }

    /// Whether R1 and R2(c) allow the workload as a victim. There is no preemptor when a max is enforced (T4).
    pub(super) fn is_eligible(&self, by: Option<&Preemptor>, victim: &Workload) -> bool {
        let least = self.policy.min_runtime_ms;
        let Some((.., started)) = victim.victim_rank else { return false };
        let protected = least > 0 && started.after_ms(least) > self.now;
        if protected || by.is_some_and(|by| by.id == victim.id) {
            return false;
        }
        let Some(by) = by.filter(|by| by.kind == PreemptionKind::Priority).map(|by| self.workload(by.id)) else {
            return true;
        };
        self.goes_before(by, victim)
    }

    /// The pods of a workload that would be evicted next, if it may be evicted and they use what is missing: anywhere,
    /// or on a node.
    pub(super) fn candidate(
        &self,
        ledger: &Ledger,
        by: Option<&Preemptor>,
        from: &VictimLeaf,
        victim: &Workload,
        node: Option<NodeId>,
    ) -> Eligibility {
        if victim.leaf != from.leaf || !self.is_eligible(by, victim) {
            return Eligibility::No;
        }
        let helps = |ordinal: u32| {
            let pod = &victim.pods[ordinal as usize];
            let request = &victim.sets[pod.set].template.request;
            node.is_none_or(|node| pod.assignment.is_some_and(|assignment| assignment.node == node))
                && from.lacking.iter().any(|r| request.get(r.as_str()).unwrap_or(0) > 0)
        };
        let pods: Vec<PodId> = victim.eviction_unit(helps).into_iter().map(|ordinal| victim.id.pod(ordinal)).collect();
        if !pods.iter().any(|pod| helps(pod.ordinal)) {
            return Eligibility::No;
        }
        let rows: Vec<Vec<i64>> = pods.iter().map(|pod| self.row(self.template(*pod))).collect();
        let uses = |r: usize| rows.iter().map(|row| row[r]).sum::<i64>();
        // By R2 it uses something that is contested (R2b). Others may use nothing but what no quota names.
        let resource = from.resources.iter().copied().find(|r| uses(*r) > 0);
        let guarded = by.is_some_and(|by| by.kind == PreemptionKind::Reclaim) && from.leaf.is_some();
        if guarded && resource.is_none() {
            return Eligibility::No;
        }
        let below: Vec<usize> = from.leaf.into_iter().flat_map(|leaf| self.branch(leaf, from.common)).collect();
        let strict = self.policy.floor == Floor::Strict && by.is_none_or(|by| by.kind == PreemptionKind::Reclaim);
        let stays = |q: &usize| from.resources.iter().all(|r| ledger.live(*q, *r) - uses(*r) >= self.floor(*q, *r));
        if strict && !below.iter().all(stays) {
            return Eligibility::No;
        }
        let left = victim.budget.as_ref().and_then(|budget| self.budgets.get(budget));
        let breaks_budget = left.is_some_and(|left| (*left as usize) < pods.len());
        if breaks_budget && by.is_some_and(|by| !by.break_budgets) {
            return Eligibility::BudgetExhausted;
        }
        let share = |q: &usize| {
            let min = |r: usize| self.tree.quotas[*q].min[r];
            let of = |r: &usize| Share { over: (ledger.live(*q, *r) - min(*r)).max(0), of: min(*r) };
            from.resources.iter().map(of).max().unwrap_or(Share { over: 0, of: 1 })
        };
        // Pods without a quota have no guarantee: their overuse is infinite (A4).
        let outside = Share { over: 1, of: 0 };
        let overuse = match self.policy.victims {
            VictimOrder::Latest => Vec::new(),
            _ if from.leaf.is_none() => vec![outside],
            _ => below.iter().rev().map(share).collect(),
        };
        let ordinal = pods.last().map_or(0, |pod| pod.ordinal);
        let rank = Rank {
            has_quota: from.leaf.is_some(),
            breaks_budget,
            priority: victim.priority,
            overuse,
            last: (
                Reverse(pods.len() < victim.in_place().len()),
                Reverse(victim.victim_rank.map_or(Time(0), |(.., started)| started)),
                Reverse(victim.id),
                Reverse(ordinal),
            ),
        };
        // What it is evicted for: by R2 what is contested, else the first of what is lacking.
        let used = || from.lacking.iter().find(|r| pods.iter().any(|pod| self.requests(*pod, r) > 0)).cloned();
        let contested = resource.filter(|_| guarded).and_then(|r| self.tree.governed.get(r).cloned());
        let name = contested.or_else(used);
        let resource = self.tree.governed.iter().position(|g| Some(g) == name.as_ref());
        let min = |r: usize| from.leaf.map_or(0, |leaf| self.tree.quotas[leaf].min[r]);
        let over = resource.map_or(0, |r| ledger.live(self.row_of_leaf(from.leaf), r) - min(r));
        let (leaf, common) = (from.leaf, from.common);
        Eligibility::Yes(Candidate { workload: victim.id, pods, leaf, common, resource: name, over, rank })
    }

    fn requests(&self, pod: PodId, resource: &Name) -> i64 {
        self.template(pod).request.get(resource.as_str()).unwrap_or(0)
    }

    /// The reason of an eviction.
    pub(super) fn reason(&self, candidate: &Candidate, rule: Rule, cause: Option<WorkloadId>) -> EvictReason {
        EvictReason {
            rule,
            chosen_by: Rule::V1,
            cause,
            leaf: candidate.leaf.map(quota_id),
            common: Some(quota_id(candidate.common)),
            resource: candidate.resource.clone(),
            over: candidate.over,
            priority: candidate.rank.priority,
            budget_broken: candidate.rank.breaks_budget && cause.is_some(),
        }
    }
}
