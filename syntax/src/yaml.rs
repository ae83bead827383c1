//! Parses YAML, and so JSON, into a tree of values with their places. The tree is built from the flat events of the
//! parser, without recursion and with bounded depth. Aliases are errors, since they let small files become huge.
//! Duplicate keys are errors, since one of the two values would be lost silently.

use saphyr_parser::{Event, Marker, Parser, ScalarStyle, Span};
use std::{collections::BTreeSet, ops::Range};

/// The deepest nesting. It limits the stack that a walk through the tree needs.
const MOST_DEPTH: usize = 256;

/// A problem at a place of the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct YamlProblem {
    /// The place, in bytes of the text.
    pub span: Range<usize>,
    /// The problem.
    pub what: String,
    /// How to correct it, if known.
    pub help: Option<String>,
}

impl YamlProblem {
    /// An error at this place.
    pub fn new(span: Range<usize>, what: impl Into<String>) -> Self {
        Self { span, what: what.into(), help: None }
    }

    /// The problem, with a hint how to correct it.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

/// A value with its place.
#[derive(Debug, Clone)]
pub struct Node {
    /// The place in bytes of the text; for lists and maps, their beginning.
    pub span: Range<usize>,
    /// The value.
    pub value: Value,
    /// Whether it is a scalar in quotes or a block scalar, and therefore a string.
    pub quoted: bool,
}

/// A value.
#[derive(Debug, Clone)]
pub enum Value {
    /// Any scalar as written, without quotes.
    Scalar(String),
    /// A list.
    List(Vec<Node>),
    /// Keys with their places, in the order of the file.
    Map(Vec<Entry>),
}

/// A key of a map with its value.
#[derive(Debug, Clone)]
pub struct Entry {
    /// The key, without quotes.
    pub key: String,
    /// Its place.
    pub key_span: Range<usize>,
    /// The value.
    pub value: Node,
}

/// The entries of a map.
#[must_use]
pub fn map(node: &Node) -> Option<&[Entry]> {
    match &node.value {
        Value::Map(entries) => Some(entries),
        _ => None,
    }
}

/// The value of a key.
#[must_use]
pub fn find<'a>(node: &'a Node, key: &str) -> Option<&'a Node> {
    map(node)?.iter().find(|entry| entry.key == key).map(|entry| &entry.value)
}

/// The text of a scalar.
#[must_use]
pub fn scalar(node: &Node) -> Option<&str> {
    match &node.value {
        Value::Scalar(text) => Some(text),
        _ => None,
    }
}

/// Whether a field is present but empty.
#[must_use]
pub fn is_null(text: &str) -> bool {
    matches!(text, "" | "~" | "null")
}

/// A list or map that has not ended yet.
enum Open {
    List(Range<usize>, Vec<Node>),
    Map(Range<usize>, Vec<Entry>, Keys),
}

/// The keys of an open map: those that have a value, and the one whose value comes next.
#[derive(Default)]
struct Keys {
    seen: BTreeSet<String>,
    next: Option<(String, Range<usize>)>,
}

/// The documents of a text, and its problems. A syntax error ends the reading.
#[must_use]
pub fn documents(text: &str) -> (Vec<Node>, Vec<YamlProblem>) {
    let mut builder = Builder { documents: Vec::new(), open: Vec::new(), problems: Vec::new() };
    let places = Places::of(text);
    for event in Parser::new_from_str(text) {
        match event {
            Ok((event, span)) => {
                let range = match &event {
                    Event::Scalar(_, ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted, ..) => {
                        within_quotes(text, places.range(span))
                    }
                    _ => places.range(span),
                };
                if builder.take(event, range).is_none() {
                    break;
                }
            }
            Err(error) => {
                let at = places.byte(*error.marker());
                builder.problems.push(syntax_error(text, at, error.info()));
                break;
            }
        }
    }
    (builder.documents, builder.problems)
}

/// The place of a scalar in quotes. The place that the parser reports extends to the end of the line, including a
/// comment there.
fn within_quotes(text: &str, range: Range<usize>) -> Range<usize> {
    let Some(quote) = text.as_bytes().get(range.start).copied() else { return range };
    let inside = text.as_bytes().get(range.start + 1..range.end).unwrap_or_default();
    let mut escaped = false;
    for (i, byte) in inside.iter().enumerate() {
        let doubled = quote == b'\'' && inside.get(i + 1) == Some(&quote);
        match *byte {
            _ if std::mem::take(&mut escaped) => {}
            b'\\' if quote == b'"' => escaped = true,
            byte if byte == quote && doubled => escaped = true,
            byte if byte == quote => return range.start..range.start + i + 2,
            _ => {}
        }
    }
    range
}

/// The comments of a text.
#[must_use]
pub fn comments(text: &str) -> Vec<crate::Comment> {
    crate::comments::of_yaml(text, &documents(text).0)
}

/// A syntax error. If a missing closing bracket is the reason, its place is the open bracket.
fn syntax_error(text: &str, at: usize, info: &str) -> YamlProblem {
    let plain = || YamlProblem::new(at..at, format!("invalid YAML: {info}"));
    match unclosed(text, at) {
        Some((open, bracket)) => {
            let close = if bracket == '[' { ']' } else { '}' };
            let line = text.get(..at).unwrap_or_default().bytes().filter(|byte| *byte == b'\n').count() + 1;
            let what = format!("unclosed bracket: `{close}` is missing before line {line}");
            YamlProblem::new(open..open + 1, what).help(info)
        }
        None => plain(),
    }
}

/// The bracket that is still open at the place where the parser stopped, in flow style (and so in JSON), if there is
/// one.
fn unclosed(text: &str, stopped: usize) -> Option<(usize, char)> {
    let mut open: Vec<(usize, char)> = Vec::new();
    let (mut quote, mut escaped, mut before) = (None, false, '\n');
    let mut chars = text.char_indices().take_while(|(at, _)| *at < stopped);
    while let Some((at, c)) = chars.next() {
        match (quote, c) {
            (Some(_), _) if std::mem::take(&mut escaped) => {}
            (Some('"'), '\\') => escaped = true,
            (Some(of), c) => quote = (c != of).then_some(of),
            // Inside a word, a quote is a letter, and so is a bracket outside of brackets.
            (None, '"' | '\'') if !before.is_alphanumeric() => quote = Some(c),
            (None, '#') if before.is_whitespace() => drop(chars.by_ref().find(|(_, c)| *c == '\n')),
            (None, '[' | '{') if !open.is_empty() || !before.is_alphanumeric() => open.push((at, c)),
            (None, ']' | '}') => match open.pop() {
                Some((at, bracket)) if (bracket == '[') != (c == ']') => return Some((at, bracket)),
                _ => {}
            },
            _ => {}
        }
        before = c;
    }
    open.pop()
}

struct Builder {
    documents: Vec<Node>,
    open: Vec<Open>,
    problems: Vec<YamlProblem>,
}

impl Builder {
    /// Processes one event; nothing if reading cannot continue.
    fn take(&mut self, event: Event<'_>, span: Range<usize>) -> Option<()> {
        match event {
            Event::Scalar(text, style, ..) => {
                let quoted = style != ScalarStyle::Plain;
                self.add(Node { span, value: Value::Scalar(text.into_owned()), quoted });
            }
            Event::Alias(_) => {
                let problem = YamlProblem::new(span.clone(), "aliases are not supported");
                self.problems.push(problem.help("write out the value"));
                self.add(Node { span, value: Value::Scalar(String::new()), quoted: false });
            }
            Event::SequenceStart(..) => self.open(Open::List(span, Vec::new()))?,
            Event::MappingStart(..) => self.open(Open::Map(span, Vec::new(), Keys::default()))?,
            Event::SequenceEnd | Event::MappingEnd => {
                let node = match self.open.pop()? {
                    Open::List(span, items) => Node { span, value: Value::List(items), quoted: false },
                    Open::Map(span, entries, _) => Node { span, value: Value::Map(entries), quoted: false },
                };
                self.add(node);
            }
            _ => {}
        }
        Some(())
    }

    fn open(&mut self, open: Open) -> Option<()> {
        if self.open.len() >= MOST_DEPTH {
            let (Open::List(span, _) | Open::Map(span, ..)) = open;
            self.problems.push(YamlProblem::new(span, format!("nested deeper than {MOST_DEPTH} levels")));
            return None;
        }
        self.open.push(open);
        Some(())
    }

    fn add(&mut self, node: Node) {
        match self.open.last_mut() {
            None => self.documents.push(node),
            Some(Open::List(_, items)) => items.push(node),
            Some(Open::Map(_, entries, keys)) => match (keys.next.take(), node.value) {
                (None, Value::Scalar(text)) => keys.next = Some((text, node.span)),
                (None, _) => {
                    self.problems.push(YamlProblem::new(node.span.clone(), "a key must be a string"));
                    keys.next = Some((format!("key {}", entries.len()), node.span));
                }
                (Some((key, key_span)), value) if keys.seen.insert(key.clone()) => {
                    entries.push(Entry { key, key_span, value: Node { span: node.span, value, quoted: node.quoted } });
                }
                (Some((key, key_span)), _) => {
                    self.problems.push(YamlProblem::new(key_span, format!("duplicate key `{key}`")));
                }
            },
        }
    }
}

/// Converts the places of the parser, counted in characters, to bytes.
struct Places {
    /// The byte at which each character begins; empty if every character is one byte.
    starts: Vec<usize>,
    len: usize,
}

impl Places {
    fn of(text: &str) -> Self {
        let starts = if text.is_ascii() { Vec::new() } else { text.char_indices().map(|(at, _)| at).collect() };
        Self { starts, len: text.len() }
    }

    fn byte(&self, marker: Marker) -> usize {
        let at = if self.starts.is_empty() { Some(marker.index()) } else { self.starts.get(marker.index()).copied() };
        at.unwrap_or(self.len).min(self.len)
    }

    fn range(&self, span: Span) -> Range<usize> {
        let (start, end) = (self.byte(span.start), self.byte(span.end));
        start..end.max(start)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_bytes_even_after_wide_characters() {
        let text = "a: 'ü→x'\nb: [1, zwölf]\n";
        let (documents, problems) = documents(text);
        assert_eq!(problems, []);
        let Value::Map(entries) = &documents[0].value else { panic!("{documents:?}") };
        assert_eq!(&text[entries[1].key_span.clone()], "b");
        let Value::List(items) = &entries[1].value.value else { panic!("{entries:?}") };
        assert_eq!(&text[items[1].span.clone()], "zwölf");
    }

    #[test]
    fn a_missing_bracket_is_told_where_it_is_opened() {
        for (text, wanted) in [
            ("a: 1\nb: [1,\n  {c: 2},\nd: 3\n", Some("[1")),
            ("{\"a\": [1, 2, \"b\": {\"c\": 3}}", Some("[1")),
            ("a: {b: 1 # }\nc: 2\n", Some("{b")),
            ("- {a: [1}\n- {b: 2}\n", Some("[1")),
            ("a: 'x'\n b: 2\n", None),
        ] {
            let (_, problems) = documents(text);
            let at = problems[0].span.start;
            let diagnostics = problems[0].what.starts_with("unclosed bracket").then(|| &text[at..at + 2]);
            assert_eq!(diagnostics, wanted, "{text}: {problems:?}");
        }
    }

    #[test]
    fn what_would_be_lost_or_blown_up_is_refused() {
        let whats = |text: &str| documents(text).1.into_iter().map(|p| p.what).collect::<Vec<_>>();
        assert_eq!(whats("a: 1\na: 2\n"), ["duplicate key `a`"]);
        assert_eq!(whats("a: &x [1]\nb: *x\n"), ["aliases are not supported"]);
        assert_eq!(whats("? [1]\n: 2\n"), ["a key must be a string"]);
        assert_eq!(whats("a: [1\n").len(), 1);
        assert_eq!(whats(&"- ".repeat(100_000)).len(), 1);
        assert_eq!(whats(&"[".repeat(100_000)).len(), 1);
        assert_eq!(whats(&"{a: ".repeat(100_000)).len(), 1);
    }
}
