//! Nodes (P1, P2): what each has free, recounted from the pods and holds, where a pod fits, and which node it gets.

use super::{
    scores::Scores,
    state::{For, Reference, Spot, Stage},
};
use quotree_core::{
    Amounts, DeviceChoice, DeviceMode, Domain, Name, NodeId, NodeSpec, Placement, PodId, PodTemplate, WorkloadId,
};
use std::{collections::BTreeMap, sync::Arc};

/// Devices of one node: what is free of each, and of that not kept for holds.
#[derive(Debug, Clone)]
pub(super) struct Bank {
    pub(super) resource: Name,
    pub(super) each: i64,
    pub(super) available: Vec<i64>,
}

/// What one node has available: free, and not kept for a hold.
#[derive(Debug, Clone)]
pub(super) struct Room {
    spec: Arc<NodeSpec>,
    available: BTreeMap<Name, i64>,
    pub(super) bank: Option<Bank>,
    /// What the same devices hold besides.
    beside: Option<Bank>,
    /// Whether it stands outside the part of the cluster that is looked at.
    pub(super) outside: bool,
    /// How many devices the pods with whole devices have each that stand here; 0 for one with a part of a device.
    pub(super) kinds: Vec<usize>,
}

#[derive(Debug, Clone)]
pub(super) struct Rooms {
    pub(super) nodes: BTreeMap<NodeId, Room>,
    scores: Scores,
}

/// Which of so many, by seed and pod: SplitMix64 twice, and the high half of the product.
fn drawn(seed: u64, number: u64, of: usize) -> usize {
    let mix = |number: u64| {
        let mut z = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    };
    ((u128::from(mix(seed.wrapping_add(mix(number)))) * of as u128) >> 64) as usize
}

/// What one pod takes of a node: by resource, and by device.
#[derive(Debug, Clone, Default)]
struct Footprint {
    resources: BTreeMap<Name, i64>,
    /// By bank, 0 or 1, and device.
    devices: BTreeMap<(usize, usize), i64>,
}

impl Footprint {
    fn add(&mut self, other: &Self, sign: i64) {
        for (r, amount) in &other.resources {
            *self.resources.entry(r.clone()).or_default() += sign * amount;
        }
        for (device, amount) in &other.devices {
            *self.devices.entry(*device).or_default() += sign * amount;
        }
    }

    /// Without what is below 0.
    fn positive(mut self) -> Self {
        self.resources.retain(|_, amount| *amount > 0);
        self.devices.retain(|_, amount| *amount > 0);
        self
    }
}

fn positive(request: &Amounts) -> impl Iterator<Item = (&Name, i64)> {
    request.iter().filter(|(_, amount)| *amount > 0)
}

impl Room {
    fn new(spec: Arc<NodeSpec>) -> Self {
        let available = spec.allocatable.iter().map(|(r, amount)| (r.clone(), amount)).collect();
        let bank = |place: usize| {
            spec.devices.get(place).map(|devices| Bank {
                resource: devices.resource.clone(),
                each: devices.each,
                available: (0..devices.count).map(|_| devices.each).collect(),
            })
        };
        let (bank, beside) = (bank(0), bank(1));
        Self { spec, available, bank, beside, outside: false, kinds: Vec::new() }
    }

    pub(super) fn has(&self, resource: &Name) -> i64 {
        self.available.get(resource).copied().unwrap_or(0)
    }

    /// On how many devices a pod needs how much; nothing where it asks for none, an error where it can have none here.
    pub(super) fn devices(&self, template: &PodTemplate) -> Result<Option<(usize, i64)>, ()> {
        let Some(bank) = &self.bank else { return Ok(None) };
        let asks = |name: &Name| template.request.get(name.as_str()).unwrap_or(0);
        let amount = asks(&bank.resource);
        if amount == 0 && self.beside.as_ref().is_none_or(|beside| asks(&beside.resource) == 0) {
            return Ok(None);
        }
        let is_here = |name: &Name| self.bank.iter().chain(&self.beside).any(|bank| bank.resource == *name);
        let told = template.devices.as_ref().filter(|ask| is_here(&ask.resource)).map(|ask| i64::from(ask.count));
        let only_whole = matches!(self.spec.mode, DeviceMode::Exclusive | DeviceMode::Topology { .. });
        let only_part = self.spec.mode == DeviceMode::Share;
        let count = match told {
            Some(count) => count,
            None if amount <= bank.each => 1,
            None if only_part => return Err(()),
            None => amount / bank.each,
        };
        let each = amount / count;
        if each * count != amount || (told.is_none() && each > bank.each) || (only_whole && each != bank.each) {
            return Err(());
        }
        Ok(Some((usize::try_from(count).map_err(|_| ())?, each)))
    }

    /// How much each of so many devices must have besides; nothing where that cannot be.
    fn part(&self, template: &PodTemplate, count: usize) -> Option<i64> {
        let Some(beside) = &self.beside else { return Some(0) };
        let (amount, count) = (template.request.get(beside.resource.as_str()).unwrap_or(0), count as i64);
        (amount % count == 0 && amount / count <= beside.each).then(|| amount / count)
    }

    /// The devices with room for their part of a pod that asks so much of each of so many.
    pub(super) fn fitting(&self, template: &PodTemplate, (count, each): (usize, i64)) -> Vec<usize> {
        let (Some(bank), Some(part)) = (&self.bank, self.part(template, count)) else { return Vec::new() };
        let beside = |i: usize| self.beside.as_ref().is_none_or(|beside| beside.available[i] >= part);
        (0..bank.available.len()).filter(|i| bank.available[*i] >= each && beside(*i)).collect()
    }

    /// Ill devices have nothing, and what they had counts nowhere.
    fn fall_ill(&mut self) {
        for bank in self.bank.iter_mut().chain(&mut self.beside) {
            for device in self.spec.unhealthy.iter() {
                let lost = bank.available[device as usize].max(0);
                bank.available[device as usize] -= lost;
                *self.available.entry(bank.resource.clone()).or_default() -= lost;
            }
        }
    }

    pub(super) fn is_ill(&self, devices: u64) -> bool {
        self.spec.unhealthy.0 & devices != 0
    }

    pub(super) fn is_in(&self, domain: &Domain) -> bool {
        self.spec.is_in(domain)
    }

    /// Whether a pod may stand here at all: schedulable, tolerated, selected (P1).
    pub(super) fn is_suitable(&self, template: &PodTemplate) -> bool {
        !self.outside && self.lets_on(template) && self.spec.schedulable
    }

    /// Whether taints and labels let a pod on.
    pub(super) fn lets_on(&self, template: &PodTemplate) -> bool {
        let tolerated = self.spec.taints.iter().all(|taint| template.tolerations.contains(taint));
        let has = |(label, values): &(Name, Vec<Name>)| {
            self.spec.labels.iter().any(|(name, value)| name == label && values.contains(value))
        };
        tolerated && template.selector.iter().all(has)
    }

    /// Resources that are missing in sum.
    pub(super) fn lacks(&self, template: &PodTemplate) -> Vec<Name> {
        positive(&template.request).filter(|(r, amount)| self.has(r) < *amount).map(|(r, _)| r.clone()).collect()
    }

    /// What its devices hold.
    pub(super) fn device_resources(&self) -> impl Iterator<Item = &Name> {
        self.bank.iter().chain(&self.beside).map(|bank| &bank.resource)
    }

    /// The devices that fit, fullest or emptiest or closest first and of equal ones the lowest; nothing where the pod does
    /// not fit (P1).
    pub(super) fn choose(&self, template: &PodTemplate) -> Option<u64> {
        if !self.lacks(template).is_empty() {
            return None;
        }
        let Some((count, each)) = self.devices(template).ok()? else { return Some(0) };
        let mut fit = self.fitting(template, (count, each));
        if fit.len() < count {
            return None;
        }
        let has = |device: &usize| self.bank.as_ref().map_or(0, |bank| bank.available[*device]);
        match (&self.spec.mode, self.spec.choice) {
            (DeviceMode::Topology { islands }, _) => fit = close(fit, count, islands),
            (_, DeviceChoice::Spread) => fit.sort_by_key(|device| -has(device)),
            _ => fit.sort_by_key(has),
        }
        Some(fit.iter().take(count).fold(0, |set, device| set | 1 << device))
    }

    fn footprint(&self, template: &PodTemplate, devices: u64) -> Footprint {
        let asked = self.devices(template).ok().flatten();
        let each = asked.map_or(0, |(_, each)| each);
        let part = asked.and_then(|(count, _)| self.part(template, count)).unwrap_or(0);
        let on = (0..64).filter(|i| devices >> i & 1 == 1);
        let both = on.flat_map(|i| [((0, i), each), ((1, i), part)]).filter(|(_, amount)| *amount > 0);
        Footprint {
            resources: positive(&template.request).map(|(r, amount)| (r.clone(), amount)).collect(),
            devices: both.collect(),
        }
    }

    /// What a pod counts as here for clustering.
    pub(super) fn kind(&self, template: &PodTemplate) -> Option<usize> {
        let (count, each) = self.devices(template).ok()??;
        let whole = self.bank.as_ref()?.each;
        Some(if each < whole { 0 } else { count })
    }

    /// What is left once a pod stands here.
    pub(super) fn with(&self, template: &PodTemplate, devices: u64) -> Self {
        let mut room = self.clone();
        room.take(&self.footprint(template, devices));
        room
    }

    fn take(&mut self, footprint: &Footprint) {
        for (r, amount) in &footprint.resources {
            if let Some(available) = self.available.get_mut(r) {
                *available -= amount;
            }
        }
        for ((place, device), amount) in &footprint.devices {
            let bank = if *place == 0 { &mut self.bank } else { &mut self.beside };
            if let Some(available) = bank.as_mut().and_then(|b| b.available.get_mut(*device)) {
                *available -= amount;
            }
        }
    }

    /// Whether more stands here, or is kept, than there is room for.
    pub(super) fn is_crowded(&self) -> bool {
        let short = self.bank.iter().chain(&self.beside).flat_map(|b| &b.available).any(|a| *a < 0);
        short || self.available.values().any(|a| *a < 0)
    }

    /// What placement looks at: cpu and devices where the node has any, else everything.
    pub(super) fn scored(&self) -> Vec<&Name> {
        let counts = |name: &Name| name == "cpu" || name.as_str().contains('/');
        let all = || self.spec.allocatable.iter().map(|(name, _)| name);
        let some = all().any(counts);
        all().filter(|name| !some || counts(name)).collect()
    }

    pub(super) fn total(&self, name: &Name) -> i64 {
        self.spec.allocatable.get(name.as_str()).unwrap_or(0)
    }
}

/// So many of these devices: of one of the smallest islands that have them, that with the fewest; else all of a largest
/// island, that with the most, and others for the rest.
fn close(free: Vec<usize>, count: usize, islands: &[u32]) -> Vec<usize> {
    let split = |size: u32| {
        let mut parts: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        free.iter().for_each(|device| parts.entry(device / size as usize).or_default().push(*device));
        parts.into_values().collect::<Vec<_>>()
    };
    let Some(largest) = islands.last().filter(|_| count > 0) else { return free.into_iter().take(count).collect() };
    for (level, size) in islands.iter().enumerate() {
        let mut enough: Vec<Vec<usize>> = split(*size).into_iter().filter(|part| part.len() >= count).collect();
        enough.sort_by_key(Vec::len);
        if let Some(part) = enough.into_iter().next() {
            return close(part, count, &islands[..level]);
        }
    }
    let mut parts = split(*largest);
    parts.sort_by_key(|part| std::cmp::Reverse(part.len()));
    let whole = parts.remove(0);
    let mut rest: Vec<usize> = parts.concat();
    rest.sort_unstable();
    let more = close(rest, count - whole.len(), islands);
    [whole, more].concat()
}

impl Rooms {
    /// Looks at one part of the cluster only.
    pub(super) fn confine(&mut self, domain: &Domain) {
        for room in self.nodes.values_mut() {
            room.outside = !room.is_in(domain);
        }
    }

    pub(super) fn fit(&self, node: NodeId, template: &PodTemplate) -> Option<u64> {
        let room = self.nodes.get(&node).filter(|room| room.is_suitable(template))?;
        self.devices(room, template)
    }

    /// The devices a pod would get on a node, if it fits there.
    pub(super) fn devices(&self, room: &Room, template: &PodTemplate) -> Option<u64> {
        room.choose(template).map(|fullest| self.scores.devices(room, template, fullest))
    }

    /// The node the policy gives a pod, of those with room; the lowest id among equals (P2).
    pub(super) fn pick(&self, template: &PodTemplate, pod: PodId) -> Option<Spot> {
        if let Placement::Random { seed } = self.scores.placement {
            return self.draw(template, pod, seed);
        }
        let mut best: Option<((i128, i128), Spot)> = None;
        for (node, room) in &self.nodes {
            let Some(devices) = self.fit(*node, template) else { continue };
            let score = self.scores.score(room, template, devices);
            if best.is_none_or(|(least, _)| score.0 * least.1 < least.0 * score.1) {
                best = Some((score, Spot { node: *node, devices }));
            }
        }
        best.map(|(_, spot)| spot)
    }

    /// A node drawn from those with room, in order of ids; for a part of one device a device drawn in order of indices.
    fn draw(&self, template: &PodTemplate, pod: PodId, seed: u64) -> Option<Spot> {
        let fitting: Vec<(NodeId, u64)> =
            self.nodes.keys().filter_map(|node| Some((*node, self.fit(*node, template)?))).collect();
        let number = u64::from(pod.workload.0) << 32 | u64::from(pod.ordinal);
        let (node, fullest) = *fitting.get(drawn(seed, number, fitting.len()))?;
        let room = self.nodes.get(&node)?;
        let Ok(Some((1, each))) = room.devices(template) else { return Some(Spot { node, devices: fullest }) };
        let devices = room.fitting(template, (1, each));
        Some(Spot { node, devices: 1 << devices[drawn(!seed, number, devices.len())] })
    }

    /// A pod takes its spot.
    pub(super) fn put(&mut self, template: &PodTemplate, spot: Spot) {
        if let Some(room) = self.nodes.get_mut(&spot.node) {
            let footprint = room.footprint(template, spot.devices);
            room.take(&footprint);
            room.kinds.extend(room.kind(template));
        }
    }

    pub(super) fn is_crowded(&self, node: NodeId) -> bool {
        self.nodes.get(&node).is_some_and(Room::is_crowded)
    }
}

impl Reference {
    /// What every node has available, recounted.
    pub(super) fn rooms(&self) -> Rooms {
        let nodes = self.nodes.iter().map(|(id, spec)| (*id, Room::new(spec.clone()))).collect();
        let mut rooms = Rooms { nodes, scores: Scores::new(&self.policy, self.largest.clone()) };
        for (_, workload, pod) in self.standing_pods() {
            if let Some(spot) = pod.spot {
                rooms.put(&workload.sets[pod.set].template, spot);
            }
        }
        for hold in &self.holds {
            let mut kept: BTreeMap<NodeId, Footprint> = BTreeMap::new();
            let print = |pod: PodId, spot: Spot| {
                let room = rooms.nodes.get(&spot.node);
                room.map_or_else(Footprint::default, |room| room.footprint(self.template(pod), spot.devices))
            };
            for (pod, spot) in &hold.spots {
                kept.entry(spot.node).or_default().add(&print(*pod, *spot), 1);
            }
            for pod in self.leaving(For::Hold(hold.id)) {
                let Some(spot) = self.pod(pod).spot else { continue };
                if let Some(kept) = kept.get_mut(&spot.node) {
                    kept.add(&print(pod, spot), -1);
                }
            }
            for (node, kept) in kept {
                if let Some(room) = rooms.nodes.get_mut(&node) {
                    room.take(&kept.positive());
                }
            }
        }
        rooms.nodes.values_mut().for_each(Room::fall_ill);
        if let Some(domain) = &self.confined {
            rooms.confine(domain);
        }
        rooms
    }

    /// Spots for all that a workload asks for, one after the other in order of ordinals, or nothing (G1).
    pub(super) fn place_in(&self, id: WorkloadId, mut rooms: Rooms) -> Option<Vec<(PodId, Spot)>> {
        let mut spots = Vec::new();
        for ordinal in self.at(id).asked_pods() {
            let pod = id.pod(ordinal);
            let spot = rooms.pick(self.template(pod), pod)?;
            rooms.put(self.template(pod), spot);
            spots.push((pod, spot));
        }
        Some(spots)
    }

    /// Puts the pods of a hold on the spots it kept, if all are still good.
    pub(super) fn kept_spots(&self, spots: &[(PodId, Spot)]) -> Option<Vec<(PodId, Spot)>> {
        if !self.stand_together(spots) {
            return None;
        }
        let mut rooms = self.rooms();
        for (pod, spot) in spots {
            let template = self.template(*pod);
            let room = rooms.nodes.get(&spot.node)?;
            if !room.is_suitable(template) || room.is_ill(spot.devices) {
                return None;
            }
            rooms.put(template, *spot);
            if rooms.is_crowded(spot.node) {
                return None;
            }
        }
        Some(spots.to_vec())
    }

    /// Takes note of how large a node is in what placement looks at there.
    pub(super) fn measure(&mut self, spec: &NodeSpec) {
        let room = Room::new(Arc::new(spec.clone()));
        for name in room.scored().into_iter().chain(room.device_resources().take(1)) {
            let largest = self.largest.entry(name.clone()).or_default();
            *largest = room.has(name).max(*largest);
        }
    }

    /// A pod is on its way to its spot.
    pub(super) fn start(&mut self, pod: PodId, spot: Spot) {
        let pod = self.pod_mut(pod);
        (pod.stage, pod.spot) = (Stage::Binding, Some(spot));
    }
}
