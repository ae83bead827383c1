//! The devices of a node: whether a request fits them, whole or in fractions, by the node's mode, and which of them a
//! pod gets (P1).
//!
//! A device holds one resource, or two (such as memory and cores): then the node has two [`NodeDevices`], the second
//! about the same devices as the first. A pod gets the same amount on each of its devices. What is free on an unhealthy
//! device counts as reserved, so that no pod gets it.

use super::Node;
use crate::{
    api::{DeviceChoice, DeviceMode, DeviceSet, NodeSpec},
    scheduler::state::{
        interner::{Devices, Template},
        keys::ResourceId,
    },
};
use smallvec::SmallVec;
use std::cmp::Reverse;

/// One resource of a node's devices.
#[derive(Debug, Clone)]
pub(crate) struct NodeDevices {
    pub(crate) resource: ResourceId,
    /// What one device holds, base units.
    pub(crate) each: i64,
    pub(crate) free: SmallVec<[i64; 8]>,
    pub(crate) reserved: SmallVec<[i64; 8]>,
    /// The part of `reserved` that is free on unhealthy devices. Empty where all are healthy.
    pub(crate) unhealthy_reserve: SmallVec<[i64; 1]>,
    pub(super) granularity: DeviceGranularity,
    pub(super) order: DeviceOrder,
}

/// Which devices a pod gets first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum DeviceOrder {
    Fullest,
    Emptiest,
    /// Devices close to each other.
    Closest,
}

impl DeviceOrder {
    pub(super) fn of(spec: &NodeSpec) -> Self {
        match (&spec.mode, spec.choice) {
            (DeviceMode::Topology { .. }, _) => Self::Closest,
            (_, DeviceChoice::Spread) => Self::Emptiest,
            (_, DeviceChoice::BestFit) => Self::Fullest,
        }
    }
}

/// Whether a request takes whole devices or fractions of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum DeviceGranularity {
    /// Whole devices, or a fraction of one.
    WholeOrFraction,
    Whole,
    /// A fraction of one device, at most all of it.
    Fraction,
}

impl DeviceGranularity {
    pub(super) fn of(mode: &DeviceMode) -> Self {
        match mode {
            DeviceMode::Fraction => Self::WholeOrFraction,
            DeviceMode::Exclusive | DeviceMode::Topology { .. } => Self::Whole,
            DeviceMode::Share => Self::Fraction,
        }
    }

    /// How an amount without a device request is divided over devices that hold `each`; nothing if it cannot be.
    pub(super) fn split(self, resource: ResourceId, amount: i64, each: i64) -> Option<Devices> {
        let whole = amount % each == 0;
        match self {
            Self::WholeOrFraction => split_over_devices(resource, amount, each),
            Self::Whole => whole.then_some(split_over_devices(resource, amount, each)?),
            Self::Fraction => (amount <= each).then_some(Devices { resource, count: 1, each: amount }),
        }
    }

    /// Whether a device request is allowed on devices that hold `each`.
    pub(super) fn allows(self, ask: &Devices, each: i64) -> bool {
        self != Self::Whole || ask.each == each
    }
}

/// How an amount is divided over devices that hold `each`: whole ones, or a fraction of one.
fn split_over_devices(resource: ResourceId, amount: i64, each: i64) -> Option<Devices> {
    if amount <= each {
        return Some(Devices { resource, count: 1, each: amount });
    }
    let whole = amount % each == 0;
    whole.then(|| Devices { resource, count: u32::try_from(amount / each).unwrap_or(u32::MAX), each })
}

fn requested(template: &Template, resource: ResourceId) -> Option<i64> {
    template.request.iter().find(|(r, _)| *r == resource).map(|(_, amount)| *amount)
}

impl NodeDevices {
    /// What each device has available.
    pub(crate) fn available(&self) -> impl Iterator<Item = i64> + Clone {
        self.free.iter().zip(&self.reserved).map(|(free, reserved)| free - reserved)
    }

    /// How a request is divided over these devices: `Some(None)` where it needs none, nothing where it cannot be.
    fn ask(&self, template: &Template) -> Option<Option<Devices>> {
        if let Some(ask) = template.devices.iter().find(|ask| ask.resource == self.resource) {
            return self.granularity.allows(ask, self.each).then_some(Some(*ask));
        }
        match requested(template, self.resource) {
            None => Some(None),
            Some(amount) => self.granularity.split(self.resource, amount, self.each).map(Some),
        }
    }

    /// The same where the devices hold a second resource: a pod gives the number of devices by either.
    fn ask_with_second(&self, second: &Self, template: &Template) -> Option<Option<Devices>> {
        let explicit = template.devices.iter().find(|ask| ask.resource == second.resource);
        let (resource, amount) = (self.resource, requested(template, self.resource));
        match (explicit, amount) {
            (Some(explicit), _) => {
                let (amount, count) = (amount.unwrap_or(0), explicit.count);
                (amount % i64::from(count) == 0)
                    .then(|| Some(Devices { resource, count, each: amount / i64::from(count) }))
            }
            (None, None) => Some(requested(template, second.resource).map(|_| Devices { resource, count: 1, each: 0 })),
            (None, Some(_)) => self.ask(template),
        }
    }

    /// How much of this resource a pod needs on each of so many devices; nothing where it cannot be divided so.
    pub(crate) fn part(&self, template: &Template, count: u32) -> Option<i64> {
        let (amount, count) = (requested(template, self.resource).unwrap_or(0), i64::from(count.max(1)));
        (amount % count == 0 && amount / count <= self.each).then_some(amount / count)
    }

    /// Reserves what is free on unhealthy devices. Gives the sum.
    pub(super) fn reserve_unhealthy(&mut self, unhealthy: DeviceSet) -> i64 {
        self.unhealthy_reserve = SmallVec::from_elem(0, self.free.len());
        for device in unhealthy.iter() {
            let at = device as usize;
            let (Some(free), Some(reserved), Some(amount)) =
                (self.free.get(at), self.reserved.get_mut(at), self.unhealthy_reserve.get_mut(at))
            else {
                continue;
            };
            *amount = (free - *reserved).max(0);
            *reserved += *amount;
        }
        self.unhealthy_reserve.iter().sum()
    }

    /// Reverses [`reserve_unhealthy`](Self::reserve_unhealthy). Gives the sum.
    pub(super) fn release_unhealthy(&mut self) -> i64 {
        let amounts = std::mem::take(&mut self.unhealthy_reserve);
        for (reserved, amount) in self.reserved.iter_mut().zip(&amounts) {
            *reserved -= amount;
        }
        amounts.iter().sum()
    }
}

impl Node {
    /// What each device has available of the first resource.
    pub(super) fn devices_available(&self) -> impl Iterator<Item = i64> + Clone {
        self.devices.first().into_iter().flat_map(NodeDevices::available)
    }

    /// How a request is divided over this node's devices: `Some(None)` where it needs none, nothing where it cannot be.
    pub(crate) fn device_ask(&self, template: &Template) -> Option<Option<Devices>> {
        match self.devices.as_slice() {
            [] => Some(None),
            [devices] => devices.ask(template),
            [devices, second, ..] => devices.ask_with_second(second, template),
        }
    }

    /// The devices with room for their part of a request, each with what it has available, by index.
    pub(crate) fn fitting<'a>(
        &'a self,
        template: &Template,
        ask: Devices,
    ) -> Option<impl Iterator<Item = (i64, u32)> + Clone + use<'a>> {
        let second = self.devices.get(1);
        let part = match second {
            Some(second) => second.part(template, ask.count)?,
            None => 0,
        };
        let has_part = move |device: u32| {
            let at = device as usize;
            let available = |devices: &NodeDevices| Some(devices.free.get(at)? - devices.reserved.get(at)?);
            second.is_none_or(|second| available(second).is_some_and(|available| available >= part))
        };
        let fits = move |(available, device): &(i64, u32)| *available >= ask.each && has_part(*device);
        Some(self.devices_available().zip(0u32..).filter(fits))
    }

    /// Whether a pod fits this node, and on which devices: by the node's order of devices, lowest index first (P1).
    /// Some placement policies choose other devices: [`Nodes::devices`](super::Nodes::devices).
    pub(crate) fn fit(&self, template: &Template) -> Option<DeviceSet> {
        if template.request.iter().any(|(resource, amount)| self.available(*resource) < *amount) {
            return None;
        }
        let Some(ask) = self.device_ask(template)? else { return Some(DeviceSet::default()) };
        let mut fitting: SmallVec<[(i64, u32); 8]> = self.fitting(template, ask)?.collect();
        let count = ask.count as usize;
        if fitting.len() < count {
            return None;
        }
        match self.devices.first()?.order {
            DeviceOrder::Fullest => fitting.sort_unstable(),
            DeviceOrder::Emptiest => fitting.sort_unstable_by_key(|(available, device)| (Reverse(*available), *device)),
            DeviceOrder::Closest => {
                let free: SmallVec<[u32; 8]> = fitting.iter().map(|(_, device)| *device).collect();
                let islands =
                    if let DeviceMode::Topology { islands } = &self.spec.mode { islands.as_slice() } else { &[] };
                return Some(closest(&free, count, islands));
            }
        }
        Some(DeviceSet(fitting.iter().take(count).fold(0, |set, (_, i)| set | 1 << i)))
    }
}

/// `count` of these devices, close to each other: within the smallest island that has so many, of equal ones the island
/// with the fewest free, then the first. Where no island has so many: all of the island with the most free, and the
/// rest from the others.
fn closest(free: &[u32], count: usize, islands: &[u32]) -> DeviceSet {
    let set = |devices: &[u32]| DeviceSet(devices.iter().fold(0, |set, device| set | 1 << device));
    for (level, size) in islands.iter().enumerate().filter(|_| count > 0) {
        let has = by_island(free, *size).into_iter().filter(|island| island.len() >= count);
        if let Some(island) = has.min_by_key(|island| island.len()) {
            return closest(island, count, islands.get(..level).unwrap_or_default());
        }
    }
    let Some(largest) = islands.last().filter(|_| count > 0) else { return set(free.get(..count).unwrap_or_default()) };
    let most = by_island(free, *largest).into_iter().min_by_key(|island| Reverse(island.len())).unwrap_or_default();
    let others: SmallVec<[u32; 8]> = free.iter().copied().filter(|device| !most.contains(device)).collect();
    DeviceSet(set(most).0 | closest(&others, count.saturating_sub(most.len()), islands).0)
}

/// Devices in the order of their indices, grouped by island.
fn by_island(free: &[u32], size: u32) -> SmallVec<[&[u32]; 8]> {
    free.chunk_by(|a, b| a / size.max(1) == b / size.max(1)).collect()
}
