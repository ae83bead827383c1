//! The cluster: its capacity and usage over time, nodes with their outages, and the load of devices.

use super::{Amount, JobIx, Ms, NodeIx, PodIx, ResourceIx, Series};
use serde::{Deserialize, Serialize};

/// Series of the whole cluster.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Cluster {
    /// One row for each resource.
    pub resources: Vec<ResourceSeries>,
    /// Nodes that are up and take pods.
    pub nodes_ready: Series,
    /// Nodes that exist.
    pub nodes_total: Series,
    /// Devices that are unhealthy, on nodes that are up.
    pub unhealthy_devices: Series,
    /// Pending pods.
    pub pods_waiting: Series,
    /// Pods that are running, being bound, or terminating.
    pub pods_running: Series,
    /// Instances that were submitted and have not started.
    pub jobs_pending: Series,
    /// Instances that run.
    pub jobs_running: Series,
    /// Instances that have succeeded so far.
    pub jobs_succeeded: Series,
    /// Instances that have failed so far.
    pub jobs_failed: Series,
    /// What all nodes that exist cost, thousandths of the currency an hour.
    pub price_milli_per_hour: Series,
    /// Memory of devices on nodes that are up, bytes.
    pub device_memory_total: Series,
    /// Memory of devices that is allocated with whole or shared devices, bytes.
    pub device_memory_allocated: Series,
    /// Memory of devices in use, as the workloads declare it, bytes.
    pub device_memory_used: Series,
    /// Mean duty cycle of all healthy devices on nodes that are up, thousandths.
    pub duty_permille: Series,
}

/// One resource of the cluster.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ResourceSeries {
    /// The resource.
    pub resource: ResourceIx,
    /// What all nodes that are up have, without unhealthy devices.
    pub capacity: Series,
    /// What pods are allocated of it.
    pub allocated: Series,
    /// The largest free amount on one node that takes pods.
    pub most_free: Series,
    /// For devices: how many pods of certain sizes would still fit.
    pub fits: Vec<Fit>,
}

/// How many pods of one size would still fit.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fit {
    /// What one such pod requests, base units (1, 2, 4 or 8 devices).
    pub each: i64,
    /// How many such pods would fit at once, regardless of quotas.
    pub pods: Series,
}

/// The state of a node.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NodeState {
    /// Up, and takes pods.
    #[default]
    Ready,
    /// Up, and takes no new pods.
    Cordoned,
    /// Up, takes no new pods, and its pods are being evicted by a drain.
    Draining,
    /// Lost, with its pods.
    Down,
    /// Does not exist: it was not yet added, or was removed.
    Absent,
}

/// A node.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Node {
    /// Its name.
    pub name: String,
    /// The pool that it belongs to.
    pub pool: String,
    /// The rack, if there are any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rack: Option<String>,
    /// Its role: `worker` unless the source states another.
    pub role: String,
    /// Its address, if the source of the cluster has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ip: Option<String>,
    /// The model of its devices.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// `exclusive`, `shared` or `topology`; absent without devices.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gpu_mode: Option<String>,
    /// Labels, as `key=value`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub labels: Vec<String>,
    /// How many devices it has.
    pub devices: u32,
    /// The resource that its devices are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device_resource: Option<ResourceIx>,
    /// The memory of one device, bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device_memory: Option<i64>,
    /// Its amounts at the end, including unhealthy devices.
    pub capacity: Vec<Amount>,
    /// Its price: thousandths of the currency an hour.
    pub price_milli_per_hour: u64,
    /// Its states in order of time. The first begins when it joins.
    pub spans: Vec<NodeSpan>,
    /// Its unhealthy devices, with times.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ill: Vec<DeviceSpan>,
}

/// A period in which a node had one state.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeSpan {
    /// When the state began.
    pub from_ms: Ms,
    /// When it ended.
    pub to_ms: Ms,
    /// The state of the node.
    pub state: NodeState,
    /// The cause in a few words: `outage of gpu-rack-1`, `drain by root`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub cause: String,
}

/// A period in which a device was unhealthy.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceSpan {
    /// Which device of the node.
    pub device: u32,
    /// When the device became unhealthy.
    pub from_ms: Ms,
    /// When it became healthy again, or the end of the run.
    pub to_ms: Ms,
}

/// The load of a device.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceLoad {
    /// The node.
    pub node: NodeIx,
    /// The index of the device on its node.
    pub device: u32,
    /// The fraction of time in which it computes, thousandths.
    pub duty_permille: Series,
    /// The memory in use, bytes.
    pub memory_used: Series,
}

/// Something that happened to nodes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Incident {
    /// When it began.
    pub from_ms: Ms,
    /// When it was over; absent if it was not over at the end of the run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to_ms: Option<Ms>,
    /// The kind as a word: `outage`, `failure`, `drain`, `scale_in`, `scale_out`, `ill_devices`.
    pub kind: String,
    /// What is affected, in a few words: `rack gpu-rack-1`.
    pub what: String,
    /// Whether nodes were down or removed because of it.
    pub nodes_down: bool,
    /// The nodes.
    pub nodes: Vec<NodeIx>,
    /// The amounts that were missing with these nodes.
    pub gone: Vec<Amount>,
    /// Pods that were lost with these nodes.
    pub lost_pods: Vec<PodIx>,
    /// The jobs of these pods.
    pub jobs: Vec<JobIx>,
    /// Lost work, pod-milliseconds.
    pub lost_work_ms: u128,
}
