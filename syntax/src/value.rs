//! Scenario text as a plain tree of values, for tools that change or generate scenarios.
//!
//! A [`Value`] follows only the grammar of the language. Comments are not kept. A value that fits on a line is written
//! on one line; any other has one line for each entry.

use super::{
    diagnostic::{Diagnostic, Report, Source},
    parser::parse,
    tree::{Node, Shape},
};
use std::fmt::Write;

/// The longest line that is written; longer ones are broken.
const WIDTH: usize = 120;
const STEP: usize = 4;

/// A value of scenario text.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Value {
    /// `"text"`
    String(String),
    /// A number, as written.
    Number(String),
    /// `true` or `false`
    Bool(bool),
    /// A bare word, such as `BestFit`.
    Word(String),
    /// `[a, b]`
    List(Vec<Self>),
    /// `{ "key": value }`
    Map(Vec<(Self, Self)>),
    /// `Name(a, b, field: c)`; the name is empty where there is none.
    Struct {
        /// Its name.
        name: String,
        /// Positional values.
        args: Vec<Self>,
        /// Fields given by name.
        fields: Vec<(String, Self)>,
    },
    /// `None`
    Absent,
}

impl Value {
    /// Reads a whole file, which contains one value.
    ///
    /// # Errors
    /// All mistakes of syntax.
    ///
    /// ```
    /// use quotree_syntax::Value;
    /// let value = Value::parse("At( \"1m\",Invariants , because:\"so\" ) // why").unwrap();
    /// assert_eq!(value.to_text(), "At(\"1m\", Invariants, because: \"so\")\n");
    /// assert!(Value::parse("At(").is_err());
    /// ```
    pub fn parse(text: &str) -> Result<Self, Vec<Diagnostic>> {
        let mut report = Report::default();
        let node = parse(text, 0, &mut report);
        match node.filter(|_| report.errors() == 0) {
            Some(node) => Ok(Self::of(node)),
            None => Err(report.finish(&[Source { path: "input".to_owned(), text: text.to_owned() }])),
        }
    }

    fn of(node: Node) -> Self {
        match node.shape {
            Shape::String(text) => Self::String(text),
            Shape::Number(text) => Self::Number(text),
            Shape::Bool(value) => Self::Bool(value),
            Shape::Word(text) => Self::Word(text),
            Shape::List(items) => Self::List(items.into_iter().map(Self::of).collect()),
            Shape::Map(entries) => Self::Map(entries.into_iter().map(|(k, v)| (Self::of(k), Self::of(v))).collect()),
            Shape::Struct(body) => Self::Struct {
                name: body.name.map_or_else(String::new, |name| name.text),
                args: body.args.into_iter().map(Self::of).collect(),
                fields: body.fields.into_iter().map(|(ident, node)| (ident.text, Self::of(node))).collect(),
            },
            Shape::Absent | Shape::Bad => Self::Absent,
        }
    }

    /// A struct with these fields.
    #[must_use]
    pub fn fields(name: &str, fields: Vec<(&str, Self)>) -> Self {
        let fields = fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        Self::Struct { name: name.to_owned(), args: Vec::new(), fields }
    }

    /// A struct with these positional values.
    #[must_use]
    pub fn tuple(name: &str, args: Vec<Self>) -> Self {
        Self::Struct { name: name.to_owned(), args, fields: Vec::new() }
    }

    /// A string.
    #[must_use]
    pub fn text(text: impl Into<String>) -> Self {
        Self::String(text.into())
    }

    /// A number.
    #[must_use]
    pub fn number(number: impl ToString) -> Self {
        Self::Number(number.to_string())
    }

    /// A word.
    #[must_use]
    pub fn word(word: &str) -> Self {
        Self::Word(word.to_owned())
    }

    /// The text of a file with this value; formatting the text does not change it.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut out = String::new();
        self.write(&mut out, 0, 1);
        out.push('\n');
        out
    }

    /// Appends the value to `out`. `indent` is the indentation of the line, `after` the length of the text that must
    /// fit after the value.
    fn write(&self, out: &mut String, indent: usize, after: usize) {
        let flat = self.flat();
        let used = out.len() - out.rfind('\n').map_or(0, |at| at + 1);
        if used + flat.chars().count() + after <= WIDTH {
            out.push_str(&flat);
            return;
        }
        let line = |out: &mut String| {
            out.push('\n');
            out.extend(std::iter::repeat_n(' ', indent + STEP));
        };
        let close = match self {
            Self::List(items) => {
                out.push('[');
                for item in items {
                    line(out);
                    item.write(out, indent + STEP, 1);
                    out.push(',');
                }
                ']'
            }
            Self::Map(entries) => {
                out.push('{');
                for (key, value) in entries {
                    line(out);
                    let _ = write!(out, "{}: ", key.flat());
                    value.write(out, indent + STEP, 1);
                    out.push(',');
                }
                '}'
            }
            Self::Struct { name, args, fields } => {
                let _ = write!(out, "{name}(");
                for arg in args {
                    line(out);
                    arg.write(out, indent + STEP, 1);
                    out.push(',');
                }
                for (name, value) in fields {
                    line(out);
                    let _ = write!(out, "{name}: ");
                    value.write(out, indent + STEP, 1);
                    out.push(',');
                }
                ')'
            }
            _ => {
                out.push_str(&flat);
                return;
            }
        };
        out.push('\n');
        out.extend(std::iter::repeat_n(' ', indent));
        out.push(close);
    }

    /// The value on one line.
    fn flat(&self) -> String {
        let joined = |items: Vec<String>| items.join(", ");
        match self {
            Self::String(text) => quoted(text),
            Self::Number(text) | Self::Word(text) => text.clone(),
            Self::Bool(value) => value.to_string(),
            Self::List(items) => format!("[{}]", joined(items.iter().map(Self::flat).collect())),
            Self::Map(entries) if entries.is_empty() => "{}".to_owned(),
            Self::Map(entries) => {
                let pairs = entries.iter().map(|(key, value)| format!("{}: {}", key.flat(), value.flat()));
                format!("{{ {} }}", joined(pairs.collect()))
            }
            Self::Struct { name, args, fields } => {
                let named = fields.iter().map(|(name, value)| format!("{name}: {}", value.flat()));
                format!("{name}({})", joined(args.iter().map(Self::flat).chain(named).collect()))
            }
            Self::Absent => "None".to_owned(),
        }
    }
}

/// A string in the notation of the language, with its quotes.
#[must_use]
pub fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::Value;
    use crate::format;

    #[test]
    fn what_is_written_reads_back_and_is_formatted() {
        let long = "a rather long word, of which few fit on a line";
        let texts = [
            "None".to_owned(),
            "(1, -2.5, x: true)".to_owned(),
            r#"{ "a \" \\ \n": [], "b": {} }"#.to_owned(),
            format!(
                "Scenario(name: \"{long}\", list: [A(b: {{ \"{long}\": \"{long}\" }}), B(\"{long}\", c: 1)], last: Word)"
            ),
        ];
        for text in texts {
            let value = Value::parse(&text).unwrap();
            let written = value.to_text();
            assert_eq!(Value::parse(&written).unwrap(), value, "{written}");
            assert_eq!(format(&written).unwrap(), written);
            assert!(written.lines().all(|line| line.len() <= 120), "{written}");
        }
    }
}
