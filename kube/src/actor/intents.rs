//! What the adapter intends to write: plain values, before anything is sent.

use crate::watch::{SeenPod, Uid};
use quotree_core::{DeviceSet, Name, PodOutcome, Time};

/// Which pod a write is about. The uid goes with each write, so that a new pod of the same name is never touched.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct PodKey {
    /// Its namespace.
    pub namespace: Name,
    /// Its name.
    pub name: Name,
    /// Its uid.
    pub uid: Uid,
    /// The resourceVersion that was seen last.
    pub version: Name,
}

impl PodKey {
    /// The key of a pod.
    #[must_use]
    pub fn of(pod: &SeenPod) -> Self {
        Self {
            namespace: pod.facts.namespace.clone(),
            name: pod.facts.name.clone(),
            uid: pod.uid.clone(),
            version: pod.version.clone(),
        }
    }
}

/// Something to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Intent {
    /// A pod is admitted to a node.
    Bind {
        /// The pod.
        pod: PodKey,
        /// The name of the node.
        node: Name,
        /// The value of the node's label `kubernetes.io/hostname`; `None` if the pod is not pinned.
        pin: Option<Name>,
        /// The devices of the node that it gets; empty if it has none, or they are not reported apart.
        devices: DeviceSet,
        /// Why, in a sentence.
        why: String,
    },
    /// A pod is evicted.
    Evict {
        /// The pod.
        pod: PodKey,
        /// Not before this time.
        not_before: Time,
        /// Why, in a sentence.
        why: String,
        /// Why, in one word.
        reason: &'static str,
        /// A pod of the workload for which room is made.
        cause: Option<PodKey>,
        /// Only as long as it has no node: it was admitted, and not placed. The write names the resourceVersion.
        unplaced: bool,
    },
    /// The eviction of a pod is of no use any more: it is not sent, if it still waits. Writes nothing.
    TakeBack {
        /// The pod.
        pod: PodKey,
    },
    /// The condition of a pod that says whether it is admitted, and if not, why.
    Condition {
        /// The pod.
        pod: PodKey,
        /// Whether it is admitted.
        admitted: bool,
        /// The reason in one word.
        reason: &'static str,
        /// The reason in a sentence.
        message: String,
    },
    /// An Event object about a pod.
    Event {
        /// The pod.
        about: PodKey,
        /// The other pod, if two are involved.
        related: Option<PodKey>,
        /// The reason in one word.
        reason: &'static str,
        /// What was done.
        action: &'static str,
        /// The reason in a sentence.
        note: String,
    },
}

impl Intent {
    /// What it does, in one word, as metrics, logs and dumps name it.
    #[must_use]
    pub const fn verb(&self) -> &'static str {
        match self {
            Self::Bind { .. } => "bind",
            Self::Evict { .. } => "evict",
            Self::TakeBack { .. } => "take_back",
            Self::Condition { .. } => "condition",
            Self::Event { .. } => "event",
        }
    }

    /// The pod that it is about.
    #[must_use]
    pub const fn pod(&self) -> &PodKey {
        match self {
            Self::Bind { pod, .. } | Self::Evict { pod, .. } | Self::TakeBack { pod } | Self::Condition { pod, .. } => {
                pod
            }
            Self::Event { about, .. } => about,
        }
    }
}

/// What the writer reports about a write that did not succeed. Successes are confirmed by the watch only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// The pod was not bound, and will not be by this write.
    Bind {
        /// The pod.
        uid: Uid,
        /// What the API server said.
        why: String,
    },
    /// The pod was not evicted.
    Evict {
        /// The pod.
        uid: Uid,
        /// What the API server said.
        why: String,
    },
    /// A condition or an Event of the pod was not written. Decisions do not depend on it.
    Report {
        /// The pod.
        uid: Uid,
        /// What the API server said.
        why: String,
    },
    /// The eviction of a pod was taken back before it was sent.
    TakenBack {
        /// The pod.
        uid: Uid,
    },
}

/// What becomes of a pod of the core when its object is gone.
pub(crate) const fn outcome_of(evicting: bool, node_lost: bool, seen: PodOutcome) -> PodOutcome {
    match (seen, evicting, node_lost) {
        (PodOutcome::Deleted, true, _) => PodOutcome::Evicted,
        (PodOutcome::Deleted, false, true) => PodOutcome::Lost,
        _ => seen,
    }
}
