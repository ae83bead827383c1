//! The simulated world: pods, core workloads, the controllers that create them, job queues, datasets, users, and nodes.
//!
//! [`World`] owns the state, with a type or table for each part. Each module has the functions of one part; they change
//! the state and emit the results into the [`Outbox`]: facts, core events and timers. The world does not call the
//! engine or the scheduler, and does not depend on the scheduler for its own state.
//!
//! State is compact: a pod is 32 bytes in a list, a core workload is an index of another list, and names are composed
//! only when they are read.

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
mod events;
mod faults;
mod fleet;
mod job;
mod job_queue;
mod job_record;
mod names;
mod node_speed;
mod nodes;
mod outbox;
mod plan_outcome;
mod pod_lifecycle;
mod pods;
mod progress;
mod quota_overrun;
mod resize;
mod shapes;
mod submit;
mod table;
mod trace_rows;
mod training;
mod trees;
mod unreliable;
mod usage_accounts;
mod workflow;

pub(crate) use access::{Access, Attempt, edit_people, may_change, refuse_tree};
pub(crate) use arrivals::Generator;
pub(crate) use autoscale::{Growth, release_idle};
pub(crate) use controllers::{ControllerState, Tally, kind_of, task_of};
pub(crate) use cost::NODE;
pub(crate) use dataset::{Datasets, Flow as DatasetFlow, Input, Preload, settle as settle_datasets};
pub(crate) use deployment::create_rest;
pub(crate) use devices::{missing_cells, refuse_relabel, relabel, relabelled};
pub(crate) use drain::continue_all as continue_drains;
pub(crate) use edits::Edits;
pub(crate) use ending::{End, Outcomes};
pub(crate) use events::{
    ARRIVAL, CONTROLLER, EDIT, OUTCOME, WorldEvent, begin, change, check_deadlines, handle, is_stale, known_events,
    release_job, tree_replaced,
};
pub(crate) use fleet::{Fleet, NodeEvent, PoolFigures};
pub(crate) use job_queue::{JobQueues, why_suspended};
pub(crate) use job_record::{JobRecord, Span};
pub use names::PodLabel;
pub(crate) use names::{Origin, WorldNames, labelled_name, owner_name, pod_name, unit_name};
pub(crate) use nodes::{NodeState, healthy, spec_of};
pub(crate) use outbox::{Fact, Outbox};
pub(crate) use plan_outcome::{Touched, bind, evict};
pub(crate) use pods::{CoreWorkload, Counts, NONE, Pod, State};
pub(crate) use quota_overrun::{Limit, QuotaOverrun, check as check_overruns, current as overruns};
pub(crate) use shapes::{Row, Shapes};
pub(crate) use table::Table;
pub(crate) use training::Training;
pub(crate) use unreliable::{Unreliable, forget_evictions};
pub(crate) use usage_accounts::{Integral, Thrash, UsageAccount, UsageAccounts};
pub(crate) use workflow::Flow;

use crate::{
    model::{Kind, Scenario, TraceRow},
    queue::Class,
    random::Stream,
    result::FailureRow,
    trace::TraceEvent,
};
use controllers::{OwnerRef, new_controller};
use quotree_core::{Event, Name, PodId, QuotaTree, Time, WorkloadId};
use std::collections::{BTreeMap, BTreeSet};
use trace_rows::{RowPlace, TraceRows};
use trees::Trees;

/// A namespace.
#[derive(Debug, Clone)]
pub(crate) struct Namespace {
    pub(crate) name: Name,
    /// Its leaf in the tree in effect.
    pub(crate) leaf: Option<u32>,
}

/// The state of the whole simulation.
#[derive(Debug)]
pub(crate) struct World<'a> {
    pub(crate) scenario: &'a Scenario,
    pub(crate) seed: u64,
    pub(crate) now: Time,
    pub(crate) out: Outbox,
    pub(crate) trees: Trees,
    pub(crate) shapes: Shapes,
    pub(crate) pods: Table<Pod>,
    /// Core workloads by the id that the scheduler knows.
    pub(crate) units: Table<CoreWorkload>,
    /// Jobs, in order of submission.
    pub(crate) jobs: Table<JobRecord>,
    /// By core workload and ordinal: members that joined a core workload later, each with its role and its number in
    /// the role.
    pub(crate) joined: BTreeMap<(u32, u32), (u32, u32)>,
    /// The core workload for which a controller is creating a replacement.
    pub(crate) replacing: Option<u32>,
    /// Pods that Deployments must still create before anything else happens.
    unmade: Vec<deployment::Unmade>,
    /// First the workloads of the scenario in order, then instances and tasks in order of creation.
    pub(crate) controllers: Table<ControllerState>,
    /// The groups of outcomes that are counted together: all instances of a workload, and all instances of each of its
    /// tasks.
    pub(crate) tallies: Table<Tally>,
    pub(crate) namespaces: Table<Namespace>,
    pub(crate) rows: TraceRows,
    pub(crate) edits: Edits,
    /// Deadlines at the current time.
    pub(crate) due: Vec<WorldEvent>,
    pub(crate) failures: Vec<FailureRow>,
    pub(crate) access: Access,
    pub(crate) accounts: UsageAccounts,
    pub(crate) costs: Option<cost::NodeCosts>,
    pub(crate) job_queues: JobQueues,
    pub(crate) datasets: Datasets,
    pub(crate) nodes: Table<nodes::NodeState>,
    pub(crate) fleet: Fleet,
    pub(crate) devices: devices::Devices,
    pub(crate) unreliable: Unreliable,
    pub(crate) overruns: Vec<QuotaOverrun>,
}

impl<'a> World<'a> {
    /// The initial world of a scenario.
    pub(crate) fn new(scenario: &'a Scenario, seed: u64, tree: QuotaTree) -> Self {
        let mut namespaces = NamespaceNumbers::default();
        for quota in &scenario.tree.quotas {
            for namespace in &quota.namespaces {
                namespaces.number(namespace);
            }
        }
        let mut shapes = Shapes::new(scenario);
        let mut rows = TraceRows::default();
        let mut controllers = Table::default();
        let mut tallies = Table::default();
        for (index, workload) in (0u32..).zip(&scenario.workloads) {
            if let Kind::Trace { rows: traced, .. } = &workload.kind {
                let place = |row: &TraceRow| RowPlace {
                    namespace: namespaces.number(&row.namespace),
                    shape: shapes.number(&row.template),
                    user: NONE,
                };
                rows.places.insert(index, traced.iter().map(place).collect());
                for (row, details) in
                    (0u32..).zip(traced.iter()).filter_map(|(n, row)| Some((n, row.details.as_ref()?)))
                {
                    let others = details.others.iter().map(|(template, _)| shapes.number(template)).collect();
                    rows.other_shapes.insert((index, row), others);
                }
            }
            let tally = tallies.push(Tally { workload: index });
            if let Kind::Workflow { tasks } = &workload.kind {
                for _ in tasks {
                    tallies.push(Tally { workload: index });
                }
            }
            let namespace = namespaces.number(&workload.namespace);
            let part = OwnerRef { workload: index, number: NONE, task: NONE, parent: NONE };
            let stream = |what: &str| Stream::new(seed, &format!("{what}/{}", workload.name));
            let place = (namespace, tally, NONE);
            controllers.push(new_controller(part, &workload.kind, workload, place, stream, &mut shapes));
        }
        let priced = scenario.cluster.pools.iter().any(|pool| pool.price_milli > 0);
        let resources = shapes.resources().len();
        let mut world = Self {
            scenario,
            seed,
            now: Time::default(),
            out: Outbox::default(),
            trees: Trees::new(tree),
            accounts: UsageAccounts::new(resources),
            datasets: Datasets::new(scenario, &shapes),
            shapes,
            pods: Table::default(),
            units: Table::default(),
            jobs: Table::default(),
            joined: BTreeMap::new(),
            replacing: None,
            unmade: Vec::new(),
            controllers,
            tallies,
            namespaces: namespaces.namespaces,
            rows,
            edits: Edits::default(),
            due: Vec::new(),
            failures: Vec::new(),
            access: Access::default(),
            costs: priced.then(|| cost::NodeCosts::new(scenario.cluster.nodes.len())),
            job_queues: JobQueues::new(scenario),
            nodes: scenario.cluster.nodes.iter().map(nodes::NodeState::of).collect(),
            fleet: Fleet::new(scenario),
            devices: devices::Devices::new(scenario),
            unreliable: Unreliable::new(seed),
            overruns: Vec::new(),
        };
        access::register_all(&mut world);
        world.attach_namespaces();
        world
    }

    /// Emits a record of the trace.
    #[inline]
    pub(crate) fn trace(&mut self, what: TraceEvent) {
        self.out.facts.push(Fact::Trace(what));
    }

    /// Emits a fact for the subscribers.
    #[inline]
    pub(crate) fn emit(&mut self, fact: Fact) {
        self.out.facts.push(fact);
    }

    /// Emits an event for the scheduler.
    pub(crate) fn tell(&mut self, event: Event) {
        let nodes = matches!(event, Event::NodeUp(_) | Event::NodeChanged(_) | Event::NodeDown { .. });
        self.out.core_events.push(event);
        if nodes {
            devices::check_cells(self);
        }
    }

    /// Emits a timer.
    pub(crate) fn schedule(&mut self, at: Time, class: Class, event: WorldEvent) {
        self.out.timers.push((at, class, event));
    }

    /// Schedules the outcome of a decision after a delay. Without a delay the outcome follows at the current time; with
    /// an endless one it never happens.
    pub(crate) fn after(&mut self, delay: Option<u64>, event: WorldEvent) {
        match delay {
            Some(0) => self.out.immediate.push(event),
            Some(ms) => self.schedule(self.now.after_ms(ms), OUTCOME, event),
            None => {}
        }
    }

    /// All names.
    pub(crate) fn names(&self) -> WorldNames<'_> {
        WorldNames { world: self, tree: self.trees.current() }
    }

    /// The number of a pod; nothing if it never existed.
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

    /// All pods of a core workload.
    pub(crate) fn pods_of(&self, unit: u32) -> impl Iterator<Item = u32> + use<> {
        let first = self.units[unit].first_pod;
        let later: Vec<u32> = self.joined.range((unit, 0)..=(unit, u32::MAX)).map(|(_, (p, _))| *p).collect();
        (first..first + self.units[unit].first_count).chain(later)
    }

    /// Changes the state of a pod, and updates every count that includes it, and its gang.
    pub(crate) fn set_state(&mut self, pod: u32, to: State) {
        let Pod { unit: unit_id, state: from, shape, role, .. } = self.pods[pod];
        let CoreWorkload { owner, account, .. } = self.units[unit_id];
        let controller = &mut self.controllers[owner];
        controller.shift(from, to);
        if let Some(training) = controller.training.as_mut() {
            // A new run counts its members from nothing: those of the run before have all ended by then.
            if training.unit.is_none_or(|present| present == unit_id) {
                training.count(role, from, to);
            }
        }
        self.accounts.shift(account, (from, to), &self.shapes.rows[shape], self.now);
        let unit = &mut self.units[unit_id];
        unit.shift(from, to);
        let job = unit.job;
        if unit.live == 0 {
            self.job_queues.ended(unit_id);
        } else if to == State::Running {
            self.job_queues.started(unit_id);
        }
        let record = &mut self.pods[pod];
        (record.state, record.at) = (to, self.now);
        job_record::update(self, job);
        dataset::count_worker(self, pod, from, to);
        self.emit(Fact::Pod { pod, from, to });
    }

    /// After a new tree: finds the leaves of all namespaces in it, and adds new namespaces.
    pub(crate) fn attach_namespaces(&mut self) {
        let tree = self.trees.current();
        let known: BTreeSet<&Name> = self.namespaces.iter().map(|namespace| &namespace.name).collect();
        let named = tree.ids().filter_map(|quota| tree.spec(quota)).flat_map(|quota| &quota.namespaces);
        let new: Vec<Name> = named.filter(|name| !known.contains(name)).cloned().collect();
        for name in new {
            self.namespaces.push(Namespace { name, leaf: None });
        }
        for namespace in self.namespaces.iter_mut() {
            namespace.leaf = tree.leaf_of(namespace.name.as_str()).map(|leaf| leaf.0);
        }
    }
}

/// Namespaces by name, numbered in order of appearance.
#[derive(Default)]
struct NamespaceNumbers {
    numbers: BTreeMap<Name, u32>,
    namespaces: Table<Namespace>,
}

impl NamespaceNumbers {
    fn number(&mut self, name: &Name) -> u32 {
        if let Some(number) = self.numbers.get(name) {
            return *number;
        }
        let number = self.namespaces.push(Namespace { name: name.clone(), leaf: None });
        self.numbers.insert(name.clone(), number);
        number
    }
}
