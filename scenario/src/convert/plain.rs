//! Converts structs and words of RON to maps and strings of YAML and JSON. Of the forms that [`crate::typed`] reads, it
//! writes the most readable one.

use super::{
    doc::{Body, Doc},
    is_implied,
};
use crate::language::{Kind, field, kind, member};
use quotree_syntax::{Group, Type};

/// Groups whose structs are entries of long lists and have many fields. Such an entry is written with `kind: Job` among
/// its fields.
const LISTED: [&str; 3] = ["cluster", "workload", "task"];

/// A value of this kind, without structs and words. With `bare`, quantities that are plain numbers are written as
/// numbers.
pub(super) fn value(doc: Doc, kind_of: &str, bare: bool) -> Doc {
    of_kind(doc, kind_of, bare, false)
}

fn of_kind(mut doc: Doc, kind_of: &str, bare: bool, is_entry: bool) -> Doc {
    let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit()) && !text.is_empty() && text.len() < 18;
    let body = std::mem::replace(&mut doc.body, Body::Absent);
    match (kind(kind_of), body) {
        (Kind::List(inner), Body::List(items)) => {
            doc.with(Body::List(items.into_iter().map(|item| of_kind(item, inner, bare, true)).collect()))
        }
        (Kind::List(inner), body @ Body::Struct(..)) => of_kind(doc.with(body), inner, bare, false),
        (Kind::Map(inner), Body::Map(pairs)) => {
            let pair = |(key, value)| (key, of_kind(value, inner, bare, false));
            doc.with(Body::Map(pairs.into_iter().map(pair).collect()))
        }
        (Kind::Amounts, Body::Map(pairs)) => {
            let pair = |(key, value)| (key, of_kind(value, "quantity", bare, false));
            doc.with(Body::Map(pairs.into_iter().map(pair).collect()))
        }
        (Kind::Quantity, Body::Text(text)) if bare && is_number(&text) => doc.with(Body::Number(text)),
        (Kind::Group(group), Body::Struct(name, args, fields)) => {
            let name = if name.is_empty() { group.types.first().map_or("", |ty| ty.name).to_owned() } else { name };
            match member(group, &name) {
                Some(ty) => doc.with(of_type(ty, group, args, fields, (bare, is_entry))),
                None => doc.with(unknown(name, args, fields, bare)),
            }
        }
        (Kind::Words(_) | Kind::Group(_) | Kind::Forms(_), Body::Absent) => doc.with(Body::Text("None".to_owned())),
        // Words have several spellings; the schema has that of the reference page.
        (Kind::Words(words), Body::Word(word)) => {
            let plain = |word: &str| word.replace('_', "").to_ascii_lowercase();
            let known = words.split(", ").find(|known| plain(known) == plain(&word)).map(str::to_owned);
            doc.with(Body::Text(known.unwrap_or(word)))
        }
        (_, Body::Word(word)) => doc.with(Body::Text(word)),
        (_, Body::Struct(name, args, fields)) => doc.with(unknown(name, args, fields, bare)),
        (_, Body::List(items)) => {
            doc.with(Body::List(items.into_iter().map(|item| of_kind(item, "", bare, true)).collect()))
        }
        (_, Body::Map(pairs)) => {
            let pair = |(key, value)| (key, of_kind(value, "", bare, false));
            doc.with(Body::Map(pairs.into_iter().map(pair).collect()))
        }
        (_, body) => doc.with(body),
    }
}

fn text(text: &str) -> Doc {
    Body::Text(text.to_owned()).bare()
}

/// `{name: value}`
fn one(name: &str, value: Doc) -> Body {
    Body::Map(vec![(text(name), value)])
}

/// A struct that the language does not know: a map from its name to its values.
fn unknown(name: String, args: Vec<Doc>, fields: Vec<(String, Doc)>, bare: bool) -> Body {
    let mut args: Vec<Doc> = args.into_iter().map(|arg| of_kind(arg, "", bare, false)).collect();
    let fields: Vec<(Doc, Doc)> =
        fields.into_iter().map(|(name, value)| (text(&name), of_kind(value, "", bare, false))).collect();
    let inside = match (args.len(), fields.is_empty()) {
        (1, true) => args.remove(0),
        (0, _) => Body::Map(fields).bare(),
        _ => Body::List(args).bare(),
    };
    if name.is_empty() { inside.body } else { one(&name, inside) }
}

fn of_type(
    ty: &'static Type,
    group: &'static Group,
    args: Vec<Doc>,
    fields: Vec<(String, Doc)>,
    (bare, is_entry): (bool, bool),
) -> Body {
    let is_first = |(name, _): &(String, Doc)| ty.positional.first() == Some(&name.as_str());
    let is_alone = args.len() + fields.len() == 1 && fields.iter().all(is_first);
    let named = ty.positional.iter().map(|name| (*name).to_owned()).zip(args).chain(fields);
    let mut pairs: Vec<(Doc, Doc)> = Vec::new();
    for (name, value) in named {
        let row = field(ty, &name);
        let value = of_kind(value, row.map_or("", |row| row.kind.as_str()), bare, false);
        let inner = row.filter(|_| ty.positional.contains(&name.as_str())).map(|row| kind(&row.kind));
        pairs.push(match inner {
            Some(Kind::Group(group)) => in_place(text(&name), value, group),
            _ => (text(&name), value),
        });
    }
    if is_implied(group.name, ty.name) {
        return Body::Map(pairs);
    }
    if ty.name == "Uniform" && pairs.iter().map(|(key, _)| key.key()).eq(["from", "to"]) {
        let ends = pairs.into_iter().map(|(_, value)| value).collect();
        return one(ty.name, Body::List(ends).bare());
    }
    if is_entry && LISTED.contains(&group.name) {
        pairs.insert(0, (text("kind"), text(ty.name)));
        return Body::Map(pairs);
    }
    let is_field = pairs.first().is_some_and(|(key, _)| field(ty, &key.key()).is_some());
    match pairs.pop() {
        None if ty.rows.is_empty() => Body::Text(ty.name.to_owned()),
        None => one(ty.name, Body::Map(Vec::new()).bare()),
        // The one field that needs no name, if what it holds cannot be taken for the fields.
        Some((_, only)) if is_alone && is_field && !matches!(&only.body, Body::Map(inside) if inside.is_empty()) => {
            one(ty.name, only)
        }
        Some(last) => {
            pairs.push(last);
            one(ty.name, Body::Map(pairs).bare())
        }
    }
}

/// The short form `Pods: {..}` in place of `claim: {Pods: {..}}`.
fn in_place(key: Doc, mut value: Doc, group: &'static Group) -> (Doc, Doc) {
    match &mut value.body {
        Body::Map(inside) if inside.len() == 1 && group.types.len() > 1 => match inside.pop() {
            Some((name, inner)) if member(group, &name.key()).is_some() => {
                value.lead.extend(inner.lead);
                value.trail = value.trail.or(inner.trail);
                value.body = inner.body;
                (name, value)
            }
            Some(pair) => (key, value.with(Body::Map(vec![pair]))),
            None => (key, value),
        },
        _ => (key, value),
    }
}
