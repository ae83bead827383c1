//! `cluster: [..]`: node pools, node lists out of trace files, or one pool without nodes.

use super::{
    diagnostic::Report,
    files::Files,
    gpus,
    pools::{self, Extras, MAX_NODES},
    reader::{At, Fields, Read, variant},
    syntax::Node as Syntax,
    trace::{format_of, read_file, tell_problems},
    values::{quantity, texts},
};
use quotree_core::{Amounts, DeviceSpec, Name, NodeId, NodeSpec};
use quotree_import::TraceOptions;
use quotree_model::{Cluster, Node};
use std::collections::BTreeSet;

/// A node may have this many devices of one resource.
const MAX_DEVICES: u32 = 64;

/// Reads the entries of `cluster`.
pub(crate) fn read(items: &[&Syntax], files: &mut Files<'_>, report: &mut Report) -> Cluster {
    let mut reading = Reading::default();
    for item in items {
        let known = ["NodePool", "Nodes", "Pool"];
        let Some(variant) = variant(item, &known, "a part of a cluster", report) else { continue };
        match variant.name {
            "NodePool" => reading.node_pool(variant, files, report),
            "Nodes" => reading.nodes(variant, files, report),
            _ => {
                if items.len() > 1 {
                    report.error(variant.span, "a `Pool` stands alone: it is a cluster without nodes", "not alone");
                }
                reading.pool(variant, report);
            }
        }
    }
    pools::number(&mut reading.cluster);
    reading.cluster
}

#[derive(Default)]
struct Reading {
    cluster: Cluster,
    pools: BTreeSet<Name>,
    names: BTreeSet<String>,
}

impl Reading {
    fn push(&mut self, name: String, pool: &Name, mut spec: NodeSpec) -> &mut Node {
        spec.id = NodeId(u32::try_from(self.cluster.nodes.len()).unwrap_or(u32::MAX));
        let nodes = &mut self.cluster.nodes;
        nodes.push(Node::new(name, pool.clone(), spec));
        let last = nodes.len() - 1;
        #[expect(clippy::indexing_slicing, reason = "one was pushed just now")]
        &mut nodes[last]
    }

    fn pool(&mut self, variant: super::reader::Variant<'_>, report: &mut Report) {
        let mut fields = variant.fields(&["allocatable"], report);
        let allocatable = fields.required::<Amounts>("allocatable", report).unwrap_or_default();
        fields.finish(report);
        self.cluster.is_pool = true;
        self.cluster.pools.push(Extras::default().pool("pool".into()));
        self.push("pool".to_owned(), &"pool".into(), NodeSpec::new(0, allocatable));
    }

    /// Whether so many nodes more are allowed.
    fn room_for(&self, count: usize, span: super::diagnostic::Span, report: &mut Report) -> bool {
        let total = self.cluster.nodes.len().saturating_add(count);
        if total > MAX_NODES {
            let title = format!("{total} nodes: a cluster may have at most {MAX_NODES}");
            report.error(span, title, "too many nodes");
        }
        total <= MAX_NODES
    }

    fn node_pool(&mut self, variant: super::reader::Variant<'_>, files: &mut Files<'_>, report: &mut Report) {
        let mut fields = variant.fields(&[], report);
        let name = fields.required::<At<Name>>("name", report);
        let count_node = fields.node("count");
        let count = count_node.map_or(Some(1), |node| u32::read(node, report)).unwrap_or(1);
        let mut spec = NodeSpec::new(0, Amounts::new());
        spec.allocatable = fields.required("allocatable", report).unwrap_or_default();
        if let Some(node) = fields.node("labels") {
            spec.labels = texts(node, report);
        }
        spec.taints = fields.or("taints", Vec::new(), report);
        if let Some(node) = fields.node("devices") {
            devices(node, &mut spec, report);
        }
        let gpus = gpus::read(&mut fields, &mut spec, report);
        let extras = Extras::read(&mut fields, count, files, report);
        spec.zone = fields.optional("zone", report);
        let rack = fields.optional::<Name>("rack", report);
        let racks = racks(&mut fields, rack.is_some(), extras.most(count), report);
        fields.finish(report);
        let Some(name) = name else { return };
        if !self.pools.insert(name.value.clone()) {
            report.error(name.span, format!("a second node pool `{}`", name.value), "the name is taken");
            return;
        }
        let span = count_node.map_or(name.span, |n| n.span);
        if !self.room_for(extras.most(count) as usize, span, report) {
            return;
        }
        let mut clash = None;
        for i in 0..extras.most(count) {
            let node = format!("{}-{i}", name.value);
            if !self.names.insert(node.clone()) {
                clash.get_or_insert(node.clone());
            }
            let numbered = racks.map(|racks| extras.rack(&name.value, racks, i, count));
            spec.rack = rack.clone().or(numbered);
            self.cluster.gpus.extend(gpus.clone().map(|gpus| (self.cluster.nodes.len(), gpus)));
            self.push(node, &name.value, spec.clone()).spare = i >= count;
        }
        self.cluster.pools.push(extras.pool(name.value.clone()));
        if let Some(node) = clash {
            report.error(name.span, format!("a second node `{node}`"), "makes a name that is taken");
        }
    }

    fn nodes(&mut self, variant: super::reader::Variant<'_>, files: &mut Files<'_>, report: &mut Report) {
        let mut fields = variant.fields(&[], report);
        let pool = fields.or("name", Name::from("nodes"), report);
        let file = fields.required::<At<String>>("file", report);
        let format = fields.required_node("format", report).and_then(|node| format_of(node, report));
        let mut options = TraceOptions { max_rows: MAX_NODES, ..TraceOptions::default() };
        options.resource = fields.or("resource", options.resource, report);
        fields.finish(report);
        let (Some(file), Some(format)) = (file, format) else { return };
        let Some(bytes) = read_file(&file, files, report) else { return };
        let read = quotree_import::nodes(format, &bytes, &options);
        tell_problems(&file, &read.problems, report);
        if !self.room_for(read.rows.len(), file.span, report) {
            return;
        }
        self.cluster.pools.push(Extras::default().pool(pool.clone()));
        for row in read.rows {
            if !self.names.insert(row.name.clone()) {
                report.error(file.span, format!("a second node `{}`", row.name), "makes a name that is taken");
            }
            let mut spec = NodeSpec::new(0, row.allocatable);
            (spec.devices, spec.labels, spec.taints) = (row.devices, row.labels, row.taints);
            self.push(row.name, &pool, spec);
        }
    }
}

/// `racks: 4`: the nodes stand evenly in so many racks of their own.
fn racks(fields: &mut Fields<'_>, one: bool, count: u32, report: &mut Report) -> Option<u32> {
    let racks = fields.optional::<At<u32>>("racks", report)?;
    if one {
        report.error(racks.span, "`rack` and `racks` say two things", "one of them");
        return None;
    }
    if racks.value == 0 || racks.value > count {
        let title = format!("{} racks for {count} nodes: at least 1, and no more than nodes", racks.value);
        report.error(racks.span, title, "out of range");
        return None;
    }
    Some(racks.value)
}

/// `devices: [Devices(resource: "nvidia.com/gpu", count: 8, each: "1")]`: what they add up to is allocatable, too.
fn devices(node: &Syntax, spec: &mut NodeSpec, report: &mut Report) {
    let super::syntax::Shape::List(items) = &node.shape else {
        super::reader::wrong(node, "a list `[Devices(..)]`", report);
        return;
    };
    for item in items {
        let Some(variant) = variant(item, &["Devices"], "`Devices(..)`", report) else { continue };
        let mut fields = variant.fields(&[], report);
        let resource = fields.required::<At<Name>>("resource", report);
        let count = fields.required::<At<u32>>("count", report);
        let each_node = fields.node("each");
        let unit = resource.as_ref().map_or("", |r| r.value.as_str());
        let whole = if quotree_core::Unit::of(unit) == quotree_core::Unit::Milli { 1000 } else { 1 };
        let each = each_node.map_or(Some(whole), |node| quantity(node, unit, report));
        fields.finish(report);
        let (Some(resource), Some(count), Some(each)) = (resource, count, each) else { continue };
        if count.value == 0 || count.value > MAX_DEVICES {
            let title = format!("{} devices of `{}`: 1 to {MAX_DEVICES} are allowed", count.value, resource.value);
            report.error(count.span, title, "out of range");
            continue;
        }
        let each_span = each_node.map_or(count.span, |n| n.span);
        if each == 0 {
            report.error(each_span, "a device that holds nothing", "must be more than 0");
            continue;
        }
        if spec.devices.iter().any(|d| d.resource == resource.value) {
            report.error(resource.span, format!("devices of `{}` a second time", resource.value), "given above");
            continue;
        }
        let Some(sum) = each.checked_mul(i64::from(count.value)) else {
            report.error(each_span, "all devices together pass 64 bits of base units", "too large");
            continue;
        };
        match spec.allocatable.get(resource.value.as_str()) {
            Some(stated) if stated != sum => {
                let sum: Amounts = [(resource.value.clone(), sum)].into_iter().collect();
                let stated: Amounts = [(resource.value.clone(), stated)].into_iter().collect();
                let title = format!("the devices add up to {sum}, but allocatable says {stated}");
                report.error(item.span, title, "does not add up").help("leave the resource out of `allocatable`");
            }
            _ => spec.allocatable.set(resource.value.clone(), sum),
        }
        spec.devices.push(DeviceSpec { resource: resource.value, count: count.value, each });
    }
}
