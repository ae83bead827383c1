//! The tree of a file: values with their places.

use super::diagnostic::Span;
use std::fmt;

/// A value with its place.
#[derive(Debug, Clone)]
pub struct Node {
    /// The place.
    pub span: Span,
    /// The value.
    pub shape: Shape,
}

/// A value.
#[derive(Debug, Clone)]
pub enum Shape {
    /// A string, without its quotes.
    String(String),
    /// A number, as written.
    Number(String),
    /// `true` or `false`.
    Bool(bool),
    /// A word without quotes, such as the name of a policy.
    Word(String),
    /// `[a, b]`.
    List(Vec<Node>),
    /// `{ key: value }`.
    Map(Vec<(Node, Node)>),
    /// A struct.
    Struct(Struct),
    /// `None`.
    Absent,
    /// A value with a mistake that was reported.
    Bad,
}

/// `Name(a, b, field: c)`, or without a name.
#[derive(Debug, Clone)]
pub struct Struct {
    /// Its name, if it has one.
    pub name: Option<Ident>,
    /// Positional values.
    pub args: Vec<Node>,
    /// Fields given by name.
    pub fields: Vec<(Ident, Node)>,
}

/// A word with its place.
#[derive(Debug, Clone)]
pub struct Ident {
    /// The word.
    pub text: String,
    /// The place.
    pub span: Span,
}

/// The text, shortened for a message.
#[must_use]
pub fn clip(text: &str) -> String {
    const LONGEST: usize = 60;
    let mut short: String = text.chars().take(LONGEST).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    short.replace('\n', " ")
}

impl Node {
    /// The kind of value, for "found ...".
    #[must_use]
    pub fn describe(&self) -> String {
        match &self.shape {
            Shape::String(text) => format!("the string \"{}\"", clip(text)),
            Shape::Number(text) => format!("the number {}", clip(text)),
            Shape::Bool(value) => format!("`{value}`"),
            Shape::Word(text) => format!("`{}`", clip(text)),
            Shape::List(_) => "a list".to_owned(),
            Shape::Map(_) => "a map".to_owned(),
            Shape::Struct(Struct { name: Some(name), .. }) => format!("`{}(..)`", clip(&name.text)),
            Shape::Struct(_) => "an unnamed struct".to_owned(),
            Shape::Absent => "`None`".to_owned(),
            Shape::Bad => "a mistake".to_owned(),
        }
    }
}

/// The value on one line, without comments, in the form in which reports show claims.
impl fmt::Display for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.shape {
            Shape::String(text) => write!(f, "{text:?}"),
            Shape::Number(text) | Shape::Word(text) => f.write_str(text),
            Shape::Bool(value) => write!(f, "{value}"),
            Shape::List(items) => {
                f.write_str("[")?;
                comma_separated(f, items.iter())?;
                f.write_str("]")
            }
            Shape::Map(entries) => {
                f.write_str("{")?;
                for (i, (key, value)) in entries.iter().enumerate() {
                    write!(f, "{}{key}: {value}", if i == 0 { "" } else { ", " })?;
                }
                f.write_str("}")
            }
            Shape::Struct(body) => {
                f.write_str(body.name.as_ref().map_or("", |n| n.text.as_str()))?;
                f.write_str("(")?;
                comma_separated(f, body.args.iter())?;
                for (i, (name, value)) in body.fields.iter().enumerate() {
                    let comma = if i == 0 && body.args.is_empty() { "" } else { ", " };
                    write!(f, "{comma}{}: {value}", name.text)?;
                }
                f.write_str(")")
            }
            Shape::Absent => f.write_str("None"),
            Shape::Bad => f.write_str("?"),
        }
    }
}

fn comma_separated<'a>(f: &mut fmt::Formatter<'_>, nodes: impl Iterator<Item = &'a Node>) -> fmt::Result {
    for (i, node) in nodes.enumerate() {
        write!(f, "{}{node}", if i == 0 { "" } else { ", " })?;
    }
    Ok(())
}
