//! Names of pods and units, made when somebody reads them.
//!
//! A pod of a Deployment or Job is `<workload>-<n>`, n counting up from 1 through all its pods, replacements included.
//! Instances of what arrives again and again are called `<workload>-<n>` in place of `<workload>`, n from 0, and tasks of a
//! workflow `<workflow>-<task>`. A member of a training is `<workload>-<role>-<i>`, i from 0, and a row of a trace has the name of the row (with `-<i>`
//! where it has several pods); what is started anew the k-th time ends in `-r<k>`.

use super::{NONE, World};
use crate::{
    model::{Kind, Scenario},
    result::RefusalRow,
    text::Names,
};
use quotree_core::{NodeId, PodId, QuotaTree, WorkloadId};
use std::borrow::Cow;

/// Names of everything in a simulated world.
pub(crate) struct WorldNames<'a> {
    pub(crate) scenario: &'a Scenario,
    pub(crate) world: &'a World,
    pub(crate) tree: &'a QuotaTree,
}

impl Names for WorldNames<'_> {
    fn tree(&self) -> &QuotaTree {
        self.tree
    }

    fn workload(&self, id: WorkloadId) -> Cow<'_, str> {
        unit_name(self.scenario, self.world, id.0).into()
    }

    fn pod(&self, id: PodId) -> Cow<'_, str> {
        match self.world.find(id) {
            Some(pod) => pod_name(self.scenario, self.world, pod).into(),
            None => id.to_string().into(),
        }
    }

    fn node(&self, id: NodeId) -> Cow<'_, str> {
        self.scenario.cluster.nodes.get(id.0 as usize).map_or_else(|| id.to_string().into(), |n| n.name.as_str().into())
    }

    fn refusal(&self, refusal: u32) -> Option<&RefusalRow> {
        self.world.refusals.all.get(refusal as usize).map(|refused| &refused.row)
    }

    fn pods(&self, id: WorkloadId) -> u32 {
        if id.0 < self.world.units.len() { self.world.units[id.0].count } else { 1 }
    }

    fn dataset(&self, place: u32) -> Cow<'_, str> {
        self.scenario.datasets.get(place as usize).map_or("", |dataset| dataset.name.as_str()).into()
    }
}

/// What an owner runs: of a task, what the task is.
pub(super) fn kind_of<'a>(scenario: &'a Scenario, world: &World, owner: u32) -> Option<&'a Kind> {
    let owner = &world.controllers[owner];
    let kind = &scenario.workloads.get(owner.workload as usize)?.kind;
    match kind {
        Kind::Workflow { tasks } if owner.task != NONE => tasks.get(owner.task as usize).map(|task| &task.kind),
        kind => Some(kind),
    }
}

/// The name of a workload, of an instance of it, or of a task.
pub(crate) fn owner_name(scenario: &Scenario, workload: u32, number: u32, task: u32) -> String {
    let Some(workload) = scenario.workloads.get(workload as usize) else { return String::new() };
    let mut name = workload.name.clone();
    if number != NONE {
        name += &format!("-{number}");
    }
    if let Kind::Workflow { tasks } = &workload.kind
        && let Some(task) = tasks.get(task as usize)
    {
        name += &format!("-{}", task.name);
    }
    name
}

/// The name of a unit.
pub(crate) fn unit_name(scenario: &Scenario, world: &World, unit: u32) -> String {
    if unit >= world.units.len() {
        return WorkloadId(unit).to_string();
    }
    let unit = &world.units[unit];
    let Some(kind) = kind_of(scenario, world, unit.owner) else {
        return String::new();
    };
    let owner = &world.controllers[unit.owner];
    let name = owner_name(scenario, owner.workload, owner.number, owner.task);
    let again = if unit.turn == 0 { String::new() } else { format!("-r{}", unit.turn) };
    match kind {
        Kind::Deployment { .. } | Kind::Job { .. } => format!("{name}-{}", unit.number),
        Kind::Training { .. } | Kind::Workflow { .. } => format!("{name}{again}"),
        Kind::Trace { rows, .. } => {
            let row = rows.get(unit.number as usize).map_or("", |r| &r.name);
            format!("{row}{again}")
        }
    }
}

/// The name of a pod.
pub(crate) fn pod_name(scenario: &Scenario, world: &World, pod: u32) -> String {
    let (unit_id, role) = (world.pods[pod].unit, world.pods[pod].role);
    let unit = &world.units[unit_id];
    let Some(kind) = kind_of(scenario, world, unit.owner) else {
        return String::new();
    };
    let again = if unit.turn == 0 { String::new() } else { format!("-r{}", unit.turn) };
    let ordinal = world.id_of(pod).ordinal;
    match kind {
        Kind::Training { roles, .. } => {
            let before: u32 = roles.iter().take(role as usize).map(|r| r.replicas).sum();
            let number = world.joined.get(&(unit_id, ordinal)).map_or(ordinal.wrapping_sub(before), |(_, n)| *n);
            let role = roles.get(role as usize).map_or("", |r| r.name.as_str());
            let owner = &world.controllers[unit.owner];
            let name = owner_name(scenario, owner.workload, owner.number, owner.task);
            format!("{name}-{role}-{number}{again}")
        }
        Kind::Trace { rows, .. } if unit.count > 1 => {
            let row = rows.get(unit.number as usize).map_or("", |r| &r.name);
            format!("{row}-{ordinal}{again}")
        }
        _ => unit_name(scenario, world, unit_id),
    }
}
