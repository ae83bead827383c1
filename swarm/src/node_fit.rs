//! The free resources of a node, and whether a pod fits there by P1: amounts, labels, taints, and devices in each mode.
//! Shares no code with the scheduler.

use quotree_core::{DeviceMode, Name, NodeSpec, NodeView, PodTemplate};
use std::collections::BTreeMap;

/// The free resources of a node.
#[derive(Debug, Clone)]
pub(crate) struct FreeSpace<'a> {
    pub(crate) spec: &'a NodeSpec,
    free: BTreeMap<Name, i64>,
    /// What is free on each device, by resource: a device has one or two.
    devices: Vec<(Name, Vec<i64>)>,
}

/// The number of devices that a pod needs, and how much of each resource on every one.
struct Need {
    count: usize,
    each: Vec<i64>,
}

impl<'a> FreeSpace<'a> {
    pub(crate) fn new(spec: &'a NodeSpec, view: &NodeView) -> Self {
        let free =
            |(name, all): (&Name, i64)| (name.clone(), all.saturating_sub(view.used.get(name.as_str()).unwrap_or(0)));
        Self { spec, free: spec.allocatable.iter().map(free).collect(), devices: view.devices_free.clone() }
    }

    /// A lower bound of how many pods with this template fit on the node at once, at most `most`.
    pub(crate) fn takes(&self, pod: &PodTemplate, most: usize) -> usize {
        let mut space = self.clone();
        let mut taken = 0;
        while taken < most
            && let Some(after) = space.with(pod)
        {
            (space, taken) = (after, taken + 1);
            // With two resources on a device, the choice for the first pod may change how many more fit.
            if self.devices.len() > 1 && pod.devices.as_ref().is_some_and(|ask| ask.count > 1) {
                break;
            }
        }
        taken
    }

    /// The node after the pod was placed on it; `None` if it does not fit.
    fn with(&self, pod: &PodTemplate) -> Option<Self> {
        let label = |wanted: &Name| self.spec.labels.iter().find(|(name, _)| name == wanted).map(|(_, value)| value);
        let selected =
            pod.selector.iter().all(|(name, values)| label(name).is_some_and(|value| values.contains(value)));
        if !selected || !self.spec.taints.iter().all(|taint| pod.tolerations.contains(taint)) {
            return None;
        }
        let mut after = self.clone();
        for (name, amount) in pod.request.iter().filter(|(_, n)| *n > 0) {
            let free = after.free.get_mut(name)?;
            *free = free.checked_sub(amount).filter(|left| *left >= 0)?;
        }
        let need = self.need(pod)?;
        let has = |device: &usize| {
            let well = self.spec.unhealthy.0 >> device & 1 == 0;
            let mut banks = self.devices.iter().zip(&need.each);
            well && banks.all(|((_, free), each)| free.get(*device).is_some_and(|free| free >= each))
        };
        let mut fits: Vec<usize> = (0..self.devices.first().map_or(0, |(_, free)| free.len())).filter(has).collect();
        // Fullest devices first: the emptier ones fit more later.
        fits.sort_by_key(|device| self.devices.first().and_then(|(_, free)| free.get(*device)).copied());
        if fits.len() < need.count {
            return None;
        }
        for device in fits.iter().take(need.count) {
            for ((_, free), each) in after.devices.iter_mut().zip(&need.each) {
                *free.get_mut(*device)? -= each;
            }
        }
        Some(after)
    }

    /// What a pod needs of the devices; `None` if this node cannot assign its devices that way.
    fn need(&self, pod: &PodTemplate) -> Option<Need> {
        let asked = |name: &Name| pod.request.get(name.as_str()).filter(|amount| *amount > 0);
        let names: Vec<&Name> = self.spec.devices.iter().map(|devices| &devices.resource).collect();
        let amounts: Vec<i64> = names.iter().map(|name| asked(name).unwrap_or(0)).collect();
        let whole: Vec<i64> = self.spec.devices.iter().map(|devices| devices.each).collect();
        let (Some(first), Some(amount)) = (whole.first().copied(), amounts.first().copied()) else {
            return Some(Need { count: 0, each: Vec::new() });
        };
        if amounts.iter().all(|amount| *amount == 0) {
            return Some(Need { count: 0, each: amounts });
        }
        let stated = pod.devices.as_ref().filter(|ask| names.contains(&&ask.resource));
        let whole_only = matches!(self.spec.mode, DeviceMode::Exclusive | DeviceMode::Topology { .. });
        let count = match (stated, &self.spec.mode) {
            (Some(ask), _) if whole_only && ask.each != first => return None,
            (Some(ask), _) => i64::from(ask.count),
            (None, DeviceMode::Share) => 1,
            (None, DeviceMode::Fraction) if amount < first => 1,
            (None, _) if amount % first == 0 => amount / first,
            (None, _) => return None,
        };
        let each = amounts.iter().zip(&whole).map(|(amount, whole)| {
            let each = amount.checked_div(count).filter(|_| amount % count == 0)?;
            Some(each).filter(|each| each <= whole)
        });
        Some(Need { count: usize::try_from(count).ok()?, each: each.collect::<Option<_>>()? })
    }
}
