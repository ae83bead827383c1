//! Reads documents as facts: the relevant fields of pods and nodes. Each problem names its place.

use crate::document::{Place, Taken};
use jiff::Timestamp;
use quotree_core::Name;
use quotree_k8s::{
    ActualSizes, ContainerFacts, Labels, Loss, NodeFacts, Phase, PodFacts, Sizes, Taint, WorkloadRef,
    affinity::{self, NodeTerm, Requirement},
    tolerations::{self, Toleration},
};
use quotree_model::MAX_MS;
use std::collections::{BTreeMap, BTreeSet};

/// The namespace of objects that name none.
const DEFAULT_NAMESPACE: &str = "default";

/// The namespace of an object.
pub(super) fn namespace(place: &Place<'_>) -> Taken<Name> {
    Ok(place.get("metadata").get("namespace").text()?.unwrap_or(DEFAULT_NAMESPACE).into())
}

/// A map of texts, such as labels.
pub(super) fn texts(place: &Place<'_>) -> Taken<Labels> {
    let entries = place.entries()?;
    entries.into_iter().map(|(key, value)| Ok((key.into(), value.text()?.unwrap_or_default().into()))).collect()
}

/// The text here; `None` if it is absent or empty.
pub(super) fn name_of(place: &Place<'_>) -> Taken<Option<Name>> {
    Ok(place.text()?.filter(|text| !text.is_empty()).map(Name::from))
}

/// Whether the value is `true`.
pub(super) fn is_true(place: &Place<'_>) -> Taken<bool> {
    Ok(place.text()? == Some("true"))
}

/// A timestamp as milliseconds since 1970.
fn moment(place: &Place<'_>) -> Taken<Option<i64>> {
    let Some(text) = place.text()? else { return Ok(None) };
    let stamp = text
        .parse::<Timestamp>()
        .map_err(|_| place.refuse(format!("`{text}` is not a time such as `2026-05-01T12:00:00Z`")))?;
    Ok(Some(stamp.as_millisecond()))
}

/// A node.
pub(super) fn node(place: &Place<'_>) -> Taken<NodeFacts> {
    let (metadata, spec, status) = (place.get("metadata"), place.get("spec"), place.get("status"));
    let mut ready = None;
    for condition in status.get("conditions").items()? {
        if condition.get("type").text()? == Some("Ready") {
            ready = Some(condition.get("status").text()? == Some("True"));
        }
    }
    let taints: Taken<Vec<Taint>> = spec.get("taints").items()?.iter().map(taint).collect();
    Ok(NodeFacts {
        name: metadata.get("name").name()?.into(),
        labels: texts(&metadata.get("labels"))?,
        capacity: status.get("capacity").quantities()?,
        allocatable: status.get("allocatable").quantities()?,
        taints: taints?,
        unschedulable: is_true(&spec.get("unschedulable"))?,
        ready,
    })
}

/// A taint.
pub(crate) fn taint(place: &Place<'_>) -> Taken<Taint> {
    Ok(Taint {
        key: place.get("key").name()?.into(),
        value: place.get("value").text()?.unwrap_or_default().into(),
        effect: place.get("effect").text()?.unwrap_or("NoSchedule").into(),
    })
}

/// A pod. If it has ended, only its name and phase are read.
pub(super) fn pod(place: &Place<'_>) -> Taken<PodFacts> {
    let (metadata, spec, status) = (place.get("metadata"), place.get("spec"), place.get("status"));
    let phase = Phase::of(status.get("phase").text()?.unwrap_or_default());
    let mut pod = PodFacts { namespace: namespace(place)?, phase, ..PodFacts::default() };
    if matches!(phase, Phase::Succeeded | Phase::Failed) {
        pod.name = name_of(&metadata.get("name"))?.unwrap_or_default();
        return Ok(pod);
    }
    pod.name = metadata.get("name").name()?.into();
    let created = metadata.get("creationTimestamp");
    pod.created_ms = moment(&created)?.ok_or_else(|| created.refuse("expected a time"))?;
    pod.deleted_ms = moment(&metadata.get("deletionTimestamp"))?;
    pod.started_ms = moment(&status.get("startTime"))?;
    (pod.labels, pod.annotations) = (texts(&metadata.get("labels"))?, texts(&metadata.get("annotations"))?);
    for owner in metadata.get("ownerReferences").items()? {
        if is_true(&owner.get("controller"))? {
            pod.controller = name_of(&owner.get("kind"))?;
        }
    }
    pod.scheduler = name_of(&spec.get("schedulerName"))?;
    for gate in spec.get("schedulingGates").items()? {
        pod.gates.push(gate.get("name").name()?.into());
    }
    pod.node = name_of(&spec.get("nodeName"))?;
    pod.priority = spec.get("priority").priority()?;
    pod.priority_class = name_of(&spec.get("priorityClassName"))?;
    pod.never_preempts = spec.get("preemptionPolicy").text()? == Some("Never");
    let limit = spec.get("activeDeadlineSeconds").count(0, MAX_MS / 1000)?;
    pod.runtime_limit_ms = (limit > 0).then_some(limit * 1000);
    sizes_of_pod(&mut pod, &spec, &status)?;
    constraints(&mut pod, &spec)?;
    pod.scheduling_group = name_of(&spec.get("schedulingGroup").get("podGroupName"))?;
    let reference = spec.get("workloadRef");
    if reference.is_there() {
        pod.workload_ref = Some(WorkloadRef {
            name: reference.get("name").name()?.into(),
            group: reference.get("podGroup").name()?.into(),
            replica: name_of(&reference.get("podGroupReplicaKey"))?,
        });
    }
    Ok(pod)
}

/// What the pod and its containers request.
fn sizes_of_pod(pod: &mut PodFacts, spec: &Place<'_>, status: &Place<'_>) -> Taken<()> {
    let mut actual = BTreeMap::new();
    for field in ["containerStatuses", "initContainerStatuses"] {
        for container in status.get(field).items()? {
            let name = container.get("name").text()?.unwrap_or_default();
            actual.extend(self::actual(&container)?.map(|sizes| (name, sizes)));
        }
    }
    let mut containers = |field: &str| -> Taken<Vec<ContainerFacts>> {
        let read = |place: &Place<'_>| {
            let mut sizes = sizes(&place.get("resources"))?;
            sizes.actual = actual.remove(place.get("name").text()?.unwrap_or_default());
            Ok(ContainerFacts { sizes, sidecar: place.get("restartPolicy").text()? == Some("Always") })
        };
        spec.get(field).items()?.iter().map(read).collect()
    };
    (pod.containers, pod.init_containers) = (containers("containers")?, containers("initContainers")?);
    let whole = spec.get("resources");
    if whole.is_there() {
        pod.pod_level = Some(Sizes { actual: self::actual(status)?, ..sizes(&whole)? });
    }
    pod.overhead = spec.get("overhead").quantities()?;
    pod.resize_infeasible = status.get("resize").text()? == Some("Infeasible");
    for condition in status.get("conditions").items()? {
        let kind = condition.get("type").text()?;
        pod.resize_infeasible |=
            kind == Some("PodResizePending") && condition.get("reason").text()? == Some("Infeasible");
    }
    Ok(())
}

fn sizes(resources: &Place<'_>) -> Taken<Sizes> {
    let (requests, limits) = (resources.get("requests").quantities()?, resources.get("limits").quantities()?);
    Ok(Sizes { requests, limits, actual: None })
}

/// The sizes in a status; `None` if it has no `resources`.
fn actual(status: &Place<'_>) -> Taken<Option<ActualSizes>> {
    let resources = status.get("resources");
    if !resources.is_there() {
        return Ok(None);
    }
    let allocated = status.get("allocatedResources").quantities()?;
    Ok(Some(ActualSizes { allocated, actuated: resources.get("requests").quantities()? }))
}

/// The constraints on the nodes of the pod, and its other requirements on nodes.
fn constraints(pod: &mut PodFacts, spec: &Place<'_>) -> Taken<()> {
    pod.node_selector = texts(&spec.get("nodeSelector"))?.into_iter().collect();
    let affinity = spec.get("affinity");
    let required = affinity.get("nodeAffinity").get("requiredDuringSchedulingIgnoredDuringExecution");
    if required.is_there() {
        let terms = required.get("nodeSelectorTerms").items()?;
        pod.node_terms = Some(terms.iter().map(node_term).collect::<Taken<_>>()?);
    }
    for place in spec.get("tolerations").items()? {
        let operator = place.get("operator");
        let name = operator.text()?.unwrap_or_default();
        pod.tolerations.push(Toleration {
            key: place.get("key").text()?.unwrap_or_default().into(),
            operator: tolerations::Operator::of(name)
                .ok_or_else(|| operator.refuse(format!("`{name}` is not an operator: Equal, Exists, Gt or Lt")))?,
            value: place.get("value").text()?.unwrap_or_default().into(),
            effect: place.get("effect").text()?.unwrap_or_default().into(),
        });
    }
    pod.losses = losses(spec, &affinity)?;
    Ok(())
}

fn node_term(place: &Place<'_>) -> Taken<NodeTerm> {
    let requirements = |field: &str| place.get(field).items()?.iter().map(requirement).collect::<Taken<_>>();
    Ok(NodeTerm { expressions: requirements("matchExpressions")?, fields: requirements("matchFields")? })
}

/// A requirement of a node selector or a label selector.
pub(super) fn requirement(place: &Place<'_>) -> Taken<Requirement> {
    let operator = place.get("operator");
    let name = operator.text()?.unwrap_or_default();
    let values = place.get("values").items()?;
    Ok(Requirement {
        key: place.get("key").name()?.into(),
        operator: affinity::Operator::of(name).ok_or_else(|| {
            operator.refuse(format!("`{name}` is not an operator: In, NotIn, Exists, DoesNotExist, Gt or Lt"))
        })?,
        values: values.iter().map(|value| Ok(value.text()?.unwrap_or_default().into())).collect::<Taken<_>>()?,
    })
}

/// What the pod requests that the core does not model.
fn losses(spec: &Place<'_>, affinity: &Place<'_>) -> Taken<BTreeSet<Loss>> {
    let mut losses = BTreeSet::new();
    let mut note = |found: bool, loss: Loss| found.then(|| losses.insert(loss));
    for (field, loss) in [
        ("nodeAffinity", None),
        ("podAffinity", Some(Loss::PodAffinity)),
        ("podAntiAffinity", Some(Loss::PodAntiAffinity)),
    ] {
        let rules = affinity.get(field);
        if let Some(loss) = loss {
            note(!rules.get("requiredDuringSchedulingIgnoredDuringExecution").items()?.is_empty(), loss);
        }
        let preferred = rules.get("preferredDuringSchedulingIgnoredDuringExecution").items()?;
        note(!preferred.is_empty(), Loss::Preferences);
    }
    for constraint in spec.get("topologySpreadConstraints").items()? {
        let soft = constraint.get("whenUnsatisfiable").text()? == Some("ScheduleAnyway");
        note(true, if soft { Loss::Preferences } else { Loss::Spread });
    }
    note(!spec.get("resourceClaims").items()?.is_empty(), Loss::ResourceClaims);
    // On the network of the host, each port of a container is a port of the host.
    let host_network = is_true(&spec.get("hostNetwork"))?;
    for field in ["containers", "initContainers"] {
        for container in spec.get(field).items()? {
            for port in container.get("ports").items()? {
                note(host_network || port.get("hostPort").count(0, 65_535)? > 0, Loss::HostPorts);
            }
        }
    }
    for volume in spec.get("volumes").items()? {
        let claims = volume.get("persistentVolumeClaim").is_there() || volume.get("ephemeral").is_there();
        note(claims, Loss::VolumeClaims);
    }
    Ok(losses)
}
