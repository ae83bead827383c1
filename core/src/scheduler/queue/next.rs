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
    state::{AskId, QuotaSlot, Ratio},
};

/// Answers questions about quotas and workloads for the choice of the next queue, from the present state.
pub(crate) struct Judge<S, A, C, R> {
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
}

/// A leaf whose entitled workloads are hidden, and the entry that hides them.
pub(crate) type Hidden = (QuotaSlot, LineKey);

/// The first queue that a search has found so far.
type Found = Option<(PendingKey, RequestQueue)>;

impl Tournament {
    /// The next queue to try; nothing where no queue can be placed. Also returns the leaves that were searched in vain
    /// because an entry hides all their entitled workloads, with that entry.
    pub(crate) fn next<S, A, C, R>(&self, judge: &Judge<S, A, C, R>) -> (Option<RequestQueue>, Vec<Hidden>)
    where
        S: Fn(QuotaSlot) -> Ratio,
        A: Fn(RequestQueue) -> bool,
        C: Fn(RequestQueue) -> bool,
        R: Fn(AskId) -> bool,
    {
        let contests: &[Contest] =
            if self.entitled_first { &[Contest::Entitled, Contest::Any] } else { &[Contest::Any] };
        let mut hidden = Vec::new();
        let next = contests.iter().find_map(|contest| {
            let mut search = Search { tournament: self, judge, contest: *contest, hidden: Vec::new() };
            let found = search.run();
            hidden.append(&mut search.hidden);
            #[cfg(test)]
            assert_eq!(search.looks_everywhere(), found, "nothing is passed over");
            found
        });
        (next, hidden)
    }

    /// Whether `is` holds for some queue that is wanted and whose leaf covers it. Such queues are tested in no order,
    /// until one is found.
    pub(crate) fn any_wanted(&self, is: impl Fn(RequestQueue) -> bool) -> bool {
        let mut below: Vec<QuotaSlot> = self.roots.to_vec();
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
struct Search<'a, S, A, C, R> {
    tournament: &'a Tournament,
    judge: &'a Judge<S, A, C, R>,
    contest: Contest,
    /// The leaves that it searched although an entry hides their entitled workloads.
    hidden: Vec<Hidden>,
}

impl<S, A, C, R> Search<'_, S, A, C, R>
where
    S: Fn(QuotaSlot) -> Ratio,
    A: Fn(RequestQueue) -> bool,
    C: Fn(RequestQueue) -> bool,
    R: Fn(AskId) -> bool,
{
    fn run(&mut self) -> Option<RequestQueue> {
        let (tournament, mut found) = (self.tournament, None);
        for root in &tournament.roots {
            self.below(*root, None, &mut found);
        }
        found.map(|(_, queue)| queue)
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
        let first = match self.contest {
            Contest::Any => self.first_of_leaf(leaf, None, gates, own),
            Contest::Entitled => self.entitled_of_leaf(leaf, gates, own),
        };
        let Some((key, ask)) = first else { return };
        let key = PendingKey { share: (self.judge.share)(leaf), ..key };
        if found.is_none_or(|(before, _)| key < before) {
            *found = Some((key, RequestQueue { ask: AskId(ask), leaf }));
        }
    }

    /// The result of a search in every leaf.
    #[cfg(test)]
    fn looks_everywhere(&mut self) -> Option<RequestQueue> {
        let (tournament, mut found) = (self.tournament, None);
        for leaf in tournament.parents.keys().filter(|q| tournament.rows.at(*q).is_leaf) {
            let path = std::iter::successors(Some(leaf), |q| *tournament.parents.at(*q));
            let gates = path.map(|q| tournament.rows.at(q).gates.clone()).reduce(|own, above| above.and(&own));
            self.in_leaf(leaf, &gates.unwrap_or_default(), &mut found);
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
            Contest::Entitled => self.is_entitled(None, seen, gates) && shows(seen, gates),
        }
    }

    /// The first queue of a leaf after a key that may be tried: it is due, wanted and covered by the leaf, or ready.
    fn first_of_leaf(&self, leaf: QuotaSlot, after: Option<LineKey>, gates: &Gates, own: &Gates) -> Option<LineKey> {
        let is_tried = |key: Option<LineKey>, seen: Seen<'_>| {
            seen.labels.due || self.wants(seen, own) || self.is_ready(key, seen, &gates.limits)
        };
        self.tournament.rows.at(leaf).line.first(after, is_tried)
    }

    /// The first entitled queue of a leaf, unless another one of the leaf that would be tried and could run (O4) comes
    /// before it: inside a leaf priority goes before entitlement (O1).
    fn entitled_of_leaf(&mut self, leaf: QuotaSlot, gates: &Gates, own: &Gates) -> Option<LineKey> {
        let is_entitled = |key: Option<LineKey>, seen: Seen<'_>| self.is_entitled(key, seen, gates);
        let entitled = self.tournament.rows.at(leaf).line.first(None, is_entitled)?;
        let mut after = None;
        while let Some(tried) = self.first_of_leaf(leaf, after, gates, own).filter(|tried| *tried < entitled) {
            let queue = RequestQueue { ask: AskId(tried.1), leaf };
            let is_due = self.tournament.is_due(queue, own, self.judge.worth_a_search.as_deref());
            if (is_due || (self.judge.admits)(queue)) && (self.judge.can_run)(queue) {
                self.hidden.push((leaf, tried));
                return None;
            }
            after = Some(tried);
        }
        Some(entitled)
    }

    /// Whether some request that the guarantee may cover is due, or is small enough that a search for victims could
    /// succeed.
    fn wants(&self, seen: Seen<'_>, gates: &Gates) -> bool {
        wants(seen, gates) && (seen.labels.due || self.is_worth_a_search(seen))
    }

    fn is_worth_a_search(&self, seen: Seen<'_>) -> bool {
        self.judge.worth_a_search.as_ref().is_some_and(|limits| within(seen.wanted, limits))
    }

    fn is_entitled(&self, key: Option<LineKey>, seen: Seen<'_>, gates: &Gates) -> bool {
        self.wants(seen, gates)
            || may_be_entitled(seen, gates) && self.has_room(key, seen)
            || seen.labels.closed && may_cover(closed(key, seen), gates) && self.fits_fresh(key, seen)
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
