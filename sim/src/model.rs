//! A scenario as the simulator runs it: checked, every name resolved, every number in base units.
//!
//! The scenario front end ([`crate::scenario`]) makes it out of text; the engine ([`crate::run`]) only reads it.

mod arrivals;
mod change;
mod dataset;
mod faults;
mod gpus;
mod parts;
mod queues;
mod quota_edit;
mod runtime;
mod shares;
mod training;
mod words;

pub(crate) use arrivals::HOUR_MS;
pub use arrivals::{Arrivals, Concurrency, Pattern};
pub use change::{Change, TimedChange};
pub use dataset::{Cache, Dataset, DatasetFigure, Reads, Tier};
pub use faults::{Autoscale, Faults, NodeChange, NodeClaim, NodeFigure, NodePool, Nodes};
pub use parts::Task;
pub use queues::{JobQueue, QueueOrder};
pub use quota_edit::QuotaEdit;
pub use runtime::Runtime;
pub use shares::{ShareClaim, ShareFigure};
pub(crate) use training::BILLION;
pub use training::{OnLoss, Scaling, Work};
pub use words::{BadEviction, Compare, FairnessFigure, WaitStat, When};

pub(crate) use gpus::{CORES, MEMORY, set_label};
pub use gpus::{DeviceChange, GpuMode, Gpus, MODE_LABEL, MODEL_LABEL};

use crate::people::{People, Reason};
use std::{borrow::Cow, collections::BTreeMap};
use quotree_core::{Amounts, Level, Name, NodeSpec, PodTemplate, Policy, Time, TreeSpec, TypicalPod};
use std::{collections::BTreeMap, sync::Arc};

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
    /// Users and groups; nobody: nobody is asked who they are.
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
    /// Digest of the scenario's text and everything it includes, for the run's header.
    pub digest: u128,
}

impl Scenario {
    /// The typical pods of all that is submitted: what placement `Fgd` measures by. What comes again and again counts as
    /// often as it is expected to come.
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
    /// What the scheduler is told.
    pub spec: NodeSpec,
    /// It is not there at first: it joins later, if ever.
    pub spare: bool,
}

impl Node {
    /// A node that is there from the start.
    #[must_use]
    pub fn new(name: String, pool: Name, spec: NodeSpec) -> Self {
        Self { name, pool, spec, spare: false }
    }
}

/// Something that is submitted and makes pods.
#[derive(Debug, Clone)]
pub struct Workload {
    /// Unique in the scenario.
    pub name: String,
    /// Where its pods live.
    pub namespace: Name,
    /// Who submits it; absent: nobody who is asked.
    pub user: Option<Name>,
    /// Priority of its pods.
    pub priority: i32,
    /// Whether its pods may be evicted.
    pub preemptible: bool,
    /// The disruption budget that guards its pods.
    pub budget: Option<Name>,
    /// All pods of each of its gangs stand in one domain of this level.
    pub together: Option<Level>,
    /// From an eviction decision to a pod of it being gone; absent: as the world says.
    pub eviction_grace: Option<Runtime>,
    /// When it is submitted; where it arrives again and again, from when on.
    pub submit: Time,
    /// Absent: it comes once.
    pub arrivals: Option<Arrivals>,
    /// It should be done so long after its submission, milliseconds; only counted.
    pub deadline_ms: Option<u64>,
    /// What it is.
    pub kind: Kind,
}

/// The kinds of workload.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Kind {
    /// Equal pods that run until scaled or withdrawn; lost ones are recreated.
    Deployment {
        /// How many.
        replicas: u32,
        /// What each asks.
        template: Arc<PodTemplate>,
    },
    /// Equal pods that end; each that is evicted is tried again.
    Job {
        /// How many must succeed.
        completions: u32,
        /// How many may be there at once.
        parallelism: u32,
        /// How many failures (losses of a node included, evictions not) end the job.
        backoff_limit: u32,
        /// What each asks.
        template: Arc<PodTemplate>,
        /// How long each runs.
        runtime: Runtime,
        /// Work kept over an eviction is a multiple of this much, milliseconds; absent: none is kept.
        checkpoint_ms: Option<u64>,
        /// How long the work stands still for each checkpoint, milliseconds.
        checkpoint_cost_ms: u64,
        /// From the first loss to the next try, on top of the world's delay; doubles with each further loss, milliseconds.
        retry_delay_ms: u64,
        /// A pod whose work has run so long, all its tries together, ends the job badly, milliseconds.
        runtime_limit_ms: Option<u64>,
        /// What each pod reads; not where it runs forever.
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
        /// As for a job; so much work of everybody together.
        checkpoint_ms: Option<u64>,
        /// As for a job.
        checkpoint_cost_ms: u64,
        /// Added to the run after each restart, milliseconds.
        restart_overhead_ms: u64,
        /// How often it may be started anew before it fails; absent: for ever.
        max_restarts: Option<u32>,
        /// A training that has worked so long, all its runs together, fails, milliseconds.
        runtime_limit_ms: Option<u64>,
        /// What it does when it loses members with their node.
        on_loss: OnLoss,
        /// What its members read together; not where it runs forever.
        reads: Option<Reads>,
    },
    /// Jobs and trainings that depend on each other.
    Workflow {
        /// At least one, and none that leads back to itself.
        tasks: Vec<Task>,
    },
    /// Rows of an imported trace, each a job of one gang of equal pods that runs for its time.
    Trace {
        /// The rows, sorted stably by submission.
        rows: Arc<[TraceRow]>,
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
    /// Whether its members do the work; the others, such as launchers, only must be there.
    pub works: bool,
    /// What each asks.
    pub template: Arc<PodTemplate>,
}

/// One row of a trace.
#[derive(Debug, Clone)]
pub struct TraceRow {
    /// Its name in the trace, or its row number.
    pub name: Box<str>,
    /// When it is submitted.
    pub submit: Time,
    /// How long its pods run once started, milliseconds.
    pub runtime_ms: u64,
    /// Where it lives.
    pub namespace: Name,
    /// Who submits it: shared text, as the namespace.
    pub user: Option<Name>,
    /// Its priority.
    pub priority: i32,
    /// How many equal pods make the gang.
    pub pods: u32,
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
    /// From a pod being gone to its controller's replacement.
    pub recreate_delay_ms: u64,
    /// How many binds of a thousand fail, after their latency; the pod waits again.
    pub failed_binds_permille: u64,
    /// How many requests of a thousand to evict a running pod are lost; the pod runs on.
    pub lost_evictions_permille: u64,
    /// From a lost request to evict to the next one.
    pub eviction_retry_ms: u64,
    /// From then on no bind fails and no request is lost; absent: never.
    pub reliable_from: Option<Time>,
    /// The run stops here at the latest; absent: when nothing more can happen.
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

/// Something that must hold, with the place it is written at.
#[derive(Debug, Clone)]
pub struct Claim {
    /// The claim as text, for reports.
    pub text: String,
    /// Line of the file, from 1.
    pub line: u32,
    /// Why, in the author's words.
    pub because: Option<String>,
    /// When it is judged.
    pub when: When,
    /// What must hold.
    pub what: What,
}

/// Whose pods a claim speaks of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Of {
    /// A namespace.
    Namespace(Name),
    /// Everything under a quota.
    Quota(Name),
    /// A workload, by name; of one that comes again and again, all instances.
    Workload(String),
    /// A task of a workflow, in all its instances.
    Task {
        /// The workflow.
        workflow: String,
        /// The task.
        task: String,
    },
    /// What a user submitted.
    User(Name),
    /// What members of a group submitted into its leaf.
    Group(Name),
    /// Everything.
    All,
}

/// What a claim says.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum What {
    /// Counts of pods by state; absent: not claimed.
    Pods {
        /// Whose.
        of: Of,
        /// Running (bound, not ended; leaving ones included).
        running: Option<u64>,
        /// Waiting.
        pending: Option<u64>,
        /// Ended well.
        succeeded: Option<u64>,
        /// Ended badly.
        failed: Option<u64>,
    },
    /// How many instances of workloads came and how they ended; absent: not claimed.
    Instances {
        /// Whose.
        of: Of,
        /// Submitted so far.
        submitted: Option<u64>,
        /// Done.
        succeeded: Option<u64>,
        /// Given up.
        failed: Option<u64>,
        /// Neither ended nor withdrawn.
        active: Option<u64>,
        /// Starts of a `CronJob` that were left out.
        skipped: Option<u64>,
    },
    /// Deadlines met or missed so far.
    Deadlines {
        /// Whose.
        of: Of,
        /// Whether those are counted that were met, or those that were missed.
        met: bool,
        /// How compared.
        compare: Compare,
        /// With what.
        count: u64,
    },
    /// Use of a quota.
    Used {
        /// Which.
        quota: Name,
        /// Of what.
        resource: Name,
        /// How compared.
        compare: Compare,
        /// With what, base units.
        amount: i64,
    },
    /// Use above the guarantee of a quota.
    Borrowed {
        /// Which.
        quota: Name,
        /// Of what.
        resource: Name,
        /// How compared.
        compare: Compare,
        /// With what, base units.
        amount: i64,
    },
    /// No leaf is under its guarantee while it has waiting demand, for longer than this.
    Guaranteed {
        /// Milliseconds.
        within_ms: u64,
    },
    /// Evictions so far.
    Evictions {
        /// Of whose pods; absent: anybody's.
        of: Option<Of>,
        /// For whom; absent: anybody.
        by: Option<Of>,
        /// How compared.
        compare: Compare,
        /// With what.
        count: u64,
    },
    /// A count of evictions that should not have been.
    Bad {
        /// Which.
        kind: BadEviction,
        /// How compared.
        compare: Compare,
        /// With what.
        count: u64,
    },
    /// The verdict of a waiting workload's pods names this rule: it binds, is in the way, or protects pods (X1).
    Verdict {
        /// Whose.
        of: Of,
        /// The rule, as text: `A1`, `P1`, ...
        rule: String,
    },
    /// Waits of pods that were bound.
    Wait {
        /// Whose.
        of: Of,
        /// Which.
        stat: WaitStat,
        /// How compared.
        compare: Compare,
        /// With what, milliseconds.
        ms: u64,
    },
    /// The time at which the last pod ended.
    Makespan {
        /// How compared.
        compare: Compare,
        /// With what, milliseconds.
        ms: u64,
    },
    /// Time-weighted use over capacity, in thousandths.
    Utilisation {
        /// Of what.
        resource: Name,
        /// How compared.
        compare: Compare,
        /// With what.
        permille: u64,
    },
    /// Submissions and edits that were refused.
    Refused {
        /// Whose; absent: anybody's.
        of: Option<Of>,
        /// Why; absent: for any reason.
        why: Option<Reason>,
        /// How compared.
        compare: Compare,
        /// With what.
        count: u64,
    },
    /// A resource times the time it was used.
    UsedTime {
        /// By whom.
        of: Of,
        /// Of what.
        resource: Name,
        /// How compared.
        compare: Compare,
        /// With what: milliseconds of one whole unit (a core, a device, a GiB).
        ms: u64,
    },
    /// Work thrown away by evictions and losses: pod-milliseconds.
    LostWork {
        /// Whose.
        of: Of,
        /// How compared.
        compare: Compare,
        /// With what, milliseconds.
        ms: u64,
    },
    /// A dataset: its phase, or a figure.
    Dataset {
        /// Index into [`Scenario::datasets`].
        dataset: usize,
        /// Whether it is bound: a cache worker runs.
        bound: Option<bool>,
        /// A figure, how compared, and with what: thousandths, bytes a second, or milliseconds.
        figure: Option<(DatasetFigure, Compare, u64)>,
    },
    /// Time in which work waited for input; of a Job summed over its pods.
    InputWait {
        /// Whose.
        of: Of,
        /// Whether times the GPUs that waited.
        gpus: bool,
        /// How compared.
        compare: Compare,
        /// With what, milliseconds.
        ms: u64,
    },
    /// A fairness figure in thousandths.
    Fairness {
        /// Which.
        figure: FairnessFigure,
        /// How compared.
        compare: Compare,
        /// With what.
        permille: u64,
    },
    /// No gang ever runs below its minimum by the scheduler's doing (I6).
    GangsWhole,
    /// The cells guaranteed to leaves can be split out of the healthy devices there are.
    CellsFeasible,
    /// The scheduler's own audit finds nothing.
    Invariants,
    /// Nothing changes for this long before the end: no bind, no eviction.
    StableFor {
        /// Milliseconds.
        ms: u64,
    },
    /// Something about nodes, drains, faults and quotas that were cut.
    Nodes(NodeClaim),
    /// Somebody's part of a figure.
    Share(ShareClaim),
    /// The digest of the run.
    Digest(u128),
    /// No tenant waits longer than this factor (thousandths) of its mean wait alone on its own quota.
    NotWorseThanAlone {
        /// Whose.
        of: Of,
        /// The factor, in thousandths.
        permille: u64,
    },
    /// The outcome is that of a summary file: namespace rows and eviction count.
    SameAs {
        /// The file as named.
        file: String,
        /// The namespace rows: name, running, pending, succeeded, failed, evicted.
        rows: Vec<(String, [u64; 5])>,
        /// Evictions.
        evictions: u64,
    },
}

/// Totals that the front end checks quotas against.
impl Cluster {
    /// What all nodes have together that are there at first or can come by themselves; nothing where a sum would overflow.
    #[must_use]
    pub fn total(&self) -> Option<Amounts> {
        self.total_with(&[])
    }

    /// What nodes are relabelled to by these changes, by place.
    pub(crate) fn relabelled(&self, changes: &[TimedChange]) -> BTreeMap<usize, Vec<Amounts>> {
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

    /// The same, of each resource the most that nodes have by what they are at first or are relabelled to by these changes.
    pub(crate) fn total_with(&self, changes: &[TimedChange]) -> Option<Amounts> {
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
