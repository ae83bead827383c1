//! The events of a scenario: edits of workloads, quotas, people and machines, each with its time and the user who makes it.

use super::{DeviceChange, NodeChange, QuotaEdit};
use crate::people::PeopleEdit;
use quotree_core::{Name, Time, TreeSpec};

/// A change of the world at a time.
#[derive(Debug, Clone)]
pub struct TimedChange {
    /// When it happens.
    pub at: Time,
    /// The user who does it; `None` if nobody is checked.
    pub by: Option<Name>,
    /// What happens.
    pub change: Change,
}

/// What can happen to the world.
#[derive(Debug, Clone)]
pub enum Change {
    /// A Deployment gets another replica count; of the surplus, pending pods are removed before running ones, the youngest first.
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
    /// One quota of the tree of that time gets other figures.
    EditQuota {
        /// Which.
        quota: Name,
        /// The figures.
        edit: Box<QuotaEdit>,
    },
    /// A namespace moves to another leaf of the tree of that time, or to none (T3).
    MoveNamespace {
        /// Which.
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
    /// A node comes, or is back.
    NodeUp {
        /// Index into [`super::Cluster::nodes`].
        node: usize,
    },
    /// A node gets no new pods, or gets them again.
    Cordon {
        /// Index into [`super::Cluster::nodes`].
        node: usize,
        /// Whether it gets none.
        cordoned: bool,
    },
    /// A disruption budget is set.
    SetBudget {
        /// Its name.
        budget: Name,
        /// How many of its pods may be evicted.
        allowed: u32,
    },
    /// A priority class gets another number: pods created from then on get it.
    SetClass {
        /// Which.
        class: Name,
        /// The new number.
        priority: i32,
    },
    /// A workload is edited with all its pods. `None` means: as before.
    EditWorkload {
        /// Index into [`super::Scenario::workloads`].
        workload: usize,
        /// The new priority.
        priority: Option<i32>,
        /// Whether it may be evicted.
        preemptible: Option<bool>,
    },
    /// Something else happens to nodes.
    Nodes(NodeChange),
    /// Something happens to devices, or to the labels of a node.
    Devices(DeviceChange),
}
