//! What room is missing (P1): the nodes that come closest, what rules the others out, and whether enough is free in
//! total (S4).

use crate::scheduler::{
    Scheduler,
    cluster::trial::Trial,
    nodes::{Assignment, Node, NodeDevices, NodeSlot, PodRef, RuledOut},
    state::{
        interner::{ResourceId, Template, TemplateId},
        workloads::WorkloadSlot,
    },
};
use crate::{
    api::{BlockingReason, NearMissNode, NodeId, NodeTally, PodId, Room},
    scheduler::state::table::narrow,
};

/// How many of the closest nodes are named.
const NAMED: usize = 3;

impl Scheduler {
    /// What room is missing: as the search found it, else as it is now; nothing where there is room.
    pub(super) fn what_room_is_missing(&mut self, slot: WorkloadSlot, stops: &[BlockingReason]) -> Option<Room> {
        let stopped =
            stops.iter().find_map(|stop| if let BlockingReason::Room(room) = stop { Some(room.clone()) } else { None });
        if stopped.is_some() {
            return stopped;
        }
        self.room_missing(slot)
    }

    /// What room is missing as things are; nothing where there is room.
    pub(in crate::scheduler) fn room_missing_here(&mut self, slot: WorkloadSlot) -> Option<Room> {
        let mut trial = Trial::default();
        let mut missing = None;
        for ordinal in self.asked_pods(slot) {
            match self.pick(slot, ordinal) {
                Some(spot) => self.trial_bind(&mut trial, (slot, ordinal), spot),
                None => {
                    let id = self.workloads.at(slot).template(ordinal);
                    missing = Some(self.no_room(id, Vec::new(), trial.placed()));
                    break;
                }
            }
        }
        self.undo(trial);
        missing
    }

    /// What is missing for a pod to stand anywhere. `tried` are nodes from which victims were taken, as they were then.
    pub(in crate::scheduler) fn no_room(
        &self,
        id: TemplateId,
        tried: Vec<NearMissNode>,
        stand: &[(PodRef, Assignment)],
    ) -> Room {
        let template = self.interner.templates.at(id);
        let mut nodes = NodeTally { total: narrow(self.nodes.by_id.len()), ..NodeTally::default() };
        let mut closest = tried;
        let named: Vec<NodeId> = closest.iter().map(|near| near.node).collect();
        let mut suitable: Vec<NodeSlot> = Vec::new();
        for node in self.nodes.sorted() {
            match self.nodes.ruled_out(node, template) {
                Some(RuledOut::Cordoned) => nodes.unschedulable += 1,
                Some(RuledOut::Tainted) => nodes.tainted += 1,
                Some(RuledOut::Unselected) => nodes.unselected += 1,
                Some(RuledOut::Elsewhere) => nodes.elsewhere += 1,
                None => {
                    suitable.push(node);
                    let row = self.nodes.at(node);
                    let full = template.request.iter().any(|(r, amount)| row.available(*r) < *amount);
                    let fragmented = !full && row.choose(template).is_none();
                    (nodes.full, nodes.fragmented) =
                        (nodes.full + u32::from(full), nodes.fragmented + u32::from(fragmented));
                    if !named.contains(&row.id) {
                        closest.extend(self.close_node(node, template, Vec::new()));
                    }
                }
            }
        }
        closest.sort_by_key(|near| (near.lacks, near.needed - near.available, near.node));
        closest.truncate(NAMED);
        let nearest = closest.first();
        let resource = nearest.map(|near| near.resource.clone());
        let index = resource.as_ref().and_then(|name| self.interner.resources.get_index_of(name));
        let index = index.and_then(|r| ResourceId::try_from(r).ok());
        let free =
            |r| suitable.iter().map(|node| self.nodes.at(*node).available(r).max(0)).fold(0, i64::saturating_add);
        let mut stand_on: Vec<NodeId> = stand.iter().map(|(_, spot)| self.nodes.at(spot.node).id).collect();
        stand_on.sort_unstable();
        stand_on.dedup();
        Room {
            resource,
            needed: nearest.map_or(0, |near| near.needed),
            available: nearest.map_or(0, |near| near.available),
            free: index.map_or(0, free),
            nodes,
            placed: narrow(stand.len()),
            stand_on,
            without: Vec::new(),
            within: None,
            closest,
        }
    }

    /// How close a node is to having room; nothing when it has.
    pub(in crate::scheduler) fn close_node(
        &self,
        node: NodeSlot,
        template: &Template,
        taken: Vec<PodId>,
    ) -> Option<NearMissNode> {
        let row = self.nodes.at(node);
        let mut lacking =
            template.request.iter().map(|(r, amount)| (*r, *amount, row.available(*r))).filter(|(_, n, a)| a < n);
        let (lacks, (r, needed, available)) = match lacking.next() {
            Some(first) => (1 + narrow(lacking.count()), first),
            None if row.choose(template).is_none() => (1, devices(row, template)?),
            None => return None,
        };
        Some(NearMissNode { node: row.id, resource: self.interner.resource_name(r), lacks, needed, available, taken })
    }
}

/// What single devices lack where their sum is enough: of one device for a fraction, else of as many as are asked for. The
/// first resource of which no device, or not enough of them, have their part; else the first, where the others are.
fn devices(row: &Node, template: &Template) -> Option<(ResourceId, i64, i64)> {
    let first = row.banks.first()?;
    let asked = |bank: &NodeDevices| {
        template.request.iter().find(|(r, _)| *r == bank.resource).map_or(0, |(_, amount)| *amount)
    };
    let Some(Some(ask)) = row.device_ask(template) else { return Some((first.resource, asked(first), 0)) };
    for (place, bank) in row.banks.iter().enumerate() {
        let part = if place == 0 { Some(ask.each) } else { bank.part(template, ask.count) };
        let Some(part) = part else { return Some((bank.resource, asked(bank), 0)) };
        let free = || bank.free.iter().zip(&bank.reserved).map(|(free, reserved)| free - reserved);
        let fitting = narrow(free().filter(|free| *free >= part).count());
        if fitting < ask.count {
            let times = i64::from(ask.count);
            let has = if times == 1 { free().max().unwrap_or(0) } else { part.saturating_mul(i64::from(fitting)) };
            return Some((bank.resource, part.saturating_mul(times), has));
        }
    }
    let fitting = i64::from(narrow(row.fitting(template, ask).map_or(0, Iterator::count)));
    Some((first.resource, asked(first), ask.each.saturating_mul(fitting)))
}
