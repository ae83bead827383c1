//! What would help a pending workload (X3). Each single change is tried on a copy of the state before it is advised; an
//! amount is the smallest that helps.

use crate::{
    api::{
        Action, BlockingReason, Event, Help, OverPromised, Protection, QuotaId, Room, TreeSpec, Verdict,
        WorkloadChange, WorkloadId,
    },
    scheduler::{
        Scheduler,
        cluster::Cluster,
        placement::fits,
        preempt::{PreemptionKind, SearchFindings, find_plan},
        state::{Ask, QuotaSlot, WorkloadSlot},
    },
};
use std::{cmp::Reverse, collections::BTreeSet};

/// How many workloads, and how many nodes, the search for advice tries at most.
const TRIED: usize = 8;

/// How many siblings are tried that could give up a part of their min.
const GIVERS: usize = 2;

impl Scheduler {
    /// Why a workload is pending, now and in full (X1), with what would help (X3); nothing when it is not pending and
    /// has no hold, or is not known.
    ///
    /// Costs what [`verdict`](Self::verdict) costs, and a copy of the state and a decision for each change that may
    /// help.
    #[must_use]
    pub fn explain(&self, workload: WorkloadId) -> Option<Verdict> {
        let mut verdict = self.verdict(workload)?;
        let slot = self.cluster.workloads.slot(workload)?;
        let advisable = !matches!(verdict.binding, BlockingReason::NoQuota | BlockingReason::Behind { .. });
        if let Some(ask) = self.cluster.queue.pending(slot).filter(|_| advisable) {
            let ask = self.cluster.workloads.interner.ask(ask);
            verdict.helps = Advisor::new(self, slot, ask).helps(&verdict);
        }
        Some(verdict)
    }
}

/// The search for advice on one workload.
struct Advisor<'a> {
    scheduler: &'a Scheduler,
    slot: WorkloadSlot,
    ask: &'a Ask,
    /// A copy of the state, for [`is_likely`](Self::is_likely).
    probe: Cluster,
}

impl<'a> Advisor<'a> {
    fn new(scheduler: &'a Scheduler, slot: WorkloadSlot, ask: &'a Ask) -> Self {
        let mut probe = scheduler.cluster.clone();
        // What was bound at this moment may be a victim in the next one.
        probe.forget_bind_protection();
        Self { scheduler, slot, ask, probe }
    }

    fn cluster(&self) -> &'a Cluster {
        &self.scheduler.cluster
    }

    /// Single changes each of which would place the workload in the next decision.
    fn helps(&mut self, verdict: &Verdict) -> Vec<Help> {
        let mut helps = Vec::new();
        for choices in self.larger_quotas() {
            helps.extend(choices.into_iter().find_map(|help| self.smallest(help)));
        }
        if let Some(room) = verdict.obstacles().find_map(|(reason, _)| reason.room()) {
            let freed = larger_nodes(room).find_map(|help| self.smallest(help));
            let uncordoned = || self.cordoned().find(|help| self.is_placed_after(help));
            helps.extend(freed.or_else(uncordoned));
        }
        let others = self.fewer_protected(verdict).chain(more_jobs(verdict));
        helps.extend(others.filter(|help| self.is_placed_after(help)));
        helps
    }

    /// For each quota and resource on the path that blocks: the largest increase of min or max that could help. An
    /// increase of min has one entry for each sibling that could give it up.
    fn larger_quotas(&self) -> Vec<Vec<Help>> {
        let (quotas, ask) = (&self.cluster().quotas, self.ask);
        let ledger = &quotas.ledger;
        let mut helps = Vec::new();
        for q in ledger.path(self.cluster().workloads.at(self.slot).leaf) {
            let Some(quota) = quotas.quota_id(q) else { continue };
            for (r, amount) in ask.requested() {
                let Some(resource) = quotas.tree.resource_name(r) else { continue };
                let fixed = ledger.non_preemptible_usage(q, r).saturating_add(amount).saturating_sub(quotas.min(q, r));
                let short = quotas.above_guarantee(q, r, amount).max(if ask.preemptible { 0 } else { fixed });
                if short > 0 {
                    let more = |from| Help::MoreMin { quota, resource: resource.clone(), by: short, from };
                    helps.push(self.givers(quota, r, short).into_iter().map(more).collect());
                }
                let over = ledger.charged(q, r).saturating_add(amount).saturating_sub(quotas.max(q, r));
                if over > 0 {
                    helps.push(vec![Help::MoreMax { quota, resource: resource.clone(), by: over }]);
                }
            }
        }
        helps
    }

    /// The siblings that could give up so much of their min for a quota, because they do not use it, the one with the
    /// most unused first (T2). Only `None` where the parent has enough left.
    fn givers(&self, quota: QuotaId, r: usize, by: i64) -> Vec<Option<QuotaId>> {
        let quotas = &self.cluster().quotas;
        let Some(parent) = quotas.tree.parent(quota) else { return vec![None] };
        let siblings = quotas.tree.children(parent);
        let min = |q: QuotaId| quotas.min(q.into(), r);
        let promised = siblings.iter().map(|q| min(*q)).fold(0, i64::saturating_add);
        let may_overpromise = self.cluster().policy.over_promised == OverPromised::Warn;
        if may_overpromise || min(parent).saturating_sub(promised) >= by {
            return vec![None];
        }
        let unused = |q: &QuotaId| min(*q).saturating_sub(quotas.ledger.projected_usage(QuotaSlot::from(*q), r));
        let mut givers: Vec<QuotaId> = siblings.iter().copied().filter(|q| *q != quota && unused(q) >= by).collect();
        givers.sort_by_key(|q| (Reverse(unused(q)), *q));
        givers.into_iter().take(GIVERS).map(Some).collect()
    }

    /// The change that a non-preemptible workload becomes preemptible, for one workload at a time.
    fn fewer_protected(&self, verdict: &Verdict) -> impl Iterator<Item = Help> + use<> {
        let classes = verdict.protected.iter().filter(|class| class.shield == Protection::NonPreemptible);
        let ids: BTreeSet<_> = classes.flat_map(|class| &class.who).map(|pod| pod.workload).collect();
        let own = self.cluster().workloads.at(self.slot).id;
        ids.into_iter().filter(move |id| *id != own).take(TRIED).map(|workload| Help::Preemptible { workload })
    }

    fn cordoned(&self) -> impl Iterator<Item = Help> + use<'a> {
        let nodes = &self.cluster().nodes;
        let cordoned = nodes.sorted().into_iter().map(|slot| nodes.at(slot)).filter(|node| !node.spec.schedulable);
        cordoned.take(TRIED).map(|node| Help::Uncordon { node: node.id })
    }

    /// The smallest amount of a change that places the workload, if any does.
    fn smallest(&mut self, most: Help) -> Option<Help> {
        let mut works = amount(&most);
        if !self.is_likely(&most) || !self.is_placed_after(&most) {
            return None;
        }
        if !self.cluster().holds.is_empty() && self.is_placed_after(&with_amount(&most, 0)) {
            return None;
        }
        // The quick test can refuse an amount that is enough, because other workloads may go first. So a second round
        // searches below the result of the first without it.
        for quick in [true, false] {
            let (mut fails, mut next) = (0, works - 1);
            while works - fails > 1 {
                let less = with_amount(&most, next);
                if (!quick || self.is_likely(&less)) && self.is_placed_after(&less) {
                    works = next;
                } else {
                    fails = next;
                }
                next = fails + (works - fails) / 2;
            }
        }
        Some(with_amount(&most, works))
    }

    /// The quick test, cheaper than a decision: whether the workload could be placed after the change, if it were tried
    /// next.
    fn is_likely(&mut self, help: &Help) -> bool {
        // Lend floors follow min, and a new tree ends holds: then only a decision shows the effect.
        let tree = &self.probe.quotas.tree;
        let has_lend_limit = |quota: QuotaId| tree.spec(quota).is_some_and(|spec| spec.lend.is_some());
        if !self.probe.holds.is_empty() || tree.ids().any(has_lend_limit) {
            return true;
        }
        make(&mut self.probe, help, 1);
        let found = could_be_placed(&mut self.probe, self.slot);
        make(&mut self.probe, help, -1);
        found
    }

    /// Whether the workload would be placed after an event with this change, and would still be placed at the next
    /// moment.
    fn is_placed_after(&self, help: &Help) -> bool {
        let Some(event) = event_of(self.cluster(), help) else { return false };
        let (now, id) = (self.cluster().now, self.cluster().workloads.at(self.slot).id);
        let mut copy = self.scheduler.clone();
        if copy.apply(event).is_err() {
            return false;
        }
        let first = copy.decide(now);
        if copy.apply(Event::Tick).is_err() {
            return false;
        }
        let second = copy.decide(now.after_ms(1));
        (places(&first.actions, id) || places(&second.actions, id)) && !displaces(&second.actions, id)
    }
}

/// Whether a plan takes away from a workload what it got: evicts pods of the workload, or ends its hold.
fn displaces(actions: &[Action], id: WorkloadId) -> bool {
    actions.iter().any(|action| match action {
        Action::Evict { pod, .. } => pod.workload == id,
        Action::Release { workload, .. } => *workload == id,
        _ => false,
    })
}

/// Whether a plan places a workload: binds some of its pods, or holds room for them.
fn places(actions: &[Action], id: WorkloadId) -> bool {
    actions.iter().any(|action| match action {
        Action::Bind { pod, .. } => pod.workload == id,
        Action::Hold { workload, .. } => *workload == id,
        _ => false,
    })
}

/// Applies a change to the probe, or reverses it.
fn make(probe: &mut Cluster, help: &Help, sign: i64) {
    let tree = &mut probe.quotas.tree;
    match help {
        Help::MoreMin { quota, resource, by, from } => {
            tree.raise(*quota, resource, sign * by, 0);
            if let Some(from) = from {
                tree.raise(*from, resource, -sign * by, 0);
            }
        }
        Help::MoreMax { quota, resource, by } => tree.raise(*quota, resource, 0, sign * by),
        Help::FreeOnNode { node, resource, by } => {
            probe.nodes.enlarge(*node, probe.workloads.interner.resource_index(resource.as_str()), sign * by);
        }
        _ => {}
    }
    probe.note_other_quotas();
}

/// Whether the workload could be placed if it were tried next, by preemption if need be.
fn could_be_placed(probe: &mut Cluster, slot: WorkloadSlot) -> bool {
    let Some(ask) = probe.queue.pending(slot) else { return false };
    let ask = probe.workloads.interner.ask(ask).clone();
    if fits(probe, slot) && probe.quotas.admits(&ask, probe.workloads.at(slot).leaf) {
        return true;
    }
    let mut ignored = SearchFindings::default();
    PreemptionKind::BOTH.into_iter().any(|kind| find_plan(probe, slot, &ask, kind, &mut ignored).is_some())
}

/// The event that reports a change.
fn event_of(cluster: &Cluster, help: &Help) -> Option<Event> {
    let tree = &cluster.quotas.tree;
    match help {
        Help::MoreMin { quota, .. } | Help::MoreMax { quota, .. } | Help::MoreJobs { quota, .. } => {
            let mut changed: TreeSpec = tree.ids().filter_map(|q| tree.spec(q).cloned()).collect();
            if let Help::MoreMin { resource, by, from: Some(from), .. } = help {
                let spec = changed.quotas.get_mut(from.0 as usize)?;
                let old = spec.min.get(resource.as_str()).unwrap_or(0);
                spec.min.set(resource.clone(), old.saturating_sub(*by));
            }
            let spec = changed.quotas.get_mut(quota.0 as usize)?;
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
            Some(Event::TreeChanged(changed))
        }
        Help::FreeOnNode { node, resource, by } => {
            let mut spec = cluster.nodes.at(cluster.nodes.slot(*node)?).spec.clone();
            if spec.devices.iter().any(|devices| devices.resource == *resource) {
                return None;
            }
            let old = spec.allocatable.get(resource.as_str()).unwrap_or(0);
            spec.allocatable.set(resource.clone(), old.saturating_add(*by));
            Some(Event::NodeChanged(spec))
        }
        Help::Uncordon { node } => {
            let mut spec = cluster.nodes.at(cluster.nodes.slot(*node)?).spec.clone();
            spec.schedulable = true;
            Some(Event::NodeChanged(spec))
        }
        Help::Preemptible { workload } => {
            let change = WorkloadChange { preemptible: Some(true), ..WorkloadChange::of(*workload) };
            Some(Event::WorkloadChanged(change))
        }
    }
}

/// A larger limit on jobs, where that limit blocks.
fn more_jobs(verdict: &Verdict) -> impl Iterator<Item = Help> + use<> {
    let jobs = match verdict.binding {
        BlockingReason::Jobs { quota, limit } => Some(Help::MoreJobs { quota, limit: limit.saturating_add(1) }),
        _ => None,
    };
    jobs.into_iter()
}

/// For each of the closest nodes that lacks only one resource: the node with that much more of the resource.
fn larger_nodes(room: &Room) -> impl Iterator<Item = Help> {
    let lacks_one = room.closest.iter().filter(|near| near.lacks == 1);
    lacks_one.map(|near| {
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
