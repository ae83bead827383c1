//! The result of the plan of a dump, and what is reported about it.

use crate::RowProblem;
use quotree_core::Name;
use quotree_k8s::{Loss, affinity::NodeRule};
use quotree_model::TraceRow;
use std::collections::{BTreeMap, BTreeSet};

/// The rows of the pods of a dump, and what is reported.
#[derive(Default)]
pub(super) struct Plan {
    pub(super) rows: Vec<TraceRow>,
    pub(super) problems: Vec<RowProblem>,
    /// The node affinities that became synthetic labels.
    pub(super) rules: BTreeSet<NodeRule>,
    pub(super) budgets: BTreeMap<Name, u32>,
    /// Additional namespaces, each on a leaf. They are for pods that request another leaf than that of their own
    /// namespace.
    pub(super) visitors: BTreeMap<Name, Name>,
    pub(super) counts: BTreeMap<PodNote, u64>,
    pub(super) losses: BTreeMap<Loss, u64>,
    /// Quotas, classes and other objects that pods refer to and the dump does not contain.
    pub(super) unknown: BTreeSet<(PodNote, Name)>,
}

/// What is reported about pods, in this order, with the number of pods.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum PodNote {
    Ended,
    Deleted,
    Gated,
    Leaving,
    Adrift,
    WaitForMembers,
    Torn,
    Elastic,
    NoGroup,
    UnknownLevel,
    NoQuota,
    Visitor,
    NoClass,
    Foreign,
    NotPreemptible,
    Unobserved,
    TwoBudgets,
    MixedBudgets,
}

impl Plan {
    pub(super) fn tell(&mut self, what: PodNote, pods: usize) {
        if pods > 0 {
            *self.counts.entry(what).or_default() += pods as u64;
        }
    }
}
