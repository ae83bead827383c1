//! The quota tree of a dump: its ElasticQuotaTree, or the tree that its ElasticQuotas form.

use crate::{
    RowProblem,
    document::Documents,
    objects::Object,
    quota::{self, QuotaFormat, QuotaOptions},
};
use quotree_core::{Amounts, Name, QuotaSpec, TreeSpec};
use quotree_k8s::names;
use quotree_syntax::Severity;
use std::collections::{BTreeMap, BTreeSet};

/// The form in which a file has quotas.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Written {
    /// An ElasticQuotaTree.
    Tree,
    /// ElasticQuotas with labels that form one tree for the whole cluster.
    Koordinator,
    /// ElasticQuotas without labels, which share the sum of their mins.
    Flat,
}

/// The form in which a file has quotas; `None` if it has none.
pub(super) fn format(objects: &[Object<'_>]) -> Option<Written> {
    let of = |object: &Object<'_>| match QuotaFormat::of(object.kind, object.group)? {
        QuotaFormat::ElasticQuotaTree => Some(Written::Tree),
        QuotaFormat::ElasticQuota => {
            let labels = object.place.get("metadata").get("labels").entries().unwrap_or_default();
            let koordinator = labels.iter().any(|(label, _)| label.starts_with(names::KOORDINATOR_PREFIX));
            Some(if koordinator { Written::Koordinator } else { Written::Flat })
        }
        _ => None,
    };
    objects.iter().filter_map(of).min()
}

/// The quota tree of a dump.
#[derive(Default)]
pub(super) struct Tree {
    /// The tree; `None` if the dump has none that is valid.
    pub(super) spec: Option<TreeSpec>,
    /// Whether the dump has one, valid or not.
    pub(super) is_there: bool,
    pub(super) notes: Vec<String>,
    pub(super) problems: Vec<RowProblem>,
    /// The leaf of each namespace.
    homes: BTreeMap<Name, Name>,
    /// All leaves.
    leaves: BTreeSet<Name>,
}

impl Tree {
    /// Reads the quotas of a file; `total` is the size of the cluster.
    pub(super) fn read(
        &mut self,
        written: Written,
        documents: &Documents,
        total: &Amounts,
        in_file: impl Fn(RowProblem) -> RowProblem,
    ) {
        if self.is_there {
            let what = "quotas are left out: another file has a quota tree, and a cluster has one".to_owned();
            return self.problems.push(in_file(RowProblem { line: 0, what }));
        }
        self.is_there = true;
        let format = if written == Written::Tree { QuotaFormat::ElasticQuotaTree } else { QuotaFormat::ElasticQuota };
        let size = (written == Written::Koordinator && !total.is_empty()).then(|| total.clone());
        let read =
            quota::of_documents(format, documents.nodes(), &QuotaOptions { total: size, ..QuotaOptions::default() });
        for diagnostic in read.diagnostics {
            match diagnostic.severity {
                Severity::Warning => self.notes.push(diagnostic.title),
                Severity::Error => {
                    let line = documents.line(diagnostic.span.start);
                    self.problems.push(in_file(RowProblem { line, what: diagnostic.title }));
                }
            }
        }
        self.notes.extend(read.notes.iter().map(ToString::to_string));
        if let (Written::Tree, Some(count)) = (written, read.others.get("ElasticQuota")) {
            self.notes.push(format!("ElasticQuota objects are left out, since there is an ElasticQuotaTree: {count}"));
        }
        self.spec = read.tree;
    }

    /// Fills in the leaf of each namespace, and the leaves.
    pub(super) fn finish(&mut self) {
        let quotas = self.spec.iter().flat_map(|tree| &tree.quotas);
        let parents: BTreeSet<&Name> = quotas.clone().filter_map(|quota| quota.parent.as_ref()).collect();
        for leaf in quotas.filter(|quota| !parents.contains(&quota.name)) {
            self.leaves.insert(leaf.name.clone());
            self.homes.extend(leaf.namespaces.iter().map(|namespace| (namespace.clone(), leaf.name.clone())));
        }
    }

    /// The leaf of this name.
    pub(super) fn leaf(&self, name: &Name) -> Option<&Name> {
        self.leaves.get(name)
    }

    /// The leaf of a namespace.
    pub(super) fn home(&self, namespace: &Name) -> Option<&Name> {
        self.homes.get(namespace)
    }

    /// The tree with additional namespaces on its leaves.
    pub(super) fn with(&self, visitors: &BTreeMap<Name, Name>) -> Option<TreeSpec> {
        let mut tree = self.spec.clone()?;
        for (namespace, leaf) in visitors {
            let quota: Option<&mut QuotaSpec> = tree.quotas.iter_mut().find(|quota| quota.name == *leaf);
            if let Some(quota) = quota {
                quota.namespaces.push(namespace.clone());
            }
        }
        Some(tree)
    }
}
