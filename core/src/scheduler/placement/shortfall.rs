//! Why no node has room (P1): which nodes come closest, what rules the others out, and whether all together have enough
//! (S4).

use super::unit;
use crate::{
    api::{NearMissNode, NodeCheck, NodeId, NodeTally, NodeTest, PodId, Room},
    scheduler::{
        cluster::{Cluster, Trial},
        nodes::{Node, NodeDevices, RuledOut},
        state::{Assignment, NodeSlot, PodRef, ResourceId, Template, TemplateId, WorkloadSlot, narrow},
    },
};

/// How many of the closest nodes a verdict names.
const NAMED: usize = 3;

/// What room is missing for the next unit of a workload now; nothing where there is room.
pub(super) fn missing_now(cluster: &mut Cluster, slot: WorkloadSlot) -> Option<Room> {
    at_first_without_room(cluster, slot, |cluster, id, placed| no_room(cluster, id, Vec::new(), placed))
}

/// Why each node that is up does not take the next unit of a workload now, by node; nothing where there is room.
pub(super) fn checks_now(cluster: &mut Cluster, slot: WorkloadSlot) -> Option<Vec<NodeCheck>> {
    at_first_without_room(cluster, slot, |cluster, id, _| {
        let template = cluster.workloads.interner.template(id);
        cluster.nodes.sorted().into_iter().filter_map(|node| check(cluster, node, template)).collect()
    })
}

/// Binds the pods of the next unit on trial, and calls `look` with the state before the first pod for which no node has
/// room. Nothing where all pods have room.
fn at_first_without_room<T>(
    cluster: &mut Cluster,
    slot: WorkloadSlot,
    look: impl Fn(&Cluster, TemplateId, &[(PodRef, Assignment)]) -> T,
) -> Option<T> {
    let mut trial = Trial::default();
    let mut seen = None;
    for ordinal in cluster.workloads.next_pods(slot) {
        let pod = slot.pod(ordinal);
        match unit::pick(cluster, pod) {
            Some(assignment) => cluster.trial_bind(&mut trial, pod, assignment),
            None => {
                let id = cluster.workloads.at(slot).template(ordinal);
                seen = Some(look(cluster, id, trial.bound()));
                break;
            }
        }
    }
    cluster.undo(trial);
    seen
}

/// Why a node does not take a pod; nothing if it does.
fn check(cluster: &Cluster, slot: NodeSlot, template: &Template) -> Option<NodeCheck> {
    let node = cluster.nodes.at(slot);
    let of = |failed| NodeCheck { node: node.id, failed, lacks: None };
    match cluster.nodes.ruled_out(slot, template) {
        Some(RuledOut::Elsewhere) => return Some(of(NodeTest::Topology)),
        Some(RuledOut::Cordoned) => return Some(of(NodeTest::Schedulable)),
        Some(RuledOut::Tainted) => return Some(of(NodeTest::Taint)),
        Some(RuledOut::Unselected) => return Some(of(NodeTest::Selector)),
        None => {}
    }
    let near = near_miss(cluster, slot, template, Vec::new())?;
    let full = template.request.iter().any(|(r, amount)| node.available(*r) < *amount);
    let failed = if full { NodeTest::Room } else { NodeTest::Devices };
    Some(NodeCheck { lacks: Some((near.resource, near.needed.saturating_sub(near.available))), ..of(failed) })
}

/// What is missing for a pod on every node. `tried` are the nodes from which victims were evicted on trial, in the
/// state after these evictions; `placed` are the pods of the unit that found room.
pub(crate) fn no_room(
    cluster: &Cluster,
    id: TemplateId,
    tried: Vec<NearMissNode>,
    placed: &[(PodRef, Assignment)],
) -> Room {
    let template = cluster.workloads.interner.template(id);
    let mut tally = NodeTally { total: narrow(cluster.nodes.len()), ..NodeTally::default() };
    let mut closest = tried;
    let named: Vec<NodeId> = closest.iter().map(|near| near.node).collect();
    let mut suitable: Vec<NodeSlot> = Vec::new();
    for slot in cluster.nodes.sorted() {
        match cluster.nodes.ruled_out(slot, template) {
            Some(RuledOut::Cordoned) => tally.unschedulable += 1,
            Some(RuledOut::Tainted) => tally.tainted += 1,
            Some(RuledOut::Unselected) => tally.unselected += 1,
            Some(RuledOut::Elsewhere) => tally.elsewhere += 1,
            None => {
                suitable.push(slot);
                let node = cluster.nodes.at(slot);
                if template.request.iter().any(|(r, amount)| node.available(*r) < *amount) {
                    tally.full += 1;
                } else if node.fit(template).is_none() {
                    tally.fragmented += 1;
                }
                if !named.contains(&node.id) {
                    closest.extend(near_miss(cluster, slot, template, Vec::new()));
                }
            }
        }
    }
    closest.sort_by_key(|near| (near.lacks, near.needed - near.available, near.node));
    closest.truncate(NAMED);
    let nearest = closest.first();
    let resource = nearest.map(|near| near.resource.clone());
    let index = resource.as_ref().and_then(|name| cluster.workloads.interner.resource_index(name.as_str()));
    let index = index.and_then(|r| ResourceId::try_from(r).ok());
    let available = |node: &NodeSlot, r| cluster.nodes.at(*node).available(r).max(0);
    let in_all = |r| suitable.iter().map(|node| available(node, r)).fold(0, i64::saturating_add);
    let mut stand_on: Vec<NodeId> = placed.iter().map(|(_, at)| cluster.nodes.at(at.node).id).collect();
    stand_on.sort_unstable();
    stand_on.dedup();
    Room {
        resource,
        needed: nearest.map_or(0, |near| near.needed),
        available: nearest.map_or(0, |near| near.available),
        free: index.map_or(0, in_all),
        nodes: tally,
        placed: narrow(placed.len()),
        stand_on,
        without: Vec::new(),
        within: None,
        closest,
    }
}

/// How close a node is to having room for a pod; nothing when it has room. `taken` are the pods on it that count as
/// gone.
pub(crate) fn near_miss(
    cluster: &Cluster,
    slot: NodeSlot,
    template: &Template,
    taken: Vec<PodId>,
) -> Option<NearMissNode> {
    let node = cluster.nodes.at(slot);
    let mut lacking =
        template.request.iter().map(|(r, amount)| (*r, *amount, node.available(*r))).filter(|(_, n, a)| a < n);
    let (lacks, (r, needed, available)) = match lacking.next() {
        Some(first) => (1 + narrow(lacking.count()), first),
        None if node.fit(template).is_none() => (1, missing_on_devices(node, template)?),
        None => return None,
    };
    let resource = cluster.workloads.interner.resource_name(r);
    Some(NearMissNode { node: node.id, resource, lacks, needed, available, taken })
}

/// What single devices lack where their sum is enough: the resource, the needed and the available amount. A request of
/// one device is compared with the device that has the most, a request of several with the sum of the devices that have
/// enough. The resource is the first one of which too few devices have enough, or else the first resource of the
/// devices.
fn missing_on_devices(node: &Node, template: &Template) -> Option<(ResourceId, i64, i64)> {
    let first = node.devices.first()?;
    let requested = |devices: &NodeDevices| {
        template.request.iter().find(|(r, _)| *r == devices.resource).map_or(0, |(_, amount)| *amount)
    };
    let Some(Some(ask)) = node.device_ask(template) else { return Some((first.resource, requested(first), 0)) };
    for (place, devices) in node.devices.iter().enumerate() {
        let part = if place == 0 { Some(ask.each) } else { devices.part(template, ask.count) };
        let Some(part) = part else { return Some((devices.resource, requested(devices), 0)) };
        let fitting = narrow(devices.available().filter(|available| *available >= part).count());
        if fitting < ask.count {
            let count = i64::from(ask.count);
            let most = || devices.available().max().unwrap_or(0);
            let available = if count == 1 { most() } else { part.saturating_mul(i64::from(fitting)) };
            return Some((devices.resource, part.saturating_mul(count), available));
        }
    }
    let fitting = i64::from(narrow(node.fitting(template, ask).map_or(0, Iterator::count)));
    Some((first.resource, requested(first), ask.each.saturating_mul(fitting)))
}
