//! Writes values as YAML. A value that fits on a line and has no comments inside is written in braces.

use super::doc::{Body, Doc};
use std::fmt::Write;

/// The longest line with a value in braces.
const WIDTH: usize = 110;
const STEP: usize = 2;

/// The text of a file with this value, which has no structs, and these comments at its end.
pub(super) fn text(doc: &Doc, rest: &[String]) -> String {
    let mut out = String::new();
    comments(&mut out, &doc.lead, 0);
    match &doc.body {
        Body::Map(pairs) if !pairs.is_empty() => map(&mut out, pairs, 0),
        Body::List(items) if !items.is_empty() => list(&mut out, items, 0),
        _ => {
            let _ = writeln!(out, "{}", flow(doc));
        }
    }
    comments(&mut out, rest, 0);
    out
}

fn comments(out: &mut String, lines: &[String], indent: usize) {
    for line in lines {
        let _ = writeln!(out, "{:indent$}{}", "", format!("# {line}").trim_end());
    }
}

/// The pairs of a map, each on a line of its own, or on several.
fn map(out: &mut String, pairs: &[(Doc, Doc)], indent: usize) {
    for (i, (key, value)) in pairs.iter().enumerate() {
        // The first pair of an entry of a list stands behind its dash; its comments are before the dash.
        let is_begun = i == 0 && !out.is_empty() && !out.ends_with('\n');
        if !is_begun {
            comments(out, &value.lead, indent);
            out.extend(std::iter::repeat_n(' ', indent));
        }
        let _ = write!(out, "{}:", scalar(&key.key()));
        inside(out, value, indent);
    }
}

/// The value behind a key.
fn inside(out: &mut String, value: &Doc, indent: usize) {
    let used = out.len() - out.rfind('\n').map_or(0, |at| at + 1);
    let flat = flow(value);
    let fits = used + 1 + flat.chars().count() <= WIDTH && !value.is_commented_inside() && !is_long(value);
    match &value.body {
        Body::Map(pairs) if !pairs.is_empty() && !fits => {
            trail(out, value);
            map(out, pairs, indent + STEP);
        }
        Body::List(items) if !items.is_empty() && !fits => {
            trail(out, value);
            list(out, items, indent);
        }
        _ => {
            let _ = write!(out, " {flat}");
            trail(out, value);
        }
    }
}

/// Whether a list has entries that are easier to read on lines of their own.
fn is_long(value: &Doc) -> bool {
    matches!(&value.body, Body::List(items) if items.iter().any(|item| matches!(item.body, Body::Map(_))))
}

fn trail(out: &mut String, value: &Doc) {
    if let Some(comment) = &value.trail {
        let _ = write!(out, " # {comment}");
    }
    out.push('\n');
}

fn list(out: &mut String, items: &[Doc], indent: usize) {
    for item in items {
        comments(out, &item.lead, indent);
        match &item.body {
            Body::Map(pairs) if !pairs.is_empty() => {
                comments(out, pairs.first().map_or(&[][..], |(_, first)| &first.lead), indent);
                comments(out, item.trail.as_slice(), indent);
                let _ = write!(out, "{:indent$}- ", "");
                map(out, pairs, indent + STEP);
            }
            Body::List(inner) if item.is_commented_inside() => {
                comments(out, item.trail.as_slice(), indent);
                let _ = writeln!(out, "{:indent$}-", "");
                list(out, inner, indent + STEP);
            }
            _ => {
                let _ = write!(out, "{:indent$}- {}", "", flow(item));
                trail(out, item);
            }
        }
    }
}

/// A value on one line, without comments.
fn flow(doc: &Doc) -> String {
    match &doc.body {
        Body::Text(text) | Body::Word(text) => scalar(text),
        Body::Number(text) => text.clone(),
        Body::Bool(value) => value.to_string(),
        Body::List(items) => format!("[{}]", items.iter().map(flow).collect::<Vec<_>>().join(", ")),
        Body::Map(pairs) => {
            let pair = |(key, value): &(Doc, Doc)| format!("{}: {}", scalar(&key.key()), flow(value));
            format!("{{{}}}", pairs.iter().map(pair).collect::<Vec<_>>().join(", "))
        }
        Body::Struct(..) | Body::Absent => "null".to_owned(),
    }
}

/// A string, in quotes only where it could be read as something else.
fn scalar(text: &str) -> String {
    if is_plain(text) { text.to_owned() } else { serde_json::Value::String(text.to_owned()).to_string() }
}

/// Whether every YAML reader, old or new, reads this text as a string.
fn is_plain(text: &str) -> bool {
    const OTHER: [&str; 9] = ["true", "false", "null", "yes", "no", "on", "off", "y", "n"];
    let first = text.chars().next();
    let safe = |c: char| {
        c.is_alphanumeric() || matches!(c, '_' | '.' | '/' | ' ' | '%' | '-' | '+' | '(' | ')' | '@' | ';' | '\'')
    };
    let starts = first.is_some_and(|c| c.is_alphanumeric() || matches!(c, '_' | '/'));
    // Digits with `e`, `x`, `o` or `_` among them are numbers to some.
    let is_number = first.is_some_and(|c| c.is_ascii_digit())
        && text.chars().all(|c| c.is_ascii_hexdigit() || matches!(c, '_' | '.' | '-' | '+' | 'x' | 'o'))
        && !text.ends_with('d');
    starts
        && text.chars().all(safe)
        && !text.ends_with(' ')
        && !is_number
        && text.parse::<f64>().is_err()
        && !OTHER.contains(&text.to_ascii_lowercase().as_str())
}
