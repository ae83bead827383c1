//! What is found: a counterexample in words, with what it is about.

use quotree_core::Name;

/// The kinds of findings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A pod fits on no empty node.
    FitsNoNode,
    /// Pods that start together exceed the max of a quota (A1), or what siblings leave of it (L3).
    AboveMax,
    /// Pods that may not be evicted exceed the min of a quota (A2).
    AboveMin,
    /// Pods that start together fit in no domain, or on all nodes together.
    GangFitsNowhere,
    /// The namespace belongs to no leaf quota, and the policy lets such pods wait (A4).
    NoQuota,
    /// The pods of one quota, within its min, do not fit on the nodes.
    MinNotHonoured,
    /// The pods of several quotas, each within its min, do not fit on the nodes together.
    MinsNotTogether,
}

impl Kind {
    /// Its word in JSON.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::FitsNoNode => "fits_no_node",
            Self::AboveMax => "above_max",
            Self::AboveMin => "above_min",
            Self::GangFitsNowhere => "gang_fits_nowhere",
            Self::NoQuota => "no_quota",
            Self::MinNotHonoured => "min_not_honoured",
            Self::MinsNotTogether => "mins_not_together",
        }
    }

    /// Its consequence in a few words, for the label of a diagnostic.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::FitsNoNode => "fits on no node",
            Self::AboveMax => "can never be admitted (T2)",
            Self::AboveMin => "can never be admitted (A2)",
            Self::GangFitsNowhere => "can never start (G1)",
            Self::NoQuota => "no quota",
            Self::MinNotHonoured => "this min cannot be honoured",
            Self::MinsNotTogether => "these mins cannot be honoured together",
        }
    }

    /// Whether it is about a job that can never start.
    #[must_use]
    pub const fn is_never(self) -> bool {
        !matches!(self, Self::MinNotHonoured | Self::MinsNotTogether)
    }
}

/// A counterexample.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Its kind.
    pub kind: Kind,
    /// The workload, as an index into those of the scenario, and the pod template, as an index into those of the
    /// workload. Absent for findings about quotas.
    pub place: Option<(usize, usize)>,
    /// The jobs whose pods it is about, as messages name them.
    pub jobs: Vec<String>,
    /// The quota: the one whose limit it is, or else that of the job.
    pub quota: Option<Name>,
    /// All quotas that it is about.
    pub quotas: Vec<Name>,
    /// How many pods it is about.
    pub pods: u64,
    /// What does not fit, on what, and by which arithmetic.
    pub sentence: String,
    /// What can be changed, each a way by itself.
    pub help: Vec<String>,
    /// The resource whose limit a quota sets.
    pub resource: Option<Name>,
    /// A requested resource that no node has.
    pub unknown: Option<Name>,
}

impl Finding {
    pub(crate) fn new(kind: Kind, sentence: String, help: Vec<String>) -> Self {
        let (place, jobs, quota, quotas, resource, unknown) = (None, Vec::new(), None, Vec::new(), None, None);
        Self { kind, place, jobs, quota, quotas, pods: 0, sentence, help, resource, unknown }
    }

    pub(crate) fn of(self, workload: usize, template: usize, who: String, quota: Option<Name>) -> Self {
        let quotas = quota.iter().cloned().collect();
        Self { place: Some((workload, template)), jobs: vec![who], quota, quotas, ..self }
    }
}
