//! The story of the pods somebody asked about, told while the run goes on: every wait and its reason when that changes,
//! binds, evictions given and suffered, holds, ends, and who stands in for whom afterwards.
//!
//! Who is recreated goes on in whoever replaces it, so a story told of a pod follows its successors; its predecessors are
//! named.

use crate::{
    engine::Engine,
    options::{TimelineEntry, TimelineEvent, TimelinePod},
    text::{self, Names},
    world::{NONE, State, owner_name, pod_name, unit_name},
};
use quotree_core::{Action, BlockingReason, Name, NodeId, Plan, PodId, QuotaId, Rule, WorkloadId};
use std::collections::{BTreeMap, BTreeSet};

/// Whose story, and what was told so far.
#[derive(Debug, Default)]
pub(crate) struct Timeline {
    wanted: Option<String>,
    /// The workload of the scenario that is asked about.
    owner: Option<u32>,
    /// The units in it, with what bound each when it was last told.
    units: BTreeMap<u32, Option<Told>>,
    /// Those of them that may wait.
    waiting: BTreeSet<u32>,
    /// Those that were tried in vain in this moment.
    tried: BTreeSet<u32>,
    /// Which unit each one replaces.
    chain: BTreeMap<u32, u32>,
    /// The unit that a controller is making up for at this moment.
    pub(crate) replacing: Option<u32>,
    pub(crate) lines: Vec<TimelineEntry>,
}

/// What of a reason makes it another reason: the rule, and where and in what it binds.
type Told = (Rule, Option<QuotaId>, Option<Name>, Option<WorkloadId>);

/// Where more than this many wait, only those the scheduler tried are looked at.
const WATCHED: usize = 64;

fn told(binding: &BlockingReason) -> Told {
    let head = if let BlockingReason::Behind { head } = binding { Some(*head) } else { None };
    let resource = binding.quota().and(binding.amounts()).map(|(resource, ..)| resource.clone());
    (binding.rule(), binding.quota(), resource, head)
}

impl Timeline {
    pub(crate) fn of(wanted: Option<&String>, workloads: &[crate::model::Workload]) -> Self {
        let owner = wanted.and_then(|name| workloads.iter().position(|w| w.name == *name));
        Self { wanted: wanted.cloned(), owner: owner.and_then(|i| u32::try_from(i).ok()), ..Self::default() }
    }
}

/// A line to be told; what is not said of it is empty.
#[derive(Default)]
pub(crate) struct Entry {
    pub(crate) pod: Option<PodId>,
    pub(crate) what: String,
    pub(crate) rule: Option<Rule>,
    pub(crate) node: Option<NodeId>,
    pub(crate) other: Option<String>,
    pub(crate) waited_ms: Option<u64>,
    pub(crate) verdict: Option<serde_json::Value>,
}

impl Engine<'_> {
    /// A unit was submitted: if it is asked about, or stands in for one that is, its story begins.
    pub(crate) fn timeline_begins(&mut self, unit: u32) {
        let replaced = self.timeline.replacing.take();
        let Some(wanted) = &self.timeline.wanted else { return };
        let ours = match self.timeline.owner {
            Some(workload) => self.world.controllers[self.world.units[unit].owner].workload == workload,
            None => {
                self.owner_name_of(unit) == *wanted
                    || unit_name(self.scenario, &self.world, unit) == *wanted
                    || self.world.pods_of(unit).any(|p| pod_name(self.scenario, &self.world, p) == *wanted)
            }
        };
        let name = |engine: &Self, unit: u32| unit_name(engine.scenario, &engine.world, unit);
        let follows = replaced.is_some_and(|old| self.timeline.units.contains_key(&old));
        self.timeline.chain.extend(replaced.map(|old| (unit, old)));
        if let Some(old) = replaced.filter(|_| follows) {
            let new = name(self, unit);
            let what = format!("is recreated as {new}");
            self.tell(old, TimelineEvent::Recreated, |_, _| Entry { what, other: Some(new), ..Entry::default() });
        }
        if ours || follows {
            self.timeline.units.insert(unit, None);
            self.timeline.waiting.insert(unit);
            let other = replaced.map(|old| name(self, old));
            let place = other.as_ref().map_or_else(String::new, |old| format!(" in place of {old}"));
            self.tell(unit, TimelineEvent::Submitted, |_, names| {
                let members = names.pods(WorkloadId(unit));
                let size = if members > 1 { format!(" with {members} pods") } else { String::new() };
                Entry { what: format!("is submitted{size}{place}"), other, ..Entry::default() }
            });
        }
    }

    /// A unit waits for the scheduler from now on.
    pub(crate) fn timeline_waits(&mut self, unit: u32) {
        if self.timeline.units.contains_key(&unit) {
            self.timeline.waiting.insert(unit);
        }
    }

    /// The name of the instance or task that a unit is of.
    fn owner_name_of(&self, unit: u32) -> String {
        let owner = &self.world.controllers[self.world.units[unit].owner];
        owner_name(self.scenario, owner.workload, owner.number, owner.task)
    }

    /// Tells something of a unit, if it is in the story.
    pub(crate) fn tell(&mut self, unit: u32, event: TimelineEvent, line: impl FnOnce(&Self, &dyn Names) -> Entry) {
        if !self.timeline.units.contains_key(&unit) {
            return;
        }
        let names = self.names();
        let line = line(self, &names);
        let pod = match line.pod {
            Some(pod) => names.pod(pod).into_owned(),
            None => names.workload(WorkloadId(unit)).into_owned(),
        };
        let told = TimelineEntry {
            at_ms: self.now.0,
            pod,
            event,
            what: line.what,
            rule: line.rule.map(|rule| rule.to_string()),
            node: line.node.map(|node| names.node(node).into_owned()),
            other: line.other,
            waited_ms: line.waited_ms,
            verdict: line.verdict,
        };
        self.timeline.lines.push(told);
    }

    /// Tells what a plan means to those in the story.
    pub(crate) fn tell_plan(&mut self, plan: &Plan) {
        if self.timeline.units.is_empty() {
            return;
        }
        for action in &plan.actions {
            self.tell_action(action);
        }
        let tried = plan.verdicts.iter().map(|verdict| verdict.workload.0);
        self.timeline.tried.extend(tried.filter(|unit| self.timeline.units.contains_key(unit)));
    }

    /// Tells who waits for another reason than before, once nothing more happens at this moment.
    pub(crate) fn tell_waits(&mut self) {
        let tried = std::mem::take(&mut self.timeline.tried);
        let watched = if self.timeline.waiting.len() <= WATCHED { self.timeline.waiting.clone() } else { tried };
        for unit in watched {
            let now = self.core.scheduler().bound_by(WorkloadId(unit)).map(|binding| told(&binding));
            if now.is_none() {
                self.timeline.waiting.remove(&unit);
            }
            match self.timeline.units.get_mut(&unit) {
                Some(before) if now.is_some() && *before != now => *before = now,
                _ => continue,
            }
            let Some(full) = self.core.scheduler().explain(WorkloadId(unit)) else { continue };
            // That it holds its room was told when it began to.
            if matches!(full.binding, BlockingReason::Held { .. }) {
                continue;
            }
            let most = self.options.named_pods;
            self.tell(unit, TimelineEvent::Waits, |_, names| Entry {
                what: format!("is pending. {}", text::verdict(&full, names)),
                rule: Some(full.binding.rule()),
                verdict: Some(text::verdict_json(&full, names, most)),
                ..Entry::default()
            });
        }
    }

    fn tell_action(&mut self, action: &Action) {
        match action {
            Action::Bind { pod, node, reason, .. } => {
                self.forget_wait(pod.workload.0);
                let (pod, node, why) = (*pod, *node, text::bound(*reason));
                self.tell(pod.workload.0, TimelineEvent::Bound, |engine, names| {
                    let since = engine.world.find(pod).map(|p| engine.world.pods[p].at);
                    Entry {
                        pod: Some(pod),
                        what: format!("is bound to {}: {why}", names.node(node)),
                        node: Some(node),
                        waited_ms: since.map(|since| engine.now.since(since)),
                        ..Entry::default()
                    }
                });
            }
            Action::Evict { pod, reason } => {
                let pod = *pod;
                self.tell(pod.workload.0, TimelineEvent::Evicted, |engine, names| Entry {
                    pod: Some(pod),
                    what: format!("is evicted. {}", text::evicted(reason, names)),
                    rule: Some(reason.rule),
                    node: engine.node_of(pod),
                    other: reason.cause.map(|cause| names.workload(cause).into_owned()),
                    ..Entry::default()
                });
                self.forget_wait(pod.workload.0);
                let Some(cause) = reason.cause else { return };
                self.tell(cause.0, TimelineEvent::Evicts, |engine, names| {
                    let leaf = reason.leaf.map_or_else(String::new, |q| format!(" of {}", names.tree().name(q)));
                    let victim = names.pod(pod).into_owned();
                    Entry {
                        what: format!("evicts {victim}{leaf}. {}", text::evicted(reason, names)),
                        rule: Some(reason.rule),
                        node: engine.node_of(pod),
                        other: Some(victim),
                        ..Entry::default()
                    }
                });
            }
            Action::Hold { workload, victims, spots } => {
                self.forget_wait(workload.0);
                let victims = if *victims == 1 { "1 victim has".to_owned() } else { format!("{victims} victims have") };
                let node =
                    spots.first().map(|(_, node)| *node).filter(|first| spots.iter().all(|(_, node)| node == first));
                self.tell(workload.0, TimelineEvent::Holds, |_, names| {
                    let place = node.map_or_else(String::new, |node| format!(" on {}", names.node(node)));
                    let what = format!("reserves capacity{place} until {victims} terminated (H1)");
                    Entry { what, rule: Some(Rule::H1), node, ..Entry::default() }
                });
            }
            Action::Release { workload, reason } => {
                self.tell(workload.0, TimelineEvent::Released, |_, names| Entry {
                    what: format!("loses its reservation: {}", text::released(*reason, names)),
                    ..Entry::default()
                });
            }
            _ => {}
        }
    }

    /// What binds it next is news, even if it is what bound it before.
    fn forget_wait(&mut self, unit: u32) {
        if let Some(told) = self.timeline.units.get_mut(&unit) {
            *told = None;
            self.timeline.waiting.insert(unit);
        }
    }

    fn node_of(&self, pod: PodId) -> Option<NodeId> {
        let node = self.world.find(pod).map(|p| self.world.pods[p].node)?;
        (node != NONE).then_some(NodeId(node))
    }

    /// A planned bind came true; where that took time, it is told.
    pub(crate) fn tell_runs(&mut self, pod: u32) {
        if self.world.pods[pod].at == self.now {
            return;
        }
        let (id, unit) = (self.world.id_of(pod), self.world.pods[pod].unit);
        self.tell(unit, TimelineEvent::Runs, |engine, _| Entry {
            pod: Some(id),
            what: "starts to run".to_owned(),
            node: engine.node_of(id),
            ..Entry::default()
        });
    }

    /// A pod ended, and how.
    pub(crate) fn tell_end(&mut self, pod: u32, to: State, lost: bool) {
        if self.timeline.units.is_empty() {
            return;
        }
        let (id, unit) = (self.world.id_of(pod), self.world.pods[pod].unit);
        let what = match to {
            State::Succeeded => "succeeds",
            State::Failed if lost => "is lost with its node",
            State::Failed => "fails",
            State::Evicted if self.world.pods[pod].at == self.now => return,
            State::Evicted => "has terminated",
            _ => "is deleted",
        };
        self.tell(unit, TimelineEvent::Ended, |engine, _| Entry {
            pod: Some(id),
            what: what.to_owned(),
            node: engine.node_of(id),
            ..Entry::default()
        });
    }

    /// What was decided did not come true.
    pub(crate) fn tell_mishap(&mut self, unit: u32, pod: PodId, event: TimelineEvent, what: &str) {
        if event == TimelineEvent::BindFailed {
            self.forget_wait(unit);
        }
        self.tell(unit, event, |_, _| Entry { pod: Some(pod), what: what.to_owned(), ..Entry::default() });
    }

    /// A pod was told to go, for its node is drained.
    pub(crate) fn tell_drained(&mut self, unit: u32, pod: PodId, node: NodeId) {
        self.forget_wait(unit);
        self.tell(unit, TimelineEvent::Drained, |_, names| Entry {
            pod: Some(pod),
            what: format!("is evicted by the drain of {}", names.node(node)),
            node: Some(node),
            ..Entry::default()
        });
    }

    /// A member joined a unit.
    pub(crate) fn tell_joined(&mut self, pod: u32) {
        let (id, unit) = (self.world.id_of(pod), self.world.pods[pod].unit);
        self.forget_wait(unit);
        self.tell(unit, TimelineEvent::Joined, |_, _| Entry {
            pod: Some(id),
            what: "joins".to_owned(),
            ..Entry::default()
        });
    }

    /// What became of everybody in the story.
    pub(crate) fn timeline_pods(&self) -> Vec<TimelinePod> {
        let name = |unit: &u32| unit_name(self.scenario, &self.world, *unit);
        let mut rows = Vec::new();
        for unit in self.timeline.units.keys() {
            let successor = self.timeline.chain.iter().find(|(_, old)| *old == unit).map(|(new, _)| name(new));
            for pod in self.world.pods_of(*unit) {
                let row = self.world.pods[pod];
                let node = self.scenario.cluster.nodes.get(row.node as usize).filter(|_| row.node != NONE);
                rows.push(TimelinePod {
                    pod: pod_name(self.scenario, &self.world, pod),
                    state: state_word(row.state).to_owned(),
                    since_ms: row.at.0,
                    node: node.map(|node| node.name.to_string()),
                    replaces: self.timeline.chain.get(unit).map(name),
                    replaced_by: successor.clone(),
                });
            }
        }
        rows
    }
}

const fn state_word(state: State) -> &'static str {
    match state {
        State::New | State::Waiting => "waiting",
        State::Binding => "binding",
        State::Running => "running",
        State::Unreached | State::Leaving => "leaving",
        State::Succeeded => "succeeded",
        State::Failed => "failed",
        State::Evicted => "evicted",
        State::Deleted => "deleted",
    }
}
