//! `Quota(..)`: reads the quota tree from nested structs. The core validates it (T2), and each error is reported at its
//! source position.

use quotree_core::{
    Amounts, Finding, FindingKind, Name, OverPromised, Queueing, QuotaSpec, QuotaTree, Severity, TreeSpec,
};
use quotree_import::quota::take_max_jobs;
use quotree_model::QuotaEdit as CheckedEdit;
use quotree_syntax::{At, Later, Node, Read, Report, Shape, Span, Texts, entries, record, wrong};
use std::collections::{BTreeMap, BTreeSet};

record! {
    /// A quota of the tree (T1).
    pub(crate) struct Quota in "quota" {
        /// Unique in the tree.
        name: At<Name> => required,
        /// The guarantee; a resource that is not named has a guarantee of 0 (Q3).
        min: PlacedAmounts => "none",
        /// The limit; a resource that is not named is unlimited (Q3).
        max: PlacedAmounts => "none",
        /// How much of min may be lent (L3).
        lend: PlacedAmounts => "all of min",
        /// The weight by which unguaranteed capacity is shared (F1).
        weight: u64 => "min",
        /// For the operator's use, shown in reports.
        priority: i32 = 0,
        /// For the operator's use, shown in reports.
        attributes: Texts = Texts::default(),
        /// Namespaces whose pods use it; only leaves have namespaces.
        namespaces: Vec<At<Name>> = Vec::new(),
        /// The most workloads admitted at once (A5). An amount of `kube-queue/max-jobs` in `max` means the same.
        max_jobs: u32 => "absent",
        /// Whole cells guaranteed to a leaf, by the number of devices of each: `{ "8": 2 }`. They are only checked; see
        /// `CellsFeasible`.
        cells: Cells => "none",
        /// Whether a workload that cannot be placed blocks its leaf (O2).
        queueing: Queueing = Queueing::Skip,
        /// The child quotas.
        children: Later<Vec<Quota>> => "none",
    }
}

record! {
    /// One quota of the tree is changed. The tree that results at that time is checked.
    pub(crate) struct EditQuota(quota) in "change" {
        /// Which quota.
        quota: At<Name> => required,
        /// New min of these resources; the others are unchanged.
        min: PlacedAmounts => "unchanged",
        /// New max of these resources; the others are unchanged.
        max: PlacedAmounts => "unchanged",
        /// New limit of lending for these resources; the others are unchanged.
        lend: PlacedAmounts => "unchanged",
        /// The new weight.
        weight: u64 => "unchanged",
        /// The new limit of workloads (A5).
        max_jobs: u32 => "unchanged",
        /// The new guaranteed cells.
        cells: Cells => "unchanged",
        /// The new list of namespaces (T3).
        namespaces: Vec<At<Name>> => "unchanged",
        /// The new setting.
        queueing: Queueing => "unchanged",
    }
}

/// Amounts by resource, each with its place.
#[derive(Debug, Clone, Default)]
pub(crate) struct PlacedAmounts {
    amounts: Amounts,
    places: Vec<(Name, Span)>,
}

impl Read for PlacedAmounts {
    fn kind() -> String {
        Amounts::kind()
    }

    fn read(node: &Node, report: &mut Report) -> Option<Self> {
        let mut places = Vec::new();
        if let Shape::Map(pairs) = &node.shape {
            places.extend(pairs.iter().filter_map(|(key, value)| match &key.shape {
                Shape::String(text) => Some((Name::from(text.as_str()), value.span)),
                _ => None,
            }));
        }
        Some(Self { amounts: Amounts::read(node, report)?, places })
    }
}

/// `{ "8": 2, "4": 1 }`: how many cells of each size are guaranteed, ascending by size.
#[derive(Debug, Clone)]
pub(crate) struct Cells {
    span: Span,
    cells: Vec<(u32, u32)>,
}

impl Read for Cells {
    fn kind() -> String {
        "map of whole number".to_owned()
    }

    fn read(node: &Node, report: &mut Report) -> Option<Self> {
        let mut cells = Vec::new();
        for (size, count) in entries(node, "a map of cells such as { \"8\": 2 }", report)? {
            let devices = size.value.as_str().parse().ok().filter(|devices| (1..=64).contains(devices));
            let Some(devices) = devices else {
                let title = format!("a cell of `{}` devices: 1 to 64 are allowed", size.value);
                report.error(size.span, title, "not a cell size");
                continue;
            };
            cells.extend(u32::read(count, report).map(|count| (devices, count)));
        }
        cells.sort_unstable();
        Some(Self { span: node.span, cells })
    }
}

impl Cells {
    /// The cells of a leaf; reports cells of an inner quota.
    fn of(&self, inner: bool, report: &mut Report) -> Vec<(u32, u32)> {
        if inner {
            report.error(self.span, "only a leaf quota can guarantee cells", "this quota has children");
        }
        self.cells.clone()
    }
}

/// A tree as written, with the places of its parts.
#[derive(Debug, Clone, Default)]
pub(crate) struct ReadTree {
    pub(crate) spec: TreeSpec,
    places: Vec<Places>,
    /// Quotas with mistakes that were already reported: validation errors about them would only repeat these.
    damaged: BTreeSet<Name>,
    /// Whether the importer of its file has validated the tree already.
    validated: bool,
}

/// Where the parts of one quota are written.
#[derive(Debug, Clone, Default)]
struct Places {
    name: Span,
    amounts: Vec<(&'static str, Name, Span)>,
    namespaces: Vec<(Name, Span)>,
}

/// The most resources that a tree may govern.
const MAX_RESOURCES: usize = 64;

/// Reads a tree; nothing if the node is not a quota.
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
    /// A tree from a file. Its parts have no places of their own. `validated`: whether the reader of the file validated the
    /// tree, and nothing was set since.
    pub(crate) fn of_file(spec: TreeSpec, named_at: Span, validated: bool) -> Self {
        let place = |_: &QuotaSpec| Places { name: named_at, ..Places::default() };
        let places = spec.quotas.iter().map(place).collect();
        Self { spec, places, damaged: BTreeSet::new(), validated }
    }

    fn add(&mut self, node: &Node, parent: Option<&Name>, report: &mut Report) -> Option<()> {
        let before = report.errors();
        let read = Quota::read(node, report)?;
        let span = read.name.as_ref().map_or(read.span, |name| name.span);
        // A name that nobody can write keeps the children of a nameless quota together.
        let name = read.name.map_or_else(|| Name::from(format!("\0{}", self.places.len())), |name| name.value);
        let mut places = Places { name: span, ..Places::default() };
        let mut take = |field, amounts: Option<PlacedAmounts>| {
            let PlacedAmounts { amounts, places: at } = amounts?;
            places.amounts.extend(at.into_iter().map(|(name, span)| (field, name, span)));
            Some(amounts)
        };
        let (mut min, mut max, lend) = (take("min", read.min), take("max", read.max), take("lend", read.lend));
        // A tree that was written for Kube Queue has its limit of jobs among the amounts (A5).
        let jobs = max.as_mut().and_then(take_max_jobs);
        min.as_mut().and_then(take_max_jobs);
        places.namespaces = read.namespaces.iter().map(|namespace| (namespace.value.clone(), namespace.span)).collect();
        let inner = read.children.is_some();
        let quota = QuotaSpec {
            min: min.unwrap_or_default(),
            max: max.unwrap_or_default(),
            lend,
            weight: read.weight,
            priority: read.priority,
            attributes: read.attributes.0,
            namespaces: read.namespaces.into_iter().map(|namespace| namespace.value).collect(),
            max_jobs: read.max_jobs.or(jobs),
            cells: read.cells.map(|cells| cells.of(inner, report)).unwrap_or_default(),
            queueing: read.queueing,
            ..QuotaSpec::new(name.as_str(), parent.map(Name::as_str))
        };
        if report.errors() > before {
            self.damaged.insert(name.clone());
        }
        self.spec.quotas.push(quota);
        self.places.push(places);
        match read.children.as_ref().map(Later::node).map(|node| (&node.shape, node)) {
            Some((Shape::List(items), _)) => {
                for item in items {
                    self.add(item, Some(&name), report);
                }
            }
            Some((_, node)) => wrong(node, "a list `[..]` of quotas", report),
            None => {}
        }
        Some(())
    }

    /// Reports all errors of the tree (T2).
    pub(crate) fn check(&self, over_promised: OverPromised, report: &mut Report) {
        if !self.validated {
            self.report(QuotaTree::validate(&self.spec, over_promised), None, report);
        }
    }

    /// Reports the errors that an edit, written at `span`, introduces.
    pub(crate) fn check_edit(&self, before: &Self, span: Span, over_promised: OverPromised, report: &mut Report) {
        let old = QuotaTree::validate(&before.spec, over_promised);
        let mut new = QuotaTree::validate(&self.spec, over_promised);
        let old: BTreeSet<String> = old.iter().map(Finding::to_string).collect();
        new.retain(|finding| !old.contains(&finding.to_string()));
        self.report(new, Some(span), report);
    }

    /// Reports the errors of the tree on a cluster of these amounts.
    pub(crate) fn check_on(&self, cluster: &Amounts, report: &mut Report) {
        let (unknown, known): (Vec<_>, Vec<_>) =
            QuotaTree::warnings_on(&self.spec, cluster).into_iter().partition(|finding| {
                unknown_resource(&finding.kind).is_some_and(|resource| cluster.get(resource.as_str()).is_none())
            });
        let mut told: BTreeSet<Name> = BTreeSet::new();
        for finding in unknown {
            let Some(resource) = unknown_resource(&finding.kind).filter(|resource| told.insert((*resource).clone()))
            else {
                continue;
            };
            let places = self.spec.quotas.iter().position(|q| q.name == finding.quota).and_then(|i| self.places.get(i));
            let Some(places) = places.or_else(|| self.places.first()) else { continue };
            let title =
                format!("no node has the resource `{resource}`, which `{}` guarantees or limits", finding.quota);
            let names: Vec<&str> = cluster.iter().map(|(name, _)| name.as_str()).collect();
            let shown = report.warning(places.of(&finding.kind), title, "unknown to the cluster");
            match short_for(resource, names.iter().copied()) {
                Some(name) => shown.help(format!("did you mean `{name}`?")),
                None => shown.did_you_mean(resource.as_str(), names),
            };
        }
        self.report(known, None, report);
    }

    fn report(&self, findings: Vec<Finding>, at: Option<Span>, report: &mut Report) {
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
            let indices = by_name.get(&finding.quota).map_or(&[][..], Vec::as_slice);
            let which = match finding.kind {
                FindingKind::DuplicateName | FindingKind::TwoParents { .. } => {
                    let count = repeated.entry(finding.quota.clone()).or_default();
                    *count += 1;
                    *count
                }
                // Which of the quotas of this name is meant is not known.
                _ if indices.len() > 1 => continue,
                _ => 0,
            };
            let places = indices.get(which).or_else(|| indices.last()).and_then(|i| self.places.get(*i));
            let Some(places) = places.or_else(|| self.places.first()) else { continue };
            let span = at.unwrap_or_else(|| places.of(&finding.kind));
            let (title, label) = (finding.to_string(), label(&finding.kind));
            let shown = match finding.severity() {
                Severity::Error => report.error(span, title, label),
                Severity::Warning => report.warning(span, title, label),
            };
            if let Some(help) = indices.first().and_then(|i| unnamed(&finding.kind, self.spec.quotas.get(*i)?)) {
                shown.help(help);
            }
        }
    }

    /// Whether some quota has mistakes that were reported.
    pub(crate) fn is_damaged(&self) -> bool {
        !self.damaged.is_empty()
    }

    /// Where the name of a quota is written.
    pub(crate) fn name_span(&self, name: &str) -> Option<Span> {
        let index = self.spec.quotas.iter().position(|q| q.name == name)?;
        self.places.get(index).map(|p| p.name)
    }
}

impl Places {
    /// The place that an error is about.
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

/// The resource of which the cluster has less than a quota states.
const fn unknown_resource(kind: &FindingKind) -> Option<&Name> {
    match kind {
        FindingKind::RootMaxAboveCluster { resource, .. } | FindingKind::MinAboveCluster { resource, .. } => {
            Some(resource)
        }
        _ => None,
    }
}

/// A hint where children are promised a resource that the min of their parent does not name: often one of the two is misspelt, or
/// the short name of the other.
fn unnamed(kind: &FindingKind, parent: &QuotaSpec) -> Option<String> {
    let FindingKind::OverPromised { resource, .. } = kind else { return None };
    let named: BTreeSet<&str> = parent.min.iter().map(|(name, _)| name.as_str()).collect();
    if named.is_empty() || named.contains(resource.as_str()) {
        return None;
    }
    Some(match short_for(resource, named.iter().copied()) {
        Some(name) => format!("did you mean `{name}`?"),
        None => {
            let names: Vec<&str> = named.into_iter().collect();
            format!("the min of `{}` does not name `{resource}`, only {}", parent.name, names.join(", "))
        }
    })
}

/// The resource of which a name is the last part: `gpu` for `nvidia.com/gpu`.
fn short_for<'n>(short: &Name, names: impl IntoIterator<Item = &'n str>) -> Option<&'n str> {
    names.into_iter().find(|name| name.rsplit_once('/').is_some_and(|(_, last)| last == short.as_str()))
}

/// The note beside the underlined text.
const fn label(kind: &FindingKind) -> &'static str {
    use FindingKind as K;
    match kind {
        K::DuplicateName | K::TwoParents { .. } => "second occurrence",
        K::MinAboveMax { .. } => "above max",
        K::MaxAboveParent { .. } => "above the parent's max",
        K::OverPromised { .. } => "less than the sum of the children's mins",
        K::LendAboveMin { .. } => "more than min",
        K::NamespaceOnInner { .. } => "not a leaf",
        K::NamespaceTwice { .. } => "attached to another leaf, too",
        K::RootMinIsNotMax { .. } => "min and max of the root differ",
        K::RootMaxAboveCluster { .. } | K::MinAboveCluster { .. } => "more than the cluster has",
        K::AlwaysFirstVictim => "weight 0 and no min",
        K::Unreachable => "no namespace",
        _ => "this quota",
    }
}

/// Checks an edit of one quota, and applies it to the tree expected at that time. Given amounts replace those of the
/// same resource; other fields are replaced as a whole. The places of the fields are replaced, too, so that an error
/// caused by the edit is reported at the edit.
pub(crate) fn edit(tree: &mut ReadTree, read: &EditQuota, report: &mut Report) -> Option<(Name, CheckedEdit)> {
    let name = read.quota.as_ref()?;
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
    let mut take = |field, read: &Option<PlacedAmounts>| {
        let PlacedAmounts { amounts, places: at } = read.clone()?;
        places.amounts.retain(|(f, r, _)| *f != field || amounts.get(r.as_str()).is_none());
        places.amounts.extend(at.into_iter().map(|(name, span)| (field, name, span)));
        Some(amounts)
    };
    let mut min = take("min", &read.min).unwrap_or_default();
    let mut max = take("max", &read.max).unwrap_or_default();
    let jobs = take_max_jobs(&mut max);
    take_max_jobs(&mut min);
    let edit = CheckedEdit {
        min,
        max,
        lend: take("lend", &read.lend),
        weight: read.weight,
        max_jobs: read.max_jobs.or(jobs),
        cells: read.cells.as_ref().map(|cells| cells.of(inner, report)),
        namespaces: read.namespaces.as_ref().map(|names| names.iter().map(|name| name.value.clone()).collect()),
        queueing: read.queueing,
    };
    if let Some(namespaces) = &read.namespaces {
        places.namespaces = namespaces.iter().map(|n| (n.value.clone(), n.span)).collect();
    }
    places.name = name.span;
    if let Some(quota) = index.and_then(|index| tree.spec.quotas.get_mut(index)) {
        edit.apply(quota);
    }
    if report.errors() > before {
        tree.damaged.insert(name.value.clone());
    }
    index.map(|_| (name.value.clone(), edit))
}
