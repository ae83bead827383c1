//! Where each pod stands, what the core knows about it, and the events that lead from one to the other.
//!
//! It looks at the newest state of a pod only, so it does not matter which of its changes the watch showed one by one.

use super::{
    Live, budgets, gangs,
    intents::outcome_of,
    nodes,
    seen::{Seen, outcome},
};
use crate::{
    act::bind::is_refused,
    settings::{Mode, Settings},
    watch::{SeenPod, Uid},
};
use quotree_core::{
    DeviceSet, Event, FoundState, NodeId, PodId, PodOutcome, PodTemplate, Time, WorkloadChange, WorkloadId,
};
use quotree_k8s::{
    names,
    stage::{Stage, foreign, preemptible, stage},
};
use std::sync::Arc;

/// What the core knows about a pod.
#[derive(Debug, Clone)]
pub(crate) struct KnownPod {
    /// Its id.
    pub(crate) id: PodId,
    /// How far it has come.
    pub(crate) state: Progress,
    /// Whether a plan evicts it.
    pub(crate) evicting: bool,
    /// What it requests.
    pub(crate) template: Arc<PodTemplate>,
}

/// How far a pod has come, in the eyes of the core.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Progress {
    /// It is pending.
    Waiting,
    /// A plan binds it, and the watch has not confirmed that.
    Assumed(NodeId),
    /// It is on its node.
    On(NodeId),
    /// It is being deleted.
    Leaving(NodeId),
}

impl Progress {
    /// The node that it is charged to.
    pub(crate) const fn node(self) -> Option<NodeId> {
        match self {
            Self::Waiting => None,
            Self::Assumed(node) | Self::On(node) | Self::Leaving(node) => Some(node),
        }
    }
}

/// Where a pod stands, as the API shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    /// Not the core's business, for now.
    Out,
    /// It waits for a plan.
    Waits,
    /// It is on a node, or on its way there.
    At(NodeId, FoundState),
    /// It is over.
    Ended(PodOutcome),
}

/// Whether a pod is ours to place and to evict.
pub(crate) fn is_ours(pod: &SeenPod, seen: &Seen, settings: &Settings) -> bool {
    seen.is_managed(&pod.facts.namespace, &settings.managed) && foreign(&pod.facts, &settings.schedulers).is_none()
}

/// Where a pod stands. `None` if it is on a node that is not known.
fn standing(live: &Live, pod: &SeenPod, seen: &Seen, settings: &Settings) -> Option<Standing> {
    let at = |found| {
        let node = pod.facts.node.as_ref()?;
        live.ids.node(node).map(|node| Standing::At(node, found))
    };
    let ours = is_ours(pod, seen, settings);
    Some(match stage(&pod.facts) {
        Stage::Ended => Standing::Ended(outcome(pod)),
        Stage::Deleted => Standing::Ended(PodOutcome::Deleted),
        Stage::Bound => at(FoundState::Running)?,
        Stage::Leaving => at(FoundState::Terminating)?,
        Stage::Waiting { .. } if ours && is_unsupported(pod, settings) => Standing::Out,
        Stage::Waiting { ours: gated } if ours => match (settings.mode, gated) {
            (Mode::Gate, true) | (Mode::Bind, false) | (Mode::Dry, _) => Standing::Waits,
            (Mode::Gate, false) => {
                let node = pinned(live, pod).or_else(|| carried(live, pod));
                node.map_or(Standing::Out, |node| Standing::At(node, FoundState::Binding))
            }
            (Mode::Bind, true) => Standing::Out,
        },
        _ => Standing::Out,
    })
}

/// Whether a pod asks for what nobody would check in bind mode.
pub(crate) fn is_unsupported(pod: &SeenPod, settings: &Settings) -> bool {
    settings.mode == Mode::Bind && pod.facts.losses.iter().any(|loss| is_refused(*loss))
}

/// The node that an admitted pod is pinned to.
fn pinned(live: &Live, pod: &SeenPod) -> Option<NodeId> {
    let (_, hostname) = pod.facts.node_selector.iter().find(|(label, _)| *label == names::HOSTNAME)?;
    live.hostnames.get(hostname).and_then(|name| live.ids.node(name))
}

/// The node that a plan of the core before has given to a pod.
fn carried(live: &Live, pod: &SeenPod) -> Option<NodeId> {
    live.carried.get(&pod.uid).and_then(|carried| live.ids.node(&carried.node))
}

/// Reports the newest state of a pod.
pub(crate) fn advance(live: &mut Live, seen: &Seen, settings: &Settings, uid: &Uid, gone: PodOutcome, now: Time) {
    let Some(pod) = seen.pods.get(uid) else {
        end(live, uid, gone);
        gangs::forget(live, uid);
        return;
    };
    let Some(standing) = standing(live, pod, seen, settings) else {
        if let Some(node) = &pod.facts.node {
            live.nodes.note_adrift(node, uid);
        }
        return;
    };
    match standing {
        Standing::Ended(outcome) => {
            end(live, uid, outcome);
            gangs::forget(live, uid);
        }
        Standing::Out => match live.known.get(uid).map(|known| known.state) {
            Some(Progress::Waiting) => end(live, uid, PodOutcome::Deleted),
            _ => gangs::forget(live, uid),
        },
        Standing::Waits | Standing::At(..) => {
            if live.known.contains_key(uid) {
                follow(live, seen, settings, pod);
            } else if !gangs::submit(live, seen, settings, pod, now) {
                return;
            }
            if let Standing::At(node, found) = standing {
                arrive(live, pod, node, found, now);
            } else if let Some(node) = carried(live, pod) {
                arrive(live, pod, node, FoundState::Binding, now);
            }
        }
    }
}

/// Reports what a pod requests, if that has changed. Once it is admitted, what it selects does not matter any more: our own
/// PATCH pins it.
fn follow(live: &mut Live, seen: &Seen, settings: &Settings, pod: &SeenPod) {
    let mut template = gangs::template_of(live, seen, settings, pod);
    let Some(known) = live.known.get(&pod.uid) else { return };
    let (workload, has_budgets) = (known.id.workload, seen.has_budgets(&pod.facts.namespace));
    if known.state != Progress::Waiting {
        template.selector.clone_from(&known.template.selector);
        template.tolerations.clone_from(&known.template.tolerations);
    }
    let same = template == *known.template;
    follow_protection(live, seen, settings, pod, workload);
    if has_budgets {
        budgets::follow(live, seen, workload);
    }
    let Some(known) = live.known.get(&pod.uid).filter(|_| !same) else { return };
    let (id, template) = (known.id, Arc::new(template));
    let event = Event::PodChanged { pod: id, template: template.clone() };
    if live.apply(event, || format!("pod {}/{}", pod.facts.namespace, pod.facts.name))
        && let Some(known) = live.known.get_mut(&pod.uid)
    {
        known.template = template;
    }
}

/// Whether the pods of a workload may be evicted for others, by what is seen of them now: all are ours, and none refuses it.
pub(super) fn may_be_evicted<'a>(
    pods: impl IntoIterator<Item = &'a SeenPod>,
    seen: &Seen,
    settings: &Settings,
) -> bool {
    pods.into_iter().all(|pod| is_ours(pod, seen, settings) && preemptible(&pod.facts))
}

/// Reports to the core when a change of this pod makes its workload preemptible or not. A pod that is not ours any more must not be
/// evicted.
fn follow_protection(live: &mut Live, seen: &Seen, settings: &Settings, pod: &SeenPod, workload: WorkloadId) {
    let Some(before) = live.core.workload(workload).map(|view| view.preemptible) else { return };
    if may_be_evicted([pod], seen, settings) == before {
        return;
    }
    let pods = live.ids.pods_of(workload).filter_map(|uid| seen.pods.get(uid)).map(|pod| &**pod);
    let now = may_be_evicted(pods, seen, settings);
    if now != before {
        let change = WorkloadChange { preemptible: Some(now), ..WorkloadChange::of(workload) };
        live.apply(Event::WorkloadChanged(change), || workload.to_string());
    }
}

/// Reports that a pod is at a node.
fn arrive(live: &mut Live, pod: &SeenPod, node: NodeId, found: FoundState, now: Time) {
    let Some(known) = live.known.get(&pod.uid).cloned() else { return };
    let name = || format!("pod {}/{}", pod.facts.namespace, pod.facts.name);
    let id = known.id;
    let mut state = known.state;
    if let Progress::Assumed(planned) = state
        && planned != node
        && found != FoundState::Binding
        // A pod that a plan evicts stays charged where it was until it is gone.
        && !known.evicting
        // Somebody bound it elsewhere.
        && live.apply(Event::BindFailed { pod: id }, name)
    {
        state = Progress::Waiting;
    }
    let (event, after) = match (state, found) {
        (Progress::Waiting, _) => {
            let since = pod.facts.started_ms.and_then(|ms| u64::try_from(ms).ok()).map_or(now, Time);
            let before = live.carried.get(&pod.uid).filter(|carried| live.ids.node(&carried.node) == Some(node));
            let devices = before.map_or_else(DeviceSet::default, |carried| carried.devices);
            let event = Event::PodFound { pod: id, node, devices, state: found, since };
            let after = match found {
                FoundState::Binding => {
                    live.reserved.add(&pod.uid);
                    Progress::Assumed(node)
                }
                FoundState::Running => Progress::On(node),
                FoundState::Terminating => Progress::Leaving(node),
            };
            (Some(event), after)
        }
        (Progress::Assumed(_), FoundState::Running) => (Some(Event::bound(id, now)), Progress::On(node)),
        (Progress::Assumed(_) | Progress::On(_), FoundState::Terminating) => {
            (Some(Event::PodLeaving { pod: id }), Progress::Leaving(node))
        }
        (same, _) => (None, same),
    };
    if event.is_none_or(|event| live.apply(event, name)) {
        state = after;
    }
    if let Some(known) = live.known.get_mut(&pod.uid) {
        known.state = state;
    }
    if matches!(state, Progress::On(_) | Progress::Leaving(_)) {
        live.reserved.remove(&pod.uid);
    }
}

/// Reports that a pod is over.
fn end(live: &mut Live, uid: &Uid, seen: PodOutcome) {
    let Some(known) = live.known.remove(uid) else { return };
    let node = known.state.node();
    let lost = node.is_some_and(|node| nodes::is_leaving(live, node));
    let outcome = outcome_of(known.evicting, lost, seen);
    live.apply(Event::PodGone { pod: known.id, outcome }, || format!("pod of uid {uid}"));
    live.ids.forget_pod(known.id);
    live.evicting.remove(uid);
    if live.ids.pods_of(known.id.workload).next().is_none() {
        live.ids.forget_workload(known.id.workload);
        live.budgets.forget(known.id.workload);
    }
    nodes::close_empty(live);
}

/// A bind failed for good. The core tries the pod again after a while (E6).
pub(crate) fn bind_failed(live: &mut Live, uid: &Uid) {
    let Some(known) = live.known.get(uid).filter(|known| matches!(known.state, Progress::Assumed(_))) else { return };
    let (id, evicting) = (known.id, known.evicting);
    if live.apply(Event::BindFailed { pod: id }, || format!("pod of uid {uid}"))
        && !evicting
        && let Some(known) = live.known.get_mut(uid)
    {
        known.state = Progress::Waiting;
        live.reserved.remove(uid);
    }
}

/// A planned eviction is not carried out: it failed, or it was taken back before it was sent (E2). The pod goes on.
pub(crate) fn eviction_ended(live: &mut Live, uid: &Uid, event: impl FnOnce(PodId) -> Event) {
    let Some(known) = live.known.get(uid).filter(|known| known.evicting) else { return };
    if matches!(known.state, Progress::Leaving(_)) {
        return;
    }
    let id = known.id;
    if live.apply(event(id), || format!("pod of uid {uid}"))
        && let Some(known) = live.known.get_mut(uid)
    {
        known.evicting = false;
        live.evicting.remove(uid);
    }
}
