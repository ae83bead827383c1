//! Claims: what must hold in a scenario, when, and for whose pods.

use super::{BadEviction, Compare, DatasetFigure, FairnessFigure, JobFigure, NodeClaim, ShareClaim, WaitStat, When};
use crate::people::Reason;
use quotree_core::Name;

/// Something that must hold, with the place where it is written.
#[derive(Debug, Clone)]
pub struct Claim {
    /// The claim as text, for reports.
    pub text: String,
    /// Line of the file, from 1.
    pub line: u32,
    /// Why, in the author's words.
    pub because: Option<String>,
    /// Whether it may hold although there is nothing to evaluate.
    pub allow_empty: bool,
    /// When it is evaluated.
    pub when: When,
    /// The condition.
    pub what: Predicate,
}

/// Which pods a claim is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Selector {
    /// A namespace.
    Namespace(Name),
    /// Everything under a quota.
    Quota(Name),
    /// A workload, by name; if it is submitted repeatedly, all its instances.
    Workload(String),
    /// A task of a workflow, in all its instances.
    Task {
        /// The workflow.
        workflow: String,
        /// The task.
        task: String,
    },
    /// The work that a user submitted.
    User(Name),
    /// The work that members of a group submitted into its leaf.
    Group(Name),
    /// All work of the scenario.
    All,
}

/// What a claim requires.
#[derive(Debug, Clone)]
pub enum Predicate {
    /// Counts of pods by state; a count of `None` is not claimed.
    Pods {
        /// The work whose pods are counted.
        of: Selector,
        /// Pods that are bound and have not ended, terminating ones included.
        running: Option<u64>,
        /// How many pods are pending.
        pending: Option<u64>,
        /// How many pods have succeeded.
        succeeded: Option<u64>,
        /// How many pods have failed.
        failed: Option<u64>,
    },
    /// How many instances of workloads were submitted, and how they ended; a count of `None` is not claimed.
    Instances {
        /// The work whose instances are counted.
        of: Selector,
        /// How many instances have been submitted.
        submitted: Option<u64>,
        /// How many instances have succeeded.
        succeeded: Option<u64>,
        /// How many instances have failed.
        failed: Option<u64>,
        /// Instances that have neither ended nor been withdrawn.
        active: Option<u64>,
        /// Starts of a `CronJob` that were skipped.
        skipped: Option<u64>,
    },
    /// Deadlines met or missed so far.
    Deadlines {
        /// The work whose deadlines are counted.
        of: Selector,
        /// Whether met deadlines are counted; otherwise missed ones.
        met: bool,
        /// The comparison.
        compare: Compare,
        /// The claimed value.
        count: u64,
    },
    /// What the pods of a quota use.
    Used {
        /// The quota.
        quota: Name,
        /// The resource.
        resource: Name,
        /// The comparison.
        compare: Compare,
        /// The claimed value, base units.
        amount: i64,
    },
    /// What a quota uses above its guarantee.
    Borrowed {
        /// The quota.
        quota: Name,
        /// The resource.
        resource: Name,
        /// The comparison.
        compare: Compare,
        /// The claimed value, base units.
        amount: i64,
    },
    /// No leaf with pending demand is below its guarantee for longer than this.
    Guaranteed {
        /// The longest time allowed, milliseconds.
        within_ms: u64,
    },
    /// The number of evictions so far.
    Evictions {
        /// The work whose pods were evicted; `None`: any.
        of: Option<Selector>,
        /// The preemptor; `None`: any.
        by: Option<Selector>,
        /// The comparison.
        compare: Compare,
        /// The claimed value.
        count: u64,
    },
    /// The number of evictions of a kind that should not occur.
    Bad {
        /// Which kind of eviction is counted.
        kind: BadEviction,
        /// The comparison.
        compare: Compare,
        /// The claimed value.
        count: u64,
    },
    /// The verdict on the pending pods names this rule: it is binding, blocks them in addition, or protects pods (X1).
    Verdict {
        /// The work that the claim is about.
        of: Selector,
        /// The rule as text: `A1`, `P1`, ...
        rule: String,
    },
    /// A time of jobs: waits, turnaround or slowdown.
    JobTime {
        /// The jobs that the claim is about.
        of: Selector,
        /// The time.
        figure: JobFigure,
        /// The statistic over jobs.
        stat: WaitStat,
        /// The comparison.
        compare: Compare,
        /// The claimed value, milliseconds or thousandths.
        value: u64,
    },
    /// The time at which the last pod ended.
    Makespan {
        /// The comparison.
        compare: Compare,
        /// The claimed value, milliseconds.
        ms: u64,
    },
    /// Time-weighted use over capacity, in thousandths.
    Utilisation {
        /// The resource.
        resource: Name,
        /// The comparison.
        compare: Compare,
        /// The claimed value.
        permille: u64,
    },
    /// Submissions and edits that were refused.
    Refused {
        /// The work whose submissions and edits were refused; `None`: any.
        of: Option<Selector>,
        /// The reason; `None`: any reason.
        why: Option<Reason>,
        /// The comparison.
        compare: Compare,
        /// The claimed value.
        count: u64,
    },
    /// Usage of a resource added up over time.
    UsedTime {
        /// The work whose usage it is.
        of: Selector,
        /// The resource.
        resource: Name,
        /// The comparison.
        compare: Compare,
        /// The claimed value: milliseconds of one whole unit (a core, a device, a GiB).
        ms: u64,
    },
    /// Work lost by evictions and node failures, in pod-milliseconds.
    LostWork {
        /// The work that the claim is about.
        of: Selector,
        /// The comparison.
        compare: Compare,
        /// The claimed value, milliseconds.
        ms: u64,
    },
    /// A dataset: its phase, or a figure.
    Dataset {
        /// Index into [`super::Scenario::datasets`].
        dataset: usize,
        /// Whether it is claimed to be bound, that is, a cache worker runs.
        bound: Option<bool>,
        /// A figure, the comparison, and the claimed value: thousandths, bytes a second, or milliseconds.
        figure: Option<(DatasetFigure, Compare, u64)>,
    },
    /// Time that work waited for input; of a Job, summed over its pods.
    InputWait {
        /// The work that the claim is about.
        of: Selector,
        /// Whether the time is multiplied by the number of GPUs that waited.
        gpus: bool,
        /// The comparison.
        compare: Compare,
        /// The claimed value, milliseconds.
        ms: u64,
    },
    /// A fairness figure in thousandths.
    Fairness {
        /// The figure.
        figure: FairnessFigure,
        /// The comparison.
        compare: Compare,
        /// The claimed value.
        permille: u64,
    },
    /// No gang ever runs below its minimum because of the scheduler (I6).
    GangsWhole,
    /// The cells guaranteed to leaves can be provided by the healthy devices.
    CellsFeasible,
    /// The scheduler's own audit finds nothing.
    Invariants,
    /// No pod was bound or evicted for this long before the end.
    StableFor {
        /// How long nothing changed, milliseconds.
        ms: u64,
    },
    /// A figure of nodes, drains, faults, or reduced quotas.
    Nodes(NodeClaim),
    /// The share of a user, group, quota or workload in a figure.
    Share(ShareClaim),
    /// The digest of the run.
    Digest(u128),
    /// No tenant's mean wait is longer than this factor times its mean wait alone on its own quota.
    NotWorseThanAlone {
        /// The tenant.
        of: Selector,
        /// The factor, in thousandths.
        permille: u64,
    },
    /// The outcome equals that of a summary file: its namespace rows and its number of evictions.
    SameAs {
        /// The path of the file as the scenario gives it.
        file: String,
        /// The namespace rows: name, running, pending, succeeded, failed, evicted.
        rows: Vec<(String, [u64; 5])>,
        /// The number of evictions.
        evictions: u64,
    },
}

impl Predicate {
    /// The work that the claim is about, if it has a selector.
    #[must_use]
    pub const fn selector(&self) -> Option<&Selector> {
        match self {
            Self::Pods { of, .. }
            | Self::Instances { of, .. }
            | Self::Deadlines { of, .. }
            | Self::Verdict { of, .. }
            | Self::JobTime { of, .. }
            | Self::LostWork { of, .. }
            | Self::UsedTime { of, .. }
            | Self::InputWait { of, .. }
            | Self::NotWorseThanAlone { of, .. } => Some(of),
            Self::Share(claim) => Some(&claim.of),
            Self::Evictions { of, .. } | Self::Refused { of, .. } => of.as_ref(),
            _ => None,
        }
    }
}
