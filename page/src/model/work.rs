//! Work: jobs, their pods, the nodes that these ran on, and evictions.

use super::{Amount, AmountTime, EvictionIx, JobIx, Ms, NodeIx, PodIx, QuotaIx};
use serde::{Deserialize, Serialize};

/// A request; equal ones are stored once.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Shape {
    /// What a pod requests.
    pub request: Vec<Amount>,
    /// Device memory that is allocated to a pod, bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device_memory: Option<i64>,
    /// The duty cycle of its devices, as its workload declares it, thousandths.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duty_permille: Option<u32>,
    /// Device memory that it uses, as its workload declares it, bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device_memory_used: Option<i64>,
}

/// The state of a job or pod.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JobState {
    /// Submitted; none of its pods runs or has run.
    #[default]
    Pending,
    /// At least its minimum is running.
    Running,
    /// Some of its pods have run, and fewer than its minimum are running now.
    Interrupted,
    /// All its work is done.
    Succeeded,
    /// It failed for good.
    Failed,
    /// It was deleted.
    Withdrawn,
}

/// An instance of a workload.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Job {
    /// Its name.
    pub name: String,
    /// The workload of the scenario that it is an instance of.
    pub workload: String,
    /// What kind it is: `Job`, `Training`, `Deployment`, `Workflow`, `row`.
    pub kind: String,
    /// The framework of a training: `PyTorch`, `Elastic`, ...
    #[serde(skip_serializing_if = "String::is_empty")]
    pub framework: String,
    /// Its namespace.
    pub namespace: String,
    /// The leaf of its namespace at its submission.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quota: Option<QuotaIx>,
    /// The user who submitted it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// The group through which the user submitted it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// Its priority.
    pub priority: i32,
    /// Whether its pods may be evicted.
    pub preemptible: bool,
    /// When it was submitted.
    pub submitted_ms: Ms,
    /// When its first pod was bound.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_bound_ms: Option<Ms>,
    /// When it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended_ms: Option<Ms>,
    /// Its state at the end of the run.
    pub state: JobState,
    /// How many pods run at once when it is complete.
    pub gang: u32,
    /// The fewest pods with which it runs.
    pub gang_min: u32,
    /// What all pods of the complete gang request.
    pub request: Vec<Amount>,
    /// The longest wait of one of its pods, until the pod was bound or the run ended.
    pub longest_wait_ms: Ms,
    /// The sum of all waits of its pods.
    pub wait_ms: u128,
    /// What its pods used.
    pub used: Vec<AmountTime>,
    /// Evictions of its pods.
    pub evictions: u32,
    /// Evictions that were made for it.
    pub evicted_for: u32,
    /// Pods lost with their nodes.
    pub lost_pods: u32,
    /// Lost work, pod-milliseconds.
    pub lost_work_ms: u128,
    /// The part of node prices that its pods paid, thousandths.
    pub cost_milli: u128,
    /// Its deadline.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deadline_ms: Option<Ms>,
    /// Whether the deadline was met; absent while that is open.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deadline_met: Option<bool>,
}

/// A pod. A replacement is a pod of its own.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Pod {
    /// Its name.
    pub name: String,
    /// The job that it belongs to.
    pub job: JobIx,
    /// Its role in the job; empty if it has only one.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub role: String,
    /// An index into `shapes`.
    pub shape: u32,
    /// When it was created.
    pub created_ms: Ms,
    /// When it ended; absent if it is pending or running at the end of the run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended_ms: Option<Ms>,
    /// How it ended; absent if it has not ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end: Option<PlacementEnd>,
    /// The pod that it replaces.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replaces: Option<PodIx>,
    /// Its priority, if it is not that of the job.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub priority: Option<i32>,
}

/// How a pod left a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PlacementEnd {
    /// Its work was done.
    Succeeded,
    /// It failed, or its job failed.
    Failed,
    /// It was lost with its node.
    Lost,
    /// The scheduler evicted it.
    Evicted,
    /// A drain evicted it.
    Drained,
    /// Its job was deleted, scaled in or replaced.
    Deleted,
    /// The bind failed, and the pod is pending again.
    BindFailed,
}

/// A pod on a node.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Placement {
    /// The pod.
    pub pod: PodIx,
    /// The node.
    pub node: NodeIx,
    /// The devices that it has, whole or shared; ascending.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub devices: Vec<u32>,
    /// When the scheduler decided the bind. From then on it counts as used.
    pub bound_ms: Ms,
    /// When it began to run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub running_ms: Option<Ms>,
    /// When it began to terminate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub leaving_ms: Option<Ms>,
    /// When it was gone; absent if it is still there at the end of the run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gone_ms: Option<Ms>,
    /// Why the pod left the node.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end: Option<PlacementEnd>,
    /// How much of its request was borrowed when it was bound.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub borrowed: Vec<Amount>,
    /// The eviction that ended it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub eviction: Option<EvictionIx>,
}

/// An eviction.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Eviction {
    /// When the eviction was decided.
    pub at_ms: Ms,
    /// The victim.
    pub pod: PodIx,
    /// Its job.
    pub job: JobIx,
    /// Its leaf.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub leaf: Option<QuotaIx>,
    /// The node that the pod ran on.
    pub node: NodeIx,
    /// The indices of the devices that it had there.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub devices: Vec<u32>,
    /// The amounts that the pod used.
    pub amounts: Vec<Amount>,
    /// The rule that allowed the eviction.
    pub rule: String,
    /// The reason in a sentence, without the rule.
    pub reason: String,
    /// The job for which it was made; absent if it was for no workload (G3, T4).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cause: Option<JobIx>,
    /// The leaf of that job.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cause_leaf: Option<QuotaIx>,
    /// The pods of that job that waited.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub cause_pods: Vec<PodIx>,
    /// When the victim was gone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub left_ms: Option<Ms>,
    /// When that job was bound.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cause_bound_ms: Option<Ms>,
    /// Lost work, pod-milliseconds.
    pub lost_work_ms: u128,
    /// Lost work by resource: the request of the victim times the lost time.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub lost: Vec<AmountTime>,
    /// Whether it was wasted: the workload that it was for was not bound because of it (S3).
    pub wasted: bool,
    /// The pod that its controller created in its place.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replacement: Option<PodIx>,
}
