//! What patches do to an object, without a store.

pub(crate) mod apply;
mod difference;
pub(crate) mod lists;
pub(crate) mod owners;
pub(crate) mod strategic;

use serde_json::Value;

/// RFC 7386: nulls remove, objects are merged, everything else is replaced.
pub(crate) fn merge(object: &mut Value, patch: &Value) {
    json_patch::merge(object, patch);
}
