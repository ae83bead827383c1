//! What each quota offers to the quota above it: its first workload that its own limits admit.
//!
//! An offer is the best case. It counts the limits of the quota itself, not of those above or below, nor whether nodes
//! have room. So a search goes through offers in order, looks what is behind each, and ends when the next offer comes
//! after what it has found.

use super::{
    line::{Labels, Line, LineKey, Seen, within},
    order::PendingKey,
    request_class::RequestQueue,
    tournament::Tournament,
};
use crate::scheduler::{
    quota::{Demand, Gates},
    state::{AskId, QuotaSlot, Ratio},
};
use std::collections::BTreeSet;

/// One quota: who waits there, and what it offers to the quota above.
#[derive(Debug, Clone, Default)]
pub(super) struct Row {
    pub(super) is_leaf: bool,
    /// In a leaf, its queues. Above, what the quotas below offer.
    pub(super) line: Line,
    /// Above the leaves: what the quotas below offer of workloads within their min.
    pub(super) entitled: Line,
    pub(super) tried: Tried,
    /// What it offers now, and what it offers of workloads within its min.
    offered: [Option<Offer>; 2],
}

/// What stands in the line of the quota above.
type Offer = (LineKey, Labels, Demand);

/// The requests of a leaf that were tried in vain while its guarantee covered them, by amount of each resource. They are
/// found again when it no longer does.
#[derive(Debug, Clone, Default)]
pub(super) struct Tried(Vec<BTreeSet<(i64, AskId)>>);

impl Tried {
    pub(super) fn note(&mut self, ask: AskId, demand: &[i64]) {
        for (tried, amount) in self.0.iter_mut().zip(demand) {
            tried.insert((*amount, ask));
        }
    }

    pub(super) fn forget(&mut self, ask: AskId, demand: &[i64]) {
        for (tried, amount) in self.0.iter_mut().zip(demand) {
            tried.remove(&(*amount, ask));
        }
    }

    /// A request that is above these limits.
    fn above(&self, limits: &[i64]) -> Option<AskId> {
        let last = |(tried, limit): (&BTreeSet<(i64, AskId)>, &i64)| {
            tried.last().filter(|(amount, _)| amount > limit).map(|(_, ask)| *ask)
        };
        self.0.iter().zip(limits).find_map(last)
    }
}

impl Row {
    pub(super) fn new(is_leaf: bool, resources: usize) -> Self {
        let line = || Line::new(2 * resources + 1, resources);
        let tried = if is_leaf { vec![BTreeSet::new(); resources] } else { Vec::new() };
        Self { is_leaf, line: line(), entitled: line(), tried: Tried(tried), offered: [None, None] }
    }

    /// The offer of a quota under its own limits.
    fn offer(&self, slot: QuotaSlot, gates: &Gates, share: Ratio) -> Option<Offer> {
        let whole = self.line.whole()?;
        let is_urgent = |_: Option<LineKey>, seen: Seen<'_>| seen.labels.due || wants(seen, gates);
        let is_admitted = |seen: Seen<'_>| seen.labels.open && within(seen.open, &gates.limits);
        let (first, _) = self.line.first(None, |key, seen| is_urgent(key, seen) || is_admitted(seen))?;
        let due = self.line.first(None, is_urgent).is_some();
        let labels = Labels { due, wanted: false, ..whole.labels };
        let key = if self.is_leaf { PendingKey { share, ..first } } else { first };
        Some(((key, slot.0), labels, whole.open.into()))
    }

    /// What a quota offers of workloads within its min.
    fn offer_entitled(&self, slot: QuotaSlot, gates: &Gates) -> Option<Offer> {
        let line = if self.is_leaf { &self.line } else { &self.entitled };
        let whole = line.whole()?;
        let (first, _) = line.first(None, |_, seen| wants(seen, gates) || may_be_entitled(seen, gates))?;
        let wanted = line.first(None, |_, seen| wants(seen, gates)).is_some();
        let mut amounts: Demand = whole.open.into();
        if wanted {
            amounts.iter_mut().zip(whole.wanted).for_each(|(least, amount)| *least = (*least).min(*amount));
        }
        Some(((first, slot.0), Labels { wanted, due: false, ..whole.labels }, amounts))
    }
}

/// Whether something is wanted that the guarantee may cover.
pub(super) fn wants(seen: Seen<'_>, gates: &Gates) -> bool {
    seen.labels.wanted && gates.covers.as_ref().is_some_and(|covers| within(seen.wanted, covers))
}

/// Whether something is open that limits and guarantee may cover.
pub(super) fn may_be_entitled(seen: Seen<'_>, gates: &Gates) -> bool {
    let covered = |covers: &Demand| within(seen.open, covers);
    seen.labels.open && within(seen.open, &gates.limits) && gates.covers.as_ref().is_some_and(covered)
}

impl Tournament {
    /// Updates the offers of the marked quotas, and of those above them as far as they change. `gates` gives what a
    /// quota leaves, `share` the share by which the policy orders leaves.
    pub(crate) fn refresh(&mut self, gates: impl Fn(QuotaSlot) -> Gates, share: impl Fn(QuotaSlot) -> Ratio) {
        // A quota comes before those below it, so the last is refreshed first.
        while let Some(slot) = self.dirty.pop_last() {
            let gates = gates(slot);
            self.want_again(slot, &gates);
            let row = self.rows.at(slot);
            let any = row.offer(slot, &gates, share(slot));
            let entitled = if self.entitled_first { row.offer_entitled(slot, &gates) } else { None };
            let Some(parent) = *self.parents.at(slot) else { continue };
            let before = std::mem::replace(&mut self.rows.at_mut(slot).offered, [any.clone(), entitled.clone()]);
            let above = self.rows.at_mut(parent);
            let lines = [&mut above.line, &mut above.entitled];
            let mut changed = false;
            for (line, (before, now)) in lines.into_iter().zip(before.into_iter().zip([any, entitled])) {
                changed |= replace(line, before, now);
            }
            if changed {
                self.dirty.insert(parent);
            }
        }
    }

    /// What was tried in vain is wanted again once the guarantee has not covered it.
    fn want_again(&mut self, leaf: QuotaSlot, gates: &Gates) {
        let Some(covers) = &gates.covers else { return };
        while let Some(ask) = self.rows.at(leaf).tried.above(covers) {
            self.forget_try(RequestQueue { ask, leaf });
        }
        self.dirty.remove(&leaf);
    }
}

/// Replaces what a line has of a quota. Gives whether that changed anything.
fn replace(line: &mut Line, before: Option<Offer>, now: Option<Offer>) -> bool {
    if before == now {
        return false;
    }
    match (before, now) {
        (Some((before, ..)), Some((key, labels, amounts))) if before == key => {
            line.relabel(key, labels, Some(&amounts));
        }
        (before, now) => {
            if let Some((key, ..)) = before {
                line.remove(key);
            }
            if let Some((key, labels, amounts)) = now {
                line.insert(key, labels, &amounts);
            }
        }
    }
    true
}
