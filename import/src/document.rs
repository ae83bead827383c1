//! Reads YAML and JSON documents (JSON is YAML) field by field, for the formats that describe whole clusters. Each
//! place in a document knows its line and its path, and every problem names both. Keys are compared without case, as by
//! the tools that define these formats; unknown fields are ignored.

use super::{
    RowProblem,
    yaml::{self, Node, Value},
};
use quotree_core::{Amounts, Name, Unit, parse_quantity, parse_quantity_up};

/// The value at a place, or the problem with that value.
pub(super) type Taken<T> = Result<T, RowProblem>;

/// The documents of a file.
pub(super) struct Documents {
    nodes: Vec<Node>,
    /// Where each line ends, in bytes.
    ends: Vec<usize>,
}

impl Documents {
    /// Reads the whole file. If any part of it is broken, there are no documents, since it is unknown what else is
    /// missing.
    pub(super) fn read(bytes: &[u8]) -> Result<Self, Vec<RowProblem>> {
        let whole = |what: &str| vec![RowProblem { line: 0, what: what.to_owned() }];
        let text = std::str::from_utf8(bytes).map_err(|_| whole("the file is not valid UTF-8"))?;
        let ends: Vec<usize> = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at).collect();
        let (nodes, problems) = yaml::documents(text);
        if problems.is_empty() && nodes.is_empty() {
            return Err(whole("the file is empty"));
        }
        if problems.is_empty() {
            return Ok(Self { nodes, ends });
        }
        let told = problems
            .into_iter()
            .map(|problem| RowProblem { line: line(&ends, problem.span.start), what: problem.what });
        Err(told.collect())
    }

    /// The documents, each as a place.
    pub(super) fn all(&self) -> impl Iterator<Item = Place<'_>> {
        self.nodes.iter().map(|node| Place {
            node: Some(node),
            at: node.span.start,
            path: String::new(),
            ends: &self.ends,
        })
    }

    /// The documents as they were read.
    pub(super) fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// The line of a byte of the file, from 1.
    pub(super) fn line(&self, at: usize) -> u64 {
        line(&self.ends, at)
    }

    /// The first document.
    pub(super) fn first(&self) -> Place<'_> {
        self.all().next().unwrap_or(Place { node: None, at: 0, path: String::new(), ends: &self.ends })
    }
}

fn line(ends: &[usize], at: usize) -> u64 {
    ends.partition_point(|end| *end < at) as u64 + 1
}

/// A place in a document, with or without a value.
#[derive(Debug, Clone)]
pub(super) struct Place<'d> {
    /// `None` if the field is absent or null.
    node: Option<&'d Node>,
    at: usize,
    path: String,
    ends: &'d [usize],
}

impl<'d> Place<'d> {
    /// The field of this name.
    pub(super) fn get(&self, key: &str) -> Self {
        let entries = self.node.and_then(yaml::map).unwrap_or_default();
        let entry = entries.iter().find(|entry| entry.key.eq_ignore_ascii_case(key));
        self.field(key, entry.map(|entry| &entry.value))
    }

    fn field(&self, key: &str, value: Option<&'d Node>) -> Self {
        let node = value.filter(|node| !yaml::scalar(node).is_some_and(yaml::is_null));
        let path = if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) };
        Self { node, at: node.map_or(self.at, |node| node.span.start), path, ends: self.ends }
    }

    /// Whether there is a value.
    pub(super) fn is_there(&self) -> bool {
        self.node.is_some()
    }

    /// A problem with the value at this place.
    pub(super) fn refuse(&self, what: impl AsRef<str>) -> RowProblem {
        let path = if self.path.is_empty() { "the document" } else { &self.path };
        RowProblem { line: line(self.ends, self.at), what: format!("{path}: {}", what.as_ref()) }
    }

    /// This place under a more descriptive name, for messages.
    pub(super) fn called(mut self, name: &str) -> Self {
        if !name.is_empty() {
            self.path = format!("{} ({name})", self.path);
        }
        self
    }

    /// The items of the list at this place; none if there is no value.
    pub(super) fn items(&self) -> Taken<Vec<Self>> {
        let items: &'d [Node] = match self.node.map(|node| &node.value) {
            None => &[],
            Some(Value::List(items)) => items,
            Some(_) => return Err(self.refuse("expected a list")),
        };
        let place = |(i, node): (usize, &'d Node)| Self {
            node: Some(node),
            at: node.span.start,
            path: format!("{}[{i}]", self.path),
            ends: self.ends,
        };
        Ok(items.iter().enumerate().map(place).collect())
    }

    /// The fields of the map at this place, with their names; none if there is no value.
    pub(super) fn entries(&self) -> Taken<Vec<(&'d str, Self)>> {
        let entries = match self.node.map(|node| &node.value) {
            None => &[],
            Some(Value::Map(entries)) => entries.as_slice(),
            Some(_) => return Err(self.refuse("expected a map")),
        };
        Ok(entries.iter().map(|entry| (entry.key.as_str(), self.field(&entry.key, Some(&entry.value)))).collect())
    }

    /// The text at this place; `None` if there is no value.
    pub(super) fn text(&self) -> Taken<Option<&'d str>> {
        match self.node.map(|node| (yaml::scalar(node), node)) {
            None => Ok(None),
            Some((Some(text), _)) => Ok(Some(text)),
            Some((None, _)) => Err(self.refuse("expected a word or a number")),
        }
    }

    /// The name at this place, which is required.
    pub(super) fn name(&self) -> Taken<&'d str> {
        self.text()?.filter(|text| !text.is_empty()).ok_or_else(|| self.refuse("expected a name"))
    }

    /// The whole number at this place, from 0 to `most`; `absent` if there is no value.
    pub(super) fn count(&self, absent: u64, most: u64) -> Taken<u64> {
        let Some(text) = self.text()? else { return Ok(absent) };
        let number = text.parse().ok().filter(|number| *number <= most);
        number.ok_or_else(|| self.refuse(format!("expected a whole number from 0 to {most}, found `{text}`")))
    }

    /// The priority at this place; `None` if there is no value.
    pub(super) fn priority(&self) -> Taken<Option<i32>> {
        let Some(text) = self.text()? else { return Ok(None) };
        let wrong = |_| self.refuse(format!("`{text}` is not a priority; expected a whole number"));
        text.parse().map(Some).map_err(wrong)
    }

    /// The amount of this resource at this place, at least 0; `None` if there is no value.
    pub(super) fn amount(&self, resource: &str) -> Taken<Option<i64>> {
        let Some(text) = self.text()? else { return Ok(None) };
        match parse_quantity(text, Unit::of(resource)) {
            Ok(amount) if amount >= 0 => Ok(Some(amount)),
            Ok(_) => Err(self.refuse(format!("`{text}` is negative"))),
            Err(error) => Err(self.refuse(error.to_string())),
        }
    }

    /// Amounts by resource, read as by the API server: amounts finer than a base unit are rounded up, and amounts of 0
    /// are kept.
    pub(super) fn quantities(&self) -> Taken<Amounts> {
        let amount = |(resource, place): (&str, Self)| {
            let text = place.text()?.unwrap_or("0");
            match parse_quantity_up(text, Unit::of(resource)) {
                Ok(amount) if amount >= 0 => Ok((Name::from(resource), amount)),
                Ok(_) => Err(place.refuse(format!("`{text}` is negative"))),
                Err(error) => Err(place.refuse(error.to_string())),
            }
        };
        self.entries()?.into_iter().map(amount).collect()
    }

    /// Amounts by resource, without those that are 0.
    pub(super) fn amounts(&self) -> Taken<Amounts> {
        let mut amounts = Amounts::new();
        for (resource, place) in self.entries()? {
            if let Some(amount) = place.amount(resource)?.filter(|amount| *amount > 0) {
                amounts.set(resource, amount);
            }
        }
        Ok(amounts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_name_line_and_path() {
        let documents = Documents::read(b"a:\n- b: 1\n- b: {c: -2}\n  Name: ~\nd: \"x\"\n").ok().unwrap();
        let root = documents.first();
        let items = root.get("a").items().unwrap();
        assert_eq!(items[0].get("B").count(7, 9), Ok(1));
        assert_eq!(items[0].get("e").count(7, 9), Ok(7));
        assert_eq!(items[1].get("name").name().unwrap_err().what, "a[1].name: expected a name");
        let negative = items[1].get("b").amounts().unwrap_err();
        assert_eq!((negative.line, negative.what.as_str()), (3, "a[1].b.c: `-2` is negative"));
        assert_eq!(root.get("d").items().unwrap_err().line, 5);
    }

    #[test]
    fn json_is_read_however_it_is_laid_out() {
        let long = "x".repeat(5000);
        for text in [
            format!("{{\"a\":{{\"b\":[1,2]}},\"long\":\"{long}\\n\\\"\\u00e9\\/\",\"c\":true}}"),
            format!("{{\n\t\"a\": {{\n\t\t\"b\": [\n\t\t\t1, 2\n\t\t]\n\t}},\n\"long\": \"{long}\"}}\n"),
        ] {
            let documents = Documents::read(text.as_bytes()).map_err(|p| format!("{p:?}")).unwrap();
            let items = documents.first().get("a").get("b").items().unwrap();
            assert_eq!(items[1].count(0, 9), Ok(2));
        }
    }
}
