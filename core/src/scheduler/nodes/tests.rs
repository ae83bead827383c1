//! Under every placement policy, the index finds the same node as a search over all nodes, whatever happened before.

use super::{inventory::Nodes, layout::scored, reservation::NodeReservation, score};
use crate::{
    api::{
        Amounts, DeviceAsk, DeviceChoice, DeviceMode, DeviceSet, DeviceSpec, NodeId, NodeSpec, Placement, PodTemplate,
        Policy, TypicalPod,
    },
    scheduler::state::{Assignment, Interner, NodeSlot, PodRef, Template, TemplateId, WorkloadSlot},
};

struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }

    fn amount(&mut self, bound: u64) -> i64 {
        i64::try_from(self.below(bound)).unwrap()
    }
}

fn template(dice: &mut Dice) -> PodTemplate {
    let mut template = PodTemplate { request: Amounts::new().with("cpu", dice.amount(8)), ..PodTemplate::default() };
    let (count, each) = match dice.below(4) {
        0 => (0, 0),
        1 => (1, 100 * (1 + dice.amount(9))),
        2 => (1 + dice.below(4) as u32, 1000),
        _ => (2, 500),
    };
    if count > 0 {
        template.request.set("gpu/x", i64::from(count) * each);
        template.devices = Some(DeviceAsk { resource: "gpu/x".into(), count, each });
    }
    if dice.below(6) == 0 {
        let each = 10 * (1 + dice.amount(6));
        template.request.set("gpu/y", i64::from(count.max(1)) * each);
        if count > 1 && dice.below(2) == 0 {
            template.devices = Some(DeviceAsk { resource: "gpu/y".into(), count, each });
        }
    }
    if dice.below(5) == 0 {
        template.selector.push(("zone".into(), vec!["a".into()]));
    }
    template
}

fn node(id: u32, dice: &mut Dice) -> NodeSpec {
    let devices = dice.below(5) as u32;
    let mut node = NodeSpec::new(id, Amounts::new().with("cpu", 4 + dice.amount(20)));
    if devices > 0 {
        node.allocatable.set("gpu/x", i64::from(devices) * 1000);
        node.devices.push(DeviceSpec { resource: "gpu/x".into(), count: devices, each: 1000 });
    }
    match dice.below(8) {
        0 => node.mode = DeviceMode::Exclusive,
        1 if devices > 0 => {
            node.mode = DeviceMode::Share;
            node.allocatable.set("gpu/y", i64::from(devices) * 100);
            node.devices.push(DeviceSpec { resource: "gpu/y".into(), count: devices, each: 100 });
        }
        2 => node.mode = DeviceMode::Share,
        3 => node.mode = DeviceMode::Topology { islands: vec![2, 4] },
        // As many as there are, but not as devices.
        4 => node.devices.clear(),
        _ => {}
    }
    if dice.below(4) == 0 {
        node.choice = DeviceChoice::Spread;
    }
    if dice.below(4) == 0 && !node.devices.is_empty() {
        node.unhealthy = DeviceSet(dice.below(1 << devices));
    }
    if dice.below(2) == 0 {
        node.labels.push(("zone".into(), "a".into()));
    }
    if dice.below(3) == 0 {
        node.labels.push(("name".into(), id.to_string().into()));
    }
    node
}

/// The best node, found by a search over all nodes.
fn plainly(nodes: &Nodes, template: &Template, draw: u64) -> Option<NodeId> {
    let scorer = &nodes.scorer;
    let mut fitting: Vec<(u64, NodeId)> = Vec::new();
    for (id, slot) in &nodes.by_id {
        let node = nodes.at(*slot);
        if nodes.is_suitable(*slot, template) && node.fit(template).is_some() {
            let usable = nodes.fragmentation.usable(node);
            let points = || scorer.points(node, template, &nodes.fragmentation, usable).unwrap().0;
            let score = if scorer.placement.by_pod() { u64::from(100 - points()) } else { scorer.score(node) };
            fitting.push((score, *id));
        }
    }
    if let Placement::Random { seed } = scorer.placement {
        fitting.sort_unstable_by_key(|(_, id)| *id);
        return fitting.get(score::drawn(seed, draw, fitting.len())).map(|(_, id)| *id);
    }
    fitting.into_iter().min().map(|(_, id)| id)
}

fn play(placement: Placement, seed: u64) -> u32 {
    let dice = &mut Dice(seed);
    let typical = (0..dice.below(6)).map(|_| TypicalPod { template: template(dice), weight: dice.below(9) as u32 });
    let policy = Policy { placement, typical: typical.collect(), ..Policy::default() };
    let mut interner = Interner::default();
    let mut nodes = Nodes::new(&policy);
    let templates: Vec<TemplateId> = (0..6).map(|_| interner.intern(&template(dice)).unwrap()).collect();
    let mut standing: Vec<(Assignment, TemplateId, PodRef)> = Vec::new();
    let mut kept: Vec<(NodeSlot, NodeReservation)> = Vec::new();
    let mut next = 0;
    let mut placed = 0;
    for step in 0..300u32 {
        // Classes without nodes are given back whenever a node goes or changes.
        nodes.sweep_at = if seed.is_multiple_of(2) { 0 } else { usize::MAX };
        match dice.below(12) {
            0..=1 => {
                nodes.add(node(next, dice), &mut interner).unwrap();
                next += 1;
            }
            2 => {
                let empty = nodes
                    .by_id
                    .values()
                    .copied()
                    .find(|slot| nodes.at(*slot).pods.is_empty() && kept.iter().all(|(kept, _)| kept != slot));
                empty.into_iter().for_each(|slot| nodes.remove(slot));
            }
            3 => {
                if let Some((_, slot)) = nodes.by_id.first().map(|(id, slot)| (*id, *slot)) {
                    let mut spec = nodes.at(slot).spec.clone();
                    match spec.devices.first() {
                        Some(devices) if dice.below(2) == 0 => {
                            spec.unhealthy = DeviceSet(dice.below(1 << devices.count));
                        }
                        _ => spec.schedulable = !spec.schedulable,
                    }
                    nodes.change(slot, spec, &mut interner).unwrap();
                }
            }
            4..=5 if !standing.is_empty() => {
                let (spot, id, pod) = standing.swap_remove(dice.below(standing.len() as u64) as usize);
                nodes.take(spot, interner.template(id), pod);
            }
            6 if !kept.is_empty() => {
                let (slot, what) = kept.swap_remove(0);
                nodes.reserve(slot, &what, -1);
            }
            _ => {
                let id = templates[dice.below(6) as usize];
                let template = interner.template(id);
                let draw = dice.below(1 << 30);
                let wanted = plainly(&nodes, template, draw);
                let spot = nodes.pick(id, template, draw);
                let got = spot.map(|spot| nodes.at(spot.node).id);
                assert_eq!(got, wanted, "{placement:?}, seed {seed}, step {step}");
                let Some(spot) = spot else { continue };
                if dice.below(6) == 0 {
                    let what = nodes.footprint(spot, template);
                    nodes.reserve(spot.node, &what, 1);
                    kept.push((spot.node, what));
                } else {
                    nodes.put(spot, template, WorkloadSlot(step).pod(0));
                    standing.push((spot, id, WorkloadSlot(step).pod(0)));
                    placed += 1;
                }
            }
        }
    }
    placed
}

#[test]
fn the_index_gives_the_node_that_a_plain_look_gives() {
    for placement in [
        Placement::BestFit,
        Placement::Binpack,
        Placement::Spread,
        Placement::Random { seed: 5 },
        Placement::DotProduct,
        Placement::GpuPacking,
        Placement::GpuClustering,
        Placement::Fgd,
        Placement::LeastGpus,
    ] {
        let placed: u32 = (0..40).map(|seed| play(placement, seed)).sum();
        assert!(placed > 1000, "{placement:?}: {placed}");
    }
}

#[test]
fn p2_cpus_and_devices_are_scored_and_all_there_is_where_there_are_none() {
    let mut interner = Interner::default();
    let mut named = |names: &[&str]| {
        let spec = NodeSpec::new(0, names.iter().map(|name| (*name, 1000)).collect());
        let scored = scored(&spec, &mut interner).unwrap();
        scored.iter().map(|r| interner.resource_name(*r).to_string()).collect::<Vec<_>>()
    };
    assert_eq!(named(&["cpu", "memory", "x.com/gpu"]), ["cpu", "x.com/gpu"]);
    assert_eq!(named(&["memory", "pods"]), ["memory", "pods"]);
}
