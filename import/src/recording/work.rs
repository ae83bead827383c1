//! Pods of a recording as pieces of work.

use quotree_core::{Level, Name, PodOutcome, PodTemplate, Time, WorkloadSpec};
use quotree_record::{NamedPod, Owner};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// A controller wants as many pods as there are for so long, milliseconds: less is the moment between an eviction and the pod
/// that replaces it.
const STEADY_MS: u64 = 5000;

/// What a piece of work and its pods have in common.
#[derive(Debug, Clone)]
pub(super) struct Spec {
    namespace: Name,
    quota: Option<Name>,
    submitted: Time,
    priority: i32,
    preemptible: bool,
    budget: Option<Name>,
    together: Option<Level>,
    min: u32,
}

impl Spec {
    pub(super) fn of(spec: &WorkloadSpec) -> Self {
        Self {
            namespace: spec.namespace.clone(),
            quota: spec.quota.clone(),
            submitted: spec.submitted,
            priority: spec.priority,
            preemptible: spec.preemptible,
            budget: spec.budget.clone(),
            together: spec.together,
            min: spec.pods.iter().map(|set| set.min).sum(),
        }
    }
}

/// A pod that was seen.
#[derive(Debug)]
pub(super) struct Pod {
    name: Name,
    owner: Option<Owner>,
    gang: Option<Name>,
    spec: Spec,
    pub(super) template: Arc<PodTemplate>,
    pub(super) started: Option<Time>,
    /// Since when it counts no more for its controller.
    left: Option<Time>,
    pub(super) gone: Option<(Time, PodOutcome)>,
}

impl Pod {
    pub(super) fn new(named: &NamedPod, spec: Spec, template: Arc<PodTemplate>, gang: Option<Name>) -> Self {
        let (name, owner) = (named.name.clone(), named.owner.clone());
        Self { name, owner, gang, spec, template, started: None, left: None, gone: None }
    }

    pub(super) fn leave(&mut self, now: Time) {
        self.left = self.left.or(Some(now));
    }

    pub(super) fn end(&mut self, now: Time, outcome: PodOutcome) {
        self.leave(now);
        self.gone = self.gone.or(Some((now, outcome)));
    }

    /// Whether it is there, and is not being deleted.
    pub(super) const fn stays(&self) -> bool {
        self.left.is_none() && self.gone.is_none()
    }

    /// Whether a node has it of itself.
    pub(super) fn is_of_its_node(&self) -> bool {
        self.owner.as_ref().is_some_and(|owner| ["DaemonSet", "Node"].contains(&owner.kind.as_str()))
    }
}

/// Another number of replicas.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scale {
    /// When.
    pub at_ms: u64,
    /// How many.
    pub replicas: u32,
}

/// A piece of work.
#[derive(Debug, Clone)]
pub struct Work {
    /// Its name, which no other piece of work has.
    pub name: Name,
    /// Its namespace.
    pub namespace: Name,
    /// The leaf that it names.
    pub quota: Option<Name>,
    /// When it was submitted; what was there before counts from the begin on.
    pub submit_ms: u64,
    /// Its priority.
    pub priority: i32,
    /// Whether its pods may be evicted.
    pub preemptible: bool,
    /// Its disruption budget.
    pub budget: Option<Name>,
    /// What runs.
    pub runs: Runs,
}

/// What runs.
#[derive(Debug, Clone)]
pub enum Runs {
    /// A controller keeps so many pods.
    Replicas {
        /// What each requests.
        template: Arc<PodTemplate>,
        /// How many at first.
        replicas: u32,
        /// Later numbers.
        scales: Vec<Scale>,
    },
    /// Pods that end by themselves.
    Job {
        /// What each requests.
        template: Arc<PodTemplate>,
        /// How many must succeed.
        completions: u32,
        /// How many there are at once.
        parallelism: u32,
        /// The runtime of a pod that ended without an eviction, if any did.
        runtime_ms: Option<u64>,
        /// When it was deleted, if it was.
        withdrawn_ms: Option<u64>,
    },
    /// Pods that start together.
    Gang {
        /// What each requests, and how many do.
        roles: Vec<(Arc<PodTemplate>, u32)>,
        /// How many must run together.
        min: u32,
        /// The level of the domain that all must share.
        together: Option<Level>,
        /// How long it ran, if it ended by itself.
        runtime_ms: Option<u64>,
        /// When it was deleted, if it was.
        withdrawn_ms: Option<u64>,
    },
}

impl Work {
    /// The namespace that stands for the leaf that it names.
    #[must_use]
    pub fn visitors(&self) -> Option<Name> {
        self.quota.as_ref().map(|quota| format!("{}@{quota}", self.namespace).into())
    }
}

/// Which pods are one piece of work.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    Owner(Name, Name),
    Gang(Name),
    Pod(Name),
}

fn key(pod: &Pod) -> Key {
    match (&pod.gang, &pod.owner) {
        (Some(gang), _) => Key::Gang(gang.clone()),
        (None, Some(owner)) => Key::Owner(owner.uid.clone(), owner.name.clone()),
        (None, None) => Key::Pod(pod.name.clone()),
    }
}

/// The pieces of work, by the time of their submission, and what has no place in them.
pub(super) fn all_work(pods: impl Iterator<Item = Pod>, start: Time, end: Time) -> (Vec<Work>, Vec<String>) {
    let mut pieces: BTreeMap<Key, Vec<Pod>> = BTreeMap::new();
    for pod in pods.filter(|pod| !pod.is_of_its_node()) {
        pieces.entry(key(&pod)).or_default().push(pod);
    }
    let mut all: Vec<Work> = Vec::new();
    let mut mixed = 0;
    for (key, pods) in pieces {
        mixed += usize::from(!matches!(key, Key::Gang(_)) && pods.windows(2).any(differ));
        all.extend(piece(&key, &pods, start, end));
    }
    all.sort_by(|a, b| (a.submit_ms, &a.namespace, &a.name).cmp(&(b.submit_ms, &b.namespace, &b.name)));
    let mut taken: BTreeSet<Name> = BTreeSet::new();
    for work in &mut all {
        let plain = work.name.clone();
        for number in 1.. {
            work.name = match number {
                1 => plain.clone(),
                2 => format!("{}-{plain}", work.namespace).into(),
                _ => format!("{}-{plain}-{number}", work.namespace).into(),
            };
            if taken.insert(work.name.clone()) {
                break;
            }
        }
    }
    let note =
        format!("{mixed} controllers had pods with different requests: all their pods request what the first did");
    (all, if mixed > 0 { vec![note] } else { Vec::new() })
}

fn differ(pair: &[Pod]) -> bool {
    matches!(pair, [a, b] if a.template != b.template)
}

fn piece(key: &Key, pods: &[Pod], start: Time, end: Time) -> Option<Work> {
    let first = pods.iter().min_by_key(|pod| (pod.spec.submitted, &pod.name))?;
    let owner = first.owner.as_ref();
    let own = || first.name.as_str().rsplit('/').next().unwrap_or_default().into();
    let name = match key {
        Key::Gang(gang) => gang.as_str().rsplit('/').next().unwrap_or_default().into(),
        Key::Owner(_, name) => name.clone(),
        Key::Pod(_) => own(),
    };
    let kept = owner.is_some_and(|owner| !["Job", "Pod"].contains(&owner.kind.as_str()) && !is_batch(pods));
    let runs = match key {
        Key::Gang(_) => gang(pods, first, start),
        Key::Owner(..) if kept => replicas(pods, first, start, end),
        _ => job(pods, first, start),
    };
    let spec = &first.spec;
    Some(Work {
        name,
        namespace: spec.namespace.clone(),
        quota: spec.quota.clone(),
        submit_ms: spec.submitted.since(start),
        priority: spec.priority,
        preemptible: spec.preemptible,
        budget: spec.budget.clone(),
        runs,
    })
}

/// Whether pods end by themselves.
fn is_batch(pods: &[Pod]) -> bool {
    pods.iter().any(|pod| matches!(pod.gone, Some((_, PodOutcome::Succeeded))))
}

fn replicas(pods: &[Pod], first: &Pod, start: Time, end: Time) -> Runs {
    // How many there were after each change.
    let mut changes: BTreeMap<u64, i64> = BTreeMap::new();
    for pod in pods {
        *changes.entry(pod.spec.submitted.since(start)).or_default() += 1;
        if let Some(left) = pod.left {
            *changes.entry(left.since(start)).or_default() -= 1;
        }
    }
    let mut count = 0;
    let counts: Vec<(u64, i64)> = changes
        .into_iter()
        .map(|(at, change)| {
            count += change;
            (at, count)
        })
        .collect();
    let ends = counts.iter().skip(1).map(|(at, _)| *at).chain([end.since(start).saturating_add(STEADY_MS)]);
    let steady = counts.iter().zip(ends).filter(|((at, _), until)| until.saturating_sub(*at) >= STEADY_MS);
    let mut scales: Vec<Scale> = Vec::new();
    for ((at, count), _) in steady {
        let replicas = u32::try_from(*count).unwrap_or(0);
        if scales.last().is_none_or(|last| last.replicas != replicas) {
            scales.push(Scale { at_ms: *at, replicas });
        }
    }
    let at_first = if scales.is_empty() { 0 } else { scales.remove(0).replicas };
    Runs::Replicas { template: first.template.clone(), replicas: at_first, scales }
}

fn job(pods: &[Pod], first: &Pod, start: Time) -> Runs {
    let ended = |pod: &&Pod| matches!(pod.gone, Some((_, PodOutcome::Succeeded | PodOutcome::Failed)));
    let succeeded = pods.iter().filter(|pod| matches!(pod.gone, Some((_, PodOutcome::Succeeded)))).count();
    let most = at_once(pods);
    let completions = succeeded.max(most);
    let stays = pods.iter().any(|pod| pod.gone.is_none());
    Runs::Job {
        template: first.template.clone(),
        completions: u32::try_from(completions).unwrap_or(u32::MAX).max(1),
        parallelism: u32::try_from(most).unwrap_or(u32::MAX).max(1),
        runtime_ms: pods.iter().filter(ended).filter_map(ran).max(),
        withdrawn_ms: withdrawn(pods, start).filter(|_| !stays && succeeded == 0),
    }
}

fn gang(pods: &[Pod], first: &Pod, start: Time) -> Runs {
    // Of gangs that came again, the first pods count.
    let submitted = first.spec.submitted;
    let mut roles: Vec<(Arc<PodTemplate>, u32)> = Vec::new();
    for pod in pods.iter().filter(|pod| pod.spec.submitted == submitted) {
        match roles.iter_mut().find(|(template, _)| *template == pod.template) {
            Some((_, count)) => *count += 1,
            None => roles.push((pod.template.clone(), 1)),
        }
    }
    let ended = |pod: &&Pod| matches!(pod.gone, Some((_, PodOutcome::Succeeded)));
    let runtime_ms = pods.iter().filter(ended).filter_map(ran).max();
    let stays = pods.iter().any(|pod| pod.gone.is_none());
    Runs::Gang {
        roles,
        min: first.spec.min,
        together: first.spec.together,
        runtime_ms,
        withdrawn_ms: withdrawn(pods, start).filter(|_| !stays && runtime_ms.is_none()),
    }
}

/// How long a pod that is gone has run.
fn ran(pod: &Pod) -> Option<u64> {
    let (gone, _) = pod.gone?;
    pod.started.map(|started| gone.since(started))
}

/// When the last pod was gone.
fn withdrawn(pods: &[Pod], start: Time) -> Option<u64> {
    pods.iter().filter_map(|pod| pod.left).max().map(|left| left.since(start))
}

/// The most pods that there were at once.
fn at_once(pods: &[Pod]) -> usize {
    let mut changes: Vec<(Time, bool)> = pods.iter().map(|pod| (pod.spec.submitted, true)).collect();
    changes.extend(pods.iter().filter_map(|pod| pod.left).map(|left| (left, false)));
    changes.sort();
    let (mut now, mut most) = (0_usize, 0);
    for (_, came) in changes {
        now = if came { now + 1 } else { now.saturating_sub(1) };
        most = most.max(now);
    }
    most
}
