//! What can be read of a scheduler's state: values for reports, never needed to decide.

use crate::api::{Amounts, DeviceSet, Name, NodeId, NodeSpec, PodId, QuotaId, Time, WorkloadId};
use crate::scheduler::{
    Scheduler,
    quota::ledger::{Row, cell},
};

/// The ledger of one quota (L1, L2). Amounts cover the governed resources (Q2); those that are 0 are absent.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[expect(missing_docs, reason = "the terms of rules L1 and L2")]
pub struct Usage {
    pub used: Amounts,
    pub used_np: Amounts,
    pub request: Amounts,
    pub held: Amounts,
    pub freeing: Amounts,
    pub borrowed: Amounts,
    pub lent: Amounts,
    /// Pods bound, being bound or leaving.
    pub pods: u32,
    /// Workloads that have such pods or a hold (A5).
    pub jobs: u32,
}

/// A node as the scheduler sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeView {
    /// Which.
    pub id: NodeId,
    /// Whether new pods may come.
    pub schedulable: bool,
    /// What it has.
    pub allocatable: Amounts,
    /// What its pods use, leaving ones included.
    pub used: Amounts,
    /// What is kept for holds beyond what is still in use by their victims.
    pub held: Amounts,
    /// Its pods.
    pub pods: Vec<PodId>,
    /// What is free of each device, by device resource.
    pub devices_free: Vec<(Name, Vec<i64>)>,
}

/// A workload as the scheduler sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkloadView {
    /// Which.
    pub id: WorkloadId,
    /// Its namespace.
    pub namespace: Name,
    /// The leaf it uses; none when the namespace is on no leaf.
    pub leaf: Option<QuotaId>,
    /// Its priority.
    pub priority: i32,
    /// When it was submitted.
    pub submitted: Time,
    /// Whether it may be evicted.
    pub preemptible: bool,
    /// Whether it has a hold (H1).
    pub held: bool,
    /// Its pods by ordinal; ended ones are absent.
    pub pods: Vec<PodView>,
}

/// A pod as the scheduler sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PodView {
    /// Which.
    pub id: PodId,
    /// What it is doing.
    pub state: PodState,
    /// Where it is, if anywhere.
    pub node: Option<NodeId>,
    /// On which devices.
    pub devices: DeviceSet,
}

/// What a pod is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum PodState {
    /// It waits.
    Waiting,
    /// A bind was planned and not yet reported.
    Binding,
    /// It runs.
    Running,
    /// An eviction was planned and the pod is not yet gone.
    Leaving,
}

impl Scheduler {
    /// The ledger of a quota; nothing in use for an id of another tree.
    #[must_use]
    pub fn usage(&self, quota: QuotaId) -> Usage {
        if quota.0 as usize >= self.tree.len() {
            return Usage::default();
        }
        let q = quota.0;
        let named = |row: &[i64]| self.tree.named(row, 0);
        let above: Row =
            self.tree.min(quota).iter().zip(self.ledger.used.row(q)).map(|(m, u)| (u - m).max(0)).collect();
        Usage {
            used: named(self.ledger.used.row(q)),
            used_np: named(self.ledger.used_np.row(q)),
            request: named(self.ledger.request.row(q)),
            held: named(self.ledger.held.row(q)),
            freeing: named(self.ledger.leaving.row(q)),
            borrowed: named(&above),
            lent: named(&self.lent(quota)),
            pods: *self.ledger.pods.at(q),
            jobs: *self.ledger.jobs.at(q),
        }
    }

    /// What siblings' borrowing uses of a quota's idle guarantee (L2): what is borrowed, shared out among those who
    /// leave guarantees unused in proportion to how much, whole units to the earlier ones.
    fn lent(&self, quota: QuotaId) -> Row {
        let Some(parent) = self.tree.parent(quota) else { return Row::new() };
        let siblings = self.tree.children(parent);
        let idle = |q: &QuotaId, r| i128::from((self.min(q.0, r) - cell(self.ledger.used.row(q.0), r)).max(0));
        let over = |q: &QuotaId, r| i128::from((cell(self.ledger.used.row(q.0), r) - self.min(q.0, r)).max(0));
        let lent = |r: usize| {
            let unused: i128 = siblings.iter().map(|q| idle(q, r)).sum();
            let borrowed: i128 = siblings.iter().map(|q| over(q, r)).sum::<i128>().min(unused);
            let before: i128 = siblings.iter().take_while(|q| **q != quota).map(|q| idle(q, r)).sum();
            let part = |upto: i128| (upto * borrowed).checked_div(unused).unwrap_or(0);
            i64::try_from(part(before + idle(&quota, r)) - part(before)).unwrap_or(i64::MAX)
        };
        (0..self.tree.width()).map(lent).collect()
    }

    /// All nodes that are up, by id.
    #[must_use]
    pub fn nodes(&self) -> Vec<NodeView> {
        self.nodes.sorted().into_iter().map(|slot| self.node_view(slot)).collect()
    }

    /// A node that is up.
    #[must_use]
    pub fn node(&self, id: NodeId) -> Option<NodeView> {
        self.nodes.slot(id).map(|slot| self.node_view(slot))
    }

    /// A node as it was last told.
    #[must_use]
    pub fn node_spec(&self, id: NodeId) -> Option<&NodeSpec> {
        self.nodes.slot(id).map(|slot| &self.nodes.at(slot).spec)
    }

    fn node_view(&self, slot: u32) -> NodeView {
        let node = self.nodes.at(slot);
        let named = |row: &mut dyn Iterator<Item = i64>| -> Amounts {
            let pairs = (0u16..).zip(row).filter(|(_, amount)| *amount != 0);
            pairs.map(|(r, amount)| (self.interner.resource_name(r), amount)).collect()
        };
        let mut pods: Vec<PodId> = node.pods.iter().map(|(w, o)| self.workloads.at(*w).id.pod(*o)).collect();
        pods.sort_unstable();
        NodeView {
            id: node.id,
            schedulable: node.spec.schedulable,
            allocatable: node.spec.allocatable.clone(),
            used: named(&mut node.total.iter().zip(&node.free).map(|(total, free)| total - free)),
            held: named(&mut (0u16..).zip(&node.reserved).map(|(r, reserved)| reserved - node.unhealthy_reserve(r))),
            pods,
            devices_free: node
                .banks
                .iter()
                .map(|b| (self.interner.resource_name(b.resource), b.free.to_vec()))
                .collect(),
        }
    }

    /// A workload; nothing when it is not known or has ended.
    #[must_use]
    pub fn workload(&self, id: WorkloadId) -> Option<WorkloadView> {
        let workload = self.workloads.at(self.workloads.slot(id)?);
        let view = |(ordinal, pod): (u32, &crate::scheduler::state::workloads::Pod)| {
            let state = pod.state?;
            let placed = state != PodState::Waiting;
            Some(PodView {
                id: id.pod(ordinal),
                state,
                node: placed.then(|| self.nodes.at(pod.spot.node).id),
                devices: pod.spot.devices,
            })
        };
        Some(WorkloadView {
            id,
            namespace: workload.namespace.clone(),
            leaf: self.quota(workload.leaf),
            priority: workload.priority,
            submitted: workload.submitted,
            preemptible: workload.preemptible,
            held: workload.hold.is_some(),
            pods: (0u32..).zip(&workload.pods).filter_map(view).collect(),
        })
    }

    /// The workloads that wait or hold, by id.
    #[must_use]
    pub fn waiting(&self) -> Vec<WorkloadId> {
        let mut ids = Vec::new();
        for slot in self.workloads.sorted() {
            let workload = self.workloads.at(slot);
            if workload.waits.is_some() || workload.hold.is_some() {
                ids.push(workload.id);
            }
        }
        ids
    }
}
