//! Placement scores (P2), each by its sentence in docs/policies.md, for one node and one pod, without an index.

use super::nodes::FreeNode;
use quotree_core::{Name, Placement, PodTemplate, Policy, TypicalPod};
use std::collections::BTreeMap;

/// A fraction.
type Score = (i128, i128);

/// The score of a node: the lowest wins.
#[derive(Debug, Clone)]
pub(super) struct Scores {
    pub(super) placement: Placement,
    typical: Vec<TypicalPod>,
    largest: BTreeMap<Name, i64>,
}

const fn missing(points: i128) -> Score {
    (100 - points, 1)
}

impl Scores {
    pub(super) fn new(policy: &Policy, largest: BTreeMap<Name, i64>) -> Self {
        Self { placement: policy.placement, typical: policy.typical.clone(), largest }
    }

    fn largest(&self, name: &Name) -> i64 {
        self.largest.get(name).copied().unwrap_or(1).max(1)
    }

    pub(super) fn score(&self, host: &FreeNode, template: &PodTemplate, devices: u64) -> Score {
        match self.placement {
            Placement::DotProduct => missing(self.dot_product(host, template)),
            Placement::GpuPacking => missing(packing(host, template, devices)),
            Placement::GpuClustering => missing(self.clustering(host, template)),
            Placement::Fgd => missing(self.fgd(host, template, devices)),
            _ => self.of_the_node(host),
        }
    }

    /// The scores that do not depend on the pod.
    fn of_the_node(&self, host: &FreeNode) -> Score {
        if self.placement == Placement::LeastGpus {
            return (host.primary.as_ref().map_or(0, |devices| devices.available.len() as i128), 1);
        }
        let scored = host.scored();
        let mut sum = (0i128, 1i128);
        for name in &scored {
            let total = host.total(name).max(1);
            let part = match self.placement {
                // Shares of the largest node are rounded down (P1).
                Placement::BestFit => (of_largest(host.has(name).max(0), self.largest(name)), 1),
                _ => ((total - host.has(name)).max(0), total),
            };
            sum = (sum.0 * i128::from(part.1) + i128::from(part.0) * sum.1, sum.1 * i128::from(part.1));
        }
        match self.placement {
            Placement::BestFit => sum,
            Placement::Binpack => (-sum.0, sum.1 * scored.len().max(1) as i128),
            _ => (sum.0, sum.1 * scored.len().max(1) as i128),
        }
    }

    fn dot_product(&self, host: &FreeNode, template: &PodTemplate) -> i128 {
        let million = 1_000_000i128;
        let share = |amount: i64, name: &Name| i128::from(amount.max(0)) * million / i128::from(self.largest(name));
        let scored = host.scored();
        let asked = |name: &Name| template.request.get(name.as_str()).unwrap_or(0);
        let sum: i128 = scored.iter().map(|name| share(host.has(name), name) * share(asked(name), name)).sum();
        let whole = million * million * scored.len().max(1) as i128;
        (whole - sum).max(0) * 100 / whole
    }

    fn clustering(&self, host: &FreeNode, template: &PodTemplate) -> i128 {
        let (Some(primary), Some(kind)) = (&host.primary, host.kind(template)) else { return 0 };
        let alike = host.kinds.contains(&kind);
        let quarter = match (alike, host.kinds.is_empty()) {
            (true, _) if host.kinds.iter().all(|other| *other == kind) => 3,
            (true, _) => 2,
            (false, true) => 1,
            (false, false) => 0,
        };
        let most = i128::from(self.largest(&primary.resource));
        let free: i128 = primary.available.iter().map(|free| i128::from(*free)).sum();
        25 * quarter + 25 * (most - free).max(0) / most
    }

    /// The devices by this policy, given those that best fit would choose.
    pub(super) fn devices(&self, host: &FreeNode, template: &PodTemplate, fullest: u64) -> u64 {
        let (Placement::Fgd, Ok(Some((1, each))), Some(primary)) =
            (self.placement, host.devices(template), &host.primary)
        else {
            return fullest;
        };
        if each >= primary.each {
            return fullest;
        }
        let fitting = host.fitting(template, (1, each)).into_iter().map(|i| 1u64 << i);
        let mut best: Option<(i128, u64)> = None;
        for device in fitting {
            let points = self.fgd(host, template, device);
            if best.is_none_or(|(most, _)| points > most) {
                best = Some((points, device));
            }
        }
        best.map_or(fullest, |(_, device)| device)
    }

    /// The sigmoid of the change in fragmented devices, in points of 100, rounded down. In floats on purpose: the core
    /// looks it up in a table of integers, and a mistake there would show.
    fn fgd(&self, host: &FreeNode, template: &PodTemplate, devices: u64) -> i128 {
        let Some(primary) = &host.primary else { return 50 };
        let weight: i128 = self.typical.iter().map(|pod| i128::from(pod.weight)).sum();
        if weight == 0 {
            return 99;
        }
        let change = self.fragments(host) - self.fragments(&host.with(template, devices));
        let change = change as f64 / (weight as f64 * primary.each as f64);
        (100.0 / (1.0 + (-change).exp())).floor() as i128
    }

    /// The free devices that the typical pods cannot use, summed by their weight.
    fn fragments(&self, host: &FreeNode) -> i128 {
        let Some(primary) = &host.primary else { return 0 };
        let free =
            |least: i64| primary.available.iter().filter(move |free| **free >= least).map(|free| i128::from(*free));
        let all: i128 = primary.available.iter().filter(|free| **free > 0).map(|free| i128::from(*free)).sum();
        let of = |pod: &TypicalPod| {
            let cpu = pod.template.request.get("cpu").unwrap_or(0) <= host.has(&"cpu".into());
            match host.devices(&pod.template) {
                Ok(Some((count, each))) if cpu && host.tolerates(&pod.template) && free(each).count() >= count => {
                    all - free(each).sum::<i128>()
                }
                _ => all,
            }
        };
        self.typical.iter().map(|pod| i128::from(pod.weight) * of(pod)).sum()
    }
}

fn packing(host: &FreeNode, template: &PodTemplate, devices: u64) -> i128 {
    let (Some(primary), Some(_)) = (&host.primary, host.kind(template)) else { return 0 };
    if primary.available.iter().all(|free| *free == primary.each) {
        return (33 - primary.available.len() as i128).max(0);
    }
    let chosen = || (0..primary.available.len()).filter(|i| devices >> i & 1 == 1).map(|i| primary.available[i]);
    let whole = chosen().filter(|free| *free == primary.each).count() as i128;
    if whole > 0 {
        return (50 - whole).max(33);
    }
    let left: i128 = chosen().map(|free| i128::from(free) * 100 / i128::from(primary.each)).sum();
    (100 - left / 10).max(50)
}

/// A part of the largest amount, in parts of `2^32`.
fn of_largest(amount: i64, largest: i64) -> i64 {
    ((i128::from(amount) * ((1i128 << 63) / i128::from(largest))) >> 31) as i64
}
