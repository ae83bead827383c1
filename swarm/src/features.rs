//! The features that a random scenario may have. A seed first draws the features of its scenario. If every scenario had
//! all of them, some features would hide bugs that a combination of few features reveals.

use crate::draw::Draw;
use std::collections::BTreeSet;

macro_rules! features {
    ($($name:ident $text:literal $about:literal,)*) => {
        /// A feature of a scenario.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        #[non_exhaustive]
        pub enum Feature {
            $(#[doc = $about] $name,)*
        }

        impl Feature {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// Its name in reports.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)*
                }
            }
        }
    };
}

features! {
    Nodes "nodes" "Separate nodes; without it the cluster is one pool.",
    SeveralPools "several node pools" "Pools of different nodes, with labels that some select and taints that some tolerate.",
    Memory "memory" "A second resource.",
    Ungoverned "ungoverned resource" "Quotas do not govern memory (Q2).",
    Gpus "gpus" "Whole GPUs.",
    GpuFractions "gpu fractions" "Parts of GPUs, and parts of several.",
    DeepTree "deep tree" "More than two levels of quotas.",
    NoMax "absent max" "Quotas without a max (Q3).",
    Lend "lend limits" "Quotas that keep part of their min from lending (L3).",
    OverPromised "over-promised tree" "Children are guaranteed more than their parent (T2).",
    MaxJobs "max_jobs" "Job limits (A5).",
    Block "queueing block" "Queues in which nobody passes the head (O2).",
    Unquotaed "pods without quota" "Namespaces on no leaf (A4).",
    Jobs "jobs" "Pods that run to completion and are retried when they fail.",
    Gangs "gangs" "Trainings whose pods run all together or not at all (G1).",
    Elastic "elastic trainings" "Trainings with members above their minimum (G2).",
    RandomTimes "random runtimes" "Runtimes that are drawn.",
    Priorities "priorities" "Pods of different priorities (O1).",
    NonPreemptible "non-preemptible" "Pods that nobody may evict (A2).",
    Budgets "budgets" "Disruption budgets (R7).",
    BudgetEdits "budget edits" "Budgets that change.",
    NodeDown "node down and up" "Nodes that fail and come back.",
    Cordon "cordon" "Nodes that take no new pods for a while.",
    TreeEdits "tree edits" "Min and max that change (T4).",
    NamespaceMoves "namespace moves" "Namespaces that move to another leaf (T3).",
    Scale "scale" "Deployments that grow and shrink.",
    Withdraw "withdraw" "Workloads that are deleted.",
    BindLatency "bind latency" "Binds that take time.",
    FailedBinds "failed binds" "Binds that the cluster rejects.",
    Grace "eviction grace" "Victims that take seconds to leave.",
    LongGrace "grace of minutes" "Victims that take minutes to leave.",
    LostEvictions "lost evictions" "Requests to evict that are lost and sent again.",
    RecreateDelay "recreate delay" "Controllers that recreate pods after a delay.",
    MinRuntime "protected runtime" "Pods that are not evicted when they have just started (R2c).",
    HoldTimeout "hold timeout" "Holds that end after a time (H2).",
    StaleAfter "stale gangs" "Gangs that are evicted when they are below their minimum for too long (G3).",
    EnforceMax "enforced max" "Pods above a lowered max are evicted (T4).",
    OrderKnob "knob order" "Another order than guaranteed first (O1).",
    ReclaimKnob "knob reclaim" "Fair shares, or no reclaim (R8).",
    WithinKnob "knob within" "Other rules inside a leaf (R1).",
    PreemptionKnob "knob preemption" "Some kinds of preemption switched off (R8).",
    FloorKnob "knob floor" "No victim takes its leaf below min (R2b).",
    VictimsKnob "knob victims" "Victims by start time alone (V1).",
    PlacementKnob "knob placement" "Another placement than best fit (P2).",
    BudgetsKnob "knob respect_budgets" "Budgets that are never broken (R7).",
    BoundsKnob "knob bounds" "Searches that are cut short.",
    RandomFaults "random faults" "Nodes that fail at random and are repaired.",
    Outages "outages" "Nodes and racks that fail together.",
    Drains "drains" "Nodes that are drained (L1, G2).",
    SlowNodes "slow nodes" "Nodes on which work takes longer.",
    NodeEdits "node edits" "Nodes that shrink under their pods, grow, or get taints.",
    PoolResizes "pool resizes" "Nodes that join, and nodes that are taken out.",
    Autoscale "autoscale" "Pools that grow and shrink by themselves.",
    Arrivals "arrivals" "Jobs and trainings that arrive repeatedly.",
    Workflows "workflows" "Jobs and trainings that depend on each other.",
    LostMembers "lost members" "Gangs that keep running while they wait for a replacement of a lost member (G3).",
    Limits "limits" "Workloads that fail after too many restarts, or because they run too long.",
    Datasets "datasets" "Data that workloads read, with and without a cache.",
    JobQueues "job queues" "Queues in front of leaves that release their jobs one by one.",
    StartTimeouts "start timeouts" "Jobs that are requeued when they do not start in time.",
    Topology "topology" "Gangs that must run in one node, rack or zone (P1).",
    GpuModes "gpu modes" "GPUs that are assigned whole, by memory, by cores, or by topology (P1).",
    IllDevices "unhealthy devices" "Unhealthy devices, which take no new pods.",
    Relabels "relabels" "Nodes whose GPUs are switched to another mode.",
    People "users and groups" "Users and groups, and submissions that are refused.",
    PeopleEdits "edits of users and groups" "Users and groups that come, change and go.",
    AgeKnob "knob age" "Replicas that keep their age, or jobs that do not (O3).",
    RefusedEvictions "refused evictions" "Evictions that the API refuses (E2).",
    Resizes "resizes" "Pods that are resized in place while they wait and run (E5).",
    Restarts "restarts" "A scheduler that is restarted, and goes on from what a LIST shows (E4).",
}

/// The features of one scenario.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Features(BTreeSet<Feature>);

impl Features {
    /// Draws how likely features are in this scenario, then each feature.
    pub(crate) fn draw(draw: &mut Draw) -> Self {
        let percent = draw.one_of(&[5, 10, 15, 25, 40, 60]).unwrap_or(25);
        Self(Feature::ALL.iter().copied().filter(|_| draw.chance(percent)).collect())
    }

    /// In half of the scenarios, adds the features that another drawn feature needs to have an effect, so that it has
    /// one often enough.
    pub(crate) fn with_required(mut self, draw: &mut Draw) -> Self {
        let brings: [(Feature, &[Feature]); 7] = [
            (Feature::JobQueues, &[Feature::Jobs]),
            (Feature::StartTimeouts, &[Feature::JobQueues, Feature::Jobs]),
            (Feature::Topology, &[Feature::Nodes, Feature::Gangs]),
            (Feature::GpuModes, &[Feature::Nodes, Feature::Gpus, Feature::GpuFractions]),
            (Feature::IllDevices, &[Feature::Nodes, Feature::Gpus]),
            (Feature::Relabels, &[Feature::Nodes, Feature::Gpus]),
            (Feature::PeopleEdits, &[Feature::People]),
        ];
        for (feature, others) in brings {
            if draw.chance(50) && self.has(feature) {
                self.0.extend(others);
            }
        }
        self
    }

    /// Whether the scenario has it.
    #[must_use]
    pub fn has(&self, feature: Feature) -> bool {
        self.0.contains(&feature)
    }

    /// All it has, in order.
    pub fn iter(&self) -> impl Iterator<Item = Feature> {
        self.0.iter().copied()
    }
}
