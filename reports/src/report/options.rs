//! The policy settings that differ from their defaults.

use quotree_core::Policy;
use quotree_page::model::Choice;
use serde_json::Value;

/// Each changed setting with its value; a nested one is named as in `bounds.nodes`.
pub(super) fn changed(policy: &Policy) -> Vec<Choice> {
    let json = |policy: &Policy| serde_json::to_value(policy).unwrap_or_default();
    let mut all = Vec::new();
    compare("", &json(policy), &json(&Policy::default()), &mut all);
    all
}

fn compare(name: &str, now: &Value, default: &Value, all: &mut Vec<Choice>) {
    match (now, default) {
        _ if now == default => {}
        (Value::Object(now), Value::Object(default)) => {
            for (key, value) in now {
                let below = if name.is_empty() { key.clone() } else { format!("{name}.{key}") };
                compare(&below, value, default.get(key).unwrap_or(&Value::Null), all);
            }
        }
        _ => all.push(Choice { name: name.to_owned(), value: text_of(now) }),
    }
}

/// A value as text: words without quotes, and for a list its length.
fn text_of(value: &Value) -> String {
    match value {
        Value::String(word) => word.clone(),
        Value::Array(all) => format!("{} entries", all.len()),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use quotree_core::{Reclaim, SearchBounds};

    #[test]
    fn only_what_was_changed_is_told() {
        assert_eq!(changed(&Policy::default()), []);
        let bounds = SearchBounds { nodes: 7, ..SearchBounds::default() };
        let policy = Policy { reclaim: Reclaim::FairShare, bounds, ..Policy::default() };
        let named: Vec<_> =
            changed(&policy).into_iter().map(|choice| format!("{} {}", choice.name, choice.value)).collect();
        assert_eq!(named, ["reclaim FairShare", "bounds.nodes 7"]);
    }
}
