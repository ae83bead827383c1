//! What befalls nodes: the changes of `events` that are about them, and `faults`. All of them say which nodes they mean in
//! the same way: one `node`, or all of a `pool`, a `rack` or a `zone`.

use super::{
    diagnostic::Report,
    files::Files,
    reader::{At, Fields, Variant, variant},
    syntax::Node,
    times::{latency, runtime},
    values::{Permille, Positive, texts},
};
use quotree_core::{Amounts, Name, Time};
use quotree_import::MAX_MS;
use quotree_model::{Change, Cluster, Faults, NodeChange, Nodes, Runtime};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// The changes that are read here.
pub(crate) const CHANGES: [&str; 8] =
    ["RackDown", "RackUp", "Outage", "Drain", "AddNodes", "RemoveNodes", "EditNodes", "Slow"];

/// How `AddNodes` may be written without names.
pub(crate) const ADD_NODES: &[&str] = &["pool", "count"];

/// The nodes of a cluster by all the names they go by.
pub(crate) struct Places<'a> {
    cluster: &'a Cluster,
    by: BTreeMap<&'static str, BTreeMap<Name, Nodes>>,
    /// The spares of each pool that no event has brought yet.
    spares: BTreeMap<Name, Vec<u32>>,
}

impl<'a> Places<'a> {
    pub(crate) fn of(cluster: &'a Cluster) -> Self {
        let mut racks: BTreeMap<&Name, Vec<u32>> = BTreeMap::new();
        let mut zones: BTreeMap<&Name, Vec<u32>> = BTreeMap::new();
        let mut spares: BTreeMap<Name, Vec<u32>> = BTreeMap::new();
        for (i, node) in (0u32..).zip(&cluster.nodes) {
            if let Some(rack) = &node.spec.rack {
                racks.entry(rack).or_default().push(i);
            }
            if let Some(zone) = &node.spec.zone {
                zones.entry(zone).or_default().push(i);
            }
            if node.spare {
                spares.entry(node.pool.clone()).or_default().push(i);
            }
        }
        let shared = |map: BTreeMap<&Name, Vec<u32>>| map.into_iter().map(|(n, v)| (n.clone(), v.into())).collect();
        let pools = cluster.pools.iter().map(|pool| (pool.name.clone(), Arc::clone(&pool.nodes))).collect();
        let by = BTreeMap::from([("pool", pools), ("rack", shared(racks)), ("zone", shared(zones))]);
        Self { cluster, by, spares }
    }

    /// The nodes of a pool, rack or zone.
    fn named(&self, kind: &'static str, name: &At<Name>, report: &mut Report) -> Option<Nodes> {
        let known = self.by.get(kind)?;
        let found = known.get(&name.value).cloned();
        if found.is_none() {
            let title = format!("there is no {kind} `{}`", name.value);
            let error = report.error(name.span, title, format!("unknown {kind}"));
            let error = error.did_you_mean(name.value.as_str(), known.keys().map(Name::as_str));
            if known.is_empty() && kind != "pool" {
                error.help(format!("give the node pools a `{kind}`"));
            }
        }
        found
    }

    /// Which nodes are meant, and what they are called: the one field of the four that is given.
    fn which(&self, fields: &mut Fields<'_>, report: &mut Report) -> Option<(Nodes, Name)> {
        let mut given = Vec::new();
        for kind in ["node", "pool", "rack", "zone"] {
            given.extend(fields.optional::<At<Name>>(kind, report).map(|name| (kind, name)));
        }
        match given.as_slice() {
            [] => {
                let title = format!("`{}` does not say which nodes: `node`, `pool`, `rack` or `zone`", fields.name);
                report.error(fields.span, title, "one of the four is missing");
                None
            }
            [(kind, name)] => {
                let found = if *kind == "node" { self.one(name, report) } else { self.named(kind, name, report) };
                found.map(|nodes| (nodes, name.value.clone()))
            }
            [_, (_, name), ..] => {
                report.error(name.span, "nodes are named once: `node`, `pool`, `rack` or `zone`", "which of them?");
                None
            }
        }
    }

    fn one(&self, name: &At<Name>, report: &mut Report) -> Option<Nodes> {
        let nodes = &self.cluster.nodes;
        let found = (0u32..).zip(nodes).find(|(_, node)| node.name == name.value.as_str());
        if found.is_none() {
            report
                .error(name.span, format!("there is no node `{}`", name.value), "unknown node")
                .did_you_mean(name.value.as_str(), nodes.iter().map(|node| node.name.as_str()));
        }
        found.map(|(i, _)| Arc::from([i]))
    }

    /// Reads a change of nodes.
    pub(crate) fn change(&mut self, variant: Variant<'_>, report: &mut Report) -> Option<Change> {
        let change = match variant.name {
            "RackDown" | "RackUp" => {
                let mut fields = variant.fields(&["rack"], report);
                let rack = fields.required::<At<Name>>("rack", report);
                fields.finish(report);
                let rack = rack?;
                let nodes = self.named("rack", &rack, report)?;
                let racks = self.by.get("rack")?;
                let number = racks.keys().position(|name| *name == rack.value)?;
                let down = variant.name == "RackDown";
                NodeChange::Rack { rack: u32::try_from(number).unwrap_or(u32::MAX), nodes, down }
            }
            "Outage" => {
                let mut fields = variant.fields(&["node"], report);
                let nodes = self.which(&mut fields, report);
                let lasts = fields.required::<Positive>("for", report);
                fields.finish(report);
                NodeChange::Outage { nodes: nodes?.0, lasts_ms: lasts?.0 }
            }
            "Drain" => {
                let mut fields = variant.fields(&["node"], report);
                let nodes = self.which(&mut fields, report);
                let within = fields.optional::<Positive>("within", report);
                let kill = fields.optional::<At<bool>>("kill", report);
                fields.finish(report);
                if let Some(kill) = kill.as_ref().filter(|kill| kill.value && within.is_none()) {
                    report
                        .error(kill.span, "`kill` needs `within`: the end of the drain", "at which time?")
                        .help("within: \"10m\"");
                }
                let kill = kill.is_some_and(|kill| kill.value);
                NodeChange::Drain { nodes: nodes?.0, within_ms: within.map(|ms| ms.0), kill }
            }
            "AddNodes" => {
                let mut fields = variant.fields(ADD_NODES, report);
                let pool = fields.required::<At<Name>>("pool", report);
                let count = fields.or("count", 1u32, report);
                fields.finish(report);
                NodeChange::Add { nodes: self.joining(&pool?, count, report)? }
            }
            "RemoveNodes" => {
                let mut fields = variant.fields(&["node"], report);
                let nodes = self.which(&mut fields, report);
                let count = fields.optional::<u32>("count", report);
                let drain = fields.optional::<Positive>("drain", report);
                fields.finish(report);
                NodeChange::Remove { nodes: nodes?.0, count, drain_ms: drain.map(|ms| ms.0) }
            }
            "EditNodes" => self.edit(variant, report)?,
            _ => {
                let mut fields = variant.fields(&["node"], report);
                let nodes = self.which(&mut fields, report);
                let node = fields.required_node("speed", report);
                let speed = fields.required::<Permille>("speed", report);
                fields.finish(report);
                let permille = u32::try_from(speed?.0).unwrap_or(u32::MAX);
                if permille == 0 || permille > 1000 {
                    let span = node.map_or(variant.span, |node| node.span);
                    report
                        .error(span, "a speed is more than 0 and at most 1", "out of range")
                        .help("a node that does nothing at all is `NodeDown`");
                    return None;
                }
                NodeChange::Slow { nodes: nodes?.0, permille }
            }
        };
        Some(Change::Nodes(change))
    }

    fn edit(&self, variant: Variant<'_>, report: &mut Report) -> Option<NodeChange> {
        let mut fields = variant.fields(&["node"], report);
        let nodes = self.which(&mut fields, report);
        let place = fields.node("allocatable");
        let allocatable = fields.or("allocatable", Amounts::new(), report);
        let labels = fields.node("labels").map(|node| texts(node, report)).unwrap_or_default();
        let taints = fields.optional::<Vec<Name>>("taints", report);
        fields.finish(report);
        let (nodes, _) = nodes?;
        let specs = nodes.iter().filter_map(|i| self.cluster.nodes.get(*i as usize)).map(|node| &node.spec);
        let devices: BTreeSet<&Name> = specs.flat_map(|spec| &spec.devices).map(|device| &device.resource).collect();
        if let Some((name, _)) = allocatable.iter().find(|(name, _)| devices.contains(name)) {
            let span = place.map_or(variant.span, |node| node.span);
            report
                .error(span, format!("`{name}` comes as devices: their number does not change"), "not by an amount")
                .help("add and remove nodes");
            return None;
        }
        Some(NodeChange::Edit { nodes, allocatable, labels, taints })
    }

    /// The next spares of a pool.
    fn joining(&mut self, pool: &At<Name>, count: u32, report: &mut Report) -> Option<Nodes> {
        self.named("pool", pool, report)?;
        let scales = self.cluster.pools.iter().find(|p| p.name == pool.value).is_some_and(|p| p.autoscale.is_some());
        if scales {
            report.error(pool.span, format!("`{}` grows by itself", pool.value), "has `autoscale`");
            return None;
        }
        let spares = self.spares.get_mut(&pool.value)?;
        let joining: Vec<u32> = spares.drain(..spares.len().min(count as usize)).collect();
        Some(joining.into())
    }

    /// Reads `faults`.
    pub(crate) fn faults(
        &self,
        items: &[&Node],
        end: Option<Time>,
        files: &mut Files<'_>,
        report: &mut Report,
    ) -> Vec<Faults> {
        let mut names = BTreeSet::new();
        let mut faults = Vec::new();
        for item in items {
            let Some(variant) = variant(item, &["Faults"], "`Faults(..)`", report) else { continue };
            let mut fields = variant.fields(&[], report);
            let nodes = self.which(&mut fields, report);
            let name = fields.optional::<At<Name>>("name", report);
            let place = fields.node("mtbf");
            let mtbf = fields.required_node("mtbf", report).and_then(|node| runtime(node, files, report));
            let repair = fields.required_node("mttr", report);
            let mttr = repair.and_then(|node| latency("mttr", node, files, report));
            let from = fields.or("from", Time(0), report);
            let until = fields.optional::<Time>("until", report).or(end);
            fields.finish(report);
            let zero = [Runtime::Fixed(0), Runtime::Forever];
            if mtbf.as_ref().is_some_and(|mtbf| zero.contains(mtbf) || mtbf.longest() == Some(0)) {
                let span = place.map_or(variant.span, |node| node.span);
                report.error(span, "`mtbf` must be longer than 0 and end", "nothing would ever fail, or all the time");
            }
            if until.is_none() {
                report
                    .error(variant.span, "faults without an end: the run would never end", "`until` is missing")
                    .help("give `until` here, or `world: World(until: ..)`");
            }
            let (Some((nodes, called)), Some(mtbf), Some(mttr)) = (nodes, mtbf, mttr) else { continue };
            let name_text = name.as_ref().map_or(called, |name| name.value.clone());
            let until = until.unwrap_or(Time(MAX_MS));
            if !names.insert(name_text.clone()) {
                let span = name.map_or(variant.span, |name| name.span);
                report
                    .error(span, format!("second faults of the name `{name_text}`"), "the name is taken")
                    .help("give them a `name`: random draws go by it");
                continue;
            }
            faults.push(Faults { name: name_text, nodes, mtbf, mttr, from, until });
        }
        faults
    }
}
