//! What was asked of a real server: its audit log, as the journal of the server in memory.

use crate::{faults::Verb, journal::Record, value};
use serde_json::Value;

/// The policy of the log: each request once, when it is answered, without bodies.
pub(super) const POLICY: &str = r#"{
  "apiVersion": "audit.k8s.io/v1", "kind": "Policy",
  "omitStages": ["RequestReceived", "ResponseStarted"], "rules": [{ "level": "Metadata" }]
}"#;

/// The request of a line of the log; none if it is about no resource.
pub(super) fn record(line: &str) -> Option<Record> {
    let event: Value = serde_json::from_str(line).ok()?;
    let text = |path: &[&str]| value::text(&event, path).to_owned();
    let (resource, subresource) = (text(&["objectRef", "resource"]), text(&["objectRef", "subresource"]));
    let verb = Verb::of(value::text(&event, &["verb"]))?;
    let code = value::at(&event, &["responseStatus", "code"]).as_u64().and_then(|code| u16::try_from(code).ok());
    let code = code.unwrap_or(0);
    let wrote = verb.writes() && (200..300).contains(&code) && !text(&["requestURI"]).contains("dryRun=");
    let impersonated = text(&["impersonatedUser", "username"]);
    Some(Record {
        user: if impersonated.is_empty() { text(&["user", "username"]) } else { impersonated },
        process: String::new(),
        manager: text(&["userAgent"]).split([' ', '/']).next().unwrap_or_default().to_owned(),
        verb,
        resource: if subresource.is_empty() { resource } else { format!("{resource}/{subresource}") },
        namespace: text(&["objectRef", "namespace"]),
        name: text(&["objectRef", "name"]),
        code,
        faulty: false,
        // The log does not say which version the store was at.
        before: 0,
        after: u64::from(wrote),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_a_request() {
        let line = r#"{"stage":"ResponseComplete","verb":"create","requestURI":"/api/v1/namespaces/a/pods/p/eviction?",
            "user":{"username":"someone"},"userAgent":"kube-rs/5","responseStatus":{"code":201},
            "objectRef":{"resource":"pods","namespace":"a","name":"p","subresource":"eviction"}}"#;
        let record = record(line).unwrap();
        assert_eq!((record.verb, record.resource.as_str(), record.name.as_str()), (Verb::Create, "pods/eviction", "p"));
        assert_eq!((record.user.as_str(), record.manager.as_str(), record.wrote()), ("someone", "kube-rs", true));
        assert!(!super::record(&line.replace("201", "429")).unwrap().wrote());
    }

    #[test]
    fn what_is_no_request_is_passed_over() {
        assert_eq!(record("half a li"), None);
    }
}
