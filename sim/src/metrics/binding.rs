//! For which resource pods wait: the one that the last reason of their class named, and before any did, all that they
//! request. A guarantee is unmet only in that resource: who waits for GPUs is not owed cores, however idle they are.
//!
//! Pods of a class share their reason ([`WaitClasses`]). A class that the tree promises nothing waits for nothing that it
//! could be owed.

use crate::{
    wait_classes::WaitClasses,
    world::{State, World},
};
use quotree_core::{BlockingReason, Plan, Scheduler, WorkloadId};
use std::collections::BTreeMap;

/// What the waiting pods of a class request, and for which resource they wait.
#[derive(Debug)]
struct Class {
    namespace: u32,
    shape: u32,
    /// Whether the tree promises its namespace some of all that a pod requests.
    promised: bool,
    /// By resource number.
    request: BTreeMap<u32, i128>,
    /// The resource that was named last.
    named: Option<u32>,
}

/// Another resource is named for a class.
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
    /// By number of the class.
    records: Vec<Class>,
}

impl Binding {
    /// A tree takes effect. Nothing waits any more: the waiting pods are entered anew.
    pub(super) fn plant(&mut self, promises: impl Fn(u32, u32) -> bool) {
        self.classes.clear();
        for class in &mut self.records {
            class.request.clear();
            class.promised = promises(class.namespace, class.shape);
        }
    }

    /// The class of a core workload. `promises` tells whether the tree promises a namespace some of all that a pod of a
    /// shape requests.
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

    /// Whether the waiting pods of a class wait for a resource of which they may be owed some.
    pub(super) fn waits_for(&self, class: u32, resource: u32) -> bool {
        let record = self.records.get(class as usize);
        record.is_none_or(|class| class.promised && class.named.is_none_or(|named| named == resource))
    }

    /// A pod of a class begins to wait (1), or waits no more (-1).
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

    /// The resources that the reasons of a plan name, where they are others than before.
    pub(super) fn decided(&mut self, plan: &Plan, world: &World<'_>) -> Vec<Renamed> {
        let verdicts = plan.verdicts.iter();
        verdicts.filter_map(|verdict| self.told(world, verdict.workload.0, &verdict.binding)).collect()
    }

    /// All events of this time have been handled: workloads that the scheduler has not tried get their first reason.
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

    /// Another resource is named for a class from now on.
    pub(super) fn rename(&mut self, renamed: &Renamed) {
        if let Some(class) = self.records.get_mut(renamed.class as usize) {
            class.named = Some(renamed.resource);
        }
    }
}

/// By how many a change of state changes the pods that wait.
pub(super) fn waits(from: State, to: State) -> i128 {
    i128::from(to == State::Waiting) - i128::from(from == State::Waiting)
}
