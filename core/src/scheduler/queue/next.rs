//! Which queue is tried next (O1): entitled heads first where the policy says so, then the order of pending workloads.

use super::{
    entry::{LineKey, Seen, within},
    hider::shows,
    offers::{may_be_entitled, may_cover, wants},
    order::PendingKey,
    request_class::{Contest, RequestQueue},
    tournament::Tournament,
};
use crate::scheduler::{
    quota::{Demand, Gates},
    state::{AskId, QuotaSlot, Ratio, WorkloadSlot},
};
use std::cell::RefCell;

/// Answers questions about quotas and workloads for the choice of the next queue, from the present state.
pub(crate) struct Judge<S, A, C, R, F> {
    /// The share of a leaf, if the policy orders by share.
    pub(crate) share: S,
    /// Whether all limits on the path admit the request of a queue.
    pub(crate) admits: A,
    /// Whether a request could run at all (O4).
    pub(crate) can_run: C,
    /// The largest request within its guarantee for which a search for victims could succeed; nothing where none could
    /// (W2).
    pub(crate) worth_a_search: Option<Demand>,
    /// Whether some node has room for a request that is not known to lack room (W2).
    pub(crate) has_room: R,
    /// Whether a try of a queue is known to fail for lack of room, although its class may have room. The second
    /// argument is the head of the queue.
    pub(crate) would_fail: F,
}

/// The result of a search for the next queue.
#[derive(Debug, Default)]
pub(crate) struct Choice {
    /// The next queue to try; nothing where no queue can be placed.
    pub(crate) next: Option<RequestQueue>,
    /// The leaves that were searched although an entry hides all their entitled workloads, with that entry.
    pub(crate) hidden: Vec<Hidden>,
    /// The queues that come before `next` and whose tries would fail, in order.
    pub(crate) passed: Vec<RequestQueue>,
    /// Whether another queue may be next once these have failed. In that case there is no `next` yet.
    pub(crate) again: bool,
}

/// A leaf whose entitled workloads are hidden, and the entry that hides them.
pub(crate) type Hidden = (QuotaSlot, LineKey);

/// The first queue that a search has found so far.
type Found = Option<(PendingKey, RequestQueue)>;

impl Tournament {
    /// The next queue to try, and the other results of the search.
    pub(crate) fn next<S, A, C, R, F>(&self, judge: &Judge<S, A, C, R, F>) -> Choice
    where
        S: Fn(QuotaSlot) -> Ratio,
        A: Fn(RequestQueue) -> bool,
        C: Fn(RequestQueue) -> bool,
        R: Fn(AskId) -> bool,
        F: Fn(RequestQueue, WorkloadSlot) -> bool,
    {
        let contests: &[Contest] =
            if self.entitled_first { &[Contest::Entitled, Contest::Any] } else { &[Contest::Any] };
        let (mut choice, mut surfaces) = (Choice::default(), None);
        for contest in contests {
            let (hidden, passed) = (Vec::new(), RefCell::default());
            let mut search = Search { tournament: self, judge, contest: *contest, hidden, passed, surfaces };
            let found = search.run();
            choice.hidden.append(&mut search.hidden);
            (choice.passed, choice.again) = search.add_passed(found, choice.passed);
            choice.next = found.map(|(_, queue)| queue).filter(|_| !choice.again);
            surfaces = search.surfaces;
            #[cfg(test)]
            assert_eq!(search.looks_everywhere(), found.map(|(_, queue)| queue), "nothing is passed over");
            if found.is_some() || choice.again {
                break;
            }
        }
        choice
    }

    /// What a leaf and all quotas above it together leave to requests.
    fn gates_of_path(&self, leaf: QuotaSlot) -> Gates {
        let mut gates = self.rows.at(leaf).gates.clone();
        let mut above = *self.parents.at(leaf);
        while let Some(quota) = above {
            gates.limit_to(&self.rows.at(quota).gates);
            above = *self.parents.at(quota);
        }
        gates
    }

    /// Whether `is` holds for some queue that is wanted and whose leaf covers it. Such queues are tested in no order,
    /// until one is found.
    pub(crate) fn any_wanted(&self, is: impl Fn(RequestQueue) -> bool) -> bool {
        let mut below = self.only_leaf().map_or_else(|| self.roots.to_vec(), |leaf| vec![leaf]);
        if self.waiting.is_empty() {
            return false;
        }
        while let Some(slot) = below.pop() {
            let row = self.rows.at(slot);
            let found = if row.is_leaf {
                let of = |(_, ask): LineKey| RequestQueue { ask: AskId(ask), leaf: slot };
                row.line.any(|_, seen| wants(seen, &row.gates), |key| is(of(key)))
            } else {
                row.line.any(
                    |_, seen| seen.labels.wanted,
                    |(_, child)| {
                        below.push(QuotaSlot(child));
                        false
                    },
                )
            };
            if found {
                return true;
            }
        }
        false
    }
}

/// A search for the first queue in order.
struct Search<'a, S, A, C, R, F> {
    tournament: &'a Tournament,
    judge: &'a Judge<S, A, C, R, F>,
    contest: Contest,
    /// The leaves that it searched although an entry hides their entitled workloads.
    hidden: Vec<Hidden>,
    /// The entries that it passed over because their tries would fail; those of one leaf are consecutive and in order.
    passed: RefCell<Vec<Hidden>>,
    /// The first position in the order at which an entitled workload is no longer hidden, because the last entry that
    /// hid it was passed over.
    surfaces: Option<PendingKey>,
}

impl<S, A, C, R, F> Search<'_, S, A, C, R, F>
where
    S: Fn(QuotaSlot) -> Ratio,
    A: Fn(RequestQueue) -> bool,
    C: Fn(RequestQueue) -> bool,
    R: Fn(AskId) -> bool,
    F: Fn(RequestQueue, WorkloadSlot) -> bool,
{
    fn run(&mut self) -> Found {
        let (tournament, mut found) = (self.tournament, None);
        if let Some(leaf) = tournament.only_leaf() {
            self.in_leaf(leaf, &tournament.gates_of_path(leaf), &mut found);
        } else if !tournament.waiting.is_empty() {
            for root in &tournament.roots {
                self.below(*root, None, &mut found);
            }
        }
        found
    }

    /// Adds to `passed`, in order, the entries that were passed over and come before the result; it is not the turn of
    /// the others. Also returns whether the search ends early, because an entitled workload is no longer hidden and
    /// goes first.
    fn add_passed(&mut self, found: Found, mut passed: Vec<RequestQueue>) -> (Vec<RequestQueue>, bool) {
        let in_order = |(leaf, (key, ask)): Hidden| (self.key(leaf, key), RequestQueue { ask: AskId(ask), leaf });
        let mut entries: Vec<(PendingKey, RequestQueue)> = self.passed.take().into_iter().map(in_order).collect();
        entries.retain(|(key, _)| found.is_none_or(|(first, _)| *key < first));
        entries.sort_unstable();
        for (key, queue) in entries {
            passed.push(queue);
            let surfaces = self.surfaces == Some(key) || self.tournament.is_hider(queue);
            if self.contest == Contest::Any && surfaces {
                return (passed, true);
            }
        }
        (passed, false)
    }

    /// The position of a queue in the order of all leaves.
    fn key(&self, leaf: QuotaSlot, key: PendingKey) -> PendingKey {
        PendingKey { share: (self.judge.share)(leaf), ..key }
    }

    /// Searches below a quota, within what the quotas above it leave, for a queue that precedes the one in `found`.
    fn below(&mut self, slot: QuotaSlot, above: Option<&Gates>, found: &mut Found) {
        let row = self.tournament.rows.at(slot);
        let own = &row.gates;
        let both = above.map(|above| above.and(own));
        let gates = both.as_ref().unwrap_or(own);
        if row.is_leaf {
            return self.in_leaf(slot, gates, found);
        }
        let line = row.offers(self.contest);
        let mut after = None;
        while let Some((key, child)) = line.first(after, |_, seen| self.may_be_below(seen, gates)) {
            if found.is_some_and(|(before, _)| key >= before) {
                break;
            }
            self.below(QuotaSlot(child), Some(gates), found);
            after = Some((key, child));
        }
    }

    fn in_leaf(&mut self, leaf: QuotaSlot, gates: &Gates, found: &mut Found) {
        let own = &self.tournament.rows.at(leaf).gates;
        let share = (self.judge.share)(leaf);
        // What comes after that which was found already does not matter.
        let is_late = |(key, _): LineKey| found.is_some_and(|(before, _)| PendingKey { share, ..key } >= before);
        let first = match self.contest {
            Contest::Any => {
                let is_tried =
                    |key, seen: Seen<'_>| self.is_tried(key, seen, (gates, own), |entry| self.passes_over(leaf, entry));
                self.first_or_late(leaf, is_late, is_tried)
            }
            Contest::Entitled => self.entitled_of_leaf(leaf, (gates, own), is_late),
        };
        let Some((key, ask)) = first else { return };
        let key = PendingKey { share, ..key };
        if found.is_none_or(|(before, _)| key < before) {
            *found = Some((key, RequestQueue { ask: AskId(ask), leaf }));
        }
    }

    /// The result of a search in every leaf.
    #[cfg(test)]
    fn looks_everywhere(&mut self) -> Option<RequestQueue> {
        self.passed.take();
        let (tournament, mut found) = (self.tournament, None);
        for leaf in tournament.parents.keys().filter(|q| tournament.rows.at(*q).is_leaf) {
            self.in_leaf(leaf, &tournament.gates_of_path(leaf), &mut found);
        }
        found.map(|(_, queue)| queue)
    }

    /// Whether a part of the offers may contain a queue that is searched for.
    fn may_be_below(&self, seen: Seen<'_>, gates: &Gates) -> bool {
        match self.contest {
            Contest::Any => {
                let is_wanted = seen.labels.wanted && self.is_worth_a_search(seen);
                seen.labels.due || is_wanted || self.is_ready(None, seen, &gates.limits)
            }
            Contest::Entitled => self.is_entitled(None, seen, gates, |_| false) && shows(seen, gates),
        }
    }

    /// The first entry of a leaf that passes or is late.
    fn first_or_late(
        &self,
        leaf: QuotaSlot,
        is_late: impl Fn(LineKey) -> bool,
        passes: impl Fn(Option<LineKey>, Seen<'_>) -> bool,
    ) -> Option<LineKey> {
        let or_late = |key: Option<LineKey>, seen: Seen<'_>| key.is_some_and(&is_late) || passes(key, seen);
        self.tournament.rows.at(leaf).line.first(None, or_late)
    }

    /// Whether a queue is tried: it is due, wanted and covered by the leaf, or ready. A queue that is not due is not tried
    /// if `but` is true for it.
    fn is_tried(
        &self,
        key: Option<LineKey>,
        seen: Seen<'_>,
        (gates, own): (&Gates, &Gates),
        but: impl Fn(LineKey) -> bool,
    ) -> bool {
        let is_tried = || self.wants(seen, own) || self.is_ready(key, seen, &gates.limits);
        seen.labels.due || is_tried() && !key.is_some_and(but)
    }

    /// Whether the search passes over an entry of a leaf, because a try would fail.
    fn passes_over(&self, leaf: QuotaSlot, entry: LineKey) -> bool {
        let (key, ask) = entry;
        let fails = (self.judge.would_fail)(RequestQueue { ask: AskId(ask), leaf }, key.slot);
        if fails {
            self.passed.borrow_mut().push((leaf, entry));
        }
        fails
    }

    /// The first entitled queue of a leaf, unless another one of the leaf that would be tried and could run (O4) comes
    /// before it: inside a leaf priority goes before entitlement (O1).
    fn entitled_of_leaf(
        &mut self,
        leaf: QuotaSlot,
        (gates, own): (&Gates, &Gates),
        is_late: impl Fn(LineKey) -> bool,
    ) -> Option<LineKey> {
        let start = self.passed.borrow().len();
        let is_entitled = |key: Option<LineKey>, seen: Seen<'_>| {
            self.is_entitled(key, seen, gates, |entry| self.passes_over(leaf, entry))
        };
        let entitled = self.first_or_late(leaf, is_late, is_entitled);
        let passed = self.passed.borrow_mut().split_off(start);
        let last = entitled.or(passed.last().map(|(_, entry)| *entry))?;
        let was_passed = |entry: LineKey| passed.binary_search(&(leaf, entry)).is_ok();
        let is_tried = |key: Option<LineKey>, seen: Seen<'_>| self.is_tried(key, seen, (gates, own), was_passed);
        let line = &self.tournament.rows.at(leaf).line;
        let (mut after, mut failing): (Option<LineKey>, Option<(LineKey, LineKey)>) = (None, None);
        while let Some((tried, seen)) = line.first_entry(after, is_tried).filter(|(tried, _)| *tried < last) {
            let queue = RequestQueue { ask: AskId(tried.1), leaf };
            let is_due = self.tournament.is_due(queue, own, self.judge.worth_a_search.as_deref());
            let hides = (is_due || (self.judge.admits)(queue)) && (self.judge.can_run)(queue);
            if hides && !seen.labels.due && (self.judge.would_fail)(queue, tried.0.slot) {
                failing = Some((failing.map_or(tried, |(first, _)| first), tried));
            } else if hides {
                self.hidden.push((leaf, tried));
                let first = failing.map_or(tried, |(first, _)| first);
                self.passed.borrow_mut().extend(passed.into_iter().filter(|(_, entry)| *entry < first));
                return None;
            }
            after = Some(tried);
        }
        // Those that hide it fail when their turn comes. Then it surfaces.
        if let Some((first, (key, _))) = failing {
            let surfaces = self.key(leaf, key);
            self.surfaces = Some(self.surfaces.map_or(surfaces, |before| before.min(surfaces)));
            self.passed.borrow_mut().extend(passed.into_iter().filter(|(_, entry)| *entry < first));
            return None;
        }
        self.passed.borrow_mut().extend(passed);
        entitled
    }

    /// Whether some request that the guarantee may cover is due, or is small enough that a search for victims could
    /// succeed.
    fn wants(&self, seen: Seen<'_>, gates: &Gates) -> bool {
        wants(seen, gates) && (seen.labels.due || self.is_worth_a_search(seen))
    }

    fn is_worth_a_search(&self, seen: Seen<'_>) -> bool {
        self.judge.worth_a_search.as_ref().is_some_and(|limits| within(seen.wanted, limits))
    }

    /// Whether a queue is entitled and may be placed. A queue that is not due is left out if `but` is true for it.
    fn is_entitled(&self, key: Option<LineKey>, seen: Seen<'_>, gates: &Gates, but: impl Fn(LineKey) -> bool) -> bool {
        let is_entitled = self.wants(seen, gates)
            || may_be_entitled(seen, gates) && self.has_room(key, seen)
            || seen.labels.closed && may_cover(closed(key, seen), gates) && self.fits_fresh(key, seen);
        is_entitled && (seen.labels.due || !key.is_some_and(but))
    }

    fn is_ready(&self, key: Option<LineKey>, seen: Seen<'_>, admits: &Demand) -> bool {
        seen.labels.open && within(seen.open, admits) && self.has_room(key, seen)
            || seen.labels.closed && within(closed(key, seen), admits) && self.fits_fresh(key, seen)
    }

    /// Whether some closed request fits on a node that changed in this decision.
    fn fits_fresh(&self, key: Option<LineKey>, seen: Seen<'_>) -> bool {
        self.tournament.may_fit_fresh(seen) && key.is_none_or(|(_, ask)| (self.judge.has_room)(AskId(ask)))
    }

    fn has_room(&self, key: Option<LineKey>, seen: Seen<'_>) -> bool {
        let class_has_room =
            |(_, ask): LineKey| self.tournament.classes.at(AskId(ask)).room && (self.judge.has_room)(AskId(ask));
        seen.labels.classes & self.tournament.roomy != 0 && key.is_none_or(class_has_room)
    }
}

/// The closed amounts of a part, or all amounts of an entry.
fn closed<'a>(key: Option<LineKey>, seen: Seen<'a>) -> &'a [i64] {
    if key.is_some() { seen.open } else { seen.closed }
}
