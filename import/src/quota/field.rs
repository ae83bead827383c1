//! Tables of the fields of each format, with the way in which the importer handles each of them. The readers use the
//! tables to report fields that have no place in the model. A field that is in no table is reported as unknown.
//! docs/import.md shows the tables.

use super::{diagnostics::Diagnostics, note::Says};
use crate::yaml::{Node, Value, is_null, scalar};
use quotree_syntax::Span;

/// A field, and how it is handled.
#[derive(Debug, Clone, Copy)]
pub struct Field {
    /// Its name; a `*` at the end matches any text.
    pub name: &'static str,
    /// How it is handled.
    pub fate: Fate,
}

/// How a field is handled.
#[derive(Debug, Clone, Copy)]
pub enum Fate {
    /// It becomes this part of the scenario.
    Becomes(&'static str),
    /// It is a map, or a list of maps, with these fields.
    Holds(&'static [Field]),
    /// It has no effect on scheduling.
    Idle,
    /// It has no place in the model; the first text says what it would have meant. It is not reported if its value is
    /// one of the neutral values.
    Lost(&'static str, &'static [&'static str]),
}

/// A field that becomes part of the scenario.
pub(crate) const fn becomes(name: &'static str, what: &'static str) -> Field {
    Field { name, fate: Fate::Becomes(what) }
}

/// A field that contains further fields.
pub(super) const fn holds(name: &'static str, fields: &'static [Field]) -> Field {
    Field { name, fate: Fate::Holds(fields) }
}

/// A field without an effect on scheduling.
pub(crate) const fn idle(name: &'static str) -> Field {
    Field { name, fate: Fate::Idle }
}

/// A field that has no place in the model.
pub(crate) const fn lost(name: &'static str, meant: &'static str) -> Field {
    Field { name, fate: Fate::Lost(meant, &[]) }
}

/// A field that has no place in the model, unless its value is one of these.
pub(crate) const fn lost_unless(name: &'static str, neutral: &'static [&'static str], meant: &'static str) -> Field {
    Field { name, fate: Fate::Lost(meant, neutral) }
}

/// The field of this name.
pub(crate) fn find<'f>(fields: &'f [Field], name: &str) -> Option<&'f Field> {
    let exact = fields.iter().find(|field| field.name == name);
    exact.or_else(|| {
        fields.iter().find(|field| field.name.strip_suffix('*').is_some_and(|prefix| name.starts_with(prefix)))
    })
}

/// Reports each field below `node` that has no place in the model, or that is unknown. `kind` names the object, and
/// `path` is the path of the node in the object.
pub(super) fn tell(fields: &'static [Field], kind: &str, path: &str, node: &Node, diagnostics: &mut Diagnostics) {
    match &node.value {
        Value::List(items) => items.iter().for_each(|item| tell(fields, kind, path, item, diagnostics)),
        Value::Scalar(_) => {}
        Value::Map(entries) => {
            for entry in entries {
                let full = if path.is_empty() { entry.key.clone() } else { format!("{path}.{}", entry.key) };
                let span = diagnostics.span(&entry.key_span);
                match find(fields, &entry.key).map(|field| field.fate) {
                    Some(Fate::Becomes(_) | Fate::Idle) => {}
                    Some(Fate::Holds(inner)) => tell(inner, kind, &full, &entry.value, diagnostics),
                    Some(Fate::Lost(meant, neutral)) => {
                        if !is_neutral(&entry.value, neutral) {
                            diagnostics.notes.lost(kind, Says::Sets(full), meant, span);
                        }
                    }
                    None => unknown(fields, kind, (&entry.key, full), &entry.value, span, diagnostics),
                }
            }
        }
    }
}

/// As [`tell`], for one field whose value is a text, in files without a structure of their own.
pub(super) fn tell_text(
    fields: &'static [Field],
    kind: &str,
    (name, value): (&str, &str),
    span: Span,
    diagnostics: &mut Diagnostics,
) {
    let value = Node { span: 0..0, value: Value::Scalar(value.to_owned()), quoted: false };
    match find(fields, name).map(|field| field.fate) {
        Some(Fate::Becomes(_) | Fate::Idle | Fate::Holds(_)) => {}
        Some(Fate::Lost(meant, neutral)) => {
            if !is_neutral(&value, neutral) {
                diagnostics.notes.lost(kind, Says::Sets(name.to_owned()), meant, span);
            }
        }
        None => unknown(fields, kind, (name, name.to_owned()), &value, span, diagnostics),
    }
}

/// Reports a field that is in no table: as a spelling mistake if its name is nearly a known one, otherwise as unknown.
fn unknown(
    fields: &'static [Field],
    kind: &str,
    (name, full): (&str, String),
    value: &Node,
    span: Span,
    diagnostics: &mut Diagnostics,
) {
    let close = |known: &&str| strsim::osa_distance(known, name) <= 2 && known.len() > 3;
    match fields.iter().map(|field| field.name).find(close) {
        Some(known) => {
            let help = format!("did you mean `{known}`?");
            diagnostics.error(span, format!("{} has no field `{full}`", article(kind)), "not a field").help(help);
        }
        None if is_neutral(value, &[]) => {}
        None => diagnostics.notes.lost(kind, Says::Sets(full), "quotree does not know this field", span),
    }
}

/// A kind with its article: `a Queue`, `an ElasticQuota`.
pub(super) fn article(kind: &str) -> String {
    let an = kind.starts_with(['A', 'E', 'I', 'O', 'U', 'a', 'e', 'i', 'o', 'u']);
    format!("{} {kind}", if an { "an" } else { "a" })
}

fn is_neutral(value: &Node, neutral: &[&str]) -> bool {
    match &value.value {
        Value::List(items) => items.is_empty(),
        Value::Map(entries) => entries.is_empty(),
        Value::Scalar(_) => scalar(value).is_some_and(|text| is_null(text) || neutral.contains(&text)),
    }
}
