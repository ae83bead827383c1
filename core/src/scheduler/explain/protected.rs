//! Whom a rule protects: every pod that stands, in classes by the first thing that any_lend_limit it from being taken (X1).

use crate::api::{BlockingReason, Floor, PodId, Protected, Protection, QuotaId, RespectBudgets};
use crate::scheduler::{
    Scheduler,
    preempt::eligibility::{PreemptionKind, Resources},
    quota::ledger::{QuotaSlot, cell},
    state::{
        interner::Ask,
        workloads::{Workload, WorkloadSlot},
    },
    view::PodState,
};
use std::collections::BTreeMap;

/// What would have to be freed, and where: below a quota, on suitable nodes, or in the own leaf only.
#[derive(Default)]
struct Deficits {
    below: Vec<(QuotaId, usize)>,
    own: Vec<usize>,
    room: bool,
}

impl Scheduler {
    /// Every pod that stands, by what any_lend_limit it from being taken for this workload.
    pub(super) fn protected<'a>(
        &self,
        slot: WorkloadSlot,
        ask: &Ask,
        obstacles: impl Iterator<Item = &'a BlockingReason>,
    ) -> Vec<Protected> {
        let deficits = self.deficits(obstacles);
        let mut classes: BTreeMap<Protection, Vec<PodId>> = BTreeMap::new();
        let mut no_help = 0;
        for other in self.workloads.sorted() {
            let victim = self.workloads.at(other);
            let mut helping: Vec<PodId> = Vec::new();
            let mut resources = Resources::new();
            for (ordinal, pod) in (0u32..).zip(&victim.pods) {
                if pod.state.is_none_or(|state| state == PodState::Waiting) {
                    continue;
                }
                let before = resources.len();
                self.frees_of((other, ordinal), ask, &deficits, self.workloads.at(slot).leaf, &mut resources);
                let id = victim.id.pod(ordinal);
                if resources.len() == before {
                    no_help += 1;
                } else if pod.state == Some(PodState::Leaving) {
                    resources.truncate(before);
                    classes.entry(Protection::Leaving).or_default().push(id);
                } else {
                    helping.push(id);
                }
            }
            if !helping.is_empty() {
                resources.sort_unstable();
                resources.dedup();
                classes.entry(self.shield(slot, ask, other, &resources)).or_default().extend(helping);
            }
        }
        let class = |(shield, who): (Protection, Vec<PodId>)| Protected {
            shield,
            pods: crate::scheduler::state::table::narrow(who.len()),
            who,
        };
        let mut protected: Vec<Protected> = classes.into_iter().map(class).collect();
        if no_help > 0 {
            protected.push(Protected { shield: Protection::NoHelp, pods: no_help, who: Vec::new() });
        }
        protected
    }

    fn deficits<'a>(&self, obstacles: impl Iterator<Item = &'a BlockingReason>) -> Deficits {
        let mut deficits = Deficits::default();
        for binding in obstacles {
            let index = binding.amounts().and_then(|(name, ..)| self.tree.resource_index(name.as_str()));
            match binding {
                // What may not be evicted can only shrink by itself, and nobody is evicted for the number of workloads.
                BlockingReason::Guarantee { .. } | BlockingReason::Jobs { .. } => return Deficits::default(),
                BlockingReason::Ceiling { quota, .. } => deficits.below.extend(index.map(|r| (*quota, r))),
                BlockingReason::Growth { .. } => deficits.own.extend(index),
                BlockingReason::Room(_) => deficits.room = true,
                _ => {}
            }
        }
        deficits
    }

    /// Adds the resources of which a pod's going would free some that is missing (R5).
    fn frees_of(
        &self,
        pod: (WorkloadSlot, u32),
        ask: &Ask,
        deficits: &Deficits,
        own: QuotaSlot,
        found: &mut Resources,
    ) {
        let leaf = self.workloads.at(pod.0).leaf;
        let governed = self.workloads.governed(pod, &self.interner);
        let below = deficits.below.iter().filter(|(quota, _)| self.is_in(leaf, *quota)).map(|(_, r)| *r);
        let in_own = deficits.own.iter().copied().filter(|_| leaf == own);
        found.extend(below.chain(in_own).filter(|r| cell(governed, *r) > 0));
        let Some(node) = self.workloads.pod(pod).map(|row| row.spot.node).filter(|_| deficits.room) else { return };
        for (id, _) in &ask.members {
            if self.nodes.is_suitable(node, self.interner.templates.at(*id)) {
                found.extend(self.lacking(*id, node).into_iter().filter(|r| cell(governed, *r) > 0));
            }
        }
    }

    /// What any_lend_limit a workload from being taken for another that lacks these resources.
    fn shield(&self, slot: WorkloadSlot, ask: &Ask, other: WorkloadSlot, resources: &[usize]) -> Protection {
        let (workload, victim) = (self.workloads.at(slot), self.workloads.at(other));
        let same_leaf = victim.leaf == workload.leaf;
        if other == slot {
            return Protection::OwnWorkload;
        }
        if !self.is_enabled(if same_leaf { PreemptionKind::Priority } else { PreemptionKind::Reclaim }) {
            return Protection::Policy;
        }
        if let Some(shield) = self.state_shield(victim) {
            return shield;
        }
        if same_leaf {
            return if self.is_displaceable(workload, victim) {
                self.last_shield(victim)
            } else {
                Protection::Priority
            };
        }
        let reclaim_scope = self.reclaim_scope(ask, workload.leaf);
        let denied = || self.not_entitled(ask, reclaim_scope.unwrap_or(workload.leaf));
        if victim.leaf == self.ledger.no_quota() {
            let at_the_root = reclaim_scope.is_some_and(|reclaim_scope| self.ledger.parent(reclaim_scope).is_none());
            return if at_the_root { self.last_shield(victim) } else { denied() };
        }
        let common = self.tree.common(QuotaId(workload.leaf), QuotaId(victim.leaf));
        let reached = reclaim_scope.is_some_and(|reclaim_scope| self.tree.is_under(common, QuotaId(reclaim_scope)));
        if !reached {
            return denied();
        }
        let guarded = |r: usize| self.guarded(victim, common, r);
        let mut guards = resources.iter().map(|r| (guarded(*r), *r));
        match guards.next() {
            Some((Some(quota), r)) if guards.all(|(guard, _)| guard.is_some()) => {
                let resource = self.tree.resource_name(r).cloned().unwrap_or_else(|| "".into());
                Protection::WithinGuarantee { quota, resource }
            }
            _ => self.last_shield(victim),
        }
    }

    /// What the state of a workload protects (R2c).
    fn state_shield(&self, victim: &Workload) -> Option<Protection> {
        let young = self.policy.min_runtime_ms > 0 && victim.started().after_ms(self.policy.min_runtime_ms) > self.now;
        if !victim.preemptible {
            Some(Protection::NonPreemptible)
        } else if victim.bound_this_cycle {
            Some(Protection::JustBound)
        } else {
            young.then_some(Protection::ProtectedRuntime)
        }
    }

    /// In what a quota is above its guarantee with the ask (R2a).
    fn not_entitled(&self, ask: &Ask, at: QuotaSlot) -> Protection {
        let over = |(r, amount): (usize, i64)| {
            let by = self.ledger.projected_usage(at, r).saturating_add(amount).saturating_sub(self.guarantee(at, r));
            let resource = self.tree.resource_name(r)?.clone();
            (by > 0).then_some(Protection::NotEntitled { quota: QuotaId(at), resource, by })
        };
        ask.requested().find_map(over).filter(|_| self.quota(at).is_some()).unwrap_or(Protection::NotEnough)
    }

    /// The quota on a victim's branch that its guarantee protects in this resource, if one does (R2b).
    fn guarded(&self, victim: &Workload, common: QuotaId, resource: usize) -> Option<QuotaId> {
        let takes: i64 = match self.policy.floor {
            Floor::Pod => 1,
            Floor::Strict => {
                let uses =
                    |ordinal: &u32| cell(&self.interner.templates.at(victim.template(*ordinal)).governed, resource);
                victim.unit(|_| true).iter().map(uses).sum::<i64>().max(1)
            }
        };
        let mut branch = self.ledger.path(victim.leaf).take_while(|q| *q != common.0);
        branch.find(|q| self.ledger.remaining_usage(*q, resource) - takes < self.floor(*q, resource)).map(QuotaId)
    }

    /// What is left when the rules of reclaim protect nobody.
    fn last_shield(&self, victim: &Workload) -> Protection {
        let exhausted = |budget: &&crate::api::Name| {
            self.budgets.get(*budget).is_some_and(|left| (*left as usize) < victim.unit(|_| true).len())
        };
        let kept = self.policy.respect_budgets == RespectBudgets::Always;
        match victim.budget.as_ref().filter(exhausted).filter(|_| kept) {
            Some(budget) => Protection::Budget { budget: budget.clone() },
            None => Protection::NotEnough,
        }
    }
}
