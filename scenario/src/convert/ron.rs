//! Writes values as RON. A value that fits on a line and has no comments inside is written on one line.

use super::doc::{Body, Doc};
use quotree_syntax::quoted;
use std::fmt::Write;

const WIDTH: usize = 120;
const STEP: usize = 4;

/// The text of a file with this value, and these comments at its end.
pub(super) fn text(doc: &Doc, rest: &[String]) -> String {
    let mut out = String::new();
    comments(&mut out, &doc.lead, 0);
    value(&mut out, doc, 0, 1);
    out.push('\n');
    comments(&mut out, doc.trail.as_slice(), 0);
    comments(&mut out, rest, 0);
    out
}

fn comments(out: &mut String, lines: &[String], indent: usize) {
    for line in lines {
        let _ = writeln!(out, "{:indent$}{}", "", format!("// {line}").trim_end());
    }
}

/// Appends a value; `after` is the length of what must fit behind it.
fn value(out: &mut String, doc: &Doc, indent: usize, after: usize) {
    let used = out.len() - out.rfind('\n').map_or(0, |at| at + 1);
    let flat = flat(doc);
    let is_one_line = used + flat.chars().count() + after <= WIDTH && !doc.is_commented_inside();
    match &doc.body {
        Body::List(items) if !is_one_line => {
            out.push_str("[\n");
            items.iter().for_each(|item| entry(out, "", item, indent + STEP));
            let _ = write!(out, "{:indent$}]", "");
        }
        Body::Map(pairs) if !is_one_line => {
            out.push_str("{\n");
            pairs.iter().for_each(|(key, value)| entry(out, &format!("{}: ", self::flat(key)), value, indent + STEP));
            let _ = write!(out, "{:indent$}}}", "");
        }
        Body::Struct(name, args, fields) if !is_one_line => {
            let _ = writeln!(out, "{name}(");
            args.iter().for_each(|arg| entry(out, "", arg, indent + STEP));
            fields.iter().for_each(|(name, value)| entry(out, &format!("{name}: "), value, indent + STEP));
            let _ = write!(out, "{:indent$})", "");
        }
        _ => out.push_str(&flat),
    }
}

/// A line, or several, with a value.
fn entry(out: &mut String, head: &str, doc: &Doc, indent: usize) {
    comments(out, &doc.lead, indent);
    // A comment behind a value of several lines would stand far from where the value begins.
    let is_long = doc.is_commented_inside() || indent + head.len() + flat(doc).chars().count() >= WIDTH;
    if is_long {
        comments(out, doc.trail.as_slice(), indent);
    }
    let _ = write!(out, "{:indent$}{head}", "");
    value(out, doc, indent, 1);
    out.push(',');
    if let Some(comment) = doc.trail.as_ref().filter(|_| !is_long) {
        let _ = write!(out, " // {comment}");
    }
    out.push('\n');
}

/// The value on one line, without comments.
fn flat(doc: &Doc) -> String {
    let joined = |items: &[Doc]| items.iter().map(flat).collect::<Vec<_>>().join(", ");
    match &doc.body {
        Body::Text(text) => quoted(text),
        Body::Number(text) | Body::Word(text) => text.clone(),
        Body::Bool(value) => value.to_string(),
        Body::List(items) => format!("[{}]", joined(items)),
        Body::Map(pairs) if pairs.is_empty() => "{}".to_owned(),
        Body::Map(pairs) => {
            let pairs = pairs.iter().map(|(key, value)| format!("{}: {}", flat(key), flat(value)));
            format!("{{ {} }}", pairs.collect::<Vec<_>>().join(", "))
        }
        Body::Struct(name, args, fields) => {
            let named = fields.iter().map(|(name, value)| format!("{name}: {}", flat(value)));
            format!("{name}({})", args.iter().map(flat).chain(named).collect::<Vec<_>>().join(", "))
        }
        Body::Absent => "None".to_owned(),
    }
}
