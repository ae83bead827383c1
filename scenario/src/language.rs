//! The language as data: every group with its structs, and the meaning of the kinds of field values. The schema, the
//! reference page, scenarios in YAML and JSON, conversions and field paths are all based on it.

use crate::{
    arrivals::Pattern,
    claim::{Claim, What, Whose},
    cluster::Part,
    dataset::{Accelerate, Dataset, Reads},
    event::{Change, Event},
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
use std::sync::LazyLock;

/// All groups, in the order of the reference page.
pub(crate) fn groups() -> &'static [Group] {
    static GROUPS: LazyLock<Vec<Group>> = LazyLock::new(all);
    &GROUPS
}

/// The group of this name.
pub(crate) fn group(name: &str) -> Option<&'static Group> {
    groups().iter().find(|group| group.name == name)
}

/// The struct of this name in a group.
pub(crate) fn member(group: &'static Group, name: &str) -> Option<&'static Type> {
    group.types.iter().find(|ty| ty.name == name)
}

/// The field of this name in a struct.
pub(crate) fn field(ty: &'static Type, name: &str) -> Option<&'static Row> {
    ty.rows.iter().find(|row| row.name == name)
}

/// The structure of a kind of value.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Kind<'k> {
    /// A list of values of this kind.
    List(&'k str),
    /// A map from names to values of this kind.
    Map(&'k str),
    /// A map from resources to quantities.
    Amounts,
    /// A string, also where it looks like a number.
    Text,
    /// An amount as a string or a number.
    Quantity,
    /// One of several words.
    Words(&'k str),
    /// Words and structs that do not form a group, such as `` `Never` or `After("10m")` ``.
    Forms(&'k str),
    /// One of the structs of a group.
    Group(&'static Group),
    /// Any other value, with the type that its notation shows.
    Plain,
}

/// The structure of the kind of a field.
pub(crate) fn kind(kind: &str) -> Kind<'_> {
    if let Some(inner) = kind.strip_prefix("list of ") {
        return Kind::List(inner);
    }
    if let Some(inner) = kind.strip_prefix("map of ") {
        return Kind::Map(inner);
    }
    match kind {
        "amounts" => Kind::Amounts,
        "string" | "name" | "path" | "digest" => Kind::Text,
        "quantity" => Kind::Quantity,
        _ => match (group(kind), kind.strip_prefix("one of ")) {
            (Some(group), _) => Kind::Group(group),
            (None, Some(words)) => Kind::Words(words),
            (None, None) if kind.contains('`') => Kind::Forms(kind),
            (None, None) => Kind::Plain,
        },
    }
}

/// Whether a value of a group may also be a string: the duration of a time, the file of a quota.
pub(crate) fn may_be_text(group: &Group) -> bool {
    matches!(group.name, "time" | "quota")
}

/// All groups, in the order of the reference page.
fn all() -> Vec<Group> {
    vec![
        file(),
        Part::group(),
        Group::one::<Autoscale>("How a pool grows and shrinks."),
        Group::one::<Quota>("The quota tree: one root, nested."),
        Group::one::<Devices>("Resources that come as separate devices."),
        Group::one::<Gpus>("The GPUs of a node pool."),
        Policy::group(),
        Group::one::<Bounds>("How much one search may look at; counted, never timed."),
        Group::one::<User>(
            "Entries of `users`. Where a scenario has users or groups, the permission of each submission is checked.",
        ),
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
        Event::group(),
        Change::group(),
        Group::one::<Faults>("Entries of `faults`: nodes that fail at random, each with a random stream of its own."),
        Claim::group(),
        What::group(),
        Whose::group(),
    ]
}

/// The file as a whole. [`merge`](crate::merge) reads it, since its fields can come from several files.
fn file() -> Group {
    let numbers =
        |name, about: &str| Row { kind: "map of whole number".to_owned(), ..row::<Texts>(name, "none", about) };
    let rows = vec![
        row::<Name>("name", "required", "Unique in a catalogue."),
        row::<String>("about", "empty", "What the scenario shows, in a sentence."),
        row::<u64>("seed", "1", "The root of all random streams."),
        row::<Vec<Path>>("include", "none", "Files that hold some of the fields, relative to this file."),
        row::<Path>("extends", "absent", "A scenario from which all fields are taken that are not given here."),
        row::<Vec<String>>(
            "set",
            "none",
            "Fields of the scenario that is extended and their new values, each as `PATH=VALUE`: `quota.nlp.min.cpu=26`.",
        ),
        row::<Policy>("policy", "`Capacity()`", "The scheduler's knobs."),
        row::<World>("world", "`World()`", "Delays and the end of the run."),
        row::<Vec<Part>>("cluster", "required", "The nodes, and the pools of equal nodes."),
        row::<Quota>(
            "quota",
            "required",
            "The quota tree, or the path of a file that holds it: quota objects as they are deployed, or a `Quota(..)`.",
        ),
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
    Group { name: "file", about, types, otherwise: None }
}

fn row<T: Read>(name: &'static str, default: &str, about: &str) -> Row {
    Row::of::<T>(name, default, &[about])
}
