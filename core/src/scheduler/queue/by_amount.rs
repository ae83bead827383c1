//! Requests of one leaf, sorted by amount for each resource. So those that a limit no longer covers, or covers by now, are
//! found without a look at the others.

use crate::scheduler::state::AskId;
use std::collections::BTreeSet;

/// A set of requests. Each is in the list of every resource, with its amount.
#[derive(Debug, Clone, Default)]
pub(super) struct ByAmount(Vec<BTreeSet<(i64, AskId)>>);

impl ByAmount {
    /// No requests, for this many resources.
    pub(super) fn new(resources: usize) -> Self {
        Self(vec![BTreeSet::new(); resources])
    }

    pub(super) fn insert(&mut self, ask: AskId, demand: &[i64]) {
        for (list, amount) in self.0.iter_mut().zip(demand) {
            list.insert((*amount, ask));
        }
    }

    pub(super) fn remove(&mut self, ask: AskId, demand: &[i64]) {
        for (list, amount) in self.0.iter_mut().zip(demand) {
            list.remove(&(*amount, ask));
        }
    }

    /// A request that is above these limits in some resource.
    pub(super) fn above(&self, limits: &[i64]) -> Option<AskId> {
        let last = |(list, limit): (&BTreeSet<(i64, AskId)>, &i64)| {
            list.last().filter(|(amount, _)| amount > limit).map(|(_, ask)| *ask)
        };
        self.0.iter().zip(limits).find_map(last)
    }

    /// The requests that may be within these limits: none where all are above in some resource, otherwise all that are
    /// within the limit of the first resource.
    pub(super) fn maybe_within<'a>(&'a self, limits: &'a [i64]) -> impl Iterator<Item = AskId> + 'a {
        let some_within =
            |(list, limit): (&BTreeSet<(i64, AskId)>, &i64)| list.first().is_some_and(|(amount, _)| amount <= limit);
        let may_be = self.0.iter().zip(limits).all(some_within);
        let first = self.0.first().zip(limits.first()).filter(|_| may_be);
        first
            .into_iter()
            .flat_map(|(list, limit)| list.iter().take_while(move |(amount, _)| amount <= limit).map(|(_, ask)| *ask))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.first().is_none_or(BTreeSet::is_empty)
    }

    /// All requests.
    pub(super) fn iter(&self) -> impl Iterator<Item = AskId> + '_ {
        self.0.first().into_iter().flatten().map(|(_, ask)| *ask)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// Finds what a plain list finds.
        #[test]
        fn finds_what_a_plain_list_finds(
            requests in prop::collection::vec((0i64..5, 0i64..5), 0..8),
            gone in prop::collection::vec(any::<bool>(), 8),
            limits in (0i64..5, 0i64..5),
        ) {
            let (mut sorted, mut plain) = (ByAmount::new(2), Vec::new());
            for (id, (a, b)) in requests.iter().enumerate() {
                let ask = AskId(u32::try_from(id).unwrap_or(0));
                sorted.insert(ask, &[*a, *b]);
                if gone.get(id) == Some(&true) {
                    sorted.remove(ask, &[*a, *b]);
                } else {
                    plain.push((ask, *a, *b));
                }
            }
            let within = |(_, a, b): &&(AskId, i64, i64)| *a <= limits.0 && *b <= limits.1;
            let found: Vec<AskId> = sorted.maybe_within(&[limits.0, limits.1]).collect();
            for (ask, ..) in plain.iter().filter(within) {
                prop_assert!(found.contains(ask));
            }
            prop_assert!(found.iter().all(|ask| plain.iter().any(|(other, a, _)| other == ask && *a <= limits.0)));
            prop_assert_eq!(sorted.above(&[limits.0, limits.1]).is_some(), !plain.iter().all(|one| within(&one)));
            prop_assert_eq!(sorted.iter().count(), plain.len());
        }
    }
}
