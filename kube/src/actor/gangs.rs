//! Workloads of the core: single pods, and gangs whose pods are reported together once the minimum exists.

use super::{
    Live, budgets, nodes,
    pods::{self, KnownPod, Progress},
    seen::Seen,
};
use crate::{
    settings::{Mode, Settings},
    watch::{SeenPod, Uid},
};
use quotree_core::{Event, Name, PodOutcome, PodSet, PodTemplate, Time, WorkloadChange, WorkloadId, WorkloadSpec};
use quotree_k8s::{
    annotated_to_evict,
    gang::{GangId, GangKind, GroupFacts, Membership, Minimum, StatedMin, membership, minimum},
    map_pod, stage,
};
use smallvec::SmallVec;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// A gang of all its pods is complete when none has come for so long, milliseconds: nobody says how many there will be.
const SETTLES_MS: u64 = 2000;

/// The pods of one gang.
#[derive(Debug, Clone, Default)]
pub(crate) struct Gang {
    /// The workload that the core knows, and the ordinal of the next pod that joins it.
    workload: Option<(WorkloadId, u32)>,
    /// Pods that the core does not know yet.
    gathering: BTreeSet<Uid>,
    /// When the last one came.
    last: Time,
    /// The minimum that the core was told.
    least: u32,
}

/// All gangs, and which are to be looked at.
#[derive(Debug, Clone, Default)]
pub(crate) struct Gangs {
    gangs: BTreeMap<GangId, Gang>,
    of: BTreeMap<Uid, GangId>,
    touched: BTreeSet<GangId>,
}

/// Why a pod that is ours was not reported to the core.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Unready {
    /// Its gang is not complete.
    Members { there: usize, wanted: Option<u32> },
    /// What it says about its gang is no number.
    BadGang(&'static str),
}

/// Tells the core of a pod that it does not know. Returns whether it knows the pod now: a pod of a gang may have to wait
/// for the others.
pub(crate) fn submit(live: &mut Live, seen: &Seen, settings: &Settings, pod: &SeenPod, now: Time) -> bool {
    match membership(&pod.facts) {
        Ok(None) => submit_all(live, seen, settings, &[pod], &single(), full_name(pod)).is_some(),
        Ok(Some(member)) => gather(live, seen, settings, pod, member, now),
        Err(bad) => {
            live.unready.insert(pod.uid.clone(), Unready::BadGang(bad.key));
            false
        }
    }
}

fn single() -> Minimum {
    Minimum { pods: 1, ..Minimum::default() }
}

fn full_name(pod: &SeenPod) -> Name {
    format!("{}/{}", pod.facts.namespace, pod.facts.name).into()
}

/// Adds a pod to its gang: to the workload that there is, or to those that wait for the minimum.
fn gather(live: &mut Live, seen: &Seen, settings: &Settings, pod: &SeenPod, member: Membership, now: Time) -> bool {
    let gang = live.gangs.gangs.entry(member.gang.clone()).or_default();
    let current = gang.workload.filter(|(id, _)| goes_on(&live.ids, &live.known, *id));
    let Some((workload, ordinal)) = current else {
        gang.workload = None;
        if gang.gathering.insert(pod.uid.clone()) {
            gang.last = now;
        }
        live.gangs.of.insert(pod.uid.clone(), member.gang.clone());
        live.gangs.touched.insert(member.gang);
        return false;
    };
    let template = Arc::new(template_of(live, seen, settings, pod));
    let set = PodSet { template: template.clone(), count: 1, min: 0 };
    let change = WorkloadChange { add_pods: Some(set), ..WorkloadChange::of(workload) };
    if !live.apply(Event::WorkloadChanged(change), || full_name(pod).to_string()) {
        return false;
    }
    if let Some(gang) = live.gangs.gangs.get_mut(&member.gang) {
        gang.workload = Some((workload, ordinal + 1));
    }
    report_pod(live, pod, workload, ordinal, template);
    true
}

/// Whether a workload takes more pods: it has one that stays. After its end, or when all of it is evicted, later pods are a
/// new workload (O3).
fn goes_on(ids: &super::names::Ids, known: &BTreeMap<Uid, KnownPod>, id: WorkloadId) -> bool {
    let stays = |known: &KnownPod| !known.evicting && !matches!(known.state, Progress::Leaving(_));
    ids.pods_of(id).filter_map(|uid| known.get(uid)).any(stays)
}

/// PodGroups of these kinds and namespaces have changed: their gangs are looked at. Costs the gangs of these namespaces.
pub(crate) fn touch(live: &mut Live, changed: &BTreeSet<(GangKind, Name)>) {
    let Gangs { gangs, touched, .. } = &mut live.gangs;
    for (kind, namespace) in changed {
        let first = GangId { kind: *kind, namespace: namespace.clone(), name: Name::default() };
        let of_them = gangs.range(first..).map(|(id, _)| id);
        touched.extend(of_them.take_while(|id| id.kind == *kind && id.namespace == *namespace).cloned());
    }
}

/// The object that has the minimum of a gang, if there is one.
fn object<'a>(seen: &'a Seen, member: &Membership) -> Option<&'a GroupFacts> {
    let key = (member.gang.kind, member.gang.namespace.clone(), member.object.clone()?);
    seen.pod_groups.get(&key)
}

/// Tells the core of another minimum of a gang that it knows.
fn follow_minimum(live: &mut Live, seen: &Seen, settings: &Settings, id: &GangId) {
    let Some(gang) = live.gangs.gangs.get(id) else { return };
    let Some((workload, _)) = gang.workload.filter(|_| gang.gathering.is_empty()) else { return };
    let pods: Vec<&SeenPod> =
        live.ids.pods_of(workload).filter_map(|uid| seen.pods.get(uid).map(Arc::as_ref)).collect();
    let Some(member) = pods.first().and_then(|pod| membership(&pod.facts).ok().flatten()) else { return };
    // Without an object, what was known of it holds.
    let Some(object) = object(seen, &member) else { return };
    let count = u32::try_from(pods.len()).unwrap_or(u32::MAX);
    let Some(least) = minimum(&member, Some(object), count, &settings.node) else { return };
    if least.pods == gang.least {
        return;
    }
    let change = WorkloadChange { min: Some(least.pods), ..WorkloadChange::of(workload) };
    if live.apply(Event::WorkloadChanged(change), || format!("gang {}/{}", id.namespace, id.name))
        && let Some(gang) = live.gangs.gangs.get_mut(id)
    {
        gang.least = least.pods;
    }
}

/// Tells the core of the gangs that are complete by now.
pub(crate) fn settle(live: &mut Live, seen: &Seen, settings: &Settings, now: Time) {
    for id in std::mem::take(&mut live.gangs.touched) {
        follow_minimum(live, seen, settings, &id);
        let Some(gang) = live.gangs.gangs.get(&id) else { continue };
        let mut there: Vec<&SeenPod> =
            gang.gathering.iter().filter_map(|uid| seen.pods.get(uid).map(Arc::as_ref)).collect();
        let last = gang.last;
        there.sort_by_key(|pod| (pod.facts.created_ms, &pod.facts.name, &pod.uid));
        let Some(member) = there.first().and_then(|pod| membership(&pod.facts).ok().flatten()) else { continue };
        let count = u32::try_from(there.len()).unwrap_or(u32::MAX);
        let least = minimum(&member, object(seen, &member), count, &settings.node);
        let settled = member.stated != Some(StatedMin::All) || last.after_ms(SETTLES_MS) <= now;
        // What runs already counts, however few they are (G3).
        let runs = there.iter().any(|pod| pod.facts.node.is_some());
        let complete = least.as_ref().is_some_and(|least| settled && count >= least.pods);
        let uids: Vec<Uid> = there.iter().map(|pod| pod.uid.clone()).collect();
        if !complete && !runs {
            let unready = Unready::Members { there: there.len(), wanted: least.as_ref().map(|least| least.pods) };
            live.unready.extend(uids.into_iter().map(|uid| (uid, unready.clone())));
            if least.is_some() {
                live.gangs.touched.insert(id);
            }
            continue;
        }
        let least = least.unwrap_or_else(single);
        let name = Name::from(format!("{}/{}", id.namespace, id.name));
        let Some(workload) = submit_all(live, seen, settings, &there, &least, name) else { continue };
        if let Some(gang) = live.gangs.gangs.get_mut(&id) {
            gang.gathering.clear();
            (gang.workload, gang.least) = (Some((workload, count)), least.pods);
        }
        for uid in &uids {
            pods::advance(live, seen, settings, uid, PodOutcome::Deleted, now);
        }
        // The minimum is divided over pods of several kinds before it is known which of them run.
        if runs {
            let change = WorkloadChange { min: Some(least.pods), ..WorkloadChange::of(workload) };
            live.apply(Event::WorkloadChanged(change), || format!("gang {}/{}", id.namespace, id.name));
        }
    }
}

/// When a gang may be complete without any further pod.
pub(crate) fn next_wake(live: &Live) -> Option<Time> {
    let gangs = live.gangs.touched.iter().filter_map(|id| live.gangs.gangs.get(id));
    gangs.filter(|gang| !gang.gathering.is_empty()).map(|gang| gang.last.after_ms(SETTLES_MS)).min()
}

/// Forgets a pod that is gone, or is not ours any more.
pub(crate) fn forget(live: &mut Live, uid: &Uid) {
    live.unready.remove(uid);
    let Some(id) = live.gangs.of.remove(uid) else { return };
    if let Some(gang) = live.gangs.gangs.get_mut(&id) {
        gang.gathering.remove(uid);
        if gang.gathering.is_empty() && gang.workload.is_none_or(|(id, _)| live.ids.pods_of(id).next().is_none()) {
            live.gangs.gangs.remove(&id);
        }
    }
}

/// What is reported to the core about a pod.
pub(crate) fn template_of(live: &mut Live, seen: &Seen, settings: &Settings, pod: &SeenPod) -> PodTemplate {
    let mapped = map_pod(&pod.facts, live.nodes.taints());
    if let Some(rule) = mapped.rule {
        nodes::add_rule(live, seen, settings, rule);
    }
    mapped.template
}

/// Tells the core of pods that come together. Pods with equal templates are one set. The minimum is divided over the sets
/// in their order, since the core takes one minimum a set.
fn submit_all(
    live: &mut Live,
    seen: &Seen,
    settings: &Settings,
    members: &[&SeenPod],
    least: &Minimum,
    name: Name,
) -> Option<WorkloadId> {
    let first = members.first()?;
    let mut sets: Vec<(Arc<PodTemplate>, Vec<&SeenPod>)> = Vec::new();
    for pod in members {
        let template = template_of(live, seen, settings, pod);
        match sets.iter_mut().find(|(other, _)| **other == template) {
            Some((_, pods)) => pods.push(pod),
            None => sets.push((Arc::new(template), vec![pod])),
        }
    }
    let budget = budgets::protecting(live, seen, &first.facts);
    let mut left = least.pods;
    let mut specs: SmallVec<[PodSet; 1]> = SmallVec::new();
    for (template, pods) in &sets {
        let count = u32::try_from(pods.len()).unwrap_or(u32::MAX);
        let min = left.min(count);
        left -= min;
        specs.push(PodSet { template: template.clone(), count, min });
    }
    let created = members.iter().map(|pod| pod.facts.created_ms).min().unwrap_or(0);
    let id = live.ids.add_workload(name.clone());
    let spec = WorkloadSpec {
        id,
        namespace: first.facts.namespace.clone(),
        quota: stage::named_quota(&first.facts).cloned(),
        submitted: Time(u64::try_from(created).unwrap_or(0)),
        priority: members.iter().filter_map(|pod| pod.facts.priority).max().unwrap_or(0),
        preemptible: pods::may_be_evicted(members.iter().copied(), seen, settings),
        may_evict: members.iter().all(|pod| may_evict(pod, settings)),
        pods: specs,
        budget: budget.clone(),
        together: least.together,
        replaces: None,
    };
    if members.len() > 1 {
        live.recorder.workload(id, &name);
    }
    if !live.apply(Event::WorkloadSubmitted(spec), || name.to_string()) {
        live.ids.forget_workload(id);
        return None;
    }
    live.budgets.note(id, budget);
    let in_order =
        sets.into_iter().flat_map(|(template, pods)| pods.into_iter().map(move |pod| (pod, template.clone())));
    for ((pod, template), ordinal) in in_order.zip(0..) {
        report_pod(live, pod, id, ordinal, template);
    }
    Some(id)
}

/// Whether others may be evicted for a pod. In gate mode `preemptionPolicy: Never` is what keeps the kube-scheduler from
/// evicting by itself, and no wish of the user.
fn may_evict(pod: &SeenPod, settings: &Settings) -> bool {
    match settings.mode {
        Mode::Gate => annotated_to_evict(&pod.facts),
        Mode::Bind | Mode::Dry => quotree_k8s::may_evict(&pod.facts),
    }
}

/// Notes that the core knows a pod.
fn report_pod(live: &mut Live, pod: &SeenPod, workload: WorkloadId, ordinal: u32, template: Arc<PodTemplate>) {
    let id = workload.pod(ordinal);
    live.recorder.pod(id, pod);
    live.unready.remove(&pod.uid);
    live.ids.add_pod(id, &pod.uid, full_name(pod));
    live.known.insert(pod.uid.clone(), KnownPod { id, state: Progress::Waiting, evicting: false, template });
}
