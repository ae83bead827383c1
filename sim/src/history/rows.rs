//! The history of a run as data: series, and rows about jobs, pods, nodes, waits and evictions. Rows refer to each
//! other by index. Times are milliseconds, amounts base units.

use super::line::Line;
use crate::world::PodLabel;
use quotree_core::{DeviceSet, Name};

/// An amount of a resource: its index in [`History::resources`], and base units.
pub type Amount = (u32, i64);

/// The history of a run.
#[derive(Debug, Clone, Default)]
pub struct History {
    /// When the run ended.
    pub end_ms: u64,
    /// The resources by number.
    pub resources: Vec<Name>,
    /// Quotas that ever existed, a parent before its children.
    pub quotas: Vec<QuotaHistory>,
    /// The series of each quota and governed resource.
    pub quota_lines: Vec<QuotaLines>,
    /// What each leaf lent to each other one.
    pub loans: Vec<LoanHistory>,
    /// Edits of the tree, including refused ones.
    pub edits: Vec<EditHistory>,
    /// The series of the cluster.
    pub cluster: ClusterLines,
    /// Nodes that ever existed.
    pub nodes: Vec<NodeHistory>,
    /// The different requests of pods.
    pub shapes: Vec<Vec<Amount>>,
    /// Jobs, in order of submission.
    pub jobs: Vec<JobHistory>,
    /// Pods, in order of creation.
    pub pods: Vec<PodHistory>,
    /// Pods on nodes, in order of binding.
    pub placements: Vec<PlacementHistory>,
    /// Periods of waiting, in the order of their beginnings.
    pub waits: Vec<WaitHistory>,
    /// Evictions, in order of decision.
    pub evictions: Vec<EvictionHistory>,
    /// Lost work: the time, the pod whose workload lost it, and the amount, pod-milliseconds.
    pub lost_work: Vec<(u64, u32, u128)>,
    /// How many periods of waiting were merged with the one before, because a pod has too many.
    pub joined_waits: u64,
}

impl History {
    /// The waits of each pod: each period until it was bound, or until the pod or the run ended.
    fn waits_of<T: Default + Clone>(&self, add: impl Fn(&mut T, u64)) -> Vec<T> {
        let mut all = vec![T::default(); self.pods.len()];
        let mut since: Vec<Option<u64>> = self.pods.iter().map(|pod| Some(pod.created_ms)).collect();
        for placement in &self.placements {
            let slot = placement.pod as usize;
            let (Some(sum), Some(since)) = (all.get_mut(slot), since.get_mut(slot)) else { continue };
            if let Some(from) = since.take() {
                add(sum, placement.bound_ms.saturating_sub(from));
            }
            *since = placement.gone.filter(|(_, end)| *end == PodEnd::BindFailed).map(|(at, _)| at);
        }
        for ((sum, since), pod) in all.iter_mut().zip(since).zip(&self.pods) {
            if let Some(from) = since {
                add(sum, pod.ended.map_or(self.end_ms, |(at, _)| at).saturating_sub(from));
            }
        }
        all
    }

    /// The longest wait of each pod, milliseconds.
    #[must_use]
    pub fn longest_waits(&self) -> Vec<u64> {
        self.waits_of(|most: &mut u64, ms| *most = (*most).max(ms))
    }

    /// All waits of each pod together, milliseconds.
    #[must_use]
    pub fn summed_waits(&self) -> Vec<u64> {
        self.waits_of(|sum: &mut u64, ms| *sum += ms)
    }
}

/// A quota.
#[derive(Debug, Clone, Default)]
pub struct QuotaHistory {
    /// Its name.
    pub name: String,
    /// The quota above it when it last existed.
    pub parent: Option<u32>,
    /// Whether it was a leaf then.
    pub leaf: bool,
    /// Its namespaces then.
    pub namespaces: Vec<Name>,
    /// Its guarantee then.
    pub min: Vec<Amount>,
    /// Its limit then.
    pub max: Vec<Amount>,
    /// When it was added.
    pub added_ms: u64,
    /// When it was removed.
    pub removed_ms: Option<u64>,
}

/// The series of a quota and a resource; each includes everything below the quota.
#[derive(Debug, Clone, Default)]
#[expect(missing_docs, reason = "the figures of docs/metrics.md")]
pub struct QuotaLines {
    pub quota: u32,
    pub resource: u32,
    pub min: Line,
    /// The limit; -1 where there is none.
    pub max: Line,
    pub used: Line,
    pub request: Line,
    pub borrowed: Line,
    pub lent: Line,
    pub held: Line,
    pub missed: Line,
    pub share: Line,
}

/// What one leaf lent to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[expect(missing_docs, reason = "the figures of docs/metrics.md")]
pub struct LoanHistory {
    pub resource: u32,
    pub lender: u32,
    pub borrower: u32,
    /// The integral: base units times milliseconds.
    pub unit_ms: i128,
    /// The largest amount at one moment.
    pub most: i64,
}

/// An edit of the quota tree that took effect, or a refused edit of one quota.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EditHistory {
    /// The time.
    pub at_ms: u64,
    /// The user.
    pub by: Option<Name>,
    /// What changed, or would have changed: the quota, the field, the resource and the values.
    pub changes: Vec<Change>,
    /// Whether it was refused.
    pub refused: bool,
}

/// A changed field of a quota.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "they say it")]
pub struct Change {
    pub quota: u32,
    pub field: &'static str,
    pub resource: Option<u32>,
    pub before: Option<i64>,
    pub after: Option<i64>,
    /// The change in words, for fields that are not amounts.
    pub words: String,
}

/// The series of the cluster.
#[derive(Debug, Clone, Default)]
pub struct ClusterLines {
    /// Nodes that are up and take pods.
    pub ready: Line,
    /// Nodes that exist.
    pub there: Line,
    /// Unhealthy devices on nodes that are up.
    pub ill: Line,
    /// Pending pods.
    pub waiting: Line,
    /// Pods that use their nodes.
    pub running: Line,
    /// The price of all nodes that exist, thousandths an hour.
    pub price: Line,
    /// One for each resource.
    pub resources: Vec<ResourceLines>,
}

/// The series of a resource.
#[derive(Debug, Clone, Default)]
pub struct ResourceLines {
    /// What nodes that are up have, without unhealthy devices.
    pub capacity: Line,
    /// The usage of pods.
    pub allocated: Line,
    /// The largest free amount on one node that takes pods.
    pub most_free: Line,
    /// For each pod size in base units: how many pods of that size would fit.
    pub fits: Vec<(i64, Line)>,
}

/// The state of a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[expect(missing_docs, reason = "they say it")]
pub enum NodeIs {
    #[default]
    Absent,
    Ready,
    Cordoned,
    Draining,
    Down,
}

/// What happened to one node during the run.
#[derive(Debug, Clone, Default)]
pub struct NodeHistory {
    /// Its index in the cluster of the scenario.
    pub node: u32,
    /// What it has at the end, including unhealthy devices.
    pub capacity: Vec<Amount>,
    /// Its states, each with the time from which it applied.
    pub states: Vec<(u64, NodeIs)>,
    /// Unhealthy devices: which, from when, until when.
    pub ill: Vec<(u32, u64, u64)>,
}

/// How a job ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[expect(missing_docs, reason = "they say it")]
pub enum JobEnd {
    #[default]
    Open,
    Succeeded,
    Failed,
    Withdrawn,
}

/// A job: one instance of a workload. What the scenario states about the workload is in [`JobHistory::stated`].
#[derive(Debug, Clone)]
pub struct JobHistory {
    /// The workload of the scenario, by index.
    pub workload: u32,
    /// The number of the instance.
    pub number: Option<u32>,
    /// The task of a workflow.
    pub task: Option<u32>,
    /// The row of a trace.
    pub row: Option<u32>,
    /// Its namespace.
    pub namespace: Name,
    /// The leaf of the namespace when it was submitted.
    pub quota: Option<u32>,
    /// The user who submitted it.
    pub user: Option<Name>,
    /// The group through which the user submitted it.
    pub group: Option<Name>,
    /// When its first pod was created.
    pub submitted_ms: u64,
    /// How it ended.
    pub end: JobEnd,
}

/// A pod. Its name is derived from its job and its label ([`History::pod_name`]).
#[derive(Debug, Clone, Copy, Default)]
pub struct PodHistory {
    /// Its job.
    pub job: u32,
    /// What distinguishes it from other pods of its job.
    pub label: PodLabel,
    /// Its request.
    pub shape: u32,
    /// When it was created.
    pub created_ms: u64,
    /// When and how it ended.
    pub ended: Option<(u64, PodEnd)>,
    /// The pod that it replaces.
    pub replaces: Option<u32>,
}

/// How a pod ended or left a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "they say it")]
pub enum PodEnd {
    Succeeded,
    Failed,
    Lost,
    Evicted,
    Drained,
    Deleted,
    BindFailed,
}

/// A pod on a node.
#[derive(Debug, Clone)]
pub struct PlacementHistory {
    /// The pod.
    pub pod: u32,
    /// The node, by index in the cluster of the scenario.
    pub node: u32,
    /// Its devices.
    pub devices: DeviceSet,
    /// How much of its usage its leaf borrowed when it was bound.
    pub borrowed: Vec<Amount>,
    /// When the bind was decided.
    pub bound_ms: u64,
    /// When it started to run.
    pub running_ms: Option<u64>,
    /// When it began to terminate.
    pub leaving_ms: Option<u64>,
    /// When it was gone, and why.
    pub gone: Option<(u64, PodEnd)>,
    /// Whether a drain evicted it.
    pub drained: bool,
    /// The eviction that ended it.
    pub eviction: Option<u32>,
    /// What it pays for its node: thousandths of the currency an hour, in parts of [`COST_PARTS`].
    pub cost_rate: u128,
}

/// The factor of cost rates: at a rate of this much, a millisecond costs a thousandth of the currency.
pub const COST_PARTS: u128 = crate::world::NODE as u128 * 3_600_000;

/// A period of waiting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WaitHistory {
    /// The pod.
    pub pod: u32,
    /// Its beginning.
    pub from_ms: u64,
    /// Its end.
    pub to_ms: u64,
    /// The reason.
    pub why: Why,
    /// During a reservation: the victims that it waits for.
    pub victims: Vec<u32>,
    /// When the last of them is gone.
    pub victims_until_ms: Option<u64>,
}

/// Why a pod waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Why {
    /// The rule, or `suspended`.
    pub rule: &'static str,
    /// The quota that blocks.
    pub quota: Option<u32>,
    /// The missing resource.
    pub resource: Option<u32>,
    /// The requested and the available amount.
    pub amounts: Option<(i64, i64)>,
}

/// An eviction.
#[derive(Debug, Clone)]
pub struct EvictionHistory {
    /// When it was decided.
    pub at_ms: u64,
    /// The pod.
    pub pod: u32,
    /// Its leaf.
    pub leaf: Option<u32>,
    /// The node.
    pub node: u32,
    /// The devices.
    pub devices: DeviceSet,
    /// The rule.
    pub rule: String,
    /// Why, in a sentence.
    pub reason: String,
    /// The job for which it was made, and the leaf of that job.
    pub cause: Option<(u32, Option<u32>)>,
    /// The pods of the cause.
    pub cause_pods: Vec<u32>,
    /// When the pod was gone.
    pub left_ms: Option<u64>,
    /// When the cause was bound.
    pub cause_bound_ms: Option<u64>,
    /// Lost work, pod-milliseconds.
    pub lost_ms: u128,
    /// Whether the eviction was wasted: the workload that it was for was not bound because of it (S3).
    pub wasted: bool,
}
