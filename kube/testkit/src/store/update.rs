//! UPDATE, and what every other write of an existing object ends in: preconditions, what cannot be changed, which part
//! of the object is written, and the end of an object that was only waiting for its finalizers.

use super::{Store, Writer, follow_generation};
use crate::{kinds::Kind, patch::owners, refusal::Refusal, rules, value};
use serde_json::Value;
use std::sync::Arc;

/// The metadata that only the server writes.
const FIXED: [&str; 6] =
    ["name", "namespace", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds", "generation"];

impl Store {
    /// Replaces an object, or the part of it that a subresource names: `""`, `status`, `resize`, `finalize`.
    pub fn update(
        &mut self,
        kind: &Kind,
        key: (&str, &str),
        subresource: &str,
        object: Value,
        writer: &Writer,
    ) -> Result<Arc<Value>, Refusal> {
        let (namespace, name) = key;
        let own = value::name(&object);
        if own != name {
            let message = format!("the name of the object ({own}) does not match the name on the URL ({name})");
            return Err(Refusal::bad_request(message));
        }
        let uid = value::text(&object, &["metadata", "uid"]);
        let version = value::text(&object, &["metadata", "resourceVersion"]);
        let Some(old) = self.find(kind, namespace, name).cloned() else {
            if kind.create_on_update && subresource.is_empty() && version.is_empty() && uid.is_empty() {
                return self.create(kind, namespace, object, writer);
            }
            return Err(kind.not_found(name));
        };
        let its = value::text(&old, &["metadata", "uid"]);
        if !uid.is_empty() && uid != its {
            let why = format!("Precondition failed: UID in precondition: {uid}, UID in object meta: {its}");
            return Err(Refusal::conflict(&kind.full_name(), name, &why));
        }
        if version.is_empty() && kind.needs_version {
            let why = "Invalid value: 0: must be specified for an update";
            return Err(kind.invalid(name, "metadata.resourceVersion", why));
        }
        self.replace(kind, &old, subresource, object, Noted::Update(writer))
    }

    /// Writes the new state of an object that was read as `old` in this same turn.
    pub(super) fn replace(
        &mut self,
        kind: &Kind,
        old: &Value,
        subresource: &str,
        new: Value,
        noted: Noted<'_>,
    ) -> Result<Arc<Value>, Refusal> {
        let mut new = new;
        let (namespace, name) = (value::namespace(old), value::name(old));
        let version = value::text(&new, &["metadata", "resourceVersion"]);
        if !version.is_empty() && version != value::text(old, &["metadata", "resourceVersion"]) {
            return Err(Refusal::stale(&kind.full_name(), name));
        }
        let uid = value::text(&new, &["metadata", "uid"]);
        if !uid.is_empty() && uid != value::text(old, &["metadata", "uid"]) {
            let why = format!("Invalid value: \"{uid}\": field is immutable");
            return Err(kind.invalid(name, "metadata.uid", &why));
        }
        let ends = value::text(&new, &["metadata", "deletionTimestamp"]);
        if !ends.is_empty() && !value::has(old, &["metadata", "deletionTimestamp"]) {
            let why = format!("Invalid value: \"{ends}\": field is immutable");
            return Err(kind.invalid(name, "metadata.deletionTimestamp", &why));
        }
        keep(kind, old, subresource, &mut new);
        self.check_finalizers(kind, old, &new)?;
        rules::prepare_update(self, kind, old, subresource, &mut new)?;
        if same(old, &new) {
            return Ok(Arc::new(old.clone()));
        }
        follow_generation(kind, old, &mut new);
        let stamp = self.stamp();
        match noted {
            Noted::Update(writer) => owners::note_update(kind, old, &mut new, writer, subresource, &stamp),
            Noted::Already => {}
        }
        let ends = value::has(&new, &["metadata", "deletionTimestamp"]) && self.may_end(kind, &new);
        let (namespace, name) = (namespace.to_owned(), name.to_owned());
        if ends {
            // What is shown last is the state without finalizers, as the real server has it.
            let gone = self.commit(kind, &namespace, &name, None);
            let mut shown = new;
            value::copy(&gone, &mut shown, &["metadata", "resourceVersion"]);
            return Ok(Arc::new(shown));
        }
        Ok(self.commit(kind, &namespace, &name, Some(new)))
    }

    /// Writes a new state without any check: for subresources that made their own.
    pub(crate) fn put(&mut self, kind: &Kind, old: &Value, new: Value, writer: &Writer, subresource: &str) {
        if same(old, &new) {
            return;
        }
        let mut new = new;
        follow_generation(kind, old, &mut new);
        owners::note_update(kind, old, &mut new, writer, subresource, &self.stamp());
        let (namespace, name) = (value::namespace(old).to_owned(), value::name(old).to_owned());
        self.commit(kind, &namespace, &name, Some(new));
    }

    /// Whether an object that is being deleted can go: nothing waits for it any more.
    pub(super) fn may_end(&self, kind: &Kind, object: &Value) -> bool {
        let grace = value::at(object, &["metadata", "deletionGracePeriodSeconds"]).as_i64().unwrap_or(0);
        let waits = kind.is("", "namespaces") && value::has(object, &["spec", "finalizers"]);
        grace == 0 && !value::has(object, &["metadata", "finalizers"]) && !waits
    }

    fn check_finalizers(&self, kind: &Kind, old: &Value, new: &Value) -> Result<(), Refusal> {
        if !value::has(old, &["metadata", "deletionTimestamp"]) {
            return Ok(());
        }
        let before = value::items(old, &["metadata", "finalizers"]);
        let added = value::items(new, &["metadata", "finalizers"]).iter().find(|one| !before.contains(one));
        added.map_or(Ok(()), |added| {
            let why = format!("Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers []string{{{added}}}");
            Err(kind.invalid(value::name(old), "metadata.finalizers", &why))
        })
    }
}

/// Whose fields a write changes.
pub(super) enum Noted<'a> {
    /// Those that differ become this writer's.
    Update(&'a Writer),
    /// The new object says so itself.
    Already,
}

/// Puts back what this write cannot change.
fn keep(kind: &Kind, old: &Value, subresource: &str, new: &mut Value) {
    for field in FIXED {
        value::copy(old, new, &["metadata", field]);
    }
    for field in ["uid", "resourceVersion"] {
        value::copy(old, new, &["metadata", field]);
    }
    for field in ["kind", "apiVersion"] {
        value::copy(old, new, &[field]);
    }
    match subresource {
        "" if kind.status => value::copy(old, new, &["status"]),
        "" => {}
        _ => {
            let mut kept = old.clone();
            let written: &[&[&str]] = match (subresource, kind.custom) {
                ("status", true) => &[&["status"], &["metadata", "managedFields"]],
                // The status of a built-in kind can be written together with labels and annotations.
                ("status", false) => &[&["status"], &["metadata"]],
                ("finalize", _) => &[&["spec", "finalizers"]],
                _ => &[&["spec"]],
            };
            for path in written {
                value::copy(new, &mut kept, path);
            }
            *new = kept;
        }
    }
}

/// Whether a write changes nothing but the time of an owner: the server then keeps the resourceVersion.
fn same(old: &Value, new: &Value) -> bool {
    let metadata = |object| value::at(object, &["metadata"]);
    let owners = |object| value::items(object, &["metadata", "managedFields"]);
    value::same_but(old, new, |field| field == "metadata")
        && value::same_but(metadata(old), metadata(new), |field| field == "managedFields")
        && owners(old).len() == owners(new).len()
        && owners(old).iter().zip(owners(new)).all(|(old, new)| value::same_but(old, new, |field| field == "time"))
}
