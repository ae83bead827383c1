//! Gangs whose pods stand in one part of the cluster: a node, a rack or a zone (P1).

use super::{
    placement::Rooms,
    reclaim::{Cost, Draft},
    state::{Ask, Reference, Spot},
    victims::Right,
};
use quotree_core::{Domain, Name, NodeId, PodId, WorkloadId};
use std::{cmp::Ordering, collections::BTreeSet};

impl Reference {
    /// The domains to look at, in order: that of members in place; else all, the one with the least free first, by name.
    fn domains(&self, id: WorkloadId, rooms: &Rooms) -> Option<Vec<Domain>> {
        let workload = self.at(id);
        let level = workload.together.filter(|_| workload.pods.len() > 1 && self.confined.is_none())?;
        if let Some(first) = workload.in_place().first() {
            let node = self.pod(id.pod(*first)).spot.map(|spot| spot.node);
            return Some(node.and_then(|node| self.nodes[&node].domain(level)).into_iter().collect());
        }
        let all: BTreeSet<Domain> = self.nodes.values().filter_map(|node| node.domain(level)).collect();
        let mut domains: Vec<Domain> = all.into_iter().collect();
        let Some(first) = workload.asked_pods().first().copied() else { return Some(domains) };
        let template = self.template(id.pod(first));
        let mut asked: Vec<&Name> = template.request.iter().filter(|(_, n)| *n > 0).map(|(name, _)| name).collect();
        asked.sort_by_key(|name| (!name.as_str().contains('/'), *name != "cpu", name.as_str().to_owned()));
        let measured = asked.first().copied();
        let free = |domain: &Domain| {
            let suits = rooms.nodes.values().filter(|room| room.is_in(domain) && room.is_suitable(template));
            suits.map(|room| measured.map_or(0, |name| room.has(name).max(0))).sum::<i64>()
        };
        domains.sort_by_key(free);
        Some(domains)
    }

    /// Spots for all that a workload asks for, in one domain where it must be, or nothing.
    pub(super) fn place(&self, id: WorkloadId, rooms: Rooms) -> Option<Vec<(PodId, Spot)>> {
        let Some(domains) = self.domains(id, &rooms) else { return self.place_in(id, rooms) };
        domains.into_iter().find_map(|domain| {
            let mut rooms = rooms.clone();
            rooms.confine(&domain);
            self.place_in(id, rooms)
        })
    }

    /// A plan by this right: of all domains the one where it costs least, the first among equals.
    pub(super) fn find_plan(&self, id: WorkloadId, ask: &Ask, right: Right) -> Option<Draft> {
        let Some(domains) = self.domains(id, &self.rooms()) else { return self.find_plan_in(id, ask, right) };
        let mut best: Option<(Cost, Draft)> = None;
        for domain in domains {
            let here = Self { confined: Some(domain), ..self.clone() };
            let Some(draft) = here.find_plan_in(id, ask, right) else { continue };
            let cost = self.cost(&draft.victims, NodeId(0));
            if best.as_ref().is_none_or(|(least, _)| cost.compare(least) == Ordering::Less) {
                best = Some((cost, draft));
            }
        }
        best.map(|(_, draft)| draft)
    }

    /// Whether these pods stand in one domain, with those of their workload that are in place.
    pub(super) fn stand_together(&self, spots: &[(PodId, Spot)]) -> bool {
        let Some((pod, first)) = spots.first() else { return true };
        let workload = self.at(pod.workload);
        let Some(level) = workload.together.filter(|_| workload.pods.len() > 1) else { return true };
        let placed = workload.in_place().first().and_then(|i| self.pod(pod.workload.pod(*i)).spot);
        let on = |spot: &Spot| self.nodes.get(&spot.node).and_then(|node| node.domain(level));
        let domain = on(&placed.unwrap_or(*first));
        domain.is_some() && spots.iter().all(|(_, spot)| on(spot) == domain)
    }
}
