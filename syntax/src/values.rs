//! The simple values of the language: durations, quantities, amounts by resource, names, ratios. A value that cannot be
//! represented exactly is an error.

use super::{
    diagnostic::Report,
    duration::{exact, parse_duration},
    reader::{At, Read, wrong},
    resource::{counted_in, misspelt_resource},
    tree::{Node, Shape, clip},
};
use quotree_core::{Amounts, Name, Time, Unit, parse_quantity};
use std::{collections::BTreeSet, marker::PhantomData};

/// Milliseconds, written as `"90s"`, `"1h30m"`, `"2d"`, `"250ms"`, `"1.5s"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ms(pub u64);

/// A duration, as the reference page shows a default.
fn duration_text(ms: u64) -> String {
    let units = [(3_600_000, "h"), (60_000, "m"), (1000, "s"), (1, "ms")];
    let (size, unit) = units.into_iter().find(|(size, _)| ms > 0 && ms.is_multiple_of(*size)).unwrap_or((1, "s"));
    format!("`{}{unit}`", ms / size)
}

impl Read for Ms {
    fn kind() -> String {
        "duration".to_owned()
    }

    fn show(&self) -> String {
        duration_text(self.0)
    }

    fn read(node: &Node, report: &mut Report) -> Option<Self> {
        const EXPECTED: &str = "a duration string such as \"90s\" or \"1h30m\"";
        match &node.shape {
            Shape::String(text) => match parse_duration(text) {
                Ok(ms) => Some(Self(ms)),
                Err(why) => {
                    let title = format!("`{}` is not a duration: {why}", clip(text));
                    report.error(node.span, title, why).help(format!("expected {EXPECTED}"));
                    None
                }
            },
            Shape::Number(number) => {
                let title = format!("expected {EXPECTED}, found {}", node.describe());
                report
                    .error(node.span, title, "the unit is missing")
                    .help(format!("for seconds, write \"{}s\"", clip(number)));
                None
            }
            _ => {
                wrong(node, EXPECTED, report);
                None
            }
        }
    }
}

impl Read for Time {
    fn kind() -> String {
        "duration".to_owned()
    }

    fn show(&self) -> String {
        duration_text(self.0)
    }

    fn read(node: &Node, report: &mut Report) -> Option<Self> {
        Ms::read(node, report).map(|ms| Self(ms.0))
    }
}

/// A duration longer than 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Positive(pub u64);

impl Read for Positive {
    fn kind() -> String {
        "duration".to_owned()
    }

    fn show(&self) -> String {
        duration_text(self.0)
    }

    fn read(node: &Node, report: &mut Report) -> Option<Self> {
        let ms = Ms::read(node, report)?.0;
        if ms == 0 {
            report.error(node.span, "a duration of 0 is not allowed here", "must be longer than 0");
            return None;
        }
        Some(Self(ms))
    }
}

/// A name that is suitable for reports: not empty, not too long, no control characters.
impl Read for Name {
    fn kind() -> String {
        "name".to_owned()
    }

    fn show(&self) -> String {
        format!("`{self}`")
    }

    fn read(node: &Node, report: &mut Report) -> Option<Self> {
        let text = String::read(node, report)?;
        checked_name(&text, node, report).then(|| Self::from(text))
    }
}

fn checked_name(text: &str, node: &Node, report: &mut Report) -> bool {
    const LONGEST: usize = 253;
    let length = text.chars().count();
    if text.is_empty() {
        report.error(node.span, "a name is empty", "at least one character");
    } else if length > LONGEST {
        let title = format!("a name of {length} characters: at most {LONGEST} are allowed");
        report.error(node.span, title, "too long");
    } else if text.chars().any(char::is_control) {
        report.error(node.span, "a name has control characters", "not printable");
    } else {
        return true;
    }
    false
}

/// A quantity of one resource; a negative one is an error.
pub fn quantity(node: &Node, resource: &str, report: &mut Report) -> Option<i64> {
    let unit = Unit::of(resource);
    let expected = match unit {
        Unit::Bytes => "a quantity string such as \"512Mi\" or \"16Gi\"",
        Unit::Milli => "a quantity string such as \"5\" or \"500m\"",
    };
    match &node.shape {
        Shape::String(text) if counted_in(text, resource).is_some() => {
            let counted = counted_in(text, resource).unwrap_or_default();
            let title =
                format!("`{}` is an amount of memory, and `{}` is counted in {counted}", clip(text), clip(resource));
            report.error(node.span, title, format!("expected a number of {counted}, such as \"8\""));
            None
        }
        Shape::String(text) => match parse_quantity(text, unit) {
            Ok(amount) if amount < 0 => {
                let title = format!("the amount `{}` of `{}` is negative", clip(text), clip(resource));
                report.error(node.span, title, "must be 0 or more");
                None
            }
            Ok(amount) => Some(amount),
            Err(error) => {
                let title = clip_long(&error.to_string());
                report.error(node.span, title, format!("expected {expected}"));
                None
            }
        },
        Shape::Number(number) => {
            let title = format!("expected {expected}, found {}", node.describe());
            report.error(node.span, title, "not a string").help(format!("put it in quotes: \"{}\"", clip(number)));
            None
        }
        _ => {
            wrong(node, expected, report);
            None
        }
    }
}

fn clip_long(text: &str) -> String {
    let short: String = text.chars().take(200).collect();
    short
}

/// The entries of a map with strings as keys; repeated keys are reported.
pub fn entries<'a>(node: &'a Node, what: &str, report: &mut Report) -> Option<Vec<(At<Name>, &'a Node)>> {
    let Shape::Map(pairs) = &node.shape else {
        wrong(node, what, report);
        return None;
    };
    let mut seen = BTreeSet::new();
    let mut read = Vec::with_capacity(pairs.len());
    for (key, value) in pairs {
        let Some(name) = At::<Name>::read(key, report) else { continue };
        if seen.insert(name.value.clone()) {
            read.push((name, value));
        } else {
            report.error(name.span, format!("duplicate key `{}`", clip(name.value.as_str())), "second occurrence");
        }
    }
    Some(read)
}

/// `{ "cpu": "5", "memory": "1Gi" }`
impl Read for Amounts {
    fn kind() -> String {
        "amounts".to_owned()
    }

    fn show(&self) -> String {
        "none".to_owned()
    }

    fn read(node: &Node, report: &mut Report) -> Option<Self> {
        let entries = entries(node, "a map of amounts such as { \"cpu\": \"5\" }", report)?;
        if entries.len() > 64 {
            report.error(
                node.span,
                format!("{} resources in one map: at most 64 are allowed", entries.len()),
                "too many",
            );
            return None;
        }
        let mut amounts = Self::new();
        for (name, value) in entries {
            if let Some(common) = misspelt_resource(name.value.as_str()) {
                let title = format!("unknown resource `{}`", clip(name.value.as_str()));
                report.error(name.span, title, "one letter off").help(format!("did you mean `{common}`?"));
            }
            if let Some(amount) = quantity(value, name.value.as_str(), report) {
                amounts.set(name.value, amount);
            }
        }
        Some(amounts)
    }
}

/// `{ "a": "b" }`
#[derive(Debug, Clone, Default)]
pub struct Texts(pub Vec<(Name, Name)>);

impl Read for Texts {
    fn kind() -> String {
        "map of string".to_owned()
    }

    fn show(&self) -> String {
        "none".to_owned()
    }

    fn read(node: &Node, report: &mut Report) -> Option<Self> {
        let entries = entries(node, "a map of strings such as { \"zone\": \"a\" }", report)?;
        let text = |node, report: &mut Report| String::read(node, report).map(Name::from);
        Some(Self(entries.into_iter().filter_map(|(key, value)| Some((key.value, text(value, report)?))).collect()))
    }
}

/// A fraction in thousandths: `0.85` or `"85%"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Permille(pub u64);

impl Read for Permille {
    fn kind() -> String {
        "ratio".to_owned()
    }

    fn show(&self) -> String {
        if self.0 == 0 { "0".to_owned() } else { format!("{}%", self.0 / 10) }
    }

    fn read(node: &Node, report: &mut Report) -> Option<Self> {
        const EXPECTED: &str = "a number such as 0.85 or a percentage such as \"85%\"";
        let (text, scale) = match &node.shape {
            Shape::Number(text) => (text.as_str(), 1000),
            Shape::String(text) => match text.strip_suffix('%') {
                Some(percent) => (percent.trim_end(), 10),
                None => (text.as_str(), 1000),
            },
            _ => {
                wrong(node, EXPECTED, report);
                return None;
            }
        };
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        let digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
        let well = digits(whole) && digits(fraction) && !(whole.is_empty() && fraction.is_empty());
        let value = well.then(|| exact(whole, fraction, scale).ok()).flatten().and_then(|v| u64::try_from(v).ok());
        if value.is_none() {
            let title = format!("expected {EXPECTED}, found {}", node.describe());
            report.error(node.span, title, "in steps of a thousandth");
        }
        value.map(Self)
    }
}

/// A count that is at least 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Count(pub u32);

impl Read for Count {
    fn kind() -> String {
        u32::kind()
    }

    fn show(&self) -> String {
        self.0.to_string()
    }

    fn read(node: &Node, report: &mut Report) -> Option<Self> {
        let field = report.field;
        let count = u32::read(node, report)?;
        if count == 0 {
            report.error(node.span, format!("`{field}` must be at least 1"), "0 is not allowed");
            return None;
        }
        Some(Self(count))
    }
}

/// A quantity whose unit depends on the resource that another field names. It is read when the resource is known.
#[derive(Debug, Clone)]
pub struct Quantity(Node);

impl Quantity {
    /// The amount of this resource, in base units.
    pub fn amount(&self, resource: &str, report: &mut Report) -> Option<i64> {
        quantity(&self.0, resource, report)
    }
}

impl Read for Quantity {
    fn kind() -> String {
        "quantity".to_owned()
    }

    fn read(node: &Node, _: &mut Report) -> Option<Self> {
        Some(Self(node.clone()))
    }
}

/// A path to another file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Path(pub String);

impl Read for Path {
    fn kind() -> String {
        "path".to_owned()
    }

    fn read(node: &Node, report: &mut Report) -> Option<Self> {
        String::read(node, report).map(Self)
    }
}

/// A value that is read later, when its type is known.
#[derive(Debug, Clone)]
pub struct Later<T>(Node, PhantomData<T>);

impl<T> Later<T> {
    /// The value as written.
    pub const fn node(&self) -> &Node {
        &self.0
    }
}

impl<T: Read> Read for Later<T> {
    fn kind() -> String {
        T::kind()
    }

    fn read(node: &Node, _: &mut Report) -> Option<Self> {
        Some(Self(node.clone(), PhantomData))
    }
}
