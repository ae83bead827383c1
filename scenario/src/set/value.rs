//! Reads the value of a setting by the kind of its field.

use crate::{
    language::{Kind, kind},
    notation, typed,
};
use quotree_syntax::{Node, Report, Shape, Span, parse, yaml};

/// Parses the value in a text that has blanks in place of the path.
pub(super) fn value(text: &str, kind_of: &str, source: u32, report: &mut Report) -> Node {
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
