//! Constraints of a pod that the core does not model.

/// A constraint of a pod that the core does not know. Without it, a pod may be placed where the kube-scheduler would not
/// place it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Loss {
    /// Required pod affinity.
    PodAffinity,
    /// Required pod anti-affinity.
    PodAntiAffinity,
    /// A topology spread constraint with `whenUnsatisfiable: DoNotSchedule`.
    Spread,
    /// `spec.resourceClaims` (dynamic resource allocation).
    ResourceClaims,
    /// A container port with `hostPort`.
    HostPorts,
    /// A volume claim. An unbound one is bound when the pod is placed, and a bound one may tie the pod to a zone or a
    /// node.
    VolumeClaims,
    /// Preferred affinity, anti-affinity or spread.
    Preferences,
    /// `preemptionPolicy: Never`, or quotree's annotation for the same: no pod may be evicted for it.
    NeverPreempts,
    /// `aliyun.com/gpu-count` does not divide the GPU memory or cores that the pod requests.
    UnevenDevices,
}

impl Loss {
    /// What the pod requests, in words that follow "pods with".
    ///
    /// ```
    /// assert_eq!(quotree_k8s::Loss::HostPorts.stated(), "host ports");
    /// ```
    #[must_use]
    pub const fn stated(self) -> &'static str {
        match self {
            Self::PodAffinity => "required pod affinity",
            Self::PodAntiAffinity => "required pod anti-affinity",
            Self::Spread => "topology spread constraints (DoNotSchedule)",
            Self::ResourceClaims => "resource claims (dynamic resource allocation)",
            Self::HostPorts => "host ports",
            Self::VolumeClaims => "volume claims",
            Self::Preferences => "preferred affinity, anti-affinity or spread",
            Self::NeverPreempts => "`preemptionPolicy: Never`",
            Self::UnevenDevices => "an `aliyun.com/gpu-count` that does not divide their request",
        }
    }

    /// What the constraint would have required, as a sentence without its full stop.
    #[must_use]
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::PodAffinity => "such a pod runs only beside the pods that it names",
            Self::PodAntiAffinity => "such a pod never runs beside the pods that it names, nor they beside it",
            Self::Spread => "such a pod waits rather than run unevenly over zones or nodes",
            Self::ResourceClaims => "such a pod runs only where the claimed devices are free",
            Self::HostPorts => "two pods with the same host port never run on one node",
            Self::VolumeClaims => "a volume may tie such a pod to a zone or a node",
            Self::Preferences => "such a pod gets a node that it prefers, where one of these has room",
            Self::NeverPreempts => "nothing is evicted for such a pod",
            Self::UnevenDevices => "such a pod gets its request in equal parts from several GPUs",
        }
    }
}
