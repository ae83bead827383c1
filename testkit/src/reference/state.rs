//! Everything the reference knows, as plain data, and the few steps by which it changes.

use super::tree::Tree;
use quotree_core::{
    Domain, Level, Name, NodeId, NodeSpec, PodId, PodTemplate, Policy, ReleaseReason, Time, TreeSpec, WorkloadId,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// What became of a pod.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    Waiting,
    Binding,
    Running,
    Leaving(For),
    Gone,
}

/// For whom a pod leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum For {
    /// A hold.
    Hold(u32),
    /// Nobody: whoever finds its room enough may wait for it.
    Nobody,
    /// Somebody who waited too long: nobody waits for it any more (H2).
    Overdue,
}

/// Where a pod stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Spot {
    pub(super) node: NodeId,
    pub(super) devices: u64,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Pod {
    pub(super) set: usize,
    pub(super) stage: Stage,
    pub(super) spot: Option<Spot>,
}

impl Pod {
    /// Whether it uses quota and room: bound, being bound or leaving (L1).
    pub(super) fn stands(&self) -> bool {
        !matches!(self.stage, Stage::Waiting | Stage::Gone)
    }

    /// Whether it is in place to stay.
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

/// A unit that is admitted whole (G1): a lone pod, what a gang lacks of its minimum, or one elastic member.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Ask {
    pub(super) members: Vec<(Arc<PodTemplate>, u32)>,
    pub(super) preemptible: bool,
    /// Whether it would count as one more job (A5).
    pub(super) job: bool,
    /// On which level its pods stand together, and with whose.
    pub(super) together: Option<(Level, Option<WorkloadId>)>,
}

#[derive(Debug, Clone)]
pub(super) struct Workload {
    pub(super) id: WorkloadId,
    pub(super) namespace: Name,
    pub(super) leaf: Option<usize>,
    pub(super) submitted: Time,
    pub(super) priority: i32,
    pub(super) preemptible: bool,
    pub(super) budget: Option<Name>,
    pub(super) together: Option<Level>,
    pub(super) sets: Vec<Set>,
    pub(super) pods: Vec<Pod>,
    /// When the last of its running pods started.
    pub(super) ran_since: Time,
    /// Whether some of its pods were bound since the last fact: then it is no victim (S1).
    pub(super) fresh: bool,
    /// What it stands in line for.
    pub(super) waits: Option<Ask>,
    pub(super) hold: Option<u32>,
    /// When it came or was last changed, by the count of facts and decisions.
    pub(super) came: u64,
    /// Whether it was evicted below its minimum: what is left of it waits for nothing (G2).
    pub(super) evicted_whole: bool,
    /// Its place among the victims of its leaf, if it is one: priority, whether it has members to spare, when it started.
    /// A plan in the making changes none of that.
    pub(super) filed: Option<(i32, bool, Time)>,
    /// Since which decision it runs below its minimum (G3); inside, nothing before the first decision.
    pub(super) stale: Option<Option<Time>>,
}

/// Freed capacity is for the one who freed it (H1).
#[derive(Debug, Clone)]
pub(super) struct Hold {
    pub(super) id: u32,
    pub(super) workload: WorkloadId,
    pub(super) ask: Ask,
    pub(super) since: Time,
    pub(super) made: u64,
    pub(super) spots: Vec<(PodId, Spot)>,
}

/// Those of one leaf that ask the same: the first of them speaks for all (W1). No leaf: those without a quota.
pub(super) type Cell = (Option<usize>, Ask);

/// What is remembered of a cell (W2).
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Memory {
    pub(super) due: bool,
    pub(super) within: bool,
}

/// The reference scheduler.
#[derive(Debug, Clone)]
pub struct Reference {
    pub(super) policy: Arc<Policy>,
    pub(super) tree: Arc<Tree>,
    pub(super) nodes: BTreeMap<NodeId, Arc<NodeSpec>>,
    /// The only part of the cluster that is looked at, while a plan for it is sought.
    pub(super) confined: Option<Domain>,
    pub(super) work: BTreeMap<WorkloadId, Workload>,
    pub(super) holds: Vec<Hold>,
    pub(super) next_hold: u32,
    /// Holds that facts have ended, to be told with the next plan.
    pub(super) ended: Vec<(WorkloadId, ReleaseReason)>,
    pub(super) budgets: BTreeMap<Name, u32>,
    pub(super) cells: BTreeMap<Cell, Memory>,
    /// Asks that found no room though nothing barred them, until room comes free (W2).
    pub(super) roomless: BTreeSet<Ask>,
    /// Nodes from which something was taken since the scheduler last looked.
    pub(super) freed: BTreeSet<NodeId>,
    /// The largest amount a node has had, by resource, since the tree was set (P2).
    pub(super) largest: BTreeMap<Name, i64>,
    pub(super) timers: BTreeSet<Time>,
    /// Quotas over a ceiling that was lowered, and since which decision (T4).
    pub(super) over_since: BTreeMap<usize, Option<Time>>,
    /// Fair shares by quota and resource, while the policy decides by them (F3).
    pub(super) shares: Vec<Vec<i64>>,
    pub(super) facts: bool,
    pub(super) now: Time,
    /// Facts and decisions so far.
    pub(super) count: u64,
    /// Victims put back so far (V2).
    pub(super) spared: usize,
}

impl Reference {
    /// A reference without nodes and workloads, on a tree that is known to be valid.
    #[must_use]
    pub fn new(tree: &TreeSpec, policy: Policy) -> Self {
        Self {
            policy: Arc::new(policy),
            tree: Arc::new(Tree::new(tree)),
            nodes: BTreeMap::new(),
            confined: None,
            work: BTreeMap::new(),
            holds: Vec::new(),
            next_hold: 0,
            ended: Vec::new(),
            budgets: BTreeMap::new(),
            cells: BTreeMap::new(),
            roomless: BTreeSet::new(),
            freed: BTreeSet::new(),
            largest: BTreeMap::new(),
            timers: BTreeSet::new(),
            over_since: BTreeMap::new(),
            shares: Vec::new(),
            facts: true,
            now: Time(0),
            count: 0,
            spared: 0,
        }
    }

    pub(super) fn at(&self, id: WorkloadId) -> &Workload {
        &self.work[&id]
    }

    #[expect(clippy::expect_used, reason = "ids come from the list itself")]
    pub(super) fn at_mut(&mut self, id: WorkloadId) -> &mut Workload {
        self.work.get_mut(&id).expect("a workload that is there")
    }

    pub(super) fn pod(&self, id: PodId) -> &Pod {
        &self.at(id.workload).pods[id.ordinal as usize]
    }

    pub(super) fn pod_mut(&mut self, id: PodId) -> &mut Pod {
        &mut self.at_mut(id.workload).pods[id.ordinal as usize]
    }

    pub(super) fn template(&self, id: PodId) -> &Arc<PodTemplate> {
        let workload = self.at(id.workload);
        &workload.sets[workload.pods[id.ordinal as usize].set].template
    }

    /// All pods that use quota and room.
    pub(super) fn standing_pods(&self) -> impl Iterator<Item = (PodId, &Workload, &Pod)> {
        self.work.values().flat_map(|w| {
            (0u32..).zip(&w.pods).filter(|(_, pod)| pod.stands()).map(move |(i, pod)| (w.id.pod(i), w, pod))
        })
    }

    /// Pods that leave for a hold, or for nobody.
    pub(super) fn leaving(&self, whom: For) -> Vec<PodId> {
        let leaves = self.standing_pods().filter(|(_, _, pod)| pod.stage == Stage::Leaving(whom));
        leaves.map(|(id, ..)| id).collect()
    }
}

impl Reference {
    /// How many victims were picked and put back so far (V2).
    #[must_use]
    pub fn spared(&self) -> usize {
        self.spared
    }

    /// The workloads that wait or hold, by id.
    #[must_use]
    pub fn waiting(&self) -> Vec<WorkloadId> {
        self.work.values().filter(|w| w.waits.is_some() || w.hold.is_some()).map(|w| w.id).collect()
    }
}
