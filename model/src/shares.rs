//! Claims about the share of a user, group, quota or workload in a figure.

use super::{Compare, Selector};
use quotree_core::Name;

/// A claim about the share of a user, group, quota or workload in a figure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShareClaim {
    /// The work whose share is claimed.
    pub of: Selector,
    /// The figure.
    pub figure: ShareFigure,
    /// The comparison.
    pub compare: Compare,
    /// The claimed value, in the unit of the figure.
    pub value: u128,
}

/// A figure that can be divided into shares.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ShareFigure {
    /// Current usage of a resource, base units.
    Used(Name),
    /// The borrowed part of the usage.
    Borrowed(Name),
    /// Borrowed amounts added up over time: milliseconds of one whole unit.
    BorrowedTime(Name),
    /// Amounts missing from the guarantee, added up over time: milliseconds of one whole unit.
    StarvedTime(Name),
    /// Usage over time, divided by the capacity of the nodes over time, thousandths.
    Utilisation(Name),
    /// The price of nodes charged to the pods, thousandths of the currency.
    Cost,
    /// When the last pod ended, milliseconds.
    Makespan,
    /// Pods that drains evicted.
    Drained,
    /// Evictions that did not help to place the workload for which they were made.
    Wasted,
    /// Pods reclaimed from a quota within its guarantee.
    InsideMin,
}
