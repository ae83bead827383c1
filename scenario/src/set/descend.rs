//! Follows a path from a value to the value that a setting replaces.

use super::{Change, value::value};
use crate::language::{self, Kind, field, kind, member};
use quotree_syntax::{Group, Ident, Node, Report, Row, Shape, Span, Struct, Type, choices, parse};

/// The remaining words of a path, and the word before them.
type Path<'p> = (&'p Ident, &'p [Ident]);

/// Replaces the value at a path below a node. Missing values on the path are added.
pub(super) fn set(node: &mut Node, kind_of: &str, (at, path): Path<'_>, change: &Change, report: &mut Report) {
    let Some(next) = path.first() else {
        *node = value(change, kind_of, report);
        return;
    };
    match kind(kind_of) {
        Kind::Group(group) => in_struct(node, group, (at, path), change, report),
        Kind::List(inner) => match entry(node, path) {
            Some((place, used)) => {
                let (Some(below), Some(last)) = (path.get(used..), path.get(used - 1)) else { return };
                let found = match &mut node.shape {
                    Shape::List(items) => items.get_mut(place),
                    // The brackets around a single entry may be left out.
                    _ => Some(node),
                };
                if let Some(found) = found {
                    set(found, inner, (last, below), change, report);
                }
            }
            None => {
                let known = names(node);
                let error =
                    report.error(next.span, format!("`{}` has no entry `{}`", at.text, next.text), "no such entry");
                match known.as_slice() {
                    [] => error.help(format!(
                        "its entries have no names: give the place of one, from 0, as in `{}.0`",
                        at.text
                    )),
                    known => error.did_you_mean(&next.text, known.iter().copied()).help(choices(known)),
                };
            }
        },
        Kind::Map(_) | Kind::Amounts => in_map(node, kind_of, path, change, report),
        _ => {
            let title = format!("`{}` has no fields: its value is a {}", at.text, plain_words(kind_of));
            report.error(next.span, title, "no such field");
        }
    }
}

/// Whether the first words of a path name an entry or a key of this node.
pub(super) fn holds(node: &Node, kind_of: &str, path: &[Ident]) -> bool {
    match kind(kind_of) {
        Kind::List(_) => entry(node, path).is_some(),
        Kind::Map(_) | Kind::Amounts => match &node.shape {
            Shape::Map(pairs) => pairs.iter().any(|(key, _)| key_text(key) == Some(joined(path).as_str())),
            _ => false,
        },
        _ => true,
    }
}

/// The longest sequence of first words that, joined by dots, is one of these names: its number of words, and the index
/// of the name.
pub(super) fn longest<'n>(
    path: &[Ident],
    names: impl Iterator<Item = Option<&'n str>> + Clone,
) -> Option<(usize, usize)> {
    (1..=path.len()).rev().find_map(|used| {
        let wanted = joined(path.get(..used)?);
        let place = names.clone().position(|name| name == Some(wanted.as_str()))?;
        Some((place, used))
    })
}

fn joined(path: &[Ident]) -> String {
    path.iter().map(|word| word.text.as_str()).collect::<Vec<_>>().join(".")
}

/// The entry of a list that the first words of a path name (by its name, or by its index from 0), and the number of
/// these words.
fn entry(node: &Node, path: &[Ident]) -> Option<(usize, usize)> {
    let items = items(node);
    longest(path, items.iter().map(name_of)).or_else(|| {
        let place: usize = path.first()?.text.parse().ok()?;
        (place < items.len()).then_some((place, 1))
    })
}

fn items(node: &Node) -> &[Node] {
    match &node.shape {
        Shape::List(items) => items,
        Shape::Absent | Shape::Bad => &[],
        _ => std::slice::from_ref(node),
    }
}

fn names(node: &Node) -> Vec<&str> {
    items(node).iter().filter_map(name_of).collect()
}

/// The name of an entry: its field `name`, or the quota of a job queue.
fn name_of(node: &Node) -> Option<&str> {
    let Shape::Struct(body) = &node.shape else { return None };
    let ty = body.name.as_ref().and_then(|name| language::groups().iter().find_map(|group| member(group, &name.text)));
    let known_by = if ty.is_some_and(|ty| field(ty, "name").is_none()) { "quota" } else { "name" };
    let first_is = |ty: &'static Type| ty.positional.first() == Some(&known_by);
    let named = body.fields.iter().find(|(ident, _)| ident.text == known_by).map(|(_, node)| node);
    let given = named.or_else(|| body.args.first().filter(|_| ty.is_some_and(first_is)));
    given.and_then(key_text)
}

fn key_text(node: &Node) -> Option<&str> {
    match &node.shape {
        Shape::String(text) | Shape::Number(text) | Shape::Word(text) => Some(text),
        _ => None,
    }
}

/// Sets a value of a map. All remaining words form the key, since names of resources contain dots.
fn in_map(node: &mut Node, kind_of: &str, path: &[Ident], change: &Change, report: &mut Report) {
    if matches!(node.shape, Shape::Absent) {
        node.shape = Shape::Map(Vec::new());
    }
    let (Some(first), Shape::Map(pairs)) = (path.first(), &mut node.shape) else { return };
    let inner = match kind(kind_of) {
        Kind::Map(inner) => inner,
        _ => "quantity",
    };
    let wanted = joined(path);
    let new = value(change, inner, report);
    match pairs.iter_mut().find(|(key, _)| key_text(key) == Some(wanted.as_str())) {
        Some((_, old)) => *old = new,
        None => pairs.push((Node { span: spanned(first, path), shape: Shape::String(wanted) }, new)),
    }
}

fn spanned(first: &Ident, path: &[Ident]) -> Span {
    path.last().map_or(first.span, |last| first.span.to(last.span))
}

/// Sets a field of a struct, or a part of a quota below it in the tree.
fn in_struct(node: &mut Node, group: &'static Group, (at, path): Path<'_>, change: &Change, report: &mut Report) {
    let Some((next, below)) = path.split_first() else { return };
    let Some((ty, body)) = body(node, group) else {
        report
            .error(next.span, format!("`{}` has no fields here: it is {}", at.text, node.describe()), "no such field")
            .help("set the whole of it");
        return;
    };
    if let Some(row) = field(ty, &next.text) {
        if let Some(place) =
            ty.positional.iter().position(|name| *name == row.name).filter(|place| *place < body.args.len())
        {
            let Some(arg) = body.args.get_mut(place) else { return };
            return set(arg, &row.kind, (next, below), change, report);
        }
        if let Some((_, inner)) = body.fields.iter_mut().find(|(ident, _)| ident.text == row.name) {
            return set(inner, &row.kind, (next, below), change, report);
        }
        let mut inner = Node { span: next.span, shape: default(row, next.span) };
        set(&mut inner, &row.kind, (next, below), change, report);
        body.fields.push((Ident { text: row.name.to_owned(), span: next.span }, inner));
        return;
    }
    let known = if group.name == "quota" { quota_names(node) } else { Vec::new() };
    if let Some((place, used)) = longest(path, known.iter().map(|name| Some(name.as_str())))
        && let (Some(name), Some(below), Some(last)) = (known.get(place), path.get(used..), path.get(used - 1))
        && let Some(found) = find_quota(node, name)
    {
        return set(found, group.name, (last, below), change, report);
    }
    let fields: Vec<&str> = ty.rows.iter().map(|row| row.name).collect();
    let title = if group.name == "quota" {
        let is_field = |word: &&Ident| field(ty, &word.text).is_some();
        let end = path.iter().position(|word| is_field(&word)).unwrap_or(path.len());
        format!("there is no quota `{}`, and `Quota` has no such field", joined(path.get(..end).unwrap_or(path)))
    } else {
        format!("`{}` has no field `{}`", ty.name, next.text)
    };
    let names: Vec<&str> = fields.iter().copied().chain(known.iter().map(String::as_str)).collect();
    report.error(next.span, title, "unknown").did_you_mean(&next.text, names.iter().copied()).help(choices(&names));
}

/// The fields of a struct, and its type. A word is a struct without fields. Without a value, it is the struct that is
/// implied.
fn body<'n>(node: &'n mut Node, group: &'static Group) -> Option<(&'static Type, &'n mut Struct)> {
    let only = group.implied();
    let named = |name: &str, span| Struct {
        name: Some(Ident { text: name.to_owned(), span }),
        args: Vec::new(),
        fields: Vec::new(),
    };
    match &mut node.shape {
        Shape::Word(word) => node.shape = Shape::Struct(named(&word.clone(), node.span)),
        Shape::Absent => node.shape = Shape::Struct(named(only?.name, node.span)),
        _ => {}
    }
    let Shape::Struct(body) = &mut node.shape else { return None };
    let ty = match &body.name {
        Some(name) => member(group, &name.text)?,
        None => only?,
    };
    Some((ty, body))
}

/// The value of a field that is not written: the struct that is its default, with the defaults of its fields.
fn default(row: &Row, span: Span) -> Shape {
    let text = row.default.trim_matches('`');
    let default = parse(text, span.source, &mut Report::default()).filter(|_| text.ends_with(')'));
    match default.map(|node| node.shape) {
        Some(Shape::Struct(Struct { name: Some(name), .. })) => {
            Shape::Struct(Struct { name: Some(name), args: Vec::new(), fields: Vec::new() })
        }
        _ => Shape::Absent,
    }
}

/// The names of all quotas of a tree.
fn quota_names(root: &Node) -> Vec<String> {
    let (mut left, mut found) = (vec![root], Vec::new());
    while let Some(node) = left.pop() {
        found.extend(name_of(node).map(str::to_owned));
        if let Shape::Struct(body) = &node.shape {
            let children = body.fields.iter().filter(|(ident, _)| ident.text == "children");
            left.extend(children.flat_map(|(_, list)| items(list)));
        }
    }
    found
}

/// The quota of this name in a tree.
fn find_quota<'n>(root: &'n mut Node, name: &str) -> Option<&'n mut Node> {
    let mut left = vec![root];
    while let Some(node) = left.pop() {
        if name_of(node) == Some(name) {
            return Some(node);
        }
        if let Shape::Struct(body) = &mut node.shape
            && let Some((_, list)) = body.fields.iter_mut().find(|(ident, _)| ident.text == "children")
        {
            if !matches!(list.shape, Shape::List(_)) {
                // The brackets around a single child may be left out.
                left.push(list);
            } else if let Shape::List(items) = &mut list.shape {
                left.extend(items);
            }
        }
    }
    None
}

fn plain_words(kind_of: &str) -> String {
    kind_of.replace('`', "")
}
