//! Which gang a pod belongs to, and what the minimum of the gang is. There are seven ways to declare a gang; if a pod
//! has several, the first in the order of [`GangKind`] counts.
//!
//! Sources: KEP 4671 and 5710 (`scheduling.k8s.io`), the documentation of scheduler-plugins (coscheduling), Volcano,
//! Koordinator and Kueue (plain pods).

use crate::{Labels, NodeSettings, first_of, names, pod_facts::PodFacts};
use quotree_core::{Level, Name};

/// How a pod declares that it belongs to a gang.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum GangKind {
    /// `spec.schedulingGroup.podGroupName`: a PodGroup of `scheduling.k8s.io`, or before 1.36 `spec.workloadRef`: a group
    /// of a Workload.
    SchedulingGroup,
    /// Label `scheduling.x-k8s.io/pod-group`: a PodGroup of scheduler-plugins.
    Coscheduling,
    /// Labels `pod-group.scheduling.sigs.k8s.io/name` and `/min-available`, without an object.
    LightLabels,
    /// Annotation `scheduling.k8s.io/group-name`: a PodGroup of Volcano.
    Volcano,
    /// Annotations `gang.scheduling.koordinator.sh/name` and `/min-available`, without an object.
    Koordinator,
    /// Label `kueue.x-k8s.io/pod-group-name` and annotation `kueue.x-k8s.io/pod-group-total-count`, without an object.
    Kueue,
    /// The label of a Job, JobSet or Kubeflow job whose pods have the annotation `quotree.io/gang-min`.
    Job,
}

impl GangKind {
    /// The kind of gang that an object of kind `PodGroup` or `Workload` and this API group describes; `None` if none.
    #[must_use]
    pub fn of_object(kind: &str, group: &str) -> Option<Self> {
        Some(match (kind, group) {
            ("PodGroup" | "Workload", "scheduling.k8s.io") => Self::SchedulingGroup,
            ("PodGroup", "scheduling.x-k8s.io" | "scheduling.sigs.k8s.io") => Self::Coscheduling,
            ("PodGroup", "scheduling.volcano.sh") => Self::Volcano,
            _ => return None,
        })
    }
}

/// A gang of a cluster.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GangId {
    /// How its pods declare it.
    pub kind: GangKind,
    /// The namespace of its pods.
    pub namespace: Name,
    /// Its name.
    pub name: Name,
}

/// What a pod declares about its gang.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Membership {
    /// The gang.
    pub gang: GangId,
    /// The name of the object that has the minimum.
    pub object: Option<Name>,
    /// The minimum that the pod itself states.
    pub stated: Option<StatedMin>,
    /// Its role, if the gang has a minimum for each role.
    pub role: Option<Name>,
}

/// A minimum that a pod states.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StatedMin {
    /// This many pods.
    Pods(u32),
    /// All pods of the gang.
    All,
}

/// A minimum that is not a number above 0.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadMin {
    /// The label or annotation.
    pub key: &'static str,
    /// Its value; `None` if it is absent.
    pub value: Option<Name>,
}

/// The gang that a pod belongs to, if it belongs to one.
///
/// # Errors
/// [`BadMin`] if the pod must state the minimum and does not, or if it states something other than a number above 0.
pub fn membership(pod: &PodFacts) -> Result<Option<Membership>, BadMin> {
    let of = |kind, name: &Name| Membership {
        gang: GangId { kind, namespace: pod.namespace.clone(), name: name.clone() },
        object: None,
        stated: None,
        role: None,
    };
    let stating = |kind, name: &Name, labels: &Labels, key| {
        Ok(Some(Membership { stated: Some(StatedMin::Pods(count(labels, key)?)), ..of(kind, name) }))
    };
    if let Some(group) = &pod.scheduling_group {
        return Ok(Some(Membership { object: Some(group.clone()), ..of(GangKind::SchedulingGroup, group) }));
    }
    if let Some(reference) = &pod.workload_ref {
        let object = workload_group(&reference.name, &reference.group);
        let replica = reference.replica.as_ref().map_or(String::new(), |replica| format!("/{replica}"));
        let gang = format!("{object}{replica}").into();
        return Ok(Some(Membership { object: Some(object), ..of(GangKind::SchedulingGroup, &gang) }));
    }
    if let Some(group) = pod.labels.get(names::COSCHEDULING_GROUP) {
        return Ok(Some(Membership { object: Some(group.clone()), ..of(GangKind::Coscheduling, group) }));
    }
    if let Some(group) = pod.labels.get(names::LIGHT_GROUP) {
        return stating(GangKind::LightLabels, group, &pod.labels, names::LIGHT_MIN);
    }
    if let Some(group) = first_of(&pod.annotations, &names::VOLCANO_GROUP) {
        let role = pod.annotations.get(names::VOLCANO_TASK).cloned();
        return Ok(Some(Membership { object: Some(group.clone()), role, ..of(GangKind::Volcano, group) }));
    }
    if let Some(group) = pod.annotations.get(names::KOORDINATOR_GANG) {
        return stating(GangKind::Koordinator, group, &pod.annotations, names::KOORDINATOR_GANG_MIN);
    }
    if let Some(group) = pod.labels.get(names::KUEUE_GROUP) {
        return stating(GangKind::Kueue, group, &pod.annotations, names::KUEUE_COUNT);
    }
    match (first_of(&pod.labels, &names::JOB_NAMES), pod.annotations.get(names::GANG_MIN)) {
        (Some(job), Some(all)) if *all == "all" => {
            Ok(Some(Membership { stated: Some(StatedMin::All), ..of(GangKind::Job, job) }))
        }
        (Some(job), Some(_)) => stating(GangKind::Job, job, &pod.annotations, names::GANG_MIN),
        _ => Ok(None),
    }
}

/// The name under which the group of a Workload is stored: the names of both, since a group name is unique only within
/// its Workload.
#[must_use]
pub fn workload_group(workload: &Name, group: &Name) -> Name {
    format!("{workload}/{group}").into()
}

fn count(labels: &Labels, key: &'static str) -> Result<u32, BadMin> {
    let value = labels.get(key);
    let number = value.and_then(|value| value.as_str().parse().ok()).filter(|count| *count > 0);
    number.ok_or_else(|| BadMin { key, value: value.cloned() })
}

/// A PodGroup of any kind, or a group of a Workload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupFacts {
    /// The kind of gang that it describes.
    pub kind: GangKind,
    /// Its namespace.
    pub namespace: Name,
    /// Its name; for a group of a Workload, that of [`workload_group`].
    pub name: Name,
    /// `minMember`, or `minCount` of the gang policy; `None` if the pods are scheduled one by one.
    pub min: Option<u32>,
    /// `minTaskMember`: the minimum of each role.
    pub by_role: Vec<(Name, u32)>,
    /// Whether its pods are evicted only all together (`disruptionMode` `All`, before beta `PodGroup`).
    pub whole: bool,
    /// The label of the topology level at which all its pods must share a domain.
    pub topology: Option<Name>,
}

/// The minimum of a gang.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Minimum {
    /// How many pods must run together, at least 1.
    pub pods: u32,
    /// The minimum of each role.
    pub by_role: Vec<(Name, u32)>,
    /// The topology level at which all pods must share a domain.
    pub together: Option<Level>,
    /// The label of a topology level that the core does not have.
    pub unknown_level: Option<Name>,
}

/// The minimum of the gang of a pod; `members` is the number of its pods. `None` if the object of the gang is not
/// known: the kube-scheduler then makes the pods wait for it.
#[must_use]
pub fn minimum(
    membership: &Membership,
    object: Option<&GroupFacts>,
    members: u32,
    settings: &NodeSettings,
) -> Option<Minimum> {
    match membership.stated {
        Some(StatedMin::Pods(pods)) => return Some(Minimum { pods, ..Minimum::default() }),
        Some(StatedMin::All) => return Some(Minimum { pods: members.max(1), ..Minimum::default() }),
        None => {}
    }
    let object = object?;
    let least = object.min.unwrap_or(1).max(1);
    let level = object.topology.as_ref().and_then(|label| settings.level(label.as_str()));
    Some(Minimum {
        pods: if object.whole { least.max(members) } else { least },
        by_role: object.by_role.clone(),
        together: level,
        unknown_level: object.topology.clone().filter(|_| level.is_none()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::WorkloadRef;

    /// A pod with these labels (`key=value`) and annotations (`@key=value`).
    fn pod(text: &str) -> PodFacts {
        let mut pod = PodFacts { namespace: "ns".into(), ..PodFacts::default() };
        for word in text.split_whitespace() {
            let (key, value) = word.trim_start_matches('@').split_once('=').unwrap();
            let map = if word.starts_with('@') { &mut pod.annotations } else { &mut pod.labels };
            map.insert(key.into(), value.into());
        }
        pod
    }

    #[test]
    fn seven_ways_to_name_a_gang() {
        use GangKind::{Coscheduling, Job, Koordinator, Kueue, LightLabels, Volcano};
        let four = Some(StatedMin::Pods(4));
        let rows = [
            ("scheduling.x-k8s.io/pod-group=g", Some((Coscheduling, None))),
            (
                "pod-group.scheduling.sigs.k8s.io/name=g pod-group.scheduling.sigs.k8s.io/min-available=4",
                Some((LightLabels, four)),
            ),
            ("@scheduling.k8s.io/group-name=g", Some((Volcano, None))),
            ("@scheduling.volcano.sh/group-name=g", Some((Volcano, None))),
            (
                "@gang.scheduling.koordinator.sh/name=g @gang.scheduling.koordinator.sh/min-available=4",
                Some((Koordinator, four)),
            ),
            ("kueue.x-k8s.io/pod-group-name=g @kueue.x-k8s.io/pod-group-total-count=4", Some((Kueue, four))),
            ("batch.kubernetes.io/job-name=g @quotree.io/gang-min=4", Some((Job, four))),
            (
                "jobset.sigs.k8s.io/jobset-name=g job-name=g-0 @quotree.io/gang-min=all",
                Some((Job, Some(StatedMin::All))),
            ),
            ("training.kubeflow.org/job-name=g @quotree.io/gang-min=4", Some((Job, four))),
            ("batch.kubernetes.io/job-name=g", None),
            ("@quotree.io/gang-min=4", None),
            ("app=web", None),
            // Of several, the first of the list counts.
            ("scheduling.x-k8s.io/pod-group=g @scheduling.k8s.io/group-name=other", Some((Coscheduling, None))),
            ("@scheduling.k8s.io/group-name=g kueue.x-k8s.io/pod-group-name=other", Some((Volcano, None))),
        ];
        for (text, wanted) in rows {
            let seen = membership(&pod(text)).unwrap();
            let seen = seen.map(|member| (member.gang.name.to_string(), (member.gang.kind, member.stated)));
            assert_eq!(seen, wanted.map(|wanted| ("g".to_owned(), wanted)), "{text}");
        }
        let mut named = pod("scheduling.x-k8s.io/pod-group=other");
        named.workload_ref =
            Some(WorkloadRef { name: "train".into(), group: "workers".into(), replica: Some("1".into()) });
        let of_workload = membership(&named).unwrap().unwrap();
        assert_eq!(of_workload.gang.name, "train/workers/1");
        assert_eq!(of_workload.object, Some(workload_group(&"train".into(), &"workers".into())));
        named.scheduling_group = Some("g".into());
        let first = membership(&named).unwrap().unwrap();
        assert_eq!((first.gang.kind, first.gang.name.as_str()), (GangKind::SchedulingGroup, "g"));
    }

    #[test]
    fn a_minimum_that_is_no_number_is_told() {
        for text in [
            "pod-group.scheduling.sigs.k8s.io/name=g",
            "pod-group.scheduling.sigs.k8s.io/name=g pod-group.scheduling.sigs.k8s.io/min-available=0",
            "@gang.scheduling.koordinator.sh/name=g @gang.scheduling.koordinator.sh/min-available=most",
            "kueue.x-k8s.io/pod-group-name=g",
            "job-name=g @quotree.io/gang-min=-1",
        ] {
            assert!(membership(&pod(text)).is_err(), "{text}");
        }
    }

    #[test]
    fn the_minimum_is_the_objects_or_the_pods() {
        let group = |min, whole, topology: &str| GroupFacts {
            kind: GangKind::SchedulingGroup,
            namespace: "ns".into(),
            name: "g".into(),
            min,
            by_role: Vec::new(),
            whole,
            topology: (!topology.is_empty()).then(|| topology.into()),
        };
        let of = |object: Option<&GroupFacts>| {
            let facts = PodFacts { scheduling_group: Some("g".into()), ..pod("") };
            minimum(&membership(&facts).unwrap().unwrap(), object, 6, &NodeSettings::default())
        };
        assert_eq!(of(None), None, "its pods wait for the object");
        assert_eq!(of(Some(&group(Some(4), false, ""))).unwrap().pods, 4, "two are elastic");
        assert_eq!(of(Some(&group(Some(4), true, ""))).unwrap().pods, 6, "nothing is elastic");
        assert_eq!(of(Some(&group(None, false, ""))).unwrap().pods, 1, "basic policy: one by one");
        let rack = of(Some(&group(Some(4), false, names::RACK))).unwrap();
        assert_eq!((rack.together, rack.unknown_level), (Some(Level::Rack), None));
        let odd = of(Some(&group(Some(4), false, "block"))).unwrap();
        assert_eq!((odd.together, odd.unknown_level), (None, Some("block".into())));
        let all = membership(&pod("job-name=g @quotree.io/gang-min=all")).unwrap().unwrap();
        assert_eq!(minimum(&all, None, 6, &NodeSettings::default()).unwrap().pods, 6);
        let kinds = [
            ("PodGroup", "scheduling.k8s.io", Some(GangKind::SchedulingGroup)),
            ("Workload", "scheduling.k8s.io", Some(GangKind::SchedulingGroup)),
            ("PodGroup", "scheduling.x-k8s.io", Some(GangKind::Coscheduling)),
            ("PodGroup", "scheduling.volcano.sh", Some(GangKind::Volcano)),
            ("Workload", "kueue.x-k8s.io", None),
        ];
        for (kind, group, wanted) in kinds {
            assert_eq!(GangKind::of_object(kind, group), wanted, "{kind} of {group}");
        }
    }
}
