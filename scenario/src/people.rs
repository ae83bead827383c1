//! `users: [User(..)]` and `groups: [Group(..)]`, and the events that edit them. Names are checked against each other
//! and against the tree; what an edit will be refused for, as far as that can be known before the run, is a warning.

use super::{
    assemble::Parts,
    checks::MAX_TRACE_WARNINGS,
    diagnostic::{Report, Span},
    quota::ReadTree,
    reader::{At, Fields, choice, variant},
    syntax::Node,
    workload::ReadWorkload,
};
use quotree_core::Name;
use quotree_model::Kind;
use quotree_model::people::{Group, People, PeopleEdit, Reason, Role, Surroundings, Tenants, User};
use std::collections::{BTreeMap, BTreeSet};

/// A scenario may have this many users, and this many groups.
const MOST: usize = 100_000;

const ROLES: [(&str, Role); 2] = [("Researcher", Role::Researcher), ("Admin", Role::Admin)];

/// The people with the places of their names.
#[derive(Default)]
pub(crate) struct ReadPeople {
    pub(crate) people: People,
    /// Where each group names its leaf.
    leaves: Vec<Span>,
}

/// Reads all users and groups.
pub(crate) fn read(users: &[&Node], groups: &[&Node], tree: Option<&ReadTree>, report: &mut Report) -> ReadPeople {
    let mut read = ReadPeople::default();
    for (nodes, what) in [(users, "users"), (groups, "groups")] {
        if let Some(node) = nodes.get(MOST) {
            report.error(node.span, format!("more than {MOST} {what}"), "one too many");
            return read;
        }
    }
    let mut known: BTreeSet<Name> = BTreeSet::new();
    for node in groups {
        let Some(variant) = variant(node, &["Group"], "a group `Group(..)`", report) else { continue };
        let mut fields = variant.fields(&[], report);
        let name = fields.required::<At<Name>>("name", report);
        let quota = fields.required::<At<Name>>("quota", report);
        fields.finish(report);
        let (Some(name), Some(quota)) = (name, quota) else { continue };
        if !known.insert(name.value.clone()) {
            report.error(name.span, format!("a second group `{}`", name.value), "the name is taken");
        }
        read.people.groups.push(Group { name: name.value, quota: quota.value });
        read.leaves.push(quota.span);
    }
    let mut names: BTreeSet<Name> = BTreeSet::new();
    for node in users {
        let Some(variant) = variant(node, &["User"], "a user `User(..)`", report) else { continue };
        let mut fields = variant.fields(&[], report);
        let name = fields.required::<At<Name>>("name", report);
        let role = role(&mut fields, report).unwrap_or_default();
        let groups = fields.optional::<Vec<At<Name>>>("groups", report).unwrap_or_default();
        fields.finish(report);
        groups.iter().for_each(|group| known_group(group, &known, report));
        let Some(name) = name else { continue };
        if !names.insert(name.value.clone()) {
            report.error(name.span, format!("a second user `{}`", name.value), "the name is taken");
        }
        let groups = groups.into_iter().map(|group| group.value).collect();
        read.people.users.push(User { name: name.value, role, groups });
    }
    if let Some(tree) = tree.filter(|tree| !tree.is_damaged()) {
        read.check_leaves(&Leaves::of(tree), report);
    }
    read
}

impl ReadPeople {
    /// Every group is bound to a leaf of its own.
    fn check_leaves(&self, leaves: &Leaves, report: &mut Report) {
        let mut taken: BTreeMap<&Name, &Name> = BTreeMap::new();
        for (group, span) in self.people.groups.iter().zip(&self.leaves) {
            if !leaves.all.contains(&group.quota) {
                report
                    .error(*span, format!("`{}` is no leaf of the quota tree", group.quota), "not a leaf")
                    .did_you_mean(group.quota.as_str(), leaves.all.iter().map(Name::as_str));
            }
            if let Some(other) = taken.insert(&group.quota, &group.name) {
                let title = format!("the leaf `{}` is bound to group `{other}` already", group.quota);
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

fn role(fields: &mut Fields<'_>, report: &mut Report) -> Option<Role> {
    fields.node("role").and_then(|node| choice(node, &ROLES, report))
}

/// The edits of people among the changes.
pub(crate) const EDITS: [&str; 6] = ["AddUser", "RemoveUser", "EditUser", "AddGroup", "RemoveGroup", "EditGroup"];

/// Reads the fields of an edit of this name.
pub(crate) fn edit(name: &str, fields: &mut Fields<'_>, report: &mut Report) -> Option<PeopleEdit> {
    if matches!(name, "AddGroup" | "RemoveGroup" | "EditGroup") {
        let group = fields.required::<Name>("group", report);
        if name == "RemoveGroup" {
            return group.map(PeopleEdit::RemoveGroup);
        }
        let quota = fields.required::<Name>("quota", report);
        let group = Group { name: group?, quota: quota? };
        return Some(if name == "AddGroup" { PeopleEdit::AddGroup(group) } else { PeopleEdit::EditGroup(group) });
    }
    let user = fields.required::<Name>("user", report);
    if name == "RemoveUser" {
        return user.map(PeopleEdit::RemoveUser);
    }
    let role = role(fields, report);
    let groups = fields.optional::<Vec<Name>>("groups", report);
    let user = user?;
    Some(if name == "AddUser" {
        PeopleEdit::AddUser(User { name: user, role: role.unwrap_or_default(), groups: groups.unwrap_or_default() })
    } else {
        PeopleEdit::EditUser { user, role, groups }
    })
}

/// The users that the rows of a trace name.
pub(crate) fn row_users(read: &ReadWorkload) -> BTreeSet<&Name> {
    match &read.workload.kind {
        Kind::Trace { rows, .. } => rows.iter().filter_map(|row| row.user.as_ref()).collect(),
        _ => BTreeSet::new(),
    }
}

/// Who submits: where there are people at all, they must be known, and nothing that nobody submits goes unsaid.
pub(crate) fn check(parts: &Parts, report: &mut Report) {
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
    // Cache workers come with their dataset: nobody submits them.
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
                    report.warning(user.span, format!("this will be refused: {refusal}"), "its pods will not be");
                }
            }
            None if rows.is_empty() && !workers.contains(read.workload.name.as_str()) => {
                let title =
                    format!("`{}` names no user: nobody is asked whether it may be submitted", read.workload.name);
                report.warning(read.name, title, "nobody's").help("write `user: \"..\"`");
            }
            _ => {}
        }
        let file = read.requests.first().copied().unwrap_or(read.name);
        for user in rows.iter().filter(|user| !known.contains(*user)).take(MAX_TRACE_WARNINGS) {
            let title = format!("there is no user `{user}`: the rows that name it are refused");
            report.warning(file, title, "a row of this file names it").did_you_mean(user.as_str(), names());
        }
    }
}

/// The leaves of a tree; before a run nothing is at work.
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
