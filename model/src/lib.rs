//! The checked model of a scenario as plain data: every name is resolved, every number is in base units.
//!
//! The scenario language (`quotree-scenario`) builds it from text, and the simulator (`quotree-sim`) only reads it. What both
//! must compute in the same way is here too: durations, random streams, who may do what ([`people`]), GPU cells ([`cells`]).

mod arrivals;
pub mod cells;
mod change;
mod claims;
mod dataset;
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
pub use change::{Change, TimedChange};
pub use claims::{Claim, Predicate, Selector};
pub use dataset::{Cache, Dataset, DatasetFigure, Reads, Tier};

pub use faults::{Autoscale, Faults, NodeChange, NodeClaim, NodeFigure, NodePool, Nodes};
pub use gpus::{CORES, DeviceChange, GpuMode, Gpus, MEMORY, MODE_LABEL, MODEL_LABEL, set_label};
pub use parts::{Priority, Task};
pub use queues::{JobQueue, QueueOrder};
pub use quota_edit::{QuotaEdit, move_namespace};
pub use quotree_syntax::{MAX_MS, Ms, Positive, parse_duration};
pub use retries::{Checkpoints, Retries};
pub use rows::{Limits, TraceRow};
pub use runtime::Runtime;
pub use shares::{ShareClaim, ShareFigure};
pub use training::{BILLION, OnLoss, Scaling, Work, gpus};
pub use words::{BadEviction, Compare, FairnessFigure, WaitStat, When};

use people::People;
use quotree_core::{Amounts, Level, Name, NodeSpec, PodTemplate, Policy, Time, TreeSpec, TypicalPod};
use std::{borrow::Cow, collections::BTreeMap, sync::Arc};

/// A whole simulated world with its claims.
#[derive(Debug, Clone)]
pub struct Scenario {
    /// Its name, unique in a catalogue.
    pub name: String,
    /// One sentence for people.
    pub about: String,
    /// The root of all random streams.
    pub seed: u64,
    /// The name of the policy, such as `capacity`.
    pub policy_name: String,
    /// The knobs of the policy.
    pub policy: Policy,
    /// Nodes, or one pool without nodes.
    pub cluster: Cluster,
    /// The quota tree.
    pub tree: TreeSpec,
    /// Users and groups. If there are none, permissions are not checked.
    pub people: People,
    /// Queues in front of leaves, at most one a leaf.
    pub queues: Vec<JobQueue>,
    /// What workloads read.
    pub datasets: Vec<Dataset>,
    /// What is submitted.
    pub workloads: Vec<Workload>,
    /// What happens to the world, sorted by time; equal times in the order of the file.
    pub events: Vec<TimedChange>,
    /// Nodes that fail at random.
    pub faults: Vec<Faults>,
    /// What must hold.
    pub claims: Vec<Claim>,
    /// How the world behaves around the scheduler.
    pub world: World,
    /// The digest of the text of the scenario and of all files it includes.
    pub digest: u128,
}

impl Scenario {
    /// The typical pods of all workloads, by which placement `Fgd` measures fragmentation. A workload that is submitted
    /// repeatedly counts as often as instances are expected.
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
    /// The GPUs of nodes whose pool says what they are, by index into `nodes`.
    pub gpus: BTreeMap<usize, Arc<Gpus>>,
}

/// A machine.
#[derive(Debug, Clone)]
pub struct Node {
    /// Its name.
    pub name: String,
    /// The node pool it came from.
    pub pool: Name,
    /// The node as the scheduler sees it.
    pub spec: NodeSpec,
    /// It is not there at the start; it may join later.
    pub spare: bool,
}

impl Node {
    /// A node that is there from the start.
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
    /// Who submits it; `None`: permissions are not checked.
    pub user: Option<Name>,
    /// Priority of its pods; tasks and rows may have their own.
    pub priority: Priority,
    /// Whether its pods may be evicted.
    pub preemptible: bool,
    /// The disruption budget that protects its pods.
    pub budget: Option<Name>,
    /// All pods of each of its gangs are placed in one domain of this level; tasks have their own.
    pub together: Option<Level>,
    /// From an eviction decision until its pod is gone; `None`: as the world says.
    pub eviction_grace: Option<Runtime>,
    /// When it is submitted; if repeatedly, from when on.
    pub submit: Time,
    /// `None`: it is submitted once.
    pub arrivals: Option<Arrivals>,
    /// It should be done within this time of its submission, milliseconds; only counted. Tasks and rows have their own.
    pub deadline_ms: Option<u64>,
    /// What it is.
    pub kind: Kind,
}

/// The kinds of workload.
#[derive(Debug, Clone)]
pub enum Kind {
    /// Equal pods that run until scaled or withdrawn; lost ones are recreated.
    Deployment {
        /// How many.
        replicas: u32,
        /// What each asks.
        template: Arc<PodTemplate>,
    },
    /// Equal pods that end; a pod that is evicted is tried again.
    Job {
        /// How many must succeed.
        completions: u32,
        /// How many may be there at once.
        parallelism: u32,
        /// What it does about pods that fail.
        retries: Retries,
        /// What each asks.
        template: Arc<PodTemplate>,
        /// How long each runs.
        runtime: Runtime,
        /// When its work is saved.
        checkpoints: Checkpoints,
        /// What each pod reads; never of a job that runs forever.
        reads: Option<Reads>,
    },
    /// Roles that train together.
    Training {
        /// The roles, at least one.
        roles: Vec<Role>,
        /// How much there is to do.
        work: Work,
        /// How much faster several members are than one.
        scaling: Scaling,
        /// When the work of all its members together is saved.
        checkpoints: Checkpoints,
        /// Added to the run after each restart, milliseconds.
        restart_overhead_ms: u64,
        /// How often it may be restarted before it fails; `None`: without limit.
        max_restarts: Option<u32>,
        /// It fails when it has worked this long, all its runs together, milliseconds.
        runtime_limit_ms: Option<u64>,
        /// What it does when it loses members with their node.
        on_loss: OnLoss,
        /// What its members read together; never of a training that runs forever.
        reads: Option<Reads>,
    },
    /// Jobs and trainings that depend on each other.
    Workflow {
        /// At least one; none waits for itself.
        tasks: Vec<Task>,
    },
    /// Rows of an imported trace, each a job of one gang of equal pods that runs for its time.
    Trace {
        /// The rows, sorted stably by submission.
        rows: Arc<[TraceRow]>,
        /// Limits of rows that have none of their own.
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
    /// How many must run together.
    pub min: u32,
    /// Whether its members do the work; the others, such as launchers, must only be there.
    pub works: bool,
    /// What each asks.
    pub template: Arc<PodTemplate>,
}

/// How the world behaves around the scheduler.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct World {
    /// From a bind decision to the running pod.
    pub bind_latency: Runtime,
    /// From an eviction decision to the pod being gone.
    pub eviction_grace: Runtime,
    /// From a pod being gone to the replacement that its controller creates.
    pub recreate_delay_ms: u64,
    /// How many binds of a thousand fail, after their latency; the pod waits again.
    pub failed_binds_permille: u64,
    /// How many requests of a thousand to evict a running pod are lost; the pod runs on.
    pub lost_evictions_permille: u64,
    /// From a lost eviction request to the next one.
    pub eviction_retry_ms: u64,
    /// From then on no bind fails and no request is lost; `None`: never.
    pub reliable_from: Option<Time>,
    /// The run stops here at the latest; `None`: when nothing more can happen.
    pub until: Option<Time>,
    /// A run that handles more events than this stops with an error: a guard against runaway scenarios.
    pub max_events: u64,
}

impl Default for World {
    fn default() -> Self {
        Self {
            bind_latency: Runtime::Fixed(0),
            eviction_grace: Runtime::Fixed(0),
            recreate_delay_ms: 0,
            failed_binds_permille: 0,
            lost_evictions_permille: 0,
            eviction_retry_ms: 30_000,
            reliable_from: None,
            until: None,
            max_events: 1_000_000_000,
        }
    }
}

/// Totals against which quotas are checked.
impl Cluster {
    /// The sum of all nodes that are there at the start or can be added by autoscaling; `None` if a sum would overflow.
    #[must_use]
    pub fn total(&self) -> Option<Amounts> {
        self.total_with(&[])
    }

    /// The amounts that nodes have after these changes relabel them, by index of the node.
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

    /// The same; of each node and resource, the most that it has at the start or after one of these changes.
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
