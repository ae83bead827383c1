//! Reading a scheduler's state. No decision uses any of this.

use crate::{
    api::{Amounts, NodeId, NodeSpec, NodeView, PodId, PodView, QuotaId, Usage, WorkloadId, WorkloadView},
    scheduler::{
        Scheduler,
        cluster::Cluster,
        quota::{Capacity, FairShares},
        state::{NodeSlot, Pod},
    },
};

impl Scheduler {
    /// The ledger of a quota (L1, L2). All amounts are 0 for an id of another tree.
    #[must_use]
    pub fn usage(&self, quota: QuotaId) -> Usage {
        self.cluster.quotas.usage(quota)
    }

    /// The fair share of every quota now (F1, F2): one row for each quota in tree order, one amount for each governed
    /// resource, in base units.
    ///
    /// Takes time in proportion to the tree, times the number of siblings that reach their limit.
    #[must_use]
    pub fn fair_shares(&self) -> Vec<Vec<i64>> {
        let mut shares = FairShares::default();
        self.refresh_fair_shares(&mut shares);
        shares.rows().to_vec()
    }

    /// Updates kept fair shares. Looks at every leaf once. Repeats the division only among siblings where the demand of
    /// one, or the share of the parent, has changed.
    pub fn refresh_fair_shares(&self, kept: &mut FairShares) {
        let (nodes, quotas) = (&self.cluster.nodes, &self.cluster.quotas);
        let capacity = Capacity { changes: nodes.changes(), of: |r| nodes.capacity(r) };
        kept.refresh(quotas, capacity, quotas.leaves());
    }

    /// All nodes that are up, by id.
    #[must_use]
    pub fn nodes(&self) -> Vec<NodeView> {
        self.cluster.nodes.sorted().into_iter().map(|slot| node_view(&self.cluster, slot)).collect()
    }

    /// A node that is up.
    #[must_use]
    pub fn node(&self, id: NodeId) -> Option<NodeView> {
        self.cluster.nodes.slot(id).map(|slot| node_view(&self.cluster, slot))
    }

    /// A node as the last event about it described it.
    #[must_use]
    pub fn node_spec(&self, id: NodeId) -> Option<&NodeSpec> {
        self.cluster.nodes.slot(id).map(|slot| &self.cluster.nodes.at(slot).spec)
    }

    /// A workload; nothing when it is not known or has ended.
    #[must_use]
    pub fn workload(&self, id: WorkloadId) -> Option<WorkloadView> {
        let cluster = &self.cluster;
        let workload = cluster.workloads.at(cluster.workloads.slot(id)?);
        let view = |(ordinal, pod): (u32, &Pod)| {
            let state = pod.state?;
            let node = pod.is_on_node().then(|| cluster.nodes.at(pod.assignment.node).id);
            Some(PodView { id: id.pod(ordinal), state, node, devices: pod.assignment.devices })
        };
        Some(WorkloadView {
            id,
            namespace: workload.namespace.clone(),
            leaf: cluster.quotas.quota_id(workload.leaf),
            priority: workload.priority,
            submitted: workload.submitted,
            preemptible: workload.preemptible,
            held: workload.hold.is_some(),
            pods: workload.ordinals().filter_map(view).collect(),
        })
    }

    /// The pods that a workload with a hold waits for (H3), by id; none if it holds nothing.
    #[must_use]
    pub fn waits_for(&self, id: WorkloadId) -> Vec<PodId> {
        let workloads = &self.cluster.workloads;
        let hold = workloads.slot(id).and_then(|slot| workloads.at(slot).hold);
        let victims = hold.and_then(|id| self.cluster.holds.get(id)).map(|hold| &hold.victims);
        let mut pods: Vec<PodId> = victims.into_iter().flatten().map(|pod| workloads.id_of(*pod)).collect();
        pods.sort_unstable();
        pods
    }

    /// The workloads that are pending or hold, by id.
    #[must_use]
    pub fn waiting(&self) -> Vec<WorkloadId> {
        let cluster = &self.cluster;
        let slots = cluster.workloads.sorted().into_iter();
        let waits = slots.map(|slot| (cluster.workloads.at(slot), cluster.queue.pending(slot))).filter(
            |(workload, pending)| pending.is_some() || workload.hold.is_some() || workload.back_off().is_some(),
        );
        waits.map(|(workload, _)| workload.id).collect()
    }
}

fn node_view(cluster: &Cluster, slot: NodeSlot) -> NodeView {
    let (node, interner) = (cluster.nodes.at(slot), &cluster.workloads.interner);
    let named = |row: &mut dyn Iterator<Item = i64>| -> Amounts {
        let pairs = (0u16..).zip(row).filter(|(_, amount)| *amount != 0);
        pairs.map(|(r, amount)| (interner.resource_name(r), amount)).collect()
    };
    let mut pods: Vec<PodId> = node.pods.iter().map(|pod| cluster.workloads.id_of(*pod)).collect();
    pods.sort_unstable();
    let held = (0u16..).zip(&node.reserved).map(|(r, reserved)| reserved - node.unhealthy_reserve(r));
    NodeView {
        id: node.id,
        schedulable: node.spec.schedulable,
        allocatable: node.spec.allocatable.clone(),
        used: named(&mut node.total.iter().zip(&node.free).map(|(total, free)| total - free)),
        held: named(&mut { held }),
        pods,
        devices_free: node.devices.iter().map(|d| (interner.resource_name(d.resource), d.free.to_vec())).collect(),
    }
}
