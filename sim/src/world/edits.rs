//! Workloads edited while they are there. A class that gets another number counts for pods made from then on, as in
//! Kubernetes, where a pod keeps the number its class had when it was created; a workload that is edited itself takes its
//! waiting and running pods along, and has from then on a number of its own, in all its instances, tasks and rows.

use crate::{engine::Engine, model::Priority, options::RunError, trace::TraceEvent};
use quotree_core::{Event, Name, WorkloadChange, WorkloadId};
use std::collections::BTreeMap;

/// What workloads of the scenario were edited into, by their place in it, and what classes became.
#[derive(Debug, Clone, Default)]
pub(crate) struct Edits {
    classes: BTreeMap<Name, i32>,
    priorities: BTreeMap<u32, i32>,
    preemptible: BTreeMap<u32, bool>,
}

impl Edits {
    /// The priority of pods that a workload makes now: what it was edited into, a number of their own, or what is stated,
    /// by a class or not.
    pub(crate) fn priority(&self, workload: u32, own: Option<i32>, stated: &Priority) -> i32 {
        let by_class = || stated.class.as_ref().and_then(|class| self.classes.get(class)).copied();
        let edited = self.priorities.get(&workload).copied();
        edited.or(own).or_else(by_class).unwrap_or(stated.number)
    }

    /// Whether pods that a workload makes now may be evicted.
    pub(crate) fn preemptible(&self, workload: u32, stated: bool) -> bool {
        self.preemptible.get(&workload).copied().unwrap_or(stated)
    }
}

impl Engine<'_> {
    /// Pods of a class that are made from now on have another priority.
    pub(crate) fn set_class(&mut self, class: &Name, priority: i32) {
        self.world.edits.classes.insert(class.clone(), priority);
    }

    /// A workload is edited with all its pods.
    pub(crate) fn edit_workload(
        &mut self,
        edited: u32,
        priority: Option<i32>,
        preemptible: Option<bool>,
    ) -> Result<(), RunError> {
        self.world.edits.priorities.extend(priority.map(|n| (edited, n)));
        self.world.edits.preemptible.extend(preemptible.map(|b| (edited, b)));
        // Its instances and tasks are edited with it.
        let owners = self.world.controllers.iter().filter(|owner| owner.workload == edited);
        let units: Vec<u32> = owners.flat_map(|owner| owner.units.iter().copied()).collect();
        for unit in units {
            if self.world.units[unit].live == 0 {
                continue;
            }
            let workload = WorkloadId(unit);
            self.trace(TraceEvent::Edited { workload, priority, preemptible });
            if self.edit_job(unit, priority, preemptible) {
                continue;
            }
            self.feed(Event::WorkloadChanged(WorkloadChange {
                priority,
                preemptible,
                ..WorkloadChange::of(workload)
            }))?;
        }
        Ok(())
    }
}
