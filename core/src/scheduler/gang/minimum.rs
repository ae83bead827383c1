//! The minimum of a gang: each pod set has a minimum number of members that must run together (G1).
//!
//! Pods above the minimum are elastic: they are admitted and evicted one at a time. An eviction that would take a gang
//! below its minimum takes all of it (G2). A gang that loses pods otherwise runs on, until `stale_after_ms` (G3).

use crate::{
    api::PodState,
    scheduler::state::{Pod, Set, TemplateId, Workload, narrow},
};
use smallvec::SmallVec;

impl Workload {
    /// How many pods of a set are active.
    fn active_of(&self, set: usize) -> u32 {
        narrow(self.active().filter(|(_, pod)| usize::from(pod.set) == set).count())
    }

    /// How many pods of a set are pending.
    fn pending_of(&self, set: usize) -> u32 {
        let is_pending = |pod: &&Pod| pod.state == Some(PodState::Pending) && usize::from(pod.set) == set;
        narrow(self.pods.iter().filter(is_pending).count())
    }

    /// Whether some set has fewer active pods than its minimum (G1).
    pub(crate) fn is_below_minimum(&self) -> bool {
        self.sets.iter().enumerate().any(|(i, set)| self.active_of(i) < set.min)
    }

    /// How many more pods each set needs to reach its minimum (G1).
    pub(crate) fn missing_minimum(&self) -> SmallVec<[u32; 4]> {
        self.sets.iter().enumerate().map(|(i, set)| set.min.saturating_sub(self.active_of(i))).collect()
    }

    /// Whether it asks for anything: pods are pending, enough to reach the minimum, and it was not evicted as a whole
    /// (G1, G2).
    pub(crate) fn asks(&self) -> bool {
        let is_pending = self.in_state(PodState::Pending).next().is_some();
        is_pending && !self.evicted_whole && self.can_provide(&self.missing_minimum())
    }

    /// Whether each set has enough pending pods to reach its minimum, given how many are missing.
    pub(crate) fn can_provide(&self, missing: &[u32]) -> bool {
        missing.iter().enumerate().all(|(set, missing)| *missing == 0 || self.pending_of(set) >= *missing)
    }

    /// Lowers the minimum of each set to its number of active pods after a pod succeeded, since that pod's work is done
    /// (G3).
    pub(crate) fn lower_minimum_to_active(&mut self) {
        let missing = self.missing_minimum();
        for (set, missing) in self.sets.iter_mut().zip(missing) {
            set.min -= missing;
        }
    }

    /// Divides a minimum over the pod sets (G1): those pods count first that run or are being bound, then pending ones,
    /// each in the order of the sets. What is left beyond that is on the first set, which then asks for nothing.
    pub(crate) fn divide_minimum(&mut self, minimum: u32) {
        let sets = self.sets.len();
        let active: SmallVec<[u32; 4]> = (0..sets).map(|set| self.active_of(set)).collect();
        let pending: SmallVec<[u32; 4]> = (0..sets).map(|set| self.pending_of(set)).collect();
        self.sets.iter_mut().for_each(|set| set.min = 0);
        let mut left = minimum;
        for members in [active, pending] {
            for (set, members) in self.sets.iter_mut().zip(members) {
                let some = left.min(members);
                (set.min, left) = (set.min + some, left - some);
            }
        }
        self.sets.iter_mut().take(1).for_each(|set| set.min += left);
    }

    /// Gives a pod another template (E5): it moves to the set of that template. If its set cannot reach its minimum
    /// without it, or only by pods that are pending while this one has a node, one of the minimum moves with it.
    pub(crate) fn change_template(&mut self, ordinal: u32, template: TemplateId) {
        let Some(pod) = self.pods.get(ordinal as usize).copied() else { return };
        let from = usize::from(pod.set);
        let (active, pending) = (self.active_of(from), self.pending_of(from));
        let others = match pod.state {
            Some(PodState::Pending) => active + pending - 1,
            _ if pod.is_active() => active - 1,
            _ => u32::MAX,
        };
        let mut needed = 0;
        if let Some(set) = self.sets.get_mut(from) {
            needed = u32::from(others < set.min);
            (set.count, set.min) = (set.count.saturating_sub(1), set.min - needed);
        }
        let to = self.set_of(template, ordinal);
        if let Some(set) = self.sets.get_mut(to) {
            (set.count, set.min) = (set.count + 1, set.min + needed);
        }
        if let Some(pod) = self.pods.get_mut(ordinal as usize) {
            pod.set = u16::try_from(to).unwrap_or(u16::MAX);
        }
    }

    /// The set of a template for a pod that moves there: one that has the template, one that no other pod is in, or a new
    /// one.
    fn set_of(&mut self, template: TemplateId, ordinal: u32) -> usize {
        if let Some(at) = self.sets.iter().position(|set| set.template == template) {
            return at;
        }
        let mut used: SmallVec<[bool; 4]> = self.sets.iter().map(|set| set.min > 0).collect();
        for (_, pod) in self.ordinals().filter(|(other, pod)| *other != ordinal && pod.state.is_some()) {
            used.iter_mut().skip(usize::from(pod.set)).take(1).for_each(|used| *used = true);
        }
        let set = Set { template, count: 0, min: 0 };
        let unused = used.iter().position(|used| !used);
        match unused.and_then(|at| self.sets.get_mut(at)) {
            Some(slot) => *slot = set,
            None => self.sets.push(set),
        }
        unused.unwrap_or(self.sets.len() - 1)
    }

    /// Whether the next eviction would take fewer than all its active pods: it has members above its minimum (G2).
    pub(crate) fn has_surplus(&self) -> bool {
        self.pods.len() > 1 && self.evicted_together(|_| true).len() < self.active().count()
    }

    /// The pods that one eviction takes (G2): the last pod above the minimum that `helps` the preemptor (R5), or else
    /// all active pods.
    pub(crate) fn evicted_together(&self, helps: impl Fn(u32) -> bool) -> SmallVec<[u32; 1]> {
        let all_or_nothing = self.sets.len() == 1 && self.sets.first().is_some_and(|set| set.min == set.count);
        if !all_or_nothing && !self.is_below_minimum() {
            let surplus: SmallVec<[bool; 4]> =
                self.sets.iter().enumerate().map(|(i, set)| self.active_of(i) > set.min).collect();
            let is_spare = |(ordinal, pod): &(u32, &Pod)| {
                surplus.get(usize::from(pod.set)).copied().unwrap_or_default() && helps(*ordinal)
            };
            if let Some((ordinal, _)) = self.active().filter(is_spare).last() {
                return SmallVec::from_elem(ordinal, 1);
            }
        }
        self.active().map(|(ordinal, _)| ordinal).collect()
    }
}
