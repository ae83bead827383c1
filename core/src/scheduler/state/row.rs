//! Rows of amounts: one for each governed resource, in the order of the tree, in base units.

use smallvec::SmallVec;

/// One amount for each governed resource.
pub(crate) type Row = SmallVec<[i64; 4]>;

/// The amount of one resource; 0 past the end of the row.
pub(crate) fn amount_of(row: &[i64], resource: usize) -> i64 {
    row.get(resource).copied().unwrap_or_default()
}
