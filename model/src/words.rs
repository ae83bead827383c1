//! The words of claims: when they are judged, how numbers are compared, and which figures there are.

use quotree_core::Time;
use quotree_syntax::words;

/// When a claim is judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// At this time, after everything that happens at it.
    At(Time),
    /// At the end.
    Final,
    /// After every event.
    Always,
    /// After no event.
    Never,
    /// After some event, at this time at the latest.
    Eventually(Time),
    /// After every event between these times.
    Within(Time, Time),
}

/// How the actual number is compared with the claimed one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compare {
    /// `==`
    Equal,
    /// `<=`
    AtMost,
    /// `>=`
    AtLeast,
}

/// Which statistic of waiting times a claim is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WaitStat {
    /// Median.
    P50,
    /// 95 of 100.
    P95,
    /// 99 of 100.
    P99,
    /// The longest.
    Max,
    /// The mean.
    Mean,
}

/// Evictions that should not have been.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BadEviction {
    /// For a workload that was not placed by them (S3).
    Wasted,
    /// Of a workload that had evicted, directly or through others, the workload it was evicted for (S2, I7); each pair counts once.
    Cycle,
    /// From a quota within its guarantee, for a workload outside of it (I3).
    InsideMin,
}

/// Fairness figures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FairnessFigure {
    /// Jain's index over allocation/entitlement.
    Jain,
    /// The sum of what leaves with demand lack of their fair share, over capacity.
    FairnessError,
    /// Largest minus smallest dominant share among leaves with demand.
    DominantShareGap,
}

words! { WaitStat: P50, P95, P99, Max, Mean }
words! { FairnessFigure: Jain, FairnessError, DominantShareGap }
