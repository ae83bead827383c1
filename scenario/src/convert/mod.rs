//! Writes a scenario file in another notation: its values, and its comments where the notation has comments.

mod doc;
mod plain;
mod ron;
mod yaml;

use crate::{language, notation, notation::Notation};
use doc::Doc;
use quotree_syntax::{Diagnostic, Group, Node, Report, Shape, Source, Span, clip, comments, yaml as yaml_syntax};

/// A file in another notation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Converted {
    /// Its text.
    pub text: String,
    /// How many comments it lacks, because its notation has none.
    pub comments_lost: usize,
}

/// The text of a scenario file, or of a part of one, in another notation. Paths in it do not change.
///
/// # Errors
/// All mistakes of notation in the text. What its values mean is not checked.
///
/// ```
/// use quotree_scenario::{Notation, convert};
/// let ron = "// Ours.\nScenario(workloads: [Job(name: \"a\", runtime: Uniform(\"1h\", \"2h\"))])";
/// let yaml = convert("a.ron", ron, Notation::Yaml).unwrap().text;
/// assert_eq!(yaml, "# Ours.\nworkloads:\n- kind: Job\n  name: a\n  runtime: {Uniform: [1h, 2h]}\n");
/// let back = convert("a.yaml", &yaml, Notation::Ron).unwrap().text;
/// assert!(back.starts_with("// Ours.\nScenario("));
/// assert_eq!(convert("a.yaml", &yaml, Notation::Json).unwrap().comments_lost, 1);
/// ```
pub fn convert(path: &str, text: &str, to: Notation) -> Result<Converted, Vec<Diagnostic>> {
    let mut report = Report::default();
    let node = notation::parse(path, text, 0, &mut report);
    if let Some(node) = &node {
        check_names(node, &mut report);
    }
    let Some(node) = node.filter(|_| report.errors() == 0) else {
        return Err(report.finish(&[Source { path: path.to_owned(), text: text.to_owned() }]));
    };
    let comments = match Notation::of(path, text) {
        Notation::Ron => comments(text),
        Notation::Yaml => yaml_syntax::comments(text),
        Notation::Json => Vec::new(),
    };
    let group = match &node.shape {
        Shape::Struct(body) if body.name.as_ref().is_some_and(|name| name.text == "Quota") => "quota",
        _ => "file",
    };
    let mut doc = Doc::of(node);
    let rest = doc.attach(text, &comments);
    let text = match to {
        Notation::Ron => ron::text(&doc, &rest),
        Notation::Yaml => yaml::text(&plain::value(doc, group, true), &rest),
        Notation::Json => plain::value(doc, group, false).json().map_or_else(String::new, |json| format!("{json:#}\n")),
    };
    let comments_lost = if to == Notation::Json { comments.len() } else { 0 };
    Ok(Converted { text, comments_lost })
}

/// Reports names that only YAML and JSON can express: RON cannot write them, and the language has no such names.
fn check_names(node: &Node, report: &mut Report) {
    let mut check = |name: &str, span: Span| {
        let starts = name.starts_with(|c: char| c.is_alphabetic() || c == '_');
        if !starts || !name.chars().all(|c| c.is_alphanumeric() || c == '_') {
            report.error(span, format!("`{}` is not a name", clip(name)), "letters, digits and `_` are allowed");
        }
    };
    match &node.shape {
        Shape::Word(word) => check(word, node.span),
        Shape::List(items) => items.iter().for_each(|item| check_names(item, report)),
        Shape::Map(pairs) => pairs.iter().for_each(|(_, value)| check_names(value, report)),
        Shape::Struct(body) => {
            body.name
                .iter()
                .chain(body.fields.iter().map(|(name, _)| name))
                .for_each(|name| check(&name.text, name.span));
            body.args
                .iter()
                .chain(body.fields.iter().map(|(_, value)| value))
                .for_each(|value| check_names(value, report));
        }
        _ => {}
    }
}

/// Whether a file of this group may begin with this struct without naming it.
fn is_implied(group: &str, name: &str) -> bool {
    language::group(group).and_then(Group::implied).is_some_and(|ty| ty.name == name)
}
