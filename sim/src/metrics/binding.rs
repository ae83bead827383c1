//! The resource that pods wait for: the one that the last reason of their class named, or, before there is a reason,
//! everything that they request. A guarantee counts as unmet only in that resource: a pod that waits for GPUs does not
//! lack guaranteed cores, however many are unused.
//!
//! Pods of a class share their reason ([`WaitClasses`]). A class without any guarantee in the tree lacks no guarantee.

use crate::{
    wait_classes::WaitClasses,
    world::{State, World},
};
use quotree_core::{BlockingReason, Plan, Scheduler, WorkloadId};
use std::collections::BTreeMap;

/// What the waiting pods of a class request, and which resource they wait for.
#[derive(Debug)]
struct Class {
    namespace: u32,
    shape: u32,
    /// Whether the tree guarantees its namespace some of every resource that a pod requests.
    promised: bool,
    /// The requests of its waiting pods, by resource number.
    request: BTreeMap<u32, i128>,
    /// The resource that the last reason named.
    named: Option<u32>,
}

/// The change of the resource that a class waits for.
#[derive(Debug, Clone)]
pub(super) struct Renamed {
    pub(super) class: u32,
    pub(super) namespace: u32,
    pub(super) resource: u32,
}

/// All classes.
#[derive(Debug, Default)]
pub(super) struct Binding {
    classes: WaitClasses,
    /// The classes, by number.
    records: Vec<Class>,
}

impl Binding {
    /// Prepares for a tree that takes effect. No pod counts as waiting afterwards: the caller must add the waiting pods
    /// again.
    pub(super) fn plant(&mut self, promises: impl Fn(u32, u32) -> bool) {
        self.classes.clear();
        for class in &mut self.records {
            class.request.clear();
            class.promised = promises(class.namespace, class.shape);
        }
    }

    /// The class of a core workload. `promises` returns whether the tree guarantees a namespace some of every resource
    /// that a pod of this shape requests.
    pub(super) fn class(&mut self, world: &World<'_>, unit: u32, promises: impl Fn(u32, u32) -> bool) -> u32 {
        let number = self.classes.number(world, unit);
        if number as usize == self.records.len() {
            let record = &world.units[unit];
            let (namespace, shape) = (record.namespace, world.pods[record.first_pod].shape);
            let promised = promises(namespace, shape);
            self.records.push(Class { namespace, shape, promised, request: BTreeMap::new(), named: None });
        }
        number
    }

    /// The pods of a core workload request something else: it may be of another class. The caller must then
    /// [`plant`](Self::plant).
    pub(super) fn forget(&mut self, unit: u32) {
        self.classes.forget(unit);
    }

    /// Whether the waiting pods of a class wait for a resource of which they may lack a guarantee.
    pub(super) fn waits_for(&self, class: u32, resource: u32) -> bool {
        let record = self.records.get(class as usize);
        record.is_none_or(|class| class.promised && class.named.is_none_or(|named| named == resource))
    }

    /// Counts a pod of a class that begins to wait (1), or stops waiting (-1).
    pub(super) fn shift(&mut self, class: u32, (unit, waits): (u32, i128), row: &[(u32, i64)]) {
        self.classes.shift(class, unit, waits > 0);
        let Some(record) = self.records.get_mut(class as usize) else { return };
        for (resource, amount) in row {
            *record.request.entry(*resource).or_default() += waits * i128::from(*amount);
        }
    }

    /// What the waiting pods of a class request, by resource number.
    pub(super) fn request(&self, class: u32) -> impl Iterator<Item = (u32, i128)> + '_ {
        let request = self.records.get(class as usize).map(|class| &class.request);
        request.into_iter().flatten().map(|(resource, amount)| (*resource, *amount))
    }

    /// Records the verdicts of a plan. Returns the classes of pods that now lack another resource than before.
    pub(super) fn decided(&mut self, plan: &Plan, world: &World<'_>) -> Vec<Renamed> {
        let verdicts = plan.verdicts.iter();
        verdicts.filter_map(|verdict| self.told(world, verdict.workload.0, &verdict.binding)).collect()
    }

    /// After all events of this time: the classes for which the first reason names a resource. This is for workloads
    /// that the scheduler has not tried.
    pub(super) fn settled(&mut self, world: &World<'_>, scheduler: &Scheduler) -> Vec<Renamed> {
        let untold = self.classes.take_untold(world.now.0).into_iter();
        untold.filter_map(|unit| self.told(world, unit, &scheduler.bound_by(WorkloadId(unit))?)).collect()
    }

    fn told(&mut self, world: &World<'_>, unit: u32, reason: &BlockingReason) -> Option<Renamed> {
        // What holds waits for the pods that it evicted, and for what it evicted them.
        if matches!(reason, BlockingReason::Held { .. }) || unit >= world.units.len() {
            return None;
        }
        let number = self.classes.known(unit)?;
        self.classes.told(number, world.now.0);
        let class = self.records.get(number as usize)?;
        let (name, ..) = reason.amounts()?;
        let resource = world.shapes.resource(name.as_str()).filter(|resource| class.named != Some(*resource))?;
        Some(Renamed { class: number, namespace: class.namespace, resource })
    }

    /// Sets the resource that a class waits for from now on.
    pub(super) fn rename(&mut self, renamed: &Renamed) {
        if let Some(class) = self.records.get_mut(renamed.class as usize) {
            class.named = Some(renamed.resource);
        }
    }
}

/// The change of the number of waiting pods by a change of state: 1, 0 or -1.
pub(super) fn waits(from: State, to: State) -> i128 {
    i128::from(to == State::Waiting) - i128::from(from == State::Waiting)
}
