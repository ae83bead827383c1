//! Claims about the part of a figure that belongs to somebody.

use super::{Compare, Selector};
use quotree_core::Name;

/// A claim about the part of a figure that belongs to somebody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShareClaim {
    /// Whose.
    pub of: Selector,
    /// Of which figure.
    pub figure: ShareFigure,
    /// How compared.
    pub compare: Compare,
    /// With what, in the figure's own unit.
    pub value: u128,
}

/// A figure that has parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ShareFigure {
    /// What is used of a resource now, base units.
    Used(Name),
    /// What of it is borrowed.
    Borrowed(Name),
    /// A resource times the time it was borrowed: milliseconds of one whole unit.
    BorrowedTime(Name),
    /// A resource times the time it was missing: milliseconds of one whole unit.
    StarvedTime(Name),
    /// Used time over what nodes had, thousandths.
    Utilisation(Name),
    /// What was paid for nodes, thousandths.
    Cost,
    /// When the last pod ended, milliseconds.
    Makespan,
    /// Pods that drains evicted.
    Drained,
    /// Evictions that did not help to place the workload they were for.
    Wasted,
    /// Pods reclaimed from a quota within its guarantee.
    InsideMin,
}
