//! All that the watches show, the newest state of each object, and which objects changed since the last turn.
//!
//! Several changes of one object between two turns count as one. What was created and is gone again between two turns was
//! never there.

use crate::{
    settings::Settings,
    tenancy::Groups,
    watch::{Fact, GROUP_KINDS, SeenNode, SeenPod, Store, Uid, Unreadable},
};
use quotree_core::{Name, PodOutcome, TreeSpec};
use quotree_k8s::{
    LabelSelector, NamespaceFacts, Phase,
    budget::PdbFacts,
    gang::{GangKind, GroupFacts},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// The newest state of each object.
#[derive(Debug, Clone, Default)]
pub(crate) struct Seen {
    /// Shared with what was handed out ([`snapshot`](Self::snapshot)).
    pub(crate) pods: BTreeMap<Uid, Arc<SeenPod>>,
    /// The same by namespace, name and uid: a pod and its successor of the same name may both be there for a moment.
    pod_names: BTreeSet<(Name, Name, Uid)>,
    pub(crate) nodes: BTreeMap<Name, SeenNode>,
    pub(crate) namespaces: BTreeMap<Name, NamespaceFacts>,
    /// By namespace and name.
    pub(crate) budgets: BTreeMap<(Name, Name), PdbFacts>,
    pub(crate) tree: Option<TreeSpec>,
    /// By kind of gang, namespace and name.
    pub(crate) pod_groups: BTreeMap<(GangKind, Name, Name), GroupFacts>,
    /// Why the newest tree cannot be read.
    pub(crate) bad_tree: Option<String>,
    /// The tree that was accepted before this process led.
    pub(crate) accepted: Option<TreeSpec>,
    pub(crate) groups: Groups,
    pub(crate) synced: BTreeSet<Store>,
    pub(crate) unreadable: Vec<Unreadable>,
}

/// What changed since the last turn, in the order in which it came.
#[derive(Debug, Clone, Default)]
pub(crate) struct Changes {
    pub(crate) pods: Ordered,
    pub(crate) nodes: Ordered,
    /// The budgets that changed, by namespace and name.
    pub(crate) budgets: BTreeSet<(Name, Name)>,
    /// The namespaces of which budgets came, went or select other pods.
    pub(crate) selectors: BTreeSet<Name>,
    pub(crate) tree: bool,
    /// Kinds and namespaces of PodGroups that came, changed or went.
    pub(crate) pod_groups: BTreeSet<(GangKind, Name)>,
    /// Whether groups of users came or went.
    pub(crate) groups: bool,
    /// How pods ended that are gone.
    pub(crate) ends: BTreeMap<Uid, PodOutcome>,
    /// Facts since the last turn.
    pub(crate) facts: usize,
}

/// Names, each once, in the order in which they came first.
#[derive(Debug, Clone, Default)]
pub(crate) struct Ordered {
    order: Vec<Name>,
    has: BTreeSet<Name>,
}

impl Ordered {
    pub(crate) fn add(&mut self, name: &Name) {
        if self.has.insert(name.clone()) {
            self.order.push(name.clone());
        }
    }

    pub(crate) fn take(&mut self) -> Vec<Name> {
        self.has.clear();
        std::mem::take(&mut self.order)
    }
}

impl Seen {
    /// Takes a fact, and notes what it changes.
    pub(crate) fn take(&mut self, fact: Fact, changes: &mut Changes) {
        changes.facts += 1;
        match fact {
            Fact::Pod(pod) => {
                changes.pods.add(&pod.uid);
                let name = name_of(&pod);
                if self.pods.insert(pod.uid.clone(), Arc::from(pod)).is_none() {
                    self.pod_names.insert(name);
                }
            }
            Fact::PodGone { uid, last } => {
                changes.pods.add(&uid);
                let before = self.pods.remove(&uid);
                if let Some(before) = &before {
                    self.pod_names.remove(&name_of(before));
                }
                let last = last.as_deref().or(before.as_deref());
                changes.ends.insert(uid, last.map_or(PodOutcome::Deleted, outcome));
            }
            // Most changes of a node are heartbeats, which change nothing that is read.
            Fact::Node(node) if self.nodes.get(&node.facts.name) == Some(&*node) => {}
            Fact::Node(node) => {
                changes.nodes.add(&node.facts.name);
                self.nodes.insert(node.facts.name.clone(), *node);
            }
            Fact::NodeGone(name) => {
                changes.nodes.add(&name);
                self.nodes.remove(&name);
            }
            Fact::Namespace(namespace) => {
                self.touch_pods_in(&namespace.name, changes);
                self.namespaces.insert(namespace.name.clone(), namespace);
            }
            Fact::NamespaceGone(name) => {
                self.touch_pods_in(&name, changes);
                self.namespaces.remove(&name);
            }
            Fact::Budget(budget) => {
                let key = (budget.namespace.clone(), budget.name.clone());
                changes.budgets.insert(key.clone());
                if self.budgets.get(&key).is_none_or(|before| before.selector != budget.selector) {
                    changes.selectors.insert(key.0.clone());
                }
                self.budgets.insert(key, budget);
            }
            Fact::BudgetGone(namespace, name) => {
                let key = (namespace, name);
                self.budgets.remove(&key);
                changes.selectors.insert(key.0.clone());
                changes.budgets.insert(key);
            }
            Fact::Tree(tree) => {
                changes.tree |= self.tree.as_ref() != Some(&tree);
                (self.tree, self.bad_tree) = (Some(tree), None);
            }
            // A tree that was deleted by mistake must not evict everybody.
            Fact::TreeGone => {}
            Fact::Groups(groups) => {
                changes.groups |= self.groups != groups;
                self.groups = groups;
            }
            Fact::Accepted(tree) => self.accepted = tree,
            Fact::PodGroups { kind, object: (namespace, object), groups } => {
                self.forget_pod_groups(kind, &namespace, object);
                self.pod_groups
                    .extend(groups.into_iter().map(|one| ((kind, namespace.clone(), one.name.clone()), one)));
                changes.pod_groups.insert((kind, namespace));
            }
            Fact::Unreadable(mistake) => {
                if mistake.kind == crate::watch::TREE_KIND {
                    self.bad_tree = Some(mistake.to_string());
                }
                self.unreadable.push(mistake);
            }
            Fact::Synced(store) => {
                self.synced.insert(store);
            }
        }
    }

    /// The newest pod of this name. Costs a lookup.
    pub(crate) fn pod_named(&self, namespace: &str, name: &str) -> Option<&SeenPod> {
        let from = (Name::from(namespace), Name::from(name), Uid::default());
        let named = self.pod_names.range(from..).take_while(|(space, of, _)| *space == namespace && *of == name);
        named.filter_map(|(_, _, uid)| self.pods.get(uid)).map(Arc::as_ref).max_by_key(|pod| pod.facts.created_ms)
    }

    /// Forgets the group that an object was, and those that were parts of it, such as `workload/workers`. Costs only these.
    fn forget_pod_groups(&mut self, kind: GangKind, namespace: &Name, object: Name) {
        let parts = format!("{object}/");
        let from = (kind, namespace.clone(), Name::from(parts.as_str()));
        let is_part = |(of, space, name): &&(GangKind, Name, Name)| {
            *of == kind && space == namespace && name.as_str().starts_with(&parts)
        };
        let gone: Vec<_> = self.pod_groups.range(from..).map(|(key, _)| key).take_while(is_part).cloned().collect();
        for key in gone.iter().chain([&(kind, namespace.clone(), object)]) {
            self.pod_groups.remove(key);
        }
    }

    /// Whether everything was listed once, and there is a tree.
    pub(crate) fn is_complete(&self, settings: &Settings) -> bool {
        let more = [(settings.users, Store::Groups), (settings.remembers, Store::Accepted)];
        let gangs = GROUP_KINDS.iter().map(|(kind, _)| (settings.pod_groups, Store::Gangs(*kind)));
        let wanted = more.into_iter().chain(gangs).filter(|(is_wanted, _)| *is_wanted).map(|(_, store)| store);
        let mut all = Store::ALL.into_iter().chain(wanted);
        all.all(|store| self.synced.contains(&store)) && (self.tree.is_some() || self.accepted.is_some())
    }

    /// Whether the pods of a namespace are ours to schedule.
    pub(crate) fn is_managed(&self, namespace: &Name, ours: &LabelSelector) -> bool {
        self.namespaces.get(namespace).is_some_and(|namespace| namespace.is_managed(ours))
    }

    /// Whether a namespace has budgets.
    pub(crate) fn has_budgets(&self, namespace: &Name) -> bool {
        let from = (namespace.clone(), Name::default());
        self.budgets.range(from..).next().is_some_and(|((space, _), _)| space == namespace)
    }

    /// The budgets of a namespace.
    pub(crate) fn budgets_in(&self, namespace: &Name) -> Vec<PdbFacts> {
        let from = (namespace.clone(), Name::default());
        self.budgets
            .range(from..)
            .take_while(|((space, _), _)| space == namespace)
            .map(|(_, pdb)| pdb.clone())
            .collect()
    }

    /// All objects of which the core is told, as they are now. Copies no pod.
    pub(crate) fn snapshot(&self) -> Self {
        Self {
            pods: self.pods.clone(),
            nodes: self.nodes.clone(),
            namespaces: self.namespaces.clone(),
            budgets: self.budgets.clone(),
            pod_groups: self.pod_groups.clone(),
            ..Self::default()
        }
    }

    /// All that there is, as changes: pods by age, then namespace, name and uid, so that ids come out the same after each
    /// start. Nodes likewise.
    pub(crate) fn as_changes(&self) -> Changes {
        let mut changes = Changes { tree: true, ..Changes::default() };
        let mut pods: Vec<&SeenPod> = self.pods.values().map(Arc::as_ref).collect();
        pods.sort_by_key(|pod| (pod.facts.created_ms, &pod.facts.namespace, &pod.facts.name, &pod.uid));
        pods.iter().for_each(|pod| changes.pods.add(&pod.uid));
        let mut nodes: Vec<&SeenNode> = self.nodes.values().collect();
        nodes.sort_by_key(|node| (node.created_ms, &node.facts.name));
        nodes.iter().for_each(|node| changes.nodes.add(&node.facts.name));
        changes.budgets = self.budgets.keys().cloned().collect();
        changes
    }

    fn touch_pods_in(&self, namespace: &Name, changes: &mut Changes) {
        self.pods.values().filter(|pod| pod.facts.namespace == *namespace).for_each(|pod| changes.pods.add(&pod.uid));
    }
}

/// Namespace, name and uid of a pod, which never change.
fn name_of(pod: &SeenPod) -> (Name, Name, Uid) {
    (pod.facts.namespace.clone(), pod.facts.name.clone(), pod.uid.clone())
}

/// How a pod ended, by its last state.
pub(crate) fn outcome(pod: &SeenPod) -> PodOutcome {
    match pod.facts.phase {
        Phase::Succeeded => PodOutcome::Succeeded,
        Phase::Failed => PodOutcome::Failed,
        _ => PodOutcome::Deleted,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_that_shows_nothing_new_is_no_change() {
        let (mut seen, mut changes) = (Seen::default(), Changes::default());
        let node = |created_ms| Fact::Node(Box::new(SeenNode { created_ms, ..SeenNode::default() }));
        seen.take(node(1), &mut changes);
        assert_eq!(changes.nodes.take().len(), 1);
        seen.take(node(1), &mut changes);
        assert!(changes.nodes.take().is_empty());
        seen.take(node(2), &mut changes);
        assert_eq!(changes.nodes.take().len(), 1);
    }

    #[test]
    fn the_newest_pod_of_a_name_is_found() {
        let (mut seen, mut changes) = (Seen::default(), Changes::default());
        let pod = |namespace: &str, name: &str, uid: &str, created_ms| {
            let mut pod = SeenPod { uid: uid.into(), ..SeenPod::default() };
            (pod.facts.namespace, pod.facts.name, pod.facts.created_ms) = (namespace.into(), name.into(), created_ms);
            Fact::Pod(Box::new(pod))
        };
        let all =
            [("a", "p", "9", 1), ("a", "p", "1", 2), ("a", "p-0", "2", 3), ("b", "p", "3", 4), ("a", "p", "9", 1)];
        all.into_iter().for_each(|(space, name, uid, at)| seen.take(pod(space, name, uid, at), &mut changes));
        let found = |seen: &Seen, space, name| seen.pod_named(space, name).map(|pod| pod.uid.to_string());
        assert_eq!(found(&seen, "a", "p").as_deref(), Some("1"), "the newest one");
        assert_eq!(found(&seen, "b", "p").as_deref(), Some("3"));
        assert_eq!((found(&seen, "a", "q"), found(&seen, "c", "p")), (None, None));
        let mut gone = |seen: &mut Seen, uid: &str| {
            seen.take(Fact::PodGone { uid: uid.into(), last: None }, &mut changes);
            found(seen, "a", "p")
        };
        assert_eq!(gone(&mut seen, "1").as_deref(), Some("9"), "the one before is still there");
        assert_eq!(gone(&mut seen, "9"), None);
        assert_eq!(seen.pod_names.len(), seen.pods.len());
    }

    #[test]
    fn an_object_that_changes_takes_its_own_groups_along_and_no_others() {
        let (mut seen, mut changes) = (Seen::default(), Changes::default());
        let kind = GangKind::SchedulingGroup;
        let mut show = |namespace: &str, object: &str, groups: &[&str]| {
            let groups = groups.iter().map(|name| GroupFacts {
                kind,
                namespace: namespace.into(),
                name: (*name).into(),
                min: None,
                by_role: Vec::new(),
                whole: false,
                topology: None,
            });
            let object = (namespace.into(), object.into());
            seen.take(Fact::PodGroups { kind, object, groups: groups.collect() }, &mut changes);
            seen.pod_groups.keys().map(|(_, space, name)| format!("{space}:{name}")).collect::<Vec<_>>()
        };
        show("a", "w", &["w", "w/one", "w/two"]);
        show("a", "w-x", &["w-x"]);
        show("a", "w0", &["w0/one"]);
        show("b", "w", &["w/one"]);
        assert_eq!(show("a", "w", &["w/three"]), ["a:w-x", "a:w/three", "a:w0/one", "b:w/one"]);
        assert_eq!(show("a", "w", &[]), ["a:w-x", "a:w0/one", "b:w/one"]);
    }
}
