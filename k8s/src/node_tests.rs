//! Tables of nodes: the fields of the API, and the result for the core.

use crate::{NodeFacts, NodeLoss, NodeSettings, Taint, names, node_spec};
use quotree_core::{DeviceChoice, DeviceMode, Level, Name, NodeId, NodeSpec};

/// Parses a node from a row: `label:value`, `resource=N` (allocatable), `resource<N` (capacity).
fn node(text: &str) -> NodeFacts {
    let mut node = NodeFacts { name: "n0".into(), ..NodeFacts::default() };
    for word in text.split_whitespace() {
        if let Some((resource, amount)) = word.split_once('=') {
            node.allocatable.set(resource, amount.parse::<i64>().unwrap() * 1000);
        } else if let Some((resource, amount)) = word.split_once('<') {
            node.capacity.set(resource, amount.parse::<i64>().unwrap() * 1000);
        } else if let Some((label, value)) = word.split_once(':') {
            node.labels.insert(label.into(), value.into());
        }
    }
    node
}

fn map(node: &NodeFacts) -> (NodeSpec, Vec<NodeLoss>) {
    node_spec(node, NodeId(3), &NodeSettings::default())
}

/// The devices as text: `2 x nvidia.com/gpu 1000, unhealthy 1`.
fn devices(spec: &NodeSpec) -> String {
    let held = |d: &quotree_core::DeviceSpec| format!("{} x {} {}", d.count, d.resource, d.each / 1000);
    let mut words: Vec<String> = spec.devices.iter().map(held).collect();
    words.extend(spec.unhealthy.iter().map(|device| format!("bad {device}")));
    words.join(", ")
}

#[test]
fn gpus_are_given_out_by_the_mode_of_the_node() {
    use DeviceMode::{Exclusive, Fraction, Share};
    let near = DeviceMode::Topology { islands: vec![] };
    let rows = [
        ("cpu=8", Fraction, ""),
        ("nvidia.com/gpu=2", Exclusive, "2 x nvidia.com/gpu 1"),
        ("ack.node.gpu.schedule:default nvidia.com/gpu=2", Exclusive, "2 x nvidia.com/gpu 1"),
        ("nvidia.com/gpu=3 nvidia.com/gpu<4", Exclusive, "4 x nvidia.com/gpu 1, bad 3"),
        ("nvidia.com/gpu<2", Exclusive, "2 x nvidia.com/gpu 1, bad 0, bad 1"),
        (
            "ack.node.gpu.schedule:share aliyun.com/gpu-mem=60 aliyun.com/gpu-count=4",
            Share,
            "4 x aliyun.com/gpu-mem 15",
        ),
        ("ack.node.gpu.schedule:cgpu aliyun.com/gpu-mem=60 aliyun.com/gpu-count<4", Share, "4 x aliyun.com/gpu-mem 15"),
        (
            "ack.node.gpu.schedule:mps aliyun.com/gpu-mem=30 aliyun.com/gpu-mem<60 aliyun.com/gpu-count<4",
            Share,
            "4 x aliyun.com/gpu-mem 15, bad 2, bad 3",
        ),
        (
            "ack.node.gpu.schedule:share aliyun.com/gpu-mem=50 aliyun.com/gpu-mem<60 aliyun.com/gpu-count<4",
            Share,
            "4 x aliyun.com/gpu-mem 15",
        ),
        (
            "ack.node.gpu.schedule:core_mem aliyun.com/gpu-mem=30 aliyun.com/gpu-core.percentage=200 aliyun.com/gpu-count<2",
            Share,
            "2 x aliyun.com/gpu-mem 15, 2 x aliyun.com/gpu-core.percentage 100",
        ),
        ("ack.node.gpu.schedule:topology aliyun.com/gpu=8", near, "8 x aliyun.com/gpu 1"),
        ("ack.node.gpu.schedule:mig nvidia.com/mig-1g.10gb=7", Fraction, ""),
        ("nvidia.com/mig-1g.10gb=7", Fraction, ""),
    ];
    for (text, mode, wanted) in rows {
        let (spec, losses) = map(&node(text));
        assert_eq!((spec.mode.clone(), devices(&spec).as_str()), (mode, wanted), "{text}");
        assert_eq!(losses, [], "{text}");
        for held in &spec.devices {
            let all = spec.allocatable.get(held.resource.as_str());
            assert_eq!(all, Some(held.each * i64::from(held.count)), "the core wants whole sums: {text}");
        }
    }
}

#[test]
fn devices_that_cannot_be_told_apart_are_counted_and_told() {
    let rows = [
        ("nvidia.com/gpu=65", NodeLoss::TooMany { resource: "nvidia.com/gpu".into(), count: 65 }),
        (
            "ack.node.gpu.schedule:share aliyun.com/gpu-mem=61 aliyun.com/gpu-count=3",
            NodeLoss::Uneven { resource: "aliyun.com/gpu-mem".into() },
        ),
        (
            "ack.node.gpu.schedule:share aliyun.com/gpu-mem=60",
            NodeLoss::Uneven { resource: "aliyun.com/gpu-mem".into() },
        ),
    ];
    for (text, wanted) in rows {
        let facts = node(text);
        let (spec, losses) = map(&facts);
        assert_eq!((devices(&spec), losses), (String::new(), vec![wanted]), "{text}");
        assert_eq!(spec.allocatable, facts.allocatable, "{text}");
    }
    let mut half = node("");
    half.allocatable.set(names::GPU, 1500);
    assert_eq!(map(&half).1, [NodeLoss::NotWhole { resource: names::GPU.into() }]);
    let (spec, losses) = map(&node("ack.node.gpu.schedule:future nvidia.com/gpu=2"));
    assert_eq!((devices(&spec).as_str(), losses.len()), ("2 x nvidia.com/gpu 1", 1));
    assert!(losses.iter().all(|loss| loss.text().contains("future")), "{losses:?}");
}

#[test]
fn taints_readiness_and_topology_are_read() {
    let mut facts = node("topology.kubernetes.io/zone:z1 topology.kubernetes.io/rack:r7 ack.node.gpu.placement:spread");
    facts.taints = vec![
        Taint { key: "gpu".into(), value: "yes".into(), effect: "NoSchedule".into() },
        Taint { key: "slow".into(), value: "".into(), effect: "PreferNoSchedule".into() },
        Taint { key: "bad".into(), value: "".into(), effect: "NoExecute".into() },
    ];
    let (spec, _) = map(&facts);
    assert_eq!(spec.taints, ["gpu=yes:NoSchedule", "bad:NoExecute"]);
    assert_eq!((spec.id, spec.zone, spec.rack), (NodeId(3), Some("z1".into()), Some("r7".into())));
    assert_eq!((spec.choice, spec.schedulable), (DeviceChoice::Spread, true));
    assert_eq!(spec.labels.last(), Some(&(names::HOSTNAME.into(), "n0".into())), "a node without the label gets it");
    (facts.unschedulable, facts.ready) = (true, Some(false));
    let (spec, _) = map(&facts);
    let implied = ["node.kubernetes.io/unschedulable:NoSchedule", "node.kubernetes.io/not-ready:NoSchedule"];
    assert_eq!((&spec.taints[2..], spec.schedulable), (&implied.map(Name::from)[..], false));
    facts.taints = vec![Taint::no_schedule(names::CORDONED), Taint::no_schedule(names::UNREACHABLE)];
    assert_eq!(map(&facts).0.taints.len(), 2, "what the control plane has set is not set twice");
    let settings = NodeSettings::default();
    let levels = [names::HOSTNAME, names::RACK, names::ZONE, "pool"].map(|label| settings.level(label));
    assert_eq!(levels, [Some(Level::Node), Some(Level::Rack), Some(Level::Zone), None]);
}
