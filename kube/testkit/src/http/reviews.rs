//! Requests that ask and write nothing: access reviews and token reviews.

use super::{answer::Reply, call::Call};
use crate::{
    access::{Tokens, User, review},
    refusal::Refusal,
    store::Store,
    value,
};
use http::Method;
use serde_json::json;

/// The answer, if the call is a review.
pub(super) fn answer(store: &Store, tokens: &Tokens, call: &Call, user: &User) -> Result<Option<Reply>, Refusal> {
    let parts = call.parts();
    let body = match parts.as_slice() {
        ["apis", "authorization.k8s.io", "v1", "selfsubjectaccessreviews"] => review(store, user, true, &call.body),
        ["apis", "authorization.k8s.io", "v1", "subjectaccessreviews"]
        | ["apis", "authorization.k8s.io", "v1", "namespaces", _, "localsubjectaccessreviews"] => {
            review(store, user, false, &call.body)
        }
        ["apis", "authentication.k8s.io", "v1", "tokenreviews"] => {
            let mut answer = call.body.clone();
            let status = match tokens.user(store, value::text(&call.body, &["spec", "token"])) {
                Some(user) => {
                    json!({ "authenticated": true, "user": { "username": user.name, "groups": user.groups } })
                }
                None => json!({ "authenticated": false, "error": "invalid bearer token" }),
            };
            value::set(&mut answer, &["status"], status);
            answer
        }
        ["apis", "authentication.k8s.io", "v1", "selfsubjectreviews"] => {
            let mut answer = call.body.clone();
            let info = json!({ "username": user.name, "groups": user.groups });
            value::set(&mut answer, &["status", "userInfo"], info);
            answer
        }
        _ => return Ok(None),
    };
    if call.method != Method::POST {
        return Err(Refusal::no_such_verb());
    }
    Ok(Some(Reply::Json(201, body)))
}
