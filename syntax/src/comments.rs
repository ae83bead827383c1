//! The comments of a text, for writing it in another notation.

use super::{
    lexer::{Kind, lex},
    yaml::{self, Node, Value},
};
use std::ops::Range;

/// A comment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comment {
    /// Its place in bytes, including its comment markers.
    pub range: Range<usize>,
    /// Its lines, without these markers.
    pub lines: Vec<String>,
}

/// The comments of a text in RON.
///
/// ```
/// let comments = quotree_syntax::comments("A( // one\n/* two\n three */ b: \"// none\")");
/// let lines: Vec<_> = comments.iter().flat_map(|comment| &comment.lines).collect();
/// assert_eq!(lines, ["one", "two", "three"]);
/// ```
#[must_use]
pub fn comments(text: &str) -> Vec<Comment> {
    let comment = |kind, range: Range<usize>| {
        let whole = text.get(range.clone()).unwrap_or_default();
        let inside = match kind {
            Kind::LineComment => whole.trim_start_matches('/').trim_start_matches('#'),
            Kind::BlockComment => whole.trim_start_matches("/*").trim_end_matches("*/"),
            _ => return None,
        };
        let lines = inside.trim().lines().map(|line| line.trim().to_owned()).collect();
        Some(Comment { range, lines })
    };
    lex(text).0.into_iter().filter_map(|token| comment(token.kind, token.range)).collect()
}

/// The comments of a text in YAML that was parsed into these documents.
pub(crate) fn of_yaml(text: &str, documents: &[Node]) -> Vec<Comment> {
    let mut scalars = Vec::new();
    documents.iter().for_each(|node| places(node, &mut scalars));
    scalars.sort_by_key(|range| range.start);
    let mut scalars = scalars.into_iter().peekable();
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(next) = text.get(at..).and_then(|rest| rest.find('#')).map(|offset| at + offset) {
        while scalars.next_if(|range| range.end <= next).is_some() {}
        if let Some(inside) = scalars.peek().filter(|range| range.start <= next) {
            at = inside.end;
            continue;
        }
        let before = text.get(..next).and_then(|before| before.chars().next_back());
        if before.is_some_and(|c| !c.is_whitespace() && c != '\u{feff}') {
            at = next + 1;
            continue;
        }
        let end = text.get(next..).and_then(|rest| rest.find('\n')).map_or(text.len(), |offset| next + offset);
        let line = text.get(next..end).unwrap_or_default().trim_start_matches('#').trim().to_owned();
        found.push(Comment { range: next..end, lines: vec![line] });
        at = end;
    }
    found
}

/// The places of the keys and scalars in a value.
fn places(node: &Node, places_of: &mut Vec<Range<usize>>) {
    match &node.value {
        Value::Scalar(_) => places_of.push(node.span.clone()),
        Value::List(items) => items.iter().for_each(|item| places(item, places_of)),
        Value::Map(entries) => {
            for yaml::Entry { key_span, value, .. } in entries {
                places_of.push(key_span.clone());
                places(value, places_of);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::yaml;

    #[test]
    fn comments_of_yaml_are_told_from_text() {
        let text = "# top\na: 1 # one\nb: 'x # y' # two\nc: x#y\nd: |\n  # text\n  more\n# three\ne: \"# no\"\n";
        let lines: Vec<_> = yaml::comments(text).into_iter().flat_map(|comment| comment.lines).collect();
        assert_eq!(lines, ["top", "one", "two", "three"]);
    }
}
