//! Workloads that come again and again: when, how many, and what becomes of a start that finds the one before still there.

use super::Runtime;
use quotree_core::Time;
use quotree_syntax::words;
use std::sync::Arc;

/// Milliseconds of an hour.
pub const HOUR_MS: u64 = 3_600_000;

/// When the instances of a workload are submitted, from its `submit` on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arrivals {
    /// At which times.
    pub pattern: Pattern,
    /// None from this time on.
    pub until: Option<Time>,
    /// So many at most.
    pub count: Option<u64>,
    /// What a start does that finds the instance before not ended; only a `CronJob` says so, and it is one by that.
    pub concurrency: Option<Concurrency>,
}

/// The times of arrivals.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pattern {
    /// At these times after `submit`, in ascending order.
    Times(Arc<[u64]>),
    /// At `submit` and then in this period, milliseconds.
    Every(u64),
    /// With exponential gaps of this mean, milliseconds; the first comes a gap after `submit`.
    Poisson(u64),
    /// As Poisson, with a rate that goes by the hour of the day; day and hour begin with time 0.
    Diurnal {
        /// The mean gap over a day, milliseconds.
        mean_ms: u64,
        /// How dense arrivals are in each hour, against the others.
        hours: [u32; 24],
    },
    /// Several at a time.
    Bursts {
        /// From the first of a burst to the first of the next; not before the last of the burst has come.
        every: Runtime,
        /// How many.
        size: u32,
        /// Each comes somewhere within this time of the burst's beginning, milliseconds.
        spread_ms: u64,
    },
}

/// What a start does that finds the instance before not ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Concurrency {
    /// It starts beside it.
    Allow,
    /// It is left out, and counted as missed.
    Forbid,
    /// The one before is withdrawn.
    Replace,
}

impl Arrivals {
    /// About how many instances there will be if the run ends at `end`; nothing where nothing bounds them.
    #[must_use]
    pub fn expected(&self, submit: Time, end: Option<Time>) -> Option<u64> {
        let end = [self.until, end].into_iter().flatten().min();
        let span = end.map(|end| end.since(submit));
        let times = match &self.pattern {
            Pattern::Times(times) => Some(times.len() as u64),
            Pattern::Every(ms) => span.map(|span| span.div_ceil((*ms).max(1))),
            Pattern::Poisson(ms) | Pattern::Diurnal { mean_ms: ms, .. } => span.map(|span| span / (*ms).max(1)),
            Pattern::Bursts { every, size, .. } => {
                span.map(|span| span.div_ceil(every.typical_ms().max(1)).saturating_mul(u64::from(*size)))
            }
        };
        match (times, self.count) {
            (Some(times), Some(count)) => Some(times.min(count)),
            (times, count) => times.or(count),
        }
    }
}

words! { Concurrency: Allow, Forbid, Replace }
