//! Waits: which pod waited when, by which rule, the full reason, and the distribution of waits.

use super::{Amount, Ms, NodeIx, PodIx, QuotaIx, ResourceIx, Units, VerdictIx};
use serde::{Deserialize, Serialize};

/// Exact quantiles of waits, by nearest rank (docs/metrics.md).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[expect(missing_docs, reason = "the figures of docs/metrics.md, under the same names")]
pub struct WaitQuantiles {
    pub count: u64,
    pub sum_ms: u128,
    pub p50_ms: Ms,
    pub p95_ms: Ms,
    pub p99_ms: Ms,
    pub max_ms: Ms,
}

/// How long jobs waited in total: the `wait` of docs/metrics.md, with the values of `summary.json`. Waits that have not
/// ended at the end count with their length so far.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct JobWaits {
    /// How many jobs.
    pub count: u64,
    /// The median, milliseconds.
    pub p50_ms: Ms,
    /// The 95th percentile, milliseconds.
    pub p95_ms: Ms,
    /// The maximum, milliseconds.
    pub max_ms: Ms,
    /// Which of these figures are lower bounds: `p50`, `p95`, `max`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub at_least: Vec<String>,
}

impl JobWaits {
    /// The median, and whether it is a lower bound.
    #[must_use]
    pub fn p50(&self) -> (Ms, bool) {
        (self.p50_ms, self.is_bound("p50"))
    }

    /// The 95th percentile, and whether it is a lower bound.
    #[must_use]
    pub fn p95(&self) -> (Ms, bool) {
        (self.p95_ms, self.is_bound("p95"))
    }

    /// The maximum, and whether it is a lower bound.
    #[must_use]
    pub fn max(&self) -> (Ms, bool) {
        (self.max_ms, self.is_bound("max"))
    }

    fn is_bound(&self, figure: &str) -> bool {
        self.at_least.iter().any(|name| name == figure)
    }
}

/// A period in which a pod waited by one rule, at one quota. If the pod waits on for another reason, that is another
/// row.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Wait {
    /// The pod that waits.
    pub pod: PodIx,
    /// When the period begins.
    pub from_ms: Ms,
    /// When the period ends: the pod was bound or deleted, the reason changed, or the run ended.
    pub to_ms: Ms,
    /// The rule that blocked the pod.
    pub rule: String,
    /// The quota whose limit blocked it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quota: Option<QuotaIx>,
    /// The resource that was missing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource: Option<ResourceIx>,
    /// How much of the resource it requested.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub needed: Option<Units>,
    /// How much was available: under the limit, or on the closest node.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub available: Option<Units>,
    /// During a reservation: the pods that must leave.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub victims: Vec<PodIx>,
    /// When the last of these pods will have left.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub victims_until_ms: Option<Ms>,
    /// The full reason, if it was kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verdict: Option<VerdictIx>,
}

/// Why a workload waits, in full (X1). Equal verdicts are stored once.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Verdict {
    /// What blocks the pod first.
    pub binding: Obstacle,
    /// Whether it would be within every guarantee on its path (O1).
    pub entitled: bool,
    /// How much of the missing resource is free on all nodes together.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub free: Option<Units>,
    /// Whether enough is free on all nodes together, but not on one node (S4).
    pub fragmented: bool,
    /// The workload that blocks the queue before it (O2).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub head: Option<String>,
    /// The leaves that use what is missing.
    pub holders: Vec<Holder>,
    /// What else blocks the pod.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub also: Vec<Obstacle>,
    /// The pods that were not evicted for it, and why.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub spared: Vec<Spared>,
    /// Single changes that would let the next decision place it, in words.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub helps: Vec<String>,
    /// Bounds at which the search stopped, in words.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub bounds_hit: Vec<String>,
    /// How many nodes failed each test.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nodes: Option<NodeTally>,
    /// The nodes that lack least.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub closest: Vec<Closest>,
    /// For each node, which test failed first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub checks: Vec<NodeCheck>,
}

/// An obstacle of a pod.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Obstacle {
    /// The rule.
    pub rule: String,
    /// The obstacle in a sentence, without the rule.
    pub text: String,
    /// The quota whose limit it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quota: Option<QuotaIx>,
    /// The resource.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource: Option<ResourceIx>,
    /// How much of the resource is requested.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub needed: Option<Units>,
    /// How much of it is available.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub available: Option<Units>,
}

/// A leaf that uses what is missing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Holder {
    /// The leaf; absent: pods without a quota.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quota: Option<QuotaIx>,
    /// How much of the missing resource it uses.
    pub used: Units,
    /// How much of that it borrows.
    pub borrowed: Units,
    /// How many pods use it.
    pub pods: u32,
    /// The first of these pods.
    pub who: Vec<PodIx>,
}

/// Pods that were not evicted, for one reason.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Spared {
    /// The rule that protects them.
    pub rule: String,
    /// Why they were not evicted, as a sentence.
    pub why: String,
    /// How many pods.
    pub pods: u32,
    /// The first of these pods.
    pub who: Vec<PodIx>,
}

/// How many nodes could not take a pod, by the test that failed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[expect(missing_docs, reason = "the counts of the verdict of docs/cli.md, under the same names")]
pub struct NodeTally {
    pub total: u32,
    pub full: u32,
    pub fragmented: u32,
    pub elsewhere: u32,
    pub tainted: u32,
    pub unselected: u32,
    pub unschedulable: u32,
}

/// One of the nodes that lack least.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Closest {
    /// The node.
    pub node: NodeIx,
    /// The resource that the node lacks.
    pub resource: ResourceIx,
    /// How much of it a pod requests.
    pub needed: Units,
    /// What would be free if the pods in `taken` were gone.
    pub available: Units,
    /// The possible victims that count as gone.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub taken: Vec<PodIx>,
}

/// One node, and the first test that it failed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct NodeCheck {
    /// The node.
    pub node: NodeIx,
    /// `up`, `topology`, `schedulable`, `taint`, `selector`, `room` or `devices`. Nodes are tested in this order.
    pub failed: String,
    /// What the node lacks, for `room` and `devices`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lacks: Option<Amount>,
}

/// The exact distribution of the waits in one leaf and size class, reduced to 200 points.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct WaitSteps {
    /// The leaf; absent for all leaves together.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quota: Option<QuotaIx>,
    /// The size class: `1 GPU`, `2 to 7 GPUs`, `8 GPUs`, `no GPU`; empty for all sizes.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub size: String,
    /// Waits, ascending. The last one is the longest.
    pub wait_ms: Vec<Ms>,
    /// How many pods waited at most that long.
    pub pods: Vec<u64>,
    /// Pods that were never bound; they are in no point.
    pub never: u64,
    /// Quantiles of the same waits.
    pub quantiles: WaitQuantiles,
}

impl WaitSteps {
    /// How many pods there are in total, bound or not.
    #[must_use]
    pub const fn pods_in_all(&self) -> u64 {
        self.quantiles.count.saturating_add(self.never)
    }

    /// The wait that this many percent of all pods did not exceed, by nearest rank; nothing if fewer were ever bound. It
    /// is exact for 50, 95 and 99 if every pod was bound; otherwise it is the wait of the next point of the
    /// distribution.
    ///
    /// ```
    /// use quotree_page::model::{WaitQuantiles, WaitSteps};
    ///
    /// let quantiles = WaitQuantiles { count: 3, p50_ms: 10, ..WaitQuantiles::default() };
    /// let mut waits = WaitSteps { wait_ms: vec![0, 10, 30], pods: vec![1, 2, 3], quantiles, ..WaitSteps::default() };
    /// assert_eq!(waits.within(50), Some(10));
    /// waits.never = 2; // the third of five
    /// assert_eq!((waits.within(50), waits.within(95)), (Some(30), None));
    /// ```
    #[must_use]
    pub fn within(&self, percent: u64) -> Option<Ms> {
        let q = &self.quantiles;
        match percent {
            _ if q.count == 0 => return None,
            50 if self.never == 0 => return Some(q.p50_ms),
            95 if self.never == 0 => return Some(q.p95_ms),
            99 if self.never == 0 => return Some(q.p99_ms),
            _ => {}
        }
        let rank = (u128::from(self.pods_in_all()) * u128::from(percent)).div_ceil(100);
        let reached = self.wait_ms.iter().zip(&self.pods).find(|(_, pods)| u128::from(**pods) >= rank);
        reached.map(|(ms, _)| *ms)
    }
}

/// How long pods of a leaf waited by a rule.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct WaitTime {
    /// The rule.
    pub rule: String,
    /// The leaf of the pods.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quota: Option<QuotaIx>,
    /// The sum over pods.
    pub wait_ms: u128,
    /// How many periods of waiting there were.
    pub waits: u64,
}
