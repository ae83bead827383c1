//! A pod as the API shows it, as facts.

use super::{
    SeenPod,
    read::{Unreadable, Wrong, amounts, labels, name, requirement, text, time},
    slim::{Container, ContainerStatus, NodeSelectorTerm, PodSpec, PodStatus, Resources, SlimPod},
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;
use quotree_core::Name;
use quotree_k8s::{
    ActualSizes, ContainerFacts, Labels, Loss, Phase, PodFacts, Sizes, WorkloadRef, affinity::NodeTerm, names,
    tolerations,
};
use quotree_record::Owner;
use std::collections::{BTreeMap, BTreeSet};

/// The facts of a pod, with its identity.
///
/// # Errors
/// The first field that is not of the form that the API documents.
pub fn pod(object: &SlimPod) -> Result<SeenPod, Unreadable> {
    read(object).map_err(|wrong| wrong.of("Pod", &object.metadata))
}

fn read(object: &SlimPod) -> Result<SeenPod, Wrong> {
    let absent = PodStatus::default();
    let (metadata, spec, status) = (&object.metadata, &object.spec, object.status.as_ref().unwrap_or(&absent));
    let mut facts = PodFacts {
        namespace: text(metadata.namespace.as_ref()),
        name: text(metadata.name.as_ref()),
        created_ms: time(metadata.creation_timestamp.as_ref()).unwrap_or(0),
        deleted_ms: time(metadata.deletion_timestamp.as_ref()),
        labels: labels(metadata.labels.as_ref()),
        annotations: known(labels(metadata.annotations.as_ref())),
        scheduler: name(spec.scheduler_name.as_ref()),
        gates: spec.scheduling_gates.iter().flatten().map(|gate| text(gate.name.as_ref())).collect(),
        node: name(spec.node_name.as_ref()).filter(|node| *node != ""),
        phase: Phase::of(status.phase.as_deref().unwrap_or_default()),
        started_ms: started(status)?,
        priority: spec.priority,
        priority_class: name(spec.priority_class_name.as_ref()),
        never_preempts: spec.preemption_policy.as_deref() == Some("Never"),
        runtime_limit_ms: spec.active_deadline_seconds.map(|seconds| seconds.saturating_mul(1000)),
        ..PodFacts::default()
    };
    let controller = metadata.owner_references.iter().flatten().find(|owner| owner.controller == Some(true));
    facts.controller = controller.map(|owner| owner.kind.as_str().into());
    sizes_of_pod(&mut facts, spec, status)?;
    facts.node_selector = labels(spec.node_selector.as_ref()).into_iter().collect();
    facts.node_terms = node_terms(spec)?;
    for given in spec.tolerations.iter().flatten() {
        let operator = given.operator.as_deref().unwrap_or_default();
        facts.tolerations.push(tolerations::Toleration {
            key: text(given.key.as_ref()),
            operator: tolerations::Operator::of(operator)
                .ok_or_else(|| Wrong::new("spec.tolerations", format!("`{operator}` is not an operator")))?,
            value: text(given.value.as_ref()),
            effect: text(given.effect.as_ref()),
        });
    }
    facts.losses = losses(spec);
    facts.scheduling_group = spec.scheduling_group.as_ref().and_then(|group| name(group.pod_group_name.as_ref()));
    facts.workload_ref = spec.workload_ref.as_ref().map(|reference| WorkloadRef {
        name: text(reference.name.as_ref()),
        group: text(reference.pod_group.as_ref()),
        replica: name(reference.pod_group_replica_key.as_ref()),
    });
    let hash = facts.labels.get("pod-template-hash").map(Name::as_str);
    let owner = controller.map(|owner| Box::new(owner_of(owner, hash)));
    let (uid, version) = (text(metadata.uid.as_ref()), text(metadata.resource_version.as_ref()));
    Ok(SeenPod { uid, version, owner, facts })
}

/// The controller of a pod. A ReplicaSet of a Deployment is named as the Deployment, without the hash.
fn owner_of(owner: &OwnerReference, hash: Option<&str>) -> Owner {
    let stem = hash.and_then(|hash| owner.name.strip_suffix(hash)?.strip_suffix('-'));
    Owner { kind: owner.kind.as_str().into(), name: stem.unwrap_or(&owner.name).into(), uid: owner.uid.as_str().into() }
}

/// The annotations that the mapping knows; others can be large, and nobody reads them.
fn known(annotations: Labels) -> Labels {
    let prefixes = ["quotree.io/", "volcano.sh/", "scheduling.", "gang.scheduling.", "quota.scheduling.", "kueue."];
    let is_known = |key: &Name| *key == names::MIRROR || prefixes.iter().any(|prefix| key.as_str().starts_with(prefix));
    annotations.into_iter().filter(|(key, _)| is_known(key)).collect()
}

fn started(status: &PodStatus) -> Result<Option<i64>, Wrong> {
    let parse = |text: &String| text.parse::<jiff::Timestamp>();
    let time = status.start_time.as_ref().map(parse).transpose();
    time.map(|time| time.map(jiff::Timestamp::as_millisecond))
        .map_err(|error| Wrong::new("status.startTime", error.to_string()))
}

/// What the pod and its containers request.
fn sizes_of_pod(facts: &mut PodFacts, spec: &PodSpec, status: &PodStatus) -> Result<(), Wrong> {
    let statuses = [&status.container_statuses, &status.init_container_statuses];
    let actual: BTreeMap<&str, &ContainerStatus> = statuses
        .into_iter()
        .flatten()
        .flatten()
        .map(|status| (status.name.as_deref().unwrap_or_default(), status))
        .collect();
    let containers = |field: &str, given: &Option<Vec<Container>>| -> Result<Vec<ContainerFacts>, Wrong> {
        let read = |container: &Container| {
            let status = actual.get(container.name.as_deref().unwrap_or_default());
            let resources = status.and_then(|status| status.resources.as_ref());
            let allocated = status.and_then(|status| status.allocated_resources.as_ref());
            let mut sizes = sizes(field, container.resources.as_ref())?;
            sizes.actual = resources.map(|resources| actual_sizes(field, allocated, resources)).transpose()?;
            Ok(ContainerFacts { sizes, sidecar: container.restart_policy.as_deref() == Some("Always") })
        };
        given.iter().flatten().map(read).collect()
    };
    facts.containers = containers("spec.containers.resources", &spec.containers)?;
    facts.init_containers = containers("spec.initContainers.resources", &spec.init_containers)?;
    if spec.resources.is_some() {
        let mut whole = sizes("spec.resources", spec.resources.as_ref())?;
        let in_force = status.resources.as_ref();
        let allocated = status.allocated_resources.as_ref();
        whole.actual = in_force.map(|resources| actual_sizes("status", allocated, resources)).transpose()?;
        facts.pod_level = Some(whole);
    }
    facts.overhead = amounts("spec.overhead", spec.overhead.as_ref())?;
    let refused = status.conditions.iter().flatten().any(|condition| {
        condition.r#type.as_deref() == Some("PodResizePending") && condition.reason.as_deref() == Some("Infeasible")
    });
    facts.resize_infeasible = refused || status.resize.as_deref() == Some("Infeasible");
    Ok(())
}

fn sizes(field: &str, resources: Option<&Resources>) -> Result<Sizes, Wrong> {
    let part = |part: &str, of: fn(&Resources) -> &Option<super::slim::Quantities>| {
        amounts(&format!("{field}.{part}"), resources.and_then(|resources| of(resources).as_ref()))
    };
    Ok(Sizes { requests: part("requests", |r| &r.requests)?, limits: part("limits", |r| &r.limits)?, actual: None })
}

fn actual_sizes(
    field: &str,
    allocated: Option<&super::slim::Quantities>,
    resources: &Resources,
) -> Result<ActualSizes, Wrong> {
    Ok(ActualSizes { allocated: amounts(field, allocated)?, actuated: amounts(field, resources.requests.as_ref())? })
}

fn node_terms(spec: &PodSpec) -> Result<Option<Vec<NodeTerm>>, Wrong> {
    let affinity = spec.affinity.as_ref().and_then(|affinity| affinity.node_affinity.as_ref());
    let required = affinity.and_then(|node| node.required_during_scheduling_ignored_during_execution.as_ref());
    let Some(required) = required else { return Ok(None) };
    let field = "spec.affinity.nodeAffinity";
    let read = |term: &NodeSelectorTerm| -> Result<NodeTerm, Wrong> {
        let all = |given: &Option<Vec<super::slim::Requirement>>| {
            given.iter().flatten().map(|one| requirement(field, one)).collect::<Result<_, _>>()
        };
        Ok(NodeTerm { expressions: all(&term.match_expressions)?, fields: all(&term.match_fields)? })
    };
    required.node_selector_terms.iter().flatten().map(read).collect::<Result<_, _>>().map(Some)
}

/// What the pod asks for that the core does not model.
fn losses(spec: &PodSpec) -> BTreeSet<Loss> {
    let mut losses = BTreeSet::new();
    let mut note = |is_so: bool, loss| {
        if is_so {
            losses.insert(loss);
        }
    };
    let some = |list: &Option<Vec<super::slim::Ignored>>| list.as_ref().is_some_and(|list| !list.is_empty());
    if let Some(affinity) = &spec.affinity {
        if let Some(node) = &affinity.node_affinity {
            note(some(&node.preferred_during_scheduling_ignored_during_execution), Loss::Preferences);
        }
        let kinds = [(&affinity.pod_affinity, Loss::PodAffinity), (&affinity.pod_anti_affinity, Loss::PodAntiAffinity)];
        for (pods, loss) in kinds {
            let Some(pods) = pods else { continue };
            note(some(&pods.required_during_scheduling_ignored_during_execution), loss);
            note(some(&pods.preferred_during_scheduling_ignored_during_execution), Loss::Preferences);
        }
    }
    for spread in spec.topology_spread_constraints.iter().flatten() {
        let soft = spread.when_unsatisfiable.as_deref() == Some("ScheduleAnyway");
        note(true, if soft { Loss::Preferences } else { Loss::Spread });
    }
    note(spec.resource_claims.as_ref().is_some_and(|claims| !claims.is_empty()), Loss::ResourceClaims);
    // On the network of the host, each port of a container is a port of the host.
    let host_network = spec.host_network == Some(true);
    let containers = [&spec.containers, &spec.init_containers].into_iter().flatten().flatten();
    for port in containers.flat_map(|container| container.ports.iter().flatten()) {
        note(host_network || port.host_port.is_some_and(|port| port > 0), Loss::HostPorts);
    }
    let claims = |volume: &super::slim::Volume| volume.persistent_volume_claim.is_some() || volume.ephemeral.is_some();
    note(spec.volumes.iter().flatten().any(claims), Loss::VolumeClaims);
    losses
}
