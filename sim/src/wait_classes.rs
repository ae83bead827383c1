//! Classes of waiting pods. Core workloads of one namespace whose first pods have equal requests, and that began with as
//! many pods, form a class. All pods of a class share the reason of the workload that the scheduler tried last, so a
//! thousand equal replicas cost one reason.

use crate::world::{NONE, World};
use std::collections::BTreeMap;

/// What waits in a class.
#[derive(Debug, Default)]
struct Class {
    /// Pods that wait.
    waiting: u64,
    /// When the scheduler last gave a reason.
    told: Option<u64>,
}

/// All classes by number; numbers count up from 0 and stay.
#[derive(Debug, Default)]
pub(crate) struct WaitClasses {
    classes: Vec<Class>,
    /// By namespace, request of a pod, and pods at the start.
    numbers: BTreeMap<(u32, u32, u32), u32>,
    /// The class of each core workload.
    of: Vec<u32>,
    /// Classes that need a reason, with a workload to ask for.
    fresh: BTreeMap<u32, u32>,
}

impl WaitClasses {
    /// The class of a core workload that has one already.
    pub(crate) fn known(&self, unit: u32) -> Option<u32> {
        self.of.get(unit as usize).copied().filter(|class| *class != NONE)
    }

    /// The class of a core workload, which gets one if it has none. O(log n) the first time, O(1) later.
    pub(crate) fn number(&mut self, world: &World<'_>, unit: u32) -> u32 {
        if let Some(class) = self.known(unit) {
            return class;
        }
        let place = unit as usize;
        if place >= self.of.len() {
            self.of.resize(place + 1, NONE);
        }
        let record = &world.units[unit];
        let shape = world.pods[record.first_pod].shape;
        let next = u32::try_from(self.classes.len()).unwrap_or(NONE);
        let number = *self.numbers.entry((record.namespace, shape, record.first_count)).or_insert(next);
        if number == next {
            self.classes.push(Class::default());
        }
        if let Some(slot) = self.of.get_mut(place) {
            *slot = number;
        }
        number
    }

    /// A pod of a class begins to wait, or waits no more. The first one that waits needs a reason.
    pub(crate) fn shift(&mut self, class: u32, unit: u32, begins: bool) {
        let Some(record) = self.classes.get_mut(class as usize) else { return };
        if !begins {
            record.waiting = record.waiting.saturating_sub(1);
            return;
        }
        if record.waiting == 0 {
            self.fresh.insert(class, unit);
        }
        record.waiting += 1;
    }

    /// A class needs a new reason: that of a core workload.
    pub(crate) fn ask_for(&mut self, class: u32, unit: u32) {
        self.fresh.insert(class, unit);
    }

    /// The scheduler gave a reason.
    pub(crate) fn told(&mut self, class: u32, now: u64) {
        if let Some(record) = self.classes.get_mut(class as usize) {
            record.told = Some(now);
        }
    }

    /// The core workloads to ask for, of classes that wait and were given no reason at this time.
    pub(crate) fn take_untold(&mut self, now: u64) -> Vec<u32> {
        // Mostly nothing began to wait.
        if self.fresh.is_empty() {
            return Vec::new();
        }
        let fresh = std::mem::take(&mut self.fresh).into_iter();
        let is_untold = |class: &Class| class.waiting > 0 && class.told != Some(now);
        fresh
            .filter(|(class, _)| self.classes.get(*class as usize).is_some_and(is_untold))
            .map(|(_, unit)| unit)
            .collect()
    }

    /// Nothing waits any more: all waiting pods are counted anew.
    pub(crate) fn clear(&mut self) {
        for class in &mut self.classes {
            class.waiting = 0;
        }
    }
}
