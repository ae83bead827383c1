//! Sets of victims (V5): for an entitled workload for which picking in order finds nothing, all legal sets are tried and
//! the best is taken. Every set that can be reached is looked at; nothing is clever but that worse ones are left out.

use super::{
    nodes::FreeNode,
    order::Share,
    placement::FreeNodes,
    reclaim::{PreemptionPlan, Search, lacking_for_one_more, lacking_on},
    state::{Ask, Assignment, Reference, Workload},
    victims::{Candidate, Eligibility, PreemptionKind, Preemptor, VictimLeaf},
};
use quotree_core::{Name, NodeId, PodId, RespectBudgets, Time, WorkloadId};
use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
};

/// How many candidates are searched exhaustively.
const MOST_CANDIDATES: usize = 16;

/// Where room is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Target {
    /// There is room as things stand: only quota is missing.
    Anywhere,
    /// One node, for one pod.
    Node(NodeId),
    /// All nodes, for several pods.
    All,
}

/// The keys by which sets are compared: broken budgets, the highest priority, how far quotas end below min, pods, work
/// lost, the ids. The smallest is the best.
type Worth = (usize, Option<i32>, Share, usize, u128, Reverse<Vec<PodId>>);

/// A set that makes room.
struct Found {
    worth: Worth,
    victims: Vec<Candidate>,
    placed: Vec<(PodId, Assignment)>,
}

/// The search for one target.
struct Sets<'a> {
    target: Target,
    /// The workloads of which a pod helps before anything is picked.
    candidates: BTreeSet<WorkloadId>,
    /// For each set that was looked at, how many budgets it breaks.
    seen: BTreeMap<BTreeSet<PodId>, usize>,
    best: &'a mut Option<Found>,
}

impl Reference {
    /// The best legal set of victims for a workload by this kind of preemption.
    pub(super) fn find_set(&mut self, id: WorkloadId, ask: &Ask, kind: PreemptionKind) -> Option<PreemptionPlan> {
        let may = match kind {
            PreemptionKind::Reclaim => self.may_reclaim(&self.ledger(), id, ask),
            PreemptionKind::Priority => self.may_preempt_within(id),
        };
        let leaf = self.workload(id).leaf.filter(|_| may)?;
        let break_budgets = self.policy.respect_budgets == RespectBudgets::Prefer;
        let by = Preemptor { id, leaf, ask: ask.clone(), kind, break_budgets };
        let mut best: Option<Found> = None;
        let domains = self.domains(id, &self.free_nodes());
        let mut bound_hit = false;
        // Of equal sets the one found first stays: domains and nodes are in order.
        for domain in domains.map_or(vec![None], |domains| domains.into_iter().map(Some).collect()) {
            let here = Self { domain, ..self.clone() };
            let mut search = Search::new(&here, &by);
            search.take_leaving();
            if search.lacks_guarantee() || here.over_jobs(&here.ledger(), ask, Some(leaf)).is_some() {
                continue;
            }
            for target in search.targets() {
                bound_hit |= search.search_sets(target, &mut best);
            }
        }
        self.bound_hit |= bound_hit;
        let found = best?;
        let mut search = Search::new(self, &by);
        let leaving = search.take_leaving();
        found.victims.into_iter().for_each(|victim| search.take(victim));
        search.placed = found.placed;
        let leaving = search.prune(leaving);
        let (victims, assignments) = (search.victims, search.placed);
        Some(PreemptionPlan { kind, victims, leaving, assignments, reprieved: 0, by_sets: true })
    }

    /// Workloads of one pod that are alike: all but their ids and starts are equal.
    fn alike(&self, a: &Workload, b: &Workload) -> bool {
        let of = |w: &Workload| match w.pods.as_slice() {
            [pod] => Some((w.leaf, w.sets[pod.set].template.clone(), w.priority, w.budget.clone(), pod.assignment)),
            _ => None,
        };
        a.id == b.id || of(a).is_some_and(|a| Some(a) == of(b))
    }
}

impl Search<'_> {
    fn targets(&self) -> Vec<Target> {
        if self.trial.place(self.by.id, self.free_nodes()).is_some() {
            return vec![Target::Anywhere];
        }
        match self.trial.workload(self.by.id).asked_pods().as_slice() {
            [ordinal] => {
                let template = self.trial.template(self.by.id.pod(*ordinal)).clone();
                let hosts = self.free_nodes().nodes.into_iter();
                hosts.filter(|(_, host)| host.is_suitable(&template)).map(|(node, _)| Target::Node(node)).collect()
            }
            _ => vec![Target::All],
        }
    }

    /// Looks at all sets for a target. Whether there are too many candidates.
    fn search_sets(&self, target: Target, best: &mut Option<Found>) -> bool {
        let candidates = self.candidates(target);
        if !self.could_make_room(target, &candidates) {
            return false;
        }
        let mut kinds: Vec<&Workload> = Vec::new();
        for id in &candidates {
            let workload = self.trial.workload(*id);
            if !kinds.iter().any(|kind| self.trial.alike(kind, workload)) {
                kinds.push(workload);
            }
        }
        if kinds.len() > MOST_CANDIDATES {
            return true;
        }
        let mut sets = Sets { target, candidates, seen: BTreeMap::new(), best };
        self.extend(&mut sets);
        false
    }

    /// Looks at the victims so far, and at all sets that have more.
    fn extend(&self, sets: &mut Sets<'_>) {
        let worth = self.worth();
        let pods: BTreeSet<PodId> = worth.5.0.iter().copied().collect();
        if sets.seen.get(&pods).is_some_and(|broken| *broken <= worth.0) {
            return;
        }
        sets.seen.insert(pods, worth.0);
        // Whatever is added to a set, it gets no better.
        if sets.best.as_ref().is_some_and(|best| (worth.0, worth.1, worth.2, worth.3) > first_keys(&best.worth)) {
            return;
        }
        if let Some(placed) = self.makes_room(sets.target) {
            if sets.best.as_ref().is_none_or(|best| worth < best.worth) {
                *sets.best = Some(Found { worth, victims: self.victims.clone(), placed });
            }
            return;
        }
        for pick in self.picks(sets) {
            let mut longer = self.clone();
            longer.take(pick);
            longer.extend(sets);
        }
    }

    fn worth(&self) -> Worth {
        let cost = self.origin.cost(&self.victims, NodeId(0));
        let mut pods: Vec<PodId> = self.victims.iter().flat_map(|victim| victim.pods.iter().copied()).collect();
        pods.sort_unstable_by_key(|pod| Reverse(*pod));
        (cost.broken, cost.highest, self.below_min(), cost.victims, cost.lost, Reverse(pods))
    }

    /// How far quotas end below min: the largest part of a min that the victims take.
    fn below_min(&self) -> Share {
        let (before, after, tree) = (self.origin.ledger(), self.trial.ledger(), &self.origin.tree);
        let quotas: BTreeSet<usize> = self.victims.iter().filter_map(|v| v.leaf).flat_map(|l| tree.path(l)).collect();
        let of = |q: usize, r: usize| {
            let min = tree.quotas[q].min[r];
            Share { over: before.live(q, r).min(min) - after.live(q, r).min(min), of: min }
        };
        let counted = || (0..tree.governed.len()).filter(|r| tree.counted[*r]);
        let outside = quotas.iter().filter(|q| !tree.is_under(self.by.leaf, **q));
        outside.flat_map(|q| counted().map(|r| of(*q, r))).max().unwrap_or(Share { over: 0, of: 1 })
    }

    /// Whether the ask has room at the target, and all limits admit it; then where it stands.
    fn makes_room(&self, target: Target) -> Option<Vec<(PodId, Assignment)>> {
        if self.lacks_guarantee() || !self.exceeded_limits().is_empty() || !self.growth(&[]).is_empty() {
            return None;
        }
        let ledger = self.trial.ledger();
        let reach = self.trial.reclaim_scope(&ledger, &self.by.ask, Some(self.by.leaf));
        let within = |v: &Candidate| reach.is_some_and(|reach| self.trial.tree.is_under(v.common, reach));
        if self.by.kind == PreemptionKind::Reclaim && !self.victims.iter().all(within) {
            return None;
        }
        let free_nodes = self.free_nodes();
        let Target::Node(node) = target else { return self.trial.place(self.by.id, free_nodes) };
        let asked = self.trial.workload(self.by.id).asked_pods();
        let pod = self.by.id.pod(*asked.first()?);
        let devices = free_nodes.fit(node, self.trial.template(pod))?;
        Some(vec![(pod, Assignment { node, devices })])
    }

    /// Whether the target would have room if all candidates were gone, so that sets are worth looking at.
    fn could_make_room(&self, target: Target, candidates: &BTreeSet<WorkloadId>) -> bool {
        let mut without = self.clone();
        for id in candidates {
            for ordinal in self.trial.workload(*id).in_place() {
                without.remove(id.pod(ordinal));
            }
        }
        let free_nodes = without.free_nodes();
        let fits = |template| match target {
            Target::Node(node) => free_nodes.fit(node, template).is_some(),
            _ => free_nodes.nodes.keys().any(|node| free_nodes.fit(*node, template).is_some()),
        };
        without.exceeded_limits().is_empty() && self.by.ask.members.iter().all(|(template, _)| fits(template))
    }

    /// What is lacking now: at which quota whose max is passed, or on which node.
    fn lacking(&self, target: Target) -> Vec<(Option<usize>, Option<NodeId>, Vec<Name>)> {
        let deficits = self.exceeded_limits();
        let quotas: BTreeSet<usize> = deficits.iter().map(|(q, _)| *q).collect();
        let at_quotas = quotas.into_iter().map(|q| (Some(q), None, self.passed_at(&deficits, q)));
        let mut lacking: Vec<_> = at_quotas.collect();
        let free_nodes = self.free_nodes();
        match target {
            Target::Anywhere => {}
            Target::Node(node) => lacking.extend(self.lacking_at(node, &free_nodes).map(|l| (None, Some(node), l))),
            Target::All => {
                for (node, host) in &free_nodes.nodes {
                    lacking.extend(self.lacking_for_one_more(host).map(|l| (None, Some(*node), l)));
                }
            }
        }
        lacking
    }

    fn lacking_at(&self, node: NodeId, free_nodes: &FreeNodes) -> Option<Vec<Name>> {
        let (template, _) = self.by.ask.members.first()?;
        let host = free_nodes.nodes.get(&node).filter(|_| free_nodes.fit(node, template).is_none())?;
        Some(lacking_on(host, template))
    }

    /// For each kind of the asked pods that the node suits: what one pod more than it has room for would lack.
    fn lacking_for_one_more(&self, host: &FreeNode) -> impl Iterator<Item = Vec<Name>> {
        let suited = self.by.ask.members.iter().filter(|(template, _)| host.is_suitable(template));
        suited.map(|(template, _)| lacking_for_one_more(host, template))
    }

    /// The workloads of which a pod helps now and that may be evicted at all.
    fn candidates(&self, target: Target) -> BTreeSet<WorkloadId> {
        let ledger = self.trial.ledger();
        let requested = self.trial.requested_counted(&self.by.ask);
        let mut found = BTreeSet::new();
        for (scope, node, lacking) in self.lacking(target) {
            for victim in self.trial.workloads.values() {
                let below = |q: usize| victim.leaf.is_some_and(|leaf| self.trial.tree.is_under(leaf, q));
                if scope.is_some_and(|q| !below(q)) || !self.trial.is_eligible(Some(self.by), victim) {
                    continue;
                }
                let uses = |ordinal: u32, name: &Name| {
                    let request = &victim.sets[victim.pods[ordinal as usize].set].template.request;
                    request.get(name.as_str()).unwrap_or(0) > 0
                };
                let here = |ordinal: &u32| {
                    let assignment = victim.pods[*ordinal as usize].assignment;
                    node.is_none_or(|node| assignment.is_some_and(|assignment| assignment.node == node))
                };
                let in_place = victim.in_place();
                let helps = in_place.iter().filter(|i| here(i)).any(|i| lacking.iter().any(|name| uses(*i, name)));
                let over = || match (self.by.kind, victim.leaf) {
                    (PreemptionKind::Priority, leaf) => leaf == Some(self.by.leaf),
                    (PreemptionKind::Reclaim, None) => true,
                    (PreemptionKind::Reclaim, Some(leaf)) => {
                        let common = self.trial.tree.common(self.by.leaf, leaf);
                        leaf != self.by.leaf
                            && requested.iter().any(|(r, _)| {
                                let name = &self.trial.tree.governed[*r];
                                in_place.iter().any(|i| uses(*i, name))
                                    && self
                                        .trial
                                        .branch(leaf, common)
                                        .all(|q| ledger.live(q, *r) > self.trial.floor(q, *r))
                            })
                    }
                };
                if helps && over() {
                    found.insert(victim.id);
                }
            }
        }
        found
    }

    /// Whom one more eviction may take, in victim order (V1). Of workloads that are alike only the first.
    fn picks(&self, sets: &Sets<'_>) -> Vec<Candidate> {
        let ledger = self.trial.ledger();
        let mut picks: Vec<Candidate> = Vec::new();
        for (scope, node, lacking) in self.lacking(sets.target) {
            // The common ancestor may be any: the whole set is judged by R2(a) at the end.
            let leaves: Vec<VictimLeaf> = self.trial.victim_leaves_within(&ledger, self.by, &lacking, scope, Some(0));
            for from in leaves {
                for id in &sets.candidates {
                    let victim = self.trial.workload(*id);
                    let found = self.trial.candidate(&ledger, Some(self.by), &from, victim, node);
                    let Eligibility::Yes(pick) = found else { continue };
                    if self.is_first_of_its_kind(victim, sets) && !picks.iter().any(|p| p.pods == pick.pods) {
                        picks.push(pick);
                    }
                }
            }
        }
        picks.sort_by(|a, b| a.rank.cmp(&b.rank));
        picks
    }

    /// Whether no workload that is alike goes before it: one that started later or, of equals, has a higher id (V1).
    fn is_first_of_its_kind(&self, victim: &Workload, sets: &Sets<'_>) -> bool {
        let started = |w: &Workload| w.victim_rank.map_or(Time(0), |(.., started)| started);
        let place = |w: &Workload| (started(w), w.id);
        let others = sets.candidates.iter().map(|id| self.trial.workload(*id));
        let left = others.filter(|other| !other.in_place().is_empty() && self.trial.alike(other, victim));
        left.map(place).max() == Some(place(victim))
    }
}

fn first_keys(worth: &Worth) -> (usize, Option<i32>, Share, usize) {
    (worth.0, worth.1, worth.2, worth.3)
}
