//! PodGroups and Workloads as the API shows them, as facts: what their gangs need at least.

use super::read::{Unreadable, Wrong, name};
use kube::{
    ResourceExt,
    core::{ApiResource, DynamicObject, GroupVersionKind},
};
use quotree_core::Name;
use quotree_k8s::gang::{GangKind, GroupFacts, workload_group};
use serde_json::Value;

/// Where the API may have objects: group and version, kind, plural.
pub(super) type Served = (&'static str, &'static str, &'static str);

/// Where the API may have the objects of each kind of gang. The first that is served counts.
pub const KINDS: &[(GangKind, &[Served])] = &[
    (GangKind::Coscheduling, &[("scheduling.x-k8s.io/v1alpha1", "PodGroup", "podgroups")]),
    (GangKind::Volcano, &[("scheduling.volcano.sh/v1beta1", "PodGroup", "podgroups")]),
    (
        GangKind::SchedulingGroup,
        &[
            ("scheduling.k8s.io/v1beta1", "PodGroup", "podgroups"),
            ("scheduling.k8s.io/v1alpha2", "PodGroup", "podgroups"),
            ("scheduling.k8s.io/v1alpha1", "Workload", "workloads"),
        ],
    ),
];

/// A resource of [`KINDS`].
pub(super) fn resource((version, kind, plural): Served) -> ApiResource {
    let (group, version) = version.split_once('/').unwrap_or(("", version));
    ApiResource::from_gvk_with_plural(&GroupVersionKind::gvk(group, version, kind), plural)
}

/// The groups that an object describes: a Workload has several.
///
/// ```
/// use quotree_k8s::gang::GangKind;
/// use quotree_kube::watch::groups;
/// let object = serde_json::from_value(serde_json::json!({
///     "apiVersion": "scheduling.x-k8s.io/v1alpha1", "kind": "PodGroup", "metadata": { "namespace": "a", "name": "g" },
///     "spec": { "minMember": 3 },
/// })).unwrap();
/// assert_eq!(groups(GangKind::Coscheduling, &object).unwrap()[0].min, Some(3));
/// ```
///
/// # Errors
/// The first number of pods that is none.
pub fn groups(kind: GangKind, object: &DynamicObject) -> Result<Vec<GroupFacts>, Unreadable> {
    read(kind, object).map_err(|wrong| wrong.of("PodGroup", &object.metadata))
}

fn read(kind: GangKind, object: &DynamicObject) -> Result<Vec<GroupFacts>, Wrong> {
    let spec = object.data.get("spec").unwrap_or(&Value::Null);
    let own = Name::from(object.name_any());
    let plain = GroupFacts {
        kind,
        namespace: object.namespace().unwrap_or_default().into(),
        name: own.clone(),
        min: None,
        by_role: Vec::new(),
        whole: false,
        topology: None,
    };
    if kind != GangKind::SchedulingGroup {
        let roles = spec.get("minTaskMember").and_then(Value::as_object).into_iter().flatten();
        let role = |(role, least): (&String, &Value)| {
            Ok((Name::from(role.as_str()), pods("spec.minTaskMember", Some(least))?.unwrap_or(0)))
        };
        let by_role = roles.map(role).collect::<Result<_, Wrong>>()?;
        return Ok(vec![GroupFacts { min: pods("spec.minMember", spec.get("minMember"))?, by_role, ..plain }]);
    }
    let parts =
        ["podGroups", "podGroupTemplates"].into_iter().filter_map(|field| spec.get(field)?.as_array()).flatten();
    let part = |part: &Value| {
        let its = part.get("name").and_then(Value::as_str).unwrap_or_default().into();
        native(GroupFacts { name: workload_group(&own, &its), ..plain.clone() }, part)
    };
    let found = parts.map(part).collect::<Result<Vec<_>, _>>()?;
    if found.is_empty() { native(plain, spec).map(|one| vec![one]) } else { Ok(found) }
}

/// Fills in the fields of a group of `scheduling.k8s.io`.
fn native(mut group: GroupFacts, spec: &Value) -> Result<GroupFacts, Wrong> {
    for policy in [spec.get("schedulingPolicy"), spec.get("policy"), Some(spec)].into_iter().flatten() {
        let least = policy.get("gang").and_then(|gang| gang.get("minCount"));
        group.min = group.min.or(pods("gang.minCount", least)?);
    }
    group.whole = match spec.get("disruptionMode") {
        Some(Value::Object(fields)) => fields.contains_key("all"),
        Some(Value::String(mode)) => ["All", "PodGroup"].contains(&mode.as_str()),
        _ => false,
    };
    let levels = spec.get("schedulingConstraints").and_then(|given| given.get("topology")).and_then(Value::as_array);
    let level = levels.and_then(|levels| levels.first()?.get("key")?.as_str().map(str::to_owned));
    group.topology = name(level.as_ref());
    Ok(group)
}

/// A number of pods; `None` if it is absent.
fn pods(field: &str, value: Option<&Value>) -> Result<Option<u32>, Wrong> {
    match value {
        None | Some(Value::Null) => Ok(None),
        Some(value) => match value.as_u64().and_then(|count| u32::try_from(count).ok()) {
            Some(count) => Ok(Some(count)),
            None => Err(Wrong::new(field, format!("`{value}` is no number of pods"))),
        },
    }
}
