//! What stands in a line: a request of a leaf, or an offer of a quota.

use super::order::PendingKey;

/// The place of an entry in the order, and what it is: a request, or a quota.
pub(super) type LineKey = (PendingKey, u32);

/// What an entry is, or the entries of a part together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Labels {
    /// It may be placed as soon as quotas admit it.
    pub(super) open: bool,
    /// It found no room on any node, and may be placed once a node has room for it and quotas admit it.
    pub(super) closed: bool,
    /// It is to be tried as soon as the guarantee of its leaf covers it, or now if it is due.
    pub(super) wanted: bool,
    /// It is to be tried now.
    pub(super) due: bool,
    /// In a line of what quotas offer of entitled workloads: nothing hides it ([`hidden`](super::hidden)).
    pub(super) shows: bool,
    /// Bits of the request classes that are open.
    pub(super) classes: u64,
}

impl Labels {
    /// What is true of these or of others.
    pub(super) fn join(&mut self, other: Self) {
        self.open |= other.open;
        self.closed |= other.closed;
        self.wanted |= other.wanted;
        self.due |= other.due;
        self.shows |= other.shows;
        self.classes |= other.classes;
    }
}

/// What an entry requests: as far as it is open, closed, and wanted. The latter two have only the amounts of resources.
/// And what hides it requests, negated; [`i64::MAX`] where there is no such amount.
#[derive(Debug, Clone, Copy)]
pub(super) struct Requests<'a> {
    pub(super) open: &'a [i64],
    pub(super) closed: &'a [i64],
    pub(super) wanted: &'a [i64],
    pub(super) hiders: &'a [i64],
}

impl<'a> Requests<'a> {
    /// The same, whatever it is.
    pub(super) fn same(amounts: &'a [i64]) -> Self {
        Self { open: amounts, closed: amounts, wanted: amounts, hiders: &[] }
    }
}

/// What a search sees of an entry or a part: its labels, the least amounts of what is open, closed, and wanted. Of the
/// latter two only the amounts of resources are kept. Of what hides entries, the largest amounts, negated.
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
