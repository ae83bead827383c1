//! Nodes (P1, P2): what each has free, recounted from the pods and holds, where a pod fits, and which node it gets.

use super::{
    scores::Scores,
    state::{For, Reference, Spot, Stage},
};
use quotree_core::{Amounts, Name, NodeId, NodeSpec, Placement, PodId, PodTemplate, WorkloadId};
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
    devices: BTreeMap<usize, i64>,
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
        let bank = spec.devices.first().map(|devices| Bank {
            resource: devices.resource.clone(),
            each: devices.each,
            available: (0..devices.count).map(|_| devices.each).collect(),
        });
        Self { spec, available, bank, kinds: Vec::new() }
    }

    pub(super) fn has(&self, resource: &Name) -> i64 {
        self.available.get(resource).copied().unwrap_or(0)
    }

    /// On how many devices a pod needs how much; nothing where it asks for none, an error where it can have none here.
    pub(super) fn devices(&self, template: &PodTemplate) -> Result<Option<(usize, i64)>, ()> {
        let Some(bank) = &self.bank else { return Ok(None) };
        if let Some(ask) = template.devices.as_ref().filter(|ask| ask.resource == bank.resource) {
            return Ok(Some((ask.count as usize, ask.each)));
        }
        match template.request.get(bank.resource.as_str()).unwrap_or(0) {
            0 => Ok(None),
            fraction if fraction <= bank.each => Ok(Some((1, fraction))),
            whole if whole % bank.each == 0 => {
                Ok(Some((usize::try_from(whole / bank.each).map_err(|_| ())?, bank.each)))
            }
            _ => Err(()),
        }
    }

    /// Whether a pod may stand here at all: schedulable, tolerated, selected (P1).
    pub(super) fn is_suitable(&self, template: &PodTemplate) -> bool {
        self.lets_on(template) && self.spec.schedulable
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

    pub(super) fn device_resource(&self) -> Option<&Name> {
        self.bank.as_ref().map(|bank| &bank.resource)
    }

    /// The fullest devices that fit, lowest first; nothing where the pod does not fit (P1).
    pub(super) fn choose(&self, template: &PodTemplate) -> Option<u64> {
        if !self.lacks(template).is_empty() {
            return None;
        }
        let Some((count, each)) = self.devices(template).ok()? else { return Some(0) };
        let mut fit: Vec<(i64, usize)> =
            self.bank.iter().flat_map(|b| b.available.iter().copied().zip(0..)).filter(|(a, _)| *a >= each).collect();
        fit.sort_unstable();
        (fit.len() >= count).then(|| fit.iter().take(count).fold(0, |set, (_, i)| set | 1 << i))
    }

    fn footprint(&self, template: &PodTemplate, devices: u64) -> Footprint {
        let each = self.devices(template).ok().flatten().map_or(0, |(_, each)| each);
        Footprint {
            resources: positive(&template.request).map(|(r, amount)| (r.clone(), amount)).collect(),
            devices: (0..64).filter(|i| devices >> i & 1 == 1).map(|i| (i, each)).collect(),
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
        for (device, amount) in &footprint.devices {
            if let Some(available) = self.bank.as_mut().and_then(|b| b.available.get_mut(*device)) {
                *available -= amount;
            }
        }
    }

    /// Whether more stands here, or is kept, than there is room for.
    pub(super) fn is_crowded(&self) -> bool {
        let short = self.bank.iter().flat_map(|b| &b.available).any(|a| *a < 0);
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

impl Rooms {
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
        let (Ok(Some((1, each))), Some(bank)) = (room.devices(template), &room.bank) else {
            return Some(Spot { node, devices: fullest });
        };
        let devices: Vec<usize> = (0..bank.available.len()).filter(|i| bank.available[*i] >= each).collect();
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
        rooms
    }

    /// Spots for all that a workload asks for, one after the other in order of ordinals, or nothing (G1).
    pub(super) fn place(&self, id: WorkloadId, mut rooms: Rooms) -> Option<Vec<(PodId, Spot)>> {
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
        let mut rooms = self.rooms();
        for (pod, spot) in spots {
            let template = self.template(*pod);
            if !rooms.nodes.get(&spot.node)?.is_suitable(template) {
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
        for name in room.scored().into_iter().chain(room.device_resource()) {
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
