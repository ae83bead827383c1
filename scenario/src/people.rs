//! `users: [User(..)]` and `groups: [Group(..)]`, and the events that edit them. Names are checked against each other
//! and against the tree. If it is known before the run that an edit will be refused, a warning is added.

use crate::{assemble::Parts, checks::MAX_TRACE_WARNINGS, quota::ReadTree, workload::ReadWorkload};
use quotree_core::Name;
use quotree_model::{
    Kind,
    people::{Group as CheckedGroup, People, Reason, Role, Surroundings, Tenants, User as CheckedUser},
};
use quotree_syntax::{At, Report, Span, record};
use std::collections::{BTreeMap, BTreeSet};

/// The most users, and the most groups, of a scenario.
const MOST: usize = 100_000;

record! {
    /// A user who submits workloads.
    pub(crate) struct User in "user" {
        /// Unique among users.
        name: At<Name> => required,
        /// The role. An admin may also edit the tree, users, groups and machines.
        role: Role = Role::Researcher,
        /// The groups of the user. A user without groups can use no quota.
        groups: Vec<At<Name>> = Vec::new(),
    }
}

record! {
    /// Users who share a leaf.
    pub(crate) struct Group in "group" {
        /// Unique among groups.
        name: At<Name> => required,
        /// Its leaf of the tree; a leaf has at most one group.
        quota: At<Name> => required,
    }
}

record! {
    /// A user is added.
    pub(crate) struct AddUser(user) in "change" {
        /// The name of the user.
        user: Name => required,
        /// The role.
        role: Role = Role::Researcher,
        /// The groups of the user.
        groups: Vec<Name> = Vec::new(),
    }
}

record! {
    /// A user gets another role or other groups. The user's work continues.
    pub(crate) struct EditUser(user) in "change" {
        /// Which user.
        user: Name => required,
        /// The new role.
        role: Role => "unchanged",
        /// All groups of the user from now on.
        groups: Vec<Name> => "unchanged",
    }
}

record! {
    /// A user is removed. The user's work continues.
    pub(crate) struct RemoveUser(user) in "change" {
        /// Which user.
        user: Name => required,
    }
}

record! {
    /// A group without members is added.
    pub(crate) struct AddGroup(group) in "change" {
        /// The name of the group.
        group: Name => required,
        /// Its leaf of the tree at that time.
        quota: Name => required,
    }
}

record! {
    /// A group is bound to another leaf. The change is refused while pods run that its members submitted.
    pub(crate) struct EditGroup(group) in "change" {
        /// Which group.
        group: Name => required,
        /// Its new leaf.
        quota: Name => required,
    }
}

record! {
    /// A group is removed; its members stay. The change is refused while pods run that they submitted as members.
    pub(crate) struct RemoveGroup(group) in "change" {
        /// Which group.
        group: Name => required,
    }
}

/// Users and groups with the places of their names.
#[derive(Default)]
pub(crate) struct ReadPeople {
    pub(crate) people: People,
    /// Where each group names its leaf.
    leaves: Vec<Span>,
}

/// Checks all users and groups.
pub(crate) fn check(users: &[User], groups: &[Group], tree: Option<&ReadTree>, report: &mut Report) -> ReadPeople {
    let mut read = ReadPeople::default();
    let more = [(users.get(MOST).map(|user| user.span), "users"), (groups.get(MOST).map(|group| group.span), "groups")];
    for (span, what) in more {
        if let Some(span) = span {
            report.error(span, format!("at most {MOST} {what} are allowed"), "one too many");
            return read;
        }
    }
    let mut known: BTreeSet<Name> = BTreeSet::new();
    for Group { name, quota, .. } in groups {
        let (Some(name), Some(quota)) = (name, quota) else { continue };
        if !known.insert(name.value.clone()) {
            report.error(name.span, format!("duplicate group `{}`", name.value), "this name is already used");
        }
        read.people.groups.push(CheckedGroup { name: name.value.clone(), quota: quota.value.clone() });
        read.leaves.push(quota.span);
    }
    let mut names: BTreeSet<Name> = BTreeSet::new();
    for User { name, role, groups, .. } in users {
        groups.iter().for_each(|group| known_group(group, &known, report));
        let Some(name) = name else { continue };
        if !names.insert(name.value.clone()) {
            report.error(name.span, format!("duplicate user `{}`", name.value), "this name is already used");
        }
        let groups = groups.iter().map(|group| group.value.clone()).collect();
        read.people.users.push(CheckedUser { name: name.value.clone(), role: *role, groups });
    }
    if let Some(tree) = tree.filter(|tree| !tree.is_damaged()) {
        read.check_leaves(&Leaves::of(tree), report);
    }
    read
}

impl ReadPeople {
    /// Checks that every group has a leaf of its own.
    fn check_leaves(&self, leaves: &Leaves, report: &mut Report) {
        let mut taken: BTreeMap<&Name, &Name> = BTreeMap::new();
        for (group, span) in self.people.groups.iter().zip(&self.leaves) {
            if !leaves.all.contains(&group.quota) {
                report
                    .error(*span, format!("`{}` is not a leaf of the quota tree", group.quota), "not a leaf")
                    .did_you_mean(group.quota.as_str(), leaves.all.iter().map(Name::as_str));
            }
            if let Some(other) = taken.insert(&group.quota, &group.name) {
                let title = format!("the leaf `{}` is already bound to group `{other}`", group.quota);
                report.error(*span, title, "a leaf has one group");
            }
        }
    }
}

fn known_group(group: &At<Name>, known: &BTreeSet<Name>, report: &mut Report) {
    if !known.contains(&group.value) {
        report
            .error(group.span, format!("there is no group `{}`", group.value), "unknown group")
            .did_you_mean(group.value.as_str(), known.iter().map(Name::as_str));
    }
}

/// The users that the rows of a trace name.
pub(crate) fn row_users(read: &ReadWorkload) -> BTreeSet<&Name> {
    match &read.workload.kind {
        Kind::Trace { rows, .. } => rows.iter().filter_map(|row| row.user.as_ref()).collect(),
        _ => BTreeSet::new(),
    }
}

/// Checks the users of workloads: where a scenario has users, the users of workloads must be among them, and workloads
/// without a user are reported.
pub(crate) fn check_workloads(parts: &Parts, report: &mut Report) {
    let people = &parts.people.people;
    if people.is_empty() && !parts.events.people {
        return;
    }
    let known: BTreeSet<&Name> = people.users.iter().map(|user| &user.name).chain(&parts.events.users).collect();
    let names = || known.iter().map(|name| name.as_str());
    // Where neither people nor tree change, it is known who will be refused.
    let settled = !parts.events.people && parts.events.trees.is_empty();
    let tenants = Tenants::new(people, false);
    let quotas = parts.tree.iter().flat_map(|tree| &tree.spec.quotas);
    let leaves: BTreeMap<&Name, &Name> = quotas.flat_map(|q| q.namespaces.iter().map(|n| (n, &q.name))).collect();
    // Cache workers belong to their dataset: no user submits them.
    let workers = parts.datasets.iter().filter_map(|read| read.dataset.cache.as_ref());
    let workers: BTreeSet<&str> = workers.map(|cache| cache.workload.as_str()).collect();
    for read in &parts.workloads {
        let rows = row_users(read);
        match &read.user {
            Some(user) if !known.contains(&user.value) => {
                report
                    .error(user.span, format!("there is no user `{}`", user.value), "unknown user")
                    .did_you_mean(user.value.as_str(), names());
            }
            Some(user) if settled && rows.is_empty() => {
                let namespace = &read.workload.namespace;
                let leaf = leaves.get(namespace).copied();
                let said = tenants.may_submit(&user.value, namespace, leaf, false);
                if let Some(refusal) = said.err().filter(|refusal| refusal.reason() != Reason::NoLeaf) {
                    report.warning(
                        user.span,
                        format!("this submission will be refused: {refusal}"),
                        "its pods are not created",
                    );
                }
            }
            None if rows.is_empty() && !workers.contains(read.workload.name.as_str()) => {
                let title = format!("`{}` names no user, so it is submitted without a user check", read.workload.name);
                report.warning(read.name, title, "no `user`").help("write `user: \"..\"`");
            }
            _ => {}
        }
        let file = read.requests.first().copied().unwrap_or(read.name);
        let unknown: Vec<&Name> = rows.iter().copied().filter(|user| !known.contains(*user)).collect();
        if let Some(more) = unknown.len().checked_sub(MAX_TRACE_WARNINGS).filter(|more| *more > 0) {
            report.warning(file, format!("{more} more users are unknown as well"), "rows of this file name them");
        }
        for user in unknown.iter().take(MAX_TRACE_WARNINGS) {
            let title = format!("there is no user `{user}`, so the rows that name it are refused");
            report.warning(file, title, "a row of this file names it").did_you_mean(user.as_str(), names());
        }
    }
}

/// The leaves of a tree, for checks before the run, when no work runs.
pub(crate) struct Leaves {
    pub(crate) all: BTreeSet<Name>,
}

impl Leaves {
    pub(crate) fn of(tree: &ReadTree) -> Self {
        let parents: BTreeSet<&Name> = tree.spec.quotas.iter().filter_map(|quota| quota.parent.as_ref()).collect();
        let leaves = tree.spec.quotas.iter().map(|quota| &quota.name).filter(|name| !parents.contains(name));
        Self { all: leaves.cloned().collect() }
    }
}

impl Surroundings for Leaves {
    fn is_leaf(&self, quota: &Name) -> bool {
        self.all.contains(quota)
    }

    fn running(&self, _: &Name) -> Vec<String> {
        Vec::new()
    }
}
