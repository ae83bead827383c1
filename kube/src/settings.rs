//! What the adapter is configured with, as values that are checked.

use quotree_core::{Name, Policy, RespectBudgets, StableHasher};
use quotree_k8s::{LabelSelector, NodeSettings, names};
use std::hash::Hasher;

/// How decisions are carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Pods are born with our scheduling gate. An admission removes the gate and pins the pod to its node; the
    /// kube-scheduler binds it.
    Gate,
    /// Pods name us in `spec.schedulerName`, and we bind them.
    Bind,
    /// Nothing is written on pods: pending pods are those that anybody may place, and decisions are only shown.
    Dry,
}

/// The settings of an actor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// How decisions are carried out.
    pub mode: Mode,
    /// Which namespaces are managed.
    pub managed: LabelSelector,
    /// The values of `spec.schedulerName` that are ours: in gate mode those of the schedulers behind the gate, in a dry run
    /// those of both modes.
    pub schedulers: Vec<Name>,
    /// By which names nodes say where they are and what their GPUs are.
    pub node: NodeSettings,
    /// The policy of the core.
    pub policy: Policy,
    /// No eviction is sent before this long after the start or a change of the tree, milliseconds.
    pub quiet_ms: u64,
    /// Whether users and groups are kept, so that nothing is decided before the groups were listed.
    pub users: bool,
    /// Whether the last accepted tree is remembered, so that nothing is decided before it was read.
    pub remembers: bool,
    /// Whether PodGroups are watched, so that nothing is decided before they were listed.
    pub pod_groups: bool,
    /// How many writes are sent a second at most; twice as many at once after a pause.
    pub api_qps: u32,
    /// Whether metrics by the names of the kube-scheduler are shown, too.
    pub compat_metrics: bool,
    /// How many of the oldest workloads that wait are said what would help them, in conditions and figures. Each try works on a copy of
    /// the state. A question about one pod is always answered in full.
    pub advice: usize,
}

/// The label of namespaces that are managed, with the value `true`, where nothing else is configured.
pub const MANAGED: &str = "quotree.io/managed";

/// The name in `spec.schedulerName` of pods that we bind.
pub const SCHEDULER: &str = "quotree";

impl Settings {
    /// The defaults of a mode: the namespaces that are labelled for it, and a policy that plans nothing that the API
    /// refuses.
    ///
    /// ```
    /// use quotree_kube::settings::{Mode, Settings};
    /// let settings = Settings::new(Mode::Bind);
    /// assert_eq!(settings.schedulers, ["quotree"]);
    /// assert_eq!(settings.managed.labels, [("quotree.io/managed".into(), "true".into())]);
    /// ```
    #[must_use]
    pub fn new(mode: Mode) -> Self {
        let schedulers: &[&str] = match mode {
            Mode::Gate => &[names::DEFAULT_SCHEDULER],
            Mode::Bind => &[SCHEDULER],
            Mode::Dry => &[names::DEFAULT_SCHEDULER, SCHEDULER],
        };
        Self {
            mode,
            managed: LabelSelector { labels: vec![(MANAGED.into(), "true".into())], expressions: Vec::new() },
            schedulers: schedulers.iter().map(|name| (*name).into()).collect(),
            node: NodeSettings::default(),
            policy: live_policy(),
            quiet_ms: 10_000,
            users: false,
            remembers: false,
            pod_groups: false,
            api_qps: 200,
            compat_metrics: false,
            advice: 50,
        }
    }

    /// A digest of all settings, 16 hexadecimal digits. Processes of one version that have the same one run by the same settings.
    ///
    /// ```
    /// use quotree_kube::settings::{Mode, Settings};
    /// let one = Settings::new(Mode::Gate);
    /// assert_eq!(one.digest(), one.clone().digest());
    /// assert_ne!(one.digest(), Settings { api_qps: 100, ..one }.digest());
    /// ```
    #[must_use]
    pub fn digest(&self) -> String {
        let mut hasher = StableHasher::default();
        hasher.write(format!("{self:?}").as_bytes());
        format!("{:016x}", hasher.finish())
    }
}

/// The policy of a live cluster where nothing else is configured: disruption budgets are always kept, since the API
/// refuses what breaks them, a gang that stays torn leaves whole after a minute, and a bind that failed is tried again after 1
/// to 10 s.
#[must_use]
pub fn live_policy() -> Policy {
    Policy {
        respect_budgets: RespectBudgets::Always,
        stale_after_ms: Some(60_000),
        bind_back_off_ms: Some(1000),
        ..Policy::default()
    }
}
