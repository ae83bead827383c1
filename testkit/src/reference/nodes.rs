//! One node (P1): what is free on it and its devices, whether a pod fits there, and which devices it gets.

use quotree_core::{Amounts, DeviceChoice, DeviceMode, Domain, Name, NodeSpec, PodTemplate};
use std::{collections::BTreeMap, sync::Arc};

/// The devices of one node, for one resource: what is free on each and not reserved for holds.
#[derive(Debug, Clone)]
pub(super) struct NodeDevices {
    pub(super) resource: Name,
    pub(super) each: i64,
    pub(super) available: Vec<i64>,
}

/// One node with what is available: free, and not reserved for a hold.
#[derive(Debug, Clone)]
pub(super) struct FreeNode {
    spec: Arc<NodeSpec>,
    available: BTreeMap<Name, i64>,
    pub(super) primary: Option<NodeDevices>,
    /// The second resource of the same devices.
    secondary: Option<NodeDevices>,
    /// Whether the node is outside the domain that is searched.
    pub(super) outside: bool,
    /// For each pod on the node with devices, the number of its whole devices; 0 for a part of one.
    pub(super) kinds: Vec<usize>,
}

/// What one pod takes of a node: by resource, and by device.
#[derive(Debug, Clone, Default)]
pub(super) struct Footprint {
    resources: BTreeMap<Name, i64>,
    /// By resource of the devices, 0 or 1, and device.
    devices: BTreeMap<(usize, usize), i64>,
}

impl Footprint {
    pub(super) fn add(&mut self, other: &Self, sign: i64) {
        for (r, amount) in &other.resources {
            *self.resources.entry(r.clone()).or_default() += sign * amount;
        }
        for (device, amount) in &other.devices {
            *self.devices.entry(*device).or_default() += sign * amount;
        }
    }

    /// Without negative amounts.
    pub(super) fn positive(mut self) -> Self {
        self.resources.retain(|_, amount| *amount > 0);
        self.devices.retain(|_, amount| *amount > 0);
        self
    }
}

fn positive(request: &Amounts) -> impl Iterator<Item = (&Name, i64)> {
    request.iter().filter(|(_, amount)| *amount > 0)
}

impl FreeNode {
    pub(super) fn new(spec: Arc<NodeSpec>) -> Self {
        let available = spec.allocatable.iter().map(|(r, amount)| (r.clone(), amount)).collect();
        let primary = |place: usize| {
            spec.devices.get(place).map(|devices| NodeDevices {
                resource: devices.resource.clone(),
                each: devices.each,
                available: (0..devices.count).map(|_| devices.each).collect(),
            })
        };
        let (primary, secondary) = (primary(0), primary(1));
        Self { spec, available, primary, secondary, outside: false, kinds: Vec::new() }
    }

    pub(super) fn has(&self, resource: &Name) -> i64 {
        self.available.get(resource).copied().unwrap_or(0)
    }

    /// How many devices a pod needs, and how much of each; `None` if it requests none, an error if this node cannot
    /// assign them that way.
    pub(super) fn devices(&self, template: &PodTemplate) -> Result<Option<(usize, i64)>, ()> {
        let Some(primary) = &self.primary else { return Ok(None) };
        let asks = |name: &Name| template.request.get(name.as_str()).unwrap_or(0);
        let amount = asks(&primary.resource);
        if amount == 0 && self.secondary.as_ref().is_none_or(|secondary| asks(&secondary.resource) == 0) {
            return Ok(None);
        }
        let is_here = |name: &Name| self.primary.iter().chain(&self.secondary).any(|primary| primary.resource == *name);
        let stated = template.devices.as_ref().filter(|ask| is_here(&ask.resource)).map(|ask| i64::from(ask.count));
        let only_whole = matches!(self.spec.mode, DeviceMode::Exclusive | DeviceMode::Topology { .. });
        let only_part = self.spec.mode == DeviceMode::Share;
        let count = match stated {
            Some(count) => count,
            None if amount <= primary.each => 1,
            None if only_part => return Err(()),
            None => amount / primary.each,
        };
        let each = amount / count;
        if each * count != amount || (stated.is_none() && each > primary.each) || (only_whole && each != primary.each) {
            return Err(());
        }
        Ok(Some((usize::try_from(count).map_err(|_| ())?, each)))
    }

    /// How much of the second resource each of `count` devices must have; `None` if it cannot be divided so.
    fn part(&self, template: &PodTemplate, count: usize) -> Option<i64> {
        let Some(secondary) = &self.secondary else { return Some(0) };
        let (amount, count) = (template.request.get(secondary.resource.as_str()).unwrap_or(0), count as i64);
        (amount % count == 0 && amount / count <= secondary.each).then(|| amount / count)
    }

    /// The devices on which the pod's part fits.
    pub(super) fn fitting(&self, template: &PodTemplate, (count, each): (usize, i64)) -> Vec<usize> {
        let (Some(primary), Some(part)) = (&self.primary, self.part(template, count)) else { return Vec::new() };
        let secondary = |i: usize| self.secondary.as_ref().is_none_or(|secondary| secondary.available[i] >= part);
        (0..primary.available.len()).filter(|i| primary.available[*i] >= each && secondary(*i)).collect()
    }

    /// Takes unhealthy devices out: nothing is free on them, and it does not count for the node.
    pub(super) fn reserve_unhealthy(&mut self) {
        for primary in self.primary.iter_mut().chain(&mut self.secondary) {
            for device in self.spec.unhealthy.iter() {
                let lost = primary.available[device as usize].max(0);
                primary.available[device as usize] -= lost;
                *self.available.entry(primary.resource.clone()).or_default() -= lost;
            }
        }
    }

    pub(super) fn is_unhealthy(&self, devices: u64) -> bool {
        self.spec.unhealthy.0 & devices != 0
    }

    pub(super) fn is_in(&self, domain: &Domain) -> bool {
        self.spec.is_in(domain)
    }

    /// Whether the pod may run on this node at all: schedulable, tainted and labelled to suit (P1).
    pub(super) fn is_suitable(&self, template: &PodTemplate) -> bool {
        !self.outside && self.tolerates(template) && self.spec.schedulable
    }

    /// Whether the pod tolerates the taints and selects the labels of the node.
    pub(super) fn tolerates(&self, template: &PodTemplate) -> bool {
        let tolerated = self.spec.taints.iter().all(|taint| template.tolerations.contains(taint));
        let has = |(label, values): &(Name, Vec<Name>)| {
            self.spec.labels.iter().any(|(name, value)| name == label && values.contains(value))
        };
        tolerated && template.selector.iter().all(has)
    }

    /// The resources of which the node has too little in sum.
    pub(super) fn lacks(&self, template: &PodTemplate) -> Vec<Name> {
        positive(&template.request).filter(|(r, amount)| self.has(r) < *amount).map(|(r, _)| r.clone()).collect()
    }

    /// The resources of its devices.
    pub(super) fn device_resources(&self) -> impl Iterator<Item = &Name> {
        self.primary.iter().chain(&self.secondary).map(|primary| &primary.resource)
    }

    /// The devices that the pod gets: of those that fit, the fullest, emptiest or closest, by index among equals;
    /// `None` if the pod does not fit (P1).
    pub(super) fn choose(&self, template: &PodTemplate) -> Option<u64> {
        if !self.lacks(template).is_empty() {
            return None;
        }
        let Some((count, each)) = self.devices(template).ok()? else { return Some(0) };
        let mut fit = self.fitting(template, (count, each));
        if fit.len() < count {
            return None;
        }
        let has = |device: &usize| self.primary.as_ref().map_or(0, |primary| primary.available[*device]);
        match (&self.spec.mode, self.spec.choice) {
            (DeviceMode::Topology { islands }, _) => fit = close(fit, count, islands),
            (_, DeviceChoice::Spread) => fit.sort_by_key(|device| -has(device)),
            _ => fit.sort_by_key(has),
        }
        Some(fit.iter().take(count).fold(0, |set, device| set | 1 << device))
    }

    pub(super) fn footprint(&self, template: &PodTemplate, devices: u64) -> Footprint {
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

    /// The kind of a pod for GPU clustering.
    pub(super) fn kind(&self, template: &PodTemplate) -> Option<usize> {
        let (count, each) = self.devices(template).ok()??;
        let whole = self.primary.as_ref()?.each;
        Some(if each < whole { 0 } else { count })
    }

    /// The node with the pod placed on it.
    pub(super) fn with(&self, template: &PodTemplate, devices: u64) -> Self {
        let mut host = self.clone();
        host.take(&self.footprint(template, devices));
        host
    }

    pub(super) fn take(&mut self, footprint: &Footprint) {
        for (r, amount) in &footprint.resources {
            // A pod may be found on a node that has nothing of what it requests (E1).
            *self.available.entry(r.clone()).or_default() -= amount;
        }
        for ((place, device), amount) in &footprint.devices {
            let primary = if *place == 0 { &mut self.primary } else { &mut self.secondary };
            if let Some(available) = primary.as_mut().and_then(|b| b.available.get_mut(*device)) {
                *available -= amount;
            }
        }
    }

    /// Whether more is used or reserved than the node has.
    pub(super) fn is_overcommitted(&self) -> bool {
        let short = self.primary.iter().chain(&self.secondary).flat_map(|b| &b.available).any(|a| *a < 0);
        short || self.available.values().any(|a| *a < 0)
    }

    /// The resources that scores count: cpu and devices if the node has any, or else all.
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

/// Chooses `count` of these devices: from one of the smallest islands that have enough, the one with the fewest free;
/// or else all of the largest island with the most free, and others for the rest.
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
