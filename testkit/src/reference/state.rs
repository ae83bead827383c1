//! The state of the reference, as plain data.

use super::tree::Tree;
use quotree_core::{
    Domain, EvictReason, Level, Name, NodeId, NodeSpec, PodId, PodTemplate, Policy, ReleaseReason, Time, TreeSpec,
    WorkloadId,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// The state of a pod.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    Waiting,
    Binding,
    Running,
    Leaving(For),
    Gone,
}

/// The hold for which a pod terminates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum For {
    /// A hold.
    Hold(u32),
    /// None: any workload for which it is enough may wait for it.
    Nobody,
    /// A hold that timed out: no workload waits for it any more (H2).
    Overdue,
}

/// The node and devices of a pod.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Assignment {
    pub(super) node: NodeId,
    pub(super) devices: u64,
}

#[derive(Debug, Clone)]
pub(super) struct Pod {
    pub(super) set: usize,
    pub(super) stage: Stage,
    pub(super) assignment: Option<Assignment>,
    /// Which plan evicted it, while only that stops it (E2).
    pub(super) evicted: Option<Eviction>,
}

/// What is restored of a pod if its eviction fails (E2).
#[derive(Debug, Clone)]
pub(super) struct Eviction {
    pub(super) was: Stage,
    /// When it started, if that was reported since.
    pub(super) started: Option<Time>,
    /// Why.
    pub(super) reason: EvictReason,
    /// When it was evicted, as a count of events and decisions.
    pub(super) at: u64,
    /// The budget that has one less for it.
    pub(super) from_budget: Option<Name>,
}

impl Pod {
    /// Whether it uses quota and nodes: bound, being bound or terminating (L1).
    pub(super) fn is_placed(&self) -> bool {
        !matches!(self.stage, Stage::Waiting | Stage::Gone)
    }

    /// Whether it is bound or being bound, and not terminating.
    pub(super) fn stays(&self) -> bool {
        matches!(self.stage, Stage::Binding | Stage::Running)
    }

    pub(super) fn leaves(&self) -> bool {
        matches!(self.stage, Stage::Leaving(_))
    }
}

#[derive(Debug, Clone)]
pub(super) struct Set {
    pub(super) template: Arc<PodTemplate>,
    pub(super) count: u32,
    pub(super) min: u32,
}

/// What is admitted at once (G1): a single pod, all that a gang lacks of its minimum, or one elastic member.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Ask {
    pub(super) members: Vec<(Arc<PodTemplate>, u32)>,
    pub(super) preemptible: bool,
    /// Whether others may be evicted for it (R9).
    pub(super) may_evict: bool,
    /// Whether it would count as one more job (A5).
    pub(super) job: bool,
    /// The topology level at which its pods share a domain, and the workload whose pods are there already.
    pub(super) together: Option<(Level, Option<WorkloadId>)>,
}

#[derive(Debug, Clone)]
pub(super) struct Workload {
    pub(super) id: WorkloadId,
    pub(super) namespace: Name,
    /// The leaf that it names as its own (T1).
    pub(super) quota: Option<Name>,
    pub(super) leaf: Option<usize>,
    pub(super) submitted: Time,
    pub(super) priority: i32,
    pub(super) preemptible: bool,
    /// Whether others may be evicted for it (R9).
    pub(super) may_evict: bool,
    pub(super) budget: Option<Name>,
    pub(super) together: Option<Level>,
    pub(super) sets: Vec<Set>,
    pub(super) pods: Vec<Pod>,
    /// When the last of its running pods started.
    pub(super) ran_since: Time,
    /// At which moment pods of it were bound last, and whether a fact came since, for as long as this protects it
    /// (R2c).
    pub(super) just_bound: Option<(Time, bool)>,
    /// What it asks for.
    pub(super) pending_ask: Option<Ask>,
    pub(super) hold: Option<u32>,
    /// When it was submitted or last changed, as a count of events and decisions; of what replaces an evicted workload,
    /// when that one was evicted (H2).
    pub(super) changed_at: u64,
    /// How many of its pods plans have evicted that nothing has replaced, and the count at the last of these plans.
    pub(super) unreplaced: (u32, u64),
    /// Whether it was evicted below its minimum: then its pending pods are not requested (G2).
    pub(super) evicted_whole: bool,
    /// How many binds of it failed in a row, and until when it is not tried again: `Some(None)` before the first decision
    /// after the failure (E6).
    pub(super) failed_binds: u32,
    pub(super) backs_off: Option<Option<Time>>,
    /// Whether an eviction of it failed, and nothing was reported about it since (E2).
    pub(super) evict_failed: bool,
    /// Its rank among the victims of its leaf, if it may be one: priority, whether it has members to spare, when it
    /// started. A plan that is being searched does not change it.
    pub(super) victim_rank: Option<(i32, bool, Time)>,
    /// Since which decision it runs below its minimum (G3); the inner `None` before the first decision.
    pub(super) stale: Option<Option<Time>>,
}

/// A reservation: what the victims of a workload free is for that workload (H1).
#[derive(Debug, Clone)]
pub(super) struct Hold {
    pub(super) id: u32,
    pub(super) workload: WorkloadId,
    pub(super) ask: Ask,
    pub(super) since: Time,
    pub(super) made: u64,
    pub(super) assignments: Vec<(PodId, Assignment)>,
}

/// A request queue: the pending workloads of one leaf with equal asks; its head is tried for all (W1). Without a leaf:
/// those without a quota.
pub(super) type RequestQueue = (Option<usize>, Ask);

/// The cached state of a request queue (W2).
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct QueueState {
    pub(super) due: bool,
    /// Whether it was tried in vain since its leaf last came within min for the request.
    pub(super) tried: bool,
}

/// The reference scheduler.
#[derive(Debug, Clone)]
pub struct Reference {
    pub(super) policy: Arc<Policy>,
    pub(super) tree: Arc<Tree>,
    pub(super) nodes: BTreeMap<NodeId, Arc<NodeSpec>>,
    /// The domain to which the search for a plan is restricted.
    pub(super) domain: Option<Domain>,
    pub(super) workloads: BTreeMap<WorkloadId, Workload>,
    pub(super) holds: Vec<Hold>,
    pub(super) next_hold: u32,
    /// Evicted workloads that have ended, the last one last, and when they were evicted (H2).
    pub(super) evicted: Vec<(WorkloadId, u64)>,
    /// Holds that events have ended, which the next plan reports.
    pub(super) ended: Vec<(WorkloadId, ReleaseReason)>,
    pub(super) budgets: BTreeMap<Name, u32>,
    /// When each budget was set last, as a count of events and decisions.
    pub(super) budgets_set: BTreeMap<Name, u64>,
    pub(super) queues: BTreeMap<RequestQueue, QueueState>,
    /// The workloads at the front of leaves that block (O2).
    pub(super) in_line: BTreeSet<WorkloadId>,
    /// Asks that found no room although no limit bars them, and when each last did (W2).
    pub(super) failed: BTreeMap<Ask, u64>,
    /// When something last changed on a node in favour of those that wait (W2).
    pub(super) freed: BTreeMap<NodeId, u64>,
    /// Counts failures and what comes free, to tell which was later.
    pub(super) clock: u64,
    /// The largest amount of each resource on any node since the tree was set (P2).
    pub(super) largest: BTreeMap<Name, i64>,
    pub(super) timers: BTreeSet<Time>,
    /// Quotas above a lowered max, and since which decision (T4).
    pub(super) over_since: BTreeMap<usize, Option<Time>>,
    /// Fair shares by quota and resource, if the policy decides by them (F3).
    pub(super) shares: Vec<Vec<i64>>,
    pub(super) facts: bool,
    pub(super) now: Time,
    /// Events and decisions so far.
    pub(super) count: u64,
    /// Victims reprieved so far (V2).
    pub(super) reprieved: usize,
    /// Plans found among sets so far (V5).
    pub(super) by_sets: usize,
    /// Whether some search for sets had too many candidates (V5).
    pub(super) bound_hit: bool,
}

impl Reference {
    /// A reference without nodes and workloads, on a valid tree.
    #[must_use]
    pub fn new(tree: &TreeSpec, policy: Policy) -> Self {
        Self {
            tree: Arc::new(Tree::new(tree, &policy)),
            policy: Arc::new(policy),
            nodes: BTreeMap::new(),
            domain: None,
            workloads: BTreeMap::new(),
            holds: Vec::new(),
            next_hold: 0,
            evicted: Vec::new(),
            ended: Vec::new(),
            budgets: BTreeMap::new(),
            budgets_set: BTreeMap::new(),
            queues: BTreeMap::new(),
            in_line: BTreeSet::new(),
            failed: BTreeMap::new(),
            freed: BTreeMap::new(),
            clock: 0,
            largest: BTreeMap::new(),
            timers: BTreeSet::new(),
            over_since: BTreeMap::new(),
            shares: Vec::new(),
            facts: true,
            now: Time(0),
            count: 0,
            reprieved: 0,
            by_sets: 0,
            bound_hit: false,
        }
    }

    pub(super) fn workload(&self, id: WorkloadId) -> &Workload {
        &self.workloads[&id]
    }

    #[expect(clippy::expect_used, reason = "ids come from the list itself")]
    pub(super) fn workload_mut(&mut self, id: WorkloadId) -> &mut Workload {
        self.workloads.get_mut(&id).expect("a workload that is there")
    }

    pub(super) fn pod(&self, id: PodId) -> &Pod {
        &self.workload(id.workload).pods[id.ordinal as usize]
    }

    pub(super) fn pod_mut(&mut self, id: PodId) -> &mut Pod {
        &mut self.workload_mut(id.workload).pods[id.ordinal as usize]
    }

    pub(super) fn template(&self, id: PodId) -> &Arc<PodTemplate> {
        let workload = self.workload(id.workload);
        &workload.sets[workload.pods[id.ordinal as usize].set].template
    }

    /// All pods that use quota and nodes.
    pub(super) fn placed_pods(&self) -> impl Iterator<Item = (PodId, &Workload, &Pod)> {
        self.workloads.values().flat_map(|w| {
            (0u32..).zip(&w.pods).filter(|(_, pod)| pod.is_placed()).map(move |(i, pod)| (w.id.pod(i), w, pod))
        })
    }

    /// The pods that leave for a hold, or for nobody.
    pub(super) fn leaving(&self, whom: For) -> Vec<PodId> {
        let leaves = self.placed_pods().filter(|(_, _, pod)| pod.stage == Stage::Leaving(whom));
        leaves.map(|(id, ..)| id).collect()
    }
}

impl Reference {
    /// How many victims were picked and reprieved so far (V2).
    #[must_use]
    pub fn reprieved(&self) -> usize {
        self.reprieved
    }

    /// How many plans were found among sets so far (V5).
    #[must_use]
    pub fn by_sets(&self) -> usize {
        self.by_sets
    }

    /// Whether some search had so many candidates that not all sets were looked at (V5). From there on the decisions of
    /// the core may differ.
    #[must_use]
    pub fn bound_hit(&self) -> bool {
        self.bound_hit
    }

    /// The workloads that are pending or hold, by id.
    #[must_use]
    pub fn waiting(&self) -> Vec<WorkloadId> {
        self.workloads
            .values()
            .filter(|w| w.pending_ask.is_some() || w.hold.is_some() || w.is_backing_off())
            .map(|w| w.id)
            .collect()
    }
}
