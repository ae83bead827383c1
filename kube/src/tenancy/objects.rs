//! Users and groups as the API shows them, as facts.

use super::{FINALIZER, GROUP, Groups, VERSION};
use crate::tenancy::Bound;
use kube::{
    ResourceExt,
    core::{ApiResource, DynamicObject, GroupVersionKind},
};
use quotree_core::Name;
use serde_json::Value;
use std::collections::BTreeMap;

/// Where the API has users.
#[must_use]
pub fn users() -> ApiResource {
    ApiResource::from_gvk_with_plural(&GroupVersionKind::gvk(GROUP, VERSION, "User"), "users")
}

/// Where the API has groups.
#[must_use]
pub fn groups() -> ApiResource {
    ApiResource::from_gvk_with_plural(&GroupVersionKind::gvk(GROUP, VERSION, "UserGroup"), "usergroups")
}

/// What a user may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Kind {
    /// Works in the namespaces of their groups.
    #[default]
    Researcher,
    /// Edits tree, users and groups, and works in the namespaces of their groups.
    Admin,
}

/// What all objects have that matters here.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Meta {
    /// `metadata.generation`.
    pub generation: i64,
    /// `metadata.creationTimestamp`, milliseconds since 1970.
    pub created_ms: i64,
    /// Whether it is being deleted.
    pub leaving: bool,
    /// Whether it has our finalizer.
    pub kept: bool,
    /// Its status.
    pub status: Value,
}

/// A user.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct User {
    /// What all objects have.
    pub meta: Meta,
    /// What they may be.
    pub kind: Kind,
    /// The names of their groups.
    pub groups: Vec<Name>,
    /// Whether they have no access for the time being.
    pub suspended: bool,
}

/// A group.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Group {
    /// What all objects have.
    pub meta: Meta,
    /// The leaf of the tree in whose namespaces its members work.
    pub leaf: Name,
}

fn meta(object: &DynamicObject) -> Meta {
    let created = object.metadata.creation_timestamp.as_ref();
    Meta {
        generation: object.metadata.generation.unwrap_or(0),
        created_ms: created.map_or(0, |time| time.0.as_millisecond()),
        leaving: object.metadata.deletion_timestamp.is_some(),
        kept: object.finalizers().iter().any(|name| name == FINALIZER),
        status: object.data.get("status").cloned().unwrap_or_default(),
    }
}

/// The facts of a User. The schema of the CRD has checked the form; what is not of it counts as absent.
///
/// ```
/// use quotree_kube::tenancy::objects::{Kind, user};
/// let object = serde_json::from_value(serde_json::json!({
///     "apiVersion": "quotree.io/v1alpha1", "kind": "User", "metadata": { "name": "alice" },
///     "spec": { "type": "admin", "groups": ["vision"] },
/// })).unwrap();
/// let alice = user(&object);
/// assert_eq!((alice.kind, alice.groups, alice.suspended), (Kind::Admin, vec!["vision".into()], false));
/// ```
#[must_use]
pub fn user(object: &DynamicObject) -> User {
    let spec = object.data.get("spec").unwrap_or(&Value::Null);
    let groups = spec.get("groups").and_then(Value::as_array);
    let is_admin = spec.get("type").and_then(Value::as_str) == Some("admin");
    User {
        meta: meta(object),
        kind: if is_admin { Kind::Admin } else { Kind::Researcher },
        groups: groups.into_iter().flatten().filter_map(Value::as_str).map(Name::from).collect(),
        suspended: spec.get("suspended").and_then(Value::as_bool).unwrap_or(false),
    }
}

/// The facts of a UserGroup.
#[must_use]
pub fn group(object: &DynamicObject) -> Group {
    let leaf = object.data.get("spec").and_then(|spec| spec.get("leaf")).and_then(Value::as_str);
    Group { meta: meta(object), leaf: leaf.unwrap_or_default().into() }
}

/// What the scheduler must know of groups.
#[must_use]
pub fn bound(groups: &BTreeMap<Name, Group>) -> Groups {
    let of = |group: &Group| Bound { leaf: group.leaf.clone(), leaving: group.meta.leaving };
    groups.iter().map(|(name, group)| (name.clone(), of(group))).collect()
}
