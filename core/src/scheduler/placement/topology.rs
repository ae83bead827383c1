//! Gangs whose pods must share one domain of the topology tree (P1).
//!
//! If pods of the gang are running, their domain is the only one. Otherwise all domains of the level are tried, the one
//! with the least available first. Without preemption, the first with room for all pods is taken; with preemption, the
//! one where preemption costs least (V3), the first among equals. "Available" means the resource that the first pod
//! requests as devices, or else cpu, or else its first resource by name, on the nodes suitable for this pod. Among
//! equals, the domain with the first name (for nodes, the lowest id) is tried first.

use super::{shortfall, unit};
use crate::{
    api::{BlockingReason, Domain, NodeCheck, NodeTally, Room},
    scheduler::{
        cluster::{Cluster, Trial},
        state::{Assignment, Assignments, PodRef, WorkloadSlot, narrow},
    },
};

/// The domains that a workload may be placed in, in the order in which they are tried. `None` where it may be placed
/// anywhere, or where the choice is already confined to a domain.
pub(crate) fn domains(cluster: &Cluster, slot: WorkloadSlot) -> Option<Vec<Domain>> {
    let (nodes, interner) = (&cluster.nodes, &cluster.workloads.interner);
    let workload = cluster.workloads.at(slot);
    let level = workload.together.filter(|_| workload.pods.len() > 1 && !nodes.is_confined())?;
    if let Some((_, pod)) = workload.active().next() {
        return Some(nodes.at(pod.assignment.node).spec.domain(level).into_iter().collect());
    }
    let mut domains = nodes.domains_of(level);
    let Some(first) = cluster.workloads.next_pods(slot).first().copied() else { return Some(domains) };
    let template = cluster.workloads.template(slot.pod(first));
    let named = || template.request.iter().map(|(r, _)| (*r, interner.resource_name(*r)));
    let devices = named().filter(|(_, name)| name.as_str().contains('/')).min_by(|a, b| a.1.cmp(&b.1));
    let cpu = || named().find(|(_, name)| name == "cpu");
    let measured = devices.or_else(cpu).or_else(|| named().min_by(|a, b| a.1.cmp(&b.1)));
    domains.sort_by_cached_key(|domain| {
        let suitable = nodes.members(domain).into_iter().filter(|node| nodes.is_suitable(*node, template));
        let available = |node| measured.as_ref().map_or(0, |(r, _)| nodes.at(node).available(*r).max(0));
        suitable.map(available).fold(0, i64::saturating_add)
    });
    Some(domains)
}

/// Runs `look` with the choice of nodes confined to a domain.
pub(crate) fn within<T>(cluster: &mut Cluster, domain: &Domain, look: impl FnOnce(&mut Cluster) -> T) -> T {
    cluster.nodes.confine(Some(domain.clone()));
    let found = look(cluster);
    cluster.nodes.confine(None);
    found
}

/// Places all pods of the next unit of a workload in available room, or none (G1, P1). The pods stay on their nodes:
/// the caller must bind them or take them off.
pub(crate) fn place(cluster: &mut Cluster, slot: WorkloadSlot) -> Option<Assignments> {
    match domains(cluster, slot) {
        None => unit::place(cluster, slot),
        Some(domains) => {
            domains.into_iter().find_map(|domain| within(cluster, &domain, |cluster| unit::place(cluster, slot)))
        }
    }
}

/// Whether all pods of the next unit fit in available room. Changes nothing.
pub(crate) fn fits(cluster: &mut Cluster, slot: WorkloadSlot) -> bool {
    place(cluster, slot).map(|pods| cluster.unplace(&pods)).is_some()
}

/// Places pods where their hold has reserved room, if every node still fits. The pods stay on their nodes.
pub(crate) fn place_as_reserved(cluster: &mut Cluster, reserved: &[(PodRef, Assignment)]) -> Option<Assignments> {
    if !share_domain(cluster, reserved) {
        return None;
    }
    let mut trial = Trial::default();
    for (pod, assignment) in reserved {
        let template = cluster.workloads.template(*pod);
        if !cluster.nodes.is_suitable(assignment.node, template) || cluster.nodes.is_unhealthy(*assignment) {
            cluster.undo(trial);
            return None;
        }
        cluster.trial_bind(&mut trial, *pod, *assignment);
        if cluster.nodes.at(assignment.node).is_overcommitted() {
            cluster.undo(trial);
            return None;
        }
    }
    Some(reserved.iter().copied().collect())
}

/// Whether these pods would share one domain with the running pods of their workload.
fn share_domain(cluster: &Cluster, pods: &[(PodRef, Assignment)]) -> bool {
    let Some((PodRef { workload: slot, .. }, first)) = pods.first() else { return true };
    let (nodes, workload) = (&cluster.nodes, cluster.workloads.at(*slot));
    let Some(level) = workload.together.filter(|_| workload.pods.len() > 1) else { return true };
    let running = workload.active().map(|(_, pod)| pod.assignment.node).next();
    let domain = nodes.at(running.unwrap_or(first.node)).spec.domain(level);
    domain.is_some_and(|domain| pods.iter().all(|(_, assignment)| nodes.at(assignment.node).spec.is_in(&domain)))
}

/// What room is missing for the next unit of a workload. Where several domains are possible: in the one that comes
/// closest. Nothing where there is room.
pub(crate) fn room_missing(cluster: &mut Cluster, slot: WorkloadSlot) -> Option<Room> {
    let Some(domains) = domains(cluster, slot) else { return shortfall::missing_now(cluster, slot) };
    let mut missing = Vec::new();
    for domain in domains {
        let room = within(cluster, &domain, |cluster| shortfall::missing_now(cluster, slot))?;
        missing.push(BlockingReason::Room(Room { within: Some(domain), ..room }));
    }
    match closest(missing).into_iter().next() {
        Some(BlockingReason::Room(room)) => Some(room),
        _ => {
            let total = narrow(cluster.nodes.len());
            let nodes = NodeTally { total, elsewhere: total, ..NodeTally::default() };
            Some(Room { nodes, ..Room::default() })
        }
    }
}

/// Why each node that is up does not take the next unit of a workload. Where several domains are possible: for the one
/// that comes closest. Nothing where there is room.
pub(crate) fn node_checks(cluster: &mut Cluster, slot: WorkloadSlot) -> Option<Vec<NodeCheck>> {
    match room_missing(cluster, slot)?.within {
        Some(domain) => within(cluster, &domain, |cluster| shortfall::checks_now(cluster, slot)),
        None => shortfall::checks_now(cluster, slot),
    }
}

/// Of the reasons of type `Room` (one for each domain), keeps only the one where the most pods found room, the first
/// among equals. Keeps all other reasons.
pub(crate) fn closest(reasons: Vec<BlockingReason>) -> Vec<BlockingReason> {
    let (rooms, mut others): (Vec<BlockingReason>, Vec<BlockingReason>) =
        reasons.into_iter().partition(|reason| matches!(reason, BlockingReason::Room(_)));
    let placed = |reason: &BlockingReason| if let BlockingReason::Room(room) = reason { room.placed } else { 0 };
    others.dedup();
    others.extend(rooms.into_iter().rev().max_by_key(placed));
    others
}
