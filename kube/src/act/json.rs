//! Decisions as lines of a log that programs read.

use crate::actor::{Intent, PodKey};
use jiff::Timestamp;
use serde_json::{Map, Value, json};

/// The fields of the log line of a decision; nothing where the intent is no decision. An admission has `pod`, `uid`, `queue` and
/// `node`. An eviction has `victim` and `victim_uid`, and the `pod` and `uid` of the pod that it makes room for. `decision_id`
/// counts the decisions of this process.
///
/// ```
/// use quotree_kube::{act::json::fields, actor::{Intent, PodKey}};
/// let pod = PodKey { namespace: "a".into(), name: "p".into(), uid: "u".into(), version: "1".into() };
/// let why = "R2: b/q reclaims its guaranteed quota".to_owned();
/// let evict = Intent::Evict { pod, not_before: Default::default(), why, reason: "Reclaimed", cause: None, unplaced: false };
/// let line = fields(&evict, "root.a", 7).unwrap();
/// assert_eq!((line["victim"].as_str(), line["rule"].as_str()), (Some("a/p"), Some("R2")));
/// ```
#[must_use]
pub fn fields(intent: &Intent, queue: &str, decision: u64) -> Option<Value> {
    let full = |pod: &PodKey| format!("{}/{}", pod.namespace, pod.name);
    let (action, why) = match intent {
        Intent::Bind { why, .. } => ("bind", why),
        Intent::Evict { why, .. } => ("evict", why),
        _ => return None,
    };
    let mut line = Map::new();
    let mut put = |key: &str, value: Value| _ = line.insert(key.to_owned(), value);
    put("action", action.into());
    put("decision_id", decision.into());
    put("queue", queue.into());
    match intent {
        Intent::Bind { pod, node, .. } => {
            put("pod", full(pod).into());
            put("uid", pod.uid.as_str().into());
            put("node", node.as_str().into());
        }
        Intent::Evict { pod, cause, .. } => {
            put("victim", full(pod).into());
            put("victim_uid", pod.uid.as_str().into());
            if let Some(cause) = cause {
                put("pod", full(cause).into());
                put("uid", cause.uid.as_str().into());
            }
        }
        _ => {}
    }
    let rule = why.split_once(": ").map(|(rule, _)| rule);
    if let Some(rule) = rule.filter(|rule| rule.len() <= 6 && rule.starts_with(|c: char| c.is_ascii_uppercase())) {
        put("rule", rule.into());
    }
    put("why", why.as_str().into());
    Some(Value::Object(line))
}

/// A line of the log as JSON, with its time and level. What is JSON already gets both; other text is the `message`.
///
/// ```
/// use quotree_kube::act::json::line;
/// let line: serde_json::Value = serde_json::from_str(&line("ALARM: the ledger drifts")).unwrap();
/// assert_eq!((line["level"].as_str(), line["message"].as_str()), (Some("ERROR"), Some("ALARM: the ledger drifts")));
/// ```
#[must_use]
pub fn line(text: &str) -> String {
    let level = if text.starts_with("ALARM") {
        "ERROR"
    } else if ["failed", "cannot", "the core refuses", "the quota tree is not"]
        .iter()
        .any(|start| text.starts_with(start))
    {
        "WARN"
    } else {
        "INFO"
    };
    let mut fields = match serde_json::from_str::<Value>(text) {
        Ok(Value::Object(fields)) => fields,
        _ => [("message".to_owned(), json!(text))].into_iter().collect(),
    };
    fields.insert("time".to_owned(), Timestamp::now().to_string().into());
    fields.insert("level".to_owned(), level.into());
    Value::Object(fields).to_string()
}
