//! Converts plain values of YAML and JSON to the tree of a scenario in RON: it decides which map is a struct and of
//! which name, which string is a word, and which number is a quantity. The decision depends on the kind of the field. A
//! value that fits no kind is not changed, and the reader of the field reports it, as in RON.
//!
//! A struct `Name(a, b, field: c)` is a map in one of these forms:
//!
//! - `Name: {a: .., b: .., field: ..}`;
//! - `{kind: Name, a: .., b: .., field: ..}`;
//! - `{a: .., b: .., field: ..}`, where no other struct is possible;
//! - `Name: a` and `Name: [a, b]`, for the fields that RON allows without their names;
//! - `Name`, if it has no fields.
//!
//! If RON allows a field without its name, and the value is a struct, the name may be left out here, too: `Pods: {..}`
//! for `claim: {Pods: {..}}`.

use crate::language::{self, Kind, field, kind, may_be_text, member};
use quotree_syntax::{Group, Ident, Node, Report, Row, Shape, Span, Struct, Type, choices, clip};

/// The pairs of a map.
type Pairs = Vec<(Node, Node)>;

/// Converts a value to this kind.
pub(crate) fn value(node: Node, kind_of: &str, report: &mut Report) -> Node {
    let Node { span, shape } = node;
    let at = |shape| Node { span, shape };
    match (kind(kind_of), shape) {
        (_, shape @ (Shape::Absent | Shape::Bad | Shape::Struct(_) | Shape::Word(_))) => at(shape),
        (Kind::Text | Kind::Quantity, Shape::Number(text)) => at(Shape::String(text)),
        (Kind::Text, Shape::Bool(value)) => at(Shape::String(value.to_string())),
        (Kind::Text | Kind::Quantity, shape) => at(shape),
        (_, Shape::String(text)) if text == "None" => at(Shape::Absent),
        (Kind::List(inner), Shape::List(items)) => {
            at(Shape::List(items.into_iter().map(|item| value(item, inner, report)).collect()))
        }
        // The reader says whether a list may be left out around a single entry.
        (Kind::List(inner), shape) => value(at(shape), inner, report),
        (Kind::Map(inner), Shape::Map(pairs)) => {
            // Only tables of speeds have numbers as keys; YAML and JSON may quote them.
            let key_kind = if inner == "ratio" { "whole number" } else { "string" };
            let pair = |(key, inside): (Node, Node)| (key_of(key, key_kind), value(inside, inner, report));
            at(Shape::Map(pairs.into_iter().map(pair).collect()))
        }
        (Kind::Amounts, Shape::Map(pairs)) => {
            let pair = |(key, amount): (Node, Node)| (key_of(key, "string"), value(amount, "quantity", report));
            at(Shape::Map(pairs.into_iter().map(pair).collect()))
        }
        (Kind::Words(_), Shape::String(text)) => at(Shape::Word(text)),
        (Kind::Forms(forms), shape) => form(at(shape), forms),
        (Kind::Group(group), shape) => of_group(at(shape), group, report),
        (_, shape) => at(shape),
    }
}

/// A key as a string or, where the kind requires it, as a number.
fn key_of(key: Node, wanted: &str) -> Node {
    let shape = match key.shape {
        Shape::String(text) if wanted == "whole number" && text.bytes().all(|byte| byte.is_ascii_digit()) => {
            Shape::Number(text)
        }
        Shape::Number(text) if wanted == "string" => Shape::String(text),
        Shape::Bool(value) => Shape::String(value.to_string()),
        shape => shape,
    };
    Node { span: key.span, shape }
}

/// A word, or a struct that does not belong to a group: `Never`, `{After: 10m}`, `{Random: {seed: 1}}`.
fn form(node: Node, forms: &str) -> Node {
    let Node { span, shape } = node;
    let shape = match shape {
        Shape::String(text) => Shape::Word(text),
        Shape::Map(mut pairs) if pairs.len() == 1 => match pairs.pop() {
            Some((Node { span: at, shape: Shape::String(name) }, inner)) if forms.contains(&name) => {
                let mut body =
                    Struct { name: Some(Ident { text: name, span: at }), args: Vec::new(), fields: Vec::new() };
                match inner.shape {
                    Shape::Map(fields) => body.fields = fields.into_iter().filter_map(named).collect(),
                    _ => body.args.push(inner),
                }
                Shape::Struct(body)
            }
            pair => Shape::Map(pair.into_iter().collect()),
        },
        shape => shape,
    };
    Node { span, shape }
}

/// A field and its value, if the key is a string.
fn named((key, value): (Node, Node)) -> Option<(Ident, Node)> {
    text(&key).map(|text| (Ident { text: text.to_owned(), span: key.span }, value))
}

fn text(node: &Node) -> Option<&str> {
    match &node.shape {
        Shape::String(text) => Some(text),
        _ => None,
    }
}

/// One of the structs of a group.
pub(crate) fn of_group(node: Node, group: &'static Group, report: &mut Report) -> Node {
    let Node { span, shape } = node;
    let shape = match shape {
        Shape::String(text) if may_be_text(group) && member(group, &text).is_none() => Shape::String(text),
        Shape::String(text) => Shape::Word(text),
        Shape::Map(pairs) => return tagged(span, pairs, group, report),
        shape => shape,
    };
    Node { span, shape }
}

/// Converts a map whose `kind` names the struct, or that can be only one struct.
fn tagged(span: Span, mut pairs: Pairs, group: &'static Group, report: &mut Report) -> Node {
    let tag = |(key, _): &(Node, Node)| text(key).and_then(|name| member(group, name));
    if let Some(at) = pairs.iter().position(|pair| tag(pair).is_some()) {
        let (key, inner) = pairs.remove(at);
        let Some((ty, name)) = text(&key).and_then(|name| Some((member(group, name)?, name.to_owned()))) else {
            return Node { span, shape: Shape::Bad };
        };
        let name = Ident { text: name, span: key.span };
        let inner = beside(inner, pairs, &name, report);
        return open(span.to(inner.span), name, ty, inner, report);
    }
    let kind = pairs.iter().position(|(key, value)| text(key) == Some("kind") && text(value).is_some());
    let fields = |pairs| Node { span, shape: Shape::Map(pairs) };
    if let Some((_, value)) = kind.map(|at| pairs.remove(at)) {
        let name = Ident { text: text(&value).unwrap_or_default().to_owned(), span: value.span };
        return match member(group, &name.text) {
            Some(ty) => with_fields(span, name, ty, pairs, report),
            // The reader reports the name, and the nearest that it knows.
            None => {
                let fields = pairs.into_iter().filter_map(named).collect();
                Node { span, shape: Shape::Struct(Struct { name: Some(name), args: Vec::new(), fields }) }
            }
        };
    }
    let looks_named = |name: &str| name.starts_with(|c: char| c.is_ascii_uppercase());
    if group.types.len() > 1
        && let [(key, _)] = pairs.as_slice()
        && let Some(name) = text(key).filter(|name| looks_named(name))
    {
        let name = Some(Ident { text: name.to_owned(), span: key.span });
        return Node { span, shape: Shape::Struct(Struct { name, args: Vec::new(), fields: Vec::new() }) };
    }
    if let Some(ty) = group.implied() {
        let name = Ident { text: ty.name.to_owned(), span };
        return with_fields(span, name, ty, pairs, report);
    }
    unnamed(&fields(pairs), group, &group.types, report);
    Node { span, shape: Shape::Bad }
}

/// Reports a map that does not show which struct it is.
fn unnamed(node: &Node, group: &Group, types: &[Type], report: &mut Report) {
    let Shape::Map(pairs) = &node.shape else { return };
    let keys: Vec<&str> = pairs.iter().filter_map(|(key, _)| text(key)).collect();
    let fits = |ty: &&Type| keys.iter().all(|key| ty.rows.iter().any(|row| row.name == *key));
    let mut likely: Vec<&str> = types.iter().filter(fits).map(|ty| ty.name).collect();
    if likely.is_empty() || keys.is_empty() {
        likely = types.iter().map(|ty| ty.name).collect();
    }
    let first = likely.first().copied().unwrap_or_default();
    report
        .error(node.span, format!("this {} does not say its kind", group.name), "`kind` is missing")
        .help(format!("write `kind: {first}` beside the fields, or `{first}:` above them"))
        .help(choices(&likely));
}

/// Reports fields beside `Name: ..` that belong inside it, most likely because of wrong indentation.
fn beside(inner: Node, others: Pairs, name: &Ident, report: &mut Report) -> Node {
    let Some((key, _)) = others.first() else { return inner };
    let found = text(key).map_or_else(|| "a value".to_owned(), |key| format!("`{}`", clip(key)));
    report
        .error(key.span, format!("{found} stands beside `{}`, not in it", name.text), "one level too high")
        .help(format!("indent the fields below `{}:`, or write `kind: {}` beside them", name.text, name.text));
    let span = inner.span;
    match inner.shape {
        Shape::Map(mut pairs) => {
            pairs.extend(others);
            Node { span, shape: Shape::Map(pairs) }
        }
        Shape::Absent => Node { span, shape: Shape::Map(others) },
        shape => Node { span, shape },
    }
}

/// Converts the value after `Name:` to the struct of this name.
fn open(span: Span, name: Ident, ty: &'static Type, inner: Node, report: &mut Report) -> Node {
    let first = ty.positional.first().and_then(|name| field(ty, name));
    let args =
        |args| Node { span, shape: Shape::Struct(Struct { name: Some(name.clone()), args, fields: Vec::new() }) };
    match inner.shape {
        Shape::Absent if ty.rows.is_empty() => Node { span, shape: Shape::Word(name.text) },
        Shape::Absent => args(Vec::new()),
        Shape::Map(pairs) if !is_value_of(first, ty, &pairs) => with_fields(span, name, ty, pairs, report),
        Shape::List(items) if first.is_some_and(|row| !matches!(kind(&row.kind), Kind::List(_))) => {
            let kinds = ty.positional.iter().map(|name| field(ty, name).map_or("", |row| row.kind.as_str()));
            let kinds = kinds.chain(std::iter::repeat(""));
            args(items.into_iter().zip(kinds).map(|(item, kind)| value(item, kind, report)).collect())
        }
        shape => {
            let inner = Node { span: inner.span, shape };
            args(vec![value(inner, first.map_or("", |row| row.kind.as_str()), report)])
        }
    }
}

/// Whether a map is the value of the first field, rather than a map of the fields.
fn is_value_of(first: Option<&'static Row>, ty: &'static Type, pairs: &Pairs) -> bool {
    let Some(first) = first else { return false };
    let is_field =
        |(key, _): &(Node, Node)| text(key).is_some_and(|key| field(ty, key).is_some() || inlined(ty, key).is_some());
    match kind(&first.kind) {
        Kind::Amounts | Kind::Map(_) => !pairs.is_empty() && !pairs.iter().any(is_field),
        // `ReplaceTree: {name: root, ..}`, `Always: {kind: Used, ..}`.
        Kind::Group(group) => {
            let is_tagged = pairs.iter().any(|(key, _)| text(key) == Some("kind"));
            (is_tagged || group.implied().is_some()) && !pairs.iter().any(is_field)
        }
        _ => false,
    }
}

/// The field that needs no name and whose value is a struct of this name.
fn inlined(ty: &'static Type, name: &str) -> Option<(&'static Row, &'static Type)> {
    ty.positional.iter().filter_map(|of| field(ty, of)).find_map(|row| match kind(&row.kind) {
        Kind::Group(group) => member(group, name).map(|inner| (row, inner)),
        _ => None,
    })
}

/// A struct with these fields. A field that RON allows without a name gets none, so that the result does not depend on
/// how the struct is written.
pub(crate) fn with_fields(span: Span, name: Ident, ty: &'static Type, pairs: Pairs, report: &mut Report) -> Node {
    let mut end = span;
    let mut fields: Vec<(Ident, Node)> = Vec::with_capacity(pairs.len());
    for (key, inner) in pairs {
        end = end.to(inner.span);
        let Some(key_text) = text(&key) else {
            report.error(key.span, format!("a field has a name, found {}", key.describe()), "not a name");
            continue;
        };
        let ident = |text: &str| Ident { text: text.to_owned(), span: key.span };
        let known = field(ty, key_text);
        let entry = match (known, inlined(ty, key_text)) {
            (Some(row), _) => (ident(row.name), value(inner, &row.kind, report)),
            (None, Some((row, inner_type))) => {
                let at = key.span.to(inner.span);
                (ident(row.name), open(at, ident(key_text), inner_type, inner, report))
            }
            (None, None) => match misnamed(ty, key_text) {
                // The reader reports the name, and the nearest that it knows.
                Some(row) => (ident(row.name), unknown(ident(key_text), inner)),
                None => (ident(key_text), inner),
            },
        };
        fields.push(entry);
    }
    let mut args = Vec::new();
    let positional = if reads_better_named(ty) { &[] } else { ty.positional };
    for name in positional {
        let Some(at) = fields.iter().position(|(ident, _)| ident.text == *name) else { break };
        args.push(fields.remove(at).1);
    }
    Node { span: end, shape: Shape::Struct(Struct { name: Some(name), args, fields }) }
}

/// The field that was probably meant by a struct with an unknown name.
fn misnamed(ty: &'static Type, name: &str) -> Option<&'static Row> {
    let holds_structs = |row: &&Row| matches!(kind(&row.kind), Kind::Group(group) if group.types.len() > 1);
    let looks_named = name.starts_with(|c: char| c.is_ascii_uppercase());
    ty.positional.iter().filter(|_| looks_named).filter_map(|of| field(ty, of)).find(holds_structs)
}

/// A struct with a name that the language does not have.
fn unknown(name: Ident, inner: Node) -> Node {
    let fields = match inner.shape {
        Shape::Map(pairs) => pairs.into_iter().filter_map(named).collect(),
        _ => Vec::new(),
    };
    let span = name.span;
    Node { span, shape: Shape::Struct(Struct { name: Some(name), args: Vec::new(), fields }) }
}

/// Whether the struct is clearer in reports with all field names: `Used(quota: "a", resource: "cpu", ..)`.
fn reads_better_named(ty: &Type) -> bool {
    let is_of = |name: &str| language::group(name).is_some_and(|group| member(group, ty.name).is_some());
    ty.positional.len() > 1 && (is_of("what") || is_of("change"))
}

/// Converts the whole file: a scenario, or a quota tree alone.
pub(crate) fn file(node: Node, report: &mut Report) -> Node {
    let (Some(scenario), Some(quotas)) = (language::group("file"), language::group("quota")) else { return node };
    let Shape::Map(pairs) = &node.shape else { return node };
    let keys = || pairs.iter().filter_map(|(key, _)| text(key));
    let has = |group: &'static Group| {
        keys().any(|key| {
            member(group, key).is_some() || (key != "name" && group.types.iter().any(|ty| field(ty, key).is_some()))
        }) || pairs.iter().any(|(key, value)| {
            text(key) == Some("kind") && text(value).is_some_and(|name| member(group, name).is_some())
        })
    };
    let group = if has(quotas) && !has(scenario) { quotas } else { scenario };
    of_group(node, group, report)
}
