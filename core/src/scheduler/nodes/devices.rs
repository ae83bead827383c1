//! Devices of a node: how a request falls on them, and which ones a pod gets (P1).

use super::Node;
use crate::{
    plan::DeviceSet,
    scheduler::shapes::{Devices, ResourceId, Template, spread},
};
use smallvec::SmallVec;

/// Devices of one resource on one node.
#[derive(Debug, Clone)]
pub(crate) struct Bank {
    pub(crate) resource: ResourceId,
    pub(crate) each: i64,
    pub(crate) free: SmallVec<[i64; 8]>,
    pub(crate) reserved: SmallVec<[i64; 8]>,
}

impl Node {
    /// What each device has available.
    pub(super) fn devices(&self) -> impl Iterator<Item = i64> + Clone {
        let bank = self.banks.first();
        bank.into_iter().flat_map(|bank| bank.free.iter().zip(&bank.reserved)).map(|(free, reserved)| free - reserved)
    }

    /// How the template's request falls on this node's devices; nothing if it cannot at all.
    pub(crate) fn device_ask(&self, template: &Template) -> Option<Option<Devices>> {
        let Some(bank) = self.banks.first() else { return Some(None) };
        if let Some(ask) = template.devices.iter().find(|ask| ask.resource == bank.resource) {
            return Some(Some(*ask));
        }
        let plain = template.request.iter().find(|(resource, _)| *resource == bank.resource);
        match plain {
            None => Some(None),
            Some((resource, amount)) => spread(*resource, *amount, bank.each).map(Some),
        }
    }

    /// The fullest devices that fit the pod, lowest index first; nothing if it does not fit (P1). Some placement policies
    /// give it others: [`Nodes::devices`].
    pub(crate) fn choose(&self, template: &Template) -> Option<DeviceSet> {
        if template.request.iter().any(|(resource, amount)| self.available(*resource) < *amount) {
            return None;
        }
        let Some(ask) = self.device_ask(template)? else { return Some(DeviceSet::default()) };
        let bank = self.banks.first()?;
        let mut fitting: SmallVec<[(i64, u32); 8]> = SmallVec::new();
        for (i, (free, reserved)) in (0u32..).zip(bank.free.iter().zip(&bank.reserved)) {
            if free - reserved >= ask.each {
                fitting.push((free - reserved, i));
            }
        }
        let count = ask.count as usize;
        if fitting.len() < count {
            return None;
        }
        fitting.sort_unstable();
        Some(DeviceSet(fitting.iter().take(count).fold(0, |set, (_, i)| set | 1 << i)))
    }
}
