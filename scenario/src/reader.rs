//! The typed layer over the syntax tree: fields by name or position, each error told at its place, and reading goes on.
//! A value that is wrong is told once and then simply absent; nobody downstream tells it again.

use super::{
    diagnostic::{Report, Span},
    syntax::{Node, Shape, Struct, clip},
};
use std::collections::BTreeSet;

/// Reads itself out of a node, or tells why not and gives nothing.
pub(crate) trait Read: Sized {
    /// Reads; an error has been told when this gives nothing.
    fn read(node: &Node, report: &mut Report) -> Option<Self>;
}

/// Tells that a node is not what was expected.
pub(crate) fn wrong(node: &Node, expected: &str, report: &mut Report) {
    if !matches!(node.shape, Shape::Bad) {
        report.error(node.span, format!("expected {expected}, found {}", node.describe()), format!("not {expected}"));
    }
}

/// A value with its place.
#[derive(Debug, Clone)]
pub(crate) struct At<T> {
    pub(crate) value: T,
    pub(crate) span: Span,
}

impl<T: Read> Read for At<T> {
    fn read(node: &Node, report: &mut Report) -> Option<Self> {
        T::read(node, report).map(|value| Self { value, span: node.span })
    }
}

impl Read for String {
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
            fn read(node: &Node, report: &mut Report) -> Option<Self> {
                let expected = format!("a whole number from {} to {}", <$number>::MIN, <$number>::MAX);
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

/// A list, or a single value that stands for a list of one. Entries that cannot be read are left out.
impl<T: Read> Read for Vec<T> {
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

/// The fields of a struct: taken one by one, what is left over at the end is unknown.
pub(crate) struct Fields<'a> {
    /// The name, for messages.
    pub(crate) name: String,
    /// What to underline when something is missing.
    pub(crate) span: Span,
    entries: Vec<(&'a str, Span, &'a Node, bool)>,
    known: Vec<&'static str>,
}

impl<'a> Fields<'a> {
    /// Opens a struct. Too many values without a name and repeated fields are told here.
    fn open(variant: Variant<'a>, positional: &[&'static str], report: &mut Report) -> Self {
        let Variant { name, span, body } = variant;
        let mut entries: Vec<(&str, Span, &Node, bool)> = Vec::new();
        let mut seen = BTreeSet::new();
        for (i, arg) in body.map_or(&[][..], |b| &b.args).iter().enumerate() {
            match positional.get(i) {
                Some(field) => {
                    seen.insert(*field);
                    entries.push((field, arg.span, arg, false));
                }
                None if matches!(arg.shape, Shape::Bad) => {}
                None => {
                    let title = match positional.len() {
                        0 => format!("`{name}` takes fields by name"),
                        n => format!("`{name}` takes at most {n} values without a name"),
                    };
                    report.error(arg.span, title, "which field is this?").help("write `field: value`");
                }
            }
        }
        for (ident, value) in body.map_or(&[][..], |b| &b.fields) {
            if seen.insert(&ident.text) {
                entries.push((&ident.text, ident.span, value, false));
            } else {
                let title = format!("the field `{}` of `{name}` is given twice", clip(&ident.text));
                report.error(ident.span, title, "the second time");
            }
        }
        Self { name: name.to_owned(), span, entries, known: Vec::new() }
    }

    /// Opens a struct that may be written without its name.
    pub(crate) fn unnamed(node: &'a Node, name: &'static str, report: &mut Report) -> Option<Self> {
        match &node.shape {
            Shape::Struct(body @ Struct { name: None, .. }) => {
                Some(Self::open(Variant { name, span: node.span, body: Some(body) }, &[], report))
            }
            _ => variant(node, &[name], &format!("`{name}(..)`"), report).map(|v| v.fields(&[], report)),
        }
    }

    /// The node of a field as given, `None` included.
    pub(crate) fn given(&mut self, field: &'static str) -> Option<&'a Node> {
        self.known.push(field);
        let entry = self.entries.iter_mut().find(|e| e.0 == field)?;
        entry.3 = true;
        Some(entry.2)
    }

    /// Makes fields known that are not there, for "did you mean".
    pub(crate) fn expect<T>(&mut self, fields: &[&'static str]) -> Option<T> {
        self.known.extend(fields);
        None
    }

    /// The node of a field, if it is there.
    pub(crate) fn node(&mut self, field: &'static str) -> Option<&'a Node> {
        self.given(field).filter(|node| !matches!(node.shape, Shape::Absent))
    }

    /// The node of a field that must be there.
    pub(crate) fn required_node(&mut self, field: &'static str, report: &mut Report) -> Option<&'a Node> {
        let node = self.node(field).or_else(|| self.misspelt(field, report));
        if node.is_none() {
            report.error(self.span, format!("`{}` lacks `{field}`", self.name), format!("`{field}` is missing"));
        }
        node
    }

    /// What stands under no field's name, but nearly under that of this one: [`finish`](Self::finish) tells of it, and the
    /// rest of the struct is read as if it were meant, so that its mistakes are told at once.
    fn misspelt(&self, field: &'static str, report: &mut Report) -> Option<&'a Node> {
        let mut strange = self.entries.iter().filter(|(name, ..)| !super::schema::knows(&self.name, name));
        strange.find(|(name, ..)| report.nearest(name, [field]).is_some()).map(|(_, _, node, _)| *node)
    }

    /// A field that must be there.
    pub(crate) fn required<T: Read>(&mut self, field: &'static str, report: &mut Report) -> Option<T> {
        self.required_node(field, report).and_then(|node| T::read(node, report))
    }

    /// A field that may be there.
    pub(crate) fn optional<T: Read>(&mut self, field: &'static str, report: &mut Report) -> Option<T> {
        self.node(field).and_then(|node| T::read(node, report))
    }

    /// A field with a default, which also stands in for a value that is wrong.
    pub(crate) fn or<T: Read>(&mut self, field: &'static str, default: T, report: &mut Report) -> T {
        self.optional(field, report).unwrap_or(default)
    }

    /// Tells what was given but is no field.
    pub(crate) fn finish(self, report: &mut Report) {
        let Self { name, known, .. } = &self;
        debug_assert!(super::schema::agrees(name, known), "the schema says otherwise about {name}: {known:?}");
        for (field, span, _, taken) in &self.entries {
            if !taken {
                let title = format!("`{}` has no field `{field}`", self.name);
                let known = format!("its fields are {}", list(&self.known));
                report.error(*span, title, "unknown field").did_you_mean(field, self.known.iter().copied()).help(known);
            }
        }
    }
}

/// A named struct, or a bare word, which counts as one without fields.
#[derive(Clone, Copy)]
pub(crate) struct Variant<'a> {
    pub(crate) name: &'a str,
    /// Where the name stands.
    pub(crate) span: Span,
    pub(crate) body: Option<&'a Struct>,
}

impl<'a> Variant<'a> {
    /// Opens its fields; values without a name belong to `positional` in order.
    pub(crate) fn fields(self, positional: &[&'static str], report: &mut Report) -> Fields<'a> {
        Fields::open(self, positional, report)
    }

    /// Tells that it takes no fields when it has some.
    pub(crate) fn bare(self, report: &mut Report) {
        Fields::open(self, &[], report).finish(report);
    }
}

/// Opens a value that must be one of some named structs.
pub(crate) fn variant<'a>(node: &'a Node, expected: &[&str], what: &str, report: &mut Report) -> Option<Variant<'a>> {
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
            .error(variant.span, title, "unknown")
            .did_you_mean(variant.name, expected.iter().copied())
            .help(choices(expected));
        return None;
    }
    Some(variant)
}

fn choices(expected: &[&str]) -> String {
    format!("known are {}", list(expected))
}

/// `a`, `b` and `c`.
pub(crate) fn list(names: &[&str]) -> String {
    let mut names: Vec<String> = names.iter().map(|n| format!("`{n}`")).collect();
    match names.pop() {
        None => "nothing".to_owned(),
        Some(last) if names.is_empty() => last,
        Some(last) => format!("{} and {last}", names.join(", ")),
    }
}

/// One of some words. `GuaranteedFirst` may also be written `guaranteed_first`, as in the rules.
pub(crate) fn choice<T: Copy>(node: &Node, words: &[(&'static str, T)], report: &mut Report) -> Option<T> {
    let plain = |word: &str| word.replace('_', "").to_ascii_lowercase();
    let names: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
    match &node.shape {
        Shape::Word(word) => {
            let found = words.iter().find(|(known, _)| plain(known) == plain(word));
            if found.is_none() {
                let title = format!("`{word}` is not known here");
                report
                    .error(node.span, title, "unknown")
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
            let title = format!("expected one of {}, found {}", list(&names), node.describe());
            report.error(node.span, title, "not one of the words known here");
            None
        }
    }
}
