//! FGD the plain way, to be measured against: every pod looks at every node, and every look counts the typical pods. Shares
//! no line with the core, knows nothing but openb's nodes and pods, and takes the sigmoid in floats; what it decides is the
//! same, and the bench says so.

use crate::openb::Pod;
use quotree_core::{NodeSpec, PodTemplate, TypicalPod};

struct Node {
    cpu: i64,
    memory: i64,
    gpus: Vec<i64>,
    model: String,
}

struct Shape {
    cpu: i64,
    memory: i64,
    count: usize,
    each: i64,
    models: Vec<String>,
}

impl Shape {
    fn of(template: &PodTemplate) -> Self {
        let amount = |name| template.request.get(name).unwrap_or(0);
        let ask = template.devices.as_ref();
        Self {
            cpu: amount("cpu"),
            memory: amount("memory"),
            count: ask.map_or(0, |ask| ask.count as usize),
            each: ask.map_or(0, |ask| ask.each),
            models: template.selector.iter().flat_map(|(_, models)| models).map(ToString::to_string).collect(),
        }
    }

    fn lets_on(&self, node: &Node) -> bool {
        self.models.is_empty() || self.models.contains(&node.model)
    }
}

/// What is free on a node and of no use, over the typical pods by weight.
fn fragments(node: &Node, cpu: i64, gpus: &[i64], typical: &[(Shape, i64)]) -> i64 {
    let all: i64 = gpus.iter().sum();
    let of = |shape: &Shape| {
        let (count, free) =
            gpus.iter().filter(|free| **free >= shape.each).fold((0, 0), |(n, sum), f| (n + 1, sum + f));
        if shape.count > 0 && shape.cpu <= cpu && count >= shape.count && shape.lets_on(node) {
            all - free
        } else {
            all
        }
    };
    typical.iter().map(|(shape, weight)| weight * of(shape)).sum()
}

/// Places the pods one by one and gives how many stand, and what they hold of GPUs in thousandths.
#[must_use]
pub fn place(nodes: &[NodeSpec], pods: &[Pod], typical: &[TypicalPod]) -> (u64, i64) {
    let typical: Vec<(Shape, i64)> =
        typical.iter().map(|pod| (Shape::of(&pod.template), i64::from(pod.weight))).collect();
    let unit = typical.iter().map(|(_, weight)| weight).sum::<i64>() as f64 * 1000.0;
    let mut nodes: Vec<Node> = nodes
        .iter()
        .map(|spec| Node {
            cpu: spec.allocatable.get("cpu").unwrap_or(0),
            memory: spec.allocatable.get("memory").unwrap_or(0),
            gpus: vec![1000; spec.devices.iter().map(|devices| devices.count as usize).sum()],
            model: spec.labels.iter().map(|(_, model)| model.to_string()).collect(),
        })
        .collect();
    let (mut placed, mut held) = (0, 0);
    for pod in pods {
        let shape = Shape::of(&pod.template);
        let mut best: Option<(i64, usize, Vec<i64>)> = None;
        for (at, node) in nodes.iter().enumerate() {
            if node.cpu < shape.cpu || node.memory < shape.memory || !shape.lets_on(node) {
                continue;
            }
            let mut fit: Vec<usize> = (0..node.gpus.len()).filter(|i| node.gpus.get(*i) >= Some(&shape.each)).collect();
            if fit.len() < shape.count {
                continue;
            }
            let before = fragments(node, node.cpu, &node.gpus, &typical);
            let mut look = |devices: &[usize]| {
                let takes = |i: usize| if devices.contains(&i) { shape.each } else { 0 };
                let after: Vec<i64> = node.gpus.iter().enumerate().map(|(i, free)| free - takes(i)).collect();
                let change = before - fragments(node, node.cpu - shape.cpu, &after, &typical);
                let points = (100.0 / (1.0 + (-(change as f64) / unit).exp())).floor() as i64;
                if best.as_ref().is_none_or(|(most, ..)| points > *most) {
                    best = Some((points, at, after));
                }
            };
            if shape.count == 1 && shape.each < 1000 {
                fit.iter().for_each(|device| look(&[*device]));
            } else {
                fit.sort_by_key(|device| node.gpus.get(*device).copied());
                fit.truncate(shape.count);
                look(&fit);
            }
        }
        let Some((_, at, after)) = best else { continue };
        let Some(node) = nodes.get_mut(at) else { continue };
        (node.cpu, node.memory, node.gpus) = (node.cpu - shape.cpu, node.memory - shape.memory, after);
        placed += 1;
        held += pod.gpus;
    }
    (placed, held)
}
