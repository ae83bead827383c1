//! The values of a file, each with its comments.

use quotree_syntax::{Comment, Node, Shape};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// A value with its comments. The comments of an entry of a map or struct belong to the value of the entry.
#[derive(Debug, Clone)]
pub(super) struct Doc {
    /// Where its entry begins in the text.
    at: usize,
    /// Comments on lines of their own before it.
    pub(super) lead: Vec<String>,
    /// The comment behind it on the same line.
    pub(super) trail: Option<String>,
    pub(super) body: Body,
}

/// A value.
#[derive(Debug, Clone)]
pub(super) enum Body {
    Text(String),
    Number(String),
    Bool(bool),
    Word(String),
    List(Vec<Doc>),
    Map(Vec<(Doc, Doc)>),
    Struct(String, Vec<Doc>, Vec<(String, Doc)>),
    Absent,
}

impl Body {
    /// The value without comments.
    pub(super) const fn bare(self) -> Doc {
        Doc { at: usize::MAX, lead: Vec::new(), trail: None, body: self }
    }
}

impl Doc {
    /// The values of a tree, without comments.
    pub(super) fn of(node: Node) -> Self {
        let at = node.span.start as usize;
        let body = match node.shape {
            Shape::String(text) => Body::Text(text),
            Shape::Number(text) => Body::Number(text),
            Shape::Bool(value) => Body::Bool(value),
            Shape::Word(text) => Body::Word(text),
            Shape::List(items) => Body::List(items.into_iter().map(Self::of).collect()),
            Shape::Map(pairs) => Body::Map(
                pairs
                    .into_iter()
                    .map(|(key, value)| {
                        let at = key.span.start as usize;
                        (Self::of(key), Self { at, ..Self::of(value) })
                    })
                    .collect(),
            ),
            Shape::Struct(body) => Body::Struct(
                body.name.map_or_else(String::new, |name| name.text),
                body.args.into_iter().map(Self::of).collect(),
                body.fields
                    .into_iter()
                    .map(|(name, value)| (name.text, Self { at: name.span.start as usize, ..Self::of(value) }))
                    .collect(),
            ),
            Shape::Absent | Shape::Bad => Body::Absent,
        };
        Self { at, lead: Vec::new(), trail: None, body }
    }

    /// Another value with the same comments.
    pub(super) fn with(self, body: Body) -> Self {
        Self { body, ..self }
    }

    /// The values inside, in order.
    fn inside(&self) -> Vec<&Self> {
        match &self.body {
            Body::List(items) => items.iter().collect(),
            Body::Map(pairs) => pairs.iter().map(|(_, value)| value).collect(),
            Body::Struct(_, args, fields) => args.iter().chain(fields.iter().map(|(_, value)| value)).collect(),
            _ => Vec::new(),
        }
    }

    fn inside_mut(&mut self) -> Vec<&mut Self> {
        match &mut self.body {
            Body::List(items) => items.iter_mut().collect(),
            Body::Map(pairs) => pairs.iter_mut().map(|(_, value)| value).collect(),
            Body::Struct(_, args, fields) => args.iter_mut().chain(fields.iter_mut().map(|(_, value)| value)).collect(),
            _ => Vec::new(),
        }
    }

    /// Whether there are comments inside this value.
    pub(super) fn is_commented_inside(&self) -> bool {
        self.inside().into_iter().any(|doc| !doc.lead.is_empty() || doc.trail.is_some() || doc.is_commented_inside())
    }

    /// Attaches each comment to a value: a comment on a line of its own to the following value, a comment behind a
    /// value to that value. Returns the remaining comments, which are at the end of the file.
    pub(super) fn attach(&mut self, text: &str, comments: &[Comment]) -> Vec<String> {
        let mut starts = Vec::new();
        self.starts(&mut starts);
        starts.sort_unstable();
        let line_of = |at: usize| text.get(..at).and_then(|before| before.rfind('\n')).map_or(0, |end| end + 1);
        let (mut lead, mut trail) = (BTreeMap::<usize, Vec<String>>::new(), BTreeMap::<usize, Vec<String>>::new());
        let mut rest = Vec::new();
        for comment in comments {
            let line = line_of(comment.range.start);
            let before = starts.partition_point(|start| *start < comment.range.start);
            // The first value of the line, which has a line of its own when it is written, too.
            let on_line = starts.get(starts.partition_point(|start| *start < line)..before).and_then(<[usize]>::first);
            let behind = on_line.filter(|_| comment.lines.len() == 1);
            match (behind, starts.get(before)) {
                (Some(start), _) => trail.entry(*start).or_default().extend(comment.lines.iter().cloned()),
                (None, Some(start)) => lead.entry(*start).or_default().extend(comment.lines.iter().cloned()),
                (None, None) => rest.extend(comment.lines.iter().cloned()),
            }
        }
        self.take(&mut lead, &mut trail);
        rest
    }

    fn starts(&self, starts: &mut Vec<usize>) {
        starts.push(self.at);
        self.inside().into_iter().for_each(|doc| doc.starts(starts));
    }

    /// Takes the comments of this place. If several values begin at one place, the outermost gets the comments before
    /// it. The innermost, which may have a line of its own, gets those behind it.
    fn take(&mut self, lead: &mut BTreeMap<usize, Vec<String>>, trail: &mut BTreeMap<usize, Vec<String>>) {
        self.lead.extend(lead.remove(&self.at).unwrap_or_default());
        let at = self.at;
        for doc in self.inside_mut() {
            doc.take(lead, trail);
        }
        self.trail = trail.remove(&at).map(|lines| lines.join("; "));
    }

    /// The value as JSON; nothing if there is none.
    pub(super) fn json(&self) -> Option<Value> {
        Some(match &self.body {
            Body::Text(text) | Body::Word(text) => Value::String(text.clone()),
            Body::Number(text) => text.parse().map_or_else(|_| Value::String(text.clone()), Value::Number),
            Body::Bool(value) => Value::Bool(*value),
            Body::List(items) => Value::Array(items.iter().filter_map(Self::json).collect()),
            Body::Map(pairs) => {
                let pair = |(key, value): &(Self, Self)| Some((key.key(), value.json()?));
                Value::Object(pairs.iter().filter_map(pair).collect::<Map<_, _>>())
            }
            Body::Absent => Value::Null,
            Body::Struct(..) => return None,
        })
    }

    /// The value as a key.
    pub(super) fn key(&self) -> String {
        match &self.body {
            Body::Text(text) | Body::Word(text) | Body::Number(text) => text.clone(),
            Body::Bool(value) => value.to_string(),
            _ => String::new(),
        }
    }
}
