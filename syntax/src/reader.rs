//! The typed layer over the tree: reads fields by name or by position. Each error is reported at its place, and reading
//! continues. An invalid value is reported once and is absent from then on, so nothing that uses it reports it again.

use super::{
    diagnostic::{Report, Span},
    record::Row,
    tree::{Node, Shape, Struct, clip},
};
use std::collections::BTreeSet;

/// A type that a field can have.
pub trait Read: Sized {
    /// The kind of value of such a field, in the terms of the schema and the reference page.
    fn kind() -> String;

    /// Reads a value; if this returns nothing, an error was reported.
    fn read(node: &Node, report: &mut Report) -> Option<Self>;

    /// The value in the form in which the reference page shows defaults.
    fn show(&self) -> String {
        String::new()
    }

    /// The value that `None` means; for most types, `None` means that the field is absent.
    #[must_use]
    fn none() -> Option<Self> {
        None
    }
}

/// Reports that a node is not of the expected kind.
pub fn wrong(node: &Node, expected: &str, report: &mut Report) {
    if !matches!(node.shape, Shape::Bad) {
        report.error(node.span, format!("expected {expected}, found {}", node.describe()), format!("not {expected}"));
    }
}

/// A value with its place.
#[derive(Debug, Clone)]
pub struct At<T> {
    /// The value.
    pub value: T,
    /// Where it is written.
    pub span: Span,
}

impl<T: Read> Read for At<T> {
    fn kind() -> String {
        T::kind()
    }

    fn show(&self) -> String {
        self.value.show()
    }

    fn read(node: &Node, report: &mut Report) -> Option<Self> {
        T::read(node, report).map(|value| Self { value, span: node.span })
    }
}

/// The place of a value that is written, valid or not.
#[derive(Debug, Clone)]
pub struct Given<T> {
    /// The value, unless it is invalid.
    pub value: Option<T>,
    /// Where it is written.
    pub span: Span,
}

impl<T: Read> Read for Given<T> {
    fn kind() -> String {
        T::kind()
    }

    fn read(node: &Node, report: &mut Report) -> Option<Self> {
        Some(Self { value: T::read(node, report), span: node.span })
    }
}

impl Read for String {
    fn kind() -> String {
        "string".to_owned()
    }

    fn show(&self) -> String {
        if self.is_empty() { "empty".to_owned() } else { format!("`{self}`") }
    }

    fn read(node: &Node, report: &mut Report) -> Option<Self> {
        match &node.shape {
            Shape::String(text) => Some(text.clone()),
            Shape::Word(word) => {
                report
                    .error(node.span, format!("expected a string, found `{word}`"), "not a string")
                    .help(format!("put it in quotes: \"{word}\""));
                None
            }
            _ => {
                wrong(node, "a string", report);
                None
            }
        }
    }
}

impl Read for bool {
    fn kind() -> String {
        "bool".to_owned()
    }

    fn show(&self) -> String {
        self.to_string()
    }

    fn read(node: &Node, report: &mut Report) -> Option<Self> {
        if let Shape::Bool(value) = node.shape {
            return Some(value);
        }
        wrong(node, "`true` or `false`", report);
        None
    }
}

macro_rules! whole_numbers {
    ($($number:ty),*) => {$(
        impl Read for $number {
            fn kind() -> String {
                "whole number".to_owned()
            }

            fn show(&self) -> String {
                self.to_string()
            }

            fn read(node: &Node, report: &mut Report) -> Option<Self> {
                let is_negative = matches!(&node.shape, Shape::Number(text) if text.starts_with('-'));
                let expected = match <$number>::MIN {
                    0 if is_negative => "a whole number, 0 or more".to_owned(),
                    least => format!("a whole number from {least} to {}", <$number>::MAX),
                };
                if let Shape::Number(text) = &node.shape {
                    if let Ok(number) = text.parse() {
                        return Some(number);
                    }
                }
                wrong(node, &expected, report);
                None
            }
        }
    )*};
}
whole_numbers!(u32, u64, i32);

/// A list. Entries that cannot be read are left out.
impl<T: Read> Read for Vec<T> {
    fn kind() -> String {
        format!("list of {}", T::kind())
    }

    fn show(&self) -> String {
        "none".to_owned()
    }

    fn read(node: &Node, report: &mut Report) -> Option<Self> {
        match &node.shape {
            Shape::List(items) => Some(items.iter().filter_map(|item| T::read(item, report)).collect()),
            _ => {
                wrong(node, "a list `[..]`", report);
                None
            }
        }
    }
}

/// The fields of a record, for the schema.
pub type Rows = fn() -> Vec<Row>;

/// The fields of a struct. The reader consumes them one by one; any field left over is reported as unknown.
pub struct Fields<'a> {
    /// The name, for messages.
    pub name: String,
    /// The text to underline if a field is missing.
    pub span: Span,
    entries: Vec<Entry<'a>>,
    rows: Rows,
}

struct Entry<'a> {
    name: &'a str,
    span: Span,
    node: &'a Node,
    taken: bool,
}

impl<'a> Fields<'a> {
    /// Opens a struct. Reports surplus positional values, and fields that are given twice.
    fn open(variant: Variant<'a>, positional: &[&'static str], rows: Rows, report: &mut Report) -> Self {
        let Variant { name, span, body } = variant;
        let mut entries: Vec<Entry<'_>> = Vec::new();
        let mut seen = BTreeSet::new();
        for (i, node) in body.map_or(&[][..], |b| &b.args).iter().enumerate() {
            match positional.get(i) {
                Some(field) => {
                    seen.insert(*field);
                    entries.push(Entry { name: field, span: node.span, node, taken: false });
                }
                None if matches!(node.shape, Shape::Bad) => {}
                None => {
                    let title = match positional.len() {
                        0 => format!("`{name}` takes fields by name"),
                        n => format!("`{name}` takes at most {n} values without a name"),
                    };
                    report.error(node.span, title, "which field is this?").help("write `field: value`");
                }
            }
        }
        for (ident, node) in body.map_or(&[][..], |b| &b.fields) {
            if seen.insert(&ident.text) {
                entries.push(Entry { name: &ident.text, span: ident.span, node, taken: false });
            } else {
                let title = format!("the field `{}` of `{name}` is given twice", clip(&ident.text));
                report.error(ident.span, title, "second occurrence");
            }
        }
        Self { name: name.to_owned(), span, entries, rows }
    }

    /// The node of a field if it is written, even as `None`.
    fn given(&mut self, field: &str) -> Option<&'a Node> {
        let entry = self.entries.iter_mut().find(|entry| entry.name == field)?;
        entry.taken = true;
        Some(entry.node)
    }

    /// The value of a node. For `None`, it is the value that the type defines.
    fn value<T: Read>(node: &Node, report: &mut Report) -> Option<T> {
        if matches!(node.shape, Shape::Absent) { T::none() } else { T::read(node, report) }
    }

    /// Reads a required field.
    pub fn required<T: Read>(&mut self, field: &'static str, report: &mut Report) -> Option<T> {
        let node = self.given(field).filter(|node| !matches!(node.shape, Shape::Absent));
        let Some(node) = node.or_else(|| self.misspelt(field, report)) else {
            report.error(self.span, format!("`{}` lacks `{field}`", self.name), format!("`{field}` is missing"));
            return None;
        };
        report.field = field;
        T::read(node, report)
    }

    /// Reads an optional field.
    pub fn optional<T: Read>(&mut self, field: &'static str, report: &mut Report) -> Option<T> {
        let node = self.given(field)?;
        report.field = field;
        Self::value(node, report)
    }

    /// Whether any other field than these is written.
    #[must_use]
    pub fn has_more_than(&self, names: &[&str]) -> bool {
        self.entries.iter().any(|entry| !names.contains(&entry.name))
    }

    /// The value of an unknown field whose name is similar to this one. [`finish`](Self::finish) reports the name. The
    /// value is still read, so that mistakes in it are reported in the same load.
    fn misspelt(&self, field: &'static str, report: &mut Report) -> Option<&'a Node> {
        let rows = (self.rows)();
        let mut unknown = self.entries.iter().filter(|entry| rows.iter().all(|row| row.name != entry.name));
        unknown.find(|entry| report.nearest(entry.name, [field]).is_some()).map(|entry| entry.node)
    }

    /// Reports all fields that were given but not consumed.
    pub fn finish(self, report: &mut Report) {
        if self.entries.iter().all(|entry| entry.taken) {
            return;
        }
        let rows = (self.rows)();
        let known: Vec<&str> = rows.iter().map(|row| row.name).collect();
        for Entry { name, span, .. } in self.entries.iter().filter(|entry| !entry.taken) {
            let title = format!("`{}` has no field `{name}`", self.name);
            let help = format!("its fields are {}", list(&known));
            report.error(*span, title, "unknown field").did_you_mean(name, known.iter().copied()).help(help);
        }
    }
}

/// A named struct, or a bare word, which is read as a struct without fields.
#[derive(Clone, Copy)]
pub struct Variant<'a> {
    /// Its name.
    pub name: &'a str,
    /// The place of the name.
    pub span: Span,
    /// Its fields.
    pub body: Option<&'a Struct>,
}

impl<'a> Variant<'a> {
    /// Opens a struct whose name is optional.
    pub fn unnamed(node: &'a Node, name: &'static str, report: &mut Report) -> Option<Self> {
        match &node.shape {
            Shape::Struct(body @ Struct { name: None, .. }) => Some(Self { name, span: node.span, body: Some(body) }),
            _ => variant(node, &[name], &format!("`{name}(..)`"), report),
        }
    }

    /// Opens its fields; positional values belong to `positional`, in order.
    pub fn fields(self, positional: &[&'static str], rows: Rows, report: &mut Report) -> Fields<'a> {
        Fields::open(self, positional, rows, report)
    }
}

/// Opens a value that must be one of several named structs.
pub fn variant<'a>(node: &'a Node, expected: &[&str], what: &str, report: &mut Report) -> Option<Variant<'a>> {
    let variant = match &node.shape {
        Shape::Word(word) => Variant { name: word, span: node.span, body: None },
        Shape::Struct(body) => match &body.name {
            Some(name) => Variant { name: &name.text, span: name.span, body: Some(body) },
            None => {
                let title = format!("expected {what}, found an unnamed struct");
                report.error(node.span, title, "a name is missing before this").help(choices(expected));
                return None;
            }
        },
        _ => {
            wrong(node, what, report);
            return None;
        }
    };
    if !expected.contains(&variant.name) {
        let title = format!("`{}` is not {what}", clip(variant.name));
        report
            .error(variant.span, title, "unknown name")
            .did_you_mean(variant.name, expected.iter().copied())
            .help(choices(expected));
        return None;
    }
    Some(variant)
}

/// The help that lists what is expected: "expected one of `a`, `b`, `c`".
pub fn choices(expected: &[&str]) -> String {
    let names: Vec<String> = expected.iter().map(|name| format!("`{name}`")).collect();
    format!("expected {}{}", if names.len() == 1 { "" } else { "one of " }, names.join(", "))
}

/// `a`, `b` and `c`.
pub fn list(names: &[&str]) -> String {
    let mut names: Vec<String> = names.iter().map(|n| format!("`{n}`")).collect();
    match names.pop() {
        None => "nothing".to_owned(),
        Some(last) if names.is_empty() => last,
        Some(last) => format!("{} and {last}", names.join(", ")),
    }
}

/// Reads one of several words. `GuaranteedFirst` may also be written `guaranteed_first`, as in the rules.
pub fn choice<T: Copy>(node: &Node, words: &[(&'static str, T)], report: &mut Report) -> Option<T> {
    let plain = |word: &str| word.replace('_', "").to_ascii_lowercase();
    let names: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
    match &node.shape {
        Shape::Word(word) => {
            let found = words.iter().find(|(known, _)| plain(known) == plain(word));
            if found.is_none() {
                let title = match report.field {
                    "" => format!("`{}` is not a valid value", clip(word)),
                    field => format!("`{}` is not a valid {}", clip(word), field.replace('_', " ")),
                };
                report
                    .error(node.span, title, "unknown value")
                    .did_you_mean(word, names.iter().copied())
                    .help(choices(&names));
            }
            found.map(|(_, value)| *value)
        }
        // `Fifo()` says the same as `Fifo`.
        Shape::Struct(Struct { name: Some(name), args, fields }) if args.is_empty() && fields.is_empty() => {
            let word = Node { span: name.span, shape: Shape::Word(name.text.clone()) };
            choice(&word, words, report)
        }
        Shape::Bad => None,
        _ => {
            let title = format!("{}, found {}", choices(&names), node.describe());
            report.error(node.span, title, "not one of these words");
            None
        }
    }
}
