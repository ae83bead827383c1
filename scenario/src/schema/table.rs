//! The structs of the language with their fields: the one place where they are described, a file for each part.

mod again;
mod claims;
mod data;
mod held;
mod nodes;
mod people;
mod shared;
mod work;
mod world;

use super::{Field, Type};

const fn field(name: &'static str, kind: &'static str, default: &'static str, about: &'static str) -> Field {
    Field { name, kind, default, about }
}

/// What structs are one of, in the order of the reference.
pub(super) const GROUPS: &[(&str, &str)] = &[
    ("file", "A scenario file holds one `Scenario(..)`; included files hold some of its fields."),
    ("cluster", "Parts of `cluster`: a list of node pools and node lists, or one `Pool` alone."),
    ("autoscale", "How a pool grows and shrinks."),
    ("quota", "The quota tree: one root, nested."),
    ("devices", "Resources that come as separate devices."),
    ("gpus", "The GPUs of a node pool."),
    ("policy", "The scheduler's knobs; each turns a rule of the semantics."),
    ("bounds", "How much one search may look at; counted, never timed."),
    ("user", "Entries of `users`: where there are any, or groups, who submits is asked who they are."),
    ("group", "Entries of `groups`: each opens one leaf of the tree, and the namespaces on it, to its members."),
    ("world", "How the world behaves around the scheduler."),
    (
        "job queue",
        "Entries of `queues`: what stands before a leaf and lets its jobs out to the scheduler, which knows nothing of those it suspends.",
    ),
    ("dataset", "Entries of `datasets`: what workloads read. The formulas are in [datasets.md](datasets.md)."),
    ("accelerate", "How a dataset is accelerated."),
    ("workload", "Entries of `workloads`: what is submitted and makes pods."),
    (
        "task",
        "Entries of `tasks`: what a `Workflow` runs. Whether it may be evicted, budget and grace are the workflow's.",
    ),
    (
        "arrivals",
        "When the instances of a workload come. Without `until`, `count` or an end of the world there would be no end.",
    ),
    ("role", "Roles of a `Training`."),
    ("reads", "What a Job or Training reads."),
    ("scaling", "How fast so many members of working roles are."),
    ("topology", "Where pods of a gang must stand."),
    ("time", "Durations that may be random, drawn per pod from a labelled stream."),
    ("event", "Entries of `events`: what happens to the world. Equal times happen in the order of the file."),
    ("change", "What can happen."),
    ("faults", "Entries of `faults`: nodes that fail at random, each by a stream of its own."),
    ("claim", "Entries of `expect`: when something must hold. A `StableFor` stands for what it says at the end."),
    ("what", "What must hold."),
    ("whose", "Whose pods a claim speaks of."),
];

/// All structs, in the order of the reference.
pub(super) fn types() -> impl Iterator<Item = &'static Type> {
    let work = [work::TYPES, again::TYPES, data::TYPES];
    let all = [world::TYPES, nodes::TYPES, people::TYPES].into_iter().chain(work).chain([claims::TYPES, held::TYPES]);
    all.flatten()
}
