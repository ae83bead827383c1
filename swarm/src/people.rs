//! The users and groups of a random scenario: who submits workloads, who makes edits, and how users and groups change.
//! Most requests are permitted. Drawn from their own random stream.

use crate::{features::Feature, world::WorldBuilder};
use quotree_sim::scenario::Value;

type Fields = Vec<(&'static str, Value)>;

/// Users and groups at the start.
#[derive(Debug, Default)]
pub(crate) struct People {
    /// The groups of each user, and whether it is an admin.
    users: Vec<(Vec<usize>, bool)>,
    /// The leaf of each group.
    groups: Vec<String>,
}

fn user(number: u64) -> Value {
    Value::text(format!("u{number}"))
}

fn group(number: usize) -> Value {
    Value::text(format!("g{number}"))
}

fn role(admin: bool) -> Value {
    Value::word(if admin { "Admin" } else { "Researcher" })
}

impl People {
    pub(crate) fn is_empty(&self) -> bool {
        self.users.is_empty()
    }

    /// The fields `users` and `groups` of a scenario.
    pub(crate) fn fields(&self) -> Fields {
        let users = (0..).zip(&self.users).map(|(number, (groups, admin))| {
            let groups = groups.iter().copied().map(group).collect();
            Value::fields("User", vec![("name", user(number)), ("role", role(*admin)), ("groups", Value::List(groups))])
        });
        let groups = self.groups.iter().enumerate().map(|(number, leaf)| {
            Value::fields("Group", vec![("name", group(number)), ("quota", Value::text(leaf.clone()))])
        });
        vec![("users", Value::List(users.collect())), ("groups", Value::List(groups.collect()))]
    }
}

/// Draws the users and groups of the first tree.
pub(crate) fn people(builder: &mut WorldBuilder<'_>) -> People {
    let mut people = People::default();
    if !builder.features.has(Feature::People) {
        return people;
    }
    let leaves = builder.tree.leaves();
    let draw = &mut builder.people_draw;
    people.groups = leaves.into_iter().filter(|_| draw.chance(85)).collect();
    for _ in 0..draw.between(1, 4) {
        let groups = (0..people.groups.len()).filter(|_| draw.chance(60)).collect();
        people.users.push((groups, draw.chance(30)));
    }
    people
}

/// Draws the user who submits into a namespace; in most cases one with access to it.
pub(crate) fn submits(builder: &mut WorldBuilder<'_>, namespace: &str) -> Fields {
    let people = &builder.people;
    if people.is_empty() || builder.people_draw.chance(5) {
        return Vec::new();
    }
    let leaf = builder.tree.leaf_of(namespace);
    let bound = people.groups.iter().position(|of| Some(of) == leaf.as_ref());
    let may = |(_, (groups, _)): &(u64, &(Vec<usize>, bool))| bound.is_some_and(|group| groups.contains(&group));
    let members: Vec<u64> = (0..).zip(&people.users).filter(may).map(|(number, _)| number).collect();
    let anybody = people.users.len() as u64 - 1;
    let chosen = if builder.people_draw.chance(85) { builder.people_draw.one_of(&members) } else { None };
    let chosen = chosen.unwrap_or_else(|| builder.people_draw.between(0, anybody));
    vec![("user", user(chosen))]
}

/// An event, made by a user or by nobody in particular.
pub(crate) fn event(builder: &mut WorldBuilder<'_>, at: Value, change: Value) -> Value {
    // Each edit of the tree is drawn for the tree that the earlier ones left, so a refused edit would make later ones
    // invalid: only permanent admins make them.
    let edits_tree = matches!(&change, Value::Struct { name, .. } if name == "EditQuota" || name == "ReplaceTree");
    let mut event = Value::tuple("At", vec![at, change]);
    let has_user = !builder.people.is_empty() && builder.people_draw.chance(30);
    if has_user && !(edits_tree && builder.features.has(Feature::PeopleEdits)) {
        let admins: Vec<u64> =
            (0..).zip(&builder.people.users).filter(|(_, u)| u.1).map(|(number, _)| number).collect();
        let admin = if builder.people_draw.chance(70) { builder.people_draw.one_of(&admins) } else { None };
        let anybody = builder.people_draw.between(0, builder.people.users.len() as u64 - 1);
        let Some(by) = admin.or_else(|| Some(anybody).filter(|_| !edits_tree)) else { return event };
        if let Value::Struct { fields, .. } = &mut event {
            fields.push(("by".to_owned(), user(by)));
        }
    }
    event
}

/// Draws users and groups that are added, edited and removed, and namespaces that move (T3).
pub(crate) fn edits(builder: &mut WorldBuilder<'_>) {
    if builder.people.is_empty() || !builder.features.has(Feature::PeopleEdits) {
        return;
    }
    let (users, groups) = (builder.people.users.len() as u64, builder.people.groups.len());
    let (leaves, namespaces) = (builder.tree.leaves(), builder.tree.namespaces());
    let draw = &mut builder.people_draw;
    let some = |of: &[String], number: u64| Value::text(of.get(number as usize).cloned().unwrap_or_default());
    for _ in 0..draw.between(1, 5) {
        let at = draw.between(0, builder.safety);
        // The index may be one beyond the last: that adds a new one, or is refused.
        let who = user(draw.between(0, users));
        let which = group(usize::try_from(draw.between(0, groups as u64)).unwrap_or(0));
        let leaf = some(&leaves, draw.between(0, leaves.len() as u64 - 1));
        let mut of: Vec<Value> = (0..groups).filter(|_| draw.chance(60)).map(group).collect();
        if draw.chance(20) {
            of.push(group(groups));
        }
        let admin = draw.chance(40);
        let change = match draw.between(0, 7) {
            0 => ("AddUser", vec![("user", who), ("role", role(admin)), ("groups", Value::List(of))]),
            1 => ("EditUser", vec![("user", who), ("role", role(admin))]),
            2 => ("EditUser", vec![("user", who), ("groups", Value::List(of))]),
            3 => ("RemoveUser", vec![("user", who)]),
            4 => ("AddGroup", vec![("group", which), ("quota", leaf)]),
            5 => ("EditGroup", vec![("group", which), ("quota", leaf)]),
            6 => ("RemoveGroup", vec![("group", which)]),
            _ if namespaces.is_empty() => continue,
            _ => {
                let namespace = some(&namespaces, draw.between(0, namespaces.len() as u64 - 1));
                ("MoveNamespace", vec![("namespace", namespace), ("to", leaf)])
            }
        };
        let (name, fields) = change;
        builder.events.push((at, Value::fields(name, fields)));
    }
}
