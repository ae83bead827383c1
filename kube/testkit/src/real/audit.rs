//! What was asked of a real server: its audit log, as the journal of the server in memory.

use crate::{faults::Verb, journal::Record, value};
use serde_json::Value;

/// The policy of the log: each request once, when it is answered. Bodies only of the answers that show which version a write made of
/// an object that the laws are about.
pub(super) const POLICY: &str = r#"{
  "apiVersion": "audit.k8s.io/v1", "kind": "Policy", "omitManagedFields": true,
  "omitStages": ["RequestReceived", "ResponseStarted"],
  "rules": [
    {
      "level": "RequestResponse", "verbs": ["create", "update", "patch", "delete"],
      "resources": [
        { "group": "", "resources": ["pods", "pods/status", "pods/resize"] },
        { "group": "scheduling.sigs.k8s.io" }
      ]
    },
    { "level": "Metadata" }
  ]
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
    let made = value::text(&event, &["responseObject", "metadata", "resourceVersion"]).parse().ok();
    let impersonated = text(&["impersonatedUser", "username"]);
    Some(Record {
        user: if impersonated.is_empty() { text(&["user", "username"]) } else { impersonated },
        process: process(value::text(&event, &["userAgent"])).to_owned(),
        manager: text(&["userAgent"]).split([' ', '/']).next().unwrap_or_default().to_owned(),
        verb,
        resource: if subresource.is_empty() { resource } else { format!("{resource}/{subresource}") },
        namespace: text(&["objectRef", "namespace"]),
        name: text(&["objectRef", "name"]),
        code,
        faulty: false,
        // The log does not say which version the store was at.
        before: 0,
        after: if wrote { made.unwrap_or(1) } else { 0 },
    })
}

/// What a user agent such as `quotree-scheduler/0.1.0 (host_7_1)` says of its process.
fn process(agent: &str) -> &str {
    agent.split_once('(').and_then(|(_, rest)| rest.split_once(')')).map_or("", |(process, _)| process)
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
        assert_eq!((record.after, record.process.as_str()), (1, ""), "the answer shows no object");
        assert!(!super::record(&line.replace("201", "429")).unwrap().wrote());
    }

    #[test]
    fn an_answer_shows_the_version_and_an_agent_its_process() {
        let line = r#"{"verb":"patch","userAgent":"quotree-scheduler/0.1.0 (host_7_1)","responseStatus":{"code":200},
            "objectRef":{"resource":"pods","namespace":"a","name":"p"},
            "responseObject":{"metadata":{"resourceVersion":"42"}}}"#;
        let record = record(line).unwrap();
        assert_eq!(
            (record.after, record.process.as_str(), record.manager.as_str()),
            (42, "host_7_1", "quotree-scheduler")
        );
    }

    #[test]
    fn what_is_no_request_is_passed_over() {
        assert_eq!(record("half a li"), None);
    }
}
