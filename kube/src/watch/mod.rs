//! What watches show, as facts. Objects are read here and forgotten: the adapter keeps facts, not objects.
//!
//! - [`slim`]: the fields of pods and nodes that are read.
//! - [`pod`], [`node`], [`namespace`], [`budget`], [`tree`], [`groups`]: from an object to its facts, by `quotree-k8s`.
//! - [`relist`]: what disappeared while nobody watched.
//! - [`streams`]: the watches themselves.

mod compare;
mod group;
mod others;
mod pod;
mod read;
pub mod relist;
pub mod slim;
pub mod streams;
mod tree;

pub use group::{KINDS as GROUP_KINDS, groups};
pub use others::{budget, namespace, node};
pub use pod::pod;
pub use read::Unreadable;
pub use tree::{KIND as TREE_KIND, resource as tree_resource, tree};

use crate::tenancy::Groups;
use quotree_core::{Name, TreeSpec};
use quotree_k8s::{
    NamespaceFacts, NodeFacts, PodFacts,
    budget::PdbFacts,
    gang::{GangKind, GroupFacts},
};
use quotree_record::Owner;

/// The uid of an object: it names this object, and never another one of the same name.
pub type Uid = Name;

/// A pod, with its identity.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SeenPod {
    /// `metadata.uid`.
    pub uid: Uid,
    /// `metadata.resourceVersion`.
    pub version: Name,
    /// Its controller. Recordings name it, and nothing else depends on it.
    pub owner: Option<Box<Owner>>,
    /// What the mapping reads.
    pub facts: PodFacts,
}

/// A node, with its age.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SeenNode {
    /// `metadata.creationTimestamp`, milliseconds since 1970.
    pub created_ms: i64,
    /// What the mapping reads.
    pub facts: NodeFacts,
}

/// The kinds that are watched. Nothing is decided before each of them was listed once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Store {
    /// Pods.
    Pods,
    /// Nodes.
    Nodes,
    /// Namespaces.
    Namespaces,
    /// PodDisruptionBudgets.
    Budgets,
    /// The quota tree.
    Tree,
    /// The groups of users, where these are kept ([`crate::tenancy`]).
    Groups,
    /// The last tree that was accepted, where it is remembered ([`crate::remember`]). It is read once.
    Accepted,
    /// PodGroups or Workloads, which have the minimum of gangs of this kind.
    Gangs(GangKind),
}

impl Store {
    /// Those that are always watched.
    pub const ALL: [Self; 5] = [Self::Pods, Self::Nodes, Self::Namespaces, Self::Budgets, Self::Tree];

    /// Its name, in lower case.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pods => "pods",
            Self::Nodes => "nodes",
            Self::Namespaces => "namespaces",
            Self::Budgets => "poddisruptionbudgets",
            Self::Tree => "elasticquotatrees",
            Self::Groups => "usergroups",
            Self::Accepted => "configmaps",
            Self::Gangs(_) => "podgroups",
        }
    }
}

/// Something that a watch shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fact {
    /// A pod is new, or has changed.
    Pod(Box<SeenPod>),
    /// The pod of this uid is gone. It carries what its last state says about its end, if the watch showed that.
    PodGone {
        /// The uid.
        uid: Uid,
        /// The last state, where the watch showed it: a pod that has succeeded and a deleted one look alike otherwise.
        last: Option<Box<SeenPod>>,
    },
    /// A node is new, or has changed.
    Node(Box<SeenNode>),
    /// The node of this name is gone.
    NodeGone(Name),
    /// A namespace is new, or has changed.
    Namespace(NamespaceFacts),
    /// The namespace of this name is gone.
    NamespaceGone(Name),
    /// A disruption budget is new, or has changed.
    Budget(PdbFacts),
    /// The disruption budget of this namespace and name is gone.
    BudgetGone(Name, Name),
    /// The quota tree is new, or has changed.
    Tree(TreeSpec),
    /// The quota tree is gone. The last one stays in force.
    TreeGone,
    /// The groups that a PodGroup or a Workload describes now; none if it is gone.
    PodGroups {
        /// The kind of their gangs.
        kind: GangKind,
        /// The namespace and the name of the object.
        object: (Name, Name),
        /// The groups.
        groups: Vec<GroupFacts>,
    },
    /// The quota tree that was accepted last before this process led, if one is remembered.
    Accepted(Option<TreeSpec>),
    /// All groups of users, as they are now.
    Groups(Groups),
    /// An object cannot be read. What is known of it stays as it was.
    Unreadable(Unreadable),
    /// Everything of a kind has been shown.
    Synced(Store),
}
