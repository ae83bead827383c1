//! The JSON schema and the reference page of the language, generated from its records.

use crate::{
    arrivals::Pattern,
    claim::{Claim, What, Whose},
    cluster::Part,
    dataset::{Accelerate, Dataset, Reads},
    event::{At as Event, Change},
    gpus::{Gpus, Same},
    job_queue::JobQueue,
    nodes::Faults,
    people::{Group as PeopleGroup, User},
    pod::Devices,
    policy::{Bounds, Policy, World},
    pools::Autoscale,
    quota::Quota,
    times::Distribution,
    training::{Role, Scaling},
    workflow::Task,
    workload::Workload,
};
use quotree_core::Name;
use quotree_syntax::{Group, Path, Read, Row, Texts, Type};
use serde_json::{Map, Value, json};

/// All groups, in the order of the reference page.
fn groups() -> Vec<Group> {
    vec![
        file(),
        Part::group(),
        Group::one::<Autoscale>("How a pool grows and shrinks."),
        Group::one::<Quota>("The quota tree: one root, nested."),
        Group::one::<Devices>("Resources that come as separate devices."),
        Group::one::<Gpus>("The GPUs of a node pool."),
        Policy::group(),
        Group::one::<Bounds>("How much one search may look at; counted, never timed."),
        Group::one::<User>("Entries of `users`. Where a scenario has users or groups, it is checked who submits."),
        Group::one::<PeopleGroup>(
            "Entries of `groups`: each allows its members to use one leaf of the tree, and the namespaces on it.",
        ),
        Group::one::<World>("How the world behaves around the scheduler."),
        Group::one::<JobQueue>(
            "Entries of `queues`: a queue holds the jobs of a leaf back and releases them to the scheduler, which knows nothing of \
             suspended jobs.",
        ),
        Group::one::<Dataset>(
            "Entries of `datasets`: what workloads read. The formulas are in [datasets.md](../datasets.md).",
        ),
        Group::one::<Accelerate>("How a dataset is accelerated."),
        Workload::group(),
        Task::group(),
        Pattern::group(),
        Group::one::<Role>("Roles of a `Training`."),
        Group::one::<Reads>("What a Job or Training reads."),
        Scaling::group(),
        Group::one::<Same>("Where the pods of a gang must be placed."),
        Distribution::group(),
        Group::one::<Event>(
            "Entries of `events`: what happens to the world. Equal times happen in the order of the file.",
        ),
        Change::group(),
        Group::one::<Faults>("Entries of `faults`: nodes that fail at random, each with a random stream of its own."),
        Claim::group(),
        What::group(),
        Whose::group(),
    ]
}

/// The file as a whole. [`merge`](crate::merge) reads it, since its fields come from several files.
fn file() -> Group {
    let numbers =
        |name, about: &str| Row { kind: "map of whole number".to_owned(), ..row::<Texts>(name, "none", about) };
    let rows = vec![
        row::<Name>("name", "required", "Unique in a catalogue."),
        row::<String>("about", "empty", "One sentence for people."),
        row::<u64>("seed", "1", "The root of all random streams."),
        row::<Vec<Path>>("include", "none", "Files that hold some of the fields, relative to this file."),
        row::<Path>("extends", "absent", "A scenario whose fields these replace."),
        row::<Policy>("policy", "`Capacity()`", "The scheduler's knobs."),
        row::<World>("world", "`World()`", "Delays and the end of the run."),
        row::<Vec<Part>>("cluster", "required", "The nodes, and the pools of equal nodes."),
        row::<Quota>("quota", "required", "The quota tree."),
        numbers("classes", "Priority classes, usable as `priority: \"high\"`."),
        numbers("budgets", "Disruption budgets: how many of the pods of each may be evicted."),
        row::<Vec<User>>("users", "none", "The users."),
        row::<Vec<PeopleGroup>>("groups", "none", "The groups of users, and the leaf of each."),
        row::<Vec<JobQueue>>("queues", "none", "Queues in front of leaves."),
        row::<Vec<Dataset>>("datasets", "none", "The datasets that workloads read, and their caches."),
        row::<Vec<Workload>>(
            "workloads",
            "none",
            "What is submitted: jobs, trainings, deployments, workflows, rows of traces.",
        ),
        row::<Vec<Event>>(
            "events",
            "none",
            "Changes at given times: a node fails, a quota is edited, a deployment is scaled.",
        ),
        row::<Vec<Faults>>("faults", "none", "Nodes that fail at random."),
        row::<Vec<Claim>>("expect", "none", "What must hold in the run; `quotree check` fails where it does not."),
    ];
    let about = "A simulated world with its claims.".to_owned();
    let types = vec![Type { name: "Scenario", about, positional: &[], rows }];
    let about = "A scenario file holds one `Scenario(..)`; included files hold some of its fields.".to_owned();
    Group { name: "file", about, types }
}

fn row<T: Read>(name: &'static str, default: &str, about: &str) -> Row {
    Row::of::<T>(name, default, &[about])
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
    let groups = groups();
    let mut defs = Map::new();
    for group in &groups {
        for ty in &group.types {
            defs.insert(format!("{}.{}", group.name, ty.name), object(ty, &groups));
        }
    }
    for Group { name, about, types } in &groups {
        let members = types.iter().map(|ty| {
            let inner = json!({ "$ref": format!("#/$defs/{name}.{}", ty.name) });
            let tagged = json!({
                "type": "object", "properties": { ty.name: inner }, "required": [ty.name], "additionalProperties": false
            });
            if ty.rows.is_empty() { json!({ "const": ty.name }) } else { tagged }
        });
        let members: Vec<Value> = members.collect();
        defs.insert((*name).to_owned(), json!({ "description": about, "oneOf": members }));
    }
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "quotree scenario",
        "$ref": "#/$defs/file.Scenario",
        "$defs": defs,
    })
}

fn object(ty: &Type, groups: &[Group]) -> Value {
    let mut properties = Map::new();
    for field in &ty.rows {
        let mut property = shape(&field.kind, groups);
        if let Some(property) = property.as_object_mut() {
            property.insert("description".into(), json!(format!("{} ({})", field.about, field.kind)));
            if !matches!(field.default.as_str(), "required" | "absent" | "") {
                property.insert("x-default".into(), json!(field.default));
            }
        }
        properties.insert(field.name.to_owned(), property);
    }
    let required: Vec<&str> = ty.rows.iter().filter(|f| f.default == "required").map(|f| f.name).collect();
    json!({
        "type": "object", "description": ty.about, "properties": properties, "required": required,
        "additionalProperties": false
    })
}

/// The JSON shape of a kind of value.
fn shape(kind: &str, groups: &[Group]) -> Value {
    if let Some(inner) = kind.strip_prefix("list of ") {
        return json!({ "type": "array", "items": shape(inner, groups) });
    }
    if let Some(inner) = kind.strip_prefix("map of ") {
        return json!({ "type": "object", "additionalProperties": shape(inner, groups) });
    }
    match kind {
        "string" | "name" | "duration" | "quantity" | "bandwidth" | "path" | "digest" => json!({ "type": "string" }),
        "whole number" => json!({ "type": "integer" }),
        "bool" => json!({ "type": "boolean" }),
        "amounts" => json!({ "type": "object", "additionalProperties": { "type": "string" } }),
        "ratio" => json!({ "type": ["number", "string"] }),
        kind => match groups.iter().find(|group| group.name == kind) {
            Some(group) => json!({ "$ref": format!("#/$defs/{}", group.name) }),
            None => match kind.strip_prefix("one of ") {
                Some(words) => json!({ "enum": words.split(", ").collect::<Vec<_>>() }),
                None => json!({}),
            },
        },
    }
}

/// The reference page of the language in Markdown, with a table for every struct. docs/reference/scenario.md contains
/// this page.
#[must_use]
pub fn reference() -> String {
    let mut out = String::from(INTRODUCTION);
    for Group { name, about, types } in groups() {
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
    use super::{file, groups};
    use crate::merge::{LISTS, MAPS, SINGLE};
    use std::collections::BTreeSet;

    #[test]
    fn no_struct_has_a_field_twice() {
        for group in groups() {
            for ty in group.types {
                let names: BTreeSet<&str> = ty.rows.iter().map(|row| row.name).collect();
                assert_eq!(names.len(), ty.rows.len(), "`{}` of {}", ty.name, group.name);
            }
        }
    }

    #[test]
    fn the_fields_of_a_file_are_those_that_are_merged() {
        let file = file();
        let stated: BTreeSet<&str> = file.types[0].rows.iter().map(|row| row.name).collect();
        let merged = SINGLE.iter().chain(LISTS).chain(&MAPS).chain(&["include", "extends"]).copied().collect();
        assert_eq!(stated, merged);
    }
}
