//! Who made which change of a real server: its watches say what has changed, and its audit log what was asked for.

use crate::{faults::Verb, journal::Record, store::Change, value};
use serde_json::Value;
use std::collections::{BTreeMap, VecDeque};

/// The writes that belong to no change yet.
#[derive(Debug, Default)]
pub(super) struct Authors {
    /// By the version that the answer showed.
    by_version: BTreeMap<u64, Record>,
    /// Writes of pods of which the answer shows no version, or not that of the change, by namespace and name.
    by_name: BTreeMap<(String, String), VecDeque<Record>>,
    heard: u64,
}

/// What a change does to a pod.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Deed {
    Binds,
    /// Marks a victim, before it is deleted by the same request.
    Marks,
    Deletes,
    Other,
}

impl Authors {
    /// Takes a request. `after` of the record becomes a number that no other request has.
    pub(super) fn hear(&mut self, mut record: Record) {
        if !record.wrote() {
            return;
        }
        self.heard += 1;
        let version = std::mem::replace(&mut record.after, self.heard);
        if matches!(record.resource.as_str(), "pods" | "pods/binding" | "pods/eviction") {
            let key = (record.namespace.clone(), record.name.clone());
            self.by_name.entry(key).or_default().push_back(record.clone());
        }
        // What changed nothing is answered with the version of an earlier write.
        if version > 1 {
            self.by_version.entry(version).or_insert(record);
        }
    }

    /// Forgets all requests, as their changes were not seen.
    pub(super) fn forget(&mut self) {
        self.by_version.clear();
        self.by_name.clear();
    }

    /// The request that made a change, if it is known.
    pub(super) fn of(&mut self, change: &Change) -> Option<Record> {
        let deed = Deed::of(change);
        let exact = self.by_version.remove(&change.revision);
        // Changes come in order: nobody asks for earlier versions any more.
        self.by_version = self.by_version.split_off(&change.revision);
        let queue = self.by_name.get_mut(&change.key).filter(|_| change.resource.1 == "pods");
        if let Some(exact) = exact {
            if let Some(queue) = queue {
                queue.retain(|record| record.after != exact.after);
            }
            return Some(exact);
        }
        let queue = queue?;
        let at = queue.iter().position(|record| deed.is_by(record))?;
        let found = if deed == Deed::Marks { queue.get(at).cloned() } else { queue.remove(at) };
        if change.after.is_none() || queue.is_empty() {
            // A pod that comes by the same name is another one.
            self.by_name.remove(&change.key);
        }
        found
    }
}

impl Deed {
    fn of(change: &Change) -> Self {
        let (before, after) = (change.before.as_deref(), change.after.as_deref());
        let gets = |path: &[&str]| {
            let has = |object: Option<&Value>| object.is_some_and(|object| value::has(object, path));
            has(after) && !has(before)
        };
        let marked = |object: Option<&Value>| {
            let conditions = object.map(|object| value::items(object, &["status", "conditions"])).unwrap_or_default();
            conditions.iter().any(|condition| value::text(condition, &["type"]) == "DisruptionTarget")
        };
        match () {
            () if after.is_none() || gets(&["metadata", "deletionTimestamp"]) => Self::Deletes,
            () if gets(&["spec", "nodeName"]) => Self::Binds,
            () if marked(after) && !marked(before) => Self::Marks,
            () => Self::Other,
        }
    }

    /// Whether a request does this. What is neither is known by its version alone.
    fn is_by(self, record: &Record) -> bool {
        match self {
            Self::Binds => record.resource == "pods/binding",
            Self::Marks => record.resource == "pods/eviction",
            Self::Deletes => record.resource == "pods/eviction" || record.verb == Verb::Delete,
            Self::Other => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use std::sync::Arc;

    fn change(revision: u64, before: Option<Value>, after: Option<Value>) -> Change {
        Change {
            revision,
            resource: Arc::new((String::new(), "pods".to_owned())),
            key: ("a".to_owned(), "p".to_owned()),
            before: before.map(Arc::new),
            after: after.map(Arc::new),
        }
    }

    fn request(verb: Verb, resource: &str, user: &str, after: u64) -> Record {
        Record {
            user: user.to_owned(),
            process: String::new(),
            manager: String::new(),
            verb,
            resource: resource.to_owned(),
            namespace: "a".to_owned(),
            name: "p".to_owned(),
            code: 200,
            faulty: false,
            before: 0,
            after,
        }
    }

    fn user(authors: &mut Authors, change: &Change) -> Option<String> {
        authors.of(change).map(|record| record.user)
    }

    #[test]
    fn an_eviction_marks_and_deletes_by_one_request() {
        let mut authors = Authors::default();
        authors.hear(request(Verb::Create, "pods/eviction", "quotree", 1));
        authors.hear(request(Verb::Delete, "pods", "kubelet", 30));
        let runs = json!({ "spec": { "nodeName": "n" } });
        let marked =
            json!({ "spec": { "nodeName": "n" }, "status": { "conditions": [{ "type": "DisruptionTarget" }] } });
        let mut leaves = marked.clone();
        leaves["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
        let first = authors.of(&change(20, Some(runs), Some(marked.clone()))).unwrap();
        let second = authors.of(&change(21, Some(marked), Some(leaves.clone()))).unwrap();
        assert_eq!((first.user.as_str(), first.after), ("quotree", second.after), "one request");
        // The watch shows the version of the delete, and the answer the last one of the pod.
        assert_eq!(user(&mut authors, &change(31, Some(leaves), None)).as_deref(), Some("kubelet"));
        assert!(authors.by_name.is_empty());
    }

    #[test]
    fn versions_are_exact_and_what_changes_nothing_takes_none() {
        let mut authors = Authors::default();
        authors.hear(request(Verb::Patch, "pods", "user", 20));
        authors.hear(request(Verb::Patch, "pods/status", "quotree", 20));
        let gated = json!({ "spec": { "schedulingGates": [{ "name": crate::census::GATE }] } });
        let open = json!({ "spec": {} });
        let opened = change(20, Some(gated), Some(open.clone()));
        assert_eq!(user(&mut authors, &opened).as_deref(), Some("user"));
        let bound = change(21, Some(open), Some(json!({ "spec": { "nodeName": "n" } })));
        assert_eq!(user(&mut authors, &bound), None, "nobody is known");
    }
}
