//! The recording of decisions, and beginning it anew: a new core is told all that there is, as after a restart, and takes
//! the place of the old one. So each segment of the recording replays alone.

use super::{
    Actor, Feed, Intent, Live, Problem,
    names::Ids,
    pods::{KnownPod, Progress},
};
use crate::{
    actor::seen::Changes,
    record::Tape,
    watch::{SeenPod, Uid},
};
use quotree_core::{DeviceSet, Finding, Name, Plan, Scheduler, Time, TreeSpec};
use quotree_record::{Decision, Line, NamedNode, NamedPod, NamedWorkload};
use std::{collections::BTreeMap, sync::Arc};

/// While something is reserved, a new segment waits so long at most, milliseconds: a restart forgets reservations.
const PATIENCE_MS: u64 = 600_000;
/// After a new core had another ledger than the old one, it is tried again after so long, milliseconds.
const AGAIN_MS: u64 = 600_000;

/// The recording of an actor.
#[derive(Debug, Clone, Default)]
pub(super) struct Recorder {
    tape: Option<Tape>,
    /// What a second core is told, which explains.
    feed: Option<Feed>,
    /// The lines of a state that is being told: nobody reads them before it is complete.
    telling: Option<Vec<Line>>,
    /// Since when a new segment is wanted.
    wanted: Option<Time>,
    /// Not before this time.
    not_before: Time,
    /// How often a new core had another ledger than the old one.
    pub(super) drifts: u64,
}

impl Recorder {
    /// A recorder that collects the lines of a state, for the same tape.
    fn telling(&self) -> Self {
        Self { telling: self.is_on().then(Vec::new), wanted: None, ..self.clone() }
    }

    pub(super) const fn is_on(&self) -> bool {
        self.tape.is_some() || self.feed.is_some()
    }

    pub(super) fn line(&mut self, line: impl FnOnce() -> Line) {
        if let Some(lines) = &mut self.telling {
            return lines.push(line());
        }
        match (&self.tape, &self.feed) {
            (Some(tape), Some(feed)) => {
                let line = line();
                feed.line(line.clone());
                tape.line(line);
            }
            (Some(tape), None) => tape.line(line()),
            (None, Some(feed)) => feed.line(line()),
            (None, None) => {}
        }
    }

    /// The name of a node.
    pub(super) fn node(&mut self, ids: &Ids, name: &Name) {
        if let Some(id) = ids.node(name) {
            self.line(|| Line::Node(NamedNode { id, name: name.clone() }));
        }
    }

    /// The name of a gang.
    pub(super) fn workload(&mut self, id: quotree_core::WorkloadId, name: &Name) {
        self.line(|| Line::Workload(NamedWorkload { id, name: name.clone() }));
    }

    /// The name of a pod.
    pub(super) fn pod(&mut self, id: quotree_core::PodId, pod: &SeenPod) {
        self.line(|| {
            Line::Pod(Box::new(NamedPod {
                id: (id.workload.0, id.ordinal),
                name: format!("{}/{}", pod.facts.namespace, pod.facts.name).into(),
                uid: pod.uid.clone(),
                owner: pod.owner.as_deref().cloned(),
            }))
        });
    }

    /// A decision.
    pub(super) fn decision(&mut self, now: Time, plan: &Plan) {
        self.line(|| Line::Decide(Box::new(Decision::of(now, plan))));
    }

    /// The state is told: a segment begins with it.
    fn told(&mut self, now: Time, tree: &TreeSpec, policy: &quotree_core::Policy) {
        let Some(lines) = self.telling.take() else { return };
        match (&self.tape, &self.feed) {
            (Some(tape), Some(feed)) => {
                feed.begin(tree, policy, lines.clone());
                tape.begin(now, tree.clone(), policy.clone(), lines);
            }
            (Some(tape), None) => tape.begin(now, tree.clone(), policy.clone(), lines),
            (None, Some(feed)) => feed.begin(tree, policy, lines),
            (None, None) => {}
        }
    }
}

/// What a new core must be told of a pod that the API server does not show yet, or never shows.
#[derive(Debug, Clone)]
pub(super) struct Carried {
    /// Where it is.
    pub(super) node: Name,
    /// The devices that it was given there.
    pub(super) devices: DeviceSet,
}

impl Actor {
    /// Records the run from its start on. To be called before the first turn.
    #[must_use]
    pub fn recorded(mut self, tape: Tape) -> Self {
        self.recorder.tape = Some(tape);
        self
    }

    /// Hands over what the core is told, for a second core that explains.
    #[must_use]
    pub fn fed(mut self, feed: Feed) -> Self {
        self.recorder.feed = Some(feed);
        self
    }

    /// Where the ledger differed when it was compared last: quota, resource, what is counted less what a recount gives.
    #[must_use]
    pub fn drift(&self) -> &[(Name, Name, i64)] {
        &self.drift
    }

    /// Compares the ledger with that of a new core that is told all that there is. To be called when no fact waits.
    pub fn check_ledger(&mut self, now: Time) {
        let Some(old) = &self.live else { return };
        let Ok(mut new) = Live::new(old.tree.clone(), &self.settings, old.quiet_until, Recorder::default()) else {
            return;
        };
        new.carried = carried(old);
        let changes = Changes { tree: false, ..self.seen.as_changes() };
        new.report(&self.seen, &self.settings, changes, Vec::new(), now);
        self.drift = differences(old, &new);
        if let Some(differs) = difference(old, &new) {
            self.problems.push(Problem::Drift(differs));
        }
    }

    /// How often a new segment of the recording could not begin, since a new core had another ledger than the old one.
    #[must_use]
    pub fn drifts(&self) -> u64 {
        self.live.as_ref().map_or(0, |live| live.recorder.drifts)
    }

    /// A core that is told nothing yet.
    pub(super) fn fresh(&self, tree: &TreeSpec, quiet_until: Time) -> Result<Live, Vec<Finding>> {
        let before = self.live.as_ref().map_or(&self.recorder, |live| &live.recorder);
        Live::new(Arc::new(tree.clone()), &self.settings, quiet_until, before.telling())
    }

    /// The first state is told.
    pub(super) fn begin_recording(&mut self, now: Time) {
        if let Some(live) = &mut self.live {
            live.recorder.told(now, &live.tree, &self.settings.policy);
        }
    }

    /// Whether a new segment is to begin now: nothing is being evicted, and nothing is reserved unless that takes long.
    fn may_restate(live: &mut Live, now: Time) -> bool {
        let recorder = &mut live.recorder;
        if !recorder.tape.as_ref().is_some_and(Tape::wants_segment) || now < recorder.not_before {
            return false;
        }
        let since = *recorder.wanted.get_or_insert(now);
        let sent = |known: &KnownPod| !known.evicting || matches!(known.state, Progress::Leaving(_));
        let held = || live.core.waiting().into_iter().any(|id| live.core.workload(id).is_some_and(|one| one.held));
        live.known.values().all(sent) && (now.since(since) >= PATIENCE_MS || !held())
    }

    /// Begins a new segment of the recording, if one is wanted: a new core is told all that there is, and decides. If it does
    /// not come to the same ledger as the old one, that is a problem and the old one stays.
    pub(super) fn restate(&mut self, now: Time) -> Vec<Intent> {
        if !self.live.as_mut().is_some_and(|live| Self::may_restate(live, now)) {
            return Vec::new();
        }
        let Some(old) = &self.live else { return Vec::new() };
        let mut new = match self.fresh(&old.tree, old.quiet_until) {
            Ok(new) => new,
            Err(findings) => {
                self.problems.push(Problem::Tree(findings));
                return Vec::new();
            }
        };
        new.carried = carried(old);
        new.tree_waits = old.tree_waits;
        new.tree_refused.clone_from(&old.tree_refused);
        let changes = Changes { tree: false, ..self.seen.as_changes() };
        new.report(&self.seen, &self.settings, changes, Vec::new(), now);
        new.carried.clear();
        new.reserved.clone_from(&old.reserved);
        if let Some(differs) = difference(old, &new) {
            self.problems.push(Problem::Drift(differs));
            if let Some(old) = &mut self.live {
                old.recorder.drifts += 1;
                old.recorder.not_before = now.after_ms(AGAIN_MS);
            }
            return Vec::new();
        }
        new.recorder.told(now, &new.tree, &self.settings.policy);
        self.live = Some(new);
        self.decide(now)
    }
}

/// Where pods are that are on a node or on their way there.
fn carried(old: &Live) -> BTreeMap<Uid, Carried> {
    let mut all = BTreeMap::new();
    for (uid, known) in &old.known {
        let Some(name) = known.state.node().and_then(|node| old.ids.node_name(node)) else { continue };
        let workload = old.core.workload(known.id.workload);
        let pod = workload.and_then(|workload| workload.pods.into_iter().find(|pod| pod.id == known.id));
        let devices = pod.map(|pod| pod.devices).unwrap_or_default();
        all.insert(uid.clone(), Carried { node: name.clone(), devices });
    }
    all
}

/// What two cores count differently as used.
fn differences(old: &Live, new: &Live) -> Vec<(Name, Name, i64)> {
    let mut all = Vec::new();
    let tree = old.core.tree();
    for quota in tree.ids() {
        let name = tree.name(quota);
        let twin = new.core.tree().by_name(name.as_str()).map(|quota| new.core.usage(quota).used).unwrap_or_default();
        let used = old.core.usage(quota).used;
        for resource in tree.governed() {
            let of = |amounts: &quotree_core::Amounts| amounts.get(resource.as_str()).unwrap_or(0);
            let more = of(&used).saturating_sub(of(&twin));
            if more != 0 {
                all.push((name.clone(), resource.clone(), more));
            }
        }
    }
    all
}

/// What two cores count differently, in words.
fn difference(old: &Live, new: &Live) -> Option<String> {
    for (quota, name) in old.core.tree().ids().map(|quota| (quota, old.core.tree().name(quota))) {
        let twin = new.core.tree().by_name(name.as_str()).map(|quota| new.core.usage(quota).used).unwrap_or_default();
        let used = old.core.usage(quota).used;
        if used != twin {
            return Some(format!("quota {name}: {used} is counted, and {twin} by what the API server shows"));
        }
    }
    let by_name = |live: &Live, core: &Scheduler| -> BTreeMap<Name, quotree_core::Amounts> {
        let named = core.nodes().into_iter();
        named.filter_map(|node| live.ids.node_name(node.id).map(|name| (name.clone(), node.used))).collect()
    };
    let (before, after) = (by_name(old, &old.core), by_name(new, &new.core));
    let differs = before.iter().find(|(name, used)| after.get(*name) != Some(*used));
    differs.map(|(name, used)| {
        let twin = after.get(name).cloned().unwrap_or_default();
        format!("node {name}: {used} is counted, and {twin} by what the API server shows")
    })
}
