//! Reads the value of a setting by the kind of its field.

use super::Change;
use crate::{
    language::{Kind, kind},
    notation, typed,
};
use quotree_syntax::{Diagnostic, Ident, Node, Report, Shape, Span, Struct, parse, yaml};
use std::ops::Range;

/// Parses the value of a change. Places in the value are places in the source.
pub(super) fn value(change: &Change, kind_of: &str, report: &mut Report) -> Node {
    let mut found = Report::default();
    let mut node = match change.claims.as_slice() {
        [] => parsed(&change.text, kind_of, change.source, &mut found),
        claims => list_of_claims(change, claims, kind_of, &mut found),
    };
    shift(&mut node, change.at);
    let moved = |d: Diagnostic| Diagnostic { span: d.span.start + change.at..d.span.end + change.at, ..d };
    report.adopt(found.finish(&[]).into_iter().map(moved).collect(), change.source);
    node
}

/// Claims as a list. One without a time is about the end of the run. Places are counted from the start of the text.
fn list_of_claims(change: &Change, claims: &[Range<usize>], kind_of: &str, report: &mut Report) -> Node {
    let mut entries = Vec::new();
    for claim in claims {
        let text = change.text.get(claim.clone()).unwrap_or_default();
        let span = Span::new(change.source, claim.clone());
        if text.trim().is_empty() {
            let help = "for example `Evictions(exactly: 0)` or `Wait(stat: P95, at_most: \"10m\")`";
            report.error(span, "the claim is empty", "a claim is missing").help(help);
            continue;
        }
        let mut found = Report::default();
        let node = parse(text, change.source, &mut found);
        let moved = |d: Diagnostic| Diagnostic { span: d.span.start + claim.start..d.span.end + claim.start, ..d };
        report.adopt(found.finish(&[]).into_iter().map(moved).collect(), change.source);
        if let Some(mut node) = node {
            shift(&mut node, claim.start);
            entries.push(at_the_end(node));
        }
    }
    let span = Span::new(change.source, 0..change.text.len());
    let list = Node { span, shape: Shape::List(entries) };
    if report.errors() > 0 { Node { span, shape: Shape::Bad } } else { typed::value(list, kind_of, report) }
}

/// A claim with its time: the end of the run, if it has none.
fn at_the_end(claim: Node) -> Node {
    let word = match &claim.shape {
        Shape::Struct(Struct { name: Some(name), .. }) => name.text.as_str(),
        _ => "",
    };
    if matches!(word, "At" | "Final" | "Always" | "Never" | "Eventually" | "Within" | "StableFor") {
        return claim;
    }
    let span = claim.span;
    let name = Some(Ident { text: "Final".to_owned(), span });
    Node { span, shape: Shape::Struct(Struct { name, args: vec![claim], fields: Vec::new() }) }
}

/// Moves the places of a value.
fn shift(node: &mut Node, by: usize) {
    let moved = |span: Span| Span::new(span.source, span.start as usize + by..span.end as usize + by);
    let name = |ident: &mut Ident| ident.span = moved(ident.span);
    node.span = moved(node.span);
    match &mut node.shape {
        Shape::List(items) => items.iter_mut().for_each(|item| shift(item, by)),
        Shape::Map(pairs) => {
            for (key, value) in pairs {
                shift(key, by);
                shift(value, by);
            }
        }
        Shape::Struct(Struct { name: named, args, fields }) => {
            named.iter_mut().for_each(name);
            args.iter_mut().for_each(|arg| shift(arg, by));
            for (ident, value) in fields {
                name(ident);
                shift(value, by);
            }
        }
        _ => {}
    }
}

/// Parses a value. Places are counted from the start of its text.
fn parsed(text: &str, kind_of: &str, source: u32, report: &mut Report) -> Node {
    let start = text.len() - text.trim_start().len();
    let written = text.trim();
    let span = Span::new(source, start..start + written.len());
    let plain = |shape| Node { span, shape };
    let is_text = matches!(kind(kind_of), Kind::Text | Kind::Quantity);
    let is_quoted = written.starts_with('"');
    if is_text && !is_quoted {
        return plain(Shape::String(written.to_owned()));
    }
    if !is_quoted && !written.contains(['(', '[', '{']) {
        return typed::value(plain(notation::scalar(written.to_owned())), kind_of, report);
    }
    let mut trial = Report::default();
    if let Some(node) = parse(text, source, &mut trial).filter(|_| trial.errors() == 0) {
        return typed::value(node, kind_of, report);
    }
    // What is no RON may be a list or a map as YAML has it: `[a, b]`, `{cpu: 10}`.
    if !written.contains('(') {
        let (mut documents, problems) = yaml::documents(text);
        if let (Some(found), true) = (documents.pop(), problems.is_empty()) {
            return typed::value(notation::node(found, source), kind_of, report);
        }
    }
    parse(text, source, report).unwrap_or_else(|| plain(Shape::Bad))
}
