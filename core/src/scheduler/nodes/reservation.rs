//! Amounts on one node: what a pod uses there, and what a hold reserves (H1).

use crate::scheduler::state::ResourceId;
use smallvec::SmallVec;

/// Amounts on one node, by resource and by device.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct NodeReservation {
    pub(crate) resources: SmallVec<[(ResourceId, i64); 4]>,
    /// By the node's list of devices (position and index of the device): the amount.
    pub(crate) devices: SmallVec<[((u8, u32), i64); 4]>,
}

impl NodeReservation {
    /// Adds `sign` times these amounts. After a subtraction of what others will free, amounts may be below 0 until
    /// [`clip`](Self::clip).
    pub(crate) fn add(&mut self, other: &Self, sign: i64) {
        merge(&mut self.resources, &other.resources, sign);
        merge(&mut self.devices, &other.devices, sign);
    }

    /// Drops the amounts that are not positive.
    pub(crate) fn clip(&mut self) {
        self.resources.retain(|(_, amount)| *amount > 0);
        self.devices.retain(|(_, amount)| *amount > 0);
    }
}

fn merge<K: Copy + Eq>(into: &mut SmallVec<[(K, i64); 4]>, from: &[(K, i64)], sign: i64) {
    for (key, amount) in from {
        match into.iter_mut().find(|(k, _)| k == key) {
            Some((_, sum)) => *sum += sign * amount,
            None => into.push((*key, sign * amount)),
        }
    }
}
