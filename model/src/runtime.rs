//! Durations: fixed or random.

use std::sync::Arc;

/// A duration, milliseconds. A random one is drawn for each pod from a labelled stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Runtime {
    /// Without end: until the pod is stopped.
    Forever,
    /// A fixed duration.
    Fixed(u64),
    /// Any whole number of milliseconds from the first to the second, both included.
    Uniform(u64, u64),
    /// Exponential with this mean.
    Exponential(u64),
    /// A fixed shortest time plus an exponential time with this mean.
    ShiftedExponential {
        /// The shortest.
        least: u64,
        /// The mean of the exponential part.
        mean: u64,
    },
    /// A log-normal time: half of the values are shorter than the median, and one standard deviation is a factor of
    /// exp(sigma).
    LogNormal {
        /// The median, milliseconds.
        median: u64,
        /// Sigma in thousandths.
        sigma_permille: u64,
    },
    /// One of these, each equally likely.
    Empirical(Arc<[u64]>),
}

impl Runtime {
    /// The approximate mean, milliseconds.
    #[must_use]
    pub fn typical_ms(&self) -> u64 {
        match self {
            Self::Forever => u64::MAX,
            Self::Fixed(ms) | Self::Exponential(ms) | Self::LogNormal { median: ms, .. } => *ms,
            Self::Uniform(from, to) => from / 2 + to / 2,
            Self::ShiftedExponential { least, mean } => least.saturating_add(*mean),
            Self::Empirical(seen) => {
                let sum = seen.iter().map(|ms| u128::from(*ms)).sum::<u128>();
                sum.checked_div(seen.len() as u128).map_or(0, |mean| u64::try_from(mean).unwrap_or(u64::MAX))
            }
        }
    }

    /// Whether a draw takes random bits.
    #[must_use]
    pub const fn is_random(&self) -> bool {
        !matches!(self, Self::Forever | Self::Fixed(_))
    }

    /// The longest possible duration; `None` if there is no bound.
    #[must_use]
    pub fn longest(&self) -> Option<u64> {
        match self {
            Self::Fixed(ms) | Self::Uniform(_, ms) => Some(*ms),
            Self::Empirical(seen) => seen.iter().copied().max(),
            _ => None,
        }
    }
}
