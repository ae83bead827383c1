//! Specifications of quotas, nodes and workloads, as events contain them: plain values.

use super::{
    amounts::Amounts,
    device::{DeviceAsk, DeviceChoice, DeviceMode, DeviceSet, DeviceSpec},
    ids::{Name, NodeId, Time, WorkloadId},
    topology::{Domain, Level},
};
use serde::{Deserialize, Serialize};
use smallvec::{SmallVec, smallvec};
use std::sync::Arc;

/// The specification of one quota (T1). A tree is a list of these, linked by parent name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuotaSpec {
    /// Its name, unique in the tree.
    pub name: Name,
    /// The parent's name; the root has none.
    pub parent: Option<Name>,
    /// The guarantee, by resource. A governed resource that is absent is guaranteed 0 (Q3).
    pub min: Amounts,
    /// The limit, by resource. A governed resource that is absent is unlimited (Q3).
    pub max: Amounts,
    /// How much of `min` may be lent to others; absent: all of it (L3).
    pub lend: Option<Amounts>,
    /// The weight of the quota among its siblings in the division of what is left above all guarantees; absent: `min`
    /// (F1).
    pub weight: Option<u64>,
    /// Free for the operator's use; carried into reports.
    pub priority: i32,
    /// Free for the operator's use; carried into reports.
    pub attributes: Vec<(Name, Name)>,
    /// The namespaces whose pods are charged to this quota. Leaves only.
    pub namespaces: Vec<Name>,
    /// The most workloads admitted below this quota at once (A5).
    pub max_jobs: Option<u32>,
    /// Whether a workload that cannot be placed blocks the later ones of this leaf (O2).
    pub queueing: Queueing,
    /// Guaranteed cells of devices, as (devices in a cell, number of cells). No decision uses it; a caller that knows
    /// the nodes can report whether the cells are available.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cells: Vec<(u32, u32)>,
}

impl QuotaSpec {
    /// A quota of this name below `parent`, without guarantee and without limit.
    ///
    /// ```
    /// use quotree_core::{Amounts, QuotaSpec};
    /// let leaf = QuotaSpec::new("team", Some("root")).min(Amounts::new().with("cpu", 10_000)).namespace("team-ns");
    /// assert_eq!(leaf.min.get("cpu"), Some(10_000));
    /// ```
    #[must_use]
    pub fn new(name: &str, parent: Option<&str>) -> Self {
        Self {
            name: name.into(),
            parent: parent.map(Into::into),
            min: Amounts::new(),
            max: Amounts::new(),
            lend: None,
            weight: None,
            priority: 0,
            attributes: Vec::new(),
            namespaces: Vec::new(),
            max_jobs: None,
            queueing: Queueing::Skip,
            cells: Vec::new(),
        }
    }

    /// This quota with the guarantee `min`.
    #[must_use]
    pub fn min(mut self, min: Amounts) -> Self {
        self.min = min;
        self
    }

    /// This quota with the limit `max`.
    #[must_use]
    pub fn max(mut self, max: Amounts) -> Self {
        self.max = max;
        self
    }

    /// This quota with one more namespace.
    #[must_use]
    pub fn namespace(mut self, namespace: &str) -> Self {
        self.namespaces.push(namespace.into());
        self
    }
}

/// Whether a workload that cannot be placed blocks the later ones of its leaf (O2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Queueing {
    /// It does not: later ones are tried.
    #[default]
    Skip,
    /// Strict queueing: no workload of the leaf passes it.
    Block,
}

/// The specification of a whole quota tree. The order of the list is the order of siblings.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TreeSpec {
    /// Its quotas, in any order of parents and children.
    pub quotas: Vec<QuotaSpec>,
}

impl FromIterator<QuotaSpec> for TreeSpec {
    fn from_iter<T: IntoIterator<Item = QuotaSpec>>(iter: T) -> Self {
        Self { quotas: iter.into_iter().collect() }
    }
}

/// A node of the cluster, or a whole pool without nodes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeSpec {
    /// Chosen by the caller. Of equally good nodes a pod gets the one with the lowest id.
    pub id: NodeId,
    /// What pods may use, base units, devices included (as thousandths of a device).
    pub allocatable: Amounts,
    /// Resources that come as separate devices (P1). There are two where each device holds two resources, such as
    /// memory and cores, which only mode [`DeviceMode::Share`] allows.
    pub devices: Vec<DeviceSpec>,
    /// How requests are divided over the devices.
    #[serde(default)]
    pub mode: DeviceMode,
    /// Which of the devices that fit a pod gets.
    #[serde(default)]
    pub choice: DeviceChoice,
    /// Devices that take no new pods; pods that use them keep running.
    #[serde(default)]
    pub unhealthy: DeviceSet,
    /// The zone it is in.
    #[serde(default)]
    pub zone: Option<Name>,
    /// The rack it is in, within its zone.
    #[serde(default)]
    pub rack: Option<Name>,
    /// Labels that selectors match.
    pub labels: Vec<(Name, Name)>,
    /// Taints that pods must tolerate.
    pub taints: Vec<Name>,
    /// Whether new pods may be placed here; false for a cordoned node.
    pub schedulable: bool,
}

impl NodeSpec {
    /// A node that takes pods, with these allocatable amounts (base units) and no devices, labels or taints.
    #[must_use]
    pub fn new(id: u32, allocatable: Amounts) -> Self {
        Self {
            id: NodeId(id),
            allocatable,
            devices: Vec::new(),
            mode: DeviceMode::default(),
            choice: DeviceChoice::default(),
            unhealthy: DeviceSet::default(),
            zone: None,
            rack: None,
            labels: Vec::new(),
            taints: Vec::new(),
            schedulable: true,
        }
    }
}

impl NodeSpec {
    /// The domain of this level that the node is in, if any.
    #[must_use]
    pub fn domain(&self, level: Level) -> Option<Domain> {
        match level {
            Level::Node => Some(Domain::Node(self.id)),
            Level::Rack => self.rack.clone().map(|rack| Domain::Rack { zone: self.zone.clone(), rack }),
            Level::Zone => self.zone.clone().map(Domain::Zone),
        }
    }

    /// Whether the node is in this domain.
    #[must_use]
    pub fn is_in(&self, domain: &Domain) -> bool {
        match domain {
            Domain::Node(id) => self.id == *id,
            Domain::Rack { zone, rack } => self.rack.as_ref() == Some(rack) && self.zone == *zone,
            Domain::Zone(zone) => self.zone.as_ref() == Some(zone),
        }
    }

    /// Whether another specification has the same devices in the same mode.
    pub(crate) fn same_devices(&self, other: &Self) -> bool {
        (&self.devices, &self.mode) == (&other.devices, &other.mode)
    }
}

/// What all pods of a set have in common.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
pub struct PodTemplate {
    /// What one pod requests, base units, devices included (`count x each` of [`DeviceAsk`]).
    pub request: Amounts,
    /// How the device part of the request is divided. Where this is absent, the mode of the node decides: less than a
    /// whole device is a fraction of one, anything else must be whole devices. A second resource of the devices comes
    /// from the same devices, in equal parts.
    pub devices: Option<DeviceAsk>,
    /// Labels that the node must have: each entry is a label and its accepted values.
    pub selector: Vec<(Name, Vec<Name>)>,
    /// Taints that the pod tolerates.
    pub tolerations: Vec<Name>,
}

/// Equal pods of a workload.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct PodSet {
    /// What they have in common; shared between workloads with equal pods.
    pub template: Arc<PodTemplate>,
    /// How many are wanted.
    pub count: u32,
    /// How many must run together (G1); the others are elastic.
    pub min: u32,
}

/// A workload: pods that are admitted together. A single pod is a workload of one (G1).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkloadSpec {
    /// Chosen by the caller. No other workload that has not ended may have it, and it should never be used again.
    pub id: WorkloadId,
    /// Decides the leaf that it is charged to, unless `quota` does (T1).
    pub namespace: Name,
    /// The leaf quota that it is charged to, whatever its namespace is attached to (T1). A name that is no leaf of the
    /// tree is no quota (A4).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quota: Option<Name>,
    /// Its age: when the work it belongs to was submitted (O3). It is the second key of the order (O1) and decides who is
    /// newer (R1). A workload that is created again after it was evicted or lost may keep it, as
    /// [`Policy::age`](crate::Policy::age) says.
    pub submitted: Time,
    /// The first key of the order (O1): the highest goes first.
    pub priority: i32,
    /// Whether its pods may be evicted for others.
    pub preemptible: bool,
    /// Whether others may be evicted for its pods, by reclaim or by priority (R9).
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    pub may_evict: bool,
    /// Its pods.
    pub pods: SmallVec<[PodSet; 1]>,
    /// The disruption budget that limits its evictions (R7).
    pub budget: Option<Name>,
    /// All its pods must share a domain of this topology level (P1). Ignored for a single pod.
    #[serde(default)]
    pub together: Option<Level>,
    /// The workload that this one replaces, after that was evicted or lost (O3). If a plan evicted the replaced
    /// workload, this one counts as having arrived at that eviction, so it cannot take over the hold that the eviction
    /// was for (H2). The audit uses the link to notice workloads that evict each other again and again (I7).
    #[serde(default)]
    pub replaces: Option<WorkloadId>,
}

const fn yes() -> bool {
    true
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
const fn is_yes(value: &bool) -> bool {
    *value
}

impl WorkloadSpec {
    /// A preemptible pod of priority 0 with this request.
    ///
    /// ```
    /// use quotree_core::{Amounts, Time, WorkloadSpec};
    /// let pod = WorkloadSpec::pod(7, "team-ns", Time(0), Amounts::new().with("cpu", 5000));
    /// assert_eq!(pod.pods.len(), 1);
    /// ```
    #[must_use]
    pub fn pod(id: u32, namespace: &str, submitted: Time, request: Amounts) -> Self {
        Self::gang(id, namespace, submitted, request, 1)
    }

    /// A preemptible gang of `count` equal pods of priority 0, all of which must run together.
    #[must_use]
    pub fn gang(id: u32, namespace: &str, submitted: Time, request: Amounts, count: u32) -> Self {
        let template = Arc::new(PodTemplate { request, ..PodTemplate::default() });
        Self {
            id: WorkloadId(id),
            namespace: namespace.into(),
            quota: None,
            submitted,
            priority: 0,
            preemptible: true,
            may_evict: true,
            pods: smallvec![PodSet { template, count, min: count }],
            budget: None,
            together: None,
            replaces: None,
        }
    }

    /// This workload with the priority `priority`.
    #[must_use]
    pub fn priority(mut self, priority: i32) -> Self {
        self.priority = priority;
        self
    }
}
