//! The ids that the core knows, and the objects behind them. Ids ascend in the order in which objects were first reported to
//! the core, and none is used twice.

use crate::watch::Uid;
use quotree_core::{Name, NodeId, PodId, QuotaTree, Scheduler, WorkloadId};
use quotree_words::{Names, Requested};
use std::{borrow::Cow, collections::BTreeMap};

/// Ids to objects and back.
#[derive(Debug, Clone, Default)]
pub(crate) struct Ids {
    workloads: u32,
    /// `namespace/name`: of a pod, or of a gang.
    workload_names: BTreeMap<WorkloadId, Name>,
    pods: BTreeMap<PodId, (Uid, Name)>,
    nodes: BTreeMap<Name, NodeId>,
    node_names: BTreeMap<NodeId, Name>,
    next_node: u32,
}

impl Ids {
    /// A new workload of this name.
    pub(crate) fn add_workload(&mut self, name: Name) -> WorkloadId {
        self.workloads += 1;
        let id = WorkloadId(self.workloads);
        self.workload_names.insert(id, name);
        id
    }

    /// A workload of this id and name.
    pub(crate) fn name_workload(&mut self, id: WorkloadId, name: Name) {
        self.workload_names.insert(id, name);
    }

    /// A workload that is named as its pod, unless it has a name.
    pub(crate) fn name_single(&mut self, id: WorkloadId, pod: &Name) {
        self.workload_names.entry(id).or_insert_with(|| pod.clone());
    }

    /// A node of this id and name.
    pub(crate) fn name_node(&mut self, id: NodeId, name: &Name) {
        if let Some(before) = self.nodes.insert(name.clone(), id) {
            self.node_names.remove(&before);
        }
        self.node_names.insert(id, name.clone());
    }

    /// Forgets a workload that has ended.
    pub(crate) fn forget_workload(&mut self, id: WorkloadId) {
        self.workload_names.remove(&id);
    }

    /// The object behind a pod of the core.
    pub(crate) fn add_pod(&mut self, id: PodId, uid: &Uid, name: Name) {
        self.pods.insert(id, (uid.clone(), name));
    }

    /// The uid of a pod.
    pub(crate) fn uid(&self, id: PodId) -> Option<&Uid> {
        self.pods.get(&id).map(|(uid, _)| uid)
    }

    /// The uid of a pod, and its `namespace/name`.
    pub(crate) fn pod(&self, id: PodId) -> Option<&(Uid, Name)> {
        self.pods.get(&id)
    }

    /// Workloads from this id on, with their names.
    pub(crate) fn workloads_from(&self, id: WorkloadId) -> impl Iterator<Item = (WorkloadId, &Name)> {
        self.workload_names.range(id..).map(|(id, name)| (*id, name))
    }

    /// Nodes from this id on, with their names.
    pub(crate) fn nodes_from(&self, id: NodeId) -> impl Iterator<Item = (NodeId, &Name)> {
        self.node_names.range(id..).map(|(id, name)| (*id, name))
    }

    /// Forgets a pod that is gone.
    pub(crate) fn forget_pod(&mut self, id: PodId) {
        self.pods.remove(&id);
    }

    /// The pods of a workload.
    pub(crate) fn pods_of(&self, id: WorkloadId) -> impl Iterator<Item = &Uid> {
        self.pods.range(id.pod(0)..=id.pod(u32::MAX)).map(|(_, (uid, _))| uid)
    }

    /// The id of a node.
    pub(crate) fn node(&self, name: &Name) -> Option<NodeId> {
        self.nodes.get(name).copied()
    }

    /// The name of a node.
    pub(crate) fn node_name(&self, id: NodeId) -> Option<&Name> {
        self.node_names.get(&id)
    }

    /// A new node. One that joins again gets a new id.
    pub(crate) fn add_node(&mut self, name: &Name) -> NodeId {
        let id = NodeId(self.next_node);
        self.next_node += 1;
        self.nodes.insert(name.clone(), id);
        self.node_names.insert(id, name.clone());
        id
    }

    /// Forgets a node.
    pub(crate) fn forget_node(&mut self, name: &Name) {
        if let Some(id) = self.nodes.remove(name) {
            self.node_names.remove(&id);
        }
    }
}

/// The names for sentences.
pub(crate) struct LiveNames<'a> {
    pub(crate) ids: &'a Ids,
    pub(crate) core: &'a Scheduler,
}

impl Names for LiveNames<'_> {
    fn tree(&self) -> &QuotaTree {
        self.core.tree()
    }

    fn workload(&self, id: WorkloadId) -> Cow<'_, str> {
        self.ids.workload_names.get(&id).map_or_else(|| id.to_string().into(), |name| name.as_str().into())
    }

    fn pod(&self, id: PodId) -> Cow<'_, str> {
        self.ids.pods.get(&id).map_or_else(|| id.to_string().into(), |(_, name)| name.as_str().into())
    }

    fn node(&self, id: NodeId) -> Cow<'_, str> {
        self.ids.node_names.get(&id).map_or_else(|| id.to_string().into(), |name| name.as_str().into())
    }

    fn pods(&self, id: WorkloadId) -> u32 {
        let pods = self.core.workload(id).map_or(1, |workload| workload.pods.len());
        u32::try_from(pods).unwrap_or(u32::MAX)
    }

    fn requested(&self, id: WorkloadId) -> Requested {
        Requested::All(self.pods(id))
    }
}
