//! Small scenarios as plain values: a quota tree, some nodes, and the steps that happen. `{:?}` writes the Rust code
//! that builds the same scenario, so that a failing one can be pasted into a test.
//!
//! Amounts are small whole numbers of `cpu`, of half `gpu`s and of `memory`. Names follow from indices: quota 3 is `q3`,
//! and if it is a leaf its namespace is `ns3`.

use crate::traits::{Mode, NodeTraits, PodTraits};
use quotree_core::{Amounts, NodeSpec, PodSet, Policy, Queueing, QuotaSpec, TreeSpec};
use std::{fmt, sync::Arc};

/// The resources, each with the base units of one unit here.
pub const RESOURCES: [(&str, i64); 3] = [("cpu", 1000), ("gpu", 500), ("memory", 1000)];

/// Amounts in units of [`RESOURCES`].
pub type Units = [i64; 3];

/// Converts amounts to those of the core; zeros are left out.
#[must_use]
pub fn amounts(units: Units) -> Amounts {
    let named = RESOURCES.iter().zip(units).filter(|(_, n)| *n != 0);
    named.map(|((name, unit), n)| (*name, n.saturating_mul(*unit))).collect()
}

/// A quota of the tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quota {
    /// The index of its parent; the first quota is the root and has none.
    pub parent: Option<usize>,
    /// Its min.
    pub min: Units,
    /// Its max; a negative amount is no max.
    pub max: Units,
    /// How much of its min it lends (L3).
    pub lend: Option<Units>,
    /// The most workloads at once (A5).
    pub jobs: Option<u32>,
    /// Whether its queue blocks (O2).
    pub block: bool,
}

impl Quota {
    /// A quota that lends everything, has no job limit and does not block.
    #[must_use]
    pub const fn new(parent: Option<usize>, min: Units, max: Units) -> Self {
        Self { parent, min, max, lend: None, jobs: None, block: false }
    }
}

/// A workload to submit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Job {
    /// The index of its leaf.
    pub leaf: usize,
    /// The request of each pod.
    pub ask: Units,
    /// How many pods.
    pub count: u32,
    /// How many must run together.
    pub min: u32,
    /// Its priority.
    pub priority: i32,
    /// Whether it may be evicted.
    pub preemptible: bool,
    /// What else its pods request.
    pub traits: PodTraits,
}

/// A step of a scenario. An index into `n` things is taken modulo `n`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// A workload is submitted.
    Submit(Job),
    /// A running workload succeeds.
    Finish(usize),
    /// A workload is withdrawn, running or not.
    Withdraw(usize),
    /// A node fails.
    NodeDown(usize),
    /// A failed node recovers.
    NodeUp(usize),
    /// A node is cordoned, or uncordoned.
    Cordon(usize),
    /// A quota gets another min and max: the tree is replaced.
    Edit(usize, Units, Units),
    /// The priority of a workload changes.
    Priority(usize, i32),
    /// The next binds fail.
    BindsFail(u32),
    /// Time passes, milliseconds.
    Tick(u64),
    /// A running pod fails.
    Fail(usize),
    /// A workload gets this many more pods, as elastic members.
    Grow(usize, u32),
    /// Sets the unhealthy devices of a node, as a bit mask; all other devices are healthy.
    Unhealthy(usize, u64),
    /// A node changes the mode in which it assigns its devices, if no pod uses any of them.
    ChangeMode(usize, Mode),
    /// A node is drained: it is cordoned, its pods are deleted, and gangs that fall below their minimum are deleted
    /// whole.
    Drain(usize),
    /// This many pods of a budget may be evicted from now on; see [`World::budgets`].
    Budget(usize, u32),
    /// The next binds put their pods on another node, the next but so many (E3).
    BindsElsewhere(u32, usize),
    /// The next evictions cannot be done (E2).
    EvictionsFail(u32),
    /// A pending pod is found on a node: being bound, running or terminating (E1).
    Found(usize, usize, usize),
    /// A workload gets another disruption budget, or none: see [`World::budgets`] (R7).
    Rebudget(usize, usize),
    /// Another number of pods of a workload must run together (G1).
    Minimum(usize, u32),
    /// A pod requests something else, in one of five ways: one cpu more, one less, a label of its node, a toleration, or
    /// none of the latter two (E5).
    Change(usize, usize),
    /// The caller takes back the evictions that do not stand any more and are not carried out yet, and as many others
    /// (E2).
    TakeBack(usize),
}

impl Step {
    /// Whether this is a fault or an edit (S3 applies only to runs without any).
    #[must_use]
    pub const fn is_fault(&self) -> bool {
        matches!(
            self,
            Self::NodeDown(_)
                | Self::Cordon(_)
                | Self::Drain(_)
                | Self::Edit(..)
                | Self::BindsFail(_)
                | Self::Fail(_)
                | Self::Unhealthy(..)
                | Self::ChangeMode(..)
                | Self::Found(..)
                | Self::EvictionsFail(_)
                | Self::BindsElsewhere(..)
                | Self::Rebudget(..)
                | Self::Minimum(..)
                | Self::Change(..)
                | Self::TakeBack(_)
        )
    }
}

impl Step {
    /// The leaf of a job.
    pub(crate) const fn leaf(&self) -> Option<usize> {
        if let Self::Submit(job) = self { Some(job.leaf) } else { None }
    }

    /// Makes a job simpler, in one of four ways.
    pub(crate) fn ease(&mut self, how: usize) {
        let Self::Submit(job) = self else { return };
        match how {
            0 => job.priority = 0,
            1 => job.preemptible = true,
            2 => (job.count, job.min) = ((job.count - 1).max(1), job.min.min((job.count - 1).max(1))),
            _ => job.min = job.count,
        }
    }
}

/// A small scenario.
#[derive(Clone, PartialEq, Eq)]
pub struct World {
    /// The tree; a parent comes before its children.
    pub quotas: Vec<Quota>,
    /// The size of each node. One node is a pool.
    pub nodes: Vec<Units>,
    /// The traits of the nodes, in the same order; the last ones may be absent.
    pub node_traits: Vec<NodeTraits>,
    /// Whether the `gpu` of a node comes as devices of two units each.
    pub devices: bool,
    /// The number of disruption budgets: leaf `q` has budget `b(q mod n)` if `q` is odd.
    pub budgets: usize,
    /// Whether gangs of three and more have two roles: the last pod requests one cpu more, and must run.
    pub roles: bool,
    /// Which submissions keep their age when they are created again (O3): the n-th step if bit n modulo 64 is set.
    pub aging: u64,
    /// The policy.
    pub policy: Policy,
    /// The scheduler decides after this many steps.
    pub every: usize,
    /// How many milliseconds pass whenever the scheduler has come to rest. With 0 it decides several times at one
    /// moment, until a [`Step::Tick`].
    pub pace: u64,
    /// The steps.
    pub steps: Vec<Step>,
}

impl World {
    /// A scenario with these nodes and nothing else.
    #[must_use]
    pub fn new(nodes: &[Units]) -> Self {
        Self {
            quotas: Vec::new(),
            nodes: nodes.to_vec(),
            node_traits: Vec::new(),
            devices: false,
            budgets: 0,
            roles: false,
            aging: 0,
            policy: Policy::default(),
            every: 1,
            pace: 1,
            steps: Vec::new(),
        }
    }

    /// The scenario with one more quota.
    #[must_use]
    pub fn quota(mut self, quota: Quota) -> Self {
        self.quotas.push(quota);
        self
    }

    /// The scenario with one more step.
    #[must_use]
    pub fn then(mut self, step: Step) -> Self {
        self.steps.push(step);
        self
    }

    /// Takes a resource out of nodes, quotas and asks.
    pub(crate) fn forget_resource(&mut self, r: usize) {
        let set = |units: &mut Units, to: i64| units.iter_mut().skip(r).take(1).for_each(|amount| *amount = to);
        self.nodes.iter_mut().for_each(|node| set(node, 0));
        for quota in &mut self.quotas {
            set(&mut quota.min, 0);
            set(&mut quota.max, -1);
            quota.lend.iter_mut().for_each(|lend| set(lend, 0));
        }
        for step in &mut self.steps {
            match step {
                Step::Submit(job) => set(&mut job.ask, 0),
                Step::Edit(_, min, max) => {
                    set(min, 0);
                    set(max, -1);
                }
                _ => {}
            }
        }
    }

    /// Whether the quota has no children.
    #[must_use]
    pub fn is_leaf(&self, quota: usize) -> bool {
        self.quotas.iter().all(|q| q.parent != Some(quota))
    }

    /// The number of ancestors of the quota.
    #[must_use]
    pub fn depth(&self, quota: usize) -> usize {
        std::iter::successors(Some(quota), |q| self.quotas.get(*q)?.parent).count().saturating_sub(1)
    }

    /// Whether what the n-th step submits keeps its age when it is created again, as a job does (O3).
    #[must_use]
    pub const fn keeps_age(&self, step: usize) -> bool {
        self.aging & (1 << (step % 64)) != 0
    }

    /// The budget of a leaf.
    #[must_use]
    pub fn budget(&self, leaf: usize) -> Option<String> {
        let under = leaf.checked_rem(self.budgets).filter(|_| leaf % 2 == 1);
        under.map(|n| format!("b{n}"))
    }

    /// The pods of a job, as the core receives them.
    #[must_use]
    pub fn pods(&self, job: &Job) -> Vec<PodSet> {
        let set =
            |ask: Units, count: u32, min: u32| PodSet { template: Arc::new(job.traits.template(ask)), count, min };
        match job.count {
            3.. if self.roles => {
                let (first, [cpu, gpu, memory]) = (job.count - 1, job.ask);
                vec![set(job.ask, first, job.min.min(first)), set([cpu + 1, gpu, memory], 1, 1)]
            }
            _ => vec![set(job.ask, job.count, job.min)],
        }
    }

    /// The tree, as the core receives it.
    #[must_use]
    pub fn tree(&self) -> TreeSpec {
        (0..self.quotas.len()).filter_map(|i| self.spec(i)).collect()
    }

    fn spec(&self, i: usize) -> Option<QuotaSpec> {
        let quota = self.quotas.get(i)?;
        let parent = quota.parent.map(|p| format!("q{p}"));
        let mut spec = QuotaSpec::new(&format!("q{i}"), parent.as_deref()).min(amounts(quota.min));
        for ((name, unit), max) in RESOURCES.iter().zip(quota.max).filter(|(_, max)| *max >= 0) {
            spec.max.set(*name, max.saturating_mul(*unit));
        }
        spec.lend = quota.lend.map(amounts);
        spec.max_jobs = quota.jobs;
        if quota.block {
            spec.queueing = Queueing::Block;
        }
        if self.is_leaf(i) {
            spec = spec.namespace(&format!("ns{i}"));
        }
        Some(spec)
    }

    /// The node with this index, as the core receives it.
    #[must_use]
    pub fn node(&self, i: usize) -> Option<NodeSpec> {
        let units = *self.nodes.get(i)?;
        let mut node = NodeSpec::new(u32::try_from(i).ok()?, amounts(units));
        self.node_traits.get(i).copied().unwrap_or_default().mark(&mut node, self.devices);
        Some(node)
    }

    /// The size of all nodes together.
    #[must_use]
    pub fn capacity(&self) -> Units {
        self.nodes.iter().fold([0; 3], |[a, b, c], [x, y, z]| [a + x, b + y, c + z])
    }
}

impl fmt::Debug for World {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "World {{")?;
        if self.policy != Policy::default() {
            writeln!(f, "    policy: {:?},", self.policy)?;
        }
        writeln!(f, "    devices: {}, every: {},", self.devices, self.every)?;
        if (self.budgets, self.roles) != (0, false) {
            writeln!(f, "    budgets: {}, roles: {},", self.budgets, self.roles)?;
        }
        if self.aging != 0 {
            writeln!(f, "    aging: {:#x},", self.aging)?;
        }
        if !self.node_traits.is_empty() {
            writeln!(f, "    node_traits: vec!{:?},", self.node_traits)?;
        }
        if self.pace != 1 {
            writeln!(f, "    pace: {},", self.pace)?;
        }
        write!(f, "    ..World::new(&{:?})", self.nodes)?;
        for quota in &self.quotas {
            let Quota { parent, min, max, .. } = quota;
            if *quota == Quota::new(*parent, *min, *max) {
                write!(f, "\n        .quota(Quota::new({parent:?}, {min:?}, {max:?}))")?;
            } else {
                write!(f, "\n        .quota({quota:?})")?;
            }
        }
        for step in &self.steps {
            write!(f, "\n        .then(Step::{step:?})")?;
        }
        write!(f, "\n}}")
    }
}
