//! What each quota offers to the quota above it: the first of its workloads that its own limits admit, and some of the
//! others.
//!
//! An offer is the best case. It respects the limits of the quota itself, but not those of the quotas above or below,
//! nor the room on nodes. So a search goes through the offers in order, searches below each, and ends when the next
//! offer comes after what it has found.
//!
//! Where the first workload requests much, the quotas above may admit only those behind it. So a quota also offers the
//! next one that requests less than all before it, and so on. An offer represents its workload and all up to the next
//! offer, with the smallest amounts so far. A quota makes few offers, and the last represents all other workloads.

use super::{
    by_amount::ByAmount,
    entry::{Labels, LineKey, Seen, within},
    hider::{Hider, shows},
    line::Line,
    order::PendingKey,
    request_class::Contest,
};
use crate::scheduler::{
    quota::{Demand, Gates},
    state::{QuotaSlot, Ratio},
};
use smallvec::SmallVec;

/// One quota: its pending workloads, and what it offers to the quota above.
#[derive(Debug, Clone, Default)]
pub(super) struct Row {
    pub(super) is_leaf: bool,
    /// In a leaf: whether workloads wait there, as of the last refresh.
    pub(super) waits: bool,
    /// Whether what the quota leaves has changed since the last refresh.
    pub(super) gates_are_stale: bool,
    /// What the quota leaves to requests, as of the last refresh.
    pub(super) gates: Gates,
    /// In a leaf: its queues. Otherwise: the offers of the quotas below.
    pub(super) line: Line,
    /// Not in a leaf: the offers that the quotas below make of workloads within their min.
    pub(super) entitled: Line,
    /// In a leaf: the requests that were tried in vain while its guarantee covered them.
    pub(super) tried: ByAmount,
    /// In a leaf: the requests that wait until its fair share covers them (F3).
    pub(super) beyond_share: ByAmount,
    /// In a leaf: what hides all its entitled workloads, as far as that is known.
    pub(super) hider: Option<Hider>,
    /// The keys of its offers in the lines of the quota above: of all workloads, and of those within its min.
    pub(super) offered: [SmallVec<[LineKey; 2]>; 2],
}

/// How many offers a quota makes at most.
const MOST: usize = 4;

/// What a quota offers, in order.
pub(super) type Offers = SmallVec<[Offer; MOST]>;

/// An entry in the line of the quota above. Its amounts are in a buffer, which is reused.
#[derive(Debug, Clone, Copy)]
pub(super) struct Offer {
    key: LineKey,
    labels: Labels,
}

impl Offer {
    /// The key of the offer in the line of the quota above.
    pub(super) fn key(self) -> LineKey {
        self.key
    }

    /// An offer that represents a whole line. `wanted`: whether the quota's guarantee covers some wanted request.
    fn of(key: LineKey, whole: Seen<'_>, wanted: bool, amounts: &mut Vec<i64>) -> Self {
        [whole.open, whole.closed, whole.wanted].into_iter().for_each(|part| amounts.extend_from_slice(part));
        Self { key, labels: Labels { wanted, ..whole.labels } }
    }
}

impl Row {
    pub(super) fn new(is_leaf: bool, resources: usize) -> Self {
        let line = || Line::new(2 * resources + 1, resources);
        let none = || ByAmount::new(if is_leaf { resources } else { 0 });
        let entitled = Line::with_hiders(2 * resources + 1, resources);
        Self {
            is_leaf,
            gates_are_stale: true,
            line: line(),
            entitled,
            tried: none(),
            beyond_share: none(),
            ..Self::default()
        }
    }

    /// The line of the offers of the quotas below.
    pub(super) fn offers(&self, contest: Contest) -> &Line {
        if contest == Contest::Any { &self.line } else { &self.entitled }
    }

    pub(super) fn offers_mut(&mut self, contest: Contest) -> &mut Line {
        if contest == Contest::Any { &mut self.line } else { &mut self.entitled }
    }

    /// What a quota offers now of all workloads, within its own limits. `share` is the share of the leaf.
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

/// Whether some wanted request may be within the guarantee.
pub(super) fn wants(seen: Seen<'_>, gates: &Gates) -> bool {
    seen.labels.wanted && gates.covers.as_ref().is_some_and(|covers| within(seen.wanted, covers))
}

/// Whether some open request may be within both limits and guarantee.
pub(super) fn may_be_entitled(seen: Seen<'_>, gates: &Gates) -> bool {
    seen.labels.open && may_cover(seen.open, gates)
}

/// Whether these amounts may be within both limits and guarantee.
pub(super) fn may_cover(amounts: &[i64], gates: &Gates) -> bool {
    within(amounts, &gates.limits) && gates.covers.as_ref().is_some_and(|covers| within(amounts, covers))
}

/// The smallest amounts that any entry so far requests.
struct Least {
    labels: Labels,
    open: Demand,
    closed: Demand,
    wanted: Demand,
}

impl Least {
    /// The value for no entries, with as many amounts as `like`.
    fn nothing(like: Seen<'_>) -> Self {
        let none = |amounts: &[i64]| SmallVec::from_elem(i64::MAX, amounts.len());
        let (open, closed, wanted) = (none(like.open), none(like.closed), none(like.wanted));
        Self { labels: Labels::default(), open, closed, wanted }
    }

    /// Includes the amounts of an entry, as far as it is open, closed, and wanted.
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

/// Replaces the offers of a quota in a line; `amounts` has the amounts of one offer after the other. Returns whether
/// that changed anything.
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
