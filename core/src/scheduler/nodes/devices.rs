//! Devices of a node: how a request granularity on them by the node's mode, and which ones a pod gets (P1).
//!
//! A device holds one resource, or two: the first bank and the one beside it. A pod has the same amount on each of its
//! devices. A device that is ill has nothing available: what is free there counts as reserved for nobody.

use crate::scheduler::nodes::Node;
use crate::{
    api::{DeviceChoice, DeviceMode, DeviceSet, NodeSpec},
    scheduler::state::interner::{Devices, ResourceId, Template, split_over_devices},
};
use smallvec::SmallVec;
use std::cmp::Reverse;

/// Devices of one resource on one node.
#[derive(Debug, Clone)]
pub(crate) struct NodeDevices {
    pub(crate) resource: ResourceId,
    pub(crate) each: i64,
    pub(crate) free: SmallVec<[i64; 8]>,
    pub(crate) reserved: SmallVec<[i64; 8]>,
    /// Of what is reserved: what is free on ill devices. Empty where all are well.
    pub(crate) unhealthy_reserve: SmallVec<[i64; 1]>,
    pub(super) granularity: DeviceGranularity,
    pub(super) order: DeviceOrder,
}

/// Which devices go first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum DeviceOrder {
    Fullest,
    Emptiest,
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

/// How a request granularity on devices, as far as one number says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum DeviceGranularity {
    Either,
    Whole,
    Part,
}

impl DeviceGranularity {
    pub(super) fn of(mode: &DeviceMode) -> Self {
        match mode {
            DeviceMode::Fraction => Self::Either,
            DeviceMode::Exclusive | DeviceMode::Topology { .. } => Self::Whole,
            DeviceMode::Share => Self::Part,
        }
    }

    /// How a plain amount granularity on devices that hold `each`; nothing if it cannot.
    pub(super) fn plainly(self, resource: ResourceId, amount: i64, each: i64) -> Option<Devices> {
        let whole = amount % each == 0;
        match self {
            Self::Either => split_over_devices(resource, amount, each),
            Self::Whole => whole.then_some(split_over_devices(resource, amount, each)?),
            Self::Part => (amount <= each).then_some(Devices { resource, count: 1, each: amount }),
        }
    }

    /// Whether so much of each of several devices may be asked of devices that hold `each`.
    pub(super) fn lets(self, ask: &Devices, each: i64) -> bool {
        self != Self::Whole || ask.each == each
    }
}

fn asked(template: &Template, resource: ResourceId) -> Option<i64> {
    template.request.iter().find(|(r, _)| *r == resource).map(|(_, amount)| *amount)
}

impl NodeDevices {
    fn available(&self) -> impl Iterator<Item = i64> + Clone {
        self.free.iter().zip(&self.reserved).map(|(free, reserved)| free - reserved)
    }

    fn ask(&self, template: &Template) -> Option<Option<Devices>> {
        if let Some(ask) = template.devices.iter().find(|ask| ask.resource == self.resource) {
            return self.granularity.lets(ask, self.each).then_some(Some(*ask));
        }
        match asked(template, self.resource) {
            None => Some(None),
            Some(amount) => self.granularity.plainly(self.resource, amount, self.each).map(Some),
        }
    }

    /// The same where a bank stands beside this one: a pod says on how many devices by either.
    fn ask_beside(&self, beside: &Self, template: &Template) -> Option<Option<Devices>> {
        let told = template.devices.iter().find(|ask| ask.resource == beside.resource);
        let (resource, amount) = (self.resource, asked(template, self.resource));
        match (told, amount) {
            (Some(told), _) => {
                let (amount, count) = (amount.unwrap_or(0), told.count);
                (amount % i64::from(count) == 0)
                    .then(|| Some(Devices { resource, count, each: amount / i64::from(count) }))
            }
            (None, None) => Some(asked(template, beside.resource).map(|_| Devices { resource, count: 1, each: 0 })),
            (None, Some(_)) => self.ask(template),
        }
    }

    /// How much of this bank each of so many devices is asked for; nothing where it cannot be.
    pub(crate) fn part(&self, template: &Template, count: u32) -> Option<i64> {
        let (amount, count) = (asked(template, self.resource).unwrap_or(0), i64::from(count.max(1)));
        (amount % count == 0 && amount / count <= self.each).then_some(amount / count)
    }

    /// What is free on ill devices counts as reserved, or no longer does.
    pub(super) fn reserve_unhealthy(&mut self, ill: DeviceSet) -> i64 {
        self.unhealthy_reserve = SmallVec::from_elem(0, self.free.len());
        for device in ill.iter() {
            let at = device as usize;
            let (Some(free), Some(reserved), Some(unhealthy_reserve)) =
                (self.free.get(at), self.reserved.get_mut(at), self.unhealthy_reserve.get_mut(at))
            else {
                continue;
            };
            *unhealthy_reserve = (free - *reserved).max(0);
            *reserved += *unhealthy_reserve;
        }
        self.unhealthy_reserve.iter().sum()
    }

    pub(super) fn release_unhealthy(&mut self) -> i64 {
        let unhealthy_reserve = std::mem::take(&mut self.unhealthy_reserve);
        for (reserved, unhealthy_reserve) in self.reserved.iter_mut().zip(&unhealthy_reserve) {
            *reserved -= unhealthy_reserve;
        }
        unhealthy_reserve.iter().sum()
    }
}

impl Node {
    /// Whether one of these devices takes no new pods.
    pub(crate) fn is_ill(&self, devices: DeviceSet) -> bool {
        self.spec.unhealthy.0 & devices.0 != 0
    }

    /// What each device has available.
    pub(super) fn devices(&self) -> impl Iterator<Item = i64> + Clone {
        self.banks.first().into_iter().flat_map(NodeDevices::available)
    }

    /// How the template's request granularity on this node's devices; nothing if it cannot at all.
    pub(crate) fn device_ask(&self, template: &Template) -> Option<Option<Devices>> {
        match self.banks.as_slice() {
            [] => Some(None),
            [bank] => bank.ask(template),
            [bank, beside, ..] => bank.ask_beside(beside, template),
        }
    }

    /// The devices with room for their part of the ask, each with what it has available, by index.
    pub(crate) fn fitting<'a>(
        &'a self,
        template: &Template,
        ask: Devices,
    ) -> Option<impl Iterator<Item = (i64, u32)> + Clone + use<'a>> {
        let part = match self.banks.get(1) {
            Some(beside) => beside.part(template, ask.count)?,
            None => 0,
        };
        let beside = self.banks.get(1);
        let has = move |device: u32| {
            let at = device as usize;
            let available = |bank: &NodeDevices| Some(bank.free.get(at)? - bank.reserved.get(at)?);
            beside.is_none_or(|bank| available(bank).is_some_and(|available| available >= part))
        };
        let fits = move |(available, device): &(i64, u32)| *available >= ask.each && has(*device);
        Some(self.devices().zip(0u32..).filter(fits))
    }

    /// The devices that fit the pod, by the node's choice, lowest index first; nothing if it does not fit (P1). Some
    /// placement policies give it others: [`Nodes::devices`](crate::scheduler::nodes::Nodes::devices).
    pub(crate) fn choose(&self, template: &Template) -> Option<DeviceSet> {
        if template.request.iter().any(|(resource, amount)| self.available(*resource) < *amount) {
            return None;
        }
        let Some(ask) = self.device_ask(template)? else { return Some(DeviceSet::default()) };
        let mut fitting: SmallVec<[(i64, u32); 8]> = self.fitting(template, ask)?.collect();
        let count = ask.count as usize;
        if fitting.len() < count {
            return None;
        }
        match self.banks.first()?.order {
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

/// So many of these devices, close to each other: within the smallest island that has them, of equal ones the one with the
/// fewest free, then the first. Where no island has so many: all of the one with the most free, the rest among the others.
fn closest(free: &[u32], count: usize, islands: &[u32]) -> DeviceSet {
    let set = |devices: &[u32]| DeviceSet(devices.iter().fold(0, |set, device| set | 1 << device));
    for (level, size) in islands.iter().enumerate().filter(|_| count > 0) {
        let has = groups(free, *size).into_iter().filter(|island| island.len() >= count);
        if let Some(island) = has.min_by_key(|island| island.len()) {
            return closest(island, count, islands.get(..level).unwrap_or_default());
        }
    }
    let Some(largest) = islands.last().filter(|_| count > 0) else { return set(free.get(..count).unwrap_or_default()) };
    let most = groups(free, *largest).into_iter().min_by_key(|island| Reverse(island.len())).unwrap_or_default();
    let others: SmallVec<[u32; 8]> = free.iter().copied().filter(|device| !most.contains(device)).collect();
    DeviceSet(set(most).0 | closest(&others, count.saturating_sub(most.len()), islands).0)
}

/// Devices in order of their indices, island by island.
fn groups(free: &[u32], size: u32) -> SmallVec<[&[u32]; 8]> {
    free.chunk_by(|a, b| a / size.max(1) == b / size.max(1)).collect()
}
