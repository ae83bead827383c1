//! The devices of a node, and how a request is divided over them by the node's mode: whole devices or fractions (P1).
//!
//! A device holds one resource, or two (such as memory and cores). With two, the node has two [`NodeDevices`] that
//! describe the same devices. A pod gets the same amount on each of its devices. What is free on an unhealthy device
//! counts as reserved, so that no pod gets it.

use crate::{
    api::{DeviceChoice, DeviceMode, DeviceSet, NodeSpec},
    scheduler::state::{DeviceRequest, ResourceId, Template},
};
use smallvec::SmallVec;

/// One resource of a node's devices.
#[derive(Debug, Clone)]
pub(crate) struct NodeDevices {
    pub(crate) resource: ResourceId,
    /// What one device holds, base units.
    pub(crate) each: i64,
    pub(crate) free: SmallVec<[i64; 8]>,
    pub(crate) reserved: SmallVec<[i64; 8]>,
    /// The part of `reserved` that keeps pods off unhealthy devices. Empty where all devices are healthy.
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

/// How a node's mode allows a request to be divided over its devices.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum DeviceGranularity {
    /// Whole devices, or a fraction of one device.
    WholeOrFraction,
    /// Whole devices only.
    Whole,
    /// Part of one device, or all of it (mode `Share`). More devices only by an explicit device request.
    AtMostOne,
}

impl DeviceGranularity {
    pub(super) fn of(mode: &DeviceMode) -> Self {
        match mode {
            DeviceMode::Fraction => Self::WholeOrFraction,
            DeviceMode::Exclusive | DeviceMode::Topology { .. } => Self::Whole,
            DeviceMode::Share => Self::AtMostOne,
        }
    }

    /// How an amount without a device request is divided over devices that hold `each`; nothing if that is impossible.
    pub(super) fn split(self, resource: ResourceId, amount: i64, each: i64) -> Option<DeviceRequest> {
        let whole = amount % each == 0;
        match self {
            Self::WholeOrFraction => split_over_devices(resource, amount, each),
            Self::Whole => split_over_devices(resource, amount, each).filter(|_| whole),
            Self::AtMostOne => (amount <= each).then_some(DeviceRequest { resource, count: 1, each: amount }),
        }
    }

    /// Whether a device request is allowed on devices that hold `each`.
    pub(super) fn allows(self, ask: &DeviceRequest, each: i64) -> bool {
        self != Self::Whole || ask.each == each
    }
}

/// How an amount is divided over devices that hold `each`: whole ones, or a fraction of one.
fn split_over_devices(resource: ResourceId, amount: i64, each: i64) -> Option<DeviceRequest> {
    if amount <= each {
        return Some(DeviceRequest { resource, count: 1, each: amount });
    }
    let whole = amount % each == 0;
    whole.then(|| DeviceRequest { resource, count: u32::try_from(amount / each).unwrap_or(u32::MAX), each })
}

fn requested(template: &Template, resource: ResourceId) -> Option<i64> {
    template.request.iter().find(|(r, _)| *r == resource).map(|(_, amount)| *amount)
}

impl NodeDevices {
    /// What each device has available.
    pub(crate) fn available(&self) -> impl Iterator<Item = i64> + Clone {
        self.free.iter().zip(&self.reserved).map(|(free, reserved)| free - reserved)
    }

    /// How a request is divided over these devices. `Some(None)`: it needs none. `None`: it is not allowed here.
    pub(super) fn ask(&self, template: &Template) -> Option<Option<DeviceRequest>> {
        if let Some(ask) = template.devices.iter().find(|ask| ask.resource == self.resource) {
            return self.granularity.allows(ask, self.each).then_some(Some(*ask));
        }
        match requested(template, self.resource) {
            None => Some(None),
            Some(amount) => self.granularity.split(self.resource, amount, self.each).map(Some),
        }
    }

    /// As [`ask`](Self::ask), for devices that hold a second resource, too. Only mode `Share` has such devices, so
    /// parts of any size are allowed. A request may imply the number of devices by either resource.
    pub(super) fn ask_with_second(&self, second: &Self, template: &Template) -> Option<Option<DeviceRequest>> {
        let explicit = template.devices.iter().find(|ask| ask.resource == second.resource);
        let (resource, amount) = (self.resource, requested(template, self.resource));
        match (explicit, amount) {
            (Some(explicit), _) => {
                let (amount, count) = (amount.unwrap_or(0), explicit.count);
                (amount % i64::from(count) == 0)
                    .then(|| Some(DeviceRequest { resource, count, each: amount / i64::from(count) }))
            }
            (None, None) => {
                Some(requested(template, second.resource).map(|_| DeviceRequest { resource, count: 1, each: 0 }))
            }
            (None, Some(_)) => self.ask(template),
        }
    }

    /// How much of this resource a pod needs on each of `count` devices; nothing where its request does not divide
    /// evenly.
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
