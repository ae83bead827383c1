//! The lines of a segment.

use quotree_core::{Action, Event, Name, NodeId, Plan, PodId, Policy, Time, TreeSpec, WorkloadId};
use serde::{Deserialize, Serialize};

/// A line of a segment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Line {
    /// The first line: with what the scheduler begins.
    Head(Box<Head>),
    /// The name of a node.
    Node(NamedNode),
    /// The name of a workload that is not a single pod.
    Workload(NamedWorkload),
    /// The name of a pod.
    Pod(Box<NamedPod>),
    /// An event that the core took.
    Event(Box<Event>),
    /// A decision. Its sum follows.
    Decide(Box<Decision>),
    /// The end of a step: the digest of all that was written so far, in hexadecimal digits.
    Sum(String),
    /// The last line, if the segment was ended in good order.
    End(End),
}

/// With what a segment begins.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// The version of the form ([`FORMAT`](crate::FORMAT)).
    pub format: u32,
    /// The version of the rules ([`quotree_core::SEMANTICS_VERSION`]).
    pub rules: String,
    /// The program that wrote it, with its version.
    pub by: String,
    /// The process that wrote it: segments of one run follow one another.
    pub run: String,
    /// The number of the segment in its folder.
    pub segment: u64,
    /// The last sum of the segment before, if that is of the same run and was ended in good order.
    pub follows: Option<String>,
    /// When it begins.
    pub at: Time,
    /// The quota tree that is in force.
    pub tree: TreeSpec,
    /// The policy.
    pub policy: Policy,
}

/// The name of a node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NamedNode {
    /// The node.
    pub id: NodeId,
    /// Its name.
    pub name: Name,
}

/// The name of a workload of several pods.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NamedWorkload {
    /// The workload.
    pub id: WorkloadId,
    /// `namespace/name` of the gang.
    pub name: Name,
}

/// The name of a pod.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NamedPod {
    /// Its workload and ordinal.
    pub id: (u32, u32),
    /// `namespace/name`.
    pub name: Name,
    /// Its uid, which is the same in all segments.
    pub uid: Name,
    /// Its controller, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<Owner>,
}

/// The controller of a pod.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Owner {
    /// `ReplicaSet`, `Job`, ..
    pub kind: Name,
    /// Its name; of a ReplicaSet of a Deployment, the name of the Deployment.
    pub name: Name,
    /// Its uid.
    pub uid: Name,
}

/// A decision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    /// The time that was given to the scheduler.
    pub at: Time,
    /// The digest of its plan ([`Plan::digest`]), in 16 hexadecimal digits.
    pub digest: String,
    /// The pods that it binds: workload, ordinal, node.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub binds: Vec<(u32, u32, u32)>,
    /// The pods that it evicts: workload, ordinal.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub evicts: Vec<(u32, u32)>,
}

impl Decision {
    /// The decision that gave this plan.
    ///
    /// ```
    /// use quotree_core::{Plan, Time};
    /// let plan = Plan::default();
    /// let decision = quotree_record::Decision::of(Time(7), &plan);
    /// assert_eq!(decision.digest, format!("{:016x}", plan.digest()));
    /// ```
    #[must_use]
    pub fn of(at: Time, plan: &Plan) -> Self {
        let (mut binds, mut evicts) = (Vec::new(), Vec::new());
        for action in &plan.actions {
            match action {
                Action::Bind { pod, node, .. } => binds.push((pod.workload.0, pod.ordinal, node.0)),
                Action::Evict { pod, .. } => evicts.push((pod.workload.0, pod.ordinal)),
                _ => {}
            }
        }
        Self { at, digest: format!("{:016x}", plan.digest()), binds, evicts }
    }
}

/// How a segment was ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct End {
    /// Why.
    pub why: Why,
    /// How many lines are missing before its end: they came faster than they could be written.
    #[serde(default)]
    pub dropped: u64,
}

/// Why a segment was ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Why {
    /// It was long or large enough, and another one follows.
    Full,
    /// The process was asked to end.
    Stopped,
    /// Lines were dropped: the next segment begins anew.
    Incomplete,
}

/// The id that a line names.
pub(crate) const fn pod_id(id: (u32, u32)) -> PodId {
    WorkloadId(id.0).pod(id.1)
}
