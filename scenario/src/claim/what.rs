//! What claims state: the records of all figures.

pub(super) use super::usage::{
    Borrowed, BorrowedTime, Cost, DrainFigure, Drained, FailedDrains, NodeFailures, NodeTime, NodesUp, QuotaDrain,
    StarvedTime, Used, UsedTime, Utilisation,
};
use super::{
    compared::{Compared, Optionally, SaysSomething},
    whose::Whose,
};
use quotree_core::Name;
use quotree_model::{DatasetFigure, FairnessFigure, WaitStat, people::Reason};
use quotree_syntax::{At, Given, Ms, Node, Path, Permille, Read, Report, group, record, words};

group! {
    /// What must hold.
    pub(crate) enum What in "what", "a claim" {
        Pods, Instances, MetDeadlines, MissedDeadlines, Used, Borrowed, Guaranteed, Evictions, EvictedFrom, EvictedInsideMin,
        EvictionCycles, WastedEvictions, Verdict, Wait, Turnaround, Slowdown, Makespan, Utilisation, LostWork, UsedTime, BorrowedTime, StarvedTime,
        Refused, Dataset, InputWait, GpuIdle, Fairness, NotWorseThanAlone, Gang, CellsFeasible, Invariants, Digest, NodesUp,
        NodeTime, Cost, Drained, FailedDrains, NodeFailures, QuotaDrain, SameAs,
    }
}

record! {
    /// Counts of pods by state; at least one count is claimed.
    pub(crate) struct Pods in "what" {
        /// The work whose pods are counted.
        of: Whose => "`All`",
        /// Pods that are bound and have not ended.
        running: u64 => "not claimed",
        /// How many pods are pending.
        pending: u64 => "not claimed",
        /// How many pods have succeeded.
        succeeded: u64 => "not claimed",
        /// How many pods have failed.
        failed: u64 => "not claimed",
        counts: SaysSomething => embedded,
    }
}

record! {
    /// How many instances of workloads were submitted, and how they ended; at least one count is claimed. A workload
    /// that is submitted once is one instance, and so is a row of a trace.
    pub(crate) struct Instances in "what" {
        /// The work whose instances are counted. A workflow counts as a whole; a `Task` counts the task.
        of: Whose => "`All`",
        /// How many instances have been submitted.
        submitted: u64 => "not claimed",
        /// How many instances have succeeded.
        succeeded: u64 => "not claimed",
        /// Instances that failed, or never started because another task failed.
        failed: u64 => "not claimed",
        /// Instances that have neither ended nor been withdrawn.
        active: u64 => "not claimed",
        /// Starts of a `CronJob` that were skipped.
        skipped: u64 => "not claimed",
        counts: SaysSomething => embedded,
    }
}

record! {
    /// Workloads, tasks and rows so far that were done within their deadline.
    pub(crate) struct MetDeadlines in "what" {
        /// The work whose deadlines are counted.
        of: Whose => "`All`",
        compared: Compared<u64> => embedded,
    }
}

record! {
    /// Workloads, tasks and rows so far that were not done within their deadline, or failed before it.
    pub(crate) struct MissedDeadlines in "what" {
        /// The work whose deadlines are counted.
        of: Whose => "`All`",
        compared: Compared<u64> => embedded,
    }
}

record! {
    /// No leaf with pending demand is below its guarantee for longer than this.
    pub(crate) struct Guaranteed(within) in "what" {
        /// The longest time allowed.
        within: Ms = Ms(0),
    }
}

record! {
    /// Evictions so far.
    pub(crate) struct Evictions in "what" {
        /// The work whose evicted pods are counted.
        of: Whose => "anybody's",
        /// The work for which the pods were evicted.
        by: Whose => "anybody",
        compared: Compared<u64> => embedded,
    }
}

record! {
    /// Evictions from a quota so far. Without a comparison: at least one.
    pub(crate) struct EvictedFrom(quota) in "what" {
        /// Which quota.
        quota: At<Name> => required,
        compared: Optionally<u64> => embedded,
    }
}

record! {
    /// Reclaims so far that evicted a pod from a quota that was within its min in all resources of the pod (R2b, I3).
    pub(crate) struct EvictedInsideMin in "what" {
        /// The work whose evicted pods are counted.
        of: Whose => "everybody's",
        compared: Compared<u64> => embedded,
    }
}

record! {
    /// Pairs of workloads so far that evicted each other, directly or through others (S2).
    pub(crate) struct EvictionCycles in "what" {
        compared: Compared<u64> => embedded,
    }
}

record! {
    /// Evictions so far that did not help to place the workload for which they were made (S3).
    pub(crate) struct WastedEvictions in "what" {
        /// The work whose evicted pods are counted.
        of: Whose => "everybody's",
        compared: Compared<u64> => embedded,
    }
}

record! {
    /// The verdicts on all these pending pods name a rule: it is binding, blocks them in addition, or protects other
    /// pods from eviction.
    pub(crate) struct Verdict(of, rule) in "what" {
        /// The work whose pods must be pending for this reason.
        of: Whose => required,
        /// The rule: `A1`, `P1`, `R2(b)`, ..
        rule: At<String> => required,
    }
}

record! {
    /// How long jobs wait; all waits of a job are added up, exact to the millisecond. Jobs that never started, or are
    /// still waiting, count with the time so far.
    pub(crate) struct Wait in "what" {
        /// The work whose jobs are counted.
        of: Whose => "`All`",
        /// Whether only the time from the submission of a job to its first full start counts.
        first: bool = false,
        /// Which statistic over jobs.
        stat: WaitStat => required,
        compared: Compared<Ms> => embedded,
    }
}

record! {
    /// The time from the submission of jobs to their success. Jobs that have not succeeded count with the time so far.
    pub(crate) struct Turnaround in "what" {
        /// The work whose jobs are counted; replicas of a Deployment never succeed, so they do not count.
        of: Whose => "`All`",
        /// Which statistic over jobs.
        stat: WaitStat => required,
        compared: Compared<Ms> => embedded,
    }
}

record! {
    /// The turnaround of jobs, divided by the time that their work takes alone at full speed.
    pub(crate) struct Slowdown in "what" {
        /// The work whose jobs are counted.
        of: Whose => "`All`",
        /// Which statistic over jobs.
        stat: WaitStat => required,
        compared: Compared<Permille> => embedded,
    }
}

record! {
    /// The time at which the last pod ended.
    pub(crate) struct Makespan in "what" {
        /// The work whose pods are counted.
        of: Whose => "everybody's",
        compared: Compared<Ms> => embedded,
    }
}

record! {
    /// Work lost by evictions and node failures.
    pub(crate) struct LostWork in "what" {
        /// The work that is counted.
        of: Whose => "`All`",
        compared: Compared<Ms> => embedded,
    }
}

record! {
    /// Submissions and edits refused so far; each row of a trace counts.
    pub(crate) struct Refused in "what" {
        /// The work whose submissions are counted; for a user, also the user's edits.
        of: Whose => "anybody's",
        /// The reason.
        why: Reason => "any reason",
        compared: Compared<u64> => embedded,
    }
}

record! {
    /// A dataset: its phase, or a figure.
    pub(crate) struct Dataset(dataset) in "what" {
        /// Which dataset.
        dataset: At<Name> => required,
        /// The phase: `Bound` if a cache worker runs.
        phase: Given<Phase> => "not claimed",
        /// The figure: a ratio of the dataset or of the bytes read, a bandwidth, or a time that the cache saved.
        figure: Given<DatasetFigure> => "not claimed",
        compared: Optionally<FigureValue> => embedded,
    }
}

record! {
    /// How long work waited for input; for a Job, summed over its pods.
    pub(crate) struct InputWait in "what" {
        /// The work that is counted.
        of: Whose => "`All`",
        compared: Compared<Ms> => embedded,
    }
}

record! {
    /// How long work waited for input, times its GPUs: `5h` are five GPU-hours.
    pub(crate) struct GpuIdle in "what" {
        /// The work that is counted.
        of: Whose => "`All`",
        compared: Compared<Ms> => embedded,
    }
}

record! {
    /// A fairness figure.
    pub(crate) struct Fairness(figure) in "what" {
        /// Which figure.
        figure: FairnessFigure => required,
        compared: Compared<Permille> => embedded,
    }
}

record! {
    /// No tenant's mean wait is longer than this multiple of its mean wait when it is alone on its own quota.
    pub(crate) struct NotWorseThanAlone(of, factor) in "what" {
        /// The tenant.
        of: Whose => "`All`",
        /// The multiple.
        factor: Permille => required,
    }
}

record! {
    /// No gang runs below its minimum because of the scheduler (I6).
    pub(crate) struct Gang(claim) in "what" {
        /// What is claimed of gangs: `never_partial`.
        claim: GangClaim => required,
    }
}

record! {
    /// The cells guaranteed to leaves can be provided by the healthy devices of the nodes that are up.
    pub(crate) struct CellsFeasible in "what" {}
}

record! {
    /// The scheduler's own audit finds nothing.
    pub(crate) struct Invariants in "what" {}
}

record! {
    /// The digest of the run.
    pub(crate) struct Digest(digest) in "what" {
        /// 32 hex digits.
        digest: DigestText => required,
    }
}

record! {
    /// The outcome equals that of a summary.json: its namespace rows and its number of evictions.
    pub(crate) struct SameAs(file) in "what" {
        /// The path of the file, relative to this file.
        file: At<Path> => required,
    }
}

/// The phase of a dataset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    NotBound,
    Bound,
}

words! { Phase: NotBound, Bound }

/// The word in `Gang(..)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum GangClaim {
    NeverPartial,
}

words! { GangClaim: NeverPartial }

/// The value of a figure of a dataset; its unit depends on the figure.
#[derive(Debug, Clone)]
pub(crate) struct FigureValue(pub(super) Node);

impl Read for FigureValue {
    fn kind() -> String {
        "ratio, bandwidth or duration".to_owned()
    }

    fn read(node: &Node, _: &mut Report) -> Option<Self> {
        Some(Self(node.clone()))
    }
}

/// 32 hex digits.
#[derive(Debug, Clone, Copy)]
pub(crate) struct DigestText(pub(super) u128);

impl Read for DigestText {
    fn kind() -> String {
        "digest".to_owned()
    }

    fn read(node: &Node, report: &mut Report) -> Option<Self> {
        let text = String::read(node, report)?;
        let hex = Some(&text).filter(|text| text.len() == 32 && !text.starts_with('+'));
        let number = hex.and_then(|text| u128::from_str_radix(text, 16).ok());
        if number.is_none() {
            report.error(node.span, "a digest is 32 hex digits", "not a digest");
        }
        number.map(Self)
    }
}
