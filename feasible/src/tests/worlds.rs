//! Random small worlds: nodes with GPUs in every mode, labels, taints, racks; pods that ask whole and parts of GPUs.

use quotree_core::{Amounts, DeviceAsk, DeviceMode, DeviceSet, DeviceSpec, Level, Name, NodeSpec, PodTemplate};

/// A stream of numbers (splitmix64).
pub(super) struct Draw(pub(super) u64);

impl Draw {
    pub(super) fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % end
    }

    fn one_of<T: Copy>(&mut self, all: &[T]) -> Option<T> {
        all.get(self.below(all.len() as u64) as usize).copied()
    }
}

/// Templates with counts, and a level.
pub(super) type SmallGang = (Vec<(PodTemplate, u32)>, Option<Level>);

/// Nodes and gangs.
pub(super) struct Small {
    pub(super) nodes: Vec<NodeSpec>,
    pub(super) gangs: Vec<SmallGang>,
}

pub(super) fn small(seed: u64) -> Small {
    let mut draw = Draw(seed);
    let modes = [DeviceMode::Fraction, DeviceMode::Fraction, DeviceMode::Exclusive, DeviceMode::Share];
    let nodes = (0..1 + draw.below(3)).map(|id| {
        let mut node = NodeSpec::new(id as u32, Amounts::new().with("cpu", 1000 * (1 + draw.below(4)) as i64));
        let count = draw.below(4) as u32;
        node.allocatable.set("gpu", i64::from(count) * 1000);
        if count > 0 && draw.below(5) > 0 {
            node.mode = modes.get(draw.below(4) as usize).cloned().unwrap_or_default();
            node.devices.push(DeviceSpec { resource: Name::from("gpu"), count, each: 1000 });
            if node.mode == DeviceMode::Share && draw.below(2) > 0 {
                node.devices.push(DeviceSpec { resource: Name::from("core"), count, each: 100 });
                node.allocatable.set("core", i64::from(count) * 100);
            }
            node.unhealthy = DeviceSet(draw.below(6) / 5);
        }
        node.rack = draw.one_of(&[Some("r0"), Some("r1"), None]).flatten().map(Name::from);
        node.labels = vec![(Name::from("kind"), Name::from(draw.one_of(&["a", "b"]).unwrap_or("a")))];
        node.taints = (draw.below(6) == 0).then(|| Name::from("taint")).into_iter().collect();
        node
    });
    let nodes: Vec<NodeSpec> = nodes.collect();
    let template = |draw: &mut Draw| {
        let mut pod = PodTemplate::default();
        let cpu = draw.below(4) as i64 * 500;
        if cpu > 0 {
            pod.request.set("cpu", cpu);
        }
        let gpu = draw.one_of(&[0, 0, 300, 400, 500, 700, 1000, 1000, 1500, 2000]).unwrap_or(0);
        if gpu > 0 {
            pod.request.set("gpu", gpu);
            if draw.below(6) == 0 {
                let each = draw.one_of(&[250, 500, 1000]).unwrap_or(500);
                let count = 1 + draw.below(2) as u32;
                pod.request.set("gpu", each * i64::from(count));
                pod.devices = Some(DeviceAsk { resource: Name::from("gpu"), count, each });
            } else if draw.below(6) == 0 {
                pod.request.set("core", draw.one_of(&[30, 50, 60]).unwrap_or(50));
            }
        }
        if draw.below(5) == 0 {
            pod.selector = vec![(Name::from("kind"), vec![Name::from("a")])];
        }
        if draw.below(2) == 0 {
            pod.tolerations = vec![Name::from("taint")];
        }
        pod
    };
    let mut left = 1 + draw.below(5) as u32;
    let mut gangs = Vec::new();
    while left > 0 {
        let mut sets = Vec::new();
        for _ in 0..=draw.below(2) {
            let count = (1 + draw.below(3) as u32).min(left);
            if count > 0 {
                sets.push((template(&mut draw), count));
                left -= count;
            }
        }
        let pods: u32 = sets.iter().map(|(_, count)| count).sum();
        let level = draw.one_of(&[None, None, Some(Level::Rack), Some(Level::Node)]).flatten().filter(|_| pods > 1);
        gangs.push((sets, level));
    }
    Small { nodes, gangs }
}
