//! Users, groups and permissions. A user is in groups, a group is bound to one leaf of the quota tree, and the members
//! of the group may submit into the namespaces of that leaf. Permissions are checked when something is attempted. A
//! refusal is a value that contains its reason ([`Refusal`]). Accepted work continues, regardless of later edits.

mod refusal;
mod tenants;

pub use refusal::{Reason, Refusal};
pub use tenants::{Account, Surroundings, Tenants};

use quotree_core::Name;
use quotree_syntax::words;
use serde::Serialize;

/// The users and groups at the start. If there are none, permissions are not checked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct People {
    /// In the order of the file.
    pub users: Vec<User>,
    /// The groups, in the order of the file.
    pub groups: Vec<Group>,
}

impl People {
    /// Whether there are neither users nor groups.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.users.is_empty() && self.groups.is_empty()
    }
}

/// What a user may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Submits into the namespaces of its groups.
    #[default]
    Researcher,
    /// May also edit the tree, users, groups and machines.
    Admin,
}

/// A user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// The name of the user, unique in the scenario.
    pub name: Name,
    /// The role of the user.
    pub role: Role,
    /// The groups of the user; a user without groups can use no quota.
    pub groups: Vec<Name>,
}

/// A group of users.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// The name of the group, unique in the scenario.
    pub name: Name,
    /// Its leaf of the quota tree; no two groups share one.
    pub quota: Name,
}

/// An edit of users or groups.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PeopleEdit {
    /// A user is added.
    AddUser(User),
    /// A user is removed; the user's work continues.
    RemoveUser(Name),
    /// A user gets another role, or other groups.
    EditUser {
        /// The user.
        user: Name,
        /// The new role; `None`: unchanged.
        role: Option<Role>,
        /// All groups of the user from now on; `None`: unchanged.
        groups: Option<Vec<Name>>,
    },
    /// A group without members is added.
    AddGroup(Group),
    /// A group is removed; refused while its work runs.
    RemoveGroup(Name),
    /// A group is bound to another leaf; refused while its work runs.
    EditGroup(Group),
}

impl PeopleEdit {
    /// The user or group that the edit concerns, for reports.
    #[must_use]
    pub fn subject(&self) -> String {
        match self {
            Self::AddUser(User { name, .. }) | Self::RemoveUser(name) | Self::EditUser { user: name, .. } => {
                format!("user `{name}`")
            }
            Self::AddGroup(Group { name, .. }) | Self::EditGroup(Group { name, .. }) | Self::RemoveGroup(name) => {
                format!("group `{name}`")
            }
        }
    }
}

words! { Role: Researcher, Admin }
