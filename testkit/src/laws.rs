//! The laws that every single plan must obey, judged from what anybody can read: the views of the scheduler before the
//! plan, and the plan. The audit of the core knows more; this knows nothing of how the core works.
//!
//! Judged are R1, R2(a), R2(b), R2(c) and I5: with any one victim put back, the plan would break a rule. I5 is judged
//! only where sums tell whether a pod fits: not where devices, lending limits or job limits are in play.

use crate::worlds::World;
use quotree_core::{
    Action, EvictReason, Floor, NodeId, Plan, PodId, Preemption, QuotaId, Reclaim, Rule, Scheduler, WorkloadId,
    WorkloadSpec,
};
use std::collections::BTreeMap;

/// Amounts of the governed resources, in the tree's order.
type Row = Vec<i64>;

/// What the driver knows of the workloads: the specs as submitted.
pub type Specs = BTreeMap<WorkloadId, WorkloadSpec>;

/// The ledger as the views tell it, kept up while the actions of one plan are walked.
struct Ledger<'a> {
    before: &'a Scheduler,
    specs: &'a Specs,
    /// Use without what is leaving.
    used: BTreeMap<QuotaId, Row>,
    held: BTreeMap<QuotaId, Row>,
    free: BTreeMap<NodeId, Row>,
    /// What pods that are leaving already will free; for whom, the views do not tell.
    leaving: BTreeMap<NodeId, Row>,
    leaves: BTreeMap<WorkloadId, Option<QuotaId>>,
}

/// A pod that the plan evicts.
struct Victim<'a> {
    pod: PodId,
    node: Option<NodeId>,
    leaf: QuotaId,
    row: Row,
    reason: &'a EvictReason,
}

/// What is wrong with a plan, in sentences.
#[must_use]
pub fn judge(before: &Scheduler, plan: &Plan, specs: &Specs, world: &World) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut ledger = Ledger::of(before, specs);
    let sums_tell = !world.devices && world.quotas.iter().all(|q| q.lend.is_none() && q.jobs.is_none());
    // What others' victims leave over is waited for only where it is enough by itself: while some leave, a plan may
    // evict where part of that would have done, and I5 is judged only of plans made while nobody leaves.
    let mut calm = before.tree().ids().all(|quota| before.usage(quota).freeing.is_empty());
    let mut groups: BTreeMap<WorkloadId, Vec<Victim<'_>>> = BTreeMap::new();
    for action in &plan.actions {
        match action {
            Action::Bind { pod, node, reason, .. } => ledger.bind(*pod, *node, reason.held),
            Action::Evict { pod, reason } => {
                if let Some(victim) = ledger.victim(*pod, reason) {
                    match reason.cause {
                        Some(cause) => groups.entry(cause).or_default().push(victim),
                        None => ledger.leave(&victim),
                    }
                } else if reason.leaf.is_some() {
                    wrong.push(format!("{pod} is evicted, but no such pod runs"));
                }
            }
            Action::Hold { workload, nodes, victims } => {
                let group = groups.remove(workload).unwrap_or_default();
                // Pods that leave for nobody any more may be waited for, too.
                if group.len() > *victims as usize {
                    wrong.push(format!("{workload} holds for {victims} victims, {} are evicted", group.len()));
                }
                wrong.extend(ledger.judge_group(*workload, nodes, &group, sums_tell && calm));
                calm = false;
                ledger.hold(*workload, nodes, &group);
            }
            // What the room of an ended hold becomes is told by the next plan's views.
            Action::Release { .. } => return wrong,
            _ => wrong.push(format!("{action:?} is not known here")),
        }
    }
    for (cause, group) in groups {
        if !group.is_empty() {
            wrong.push(format!("H1: {} pods are evicted for {cause}, which holds nothing", group.len()));
        }
    }
    wrong
}

impl<'a> Ledger<'a> {
    fn of(before: &'a Scheduler, specs: &'a Specs) -> Self {
        let tree = before.tree();
        let row = |amounts: &quotree_core::Amounts| -> Row {
            tree.governed().map(|r| amounts.get(r.as_str()).unwrap_or(0)).collect()
        };
        let mut used = BTreeMap::new();
        let mut held = BTreeMap::new();
        for quota in tree.ids() {
            let usage = before.usage(quota);
            used.insert(quota, minus(&row(&usage.used), &row(&usage.freeing)));
            held.insert(quota, row(&usage.held));
        }
        let free = |n: quotree_core::NodeView| minus(&minus(&row(&n.allocatable), &row(&n.used)), &row(&n.held));
        let free = before.nodes().into_iter().map(|n| (n.id, free(n))).collect();
        let leaves = specs.values().map(|s| (s.id, tree.leaf_of(s.namespace.as_str()))).collect();
        let mut ledger = Self { before, specs, used, held, free, leaving: BTreeMap::new(), leaves };
        for view in specs.keys().filter_map(|w| before.workload(*w)) {
            for pod in view.pods.iter().filter(|p| p.state == quotree_core::PodState::Leaving) {
                let row = ledger.row_of(pod.id);
                pod.node.iter().for_each(|node| add(ledger.leaving.entry(*node).or_default(), &row, 1));
            }
        }
        ledger
    }

    /// What the pod of this ordinal asks of the governed resources.
    fn row_of(&self, pod: PodId) -> Row {
        let tree = self.before.tree();
        let mut ordinal = pod.ordinal;
        for set in self.specs.get(&pod.workload).into_iter().flat_map(|s| &s.pods) {
            if ordinal < set.count {
                return tree.governed().map(|r| set.template.request.get(r.as_str()).unwrap_or(0)).collect();
            }
            ordinal -= set.count;
        }
        vec![0; tree.governed().len()]
    }

    fn victim<'r>(&self, pod: PodId, reason: &'r EvictReason) -> Option<Victim<'r>> {
        let leaf = self.leaves.get(&pod.workload).copied().flatten()?;
        let view = self.before.workload(pod.workload)?;
        let node = view.pods.iter().find(|p| p.id == pod)?.node;
        Some(Victim { pod, node, leaf, row: self.row_of(pod), reason })
    }

    fn on_path(&mut self, leaf: Option<QuotaId>, row: &[i64], sign: i64, held: bool) {
        let table = if held { &mut self.held } else { &mut self.used };
        for quota in leaf.into_iter().flat_map(|l| self.before.tree().path(l)) {
            for (slot, n) in table.entry(quota).or_default().iter_mut().zip(row) {
                *slot += sign * n;
            }
        }
    }

    fn on_node(&mut self, node: NodeId, row: &[i64], sign: i64) {
        for (slot, n) in self.free.entry(node).or_default().iter_mut().zip(row) {
            *slot += sign * n;
        }
    }

    fn leaf(&self, workload: WorkloadId) -> Option<QuotaId> {
        self.leaves.get(&workload).copied().flatten()
    }

    fn bind(&mut self, pod: PodId, node: NodeId, held: bool) {
        let (leaf, row) = (self.leaf(pod.workload), self.row_of(pod));
        self.on_path(leaf, &row, 1, false);
        if held {
            self.on_path(leaf, &row, -1, true);
        } else {
            self.on_node(node, &row, -1);
        }
    }

    fn leave(&mut self, victim: &Victim<'_>) {
        self.on_path(Some(victim.leaf), &victim.row, -1, false);
    }

    /// The rows of the pods that a hold places, with their nodes.
    fn placed(&self, workload: WorkloadId, nodes: &[NodeId]) -> Vec<(NodeId, Row)> {
        let waiting = self.before.workload(workload).map(|w| w.pods).unwrap_or_default();
        let waiting = waiting.into_iter().filter(|p| p.state == quotree_core::PodState::Waiting);
        waiting.zip(nodes).map(|(pod, node)| (*node, self.row_of(pod.id))).collect()
    }

    fn hold(&mut self, workload: WorkloadId, nodes: &[NodeId], group: &[Victim<'_>]) {
        let placed = self.placed(workload, nodes);
        let mut missing: BTreeMap<NodeId, Row> = BTreeMap::new();
        for (node, row) in &placed {
            self.on_path(self.leaf(workload), row, 1, true);
            add(missing.entry(*node).or_default(), row, 1);
        }
        for victim in group {
            self.leave(victim);
            if let Some(row) = victim.node.and_then(|n| missing.get_mut(&n)) {
                add(row, &victim.row, -1);
            }
        }
        for (node, row) in missing {
            let beyond: Row = row.into_iter().map(|n| n.max(0)).collect();
            self.on_node(node, &beyond, -1);
        }
    }

    fn judge_group(&self, cause: WorkloadId, nodes: &[NodeId], group: &[Victim<'_>], sums_tell: bool) -> Vec<String> {
        let mut wrong = Vec::new();
        let (Some(leaf), Some(spec)) = (self.leaf(cause), self.specs.get(&cause)) else {
            wrong.push(format!("A4: {cause} has no quota and evicts"));
            return wrong;
        };
        let placed = self.placed(cause, nodes);
        let all: Vec<&Victim<'_>> = group.iter().collect();
        if let Err(why) = self.holds(leaf, &placed, &all, true) {
            wrong.push(format!("{cause} evicts {}: {why}", names(&all)));
        }
        for victim in group {
            let other = self.specs.get(&victim.pod.workload);
            if other.is_some_and(|o| !o.preemptible) {
                wrong.push(format!("R2(c): {} of {cause} is not preemptible", victim.pod));
            }
            let policy = self.before.policy();
            let lower = other.is_some_and(|o| o.priority < spec.priority);
            let only_lower = policy.within == quotree_core::Within::LowerPriority;
            if victim.leaf == leaf && victim.reason.rule == Rule::R1 && only_lower && !lower {
                wrong.push(format!("R1: {} is not of lower priority than {cause}", victim.pod));
            }
            let allowed = if victim.leaf == leaf { Preemption::ReclaimOnly } else { Preemption::PriorityOnly };
            if policy.preemption == allowed || policy.preemption == Preemption::None {
                wrong.push(format!("R8: {} may not be taken by this policy", victim.pod));
            }
        }
        wrong.extend(self.over(leaf, group));
        if sums_tell {
            wrong.extend(self.spared(cause, leaf, &placed, group));
        }
        wrong
    }

    /// Whether a plan with these victims is legal: A1, R1's clause, R2(a), and room where the pods will stand, with or
    /// without what is leaving there already.
    fn holds(
        &self,
        leaf: QuotaId,
        placed: &[(NodeId, Row)],
        victims: &[&Victim<'_>],
        leaving: bool,
    ) -> Result<(), String> {
        let tree = self.before.tree();
        let width = tree.governed().len();
        let mut ask = vec![0; width];
        placed.iter().for_each(|(_, row)| add(&mut ask, row, 1));
        let asked = || ask.iter().enumerate().filter(|(_, n)| **n > 0);
        let within = victims.iter().any(|v| v.leaf == leaf);
        let refused = self.before.policy().growth == quotree_core::Growth::Refused;
        for quota in tree.path(leaf) {
            let mut gone = vec![0; width];
            victims.iter().filter(|v| tree.is_under(v.leaf, quota)).for_each(|v| add(&mut gone, &v.row, 1));
            let reclaims = victims.iter().any(|v| v.leaf != leaf && !tree.is_under(v.leaf, quota));
            for (r, n) in asked() {
                let at = |rows: &[i64]| rows.get(r).copied().unwrap_or(0);
                let (min, max) = (at(tree.min(quota)), at(tree.max(quota)));
                let used = self.used.get(&quota).map_or(0, |u| at(u));
                let held = self.held.get(&quota).map_or(0, |h| at(h));
                let after = used - at(&gone) + n;
                let name = tree.name(quota);
                if after.saturating_add(held) > max && max != i64::MAX {
                    return Err(format!("A1: {name} would use {after} and hold {held} of at most {max}"));
                }
                if within && refused && after > min.max(used) {
                    return Err(format!("R1: {name} would grow from {used} to {after}, above its min {min}"));
                }
                let min_decides = self.before.policy().reclaim == Reclaim::Min;
                if reclaims && min_decides && after.saturating_add(held) > min {
                    return Err(format!("R2(a): {name} would use {after} and hold {held}, above its min {min}"));
                }
            }
        }
        self.room(placed, victims, leaving)
    }

    fn room(&self, placed: &[(NodeId, Row)], victims: &[&Victim<'_>], leaving: bool) -> Result<(), String> {
        let mut left = self.free.clone();
        for (node, row) in self.leaving.iter().filter(|_| leaving) {
            add(left.entry(*node).or_default(), row, 1);
        }
        for (node, row) in placed {
            add(left.entry(*node).or_default(), row, -1);
        }
        for victim in victims {
            if let Some(row) = victim.node.and_then(|n| left.get_mut(&n)) {
                add(row, &victim.row, 1);
            }
        }
        let on = |node: &NodeId| placed.iter().any(|(n, _)| n == node);
        match left.iter().find(|(node, row)| on(node) && row.iter().any(|n| *n < 0)) {
            Some((node, row)) => Err(format!("P1: {node} would be left with {row:?}")),
            None => Ok(()),
        }
    }

    /// R2(b): each reclaimed victim's side is over its guarantee when its turn comes.
    fn over(&self, leaf: QuotaId, group: &[Victim<'_>]) -> Vec<String> {
        let tree = self.before.tree();
        let mut wrong = Vec::new();
        let mut used = self.used.clone();
        let mut seen: Vec<WorkloadId> = Vec::new();
        for victim in group {
            let common = tree.common(leaf, victim.leaf);
            let below = || tree.path(victim.leaf).take_while(|q| *q != common);
            let over_in = |(r, n): (usize, &i64)| {
                let at = |row: &[i64]| row.get(r).copied().unwrap_or(0);
                let floor = if self.before.policy().floor == Floor::Strict { *n } else { 1 };
                *n > 0 && below().all(|q| used.get(&q).map_or(0, |u| at(u)) - floor >= at(tree.min(q)))
            };
            let judged = victim.reason.rule == Rule::R2 && self.before.policy().reclaim == Reclaim::Min;
            if judged && !seen.contains(&victim.pod.workload) && !victim.row.iter().enumerate().any(over_in) {
                wrong.push(format!("R2(b): {} is reclaimed from a side that is not over its min", victim.pod));
            }
            seen.push(victim.pod.workload);
            for quota in tree.path(victim.leaf) {
                add(used.entry(quota).or_default(), &victim.row, -1);
            }
        }
        wrong
    }

    /// I5: no victim can be spared. A gang that goes whole is spared whole.
    fn spared(&self, cause: WorkloadId, leaf: QuotaId, placed: &[(NodeId, Row)], group: &[Victim<'_>]) -> Vec<String> {
        let mut wrong = Vec::new();
        let gang = |v: &Victim<'_>| {
            let spec = self.specs.get(&v.pod.workload);
            spec.is_some_and(|s| s.pods.iter().any(|set| set.min > 1))
        };
        for victim in group {
            let put_back = |v: &Victim<'_>| {
                if gang(victim) { v.pod.workload == victim.pod.workload } else { v.pod == victim.pod }
            };
            let rest: Vec<&Victim<'_>> = group.iter().filter(|v| !put_back(v)).collect();
            if self.holds(leaf, placed, &rest, false).is_ok() {
                let all: Vec<&Victim<'_>> = group.iter().collect();
                wrong.push(format!("I5: {cause} evicts {}, but could spare {}", names(&all), victim.pod));
            }
        }
        wrong
    }
}

fn add(row: &mut Row, other: &[i64], sign: i64) {
    row.resize(row.len().max(other.len()), 0);
    for (slot, n) in row.iter_mut().zip(other) {
        *slot += sign * n;
    }
}

fn minus(row: &[i64], other: &[i64]) -> Row {
    row.iter().zip(other).map(|(a, b)| a - b).collect()
}

fn names(victims: &[&Victim<'_>]) -> String {
    let of = |v: &&Victim<'_>| format!("{} ({})", v.pod, v.reason.rule);
    victims.iter().map(of).collect::<Vec<_>>().join(", ")
}
