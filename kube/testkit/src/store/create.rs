//! CREATE: what the server sets itself, and what it refuses.

use super::{Store, Writer};
use crate::{
    kinds::{Generation, Kind},
    patch::owners,
    refusal::Refusal,
    rules, value,
};
use serde_json::{Value, json};
use std::sync::Arc;

/// The letters of generated names: those of the real server, which leave out what could spell a word.
const LETTERS: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";

/// What is wrong with a name.
const SUBDOMAIN: &str = "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.'";

fn is_subdomain(name: &str) -> bool {
    let inner = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let is_label =
        |part: &str| !part.is_empty() && part.chars().all(inner) && !part.starts_with('-') && !part.ends_with('-');
    name.len() <= 253 && name.split('.').all(is_label)
}

impl Store {
    /// Creates an object.
    pub fn create(
        &mut self,
        kind: &Kind,
        namespace: &str,
        object: Value,
        writer: &Writer,
    ) -> Result<Arc<Value>, Refusal> {
        let mut object = object;
        if !object.is_object() {
            return Err(Refusal::bad_request("the body is not an object"));
        }
        self.named(kind, namespace, &mut object)?;
        let name = value::name(&object).to_owned();
        self.check_namespace(kind, namespace, &name)?;
        if value::has(&object, &["metadata", "resourceVersion"]) {
            let message = "resourceVersion should not be set on objects to be created";
            return Err(Refusal::new(500, "", message));
        }
        self.stamp_new(kind, namespace, &mut object);
        rules::prepare_create(self, kind, &mut object)?;
        if self.find(kind, namespace, &name).is_some() {
            return Err(Refusal::already_exists(&kind.full_name(), &name));
        }
        if !value::has(&object, &["metadata", "managedFields"]) {
            owners::note_update(kind, &Value::Null, &mut object, writer, "", &self.stamp());
        }
        Ok(self.commit(kind, namespace, &name, Some(object)))
    }

    /// Gives the object its name and namespace, or says why it cannot have them.
    fn named(&mut self, kind: &Kind, namespace: &str, object: &mut Value) -> Result<(), Refusal> {
        let own = value::namespace(object);
        if !own.is_empty() && own != namespace {
            let message = "the namespace of the provided object does not match the namespace sent on the request";
            return Err(Refusal::bad_request(message));
        }
        if !namespace.is_empty() {
            value::set(object, &["metadata", "namespace"], namespace);
        }
        let prefix = value::text(object, &["metadata", "generateName"]).to_owned();
        if !prefix.is_empty() && !is_subdomain(prefix.strip_suffix('-').unwrap_or(&prefix)) {
            let why = format!("Invalid value: \"{prefix}\": {SUBDOMAIN}");
            return Err(kind.invalid(value::name(object), "metadata.generateName", &why));
        }
        if value::name(object).is_empty() && !prefix.is_empty() {
            let suffix = self.letters();
            value::set(object, &["metadata", "name"], format!("{prefix}{suffix}"));
        }
        let name = value::name(object);
        if name.is_empty() {
            return Err(kind.invalid("", "metadata.name", "Required value: name or generateName is required"));
        }
        let free = kind.group == "rbac.authorization.k8s.io";
        if !free && !is_subdomain(name) {
            let why = format!("Invalid value: \"{name}\": {SUBDOMAIN}");
            return Err(kind.invalid(name, "metadata.name", &why));
        }
        Ok(())
    }

    fn letters(&mut self) -> String {
        let mut mixed = self.next_serial().wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 16;
        let mut next = || {
            let letter = LETTERS.get((mixed % LETTERS.len() as u64) as usize).copied().unwrap_or(b'b');
            mixed /= LETTERS.len() as u64;
            char::from(letter)
        };
        (0..5).map(|_| next()).collect()
    }

    /// Nothing can be created in a namespace that does not exist or is about to end.
    fn check_namespace(&self, kind: &Kind, namespace: &str, name: &str) -> Result<(), Refusal> {
        if !kind.namespaced {
            return Ok(());
        }
        let namespaces = self.kind("", "namespaces")?;
        let its = self.get(&namespaces, "", namespace)?;
        if value::has(&its, &["metadata", "deletionTimestamp"]) {
            let why = format!("unable to create new content in namespace {namespace} because it is being terminated");
            let mut refusal = Refusal::forbidden(&kind.full_name(), name, &why);
            let cause = json!({ "reason": "NamespaceTerminating", "message": why, "field": "metadata.namespace" });
            value::set(&mut refusal.details, &["causes"], json!([cause]));
            return Err(refusal);
        }
        Ok(())
    }

    /// What only the server sets.
    fn stamp_new(&mut self, kind: &Kind, namespace: &str, object: &mut Value) {
        for field in ["deletionTimestamp", "deletionGracePeriodSeconds", "selfLink", "generation"] {
            value::remove(object, &["metadata", field]);
        }
        value::set(object, &["kind"], kind.kind.as_str());
        value::set(object, &["apiVersion"], kind.api_version());
        let uid = self.next_uid();
        value::set(object, &["metadata", "uid"], uid);
        value::set(object, &["metadata", "creationTimestamp"], self.stamp());
        if kind.generation != Generation::None {
            value::set(object, &["metadata", "generation"], 1);
        }
        if namespace.is_empty() {
            value::remove(object, &["metadata", "namespace"]);
        }
        // Kubelets create their node with its status.
        if kind.status && !kind.is("", "nodes") {
            value::remove(object, &["status"]);
        }
    }
}
