//! Exact fractions: usage relative to a guarantee (Q4).

use std::cmp::Ordering;

/// A non-negative fraction, compared exactly by cross-multiplication (Q4); `n/0` is infinite.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Ratio {
    pub(crate) over: i64,
    pub(crate) of: i64,
}

impl Ord for Ratio {
    fn cmp(&self, other: &Self) -> Ordering {
        if self.over == 0 && other.over == 0 {
            return Ordering::Equal;
        }
        match (self.of == 0 && self.over > 0, other.of == 0 && other.over > 0) {
            (true, true) => Ordering::Equal,
            (true, false) => Ordering::Greater,
            (false, true) => Ordering::Less,
            (false, false) => {
                let left = i128::from(self.over) * i128::from(other.of.max(1));
                let kind = i128::from(other.over) * i128::from(self.of.max(1));
                left.cmp(&kind)
            }
        }
    }
}

impl PartialOrd for Ratio {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Ratio {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Ratio {}
