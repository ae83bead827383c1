//! The controllers of a cluster of thousands of pods, for the server in memory. They work on the store itself, and only on what has
//! changed since the last step: [`crate::kubelet`] and [`crate::stand_ins`] list everything each time, which suits small clusters
//! and real servers.

use crate::{
    census::{Census, Pod},
    kinds::Kind,
    store::{DeleteOptions, Store, Writer},
    value,
};
use jiff::ToSpan;
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

type Key = (String, String);

/// Pods of one kind, kept at a number.
#[derive(Debug, Clone)]
struct Set {
    replicas: usize,
    template: Value,
    /// The names of those that stay.
    pods: BTreeSet<String>,
    made: usize,
}

/// ReplicaSets, kubelets, and a kube-scheduler that binds what has no gate.
#[derive(Debug, Clone, Default)]
pub struct Crowd {
    seen: u64,
    census: Census,
    sets: BTreeMap<Key, Set>,
    /// Bound pods that do not run yet, by uid.
    starting: BTreeSet<String>,
    /// Pods that are being deleted, by uid.
    leaving: BTreeSet<String>,
    /// Pods without gate and node, by uid.
    unplaced: BTreeSet<String>,
    silent: BTreeSet<String>,
    /// Namespaces of which the sets are to be looked at.
    stirred: BTreeSet<Key>,
}

impl Crowd {
    /// Nobody is there yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// A set of pods made of this template, without pods.
    pub fn add_set(&mut self, namespace: &str, name: &str, template: Value) {
        let set = Set { replicas: 0, template, pods: BTreeSet::new(), made: 0 };
        self.sets.insert((namespace.to_owned(), name.to_owned()), set);
    }

    /// Adds a pod of a set that runs on this node already, as if it had been admitted there long ago.
    pub fn seed(&mut self, store: &mut Store, namespace: &str, name: &str, node: &str) {
        let (Ok(kind), Some(set)) =
            (store.kind("", "pods"), self.sets.get_mut(&(namespace.to_owned(), name.to_owned())))
        else {
            return;
        };
        set.replicas += 1;
        set.made += 1;
        let pod = pod_of(set, namespace, name);
        let Ok(made) = store.create(&kind, namespace, pod, &Writer::named("controllers")) else { return };
        let mut new = (*made).clone();
        if value::remove(&mut new, &["spec", "schedulingGates"]) {
            value::set(&mut new, &["spec", "nodeSelector", "kubernetes.io/hostname"], node);
        }
        let stamp = store.stamp();
        value::set(&mut new, &["spec", "nodeName"], node);
        value::set(&mut new, &["status", "phase"], "Running");
        value::set(&mut new, &["status", "startTime"], stamp.clone());
        value::set_condition(&mut new, json!({ "type": "Ready", "status": "True" }), &stamp);
        store.put(&kind, &made, new, &Writer::named("kubelet"), "status");
    }

    /// Changes the number of pods of a set.
    pub fn scale(&mut self, namespace: &str, name: &str, replicas: usize) {
        let key = (namespace.to_owned(), name.to_owned());
        if let Some(set) = self.sets.get_mut(&key) {
            set.replicas = replicas;
            self.stirred.insert(key);
        }
    }

    /// How many pods a set wants.
    pub fn replicas(&self, namespace: &str, name: &str) -> usize {
        self.sets.get(&(namespace.to_owned(), name.to_owned())).map_or(0, |set| set.replicas)
    }

    /// The node is silent from now on: it starts and ends no pod.
    pub fn silence(&mut self, node: &str) {
        self.silent.insert(node.to_owned());
    }

    /// The node speaks again.
    pub fn restore(&mut self, node: &str) {
        self.silent.remove(node);
    }

    /// The cluster as it was at the last step.
    pub fn census(&self) -> &Census {
        &self.census
    }

    /// Carries out all that is due. Returns the number of writes.
    ///
    /// # Panics
    ///
    /// If the log of the store is shorter than what has changed since the last step.
    pub fn step(&mut self, store: &mut Store) -> usize {
        let Ok(pods) = store.kind("", "pods") else { return 0 };
        let mut done = 0;
        // What one does is news to the others: a pod that is bound starts, one that is deleted is replaced.
        for _ in 0..4 {
            self.read(store);
            let now = self.start(store, &pods) + self.finish(store, &pods) + self.replicate(store, &pods);
            let now = now + self.place(store);
            done += now;
            if now == 0 {
                break;
            }
        }
        self.read(store);
        done
    }

    /// Takes what has changed.
    ///
    /// # Panics
    ///
    /// If the log of the store no longer has all of it: the crowd would make pods anew that it has not seen.
    fn read(&mut self, store: &Store) {
        let forgotten = store.log().forgotten();
        assert!(self.seen >= forgotten, "the crowd is at {}, and the log begins after {forgotten}", self.seen);
        for change in store.log().after(self.seen) {
            self.seen = change.revision;
            let Some((before, after)) = self.census.take(change) else { continue };
            let Some(pod) = after.as_deref().or(before.as_deref()) else { continue };
            let is = after.as_deref();
            let note = |set: &mut BTreeSet<String>, holds: bool| {
                if holds {
                    set.insert(pod.uid.clone())
                } else {
                    set.remove(&pod.uid)
                };
            };
            let active = is.filter(|pod| pod.active);
            let stays = active.filter(|pod| pod.leaves.is_none());
            note(&mut self.starting, stays.is_some_and(|pod| !pod.node.is_empty() && pod.phase == "Pending"));
            note(&mut self.leaving, is.is_some_and(|pod| pod.leaves.is_some()));
            let waits = |pod: &Pod| pod.node.is_empty() && !pod.gated && !pod.foreign_gate;
            note(&mut self.unplaced, stays.is_some_and(|pod| waits(pod) && pod.scheduler == "default-scheduler"));
            let key = (pod.key.0.clone(), pod.owner.clone());
            if let Some(set) = self.sets.get_mut(&key) {
                let name = &pod.key.1;
                let changed = if stays.is_some() { set.pods.insert(name.clone()) } else { set.pods.remove(name) };
                if changed {
                    self.stirred.insert(key);
                }
            }
        }
    }

    fn object(store: &Store, kind: &Kind, pod: &Pod) -> Option<Arc<Value>> {
        store.find(kind, &pod.key.0, &pod.key.1).cloned()
    }

    fn start(&mut self, store: &mut Store, kind: &Kind) -> usize {
        let mut done = 0;
        for uid in self.starting.clone() {
            let Some(pod) = self.census.pods.get(&uid).filter(|pod| !self.silent.contains(&pod.node)) else { continue };
            let Some(old) = Self::object(store, kind, pod) else { continue };
            let mut new = (*old).clone();
            let stamp = store.stamp();
            // A kubelet takes no more than it has.
            let others = self.census.nodes.get(&pod.node).map(|node| &node.pods).into_iter().flatten();
            let runs = |other: &&Arc<Pod>| other.phase == "Running" && other.active;
            let others: Vec<&Arc<Pod>> = others.filter_map(|uid| self.census.pods.get(uid)).filter(runs).collect();
            let mut free = self.census.nodes.get(&pod.node).map(|node| node.allocatable.clone()).unwrap_or_default();
            others.iter().for_each(|other| crate::census::add(&mut free, &other.requests, -1));
            if let Some(resource) = crate::amounts::lacking(&free, &pod.requests) {
                value::set(&mut new, &["status", "phase"], "Failed");
                value::set(&mut new, &["status", "reason"], format!("OutOf{resource}"));
            } else {
                value::set(&mut new, &["status", "phase"], "Running");
                value::set(&mut new, &["status", "startTime"], stamp.clone());
                value::set_condition(&mut new, json!({ "type": "Ready", "status": "True" }), &stamp);
            }
            store.put(kind, &old, new, &Writer::named("kubelet"), "status");
            done += 1;
        }
        done
    }

    fn finish(&mut self, store: &mut Store, kind: &Kind) -> usize {
        let mut done = 0;
        for uid in self.leaving.clone() {
            let Some(pod) = self.census.pods.get(&uid) else { continue };
            let Some(ends) = pod.leaves else { continue };
            // It stops after a second, if its grace is not shorter.
            let stopped = ends.saturating_sub((pod.grace - pod.grace.min(1)).seconds()).unwrap_or(ends);
            if store.now() < stopped || self.silent.contains(&pod.node) || pod.grace == 0 {
                continue;
            }
            // One that is slow to stop says so by an annotation.
            let slow =
                Self::object(store, kind, pod).is_some_and(|pod| value::has(&pod, &["metadata", "annotations", SLOW]));
            if slow && store.now() < ends {
                continue;
            }
            let options = DeleteOptions { grace: Some(0), uid: uid.clone(), ..DeleteOptions::default() };
            done += usize::from(store.delete(kind, &pod.key.0, &pod.key.1, &options).is_ok());
        }
        done
    }

    fn replicate(&mut self, store: &mut Store, kind: &Kind) -> usize {
        let mut done = 0;
        for key in std::mem::take(&mut self.stirred) {
            let Some(set) = self.sets.get_mut(&key) else { continue };
            for _ in set.pods.len()..set.replicas {
                set.made += 1;
                let pod = pod_of(set, &key.0, &key.1);
                done += usize::from(store.create(kind, &key.0, pod, &Writer::named("controllers")).is_ok());
            }
            let surplus = set.pods.len().saturating_sub(set.replicas);
            if surplus == 0 {
                continue;
            }
            let mut names: Vec<&String> = set.pods.iter().collect();
            // Those that wait go before those that run, and the newest first.
            let runs = |name: &&String| {
                let uid = self.census.names.get(&(key.0.clone(), (*name).clone()));
                uid.and_then(|uid| self.census.pods.get(uid)).is_some_and(|pod| !pod.node.is_empty())
            };
            names.sort_by_key(|name| (runs(name), std::cmp::Reverse(name.len()), std::cmp::Reverse((*name).clone())));
            for name in names.into_iter().take(surplus) {
                done += usize::from(store.delete(kind, &key.0, name, &DeleteOptions::default()).is_ok());
            }
        }
        done
    }

    fn place(&mut self, store: &mut Store) -> usize {
        let mut done = 0;
        for uid in self.unplaced.clone() {
            let Some(pod) = self.census.pods.get(&uid).cloned() else { continue };
            let node = if pod.pin.is_empty() {
                self.census.nodes.keys().find(|node| self.census.has_room(node, &pod)).cloned()
            } else {
                Some(pod.pin.clone()).filter(|node| self.census.has_room(node, &pod))
            };
            let Some(node) = node else { continue };
            let binding = json!({
                "metadata": { "name": pod.key.1, "uid": uid }, "target": { "kind": "Node", "name": node },
            });
            let writer = Writer::named("kube-scheduler");
            done += usize::from(crate::pods::bind(store, &pod.key.0, &pod.key.1, &binding, &writer).is_ok());
            self.read(store);
        }
        done
    }
}

/// The next pod of a set.
fn pod_of(set: &Set, namespace: &str, name: &str) -> Value {
    let mut pod = set.template.clone();
    value::set(&mut pod, &["apiVersion"], "v1");
    value::set(&mut pod, &["kind"], "Pod");
    value::set(&mut pod, &["metadata", "name"], format!("{name}-{}", set.made));
    let owner = json!({
        "apiVersion": "apps/v1", "kind": "ReplicaSet", "name": name, "uid": format!("set-{namespace}-{name}"),
        "controller": true,
    });
    value::set(&mut pod, &["metadata", "ownerReferences"], json!([owner]));
    pod
}

/// Annotation of a pod: it takes all of its grace to stop.
pub const SLOW: &str = "testkit.quotree.io/slow";
