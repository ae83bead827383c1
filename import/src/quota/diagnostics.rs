//! What a reader reports about its file: mistakes with their places, and notes.

use super::note::{Notes, Says};
use crate::yaml::{self, Node, Value, is_null, map, scalar};
use quotree_core::{Amounts, Name, QuantityError, Unit, parse_quantity};
use quotree_syntax::{Help, Report, Span};
use std::ops::Range;

/// The mistakes and notes so far, and the file that is being read.
#[derive(Debug, Default)]
pub(crate) struct Diagnostics {
    pub(crate) report: Report,
    pub(crate) notes: Notes,
    /// The index of the file that is being read.
    pub(crate) source: u32,
}

impl Diagnostics {
    /// A place of the file that is being read.
    pub(crate) fn span(&self, range: &Range<usize>) -> Span {
        Span::new(self.source, range.clone())
    }

    /// Reports a mistake.
    pub(crate) fn error(&mut self, span: Span, what: impl Into<String>, label: impl Into<String>) -> Help<'_> {
        self.report.error(span, what, label)
    }

    /// Reports a mistake that needs no label and no help.
    pub(crate) fn mistake(&mut self, span: Span, what: impl Into<String>) {
        self.error(span, what, "");
    }

    /// Reports a mistake in a value.
    fn wrong(&mut self, node: &Node, what: impl Into<String>) {
        let span = self.span(&node.span);
        self.error(span, what, "");
    }

    /// The documents of a text. A text that cannot be parsed has none.
    pub(crate) fn documents(&mut self, text: &str) -> Vec<Node> {
        let (documents, problems) = yaml::documents(text);
        for problem in &problems {
            let span = self.span(&problem.span);
            let shown = self.error(span, problem.what.clone(), "");
            problem.help.iter().cloned().fold(shown, Help::help);
        }
        if problems.is_empty() { documents } else { Vec::new() }
    }

    /// The text of a field; nothing if it is absent or empty.
    pub(crate) fn text<'n>(&mut self, node: Option<&'n Node>, what: &str) -> Option<&'n str> {
        let node = node?;
        match scalar(node) {
            Some(text) if is_null(text) => None,
            Some(text) => Some(text),
            None => {
                self.wrong(node, format!("`{what}` must be a word or a number"));
                None
            }
        }
    }

    /// A whole number of a field, from 0 to `most`.
    pub(crate) fn count(&mut self, node: Option<&Node>, what: &str, most: u64) -> Option<u64> {
        let text = self.text(node, what)?;
        let number = text.parse().ok().filter(|number| *number <= most);
        if number.is_none() {
            self.wrong(node?, format!("`{what}` must be a whole number from 0 to {most}, found `{text}`"));
        }
        number
    }

    /// The items of a list; none if it is absent.
    pub(crate) fn items<'n>(&mut self, node: Option<&'n Node>, what: &str) -> &'n [Node] {
        match node.map(|node| (&node.value, node)) {
            Some((Value::List(items), _)) => items,
            Some((Value::Scalar(text), _)) if is_null(text) => &[],
            Some((_, node)) => {
                self.wrong(node, format!("`{what}` must be a list"));
                &[]
            }
            None => &[],
        }
    }

    /// The entries of a map; none if it is absent.
    pub(crate) fn entries<'n>(&mut self, node: Option<&'n Node>, what: &str) -> &'n [yaml::Entry] {
        match node.map(|node| (map(node), &node.value, node)) {
            Some((Some(entries), ..)) => entries,
            Some((_, Value::Scalar(text), _)) if is_null(text) => &[],
            Some((.., node)) => {
                self.wrong(node, format!("`{what}` must be a map"));
                &[]
            }
            None => &[],
        }
    }

    /// Amounts by resource, at least 0.
    pub(crate) fn amounts(&mut self, node: Option<&Node>, what: &str) -> Amounts {
        let mut amounts = Amounts::new();
        for entry in self.entries(node, what) {
            let key = self.span(&entry.key_span);
            self.known_resource(&entry.key, key);
            if let Some(amount) = self.amount(&entry.key, Some(&entry.value), what) {
                amounts.set(entry.key.as_str(), amount);
            }
        }
        amounts
    }

    /// Limits by resource, at least 0. One beyond 64 bits is no limit: the default quota of Koordinator has
    /// 2^63 / 5 cores.
    pub(crate) fn limits(&mut self, node: Option<&Node>, what: &str) -> Amounts {
        let mut limits = Amounts::new();
        for entry in self.entries(node, what) {
            let is_endless = scalar(&entry.value).is_some_and(|text| {
                matches!(parse_quantity(text, Unit::of(&entry.key)), Err(QuantityError::TooLarge { .. }))
            });
            if is_endless {
                continue;
            }
            let key = self.span(&entry.key_span);
            self.known_resource(&entry.key, key);
            if let Some(amount) = self.amount(&entry.key, Some(&entry.value), what) {
                limits.set(entry.key.as_str(), amount);
            }
        }
        limits
    }

    /// The amount of this resource, at least 0; nothing if it is absent or wrong.
    pub(crate) fn amount(&mut self, resource: &str, node: Option<&Node>, what: &str) -> Option<i64> {
        let text = self.text(node, what)?;
        let span = self.span(&node?.span);
        self.quantity(resource, text, span, what)
    }

    /// A quantity of this resource, at least 0.
    pub(crate) fn quantity(&mut self, resource: &str, text: &str, span: Span, what: &str) -> Option<i64> {
        match quotree_syntax::parse_amount(resource, text) {
            Ok(amount) if amount >= 0 => Some(amount),
            Ok(_) => {
                self.error(span, format!("{what} of `{resource}` is negative: `{text}`"), "");
                None
            }
            Err(error) => {
                let shown = self.error(span, format!("{what} of `{resource}`: {}", error.what), "");
                error.help.into_iter().fold(shown, Help::help);
                None
            }
        }
    }

    /// Refuses a resource whose name is nearly that of a common one.
    pub(crate) fn known_resource(&mut self, name: &str, span: Span) {
        if let Some(common) = quotree_syntax::misspelt_resource(name) {
            let help = format!("did you mean `{common}`?");
            self.error(span, format!("unknown resource `{name}`"), "one letter off").help(help);
        }
    }

    /// A list of names, as JSON in a text.
    pub(crate) fn json_names(&mut self, text: &str, span: Span, what: &str) -> Vec<Name> {
        let (documents, problems) = yaml::documents(text);
        match documents.first().map(|document| &document.value) {
            Some(Value::List(items)) if problems.is_empty() => {
                items.iter().filter_map(scalar).filter(|name| !name.is_empty()).map(Name::from).collect()
            }
            _ => {
                self.error(span, format!("`{what}` must be a list such as `[\"a\", \"b\"]`, found `{text}`"), "");
                Vec::new()
            }
        }
    }

    /// Amounts by resource, as JSON in a text.
    pub(crate) fn json_amounts(&mut self, text: &str, span: Span, what: &str) -> Option<Amounts> {
        let pairs = self.json_pairs(text, span, what)?;
        let amounts = pairs.iter().filter_map(|(name, value)| Some((name, self.quantity(name, value, span, what)?)));
        Some(amounts.map(|(name, amount)| (name.as_str(), amount)).collect())
    }

    /// Numbers by resource, as JSON in a text: thousandths, without the resources.
    pub(crate) fn json_numbers(&mut self, text: &str, span: Span, what: &str) -> Option<Vec<i64>> {
        let pairs = self.json_pairs(text, span, what)?;
        Some(pairs.iter().filter_map(|(_, value)| self.quantity(what, value, span, what)).collect())
    }

    fn json_pairs(&mut self, text: &str, span: Span, what: &str) -> Option<Vec<(String, String)>> {
        let (documents, problems) = yaml::documents(text);
        let entries = documents.first().and_then(map).filter(|_| problems.is_empty());
        let pair = |entry: &yaml::Entry| Some((entry.key.clone(), scalar(&entry.value)?.to_owned()));
        let pairs = entries.and_then(|entries| entries.iter().map(pair).collect());
        if pairs.is_none() {
            self.error(span, format!("`{what}` must be a map such as `{{\"cpu\": \"2\"}}`, found `{text}`"), "");
        }
        pairs
    }

    /// Notes that an object is left out.
    pub(crate) fn skipped(&mut self, kind: &str, why: &str, span: Span) {
        self.notes.lost(kind, Says::Is, why, span);
    }
}
