//! `events: [At("1m", Scale(..)), ..]`: what happens to the world. Edits of single quotas become whole trees here, each
//! checked as it will be at its time.

use super::{
    diagnostic::{Report, Span},
    gpus, nodes,
    quota::{self, ReadTree},
    reader::{At, Fields, Variant, variant},
    syntax::Node,
    workload::ReadWorkload,
};
use crate::model::{Change, Cluster, Kind, TimedChange};
use quotree_core::{Name, OverPromised, Time};
use std::collections::BTreeMap;

/// All versions of the tree together may have this many quotas.
const MAX_QUOTAS: usize = 10_000_000;

/// What events may name.
pub(crate) struct Known<'a> {
    pub(crate) workloads: &'a [ReadWorkload],
    pub(crate) cluster: &'a Cluster,
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
}

const CHANGES: [&str; 14] = [
    "Scale",
    "Withdraw",
    "EditWorkload",
    "SetClass",
    "ReplaceTree",
    "EditQuota",
    "NodeDown",
    "NodeUp",
    "Cordon",
    "Uncordon",
    "SetBudget",
    "DeviceUnhealthy",
    "DeviceHealthy",
    "Relabel",
];

/// The changes that are read here, and those of nodes.
fn changes() -> Vec<&'static str> {
    CHANGES.iter().chain(&nodes::CHANGES).copied().collect()
}

/// Reads all events; `tree` is the one of time 0.
pub(crate) fn read(items: &[&Node], tree: Option<&ReadTree>, known: &Known<'_>, report: &mut Report) -> ReadEvents {
    let mut timed: Vec<(Time, &Node)> = Vec::new();
    let mut events = ReadEvents::default();
    for item in items {
        let Some(variant) = variant(item, &["At"], "an event `At(time, change)`", report) else { continue };
        let mut fields = variant.fields(&["time", "change"], report);
        let time = fields.required::<At<Time>>("time", report);
        let change = fields.required_node("change", report);
        fields.node("name");
        fields.finish(report);
        let (time, change) = (time.unwrap_or(At { value: Time(0), span: item.span }), change);
        events.places.push((time.value, time.span));
        timed.extend(change.map(|change| (time.value, change)));
    }
    timed.sort_by_key(|(time, _)| *time);
    let by_name = known.cluster.nodes.iter().enumerate().map(|(i, node)| (node.name.as_str(), i)).collect();
    let names = known.workloads.iter().enumerate().map(|(i, w)| (w.workload.name.as_str(), i)).collect();
    let places = nodes::Places::of(known.cluster);
    let mut reading = Reading { known, nodes: by_name, places, names, tree: tree.cloned(), quotas: 0, events, report };
    for (time, node) in timed {
        if let Some(change) = reading.change(node) {
            reading.events.changes.push(TimedChange { at: time, change });
        }
    }
    reading.events
}

struct Reading<'a, 'r> {
    known: &'a Known<'a>,
    nodes: BTreeMap<&'a str, usize>,
    places: nodes::Places<'a>,
    names: BTreeMap<&'a str, usize>,
    tree: Option<ReadTree>,
    quotas: usize,
    events: ReadEvents,
    report: &'r mut Report,
}

impl Reading<'_, '_> {
    fn change(&mut self, node: &Node) -> Option<Change> {
        let variant = variant(node, &changes(), "a change of the world", self.report)?;
        match variant.name {
            name if nodes::CHANGES.contains(&name) => self.places.change(variant, self.report),
            "Scale" => self.scale(variant),
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
                self.new_tree(tree, variant.span)
            }
            "EditQuota" => {
                let mut tree = self.tree.clone().unwrap_or_default();
                let mut fields = variant.fields(&["quota"], self.report);
                quota::edit(&mut tree, &mut fields, self.report);
                fields.finish(self.report);
                let before = self.tree.as_ref()?;
                tree.check_edit(before, variant.span, self.known.over_promised, self.report);
                self.new_tree(tree, variant.span)
            }
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

    fn scale(&mut self, variant: Variant<'_>) -> Option<Change> {
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
        let named = self.known.workloads.iter().enumerate().filter(|(_, read)| {
            // Rows of a trace have the priorities that they had when they were read.
            read.class.as_ref() == Some(&class.value) && !matches!(read.workload.kind, Kind::Trace { .. })
        });
        Some(Change::SetClass { workloads: named.map(|(i, _)| i).collect(), priority })
    }

    fn edit_workload(&mut self, variant: Variant<'_>) -> Option<Change> {
        let mut fields = variant.fields(&["workload"], self.report);
        let workload = self.workload(&mut fields);
        let priority = fields.optional::<i32>("priority", self.report);
        let preemptible = fields.optional::<bool>("preemptible", self.report);
        fields.finish(self.report);
        let workload = workload?;
        let edited = self.known.workloads.get(workload)?;
        if priority.is_some() && matches!(edited.workload.kind, Kind::Trace { .. }) {
            let title = format!("`{}` is a Trace: its rows have priorities of their own", edited.workload.name);
            self.report.error(variant.span, title, "cannot be edited");
            return None;
        }
        Some(Change::EditWorkload { workload, priority, preemptible })
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

    fn new_tree(&mut self, tree: ReadTree, span: Span) -> Option<Change> {
        self.quotas = self.quotas.saturating_add(tree.spec.quotas.len());
        if self.quotas > MAX_QUOTAS {
            let title = format!("all versions of the tree have more than {MAX_QUOTAS} quotas together");
            self.report.error(span, title, "too much");
            return None;
        }
        let spec = tree.spec.clone();
        self.events.trees.push(tree.clone());
        self.tree = Some(tree);
        Some(Change::ReplaceTree { tree: spec })
    }
}
