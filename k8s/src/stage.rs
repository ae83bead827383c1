//! The stage of a pod, whether quotree schedules it, and its priority.

use crate::{
    Labels, first_of, names,
    pod_facts::{Phase, PodFacts},
};
use quotree_core::Name;
use std::collections::BTreeMap;

/// The stage of a pod, as far as the API shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Stage {
    /// It has succeeded or failed, so it uses nothing.
    Ended,
    /// It is being deleted and was never on a node, so it uses nothing.
    Deleted,
    /// A scheduling gate of another project holds it back. The core does not get the pod before the gate is removed.
    Gated,
    /// It waits for a node.
    Waiting {
        /// Whether quotree's own gate holds it back.
        ours: bool,
    },
    /// It is on its node.
    Bound,
    /// It is being deleted, and counts on its node until it is gone.
    Leaving,
}

/// The stage of a pod.
#[must_use]
pub fn stage(pod: &PodFacts) -> Stage {
    let bound = pod.node.as_ref().is_some_and(|node| *node != "");
    match (pod.phase, pod.deleted_ms.is_some(), bound) {
        (Phase::Succeeded | Phase::Failed, ..) => Stage::Ended,
        (_, true, false) => Stage::Deleted,
        (_, true, true) => Stage::Leaving,
        (_, false, true) => Stage::Bound,
        _ if pod.gates.iter().any(|gate| *gate != names::GATE) => Stage::Gated,
        _ => Stage::Waiting { ours: !pod.gates.is_empty() },
    }
}

/// Why quotree may neither place nor evict a pod.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Foreign {
    /// A kubelet runs it without a scheduler (static pod).
    Static,
    /// It belongs to a DaemonSet, which would create it on the same node again.
    DaemonSet,
    /// It belongs to the cluster itself (namespace `kube-system`).
    System,
    /// It names a scheduler of another project.
    Scheduler,
}

/// Why quotree may not schedule a pod; `schedulers` are the names under which quotree schedules. `None` if it may.
#[must_use]
pub fn foreign(pod: &PodFacts, schedulers: &[Name]) -> Option<Foreign> {
    let scheduler = pod.scheduler.as_ref().map_or(names::DEFAULT_SCHEDULER, Name::as_str);
    let controlled = |kind: &str| pod.controller.as_ref().is_some_and(|controller| *controller == kind);
    if pod.annotations.contains_key(names::MIRROR) || controlled("Node") {
        Some(Foreign::Static)
    } else if controlled("DaemonSet") {
        Some(Foreign::DaemonSet)
    } else if pod.namespace == names::SYSTEM_NAMESPACE {
        Some(Foreign::System)
    } else {
        (!schedulers.iter().any(|ours| *ours == scheduler)).then_some(Foreign::Scheduler)
    }
}

/// Whether a pod may be evicted for others. It may, unless a label states `false` (for Volcano, a label or an
/// annotation).
#[must_use]
pub fn preemptible(pod: &PodFacts) -> bool {
    let refuses = |labels: &Labels, key: &str| labels.get(key).is_some_and(|value| *value == "false");
    !names::PREEMPTIBLE.iter().any(|key| refuses(&pod.labels, key) || refuses(&pod.annotations, key))
}

/// The quota that a pod names by label; `None`: the quota of its namespace.
#[must_use]
pub fn named_quota(pod: &PodFacts) -> Option<&Name> {
    first_of(&pod.labels, &names::QUOTA_NAME)
}

/// A PriorityClass.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PriorityClass {
    /// `value`.
    pub value: i32,
    /// `globalDefault`: pods that name no class have this one.
    pub default: bool,
    /// Whether `preemptionPolicy` is `Never`.
    pub never_preempts: bool,
}

/// The priority class of a pod: the one that it names, or the default class; `None` if it is not known.
#[must_use]
pub fn class_of(pod: &PodFacts, classes: &BTreeMap<Name, PriorityClass>) -> Option<PriorityClass> {
    let built_in = |value| PriorityClass { value, ..PriorityClass::default() };
    match pod.priority_class.as_ref().filter(|name| **name != "") {
        None => classes.values().find(|class| class.default).copied(),
        Some(name) => classes.get(name).copied().or(match name.as_str() {
            "system-node-critical" => Some(built_in(2_000_001_000)),
            "system-cluster-critical" => Some(built_in(2_000_000_000)),
            _ => None,
        }),
    }
}

/// The priority of a pod: `spec.priority`, which the API server sets; in a manifest without it, the value of the class.
/// `None` if the pod names a class that is not known.
#[must_use]
pub fn priority(pod: &PodFacts, classes: &BTreeMap<Name, PriorityClass>) -> Option<i32> {
    let named = pod.priority_class.as_ref().is_some_and(|name| *name != "");
    pod.priority.or_else(|| class_of(pod, classes).map(|class| class.value)).or((!named).then_some(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pod() -> PodFacts {
        PodFacts { namespace: "team".into(), ..PodFacts::default() }
    }

    #[test]
    fn a_pod_stands_where_its_fields_say() {
        let rows: [(&str, &[&str], &str, bool, Stage); 10] = [
            ("Pending", &[], "", false, Stage::Waiting { ours: false }),
            ("Pending", &[names::GATE], "", false, Stage::Waiting { ours: true }),
            ("Pending", &["example.com/hold"], "", false, Stage::Gated),
            ("Pending", &[names::GATE, "example.com/hold"], "", false, Stage::Gated),
            ("Pending", &[], "n0", false, Stage::Bound),
            ("Running", &[], "n0", false, Stage::Bound),
            ("Running", &[], "n0", true, Stage::Leaving),
            ("Pending", &[], "", true, Stage::Deleted),
            ("Succeeded", &[], "n0", false, Stage::Ended),
            ("Failed", &[], "n0", true, Stage::Ended),
        ];
        for (phase, gates, node, deleted, wanted) in rows {
            let facts = PodFacts {
                phase: Phase::of(phase),
                gates: gates.iter().map(|gate| Name::from(*gate)).collect(),
                node: Some(node.into()),
                deleted_ms: deleted.then_some(1),
                ..pod()
            };
            assert_eq!(stage(&facts), wanted, "{phase} {gates:?} {node} {deleted}");
        }
    }

    #[test]
    fn pods_that_others_run_are_foreign() {
        let ours = [Name::from(names::DEFAULT_SCHEDULER)];
        let with = |change: &dyn Fn(&mut PodFacts)| {
            let mut pod = pod();
            change(&mut pod);
            foreign(&pod, &ours)
        };
        assert_eq!(with(&|_| {}), None);
        assert_eq!(with(&|pod| pod.controller = Some("ReplicaSet".into())), None);
        assert_eq!(with(&|pod| pod.controller = Some("DaemonSet".into())), Some(Foreign::DaemonSet));
        assert_eq!(with(&|pod| pod.controller = Some("Node".into())), Some(Foreign::Static));
        assert_eq!(with(&|pod| drop(pod.annotations.insert(names::MIRROR.into(), "x".into()))), Some(Foreign::Static));
        assert_eq!(with(&|pod| pod.namespace = "kube-system".into()), Some(Foreign::System));
        assert_eq!(with(&|pod| pod.scheduler = Some("volcano".into())), Some(Foreign::Scheduler));
    }

    #[test]
    fn labels_say_who_may_be_evicted_and_which_quota_pays() {
        for key in names::PREEMPTIBLE {
            for (value, wanted) in [("false", false), ("true", true), ("", true)] {
                let facts = PodFacts { labels: [(key.into(), value.into())].into(), ..pod() };
                assert_eq!(preemptible(&facts), wanted, "{key}: {value}");
            }
        }
        for key in names::QUOTA_NAME {
            let facts = PodFacts { labels: [(key.into(), "gold".into())].into(), ..pod() };
            assert_eq!(named_quota(&facts), Some(&"gold".into()), "{key}");
        }
        assert_eq!((named_quota(&pod()), preemptible(&pod())), (None, true));
    }

    #[test]
    fn the_priority_is_the_pods_or_its_classs() {
        let class = |value, default| PriorityClass { value, default, never_preempts: false };
        let classes: BTreeMap<Name, PriorityClass> =
            [("high".into(), class(100, false)), ("usual".into(), class(7, true))].into();
        // spec.priority, class | priority with these classes, and with none
        let rows = [
            (Some(5), "high", Some(5), Some(5)),
            (None, "high", Some(100), None),
            (None, "", Some(7), Some(0)),
            (None, "system-node-critical", Some(2_000_001_000), Some(2_000_001_000)),
            (None, "system-cluster-critical", Some(2_000_000_000), Some(2_000_000_000)),
            (None, "gone", None, None),
        ];
        for (number, name, with, without) in rows {
            let facts = PodFacts { priority: number, priority_class: Some(name.into()), ..pod() };
            assert_eq!(priority(&facts, &classes), with, "{name}");
            assert_eq!(priority(&facts, &BTreeMap::new()), without, "{name}");
        }
    }
}
