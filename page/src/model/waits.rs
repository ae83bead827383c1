//! Waits: who waited when, by which rule, the full reason, and how waits are distributed.

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

/// How long jobs waited in all: the `wait` of docs/metrics.md, as `summary.json` has it. Times that go on at the end count with
/// what they are so far.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct JobWaits {
    /// How many jobs.
    pub count: u64,
    /// The median.
    pub p50_ms: Ms,
    /// What 95 of 100 jobs do not exceed.
    pub p95_ms: Ms,
    /// The longest.
    pub max_ms: Ms,
    /// Which of these are lower bounds: `p50`, `p95`, `max`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub at_least: Vec<String>,
}

impl JobWaits {
    /// The median, and whether it is a lower bound.
    #[must_use]
    pub fn p50(&self) -> (Ms, bool) {
        (self.p50_ms, self.is_bound("p50"))
    }

    /// What 95 of 100 jobs do not exceed, and whether it is a lower bound.
    #[must_use]
    pub fn p95(&self) -> (Ms, bool) {
        (self.p95_ms, self.is_bound("p95"))
    }

    /// The longest, and whether it is a lower bound.
    #[must_use]
    pub fn max(&self) -> (Ms, bool) {
        (self.max_ms, self.is_bound("max"))
    }

    fn is_bound(&self, figure: &str) -> bool {
        self.at_least.iter().any(|name| name == figure)
    }
}

/// A stretch of time in which a pod waited by one rule, at one place. A pod that waits on for another reason has another row.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Wait {
    /// The pod that waits.
    pub pod: PodIx,
    /// When the stretch begins.
    pub from_ms: Ms,
    /// Until when: it was bound, another rule bound, it was deleted, or the run ended.
    pub to_ms: Ms,
    /// The rule that bound.
    pub rule: String,
    /// The quota whose limit it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quota: Option<QuotaIx>,
    /// The resource that was short.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource: Option<ResourceIx>,
    /// What it asked of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub needed: Option<Units>,
    /// What there was: under the limit, or on the closest node.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub available: Option<Units>,
    /// While it has a reservation: the pods that must leave.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub victims: Vec<PodIx>,
    /// When the last of them will have left.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub victims_until_ms: Option<Ms>,
    /// The full reason, if it was kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verdict: Option<VerdictIx>,
}

/// Why a workload waits, in full (X1). Equal ones are stored once.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Verdict {
    /// What blocks the pod first.
    pub binding: Obstacle,
    /// Whether it would be within every guarantee on its path (O1).
    pub entitled: bool,
    /// What is free in all, of the resource that is short.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub free: Option<Units>,
    /// Whether there is enough in sum, but not on one node (S4).
    pub fragmented: bool,
    /// The workload that is ahead of it (O2).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub head: Option<String>,
    /// Who holds what is missing.
    pub holders: Vec<Holder>,
    /// What else blocks the pod.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub also: Vec<Obstacle>,
    /// Who was not evicted for it, and why.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub spared: Vec<Spared>,
    /// Single changes that would let the next decision place it, in words.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub helps: Vec<String>,
    /// Limits at which the search stopped, in words.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub bounds_hit: Vec<String>,
    /// How many nodes failed which test.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nodes: Option<NodeTally>,
    /// The nodes that lack least.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub closest: Vec<Closest>,
    /// Node by node, which test failed first (the why-matrix).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub checks: Vec<NodeCheck>,
}

/// Something that blocks a pod.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Obstacle {
    /// The rule.
    pub rule: String,
    /// In a sentence, without the rule.
    pub text: String,
    /// The quota whose limit it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quota: Option<QuotaIx>,
    /// The resource.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource: Option<ResourceIx>,
    /// What is asked of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub needed: Option<Units>,
    /// How much of it is available.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub available: Option<Units>,
}

/// A leaf that holds what is missing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Holder {
    /// The leaf; absent: pods without a quota.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quota: Option<QuotaIx>,
    /// What it uses of the resource that is missing.
    pub used: Units,
    /// How much of that it borrows.
    pub borrowed: Units,
    /// How many pods that is.
    pub pods: u32,
    /// The first of them.
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
    /// The first of them.
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

/// A node that lacks little.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Closest {
    /// The node.
    pub node: NodeIx,
    /// The resource that the node lacks.
    pub resource: ResourceIx,
    /// How much of it a pod requests.
    pub needed: Units,
    /// What would be free, were `taken` gone.
    pub available: Units,
    /// The victims that count as gone.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub taken: Vec<PodIx>,
}

/// One node, and the first test that it failed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct NodeCheck {
    /// The node.
    pub node: NodeIx,
    /// `up`, `topology`, `schedulable`, `taint`, `selector`, `room` or `devices`: nodes are tested in this order.
    pub failed: String,
    /// What it lacks, for `room` and `devices`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lacks: Option<Amount>,
}

/// The exact distribution of waits of one leaf and size, thinned to 200 points.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct WaitSteps {
    /// The leaf; absent where all leaves are meant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quota: Option<QuotaIx>,
    /// The size class: `1 GPU`, `2 to 7 GPUs`, `8 GPUs`, `no GPU`; empty: all.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub size: String,
    /// Waits, ascending. The last one is the longest.
    pub wait_ms: Vec<Ms>,
    /// How many pods waited at most that long.
    pub pods: Vec<u64>,
    /// Pods that were never bound, in no step.
    pub never: u64,
    /// Quantiles of the same waits.
    pub quantiles: WaitQuantiles,
}

impl WaitSteps {
    /// How many pods there are, bound or not.
    #[must_use]
    pub const fn pods_in_all(&self) -> u64 {
        self.quantiles.count.saturating_add(self.never)
    }

    /// The wait that so many percent of all pods did not exceed, by nearest rank; nothing if fewer were ever bound. Exact if
    /// every pod was bound (50, 95, 99), else that of the next point of the distribution.
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
    /// How many stretches of waiting there were.
    pub waits: u64,
}
