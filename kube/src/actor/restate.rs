//! The recording of decisions, and beginning it anew: a new core is told all that there is, as after a restart, and takes
//! the place of the old one. So each segment of the recording replays alone.

use super::{
    Actor, Feed, Intent, Live, Problem,
    names::Ids,
    pods::{KnownPod, Progress},
    recount::{carried, difference},
};
use crate::{actor::seen::Changes, record::Tape, watch::SeenPod};
use quotree_core::{Finding, Name, Plan, Time, TreeSpec};
use quotree_record::{Decision, Line, NamedNode, NamedPod, NamedWorkload};
use std::sync::Arc;

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
        new.carried = carried(&old.core, &old.ids);
        new.tree_waits = old.tree_waits;
        new.tree_refused.clone_from(&old.tree_refused);
        let changes = Changes { tree: false, ..self.seen.as_changes() };
        new.report(&self.seen, &self.settings, changes, Vec::new(), now);
        new.carried.clear();
        new.reserved.clone_from(&old.reserved);
        if let Some(differs) = difference((&old.core, &old.ids), (&new.core, &new.ids)) {
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
