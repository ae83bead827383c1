//! The checked model of a scenario as plain data: every name is resolved, every number is in base units.
//!
//! The scenario language (`quotree-scenario`) builds it from text, and the simulator (`quotree-sim`) only reads it.
//! Code that both must share is here, too: durations, random streams, permissions ([`people`]), GPU cells ([`cells`]).

mod arrivals;
mod calendar;
pub mod cells;
mod change;
mod claims;
mod dataset;
mod device_use;
mod faults;
mod gpus;

mod parts;
pub mod people;
mod queues;
mod quota_edit;
pub mod random;
mod retries;
mod rows;
mod runtime;
mod shares;
mod training;
mod words;

pub use arrivals::{Arrivals, Concurrency, HOUR_MS, Pattern};
pub use calendar::Start;
pub use change::{Change, TimedChange};
pub use claims::{Claim, Predicate, Selector};
pub use dataset::{Cache, Dataset, DatasetFigure, Reads, Tier};

pub use device_use::DeviceUse;
pub use faults::{Autoscale, Faults, NodeChange, NodeClaim, NodeFigure, NodePool, Nodes};
pub use gpus::{CORES, DeviceChange, GpuMode, Gpus, MEMORY, MODE_LABEL, MODEL_LABEL, set_label};
pub use parts::{Priority, Task};
pub use queues::{JobQueue, QueueOrder};
pub use quota_edit::{QuotaEdit, move_namespace};
pub use quotree_syntax::{MAX_MS, Ms, Positive, parse_duration};
pub use retries::{Checkpoints, Retries};
pub use rows::{Deletion, Limits, RowDetails, TraceRow};
pub use runtime::Runtime;
pub use shares::{ShareClaim, ShareFigure};
pub use training::{BILLION, OnLoss, Scaling, Work, gpus};
pub use words::{BadEviction, Compare, FairnessFigure, JobFigure, WaitStat, When};

use people::People;
use quotree_core::{Amounts, Level, Name, NodeSpec, PodTemplate, Policy, Time, TreeSpec, TypicalPod};
use std::{borrow::Cow, collections::BTreeMap, sync::Arc};

/// A whole simulated world with its claims.
#[derive(Debug, Clone)]
pub struct Scenario {
    /// Its name, unique in a catalogue.
    pub name: String,
    /// A description in one sentence.
    pub about: String,
    /// The seed from which all random streams are derived.
    pub seed: u64,
    /// The name of the policy, such as `capacity`.
    pub policy_name: String,
    /// The settings of the policy.
    pub policy: Policy,
    /// Nodes, or one pool without nodes.
    pub cluster: Cluster,
    /// The quota tree.
    pub tree: TreeSpec,
    /// Users and groups. If there are none, permissions are not checked.
    pub people: People,
    /// Job queues; a leaf has at most one.
    pub queues: Vec<JobQueue>,
    /// The datasets that workloads read.
    pub datasets: Vec<Dataset>,
    /// The workloads.
    pub workloads: Vec<Workload>,
    /// The changes of the world, sorted by time; at equal times in the order of the file.
    pub events: Vec<TimedChange>,
    /// Nodes that fail at random.
    pub faults: Vec<Faults>,
    /// The claims.
    pub claims: Vec<Claim>,
    /// How the world behaves around the scheduler.
    pub world: World,
    /// The digest of the text of the scenario and of all files that it includes.
    pub digest: u128,
}

impl Scenario {
    /// The domains of which a worst-case outage may be, in the order in which they are tried; none in a scenario without
    /// such an outage.
    #[must_use]
    pub fn outage_candidates(&self) -> Vec<Name> {
        let of = |timed: &TimedChange| match &timed.change {
            Change::Nodes(NodeChange::Outage { candidates, .. }) => Some(Arc::clone(candidates)),
            _ => None,
        };
        let found = self.events.iter().filter_map(of).find(|candidates| !candidates.is_empty());
        found.iter().flat_map(|candidates| candidates.iter()).map(|(name, _)| name.clone()).collect()
    }

    /// This scenario where each worst-case outage is that of the candidate of this number.
    #[must_use]
    pub fn with_outage_of(&self, candidate: usize) -> Self {
        let mut scenario = self.clone();
        for timed in &mut scenario.events {
            if let Change::Nodes(NodeChange::Outage { nodes, candidates, .. }) = &mut timed.change
                && let Some((_, chosen)) = candidates.get(candidate)
            {
                *nodes = Arc::clone(chosen);
            }
        }
        scenario
    }

    /// The typical pods of all workloads, from which the placement score `Fgd` computes fragmentation. A workload that
    /// is submitted repeatedly counts once for each expected instance.
    #[must_use]
    pub fn typical(&self) -> Vec<TypicalPod> {
        let mut pods: Vec<(&PodTemplate, u64)> = Vec::new();
        for workload in &self.workloads {
            let times = workload.expected(self.world.until).unwrap_or(1).max(1);
            workload.kind.templates(&mut |template, count| pods.push((template, count.saturating_mul(times))));
        }
        TypicalPod::of(pods)
    }
}

/// The machines.
#[derive(Debug, Clone, Default)]
pub struct Cluster {
    /// Every node, in the order of the file; `spec.id` is its index here. A pool without nodes is one node here.
    pub nodes: Vec<Node>,
    /// Whether it is a `Pool`: amounts without nodes.
    pub is_pool: bool,
    /// The node pools, in the order of the file.
    pub pools: Vec<NodePool>,
    /// The GPUs of nodes whose pool specifies them, by index into `nodes`.
    pub gpus: BTreeMap<usize, Arc<Gpus>>,
}

/// A machine.
#[derive(Debug, Clone)]
pub struct Node {
    /// Its name.
    pub name: String,
    /// The node pool to which it belongs.
    pub pool: Name,
    /// The node as the scheduler sees it.
    pub spec: NodeSpec,
    /// Whether it is absent at the start; it may join later.
    pub spare: bool,
}

impl Node {
    /// A node that exists from the start.
    #[must_use]
    pub fn new(name: String, pool: Name, spec: NodeSpec) -> Self {
        Self { name, pool, spec, spare: false }
    }
}

/// Something that is submitted and creates pods.
#[derive(Debug, Clone)]
pub struct Workload {
    /// Unique in the scenario.
    pub name: String,
    /// The namespace of its pods.
    pub namespace: Name,
    /// The user who submits it; `None`: permissions are not checked.
    pub user: Option<Name>,
    /// Priority of its pods; tasks and trace rows may have their own.
    pub priority: Priority,
    /// Whether its pods may be evicted.
    pub preemptible: bool,
    /// The disruption budget that protects its pods.
    pub budget: Option<Name>,
    /// If set, all pods of each of its gangs are placed in one domain of this level; tasks have their own.
    pub together: Option<Level>,
    /// The time from an eviction decision until the pod is gone; `None`: that of the world.
    pub eviction_grace: Option<Runtime>,
    /// When it is submitted, or when repeated submissions begin.
    pub submit: Time,
    /// How it is submitted repeatedly; `None`: it is submitted once.
    pub arrivals: Option<Arrivals>,
    /// Its deadline, as a time after its submission, milliseconds. Deadlines are only counted. Tasks and trace rows
    /// have their own.
    pub deadline_ms: Option<u64>,
    /// How much its pods use of their devices; the same for all tasks and trace rows.
    pub device_use: DeviceUse,
    /// The kind, with the fields of that kind.
    pub kind: Kind,
}

/// The kinds of workload.
#[derive(Debug, Clone)]
pub enum Kind {
    /// Equal pods that run until they are scaled down or withdrawn; lost pods are recreated.
    Deployment {
        /// How many replicas it has.
        replicas: u32,
        /// The template of its pods.
        template: Arc<PodTemplate>,
    },
    /// Equal pods that end; an evicted pod is tried again.
    Job {
        /// How many pods must succeed.
        completions: u32,
        /// How many pods may exist at once.
        parallelism: u32,
        /// How it handles pods that fail.
        retries: Retries,
        /// The template of its pods.
        template: Arc<PodTemplate>,
        /// How long each pod runs.
        runtime: Runtime,
        /// When its work is saved.
        checkpoints: Checkpoints,
        /// The dataset that each pod reads; only for a job that ends.
        reads: Option<Reads>,
    },
    /// Roles that train together.
    Training {
        /// The roles, at least one.
        roles: Vec<Role>,
        /// The amount of work.
        work: Work,
        /// How the speed depends on the number of members.
        scaling: Scaling,
        /// When the work of all its members together is saved.
        checkpoints: Checkpoints,
        /// The time that each restart adds to the run, milliseconds.
        restart_overhead_ms: u64,
        /// How many restarts are allowed before it fails; if absent, unlimited.
        max_restarts: Option<u32>,
        /// It fails when it has worked this long, over all its runs, milliseconds.
        runtime_limit_ms: Option<u64>,
        /// What happens when members are lost with their node.
        on_loss: OnLoss,
        /// The dataset that its members read together; only for a training that ends.
        reads: Option<Reads>,
    },
    /// Jobs and trainings that depend on each other.
    Workflow {
        /// The tasks, at least one; their dependencies have no cycle.
        tasks: Vec<Task>,
    },
    /// Rows of an imported trace. Each is a job of one gang that runs for the time given in the row.
    Trace {
        /// The rows, sorted stably by submission.
        rows: Arc<[TraceRow]>,
        /// Limits of the rows that have none of their own.
        limits: Limits,
        /// When the work of a row is saved.
        checkpoints: Checkpoints,
    },
}

/// A role of a training job.
#[derive(Debug, Clone)]
pub struct Role {
    /// Its name: master, worker, ps, ...
    pub name: Name,
    /// How many pods.
    pub replicas: u32,
    /// How many must run together (minimum members).
    pub min: u32,
    /// Whether its members do the work. The others, such as launchers, only have to run.
    pub works: bool,
    /// The template of its pods.
    pub template: Arc<PodTemplate>,
}

/// How the world behaves around the scheduler.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct World {
    /// The time from a bind decision until the pod runs.
    pub bind_latency: Runtime,
    /// The time from an eviction decision until the pod is gone.
    pub eviction_grace: Runtime,
    /// The time from when a pod is gone until its controller creates the replacement.
    pub recreate_delay_ms: u64,
    /// Per mille of binds that fail, after their latency; the pod is pending again.
    pub failed_binds_permille: u64,
    /// Per mille of eviction requests that are lost; the pod keeps running.
    pub lost_evictions_permille: u64,
    /// Per mille of eviction requests that the API refuses; the pod keeps running.
    pub refused_evictions_permille: u64,
    /// The time from a lost eviction request to the next one; from a refused one until the scheduler gives it up, and
    /// from then until the pod may be evicted again.
    pub eviction_retry_ms: u64,
    /// From this time on no bind fails and no request is lost or refused; `None`: no such time.
    pub reliable_from: Option<Time>,
    /// The latest end of the run; `None`: the run ends when nothing more can happen.
    pub until: Option<Time>,
    /// A run that handles more events than this stops with an error: a guard against runaway scenarios.
    pub max_events: u64,
    /// The currency, which reports print after prices; empty if the scenario names none.
    pub currency: String,
    /// The calendar time of moment 0. No decision depends on it.
    pub starts_at: Option<Start>,
}

impl Default for World {
    fn default() -> Self {
        Self {
            bind_latency: Runtime::Fixed(0),
            eviction_grace: Runtime::Fixed(0),
            recreate_delay_ms: 0,
            failed_binds_permille: 0,
            lost_evictions_permille: 0,
            refused_evictions_permille: 0,
            eviction_retry_ms: 30_000,
            reliable_from: None,
            until: None,
            max_events: 1_000_000_000,
            currency: String::new(),
            starts_at: None,
        }
    }
}

/// Totals against which quotas are checked.
impl Cluster {
    /// The sum of all nodes that exist at the start or that autoscaling can add; `None` if a sum would overflow.
    #[must_use]
    pub fn total(&self) -> Option<Amounts> {
        self.total_with(&[])
    }

    /// By node: the amounts that it has in each GPU mode that one of these changes gives it.
    pub fn relabelled(&self, changes: &[TimedChange]) -> BTreeMap<usize, Vec<Amounts>> {
        let mut modes: BTreeMap<usize, Vec<Amounts>> = BTreeMap::new();
        for timed in changes {
            if let Change::Devices(DeviceChange::Relabel { node, mode: Some((mode, gpus)), .. }) = &timed.change
                && let Some(mut spec) = self.nodes.get(*node).map(|node| node.spec.clone())
            {
                gpus.mark(*mode, &mut spec);
                modes.entry(*node).or_default().push(spec.allocatable);
            }
        }
        modes
    }

    /// The sum of [`total`](Self::total), but with the largest amount that each node has of each resource, at the start
    /// or after one of these changes.
    pub fn total_with(&self, changes: &[TimedChange]) -> Option<Amounts> {
        let modes = self.relabelled(changes);
        let mut sum = Amounts::new();
        let scales = |node: &Node| self.pools.iter().any(|p| p.name == node.pool && p.autoscale.is_some());
        for (i, node) in self.nodes.iter().enumerate().filter(|(_, node)| !node.spare || scales(node)) {
            let mut most = Cow::Borrowed(&node.spec.allocatable);
            for amounts in modes.get(&i).into_iter().flatten() {
                for (name, amount) in amounts.iter() {
                    if most.get(name.as_str()).is_none_or(|before| before < amount) {
                        most.to_mut().set(name.clone(), amount);
                    }
                }
            }
            for (name, amount) in most.iter() {
                let before = sum.get(name.as_str()).unwrap_or(0);
                sum.set(name.clone(), before.checked_add(amount)?);
            }
        }
        Some(sum)
    }
}
