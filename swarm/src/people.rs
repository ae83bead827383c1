//! The people of a drawn world: users and groups, who submits what and who edits, and how both change. Most of what is tried
//! is allowed. The dice are their own.

use crate::{features::Feature, world::Sketch};
use quotree_sim::scenario::Value;

type Fields = Vec<(&'static str, Value)>;

/// Users and groups as they are at the start.
#[derive(Debug, Default)]
pub(crate) struct People {
    /// Of each user, its groups and whether it is an admin.
    users: Vec<(Vec<usize>, bool)>,
    /// Of each group, its leaf.
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

/// Draws the people of the first tree.
pub(crate) fn people(sketch: &mut Sketch<'_>) -> People {
    let mut people = People::default();
    if !sketch.features.has(Feature::People) {
        return people;
    }
    let leaves = sketch.tree.leaves();
    let draw = &mut sketch.people_draw;
    people.groups = leaves.into_iter().filter(|_| draw.chance(85)).collect();
    for _ in 0..draw.between(1, 4) {
        let groups = (0..people.groups.len()).filter(|_| draw.chance(60)).collect();
        people.users.push((groups, draw.chance(30)));
    }
    people
}

/// Who submits into a namespace: mostly somebody who may.
pub(crate) fn submits(sketch: &mut Sketch<'_>, namespace: &str) -> Fields {
    let people = &sketch.people;
    if people.is_empty() || sketch.people_draw.chance(5) {
        return Vec::new();
    }
    let leaf = sketch.tree.leaf_of(namespace);
    let bound = people.groups.iter().position(|of| Some(of) == leaf.as_ref());
    let may = |(_, (groups, _)): &(u64, &(Vec<usize>, bool))| bound.is_some_and(|group| groups.contains(&group));
    let members: Vec<u64> = (0..).zip(&people.users).filter(may).map(|(number, _)| number).collect();
    let anybody = people.users.len() as u64 - 1;
    let chosen = if sketch.people_draw.chance(85) { sketch.people_draw.one_of(&members) } else { None };
    let chosen = chosen.unwrap_or_else(|| sketch.people_draw.between(0, anybody));
    vec![("user", user(chosen))]
}

/// An event, made by somebody or by nobody.
pub(crate) fn event(sketch: &mut Sketch<'_>, at: Value, change: Value) -> Value {
    // Edits of the tree are drawn on what the earlier ones left, and a scenario in which they do not fit is none: they are
    // made by who is an admin for ever.
    let plants = matches!(&change, Value::Struct { name, .. } if name == "EditQuota" || name == "ReplaceTree");
    let mut event = Value::tuple("At", vec![at, change]);
    let asked = !sketch.people.is_empty() && sketch.people_draw.chance(30);
    if asked && !(plants && sketch.features.has(Feature::PeopleEdits)) {
        let admins: Vec<u64> = (0..).zip(&sketch.people.users).filter(|(_, u)| u.1).map(|(number, _)| number).collect();
        let admin = if sketch.people_draw.chance(70) { sketch.people_draw.one_of(&admins) } else { None };
        let anybody = sketch.people_draw.between(0, sketch.people.users.len() as u64 - 1);
        let Some(by) = admin.or_else(|| Some(anybody).filter(|_| !plants)) else { return event };
        if let Value::Struct { fields, .. } = &mut event {
            fields.push(("by".to_owned(), user(by)));
        }
    }
    event
}

/// People who come, change and go, and namespaces that move (T3).
pub(crate) fn edits(sketch: &mut Sketch<'_>) {
    if sketch.people.is_empty() || !sketch.features.has(Feature::PeopleEdits) {
        return;
    }
    let (users, groups) = (sketch.people.users.len() as u64, sketch.people.groups.len());
    let (leaves, namespaces) = (sketch.tree.leaves(), sketch.tree.namespaces());
    let draw = &mut sketch.people_draw;
    let some = |of: &[String], number: u64| Value::text(of.get(number as usize).cloned().unwrap_or_default());
    for _ in 0..draw.between(1, 5) {
        let at = draw.between(0, sketch.safety);
        // One more than there are: who is not there yet comes, or what names them is refused.
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
        sketch.events.push((at, Value::fields(name, fields)));
    }
}
