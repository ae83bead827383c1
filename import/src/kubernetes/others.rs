//! Documents to facts: PodGroups of every kind, Workloads, disruption budgets, priority classes and ElasticQuotas.

use super::read::{is_true, name_of, namespace, requirement, texts};
use crate::document::{Place, Taken};
use quotree_core::Name;
use quotree_k8s::{
    LabelSelector,
    budget::PdbFacts,
    gang::{GangKind, GroupFacts, workload_group},
    stage::PriorityClass,
};

/// The most pods that a gang may ask for.
const MOST: u64 = 10_000_000;

/// A number of pods; `None` if it is absent.
fn pods(place: &Place<'_>) -> Taken<Option<u32>> {
    Ok(if place.is_there() { u32::try_from(place.count(0, MOST)?).ok() } else { None })
}

/// The groups that a PodGroup or a Workload describes.
pub(super) fn groups(kind: GangKind, place: &Place<'_>) -> Taken<Vec<GroupFacts>> {
    let spec = place.get("spec");
    let name: Name = place.get("metadata").get("name").name()?.into();
    let mut plain = GroupFacts {
        kind,
        namespace: namespace(place)?,
        name: name.clone(),
        min: None,
        by_role: Vec::new(),
        whole: false,
        topology: None,
    };
    if kind != GangKind::SchedulingGroup {
        plain.min = pods(&spec.get("minMember"))?;
        for (role, least) in spec.get("minTaskMember").entries()? {
            plain.by_role.push((role.into(), pods(&least)?.unwrap_or(0)));
        }
        return Ok(vec![plain]);
    }
    let mut found = Vec::new();
    // The groups of a Workload: `podGroups` in v1alpha1, templates of PodGroups after that.
    for field in ["podGroups", "podGroupTemplates"] {
        for group in spec.get(field).items()? {
            let part = group.get("name").name()?.into();
            found.push(native(GroupFacts { name: workload_group(&name, &part), ..plain.clone() }, &group)?);
        }
    }
    if found.is_empty() {
        found.push(native(plain, &spec)?);
    }
    Ok(found)
}

/// Fills in the fields of a group of `scheduling.k8s.io` from its specification.
fn native(mut group: GroupFacts, spec: &Place<'_>) -> Taken<GroupFacts> {
    for policy in [spec.get("schedulingPolicy"), spec.get("policy"), spec.clone()] {
        group.min = group.min.or(pods(&policy.get("gang").get("minCount"))?);
    }
    let mode = spec.get("disruptionMode");
    group.whole = match mode.entries() {
        Ok(fields) => fields.iter().any(|(field, _)| *field == "all"),
        Err(_) => matches!(mode.text()?, Some("All" | "PodGroup")),
    };
    if let Some(level) = spec.get("schedulingConstraints").get("topology").items()?.first() {
        group.topology = name_of(&level.get("key"))?;
    }
    Ok(group)
}

/// A PodDisruptionBudget.
pub(super) fn budget(place: &Place<'_>) -> Taken<PdbFacts> {
    let selector = place.get("spec").get("selector");
    // An empty map is a selector, of all pods; a null or nothing is none.
    let read = || -> Taken<LabelSelector> {
        let expressions = selector.get("matchExpressions").items()?;
        Ok(LabelSelector {
            labels: texts(&selector.get("matchLabels"))?.into_iter().collect(),
            expressions: expressions.iter().map(requirement).collect::<Taken<_>>()?,
        })
    };
    let allowed = place.get("status").get("disruptionsAllowed");
    // Below 0 no eviction is allowed either.
    let negative = allowed.text()?.is_some_and(|text| text.starts_with('-'));
    Ok(PdbFacts {
        namespace: namespace(place)?,
        name: place.get("metadata").get("name").name()?.into(),
        selector: selector.is_there().then(read).transpose()?,
        allowed: if negative { Some(0) } else { pods(&allowed)? },
    })
}

/// A PriorityClass with its name.
pub(super) fn priority_class(place: &Place<'_>) -> Taken<(Name, PriorityClass)> {
    let name = place.get("metadata").get("name").name()?.into();
    let class = PriorityClass {
        value: place.get("value").priority()?.unwrap_or(0),
        default: is_true(&place.get("globalDefault"))?,
        never_preempts: place.get("preemptionPolicy").text()? == Some("Never"),
    };
    Ok((name, class))
}
