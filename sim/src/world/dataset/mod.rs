//! Datasets in the world. Readers and cache workers are derived from the state of pods.
//!
//! A reader is a pod of a Job, or the working members of a Training. A cache worker is a running pod of the Deployment
//! that a dataset creates for its cache. Each dataset has at most one scheduled event: the time of its next change if
//! nothing else happens. Rates are computed once for each time, after all events of that time.

mod exact;
mod flow;
mod input;
#[cfg(test)]
mod tests;

pub(crate) use flow::{Flow, Preload};
pub(crate) use input::Input;

use super::{
    NONE, OUTCOME, State, Table, WorldEvent,
    node_speed::{self, FULL},
    progress::with_checkpoints,
};
use super::{World, pod_lifecycle};
use crate::{
    model::{Kind, Reads, Scenario},
    trace::TraceEvent,
};
use exact::{BYTE, compute_rate, muldiv};
use flow::Reader;
use quotree_core::Time;
use std::collections::{BTreeMap, BTreeSet};

/// All datasets, by their numbers in the scenario.
#[derive(Debug, Default)]
pub(crate) struct Datasets {
    flows: Table<Flow>,
    epochs: Table<u32>,
    /// By workload of the scenario: the dataset whose cache workers are its pods.
    caches: BTreeMap<u32, u32>,
    /// How many cache workers of a dataset run on a node.
    staff: BTreeMap<(u32, u32), u32>,
    /// Datasets that changed at this time.
    changed: BTreeSet<u32>,
    /// By core workload: the whole work of a pod of a Job. When the pod is tried again, only a part of it is left.
    works: BTreeMap<u32, u64>,
    /// The numbers of resources that are GPUs.
    gpus: Vec<u32>,
}

impl Datasets {
    pub(crate) fn new(scenario: &Scenario, resources: &super::Shapes) -> Self {
        let number = |i: usize| u32::try_from(i).unwrap_or(u32::MAX);
        let cache = |(i, dataset): (usize, &crate::model::Dataset)| {
            let name = &dataset.cache.as_ref()?.workload;
            let owner = scenario.workloads.iter().position(|w| w.name == *name)?;
            Some((number(owner), number(i)))
        };
        let is_gpu = |name: &str| name == "gpu" || name.ends_with("/gpu");
        let numbered = resources.resources().enumerate().filter(|(_, name)| is_gpu(name.as_str()));
        Self {
            flows: scenario.datasets.iter().map(Flow::new).collect(),
            epochs: scenario.datasets.iter().map(|_| 0).collect(),
            caches: scenario.datasets.iter().enumerate().filter_map(cache).collect(),
            gpus: numbered.map(|(i, _)| number(i)).collect(),
            ..Self::default()
        }
    }

    /// A dataset at a time.
    pub(crate) fn at(&self, dataset: usize, now: Time) -> Option<Flow> {
        let number = u32::try_from(dataset).ok().filter(|number| *number < self.flows.len())?;
        Some(self.flows[number].at(now))
    }

    /// What was read up to a time, by account.
    pub(crate) fn inputs(&self, now: Time) -> impl Iterator<Item = (u32, Input)> {
        self.flows.iter().flat_map(move |flow| flow.at(now).inputs)
    }

    /// Whether an event of a dataset was scheduled before a later change made it obsolete.
    pub(crate) fn is_outdated(&self, dataset: u32, epoch: u32) -> bool {
        self.epochs[dataset] != epoch
    }

    fn open(&mut self, dataset: u32) -> &mut Flow {
        self.changed.insert(dataset);
        &mut self.flows[dataset]
    }
}

/// How much is left to read when `done` of `total` work is done, rounded down.
fn left_of(bytes: u64, total: u128, done: u128) -> u128 {
    let all = u128::from(bytes) * BYTE;
    muldiv(all, total.saturating_sub(done), total).min(all)
}

/// The work that is done when this much remains to be read, rounded down.
fn done_of(bytes: u64, total: u128, left: u128) -> u128 {
    let all = u128::from(bytes) * BYTE;
    muldiv(total, all.saturating_sub(left), all)
}

/// What a controller reads, with the number of the dataset.
fn reads<'a>(world: &World<'a>, owner: u32) -> Option<(u32, &'a Reads)> {
    let reads = world.kind(owner)?.reads()?;
    let number = u32::try_from(reads.dataset).ok().filter(|number| *number < world.datasets.flows.len())?;
    Some((number, reads))
}

/// Whether reading determines when the work of a controller is done.
pub(crate) fn is_reader(world: &World<'_>, owner: u32) -> bool {
    reads(world, owner).is_some()
}

/// What a reader has left to read, in parts of a byte.
fn left(world: &mut World<'_>, unit: u32) -> Option<u128> {
    let (dataset, _) = reads(world, world.units[unit].owner)?;
    let now = world.now;
    let flow = world.datasets.open(dataset);
    flow.advance(now);
    flow.readers.get(&unit).map(|reader| reader.left)
}

/// Whether a core workload is a reader and has read everything.
pub(crate) fn has_read_all(world: &mut World<'_>, unit: u32) -> bool {
    left(world, unit) == Some(0)
}

/// The members of a core workload that currently read.
fn reading(world: &World<'_>, unit: u32) -> Vec<u32> {
    let roles = reads(world, world.units[unit].owner).and_then(|(_, reads)| reads.roles.as_ref());
    let is_reading = |pod: &u32| {
        let pod = &world.pods[*pod];
        pod.state.is_running() && roles.is_none_or(|roles| roles.contains(&(pod.role as usize)))
    };
    world.pods_of(unit).filter(is_reading).collect()
}

/// The GPUs of the running members of a core workload, thousandths.
fn gpus_of(world: &World<'_>, unit: u32) -> u64 {
    let mut sum: i64 = 0;
    for pod in world.pods_of(unit).filter(|pod| world.pods[*pod].state.is_running()) {
        let row = &world.shapes.rows[world.pods[pod].shape];
        let gpus = row.iter().filter(|(resource, _)| world.datasets.gpus.contains(resource));
        sum = gpus.fold(sum, |sum, (_, amount)| sum.saturating_add(*amount));
    }
    u64::try_from(sum).unwrap_or(0)
}

/// Starts reading for a pod of a Job that begins its work, or whose node gets another speed.
pub(crate) fn read_job(world: &mut World<'_>, unit: u32) {
    let owner = world.units[unit].owner;
    let left_ms = world.units[unit].left_ms;
    let Some((dataset, reads)) = reads(world, owner).filter(|_| left_ms != u64::MAX) else { return };
    let Some((step, cost)) = world.kind(owner).map(Kind::checkpoints) else { return };
    let (bytes, prefetch) = (reads.bytes, reads.prefetch);
    let work = *world.datasets.works.entry(unit).or_insert(left_ms);
    let computing = with_checkpoints(work, step, cost);
    let full = u128::from(computing) * u128::from(FULL);
    let left = left_of(bytes, work.into(), work.saturating_sub(left_ms).into());
    let reader = Reader {
        pods: reading(world, unit).len() as u64,
        gpus: gpus_of(world, unit),
        compute: compute_rate(bytes, node_speed::speed(world, unit).into(), full),
        begins: world.now,
        ..Reader::new(world.units[unit].account, bytes, prefetch, left)
    };
    let now = world.now;
    world.datasets.open(dataset).join(unit, reader, now);
}

/// Assigns what a lost pod of a Job has left to read to its replacement, the next core workload that is created.
pub(crate) fn keep_work(world: &mut World<'_>, lost: u32) {
    if let Some(work) = world.datasets.works.remove(&lost) {
        let next = world.units.len();
        world.datasets.works.insert(next, work);
    }
}

/// Stops reading for a pod of a Job that stops before its end. Returns the work done in this run in milliseconds,
/// rounded down.
pub(crate) fn stop_job(world: &mut World<'_>, unit: u32) -> Option<u64> {
    let (dataset, reads) = reads(world, world.units[unit].owner)?;
    let (bytes, now) = (reads.bytes, world.now);
    let left = world.datasets.open(dataset).leave(unit, now)?;
    let work = world.datasets.works.get(&unit).copied()?;
    let done = u64::try_from(done_of(bytes, work.into(), left)).unwrap_or(u64::MAX);
    Some(done.saturating_sub(work.saturating_sub(world.units[unit].left_ms)))
}

/// Continues reading for a training at another rate, or pauses it.
pub(crate) fn read_training(world: &mut World<'_>, owner: u32) {
    let Some((dataset, reads)) = reads(world, owner) else { return };
    let (bytes, prefetch, now) = (reads.bytes, reads.prefetch, world.now);
    let present = world.controllers[owner].training.as_ref().and_then(|t| t.present());
    let Some((unit, progress)) = present else { return };
    let Some((done, total, begins)) = progress.read() else { return };
    let reader = Reader {
        pods: if progress.rate > 0 { reading(world, unit).len() as u64 } else { 0 },
        gpus: gpus_of(world, unit),
        compute: compute_rate(bytes, progress.rate, progress.with_writing()),
        begins,
        ..Reader::new(world.units[unit].account, bytes, prefetch, left_of(bytes, total, done))
    };
    world.datasets.open(dataset).join(unit, reader, now);
}

/// All work that a training has done, rounded down, if it currently reads.
pub(crate) fn read_so_far(world: &mut World<'_>, owner: u32) -> Option<u128> {
    let (_, reads) = reads(world, owner)?;
    let bytes = reads.bytes;
    let (unit, progress) = world.controllers[owner].training.as_ref()?.present()?;
    let (_, total, _) = progress.read()?;
    Some(done_of(bytes, total, left(world, unit)?))
}

/// Ends the reading of a core workload, if it was reading.
pub(crate) fn stop_reading(world: &mut World<'_>, unit: u32) {
    if let Some((dataset, _)) = reads(world, world.units[unit].owner) {
        let now = world.now;
        world.datasets.open(dataset).leave(unit, now);
    }
}

/// Updates the number of cache workers when a pod that is one changes its state.
pub(crate) fn count_worker(world: &mut World<'_>, pod: u32, from: State, to: State) {
    if world.datasets.caches.is_empty() || from.is_running() == to.is_running() {
        return;
    }
    let owner = world.units[world.pods[pod].unit].owner;
    let Some(dataset) = world.datasets.caches.get(&owner).copied() else { return };
    let (node, now) = (world.pods[pod].node, world.now);
    let here = world.datasets.staff.entry((dataset, node)).or_default();
    *here = if to.is_running() { *here + 1 } else { here.saturating_sub(1) };
    let flow = world.datasets.open(dataset);
    let workers = if to.is_running() { flow.workers + 1 } else { flow.workers.saturating_sub(1) };
    flow.staff(workers, now);
}

/// Begins the preload of a dataset.
pub(crate) fn preload(world: &mut World<'_>, dataset: u32) {
    let now = world.now;
    world.datasets.open(dataset).ask(now);
}

/// Handles a scheduled change of a dataset: passes end, readers are done, or the cache is full.
pub(crate) fn advance(world: &mut World<'_>, dataset: u32, epoch: u32) {
    if world.datasets.is_outdated(dataset, epoch) {
        return;
    }
    let now = world.now;
    let flow = world.datasets.open(dataset);
    flow.advance(now);
    for unit in flow.done() {
        let training = world.controllers[world.units[unit].owner].training.as_ref();
        let epoch = training.map_or(0, |training| training.epoch);
        pod_lifecycle::finished(world, unit, epoch);
    }
}

/// After all events of this time: computes the rates and the next event of every dataset that changed. Returns how many
/// passes have ended.
pub(crate) fn settle(world: &mut World<'_>) -> u64 {
    let (now, mut passes) = (world.now, 0);
    for dataset in std::mem::take(&mut world.datasets.changed) {
        let units: Vec<u32> = world.datasets.flows[dataset].readers.keys().copied().collect();
        let serves = world.datasets.flows[dataset].workers > 0 && !world.scenario.cluster.is_pool;
        let local: Vec<bool> = units.iter().map(|unit| serves && is_local(world, dataset, *unit)).collect();
        let cache = world.datasets.caches.iter().find(|(_, cached)| **cached == dataset);
        let wanted = cache.map_or(0, |(owner, _)| world.controllers[*owner].wanted);
        let flow = &mut world.datasets.flows[dataset];
        for (reader, local) in flow.readers.values_mut().zip(local) {
            reader.local = local;
        }
        flow.wanted = wanted;
        flow.reckon(now);
        let (next, turns) = (flow.next(now), std::mem::take(&mut flow.turns));
        passes += std::mem::take(&mut flow.passes);
        let epoch = &mut world.datasets.epochs[dataset];
        *epoch = epoch.wrapping_add(1);
        let event = WorldEvent::Dataset { dataset, epoch: *epoch };
        if let Some(at) = next {
            world.schedule(at, OUTCOME, event);
        }
        for turn in turns {
            world.trace(TraceEvent::Dataset { dataset, turn });
        }
    }
    passes
}

/// Whether a cache worker runs on the node of each reading member.
fn is_local(world: &World<'_>, dataset: u32, unit: u32) -> bool {
    let here = |pod: &u32| {
        let node = world.pods[*pod].node;
        node != NONE && world.datasets.staff.get(&(dataset, node)).is_some_and(|workers| *workers > 0)
    };
    reading(world, unit).iter().all(here)
}
