//! Brute force, written from P1 and not from the search.

use super::worlds::{Small, SmallGang, small};
use crate::{
    never::bins_of,
    node::Nodes,
    pack::{Gang, Packed, Proof, pack},
};
use quotree_core::{DeviceMode, Level, Name, NodeSpec, PodTemplate};
use std::borrow::Cow;

/// A node with what is free: amounts, and of each device each resource.
#[derive(Clone)]
struct Free<'a> {
    spec: &'a NodeSpec,
    cpu: i64,
    gpu: i64,
    core: i64,
    devices: Vec<(i64, i64)>,
}

impl<'a> Free<'a> {
    fn new(spec: &'a NodeSpec) -> Self {
        let of = |name: &str| spec.allocatable.get(name).unwrap_or(0);
        let (gpus, has_cores) = (spec.devices.first().map_or(0, |d| d.count), spec.devices.len() > 1);
        let well = |device: &u32| !spec.unhealthy.has(*device);
        let ill = (0..gpus).filter(|device| !well(device)).count() as i64;
        Self {
            spec,
            cpu: of("cpu"),
            gpu: of("gpu") - 1000 * ill,
            core: of("core") - 100 * ill * i64::from(has_cores),
            devices: (0..gpus).filter(well).map(|_| (1000, if has_cores { 100 } else { 0 })).collect(),
        }
    }

    /// Every way to put a pod here.
    fn with(&self, pod: &PodTemplate) -> Vec<Self> {
        let of = |name: &str| pod.request.get(name).unwrap_or(0);
        let (cpu, gpu, core) = (of("cpu"), of("gpu"), of("core"));
        let selected = pod.selector.iter().all(|(label, values)| {
            self.spec.labels.iter().any(|(name, value)| name == label && values.contains(value))
        });
        let tolerated = self.spec.taints.iter().all(|taint| pod.tolerations.contains(taint));
        if !selected || !tolerated || self.cpu < cpu || self.gpu < gpu || self.core < core {
            return Vec::new();
        }
        let mut next = self.clone();
        (next.cpu, next.gpu, next.core) = (next.cpu - cpu, next.gpu - gpu, next.core - core);
        if self.spec.devices.is_empty() || gpu == 0 && core == 0 {
            return vec![next];
        }
        let whole_only = self.spec.mode == DeviceMode::Exclusive;
        let (count, each) = match &pod.devices {
            Some(ask) => (ask.count as usize, ask.each),
            None if gpu == 0 => (usize::from(self.spec.devices.len() > 1), 0),
            None if gpu <= 1000 => (1, gpu),
            None if gpu % 1000 == 0 && self.spec.mode != DeviceMode::Share => ((gpu / 1000) as usize, 1000),
            None => return Vec::new(),
        };
        if whole_only && each != 1000 && gpu > 0 {
            return Vec::new();
        }
        let cores = if self.spec.devices.len() > 1 { core } else { 0 };
        if count == 0 {
            return vec![next];
        }
        if cores % count as i64 != 0 || cores / count as i64 > 100 {
            return Vec::new();
        }
        let part = cores / count as i64;
        let mut ways = Vec::new();
        for set in 0..1u32 << self.devices.len() {
            let chosen = |device: &usize| set >> *device & 1 == 1;
            let devices: Vec<usize> = (0..self.devices.len()).filter(chosen).collect();
            let fits = |device: &usize| self.devices.get(*device).is_some_and(|d| d.0 >= each && d.1 >= part);
            if devices.len() == count && devices.iter().all(fits) {
                let mut way = next.clone();
                for device in devices {
                    if let Some(free) = way.devices.get_mut(device) {
                        *free = (free.0 - each, free.1 - part);
                    }
                }
                ways.push(way);
            }
        }
        ways
    }
}

/// Places the pods one after the other: each is a template and its gang, with its level.
fn place(nodes: &[Free<'_>], pods: &[(&PodTemplate, usize, Option<Level>)], on: &mut Vec<(usize, usize)>) -> bool {
    let Some(((pod, gang, level), rest)) = pods.split_first() else { return true };
    for (at, node) in nodes.iter().enumerate() {
        let domain = |node: &NodeSpec| level.and_then(|level| node.domain(level));
        let others = on.iter().filter(|(other, _)| other == gang);
        let mut others = others.filter_map(|(_, at)| nodes.get(*at));
        if level.is_some()
            && (domain(node.spec).is_none() || others.any(|other| domain(other.spec) != domain(node.spec)))
        {
            continue;
        }
        for way in node.with(pod) {
            let mut after = nodes.to_vec();
            if let Some(slot) = after.get_mut(at) {
                *slot = way;
            }
            on.push((*gang, at));
            if place(&after, rest, on) {
                return true;
            }
            on.pop();
        }
    }
    false
}

fn fits(world: &Small) -> bool {
    let nodes: Vec<Free<'_>> = world.nodes.iter().map(Free::new).collect();
    let mut pods = Vec::new();
    for (gang, (sets, level)) in world.gangs.iter().enumerate() {
        for (template, count) in sets {
            pods.extend((0..*count).map(|_| (template, gang, *level)));
        }
    }
    place(&nodes, &pods, &mut Vec::new())
}

/// The search decides every small world as brute force does. Both answers, and every kind of proof, occur.
#[test]
fn small_worlds_are_decided_as_by_brute_force() {
    let (mut yes, mut proofs) = (0, [0; 5]);
    for seed in 0..6000 {
        let world = small(seed);
        let pool = Name::from("pool");
        let given = world.nodes.iter().map(|node| (&pool, "node", Cow::Borrowed(node)));
        let templates = || world.gangs.iter().flat_map(|(sets, _)| sets.iter().map(|(template, _)| template));
        let mut nodes = Nodes::new(given, templates());
        let bins = bins_of(&mut nodes, |_, count| Some(count));
        let gang = |(sets, together): &SmallGang| {
            let pods = sets.iter().map(|(template, count)| (nodes.number(template), *count)).collect();
            (Gang { pods, together: *together }, 1)
        };
        let gangs: Vec<(Gang, u64)> = world.gangs.iter().map(gang).collect();
        let mut steps = 1_000_000;
        let found = pack(&mut nodes, &bins, &gangs, &mut steps);
        let expected = fits(&world);
        match found {
            Packed::Fits => yes += 1,
            Packed::Impossible(proof) => {
                let kind = match proof {
                    Proof::Holds { .. } => 0,
                    Proof::Sum { .. } => 1,
                    Proof::Parts { .. } => 2,
                    Proof::Combined { .. } => 3,
                    Proof::Tried { .. } => 4,
                };
                proofs.get_mut(kind).into_iter().for_each(|times: &mut u32| *times += 1);
            }
            Packed::Undecided { .. } => panic!("seed {seed}: not decided"),
        }
        assert_eq!(found == Packed::Fits, expected, "seed {seed}: {found:?}\n{:?}\n{:?}", world.nodes, world.gangs);
    }
    // `Combined` needs more nodes: `rows.rs` has it.
    let [holds, sum, parts, _, tried] = proofs;
    assert!(yes > 500 && holds > 0 && sum > 0 && parts > 0 && tried > 0, "{yes} {proofs:?}");
}

/// How many equal pods a node holds is what one by one fit, in the best way.
#[test]
fn a_node_holds_what_fits_one_by_one() {
    for seed in 0..2000 {
        let world = small(seed);
        let pool = Name::from("pool");
        let given = world.nodes.iter().map(|node| (&pool, "node", Cow::Borrowed(node)));
        let templates: Vec<&PodTemplate> =
            world.gangs.iter().flat_map(|(sets, _)| sets.iter().map(|(t, _)| t)).collect();
        let mut nodes = Nodes::new(given, templates.iter().copied());
        for template in templates.iter().filter(|template| !template.request.is_empty()) {
            let number = nodes.number(template);
            for class in 0..nodes.classes.len() as u32 {
                let Some(spec) = nodes.class(class).map(|class| class.spec.clone()) else { continue };
                let mut states = vec![Free::new(&spec)];
                let mut most = 0;
                while let Some(next) = Some(states.iter().flat_map(|s| s.with(template)).collect::<Vec<_>>())
                    .filter(|next| !next.is_empty())
                {
                    states = next;
                    states.iter_mut().for_each(|state| state.devices.sort_unstable());
                    states.sort_by(|a, b| a.devices.cmp(&b.devices));
                    states.dedup_by(|a, b| a.devices == b.devices);
                    most += 1;
                }
                assert_eq!(nodes.holds(class, number), most, "seed {seed}: {template:?} on {spec:?}");
            }
        }
    }
}
