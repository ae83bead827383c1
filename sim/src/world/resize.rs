//! Pods that are resized in place (E5). The kubelet asks no scheduler, so a pod that has a node stays there and uses what
//! it requests now, whether that fits or not. A terminating pod is not resized any more.

use super::{Fact, State, World, cost, job_queue};
use crate::trace::TraceEvent;
use quotree_core::{Amounts, Event, PodTemplate};
use std::{borrow::Cow, sync::Arc};

/// What a pod of a workload requests that is created now, with its shape. `stated` is the template of the scenario, and
/// `shape` the shape of that.
pub(crate) fn current(
    world: &mut World<'_>,
    workload: u32,
    (stated, shape): (&Arc<PodTemplate>, u32),
) -> (Arc<PodTemplate>, u32) {
    match world.edits.template(workload, stated) {
        Cow::Borrowed(same) => (Arc::clone(same), shape),
        Cow::Owned(resized) => {
            let shape = world.shapes.add(&resized);
            (resized, shape)
        }
    }
}

/// Resizes all pods of a workload that are not terminating, those of a suspended job too. Costs a pass over all pods, for
/// the metrics.
pub(crate) fn resize(world: &mut World<'_>, resized: u32, request: &Amounts) {
    world.edits.resize(resized, request);
    let owners: Vec<u32> = world.controllers.ids().filter(|id| world.controllers[*id].workload == resized).collect();
    for owner in owners {
        let stated = match world.kind(owner).and_then(|kind| kind.template()) {
            Some(template) => (template, world.controllers[owner].shape),
            None => continue,
        };
        let (template, shape) = current(world, resized, stated);
        for unit in world.controllers[owner].units.clone() {
            if world.units[unit].live > 0 {
                job_queue::resize(world, unit, &template);
                resize_unit(world, unit, (&template, shape));
            }
        }
    }
    world.emit(Fact::Resized);
}

fn resize_unit(world: &mut World<'_>, unit: u32, (template, shape): (&Arc<PodTemplate>, u32)) {
    let is_known = !world.job_queues.is_suspended(unit);
    for pod in world.pods_of(unit) {
        let record = world.pods[pod];
        if !record.state.is_live() || record.state == State::Leaving || record.shape == shape {
            continue;
        }
        world.pods[pod].shape = shape;
        if record.state.holds_resources() {
            let account = world.units[unit].account;
            let rows = (&world.shapes.rows[record.shape], &world.shapes.rows[shape]);
            world.accounts.resize(account, rows, world.now);
            cost::discharge(world, pod);
            cost::charge(world, pod, record.node);
        }
        let id = world.id_of(pod);
        world.emit(Fact::PodResized { pod, from: record.shape });
        world.trace(TraceEvent::Resized { pod: id, shape });
        if is_known {
            world.tell(Event::PodChanged { pod: id, template: Arc::clone(template) });
        }
    }
}
