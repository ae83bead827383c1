//! Workloads that are submitted repeatedly: when, how many, and what happens when the previous instance has not ended.

use super::Runtime;
use quotree_core::Time;
use quotree_syntax::words;
use std::sync::Arc;

/// Milliseconds of an hour.
pub const HOUR_MS: u64 = 3_600_000;

/// When the instances of a workload are submitted, from its `submit` on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arrivals {
    /// The times.
    pub pattern: Pattern,
    /// Nothing is submitted from this time on.
    pub until: Option<Time>,
    /// The largest number of instances.
    pub count: Option<u64>,
    /// What happens when the previous instance has not ended. Only a `CronJob` has this field, so it also shows that
    /// the workload is one.
    pub concurrency: Option<Concurrency>,
}

/// The times of arrivals.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pattern {
    /// At these times after `submit`, in ascending order.
    Times(Arc<[u64]>),
    /// At `submit` and then with this period, milliseconds.
    Every(u64),
    /// With exponential gaps of this mean, milliseconds; the first instance comes one gap after `submit`.
    Poisson(u64),
    /// Like Poisson, with a rate that depends on the hour of the day; time 0 is midnight.
    Diurnal {
        /// The mean gap over a day, milliseconds.
        mean_ms: u64,
        /// The rate in each hour, relative to the other hours.
        hours: [u32; 24],
    },
    /// Several instances at a time.
    Bursts {
        /// The time from the first instance of a burst to the first instance of the next burst. A burst never starts
        /// before the last instance of the previous one.
        every: Runtime,
        /// How many instances a burst has.
        size: u32,
        /// Each instance arrives at a random time within this duration after the start of the burst, milliseconds.
        spread_ms: u64,
    },
}

/// What happens when an instance should start and the previous one has not ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Concurrency {
    /// The new instance starts anyway.
    Allow,
    /// The new instance is skipped, and counted as skipped.
    Forbid,
    /// The previous instance is withdrawn, and the new one starts.
    Replace,
}

impl Arrivals {
    /// The expected number of instances if the run ends at `end`; `None` if nothing bounds it.
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
