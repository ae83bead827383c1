//! A canonical text of a value, from which the digest of a scenario is computed. It depends only on the meaning of the
//! value: not on the notation, on the order of fields, nor on names that may be left out (of a field, or of a struct
//! where only one is possible).

use crate::language::{groups, member};
use quotree_syntax::{Group, Node, Shape, Struct, Type, plain};
use std::fmt::Write;

/// Appends the text of a value.
pub(crate) fn write(node: &Node, text: &mut String) {
    match &node.shape {
        Shape::List(items) => {
            text.push('[');
            for item in items {
                write(item, text);
                text.push(',');
            }
            text.push(']');
        }
        Shape::Map(pairs) => {
            text.push('{');
            for (key, value) in pairs {
                let _ = write!(text, "{key}:");
                write(value, text);
                text.push(',');
            }
            text.push('}');
        }
        Shape::Struct(body) => fields(body, text),
        // A struct without fields.
        Shape::Word(name) if found(name, None).is_some() => {
            let _ = write!(text, "{name}()");
        }
        _ => {
            let _ = write!(text, "{node}");
        }
    }
}

fn fields(body: &Struct, text: &mut String) {
    let name = body.name.as_ref().map_or("", |name| name.text.as_str());
    let known = found(name, Some(body));
    if known.is_none_or(|(group, ty)| group.implied().is_none_or(|implied| implied.name != ty.name)) {
        text.push_str(name);
    }
    let positional = known.map_or(&[][..], |(_, ty)| ty.positional);
    let names = positional.iter().copied().chain(std::iter::repeat(""));
    let args = body.args.iter().zip(names).map(|(arg, name)| (name, arg));
    let mut all: Vec<(&str, &Node)> =
        args.chain(body.fields.iter().map(|(name, node)| (name.text.as_str(), node))).collect();
    all.sort_by_key(|(name, _)| *name);
    text.push('(');
    for (name, value) in all {
        let _ = write!(text, "{name}:");
        write(value, text);
        text.push(',');
    }
    text.push(')');
}

/// The struct of this name. Of several groups that have one (`Every` is a pattern of arrivals and an event), the first to which the fields
/// belong.
fn found(name: &str, body: Option<&Struct>) -> Option<(&'static Group, &'static Type)> {
    let mut named = groups().iter().filter_map(|group| Some((group, member(group, name)?)));
    let first = named.next()?;
    let fits = |(_, ty): &(&Group, &Type)| body.is_none_or(|body| fits(ty, body));
    Some(std::iter::once(first).chain(named).find(fits).unwrap_or(first))
}

/// Whether a struct can be of this type: it has all of its fields, and those that must be there are.
fn fits(ty: &Type, body: &Struct) -> bool {
    let by_place = ty.positional.get(..body.args.len());
    let given: Vec<&str> = by_place.into_iter().flatten().map(|name| plain(name)).collect();
    let given = || given.iter().copied().chain(body.fields.iter().map(|(name, _)| name.text.as_str()));
    let are_known = given().all(|name| ty.rows.iter().any(|row| row.name == name));
    let are_complete =
        ty.rows.iter().filter(|row| row.default == "required").all(|row| given().any(|name| name == row.name));
    by_place.is_some() && are_known && are_complete
}
