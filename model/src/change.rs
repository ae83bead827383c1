//! The events of a scenario: edits of workloads, quotas, users and machines, each with its time and the user who makes
//! it.

use super::{DeviceChange, NodeChange, QuotaEdit};
use crate::people::PeopleEdit;
use quotree_core::{Amounts, Name, Time, TreeSpec};

/// A change of the world at a time.
#[derive(Debug, Clone)]
pub struct TimedChange {
    /// When it happens.
    pub at: Time,
    /// The user who makes the change; `None` if permissions are not checked.
    pub by: Option<Name>,
    /// What happens.
    pub change: Change,
}

/// The kinds of changes.
#[derive(Debug, Clone)]
pub enum Change {
    /// A Deployment gets another replica count. Of surplus pods, pending ones are removed before running ones, the
    /// youngest first.
    Scale {
        /// Index into [`super::Scenario::workloads`].
        workload: usize,
        /// The new count.
        replicas: u32,
    },
    /// A workload is deleted with all its pods.
    Withdraw {
        /// Index into [`super::Scenario::workloads`].
        workload: usize,
    },
    /// The quota tree is replaced (T4).
    ReplaceTree {
        /// The new tree.
        tree: TreeSpec,
    },
    /// The figures of one quota change, in the tree in effect at that time.
    EditQuota {
        /// The name of the quota.
        quota: Name,
        /// The new figures.
        edit: Box<QuotaEdit>,
    },
    /// A namespace moves to another leaf of the tree in effect at that time, or to none (T3).
    MoveNamespace {
        /// The namespace.
        namespace: Name,
        /// Its new leaf.
        to: Option<Name>,
    },
    /// Users or groups are edited.
    People(PeopleEdit),
    /// A node fails; its pods are lost.
    NodeDown {
        /// Index into [`super::Cluster::nodes`].
        node: usize,
    },
    /// A node joins, or recovers.
    NodeUp {
        /// Index into [`super::Cluster::nodes`].
        node: usize,
    },
    /// A node is cordoned or uncordoned.
    Cordon {
        /// Index into [`super::Cluster::nodes`].
        node: usize,
        /// Whether it is cordoned: then it gets no new pods.
        cordoned: bool,
    },
    /// A disruption budget is set.
    SetBudget {
        /// Its name.
        budget: Name,
        /// How many of its pods may be evicted.
        allowed: u32,
    },
    /// A priority class gets another number. Pods that are created from then on get it.
    SetClass {
        /// The name of the class.
        class: Name,
        /// The new number.
        priority: i32,
    },
    /// A workload is edited with all its pods. `None` leaves a property unchanged.
    EditWorkload {
        /// Index into [`super::Scenario::workloads`].
        workload: usize,
        /// The new priority.
        priority: Option<i32>,
        /// Whether it may be evicted.
        preemptible: Option<bool>,
    },
    /// The pods of a workload are resized in place (E5), and those that it creates from then on request the same.
    Resize {
        /// Index into [`super::Scenario::workloads`].
        workload: usize,
        /// The amounts that change.
        request: Amounts,
    },
    /// The scheduler is restarted, and goes on from what a LIST of the cluster shows (E4).
    RestartScheduler,
    /// Another change of nodes.
    Nodes(NodeChange),
    /// A change of devices, or of the labels of a node.
    Devices(DeviceChange),
}
