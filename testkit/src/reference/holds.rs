//! Holds (H1 to H3): how they are made, how they end, and what eviction means for the evicted.

use super::{
    decide::Answer,
    reclaim::Draft,
    state::{Ask, For, Hold, Reference, Stage},
    victims::Right,
};
use quotree_core::{Action, EvictReason, PodId, ReleaseReason, Rule, WorkloadId};

impl Reference {
    /// Carries a draft out: evicts its victims and holds what they free.
    pub(super) fn hold(&mut self, id: WorkloadId, ask: Ask, draft: Draft, plan: &mut Answer) {
        let hold = self.next_hold;
        self.next_hold += 1;
        self.step_out(id);
        for pod in &draft.leaving {
            self.pod_mut(*pod).stage = Stage::Leaving(For::Hold(hold));
        }
        let mut victims = draft.leaving.len();
        for candidate in &draft.victims {
            let rule = if draft.right == Right::Reclaim { Rule::R2 } else { Rule::R1 };
            let reason = self.reason(candidate, rule, Some(id));
            victims += candidate.pods.len();
            for pod in &candidate.pods {
                self.evict(*pod, For::Hold(hold), reason.clone(), plan);
            }
            self.line_up_rest(candidate.workload, ReleaseReason::NeededBy(id), plan);
        }
        let spots = draft.spots.iter().map(|(pod, spot)| (*pod, spot.node)).collect();
        let victims = u32::try_from(victims).unwrap_or(u32::MAX);
        plan.actions.push(Action::Hold { workload: id, spots, victims });
        self.at_mut(id).hold = Some(hold);
        let (since, made, spots) = (self.now, self.count, draft.spots);
        self.holds.push(Hold { id: hold, workload: id, ask, since, made, spots });
        self.timers.extend(self.policy.hold_timeout_ms.map(|ms| self.now.after_ms(ms)));
    }

    /// What still waits of an evicted workload waits for something else now; a hold of one that fell below its minimum
    /// gives way (G1, G2).
    pub(super) fn line_up_rest(&mut self, victim: WorkloadId, why: ReleaseReason, plan: &mut Answer) {
        match self.at(victim).hold {
            None => self.line_up_again(victim),
            Some(hold) if self.at(victim).below_minimum() => {
                self.release(hold, why, plan);
            }
            Some(_) => {}
        }
    }

    pub(super) fn line_up_again(&mut self, id: WorkloadId) {
        self.step_out(id);
        self.line_up(id);
    }

    /// Plans an eviction.
    pub(super) fn evict(&mut self, pod: PodId, whom: For, reason: EvictReason, plan: &mut Answer) {
        self.pod_mut(pod).stage = Stage::Leaving(whom);
        let workload = self.at_mut(pod.workload);
        workload.evicted_whole |= workload.below_minimum();
        if let Some(budget) = workload.budget.clone()
            && let Some(left) = self.budgets.get_mut(&budget)
        {
            *left = left.saturating_sub(1);
        }
        self.refile(pod.workload);
        plan.actions.push(Action::Evict { pod, reason });
    }

    /// Ends a hold: its victims leave for nobody.
    pub(super) fn drop_hold(&mut self, hold: u32) -> Option<Hold> {
        let at = self.holds.iter().position(|h| h.id == hold)?;
        let hold = self.holds.remove(at);
        for pod in self.leaving(For::Hold(hold.id)) {
            self.pod_mut(pod).stage = Stage::Leaving(For::Nobody);
        }
        self.at_mut(hold.workload).hold = None;
        self.free_kept(&hold);
        Some(hold)
    }

    /// What a hold keeps on its nodes has changed.
    pub(super) fn free_kept(&mut self, hold: &Hold) {
        let up = hold.spots.iter().map(|(_, spot)| spot.node).filter(|node| self.nodes.contains_key(node));
        let up: Vec<_> = up.collect();
        self.freed.extend(up);
    }

    /// Ends a hold; its workload waits again.
    pub(super) fn release(&mut self, hold: u32, reason: ReleaseReason, plan: &mut Answer) {
        if let Some(hold) = self.drop_hold(hold) {
            plan.actions.push(Action::Release { workload: hold.workload, reason });
            self.line_up_again(hold.workload);
        }
    }

    /// Ends the holds that took too long; nobody waits for their victims any more (H2).
    pub(super) fn expire_holds(&mut self, plan: &mut Answer) {
        let Some(timeout) = self.policy.hold_timeout_ms else { return };
        for hold in self.holds.clone() {
            let late = self.leaving(For::Hold(hold.id));
            if !late.is_empty() && hold.since.after_ms(timeout) <= self.now {
                self.release(hold.id, ReleaseReason::TimedOut, plan);
                for pod in late {
                    self.pod_mut(pod).stage = Stage::Leaving(For::Overdue);
                }
            }
        }
    }

    fn keeps_above(&self, id: WorkloadId) -> bool {
        let keeps = |q: usize| self.tree.quotas[q].kept.iter().any(|kept| *kept > 0);
        self.at(id).leaf.is_some_and(|leaf| self.tree.path(leaf).any(keeps))
    }

    /// Binds those whose victims are all gone, the oldest hold first (H3). Where quotas keep something (L3), a hold may
    /// count on what victims of others free above them, and waits for those, too.
    pub(super) fn bind_held(&mut self, plan: &mut Answer) {
        for hold in self.holds.clone() {
            if !self.leaving(For::Hold(hold.id)).is_empty() {
                continue;
            }
            let mut without = self.clone();
            without.drop_hold(hold.id);
            let id = hold.workload;
            // That it counts as a job already is not in its way.
            let ask = Ask { job: false, ..hold.ask.clone() };
            let barred = without.barred(&without.ledger(), &ask, self.at(id).leaf).is_some();
            if barred && self.keeps_above(id) && without.fits_when_settled(id, &ask) {
                continue;
            }
            *self = without;
            let spots = || self.kept_spots(&hold.spots).or_else(|| self.place(id, self.rooms()));
            match (!barred).then(spots).flatten() {
                Some(spots) => self.bind(id, &ask, &spots, true, plan),
                None => {
                    plan.actions.push(Action::Release { workload: id, reason: ReleaseReason::NoLongerFits });
                    self.line_up_again(id);
                }
            }
        }
    }
}
