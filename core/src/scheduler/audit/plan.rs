//! Checks a plan by the rules (I3, I4, I5). Its actions are applied in order to [`Books`], which are independent of the
//! scheduler's ledger and of its search.

use super::{
    books::{Amount, Books, Victim, add, add_at, at},
    breach::{Breach, breach},
};
use crate::{
    api::{
        Action, BorrowWhilePreempting, Floor, NodeId, Plan, PodId, Preemption, QuotaId, Reclaim, Rule,
        WithinQueuePreemption, WorkloadId,
    },
    scheduler::{
        Scheduler,
        cluster::Cluster,
        state::{NodeSlot, amount_of},
    },
    tree::UNLIMITED,
};
use std::collections::BTreeMap;

/// Checks a plan against the state it was made from: every victim may be evicted (I3), each preemptor may be placed
/// once its victims are gone (I4), and no victim can be spared (I5).
///
/// I5 is not checked where sums of amounts do not decide whether a pod fits, or may be evicted: with devices, resources
/// that no quota governs, lending limits, job limits or fair shares.
#[must_use]
pub fn audit_plan(before: &Scheduler, plan: &Plan) -> Vec<Breach> {
    let mut found = Vec::new();
    let mut books = Books::open(&before.cluster);
    let mut victims_of: BTreeMap<WorkloadId, Vec<Victim<'_>>> = BTreeMap::new();
    for action in &plan.actions {
        match action {
            Action::Bind { pod, node, reason, .. } => books.bind(*pod, *node, reason.held),
            Action::Evict { pod, reason } => match (books.victim(*pod, reason), reason.cause) {
                (Some(victim), Some(cause)) => victims_of.entry(cause).or_default().push(victim),
                (Some(victim), None) => books.evict_for_nobody(&victim),
                (None, _) => found.push(breach(3, format!("{pod} is evicted, but no such pod is running"))),
            },
            Action::Hold { workload, spots, victims } => {
                let evicted = victims_of.remove(workload).unwrap_or_default();
                // A hold may also wait for pods that were terminating already.
                if evicted.len() > *victims as usize {
                    let what =
                        format!("{workload} waits for {victims} victims, but {} are evicted for it", evicted.len());
                    found.push(breach(4, what));
                }
                let placed = books.placed(spots);
                judge(&books, *workload, &placed, &evicted, &mut found);
                books.hold(*workload, &placed, &evicted);
            }
            // Only the state after it shows what becomes of the room of an ended hold.
            Action::Release { .. } => return found,
        }
    }
    for (cause, evicted) in victims_of.iter().filter(|(_, evicted)| !evicted.is_empty()) {
        found.push(breach(4, format!("{} pods are evicted for {cause}, which gets no hold", evicted.len())));
    }
    found
}

/// Checks the victims of one preemptor.
fn judge(
    books: &Books<'_>,
    cause: WorkloadId,
    placed: &[(NodeId, Amount)],
    victims: &[Victim<'_>],
    found: &mut Vec<Breach>,
) {
    let workloads = &books.before.workloads;
    let (Some(slot), Some(leaf)) = (workloads.slot(cause), books.leaf(cause)) else {
        found.push(breach(3, format!("pods are evicted for {cause}, which has no quota (A4)")));
        return;
    };
    let by = workloads.at(slot);
    let case = Case { books, leaf, priority: by.priority, may_evict: by.may_evict, placed };
    if let Err(why) = case.is_legal(&victims.iter().collect::<Vec<_>>(), true) {
        found
            .push(breach(4, format!("{} are evicted for {cause}, which is not placed by that: {why}", names(victims))));
    }
    case.judge_eligibility(cause, victims, found);
    case.judge_guarantees(victims, found);
    if sums_decide(books.before) {
        case.judge_minimal(cause, victims, found);
    }
}

/// A workload that evicts: its leaf and priority, and where its pods will be placed.
struct Case<'a, 'b> {
    books: &'a Books<'b>,
    leaf: QuotaId,
    priority: i32,
    may_evict: bool,
    placed: &'a [(NodeId, Amount)],
}

impl Case<'_, '_> {
    /// No victim is protected by its own properties or by policy (I3).
    fn judge_eligibility(&self, cause: WorkloadId, victims: &[Victim<'_>], found: &mut Vec<Breach>) {
        let (policy, workloads) = (&self.books.before.policy, &self.books.before.workloads);
        for victim in victims {
            let Some(other) = workloads.slot(victim.pod.workload) else { continue };
            let other = workloads.at(other);
            let same_leaf = victim.leaf == Some(self.leaf);
            if !self.may_evict {
                found.push(breach(3, format!("{} is evicted for {cause}, which evicts nobody (R9)", victim.pod)));
            }
            if !other.preemptible {
                found.push(breach(3, format!("{} is evicted for {cause}, and is not preemptible (R2(c))", victim.pod)));
            }
            let lower = policy.within != WithinQueuePreemption::LowerPriority || other.priority < self.priority;
            if same_leaf && !lower {
                found.push(breach(
                    3,
                    format!("{} is evicted for {cause} of its leaf, and its priority is not lower (R1)", victim.pod),
                ));
            }
            let disabling = if same_leaf { Preemption::ReclaimOnly } else { Preemption::PriorityOnly };
            if policy.preemption == disabling || policy.preemption == Preemption::None {
                found.push(breach(
                    3,
                    format!("{} is evicted for {cause}, which the knob `preemption` forbids (R8)", victim.pod),
                ));
            }
        }
    }

    /// Whether the workload may be placed with these victims gone: by A1, by the clause of R1, by R2(a), and by room
    /// where its pods will be placed. `counted_on` says whether other terminating pods count as gone.
    fn is_legal(&self, victims: &[&Victim<'_>], counted_on: bool) -> Result<(), String> {
        let (books, leaf) = (self.books, self.leaf);
        let (tree, policy) = (&books.before.quotas.tree, &books.before.policy);
        let mut request = Amount::new();
        self.placed.iter().for_each(|(_, amounts)| add(&mut request, amounts, 1));
        let within = victims.iter().any(|v| v.leaf == Some(leaf)) && policy.growth == BorrowWhilePreempting::Refused;
        for quota in tree.path(leaf) {
            let mut gone = Amount::new();
            victims.iter().filter(|v| books.is_under(v, quota)).for_each(|v| add(&mut gone, &v.request, 1));
            // Pods without a quota are beside all leaves: the guarantee of the root matters only where it is the leaf.
            let below_common = |v: &Victim<'_>| v.leaf.is_some() || tree.parent(quota).is_some() || quota == leaf;
            let reclaims = policy.reclaim == Reclaim::Min
                && victims.iter().any(|v| v.leaf != Some(leaf) && !books.is_under(v, quota) && below_common(v));
            for (r, n) in request.iter().enumerate().filter(|(_, n)| **n > 0) {
                let (min, max) = (amount_of(tree.min(quota), r), amount_of(tree.max(quota), r));
                let (remaining, held) = (at(&books.remaining, quota, r), at(&books.held, quota, r));
                let (gone, name) = (amount_of(&gone, r), tree.name(quota));
                let before = remaining.saturating_add(held);
                let after = before.saturating_sub(gone).saturating_add(*n);
                let charged = at(&books.charged, quota, r).saturating_sub(gone).saturating_add(*n);
                let counts = if counted_on { after } else { charged };
                if max != UNLIMITED && counts > max {
                    return Err(format!("A1: {name} would be charged {counts}, and its max is {max}"));
                }
                // What nobody is guaranteed counts in A1 alone (Q5).
                if !books.before.quotas.counts(r) {
                    continue;
                }
                if within && after > min.max(before) {
                    return Err(format!("R1: {name} would grow from {before} to {after}, above its min {min}"));
                }
                let rest = before.saturating_sub(gone);
                let reaches_down = gone > 0 && rest.saturating_add(largest(victims, r, counted_on)) <= min;
                // To decide that a victim could be spared, pods that would go first are not relied on.
                let first = if counted_on { self.goes_first(r, victims) } else { 0 };
                if within && after > min && reaches_down && rest.saturating_sub(first).saturating_add(*n) > min {
                    return Err(format!(
                        "R1: {name} would lose {gone} of {before} to a workload that borrows, and its min is {min}"
                    ));
                }
                if reclaims && after > min {
                    return Err(format!("R2(a): {name} would use and hold {after}, above its min {min}"));
                }
            }
        }
        self.has_room(victims, counted_on)
    }

    /// What the preemptible pods of lower priority in the leaf use, without the victims of the plan: other leaves would
    /// reclaim from them before they reclaim from the preemptor.
    fn goes_first(&self, resource: usize, victims: &[&Victim<'_>]) -> i64 {
        let workloads = &self.books.before.workloads;
        let mut sum = 0i64;
        for slot in workloads.sorted() {
            let other = workloads.at(slot);
            if other.leaf != self.leaf.into() || other.priority >= self.priority || !other.preemptible {
                continue;
            }
            for (ordinal, _) in other.active() {
                let pod = other.id.pod(ordinal);
                if !victims.iter().any(|victim| victim.pod == pod) {
                    sum = sum.saturating_add(amount_of(workloads.governed(slot.pod(ordinal)), resource));
                }
            }
        }
        sum
    }

    fn has_room(&self, victims: &[&Victim<'_>], counted_on: bool) -> Result<(), String> {
        for node in self.placed.iter().map(|(node, _)| node) {
            let mut left = self.books.free.get(node).cloned().unwrap_or_default();
            if let Some(terminating) = self.books.terminating.get(node).filter(|_| counted_on) {
                add(&mut left, terminating, 1);
            }
            victims.iter().filter(|v| v.node == *node).for_each(|v| add(&mut left, &v.request, 1));
            // What is not requested may be lacking already: a pod was found there that uses it (E1).
            let mut requested = Amount::new();
            self.placed.iter().filter(|(on, _)| on == node).for_each(|(_, request)| add(&mut requested, request, 1));
            add(&mut left, &requested, -1);
            if left.iter().zip(&requested).any(|(left, requested)| *requested > 0 && *left < 0) {
                return Err(format!("P1: {node} lacks room, since {left:?} would be free"));
            }
        }
        Ok(())
    }

    /// When a victim is reclaimed, every quota on its branch is above its guarantee (R2(b)).
    fn judge_guarantees(&self, victims: &[Victim<'_>], found: &mut Vec<Breach>) {
        let before = self.books.before;
        let tree = &before.quotas.tree;
        let mut remaining = self.books.remaining.clone();
        let mut seen: Vec<WorkloadId> = Vec::new();
        let is_judged = before.policy.reclaim == Reclaim::Min;
        for victim in victims {
            let Some(from) = victim.leaf else { continue };
            let common = tree.common(self.leaf, from);
            let over_in = |(r, n): (usize, &i64)| {
                let loses = if before.policy.floor == Floor::Strict { *n } else { 1 };
                let mut below = tree.path(from).take_while(|q| *q != common);
                let counts = before.quotas.counts(r);
                counts
                    && *n > 0
                    && below.all(|q| at(&remaining, q, r).saturating_sub(loses) >= amount_of(tree.min(q), r))
            };
            // A gang is evicted as one (G1): members that use nothing of what is missing go with those that do.
            let first = !seen.contains(&victim.pod.workload);
            let members = || victims.iter().filter(|other| other.pod.workload == victim.pod.workload);
            let is_over = || members().any(|member| member.request.iter().enumerate().any(over_in));
            if is_judged && first && victim.reason.rule == Rule::R2 && !is_over() {
                let what =
                    format!("{} is reclaimed, and a quota on its branch is not above its min (R2(b))", victim.pod);
                found.push(breach(3, what));
            }
            seen.push(victim.pod.workload);
            for quota in tree.path(from) {
                add_at(&mut remaining, quota, &victim.request, -1);
            }
        }
    }

    /// No victim can be spared; a gang is spared as a whole.
    fn judge_minimal(&self, cause: WorkloadId, victims: &[Victim<'_>], found: &mut Vec<Breach>) {
        let workloads = &self.books.before.workloads;
        let is_gang = |pod: PodId| {
            let min = |slot| workloads.at(slot).sets.iter().map(|set| u64::from(set.min)).sum::<u64>();
            workloads.slot(pod.workload).is_some_and(|slot| min(slot) > 1)
        };
        for spared in victims {
            let goes_with = |v: &Victim<'_>| {
                if is_gang(spared.pod) { v.pod.workload == spared.pod.workload } else { v.pod == spared.pod }
            };
            let rest: Vec<&Victim<'_>> = victims.iter().filter(|v| !goes_with(v)).collect();
            if self.is_legal(&rest, false).is_ok() {
                found.push(breach(
                    5,
                    format!("{} are evicted for {cause}, which fits without {}", names(victims), spared.pod),
                ));
            }
        }
    }
}

/// Whether sums of governed resources decide which pods may be placed where.
fn sums_decide(before: &Cluster) -> bool {
    let (quotas, nodes) = (&before.quotas, &before.nodes);
    let is_plain = |q: QuotaId| quotas.tree.spec(q).is_none_or(|spec| spec.lend.is_none() && spec.max_jobs.is_none());
    let no_devices = |node: NodeSlot| nodes.at(node).devices.is_empty();
    let all_governed = |node: NodeSlot| nodes.at(node).total.iter().skip(quotas.tree.width()).all(|n| *n == 0);
    nodes.sorted().into_iter().all(|node| no_devices(node) && all_governed(node))
        && before.policy.reclaim != Reclaim::FairShare
        && quotas.tree.ids().all(is_plain)
}

/// The most that one eviction frees. With `at_most`, an upper bound: all victims of one workload together. Otherwise a
/// lower bound: one pod.
fn largest(victims: &[&Victim<'_>], resource: usize, at_most: bool) -> i64 {
    let mut sums: BTreeMap<(WorkloadId, u32), i64> = BTreeMap::new();
    for victim in victims {
        let unit = (victim.pod.workload, if at_most { 0 } else { victim.pod.ordinal });
        *sums.entry(unit).or_default() += amount_of(&victim.request, resource);
    }
    sums.into_values().max().unwrap_or(0)
}

fn names(victims: &[Victim<'_>]) -> String {
    let name = |v: &Victim<'_>| format!("{} ({})", v.pod, v.reason.rule);
    victims.iter().map(name).collect::<Vec<_>>().join(", ")
}
