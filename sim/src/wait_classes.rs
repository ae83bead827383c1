//! Classes of waiting pods. Core workloads of one namespace form a class if their first pods have equal requests and
//! they were created with the same number of pods. All pods of a class share the reason of the workload that the
//! scheduler tried last, so a thousand equal replicas cost one reason.

use crate::world::{NONE, World};
use std::collections::BTreeMap;

/// The waiting pods of a class.
#[derive(Debug, Default)]
struct Class {
    /// The number of waiting pods.
    waiting: u64,
    /// When the scheduler last gave a reason.
    told: Option<u64>,
}

/// All classes, numbered from 0. A number never changes.
#[derive(Debug, Default)]
pub(crate) struct WaitClasses {
    classes: Vec<Class>,
    /// The numbers of classes, by namespace, request of a pod, and number of pods at creation.
    numbers: BTreeMap<(u32, u32, u32), u32>,
    /// The class of each core workload.
    of: Vec<u32>,
    /// Classes that need a reason, each with a workload for which to get one.
    fresh: BTreeMap<u32, u32>,
}

impl WaitClasses {
    /// The class of a core workload, if it already has one.
    pub(crate) fn known(&self, unit: u32) -> Option<u32> {
        self.of.get(unit as usize).copied().filter(|class| *class != NONE)
    }

    /// The class of a core workload, which is assigned if it has none. O(log n) the first time, O(1) later.
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

    /// Forgets the class of a core workload. The caller must then count all waiting pods again.
    pub(crate) fn forget(&mut self, unit: u32) {
        if let Some(class) = self.of.get_mut(unit as usize) {
            *class = NONE;
        }
    }

    /// Counts a pod of a class that begins to wait, or stops waiting. With the first waiting pod, the class needs a
    /// reason.
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

    /// Marks that a class needs a new reason, that of a given core workload.
    pub(crate) fn ask_for(&mut self, class: u32, unit: u32) {
        self.fresh.insert(class, unit);
    }

    /// Records that the scheduler gave a reason.
    pub(crate) fn told(&mut self, class: u32, now: u64) {
        if let Some(record) = self.classes.get_mut(class as usize) {
            record.told = Some(now);
        }
    }

    /// The core workloads for which to get a reason, of classes that wait and got no reason at this time.
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

    /// Resets all counts: the caller must count all waiting pods again.
    pub(crate) fn clear(&mut self) {
        for class in &mut self.classes {
            class.waiting = 0;
        }
    }
}
