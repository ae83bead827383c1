//! A dump of a cluster: the facts of all objects in its files.

use super::{others, quotas, read};
use crate::{
    MoreFile, RowProblem,
    document::{Documents, Place},
    objects::{Object, objects},
};
use quotree_core::{Amounts, Name};
use quotree_k8s::{
    NodeFacts, PodFacts,
    budget::PdbFacts,
    gang::{GangKind, GroupFacts},
    requests::add,
    stage::PriorityClass,
};
use std::collections::BTreeMap;

/// The facts about an object, with its place.
pub(super) struct Found<T> {
    pub(super) facts: T,
    /// The place of the object, in the form of a problem without a text.
    spot: RowProblem,
}

impl<T> Found<T> {
    /// A problem with the object.
    pub(super) fn refuse(&self, what: &str) -> RowProblem {
        RowProblem { line: self.spot.line, what: format!("{}{what}", self.spot.what) }
    }
}

/// The objects of a dump, each kind in the order of the files.
#[derive(Default)]
pub(super) struct Dump {
    pub(super) pods: Vec<Found<PodFacts>>,
    pub(super) nodes: Vec<Found<NodeFacts>>,
    pub(super) groups: BTreeMap<(GangKind, Name, Name), GroupFacts>,
    /// The disruption budgets, by namespace.
    pub(super) budgets: BTreeMap<Name, Vec<PdbFacts>>,
    pub(super) classes: BTreeMap<Name, PriorityClass>,
    pub(super) tree: quotas::Tree,
    /// By kind: how many objects there are that are not read.
    pub(super) unread: BTreeMap<String, u64>,
    /// Problems with nodes.
    pub(super) bad_nodes: Vec<RowProblem>,
    /// Problems with pods, and with objects that concern pods.
    pub(super) bad_pods: Vec<RowProblem>,
}

impl Dump {
    /// Reads all files: the one that is imported, and those beside it.
    pub(super) fn read(bytes: &[u8], more: &[MoreFile]) -> Self {
        let mut dump = Self::default();
        let files = std::iter::once((None, bytes)).chain(more.iter().map(|file| (Some(&*file.name), &*file.bytes)));
        let files: Vec<(Option<&str>, Documents)> =
            files.filter_map(|(name, bytes)| Some((name, dump.documents(name, bytes)?))).collect();
        let mut with_quotas = Vec::new();
        for (name, documents) in &files {
            let (objects, problems) = objects(documents);
            dump.bad_nodes.extend(problems.iter().map(|problem| in_file(*name, problem.clone())));
            dump.bad_pods.extend(problems.into_iter().map(|problem| in_file(*name, problem)));
            objects.iter().for_each(|object| dump.object(*name, object));
            with_quotas.extend(quotas::format(&objects).map(|format| (format, *name, documents)));
        }
        // An ElasticQuotaTree goes before ElasticQuotas, whichever file they are in.
        with_quotas.sort_by_key(|(format, ..)| *format);
        let total = total(&dump.nodes);
        for (format, name, documents) in with_quotas {
            dump.tree.read(format, documents, &total, |problem| in_file(name, problem));
        }
        dump.tree.finish();
        dump
    }

    /// The documents of a file; `None` if it is broken.
    fn documents(&mut self, name: Option<&str>, bytes: &[u8]) -> Option<Documents> {
        let problems = match Documents::read(bytes) {
            Ok(documents) => return Some(documents),
            Err(problems) => problems,
        };
        let problems: Vec<RowProblem> = problems.into_iter().map(|problem| in_file(name, problem)).collect();
        self.bad_nodes.extend(problems.iter().cloned());
        self.bad_pods.extend(problems);
        None
    }

    fn object(&mut self, file: Option<&str>, object: &Object<'_>) {
        let place = &object.place;
        let read = match (object.kind, object.group) {
            ("Node", "") => {
                let read = read::node(place).map(|facts| self.nodes.push(found(file, place, facts)));
                return self.bad_nodes.extend(read.err().map(|problem| in_file(file, problem)));
            }
            ("Pod", "") => read::pod(place).map(|facts| self.pods.push(found(file, place, facts))),
            ("PodDisruptionBudget", "policy") => others::budget(place).map(|budget| {
                self.budgets.entry(budget.namespace.clone()).or_default().push(budget);
            }),
            ("PriorityClass", "scheduling.k8s.io") => {
                others::priority_class(place).map(|named| self.classes.extend([named]))
            }
            ("ElasticQuotaTree" | "ElasticQuota", _) => Ok(()),
            (kind, group) => match GangKind::of_object(kind, group) {
                Some(gang) => others::groups(gang, place).map(|groups| {
                    let keyed = groups.into_iter().map(|g| ((g.kind, g.namespace.clone(), g.name.clone()), g));
                    self.groups.extend(keyed);
                }),
                None => {
                    *self.unread.entry(kind.to_owned()).or_default() += 1;
                    Ok(())
                }
            },
        };
        self.bad_pods.extend(read.err().map(|problem| in_file(file, problem)));
    }
}

fn found<T>(file: Option<&str>, place: &Place<'_>, facts: T) -> Found<T> {
    Found { facts, spot: in_file(file, place.refuse("")) }
}

/// A problem of a file other than the imported one, with the name of that file.
fn in_file(file: Option<&str>, problem: RowProblem) -> RowProblem {
    match (file, problem.line) {
        (None, _) => problem,
        (Some(file), 0) => RowProblem { line: 0, what: format!("`{file}`: {}", problem.what) },
        (Some(file), line) => RowProblem { line: 0, what: format!("`{file}` line {line}: {}", problem.what) },
    }
}

/// The amounts of all nodes together.
fn total(nodes: &[Found<NodeFacts>]) -> Amounts {
    let mut total = Amounts::new();
    nodes.iter().for_each(|node| add(&mut total, &node.facts.allocatable));
    total
}
