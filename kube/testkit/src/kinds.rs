//! Which kinds of objects a server has: those it is built with, and those that were registered.

use crate::{refusal::Refusal, value};
use serde_json::Value;
use std::{collections::BTreeMap, sync::Arc};

/// What moves `metadata.generation` of a kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Generation {
    /// Nothing: there is none.
    None,
    /// It is 1 for ever.
    One,
    /// Every change outside metadata and, if status is a subresource, outside status.
    Spec,
}

/// One kind of objects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kind {
    /// The API group; empty for the core group.
    pub group: String,
    /// The versions that are served, the preferred one first. Objects look the same in all of them.
    pub versions: Vec<String>,
    /// The kind, such as `Pod`.
    pub kind: String,
    /// The name in paths, such as `pods`.
    pub plural: String,
    /// Whether objects are in namespaces.
    pub namespaced: bool,
    /// Whether status is written by its own subresource only.
    pub status: bool,
    /// What moves the generation.
    pub generation: Generation,
    /// Whether it was registered by a CustomResourceDefinition. Such kinds have no strategic merge patch.
    pub custom: bool,
    /// Whether an update must name the resourceVersion that it read.
    pub needs_version: bool,
    /// Whether an update or patch of a name that does not exist creates it.
    pub create_on_update: bool,
    /// Lists whose items have keys: the field's name and those of the keys. `None` stands for the lists of the
    /// built-in kinds.
    pub lists: Option<BTreeMap<String, Vec<String>>>,
}

impl Kind {
    /// A kind of the given names, namespaced, with a status subresource.
    pub fn new(group: &str, version: &str, kind: &str, plural: &str) -> Self {
        Self {
            group: group.to_owned(),
            versions: vec![version.to_owned()],
            kind: kind.to_owned(),
            plural: plural.to_owned(),
            namespaced: true,
            status: true,
            generation: Generation::Spec,
            custom: false,
            needs_version: false,
            create_on_update: false,
            lists: None,
        }
    }

    /// `apiVersion` of the preferred version.
    pub fn api_version(&self) -> String {
        api_version(&self.group, self.versions.first().map_or("", String::as_str))
    }

    /// `pods`, or `podgroups.scheduling.x-k8s.io`, as the messages of the API have it.
    pub fn full_name(&self) -> String {
        if self.group.is_empty() { self.plural.clone() } else { format!("{}.{}", self.plural, self.group) }
    }

    pub(crate) fn not_found(&self, name: &str) -> Refusal {
        Refusal::not_found(&self.full_name(), name)
    }

    pub(crate) fn invalid(&self, name: &str, field: &str, why: &str) -> Refusal {
        Refusal::invalid(&self.kind, name, field, why)
    }

    pub(crate) fn is(&self, group: &str, plural: &str) -> bool {
        self.group == group && self.plural == plural
    }
}

/// `v1`, or `policy/v1`.
pub(crate) fn api_version(group: &str, version: &str) -> String {
    if group.is_empty() { version.to_owned() } else { format!("{group}/{version}") }
}

/// Group and plural: what objects are stored under.
pub type Resource = (String, String);

/// All kinds of a server.
#[derive(Debug, Clone, Default)]
pub struct Kinds(BTreeMap<Resource, Arc<Kind>>);

impl Kinds {
    /// The built-in kinds.
    pub fn built_in() -> Self {
        let mut kinds = Self::default();
        crate::built_in::kinds().into_iter().for_each(|kind| kinds.add(kind));
        kinds
    }

    /// Adds a kind, or puts it in place of one with its group and plural.
    pub fn add(&mut self, kind: Kind) {
        self.0.insert((kind.group.clone(), kind.plural.clone()), Arc::new(kind));
    }

    /// Removes a kind.
    pub fn remove(&mut self, group: &str, plural: &str) {
        self.0.remove(&(group.to_owned(), plural.to_owned()));
    }

    /// The kind of a group and plural.
    pub fn get(&self, group: &str, plural: &str) -> Option<&Arc<Kind>> {
        self.0.get(&(group.to_owned(), plural.to_owned()))
    }

    /// All kinds, by group and plural.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Kind>> {
        self.0.values()
    }
}

/// The kind that a CustomResourceDefinition defines, if it serves any version.
pub fn of_definition(definition: &Value) -> Option<Kind> {
    let spec = value::at(definition, &["spec"]);
    let names = value::at(spec, &["names"]);
    let served = || {
        let versions = value::items(spec, &["versions"]).iter();
        versions.filter(|version| value::at(version, &["served"]).as_bool().unwrap_or(false))
    };
    let mut kind = Kind::new(
        value::text(spec, &["group"]),
        served().next().map(|version| value::text(version, &["name"]))?,
        value::text(names, &["kind"]),
        value::text(names, &["plural"]),
    );
    kind.versions = served().map(|version| value::text(version, &["name"]).to_owned()).collect();
    kind.namespaced = value::text(spec, &["scope"]) == "Namespaced";
    kind.status = served().any(|version| value::at(version, &["subresources", "status"]).is_object());
    kind.custom = true;
    kind.needs_version = true;
    let mut lists = BTreeMap::new();
    served().for_each(|version| keyed_lists(value::at(version, &["schema", "openAPIV3Schema"]), &mut lists));
    kind.lists = Some(lists);
    Some(kind)
}

/// The lists of a schema that say which fields of their items are keys.
fn keyed_lists(schema: &Value, found: &mut BTreeMap<String, Vec<String>>) {
    let Some(properties) = value::at(schema, &["properties"]).as_object() else { return };
    for (name, property) in properties {
        let keys = value::items(property, &["x-kubernetes-list-map-keys"]).iter();
        let keys: Vec<String> = keys.filter_map(|key| key.as_str().map(str::to_owned)).collect();
        if !keys.is_empty() {
            found.insert(name.clone(), keys);
        }
        keyed_lists(property, found);
        keyed_lists(value::at(property, &["items"]), found);
    }
}
