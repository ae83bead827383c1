//! Names of pods and core workloads, composed when they are read.
//!
//! A pod of a Deployment or Job is `<workload>-<n>`; n counts from 1 over all its pods, replacements included. If a
//! workload is submitted repeatedly, its instances are named `<workload>-<n>` instead of `<workload>`, with n from 0;
//! tasks of a workflow are named `<workflow>-<task>`. A member of a training is `<workload>-<role>-<i>`, i from 0. A
//! row of a trace has the name of the row, followed by `-<i>` if it has several pods. The names of pods that are
//! started again for the k-th time end in `-r<k>`.

use super::{NONE, State, World, kind_of};
use crate::{
    model::{Kind, Role, Scenario},
    result::RefusalRow,
    trace::RunNames,
};
use quotree_core::{NodeId, PodId, QuotaTree, WorkloadId};
use quotree_words::{Names, Requested};
use std::{borrow::Cow, fmt::Write};

/// The names of all objects of a simulated world.
pub(crate) struct WorldNames<'w> {
    pub(crate) world: &'w World<'w>,
    pub(crate) tree: &'w QuotaTree,
}

impl Names for WorldNames<'_> {
    fn tree(&self) -> &QuotaTree {
        self.tree
    }

    fn workload(&self, id: WorkloadId) -> Cow<'_, str> {
        unit_name(self.world, id.0).into()
    }

    fn pod(&self, id: PodId) -> Cow<'_, str> {
        match self.world.find(id) {
            Some(pod) => pod_name(self.world, pod).into(),
            None => id.to_string().into(),
        }
    }

    fn node(&self, id: NodeId) -> Cow<'_, str> {
        let node = self.world.scenario.cluster.nodes.get(id.0 as usize);
        node.map_or_else(|| id.to_string().into(), |node| node.name.as_str().into())
    }

    fn pods(&self, id: WorkloadId) -> u32 {
        if id.0 < self.world.units.len() { self.world.units[id.0].live } else { 1 }
    }

    fn requested(&self, id: WorkloadId) -> Requested {
        let pods = self.pods(id);
        if pods <= 1 {
            return Requested::All(pods);
        }
        let (unit, world) = (&self.world.units[id.0], self.world);
        let count = |role: Option<u32>, is: fn(State) -> bool| {
            let of_role =
                world.pods_of(id.0).map(|pod| &world.pods[pod]).filter(|pod| role.is_none_or(|r| r == pod.role));
            u32::try_from(of_role.filter(|pod| is(pod.state)).count()).unwrap_or(u32::MAX)
        };
        // What each role lacks of its minimum, as far as it has pending pods (G1).
        let missing = match world.kind(unit.owner) {
            Some(Kind::Training { roles, .. }) => {
                let lacks = |(role, number): (&Role, u32)| {
                    role.min
                        .saturating_sub(count(Some(number), State::is_active))
                        .min(count(Some(number), State::is_pending))
                };
                roles.iter().zip(0..).map(lacks).sum()
            }
            _ => count(None, State::is_pending),
        };
        match missing {
            _ if unit.active > 0 => Requested::More { pods, more: missing.max(1) },
            _ if missing < pods => Requested::Minimum { pods, min: missing.max(1) },
            _ => Requested::All(pods),
        }
    }
}

impl RunNames for WorldNames<'_> {
    fn refusal(&self, refusal: u32) -> Option<&RefusalRow> {
        self.world.access.refusals.all.get(refusal as usize).map(|refused| &refused.row)
    }

    fn dataset(&self, place: u32) -> Cow<'_, str> {
        self.world.scenario.datasets.get(place as usize).map_or("", |dataset| dataset.name.as_str()).into()
    }
}

/// The name of a workload, of an instance of it, or of a task.
pub(crate) fn owner_name(scenario: &Scenario, workload: u32, number: u32, task: u32) -> String {
    let Some(workload) = scenario.workloads.get(workload as usize) else { return String::new() };
    // With room for a number or two: names of all pods of a run are written.
    let mut name = String::with_capacity(workload.name.len() + 24);
    name.push_str(&workload.name);
    if number != NONE {
        let _ = write!(name, "-{number}");
    }
    if let Kind::Workflow { tasks } = &workload.kind
        && let Some(task) = tasks.get(task as usize)
    {
        name += &format!("-{}", task.name);
    }
    name
}

/// The name of a core workload.
pub(crate) fn unit_name(world: &World<'_>, unit: u32) -> String {
    if unit >= world.units.len() {
        return WorkloadId(unit).to_string();
    }
    let unit = &world.units[unit];
    let Some(kind) = world.kind(unit.owner) else {
        return String::new();
    };
    let owner = &world.controllers[unit.owner];
    let mut name = owner_name(world.scenario, owner.workload, owner.number, owner.task);
    let again = if unit.turn == 0 { String::new() } else { format!("-r{}", unit.turn) };
    match kind {
        Kind::Deployment { .. } | Kind::Job { .. } => {
            let _ = write!(name, "-{}", unit.number);
            name
        }
        Kind::Training { .. } | Kind::Workflow { .. } => name + &again,
        Kind::Trace { rows, .. } => {
            let row = rows.get(unit.number as usize).map_or("", |r| &r.name);
            format!("{row}{again}")
        }
    }
}

/// What distinguishes a pod from the others of its job. The name of the pod is composed from it on demand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PodLabel {
    /// Its role in a training.
    pub(crate) role: u32,
    /// Its number, in a training within its role; [`NONE`] where its job has no other pod.
    pub(crate) number: u32,
    /// How often its gang was started again.
    pub(crate) turn: u32,
}

impl PodLabel {
    pub(crate) fn of(world: &World<'_>, pod: u32) -> Self {
        let (unit_id, role) = (world.pods[pod].unit, world.pods[pod].role);
        let unit = &world.units[unit_id];
        let number = match world.kind(unit.owner) {
            Some(Kind::Training { roles, .. }) => {
                let ordinal = world.id_of(pod).ordinal;
                let before: u32 = roles.iter().take(role as usize).map(|r| r.replicas).sum();
                world.joined.get(&(unit_id, ordinal)).map_or(ordinal.wrapping_sub(before), |(_, n)| *n)
            }
            Some(Kind::Trace { .. }) if unit.count > 1 => world.id_of(pod).ordinal,
            Some(Kind::Deployment { .. } | Kind::Job { .. }) => unit.number,
            _ => NONE,
        };
        Self { role, number, turn: unit.turn }
    }
}

/// The part of the scenario that a pod belongs to: a workload, an instance and a task or [`NONE`], and the row of a trace.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Origin {
    pub(crate) workload: u32,
    pub(crate) number: u32,
    pub(crate) task: u32,
    pub(crate) row: u32,
}

/// The name of a pod.
pub(crate) fn labelled_name(scenario: &Scenario, of: Origin, label: PodLabel) -> String {
    let workload = scenario.workloads.get(of.workload as usize);
    let Some(kind) = workload.and_then(|workload| kind_of(workload, of.task)) else { return String::new() };
    let mut name = match kind {
        Kind::Trace { rows, .. } => rows.get(of.row as usize).map_or_else(String::new, |row| row.name.to_string()),
        _ => owner_name(scenario, of.workload, of.number, of.task),
    };
    if let Kind::Training { roles, .. } = kind {
        let _ = write!(name, "-{}", roles.get(label.role as usize).map_or("", |role| role.name.as_str()));
    }
    if label.number != NONE {
        let _ = write!(name, "-{}", label.number);
    }
    if label.turn > 0 && matches!(kind, Kind::Training { .. } | Kind::Trace { .. }) {
        let _ = write!(name, "-r{}", label.turn);
    }
    name
}

/// The name of a pod.
pub(crate) fn pod_name(world: &World<'_>, pod: u32) -> String {
    let unit = &world.units[world.pods[pod].unit];
    let owner = &world.controllers[unit.owner];
    let of = Origin { workload: owner.workload, number: owner.number, task: owner.task, row: unit.number };
    labelled_name(world.scenario, of, PodLabel::of(world, pod))
}
