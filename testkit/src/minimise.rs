//! X2: a state that is minimised to what an explanation cites gives the same verdict.
//!
//! A verdict *cites*, for each obstacle: the pods that use what is missing; for missing room the nodes it names (the
//! closest ones, and those with other members) with all pods on them, and for each pod that counts as gone its branch
//! below the common ancestor, since R2(b) permits its eviction by what the branch uses; the head of the queue, with
//! what the verdict of the head cites; and whatever is under way (holds, pods that are being bound or leave), since
//! only time can end it. The world is *minimised* by events, on a copy of the scheduler: every other workload is
//! withdrawn; the pending pods of those that stay are deleted (their wait is a verdict of its own); if room is in the
//! way, every node that is not cited is lost or, if cited pods run on it, cordoned; every quota is removed that is on
//! no path of a remaining workload, except for those that keep part of their min from lending (L3), and one for each
//! resource that is guaranteed to somebody (Q5). Then the scheduler decides.

use quotree_core::{
    BlockingReason, Event, NodeId, PodId, PodOutcome, PodState, QuotaId, Scheduler, Time, TreeSpec, Verdict, WorkloadId,
};
use std::collections::BTreeSet;

/// What a verdict cites.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Cited {
    /// The workloads, with all their pods.
    pub workloads: BTreeSet<WorkloadId>,
    /// The nodes, if room is in the way.
    pub nodes: Option<BTreeSet<NodeId>>,
}

/// What a verdict cites in this state.
#[must_use]
pub fn cited(core: &Scheduler, verdict: &Verdict) -> Cited {
    let mut cited = Cited::default();
    let mut settles = false;
    cited.workloads.insert(verdict.workload);
    for (binding, holders) in verdict.obstacles() {
        match binding {
            BlockingReason::Room(room) => {
                let named = room.closest.iter().map(|near| near.node).chain(room.stand_on.iter().copied());
                cited.nodes.get_or_insert_default().extend(named);
                for pod in room.closest.iter().flat_map(|near| &near.taken).chain(&room.without) {
                    cited.workloads.extend(branch(core, verdict.workload, pod.workload));
                }
            }
            BlockingReason::Behind { head } => {
                let other = core.verdict(*head).map(|verdict| self::cited(core, &verdict)).unwrap_or_default();
                cited.workloads.extend(other.workloads);
                cited.workloads.insert(*head);
                if let Some(nodes) = other.nodes {
                    cited.nodes.get_or_insert_default().extend(nodes);
                }
            }
            // Time is in the way: pods may leave any node, so all nodes count.
            BlockingReason::Settling { .. } | BlockingReason::BackOff { .. } => settles = true,
            _ => cited.workloads.extend(holders.iter().flat_map(|holder| &holder.pods).map(|pod| pod.workload)),
        }
    }
    if settles && let Some(nodes) = &mut cited.nodes {
        nodes.extend(core.nodes().into_iter().map(|node| node.id));
    }
    let on_cited = |node: &NodeId| cited.nodes.as_ref().is_some_and(|nodes| nodes.contains(node));
    let pods: Vec<PodId> = core.nodes().into_iter().filter(|n| on_cited(&n.id)).flat_map(|n| n.pods).collect();
    cited.workloads.extend(pods.into_iter().map(|pod| pod.workload));
    cited.workloads.extend(under_way(core));
    cited
}

/// All workloads in the branch of a victim, below its common ancestor with the workload for which it would be evicted.
fn branch(core: &Scheduler, cause: WorkloadId, victim: WorkloadId) -> Vec<WorkloadId> {
    let tree = core.tree();
    let leaf = |id: WorkloadId| core.workload(id)?.leaf;
    let Some((own, other)) = leaf(cause).zip(leaf(victim)) else { return vec![victim] };
    let common = tree.common(own, other);
    let top = tree.path(other).take_while(|quota| *quota != common).last().unwrap_or(other);
    let below = |id: &WorkloadId| leaf(*id).is_some_and(|leaf| tree.is_under(leaf, top));
    all_workloads(core).into_iter().filter(below).collect()
}

/// Workloads that hold, or have a pod that is being bound or leaves.
fn under_way(core: &Scheduler) -> Vec<WorkloadId> {
    let under_way = |id: &WorkloadId| {
        let view = core.workload(*id);
        view.is_some_and(|w| {
            w.held || w.pods.iter().any(|pod| matches!(pod.state, PodState::Binding | PodState::Terminating))
        })
    };
    all_workloads(core).into_iter().filter(under_way).collect()
}

/// All workloads that are pending or placed.
fn all_workloads(core: &Scheduler) -> BTreeSet<WorkloadId> {
    let standing = core.nodes().into_iter().flat_map(|node| node.pods).map(|pod| pod.workload);
    core.waiting().into_iter().chain(standing).collect()
}

/// The events that minimise a state to what is cited. Only the workloads in `stays_pending` keep their pending pods.
#[must_use]
pub fn cut(core: &Scheduler, cited: &Cited, stays_pending: &BTreeSet<WorkloadId>) -> Vec<Event> {
    let kept = |pod: &PodId| cited.workloads.contains(&pod.workload);
    let mut events: Vec<Event> = Vec::new();
    for workload in all_workloads(core).difference(&cited.workloads) {
        events.push(Event::WorkloadWithdrawn { workload: *workload });
    }
    let idle = cited.workloads.iter().filter(|id| !stays_pending.contains(id)).filter_map(|id| core.workload(*id));
    for pod in idle.filter(|view| !view.held).flat_map(|view| view.pods) {
        if pod.state == PodState::Pending {
            events.push(Event::PodGone { pod: pod.id, outcome: PodOutcome::Deleted });
        }
    }
    let busy = !under_way(core).is_empty();
    if let Some(nodes) = &cited.nodes {
        for view in core.nodes().into_iter().filter(|view| !nodes.contains(&view.id)) {
            if view.pods.iter().any(kept) || busy {
                if let Some(mut spec) = core.node_spec(view.id).cloned() {
                    spec.schedulable = false;
                    events.push(Event::NodeChanged(spec));
                }
            } else {
                events.push(Event::NodeDown { node: view.id });
            }
        }
    }
    // A new tree ends holds, and a hold is under way.
    let held = core.waiting().into_iter().any(|id| core.workload(id).is_some_and(|view| view.held));
    if !held {
        events.push(Event::TreeChanged(pruned(core, cited)));
    }
    events
}

/// The tree without the quotas that no cited workload needs.
fn pruned(core: &Scheduler, cited: &Cited) -> TreeSpec {
    let tree = core.tree();
    let leaves = cited.workloads.iter().filter_map(|id| core.workload(*id)?.leaf);
    let keepers = tree.ids().filter(|q| tree.lend_floor(*q).iter().any(|kept| *kept > 0));
    let paths: BTreeSet<QuotaId> =
        leaves.chain(keepers).chain(guaranteed(core)).flat_map(|quota| tree.path(quota)).collect();
    let root = tree.ids().next();
    let stays = tree.ids().filter(|q| paths.contains(q) || Some(*q) == root);
    stays.filter_map(|q| tree.spec(q).cloned()).collect()
}

/// For each resource that is guaranteed to anybody, the first quota that is: what only a cap is, guarantees nobody (Q5).
fn guaranteed(core: &Scheduler) -> impl Iterator<Item = QuotaId> + '_ {
    let tree = core.tree();
    let has = |quota: &QuotaId, r: usize| tree.min(*quota).get(r).is_some_and(|min| *min > 0);
    (0..tree.governed().len()).filter_map(move |r| tree.ids().skip(1).find(|quota| has(quota, r)))
}

/// Checks X2 for a verdict in this state.
///
/// # Errors
/// The difference of the verdict in the minimised state.
pub fn stands_alone(core: &Scheduler, verdict: &Verdict, now: Time) -> Result<(), String> {
    let cited = cited(core, verdict);
    let mut small = core.clone();
    let mut line = BTreeSet::from([verdict.workload]);
    if let BlockingReason::Behind { head } = verdict.binding {
        line.insert(head);
    }
    for event in cut(core, &cited, &line) {
        let text = format!("{event:?}");
        small.apply(event).map_err(|error| format!("X2: an event is refused: {error}: {text}"))?;
    }
    let plan = small.decide(now);
    let Some(after) = small.verdict(verdict.workload) else {
        return Err(format!(
            "X2: {} is not pending any more in {cited:?}: {:?}\n{verdict:?}",
            verdict.workload, plan.actions
        ));
    };
    let (before, now) = (essence(core, &verdict.binding), essence(&small, &after.binding));
    if before == now {
        return Ok(());
    }
    Err(format!("X2: {} is pending by {now} instead of {before} in {cited:?}\n{verdict:?}", verdict.workload))
}

/// The rule, quota, node and amounts of what binds, with names.
fn essence(core: &Scheduler, binding: &BlockingReason) -> String {
    let quota = binding.quota().map(|quota| core.tree().name(quota).clone());
    let node = if let BlockingReason::Room(room) = binding { room.closest.first().map(|near| near.node) } else { None };
    format!("{} {quota:?} {node:?} {:?}", binding.rule(), binding.amounts())
}
