//! Users and groups: who may work where, as objects, and the accounts and bindings that are made of them.
//!
//! ```text
//! User, UserGroup ---+
//! quota tree --------+-> plan (pure) -> accounts, bindings, statuses, finalizers -> API server
//! namespaces, pods --+
//! ```
//!
//! - [`objects`]: the two kinds as facts. [`plan`](mod@plan): what must be there, and what to say. [`grants`]: as objects.
//! - [`status`]: what to say, as a status.
//! - [`controller`]: watches, and the writes that lead from what is there to what must be. Only the leader writes.
//! - [`kubeconfig`]: an access for somebody, by the rights of an administrator.

pub mod controller;
pub mod grants;
pub mod kubeconfig;
pub mod objects;
pub mod plan;
#[cfg(test)]
mod plan_tests;
pub mod status;
mod write;

use quotree_core::Name;
use std::collections::BTreeMap;

/// The API group of users and groups.
pub const GROUP: &str = "quotree.io";
/// Its version.
pub const VERSION: &str = "v1alpha1";
/// The label of what is made for a user, with the name of the user. What has it and is not wanted is deleted.
pub const OWNER: &str = "quotree.io/user";
/// Keeps a User until all that was made for them is gone, and a UserGroup until no work runs in its leaf.
pub const FINALIZER: &str = "quotree.io/tenancy";
/// The ClusterRole of researchers.
pub const RESEARCHER: &str = "quotree-researcher";
/// The ClusterRole of administrators, and their Role in the namespace of the accounts.
pub const ADMIN: &str = "quotree-admin";

/// The namespaces of the objects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Places {
    /// Where users and groups are.
    pub system: String,
    /// Where the accounts are.
    pub users: String,
}

impl Default for Places {
    /// ```
    /// assert_eq!(quotree_kube::tenancy::Places::default().users, "quotree-users");
    /// ```
    fn default() -> Self {
        Self { system: "quotree-system".to_owned(), users: "quotree-users".to_owned() }
    }
}

impl Places {
    /// Whether nobody is let into a namespace by a group, whatever the tree says: who may create pods there has the cluster.
    #[must_use]
    pub fn is_closed(&self, namespace: &str) -> bool {
        namespace.starts_with("kube-") || namespace == self.system || namespace == self.users
    }
}

/// What the scheduler shows of the tree that is in force.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct View {
    /// Its leaves, by name.
    pub leaves: BTreeMap<Name, Leaf>,
}

/// A leaf of the tree.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Leaf {
    /// Its namespaces, and what is known of each.
    pub namespaces: Vec<(Name, Space)>,
    /// How many of its pods have a node or are on their way to one.
    pub pods: u32,
    /// `namespace/name` of some of them, where a group of the leaf is being deleted.
    pub some: Vec<String>,
}

/// What is known of a namespace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Space {
    /// There is none of this name.
    Missing,
    /// Its pods are not under the control of quotas.
    Unmanaged,
    /// It is managed.
    Managed,
}

/// A group, as the scheduler must know it: its leaf stays in the tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bound {
    /// Its leaf.
    pub leaf: Name,
    /// Whether it is being deleted.
    pub leaving: bool,
}

/// Groups by name.
pub type Groups = BTreeMap<Name, Bound>;
