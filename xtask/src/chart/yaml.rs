//! JSON as YAML that people read: block style, with quotes only where they are needed.

use serde_json::Value;

/// Marks a text that is written as it is: an action of a template.
pub(super) const RAW: char = '\u{1}';

/// The value as a YAML document.
pub(super) fn document(value: &Value) -> String {
    let mut text = String::new();
    write(value, 0, &mut text);
    text
}

fn write(value: &Value, indent: usize, text: &mut String) {
    match value {
        Value::Object(fields) => {
            for (key, value) in fields {
                text.push_str(&" ".repeat(indent));
                text.push_str(&scalar(&Value::from(key.as_str())));
                text.push(':');
                nested(value, indent + 2, text);
            }
        }
        Value::Array(items) => {
            for item in items {
                let mut block = String::new();
                write(item, indent + 2, &mut block);
                text.push_str(&" ".repeat(indent));
                text.push_str("- ");
                text.push_str(block.trim_start_matches(' '));
            }
        }
        _ => {
            text.push_str(&scalar(value));
            text.push('\n');
        }
    }
}

/// What follows a key and its colon.
fn nested(value: &Value, indent: usize, text: &mut String) {
    let is_block = match value {
        Value::Object(fields) => !fields.is_empty(),
        Value::Array(items) => !items.is_empty(),
        // An action that begins a line of its own.
        Value::String(raw) if raw.starts_with([RAW]) && raw.contains('\n') => {
            let lines = raw.trim_start_matches(RAW).lines();
            lines.for_each(|line| *text += &format!("\n{}{line}", " ".repeat(indent)));
            text.push('\n');
            return;
        }
        _ => false,
    };
    if is_block {
        text.push('\n');
        write(value, indent, text);
    } else {
        *text += &format!(" {}\n", scalar(value));
    }
}

fn scalar(value: &Value) -> String {
    match value {
        Value::String(text) if text.starts_with(RAW) => text.trim_start_matches(RAW).to_owned(),
        Value::String(text) if is_plain(text) => text.clone(),
        // A JSON string is a YAML string in double quotes; empty lists and objects are the same in both.
        _ => value.to_string(),
    }
}

/// Whether a text means itself without quotes.
fn is_plain(text: &str) -> bool {
    let is_safe = |c: char| c.is_ascii_alphanumeric() || "_-./:".contains(c);
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && !text.ends_with(':')
        && text.chars().all(is_safe)
        && !["true", "false", "null", "yes", "no", "on", "off", "y", "n"].contains(&text.to_lowercase().as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn structure_is_by_indent_and_doubt_is_quoted() {
        let value = json!({
            "kind": "List", "on": "yes", "n": 2, "version": "0.1", "empty": {}, "args": ["--a", "b c"],
            "items": [{ "name": "x", "rules": [{ "verbs": ["*"] }] }],
        });
        let expected = r#"kind: List
"on": "yes"
"n": 2
version: "0.1"
empty: {}
args:
  - "--a"
  - "b c"
items:
  - name: x
    rules:
      - verbs:
          - "*"
"#;
        assert_eq!(document(&value), expected);
    }

    #[test]
    fn actions_are_written_as_they_are() {
        let value = json!({ "image": format!("{RAW}{{{{ .Values.image }}}}"), "args": format!("{RAW}- a\n- b") });
        assert_eq!(document(&value), "image: {{ .Values.image }}\nargs:\n  - a\n  - b\n");
    }
}
