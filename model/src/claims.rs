//! Claims: what must hold in a scenario, when, and for whose pods.

use super::{BadEviction, Compare, DatasetFigure, FairnessFigure, NodeClaim, ShareClaim, WaitStat, When};
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
    /// When it is judged.
    pub when: When,
    /// What must hold.
    pub what: Predicate,
}

/// Whose pods a claim is about.
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
    /// What a user submitted.
    User(Name),
    /// What members of a group submitted into its leaf.
    Group(Name),
    /// Everything.
    All,
}

/// What a claim says must hold.
#[derive(Debug, Clone)]
pub enum Predicate {
    /// Counts of pods by state; `None`: not claimed.
    Pods {
        /// Whose.
        of: Selector,
        /// Bound and not ended, terminating ones included.
        running: Option<u64>,
        /// Pending.
        pending: Option<u64>,
        /// Ended well.
        succeeded: Option<u64>,
        /// Ended badly.
        failed: Option<u64>,
    },
    /// How many instances of workloads were submitted, and how they ended; `None`: not claimed.
    Instances {
        /// Whose.
        of: Selector,
        /// Submitted so far.
        submitted: Option<u64>,
        /// Done.
        succeeded: Option<u64>,
        /// Failed.
        failed: Option<u64>,
        /// Neither ended nor withdrawn.
        active: Option<u64>,
        /// Starts of a `CronJob` that were skipped.
        skipped: Option<u64>,
    },
    /// Deadlines met or missed so far.
    Deadlines {
        /// Whose.
        of: Selector,
        /// Whether met deadlines are counted, or missed ones.
        met: bool,
        /// How compared.
        compare: Compare,
        /// With what.
        count: u64,
    },
    /// Use of a quota.
    Used {
        /// Which.
        quota: Name,
        /// Of what.
        resource: Name,
        /// How compared.
        compare: Compare,
        /// With what, base units.
        amount: i64,
    },
    /// Use above the guarantee of a quota.
    Borrowed {
        /// Which.
        quota: Name,
        /// Of what.
        resource: Name,
        /// How compared.
        compare: Compare,
        /// With what, base units.
        amount: i64,
    },
    /// No leaf is below its guarantee while it has pending demand, for longer than this.
    Guaranteed {
        /// Milliseconds.
        within_ms: u64,
    },
    /// Evictions so far.
    Evictions {
        /// Of whose pods; `None`: anybody's.
        of: Option<Selector>,
        /// For whom; `None`: anybody.
        by: Option<Selector>,
        /// How compared.
        compare: Compare,
        /// With what.
        count: u64,
    },
    /// A count of evictions that should not have been.
    Bad {
        /// Which.
        kind: BadEviction,
        /// How compared.
        compare: Compare,
        /// With what.
        count: u64,
    },
    /// The verdict of a waiting workload's pods names this rule: it is binding, blocks them, or protects pods (X1).
    Verdict {
        /// Whose.
        of: Selector,
        /// The rule, as text: `A1`, `P1`, ...
        rule: String,
    },
    /// Waiting times of pods that were bound.
    Wait {
        /// Whose.
        of: Selector,
        /// Which.
        stat: WaitStat,
        /// How compared.
        compare: Compare,
        /// With what, milliseconds.
        ms: u64,
    },
    /// The time at which the last pod ended.
    Makespan {
        /// How compared.
        compare: Compare,
        /// With what, milliseconds.
        ms: u64,
    },
    /// Time-weighted use over capacity, in thousandths.
    Utilisation {
        /// Of what.
        resource: Name,
        /// How compared.
        compare: Compare,
        /// With what.
        permille: u64,
    },
    /// Submissions and edits that were refused.
    Refused {
        /// Whose; `None`: anybody's.
        of: Option<Selector>,
        /// Why; `None`: for any reason.
        why: Option<Reason>,
        /// How compared.
        compare: Compare,
        /// With what.
        count: u64,
    },
    /// A resource times the time it was used.
    UsedTime {
        /// By whom.
        of: Selector,
        /// Of what.
        resource: Name,
        /// How compared.
        compare: Compare,
        /// With what: milliseconds of one whole unit (a core, a device, a GiB).
        ms: u64,
    },
    /// Work lost by evictions and node failures, in pod-milliseconds.
    LostWork {
        /// Whose.
        of: Selector,
        /// How compared.
        compare: Compare,
        /// With what, milliseconds.
        ms: u64,
    },
    /// A dataset: its phase, or a figure.
    Dataset {
        /// Index into [`super::Scenario::datasets`].
        dataset: usize,
        /// Whether it is bound: a cache worker runs.
        bound: Option<bool>,
        /// A figure, how compared, and with what: thousandths, bytes a second, or milliseconds.
        figure: Option<(DatasetFigure, Compare, u64)>,
    },
    /// Time in which work waited for input; of a Job summed over its pods.
    InputWait {
        /// Whose.
        of: Selector,
        /// Whether it is multiplied by the GPUs that waited.
        gpus: bool,
        /// How compared.
        compare: Compare,
        /// With what, milliseconds.
        ms: u64,
    },
    /// A fairness figure in thousandths.
    Fairness {
        /// Which.
        figure: FairnessFigure,
        /// How compared.
        compare: Compare,
        /// With what.
        permille: u64,
    },
    /// No gang ever runs below its minimum because of the scheduler (I6).
    GangsWhole,
    /// The cells guaranteed to leaves can be provided by the healthy devices.
    CellsFeasible,
    /// The scheduler's own audit finds nothing.
    Invariants,
    /// Nothing changes for this long before the end: no bind, no eviction.
    StableFor {
        /// Milliseconds.
        ms: u64,
    },
    /// A figure of nodes, drains, faults, or quotas that were reduced.
    Nodes(NodeClaim),
    /// The part of a figure that belongs to somebody.
    Share(ShareClaim),
    /// The digest of the run.
    Digest(u128),
    /// No tenant waits longer than this factor (thousandths) of its mean wait alone on its own quota.
    NotWorseThanAlone {
        /// Whose.
        of: Selector,
        /// The factor, in thousandths.
        permille: u64,
    },
    /// The outcome is that of a summary file: namespace rows and eviction count.
    SameAs {
        /// The path of the file as it is written.
        file: String,
        /// The namespace rows: name, running, pending, succeeded, failed, evicted.
        rows: Vec<(String, [u64; 5])>,
        /// Evictions.
        evictions: u64,
    },
}
