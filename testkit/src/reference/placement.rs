//! Nodes (P1, P2): what each has free, recounted from the pods and holds, where a pod fits, and which node it gets.

use super::state::{For, Reference, Spot, Stage};
use quotree_core::{Amounts, Name, NodeId, NodeSpec, Placement, PodId, PodTemplate, WorkloadId};
use std::{collections::BTreeMap, sync::Arc};

/// Devices of one node: what is free of each, and of that not kept for holds.
#[derive(Debug, Clone)]
struct Bank {
    resource: Name,
    each: i64,
    available: Vec<i64>,
}

/// What one node has available: free, and not kept for a hold.
#[derive(Debug, Clone)]
pub(super) struct Room {
    spec: Arc<NodeSpec>,
    available: BTreeMap<Name, i64>,
    bank: Option<Bank>,
}

#[derive(Debug, Clone)]
pub(super) struct Rooms {
    pub(super) nodes: BTreeMap<NodeId, Room>,
    placement: Placement,
    largest: BTreeMap<Name, i64>,
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
        Self { spec, available, bank }
    }

    fn has(&self, resource: &Name) -> i64 {
        self.available.get(resource).copied().unwrap_or(0)
    }

    /// On how many devices a pod needs how much; nothing where it asks for none, an error where it can have none here.
    fn devices(&self, template: &PodTemplate) -> Result<Option<(usize, i64)>, ()> {
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
        let tolerated = self.spec.taints.iter().all(|taint| template.tolerations.contains(taint));
        let has = |(label, values): &(Name, Vec<Name>)| {
            self.spec.labels.iter().any(|(name, value)| name == label && values.contains(value))
        };
        self.spec.schedulable && tolerated && template.selector.iter().all(has)
    }

    /// Resources that are missing in sum.
    pub(super) fn lacks(&self, template: &PodTemplate) -> Vec<Name> {
        positive(&template.request).filter(|(r, amount)| self.has(r) < *amount).map(|(r, _)| r.clone()).collect()
    }

    pub(super) fn device_resource(&self) -> Option<&Name> {
        self.bank.as_ref().map(|bank| &bank.resource)
    }

    /// The devices a pod would get: the fullest that fit, lowest first; nothing where it does not fit (P1).
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
    fn scored(&self) -> Vec<&Name> {
        let counts = |name: &Name| name == "cpu" || name.as_str().contains('/');
        let all = || self.spec.allocatable.iter().map(|(name, _)| name);
        let some = all().any(counts);
        all().filter(|name| !some || counts(name)).collect()
    }

    /// The placement score as a fraction: the lowest wins (P2).
    fn score(&self, placement: Placement, largest: &BTreeMap<Name, i64>) -> (i128, i128) {
        let scored = self.scored();
        let mut sum = (0i128, 1i128);
        for name in &scored {
            let total = self.spec.allocatable.get(name.as_str()).unwrap_or(0).max(1);
            let part = match placement {
                Placement::BestFit => (self.has(name).max(0), largest.get(*name).copied().unwrap_or(1).max(1)),
                _ => ((total - self.has(name)).max(0), total),
            };
            sum = (sum.0 * i128::from(part.1) + i128::from(part.0) * sum.1, sum.1 * i128::from(part.1));
        }
        match placement {
            Placement::BestFit => sum,
            Placement::Binpack => (-sum.0, sum.1 * scored.len().max(1) as i128),
            _ => (sum.0, sum.1 * scored.len().max(1) as i128),
        }
    }
}

impl Rooms {
    pub(super) fn fit(&self, node: NodeId, template: &PodTemplate) -> Option<u64> {
        self.nodes.get(&node).filter(|room| room.is_suitable(template)).and_then(|room| room.choose(template))
    }

    /// The node the policy gives a pod, of those with room; the lowest id among equals (P2).
    pub(super) fn pick(&self, template: &PodTemplate) -> Option<Spot> {
        let mut best: Option<((i128, i128), Spot)> = None;
        for (node, room) in &self.nodes {
            let Some(devices) = self.fit(*node, template) else { continue };
            let score = room.score(self.placement, &self.largest);
            if best.is_none_or(|(least, _)| score.0 * least.1 < least.0 * score.1) {
                best = Some((score, Spot { node: *node, devices }));
            }
        }
        best.map(|(_, spot)| spot)
    }

    /// A pod takes its spot.
    pub(super) fn put(&mut self, template: &PodTemplate, spot: Spot) {
        if let Some(room) = self.nodes.get_mut(&spot.node) {
            let footprint = room.footprint(template, spot.devices);
            room.take(&footprint);
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
        let mut rooms = Rooms { nodes, placement: self.policy.placement, largest: self.largest.clone() };
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
            let spot = rooms.pick(self.template(pod))?;
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
        for name in room.scored() {
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
