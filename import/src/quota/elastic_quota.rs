//! `ElasticQuota`: a flat list, one for each namespace (scheduler-plugins), or a tree that labels describe
//! (Koordinator). In the flat form the quotas borrow from each other up to the sum of their mins.

use super::{
    Draft, QuotaOptions,
    diagnostics::Diagnostics,
    field::{self, Field, becomes, holds, idle, lost, lost_unless},
    forest::{Forest, Root},
    note::Says,
    object::Object,
};
use quotree_core::{Amounts, Name, QuotaSpec};
use quotree_k8s::{names, quota::one_weight};
use std::collections::{BTreeMap, BTreeSet};

const PARENT: &str = names::KOORDINATOR_PARENT;
const IS_PARENT: &str = names::KOORDINATOR_IS_PARENT;
const LENDS: &str = names::KOORDINATOR_LENDS;
const TREE: &str = names::KOORDINATOR_TREE;
const WEIGHT: &str = names::KOORDINATOR_WEIGHT;
const NAMESPACES: &str = names::KOORDINATOR_NAMESPACES;
const TOTAL: &str = names::KOORDINATOR_TOTAL;

/// The root quota: the whole cluster. Koordinator creates an object for it, without min and max.
const ROOT: &str = names::KOORDINATOR_ROOT;

/// The root quota in files of older versions of Koordinator, unless they have a quota of this name.
const FORMER_ROOT: &str = "root";

const LABELS: &[Field] = &[
    becomes(PARENT, "the parent"),
    becomes(IS_PARENT, "whether it has namespaces"),
    becomes(LENDS, "`lend: {}` where it is `false`"),
    lost(TREE, "each tree would have nodes of its own; here the trees are side by side and borrow from each other"),
    idle("quota.scheduling.koordinator.sh/is-root"),
    idle("quota.scheduling.koordinator.sh/profile"),
    lost_unless(
        "quota.scheduling.koordinator.sh/ignore-default-tree",
        &["false"],
        "its usage would not count in the tree of the quotas without an id",
    ),
    lost_unless(
        "quota.scheduling.koordinator.sh/allow-force-update",
        &["false"],
        "edits of the quota would not be checked",
    ),
    lost("quota.scheduling.koordinator.sh/*", "quotree does not know this label"),
    idle("*"),
];

const ANNOTATIONS: &[Field] = &[
    becomes(WEIGHT, "`weight`, if it is the same number for every resource"),
    becomes(NAMESPACES, "`namespaces`"),
    becomes(TOTAL, "the size of the root"),
    idle("quota.scheduling.koordinator.sh/runtime"),
    idle("quota.scheduling.koordinator.sh/request"),
    idle("quota.scheduling.koordinator.sh/child-request"),
    idle("quota.scheduling.koordinator.sh/allocated"),
    idle("quota.scheduling.koordinator.sh/guaranteed"),
    idle("quota.scheduling.koordinator.sh/non-preemptible-request"),
    idle("quota.scheduling.koordinator.sh/non-preemptible-used"),
    lost("quota.scheduling.koordinator.sh/admission", "jobs would be admitted up to this, not up to max"),
    lost("quota.scheduling.koordinator.sh/unschedulable-resource", "this part of the tree's nodes would not count"),
    lost("quota.scheduling.koordinator.sh/custom-*", "a limit of a custom limiter would hold"),
    lost("quota.scheduling.koordinator.sh/*", "quotree does not know this annotation"),
    idle("*"),
];

const METADATA: &[Field] = &[
    becomes("name", "`name`"),
    becomes("namespace", "`namespaces`, if no other quota is in it; with Koordinator, if the quota has its name"),
    holds("labels", LABELS),
    holds("annotations", ANNOTATIONS),
    idle("*"),
];

pub(super) const FIELDS: &[(&str, &[Field])] = &[(
    "ElasticQuota",
    &[
        idle("apiVersion"),
        idle("kind"),
        idle("status"),
        holds("metadata", METADATA),
        holds("spec", &[becomes("min", "`min`"), becomes("max", "`max`")]),
    ],
)];

pub(super) fn read(objects: &[Object<'_>], options: &QuotaOptions, diagnostics: &mut Diagnostics) -> Draft {
    let quotas: Vec<&Object<'_>> = objects.iter().filter(|object| object.kind == "ElasticQuota").collect();
    let mut in_namespace: BTreeMap<&str, usize> = BTreeMap::new();
    let parents: BTreeSet<&str> = quotas.iter().filter_map(|object| Some(object.label(PARENT)?.0)).collect();
    let is_inner = |object: &Object<'_>| {
        parents.contains(object.name) || object.label(IS_PARENT).is_some_and(|(text, _)| text == "true")
    };
    for object in quotas.iter().filter(|object| !is_inner(object)) {
        *in_namespace.entry(object.namespace).or_default() += 1;
    }
    let koordinator = quotas.iter().any(|object| object.label(PARENT).or(object.label(IS_PARENT)).is_some());
    let mut options = options.clone();
    let mut taken = BTreeSet::new();
    let mut forest = Forest::new("ElasticQuota");
    let is_there = |name: &str| quotas.iter().any(|object| object.name == name);
    let own_root = is_there(ROOT);
    let is_root = |name: &str| name == ROOT || (name == FORMER_ROOT && !is_there(FORMER_ROOT));
    for object in &quotas {
        diagnostics.source = object.source;
        FIELDS.iter().for_each(|(kind, fields)| field::tell(fields, kind, "", object.node, diagnostics));
        if object.name.is_empty() {
            diagnostics.error(object.at, "an ElasticQuota has no `metadata.name`", "");
            continue;
        }
        // Flat quotas of two namespaces may have the same name.
        let name = if koordinator || taken.insert(object.name) {
            Name::from(object.name)
        } else {
            Name::from(format!("{}/{}", object.namespace, object.name))
        };
        let parent = object.label(PARENT).map(|(parent, _)| parent).filter(|parent| !parent.is_empty());
        let parent = parent.filter(|parent| !is_root(parent));
        let parent = parent.or((own_root && object.name != ROOT).then_some(ROOT));
        let mut spec = QuotaSpec::new(name.as_str(), parent);
        spec.min = diagnostics.amounts(object.spec("min"), "min");
        spec.max = diagnostics.limits(object.spec("max"), "max");
        labels(object, &mut spec, &mut options, diagnostics);
        if object.name == ROOT {
            // There is nobody above it to lend to.
            spec.lend = None;
            forest.add_summing(spec, object.at, diagnostics);
            continue;
        }
        let own = if object.namespace.is_empty() { "default" } else { object.namespace };
        // Koordinator takes the quota that is named like the namespace, the scheduler-plugins the only one in it.
        let is_own = if koordinator { object.name == own } else { in_namespace.get(object.namespace) == Some(&1) };
        if !is_inner(object) && spec.namespaces.is_empty() && is_own {
            spec.namespaces.push(own.into());
        }
        forest.add(spec, object.at, diagnostics);
    }
    if koordinator {
        let weighted = quotas.iter().any(|object| object.annotation(WEIGHT).is_some());
        if let Some(first) = quotas.first().filter(|_| !weighted) {
            let means = "Koordinator then divides unguaranteed capacity by max; here it is divided by min";
            diagnostics.notes.assumed("tree", Says::Has("no shared-weight".to_owned()), means, first.at);
        }
    }
    let root = match koordinator {
        true if own_root => Root::Cluster,
        true => Root::Above(ROOT),
        false => Root::Sum("elastic-quotas"),
    };
    Draft { tree: forest.finish(root, &options, diagnostics), ..Draft::default() }
}

/// Reads the labels and annotations of a quota.
fn labels(object: &Object<'_>, spec: &mut QuotaSpec, options: &mut QuotaOptions, diagnostics: &mut Diagnostics) {
    if object.label(LENDS).is_some_and(|(text, _)| text == "false") {
        spec.lend = Some(Amounts::new());
    }
    if let Some((text, span)) = object.annotation(NAMESPACES) {
        spec.namespaces = diagnostics.json_names(text, span, NAMESPACES);
    }
    if let Some((text, span)) = object.annotation(TOTAL) {
        let total = diagnostics.json_amounts(text, span, TOTAL);
        options.total = options.total.take().or(total);
    }
    let Some((text, span)) = object.annotation(WEIGHT) else { return };
    let Some(weights) = diagnostics.json_numbers(text, span, WEIGHT) else { return };
    spec.weight = one_weight(&weights);
    if spec.weight.is_none() {
        let means =
            "each resource would be shared by a weight of its own; quotree has one weight, and here shares by min";
        diagnostics.notes.lost("ElasticQuota", Says::Sets(WEIGHT.to_owned()), means, span);
    }
}
