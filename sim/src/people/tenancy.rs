//! Which users can use which leaves at the end of a run, and why not.

use super::Role;
use crate::result::{QuantityMap, QuotaRow, RunResult, UserRow};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// Users, leaves, and which user can use which leaf.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Tenancy {
    /// The scenario's name.
    pub scenario: String,
    /// The time, milliseconds.
    pub at_ms: u64,
    /// All users, in order of appearance.
    pub users: Vec<Tenant>,
    /// Admins: users who may edit.
    pub admins: Vec<String>,
    /// Namespaces into which no user can submit (A4).
    pub namespaces_on_no_leaf: Vec<String>,
    /// Groups without members.
    pub groups_without_members: Vec<String>,
    /// Leaves that no user can use.
    pub leaves_without_group: Vec<String>,
    /// Leaves into which nothing can be submitted.
    pub leaves_without_namespaces: Vec<String>,
}

/// What one user can use.
#[derive(Debug, Clone, Serialize)]
pub struct Tenant {
    /// Its name.
    pub user: String,
    /// The role; absent for a name that submits but is not a declared user.
    pub role: Option<Role>,
    /// The leaves it can use.
    pub can: Vec<Use>,
    /// Why it can use no leaf, if it can use none.
    pub nothing: Option<String>,
    /// The leaves it cannot use.
    pub cannot: Vec<NoUse>,
}

/// A leaf that a user can use.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "as in the rows of a quota")]
pub struct Use {
    pub group: String,
    pub quota: String,
    pub namespaces: Vec<String>,
    pub min: QuantityMap,
    pub max: QuantityMap,
    /// The usage by all users together.
    pub used: QuantityMap,
}

/// A leaf that a user cannot use.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "as in the rows of a quota")]
pub struct NoUse {
    pub quota: String,
    pub namespaces: Vec<String>,
    pub why: String,
}

/// A leaf with its group and namespaces.
struct Leaf<'a> {
    row: &'a QuotaRow,
    group: Option<&'a str>,
    namespaces: Vec<String>,
}

impl Tenancy {
    /// The tenancy at the end of a run.
    #[must_use]
    pub fn of(result: &RunResult) -> Self {
        let parents: BTreeSet<&str> = result.quotas.iter().filter_map(|quota| quota.parent.as_deref()).collect();
        let mut homes: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        for namespace in &result.namespaces {
            homes.entry(namespace.quota.as_deref().unwrap_or_default()).or_default().push(namespace.name.clone());
        }
        let on_none = homes.remove("").unwrap_or_default();
        let groups: BTreeMap<&str, &str> =
            result.groups.iter().filter_map(|group| Some((group.quota.as_deref()?, group.name.as_str()))).collect();
        let leaves: Vec<Leaf<'_>> = result
            .quotas
            .iter()
            .filter(|quota| !parents.contains(quota.name.as_str()))
            .map(|row| Leaf {
                row,
                group: groups.get(row.name.as_str()).copied(),
                namespaces: homes.remove(row.name.as_str()).unwrap_or_default(),
            })
            .collect();
        let names = |of: fn(&Leaf<'_>) -> bool| leaves.iter().filter(|l| of(l)).map(|l| l.row.name.clone()).collect();
        let is_admin = |user: &&UserRow| user.role == Some(Role::Admin);
        let idle = result.groups.iter().filter(|group| group.quota.is_some() && group.members.is_empty());
        Self {
            scenario: result.scenario.clone(),
            at_ms: result.end_ms,
            users: result.users.iter().map(|user| Tenant::of(user, &leaves)).collect(),
            admins: result.users.iter().filter(is_admin).map(|user| user.name.clone()).collect(),
            namespaces_on_no_leaf: on_none,
            groups_without_members: idle.map(|group| group.name.clone()).collect(),
            leaves_without_group: names(|leaf| leaf.group.is_none()),
            leaves_without_namespaces: names(|leaf| leaf.namespaces.is_empty()),
        }
    }

    /// Whether there are no users.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.users.is_empty()
    }
}

impl Tenant {
    fn of(user: &UserRow, leaves: &[Leaf<'_>]) -> Self {
        let mut tenant =
            Self { user: user.name.clone(), role: user.role, can: Vec::new(), nothing: None, cannot: Vec::new() };
        for leaf in leaves {
            let Leaf { row, group, namespaces } = leaf;
            match closed(user, leaf) {
                None => tenant.can.push(Use {
                    group: group.unwrap_or_default().to_owned(),
                    quota: row.name.clone(),
                    namespaces: namespaces.clone(),
                    min: row.min.clone(),
                    max: row.max.clone(),
                    used: row.used.clone(),
                }),
                Some(why) => {
                    tenant.cannot.push(NoUse { quota: row.name.clone(), namespaces: namespaces.clone(), why });
                }
            }
        }
        if tenant.can.is_empty() {
            tenant.nothing = Some(match (user.role, user.groups.as_slice()) {
                (None, _) => "is not a declared user".to_owned(),
                (Some(_), []) => "is in no group".to_owned(),
                (Some(_), _) => "the leaf quotas of its groups have no namespace".to_owned(),
            });
        }
        tenant
    }
}

/// Why a user cannot use a leaf; nothing if it can.
fn closed(user: &UserRow, leaf: &Leaf<'_>) -> Option<String> {
    if user.role.is_none() {
        return Some("is not a declared user".to_owned());
    }
    match leaf.group {
        None => Some("no group is bound to it".to_owned()),
        Some(group) if !user.groups.iter().any(|own| own == group) => Some(format!("is not in group `{group}`")),
        Some(_) if leaf.namespaces.is_empty() => Some("it has no namespace".to_owned()),
        Some(_) => None,
    }
}
