//! Gangs (G1, G2): what a workload waits for next, and what would be evicted of it at once.

use super::state::{Ask, Set, Stage, Workload};
use quotree_core::Time;

impl Workload {
    pub(super) fn in_stage(&self, stage: Stage) -> impl Iterator<Item = u32> + '_ {
        (0u32..).zip(&self.pods).filter(move |(_, pod)| pod.stage == stage).map(|(ordinal, _)| ordinal)
    }

    /// How many pods of a set are in place to stay.
    fn placed(&self, set: usize) -> u32 {
        let placed = self.pods.iter().filter(|pod| pod.set == set && pod.stays()).count();
        u32::try_from(placed).unwrap_or(u32::MAX)
    }

    /// How many more pods each set needs to be at its minimum.
    pub(super) fn lacking(&self) -> Vec<u32> {
        self.sets.iter().enumerate().map(|(i, set)| set.min.saturating_sub(self.placed(i))).collect()
    }

    pub(super) fn below_minimum(&self) -> bool {
        self.lacking().iter().any(|n| *n > 0)
    }

    pub(super) fn has_ended(&self) -> bool {
        self.pods.iter().all(|pod| pod.stage == Stage::Gone)
    }

    /// A workload counts as a job from its first pod or hold on (A5).
    pub(super) fn admitted(&self) -> bool {
        self.hold.is_some() || self.pods.iter().any(super::state::Pod::stands)
    }

    /// What it waits for next: what it lacks of its minimum, whole, or else one more pod (G1).
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
        // A gang that has members in place goes on looking where they are: what it finds says nothing of others.
        let joins = self.in_place().first().map(|_| self.id);
        let together = self.together.filter(|_| self.pods.len() > 1).map(|level| (level, joins));
        Some(Ask { members, preemptible: self.preemptible, job: !self.admitted(), together })
    }

    /// The pods that the ask is about: of each set the first that wait, in order of ordinals.
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

    /// Its pods that run or are being bound: what could be evicted of it.
    pub(super) fn in_place(&self) -> Vec<u32> {
        (0u32..).zip(&self.pods).filter(|(_, pod)| pod.stays()).map(|(ordinal, _)| ordinal).collect()
    }

    /// When the last of its pods started. One that is being bound is later than all that have (V1).
    fn started(&self) -> Time {
        let being_bound = self.in_stage(Stage::Binding).next().is_some();
        if being_bound { Time(u64::MAX) } else { self.ran_since }
    }

    /// Whether it has members above its minimum, which go first (G2).
    pub(super) fn has_surplus(&self) -> bool {
        self.unit(|_| true).len() < self.in_place().len()
    }

    /// What would go at once for somebody whom the loss of some pods helps (R5): the last such member above the minimum, or
    /// all of it (G2).
    pub(super) fn unit(&self, helps: impl Fn(u32) -> bool) -> Vec<u32> {
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

    /// Its place among the victims, if it may be one at all: preemptible, in place, and not bound by this very decision.
    pub(super) fn place_among_victims(&self) -> Option<(i32, bool, Time)> {
        let is_one = self.preemptible && !self.fresh && !self.in_place().is_empty();
        is_one.then(|| (self.priority, self.has_surplus(), self.started()))
    }

    /// Pods that join: they belong to the set they look like.
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
