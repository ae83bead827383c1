//! Placement scores (P2), each by its sentence in docs/policies.md, for one node and one pod: no index, no memory.

use super::placement::Room;
use quotree_core::{Name, Placement, PodTemplate, Policy, TypicalPod};
use std::collections::BTreeMap;

/// A fraction.
type Score = (i128, i128);

/// How nodes are scored: the lowest wins.
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

    pub(super) fn score(&self, room: &Room, template: &PodTemplate, devices: u64) -> Score {
        match self.placement {
            Placement::DotProduct => missing(self.dot_product(room, template)),
            Placement::GpuPacking => missing(packing(room, template, devices)),
            Placement::GpuClustering => missing(self.clustering(room, template)),
            Placement::Fgd => missing(self.fgd(room, template, devices)),
            _ => self.of_the_node(room),
        }
    }

    /// The scores that do not depend on the pod.
    fn of_the_node(&self, room: &Room) -> Score {
        let scored = room.scored();
        let mut sum = (0i128, 1i128);
        for name in &scored {
            let total = room.total(name).max(1);
            let part = match self.placement {
                Placement::BestFit => (room.has(name).max(0), self.largest(name)),
                _ => ((total - room.has(name)).max(0), total),
            };
            sum = (sum.0 * i128::from(part.1) + i128::from(part.0) * sum.1, sum.1 * i128::from(part.1));
        }
        match self.placement {
            Placement::BestFit => sum,
            Placement::Binpack => (-sum.0, sum.1 * scored.len().max(1) as i128),
            _ => (sum.0, sum.1 * scored.len().max(1) as i128),
        }
    }

    fn dot_product(&self, room: &Room, template: &PodTemplate) -> i128 {
        let million = 1_000_000i128;
        let share = |amount: i64, name: &Name| i128::from(amount.max(0)) * million / i128::from(self.largest(name));
        let scored = room.scored();
        let asked = |name: &Name| template.request.get(name.as_str()).unwrap_or(0);
        let sum: i128 = scored.iter().map(|name| share(room.has(name), name) * share(asked(name), name)).sum();
        let whole = million * million * scored.len().max(1) as i128;
        (whole - sum).max(0) * 100 / whole
    }

    fn clustering(&self, room: &Room, template: &PodTemplate) -> i128 {
        let (Some(bank), Some(kind)) = (&room.bank, room.kind(template)) else { return 0 };
        let alike = room.kinds.contains(&kind);
        let quarter = match (alike, room.kinds.is_empty()) {
            (true, _) if room.kinds.iter().all(|other| *other == kind) => 3,
            (true, _) => 2,
            (false, true) => 1,
            (false, false) => 0,
        };
        let most = i128::from(self.largest(&bank.resource));
        let free: i128 = bank.available.iter().map(|free| i128::from(*free)).sum();
        25 * quarter + 25 * (most - free).max(0) / most
    }

    /// The devices by this policy, where the fullest that fit are these.
    pub(super) fn devices(&self, room: &Room, template: &PodTemplate, fullest: u64) -> u64 {
        let (Placement::Fgd, Ok(Some((1, each))), Some(bank)) = (self.placement, room.devices(template), &room.bank)
        else {
            return fullest;
        };
        if each >= bank.each {
            return fullest;
        }
        let fitting = room.fitting(template, (1, each)).into_iter().map(|i| 1u64 << i);
        let mut best: Option<(i128, u64)> = None;
        for device in fitting {
            let points = self.fgd(room, template, device);
            if best.is_none_or(|(most, _)| points > most) {
                best = Some((points, device));
            }
        }
        best.map_or(fullest, |(_, device)| device)
    }

    /// The sigmoid of how many devices of fragment go, in points of 100, rounded down. In floats, on purpose: the core
    /// looks it up in a table of whole numbers, and a mistake there would show.
    fn fgd(&self, room: &Room, template: &PodTemplate, devices: u64) -> i128 {
        let Some(bank) = &room.bank else { return 50 };
        let weight: i128 = self.typical.iter().map(|pod| i128::from(pod.weight)).sum();
        if weight == 0 {
            return 99;
        }
        let change = self.fragments(room) - self.fragments(&room.with(template, devices));
        let change = change as f64 / (weight as f64 * bank.each as f64);
        (100.0 / (1.0 + (-change).exp())).floor() as i128
    }

    /// What is free of devices and of no use, summed over the typical pods by weight.
    fn fragments(&self, room: &Room) -> i128 {
        let Some(bank) = &room.bank else { return 0 };
        let free = |least: i64| bank.available.iter().filter(move |free| **free >= least).map(|free| i128::from(*free));
        let all: i128 = bank.available.iter().filter(|free| **free > 0).map(|free| i128::from(*free)).sum();
        let of = |pod: &TypicalPod| {
            let cpu = pod.template.request.get("cpu").unwrap_or(0) <= room.has(&"cpu".into());
            match room.devices(&pod.template) {
                Ok(Some((count, each))) if cpu && room.lets_on(&pod.template) && free(each).count() >= count => {
                    all - free(each).sum::<i128>()
                }
                _ => all,
            }
        };
        self.typical.iter().map(|pod| i128::from(pod.weight) * of(pod)).sum()
    }
}

fn packing(room: &Room, template: &PodTemplate, devices: u64) -> i128 {
    let (Some(bank), Some(_)) = (&room.bank, room.kind(template)) else { return 0 };
    if bank.available.iter().all(|free| *free == bank.each) {
        return (33 - bank.available.len() as i128).max(0);
    }
    let chosen = || (0..bank.available.len()).filter(|i| devices >> i & 1 == 1).map(|i| bank.available[i]);
    let whole = chosen().filter(|free| *free == bank.each).count() as i128;
    if whole > 0 {
        return (50 - whole).max(33);
    }
    let left: i128 = chosen().map(|free| i128::from(free) * 100 / i128::from(bank.each)).sum();
    (100 - left / 10).max(50)
}
