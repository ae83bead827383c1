//! Why a request is refused: the Status object of the Kubernetes API, with its HTTP code.

use serde_json::{Value, json};

/// A refused request. It becomes a `Status` with `status: Failure`.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{code} {reason}: {message}")]
pub struct Refusal {
    /// The HTTP code.
    pub code: u16,
    /// The reason as the API names it, such as `AlreadyExists`.
    pub reason: &'static str,
    /// The sentence for people.
    pub message: String,
    /// What the API says in `details`: kind, name, causes, retryAfterSeconds.
    pub details: Value,
}

impl Refusal {
    /// A refusal without details.
    pub fn new(code: u16, reason: &'static str, message: impl Into<String>) -> Self {
        Self { code, reason, message: message.into(), details: Value::Null }
    }

    fn of(mut self, plural: &str, name: &str) -> Self {
        self.details = json!({ "name": name, "kind": plural });
        self
    }

    /// 404 for an object.
    pub fn not_found(plural: &str, name: &str) -> Self {
        Self::new(404, "NotFound", format!("{plural} \"{name}\" not found")).of(plural, name)
    }

    /// 404 for a path that means nothing.
    pub fn no_such_path() -> Self {
        Self::new(404, "NotFound", "the server could not find the requested resource")
    }

    /// 409 for a name that is taken.
    pub fn already_exists(plural: &str, name: &str) -> Self {
        Self::new(409, "AlreadyExists", format!("{plural} \"{name}\" already exists")).of(plural, name)
    }

    /// 409 for a precondition that fails.
    pub fn conflict(plural: &str, name: &str, why: &str) -> Self {
        let message = format!("Operation cannot be fulfilled on {plural} \"{name}\": {why}");
        Self::new(409, "Conflict", message).of(plural, name)
    }

    /// 409 for a resourceVersion that is not the latest.
    pub fn stale(plural: &str, name: &str) -> Self {
        let why = "the object has been modified; please apply your changes to the latest version and try again";
        Self::conflict(plural, name, why)
    }

    /// 422 for one field.
    pub fn invalid(kind: &str, name: &str, field: &str, why: &str) -> Self {
        let mut refusal = Self::new(422, "Invalid", format!("{kind} \"{name}\" is invalid: {field}: {why}"));
        let cause = json!({ "reason": "FieldValueInvalid", "message": why, "field": field });
        refusal.details = json!({ "name": name, "kind": kind, "causes": [cause] });
        refusal
    }

    /// 400.
    pub fn bad_request(message: impl Into<String>) -> Self {
        Self::new(400, "BadRequest", message)
    }

    /// 403 for an object.
    pub fn forbidden(plural: &str, name: &str, why: &str) -> Self {
        Self::new(403, "Forbidden", format!("{plural} \"{name}\" is forbidden: {why}")).of(plural, name)
    }

    /// 405: the kind has no such verb.
    pub fn no_such_verb() -> Self {
        Self::new(405, "MethodNotAllowed", "the server does not allow this method on the requested resource")
    }

    /// 410: what was asked for is no longer kept.
    pub fn expired(message: impl Into<String>) -> Self {
        Self::new(410, "Expired", message)
    }

    /// 415 for the type of a patch.
    pub fn unknown_patch(media: &str) -> Self {
        let message = format!("the body of the request was in an unknown format: {media}");
        Self::new(415, "UnsupportedMediaType", message)
    }

    /// 429 by a disruption budget.
    pub fn budget(budget: &str, why: &str, retry_after: u32) -> Self {
        let message = "Cannot evict pod as it would violate the pod's disruption budget.";
        let mut refusal = Self::new(429, "TooManyRequests", message);
        let why = format!("The disruption budget {budget} {why}");
        refusal.details = json!({ "causes": [{ "reason": "DisruptionBudget", "message": why }] });
        if retry_after > 0 {
            crate::value::set(&mut refusal.details, &["retryAfterSeconds"], retry_after);
        }
        refusal
    }

    /// An answer that a fault gives: what a busy or failing server says with this code.
    pub fn from_code(code: u16, retry_after: Option<u32>) -> Self {
        let reason = match code {
            401 => "Unauthorized",
            403 => "Forbidden",
            404 => "NotFound",
            409 => "Conflict",
            410 => "Expired",
            422 => "Invalid",
            429 => "TooManyRequests",
            503 => "ServiceUnavailable",
            504 => "Timeout",
            _ => "InternalError",
        };
        let mut refusal = Self::new(code, reason, "injected by a fault of the test server");
        if let Some(seconds) = retry_after {
            refusal.details = json!({ "retryAfterSeconds": seconds });
        }
        refusal
    }

    /// The seconds that the caller is told to wait.
    pub fn retry_after(&self) -> Option<u64> {
        self.details.get("retryAfterSeconds").and_then(Value::as_u64)
    }

    /// The Status object.
    pub fn status(&self) -> Value {
        let mut status = json!({
            "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
            "message": self.message, "reason": self.reason, "code": self.code,
        });
        if !self.details.is_null() {
            crate::value::set(&mut status, &["details"], self.details.clone());
        }
        status
    }
}

/// The Status object of a request that is carried out and has no object to show.
pub(crate) fn success(code: u16) -> Value {
    json!({ "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": code })
}
