//! The words of claims: when claims are evaluated, how numbers are compared, and which figures exist.

use quotree_core::Time;
use quotree_syntax::words;

/// When a claim is evaluated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// At this time, after all events of that time.
    At(Time),
    /// At the end.
    Final,
    /// After every event.
    Always,
    /// After no event.
    Never,
    /// After some event, no later than this time.
    Eventually(Time),
    /// After every event between these times.
    Within(Time, Time),
}

/// How the measured number is compared with the claimed one.
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
    /// 95th percentile.
    P95,
    /// 99th percentile.
    P99,
    /// Maximum.
    Max,
    /// Mean.
    Mean,
}

/// A time of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JobFigure {
    /// All its waits added up.
    Wait,
    /// From its submission to its first full start.
    FirstWait,
    /// From its submission to its success.
    Turnaround,
    /// Its turnaround divided by the time that its work takes alone at full speed, thousandths.
    Slowdown,
}

/// Evictions that should not occur.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BadEviction {
    /// Evictions that did not help to place the workload for which they were made (S3).
    Wasted,
    /// Cycles of evictions: a workload evicted another one, directly or through others, and was evicted for it (S2,
    /// I7). Each pair counts once.
    Cycle,
    /// Evictions from a quota within its guarantee, for a workload of another quota (I3).
    InsideMin,
}

/// Fairness figures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FairnessFigure {
    /// Jain's index over allocation/entitlement.
    Jain,
    /// The sum of the shortfalls of leaves with demand against their fair share, divided by the capacity.
    FairnessError,
    /// Largest minus smallest dominant share among leaves with demand.
    DominantShareGap,
    /// Jain's index over the run so far: the mean over the time in which at least two leaves could be compared.
    MeanJain,
    /// The shortfalls over the run so far, divided by the capacity.
    MeanFairnessError,
}

words! { WaitStat: P50, P95, P99, Max, Mean }
words! { FairnessFigure: Jain, FairnessError, DominantShareGap, MeanJain, MeanFairnessError }
