//! The language as data: every struct with its fields, once. The JSON schema and the reference in docs/scenario.md are
//! made out of it, and in debug builds the reader checks itself against it at every struct it reads.

mod table;

use serde_json::{Map, Value, json};
use table::{GROUPS, types};

/// A field of a struct of the language.
struct Field {
    name: &'static str,
    /// What it holds, as the reference says it.
    kind: &'static str,
    /// `required`, or what it is when it is absent.
    default: &'static str,
    about: &'static str,
}

/// A struct of the language.
struct Type {
    name: &'static str,
    /// What it is one of.
    group: &'static str,
    about: &'static str,
    /// Group after group: what several structs have stands once, in `table/shared.rs`.
    fields: &'static [&'static [Field]],
}

impl Type {
    fn fields(&self) -> impl Iterator<Item = &'static Field> {
        self.fields.iter().copied().flatten()
    }
}

/// Whether these are the fields of a struct of this name; a struct that the table does not know agrees with anything.
pub(crate) fn agrees(name: &str, fields: &[&str]) -> bool {
    let mut same = types().filter(|t| t.name == name).peekable();
    let is = |t: &Type| {
        t.fields().all(|field| fields.contains(&field.name))
            && fields.iter().all(|field| t.fields().any(|f| f.name == *field))
    };
    same.peek().is_none() || same.any(is)
}

/// Whether a struct of this name has such a field; of a struct that the table does not know, everything is taken for one.
pub(crate) fn knows(name: &str, field: &str) -> bool {
    let mut same = types().filter(|t| t.name == name).peekable();
    same.peek().is_none() || same.any(|t| t.fields().any(|f| f.name == field))
}

/// The JSON schema of a scenario file, in the shape that serde gives RON as JSON: a named struct is an object whose one
/// key is the name.
///
/// ```
/// let schema = quotree_scenario::schema();
/// assert!(schema["$defs"]["workload.Deployment"]["properties"]["replicas"].is_object());
/// ```
#[must_use]
pub fn schema() -> Value {
    let mut defs = Map::new();
    for ty in types() {
        defs.insert(format!("{}.{}", ty.group, ty.name), object(ty));
    }
    for (group, about) in GROUPS {
        let members = types().filter(|t| t.group == *group).map(|ty| {
            let inner = json!({ "$ref": format!("#/$defs/{}.{}", ty.group, ty.name) });
            let tagged = json!({
                "type": "object", "properties": { ty.name: inner }, "required": [ty.name], "additionalProperties": false
            });
            if ty.fields.is_empty() { json!({ "const": ty.name }) } else { tagged }
        });
        let members: Vec<Value> = members.collect();
        defs.insert((*group).to_owned(), json!({ "description": about, "oneOf": members }));
    }
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "quotree scenario",
        "$ref": "#/$defs/file.Scenario",
        "$defs": defs,
    })
}

fn object(ty: &Type) -> Value {
    let mut properties = Map::new();
    for field in ty.fields() {
        let mut property = shape(field.kind);
        if let Some(property) = property.as_object_mut() {
            property.insert("description".into(), json!(format!("{} ({})", field.about, field.kind)));
            if !matches!(field.default, "required" | "absent" | "") {
                property.insert("x-default".into(), json!(field.default));
            }
        }
        properties.insert(field.name.to_owned(), property);
    }
    let required: Vec<&str> = ty.fields().filter(|f| f.default == "required").map(|f| f.name).collect();
    json!({
        "type": "object", "description": ty.about, "properties": properties, "required": required,
        "additionalProperties": false
    })
}

/// The JSON shape of a kind of value.
fn shape(kind: &str) -> Value {
    if let Some(inner) = kind.strip_prefix("list of ") {
        return json!({ "type": "array", "items": shape(inner) });
    }
    if let Some(inner) = kind.strip_prefix("map of ") {
        return json!({ "type": "object", "additionalProperties": shape(inner) });
    }
    match kind {
        "string" | "name" | "duration" | "quantity" | "bandwidth" | "path" | "digest" => json!({ "type": "string" }),
        "whole number" => json!({ "type": "integer" }),
        "bool" => json!({ "type": "boolean" }),
        "amounts" => json!({ "type": "object", "additionalProperties": { "type": "string" } }),
        "ratio" => json!({ "type": ["number", "string"] }),
        kind => match GROUPS.iter().find(|(group, _)| *group == kind) {
            Some((group, _)) => json!({ "$ref": format!("#/$defs/{group}") }),
            None => match kind.strip_prefix("one of ") {
                Some(words) => json!({ "enum": words.split(", ").collect::<Vec<_>>() }),
                None => json!({}),
            },
        },
    }
}

/// The reference of the language in Markdown: a table for every struct. docs/scenario.md holds it word for word.
#[must_use]
pub fn reference() -> String {
    let mut out = String::new();
    for (group, about) in GROUPS {
        out += &format!("### {group}\n\n{about}\n\n");
        for ty in types().filter(|t| t.group == *group) {
            out += &format!("**`{}`**: {}\n\n", ty.name, ty.about);
            if ty.fields.is_empty() {
                continue;
            }
            out += "| field | holds | default | meaning |\n|---|---|---|---|\n";
            for Field { name, kind, default, about } in ty.fields() {
                out += &format!("| `{name}` | {kind} | {default} | {about} |\n");
            }
            out.push('\n');
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::types;

    #[test]
    fn no_struct_has_a_field_twice() {
        for ty in types() {
            let mut names: Vec<&str> = ty.fields().map(|field| field.name).collect();
            names.sort_unstable();
            let twice: Vec<&str> = names.windows(2).filter(|pair| pair[0] == pair[1]).map(|pair| pair[0]).collect();
            assert!(twice.is_empty(), "`{}` of {} has {twice:?} twice", ty.name, ty.group);
        }
    }
}
