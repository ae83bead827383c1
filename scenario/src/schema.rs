//! The JSON schema and the reference page of the language, generated from its records.

use crate::language::{Kind, field, groups, kind, may_be_text};
use quotree_syntax::{Group, Row, Type};
use serde_json::{Map, Value, json};

/// The JSON schema of scenario files in YAML and JSON, for editors and other checkers. It accepts what
/// [`load`](crate::load) can read as such a file; `load` also checks the meaning of the values.
///
/// ```
/// let schema = quotree_scenario::schema();
/// assert!(schema["$defs"]["workload.Deployment"]["properties"]["replicas"].is_object());
/// ```
#[must_use]
pub fn schema() -> Value {
    let mut defs = Map::new();
    for group in groups() {
        for ty in &group.types {
            defs.insert(format!("{}.{}", group.name, ty.name), object(ty));
        }
    }
    for group in groups() {
        let members: Vec<Value> = group.types.iter().flat_map(|ty| members(group, ty)).collect();
        let text = may_be_text(group).then(|| json!({ "type": "string" }));
        // A task without the topology of its workflow.
        let none = (group.name == "topology").then(|| json!({ "const": "None" }));
        let members: Vec<Value> = text.into_iter().chain(none).chain(members).collect();
        defs.insert(group.name.to_owned(), json!({ "description": group.about, "anyOf": members }));
    }
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "quotree scenario",
        "$ref": "#/$defs/file.Scenario",
        "$defs": defs,
    })
}

fn reference_to(group: &str, ty: &str) -> Value {
    json!({ "$ref": format!("#/$defs/{group}.{ty}") })
}

/// The forms in which a struct of a group is written.
fn members(group: &'static Group, ty: &'static Type) -> Vec<Value> {
    let mut forms = Vec::new();
    let fields = reference_to(group.name, ty.name);
    if group.implied().is_some_and(|implied| implied.name == ty.name) {
        forms.push(fields.clone());
    } else if !ty.rows.is_empty() {
        forms.push(json!({ "allOf": [fields, { "required": ["kind"] }] }));
    }
    let named = json!({
        "type": "object", "properties": { ty.name: inside(group.name, ty) }, "required": [ty.name],
        "additionalProperties": false
    });
    forms.push(named);
    if ty.rows.iter().all(|row| row.default != "required") {
        forms.push(json!({ "const": ty.name }));
    }
    forms
}

/// The value below the name of a struct: its fields, or the values of fields that need no name.
fn inside(group: &str, ty: &'static Type) -> Value {
    let fields = reference_to(group, ty.name);
    let rows: Vec<&Row> = ty.positional.iter().filter_map(|name| field(ty, name)).collect();
    let Some(first) = rows.first() else { return fields };
    let mut forms = vec![fields, shape(&first.kind)];
    if !matches!(kind(&first.kind), Kind::List(_)) && rows.len() > 1 {
        let items: Vec<Value> = rows.iter().map(|row| shape(&row.kind)).collect();
        forms.push(json!({ "type": "array", "prefixItems": items, "maxItems": rows.len() }));
    }
    json!({ "anyOf": forms })
}

fn object(ty: &'static Type) -> Value {
    let mut properties = Map::new();
    if ty.name != "Scenario" {
        properties.insert("kind".to_owned(), json!({ "const": ty.name }));
    }
    // A field whose value may stand in its place is not required under its own name.
    let mut required: Vec<&str> = Vec::new();
    for field in &ty.rows {
        let mut property = shape(&field.kind);
        if let ("cluster" | "include", "Scenario", Some(inner)) =
            (field.name, ty.name, field.kind.strip_prefix("list of "))
        {
            property = json!({ "anyOf": [property, shape(inner)] });
        }
        if let Some(property) = property.as_object_mut() {
            property.insert("description".into(), json!(format!("{} ({})", field.about, field.kind)));
            if !matches!(field.default.as_str(), "required" | "absent" | "") {
                property.insert("x-default".into(), json!(field.default));
            }
        }
        properties.insert(field.name.to_owned(), property);
        let inner = match kind(&field.kind) {
            Kind::Group(group) if ty.positional.contains(&field.name) => Some(group),
            _ => None,
        };
        if field.default == "required" && inner.is_none() && ty.name != "Scenario" {
            required.push(field.name);
        }
        for (group, inner) in inner.into_iter().flat_map(|group| group.types.iter().map(move |ty| (group, ty))) {
            properties.insert(inner.name.to_owned(), inside(group.name, inner));
        }
    }
    json!({
        "type": "object", "description": ty.about, "properties": properties, "required": required,
        "additionalProperties": false
    })
}

/// The JSON shape of a kind of value.
fn shape(kind_of: &str) -> Value {
    let amount = || json!({ "type": ["string", "number"] });
    match kind(kind_of) {
        Kind::List(inner) => json!({ "type": "array", "items": shape(inner) }),
        // A label may have one value or several.
        Kind::Map("list of string") => json!({
            "type": "object",
            "additionalProperties": { "anyOf": [{ "type": "string" }, { "type": "array", "items": { "type": "string" } }] }
        }),
        Kind::Map(inner) => json!({ "type": "object", "additionalProperties": shape(inner) }),
        Kind::Amounts => json!({ "type": "object", "additionalProperties": amount() }),
        Kind::Text => json!({ "type": "string" }),
        Kind::Quantity => amount(),
        Kind::Words(words) => json!({ "enum": words.split(", ").collect::<Vec<_>>() }),
        Kind::Group(group) => json!({ "$ref": format!("#/$defs/{}", group.name) }),
        Kind::Forms(_) => json!({ "type": ["string", "object"] }),
        Kind::Plain => match kind_of {
            "duration" | "bandwidth" => json!({ "type": "string" }),
            "whole number" => json!({ "type": "integer" }),
            "bool" => json!({ "type": "boolean" }),
            "ratio" | "ratio, bandwidth or duration" => amount(),
            "whole number or class" => json!({ "type": ["integer", "string"] }),
            "bool or duration" => json!({ "type": ["boolean", "string"] }),
            _ => json!({}),
        },
    }
}

/// The reference page of the language in Markdown, with a table for every struct. docs/reference/scenario.md contains
/// this page.
#[must_use]
pub fn reference() -> String {
    let mut out = String::from(INTRODUCTION);
    for Group { name, about, types, .. } in groups() {
        out += &format!("\n## {name}\n\n{about}\n");
        for Type { name, about, positional, rows } in types {
            out += &format!("\n**`{name}`**: {about}\n");
            if !positional.is_empty() {
                out += &format!("Values without a name are, in this order: `{}`.\n", positional.join("`, `"));
            }
            if rows.is_empty() {
                continue;
            }
            out += "\n| field | holds | default | meaning |\n|---|---|---|---|\n";
            for Row { name, kind, default, about } in rows {
                out += &format!("| `{name}` | {kind} | {default} | {about} |\n");
            }
        }
    }
    out
}

const INTRODUCTION: &str = "\
# Reference of scenario files

This page is generated from the code that reads the fields (`cargo run -p quotree-cli -- schema --reference`). The guide to
scenario files, with examples, is [scenario.md](../scenario.md).

Every struct of the language is listed with its fields. *Holds* says what a value is: another group of this page, or a kind of
value such as a duration ([writing values](../scenario.md#writing-values)). *Default* says what holds when the field is absent.
";

#[cfg(test)]
mod tests {
    use crate::language::{group, groups};
    use crate::merge::{LISTS, MAPS, SINGLE};
    use std::collections::BTreeSet;

    #[test]
    fn no_struct_has_a_field_twice() {
        for group in groups() {
            for ty in &group.types {
                let names: BTreeSet<&str> = ty.rows.iter().map(|row| row.name).collect();
                assert_eq!(names.len(), ty.rows.len(), "`{}` of {}", ty.name, group.name);
            }
        }
    }

    #[test]
    fn the_fields_of_a_file_are_those_that_are_merged() {
        let stated: BTreeSet<&str> = group("file").unwrap().types[0].rows.iter().map(|row| row.name).collect();
        let merged = SINGLE.iter().chain(LISTS).chain(&MAPS).chain(&["include", "extends", "set"]).copied().collect();
        assert_eq!(stated, merged);
    }
}
