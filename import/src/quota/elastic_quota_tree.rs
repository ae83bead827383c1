//! `ElasticQuotaTree` (`scheduling.sigs.k8s.io/v1beta1`): a whole quota tree in one object. It has the limit of jobs
//! (`kube-queue/max-jobs`) among the resources, and the lending limit among the attributes.

use super::{
    Draft, QuotaOptions,
    diagnostics::Diagnostics,
    field::{self, Field, article, becomes, holds, idle, lost},
    forest::{Forest, Root},
    note::Says,
    object::Object,
};
use crate::yaml::{Node, find, map, scalar};
use quotree_core::{Name, QuotaSpec};
use quotree_k8s::{
    names,
    quota::{lendable, take_max_jobs},
};
use quotree_syntax::Span;

/// The `apiVersion` of the object.
const API_VERSION: &str = "scheduling.sigs.k8s.io/v1beta1";

/// The `kind` of the object.
const KIND: &str = "ElasticQuotaTree";

/// The attribute with the lending limit, as JSON.
const LEND: &str = names::LEND_LIMIT;

const FLAVORS: &str = "pods of the quota would run only on nodes of these flavors; give them a selector";

const SELECTOR: &str = "pods of the quota would run only on nodes with these labels; give them a selector";

const ATTRIBUTES: &[Field] = &[
    becomes(LEND, "`lend`"),
    lost("resourceflavors", FLAVORS),
    lost("nodeSelector", SELECTOR),
    becomes("*", "`attributes`"),
];

const QUOTA: &[Field] = &[
    becomes("name", "`name`"),
    becomes("min", "`min`; `kube-queue/max-jobs` in it is no guarantee"),
    becomes("max", "`max`; `kube-queue/max-jobs` in it is `max_jobs`"),
    becomes("namespaces", "`namespaces`"),
    holds("attributes", ATTRIBUTES),
    becomes("children", "`children`"),
    lost("nodeSelector", SELECTOR),
    lost("resourceflavors", FLAVORS),
];

pub(super) const FIELDS: &[(&str, &[Field])] = &[(
    KIND,
    &[idle("apiVersion"), idle("kind"), idle("metadata"), idle("status"), holds("spec", &[holds("root", QUOTA)])],
)];

/// Reads the tree of the files, which may have only one.
pub(super) fn read(objects: &[Object<'_>], options: &QuotaOptions, diagnostics: &mut Diagnostics) -> Draft {
    let mut trees = objects.iter().filter(|object| object.kind == KIND);
    let Some(object) = trees.next() else { return Draft::default() };
    for second in trees {
        diagnostics.error(second.at, format!("second {KIND}"), "the files must describe one tree");
    }
    diagnostics.source = object.source;
    if object.group != "scheduling.sigs.k8s.io" {
        let version = find(object.node, "apiVersion").unwrap_or(object.node);
        let span = diagnostics.span(&version.span);
        diagnostics.error(span, format!("the apiVersion is not `{API_VERSION}`"), "");
    }
    let mut reading = Reading { forest: Forest::new("quota"), diagnostics };
    match object.spec("root") {
        Some(root) => reading.quota(root, None),
        None => reading.diagnostics.mistake(object.at, "missing `spec.root`, the root of the tree"),
    }
    let Reading { forest, diagnostics } = reading;
    Draft { tree: forest.finish(Root::Own, options, diagnostics), ..Draft::default() }
}

struct Reading<'t> {
    forest: Forest,
    diagnostics: &'t mut Diagnostics,
}

impl Reading<'_> {
    fn quota(&mut self, node: &Node, parent: Option<&Name>) {
        let span = self.diagnostics.span(&node.span);
        if map(node).is_none() {
            self.diagnostics.error(span, "a quota must be a map", "");
            return;
        }
        field::tell(QUOTA, "quota", "", node, self.diagnostics);
        let named = find(node, "name");
        let Some(name) = self.diagnostics.text(named, "name").map(Name::from) else {
            let at = named.map_or(span, |named| self.diagnostics.span(&named.span));
            self.diagnostics.error(at, format!("{} has no `name`", article("quota")), "");
            return;
        };
        let at = self.diagnostics.span(&named.unwrap_or(node).span);
        let mut spec = QuotaSpec::new(name.as_str(), parent.map(Name::as_str));
        spec.min = self.diagnostics.amounts(find(node, "min"), "min");
        spec.max = self.diagnostics.amounts(find(node, "max"), "max");
        self.jobs(&mut spec, at);
        self.attributes(node, &mut spec, at);
        for item in self.diagnostics.items(find(node, "namespaces"), "namespaces") {
            match scalar(item).filter(|text| !text.is_empty()) {
                Some(text) => spec.namespaces.push(text.into()),
                None => {
                    let span = self.diagnostics.span(&item.span);
                    self.diagnostics.error(span, "a namespace must be a string that is not empty", "");
                }
            }
        }
        self.forest.add(spec, at, self.diagnostics);
        for child in self.diagnostics.items(find(node, "children"), "children") {
            self.quota(child, Some(&name));
        }
    }

    /// Moves the limit of jobs from the amounts to its own field.
    fn jobs(&mut self, spec: &mut QuotaSpec, at: Span) {
        let (limited, stated) = (spec.max.get(names::MAX_JOBS), spec.min.get(names::MAX_JOBS));
        (spec.max_jobs, _) = (take_max_jobs(&mut spec.max), take_max_jobs(&mut spec.min));
        // Guaranteed jobs are the same as those allowed, wherever this is used as documented.
        if stated.is_some() && stated != limited {
            let means = "a number of jobs cannot be guaranteed; only the limit, in max, is kept";
            self.diagnostics.notes.lost("quota", Says::Sets(format!("min.{}", names::MAX_JOBS)), means, at);
        }
    }

    fn attributes(&mut self, node: &Node, spec: &mut QuotaSpec, at: Span) {
        for entry in self.diagnostics.entries(find(node, "attributes"), "attributes") {
            let span = self.diagnostics.span(&entry.value.span);
            let Some(text) = scalar(&entry.value) else {
                self.diagnostics.error(span, format!("the attribute `{}` must be a string", entry.key), "");
                continue;
            };
            if entry.key != LEND {
                spec.attributes.push((entry.key.as_str().into(), text.into()));
                continue;
            }
            let Some(lend) = self.diagnostics.json_amounts(text, span, LEND) else { continue };
            let min = |name: &Name| spec.min.get(name.as_str()).unwrap_or(0);
            if lend.iter().any(|(name, amount)| amount > min(name)) {
                let means = "a quota cannot lend more than its min, so it lends all of that";
                self.diagnostics.notes.assumed("quota", Says::Has("a lendlimit above its min".to_owned()), means, at);
            }
            spec.lend = Some(lendable(&spec.min, &lend));
        }
    }
}
