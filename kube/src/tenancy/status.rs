//! What is said about a user or a group, as the status of its object.

use super::plan::Said;
use quotree_core::Time;
use serde_json::{Value, json};

/// The status, where this one is there. Its time is that of the last change from ready to not ready or back.
#[must_use]
pub fn status(said: &Said, before: &Value, generation: i64, now: Time) -> Value {
    let word = if said.ready { "True" } else { "False" };
    let condition = before.pointer("/conditions/0");
    let stands = condition.filter(|condition| condition.get("status").and_then(Value::as_str) == Some(word));
    let since = stands.and_then(|condition| condition.get("lastTransitionTime")).cloned();
    let ms = i64::try_from(now.0).unwrap_or(0);
    let stamp = || jiff::Timestamp::from_millisecond(ms).unwrap_or_default().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    let namespaces: Vec<&str> = said.namespaces.iter().map(quotree_core::Name::as_str).collect();
    json!({
        "namespaces": namespaces,
        "observedGeneration": generation,
        "conditions": [{
            "type": "Ready", "status": word, "reason": said.reason, "message": said.message,
            "observedGeneration": generation, "lastTransitionTime": since.unwrap_or_else(|| stamp().into()),
        }],
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_is_that_of_the_last_change() {
        let said = |ready| Said { ready, reason: "Bound", message: String::new(), namespaces: vec![] };
        let first = status(&said(true), &Value::Null, 1, Time(1_000));
        let second = status(&said(true), &first, 2, Time(2_000_000));
        let time = |status: &Value| status["conditions"][0]["lastTransitionTime"].clone();
        assert_eq!((time(&first), second["observedGeneration"].as_i64()), (time(&second), Some(2)));
        let third = status(&said(false), &second, 2, Time(3_000_000));
        assert_eq!(time(&third), "1970-01-01T00:50:00Z");
    }
}
