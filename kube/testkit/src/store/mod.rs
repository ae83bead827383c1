//! The store: all objects, one rising resourceVersion, a bounded log of changes, and the time, as plain data. It has no
//! socket, task or clock. Who wants to know what happens after a request clones it and tries.

mod change;
mod create;
mod delete;
mod log;
mod read;
mod update;
mod watch;

pub use change::PatchType;
pub use delete::DeleteOptions;
pub use log::{Change, Log};
pub use read::ListOptions;
pub(crate) use read::in_version;
pub use watch::{Next, Watch, WatchOptions};

use crate::{
    kinds::{Generation, Kind, Kinds, Resource, of_definition},
    refusal::Refusal,
    value,
};
use jiff::Timestamp;
use serde_json::Value;
use std::{collections::BTreeMap, sync::Arc, time::Duration};

/// What the writer of an object says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Writer {
    /// The field manager: the query's `fieldManager`, or the first word of the user agent.
    pub manager: String,
    /// Whether an apply takes fields from other managers.
    pub force: bool,
}

impl Writer {
    /// A writer of this name.
    pub fn named(manager: &str) -> Self {
        Self { manager: manager.to_owned(), force: false }
    }
}

type Objects = BTreeMap<(String, String), Arc<Value>>;

/// All that a server knows.
#[derive(Debug, Clone)]
pub struct Store {
    kinds: Kinds,
    objects: BTreeMap<Arc<Resource>, Objects>,
    log: Log,
    revision: u64,
    now: Timestamp,
    serial: u64,
}

impl Store {
    /// A new server: four namespaces, two priority classes, 2026-01-01T00:00:00Z.
    pub fn new() -> Self {
        let mut store = Self {
            kinds: Kinds::built_in(),
            objects: BTreeMap::new(),
            log: Log::new(10_000),
            revision: 0,
            now: Timestamp::from_second(1_767_225_600).unwrap_or_default(),
            serial: 0,
        };
        for (group, plural, object) in crate::built_in::objects() {
            let kind = store.kinds.get(group, plural).cloned();
            let made = kind.map(|kind| store.create(&kind, "", object, &Writer::named("kube-apiserver")));
            debug_assert!(matches!(made, Some(Ok(_))), "{made:?}");
        }
        store
    }

    /// The kinds that there are.
    pub fn kinds(&self) -> &Kinds {
        &self.kinds
    }

    /// The time of the server.
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// The time as objects hold it: whole seconds.
    pub fn stamp(&self) -> String {
        stamp(self.now)
    }

    /// Lets time pass.
    pub fn advance(&mut self, by: Duration) {
        self.now = self.now.saturating_add(by).unwrap_or(self.now);
    }

    /// The latest resourceVersion.
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// The log of changes.
    pub fn log(&self) -> &Log {
        &self.log
    }

    /// Forgets the log up to a resourceVersion, as a compaction of etcd does: older watches and lists are expired.
    pub fn compact(&mut self, revision: u64) {
        self.log.compact(revision);
    }

    /// Bounds the log: that many changes are remembered.
    pub fn keep(&mut self, changes: usize) {
        let mut log = Log::new(changes);
        log.compact(self.log.forgotten());
        self.log.after(0).cloned().for_each(|change| log.push(change));
        self.log = log;
    }

    /// All objects of a kind, by namespace and name.
    pub fn all(&self, group: &str, plural: &str) -> impl Iterator<Item = &Arc<Value>> {
        let objects = self.objects.get(&(group.to_owned(), plural.to_owned()));
        objects.into_iter().flat_map(BTreeMap::values)
    }

    /// An object, if there is one of this kind, namespace and name.
    pub fn find(&self, kind: &Kind, namespace: &str, name: &str) -> Option<&Arc<Value>> {
        let objects = self.objects.get(&(kind.group.clone(), kind.plural.clone()))?;
        objects.get(&(namespace.to_owned(), name.to_owned()))
    }

    /// The built-in or registered kind of a group and plural.
    pub(crate) fn kind(&self, group: &str, plural: &str) -> Result<Arc<Kind>, Refusal> {
        self.kinds.get(group, plural).cloned().ok_or_else(Refusal::no_such_path)
    }

    /// A number that no earlier call gave.
    fn next_serial(&mut self) -> u64 {
        self.serial += 1;
        self.serial
    }

    /// The uid of the next object. It has the form of a uid and is the same in every run.
    fn next_uid(&mut self) -> String {
        let serial = self.next_serial();
        let mixed = serial.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        format!("{:08x}-{:04x}-4{:03x}-8000-{serial:012x}", mixed >> 32, mixed >> 16 & 0xffff, mixed & 0xfff)
    }

    /// Writes an object, or removes it: the only place where a revision begins. The object that is written gets the
    /// revision; so does the one that is removed, since watches show it with the revision of its end.
    fn commit(&mut self, kind: &Kind, namespace: &str, name: &str, after: Option<Value>) -> Arc<Value> {
        self.revision += 1;
        let resource = Arc::new((kind.group.clone(), kind.plural.clone()));
        let key = (namespace.to_owned(), name.to_owned());
        let objects = self.objects.entry(Arc::clone(&resource)).or_default();
        let after = after.map(|mut object| {
            value::set(&mut object, &["metadata", "resourceVersion"], self.revision.to_string());
            Arc::new(object)
        });
        let before = match &after {
            Some(object) => objects.insert(key.clone(), Arc::clone(object)),
            None => objects.remove(&key),
        };
        let shown =
            after.clone().or_else(|| before.as_deref().map(|gone| Arc::new(with_revision(gone, self.revision))));
        if kind.is("apiextensions.k8s.io", "customresourcedefinitions") {
            self.define(before.as_deref(), after.as_deref());
        }
        self.log.push(Change { revision: self.revision, resource, key, before, after });
        shown.unwrap_or_default()
    }

    /// Follows the definitions of custom resources.
    fn define(&mut self, before: Option<&Value>, after: Option<&Value>) {
        match (before, after) {
            (_, Some(definition)) => of_definition(definition).into_iter().for_each(|kind| self.kinds.add(kind)),
            (Some(definition), None) => {
                if let Some(kind) = of_definition(definition) {
                    self.kinds.remove(&kind.group, &kind.plural);
                    self.objects.remove(&(kind.group, kind.plural));
                }
            }
            (None, None) => {}
        }
    }
}

impl Default for Store {
    fn default() -> Self {
        Self::new()
    }
}

/// The object with another resourceVersion.
fn with_revision(object: &Value, revision: u64) -> Value {
    let mut object = object.clone();
    value::set(&mut object, &["metadata", "resourceVersion"], revision.to_string());
    object
}

/// RFC 3339 in whole seconds.
pub(crate) fn stamp(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// Moves the generation if something changed that counts.
fn follow_generation(kind: &Kind, old: &Value, new: &mut Value) {
    if kind.generation != Generation::Spec {
        return value::copy(old, new, &["metadata", "generation"]);
    }
    let is_not_counted = |field: &str| field == "metadata" || kind.status && field == "status";
    let generation = value::at(old, &["metadata", "generation"]).as_u64().unwrap_or(1);
    let moved = u64::from(!value::same_but(old, new, is_not_counted));
    value::set(new, &["metadata", "generation"], generation + moved);
}
