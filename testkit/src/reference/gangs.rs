//! Gangs (G1, G2): what a workload asks for next, and which of its pods are evicted together.

use super::state::{Ask, Pod, Set, Stage, Workload};
use quotree_core::Time;

impl Workload {
    pub(super) fn in_stage(&self, stage: Stage) -> impl Iterator<Item = u32> + '_ {
        (0u32..).zip(&self.pods).filter(move |(_, pod)| pod.stage == stage).map(|(ordinal, _)| ordinal)
    }

    /// How many pods of a set are bound or running.
    fn placed(&self, set: usize) -> u32 {
        let placed = self.pods.iter().filter(|pod| pod.set == set && pod.stays()).count();
        u32::try_from(placed).unwrap_or(u32::MAX)
    }

    /// How many more pods each set needs to reach its minimum.
    pub(super) fn lacking(&self) -> Vec<u32> {
        self.sets.iter().enumerate().map(|(i, set)| set.min.saturating_sub(self.placed(i))).collect()
    }

    pub(super) fn below_minimum(&self) -> bool {
        self.lacking().iter().any(|n| *n > 0)
    }

    /// Divides a minimum over the sets: first over pods that are in place, then over pending ones; what is left is asked of
    /// the first set (G1).
    pub(super) fn divide_minimum(&mut self, minimum: u32) {
        let count = |set: usize, of: &dyn Fn(&Pod) -> bool| {
            u32::try_from(self.pods.iter().filter(|pod| pod.set == set && of(pod)).count()).unwrap_or(u32::MAX)
        };
        let places: Vec<(u32, u32)> = (0..self.sets.len())
            .map(|set| (count(set, &Pod::stays), count(set, &|pod| pod.stage == Stage::Waiting)))
            .collect();
        let in_place: u32 = places.iter().map(|(stay, _)| stay).sum();
        let mut before = (0, 0);
        for (set, (stay, wait)) in self.sets.iter_mut().zip(&places) {
            let some = minimum.saturating_sub(before.0).min(*stay);
            let more = minimum.saturating_sub(in_place + before.1).min(*wait);
            set.min = some + more;
            before = (before.0 + stay, before.1 + wait);
        }
        let all: u32 = self.sets.iter().map(|set| set.min).sum();
        self.sets[0].min += minimum - all;
    }

    pub(super) fn has_ended(&self) -> bool {
        self.pods.iter().all(|pod| pod.stage == Stage::Gone)
    }

    /// Whether the workload counts as a job: from its first pod or hold on (A5).
    pub(super) fn admitted(&self) -> bool {
        self.hold.is_some() || self.pods.iter().any(Pod::is_placed)
    }

    /// The next ask: all that the minimum lacks, or else one more pod (G1).
    pub(super) fn next_ask(&self) -> Option<Ask> {
        let first = self.in_stage(Stage::Waiting).next()?;
        if self.evicted_whole {
            return None;
        }
        let lacking = self.lacking();
        let waits = |set: usize| self.pods.iter().filter(|p| p.set == set && p.stage == Stage::Waiting).count();
        if lacking.iter().enumerate().any(|(set, n)| waits(set) < *n as usize) {
            return None;
        }
        let sets = self.sets.iter().zip(&lacking).filter(|(_, n)| **n > 0);
        let mut members: Vec<_> = sets.map(|(set, n)| (set.template.clone(), *n)).collect();
        if members.is_empty() {
            let set = self.pods[first as usize].set;
            members.push((self.sets[set].template.clone(), 1));
        }
        // A gang with members in place must join them in their domain, so its ask is equal to no other's.
        let joins = self.in_place().first().map(|_| self.id);
        let together = self.together.filter(|_| self.pods.len() > 1).map(|level| (level, joins));
        let (preemptible, may_evict) = (self.preemptible, self.may_evict);
        Some(Ask { members, preemptible, may_evict, job: !self.admitted(), together })
    }

    /// The pods of the ask: of each set the first pending ones, in order of ordinals.
    pub(super) fn asked_pods(&self) -> Vec<u32> {
        let mut lacking = self.lacking();
        if !self.below_minimum() {
            return self.in_stage(Stage::Waiting).take(1).collect();
        }
        let mut chosen = Vec::new();
        for ordinal in self.in_stage(Stage::Waiting) {
            let left = &mut lacking[self.pods[ordinal as usize].set];
            if *left > 0 {
                *left -= 1;
                chosen.push(ordinal);
            }
        }
        chosen
    }

    /// The pods that run or are being bound: those that could be evicted.
    pub(super) fn in_place(&self) -> Vec<u32> {
        (0u32..).zip(&self.pods).filter(|(_, pod)| pod.stays()).map(|(ordinal, _)| ordinal).collect()
    }

    /// When the last of its pods started. A pod that is being bound counts as later than all that have started (V1).
    fn started(&self) -> Time {
        let being_bound = self.in_stage(Stage::Binding).next().is_some();
        if being_bound { Time(u64::MAX) } else { self.ran_since }
    }

    /// Whether it has members above its minimum, which are evicted first (G2).
    pub(super) fn has_surplus(&self) -> bool {
        self.eviction_unit(|_| true).len() < self.in_place().len()
    }

    /// The pods that are evicted together, for a preemptor whom the loss of some pods helps (R5): the last such member
    /// above the minimum, or the whole gang (G2).
    pub(super) fn eviction_unit(&self, helps: impl Fn(u32) -> bool) -> Vec<u32> {
        let all = self.in_place();
        let spare = |ordinal: &&u32| {
            let set = self.pods[**ordinal as usize].set;
            self.placed(set) > self.sets[set].min && helps(**ordinal)
        };
        match all.iter().filter(spare).last() {
            Some(ordinal) if !self.below_minimum() => vec![*ordinal],
            _ => all,
        }
    }

    /// Its rank among the victims of its leaf, if it may be one: preemptible, in place, and not just bound (R2c).
    pub(super) fn rank_as_victim(&self) -> Option<(i32, bool, Time)> {
        let is_one = self.preemptible && !self.evict_failed && self.just_bound.is_none() && !self.in_place().is_empty();
        is_one.then(|| (self.priority, self.has_surplus(), self.started()))
    }

    /// Adds pods to the set with the same template.
    pub(super) fn join_set(&mut self, set: Set) -> usize {
        match self.sets.iter().position(|s| s.template == set.template) {
            Some(at) => {
                self.sets[at].count += set.count;
                at
            }
            None => {
                self.sets.push(set);
                self.sets.len() - 1
            }
        }
    }
}
