//! A plan of the core as intents, with its reasons in words.

use super::{
    Intent, Live, PodKey,
    names::LiveNames,
    pods::{Progress, is_ours},
    seen::Seen,
};
use crate::{
    settings::{Mode, Settings},
    watch::{SeenPod, Uid},
};
use quotree_core::{Action, BindReason, Event, EvictReason, Name, NodeId, Plan, PodId, WorkloadId};
use quotree_k8s::{Loss, names};
use quotree_words::{ChargedTo, bound, evicted};
use std::collections::{BTreeMap, BTreeSet};

/// What a plan means to be written, in its order. What the core assumes is noted.
pub(super) fn intents(live: &mut Live, seen: &Seen, settings: &Settings, plan: &Plan) -> Vec<Intent> {
    let mut intents = Vec::new();
    for action in &plan.actions {
        match action {
            Action::Bind { pod, node, devices, reason } => {
                let bind = bind(live, seen, settings, (*pod, *node), *reason);
                let Some((pod, node, pin, why)) = bind else { continue };
                intents.push(Intent::Bind { pod, node, pin, devices: *devices, why });
            }
            Action::Evict { pod, reason } => intents.extend(evict(live, seen, settings, *pod, reason)),
            // The core keeps what it holds, and says why in the verdict of the workload.
            _ => {}
        }
    }
    intents
}

/// Counts the pods of workloads that a decision has tried and not placed, by their schedulerName. One that waits for its victims is one
/// of these.
pub(super) fn count_tried(live: &Live, seen: &Seen, plan: &Plan, tried: &mut BTreeMap<Name, u64>) {
    let held = plan.actions.iter().filter_map(|action| match action {
        Action::Hold { workload, .. } => Some(*workload),
        _ => None,
    });
    let workloads: BTreeSet<WorkloadId> = plan.verdicts.iter().map(|verdict| verdict.workload).chain(held).collect();
    for workload in workloads {
        let waits = |uid: &&Uid| live.known.get(*uid).is_some_and(|known| known.state == Progress::Waiting);
        let pods = live.ids.pods_of(workload).filter(waits).filter_map(|uid| seen.pods.get(uid));
        pods.for_each(|pod| *tried.entry(profile(pod)).or_default() += 1);
    }
}

/// The schedulerName of a pod.
fn profile(pod: &SeenPod) -> Name {
    pod.facts.scheduler.clone().unwrap_or_else(|| names::DEFAULT_SCHEDULER.into())
}

/// Evictions that a newer tree or fact has made useless, or that would take a guarantee or a pod of others by now. Those that are not sent yet are taken back, and the actor hears of
/// that as of a failure.
pub(super) fn useless_evictions(live: &mut Live, seen: &Seen, settings: &Settings) -> Vec<Intent> {
    if live.evicting.is_empty() {
        return Vec::new();
    }
    let useless: BTreeSet<&Uid> =
        live.core.useless_evictions().into_iter().filter_map(|pod| live.ids.uid(pod)).collect();
    // What is not ours any more is left alone, whatever was decided.
    let is_foreign = |uid: &Uid| seen.pods.get(uid).is_some_and(|pod| !is_ours(pod, seen, settings));
    let useless: Vec<Uid> =
        live.evicting.iter().filter(|uid| useless.contains(uid) || is_foreign(uid)).cloned().collect();
    useless.iter().for_each(|uid| _ = live.evicting.remove(uid));
    let pods = useless.iter().filter_map(|uid| seen.pods.get(uid));
    pods.map(|pod| Intent::TakeBack { pod: PodKey::of(pod) }).collect()
}

type Bound = (PodKey, Name, Option<Name>, String);

fn bind(live: &mut Live, seen: &Seen, settings: &Settings, at: (PodId, NodeId), reason: BindReason) -> Option<Bound> {
    let (id, node) = at;
    let uid = live.ids.uid(id)?.clone();
    live.known.get_mut(&uid)?.state = Progress::Assumed(node);
    live.reserved.add(&uid);
    let pod = seen.pods.get(&uid)?;
    let name = live.ids.node_name(node)?.clone();
    let hostname = seen.nodes.get(&name).map(|node| node.facts.hostname().clone());
    let pin = hostname.filter(|_| settings.mode != Mode::Gate || pod.facts.losses.iter().all(|loss| is_soft(*loss)));
    let leaf = live.core.workload(id.workload).and_then(|workload| workload.leaf);
    let charged = match leaf {
        None => ChargedTo::Nothing,
        Some(_) if live.core.tree().governed().len() == 0 => ChargedTo::EmptyTree,
        Some(_) => ChargedTo::Quota,
    };
    Some((PodKey::of(pod), name, pin, bound(reason, charged)))
}

/// Whether the kube-scheduler takes a pod with this to any node, so that it can be pinned.
const fn is_soft(loss: Loss) -> bool {
    matches!(loss, Loss::Preferences | Loss::NeverPreempts | Loss::UnevenDevices)
}

fn evict(live: &mut Live, seen: &Seen, settings: &Settings, id: PodId, reason: &EvictReason) -> Option<Intent> {
    let uid = live.ids.uid(id)?.clone();
    let pod = seen.pods.get(&uid)?;
    if !is_ours(pod, seen, settings) {
        // It is reported as not preemptible. Where the core refused that, it is left alone all the same.
        live.apply(Event::EvictFailed { pod: id }, || uid.to_string());
        return None;
    }
    live.known.get_mut(&uid)?.evicting = true;
    live.evicting.insert(uid.clone());
    let why = evicted(reason, &LiveNames { ids: &live.ids, core: &live.core });
    let cause = reason.cause.and_then(|cause| first_pod(live, seen, cause));
    let (pod, not_before) = (PodKey::of(pod), live.quiet_until);
    Some(Intent::Evict { pod, not_before, why, reason: "Preempted", cause, unplaced: false })
}

/// The first pod of a workload that there is.
fn first_pod(live: &Live, seen: &Seen, workload: WorkloadId) -> Option<PodKey> {
    live.ids.pods_of(workload).find_map(|uid| seen.pods.get(uid)).map(|pod| PodKey::of(pod))
}
