//! Claims about somebody's part of a figure.

use super::{Compare, Selector};
use quotree_core::Name;

/// A claim about what of a figure is somebody's.
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
    /// A resource times the time it was missed: milliseconds of one whole unit.
    StarvedTime(Name),
    /// Used time over what nodes had, thousandths.
    Utilisation(Name),
    /// What was paid for nodes, thousandths.
    Cost,
    /// When the last pod ended, milliseconds.
    Makespan,
    /// Pods that drains told to go.
    Drained,
    /// Pods evicted in vain.
    Wasted,
    /// Pods taken out of a guarantee.
    InsideMin,
}
