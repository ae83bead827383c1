//! Where the evictions of a set of victims could make room, and which workloads such sets consist of (V5).

use super::{
    candidates::{Candidate, candidate},
    contested::{contested, lacking, lacking_for_one_more, uses},
    eligibility::{PreemptionKind, Resources, common_anywhere, exhausts_budget, reclaimable, workload_protection},
    search::PreemptionSearch,
    victim_leaf::VictimLeaf,
};
use crate::{
    api::{Name, Unquotaed},
    counters::touch,
    scheduler::{
        placement::fits,
        queue::VictimRank,
        state::{NodeSlot, PodRef, QuotaSlot, TemplateId, WorkloadSlot},
    },
};
use smallvec::SmallVec;
use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
};

/// Where room is to be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Target {
    /// Nowhere in particular: only quota is missing.
    Anywhere,
    /// On this node, for one pod.
    Node(NodeSlot),
    /// For several pods, on whichever nodes they fit.
    AllNodes,
}

/// Workloads that are equally good victims, in victim order; mostly only one.
#[derive(Debug, Clone)]
pub(super) struct Group {
    pub(super) members: Vec<WorkloadSlot>,
}

/// What is lacking at a place: on a node, or below a quota whose max the request would exceed.
struct Place {
    node: Option<NodeSlot>,
    lacking: Resources,
}

/// The properties by which workloads are grouped into one candidate. The last field separates workloads of several
/// pods.
type Kind<'a> = (QuotaSlot, TemplateId, i32, Option<&'a Name>, NodeSlot, Option<WorkloadSlot>);

impl PreemptionSearch<'_> {
    /// The targets where room could be made (V5).
    pub(super) fn targets(&mut self) -> Vec<Target> {
        if fits(self.cluster, self.slot) {
            return vec![Target::Anywhere];
        }
        match self.cluster.workloads.next_pods(self.slot).as_slice() {
            [ordinal] => {
                let id = self.cluster.workloads.at(self.slot).template(*ordinal);
                self.nodes_to_try(id).into_iter().map(Target::Node).collect()
            }
            _ => vec![Target::AllNodes],
        }
    }

    /// The candidates for a target: first those that may be evicted now, in victim order, then the others.
    pub(super) fn gather(&mut self, target: Target) -> Vec<Group> {
        let helping = self.who_helps(target);
        let mut kinds: BTreeMap<Kind, Vec<WorkloadSlot>> = BTreeMap::new();
        let cluster = &*self.cluster;
        for slot in helping {
            let workload = cluster.workloads.at(slot);
            let node = workload.active().next().map(|(_, pod)| pod.assignment.node).unwrap_or_default();
            let several = (workload.pods.len() > 1).then_some(slot);
            let kind =
                (workload.leaf, workload.template(0), workload.priority, workload.budget.as_deref(), node, several);
            kinds.entry(kind).or_default().push(slot);
        }
        let mut groups: Vec<Group> = kinds.into_values().map(|members| Group { members }).collect();
        for group in &mut groups {
            group.members.sort_by_key(|slot| self.by_start(*slot));
        }
        let mut ranked: Vec<(Option<VictimRank>, Group)> = Vec::new();
        for group in groups {
            let rank = self.pick(&group, target).map(|pick| pick.rank);
            ranked.push((rank, group));
        }
        let last = |group: &Group| group.members.first().map(|slot| (self.priority(*slot), self.by_start(*slot)));
        ranked.sort_by(|(a, x), (b, y)| {
            let may = |rank: &Option<VictimRank>| rank.is_none();
            may(a).cmp(&may(b)).then_with(|| a.cmp(b)).then_with(|| last(x).cmp(&last(y)))
        });
        ranked.into_iter().map(|(_, group)| group).collect()
    }

    fn priority(&self, slot: WorkloadSlot) -> i32 {
        self.cluster.workloads.at(slot).priority
    }

    /// The latest started first, then the highest id (V1).
    fn by_start(&self, slot: WorkloadSlot) -> impl Ord + use<> {
        let workload = self.cluster.workloads.at(slot);
        (Reverse(workload.started()), Reverse(workload.id))
    }

    /// The next candidate of a group, if one of its workloads may be evicted now and helps; the first where several
    /// may.
    pub(super) fn pick(&self, group: &Group, target: Target) -> Option<Candidate> {
        self.picks(group, target).into_iter().next()
    }

    /// The next candidates of a group. For a gang there can be several, since the elastic pod that goes next can differ
    /// from place to place.
    pub(super) fn picks(&self, group: &Group, target: Target) -> SmallVec<[Candidate; 1]> {
        let mut picks: SmallVec<[Candidate; 1]> = SmallVec::new();
        let is_left = |slot: &WorkloadSlot| {
            let workload = self.cluster.workloads.at(*slot);
            workload.active().any(|(ordinal, _)| !self.trial.has_evicted(slot.pod(ordinal)))
        };
        let Some(slot) = group.members.iter().find(|slot| is_left(slot)).copied() else { return picks };
        let cluster = &*self.cluster;
        let leaf = cluster.workloads.at(slot).leaf;
        for place in self.places(target, slot) {
            let Some(from) = self.victim_leaf_anywhere(leaf, &place.lacking) else { continue };
            // Who is protected by a budget was noted when the candidates were gathered.
            let mut steps = self.steps;
            let pick = candidate(cluster, &self.preemptor, &self.trial, &from, (slot, place.node), &mut steps);
            picks.extend(pick.filter(|pick| picks.iter().all(|other| other.pods != pick.pods)));
        }
        picks
    }

    /// Where the eviction of a workload could help now: on the nodes of the target, then below the quotas whose max the
    /// request would exceed.
    fn places(&self, target: Target, slot: WorkloadSlot) -> Vec<Place> {
        let cluster = &*self.cluster;
        let workload = cluster.workloads.at(slot);
        let mut places: Vec<Place> = Vec::new();
        let nodes: BTreeSet<_> = workload.active().map(|(_, pod)| pod.assignment.node).collect();
        let mut nodes: Vec<NodeSlot> = nodes.into_iter().filter(|node| target.is_on(*node)).collect();
        nodes.sort_by_key(|node| cluster.nodes.at(*node).id);
        for node in nodes {
            let lacking = self.lacking_on(target, node).into_iter().filter(|lacking| !lacking.is_empty());
            places.extend(lacking.map(|lacking| Place { node: Some(node), lacking }));
        }
        let exceeded: Vec<(QuotaSlot, usize)> =
            cluster.quotas.exceeded_max(self.preemptor.ask, self.preemptor.leaf).collect();
        let quotas: BTreeSet<QuotaSlot> = exceeded.iter().map(|(quota, _)| *quota).collect();
        for quota in quotas.into_iter().rev() {
            if cluster.quotas.ledger.path(workload.leaf).any(|q| q == quota) {
                let lacking = exceeded.iter().filter(|(q, _)| *q == quota).map(|(_, r)| *r).collect();
                places.push(Place { node: None, lacking });
            }
        }
        places
    }

    /// What a node of the target lacks now. For several pods: for each kind of pod that the node suits, what it lacks
    /// for one pod more than it has room for.
    fn lacking_on(&self, target: Target, node: NodeSlot) -> SmallVec<[Resources; 1]> {
        let cluster = &*self.cluster;
        let interner = &cluster.workloads.interner;
        let suited = self.preemptor.ask.members.iter().map(|(id, _)| *id);
        let mut suited = suited.filter(|id| cluster.nodes.is_suitable(node, interner.template(*id)));
        if target == Target::AllNodes {
            return suited.map(|id| lacking_for_one_more(cluster, id, node)).collect();
        }
        let lacks = |id: &TemplateId| cluster.nodes.devices(node, interner.template(*id)).is_none();
        suited.next().filter(lacks).map(|id| lacking(cluster, id, node)).into_iter().collect()
    }

    /// A leaf that may be preempted from, wherever its branch meets that of the preemptor. Whether that quota is within
    /// the preemptor's scope (R2a) is tested for the whole set.
    fn victim_leaf_anywhere<'b>(&self, leaf: QuotaSlot, lacking: &'b [usize]) -> Option<VictimLeaf<'b>> {
        let (cluster, preemptor) = (&*self.cluster, &self.preemptor);
        let all = || lacking.iter().copied().collect::<Resources>();
        if (preemptor.kind == PreemptionKind::Priority) != (leaf == preemptor.leaf) {
            return None;
        }
        if leaf == preemptor.leaf {
            return Some(VictimLeaf { leaf, common: leaf, resources: all(), lacking });
        }
        let common = common_anywhere(cluster, preemptor, leaf)?;
        let resources = if leaf == cluster.quotas.ledger.no_quota() {
            all()
        } else {
            reclaimable(cluster, leaf, common, &contested(cluster, preemptor, lacking))
        };
        (!resources.is_empty()).then(|| VictimLeaf { leaf, common, resources, lacking })
    }

    /// The workloads that may be evicted at all, and of which a pod helps before anything is evicted on trial.
    fn who_helps(&mut self, target: Target) -> Vec<WorkloadSlot> {
        let mut slots: BTreeSet<WorkloadSlot> = BTreeSet::new();
        let cluster = &*self.cluster;
        let nodes = match target {
            Target::Anywhere => Vec::new(),
            Target::Node(node) => vec![node],
            Target::AllNodes => cluster.nodes.sorted(),
        };
        slots.extend(nodes.into_iter().flat_map(|node| &cluster.nodes.at(node).pods).map(|pod| pod.workload));
        let exceeded: BTreeSet<QuotaSlot> =
            cluster.quotas.exceeded_max(self.preemptor.ask, self.preemptor.leaf).map(|(quota, _)| quota).collect();
        let leaves = cluster.quotas.ledger.slots();
        let below = |leaf: &QuotaSlot| cluster.quotas.ledger.path(*leaf).any(|q| exceeded.contains(&q));
        slots.extend(leaves.filter(below).flat_map(|leaf| cluster.victims.of(leaf)).map(|key| key.slot));
        touch(slots.len());
        slots.retain(|slot| cluster.victims.contains(*slot));
        let mut found = Vec::new();
        for slot in slots {
            if !self.steps.count() {
                break;
            }
            if self.may_help(target, slot) {
                found.push(slot);
                let workload = self.cluster.workloads.at(slot);
                let pods = workload.evicted_together(|_| true).len();
                self.steps.budget_protected |= exhausts_budget(self.cluster, workload, pods);
            }
        }
        found
    }

    fn may_help(&self, target: Target, slot: WorkloadSlot) -> bool {
        let (cluster, preemptor) = (&*self.cluster, &self.preemptor);
        let workload = cluster.workloads.at(slot);
        if Some(slot) == preemptor.slot || workload_protection(cluster, preemptor, slot).is_some() {
            return false;
        }
        let pods = || workload.active().map(|(ordinal, pod)| (slot.pod(ordinal), pod.assignment.node));
        let helps = |place: &Place| {
            let is_there = |node: NodeSlot| place.node.is_none_or(|at| at == node);
            pods().any(|(pod, node)| is_there(node) && place.lacking.iter().any(|r| uses(cluster, pod, *r) > 0))
        };
        self.places(target, slot).iter().any(helps) && self.is_over_somewhere(slot, pods().map(|(pod, _)| pod))
    }

    /// Whether the quotas on the branch of a workload are above their guarantee in a resource that it uses and the
    /// preemptor requests (R2b).
    fn is_over_somewhere(&self, slot: WorkloadSlot, mut pods: impl Iterator<Item = PodRef>) -> bool {
        let (cluster, preemptor) = (&*self.cluster, &self.preemptor);
        let leaf = cluster.workloads.at(slot).leaf;
        if (preemptor.kind == PreemptionKind::Priority) != (leaf == preemptor.leaf) {
            return false;
        }
        if leaf == preemptor.leaf {
            return true;
        }
        if leaf == cluster.quotas.ledger.no_quota() {
            return cluster.policy.unquotaed == Unquotaed::Schedule;
        }
        let Some(common) = common_anywhere(cluster, preemptor, leaf) else { return false };
        let requested: Resources = cluster.quotas.counted(preemptor.ask).map(|(r, _)| r).collect();
        let over = reclaimable(cluster, leaf, common, &requested);
        pods.any(|pod| over.iter().any(|r| uses(cluster, pod, *r) > 0))
    }

    /// The first resource that is lacking at a target before anything is evicted on trial.
    pub(super) fn first_lacking(&self, target: Target) -> Option<usize> {
        let on_node = match target {
            Target::Node(node) => self.lacking_on(target, node).first().and_then(|lacking| lacking.first().copied()),
            Target::AllNodes => {
                let first = self.preemptor.ask.members.first().map(|(id, _)| *id);
                let template = first.map(|id| self.cluster.workloads.interner.template(id));
                template.and_then(|template| template.request.first()).map(|(r, _)| usize::from(*r))
            }
            Target::Anywhere => None,
        };
        let quotas = &self.cluster.quotas;
        on_node.or_else(|| quotas.exceeded_max(self.preemptor.ask, self.preemptor.leaf).next().map(|(_, r)| r))
    }

    /// What the eviction of a candidate frees of a resource.
    pub(super) fn frees(&self, pick: &Candidate, resource: usize) -> i64 {
        pick.pods.iter().map(|pod| uses(self.cluster, *pod, resource)).sum()
    }
}

impl Target {
    fn is_on(self, node: NodeSlot) -> bool {
        match self {
            Self::Anywhere => false,
            Self::Node(target) => target == node,
            Self::AllNodes => true,
        }
    }
}
