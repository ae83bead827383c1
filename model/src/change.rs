//! What happens to the world by the word of the scenario: edits of workloads, quotas, people and machines, each at its time
//! and, where it is somebody's, by whom.

use super::{DeviceChange, NodeChange, QuotaEdit};
use crate::people::PeopleEdit;
use quotree_core::{Name, Time, TreeSpec};

/// A change of the world at a time.
#[derive(Debug, Clone)]
pub struct TimedChange {
    /// When.
    pub at: Time,
    /// Who does it, if it is anybody who is asked.
    pub by: Option<Name>,
    /// What.
    pub change: Change,
}

/// What can happen to the world.
#[derive(Debug, Clone)]
pub enum Change {
    /// A Deployment gets another replica count; surplus pods go youngest first, waiting before running.
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
    /// One quota of the tree as it then is gets other figures.
    EditQuota {
        /// Which.
        quota: Name,
        /// The figures.
        edit: Box<QuotaEdit>,
    },
    /// A namespace moves to another leaf of the tree as it then is, or to none (T3).
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
    /// A node comes (back).
    NodeUp {
        /// Index into [`super::Cluster::nodes`].
        node: usize,
    },
    /// A node takes no new pods, or does again.
    Cordon {
        /// Index into [`super::Cluster::nodes`].
        node: usize,
        /// Whether it takes none.
        cordoned: bool,
    },
    /// A disruption budget is set.
    SetBudget {
        /// Its name.
        budget: Name,
        /// How many of its pods may be evicted.
        allowed: u32,
    },
    /// A priority class gets another number: pods made from then on have it.
    SetClass {
        /// Which.
        class: Name,
        /// The new number.
        priority: i32,
    },
    /// A workload is edited with all its pods. Absent means: as before.
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
    /// Something befalls devices, or the labels of a node.
    Devices(DeviceChange),
}
