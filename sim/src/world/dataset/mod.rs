//! Datasets in the world: who reads and what serves follows from what happens to pods.
//!
//! A reader is a pod of a Job, or the members of a Training that work. A cache worker is a running pod of the Deployment
//! that a dataset's acceleration made. Each dataset has one event to come, the next thing that changes by itself; whatever
//! happens at a moment, rates are reckoned once, when it has settled.

mod exact;
mod flow;
mod input;
#[cfg(test)]
mod tests;

pub(crate) use flow::{Flow, Preload};
pub(crate) use input::Input;

use super::{NONE, OUTCOME, State, Table, WorldEvent, node_speed::FULL, progress::with_checkpoints};
use crate::{
    engine::Engine,
    model::{Kind, Reads, Scenario},
    options::RunError,
    trace::TraceEvent,
};
use exact::{BYTE, compute_rate, muldiv};
use flow::Reader;
use quotree_core::Time;
use std::collections::{BTreeMap, BTreeSet};

/// All datasets of a scenario, by its numbers.
#[derive(Debug, Default)]
pub(crate) struct Datasets {
    flows: Table<Flow>,
    epochs: Table<u32>,
    /// By workload of the scenario, the dataset whose workers its pods are.
    caches: BTreeMap<u32, u32>,
    /// How many workers of a dataset run on a node.
    staff: BTreeMap<(u32, u32), u32>,
    /// What changed at this moment.
    changed: BTreeSet<u32>,
    /// The whole work of a pod of a Job, by unit: one that is tried again has less before it.
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

    /// A dataset as it is at `now`.
    pub(crate) fn at(&self, dataset: usize, now: Time) -> Option<Flow> {
        let number = u32::try_from(dataset).ok().filter(|number| *number < self.flows.len())?;
        Some(self.flows[number].at(now))
    }

    /// What was read up to `now`, by the account of who did.
    pub(crate) fn inputs(&self, now: Time) -> impl Iterator<Item = (u32, Input)> {
        self.flows.iter().flat_map(move |flow| flow.at(now).inputs)
    }

    fn open(&mut self, dataset: u32) -> &mut Flow {
        self.changed.insert(dataset);
        &mut self.flows[dataset]
    }
}

/// What is left to read where `done` of `total` work is done, rounded down.
fn left_of(bytes: u64, total: u128, done: u128) -> u128 {
    let all = u128::from(bytes) * BYTE;
    muldiv(all, total.saturating_sub(done), total).min(all)
}

/// The work that is done where so much is left to read, rounded down.
fn done_of(bytes: u64, total: u128, left: u128) -> u128 {
    let all = u128::from(bytes) * BYTE;
    muldiv(total, all.saturating_sub(left), all)
}

impl Engine<'_> {
    /// What an owner reads, with the number of the dataset.
    fn reads(&self, owner: u32) -> Option<(u32, &Reads)> {
        let reads = self.kind(owner)?.reads()?;
        let number = u32::try_from(reads.dataset).ok().filter(|number| *number < self.world.datasets.flows.len())?;
        Some((number, reads))
    }

    /// Whether reading decides when the work of an owner is done.
    pub(crate) fn is_reader(&self, owner: u32) -> bool {
        self.reads(owner).is_some()
    }

    /// What a unit that reads has left, in parts of a byte.
    fn left(&mut self, unit: u32) -> Option<u128> {
        let (dataset, _) = self.reads(self.world.units[unit].owner)?;
        let now = self.now;
        let flow = self.world.datasets.open(dataset);
        flow.advance(now);
        flow.readers.get(&unit).map(|reader| reader.left)
    }

    /// Whether a unit reads and has read everything.
    pub(crate) fn has_read_all(&mut self, unit: u32) -> bool {
        self.left(unit) == Some(0)
    }

    /// The members of a unit that read now.
    fn reading(&self, unit: u32) -> Vec<u32> {
        let roles = self.reads(self.world.units[unit].owner).and_then(|(_, reads)| reads.roles.as_ref());
        let is_reading = |pod: &u32| {
            let pod = &self.world.pods[*pod];
            pod.state.works() && roles.is_none_or(|roles| roles.contains(&(pod.role as usize)))
        };
        self.world.pods_of(unit).filter(is_reading).collect()
    }

    /// Thousandths of the GPUs that a unit's running members hold.
    fn gpus_of(&self, unit: u32) -> u64 {
        let mut sum: i64 = 0;
        for pod in self.world.pods_of(unit).filter(|pod| self.world.pods[*pod].state.works()) {
            let row = &self.world.shapes.rows[self.world.pods[pod].shape];
            let gpus = row.iter().filter(|(resource, _)| self.world.datasets.gpus.contains(resource));
            sum = gpus.fold(sum, |sum, (_, amount)| sum.saturating_add(*amount));
        }
        u64::try_from(sum).unwrap_or(0)
    }

    /// A pod of a Job begins its work, or its node gets another speed; if it reads, reading decides when it is done.
    pub(crate) fn read_job(&mut self, unit: u32) {
        let owner = self.world.units[unit].owner;
        let left_ms = self.world.units[unit].left_ms;
        let Some((dataset, reads)) = self.reads(owner).filter(|_| left_ms != u64::MAX) else { return };
        let Some((step, cost)) = self.kind(owner).map(Kind::checkpoints) else { return };
        let (bytes, prefetch) = (reads.bytes, reads.prefetch);
        let work = *self.world.datasets.works.entry(unit).or_insert(left_ms);
        let computing = with_checkpoints(work, step, cost);
        let full = u128::from(computing) * u128::from(FULL);
        let left = left_of(bytes, work.into(), work.saturating_sub(left_ms).into());
        let reader = Reader {
            pods: self.reading(unit).len() as u64,
            gpus: self.gpus_of(unit),
            compute: compute_rate(bytes, self.world.speed(unit).into(), full),
            begins: self.now,
            ..Reader::new(self.world.units[unit].account, bytes, prefetch, left)
        };
        let now = self.now;
        self.world.datasets.open(dataset).join(unit, reader, now);
    }

    /// A pod of a Job is tried again by the unit that is made next: both have the same work.
    pub(crate) fn same_work(&mut self, lost: u32) {
        if let Some(work) = self.world.datasets.works.remove(&lost) {
            let next = self.world.units.len();
            self.world.datasets.works.insert(next, work);
        }
    }

    /// A pod of a Job stops before its end; gives the milliseconds of work that it did in this run, rounded down.
    pub(crate) fn stop_job(&mut self, unit: u32) -> Option<u64> {
        let (dataset, reads) = self.reads(self.world.units[unit].owner)?;
        let (bytes, now) = (reads.bytes, self.now);
        let left = self.world.datasets.open(dataset).leave(unit, now)?;
        let work = self.world.datasets.works.get(&unit).copied()?;
        let done = u64::try_from(done_of(bytes, work.into(), left)).unwrap_or(u64::MAX);
        Some(done.saturating_sub(work.saturating_sub(self.world.units[unit].left_ms)))
    }

    /// A training works at another pace from now on, or pauses.
    pub(crate) fn read_training(&mut self, owner: u32) {
        let Some((dataset, reads)) = self.reads(owner) else { return };
        let (bytes, prefetch, now) = (reads.bytes, reads.prefetch, self.now);
        let present = self.world.controllers[owner].training.as_ref().and_then(|t| t.present());
        let Some((unit, progress)) = present else { return };
        let Some((done, total, begins)) = progress.read() else { return };
        let reader = Reader {
            pods: if progress.rate > 0 { self.reading(unit).len() as u64 } else { 0 },
            gpus: self.gpus_of(unit),
            compute: compute_rate(bytes, progress.rate, progress.with_writing()),
            begins,
            ..Reader::new(self.world.units[unit].account, bytes, prefetch, left_of(bytes, total, done))
        };
        self.world.datasets.open(dataset).join(unit, reader, now);
    }

    /// The work that a training has done in all, rounded down, if it reads now.
    pub(crate) fn read_so_far(&mut self, owner: u32) -> Option<u128> {
        let (_, reads) = self.reads(owner)?;
        let bytes = reads.bytes;
        let (unit, progress) = self.world.controllers[owner].training.as_ref()?.present()?;
        let (_, total, _) = progress.read()?;
        Some(done_of(bytes, total, self.left(unit)?))
    }

    /// A unit reads no more, if it did.
    pub(crate) fn stop_reading(&mut self, unit: u32) {
        if let Some((dataset, _)) = self.reads(self.world.units[unit].owner) {
            let now = self.now;
            self.world.datasets.open(dataset).leave(unit, now);
        }
    }

    /// A pod that may be a cache worker changes its state.
    pub(crate) fn serve(&mut self, pod: u32, from: State, to: State) {
        if self.world.datasets.caches.is_empty() || from.works() == to.works() {
            return;
        }
        let owner = self.world.units[self.world.pods[pod].unit].owner;
        let Some(dataset) = self.world.datasets.caches.get(&owner).copied() else { return };
        let (node, now) = (self.world.pods[pod].node, self.now);
        let here = self.world.datasets.staff.entry((dataset, node)).or_default();
        *here = if to.works() { *here + 1 } else { here.saturating_sub(1) };
        let flow = self.world.datasets.open(dataset);
        let workers = if to.works() { flow.workers + 1 } else { flow.workers.saturating_sub(1) };
        flow.staff(workers, now);
    }

    /// The time of a preload has come.
    pub(crate) fn preload(&mut self, dataset: u32) {
        let now = self.now;
        self.world.datasets.open(dataset).ask(now);
    }

    /// Whether a dataset's event was planned before something else changed.
    pub(crate) fn is_old_news(&self, dataset: u32, epoch: u32) -> bool {
        self.world.datasets.epochs[dataset] != epoch
    }

    /// Something about a dataset changes by itself: passes end, readers are done, the cache is full.
    pub(crate) fn dataset_moves(&mut self, dataset: u32, epoch: u32) -> Result<(), RunError> {
        if self.is_old_news(dataset, epoch) {
            return Ok(());
        }
        let now = self.now;
        let flow = self.world.datasets.open(dataset);
        flow.advance(now);
        for unit in flow.done() {
            let training = self.world.controllers[self.world.units[unit].owner].training.as_ref();
            let epoch = training.map_or(0, |training| training.epoch);
            self.finished(unit, epoch)?;
        }
        Ok(())
    }

    /// The moment has settled: new rates, and the next event, of every dataset about which something changed.
    pub(crate) fn settle_datasets(&mut self) {
        let now = self.now;
        for dataset in std::mem::take(&mut self.world.datasets.changed) {
            let units: Vec<u32> = self.world.datasets.flows[dataset].readers.keys().copied().collect();
            let serves = self.world.datasets.flows[dataset].workers > 0 && !self.scenario.cluster.is_pool;
            let local: Vec<bool> = units.iter().map(|unit| serves && self.is_local(dataset, *unit)).collect();
            let cache = self.world.datasets.caches.iter().find(|(_, cached)| **cached == dataset);
            let wanted = cache.map_or(0, |(owner, _)| self.world.controllers[*owner].wanted);
            let flow = &mut self.world.datasets.flows[dataset];
            for (reader, local) in flow.readers.values_mut().zip(local) {
                reader.local = local;
            }
            flow.wanted = wanted;
            flow.reckon(now);
            let (next, turns) = (flow.next(now), std::mem::take(&mut flow.turns));
            self.events += std::mem::take(&mut flow.passes);
            let epoch = &mut self.world.datasets.epochs[dataset];
            *epoch = epoch.wrapping_add(1);
            let event = WorldEvent::Dataset { dataset, epoch: *epoch };
            if let Some(at) = next {
                self.queue.schedule(at, OUTCOME, event);
            }
            for turn in turns {
                self.trace(TraceEvent::Dataset { dataset, turn });
            }
        }
    }

    /// Whether a worker runs on the node of each member that reads.
    fn is_local(&self, dataset: u32, unit: u32) -> bool {
        let here = |pod: &u32| {
            let node = self.world.pods[*pod].node;
            node != NONE && self.world.datasets.staff.get(&(dataset, node)).is_some_and(|workers| *workers > 0)
        };
        self.reading(unit).iter().all(here)
    }
}
