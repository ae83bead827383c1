//! The timeline of the requested pods, written during the run: binds, evictions, reservations, ends and replacements,
//! and each period of waiting with its reason, again when the reason changes.
//!
//! The timeline of a pod continues with the pod that replaces it, and names the replaced pod.

use crate::{
    options::{RunOptions, TimelineEntry, TimelineEvent, TimelinePod},
    trace::TraceEvent,
    world::{Fact, NONE, State, World, owner_name, pod_name, unit_name, why_suspended},
};
use quotree_core::{Action, BlockingReason, Name, NodeId, Plan, PodId, QuotaId, Rule, Scheduler, WorkloadId};
use quotree_syntax::time_text;
use quotree_words::{self as words, ChargedTo, Names};
use std::collections::{BTreeMap, BTreeSet};

/// The followed pods, and the entries written so far. Core workloads (`unit`) have the numbers of the world.
#[derive(Debug, Default)]
pub(crate) struct Timeline {
    wanted: Option<String>,
    /// The requested workload of the scenario.
    workload: Option<u32>,
    /// The followed core workloads, each with the reason written last.
    units: BTreeMap<u32, Option<Blocked>>,
    /// The followed core workloads that may be pending.
    waiting: BTreeSet<u32>,
    /// The followed core workloads that the scheduler tried without success at this time.
    tried: BTreeSet<u32>,
    /// The core workload that each one replaces.
    replaces: BTreeMap<u32, u32>,
    entries: Vec<TimelineEntry>,
}

/// What distinguishes one reason from another: the rule, the quota, the resource, and the first workload of the queue.
type Blocked = (Rule, Option<QuotaId>, Option<Name>, Option<WorkloadId>);

/// If more than this many are pending, only those that the scheduler tried are checked.
const WATCHED: usize = 64;

fn blocked(reason: &BlockingReason) -> Blocked {
    let head = if let BlockingReason::Behind { head } = reason { Some(*head) } else { None };
    let resource = reason.quota().and(reason.amounts()).map(|(resource, ..)| resource.clone());
    (reason.rule(), reason.quota(), resource, head)
}

/// An entry to be written; fields that do not apply are empty.
#[derive(Default)]
struct Entry {
    pod: Option<PodId>,
    what: String,
    rule: Option<Rule>,
    node: Option<NodeId>,
    other: Option<String>,
    waited_ms: Option<u64>,
    verdict: Option<serde_json::Value>,
}

impl Timeline {
    pub(crate) fn new(wanted: Option<&String>, workloads: &[crate::model::Workload]) -> Self {
        let workload = wanted.and_then(|name| workloads.iter().position(|w| w.name == *name));
        let workload = workload.and_then(|i| u32::try_from(i).ok());
        Self { wanted: wanted.cloned(), workload, ..Self::default() }
    }

    /// Whether a timeline was requested.
    pub(crate) const fn is_on(&self) -> bool {
        self.wanted.is_some()
    }

    /// All entries, in order of time.
    pub(crate) fn into_entries(self) -> Vec<TimelineEntry> {
        self.entries
    }

    /// Receives a fact of the world.
    pub(crate) fn on(&mut self, fact: &Fact, world: &World<'_>, scheduler: &Scheduler) {
        match *fact {
            Fact::Submitted { unit, replaces } => return self.submitted(world, unit, replaces),
            // A member that is recreated, or that the gang grows by, may be the pod that was asked for.
            Fact::Joined { pod } if self.is_wanted(&pod_name(world, pod)) => {
                self.units.entry(world.pods[pod].unit).or_default();
            }
            _ => {}
        }
        if self.units.is_empty() {
            return;
        }
        match *fact {
            Fact::Started { pod } => {
                self.pod_entry(world, world.id_of(pod), TimelineEvent::Runs, "starts to run", world.pods[pod].node)
            }
            Fact::Ended { pod, state, lost, node, at_once } => {
                let what = match state {
                    State::Succeeded => "succeeds",
                    State::Failed if lost => "is lost with its node",
                    State::Failed => "fails",
                    State::Evicted if at_once => return,
                    State::Evicted => "has terminated",
                    _ => "is deleted",
                };
                self.pod_entry(world, world.id_of(pod), TimelineEvent::Ended, what, node);
            }
            Fact::Joined { pod } => {
                self.forget_wait(world.pods[pod].unit);
                self.pod_entry(world, world.id_of(pod), TimelineEvent::Joined, "joins its gang", NONE);
            }
            Fact::Suspended { unit } => self.unit_entry(world, unit, TimelineEvent::Suspended, || {
                format!("is suspended: {}", why_suspended(world, unit, scheduler))
            }),
            Fact::StartTimedOut { unit, tries, timeout_ms, wait_ms } => {
                self.unit_entry(world, unit, TimelineEvent::Suspended, || {
                    let (timeout, wait) = (time_text(timeout_ms), time_text(wait_ms));
                    format!(
                        "did not start within {timeout} (attempt {tries}) and waits at least {wait} in its job queue"
                    )
                });
            }
            Fact::Trace(TraceEvent::LetOut { workload, .. }) => {
                let what = || "is admitted from its job queue".to_owned();
                self.unit_entry(world, workload.0, TimelineEvent::LetOut, what);
                if self.units.contains_key(&workload.0) {
                    self.waiting.insert(workload.0);
                }
            }
            Fact::Trace(TraceEvent::BindFailed { pod }) => {
                self.forget_wait(pod.workload.0);
                self.pod_entry(
                    world,
                    pod,
                    TimelineEvent::BindFailed,
                    "is pending again: binding it to the node failed",
                    NONE,
                );
            }
            Fact::Trace(TraceEvent::LostEviction { pod }) => {
                let what = "keeps running: the eviction request was lost";
                self.pod_entry(world, pod, TimelineEvent::EvictionLost, what, NONE);
            }
            Fact::Trace(TraceEvent::RefusedEviction { pod }) => {
                let what = "keeps running: the API refuses to evict it";
                self.pod_entry(world, pod, TimelineEvent::EvictionRefused, what, NONE);
            }
            Fact::Trace(TraceEvent::Resized { pod, shape }) => {
                let request = world.shapes.template(shape).map_or_else(String::new, |t| t.request.to_string());
                let what = format!("is resized: it requests {request}");
                self.pod_entry(world, pod, TimelineEvent::Resized, &what, NONE);
            }
            Fact::Trace(TraceEvent::EvictionFailed { pod }) => {
                let what = "goes on: its eviction failed";
                self.pod_entry(world, pod, TimelineEvent::EvictionFailed, what, NONE);
            }
            Fact::Trace(TraceEvent::ToldToGo { pod, node }) => {
                self.forget_wait(pod.workload.0);
                let what = format!("is evicted by the drain of {}", world.names().node(node));
                self.pod_entry(world, pod, TimelineEvent::Drained, &what, node.0);
            }
            _ => {}
        }
    }

    fn is_wanted(&self, name: &str) -> bool {
        self.wanted.as_deref() == Some(name)
    }

    /// Records that a core workload was created. If it was requested, or replaces a followed one, it is followed from
    /// now on.
    fn submitted(&mut self, world: &World<'_>, unit: u32, replaced: Option<u32>) {
        let controller = &world.controllers[world.units[unit].owner];
        let is_wanted = match self.workload {
            Some(workload) => controller.workload == workload,
            None => {
                self.is_wanted(&owner_name(world.scenario, controller.workload, controller.number, controller.task))
                    || self.is_wanted(&unit_name(world, unit))
                    || world.pods_of(unit).any(|pod| self.is_wanted(&pod_name(world, pod)))
            }
        };
        let follows = replaced.is_some_and(|old| self.units.contains_key(&old));
        self.replaces.extend(replaced.map(|old| (unit, old)));
        if let Some(old) = replaced.filter(|_| follows) {
            let new = unit_name(world, unit);
            let what = format!("is recreated as {new}");
            self.write(world, old, TimelineEvent::Recreated, |_| Entry { what, other: Some(new), ..Entry::default() });
        }
        if is_wanted || follows {
            self.units.insert(unit, None);
            self.waiting.insert(unit);
            let other = replaced.map(|old| unit_name(world, old));
            let place = other.as_ref().map_or_else(String::new, |old| format!(" in place of {old}"));
            self.write(world, unit, TimelineEvent::Submitted, |names| {
                let members = names.pods(WorkloadId(unit));
                let size = if members > 1 { format!(" with {members} pods") } else { String::new() };
                Entry { what: format!("is submitted{size}{place}"), other, ..Entry::default() }
            });
        }
    }

    /// Writes an entry about a core workload, if it is followed.
    fn write(&mut self, world: &World<'_>, unit: u32, event: TimelineEvent, entry: impl FnOnce(&dyn Names) -> Entry) {
        if !self.units.contains_key(&unit) {
            return;
        }
        let names = world.names();
        let entry = entry(&names);
        let pod = match entry.pod {
            Some(pod) => names.pod(pod).into_owned(),
            None => names.workload(WorkloadId(unit)).into_owned(),
        };
        self.entries.push(TimelineEntry {
            at_ms: world.now.0,
            pod,
            event,
            what: entry.what,
            rule: entry.rule.map(|rule| rule.to_string()),
            node: entry.node.map(|node| names.node(node).into_owned()),
            other: entry.other,
            waited_ms: entry.waited_ms,
            verdict: entry.verdict,
        });
    }

    /// Writes an entry about a whole core workload.
    fn unit_entry(&mut self, world: &World<'_>, unit: u32, event: TimelineEvent, what: impl FnOnce() -> String) {
        self.write(world, unit, event, |_| Entry { what: what(), ..Entry::default() });
    }

    /// Writes an entry about a pod, with its node or [`NONE`].
    fn pod_entry(&mut self, world: &World<'_>, pod: PodId, event: TimelineEvent, what: &str, node: u32) {
        let node = (node != NONE).then_some(NodeId(node));
        let what = what.to_owned();
        self.write(world, pod.workload.0, event, |_| Entry { pod: Some(pod), what, node, ..Entry::default() });
    }

    /// Writes what a plan does to the followed workloads, before it is carried out.
    pub(crate) fn decided(&mut self, plan: &Plan, world: &World<'_>) {
        if self.units.is_empty() {
            return;
        }
        for action in &plan.actions {
            self.action(action, world);
        }
        let tried = plan.verdicts.iter().map(|verdict| verdict.workload.0);
        self.tried.extend(tried.filter(|unit| self.units.contains_key(unit)));
    }

    /// After all events of this time: writes which workloads are pending for another reason than before.
    pub(crate) fn settled(&mut self, world: &World<'_>, scheduler: &Scheduler, options: &RunOptions) {
        let tried = std::mem::take(&mut self.tried);
        let watched = if self.waiting.len() <= WATCHED { self.waiting.clone() } else { tried };
        for unit in watched {
            let now = scheduler.bound_by(WorkloadId(unit)).map(|reason| blocked(&reason));
            if now.is_none() {
                self.waiting.remove(&unit);
            }
            match self.units.get_mut(&unit) {
                Some(before) if now.is_some() && *before != now => *before = now,
                _ => continue,
            }
            let Some(full) = scheduler.explain(WorkloadId(unit)) else { continue };
            // A reservation was written when it began.
            if matches!(full.binding, BlockingReason::Held { .. }) {
                continue;
            }
            self.write(world, unit, TimelineEvent::Waits, |names| Entry {
                what: format!("is pending. {}", words::verdict(&full, names)),
                rule: Some(full.binding.rule()),
                verdict: Some(words::verdict_json(&full, names, options.named_pods)),
                ..Entry::default()
            });
        }
    }

    fn action(&mut self, action: &Action, world: &World<'_>) {
        let node_of = |pod: PodId| {
            let node = world.find(pod).map(|pod| world.pods[pod].node)?;
            (node != NONE).then_some(NodeId(node))
        };
        match action {
            Action::Bind { pod, node, reason, .. } => {
                self.forget_wait(pod.workload.0);
                let unit = pod.workload.0;
                let has_quota =
                    unit < world.units.len() && world.namespaces[world.units[unit].namespace].leaf.is_some();
                let charged = match world.trees.current().governed().len() {
                    _ if !has_quota => ChargedTo::Nothing,
                    0 => ChargedTo::EmptyTree,
                    _ => ChargedTo::Quota,
                };
                let (pod, node, why) = (*pod, *node, words::bound(*reason, charged));
                self.write(world, pod.workload.0, TimelineEvent::Bound, |names| {
                    let since = world.find(pod).map(|pod| world.pods[pod].at);
                    Entry {
                        pod: Some(pod),
                        what: format!("is bound to {}: {why}", names.node(node)),
                        node: Some(node),
                        waited_ms: since.map(|since| world.now.since(since)),
                        ..Entry::default()
                    }
                });
            }
            Action::Evict { pod, reason } => {
                let pod = *pod;
                self.write(world, pod.workload.0, TimelineEvent::Evicted, |names| Entry {
                    pod: Some(pod),
                    what: format!("is evicted by {}", words::evicted(reason, names)),
                    rule: Some(reason.rule),
                    node: node_of(pod),
                    other: reason.cause.map(|cause| names.workload(cause).into_owned()),
                    ..Entry::default()
                });
                self.forget_wait(pod.workload.0);
                let Some(cause) = reason.cause else { return };
                self.write(world, cause.0, TimelineEvent::Evicts, |names| {
                    let leaf = reason.leaf.map_or_else(String::new, |q| format!(" ({})", names.tree().name(q)));
                    let victim = names.pod(pod).into_owned();
                    Entry {
                        what: format!("evicts {victim}{leaf} by {}", words::evicted(reason, names)),
                        rule: Some(reason.rule),
                        node: node_of(pod),
                        other: Some(victim),
                        ..Entry::default()
                    }
                });
            }
            Action::Hold { workload, victims, spots } => {
                self.forget_wait(workload.0);
                let victims = if *victims == 1 { "1 victim has".to_owned() } else { format!("{victims} victims have") };
                let first = spots.first().map(|(_, node)| *node);
                let node = first.filter(|first| spots.iter().all(|(_, node)| node == first));
                self.write(world, workload.0, TimelineEvent::Holds, |names| {
                    let place = node.map_or_else(String::new, |node| format!(" on {}", names.node(node)));
                    let what = format!("reserves capacity{place} until {victims} terminated (H1)");
                    Entry { what, rule: Some(Rule::H1), node, ..Entry::default() }
                });
            }
            Action::Release { workload, reason } => {
                self.write(world, workload.0, TimelineEvent::Released, |names| Entry {
                    what: format!("loses its reservation: {}", words::released(*reason, names)),
                    ..Entry::default()
                });
            }
            _ => {}
        }
    }

    /// Makes the next reason of a pending workload be written even if it is the same as before.
    fn forget_wait(&mut self, unit: u32) {
        if let Some(told) = self.units.get_mut(&unit) {
            *told = None;
            self.waiting.insert(unit);
        }
    }

    /// The pods of the timeline at the end of the run, oldest first.
    pub(crate) fn pods(&self, world: &World<'_>) -> Vec<TimelinePod> {
        let name = |unit: &u32| unit_name(world, *unit);
        let mut rows = Vec::new();
        for unit in self.units.keys() {
            let successor = self.replaces.iter().find(|(_, old)| *old == unit).map(|(new, _)| name(new));
            for pod in world.pods_of(*unit) {
                let record = world.pods[pod];
                let node = world.scenario.cluster.nodes.get(record.node as usize).filter(|_| record.node != NONE);
                rows.push(TimelinePod {
                    pod: pod_name(world, pod),
                    state: state_word(record.state).to_owned(),
                    since_ms: record.at.0,
                    node: node.map(|node| node.name.to_string()),
                    replaces: self.replaces.get(unit).map(name),
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
        State::EvictionPending | State::Leaving => "leaving",
        State::Succeeded => "succeeded",
        State::Failed => "failed",
        State::Evicted => "evicted",
        State::Deleted => "deleted",
    }
}
