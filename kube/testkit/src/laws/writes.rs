//! LI5, LI6, LI9, LI10 and LI12: what the scheduler writes, and how often.

use super::{Admission, Checker, is};
use crate::{census::Pod, faults::Verb, journal::Record, store::Change, value};
use serde_json::Value;

/// A write of the scheduler to a pod: the request, and the object before and after.
pub(super) type Write<'a> = (&'a Record, Option<&'a Value>, Option<&'a Value>);

impl Checker {
    /// LI9, and who holds the Lease.
    pub(super) fn lease(&mut self, change: &Change, ours: Option<&Record>) {
        let Some((namespace, name)) = &self.limits.lease else { return };
        if change.resource.1 == "leases" {
            if change.key == (namespace.clone(), name.clone()) {
                let holder = change.after.as_deref().map(|lease| value::text(lease, &["spec", "holderIdentity"]));
                self.holder = holder.unwrap_or_default().to_owned();
            }
            return;
        }
        if let Some(record) = ours.filter(|record| record.process != self.holder) {
            let what = format!(
                "{} writes {} {}/{}, and {:?} holds the Lease",
                record.process, record.resource, record.namespace, record.name, self.holder
            );
            self.breaks("LI9", what);
        }
    }

    /// Judges a write of the scheduler to a pod. Gives whether it admits the pod.
    pub(super) fn write(&mut self, old: Option<&Pod>, new: Option<&Pod>, write: Write<'_>) -> bool {
        let (record, before, after) = write;
        let Some(old) = old else {
            self.breaks("LI10", format!("{}/{} is created by the scheduler", record.namespace, record.name));
            return false;
        };
        let name = format!("{}/{}", old.key.0, old.key.1);
        self.leaves_alone(old, new, &name, (before, after));
        let admits = match self.admission {
            Admission::Gate => is(record, Verb::Patch, "pods"),
            Admission::Bind => is(record, Verb::Create, "pods/binding"),
        };
        let evicts = is(record, Verb::Create, "pods/eviction") || is(record, Verb::Delete, "pods");
        let reports = is(record, Verb::Patch, "pods/status");
        let now = self.now;
        let life = self.lives.entry(old.uid.clone()).or_default();
        life.admitted += u32::from(admits);
        // An eviction marks the pod, and then deletes it: that is one request.
        let another = evicts && life.last != record.after;
        if another {
            (life.evicted, life.last) = (life.evicted + 1, record.after);
        }
        let early =
            reports && life.reported.is_some_and(|at| now.duration_since(at).as_secs() < 29) && old.at().is_empty();
        if reports {
            life.reported = Some(now);
        }
        let (admitted, evicted) = (life.admitted, life.evicted);
        if admits && admitted > 1 {
            self.breaks("LI5", format!("{name} is admitted {admitted} times"));
        }
        if another {
            self.evictions += 1;
            if evicted > 1 {
                self.breaks("LI6", format!("{name} is evicted {evicted} times"));
            }
        }
        // What has no node yet is no victim: it gives back a room that it could not take.
        let leaves = new.is_none_or(|new| new.leaves.is_some());
        if evicts && leaves && old.leaves.is_none() && !old.node.is_empty() {
            self.is_fair(old);
        }
        if self.limits.no_faults && early {
            self.breaks("LI12", format!("the condition of {name} is written twice in 30 s"));
        }
        if self.limits.no_faults && !(admits || evicts || reports) {
            self.breaks("LI12", format!("{name} is written by {:?} {}", record.verb, record.resource));
        }
        admits
    }

    /// LI10.
    fn leaves_alone(&mut self, old: &Pod, new: Option<&Pod>, name: &str, objects: (Option<&Value>, Option<&Value>)) {
        if old.key.0 == "kube-system" || old.of_node {
            self.breaks("LI10", format!("{name} is none of the scheduler's pods"));
        }
        let ours = match self.admission {
            Admission::Gate => old.scheduler == "default-scheduler",
            Admission::Bind => old.scheduler == "quotree",
        };
        if !ours {
            self.breaks("LI10", format!("{name} is of the scheduler {}", old.scheduler));
        }
        let gates = |pod: Option<&Value>| -> Vec<String> {
            let gates = pod.map(|pod| value::items(pod, &["spec", "schedulingGates"])).unwrap_or_default();
            let names = gates.iter().map(|gate| value::text(gate, &["name"]).to_owned());
            names.filter(|gate| gate != crate::census::GATE).collect()
        };
        if objects.1.is_some() && gates(objects.0) != gates(objects.1) {
            self.breaks("LI10", format!("the gates of others of {name} are changed"));
        }
        let has_gate = |pod: Option<&Pod>| pod.is_some_and(|pod| pod.gated);
        if has_gate(new) && !old.gated {
            self.breaks("LI10", format!("{name} gets a gate"));
        }
        if let Some(new) = new.filter(|new| new.leaves.is_some() && old.leaves.is_none() && !old.node.is_empty())
            && new.grace != old.own_grace
        {
            self.breaks("LI10", format!("{name} has {} s of grace instead of {}", new.grace, old.own_grace));
        }
    }

    /// A tree has changed: by an administrator, or its status by the scheduler.
    pub(super) fn tree_change(&mut self, change: &Change, ours: Option<&Record>) {
        if ours.is_some() {
            let spec = |object: Option<&Value>| object.map(|object| value::at(object, &["spec"]).clone());
            if spec(change.before.as_deref()) != spec(change.after.as_deref()) {
                self.breaks("LI10", "the spec of the tree is changed".to_owned());
            }
            if self.limits.no_faults && self.within(self.status.as_ref(), 5) {
                self.breaks("LI12", "the status of the tree is written twice in 5 s".to_owned());
            }
            self.status = Some(self.now);
            return;
        }
        let Some(object) = change.after.as_deref().filter(|_| self.trees_count) else { return };
        let tree = super::Tree::of(object);
        if tree != self.tree {
            self.tree = tree;
            self.tree_changed = Some(self.now);
            self.owed.clear();
        }
    }
}
