//! Gangs whose pods stand in one domain of the topology tree (P1).
//!
//! Where pods of the gang stand, theirs is the domain. Else every domain of the level is tried: on what is free, the one
//! with the least free comes first, and the first with room for all is taken; at others' expense, the one where that costs
//! least (V3), among equals the first. What counts as free is the resource that the first pod asks for in devices, else
//! cpu, else the first by name, on the nodes that suit this pod; ties go by name, of nodes by id.

use crate::api::{BlockingReason, Bound, Domain, NodeId, NodeTally, Room};
use crate::scheduler::{
    Scheduler,
    cycle::Spots,
    explain::Findings,
    nodes::{Assignment, PodRef},
    preempt::{eligibility::PreemptionKind, search::PreemptionPlan},
    state::{interner::Ask, workloads::WorkloadSlot},
};
use std::cmp::Ordering;

impl Scheduler {
    /// The domains that a workload may be placed in, in the order they are tried; nothing where it may stand anywhere, or
    /// one was chosen already.
    fn domains(&self, slot: WorkloadSlot) -> Option<Vec<Domain>> {
        let workload = self.workloads.at(slot);
        let level = workload.together.filter(|_| workload.pods.len() > 1 && !self.nodes.is_confined())?;
        if let Some((_, pod)) = workload.standing().next() {
            return Some(self.nodes.at(pod.spot.node).spec.domain(level).into_iter().collect());
        }
        let mut domains = self.nodes.domains_of(level);
        let Some(first) = self.asked_pods(slot).first().copied() else { return Some(domains) };
        let template = self.interner.templates.at(workload.template(first));
        let named = || template.request.iter().map(|(r, _)| (*r, self.interner.resource_name(*r)));
        let devices = named().filter(|(_, name)| name.as_str().contains('/')).min_by(|a, b| a.1.cmp(&b.1));
        let cpu = || named().find(|(_, name)| name == "cpu");
        let measured = devices.or_else(cpu).or_else(|| named().min_by(|a, b| a.1.cmp(&b.1)));
        domains.sort_by_cached_key(|domain| {
            let nodes = self.nodes.members(domain).into_iter().filter(|node| self.nodes.is_suitable(*node, template));
            let free = |node| measured.as_ref().map_or(0, |(r, _)| self.nodes.at(node).available(*r).max(0));
            nodes.map(free).fold(0, i64::saturating_add)
        });
        Some(domains)
    }

    fn within<T>(&mut self, domain: &Domain, look: impl FnOnce(&mut Self) -> T) -> T {
        self.nodes.confine(Some(domain.clone()));
        let found = look(self);
        self.nodes.confine(None);
        found
    }

    /// Stands everybody a pending workload asks for on what is free, or nobody (G1, P1).
    pub(crate) fn place(&mut self, slot: WorkloadSlot) -> Option<Spots> {
        match self.domains(slot) {
            None => self.place_here(slot),
            Some(domains) => domains.into_iter().find_map(|domain| self.within(&domain, |here| here.place_here(slot))),
        }
    }

    /// Looks for a plan by this kind. Notes in `found` what stopped it and which bounds cut it short.
    pub(crate) fn find_plan(
        &mut self,
        slot: WorkloadSlot,
        ask: &Ask,
        kind: PreemptionKind,
        found: &mut Findings,
    ) -> Option<PreemptionPlan> {
        let Some(mut domains) = self.domains(slot) else { return self.find_plan_here(slot, ask, kind, found) };
        if !self.could_preempt(slot, ask, kind) {
            return None;
        }
        let most = self.policy.bounds.nodes as usize;
        found.note(Bound::Nodes, domains.len() > most);
        domains.truncate(most);
        let mut best: Option<PreemptionPlan> = None;
        let mut stops: Vec<BlockingReason> = Vec::new();
        for domain in domains {
            let mut here = Findings { in_full: found.in_full, ..Findings::default() };
            let preemption = self.within(&domain, |state| state.find_plan_here(slot, ask, kind, &mut here));
            here.bounds.into_iter().for_each(|bound| found.note(bound, true));
            stops.extend(here.stops.into_iter().map(|stop| match stop {
                BlockingReason::Room(room) => BlockingReason::Room(Room { within: Some(domain.clone()), ..room }),
                other => other,
            }));
            let Some(preemption) = preemption else { continue };
            let cost = |preemption: &PreemptionPlan| self.cost_of(&preemption.victims, NodeId(0));
            if best.as_ref().is_none_or(|least| cost(&preemption).cmp(&cost(least)) == Ordering::Less) {
                best = Some(preemption);
            }
        }
        if best.is_none() {
            found.stops.extend(closest(stops));
        }
        best
    }

    /// Whether these pods stand in one domain, with those of their workload that stand already.
    pub(crate) fn stand_together(&self, spots: &[(PodRef, Assignment)]) -> bool {
        let Some(((slot, _), first)) = spots.first() else { return true };
        let workload = self.workloads.at(*slot);
        let Some(level) = workload.together.filter(|_| workload.pods.len() > 1) else { return true };
        let standing = workload.standing().map(|(_, pod)| pod.spot.node).next();
        let domain = self.nodes.at(standing.unwrap_or(first.node)).spec.domain(level);
        domain.is_some_and(|domain| spots.iter().all(|(_, spot)| self.nodes.at(spot.node).spec.is_in(&domain)))
    }

    /// What room is missing, in the domain that comes closest where there is a choice; nothing where there is room.
    pub(crate) fn room_missing(&mut self, slot: WorkloadSlot) -> Option<Room> {
        let Some(domains) = self.domains(slot) else { return self.room_missing_here(slot) };
        let mut missing = Vec::new();
        for domain in domains {
            let room = self.within(&domain, |here| here.room_missing_here(slot))?;
            missing.push(BlockingReason::Room(Room { within: Some(domain), ..room }));
        }
        match closest(missing).into_iter().next() {
            Some(BlockingReason::Room(room)) => Some(room),
            _ => {
                let total = crate::scheduler::state::table::narrow(self.nodes.by_id.len());
                let nodes = NodeTally { total, elsewhere: total, ..NodeTally::default() };
                Some(Room { nodes, ..Room::default() })
            }
        }
    }
}

/// Of missing rooms the one where the most pods found some, the first among equals; and everything else.
fn closest(stops: Vec<BlockingReason>) -> Vec<BlockingReason> {
    let (rooms, mut others): (Vec<BlockingReason>, Vec<BlockingReason>) =
        stops.into_iter().partition(|stop| matches!(stop, BlockingReason::Room(_)));
    let placed = |stop: &BlockingReason| if let BlockingReason::Room(room) = stop { room.placed } else { 0 };
    others.dedup();
    others.extend(rooms.into_iter().rev().max_by_key(placed));
    others
}
