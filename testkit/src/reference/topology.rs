//! Gangs whose pods must share a node, a rack or a zone (P1).

use super::{
    placement::FreeNodes,
    reclaim::{Cost, PreemptionPlan},
    state::{Ask, Assignment, Reference},
    victims::PreemptionKind,
};
use quotree_core::{Domain, Name, NodeId, PodId, WorkloadId};
use std::{cmp::Ordering, collections::BTreeSet};

impl Reference {
    /// The domains to try, in order: that of the members in place; or else all, the one with the least free first, by
    /// name among equals.
    pub(super) fn domains(&self, id: WorkloadId, free_nodes: &FreeNodes) -> Option<Vec<Domain>> {
        let workload = self.workload(id);
        let level = workload.together.filter(|_| workload.pods.len() > 1 && self.domain.is_none())?;
        if let Some(first) = workload.in_place().first() {
            let node = self.pod(id.pod(*first)).assignment.map(|assignment| assignment.node);
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
            let suits = free_nodes.nodes.values().filter(|host| host.is_in(domain) && host.is_suitable(template));
            suits.map(|host| measured.map_or(0, |name| host.has(name).max(0))).sum::<i64>()
        };
        domains.sort_by_key(free);
        Some(domains)
    }

    /// Nodes for all pods of the ask, in one domain if the workload requires it, or `None`.
    pub(super) fn place(&self, id: WorkloadId, free_nodes: FreeNodes) -> Option<Vec<(PodId, Assignment)>> {
        let Some(domains) = self.domains(id, &free_nodes) else { return self.place_in(id, free_nodes) };
        domains.into_iter().find_map(|domain| {
            let mut free_nodes = free_nodes.clone();
            free_nodes.confine(&domain);
            self.place_in(id, free_nodes)
        })
    }

    /// A plan by this kind of preemption: of all domains the one where it costs least, the first among equals.
    pub(super) fn find_plan(&self, id: WorkloadId, ask: &Ask, kind: PreemptionKind) -> Option<PreemptionPlan> {
        let Some(domains) = self.domains(id, &self.free_nodes()) else { return self.find_plan_in(id, ask, kind) };
        let mut best: Option<(Cost, PreemptionPlan)> = None;
        for domain in domains {
            let here = Self { domain: Some(domain), ..self.clone() };
            let Some(found) = here.find_plan_in(id, ask, kind) else { continue };
            let cost = self.cost(&found.victims, NodeId(0));
            if best.as_ref().is_none_or(|(least, _)| cost.compare(least) == Ordering::Less) {
                best = Some((cost, found));
            }
        }
        best.map(|(_, found)| found)
    }

    /// Whether these pods share a domain with each other and with the members in place.
    pub(super) fn share_domain(&self, assignments: &[(PodId, Assignment)]) -> bool {
        let Some((pod, first)) = assignments.first() else { return true };
        let workload = self.workload(pod.workload);
        let Some(level) = workload.together.filter(|_| workload.pods.len() > 1) else { return true };
        let placed = workload.in_place().first().and_then(|i| self.pod(pod.workload.pod(*i)).assignment);
        let on = |assignment: &Assignment| self.nodes.get(&assignment.node).and_then(|node| node.domain(level));
        let domain = on(&placed.unwrap_or(*first));
        domain.is_some() && assignments.iter().all(|(_, assignment)| on(assignment) == domain)
    }
}
