//! The search for a plan at others' expense (R3 to R7, V2 to V4, G1), on a copy of the whole state.

use super::{
    ledger::Ledger,
    placement::Rooms,
    state::{Ask, For, Reference, Spot, Stage},
    victims::{Candidate, Finding, Right, Seeker, by_overuse},
};
use quotree_core::{BorrowWhilePreempting, NodeId, PodId, PodTemplate, RespectBudgets, WorkloadId};
use std::cmp::{Ordering, Reverse};

/// A plan that would place a workload.
#[derive(Debug)]
pub(super) struct Draft {
    pub(super) right: Right,
    pub(super) victims: Vec<Candidate>,
    /// Pods that leave anyway and are waited for.
    pub(super) leaving: Vec<PodId>,
    pub(super) spots: Vec<(PodId, Spot)>,
    /// How many victims were put back (V2).
    pub(super) spared: usize,
}

/// What is missing: of which quota and resource.
type Deficit = (usize, usize);

#[derive(Clone)]
struct Search<'a> {
    /// The state before.
    origin: &'a Reference,
    by: &'a Seeker,
    /// The state without the victims so far.
    trial: Reference,
    placed: Vec<(PodId, Spot)>,
    victims: Vec<Candidate>,
    /// Whether a budget kept somebody.
    spared: bool,
}

impl Reference {
    /// A plan by this right, where its pods may stand; exhausted budgets are broken only where nothing else helps (R7).
    pub(super) fn find_plan_in(&self, id: WorkloadId, ask: &Ask, right: Right) -> Option<Draft> {
        let may = match right {
            Right::Reclaim => self.may_reclaim(&self.ledger(), id, ask),
            Right::Priority => self.may_displace(id),
        };
        let leaf = self.at(id).leaf.filter(|_| may)?;
        let mut by = Seeker { id, leaf, ask: ask.clone(), right, break_budgets: false };
        loop {
            let (draft, spared) = Search::new(self, &by).run();
            if draft.is_some() || !spared || by.break_budgets || self.policy.respect_budgets != RespectBudgets::Prefer {
                return draft;
            }
            by.break_budgets = true;
        }
    }
}

impl Reference {
    /// What victims cost (V3).
    pub(super) fn cost(&self, picked: &[Candidate], node: NodeId) -> Cost {
        let started = |c: &Candidate| self.at(c.workload).filed.map_or(self.now, |(.., started)| started);
        let lost = |c: &Candidate| u128::from(self.now.since(started(c))) * c.pods.len() as u128;
        Cost {
            broken: picked.iter().filter(|c| c.rank.breaks_budget).count(),
            highest: picked.iter().map(|c| c.rank.priority).max(),
            victims: picked.iter().map(|c| c.pods.len()).sum(),
            overuse: picked.iter().map(|c| c.rank.overuse.clone()).collect(),
            lost: picked.iter().map(lost).sum(),
            node,
        }
    }
}

impl<'a> Search<'a> {
    fn new(origin: &'a Reference, by: &'a Seeker) -> Self {
        Self { origin, by, trial: origin.clone(), placed: Vec::new(), victims: Vec::new(), spared: false }
    }

    fn run(mut self) -> (Option<Draft>, bool) {
        let draft = self.plan();
        (draft, self.spared)
    }

    fn plan(&mut self) -> Option<Draft> {
        let mut leaving = self.trial.leaving(For::Nobody);
        leaving.truncate(self.trial.policy.bounds.nodes as usize);
        leaving.iter().for_each(|pod| self.remove(*pod));
        if self.lacks_guarantee() {
            return None;
        }
        self.make_way()?;
        while let Some(deficits) = some(self.growth(&[])) {
            self.take_best(&deficits)?;
        }
        // Who is evicted is a job until it is gone: a plan makes no room under a job limit (A5).
        let (ask, leaf) = (&self.by.ask, Some(self.by.leaf));
        if self.origin.over_jobs(&self.origin.ledger(), ask, leaf).is_some()
            || self.trial.over_a_limit(&self.trial.ledger(), ask, leaf).is_some()
        {
            return None;
        }
        let picked = self.victims.len();
        let leaving = self.prune(leaving);
        let spared = picked - self.victims.len();
        let (victims, spots) = (std::mem::take(&mut self.victims), std::mem::take(&mut self.placed));
        Some(Draft { right: self.by.right, victims, leaving, spots, spared })
    }

    fn remove(&mut self, pod: PodId) {
        self.trial.pod_mut(pod).stage = Stage::Gone;
    }

    fn put_back(&mut self, pod: PodId) {
        *self.trial.pod_mut(pod) = *self.origin.pod(pod);
    }

    fn take(&mut self, candidate: Candidate) {
        candidate.pods.iter().for_each(|pod| self.remove(*pod));
        self.victims.push(candidate);
    }

    /// What the nodes have with the victims gone and the members placed so far.
    fn rooms(&self) -> Rooms {
        let mut rooms = self.trial.rooms();
        for (pod, spot) in &self.placed {
            rooms.put(self.trial.template(*pod), *spot);
        }
        rooms
    }

    /// Whether a min is short for a non-preemptible ask. No victim changes that, only who leaves by itself (A2).
    fn lacks_guarantee(&self) -> bool {
        let ledger = self.trial.ledger();
        let requested = self.trial.requested(&self.by.ask);
        let lacks = |q: usize, r: usize, amount: i64| ledger.firm(q, r) + amount > self.trial.tree.quotas[q].min[r];
        !self.by.ask.preemptible
            && self.trial.tree.path(self.by.leaf).any(|q| requested.iter().any(|(r, amount)| lacks(q, *r, *amount)))
    }

    /// Where there is room for everybody, quota alone is missing and victims may stand anywhere. Else room is made first,
    /// and quota after; only if that finds nothing, the other way round (V4).
    fn make_way(&mut self) -> Option<()> {
        if self.trial.place(self.by.id, self.rooms()).is_none() {
            let before = self.clone();
            if self.place_members().and_then(|()| self.clear_ceilings()).is_some() {
                return Some(());
            }
            *self = Self { spared: self.spared, ..before };
        }
        self.clear_ceilings()?;
        self.place_members()
    }

    /// Ceilings on the path that the unit would break (A1).
    fn ceilings(&self) -> Vec<Deficit> {
        let ledger = self.trial.ledger();
        let with = self.trial.with_unit(&self.by.ask, self.by.leaf);
        let mut deficits = Vec::new();
        for (r, amount) in self.trial.requested(&self.by.ask) {
            for q in self.trial.tree.path(self.by.leaf) {
                let max = self.trial.tree.quotas[q].max[r];
                let charged = with.as_ref().map_or_else(|| ledger.charged(q, r) + amount, |with| with.charged(q, r));
                if max != i64::MAX && charged > max {
                    deficits.push((q, r));
                }
            }
        }
        deficits
    }

    /// Quotas that a displacement would leave above min, and larger than before or with their guarantee given up: all but the
    /// largest victim reach down to min already, and who would go first does not cover what is over (R1).
    fn growth(&self, spared: &[usize]) -> Vec<Deficit> {
        if self.by.right == Right::Reclaim || self.trial.policy.growth == BorrowWhilePreempting::Allowed {
            return Vec::new();
        }
        let (before, after) = (self.origin.ledger(), self.trial.ledger());
        let mut deficits = Vec::new();
        for q in self.trial.tree.path(self.by.leaf) {
            for (r, amount) in self.trial.requested(&self.by.ask) {
                let (min, before, rest) =
                    (self.trial.tree.quotas[q].min[r], before.standing(q, r), after.standing(q, r));
                let uses = |c: &Candidate| c.pods.iter().map(|pod| self.origin.row_of(*pod)[r]).sum::<i64>();
                let victims = self.victims.iter().enumerate().filter(|(i, _)| !spared.contains(i));
                let largest = victims.map(|(_, c)| uses(c)).max().unwrap_or(0);
                let reaches_down = rest < before && rest + largest <= min;
                let gives_up = || reaches_down && rest - self.goes_first(r) + amount > min;
                if rest + amount > min && (rest + amount > before || gives_up()) {
                    deficits.push((q, r));
                }
            }
        }
        deficits
    }

    /// What is left in the leaf of lower priority that could be evicted.
    fn goes_first(&self, r: usize) -> i64 {
        let by = self.trial.at(self.by.id);
        let lower = self.trial.work.values().filter(|w| w.leaf == Some(self.by.leaf) && w.priority < by.priority);
        let victims = lower.filter(|w| w.place_among_victims().is_some());
        victims.flat_map(|w| w.in_place().into_iter().map(|pod| self.trial.row_of(w.id.pod(pod))[r])).sum()
    }

    fn clear_ceilings(&mut self) -> Option<()> {
        while let Some(deficits) = some(self.ceilings()) {
            self.take_best(&deficits)?;
        }
        Some(())
    }

    /// Takes the first victim (V1) of all that lower one of the deficits (R5).
    fn take_best(&mut self, deficits: &[Deficit]) -> Option<()> {
        let ledger = self.trial.ledger();
        let mut scopes: Vec<usize> = deficits.iter().map(|(q, _)| *q).collect();
        scopes.dedup();
        let mut best = None;
        for scope in scopes {
            let resources: Vec<usize> = deficits.iter().filter(|(q, _)| *q == scope).map(|(_, r)| *r).collect();
            for source in self.trial.sources(&ledger, self.by, &resources, Some(scope)) {
                for victim in self.trial.work.values() {
                    first(
                        &mut best,
                        self.trial.candidate(&ledger, Some(self.by), &source, victim, None),
                        &mut self.spared,
                    );
                }
            }
        }
        self.take(best?);
        Some(())
    }

    /// Finds every member a spot, in order of ordinals, making room where there is none (R6, G1).
    fn place_members(&mut self) -> Option<()> {
        for ordinal in self.trial.at(self.by.id).asked_pods() {
            let pod = self.by.id.pod(ordinal);
            let template = self.trial.template(pod).clone();
            let spot = match self.rooms().pick(&template, pod) {
                Some(spot) => spot,
                None => self.make_room(&template)?,
            };
            self.placed.push((pod, spot));
        }
        Some(())
    }

    /// Clears the node on which that costs least (V3).
    fn make_room(&mut self, template: &PodTemplate) -> Option<Spot> {
        let mut best: Option<(Cost, Self, Spot)> = None;
        for node in self.trial.nodes.keys().copied() {
            let mut search = self.clone();
            let spot = search.clear_node(template, node);
            self.spared |= search.spared;
            let Some(spot) = spot else { continue };
            let cost = search.cost(self.victims.len(), node);
            if best.as_ref().is_none_or(|(least, ..)| cost.compare(least) == Ordering::Less) {
                best = Some((cost, search, spot));
            }
        }
        let (_, search, spot) = best?;
        *self = Self { spared: self.spared, ..search };
        Some(spot)
    }

    /// Takes victims on one node, in order, until the pod fits there.
    fn clear_node(&mut self, template: &PodTemplate, node: NodeId) -> Option<Spot> {
        loop {
            let rooms = self.rooms();
            let room = rooms.nodes.get(&node).filter(|room| room.is_suitable(template))?;
            if let Some(devices) = rooms.devices(room, template) {
                return Some(Spot { node, devices });
            }
            // What is missing in sum, or, where nothing is, the resource whose single devices are too full.
            let mut lacking = room.lacks(template);
            if lacking.is_empty() {
                lacking.extend(room.device_resources().cloned());
            }
            let governed = &self.trial.tree.governed;
            let lacking: Vec<usize> = lacking.iter().filter_map(|r| governed.iter().position(|g| g == r)).collect();
            let ledger = self.trial.ledger();
            let mut best = None;
            for source in self.trial.sources(&ledger, self.by, &lacking, None) {
                for victim in self.trial.work.values() {
                    let found = self.trial.candidate(&ledger, Some(self.by), &source, victim, Some(node));
                    first(&mut best, found, &mut self.spared);
                }
            }
            self.take(best?);
        }
    }

    /// What the victims from `start` on cost (V3).
    fn cost(&self, start: usize, node: NodeId) -> Cost {
        self.origin.cost(&self.victims[start..], node)
    }

    /// Puts back everybody the plan can do without: from the highest priority down, of equals the last picked first; then
    /// the pods that leave anyway, in order of ids (V2).
    fn prune(&mut self, leaving: Vec<PodId>) -> Vec<PodId> {
        let mut order: Vec<usize> = (0..self.victims.len()).collect();
        order.sort_by_key(|i| (Reverse(self.victims[*i].rank.priority), Reverse(*i)));
        let mut spared: Vec<usize> = Vec::new();
        for i in order {
            let candidate = self.victims[i].clone();
            candidate.pods.iter().for_each(|pod| self.put_back(*pod));
            spared.push(i);
            let good = |search: &mut Self| search.still_holds(&spared, &candidate.pods) || search.moves_aside(&spared);
            if self.splits(candidate.workload) || !good(self) {
                spared.pop();
                candidate.pods.iter().for_each(|pod| self.remove(*pod));
            }
        }
        let victims = std::mem::take(&mut self.victims).into_iter().enumerate();
        self.victims = victims.filter(|(i, _)| !spared.contains(i)).map(|(_, candidate)| candidate).collect();
        let mut needed = Vec::new();
        for pod in leaving {
            self.put_back(pod);
            if !self.still_holds(&[], &[pod]) {
                self.remove(pod);
                needed.push(pod);
            }
        }
        needed
    }

    /// Whether the plan is good with everybody placed anew, beside the victims that are back; if not, they stay put (V2).
    fn moves_aside(&mut self, spared: &[usize]) -> bool {
        let before = std::mem::take(&mut self.placed);
        if let Some(spots) = self.trial.place(self.by.id, self.rooms()) {
            self.placed = spots;
            if self.still_holds(spared, &[]) {
                return true;
            }
        }
        self.placed = before;
        false
    }

    /// Whether a workload would go on running below its minimum by our doing (G2).
    fn splits(&self, id: WorkloadId) -> bool {
        let rest = self.trial.at(id);
        !rest.in_place().is_empty() && rest.below_minimum() && !self.origin.at(id).below_minimum()
    }

    /// Whether the plan is still good with these pods back and these victims spared (V2).
    fn still_holds(&self, spared: &[usize], back: &[PodId]) -> bool {
        let rooms = self.rooms();
        let crowded = back.iter().filter_map(|pod| self.trial.pod(*pod).spot).any(|spot| rooms.is_crowded(spot.node));
        if crowded || self.lacks_guarantee() || !self.ceilings().is_empty() || !self.growth(spared).is_empty() {
            return false;
        }
        if self.by.right == Right::Priority {
            return true;
        }
        let ledger: Ledger = self.trial.ledger();
        let reach = self.trial.reach(&ledger, &self.by.ask, Some(self.by.leaf));
        let within = |c: &Candidate| reach.is_some_and(|reach| self.trial.tree.is_under(c.common, reach));
        self.victims.iter().enumerate().all(|(i, c)| spared.contains(&i) || within(c))
    }
}

fn some<T>(list: Vec<T>) -> Option<Vec<T>> {
    (!list.is_empty()).then_some(list)
}

/// Keeps the first of both in the order of victims.
pub(super) fn first(best: &mut Option<Candidate>, found: Finding, spared: &mut bool) {
    match found {
        Finding::No => {}
        Finding::Spared => *spared = true,
        Finding::Yes(candidate) => {
            if best.as_ref().is_none_or(|best| candidate.rank < best.rank) {
                *best = Some(candidate);
            }
        }
    }
}

/// What clearing a node costs (V3): budgets broken, the highest priority, how many pods, whose, work lost, node.
pub(super) struct Cost {
    broken: usize,
    highest: Option<i32>,
    victims: usize,
    overuse: Vec<Vec<super::order::Share>>,
    lost: u128,
    node: NodeId,
}

impl Cost {
    pub(super) fn compare(&self, other: &Self) -> Ordering {
        let first = |c: &Self| (c.broken, c.highest, c.victims);
        let pairs = self.overuse.iter().zip(&other.overuse);
        let fair = pairs.map(|(a, b)| by_overuse(a, b)).fold(Ordering::Equal, Ordering::then);
        first(self).cmp(&first(other)).then(fair).then((self.lost, self.node).cmp(&(other.lost, other.node)))
    }
}
