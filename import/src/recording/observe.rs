//! Follows the events of a recording.

use super::{
    NodeChange, Recorded,
    work::{Pod, Spec, all_work},
};
use jiff::{Timestamp, tz::TimeZone};
use quotree_core::{
    Event, FoundState, Name, NodeId, NodeSpec, PodId, PodOutcome, PodTemplate, Time, TreeSpec, WorkloadId,
};
use quotree_record::{Head, Line, NamedPod, Step};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// A workload of the segment.
#[derive(Debug)]
struct Told {
    spec: Spec,
    /// The templates of its pods, by ordinal.
    templates: Vec<Arc<PodTemplate>>,
}

/// What was seen so far. Ids are those of the segment; uids and names are the same in all.
#[derive(Debug, Default)]
pub(super) struct Observer {
    start: Option<Time>,
    now: Time,
    segments: usize,
    /// Whether a step was seen.
    moved: bool,
    /// Whether it has come to the begin of the window.
    within: bool,
    recorded: Recorded,
    pods: BTreeMap<Name, Pod>,
    /// Where pods run that nobody placed: of DaemonSets, and static ones.
    beside: BTreeMap<Name, (Name, Arc<PodTemplate>)>,
    uids: BTreeMap<PodId, Name>,
    told: BTreeMap<WorkloadId, Told>,
    gangs: BTreeMap<WorkloadId, Name>,
    nodes: BTreeMap<NodeId, Name>,
    specs: BTreeMap<Name, NodeSpec>,
    up: BTreeSet<Name>,
    resized: BTreeSet<Name>,
    /// Pods and nodes that the first step of the segment shows; `None` after it.
    shown: Option<(BTreeSet<Name>, BTreeSet<Name>)>,
}

impl Observer {
    /// A segment begins: all that there is comes again.
    pub(super) fn begin(&mut self, head: &Head) {
        self.segments += 1;
        self.now = self.now.max(head.at);
        let start = *self.start.get_or_insert(head.at);
        self.recorded.policy = head.policy.clone();
        self.tree(&head.tree, start);
        self.uids.clear();
        self.told.clear();
        self.gangs.clear();
        self.nodes.clear();
        self.shown = Some(Default::default());
    }

    fn tree(&mut self, tree: &TreeSpec, start: Time) {
        if self.recorded.tree.quotas.is_empty() {
            self.recorded.tree = tree.clone();
        } else if self.recorded.trees.last().map_or(&self.recorded.tree, |(_, last)| last) != tree {
            self.recorded.trees.push((self.now.since(start), tree.clone()));
        }
    }

    /// Milliseconds since the recording began.
    fn ms(&self) -> u64 {
        self.now.since(self.start.unwrap_or_default())
    }

    /// The time of the last decision.
    pub(super) const fn last(&self) -> Time {
        self.now
    }

    /// The window ends at this time.
    pub(super) fn stop(&mut self, to: Time) {
        self.now = self.now.max(to);
    }

    /// Follows a step. What was before the window is only the state with which it begins.
    pub(super) fn step(&mut self, step: Step, from: Time) {
        if let Some(decision) = &step.decision {
            if decision.at >= from && !std::mem::replace(&mut self.within, decision.at >= from) && self.moved {
                self.begin_at(from);
            }
            self.now = self.now.max(decision.at);
        }
        self.moved = true;
        for (_, line) in step.lines {
            match line {
                Line::Node(node) => _ = self.nodes.insert(node.id, node.name),
                Line::Workload(gang) => _ = self.gangs.insert(gang.id, gang.name),
                Line::Pod(pod) => self.pod(*pod),
                Line::Event(event) => self.event(*event),
                _ => {}
            }
        }
        // What a segment does not begin with went before it.
        if let Some((pods, nodes)) = self.shown.take() {
            let now = self.now;
            let gone = self.pods.iter_mut().filter(|(uid, pod)| !pods.contains(*uid) && pod.gone.is_none());
            gone.for_each(|(_, pod)| pod.end(now, PodOutcome::Deleted));
            for name in self.up.clone().difference(&nodes) {
                self.down(name);
            }
        }
    }

    /// The recording begins at this time, with what there is now.
    fn begin_at(&mut self, from: Time) {
        self.start = Some(from);
        self.now = self.now.max(from);
        self.segments = 1;
        self.pods.retain(|_, pod| pod.stays());
        self.pods.values_mut().for_each(|pod| pod.started = pod.started.map(|started| started.max(from)));
        let pods = &self.pods;
        self.beside.retain(|uid, _| pods.contains_key(uid));
        let up = &self.up;
        self.specs.retain(|name, _| up.contains(name));
        self.resized.clear();
        if let Some((_, last)) = self.recorded.trees.pop() {
            self.recorded.tree = last;
        }
        self.recorded.trees.clear();
        self.recorded.node_changes.clear();
        self.recorded.nodes = self.specs.iter().map(|(name, spec)| (name.clone(), spec.clone())).collect();
    }

    fn pod(&mut self, named: NamedPod) {
        let id = WorkloadId(named.id.0).pod(named.id.1);
        self.uids.insert(id, named.uid.clone());
        if let Some((pods, _)) = &mut self.shown {
            pods.insert(named.uid.clone());
        }
        let Some(told) = self.told.get(&id.workload) else { return };
        let Some(template) = told.templates.get(id.ordinal as usize).or(told.templates.last()) else { return };
        let gang = self.gangs.get(&id.workload).cloned();
        let new = || Pod::new(&named, told.spec.clone(), template.clone(), gang);
        self.pods.entry(named.uid.clone()).or_insert_with(new);
    }

    fn event(&mut self, event: Event) {
        let now = self.now;
        match event {
            Event::WorkloadSubmitted(spec) => {
                let sets = spec.pods.iter();
                let templates = sets.flat_map(|set| (0..set.count).map(|_| set.template.clone())).collect();
                self.told.insert(spec.id, Told { spec: Spec::of(&spec), templates });
            }
            Event::WorkloadChanged(change) => {
                let Some(told) = self.told.get_mut(&change.workload) else { return };
                if let Some(set) = change.add_pods {
                    told.templates.extend((0..set.count).map(|_| set.template.clone()));
                }
            }
            Event::PodBound { pod, at, .. } => self.on(pod, |seen| seen.started = seen.started.or(Some(at))),
            Event::PodFound { pod, state, since, node, .. } => {
                self.on(pod, |seen| {
                    match state {
                        FoundState::Running => seen.started = seen.started.or(Some(since)),
                        FoundState::Terminating => seen.leave(now),
                        FoundState::Binding => {}
                    };
                });
                self.found(pod, node);
            }
            Event::PodLeaving { pod } => self.on(pod, |seen| seen.leave(now)),
            Event::PodGone { pod, outcome } => self.on(pod, |seen| seen.end(now, outcome)),
            Event::TreeChanged(tree) => self.tree(&tree, self.start.unwrap_or_default()),
            Event::BudgetChanged { budget, allowed } => {
                let most = self.recorded.budgets.entry(budget).or_default();
                *most = allowed.max(*most);
            }
            Event::NodeUp(spec) => self.up(spec),
            Event::NodeChanged(spec) => self.changed(spec),
            Event::NodeDown { node } => {
                if let Some(name) = self.nodes.get(&node).cloned() {
                    self.down(&name);
                }
            }
            _ => {}
        }
    }

    fn on(&mut self, pod: PodId, change: impl FnOnce(&mut Pod)) {
        if let Some(seen) = self.uids.get(&pod).and_then(|uid| self.pods.get_mut(uid)) {
            change(seen);
        }
    }

    /// A pod was found on a node. One that nobody places is a part of its node.
    fn found(&mut self, pod: PodId, node: NodeId) {
        let Some(uid) = self.uids.get(&pod) else { return };
        if let (Some(seen), Some(name)) = (self.pods.get(uid), self.nodes.get(&node))
            && seen.is_of_its_node()
        {
            self.beside.entry(uid.clone()).or_insert((name.clone(), seen.template.clone()));
        }
    }

    fn up(&mut self, spec: NodeSpec) {
        let Some(name) = self.nodes.get(&spec.id).cloned() else { return };
        if let Some((_, nodes)) = &mut self.shown {
            nodes.insert(name.clone());
        }
        if self.up.contains(&name) {
            return self.changed(spec);
        }
        let ms = self.ms();
        if self.shown.is_none() || self.segments > 1 {
            self.recorded.node_changes.push((ms, name.clone(), NodeChange::Up));
        }
        self.up.insert(name.clone());
        self.specs.entry(name.clone()).or_insert_with(|| {
            self.recorded.nodes.push((name.clone(), spec.clone()));
            spec
        });
    }

    fn changed(&mut self, spec: NodeSpec) {
        let Some(name) = self.nodes.get(&spec.id).cloned() else { return };
        let ms = self.ms();
        let Some(before) = self.specs.get_mut(&name) else { return };
        if before.schedulable != spec.schedulable {
            let change = if spec.schedulable { NodeChange::Uncordon } else { NodeChange::Cordon };
            self.recorded.node_changes.push((ms, name.clone(), change));
        }
        if before.allocatable != spec.allocatable || before.taints != spec.taints {
            self.resized.insert(name);
        }
        *before = spec;
    }

    fn down(&mut self, name: &Name) {
        if self.up.remove(name) {
            let ms = self.ms();
            self.recorded.node_changes.push((ms, name.clone(), NodeChange::Down));
        }
    }

    /// The parts of the scenario.
    pub(super) fn end(mut self) -> Recorded {
        let start = self.start.unwrap_or_default();
        self.recorded.end_ms = self.ms();
        self.recorded.segments = self.segments;
        let ms = i64::try_from(start.0).unwrap_or(i64::MAX);
        let begun = Timestamp::from_millisecond(ms).unwrap_or_default();
        self.recorded.start = begun.to_zoned(TimeZone::UTC).datetime();
        for (node, template) in self.beside.values() {
            let Some((_, spec)) = self.recorded.nodes.iter_mut().find(|(name, _)| name == node) else { continue };
            for (resource, amount) in template.request.iter() {
                let left = spec.allocatable.get(resource.as_str()).unwrap_or(0).saturating_sub(amount).max(0);
                spec.allocatable.set(resource.clone(), left);
            }
        }
        if !self.beside.is_empty() {
            let count = self.beside.len();
            self.recorded
                .notes
                .push(format!("what {count} pods of DaemonSets and static pods request is taken off their nodes"));
        }
        if !self.resized.is_empty() {
            let count = self.resized.len();
            self.recorded
                .notes
                .push(format!("{count} nodes changed what they have or their taints: they stay as they were first"));
        }
        let (work, notes) = all_work(self.pods.into_values(), start, self.now);
        for one in &work {
            let (Some(quota), Some(visitors)) = (&one.quota, one.visitors()) else { continue };
            let trees = self.recorded.trees.iter_mut().map(|(_, tree)| tree).chain([&mut self.recorded.tree]);
            for leaf in trees.flat_map(|tree| &mut tree.quotas).filter(|leaf| leaf.name == *quota) {
                if !leaf.namespaces.contains(&visitors) {
                    leaf.namespaces.push(visitors.clone());
                }
            }
        }
        self.recorded.work = work;
        self.recorded.notes.extend(notes);
        self.recorded.budgets.retain(|_, allowed| *allowed < u32::MAX);
        self.recorded
    }
}
