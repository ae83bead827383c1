//! Reading the specification of a node: amounts by resource, devices, and the resources that placement scores.

use super::devices::{DeviceGranularity, DeviceOrder, NodeDevices};
use crate::{
    api::{DeviceMode, EventError, Name, NodeSpec},
    scheduler::state::{Interner, ResourceId},
};
use smallvec::SmallVec;

/// The resources that placement scores count: cpu and devices where the node has any of them, else all.
pub(super) fn scored(spec: &NodeSpec, interner: &mut Interner) -> Result<SmallVec<[ResourceId; 4]>, EventError> {
    let counts = |name: &Name| name == "cpu" || name.as_str().contains('/');
    let some = spec.allocatable.iter().any(|(name, _)| counts(name));
    spec.allocatable.iter().filter(|(name, _)| !some || counts(name)).map(|(name, _)| interner.resource(name)).collect()
}

/// Amounts by resource number, and the devices once for each resource that they hold.
pub(super) fn devices_of(
    spec: &NodeSpec,
    interner: &mut Interner,
) -> Result<(Vec<i64>, SmallVec<[NodeDevices; 1]>), EventError> {
    if let Some((resource, amount)) = spec.allocatable.iter().find(|(_, amount)| *amount < 0) {
        return Err(EventError::NegativeAmount { resource: resource.clone(), amount });
    }
    let mut total = Vec::new();
    for (name, amount) in spec.allocatable.iter() {
        let at = usize::from(interner.resource(name)?);
        if total.len() <= at {
            total.resize(at + 1, 0);
        }
        if let Some(cell) = total.get_mut(at) {
            *cell = amount;
        }
    }
    let mut held: SmallVec<[NodeDevices; 1]> = SmallVec::new();
    for devices in &spec.devices {
        let bad = |why| Err(EventError::BadDevices { resource: devices.resource.clone(), why });
        if devices.count > 64 || devices.each <= 0 {
            return bad("a node has at most 64 devices, each of a positive amount");
        }
        let fits = |first: &NodeDevices| spec.mode == DeviceMode::Share && first.free.len() == devices.count as usize;
        if held.len() > 1 || !held.iter().all(fits) {
            return bad("a node has one kind of devices; only shared ones hold a second resource, in the same number");
        }
        let sum = devices.each.checked_mul(i64::from(devices.count));
        if sum.is_none() || spec.allocatable.get(devices.resource.as_str()) != sum {
            return bad("the allocatable amount must be the number of devices times the amount of each");
        }
        let cells = |value| (0..devices.count).map(|_| value).collect();
        let resource = interner.resource(&devices.resource)?;
        if held.iter().any(|other| other.resource == resource) {
            return bad("the devices hold this resource already");
        }
        held.push(NodeDevices {
            resource,
            each: devices.each,
            free: cells(devices.each),
            reserved: cells(0),
            unhealthy_reserve: SmallVec::new(),
            granularity: DeviceGranularity::of(&spec.mode),
            order: DeviceOrder::of(spec),
        });
    }
    check_islands(spec)?;
    Ok((total, held))
}

/// Refuses islands whose sizes are not whole multiples of each other, and unhealthy devices that do not exist.
fn check_islands(spec: &NodeSpec) -> Result<(), EventError> {
    let first = spec.devices.first();
    let resource = || first.map_or_else(|| Name::from("devices"), |devices| devices.resource.clone());
    let bad = |why| Err(EventError::BadDevices { resource: resource(), why });
    if let DeviceMode::Topology { islands } = &spec.mode {
        let mut size = 1;
        for island in islands {
            if *island <= size || island % size != 0 {
                return bad("the sizes of islands must ascend, each a multiple of the one before, from 2 on");
            }
            size = *island;
        }
    }
    let count = first.map_or(0, |devices| devices.count);
    if spec.unhealthy.iter().any(|device| device >= count) {
        return bad("a device that is not there cannot be unhealthy");
    }
    Ok(())
}
