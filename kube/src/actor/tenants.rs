//! What the controller of users and groups must know of the tree that is in force.

use super::Actor;
use crate::tenancy::{Leaf, Space, View};
use quotree_core::{Name, QuotaId};

/// So many pods of a leaf are named at most.
const NAMED: usize = 10;

impl Actor {
    /// The leaves of the tree in force, their namespaces and how many pods they have; `None` before there is one. Costs a pass over the
    /// quotas, and over the pods if a group is being deleted.
    #[must_use]
    pub fn view(&self) -> Option<View> {
        let core = self.core()?;
        let tree = core.tree();
        let leaves = tree.ids().filter(|quota| tree.children(*quota).is_empty());
        let space = |namespace: &Name| {
            let managed = self.seen.is_managed(namespace, &self.settings.managed);
            match self.seen.namespaces.contains_key(namespace) {
                _ if managed => Space::Managed,
                true => Space::Unmanaged,
                false => Space::Missing,
            }
        };
        let of = |quota: QuotaId| {
            let name = tree.name(quota).clone();
            let spaces = tree.spec(quota).map(|spec| spec.namespaces.clone()).unwrap_or_default();
            let leaving = self.seen.groups.values().any(|group| group.leaving && group.leaf == name);
            let some = if leaving { self.some_of(quota) } else { Vec::new() };
            let namespaces = spaces.iter().map(|namespace| (namespace.clone(), space(namespace))).collect();
            (name, Leaf { namespaces, pods: core.usage(quota).pods, some })
        };
        Some(View { leaves: leaves.map(of).collect() })
    }

    /// Some of the pods of a leaf that have a node, or are on their way to one, by name.
    fn some_of(&self, leaf: QuotaId) -> Vec<String> {
        let Some(live) = &self.live else { return Vec::new() };
        let on_nodes = live.known.iter().filter(|(_, known)| known.state.node().is_some());
        let its = on_nodes.filter(|(_, known)| {
            live.core.workload(known.id.workload).is_some_and(|workload| workload.leaf == Some(leaf))
        });
        let named = its.filter_map(|(uid, _)| self.seen.pods.get(uid));
        named.take(NAMED).map(|pod| format!("{}/{}", pod.facts.namespace, pod.facts.name)).collect()
    }
}
