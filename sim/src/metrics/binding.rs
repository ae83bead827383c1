//! For which resource pods wait: the one that the last reason of their class named, and before any did, all that they
//! request. A guarantee is unmet only in that resource: who waits for GPUs is not owed cores, however idle they are.
//!
//! Workloads of one namespace with equal requests form a class and share the reason of the workload of the class that
//! the scheduler judged last.

use crate::world::{NONE, State, World};
use quotree_core::{BlockingReason, Plan, Scheduler, WorkloadId};
use std::collections::BTreeMap;

/// Workloads of one namespace with equal requests.
#[derive(Debug, Default)]
struct Class {
    namespace: u32,
    /// Pods that wait, and what they request by resource number.
    pods: u64,
    request: BTreeMap<u32, i128>,
    /// The resource that was named last.
    named: Option<u32>,
    /// When the scheduler last gave a reason.
    told: Option<u64>,
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
    classes: Vec<Class>,
    numbers: BTreeMap<(u32, u32, u32), u32>,
    /// The class of each core workload.
    of: Vec<u32>,
    /// Classes of which a workload began to wait although none did before, with that workload.
    fresh: BTreeMap<u32, u32>,
}

impl Binding {
    /// Nothing waits any more: the waiting pods are entered anew.
    pub(super) fn plant(&mut self) {
        for class in &mut self.classes {
            class.pods = 0;
            class.request.clear();
        }
    }

    /// The class of a core workload.
    pub(super) fn class(&mut self, world: &World<'_>, unit: u32) -> u32 {
        let place = unit as usize;
        if place >= self.of.len() {
            self.of.resize(place + 1, NONE);
        }
        if let Some(class) = self.of.get(place).filter(|class| **class != NONE) {
            return *class;
        }
        let record = &world.units[unit];
        let shape = world.pods[record.first_pod].shape;
        let next = u32::try_from(self.classes.len()).unwrap_or(NONE);
        let number = *self.numbers.entry((record.namespace, shape, record.first_count)).or_insert(next);
        if number == next {
            self.classes.push(Class { namespace: record.namespace, ..Class::default() });
        }
        if let Some(slot) = self.of.get_mut(place) {
            *slot = number;
        }
        number
    }

    /// Whether the waiting pods of a class wait for a resource.
    pub(super) fn waits_for(&self, class: u32, resource: u32) -> bool {
        let named = self.classes.get(class as usize).and_then(|class| class.named);
        named.is_none_or(|named| named == resource)
    }

    /// A pod of a class begins to wait (1), or waits no more (-1).
    pub(super) fn shift(&mut self, class: u32, (unit, waits): (u32, i128), row: &[(u32, i64)]) {
        let Some(record) = self.classes.get_mut(class as usize) else { return };
        if waits > 0 && record.pods == 0 {
            self.fresh.insert(class, unit);
        }
        record.pods = if waits > 0 { record.pods + 1 } else { record.pods.saturating_sub(1) };
        for (resource, amount) in row {
            *record.request.entry(*resource).or_default() += waits * i128::from(*amount);
        }
    }

    /// What the waiting pods of a class request, by resource number.
    pub(super) fn request(&self, class: u32) -> impl Iterator<Item = (u32, i128)> + '_ {
        let request = self.classes.get(class as usize).map(|class| &class.request);
        request.into_iter().flatten().map(|(resource, amount)| (*resource, *amount))
    }

    /// The resources that the reasons of a plan name, where they are others than before.
    pub(super) fn decided(&mut self, plan: &Plan, world: &World<'_>) -> Vec<Renamed> {
        let verdicts = plan.verdicts.iter();
        verdicts.filter_map(|verdict| self.told(world, verdict.workload.0, &verdict.binding)).collect()
    }

    /// All events of this time have been handled: workloads that the scheduler has not tried get their first reason.
    pub(super) fn settled(&mut self, world: &World<'_>, scheduler: &Scheduler) -> Vec<Renamed> {
        let fresh = std::mem::take(&mut self.fresh).into_iter();
        let told = fresh.filter_map(|(number, unit)| {
            let class = self.classes.get(number as usize)?;
            if class.pods == 0 || class.told == Some(world.now.0) {
                return None;
            }
            let reason = scheduler.bound_by(WorkloadId(unit))?;
            self.told(world, unit, &reason)
        });
        told.collect()
    }

    fn told(&mut self, world: &World<'_>, unit: u32, reason: &BlockingReason) -> Option<Renamed> {
        // What holds waits for the pods that it evicted, and for what it evicted them.
        if matches!(reason, BlockingReason::Held { .. }) || unit >= world.units.len() {
            return None;
        }
        let number = self.class(world, unit);
        let class = self.classes.get_mut(number as usize)?;
        class.told = Some(world.now.0);
        let (name, ..) = reason.amounts()?;
        let resource = world.shapes.resource(name.as_str()).filter(|resource| class.named != Some(*resource))?;
        Some(Renamed { class: number, namespace: class.namespace, resource })
    }

    /// Another resource is named for a class from now on.
    pub(super) fn rename(&mut self, renamed: &Renamed) {
        if let Some(class) = self.classes.get_mut(renamed.class as usize) {
            class.named = Some(renamed.resource);
        }
    }
}

/// By how many a change of state changes the pods that wait.
pub(super) fn waits(from: State, to: State) -> i128 {
    i128::from(to == State::Waiting) - i128::from(from == State::Waiting)
}
