//! PATCH: the four types of it.

use super::{Store, Writer, update::Noted};
use crate::{
    kinds::Kind,
    patch::{apply, merge, strategic},
    refusal::Refusal,
    value,
};
use serde_json::Value;
use std::sync::Arc;

/// How a patch is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PatchType {
    /// RFC 6902: a list of operations.
    Json,
    /// RFC 7386: an object whose nulls remove.
    Merge,
    /// A merge in which lists of objects are merged by their keys.
    Strategic,
    /// Server-side apply.
    Apply,
}

impl PatchType {
    /// The type of a `Content-Type`.
    pub fn of(media: &str) -> Result<Self, Refusal> {
        match media.split(';').next().unwrap_or_default().trim() {
            "application/json-patch+json" => Ok(Self::Json),
            "application/merge-patch+json" => Ok(Self::Merge),
            "application/strategic-merge-patch+json" => Ok(Self::Strategic),
            "application/apply-patch+yaml" | "application/apply-patch+cbor" => Ok(Self::Apply),
            other => Err(Refusal::unknown_patch(other)),
        }
    }
}

impl Store {
    /// Changes an object, or the part of it that a subresource names. The flag is true if an apply created it.
    pub fn patch(
        &mut self,
        kind: &Kind,
        key: (&str, &str),
        subresource: &str,
        patch_type: PatchType,
        patch: Value,
        writer: &Writer,
    ) -> Result<(Arc<Value>, bool), Refusal> {
        let (namespace, name) = key;
        if patch_type == PatchType::Strategic && kind.custom {
            return Err(Refusal::unknown_patch("application/strategic-merge-patch+json"));
        }
        if patch_type == PatchType::Apply && writer.manager.is_empty() {
            let why = "Required value: is required for apply patch";
            return Err(Refusal::invalid("PatchOptions", "", "fieldManager", why));
        }
        let Some(old) = self.find(kind, namespace, name).cloned() else {
            if patch_type == PatchType::Apply && subresource.is_empty() {
                return self.create_by_apply(kind, key, patch, writer).map(|object| (object, true));
            }
            return Err(kind.not_found(name));
        };
        let mut new = (*old).clone();
        let mut noted = Noted::Update(writer);
        match patch_type {
            PatchType::Json => json(&mut new, patch)?,
            PatchType::Merge => merge(&mut new, &patch),
            PatchType::Strategic => strategic::apply(kind, &mut new, &patch)?,
            PatchType::Apply => {
                new = apply::apply(kind, &old, patch, writer, subresource, &self.stamp())?;
                noted = Noted::Already;
            }
        }
        if value::name(&new) != name {
            let own = value::name(&new);
            let message = format!("the name of the object ({own}) does not match the name on the URL ({name})");
            return Err(Refusal::bad_request(message));
        }
        Ok((self.replace(kind, &old, subresource, new, noted)?, false))
    }

    fn create_by_apply(
        &mut self,
        kind: &Kind,
        (namespace, name): (&str, &str),
        configuration: Value,
        writer: &Writer,
    ) -> Result<Arc<Value>, Refusal> {
        let uid = value::text(&configuration, &["metadata", "uid"]);
        if !uid.is_empty() {
            let why =
                format!("uid mismatch: the provided object specified uid {uid}, and no existing object was found");
            return Err(Refusal::conflict(&kind.full_name(), name, &why));
        }
        let nothing = serde_json::json!({ "metadata": { "name": name } });
        let object = apply::apply(kind, &nothing, configuration, writer, "", &self.stamp())?;
        self.create(kind, namespace, object, writer)
    }
}

fn json(object: &mut Value, patch: Value) -> Result<(), Refusal> {
    let patch: json_patch::Patch = serde_json::from_value(patch)
        .map_err(|error| Refusal::bad_request(format!("error decoding patch: {error}")))?;
    let failed = |_| Refusal::new(422, "Invalid", "the server rejected our request due to an error in our request");
    json_patch::patch(object, &patch).map_err(failed)
}
