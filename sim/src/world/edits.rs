//! Workloads that are edited while they run. A new value of a priority class applies to pods created from then on, as
//! in Kubernetes, where a pod keeps the value that its class had when the pod was created. If the workload itself is
//! edited, its pending and running pods change, too, and the workload has its own priority from then on, in all its
//! instances, tasks and rows.

use super::{World, job_queue};
use crate::{model::Priority, trace::TraceEvent};
use quotree_core::{Amounts, Event, Name, PodTemplate, WorkloadChange, WorkloadId};
use std::{borrow::Cow, collections::BTreeMap, sync::Arc};

/// Edited properties of workloads, by their index in the scenario, and edited priority classes.
#[derive(Debug, Clone, Default)]
pub(crate) struct Edits {
    classes: BTreeMap<Name, i32>,
    priorities: BTreeMap<u32, i32>,
    preemptible: BTreeMap<u32, bool>,
    requests: BTreeMap<u32, Amounts>,
}

impl Edits {
    /// Sets the priority of pods of a class that are created from now on.
    pub(crate) fn set_class(&mut self, class: &Name, priority: i32) {
        self.classes.insert(class.clone(), priority);
    }

    /// The priority of pods that a workload creates now: the edited one, else that of the trace row, else that of the
    /// scenario, by class or by number.
    pub(crate) fn priority(&self, workload: u32, own: Option<i32>, stated: &Priority) -> i32 {
        let by_class = || stated.class.as_ref().and_then(|class| self.classes.get(class)).copied();
        let edited = self.priorities.get(&workload).copied();
        edited.or(own).or_else(by_class).unwrap_or(stated.number)
    }

    /// Sets amounts that each pod of a workload requests from now on.
    pub(crate) fn resize(&mut self, workload: u32, request: &Amounts) {
        let all = self.requests.entry(workload).or_default();
        request.iter().for_each(|(name, amount)| all.set(name.clone(), amount));
    }

    /// The template of pods that a workload creates now.
    pub(crate) fn template<'t>(&self, workload: u32, stated: &'t Arc<PodTemplate>) -> Cow<'t, Arc<PodTemplate>> {
        let Some(request) = self.requests.get(&workload) else { return Cow::Borrowed(stated) };
        let mut template = (**stated).clone();
        request.iter().for_each(|(name, amount)| template.request.set(name.clone(), amount));
        Cow::Owned(Arc::new(template))
    }

    /// Whether pods that a workload creates now are preemptible.
    pub(crate) fn preemptible(&self, workload: u32, stated: bool) -> bool {
        self.preemptible.get(&workload).copied().unwrap_or(stated)
    }
}

/// Edits a workload with all its pods.
pub(crate) fn edit_workload(world: &mut World<'_>, edited: u32, priority: Option<i32>, preemptible: Option<bool>) {
    world.edits.priorities.extend(priority.map(|n| (edited, n)));
    world.edits.preemptible.extend(preemptible.map(|b| (edited, b)));
    // Its instances and tasks are edited with it.
    let owners = world.controllers.iter().filter(|owner| owner.workload == edited);
    let units: Vec<u32> = owners.flat_map(|owner| owner.units.iter().copied()).collect();
    for unit in units {
        if world.units[unit].live == 0 {
            continue;
        }
        let workload = WorkloadId(unit);
        world.trace(TraceEvent::Edited { workload, priority, preemptible });
        if job_queue::edit(world, unit, priority, preemptible) {
            continue;
        }
        world.tell(Event::WorkloadChanged(WorkloadChange { priority, preemptible, ..WorkloadChange::of(workload) }));
    }
}
