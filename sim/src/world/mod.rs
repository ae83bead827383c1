//! The simulated world: pods, the core workloads they belong to, the controllers that make them, and nodes.
//!
//! State is dense: a pod is 32 bytes in a list, a core workload is a place in another, and names are put together only
//! when something is told to a person. What the scheduler believes is never asked to run the world.

mod access;
mod arrivals;
mod autoscale;
mod clock;
mod controllers;
mod cost;
mod cron;
mod dataset;
mod deployment;
mod devices;
mod drain;
mod edits;
mod ending;
mod faults;
mod fleet;
mod job;
mod job_queue;
mod names;
mod node_speed;
mod nodes;
mod pod_lifecycle;
mod pods;
mod progress;
mod quota_overrun;
mod shapes;
mod submit;
mod table;
mod trace_rows;
mod training;
mod tree;
mod unreliable;
mod usage_accounts;
mod workflow;

pub(crate) use access::Refusals;
pub(crate) use arrivals::Generator;
pub(crate) use controllers::{ControllerState, Tally};
pub(crate) use cost::NODE;
pub(crate) use dataset::{Datasets, Flow as DatasetFlow, Input, Preload};
pub(crate) use edits::Edits;
pub(crate) use ending::{End, Outcomes};
pub(crate) use fleet::{Fleet, NodeEvent, PoolFigures};
pub(crate) use job_queue::JobQueues;
pub(crate) use names::{WorldNames, owner_name, pod_name, unit_name};
pub(crate) use nodes::{NodeState, healthy};
pub(crate) use pods::{CoreWorkload, Counts, NONE, Pod, State};
pub(crate) use quota_overrun::{Limit, QuotaOverrun};
pub(crate) use shapes::{Row, Shapes};
pub(crate) use table::Table;
pub(crate) use trace_rows::RowLimits;
pub(crate) use training::Training;
pub(crate) use unreliable::Unreliable;
#[cfg(test)]
pub(crate) use usage_accounts::UsageAccountKey;
pub(crate) use usage_accounts::{Thrash, UsageAccount, UsageAccounts};
pub(crate) use workflow::Flow;

use crate::{
    model::{Kind, Scenario},
    people::Tenants,
    random::Stream,
};
use controllers::{OwnerRef, new_controller};
use quotree_core::{Name, PodId, Time, WorkloadId};
use std::collections::{BTreeMap, BTreeSet};

/// Outcomes of what was decided before.
pub(crate) const OUTCOME: u8 = 0;
/// Edits of the world.
pub(crate) const EDIT: u8 = 1;
/// Controllers that make up for lost pods.
pub(crate) const CONTROLLER: u8 = 2;
/// What is submitted.
pub(crate) const ARRIVAL: u8 = 3;

/// An event of the simulated world. Pods and units are numbered by the world, the rest by the scenario.
#[derive(Debug, Clone, Copy)]
pub(crate) enum WorldEvent {
    /// A bind came true.
    Bound(u32),
    /// A bind did not come true.
    BindFailed(u32),
    /// The lost request to evict a pod is sent again.
    EvictAgain(u32),
    /// An evicted pod has left.
    Gone(u32),
    /// The work of a unit is done, if its epoch is still this.
    Finished { unit: u32, epoch: u32 },
    /// A change of the scenario.
    Change(u32),
    /// The controller makes up for a unit that was lost.
    Retry(u32),
    /// The controller makes up for one elastic member.
    Rejoin { unit: u32, role: u32 },
    /// A workload is submitted, or begins to arrive.
    Submit(u32),
    /// A unit that a job queue let out for the `tries`-th time should have started by now.
    StartTimeout { unit: u32, tries: u32 },
    /// A unit that did not start in time may be let out again.
    BackOffOver(u32),
    /// An instance of a workload arrives.
    Arrive(u32),
    /// An owner should be done by now.
    Deadline(u32),
    /// A row of a trace should be done by now.
    RowDeadline { owner: u32, row: u32 },
    /// A row of a trace is submitted.
    Row { owner: u32, row: u32 },
    /// Something about nodes.
    Node(NodeEvent),
    /// Something about a dataset changes by itself, if its epoch is still this.
    Dataset { dataset: u32, epoch: u32 },
    /// A dataset is to be loaded into its cache.
    Preload(u32),
}

/// A namespace and what is in it.
#[derive(Debug, Clone)]
pub(crate) struct Namespace {
    pub(crate) name: Name,
    /// Its leaf in the tree of the moment.
    pub(crate) leaf: Option<u32>,
    pub(crate) counts: Counts,
}

/// All that is in the world.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) shapes: Shapes,
    pub(crate) pods: Table<Pod>,
    /// By core workload id.
    pub(crate) units: Table<CoreWorkload>,
    /// Who makes units: first the workloads of the scenario in order, then instances and tasks as they come.
    pub(crate) controllers: Table<ControllerState>,
    /// What is counted: for each workload in order, of all its instances, and then for each of its tasks.
    pub(crate) tallies: Table<Tally>,
    pub(crate) namespaces: Table<Namespace>,
    pub(crate) nodes: Table<nodes::NodeState>,
    /// What befalls nodes.
    pub(crate) fleet: Fleet,
    /// What workloads were edited into.
    pub(crate) edits: Edits,
    /// Members that joined a unit later, by unit and ordinal, with their number in the role.
    pub(crate) joined: BTreeMap<(u32, u32), (u32, u32)>,
    /// Interned namespaces of trace rows, by owner and row: only where a trace has rows in several namespaces.
    pub(crate) row_places: BTreeMap<u32, Vec<RowPlace>>,
    /// Rows that wait to be tried again, by owner and the unit that ended.
    pub(crate) row_retries: BTreeSet<(u32, u32)>,
    /// Of rows with limits, by owner and row: how they keep to them.
    pub(crate) row_limits: BTreeMap<(u32, u32), RowLimits>,
    /// Users and groups as they are now.
    pub(crate) tenants: Tenants,
    /// Whose everything is.
    pub(crate) accounts: UsageAccounts,
    pub(crate) refusals: Refusals,
    pub(crate) bind_stream: Stream,
    pub(crate) evict_stream: Stream,
    pub(crate) unreliable: Unreliable,
    pub(crate) job_queues: JobQueues,
    pub(crate) devices: devices::Devices,
    pub(crate) datasets: Datasets,
    pub(crate) costs: Option<cost::NodeCosts>,
}

/// Where a trace row belongs: numbers for its names.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RowPlace {
    pub(crate) namespace: u32,
    pub(crate) shape: u32,
    /// Who submits it, or [`NONE`].
    pub(crate) user: u32,
}

impl World {
    /// The world of a scenario before anything happens.
    pub(crate) fn new(scenario: &Scenario, seed: u64) -> Self {
        let mut places = Places::default();
        for quota in &scenario.tree.quotas {
            for namespace in &quota.namespaces {
                places.number(namespace);
            }
        }
        let mut shapes = Shapes::new(scenario);
        let mut row_places = BTreeMap::new();
        let mut controllers = Table::default();
        let mut tallies = Table::default();
        for (index, workload) in scenario.workloads.iter().enumerate() {
            let index = u32::try_from(index).unwrap_or(u32::MAX);
            if let Kind::Trace { rows, .. } = &workload.kind {
                let place = |row: &crate::model::TraceRow| RowPlace {
                    namespace: places.number(&row.namespace),
                    shape: shapes.number(&row.template),
                    user: NONE,
                };
                row_places.insert(index, rows.iter().map(place).collect());
            }
            let tally = tallies.push(Tally { workload: index });
            if let Kind::Workflow { tasks } = &workload.kind {
                for _ in tasks {
                    tallies.push(Tally { workload: index });
                }
            }
            let namespace = places.number(&workload.namespace);
            let part = OwnerRef { workload: index, number: NONE, task: NONE, parent: NONE };
            let name = &workload.name;
            controllers.push(new_controller(
                part,
                &workload.kind,
                workload,
                (namespace, tally),
                (seed, name),
                &mut shapes,
            ));
        }
        let accounts = UsageAccounts::new(shapes.resources().len());
        let mut world = Self {
            datasets: Datasets::new(scenario, &shapes),
            shapes,
            pods: Table::default(),
            units: Table::default(),
            controllers,
            tallies,
            namespaces: places.namespaces,
            nodes: scenario.cluster.nodes.iter().map(nodes::NodeState::of).collect(),
            fleet: Fleet::new(scenario),
            edits: Edits::default(),
            joined: BTreeMap::new(),
            row_places,
            row_retries: BTreeSet::new(),
            row_limits: BTreeMap::new(),
            tenants: Tenants::default(),
            accounts,
            refusals: Refusals::default(),
            bind_stream: Stream::new(seed, "bind-latency"),
            evict_stream: Stream::new(seed, "eviction-grace"),
            unreliable: Unreliable::new(seed),
            job_queues: JobQueues::new(scenario),
            devices: devices::Devices::new(scenario),
            costs: scenario
                .cluster
                .pools
                .iter()
                .any(|pool| pool.price_milli > 0)
                .then(|| cost::NodeCosts::new(scenario.cluster.nodes.len())),
        };
        access::everybody(scenario, &mut world);
        world
    }

    /// How long an evicted pod takes to leave, if it ever does.
    pub(crate) fn grace(&mut self, scenario: &Scenario, pod: u32) -> Option<u64> {
        let owner = self.units[self.pods[pod].unit].owner;
        let workload = scenario.workloads.get(self.controllers[owner].workload as usize);
        let own = workload.and_then(|workload| workload.eviction_grace.as_ref());
        match (own, &mut self.controllers[owner].graces) {
            (Some(grace), Some(stream)) => stream.duration_ms(grace),
            (Some(grace), None) => self.evict_stream.duration_ms(grace),
            (None, _) => self.evict_stream.duration_ms(&scenario.world.eviction_grace),
        }
    }

    /// Our number of a pod; nothing for one that never was.
    pub(crate) fn find(&self, id: PodId) -> Option<u32> {
        if id.workload.0 >= self.units.len() {
            return None;
        }
        let unit = &self.units[id.workload.0];
        if id.ordinal < unit.first_count {
            return Some(unit.first_pod + id.ordinal);
        }
        self.joined.get(&(id.workload.0, id.ordinal)).map(|(pod, _)| *pod)
    }

    /// The scheduler's id of a pod.
    pub(crate) fn id_of(&self, pod: u32) -> PodId {
        let unit = self.pods[pod].unit;
        let first = self.units[unit].first_pod;
        let ordinal = pod.wrapping_sub(first);
        if ordinal < self.units[unit].first_count {
            return PodId { workload: WorkloadId(unit), ordinal };
        }
        let later = self.joined.range((unit, 0)..=(unit, u32::MAX)).find(|(_, (p, _))| *p == pod);
        PodId { workload: WorkloadId(unit), ordinal: later.map_or(u32::MAX, |((_, o), _)| *o) }
    }

    /// All pods of a unit.
    pub(crate) fn pods_of(&self, unit: u32) -> impl Iterator<Item = u32> + use<> {
        let first = self.units[unit].first_pod;
        let later: Vec<u32> = self.joined.range((unit, 0)..=(unit, u32::MAX)).map(|(_, (p, _))| *p).collect();
        (first..first + self.units[unit].first_count).chain(later)
    }

    /// A pod changes its state, and every count that includes it changes with it.
    pub(crate) fn count(&mut self, pod: u32, to: State, now: Time) -> State {
        let Pod { unit: unit_id, state: from, shape, .. } = self.pods[pod];
        let CoreWorkload { owner, namespace, account, .. } = self.units[unit_id];
        self.controllers[owner].shift(from, to);
        self.namespaces[namespace].counts.shift(from, to);
        self.accounts.shift(account, (from, to), &self.shapes.rows[shape], now);
        let unit = &mut self.units[unit_id];
        unit.active = unit.active + u32::from(to.stays()) - u32::from(from.stays());
        unit.live = unit.live + u32::from(to.lives()) - u32::from(from.lives());
        unit.running = unit.running + u32::from(to.works()) - u32::from(from.works());
        if unit.live == 0 {
            self.job_queues.ended(unit_id);
        } else if to == State::Running {
            self.job_queues.started(unit_id);
        }
        let pod = &mut self.pods[pod];
        (pod.state, pod.at) = (to, now);
        from
    }
}

/// Namespaces by name, numbered as they come.
#[derive(Default)]
struct Places {
    numbers: BTreeMap<Name, u32>,
    namespaces: Table<Namespace>,
}

impl Places {
    fn number(&mut self, name: &Name) -> u32 {
        if let Some(number) = self.numbers.get(name) {
            return *number;
        }
        let number = self.namespaces.push(Namespace { name: name.clone(), leaf: None, counts: Counts::default() });
        self.numbers.insert(name.clone(), number);
        number
    }
}
