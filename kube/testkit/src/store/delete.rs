//! DELETE: at once, after a time of grace, or when the last finalizer is gone.

use super::{ListOptions, Store, with_revision};
use crate::{kinds::Kind, refusal::Refusal, selector::Selector, value};
use serde_json::{Value, json};
use std::{sync::Arc, time::Duration};

/// `DeleteOptions` of a request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DeleteOptions {
    /// `gracePeriodSeconds`.
    pub grace: Option<i64>,
    /// `preconditions.uid`.
    pub uid: String,
    /// `preconditions.resourceVersion`.
    pub revision: String,
    /// `propagationPolicy`: `Foreground` and `Orphan` add the finalizer that the garbage collector removes.
    pub propagation: String,
}

impl DeleteOptions {
    /// The options of a body or, of a request without a body, of its query: beside a body the query counts for nothing.
    pub fn of(body: &Value, query: impl Fn(&str) -> String) -> Self {
        if body.is_null() {
            let propagation = query("propagationPolicy");
            return Self { grace: query("gracePeriodSeconds").parse().ok(), propagation, ..Self::default() };
        }
        Self {
            grace: value::at(body, &["gracePeriodSeconds"]).as_i64(),
            uid: value::text(body, &["preconditions", "uid"]).to_owned(),
            revision: value::text(body, &["preconditions", "resourceVersion"]).to_owned(),
            propagation: value::text(body, &["propagationPolicy"]).to_owned(),
        }
    }
}

impl Store {
    /// Deletes an object, and returns what the answer shows: the object as it is now or was last.
    pub fn delete(
        &mut self,
        kind: &Kind,
        namespace: &str,
        name: &str,
        options: &DeleteOptions,
    ) -> Result<(Arc<Value>, bool), Refusal> {
        let old = self.get(kind, namespace, name)?;
        self.check_preconditions(kind, &old, options)?;
        let mut new = (*old).clone();
        if let Some(finalizer) = match options.propagation.as_str() {
            "Foreground" => Some("foregroundDeletion"),
            "Orphan" => Some("orphan"),
            _ => None,
        } {
            let list = value::place(&mut new, &["metadata", "finalizers"]);
            match list.as_array_mut() {
                Some(list) if list.iter().any(|one| one == finalizer) => {}
                Some(list) => list.push(finalizer.into()),
                None => *list = json!([finalizer]),
            }
        }
        if value::has(&old, &["metadata", "deletionTimestamp"]) {
            self.shorten(options, &mut new);
        } else {
            let grace = grace_of(kind, &old, options);
            let ends = self.now.saturating_add(Duration::from_secs(grace.unsigned_abs())).unwrap_or(self.now);
            value::set(&mut new, &["metadata", "deletionTimestamp"], super::stamp(ends));
            value::set(&mut new, &["metadata", "deletionGracePeriodSeconds"], grace);
            if let Some(generation) = value::at(&old, &["metadata", "generation"]).as_u64() {
                value::set(&mut new, &["metadata", "generation"], generation + 1);
            }
            if kind.is("", "namespaces") {
                value::set(&mut new, &["status", "phase"], "Terminating");
            }
        }
        if self.may_end(kind, &new) {
            return Ok((self.commit(kind, namespace, name, None), true));
        }
        if new == *old {
            return Ok((old, false));
        }
        Ok((self.commit(kind, namespace, name, Some(new)), false))
    }

    /// An object that is being deleted already: its time of grace can only become shorter.
    fn shorten(&self, options: &DeleteOptions, new: &mut Value) {
        let old = value::at(new, &["metadata", "deletionGracePeriodSeconds"]).as_i64().unwrap_or(0);
        let Some(grace) = options.grace.filter(|grace| *grace < old) else { return };
        let ends = value::text(new, &["metadata", "deletionTimestamp"]).parse().unwrap_or(self.now);
        let earlier = Duration::from_secs((old - grace).unsigned_abs());
        value::set(new, &["metadata", "deletionTimestamp"], super::stamp(ends.saturating_sub(earlier).unwrap_or(ends)));
        value::set(new, &["metadata", "deletionGracePeriodSeconds"], grace);
    }

    fn check_preconditions(&self, kind: &Kind, old: &Value, options: &DeleteOptions) -> Result<(), Refusal> {
        let conflict = |what: &str, wanted: &str, its: &str| {
            let why = format!("Precondition failed: {what} in precondition: {wanted}, {what} in object meta: {its}");
            Err(Refusal::conflict(&kind.full_name(), value::name(old), &why))
        };
        let uid = value::text(old, &["metadata", "uid"]);
        if !options.uid.is_empty() && options.uid != uid {
            return conflict("UID", &options.uid, uid);
        }
        let revision = value::text(old, &["metadata", "resourceVersion"]);
        if !options.revision.is_empty() && options.revision != revision {
            return conflict("ResourceVersion", &options.revision, revision);
        }
        Ok(())
    }

    /// Deletes all objects of a namespace that are selected, and returns the list of them as they were.
    pub fn delete_collection(
        &mut self,
        kind: &Kind,
        version: &str,
        namespace: &str,
        selector: Selector,
        options: &DeleteOptions,
    ) -> Result<Value, Refusal> {
        let listed = self.list(kind, version, namespace, &ListOptions { selector, ..ListOptions::default() })?;
        for object in value::items(&listed, &["items"]) {
            self.delete(kind, value::namespace(object), value::name(object), options)?;
        }
        Ok(listed)
    }

    /// Removes an object as if its grace had ended and its finalizers were gone: what the kubelet and the controllers
    /// of a real cluster come to in the end. For the set-up of tests.
    pub fn remove(&mut self, kind: &Kind, namespace: &str, name: &str) -> Option<Arc<Value>> {
        let old = self.find(kind, namespace, name).cloned()?;
        self.commit(kind, namespace, name, None);
        Some(Arc::new(with_revision(&old, self.revision)))
    }
}

/// The seconds of grace of a first delete. Only pods that are on a node and not ended have any.
fn grace_of(kind: &Kind, object: &Value, options: &DeleteOptions) -> i64 {
    let ended = matches!(value::text(object, &["status", "phase"]), "Succeeded" | "Failed");
    if !kind.is("", "pods") || !value::has(object, &["spec", "nodeName"]) || ended {
        return 0;
    }
    let of_pod = || value::at(object, &["spec", "terminationGracePeriodSeconds"]).as_i64().unwrap_or(30);
    match options.grace.unwrap_or_else(of_pod) {
        // A negative grace means the shortest.
        grace if grace < 0 => 1,
        grace => grace,
    }
}
