//! The metrics of kube-state-metrics about nodes and pods, and figures of the whole cluster.

use super::text::{Kind, Sample, Text, amount, ratio};
use quotree_core::Unit;
use quotree_sim::{
    Run,
    result::{NodeRow, PodCounts, QuantityMap},
};

/// The amounts of a node that a metric family exports.
type Amounts = fn(&NodeRow) -> &QuantityMap;

pub(super) fn write(run: &Run, text: &mut Text) {
    let result = &run.result;
    let pods = result.namespaces.iter().flat_map(|row| phases(row.counts).map(move |(phase, n)| (row, phase, n)));
    text.family(
        "kube_pod_status_phase",
        Kind::Gauge,
        "Pods by namespace and phase. One sample counts all pods of a phase; there is none for each pod.",
        pods.map(|(row, phase, n)| Sample::new(&[("namespace", &row.name), ("phase", phase)], n)),
    );
    let families: [(&str, &str, Amounts); 3] = [
        ("kube_node_status_capacity", "What a node has, unhealthy devices included.", |node| &node.capacity),
        ("kube_node_status_allocatable", "What a node has, without unhealthy devices.", |node| &node.allocatable),
        ("quotree_node_resource_used", "What the pods on a node use.", |node| &node.used),
    ];
    for (name, help, of) in families {
        let rows = result
            .nodes
            .iter()
            .flat_map(|node| of(node).0.iter().map(move |(resource, units)| (node, resource, units)));
        let sample = |(node, resource, units): (&NodeRow, &quotree_core::Name, i64)| {
            let resource = resource.as_str();
            let label = sanitised(resource);
            let labels = [("node", node.name.as_str()), ("resource", &label), ("unit", unit(resource))];
            Sample::new(&labels, amount(resource, units))
        };
        text.family(name, Kind::Gauge, help, rows.map(sample));
    }
    let ready = |node: &NodeRow| {
        [("true", node.up), ("false", !node.up)].map(|(status, is)| {
            Sample::new(&[("node", &node.name), ("condition", "Ready"), ("status", status)], u8::from(is))
        })
    };
    text.family(
        "kube_node_status_condition",
        Kind::Gauge,
        "Whether a node is up. Nodes that were removed are not.",
        result.nodes.iter().flat_map(ready),
    );
    text.family(
        "kube_node_spec_unschedulable",
        Kind::Gauge,
        "Whether a node takes no new pods.",
        result.nodes.iter().map(|node| Sample::new(&[("node", &node.name)], u8::from(!node.schedulable))),
    );
    text.family(
        "quotree_node_unhealthy_devices",
        Kind::Gauge,
        "Unhealthy devices of a node.",
        result.nodes.iter().map(|node| Sample::new(&[("node", &node.name)], node.unhealthy)),
    );
    let m = &result.metrics;
    text.family(
        "quotree_utilisation_ratio",
        Kind::Gauge,
        "What pods used of the capacity over the run, by resource.",
        m.utilisation_permille.iter().map(|(resource, part)| Sample::new(&[("resource", resource)], ratio(*part))),
    );
    text.family(
        "quotree_jain_index_ratio",
        Kind::Gauge,
        "Jain's index of use over fair share, at the end.",
        [Sample::new(&[], ratio(m.jain_permille))],
    );
    if m.cost_milli > 0 {
        let costs = [("idle", m.cost_idle_milli), ("paid", m.cost_milli.saturating_sub(m.cost_idle_milli))];
        text.family(
            "quotree_cost_total",
            Kind::Counter,
            "What the nodes cost, in units of the price: what pods paid, and what was idle.",
            costs.map(|(part, milli)| Sample::new(&[("part", part)], super::text::seconds(milli))),
        );
    }
}

/// Pods by the phases of Kubernetes.
pub(super) const fn phases(counts: PodCounts) -> [(&'static str, u64); 4] {
    [
        ("Pending", counts.pending),
        ("Running", counts.running),
        ("Succeeded", counts.succeeded),
        ("Failed", counts.failed),
    ]
}

/// The name of a resource in the form of kube-state-metrics: `nvidia_com_gpu`.
fn sanitised(resource: &str) -> String {
    resource.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect()
}

/// The unit of a resource in the form of kube-state-metrics.
fn unit(resource: &str) -> &'static str {
    match Unit::of(resource) {
        Unit::Bytes => "byte",
        Unit::Milli if resource == "cpu" => "core",
        Unit::Milli => "integer",
    }
}
