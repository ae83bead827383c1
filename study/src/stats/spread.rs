//! The spread of a figure over runs: its mean, and quantiles by nearest rank.

use serde::Serialize;

/// A figure of one run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Observed {
    /// The value, in the unit of the figure.
    pub value: i128,
    /// Whether the true value may be larger, since it includes times that have not ended at the end of the run.
    pub at_least: bool,
}

/// A figure over runs.
///
/// The quantile `q` of `n` values is the one at rank `⌈q·n⌉` in order, as everywhere in quotree. Nothing is interpolated: every
/// quantile is the value of some run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Spread {
    /// How many runs have the figure.
    pub runs: usize,
    /// The sum, from which the mean can be computed exactly.
    pub sum: i128,
    /// The values at the fixed quantiles, and whether each is a lower bound.
    quantiles: [(i128, bool); 5],
    /// Whether some value is a lower bound, and so the mean.
    pub at_least: bool,
}

impl Spread {
    /// The spread of these values. Takes `O(n log n)`.
    ///
    /// ```
    /// use quotree_study::{Observed, Spread};
    /// let spread = Spread::of((1..=30).map(|value| Observed { value, at_least: false }));
    /// assert_eq!((spread.p5().value, spread.p50().value, spread.p95().value), (2, 15, 29));
    /// assert_eq!(spread.mean().map(|mean| mean.value), Some(15)); // 15.5, rounded down
    /// ```
    #[must_use]
    pub fn of(values: impl IntoIterator<Item = Observed>) -> Self {
        let mut values: Vec<Observed> = values.into_iter().collect();
        values.sort_unstable();
        let runs = values.len();
        // A value that is a lower bound may grow past every value above it.
        let first_bound = values.iter().find(|value| value.at_least).map(|value| value.value);
        let at = |percent: usize| {
            let rank = (percent * runs).div_ceil(100).max(1) - 1;
            let value = values.get(rank).map_or(0, |value| value.value);
            (value, first_bound.is_some_and(|bound| bound <= value))
        };
        Self {
            runs,
            sum: values.iter().map(|value| value.value).sum(),
            quantiles: [0, 5, 50, 95, 100].map(at),
            at_least: first_bound.is_some(),
        }
    }

    const fn quantile(&self, index: usize) -> Observed {
        let (value, at_least) = match index {
            0 => self.quantiles[0],
            1 => self.quantiles[1],
            2 => self.quantiles[2],
            3 => self.quantiles[3],
            _ => self.quantiles[4],
        };
        Observed { value, at_least }
    }

    /// The mean, rounded down; nothing without runs.
    #[must_use]
    pub fn mean(&self) -> Option<Observed> {
        let runs = i128::try_from(self.runs).ok().filter(|runs| *runs > 0)?;
        Some(Observed { value: self.sum.div_euclid(runs), at_least: self.at_least })
    }

    /// The mean in thousandths, rounded down; nothing without runs.
    #[must_use]
    pub fn mean_milli(&self) -> Option<i128> {
        let runs = i128::try_from(self.runs).ok().filter(|runs| *runs > 0)?;
        Some(self.sum.saturating_mul(1000).div_euclid(runs))
    }

    /// The least value.
    #[must_use]
    pub const fn min(&self) -> Observed {
        self.quantile(0)
    }

    /// The value that 5 of 100 runs do not exceed.
    #[must_use]
    pub const fn p5(&self) -> Observed {
        self.quantile(1)
    }

    /// The median.
    #[must_use]
    pub const fn p50(&self) -> Observed {
        self.quantile(2)
    }

    /// The value that 95 of 100 runs do not exceed.
    #[must_use]
    pub const fn p95(&self) -> Observed {
        self.quantile(3)
    }

    /// The largest value.
    #[must_use]
    pub const fn max(&self) -> Observed {
        self.quantile(4)
    }

    /// Whether all runs have the same value.
    #[must_use]
    pub const fn is_one_value(&self) -> bool {
        self.quantiles[0].0 == self.quantiles[4].0 && !self.at_least
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The least value that at least `percent` of 100 values do not exceed.
    fn by_definition(values: &[i128], percent: usize) -> i128 {
        let reaches = |x: &i128| values.iter().filter(|value| *value <= x).count() * 100 >= percent * values.len();
        values.iter().copied().filter(reaches).min().unwrap()
    }

    #[test]
    fn quantiles_are_those_of_the_definition() {
        let mut state = 7_u64;
        for n in 1..130 {
            let mut draw = || {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                i128::from(state >> 59) - 9
            };
            let values: Vec<i128> = (0..n).map(|_| draw()).collect();
            let spread = Spread::of(values.iter().map(|value| Observed { value: *value, at_least: false }));
            for (percent, seen) in [(5, spread.p5()), (50, spread.p50()), (95, spread.p95()), (100, spread.max())] {
                assert_eq!(seen.value, by_definition(&values, percent), "p{percent} of {values:?}");
            }
            assert_eq!(spread.min().value, *values.iter().min().unwrap());
            let mean = spread.mean().unwrap().value;
            let (sum, n) = (values.iter().sum::<i128>(), i128::from(n));
            assert!(mean * n <= sum && sum < (mean + 1) * n, "{values:?}");
        }
    }

    #[test]
    fn what_may_still_grow_is_a_lower_bound_from_its_place_on() {
        let bound = |value, at_least| Observed { value, at_least };
        let mut values = vec![bound(10, false); 60];
        values.extend(vec![bound(20, true); 40]);
        let spread = Spread::of(values);
        assert_eq!((spread.p50(), spread.p95()), (bound(10, false), bound(20, true)));
        assert!(spread.mean().unwrap().at_least && !spread.is_one_value());
        assert_eq!(Spread::of([]).mean(), None);
    }
}
