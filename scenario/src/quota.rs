//! `Quota(..)`: the tree of quotas out of nested structs, checked by the core (T2), each finding told at the text it is
//! about.

use super::{
    diagnostic::{Report, Span},
    reader::{At, Fields, Read, choice, variant},
    syntax::{Node, Shape},
    values::{entries, texts},
};
use quotree_core::{
    Amounts, Finding, FindingKind, Name, OverPromised, Queueing, QuotaSpec, QuotaTree, Severity, TreeSpec,
};
use quotree_model::QuotaEdit;
use std::collections::{BTreeMap, BTreeSet};

/// A tree as it was written, with the places of its parts.
#[derive(Debug, Clone, Default)]
pub(crate) struct ReadTree {
    pub(crate) spec: TreeSpec,
    places: Vec<Places>,
    /// Quotas that had mistakes of their own: what the checks say about them would only repeat those.
    damaged: BTreeSet<Name>,
}

/// Where the parts of one quota stand.
#[derive(Debug, Clone, Default)]
struct Places {
    name: Span,
    amounts: Vec<(&'static str, Name, Span)>,
    namespaces: Vec<(Name, Span)>,
}

/// A tree may govern this many resources.
const MAX_RESOURCES: usize = 64;

/// Reads a tree; nothing when the node is no quota at all.
pub(crate) fn read(node: &Node, report: &mut Report) -> Option<ReadTree> {
    let mut tree = ReadTree::default();
    tree.add(node, None, report)?;
    let names = |q: &QuotaSpec| q.min.iter().chain(q.max.iter()).map(|(n, _)| n.clone()).collect::<Vec<_>>();
    let resources: BTreeSet<Name> = tree.spec.quotas.iter().flat_map(names).collect();
    if resources.len() > MAX_RESOURCES {
        let title = format!("the tree governs {} resources: at most {MAX_RESOURCES} are allowed", resources.len());
        report.error(node.span, title, "too many resources");
        return None;
    }
    Some(tree)
}

impl ReadTree {
    fn add(&mut self, node: &Node, parent: Option<&Name>, report: &mut Report) -> Option<()> {
        let variant = variant(node, &["Quota"], "a quota `Quota(..)`", report)?;
        let before = report.errors();
        let mut fields = variant.fields(&[], report);
        let name = fields.required::<At<Name>>("name", report);
        let span = name.as_ref().map_or(variant.span, |n| n.span);
        // A name that nobody can write keeps the children of a nameless quota together.
        let name = name.map_or_else(|| Name::from(format!("\0{}", self.places.len())), |n| n.value);
        let mut quota = QuotaSpec::new(name.as_str(), parent.map(Name::as_str));
        let mut places = Places { name: span, ..Places::default() };
        for field in ["min", "max", "lend"] {
            let Some(node) = fields.node(field) else { continue };
            let amounts = read_amounts(node, field, &mut places, report);
            match field {
                "min" => quota.min = amounts.unwrap_or_default(),
                "max" => quota.max = amounts.unwrap_or_default(),
                _ => quota.lend = amounts,
            }
        }
        read_rest(&mut quota, &mut fields, &mut places, report);
        let children = fields.node("children");
        fields.finish(report);
        if report.errors() > before {
            self.damaged.insert(name.clone());
        }
        self.spec.quotas.push(quota);
        self.places.push(places);
        match children.map(|c| (&c.shape, c)) {
            Some((Shape::List(items), _)) => {
                for item in items {
                    self.add(item, Some(&name), report);
                }
            }
            Some((_, node)) => super::reader::wrong(node, "a list `[..]` of quotas", report),
            None => {}
        }
        Some(())
    }

    /// Tells everything that is wrong or odd with the tree (T2).
    pub(crate) fn check(&self, over_promised: OverPromised, report: &mut Report) {
        self.tell(QuotaTree::validate(&self.spec, over_promised), None, report);
    }

    /// Tells what an edit, written at `span`, makes wrong or odd that was not so before.
    pub(crate) fn check_edit(&self, before: &Self, span: Span, over_promised: OverPromised, report: &mut Report) {
        let old = QuotaTree::validate(&before.spec, over_promised);
        let mut new = QuotaTree::validate(&self.spec, over_promised);
        let old: BTreeSet<String> = old.iter().map(Finding::to_string).collect();
        new.retain(|finding| !old.contains(&finding.to_string()));
        self.tell(new, Some(span), report);
    }

    /// Tells what is odd about the tree on a cluster of these amounts.
    pub(crate) fn check_on(&self, cluster: &Amounts, report: &mut Report) {
        self.tell(QuotaTree::warnings_on(&self.spec, cluster), None, report);
    }

    fn tell(&self, findings: Vec<Finding>, at: Option<Span>, report: &mut Report) {
        let mut by_name: BTreeMap<&Name, Vec<usize>> = BTreeMap::new();
        let mut near_damage = self.damaged.clone();
        for (i, quota) in self.spec.quotas.iter().enumerate() {
            by_name.entry(&quota.name).or_default().push(i);
            if let Some(parent) = &quota.parent {
                if self.damaged.contains(parent) {
                    near_damage.insert(quota.name.clone());
                }
                if self.damaged.contains(&quota.name) {
                    near_damage.insert(parent.clone());
                }
            }
        }
        let mut repeated: BTreeMap<Name, usize> = BTreeMap::new();
        for finding in findings {
            if near_damage.contains(&finding.quota) {
                continue;
            }
            let which = match finding.kind {
                FindingKind::DuplicateName | FindingKind::TwoParents { .. } => {
                    let count = repeated.entry(finding.quota.clone()).or_default();
                    *count += 1;
                    *count
                }
                _ => 0,
            };
            let indices = by_name.get(&finding.quota).map_or(&[][..], Vec::as_slice);
            let places = indices.get(which).or_else(|| indices.last()).and_then(|i| self.places.get(*i));
            let Some(places) = places.or_else(|| self.places.first()) else { continue };
            let span = at.unwrap_or_else(|| places.of(&finding.kind));
            let (title, label) = (finding.to_string(), label(&finding.kind));
            match finding.severity() {
                Severity::Error => report.error(span, title, label),
                Severity::Warning => report.warning(span, title, label),
            };
        }
    }

    /// Whether some quota has mistakes of its own.
    pub(crate) fn is_damaged(&self) -> bool {
        !self.damaged.is_empty()
    }

    /// Where a quota is named.
    pub(crate) fn name_span(&self, name: &str) -> Option<Span> {
        let index = self.spec.quotas.iter().position(|q| q.name == name)?;
        self.places.get(index).map(|p| p.name)
    }
}

fn read_amounts(node: &Node, field: &'static str, places: &mut Places, report: &mut Report) -> Option<Amounts> {
    if let Shape::Map(pairs) = &node.shape {
        let known = pairs.iter().filter_map(|(key, value)| match &key.shape {
            Shape::String(text) => Some((field, Name::from(text.as_str()), value.span)),
            _ => None,
        });
        places.amounts.extend(known);
    }
    Amounts::read(node, report)
}

/// The fields that are no amounts.
fn read_rest(quota: &mut QuotaSpec, fields: &mut Fields<'_>, places: &mut Places, report: &mut Report) {
    quota.weight = fields.optional("weight", report);
    quota.priority = fields.or("priority", 0, report);
    if let Some(node) = fields.node("attributes") {
        quota.attributes = texts(node, report);
    }
    for namespace in fields.or::<Vec<At<Name>>>("namespaces", Vec::new(), report) {
        places.namespaces.push((namespace.value.clone(), namespace.span));
        quota.namespaces.push(namespace.value);
    }
    quota.max_jobs = fields.optional("max_jobs", report);
    if let Some(node) = fields.node("cells") {
        quota.cells = read_cells(node, fields.given("children").is_some(), report);
    }
    if let Some(node) = fields.node("queueing") {
        let words = [("Skip", Queueing::Skip), ("Block", Queueing::Block)];
        quota.queueing = choice(node, &words, report).unwrap_or_default();
    }
}

/// `cells: { "8": 2, "4": 1 }`: how many cells of how many devices a leaf is guaranteed.
fn read_cells(node: &Node, inner: bool, report: &mut Report) -> Vec<(u32, u32)> {
    if inner {
        report.error(node.span, "cells are guaranteed to leaves", "this quota has children");
    }
    let mut cells = Vec::new();
    for (size, count) in entries(node, "a map of cells such as { \"8\": 2 }", report).unwrap_or_default() {
        let devices = size.value.as_str().parse().ok().filter(|devices| (1..=64).contains(devices));
        let Some(devices) = devices else {
            let title = format!("a cell of `{}` devices: 1 to 64 are allowed", size.value);
            report.error(size.span, title, "no size of a cell");
            continue;
        };
        cells.extend(u32::read(count, report).map(|count| (devices, count)));
    }
    cells.sort_unstable();
    cells
}

impl Places {
    /// The text that a finding is about.
    fn of(&self, kind: &FindingKind) -> Span {
        use FindingKind as K;
        let amount = |fields: &[&str], resource: &Name| {
            let of = |field: &str| self.amounts.iter().find(|(f, r, _)| *f == field && r == resource);
            fields.iter().find_map(|field| of(field)).map(|(_, _, span)| *span)
        };
        let found = match kind {
            K::MinAboveMax { resource, .. } | K::OverPromised { resource, .. } => amount(&["min"], resource),
            K::MaxAboveParent { resource, .. } | K::RootMaxAboveCluster { resource, .. } => amount(&["max"], resource),
            K::RootMinIsNotMax { resource, .. } | K::MinAboveCluster { resource, .. } => {
                amount(&["min", "max"], resource)
            }
            K::LendAboveMin { resource, .. } => amount(&["lend"], resource),
            K::Negative { resource, field, .. } => amount(&[field.as_str()], resource),
            K::NamespaceOnInner { namespace } | K::NamespaceTwice { namespace, .. } => {
                self.namespaces.iter().rev().find(|(name, _)| name == namespace).map(|(_, span)| *span)
            }
            _ => None,
        };
        found.unwrap_or(self.name)
    }
}

/// What to write beside the underlined text.
const fn label(kind: &FindingKind) -> &'static str {
    use FindingKind as K;
    match kind {
        K::DuplicateName | K::TwoParents { .. } => "the second time",
        K::MinAboveMax { .. } => "above max",
        K::MaxAboveParent { .. } => "above the parent's max",
        K::OverPromised { .. } => "less than the children are promised",
        K::LendAboveMin { .. } => "more than min",
        K::NamespaceOnInner { .. } => "not a leaf",
        K::NamespaceTwice { .. } => "already on another leaf",
        K::RootMinIsNotMax { .. } => "min and max of the root differ",
        K::RootMaxAboveCluster { .. } | K::MinAboveCluster { .. } => "more than the cluster has",
        K::AlwaysFirstVictim => "weight 0 and no min",
        K::Unreachable => "no namespace",
        _ => "this quota",
    }
}

/// Reads an edit of one quota, and makes it on the tree as it is then expected to be: given amounts replace those of the
/// same resource, other fields as a whole. The places go with it, so that what the change breaks is told where the change
/// is written.
pub(crate) fn edit(tree: &mut ReadTree, fields: &mut Fields<'_>, report: &mut Report) -> Option<(Name, QuotaEdit)> {
    let Some(name) = fields.required::<At<Name>>("quota", report) else {
        return fields.expect(&["min", "max", "lend", "weight", "max_jobs", "cells", "namespaces", "queueing"]);
    };
    let index = tree.spec.quotas.iter().position(|q| q.name == name.value);
    if index.is_none() {
        let title = format!("there is no quota `{}`", name.value);
        let known = tree.spec.quotas.iter().map(|q| q.name.as_str());
        report.error(name.span, title, "unknown quota").did_you_mean(name.value.as_str(), known);
    }
    let inner = tree.spec.quotas.iter().any(|q| q.parent.as_ref() == Some(&name.value));
    let mut spare_places = Places::default();
    let places = tree.places.get_mut(index.unwrap_or(usize::MAX)).unwrap_or(&mut spare_places);
    let before = report.errors();
    let mut edit = QuotaEdit::default();
    for field in ["min", "max", "lend"] {
        let Some(node) = fields.node(field) else { continue };
        let mut fresh = Places::default();
        let Some(amounts) = read_amounts(node, field, &mut fresh, report) else { continue };
        places.amounts.retain(|(f, r, _)| *f != field || amounts.get(r.as_str()).is_none());
        places.amounts.append(&mut fresh.amounts);
        match field {
            "min" => edit.min = amounts,
            "max" => edit.max = amounts,
            _ => edit.lend = Some(amounts),
        }
    }
    edit.weight = fields.optional("weight", report);
    edit.max_jobs = fields.optional("max_jobs", report);
    edit.cells = fields.node("cells").map(|node| read_cells(node, inner, report));
    if let Some(namespaces) = fields.optional::<Vec<At<Name>>>("namespaces", report) {
        places.namespaces = namespaces.iter().map(|n| (n.value.clone(), n.span)).collect();
        edit.namespaces = Some(namespaces.into_iter().map(|n| n.value).collect());
    }
    if let Some(node) = fields.node("queueing") {
        edit.queueing = choice(node, &[("Skip", Queueing::Skip), ("Block", Queueing::Block)], report);
    }
    places.name = name.span;
    if let Some(quota) = index.and_then(|index| tree.spec.quotas.get_mut(index)) {
        edit.apply(quota);
    }
    if report.errors() > before {
        tree.damaged.insert(name.value.clone());
    }
    index.map(|_| (name.value, edit))
}
