//! What would help (X3): single changes, each made on a copy of the state and decided upon before it is told; of amounts,
//! the smallest that does.

use crate::api::{
    BlockingReason, Event, Help, OverPromised, Protection, QuotaId, Room, TreeSpec, Verdict, WorkloadChange,
};
use crate::scheduler::explain::Findings;
use crate::scheduler::{
    Scheduler,
    preempt::eligibility::PreemptionKind,
    state::{interner::Ask, workloads::WorkloadSlot},
};
use std::{cmp::Reverse, collections::BTreeSet};

/// How many workloads and nodes are tried, each.
const TRIED: usize = 8;

/// How many siblings are asked to give up guarantee.
const GIVERS: usize = 2;

impl Scheduler {
    /// Single changes each of which would place the workload in the next decision.
    pub(crate) fn helps(&self, slot: WorkloadSlot, verdict: &Verdict) -> Vec<Help> {
        let workload = self.workloads.at(slot);
        let Some((ask, _)) = workload.waits else { return Vec::new() };
        if matches!(verdict.binding, BlockingReason::NoQuota | BlockingReason::Behind { .. }) {
            return Vec::new();
        }
        let ask = self.interner.get(ask);
        let mut helps = Vec::new();
        let mut probe = self.clone();
        // Who was only just bound is a victim from the next fact on.
        drop(probe.apply(Event::Tick));
        for choices in self.larger_quotas(slot, ask) {
            helps.extend(choices.into_iter().find_map(|help| self.smallest(&mut probe, slot, help)));
        }
        if let Some(room) = verdict
            .obstacles()
            .find_map(|(binding, _)| if let BlockingReason::Room(room) = binding { Some(room) } else { None })
        {
            let freed = larger_nodes(room).find_map(|help| self.smallest(&mut probe, slot, help));
            let opened = || self.cordoned().find(|help| self.is_placed_after(slot, help));
            helps.extend(freed.or_else(opened));
        }
        let others = self.fewer_protected(slot, verdict).chain(self.more_jobs(verdict));
        helps.extend(others.filter(|help| self.is_placed_after(slot, help)));
        helps
    }

    /// The most by which a larger min or max on the path could help, each with the ways to come by it.
    fn larger_quotas(&self, slot: WorkloadSlot, ask: &Ask) -> Vec<Vec<Help>> {
        let mut helps = Vec::new();
        for q in self.ledger.path(self.workloads.at(slot).leaf).filter(|q| self.quota(*q).is_some()) {
            for (r, amount) in ask.requested() {
                let (Some(resource), quota) = (self.tree.resource_name(r), QuotaId(q)) else { continue };
                let non_preemptible_usage =
                    self.ledger.non_preemptible_usage(q, r).saturating_add(amount).saturating_sub(self.min(q, r));
                let short =
                    self.ledger.projected_usage(q, r).saturating_add(amount).saturating_sub(self.guarantee(q, r));
                let short = short.max(if ask.preemptible { 0 } else { non_preemptible_usage });
                if short > 0 {
                    let from = self.givers(quota, r, short);
                    let more = |from| Help::MoreMin { quota, resource: resource.clone(), by: short, from };
                    helps.push(from.into_iter().map(more).collect());
                }
                let over = self.ledger.charged(q, r).saturating_add(amount).saturating_sub(self.max(q, r));
                if over > 0 {
                    helps.push(vec![Help::MoreMax { quota, resource: resource.clone(), by: over }]);
                }
            }
        }
        helps
    }

    /// Who could give up guarantee for a quota: nobody need to where its parent has some left, else siblings, with so
    /// much unused, those with the most first (T2).
    fn givers(&self, quota: QuotaId, r: usize, by: i64) -> Vec<Option<QuotaId>> {
        let Some(parent) = self.tree.parent(quota) else { return vec![None] };
        let siblings = self.tree.children(parent);
        let promised = siblings.iter().map(|q| self.min(q.0, r)).fold(0, i64::saturating_add);
        if self.policy.over_promised == OverPromised::Warn || self.min(parent.0, r).saturating_sub(promised) >= by {
            return vec![None];
        }
        let unused = |q: &QuotaId| self.min(q.0, r).saturating_sub(self.ledger.projected_usage(q.0, r));
        let mut givers: Vec<QuotaId> = siblings.iter().copied().filter(|q| *q != quota && unused(q) >= by).collect();
        givers.sort_by_key(|q| (Reverse(unused(q)), *q));
        givers.into_iter().take(GIVERS).map(Some).collect()
    }

    /// The classes of pods that may not be evicted, one workload at a time.
    fn fewer_protected(&self, slot: WorkloadSlot, verdict: &Verdict) -> impl Iterator<Item = Help> {
        let classes = verdict.protected.iter().filter(|class| class.shield == Protection::NonPreemptible);
        let ids: BTreeSet<_> = classes.flat_map(|class| &class.who).map(|pod| pod.workload).collect();
        let own = self.workloads.at(slot).id;
        ids.into_iter().filter(move |id| *id != own).take(TRIED).map(|workload| Help::Preemptible { workload })
    }

    fn more_jobs(&self, verdict: &Verdict) -> impl Iterator<Item = Help> + use<> {
        let jobs = match verdict.binding {
            BlockingReason::Jobs { quota, limit } => Some(Help::MoreJobs { quota, limit: limit.saturating_add(1) }),
            _ => None,
        };
        jobs.into_iter()
    }

    fn cordoned(&self) -> impl Iterator<Item = Help> {
        let cordoned =
            self.nodes.sorted().into_iter().map(|slot| self.nodes.at(slot)).filter(|node| !node.spec.schedulable);
        cordoned.take(TRIED).map(|node| Help::Uncordon { node: node.id })
    }

    /// The least of a change by which it places the workload, if it does at all. `probe` is a copy of the state to try on.
    fn smallest(&self, probe: &mut Self, slot: WorkloadSlot, most: Help) -> Option<Help> {
        let mut works = amount(&most);
        if !probe.is_likely(slot, &most) || !self.is_placed_after(slot, &most) {
            return None;
        }
        if !self.holds.is_empty() && self.is_placed_after(slot, &with_amount(&most, 0)) {
            return None;
        }
        // The quick test says no too often, as others may go first: what it found to be the least is searched on without it.
        for quick in [true, false] {
            let (mut fails, mut next) = (0, works - 1);
            while works - fails > 1 {
                let less = with_amount(&most, next);
                if (!quick || probe.is_likely(slot, &less)) && self.is_placed_after(slot, &less) {
                    works = next;
                } else {
                    fails = next;
                }
                next = fails + (works - fails) / 2;
            }
        }
        Some(with_amount(&most, works))
    }

    /// Whether the change, made here and taken back, leaves a way to place the workload alone. Cheaper than to decide.
    fn is_likely(&mut self, slot: WorkloadSlot, help: &Help) -> bool {
        // What a quota any_lend_limit for itself follows its min, and a new tree ends holds: then only a decision can tell.
        let any_lend_limit = |quota: QuotaId| self.tree.spec(quota).is_some_and(|spec| spec.lend.is_some());
        if !self.holds.is_empty() || self.tree.ids().any(any_lend_limit) {
            return true;
        }
        self.make(help, 1);
        let found = self.could_be_placed(slot);
        self.make(help, -1);
        found
    }

    fn make(&mut self, help: &Help, sign: i64) {
        match help {
            Help::MoreMin { quota, resource, by, from } => {
                self.tree.raise(*quota, resource, sign * by, 0);
                if let Some(from) = from {
                    self.tree.raise(*from, resource, -sign * by, 0);
                }
            }
            Help::MoreMax { quota, resource, by } => self.tree.raise(*quota, resource, 0, sign * by),
            Help::FreeOnNode { node, resource, by } => {
                self.nodes.enlarge(*node, self.interner.resources.get_index_of(resource), sign * by);
            }
            _ => {}
        }
    }

    fn could_be_placed(&mut self, slot: WorkloadSlot) -> bool {
        let Some((ask, _)) = self.workloads.at(slot).waits else { return false };
        let ask = self.interner.get(ask).clone();
        let free = self.place(slot).map(|spots| self.unplace(&spots)).is_some();
        if free && self.blocked(&ask, self.workloads.at(slot).leaf).is_none() {
            return true;
        }
        let rights = [PreemptionKind::Reclaim, PreemptionKind::Priority];
        rights.into_iter().any(|kind| self.find_plan(slot, &ask, kind, &mut Findings::default()).is_some())
    }

    /// Whether the next decision places the workload when this change has come as a fact.
    fn is_placed_after(&self, slot: WorkloadSlot, help: &Help) -> bool {
        let id = self.workloads.at(slot).id;
        let Some(event) = self.fact(help) else { return false };
        let mut copy = self.clone();
        copy.apply(event).is_ok() && Self::places(&copy.decide(self.now).actions, id)
    }

    /// The fact that a change would come as.
    fn fact(&self, help: &Help) -> Option<Event> {
        match help {
            Help::MoreMin { quota, .. } | Help::MoreMax { quota, .. } | Help::MoreJobs { quota, .. } => {
                let mut tree: TreeSpec = self.tree.ids().filter_map(|q| self.tree.spec(q).cloned()).collect();
                if let Help::MoreMin { resource, by, from: Some(from), .. } = help {
                    let spec = tree.quotas.get_mut(from.0 as usize)?;
                    let old = spec.min.get(resource.as_str()).unwrap_or(0);
                    spec.min.set(resource.clone(), old.saturating_sub(*by));
                }
                let spec = tree.quotas.get_mut(quota.0 as usize)?;
                match help {
                    Help::MoreJobs { limit, .. } => spec.max_jobs = Some(*limit),
                    Help::MoreMax { resource, by, .. } => {
                        let old = spec.max.get(resource.as_str())?;
                        spec.max.set(resource.clone(), old.saturating_add(*by));
                    }
                    Help::MoreMin { resource, by, .. } => {
                        let old = spec.min.get(resource.as_str()).unwrap_or(0);
                        spec.min.set(resource.clone(), old.saturating_add(*by));
                    }
                    _ => {}
                }
                Some(Event::TreeChanged(tree))
            }
            Help::FreeOnNode { node, resource, by } => {
                let row = self.nodes.at(self.nodes.slot(*node)?);
                if row.spec.devices.iter().any(|devices| devices.resource == *resource) {
                    return None;
                }
                let mut spec = row.spec.clone();
                let old = spec.allocatable.get(resource.as_str()).unwrap_or(0);
                spec.allocatable.set(resource.clone(), old.saturating_add(*by));
                Some(Event::NodeChanged(spec))
            }
            Help::Uncordon { node } => {
                let mut spec = self.nodes.at(self.nodes.slot(*node)?).spec.clone();
                spec.schedulable = true;
                Some(Event::NodeChanged(spec))
            }
            Help::Preemptible { workload } => {
                let change = WorkloadChange { preemptible: Some(true), ..WorkloadChange::of(*workload) };
                Some(Event::WorkloadChanged(change))
            }
        }
    }
}

/// What the closest nodes lack, where that is one thing.
fn larger_nodes(room: &Room) -> impl Iterator<Item = Help> {
    let alone = room.closest.iter().filter(|near| near.lacks == 1);
    alone.map(|near| {
        let (node, resource) = (near.node, near.resource.clone());
        Help::FreeOnNode { node, resource, by: near.needed - near.available }
    })
}

const fn amount(help: &Help) -> i64 {
    match help {
        Help::MoreMin { by, .. } | Help::MoreMax { by, .. } | Help::FreeOnNode { by, .. } => *by,
        _ => 1,
    }
}

fn with_amount(help: &Help, amount: i64) -> Help {
    let mut help = help.clone();
    if let Help::MoreMin { by, .. } | Help::MoreMax { by, .. } | Help::FreeOnNode { by, .. } = &mut help {
        *by = amount;
    }
    help
}
