//! What each quota offers to the quota above it: its first workload that its own limits admit.
//!
//! An offer is the best case. It counts the limits of the quota itself, not of those above or below, nor whether nodes
//! have room. So a search goes through offers in order, looks what is behind each, and ends when the next offer comes
//! after what it has found.

use super::{
    line::{Labels, Line, LineKey, Requests, Seen, within},
    order::PendingKey,
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
    /// What the quota leaves to requests, as of the last refresh.
    pub(super) gates: Gates,
    /// In a leaf, its queues. Above, what the quotas below offer.
    pub(super) line: Line,
    /// Above the leaves: what the quotas below offer of workloads within their min.
    pub(super) entitled: Line,
    pub(super) tried: Tried,
    offered: Offers,
}

/// What a quota offers of all workloads, and of those within its min.
type Offers = [Option<Offer>; 2];

/// What stands in the line of the quota above.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Offer {
    key: LineKey,
    labels: Labels,
    open: Demand,
    closed: Demand,
    wanted: Demand,
}

impl Offer {
    /// The least of a whole line. `wanted`: whether the quota itself covers something that is wanted.
    fn of(key: LineKey, whole: Seen<'_>, wanted: bool) -> Self {
        let labels = Labels { wanted, ..whole.labels };
        Self { key, labels, open: whole.open.into(), closed: whole.closed.into(), wanted: whole.wanted.into() }
    }

    fn requests(&self) -> Requests<'_> {
        Requests { open: &self.open, closed: &self.closed, wanted: &self.wanted }
    }
}

/// The requests of a leaf that were tried in vain while its guarantee covered them, by amount of each resource. So those
/// that it covers no more are found without a look at the others.
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
    pub(super) fn above(&self, limits: &[i64]) -> Option<AskId> {
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
        Self {
            is_leaf,
            gates: Gates::default(),
            line: line(),
            entitled: line(),
            tried: Tried(tried),
            offered: [None, None],
        }
    }

    /// What a quota offers now under its own limits; of workloads within its min only where they go first.
    pub(super) fn offers(&self, slot: QuotaSlot, share: Ratio, entitled_first: bool) -> Offers {
        let entitled = if entitled_first { self.offer_entitled(slot, &self.gates) } else { None };
        [self.offer(slot, &self.gates, share), entitled]
    }

    /// Stores what the quota offers now, and returns what it offered before.
    pub(super) fn note(&mut self, now: &Offers) -> Offers {
        std::mem::replace(&mut self.offered, now.clone())
    }

    /// Replaces the offers of a quota below. Returns whether that changed anything.
    pub(super) fn replace(&mut self, before: Offers, now: Offers) -> bool {
        let lines = [&mut self.line, &mut self.entitled].into_iter();
        let changed = lines.zip(before.into_iter().zip(now)).map(|(line, (before, now))| replace(line, before, now));
        changed.fold(false, |any, changed| any | changed)
    }

    fn offer(&self, slot: QuotaSlot, gates: &Gates, share: Ratio) -> Option<Offer> {
        let whole = self.line.whole()?;
        // Only the leaf decides whether something is wanted: above, it is what the leaves want.
        let wants = |seen: Seen<'_>| if self.is_leaf { wants(seen, gates) } else { seen.labels.wanted };
        let is_admitted = |seen: Seen<'_>| {
            seen.labels.open && within(seen.open, &gates.limits)
                || seen.labels.closed && within(seen.closed, &gates.limits)
        };
        let (first, _) = self.line.first(None, |_, seen| seen.labels.due || wants(seen) || is_admitted(seen))?;
        let wanted = self.line.first(None, |_, seen| wants(seen)).is_some();
        let key = if self.is_leaf { PendingKey { share, ..first } } else { first };
        Some(Offer::of((key, slot.0), whole, wanted))
    }

    fn offer_entitled(&self, slot: QuotaSlot, gates: &Gates) -> Option<Offer> {
        let line = if self.is_leaf { &self.line } else { &self.entitled };
        let whole = line.whole()?;
        let is_closed = |seen: Seen<'_>| seen.labels.closed && may_cover(seen.closed, gates);
        let may_lead =
            |_: Option<LineKey>, seen: Seen<'_>| wants(seen, gates) || may_be_entitled(seen, gates) || is_closed(seen);
        let (first, _) = line.first(None, may_lead)?;
        let wanted = line.first(None, |_, seen| wants(seen, gates)).is_some();
        Some(Offer::of((first, slot.0), whole, wanted))
    }
}

/// Whether something is wanted that the guarantee may cover.
pub(super) fn wants(seen: Seen<'_>, gates: &Gates) -> bool {
    seen.labels.wanted && gates.covers.as_ref().is_some_and(|covers| within(seen.wanted, covers))
}

/// Whether something is open that limits and guarantee may cover.
pub(super) fn may_be_entitled(seen: Seen<'_>, gates: &Gates) -> bool {
    seen.labels.open && may_cover(seen.open, gates)
}

/// Whether limits and guarantee may cover these amounts.
pub(super) fn may_cover(amounts: &[i64], gates: &Gates) -> bool {
    within(amounts, &gates.limits) && gates.covers.as_ref().is_some_and(|covers| within(amounts, covers))
}

/// Replaces the offer of a quota in a line. Returns whether that changed anything.
fn replace(line: &mut Line, before: Option<Offer>, now: Option<Offer>) -> bool {
    if before == now {
        return false;
    }
    match (before, now) {
        (Some(before), Some(now)) if before.key == now.key => {
            line.relabel(now.key, now.labels, Some(now.requests()));
        }
        (before, now) => {
            if let Some(before) = before {
                line.remove(before.key);
            }
            if let Some(now) = now {
                line.insert(now.key, now.labels, now.requests());
            }
        }
    }
    true
}
