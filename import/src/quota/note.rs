//! Notes: what a file states that has no place in quotree's model, and what was assumed where a file leaves something
//! open. Equal notes are counted, so that a thousand queues with the same field result in one sentence.

use indexmap::IndexMap;
use quotree_syntax::{Place, Span};
use std::fmt;

/// A note that applies to a number of equal objects or fields.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// The kind of these things in the singular, such as `ClusterQueue`.
    pub kind: String,
    /// The statement about them, such as "sets `fairSharing.weight`" or "has no LocalQueue"; the verb follows from the
    /// variant.
    pub says: Says,
    /// The number of these things.
    pub count: u64,
    /// What the setting would have meant, or how it was read.
    pub means: String,
    /// Whether something in the file is lost; otherwise something was assumed.
    pub lost: bool,
    /// The place of the first.
    pub first: Place,
    /// The place of the first, as a range of bytes.
    pub span: Span,
}

/// The statement of a note.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Says {
    /// They set this field.
    Sets(String),
    /// They have this.
    Has(String),
    /// They exist.
    Is,
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.count, if self.count == 1 { self.kind.clone() } else { plural(&self.kind) })?;
        match (&self.says, self.count) {
            (Says::Sets(field), 1) => write!(f, " sets `{field}`")?,
            (Says::Sets(field), _) => write!(f, " set `{field}`")?,
            (Says::Has(what), 1) => write!(f, " has {what}")?,
            (Says::Has(what), _) => write!(f, " have {what}")?,
            (Says::Is, _) => {}
        }
        write!(f, ": {}", self.means)
    }
}

fn plural(kind: &str) -> String {
    match kind.strip_suffix('y') {
        Some(stem) if !stem.ends_with(['a', 'e', 'o', 'u']) => format!("{stem}ies"),
        _ if kind.ends_with(['s', 'x']) => format!("{kind}es"),
        _ => format!("{kind}s"),
    }
}

/// Equal notes have equal keys: the kind, the statement, its meaning, and whether something is lost.
type Key = (String, Says, String, bool);

/// The notes so far, in the order of the first note of each kind.
#[derive(Debug, Default)]
pub(crate) struct Notes(IndexMap<Key, (u64, Span)>);

impl Notes {
    /// Adds a note about something that has no place in the model.
    pub(crate) fn lost(&mut self, kind: &str, says: Says, means: &str, span: Span) {
        self.add((kind.to_owned(), says, means.to_owned(), true), 1, span);
    }

    /// As [`lost`](Self::lost), about so many things in one place.
    pub(crate) fn lost_many(&mut self, (kind, count): (&str, u64), says: Says, means: &str, span: Span) {
        self.add((kind.to_owned(), says, means.to_owned(), true), count, span);
    }

    /// Adds a note about something that the files leave open, and how it was read.
    pub(crate) fn assumed(&mut self, kind: &str, says: Says, means: &str, span: Span) {
        self.add((kind.to_owned(), says, means.to_owned(), false), 1, span);
    }

    fn add(&mut self, key: Key, count: u64, span: Span) {
        let so_far = &mut self.0.entry(key).or_insert((0, span)).0;
        *so_far = so_far.saturating_add(count);
    }

    /// All notes, those about losses first; `place` returns the place of a span.
    pub(crate) fn finish(self, place: impl Fn(Span) -> Place) -> Vec<Note> {
        let note = |((kind, says, means, lost), (count, span)): (Key, (u64, Span))| Note {
            kind,
            says,
            count,
            means,
            lost,
            first: place(span),
            span,
        };
        let mut notes: Vec<Note> = self.0.into_iter().map(note).collect();
        notes.sort_by_key(|note| !note.lost);
        notes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_notes_are_counted_and_read_as_a_sentence() {
        let mut notes = Notes::default();
        let at = |start: usize| Span::new(0, start..start + 1);
        notes.assumed("entry", Says::Has("no name".into()), "it is skipped", at(0));
        for start in [4, 2, 9] {
            notes.lost("ClusterQueue", Says::Sets("fairSharing.weight".into()), "shares come from min", at(start));
        }
        notes.lost("PriorityClass", Says::Is, "not read", at(1));
        let diagnostics = notes.finish(|span| Place { line: span.start as usize, ..Place::default() });
        let text: Vec<_> = diagnostics.iter().map(ToString::to_string).collect();
        assert_eq!(
            text,
            [
                "3 ClusterQueues set `fairSharing.weight`: shares come from min",
                "1 PriorityClass: not read",
                "1 entry has no name: it is skipped"
            ]
        );
        assert_eq!(diagnostics[0].first.line, 4, "the place of the first that was noted");
        assert_eq!(
            [plural("PriorityClass"), plural("property"), plural("Queue"), plural("array")],
            ["PriorityClasses", "properties", "Queues", "arrays"]
        );
    }
}
