//! What each quota offers to the quota above it: its first workload that its own limits admit, and some of the others.
//!
//! An offer is the best case. It counts the limits of the quota itself, not of those above or below, nor whether nodes
//! have room. So a search goes through offers in order, looks what is behind each, and ends when the next offer comes
//! after what it has found.
//!
//! Where the first workload requests much, the quotas above may admit only those behind it. So a quota offers also the
//! next one that requests less than all before it, and so on. An offer stands for its workload and those up to the next
//! offer: it requests the least of all so far. There are few of them, and the last stands for all others.

use super::{
    entry::{Labels, LineKey, Seen, within},
    hider::{Hider, shows},
    line::Line,
    order::PendingKey,
    request_class::Contest,
};
use crate::scheduler::{
    quota::{Demand, Gates},
    state::{AskId, QuotaSlot, Ratio},
};
use smallvec::SmallVec;
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
    /// In a leaf, what hides all that it offers of workloads within its min, as far as that is known.
    pub(super) hider: Option<Hider>,
    /// Where its offers stand in the lines of the quota above: of all workloads, and of those within its min.
    pub(super) offered: [SmallVec<[LineKey; 2]>; 2],
}

/// How many offers a quota makes at most.
const MOST: usize = 4;

/// What a quota offers, in order.
pub(super) type Offers = SmallVec<[Offer; MOST]>;

/// What stands in the line of the quota above. Its amounts are written to a buffer, which is used again.
#[derive(Debug, Clone, Copy)]
pub(super) struct Offer {
    key: LineKey,
    labels: Labels,
}

impl Offer {
    /// Where it stands in the line of the quota above.
    pub(super) fn key(self) -> LineKey {
        self.key
    }

    /// The least of a whole line. `wanted`: whether the quota itself covers something that is wanted.
    fn of(key: LineKey, whole: Seen<'_>, wanted: bool, amounts: &mut Vec<i64>) -> Self {
        [whole.open, whole.closed, whole.wanted].into_iter().for_each(|part| amounts.extend_from_slice(part));
        Self { key, labels: Labels { wanted, ..whole.labels } }
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
        let entitled = Line::with_hiders(2 * resources + 1, resources);
        Self { is_leaf, line: line(), entitled, tried: Tried(tried), ..Self::default() }
    }

    /// The line in which the quotas below offer.
    pub(super) fn offers(&self, contest: Contest) -> &Line {
        if contest == Contest::Any { &self.line } else { &self.entitled }
    }

    pub(super) fn offers_mut(&mut self, contest: Contest) -> &mut Line {
        if contest == Contest::Any { &mut self.line } else { &mut self.entitled }
    }

    /// What a quota offers now of all workloads under its own limits. `share` is that of a leaf.
    pub(super) fn offer(&self, slot: QuotaSlot, share: Ratio, amounts: &mut Vec<i64>) -> Offers {
        let mut offers = Offers::new();
        let (Some(whole), gates) = (self.line.whole(), &self.gates) else { return offers };
        // Only the leaf decides whether something is wanted: above, it is what the leaves want.
        let is_wanted = |seen: Seen<'_>| if self.is_leaf { wants(seen, gates) } else { seen.labels.wanted };
        let is_open = |seen: Seen<'_>| seen.labels.open && within(seen.open, &gates.limits);
        let is_closed = |seen: Seen<'_>| seen.labels.closed && within(seen.closed, &gates.limits);
        let (mut so_far, mut after) = (Least::nothing(whole), None);
        loop {
            let lowers = |_: Option<LineKey>, seen: Seen<'_>| {
                let Least { labels, open, closed, wanted } = &so_far;
                seen.labels.due
                    || is_open(seen) && !(labels.open && within(open, seen.open))
                    || is_closed(seen) && !(labels.closed && within(closed, seen.closed))
                    || is_wanted(seen) && !(labels.wanted && within(wanted, seen.wanted))
            };
            let Some((first, seen)) = self.line.first_entry(after, lowers) else { break };
            let is_last = offers.len() == MOST;
            if let Some(last) = offers.last_mut().filter(|last| last.labels.due || is_last) {
                let wanted = self.line.first(None, |_, seen| is_wanted(seen)).is_some();
                amounts.truncate(amounts.len() - self.line.width());
                *last = Offer::of(last.key, whole, wanted, amounts);
                break;
            }
            so_far.add(seen, (is_open(seen), is_closed(seen), is_wanted(seen)));
            let key = if self.is_leaf { PendingKey { share, ..first.0 } } else { first.0 };
            let labels = Labels { classes: whole.labels.classes, ..so_far.labels };
            offers.push(Offer { key: (key, slot.0), labels });
            so_far.write(amounts);
            after = Some(first);
        }
        offers
    }

    /// What a quota offers now of workloads within its min.
    pub(super) fn offer_entitled(&self, slot: QuotaSlot, amounts: &mut Vec<i64>) -> Option<Offer> {
        let (line, gates) = (if self.is_leaf { &self.line } else { &self.entitled }, &self.gates);
        let whole = line.whole()?;
        let is_closed = |seen: Seen<'_>| seen.labels.closed && may_cover(seen.closed, gates);
        let may_lead =
            |_: Option<LineKey>, seen: Seen<'_>| wants(seen, gates) || may_be_entitled(seen, gates) || is_closed(seen);
        let (first, _) = line.first(None, may_lead)?;
        let wanted = line.first(None, |_, seen| wants(seen, gates)).is_some();
        let offer = Offer::of((first, slot.0), whole, wanted, amounts);
        let shows = if self.is_leaf { self.hider.is_none() } else { shows(whole, gates) };
        if self.is_leaf {
            Hider::write(self.hider.as_ref(), gates.limits.len(), amounts);
        } else {
            amounts.extend_from_slice(whole.hiders);
        }
        Some(Offer { labels: Labels { shows, ..offer.labels }, ..offer })
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

/// The least that anything so far requests.
struct Least {
    labels: Labels,
    open: Demand,
    closed: Demand,
    wanted: Demand,
}

impl Least {
    /// Of nothing, of as many amounts as something else.
    fn nothing(like: Seen<'_>) -> Self {
        let none = |amounts: &[i64]| SmallVec::from_elem(i64::MAX, amounts.len());
        let (open, closed, wanted) = (none(like.open), none(like.closed), none(like.wanted));
        Self { labels: Labels::default(), open, closed, wanted }
    }

    /// Adds what an entry requests, as far as it is open, closed, and wanted.
    fn add(&mut self, seen: Seen<'_>, (open, closed, wanted): (bool, bool, bool)) {
        let labels = Labels { open, closed, wanted, due: seen.labels.due, ..Labels::default() };
        self.labels.join(labels);
        let lower = |least: &mut Demand, amounts: &[i64]| {
            least.iter_mut().zip(amounts).for_each(|(least, amount)| *least = (*least).min(*amount));
        };
        if open {
            lower(&mut self.open, seen.open);
        }
        if closed {
            lower(&mut self.closed, seen.closed);
        }
        if wanted {
            lower(&mut self.wanted, seen.wanted);
        }
    }

    fn write(&self, amounts: &mut Vec<i64>) {
        [&self.open, &self.closed, &self.wanted].into_iter().for_each(|part| amounts.extend_from_slice(part));
    }
}

/// Replaces the offers of a quota in a line; `amounts` are of one after the other. Returns whether that changed anything.
pub(super) fn replace(line: &mut Line, before: &[LineKey], now: &[Offer], amounts: &[i64]) -> bool {
    let mut changed = false;
    for gone in before.iter().filter(|key| now.iter().all(|offer| offer.key != **key)) {
        line.remove(*gone);
        changed = true;
    }
    for (offer, amounts) in now.iter().zip(amounts.chunks(line.width().max(1))) {
        let requests = line.requests(amounts);
        if before.contains(&offer.key) {
            changed |= line.relabel(offer.key, offer.labels, Some(requests));
        } else {
            line.insert(offer.key, offer.labels, requests);
            changed = true;
        }
    }
    changed
}
