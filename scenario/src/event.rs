//! `events: [At("1m", Scale(..)), ..]`: what happens to the world. Edits of single quotas become whole trees here, each
//! checked as it will be at its time.

use super::{
    diagnostic::{Report, Span},
    gpus, nodes,
    people::{self, Leaves},
    quota::{self, ReadTree},
    reader::{At, Fields, Variant, variant},
    syntax::Node,
    workload::ReadWorkload,
};
use quotree_core::{Name, OverPromised, Time};
use quotree_model::move_namespace;
use quotree_model::people::{People, PeopleEdit, Refusal, Tenants};
use quotree_model::{Change, Cluster, Kind, TimedChange};
use std::collections::BTreeMap;

/// All versions of the tree together may have this many quotas.
const MAX_QUOTAS: usize = 10_000_000;

/// What events may name.
pub(crate) struct Known<'a> {
    pub(crate) workloads: &'a [ReadWorkload],
    pub(crate) cluster: &'a Cluster,
    pub(crate) people: &'a People,
    pub(crate) classes: &'a BTreeMap<Name, i32>,
    pub(crate) over_promised: OverPromised,
}

/// The events in order of time, and every tree that an event brings.
#[derive(Default)]
pub(crate) struct ReadEvents {
    pub(crate) changes: Vec<TimedChange>,
    pub(crate) trees: Vec<ReadTree>,
    /// Where and when each event is written.
    pub(crate) places: Vec<(Time, Span)>,
    /// The budgets that events set.
    pub(crate) budgets: Vec<Name>,
    /// Replica counts that Deployments get, with their places.
    pub(crate) scales: Vec<(u32, Span)>,
    /// Whether users or groups are edited, and every user that comes.
    pub(crate) people: bool,
    pub(crate) users: Vec<Name>,
    /// Every group that comes.
    pub(crate) groups: Vec<Name>,
}

const CHANGES: &[&str] = &[
    "Scale",
    "Withdraw",
    "EditWorkload",
    "SetClass",
    "ReplaceTree",
    "EditQuota",
    "MoveNamespace",
    "NodeDown",
    "NodeUp",
    "Cordon",
    "Uncordon",
    "SetBudget",
    "DeviceUnhealthy",
    "DeviceHealthy",
    "Relabel",
];

/// The changes that are read here, and those of nodes and people.
fn changes() -> Vec<&'static str> {
    CHANGES.iter().chain(&nodes::CHANGES).chain(&people::EDITS).copied().collect()
}

/// An event as it is written.
struct Written<'a> {
    at: Time,
    by: Option<At<Name>>,
    change: &'a Node,
}

/// Reads all events; `tree` is the one of time 0.
pub(crate) fn read(items: &[&Node], tree: Option<&ReadTree>, known: &Known<'_>, report: &mut Report) -> ReadEvents {
    let mut timed: Vec<Written<'_>> = Vec::new();
    let mut events = ReadEvents::default();
    for item in items {
        let Some(variant) = variant(item, &["At"], "an event `At(time, change)`", report) else { continue };
        let mut fields = variant.fields(&["time", "change"], report);
        let time = fields.required::<At<Time>>("time", report);
        let change = fields.required_node("change", report);
        let by = fields.optional::<At<Name>>("by", report);
        fields.node("name");
        fields.finish(report);
        let (time, change) = (time.unwrap_or(At { value: Time(0), span: item.span }), change);
        events.places.push((time.value, time.span));
        timed.extend(change.map(|change| Written { at: time.value, by, change }));
    }
    timed.sort_by_key(|written| written.at);
    let by_name = known.cluster.nodes.iter().enumerate().map(|(i, node)| (node.name.as_str(), i)).collect();
    let names = known.workloads.iter().enumerate().map(|(i, w)| (w.workload.name.as_str(), i)).collect();
    let tenants = Tenants::new(known.people, false);
    let (nodes, places, tree) = (by_name, nodes::Places::of(known.cluster), tree.cloned());
    let mut reading = Reading { known, nodes, places, names, tree, tenants, quotas: 0, events, report };
    for Written { at, by, change } in timed {
        let by = by.and_then(|by| reading.user(by));
        if let Some(change) = reading.change(change, at, by.as_ref()) {
            reading.events.changes.push(TimedChange { at, by, change });
        }
    }
    reading.events
}

struct Reading<'a, 'r> {
    known: &'a Known<'a>,
    nodes: BTreeMap<&'a str, usize>,
    places: nodes::Places<'a>,
    names: BTreeMap<&'a str, usize>,
    /// As it will be, as far as that can be known.
    tree: Option<ReadTree>,
    tenants: Tenants,
    quotas: usize,
    events: ReadEvents,
    report: &'r mut Report,
}

impl Reading<'_, '_> {
    fn change(&mut self, node: &Node, at: Time, by: Option<&Name>) -> Option<Change> {
        let variant = variant(node, &changes(), "a change of the world", self.report)?;
        let goes = self.goes(variant, by);
        match variant.name {
            name if nodes::CHANGES.contains(&name) => self.places.change(variant, self.report),
            "Scale" => self.scale(variant, at),
            "SetClass" => self.set_class(variant),
            "EditWorkload" => self.edit_workload(variant),
            "Withdraw" => {
                let mut fields = variant.fields(&["workload"], self.report);
                let workload = self.workload(&mut fields);
                fields.finish(self.report);
                Some(Change::Withdraw { workload: workload? })
            }
            "ReplaceTree" => {
                let mut fields = variant.fields(&["quota"], self.report);
                let tree = fields.required_node("quota", self.report).and_then(|node| quota::read(node, self.report));
                fields.finish(self.report);
                let tree = tree?;
                tree.check(self.known.over_promised, self.report);
                let spec = tree.spec.clone();
                self.new_tree(tree, variant.span, goes)?;
                Some(Change::ReplaceTree { tree: spec })
            }
            "EditQuota" => {
                let mut tree = self.tree.clone().unwrap_or_default();
                let mut fields = variant.fields(&["quota"], self.report);
                let edit = quota::edit(&mut tree, &mut fields, self.report);
                fields.finish(self.report);
                let before = self.tree.as_ref()?;
                tree.check_edit(before, variant.span, self.known.over_promised, self.report);
                self.new_tree(tree, variant.span, goes)?;
                edit.map(|(quota, edit)| Change::EditQuota { quota, edit: Box::new(edit) })
            }
            "MoveNamespace" => self.moved(variant, goes),
            name if people::EDITS.contains(&name) => self.people(variant, goes),
            "SetBudget" => {
                let mut fields = variant.fields(&["budget", "allowed"], self.report);
                let budget = fields.required::<Name>("budget", self.report);
                let allowed = fields.required("allowed", self.report);
                fields.finish(self.report);
                self.events.budgets.extend(budget.clone());
                Some(Change::SetBudget { budget: budget?, allowed: allowed? })
            }
            name @ ("DeviceUnhealthy" | "DeviceHealthy" | "Relabel") => {
                let mut fields = variant.fields(&["node", "device"], self.report);
                let span = fields.given("node").map_or(variant.span, |node| node.span);
                let node = self.node(&mut fields).map(|value| At { value, span });
                let change = gpus::change(name, node, &mut fields, self.known.cluster, self.report);
                fields.finish(self.report);
                Some(Change::Devices(change?))
            }
            _ => {
                let mut fields = variant.fields(&["node"], self.report);
                let node = self.node(&mut fields);
                fields.finish(self.report);
                let node = node?;
                Some(match variant.name {
                    "NodeDown" => Change::NodeDown { node },
                    "NodeUp" => Change::NodeUp { node },
                    name => Change::Cordon { node, cordoned: name == "Cordon" },
                })
            }
        }
    }

    fn scale(&mut self, variant: Variant<'_>, at: Time) -> Option<Change> {
        let mut fields = variant.fields(&["workload", "replicas"], self.report);
        let workload = self.workload(&mut fields);
        let replicas = fields.required::<At<u32>>("replicas", self.report);
        fields.finish(self.report);
        let (workload, replicas) = (workload?, replicas?);
        let scaled = self.known.workloads.get(workload)?;
        let once = scaled.workload.arrivals.is_none();
        if !matches!(scaled.workload.kind, Kind::Deployment { .. }) || !once {
            let what = if once { "is no Deployment: only those are scaled" } else { "arrives again and again" };
            let title = format!("`{}` {what}", scaled.workload.name);
            self.report.error(variant.span, title, "cannot be scaled");
            return None;
        }
        if at <= scaled.workload.submit {
            let title = format!("`{}` is not submitted before this: there is nothing to scale", scaled.workload.name);
            self.report
                .warning(variant.span, title, "changes nothing")
                .help("events come first among what happens at one time");
        }
        self.events.scales.push((replicas.value, replicas.span));
        Some(Change::Scale { workload, replicas: replicas.value })
    }

    fn set_class(&mut self, variant: Variant<'_>) -> Option<Change> {
        let mut fields = variant.fields(&["class", "priority"], self.report);
        let class = fields.required::<At<Name>>("class", self.report);
        let priority = fields.required::<i32>("priority", self.report);
        fields.finish(self.report);
        let (class, priority) = (class?, priority?);
        if !self.known.classes.contains_key(&class.value) {
            let title = format!("there is no priority class `{}`", class.value);
            let known = self.known.classes.keys().map(Name::as_str);
            self.report.error(class.span, title, "unknown class").did_you_mean(class.value.as_str(), known);
            return None;
        }
        Some(Change::SetClass { class: class.value, priority })
    }

    fn edit_workload(&mut self, variant: Variant<'_>) -> Option<Change> {
        let mut fields = variant.fields(&["workload"], self.report);
        let workload = self.workload(&mut fields);
        let priority = fields.optional::<i32>("priority", self.report);
        let preemptible = fields.optional::<bool>("preemptible", self.report);
        fields.finish(self.report);
        Some(Change::EditWorkload { workload: workload?, priority, preemptible })
    }

    fn workload(&mut self, fields: &mut Fields<'_>) -> Option<usize> {
        let name = fields.required::<At<String>>("workload", self.report)?;
        let found = self.names.get(name.value.as_str()).copied();
        if found.is_none() {
            let title = format!("there is no workload `{}`", name.value);
            self.report
                .error(name.span, title, "unknown workload")
                .did_you_mean(&name.value, self.names.keys().copied());
        }
        found
    }

    fn node(&mut self, fields: &mut Fields<'_>) -> Option<usize> {
        let name = fields.required::<At<String>>("node", self.report)?;
        let found = self.nodes.get(name.value.as_str()).copied();
        if found.is_none() {
            let title = format!("there is no node `{}`", name.value);
            self.report.error(name.span, title, "unknown node").did_you_mean(&name.value, self.nodes.keys().copied());
        }
        found
    }

    /// Whether somebody may do this at that time, as far as that can be known; where not, a warning says so.
    fn goes(&mut self, variant: Variant<'_>, by: Option<&Name>) -> bool {
        let said = match by {
            Some(by) if !matches!(variant.name, "Scale" | "Withdraw") => self.tenants.may_administer(by),
            _ => Ok(()),
        };
        self.will_be_refused(variant.span, said)
    }

    /// Warns of what will be refused; gives whether it will not.
    fn will_be_refused(&mut self, span: Span, said: Result<(), Refusal>) -> bool {
        if let Err(refusal) = &said {
            self.report.warning(span, format!("this will be refused: {refusal}"), "nothing comes of it");
        }
        said.is_ok()
    }

    /// Somebody who is a user at some time.
    fn user(&mut self, by: At<Name>) -> Option<Name> {
        let known = || self.known.people.users.iter().map(|user| &user.name).chain(&self.events.users);
        if !known().any(|user| *user == by.value) {
            let names: Vec<Name> = known().cloned().collect();
            self.report
                .error(by.span, format!("there is no user `{}`", by.value), "unknown user")
                .did_you_mean(by.value.as_str(), names.iter().map(Name::as_str))
                .help("users are declared at the top: `users: [User(name: \"ada\", role: Admin)]`");
            return None;
        }
        Some(by.value)
    }

    fn moved(&mut self, variant: Variant<'_>, goes: bool) -> Option<Change> {
        let mut fields = variant.fields(&["namespace", "to"], self.report);
        let namespace = fields.required::<Name>("namespace", self.report);
        let to = fields.optional::<At<Name>>("to", self.report);
        fields.finish(self.report);
        let mut tree = self.tree.clone()?;
        let leaves = Leaves::of(&tree);
        if let Some(to) = to.as_ref().filter(|to| !leaves.all.contains(&to.value)) {
            self.report
                .error(to.span, format!("`{}` is no leaf of the quota tree", to.value), "not a leaf")
                .did_you_mean(to.value.as_str(), leaves.all.iter().map(Name::as_str));
            return None;
        }
        let (namespace, to) = (namespace?, to.map(|to| to.value));
        move_namespace(&mut tree.spec, &namespace, to.as_ref());
        self.new_tree(tree, variant.span, goes)?;
        Some(Change::MoveNamespace { namespace, to })
    }

    fn people(&mut self, variant: Variant<'_>, goes: bool) -> Option<Change> {
        let group = matches!(variant.name, "AddGroup" | "RemoveGroup" | "EditGroup");
        let mut fields = variant.fields(&[if group { "group" } else { "user" }], self.report);
        let edit = people::edit(variant.name, &mut fields, self.report);
        fields.finish(self.report);
        self.events.people = true;
        let edit = edit?;
        match &edit {
            PeopleEdit::AddUser(user) => self.events.users.push(user.name.clone()),
            PeopleEdit::AddGroup(group) => self.events.groups.push(group.name.clone()),
            _ => {}
        }
        let leaves = self.tree.as_ref().filter(|tree| !tree.is_damaged()).map(Leaves::of);
        if let Some(leaves) = leaves.filter(|_| goes) {
            let said = self.tenants.edit(&edit, &leaves);
            self.will_be_refused(variant.span, said);
        }
        Some(Change::People(edit))
    }

    /// A tree that an event brings; what will be refused has no part in those after it.
    fn new_tree(&mut self, tree: ReadTree, span: Span, goes: bool) -> Option<()> {
        self.quotas = self.quotas.saturating_add(tree.spec.quotas.len());
        if self.quotas > MAX_QUOTAS {
            let title = format!("all versions of the tree have more than {MAX_QUOTAS} quotas together");
            self.report.error(span, title, "too much");
            return None;
        }
        self.events.trees.push(tree.clone());
        let leaves = Leaves::of(&tree);
        let said = self.tenants.may_plant(|leaf| leaves.all.contains(leaf));
        if goes && (tree.is_damaged() || self.will_be_refused(span, said)) {
            self.tree = Some(tree);
        }
        Some(())
    }
}
