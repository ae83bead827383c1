//! What must be there for all users and groups, and what to say about each of them. Pure: the tree, the namespaces and the running
//! work are given.

use super::{
    Leaf, Places, Space, View,
    grants::Grant,
    objects::{Group, Kind, User},
};
use quotree_core::Name;
use std::collections::{BTreeMap, BTreeSet};

/// All that is known.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct World {
    /// The users, by name.
    pub users: BTreeMap<Name, User>,
    /// The groups, by name.
    pub groups: BTreeMap<Name, Group>,
    /// What the scheduler shows.
    pub view: View,
}

/// What to say about a user or a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// Whether it is as its object says.
    pub ready: bool,
    /// The reason in one word.
    pub reason: &'static str,
    /// The reason in a sentence.
    pub message: String,
    /// The namespaces that it lets into.
    pub namespaces: Vec<Name>,
}

impl Said {
    fn not(reason: &'static str, message: String) -> Self {
        Self { ready: false, reason, message, namespaces: Vec::new() }
    }
}

/// What must be there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plan {
    /// What is granted.
    pub grants: BTreeSet<Grant>,
    /// What to say about each user.
    pub users: BTreeMap<Name, Said>,
    /// What to say about each group.
    pub groups: BTreeMap<Name, Said>,
    /// The groups that are being deleted and may go.
    pub done: BTreeSet<Name>,
}

/// What must be there, by what is known.
#[must_use]
pub fn plan(world: &World, places: &Places) -> Plan {
    let mut plan = Plan::default();
    for (name, group) in &world.groups {
        let said = about_group(world, places, name, group);
        if group.meta.leaving && said.reason != "RunningWork" {
            plan.done.insert(name.clone());
        }
        plan.groups.insert(name.clone(), said);
    }
    for (name, user) in &world.users {
        let said = about_user(&plan, user);
        if !user.meta.leaving && !user.suspended {
            plan.grants.insert(Grant::Account(name.clone()));
            for namespace in &said.namespaces {
                plan.grants.insert(Grant::Researcher { user: name.clone(), namespace: namespace.clone() });
            }
            if user.kind == Kind::Admin {
                plan.grants.insert(Grant::Admin(name.clone()));
                plan.grants.insert(Grant::Accounts(name.clone()));
            }
        }
        plan.users.insert(name.clone(), said);
    }
    plan
}

fn about_group(world: &World, places: &Places, name: &Name, group: &Group) -> Said {
    let Some(leaf) = world.view.leaves.get(&group.leaf) else {
        let why = format!("the quota tree that is in force has no leaf `{}`", group.leaf);
        return Said::not("LeafMissing", why);
    };
    let age = |name: &Name, group: &Group| (group.meta.created_ms, name.clone());
    let rivals = world.groups.iter().filter(|(other, one)| one.leaf == group.leaf && *other != name);
    let first = rivals.min_by_key(|(other, one)| age(other, one));
    if let Some((other, _)) = first.filter(|(other, one)| age(other, one) < age(name, group)) {
        let why = format!("leaf `{}` is that of group `{other}`, which is older; a leaf has one group", group.leaf);
        return Said::not("LeafTaken", why);
    }
    let (open, closed) = sorted(leaf, places);
    if group.meta.leaving && leaf.pods > 0 {
        let more = if (leaf.some.len() as u32) < leaf.pods { ", .." } else { "" };
        let list = if leaf.some.is_empty() { String::new() } else { format!(": {}{more}", leaf.some.join(", ")) };
        let why = format!(
            "it is deleted once no pod of leaf `{}` runs; {} do{list}. Its members keep their access until then",
            group.leaf, leaf.pods
        );
        return Said { namespaces: open, ..Said::not("RunningWork", why) };
    }
    if group.meta.leaving {
        return Said::not("Leaving", "it is being deleted".to_owned());
    }
    if !closed.is_empty() {
        let why = format!("nobody is let into {}", closed.join(", "));
        return Said { namespaces: open, ..Said::not("NamespaceClosed", why) };
    }
    let message = format!("its members work in {} namespaces of leaf `{}`", open.len(), group.leaf);
    Said { ready: true, reason: "Bound", message, namespaces: open }
}

/// The namespaces of a leaf that a group lets into, and why not into the others.
fn sorted(leaf: &Leaf, places: &Places) -> (Vec<Name>, Vec<String>) {
    let (mut open, mut closed) = (Vec::new(), Vec::new());
    for (namespace, space) in &leaf.namespaces {
        match space {
            _ if places.is_closed(namespace.as_str()) => closed.push(format!("`{namespace}` (of the system)")),
            Space::Missing => closed.push(format!("`{namespace}` (there is none)")),
            Space::Unmanaged => closed.push(format!("`{namespace}` (not managed: its pods would pass by the quota)")),
            Space::Managed => open.push(namespace.clone()),
        }
    }
    (open, closed)
}

fn about_user(plan: &Plan, user: &User) -> Said {
    if user.meta.leaving {
        return Said::not("Leaving", "the access is taken away".to_owned());
    }
    if user.suspended {
        return Said::not("Suspended", "there is no account and no access until `suspended` is false".to_owned());
    }
    let wanted: BTreeSet<&Name> = user.groups.iter().collect();
    let mut namespaces: BTreeSet<Name> = BTreeSet::new();
    let (mut missing, mut unready) = (Vec::new(), Vec::new());
    for group in wanted {
        match plan.groups.get(group) {
            None => missing.push(format!("`{group}`")),
            Some(said) => {
                namespaces.extend(said.namespaces.iter().cloned());
                if !said.ready {
                    unready.push(format!("`{group}` ({})", said.reason));
                }
            }
        }
    }
    let namespaces: Vec<Name> = namespaces.into_iter().collect();
    let (reason, message) = if !missing.is_empty() {
        ("GroupMissing", format!("there is no group {}", missing.join(", ")))
    } else if !unready.is_empty() {
        ("GroupNotReady", format!("groups are not ready: {}", unready.join(", ")))
    } else {
        let also = if user.kind == Kind::Admin { ", and administers" } else { "" };
        let message = format!("works in {} namespaces{also}", namespaces.len());
        return Said { ready: true, reason: "Bound", message, namespaces };
    };
    Said { namespaces, ..Said::not(reason, message) }
}
