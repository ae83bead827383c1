//! Why a workload waits: what binds, what else is in the way, who holds what is missing, whom a rule protects (X1), and what
//! would help (X3).
//!
//! A search that finds no plan leaves behind what stopped it ([`Findings`]); here that becomes a [`Verdict`]. In plans it is
//! told in full only where tree and cluster are small, and without what would help; asked for by [`Scheduler::explain`] it
//! always is, and with it.

mod protected;
mod room;

use crate::api::{
    Action, BlockingReason, Bound, Holder, NodeTally, Obstacle, PodId, Protection, QuotaId, Room, Unquotaed, Verdict,
    WorkloadId,
};
use crate::scheduler::{
    Scheduler,
    preempt::eligibility::PreemptionKind,
    quota::ledger::{QuotaSlot, cell},
    state::{
        interner::Ask,
        workloads::{Workload, WorkloadSlot},
    },
    view::PodState,
};
use std::{cmp::Reverse, collections::BTreeMap};

/// What a search in vain leaves behind.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    /// Whether anybody wants to know more than the bounds.
    pub(crate) in_full: bool,
    pub(crate) bounds: Vec<Bound>,
    /// What stopped it, one a kind.
    pub(crate) stops: Vec<BlockingReason>,
    /// How many pods leave, when it fits once they are gone.
    pub(crate) settling: Option<u32>,
}

impl Findings {
    pub(crate) fn note(&mut self, bound: Bound, hit: bool) {
        if hit && !self.bounds.contains(&bound) {
            self.bounds.push(bound);
        }
    }
}

impl Scheduler {
    /// Why a workload waits, now and in full, with what would help; nothing when it does not wait or is not known.
    ///
    /// Costs what [`verdict`](Self::verdict) costs, and a copy of the state and a decision for each change that may help.
    #[must_use]
    pub fn explain(&self, workload: WorkloadId) -> Option<Verdict> {
        let mut verdict = self.verdict(workload)?;
        verdict.helps = self.helps(self.workloads.slot(workload)?, &verdict);
        Some(verdict)
    }

    /// What binds a workload that waits, in brief: of missing room only that it is missing. Costs a path of the tree.
    #[must_use]
    pub fn bound_by(&self, workload: WorkloadId) -> Option<BlockingReason> {
        let slot = self.workloads.slot(workload)?;
        if let Some(binding) = self.simple_binding(slot) {
            return Some(binding);
        }
        let ask = self.stopped_by_itself(slot)?;
        Some(self.blocked(&ask, self.workloads.at(slot).leaf).unwrap_or_else(|| self.some_room_is_missing()))
    }

    /// What stops a workload before quota and room are looked at, if anything does.
    fn simple_binding(&self, slot: WorkloadSlot) -> Option<BlockingReason> {
        let workload = self.workloads.at(slot);
        if let Some(hold) = workload.hold.and_then(|id| self.holds.get(&id)) {
            return Some(BlockingReason::Held { leaving: crate::scheduler::state::table::narrow(hold.victims.len()) });
        }
        let (_, key) = workload.waits?;
        if workload.leaf == self.ledger.no_quota() && self.policy.unquotaed == Unquotaed::Refuse {
            return Some(BlockingReason::NoQuota);
        }
        let head = self.blocking_queues.at(workload.leaf).as_ref().and_then(|line| line.first());
        head.filter(|head| head.id != key.id).map(|head| BlockingReason::Behind { head: head.id })
    }

    /// The same without what would help. Costs a copy of the state and a pass over leaves, nodes and workloads.
    #[must_use]
    pub fn verdict(&self, workload: WorkloadId) -> Option<Verdict> {
        let slot = self.workloads.slot(workload)?;
        let row = self.workloads.at(slot);
        if row.hold.is_none() && row.waits.is_none() {
            return None;
        }
        let mut copy = self.clone();
        let mut found = Findings { in_full: true, ..Findings::default() };
        if let Some(ask) = copy.stopped_by_itself(slot) {
            copy.search_again(slot, &ask, &mut found);
        }
        copy.explained(slot, found)
    }

    /// What a workload waits for, unless something simpler than quota or room is in its way.
    fn stopped_by_itself(&self, slot: WorkloadSlot) -> Option<Ask> {
        let (ask, _) = self.workloads.at(slot).waits.filter(|_| self.simple_binding(slot).is_none())?;
        Some(self.interner.get(ask).clone())
    }

    /// Looks for a plan as a decision would, to see what stops it.
    fn search_again(&mut self, slot: WorkloadSlot, ask: &Ask, found: &mut Findings) {
        if self.fits_when_settled(slot, ask) {
            found.settling = Some(self.how_many_leave());
            return;
        }
        for kind in [PreemptionKind::Reclaim, PreemptionKind::Priority] {
            if self.find_plan(slot, ask, kind, found).is_some() {
                break;
            }
        }
    }

    /// How many pods are leaving, for whomever.
    pub(crate) fn how_many_leave(&self) -> u32 {
        let held = self.holds.values().map(|hold| hold.victims.len()).sum::<usize>();
        crate::scheduler::state::table::narrow(held + self.unclaimed_terminating.len())
    }

    /// Whether verdicts of plans are told in full.
    pub(crate) fn tells_in_full(&self) -> bool {
        let most = self.policy.bounds.detail as usize;
        self.tree.len().max(self.nodes.by_id.len()).max(self.workloads.len()) <= most
    }

    /// The verdict on a workload, with what a search for it found.
    pub(crate) fn explained(&mut self, slot: WorkloadSlot, found: Findings) -> Option<Verdict> {
        let workload = self.workloads.at(slot);
        let mut verdict = Verdict {
            workload: workload.id,
            binding: BlockingReason::NoQuota,
            entitled: false,
            holders: Vec::new(),
            also: Vec::new(),
            protected: Vec::new(),
            bounds_hit: found.bounds,
            helps: Vec::new(),
        };
        if let Some(binding) = self.simple_binding(slot) {
            verdict.entitled = matches!(binding, BlockingReason::Held { .. });
            verdict.binding = binding;
            return Some(verdict);
        }
        let leaf = workload.leaf;
        let ask = self.interner.get(workload.waits?.0).clone();
        verdict.entitled = self.entitled(&ask, leaf);
        let blocked = self.blocked(&ask, leaf);
        if !found.in_full {
            verdict.binding = blocked.unwrap_or_else(|| self.some_room_is_missing());
            return Some(verdict);
        }
        let room = self.what_room_is_missing(slot, &found.stops);
        let mut also = if blocked.is_some() { self.limits(&ask, leaf) } else { Vec::new() };
        if blocked.is_some() {
            also.remove(0);
            also.extend(room.clone().map(BlockingReason::Room));
        }
        verdict.binding =
            blocked.or(room.clone().map(BlockingReason::Room)).unwrap_or_else(|| self.some_room_is_missing());
        also.extend(found.stops.into_iter().filter(|stop| matches!(stop, BlockingReason::Growth { .. })));
        also.extend(found.settling.map(|leaving| BlockingReason::Settling { leaving }));
        verdict.protected = self.protected(slot, &ask, std::iter::once(&verdict.binding).chain(&also));
        let denied = |class: &crate::api::Protected| matches!(class.shield, Protection::NotEntitled { .. });
        // It is also why it may take no room that others hold (H2).
        if verdict.protected.iter().any(denied) || (!verdict.entitled && !self.holds.is_empty()) {
            also.extend(self.unentitled(&ask, leaf));
        }
        verdict.holders = self.holders(slot, &ask, &verdict.binding);
        for binding in also {
            let holders = self.holders(slot, &ask, &binding);
            verdict.also.push(Obstacle { binding, holders });
        }
        Some(verdict)
    }

    /// That no node has room, without saying more.
    fn some_room_is_missing(&self) -> BlockingReason {
        let total = crate::scheduler::state::table::narrow(self.nodes.by_id.len());
        BlockingReason::Room(Room { nodes: NodeTally { total, ..NodeTally::default() }, ..Room::default() })
    }

    /// The lowest quota of the path that is not within its guarantee with the ask, and in what (R2a).
    fn unentitled(&self, ask: &Ask, leaf: QuotaSlot) -> Vec<BlockingReason> {
        for q in self.ledger.path(leaf) {
            let Some(quota) = self.quota(q) else { break };
            let short = |(r, needed): (usize, i64)| {
                let available = self.guarantee(q, r).saturating_sub(self.ledger.projected_usage(q, r));
                let resource = self.tree.resource_name(r)?.clone();
                (available < needed).then_some(BlockingReason::Unentitled { quota, resource, needed, available })
            };
            let found: Vec<BlockingReason> = ask.requested().filter_map(short).collect();
            if !found.is_empty() {
                return found;
            }
        }
        Vec::new()
    }

    /// Who holds what an obstacle says is missing: leaves with their pods, the largest first.
    fn holders(&self, slot: WorkloadSlot, ask: &Ask, of: &BlockingReason) -> Vec<Holder> {
        if matches!(
            of,
            BlockingReason::NoQuota
                | BlockingReason::Behind { .. }
                | BlockingReason::Held { .. }
                | BlockingReason::Settling { .. }
        ) {
            return Vec::new();
        }
        let resource = of.amounts().and_then(|(name, ..)| self.tree.resource_index(name.as_str()));
        if resource.is_none() && !matches!(of, BlockingReason::Jobs { .. }) {
            return Vec::new();
        }
        let counts = |workload: &Workload| match of {
            BlockingReason::Room(_) => true,
            BlockingReason::Guarantee { quota, .. } => !workload.preemptible && self.is_in(workload.leaf, *quota),
            _ => of.quota().is_some_and(|quota| self.is_in(workload.leaf, quota)),
        };
        let suits = |node: u32| {
            let is_suitable = |(id, _): &(u32, u32)| self.nodes.is_suitable(node, self.interner.templates.at(*id));
            !matches!(of, BlockingReason::Room(_)) || ask.members.iter().any(is_suitable)
        };
        let mut held: BTreeMap<QuotaSlot, (i64, Vec<PodId>)> = BTreeMap::new();
        for other in self.workloads.sorted() {
            let workload = self.workloads.at(other);
            let only_holds = resource.is_none() && workload.hold.is_some();
            if !counts(workload) || (other == slot && resource.is_none()) {
                continue;
            }
            for (ordinal, pod) in (0u32..).zip(&workload.pods) {
                let stands = pod.state.is_some_and(|state| state != PodState::Waiting) && suits(pod.spot.node);
                let uses = resource.map_or(0, |r| cell(self.workloads.governed((other, ordinal), &self.interner), r));
                if (stands && (uses > 0 || resource.is_none())) || (only_holds && pod.state.is_some()) {
                    let (sum, pods) = held.entry(workload.leaf).or_default();
                    *sum += uses;
                    pods.push(workload.id.pod(ordinal));
                }
            }
        }
        let holder = |(leaf, (used, pods)): (QuotaSlot, (i64, Vec<PodId>))| {
            let over = |r| cell(self.ledger.used.row(leaf), r) - self.min(leaf, r);
            let borrowed = resource.filter(|_| self.quota(leaf).is_some()).map_or(0, |r| over(r).max(0));
            Holder { quota: self.quota(leaf), pods, used, borrowed }
        };
        let mut holders: Vec<Holder> = held.into_iter().map(holder).collect();
        holders.sort_by_key(|holder| (Reverse(holder.used), holder.quota));
        holders
    }

    /// Whether an leaf is a quota or stands below it.
    fn is_in(&self, leaf: QuotaSlot, quota: QuotaId) -> bool {
        self.quota(leaf).is_some_and(|leaf| self.tree.is_under(leaf, quota))
    }

    /// Whether a plan places a workload: binds some of it, or holds room for it.
    pub(crate) fn places(actions: &[Action], workload: WorkloadId) -> bool {
        actions.iter().any(|action| match action {
            Action::Bind { pod, .. } => pod.workload == workload,
            Action::Hold { workload: who, .. } => *who == workload,
            _ => false,
        })
    }
}
