//! Who may be taken from, and who of them goes first (R1, R2, V1).

use crate::api::{
    Floor, Preemption, QuotaId, RespectBudgets, Rule, Time, Unquotaed, VictimOrder, WithinQueuePreemption, WorkloadId,
};
use crate::scheduler::{
    Scheduler,
    cluster::trial::Trial,
    nodes::{NodeSlot, PodRef},
    queue::order::Ratio,
    quota::ledger::{QuotaSlot, cell},
    state::{
        interner::Ask,
        workloads::{Workload, WorkloadSlot},
    },
};
use smallvec::SmallVec;
use std::cmp::{Ordering, Reverse};

/// By which kind victims are looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PreemptionKind {
    /// Across leaves (R2).
    Reclaim,
    /// In the own leaf (R1).
    Priority,
}

impl PreemptionKind {
    pub(crate) const fn rule(self) -> Rule {
        match self {
            Self::Reclaim => Rule::R2,
            Self::Priority => Rule::R1,
        }
    }
}

/// For whom victims are looked for, and how.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Preemptor<'a> {
    pub(crate) slot: WorkloadSlot,
    pub(crate) leaf: QuotaSlot,
    pub(crate) ask: &'a Ask,
    pub(crate) kind: PreemptionKind,
    /// Whether exhausted budgets may be broken (R7).
    pub(crate) break_budgets: bool,
}

pub(crate) type Resources = SmallVec<[usize; 4]>;
pub(crate) type Unit = SmallVec<[PodRef; 1]>;

/// A possible victim: what would be evicted at once, and its place among the victims.
#[derive(Debug, Clone)]
pub(crate) struct Candidate {
    pub(crate) pods: Unit,
    pub(crate) slot: WorkloadSlot,
    pub(crate) leaf: QuotaSlot,
    /// Where its branch and the preemptor's meet.
    pub(crate) common: QuotaSlot,
    /// The contested resource it is taken for.
    pub(crate) resource: Option<usize>,
    /// How far its leaf is above its guarantee in it.
    pub(crate) over: i64,
    pub(crate) rank: Rank,
}

/// The place of a victim (V1): smallest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Rank {
    pub(crate) has_quota: bool,
    pub(crate) breaks_budget: bool,
    pub(crate) priority: i32,
    /// Overuse share from just below the common ancestor down to the leaf.
    pub(crate) overuse: SmallVec<[Ratio; 4]>,
    pub(crate) spare: Reverse<bool>,
    pub(crate) started: Reverse<Time>,
    pub(crate) id: Reverse<WorkloadId>,
    pub(crate) ordinal: Reverse<u32>,
}

/// Overuse shares in the order of victims: the larger goes first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ByOveruse(SmallVec<[Ratio; 4]>);

impl Ord for ByOveruse {
    fn cmp(&self, other: &Self) -> Ordering {
        by_overuse(&self.0, &other.0)
    }
}

impl PartialOrd for ByOveruse {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Larger overuse first, compared level by level; where one path ends, its leaf stands for the levels below.
pub(crate) fn by_overuse(a: &[Ratio], b: &[Ratio]) -> Ordering {
    let at = |shares: &[Ratio], level: usize| shares.get(level).or(shares.last()).copied().unwrap_or_default();
    let levels = 0..a.len().max(b.len());
    levels.map(|level| at(b, level).cmp(&at(a, level))).find(|o| *o != Ordering::Equal).unwrap_or(Ordering::Equal)
}

impl Ord for Rank {
    fn cmp(&self, other: &Self) -> Ordering {
        let first = (self.has_quota, self.breaks_budget, self.priority);
        first
            .cmp(&(other.has_quota, other.breaks_budget, other.priority))
            .then_with(|| by_overuse(&self.overuse, &other.overuse))
            .then_with(|| {
                let last = |rank: &Self| (rank.spare, rank.started, rank.id, rank.ordinal);
                last(self).cmp(&last(other))
            })
    }
}

impl PartialOrd for Rank {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Scheduler {
    /// Whether a preemptor has this kind at all under the policy (R8).
    pub(crate) fn is_enabled(&self, kind: PreemptionKind) -> bool {
        let allowed = match kind {
            PreemptionKind::Reclaim => matches!(self.policy.preemption, Preemption::Auto | Preemption::ReclaimOnly),
            PreemptionKind::Priority => {
                matches!(self.policy.preemption, Preemption::Auto | Preemption::PriorityOnly)
                    && self.policy.within != WithinQueuePreemption::Never
            }
        };
        allowed && (kind == PreemptionKind::Priority || self.policy.reclaim != crate::api::Reclaim::Off)
    }

    /// Whether a quota is above what it is left with (R2b): only then may it be taken from.
    fn is_over(&self, leaf: QuotaSlot, resource: usize) -> bool {
        self.ledger.remaining_usage(leaf, resource) > self.floor(leaf, resource)
    }

    /// The leaves a preemptor may take from for the sake of `resources`, below `scope`: each with the common ancestor and
    /// the resources it is over in on its whole branch (R2). For R1, its own leaf.
    pub(crate) fn victim_leaves(
        &self,
        preemptor: &Preemptor,
        resources: &[usize],
        scope: Option<QuotaSlot>,
    ) -> Vec<VictimLeaf> {
        let mut found = Vec::new();
        if preemptor.kind == PreemptionKind::Priority {
            let resources = resources.iter().copied().collect();
            found.push(VictimLeaf { leaf: preemptor.leaf, common: preemptor.leaf, resources });
            return found;
        }
        if scope == Some(preemptor.leaf) {
            return found;
        }
        let Some(reclaim_scope) = self.reclaim_scope(preemptor.ask, preemptor.leaf) else { return found };
        let mut below = preemptor.leaf;
        for common in self.ledger.path(preemptor.leaf).skip(1) {
            self.branches(common, below, resources, &mut found);
            if Some(common) == scope || common == reclaim_scope {
                break;
            }
            below = common;
        }
        let no_quota = self.ledger.no_quota();
        // They free room, and no quota (R5).
        let everywhere = scope.is_none() && self.ledger.parent(reclaim_scope).is_none();
        if self.policy.unquotaed == Unquotaed::Schedule && everywhere && !self.victims.at(no_quota).is_empty() {
            let resources = resources.iter().copied().collect();
            found.push(VictimLeaf { leaf: no_quota, common: reclaim_scope, resources });
        }
        found
    }

    /// Leaves over their guarantee below `common`, but not below its child `own`. Bit `i` of a mask is `resources[i]`.
    fn branches(&self, common: QuotaSlot, own: QuotaSlot, resources: &[usize], found: &mut Vec<VictimLeaf>) {
        let Some(quota) = self.quota(common) else { return };
        let all = u64::MAX >> (64 - resources.len().clamp(1, 64));
        let mut stack: SmallVec<[(u32, u64); 16]> = SmallVec::new();
        stack.extend(self.tree.children(quota).iter().rev().filter(|q| q.0 != own).map(|q| (q.0, all)));
        while let Some((leaf, mask)) = stack.pop() {
            let mut over = 0;
            for (i, r) in resources.iter().enumerate().take(64) {
                if mask >> i & 1 == 1 && self.is_over(leaf, *r) {
                    over |= 1 << i;
                }
            }
            let children = self.tree.children(QuotaId(leaf));
            if over == 0 {
                continue;
            }
            if children.is_empty() && !self.victims.at(leaf).is_empty() {
                let resources = (0u32..).zip(resources).filter(|(i, _)| over >> i & 1 == 1).map(|(_, r)| *r).collect();
                found.push(VictimLeaf { leaf, common, resources });
            }
            stack.extend(children.iter().rev().map(|q| (q.0, over)));
        }
    }

    /// One leaf as a victim_leaf, as [`victim_leaves`](Self::victim_leaves) would give it, if it would.
    pub(crate) fn victim_leaf(
        &self,
        preemptor: &Preemptor,
        reclaim_scope: Option<QuotaSlot>,
        leaf: QuotaSlot,
        resources: &[usize],
    ) -> Option<VictimLeaf> {
        if preemptor.kind == PreemptionKind::Priority {
            let resources = resources.iter().copied().collect();
            return (leaf == preemptor.leaf).then_some(VictimLeaf { leaf, common: leaf, resources });
        }
        let reclaim_scope = reclaim_scope.filter(|_| leaf != preemptor.leaf)?;
        if leaf == self.ledger.no_quota() {
            let allowed = self.policy.unquotaed == Unquotaed::Schedule && self.ledger.parent(reclaim_scope).is_none();
            let resources = resources.iter().copied().collect();
            return allowed.then_some(VictimLeaf { leaf, common: reclaim_scope, resources });
        }
        let common = self.tree.common(QuotaId(preemptor.leaf), QuotaId(leaf));
        if !self.tree.is_under(common, QuotaId(reclaim_scope)) {
            return None;
        }
        let over = |r: &usize| self.ledger.path(leaf).take_while(|q| *q != common.0).all(|q| self.is_over(q, *r));
        let resources: Resources = resources.iter().copied().filter(over).collect();
        (!resources.is_empty()).then_some(VictimLeaf { leaf, common: common.0, resources })
    }

    /// How early the pods of a victim_leaf would go: its lowest priority, then its overuse (V1).
    pub(crate) fn victim_leaf_order(&self, victim_leaf: &VictimLeaf) -> (bool, i32, ByOveruse) {
        let lowest = self.victims.at(victim_leaf.leaf).first().map_or(i32::MAX, |key| key.0);
        (victim_leaf.leaf != self.ledger.no_quota(), lowest, ByOveruse(self.overuse(victim_leaf)))
    }

    /// Whether R1 or R8 lets this workload, which is filed as a victim, be one of the preemptor.
    fn is_eligible_victim(&self, preemptor: &Preemptor, slot: WorkloadSlot) -> bool {
        let victim = self.workloads.at(slot);
        if self.policy.min_runtime_ms > 0 && victim.started().after_ms(self.policy.min_runtime_ms) > self.now {
            return false;
        }
        preemptor.kind == PreemptionKind::Reclaim || self.is_displaceable(self.workloads.at(preemptor.slot), victim)
    }

    /// Whether one workload of a leaf may displace another (R1).
    pub(crate) fn is_displaceable(&self, by: &Workload, victim: &Workload) -> bool {
        match self.policy.within {
            WithinQueuePreemption::LowerPriority => victim.priority < by.priority,
            WithinQueuePreemption::LowerOrNewerEqual => {
                (victim.priority, Reverse(victim.submitted)) < (by.priority, Reverse(by.submitted))
            }
            WithinQueuePreemption::Never => false,
        }
    }

    /// The first victim of a victim_leaf that helps; counts what it looks at in `steps`.
    ///
    /// Victims stand in the order of what was when the search began, budgets apart. Who has nothing to spare any more, or
    /// would break a budget, may have to go after some who stand behind: they are looked at until one is where it belongs.
    pub(crate) fn first_of(
        &self,
        preemptor: &Preemptor,
        trial: &Trial,
        victim_leaf: &VictimLeaf,
        steps: &mut Steps,
    ) -> Option<Candidate> {
        let mut best: Option<Candidate> = None;
        for key in self.victims.at(victim_leaf.leaf) {
            if !steps.count() {
                break;
            }
            if best.as_ref().is_some_and(|best| !best.rank.breaks_budget && best.rank.priority < key.0) {
                break;
            }
            let Some(candidate) = self.candidate(preemptor, trial, victim_leaf, key.4, None, steps) else { continue };
            let in_place = !candidate.rank.breaks_budget && candidate.rank.spare == key.1;
            best = crate::scheduler::preempt::search::better_candidate(best, Some(candidate));
            if in_place {
                break;
            }
        }
        best
    }

    /// The next unit of one workload of a victim_leaf, if it may be taken and uses what is contested: anywhere, or on a node.
    pub(crate) fn candidate(
        &self,
        preemptor: &Preemptor,
        trial: &Trial,
        victim_leaf: &VictimLeaf,
        slot: WorkloadSlot,
        node: Option<NodeSlot>,
        steps: &mut Steps,
    ) -> Option<Candidate> {
        if !self.is_eligible_victim(preemptor, slot) {
            return None;
        }
        let workload = self.workloads.at(slot);
        let uses = |pod: PodRef, r: usize| cell(self.workloads.governed(pod, &self.interner), r) > 0;
        let helps = |pod: PodRef| {
            let stands = |node| self.workloads.pod(pod).is_some_and(|row| row.spot.node == node);
            node.is_none_or(stands) && victim_leaf.resources.iter().any(|r| uses(pod, *r))
        };
        let pods = self.unit_left(slot, trial, helps);
        let resource = victim_leaf.resources.iter().copied().find(|r| pods.iter().any(|pod| uses(*pod, *r)))?;
        if !pods.iter().any(|pod| helps(*pod)) {
            return None;
        }
        let strict = self.policy.floor == Floor::Strict && preemptor.kind == PreemptionKind::Reclaim;
        if strict && !self.stays_above_floor(&pods, victim_leaf) {
            return None;
        }
        let left = workload.budget.as_ref().and_then(|budget| self.budgets.get(budget));
        let breaks_budget = left.is_some_and(|left| (*left as usize) < pods.len());
        if breaks_budget && !preemptor.break_budgets {
            steps.spared = true;
            return None;
        }
        let ordinal = pods.last().map_or(0, |pod| pod.1);
        let rank = Rank {
            has_quota: victim_leaf.leaf != self.ledger.no_quota(),
            breaks_budget,
            priority: workload.priority,
            overuse: self.overuse(victim_leaf),
            spare: Reverse(pods.len() < self.left_standing(slot, trial)),
            started: Reverse(workload.started()),
            id: Reverse(workload.id),
            ordinal: Reverse(ordinal),
        };
        let over = self.ledger.remaining_usage(victim_leaf.leaf, resource) - self.min(victim_leaf.leaf, resource);
        let (leaf, common, resource) = (victim_leaf.leaf, victim_leaf.common, Some(resource));
        Some(Candidate { pods, slot, leaf, common, resource, over, rank })
    }

    /// What would go at once of a workload, given what is gone already (G2).
    fn unit_left(&self, slot: WorkloadSlot, trial: &Trial, helps: impl Fn(PodRef) -> bool) -> Unit {
        let workload = self.workloads.at(slot);
        let helps = |ordinal| helps((slot, ordinal));
        let unit = if trial.taken() == 0 { workload.unit(helps) } else { self.rest_of(slot, trial).unit(helps) };
        unit.into_iter().map(|ordinal| (slot, ordinal)).collect()
    }

    /// How many of its pods stand, given what is gone already.
    fn left_standing(&self, slot: WorkloadSlot, trial: &Trial) -> usize {
        self.workloads.at(slot).standing().filter(|(ordinal, _)| !trial.has_taken((slot, *ordinal))).count()
    }

    /// A workload without what is taken of it.
    fn rest_of(&self, slot: WorkloadSlot, trial: &Trial) -> Workload {
        let mut rest = self.workloads.at(slot).clone();
        for (ordinal, pod) in (0u32..).zip(rest.pods.iter_mut()) {
            if trial.has_taken((slot, ordinal)) {
                pod.state = None;
            }
        }
        rest
    }

    /// Whether what is taken of a workload would leave it running below its minimum (G2).
    pub(crate) fn splits(&self, trial: &Trial, slot: WorkloadSlot) -> bool {
        let rest = self.rest_of(slot, trial);
        rest.standing().next().is_some() && rest.below_minimum() && !self.workloads.at(slot).below_minimum()
    }

    fn stays_above_floor(&self, pods: &[PodRef], victim_leaf: &VictimLeaf) -> bool {
        let enough = |q: QuotaSlot, r: usize| {
            let uses: i64 = pods.iter().filter_map(|p| self.workloads.governed(*p, &self.interner).get(r)).sum();
            self.ledger.remaining_usage(q, r) - uses >= self.floor(q, r)
        };
        self.branch(victim_leaf).all(|q| victim_leaf.resources.iter().all(|r| enough(q, *r)))
    }

    /// The quotas from the leaf up to just below the common ancestor.
    fn branch(&self, victim_leaf: &VictimLeaf) -> impl Iterator<Item = QuotaSlot> + '_ {
        let common = victim_leaf.common;
        let own = victim_leaf.leaf == victim_leaf.common;
        self.ledger.path(victim_leaf.leaf).take_while(move |q| *q != common).take(if own { 0 } else { usize::MAX })
    }

    /// Overuse shares from just below the common ancestor down to the leaf, in the worst contested resource (V1).
    fn overuse(&self, victim_leaf: &VictimLeaf) -> SmallVec<[Ratio; 4]> {
        if self.policy.victims == VictimOrder::Latest {
            return SmallVec::new();
        }
        let share = |q: QuotaSlot| {
            let ratio = |r: &usize| Ratio {
                over: (self.ledger.remaining_usage(q, *r) - self.min(q, *r)).max(0),
                of: self.min(q, *r),
            };
            victim_leaf.resources.iter().map(ratio).max().unwrap_or_default()
        };
        let mut shares: SmallVec<[Ratio; 4]> = self.branch(victim_leaf).map(share).collect();
        shares.reverse();
        shares
    }

    /// A workload of this priority has become a victim: who could displace it is tried again (R1).
    pub(crate) fn wake_displacers(&mut self, leaf: QuotaSlot, priority: i32) {
        if !self.is_enabled(PreemptionKind::Priority) {
            return;
        }
        let equal = self.policy.within == WithinQueuePreemption::LowerOrNewerEqual;
        let able = |key: crate::scheduler::queue::order::Key| {
            key.priority.0 > priority || (equal && key.priority.0 == priority)
        };
        let cells: SmallVec<[crate::scheduler::queue::pending::RequestQueue; 4]> =
            self.pending.queues_of(leaf).filter(|cell| self.pending.head(*cell).is_some_and(able)).collect();
        for cell in cells {
            self.pending.wake(cell);
        }
    }

    /// Whether exhausted budgets may be broken where there is no other way (R7).
    pub(crate) fn may_break_budgets(&self) -> bool {
        self.policy.respect_budgets == RespectBudgets::Prefer
    }
}

/// A leaf that may be taken from.
#[derive(Debug, Clone)]
pub(crate) struct VictimLeaf {
    pub(crate) leaf: QuotaSlot,
    pub(crate) common: QuotaSlot,
    pub(crate) resources: Resources,
}

/// Counted steps of one search.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Steps {
    left: u32,
    /// Whether the count ran out.
    pub(crate) exhausted: bool,
    /// Whether a budget spared somebody.
    pub(crate) spared: bool,
    /// Whether there were more nodes than may be tried.
    pub(crate) more_nodes: bool,
}

impl Steps {
    pub(crate) const fn new(most: u32) -> Self {
        Self { left: most, exhausted: false, spared: false, more_nodes: false }
    }

    pub(crate) fn count(&mut self) -> bool {
        self.exhausted |= self.left == 0;
        self.left = self.left.saturating_sub(1);
        !self.exhausted
    }
}
