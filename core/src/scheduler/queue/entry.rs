//! An entry of a line: a queue of a leaf, or an offer of a quota.

use super::order::PendingKey;

/// The key of an entry: its position in the order, and the number of the request or quota that it is about.
pub(super) type LineKey = (PendingKey, u32);

/// The state of an entry, or of all entries of a part together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Labels {
    /// The request may be placed as soon as quotas admit it.
    pub(super) open: bool,
    /// The request found no room on any node. It may be placed once a node has room for it and quotas admit it.
    pub(super) closed: bool,
    /// The request is to be tried as soon as the guarantee of its leaf covers it, or now if it is due.
    pub(super) wanted: bool,
    /// The request is to be tried now.
    pub(super) due: bool,
    /// In the lines of entitled workloads: no other request of the leaf hides this one ([`hidden`](super::hidden)).
    pub(super) shows: bool,
    /// Bits of the request classes that are open.
    pub(super) classes: u64,
}

impl Labels {
    /// Adds the labels of another entry: each is set if it is set in either.
    pub(super) fn join(&mut self, other: Self) {
        self.open |= other.open;
        self.closed |= other.closed;
        self.wanted |= other.wanted;
        self.due |= other.due;
        self.shows |= other.shows;
        self.classes |= other.classes;
    }
}

/// The amounts of an entry: what its open, closed and wanted requests request. The amounts of closed and wanted
/// requests cover only resources. `hiders` has what the hiding request needs, negated; [`i64::MAX`] where there is
/// none.
#[derive(Debug, Clone, Copy)]
pub(super) struct Requests<'a> {
    pub(super) open: &'a [i64],
    pub(super) closed: &'a [i64],
    pub(super) wanted: &'a [i64],
    pub(super) hiders: &'a [i64],
}

impl<'a> Requests<'a> {
    /// The same amounts for open, closed and wanted.
    pub(super) fn same(amounts: &'a [i64]) -> Self {
        Self { open: amounts, closed: amounts, wanted: amounts, hiders: &[] }
    }
}

/// What a search reads of an entry or a part of a line: the labels, and the smallest amounts that its open, closed and
/// wanted requests request. The amounts of closed and wanted requests cover only resources. `hiders` has the largest
/// amounts that the hiding requests need, negated.
#[derive(Debug, Clone, Copy)]
pub(super) struct Seen<'a> {
    pub(super) labels: Labels,
    pub(super) open: &'a [i64],
    pub(super) closed: &'a [i64],
    pub(super) wanted: &'a [i64],
    pub(super) hiders: &'a [i64],
}

/// Whether some amounts are within limits.
pub(super) fn within(amounts: &[i64], limits: &[i64]) -> bool {
    amounts.iter().zip(limits).all(|(amount, limit)| amount <= limit)
}
