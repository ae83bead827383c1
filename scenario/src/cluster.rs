//! `cluster: [..]`: node pools, node lists from trace files, or one pool without nodes.

use crate::{
    files::Files,
    gpus::{self, Gpus},
    pod::Devices,
    pools::{self, Autoscale, Extras, MAX_NODES},
    trace::{NodeFormat, more_files, read_file, report_problems},
};
use quotree_core::{Amounts, DeviceSpec, Name, NodeId, NodeSpec};
use quotree_import::TraceOptions;
use quotree_model::{Cluster, Node};
use quotree_syntax::{At, Count, Path, Quantity, Report, Span, Texts, group, record};
use std::collections::BTreeSet;

/// The most devices of one resource on a node.
const MAX_DEVICES: u32 = 64;

group! {
    /// Parts of `cluster`: a list of node pools and node lists, or one `Pool` alone.
    pub(crate) enum Part in "cluster", "a part of a cluster" { NodePool, Nodes, Pool }
}

record! {
    /// Equal nodes named `NAME-0`, `NAME-1`, ..
    pub(crate) struct NodePool in "cluster" {
        /// Unique among pools.
        name: At<Name> => required,
        /// How many nodes; a cluster has at most 1,000,000.
        count: At<u32> => "1",
        /// The amounts that pods may use on each node. `pods` limits how many run there.
        allocatable: Amounts => required,
        /// Labels that selectors match.
        labels: Texts = Texts::default(),
        /// Taints that pods must tolerate.
        taints: Vec<Name> = Vec::new(),
        /// The devices of each node. Their sum is also added to `allocatable`.
        devices: Vec<At<Devices>> = Vec::new(),
        /// The GPUs of each node, instead of `devices`.
        gpus: At<Gpus> => "absent",
        /// The price of a node for an hour; thousandths are the smallest unit.
        price: Quantity => "0",
        /// The autoscaler of the pool.
        autoscale: Autoscale => "absent",
        /// The zone of the nodes; several pools may share a zone.
        zone: Name => "absent",
        /// The rack of all the nodes; several pools may share a rack.
        rack: Name => "absent",
        /// The number of racks among which the nodes are divided evenly, in order: `NAME-rack-0`, `NAME-rack-1`, ..
        racks: At<u32> => "absent",
    }
}

record! {
    /// The nodes of a node list that belongs to a trace.
    pub(crate) struct Nodes in "cluster" {
        /// The name of the pool in reports.
        name: Name = "nodes".into(),
        /// The file, relative to this file.
        file: At<Path> => required,
        /// The format of the file.
        format: NodeFormat => required,
        /// Kubernetes: the other files of the same dump, such as the one with the pods.
        with: Vec<At<Path>> = Vec::new(),
        /// The resource of whole devices.
        resource: Name = TraceOptions::default().resource,
    }
}

record! {
    /// Amounts of a whole cluster, without single nodes. A `Pool` must be the only part of the cluster.
    pub(crate) struct Pool(allocatable) in "cluster" {
        /// The amounts.
        allocatable: Amounts => required,
    }
}

/// Checks the parts of `cluster`.
pub(crate) fn check(parts: &[Part], files: &mut Files<'_>, report: &mut Report) -> Cluster {
    let mut reading = Reading::default();
    for part in parts {
        match part {
            Part::NodePool(pool) => reading.node_pool(pool, files, report),
            Part::Nodes(nodes) => reading.nodes(nodes, files, report),
            Part::Pool(pool) => {
                if parts.len() > 1 {
                    report.error(
                        pool.span,
                        "a `Pool` cannot be combined with other parts: it is a cluster without nodes",
                        "cannot be combined",
                    );
                }
                reading.pool(pool);
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
    fn push(&mut self, name: String, pool: &Name, mut spec: NodeSpec, spare: bool) {
        spec.id = NodeId(u32::try_from(self.cluster.nodes.len()).unwrap_or(u32::MAX));
        self.cluster.nodes.push(Node { spare, ..Node::new(name, pool.clone(), spec) });
    }

    fn pool(&mut self, pool: &Pool) {
        self.cluster.is_pool = true;
        self.cluster.pools.push(Extras::default().pool("pool".into()));
        let allocatable = pool.allocatable.clone().unwrap_or_default();
        self.push("pool".to_owned(), &"pool".into(), NodeSpec::new(0, allocatable), false);
    }

    /// Whether the cluster may have this many more nodes.
    fn room_for(&self, count: usize, span: Span, report: &mut Report) -> bool {
        let total = self.cluster.nodes.len().saturating_add(count);
        if total > MAX_NODES {
            let title = format!("{total} nodes: a cluster may have at most {MAX_NODES}");
            report.error(span, title, "too many nodes");
        }
        total <= MAX_NODES
    }

    fn node_pool(&mut self, read: &NodePool, files: &mut Files<'_>, report: &mut Report) {
        let count = read.count.as_ref().map_or(1, |count| count.value);
        let mut spec = NodeSpec::new(0, read.allocatable.clone().unwrap_or_default());
        spec.labels.clone_from(&read.labels.0);
        spec.taints.clone_from(&read.taints);
        for devices in &read.devices {
            add_devices(devices, &mut spec, report);
        }
        let gpus = read.gpus.as_ref().and_then(|gpus| gpus::check(gpus, &mut spec, report));
        let extras = Extras::check(read, count, files, report);
        spec.zone.clone_from(&read.zone);
        let racks = racks(read, extras.most(count), report);
        let Some(name) = &read.name else { return };
        if !self.pools.insert(name.value.clone()) {
            report.error(name.span, format!("duplicate node pool `{}`", name.value), "this name is already used");
            return;
        }
        let span = read.count.as_ref().map_or(name.span, |count| count.span);
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
            spec.rack = read.rack.clone().or(numbered);
            self.cluster.gpus.extend(gpus.clone().map(|gpus| (self.cluster.nodes.len(), gpus)));
            self.push(node, &name.value, spec.clone(), i >= count);
        }
        self.cluster.pools.push(extras.pool(name.value.clone()));
        if let Some(node) = clash {
            report.error(name.span, format!("duplicate node `{node}`"), "produces a name that is already used");
        }
    }

    fn nodes(&mut self, read: &Nodes, files: &mut Files<'_>, report: &mut Report) {
        let (Some(file), Some(format)) = (&read.file, read.format) else { return };
        let Some(more) = more_files(&read.with, format.0, files, report) else { return };
        let resource = read.resource.clone();
        let options = TraceOptions { max_rows: MAX_NODES, resource, more, ..TraceOptions::default() };
        let Some(bytes) = read_file(file, files, report) else { return };
        let list = quotree_import::nodes(format.0, &bytes, &options);
        report_problems(file, &list.problems, report);
        if !self.room_for(list.rows.len(), file.span, report) {
            return;
        }
        self.cluster.pools.push(Extras::default().pool(read.name.clone()));
        for row in list.rows {
            if !self.names.insert(row.name.clone()) {
                report.error(
                    file.span,
                    format!("duplicate node `{}`", row.name),
                    "produces a name that is already used",
                );
            }
            let mut spec = NodeSpec::new(0, row.allocatable);
            (spec.devices, spec.labels, spec.taints) = (row.devices, row.labels, row.taints);
            (spec.mode, spec.choice, spec.unhealthy) = (row.mode, row.choice, row.unhealthy);
            (spec.zone, spec.rack) = (row.zone, row.rack);
            self.push(row.name, &read.name, spec, false);
        }
    }
}

/// `racks: 4`: divides the nodes evenly among this many racks of their own.
fn racks(read: &NodePool, count: u32, report: &mut Report) -> Option<u32> {
    let racks = read.racks.as_ref()?;
    if read.rack.is_some() {
        report.error(racks.span, "`rack` and `racks` exclude each other", "give only one of them");
        return None;
    }
    if racks.value == 0 || racks.value > count {
        let title =
            format!("{} racks for {count} nodes; expected at least 1 and at most the number of nodes", racks.value);
        report.error(racks.span, title, "out of range");
        return None;
    }
    Some(racks.value)
}

/// `Devices(resource: "nvidia.com/gpu", count: 8, each: "1")` of a node.
fn add_devices(written: &At<Devices>, spec: &mut NodeSpec, report: &mut Report) {
    let read = &written.value;
    if read.count.is_none() {
        report.error(read.span, "`Devices` lacks `count`", "`count` is missing");
    }
    let each = read.each(report);
    let (Some(resource), Some(count), Some(each)) = (&read.resource, &read.count, each) else { return };
    let (resource, span, Some(Count(count)), count_span) =
        (resource.value.clone(), resource.span, count.value, count.span)
    else {
        return;
    };
    if count > MAX_DEVICES {
        let title = format!("{count} devices of `{resource}`: 1 to {MAX_DEVICES} are allowed");
        report.error(count_span, title, "out of range");
        return;
    }
    let each_span = read.each.as_ref().map_or(count_span, |each| each.span);
    if each == 0 {
        report.error(each_span, "the capacity of a device must be above 0", "must be more than 0");
        return;
    }
    if spec.devices.iter().any(|d| d.resource == resource) {
        report.error(span, format!("duplicate devices of `{resource}`"), "given above");
        return;
    }
    let Some(sum) = each.checked_mul(i64::from(count)) else {
        report.error(each_span, "the sum of all devices exceeds 64 bits of base units", "too large");
        return;
    };
    match spec.allocatable.get(resource.as_str()) {
        Some(stated) if stated != sum => {
            let show = |amount| Amounts::new().with(resource.clone(), amount);
            let title = format!("the devices sum up to {}, but `allocatable` has {}", show(sum), show(stated));
            report.error(written.span, title, "not equal").help("leave the resource out of `allocatable`");
        }
        _ => spec.allocatable.set(resource.clone(), sum),
    }
    spec.devices.push(DeviceSpec { resource, count, each });
}
