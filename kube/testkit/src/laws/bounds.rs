//! LI1, LI2 and LI4: what an admission or an eviction may do to nodes and quotas.

use super::{Checker, STALE};
use crate::census::Pod;

impl Checker {
    /// LI1 and LI2 of an admission that has just counted.
    pub(super) fn fits(&mut self, pod: &Pod, node: &str) {
        let name = format!("{}/{}", pod.key.0, pod.key.1);
        if !self.within(self.stirred.get(&format!("node {node}")), STALE)
            && let Some(there) = self.census.nodes.get(node)
        {
            let over = pod.requests.keys().find(|resource| {
                let of = |amounts: &crate::amounts::Amounts| amounts.get(*resource).copied().unwrap_or(0);
                of(&there.used) > of(&there.allocatable)
            });
            if let Some(resource) = over {
                let (used, all) = (&there.used, &there.allocatable);
                let what = format!("{name} is admitted to {node}, of which {resource} is used up: {used:?} of {all:?}");
                self.breaks("LI1", what);
            }
        }
        if self.within(self.tree_changed.as_ref(), STALE) {
            return;
        }
        for place in self.tree.path(&pod.key.0) {
            let Some(quota) = self.tree.quotas.get(place) else { continue };
            if self.within(self.stirred.get(&quota.name), STALE) {
                continue;
            }
            let used = self.used(place);
            let over = quota.max.iter().find(|(resource, max)| {
                pod.requests.contains_key(*resource) && used.get(*resource).copied().unwrap_or(0) > **max
            });
            if let Some((resource, max)) = over {
                let uses = used.get(resource).copied().unwrap_or(0);
                let what = format!("{name} is admitted, and {} uses {uses} of {max} {resource}", quota.name);
                self.breaks("LI2", what);
            }
        }
    }

    /// Notes whether what stays in a namespace is above its min.
    pub(super) fn note_above(&mut self, namespace: &str) {
        if self.is_above(namespace) {
            self.above.insert(namespace.to_owned(), self.now);
        }
    }

    /// Whether the pods that stay in a namespace use more than its leaf is guaranteed.
    fn is_above(&self, namespace: &str) -> bool {
        let Some(quota) = self.tree.leaves.get(namespace).and_then(|place| self.tree.quotas.get(*place)) else {
            return true;
        };
        let mut staying = crate::amounts::Amounts::new();
        for namespace in &quota.namespaces {
            if let Some(used) = self.census.staying.get(namespace) {
                crate::census::add(&mut staying, used, 1);
            }
        }
        quota.min.iter().any(|(resource, min)| staying.get(resource).copied().unwrap_or(0) > *min)
    }

    /// LI4 of an eviction; the pod is leaving by now, and was not before.
    pub(super) fn is_fair(&mut self, victim: &Pod) {
        let namespace = &victim.key.0;
        let mut with_it = self.census.staying.get(namespace).cloned().unwrap_or_default();
        crate::census::add(&mut with_it, &victim.requests, 1);
        let before =
            self.tree.leaves.get(namespace).and_then(|place| self.tree.quotas.get(*place)).is_none_or(|quota| {
                quota.min.iter().any(|(resource, min)| with_it.get(resource).copied().unwrap_or(0) > *min)
            });
        // A gang goes whole, and its last pods then go from under the min.
        let patience = if victim.gang.is_some() { 60 } else { STALE };
        let waiting = self.waiting.get(namespace).into_iter().flatten();
        let higher = waiting.filter_map(|uid| self.census.pods.get(uid)).any(|other| other.priority > victim.priority);
        if !before
            && !higher
            && !self.within(self.above.get(namespace), patience)
            && !self.within(self.tree_changed.as_ref(), STALE)
        {
            let what = format!("{}/{} is evicted from a leaf that uses no more than its min", namespace, victim.key.1);
            self.breaks("LI4", what);
        }
    }
}
