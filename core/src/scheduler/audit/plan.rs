//! A plan judged by the letter of the rules (I3, I4, I5): its actions are walked in order over books of their own, which
//! are opened from the state before the plan. How the scheduler searches, this does not know.

use crate::scheduler::audit::{Breach, breach};
use crate::{
    api::{
        Action, BorrowWhilePreempting, EvictReason, Floor, NodeId, Plan, PodId, Preemption, QuotaId, Reclaim, Rule,
        WithinQueuePreemption, WorkloadId,
    },
    scheduler::{PodState, Scheduler, quota::ledger::cell},
    tree::UNLIMITED,
};
use std::collections::BTreeMap;

/// Amounts of the governed resources, in the tree's order.
type Amount = Vec<i64>;

/// Checks a plan against the state it was made from: nobody is taken from who must not be (I3), what is evicted makes its
/// cause legal to place (I4), and no victim can be spared (I5).
///
/// I5 is not judged where sums do not tell whether a pod fits, or may be taken: with devices, resources that no quota governs,
/// lending limits, job limits or fair shares.
#[must_use]
pub fn audit_plan(before: &Scheduler, plan: &Plan) -> Vec<Breach> {
    let mut found = Vec::new();
    let mut books = Books::open(before);
    let mut groups: BTreeMap<WorkloadId, Vec<Victim<'_>>> = BTreeMap::new();
    for action in &plan.actions {
        match action {
            Action::Bind { pod, node, reason, .. } => books.bind(*pod, *node, reason.held),
            Action::Evict { pod, reason } => match (books.victim(*pod, reason), reason.cause) {
                (Some(victim), Some(cause)) => groups.entry(cause).or_default().push(victim),
                (Some(victim), None) => books.leave_for_nobody(&victim),
                (None, _) => found.push(breach(3, format!("{pod} is evicted, but no such pod stands"))),
            },
            Action::Hold { workload, spots, victims } => {
                let group = groups.remove(workload).unwrap_or_default();
                // Pods that leave for nobody any more may be waited for, too.
                if group.len() > *victims as usize {
                    let what = format!("{workload} holds for {victims} victims, {} are evicted", group.len());
                    found.push(breach(4, what));
                }
                let placed = books.placed(spots);
                books.judge(*workload, &placed, &group, &mut found);
                books.hold(*workload, &placed, &group);
            }
            // What the room of an ended hold becomes, only the state after it tells.
            Action::Release { .. } => return found,
        }
    }
    for (cause, group) in groups.iter().filter(|(_, group)| !group.is_empty()) {
        found.push(breach(4, format!("{} pods are evicted for {cause}, which holds nothing", group.len())));
    }
    found
}

/// A pod that the plan evicts.
struct Victim<'a> {
    pod: PodId,
    node: NodeId,
    /// None of those without a quota.
    leaf: Option<QuotaId>,
    asks: Amount,
    reason: &'a EvictReason,
}

/// What stands where, kept up while the actions of a plan are walked.
struct Books<'a> {
    before: &'a Scheduler,
    /// Use without what is leaving (R2(b)), by quota.
    remaining_usage: Vec<Amount>,
    /// What holds will use (R2(a)).
    held: Vec<Amount>,
    /// What admission counts (A1).
    charged: Vec<Amount>,
    /// What is neither used nor kept, by node.
    free: BTreeMap<NodeId, Amount>,
    /// What pods that are leaving already will free, by node; for whom, is not asked.
    leaving: BTreeMap<NodeId, Amount>,
}

impl<'a> Books<'a> {
    fn open(before: &'a Scheduler) -> Self {
        let width = before.tree.width();
        let row = |of: &dyn Fn(u32, usize) -> i64, q: QuotaId| (0..width).map(|r| of(q.0, r)).collect();
        let table = |of: &dyn Fn(u32, usize) -> i64| before.tree.ids().map(|q| row(of, q)).collect();
        let mut free = BTreeMap::new();
        let mut leaving: BTreeMap<NodeId, Amount> = BTreeMap::new();
        for slot in before.nodes.sorted() {
            let node = before.nodes.at(slot);
            free.insert(node.id, (0..width).map(|r| cell(&node.free, r) - cell(&node.reserved, r)).collect());
        }
        for slot in before.workloads.sorted() {
            for ordinal in before.workloads.at(slot).in_state(PodState::Leaving) {
                let Some(pod) = before.workloads.pod((slot, ordinal)) else { continue };
                let asks = before.workloads.governed((slot, ordinal), &before.interner);
                add(leaving.entry(before.nodes.at(pod.spot.node).id).or_default(), asks, 1);
            }
        }
        Self {
            before,
            remaining_usage: table(&|q, r| before.ledger.remaining_usage(q, r)),
            held: table(&|q, r| cell(before.ledger.held.row(q), r)),
            charged: table(&|q, r| before.ledger.charged(q, r)),
            free,
            leaving,
        }
    }

    fn leaf(&self, workload: WorkloadId) -> Option<QuotaId> {
        let slot = self.before.workloads.slot(workload)?;
        self.before.quota(self.before.workloads.at(slot).leaf)
    }

    fn asks(&self, pod: PodId) -> Amount {
        let slot = self.before.workloads.slot(pod.workload);
        slot.map_or_else(Vec::new, |slot| {
            self.before.workloads.governed((slot, pod.ordinal), &self.before.interner).to_vec()
        })
    }

    fn victim<'r>(&self, pod: PodId, reason: &'r EvictReason) -> Option<Victim<'r>> {
        let slot = self.before.workloads.slot(pod.workload)?;
        let row = self.before.workloads.pod((slot, pod.ordinal)).filter(|row| row.stands())?;
        let node = self.before.nodes.at(row.spot.node).id;
        Some(Victim { pod, node, leaf: self.leaf(pod.workload), asks: self.asks(pod), reason })
    }

    fn path(&self, leaf: Option<QuotaId>) -> impl Iterator<Item = QuotaId> + 'a {
        let tree = &self.before.tree;
        leaf.into_iter().flat_map(|leaf| tree.path(leaf))
    }

    fn bind(&mut self, pod: PodId, node: NodeId, held: bool) {
        let (leaf, asks) = (self.leaf(pod.workload), self.asks(pod));
        for quota in self.path(leaf) {
            on(&mut self.remaining_usage, quota, &asks, 1);
            if held {
                // Its victims are gone: what it is charged, it was charged as a hold.
                on(&mut self.held, quota, &asks, -1);
            } else {
                on(&mut self.charged, quota, &asks, 1);
            }
        }
        if !held {
            add(self.free.entry(node).or_default(), &asks, -1);
        }
    }

    fn leave(&mut self, victim: &Victim<'_>) {
        for quota in self.path(victim.leaf) {
            on(&mut self.remaining_usage, quota, &victim.asks, -1);
        }
    }

    /// Evicted for no workload (G3, T4): later holds of the plan may count on its room.
    fn leave_for_nobody(&mut self, victim: &Victim<'_>) {
        self.leave(victim);
        add(self.leaving.entry(victim.node).or_default(), &victim.asks, 1);
    }

    /// The pods that a hold will place, with their nodes.
    fn placed(&self, spots: &[(PodId, NodeId)]) -> Vec<(NodeId, Amount)> {
        spots.iter().map(|(pod, node)| (*node, self.asks(*pod))).collect()
    }

    /// A hold any_lend_limit what it needs beyond what its victims still use.
    fn hold(&mut self, workload: WorkloadId, placed: &[(NodeId, Amount)], group: &[Victim<'_>]) {
        for quota in self.path(self.leaf(workload)) {
            let mut beyond = Amount::new();
            placed.iter().for_each(|(_, asks)| add(&mut beyond, asks, 1));
            on(&mut self.held, quota, &beyond, 1);
            group.iter().filter(|v| self.is_under(v, quota)).for_each(|v| add(&mut beyond, &v.asks, -1));
            beyond.iter_mut().for_each(|n| *n = (*n).max(0));
            on(&mut self.charged, quota, &beyond, 1);
        }
        let mut missing: BTreeMap<NodeId, Amount> = BTreeMap::new();
        for (node, asks) in placed {
            add(missing.entry(*node).or_default(), asks, 1);
        }
        for victim in group {
            self.leave(victim);
            if let Some(row) = missing.get_mut(&victim.node) {
                add(row, &victim.asks, -1);
            }
        }
        for (node, mut beyond) in missing {
            beyond.iter_mut().for_each(|n| *n = (*n).max(0));
            add(self.free.entry(node).or_default(), &beyond, -1);
        }
    }

    fn is_under(&self, victim: &Victim<'_>, quota: QuotaId) -> bool {
        victim.leaf.is_some_and(|leaf| self.before.tree.is_under(leaf, quota))
    }

    /// Judges what is evicted for one cause.
    fn judge(&self, cause: WorkloadId, placed: &[(NodeId, Amount)], group: &[Victim<'_>], found: &mut Vec<Breach>) {
        let (Some(slot), Some(leaf)) = (self.before.workloads.slot(cause), self.leaf(cause)) else {
            found.push(breach(3, format!("{cause} has no quota and evicts (A4)")));
            return;
        };
        let (policy, by) = (&self.before.policy, self.before.workloads.at(slot));
        if let Err(why) = self.is_legal((leaf, by.priority), placed, &group.iter().collect::<Vec<_>>(), true) {
            found.push(breach(4, format!("{cause} evicts {}: {why}", names(group))));
        }
        for victim in group {
            let Some(other) = self.before.workloads.slot(victim.pod.workload) else { continue };
            let other = self.before.workloads.at(other);
            if !other.preemptible {
                found.push(breach(3, format!("{} of {cause} is not preemptible (R2(c))", victim.pod)));
            }
            let lower = policy.within != WithinQueuePreemption::LowerPriority || other.priority < by.priority;
            if victim.leaf == Some(leaf) && !lower {
                found.push(breach(3, format!("{} is not of lower priority than {cause} (R1)", victim.pod)));
            }
            let only = if victim.leaf == Some(leaf) { Preemption::ReclaimOnly } else { Preemption::PriorityOnly };
            if policy.preemption == only || policy.preemption == Preemption::None {
                found.push(breach(3, format!("{} may not be taken by this policy (R8)", victim.pod)));
            }
        }
        self.judge_floor(leaf, group, found);
        self.judge_minimal(cause, (leaf, by.priority), placed, group, found);
    }

    /// Whether the cause may stand with these victims gone: A1, R1's clause, R2(a), and room where its pods will stand.
    /// What else is leaving is counted on, or not.
    fn is_legal(
        &self,
        (leaf, priority): (QuotaId, i32),
        placed: &[(NodeId, Amount)],
        victims: &[&Victim<'_>],
        counted_on: bool,
    ) -> Result<(), String> {
        let tree = &self.before.tree;
        let policy = &self.before.policy;
        let mut ask = Amount::new();
        placed.iter().for_each(|(_, asks)| add(&mut ask, asks, 1));
        let within = victims.iter().any(|v| v.leaf == Some(leaf)) && policy.growth == BorrowWhilePreempting::Refused;
        for quota in tree.path(leaf) {
            let mut gone = Amount::new();
            victims.iter().filter(|v| self.is_under(v, quota)).for_each(|v| add(&mut gone, &v.asks, 1));
            // Those without a quota stand beside the leaves: what the root is guaranteed matters only where it is the leaf.
            let below_common = |v: &Victim<'_>| v.leaf.is_some() || tree.parent(quota).is_some() || quota == leaf;
            let reclaims = policy.reclaim == Reclaim::Min
                && victims.iter().any(|v| v.leaf != Some(leaf) && !self.is_under(v, quota) && below_common(v));
            for (r, n) in ask.iter().enumerate().filter(|(_, n)| **n > 0) {
                let (min, max) = (cell(tree.min(quota), r), cell(tree.max(quota), r));
                let (remaining_usage, held) = (at(&self.remaining_usage, quota, r), at(&self.held, quota, r));
                let (gone, name) = (cell(&gone, r), tree.name(quota));
                let standing = remaining_usage.saturating_add(held).saturating_sub(gone).saturating_add(*n);
                let charged = at(&self.charged, quota, r).saturating_sub(gone).saturating_add(*n);
                let counts = if counted_on { standing } else { charged };
                if max != UNLIMITED && counts > max {
                    return Err(format!("A1: {name} would be charged {counts} of at most {max}"));
                }
                let before = remaining_usage.saturating_add(held);
                if within && standing > min.max(before) {
                    return Err(format!("R1: {name} would grow from {before} to {standing}, above its min {min}"));
                }
                let rest = before.saturating_sub(gone);
                let reaches_down = gone > 0 && rest.saturating_add(largest(victims, r, counted_on)) <= min;
                // To tell that somebody could be spared, nobody is relied on.
                let first = if counted_on { self.goes_first(leaf, priority, r, victims) } else { 0 };
                if within && standing > min && reaches_down && rest.saturating_sub(first).saturating_add(*n) > min {
                    return Err(format!(
                        "R1: {name} would give up {gone} of {before} for a borrower, its min is {min}"
                    ));
                }
                if reclaims && standing > min {
                    return Err(format!("R2(a): {name} would use and hold {standing}, above its min {min}"));
                }
            }
        }
        self.has_room(placed, victims, counted_on)
    }

    /// What the pods of a leaf use that would go before one of this priority, and stay.
    fn goes_first(&self, leaf: QuotaId, priority: i32, resource: usize, victims: &[&Victim<'_>]) -> i64 {
        let core = self.before;
        let mut sum = 0i64;
        for slot in core.workloads.sorted() {
            let other = core.workloads.at(slot);
            if other.leaf != leaf.0 || other.priority >= priority || !other.preemptible {
                continue;
            }
            for (ordinal, _) in other.standing() {
                let pod = other.id.pod(ordinal);
                if !victims.iter().any(|victim| victim.pod == pod) {
                    sum = sum.saturating_add(cell(core.workloads.governed((slot, ordinal), &core.interner), resource));
                }
            }
        }
        sum
    }

    fn has_room(&self, placed: &[(NodeId, Amount)], victims: &[&Victim<'_>], counted_on: bool) -> Result<(), String> {
        for node in placed.iter().map(|(node, _)| node) {
            let mut left = self.free.get(node).cloned().unwrap_or_default();
            if let Some(leaving) = self.leaving.get(node).filter(|_| counted_on) {
                add(&mut left, leaving, 1);
            }
            victims.iter().filter(|v| v.node == *node).for_each(|v| add(&mut left, &v.asks, 1));
            placed.iter().filter(|(on, _)| on == node).for_each(|(_, asks)| add(&mut left, asks, -1));
            if left.iter().any(|n| *n < 0) {
                return Err(format!("P1: {node} would be left with {left:?}"));
            }
        }
        Ok(())
    }

    /// Each reclaimed victim's side is over its guarantee when its turn comes (R2(b)).
    fn judge_floor(&self, leaf: QuotaId, group: &[Victim<'_>], found: &mut Vec<Breach>) {
        let tree = &self.before.tree;
        let mut remaining_usage = self.remaining_usage.clone();
        let mut seen: Vec<WorkloadId> = Vec::new();
        let judged = self.before.policy.reclaim == Reclaim::Min;
        for victim in group {
            let Some(from) = victim.leaf else { continue };
            let common = tree.common(leaf, from);
            let over_in = |(r, n): (usize, &i64)| {
                let floor = if self.before.policy.floor == Floor::Strict { *n } else { 1 };
                let mut below = tree.path(from).take_while(|q| *q != common);
                *n > 0 && below.all(|q| at(&remaining_usage, q, r).saturating_sub(floor) >= cell(tree.min(q), r))
            };
            // A gang is taken as one (G1): a member that uses nothing of what is missing goes with those that do.
            let first = !seen.contains(&victim.pod.workload);
            let members = || group.iter().filter(|other| other.pod.workload == victim.pod.workload);
            let is_over = || members().any(|member| member.asks.iter().enumerate().any(over_in));
            if judged && first && victim.reason.rule == Rule::R2 && !is_over() {
                let what = format!("{} is reclaimed from a side that is not over its min (R2(b))", victim.pod);
                found.push(breach(3, what));
            }
            seen.push(victim.pod.workload);
            for quota in tree.path(from) {
                on(&mut remaining_usage, quota, &victim.asks, -1);
            }
        }
    }

    /// No victim can be spared; a gang is spared whole.
    fn judge_minimal(
        &self,
        cause: WorkloadId,
        (leaf, priority): (QuotaId, i32),
        placed: &[(NodeId, Amount)],
        group: &[Victim<'_>],
        found: &mut Vec<Breach>,
    ) {
        if !self.before.sums_tell() {
            return;
        }
        let is_gang = |pod: PodId| {
            let slot = self.before.workloads.slot(pod.workload);
            slot.is_some_and(|slot| {
                self.before.workloads.at(slot).sets.iter().map(|set| u64::from(set.min)).sum::<u64>() > 1
            })
        };
        for spared in group {
            let goes_with = |v: &Victim<'_>| {
                if is_gang(spared.pod) { v.pod.workload == spared.pod.workload } else { v.pod == spared.pod }
            };
            let rest: Vec<&Victim<'_>> = group.iter().filter(|v| !goes_with(v)).collect();
            if self.is_legal((leaf, priority), placed, &rest, false).is_ok() {
                found.push(breach(5, format!("{cause} evicts {}, but could spare {}", names(group), spared.pod)));
            }
        }
    }
}

impl Scheduler {
    /// Whether sums of governed resources say all there is to say about who may stand where.
    fn sums_tell(&self) -> bool {
        let plain = |q: QuotaId| self.tree.spec(q).is_none_or(|spec| spec.lend.is_none() && spec.max_jobs.is_none());
        let no_devices = self.nodes.sorted().into_iter().all(|node| self.nodes.at(node).banks.is_empty());
        let governed = |node: u32| self.nodes.at(node).total.iter().skip(self.tree.width()).all(|n| *n == 0);
        no_devices
            && self.nodes.sorted().into_iter().all(governed)
            && self.policy.reclaim != Reclaim::FairShare
            && self.tree.ids().all(plain)
    }
}

/// The most that goes at once: at most what goes of one workload, at least what one pod is.
fn largest(victims: &[&Victim<'_>], resource: usize, at_most: bool) -> i64 {
    let mut sums: BTreeMap<(WorkloadId, u32), i64> = BTreeMap::new();
    for victim in victims {
        let unit = (victim.pod.workload, if at_most { 0 } else { victim.pod.ordinal });
        *sums.entry(unit).or_default() += cell(&victim.asks, resource);
    }
    sums.into_values().max().unwrap_or(0)
}

fn at(table: &[Amount], quota: QuotaId, resource: usize) -> i64 {
    table.get(quota.0 as usize).map_or(0, |row| cell(row, resource))
}

fn on(table: &mut [Amount], quota: QuotaId, amounts: &[i64], sign: i64) {
    if let Some(row) = table.get_mut(quota.0 as usize) {
        add(row, amounts, sign);
    }
}

fn add(row: &mut Amount, amounts: &[i64], sign: i64) {
    row.resize(row.len().max(amounts.len()), 0);
    for (slot, n) in row.iter_mut().zip(amounts) {
        *slot = slot.saturating_add(n.saturating_mul(sign));
    }
}

fn names(victims: &[Victim<'_>]) -> String {
    let name = |v: &Victim<'_>| format!("{} ({})", v.pod, v.reason.rule);
    victims.iter().map(name).collect::<Vec<_>>().join(", ")
}
