//! The search over sets of victims, where picking in victim order finds nothing for an entitled workload (V5).
//!
//! The victims of a set are evicted on trial, one after the other, so that each is tested as in the search in victim
//! order. The sets that were seen are remembered, since most sets can be reached in several orders.

use super::{
    candidates::Candidate,
    gather::{Group, Target},
    plan::PreemptionPlan,
    search::PreemptionSearch,
    set_cost::{SetCost, Worst},
    vain::{digest, kind_of},
};
use crate::{
    api::Rule,
    counters::touch,
    scheduler::{
        placement::fits,
        state::{Assignment, NodeSlot, PodRef},
    },
};
use smallvec::SmallVec;
use std::{cmp::Ordering, collections::BTreeMap};

/// With up to this many candidates, all sets are searched.
const ALL_SETS_OF: usize = 16;

/// The best set so far.
#[derive(Debug)]
struct Best {
    cost: SetCost,
    victims: Vec<Candidate>,
    target: Target,
}

/// The search through the sets of victims that make room at one target.
struct Walk<'w> {
    target: Target,
    groups: &'w [Group],
    /// The sets that were looked at, as sorted pods, each with the number of evictions that broke a disruption budget.
    seen: BTreeMap<SmallVec<[PodRef; 8]>, usize>,
}

impl PreemptionSearch<'_> {
    /// Looks for the best set of victims over all targets. The terminating pods that a plan may count on must be evicted
    /// on trial.
    pub(super) fn search_sets(&mut self, terminating: Vec<PodRef>) -> Option<PreemptionPlan> {
        let mut places: Vec<(Target, Vec<Group>)> = Vec::new();
        for target in self.targets() {
            let groups = self.gather(target);
            if !groups.is_empty() {
                places.push((target, groups));
            }
        }
        let digest = digest(self.cluster, &self.preemptor, &places);
        let vain = &self.cluster.workloads.at(self.slot).vain_searches;
        if let Some(hit_bound) = vain.as_ref().and_then(|vain| vain.hit_bound(kind_of(&self.preemptor), digest)) {
            self.steps.more_sets |= hit_bound;
            return None;
        }
        let best = self.best_set(places);
        if best.is_none() {
            let hit_bound = self.steps.more_sets;
            let vain = self.cluster.workloads.at_mut(self.slot).vain_searches.get_or_insert_default();
            vain.note(kind_of(&self.preemptor), digest, hit_bound);
        }
        let best = best?;
        best.victims.into_iter().for_each(|victim| self.evict(victim));
        self.place_on(best.target)?;
        let terminating = self.prune(terminating);
        let victims = std::mem::take(&mut self.victims);
        let assignments = self.trial.bound().to_vec();
        Some(PreemptionPlan { kind: self.preemptor.kind, chosen_by: Rule::V5, victims, terminating, assignments })
    }

    /// The best set over all targets.
    fn best_set(&mut self, places: Vec<(Target, Vec<Group>)>) -> Option<Best> {
        let mut best: Option<Best> = None;
        let mut left = self.cluster.policy.bounds.sets;
        for (target, groups) in places {
            self.trial.unindexed = matches!(target, Target::Node(_));
            let could = self.could_make_room(target, &groups);
            self.trial.unindexed = false;
            if !could {
                continue;
            }
            let few = groups.get(..ALL_SETS_OF);
            self.steps.more_sets |= few.is_some() && groups.len() > ALL_SETS_OF;
            if groups.len() > ALL_SETS_OF {
                for smallest_first in [true, false] {
                    self.pick_by_size(target, &groups, smallest_first, &mut best);
                }
            }
            let groups = few.unwrap_or(&groups);
            let mut walk = Walk { target, groups, seen: BTreeMap::new() };
            self.trial.unindexed = matches!(target, Target::Node(_));
            self.walk(&mut walk, &mut left, &mut best);
            self.trial.unindexed = false;
        }
        self.steps.more_sets |= left == 0;
        best
    }

    /// Visits the set that is evicted on trial, and all larger sets that could be better than the best.
    fn walk(&mut self, walk: &mut Walk, left: &mut u32, best: &mut Option<Best>) {
        if *left == 0 {
            return;
        }
        *left -= 1;
        touch(1);
        let worst = Worst::of(self.cluster, &self.preemptor, &self.victims);
        let against_best = best.as_ref().map_or(Ordering::Less, |best| worst.cmp(&best.cost.worst));
        if against_best == Ordering::Greater {
            return;
        }
        if self.makes_room(walk.target) {
            return self.note(walk.target, worst, best);
        }
        // A larger set has more pods, and is no better in anything before that.
        if against_best == Ordering::Equal {
            return;
        }
        for candidate in walk.groups.iter().flat_map(|group| self.picks(group, walk.target)).collect::<Vec<_>>() {
            let victims = || self.victims.iter().chain([&candidate]);
            let mut pods: SmallVec<[PodRef; 8]> = victims().flat_map(|victim| victim.pods.iter().copied()).collect();
            pods.sort_unstable();
            let broken = victims().filter(|victim| victim.rank.breaks_budget).count();
            if walk.seen.get(&pods).is_none_or(|before| broken < *before) {
                walk.seen.insert(pods, broken);
                self.evict(candidate);
                self.walk(walk, left, best);
                self.put_back();
            }
        }
    }

    /// Evicts candidates in the order of what each frees, until there is room; then restores the victims that are not
    /// needed (V2).
    fn pick_by_size(&mut self, target: Target, groups: &[Group], smallest_first: bool, best: &mut Option<Best>) {
        let Some(measure) = self.first_lacking(target) else { return };
        while !self.makes_room(target) {
            touch(groups.len());
            let picks = groups.iter().filter_map(|group| self.pick(group, target));
            let sized = picks.map(|pick| (self.frees(&pick, measure), pick));
            let first = sized.min_by(|(a, x), (b, y)| {
                let by_size = if smallest_first { a.cmp(b) } else { b.cmp(a) };
                by_size.then_with(|| x.rank.cmp(&y.rank))
            });
            let Some((_, pick)) = first else { break };
            self.evict(pick);
        }
        if self.makes_room(target) && self.place_on(target).is_some() {
            self.prune(Vec::new());
            self.cluster.trial_unbind(&mut self.trial);
            let worst = Worst::of(self.cluster, &self.preemptor, &self.victims);
            // Sparing a victim may have moved the pods to other nodes.
            let target = if self.makes_room(target) { target } else { Target::AllNodes };
            self.note(target, worst, best);
        }
        while !self.victims.is_empty() {
            self.put_back();
        }
    }

    /// Restores the last victim.
    fn put_back(&mut self) {
        if let Some(victim) = self.victims.pop() {
            self.restore(&victim.pods);
        }
    }

    /// Notes the victims on trial, if they are the best set so far.
    fn note(&self, target: Target, worst: Worst, best: &mut Option<Best>) {
        let cost = SetCost::of(self.cluster, worst, &self.victims);
        if best.as_ref().is_none_or(|best| cost < best.cost) {
            *best = Some(Best { cost, victims: self.victims.clone(), target });
        }
    }

    /// Whether the workload may be placed at a target, with the victims on trial gone.
    fn makes_room(&mut self, target: Target) -> bool {
        let (ask, leaf) = (self.preemptor.ask, self.preemptor.leaf);
        self.cluster.quotas.admits(ask, leaf)
            && self.growth(&[]).is_empty()
            && self.is_in_scope(&[])
            && self.has_room(target)
    }

    fn has_room(&mut self, target: Target) -> bool {
        match target {
            Target::Node(node) => self.devices_on(node).is_some(),
            Target::Anywhere | Target::AllNodes => fits(self.cluster, self.slot),
        }
    }

    fn devices_on(&self, node: NodeSlot) -> Option<Assignment> {
        let ordinal = self.cluster.workloads.next_pods(self.slot).first().copied()?;
        let template = self.cluster.workloads.template(self.slot.pod(ordinal));
        self.cluster.nodes.devices(node, template).map(|devices| Assignment { node, devices })
    }

    /// Places the pods at a target, on trial.
    fn place_on(&mut self, target: Target) -> Option<()> {
        let Target::Node(node) = target else { return self.place_unit() };
        let assignment = self.devices_on(node)?;
        let ordinal = self.cluster.workloads.next_pods(self.slot).first().copied()?;
        self.cluster.trial_bind(&mut self.trial, self.slot.pod(ordinal), assignment);
        Some(())
    }

    /// Whether there would be room if every candidate were gone, regardless of what protects it. If not, no set makes
    /// room.
    fn could_make_room(&mut self, target: Target, groups: &[Group]) -> bool {
        let members = groups.iter().flat_map(|group| &group.members);
        let mut pods: Vec<PodRef> = Vec::new();
        for slot in members {
            pods.extend(self.cluster.workloads.at(*slot).active().map(|(ordinal, _)| slot.pod(ordinal)));
        }
        touch(pods.len());
        for pod in &pods {
            self.cluster.trial_evict(&mut self.trial, *pod);
        }
        let room = self.cluster.quotas.admits(self.preemptor.ask, self.preemptor.leaf) && self.has_room(target);
        self.restore(&pods);
        room
    }
}
