//! Converts queues, as files state them, to a tree that quotree accepts: with one root of a known size, limits within
//! those above, and a namespace for every leaf. Assumptions on the way are reported.

use super::{QuotaOptions, diagnostics::Diagnostics, note::Says};
use quotree_core::{Amounts, FindingKind, Name, QuotaSpec, QuotaTree, Severity, TreeSpec, Unit, format_quantity};
use quotree_k8s::quota::is_unlimited;
use quotree_syntax::Span;
use std::collections::{BTreeMap, BTreeSet};

/// A quota, with the place of its name.
#[derive(Debug)]
struct Plant {
    spec: QuotaSpec,
    at: Span,
    /// Whether its min is the sum of its children's mins, where the file gives it none.
    sums: bool,
}

/// Where the root of the tree comes from.
#[derive(Debug, Clone, Copy)]
pub(super) enum Root {
    /// The files contain the root, with min and max.
    Own,
    /// The files contain the root. It is the whole cluster, so its min is its max.
    Cluster,
    /// The format has no root. A quota for the whole cluster is added above all quotas without a parent, unless one of
    /// these has the size of the cluster already.
    Above(&'static str),
    /// As `Above`, and the size of the cluster is the sum of the mins.
    Sum(&'static str),
}

/// The quotas so far.
#[derive(Debug)]
pub(super) struct Forest {
    /// What a quota is called in the format, such as `ClusterQueue`.
    kind: &'static str,
    plants: Vec<Plant>,
    names: BTreeMap<Name, usize>,
}

impl Forest {
    pub(super) fn new(kind: &'static str) -> Self {
        Self { kind, plants: Vec::new(), names: BTreeMap::new() }
    }

    /// Adds a quota, unless there is one of the same name. A limit that means "none" is removed.
    pub(super) fn add(&mut self, mut spec: QuotaSpec, at: Span, diagnostics: &mut Diagnostics) {
        let is_limit = |(name, amount): &(&Name, i64)| !is_unlimited(name.as_str(), *amount);
        spec.max = spec.max.iter().filter(is_limit).map(|(name, amount)| (name.clone(), amount)).collect();
        if self.names.contains_key(&spec.name) {
            diagnostics.error(at, format!("second {} `{}`", self.kind, spec.name), "the name is taken");
            return;
        }
        self.names.insert(spec.name.clone(), self.plants.len());
        self.plants.push(Plant { spec, at, sums: false });
    }

    /// Adds a quota whose min is the sum of its children's mins, where the file gives it none.
    pub(super) fn add_summing(&mut self, spec: QuotaSpec, at: Span, diagnostics: &mut Diagnostics) {
        let before = self.plants.len();
        self.add(spec, at, diagnostics);
        if let Some(plant) = self.plants.get_mut(before) {
            plant.sums = true;
        }
    }

    /// The quota of this name.
    pub(super) fn get_mut(&mut self, name: &str) -> Option<&mut QuotaSpec> {
        let index = *self.names.get(name)?;
        self.plants.get_mut(index).map(|plant| &mut plant.spec)
    }

    /// Whether there is no quota.
    pub(super) fn is_empty(&self) -> bool {
        self.plants.is_empty()
    }

    /// All quotas.
    pub(super) fn specs(&self) -> impl Iterator<Item = &QuotaSpec> {
        self.plants.iter().map(|plant| &plant.spec)
    }

    /// The resources that a quota names.
    pub(super) fn governed(&self) -> BTreeSet<Name> {
        let named = self.specs().flat_map(|spec| spec.min.iter().chain(spec.max.iter()));
        named.map(|(name, _)| name.clone()).collect()
    }

    /// The tree, valid unless an error was reported.
    pub(super) fn finish(mut self, root: Root, options: &QuotaOptions, diagnostics: &mut Diagnostics) -> TreeSpec {
        if self.plants.is_empty() {
            return TreeSpec::default();
        }
        if let Root::Above(name) | Root::Sum(name) = root {
            self.crown(name);
        }
        let order = self.order();
        self.sum_mins(&order, options.derive_mins, diagnostics);
        self.size_root(root, &order, options, diagnostics);
        self.cap(&order, diagnostics);
        // A tree that names its namespaces names them all.
        if !matches!(root, Root::Own) {
            self.house(&order, diagnostics);
        }
        let tree: TreeSpec = self.plants.iter().map(|plant| plant.spec.clone()).collect();
        // What is missing because of a mistake must not look like a mistake of the tree.
        let is_whole = diagnostics.report.errors() == 0;
        let findings = if is_whole { QuotaTree::validate(&tree, options.over_promised) } else { Vec::new() };
        let mut over_promised = false;
        for finding in findings {
            let at = self.names.get(&finding.quota).and_then(|i| self.plants.get(*i)).map_or(Span::default(), |p| p.at);
            let help = help(&finding.kind, finding.quota.as_str(), options.derive_mins);
            let shown = match finding.severity() {
                Severity::Warning => diagnostics.report.warning(at, finding.to_string(), ""),
                Severity::Error => diagnostics.report.error(at, finding.to_string(), ""),
            };
            let mut shown = help.into_iter().fold(shown, |shown, help| shown.help(help));
            let is_error = matches!(finding.kind, FindingKind::OverPromised { error: true, .. });
            if is_error && !std::mem::replace(&mut over_promised, true) {
                // What `--derive-mins` could do is done.
                for way in WAYS.into_iter().skip(usize::from(options.derive_mins)) {
                    shown = shown.help(way);
                }
            }
        }
        tree
    }

    /// Adds a root above the quotas without a parent, unless there is only one and it has the size of the cluster.
    fn crown(&mut self, root: &str) {
        let is_top = |plant: &&Plant| plant.spec.parent.is_none();
        let tops: Vec<&Plant> = self.plants.iter().filter(is_top).collect();
        let governed = self.governed();
        let has_all = |spec: &QuotaSpec| {
            governed.iter().all(|name| {
                let max = spec.max.get(name.as_str());
                max.is_some() && max == Some(spec.min.get(name.as_str()).unwrap_or(0))
            })
        };
        if matches!(tops.as_slice(), [top] if has_all(&top.spec)) {
            return;
        }
        let mut name = Name::from(root);
        while self.names.contains_key(&name) {
            name = Name::from(format!("{name}-root"));
        }
        let at = tops.first().map_or(Span::default(), |plant| plant.at);
        for plant in self.plants.iter_mut().filter(|plant| plant.spec.parent.is_none()) {
            plant.spec.parent = Some(name.clone());
        }
        self.names.values_mut().for_each(|index| *index += 1);
        self.names.insert(name.clone(), 0);
        self.plants.insert(0, Plant { spec: QuotaSpec::new(name.as_str(), None), at, sums: true });
    }

    /// The quotas that can be reached from a root, parents before children, each with the index of its parent.
    fn order(&self) -> Vec<(usize, Option<usize>)> {
        let mut below: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        let mut order: Vec<(usize, Option<usize>)> = Vec::new();
        for (i, plant) in self.plants.iter().enumerate() {
            match &plant.spec.parent {
                None => order.push((i, None)),
                Some(parent) => below.entry(self.names.get(parent).copied().unwrap_or(usize::MAX)).or_default().push(i),
            }
        }
        let mut next = 0;
        while let Some((at, _)) = order.get(next).copied() {
            order.extend(below.get(&at).into_iter().flatten().map(|child| (*child, Some(at))));
            next += 1;
        }
        order
    }

    /// Raises mins to the sum of the children's mins, as far as max allows it: all mins if `all`, otherwise those that
    /// the file does not set.
    fn sum_mins(&mut self, order: &[(usize, Option<usize>)], all: bool, diagnostics: &mut Diagnostics) {
        let mut sums: BTreeMap<usize, Amounts> = BTreeMap::new();
        for (i, parent) in order.iter().rev() {
            let Some(plant) = self.plants.get_mut(*i) else { continue };
            let (mut raised, mut summed) = (false, false);
            for (name, sum) in sums.remove(i).unwrap_or_default().iter() {
                let most = plant.spec.max.get(name.as_str()).unwrap_or(i64::MAX);
                let own = plant.spec.min.get(name.as_str()).unwrap_or(0);
                let open = plant.sums && own == 0;
                if sum.min(most) > own && (all || open) {
                    plant.spec.min.set(name.clone(), sum.min(most));
                    raised |= !open;
                    summed |= open && parent.is_some();
                }
            }
            if raised {
                let means = "its min is raised to the sum of its children's mins (--derive-mins)";
                diagnostics.notes.assumed(
                    self.kind,
                    Says::Has("a min below the sum of its children's".to_owned()),
                    means,
                    plant.at,
                );
            }
            if summed {
                let says = Says::Has("no guarantee of a resource that a child is guaranteed".to_owned());
                diagnostics.notes.assumed(self.kind, says, "here the sum of the children's", plant.at);
            }
            if let Some(parent) = parent {
                crate::add(sums.entry(*parent).or_default(), &plant.spec.min);
            }
        }
    }

    /// Gives the root a min and a max of every resource of the tree: the size of the cluster, if that is known.
    /// Otherwise the min is the sum of the mins, and the max the largest limit.
    fn size_root(
        &mut self,
        root: Root,
        order: &[(usize, Option<usize>)],
        options: &QuotaOptions,
        diagnostics: &mut Diagnostics,
    ) {
        let Some((top, _)) = order.first().copied() else { return };
        let Some(own) = self.plants.get(top).map(|plant| plant.spec.clone()) else { return };
        let children =
            || order.iter().filter(|(_, parent)| *parent == Some(top)).filter_map(|(i, _)| self.plants.get(*i));
        let mut sizes: Vec<(Name, i64)> = Vec::new();
        let mut guessed: Vec<String> = Vec::new();
        for name in self.governed() {
            let most = own.max.get(name.as_str());
            if most.is_some() {
                sizes.extend(most.filter(|_| matches!(root, Root::Cluster)).map(|most| (name, most)));
                continue;
            }
            let below = children().filter_map(|child| child.spec.min.get(name.as_str())).fold(0, i64::saturating_add);
            let promised = own.min.get(name.as_str()).filter(|min| *min > 0).unwrap_or(below);
            let limits =
                self.specs().filter_map(|spec| spec.max.get(name.as_str())).filter(|_| !matches!(root, Root::Sum(_)));
            let total = options.total.as_ref().and_then(|total| total.get(name.as_str()));
            let size = total.unwrap_or_else(|| limits.max().unwrap_or(0).max(promised));
            if size > 0 {
                if total.is_none() && !matches!(root, Root::Sum(_)) {
                    guessed.push(name.to_string());
                }
                sizes.push((name, size));
            }
        }
        let Some(plant) = self.plants.get_mut(top) else { return };
        if !guessed.is_empty() {
            let means = "its size is assumed to be the sum of the mins below it, or its largest limit; --cluster gives the real size";
            let says = Says::Has(format!("no size in {}", guessed.join(", ")));
            diagnostics.notes.assumed("root", says, means, plant.at);
        }
        for (name, size) in sizes {
            plant.spec.min.set(name.clone(), size);
            plant.spec.max.set(name, size);
        }
    }

    /// Lowers each max to the smallest max above it, since more could never be used.
    fn cap(&mut self, order: &[(usize, Option<usize>)], diagnostics: &mut Diagnostics) {
        let mut above: BTreeMap<usize, Amounts> = BTreeMap::new();
        for (i, parent) in order {
            let mut limits = parent.and_then(|parent| above.get(&parent).cloned()).unwrap_or_default();
            let Some(plant) = self.plants.get_mut(*i) else { continue };
            let mut lowered = false;
            for (name, most) in limits.iter() {
                if plant.spec.max.get(name.as_str()).is_some_and(|max| max > most) {
                    plant.spec.max.set(name.clone(), most);
                    lowered = true;
                }
            }
            if lowered {
                let means = "more could never be used, so this is lowered to it";
                diagnostics.notes.assumed(
                    self.kind,
                    Says::Has("a max above that of a parent".to_owned()),
                    means,
                    plant.at,
                );
            }
            plant.spec.max.iter().for_each(|(name, max)| limits.set(name.clone(), max));
            above.insert(*i, limits);
        }
    }

    /// Adds a namespace to each leaf without one, with the name of the leaf.
    fn house(&mut self, order: &[(usize, Option<usize>)], diagnostics: &mut Diagnostics) {
        let inner: BTreeSet<usize> = order.iter().filter_map(|(_, parent)| *parent).collect();
        let mut taken: BTreeSet<Name> = self.specs().flat_map(|spec| spec.namespaces.iter().cloned()).collect();
        let short = |name: &Name| Name::from(name.as_str().rsplit('.').next().unwrap_or_default());
        let mut uses: BTreeMap<Name, usize> = BTreeMap::new();
        let leaves: Vec<usize> = order.iter().map(|(i, _)| *i).filter(|i| !inner.contains(i)).collect();
        for name in leaves.iter().filter_map(|i| self.plants.get(*i)).map(|plant| short(&plant.spec.name)) {
            *uses.entry(name).or_default() += 1;
        }
        for leaf in leaves {
            let Some(plant) = self.plants.get_mut(leaf).filter(|plant| plant.spec.namespaces.is_empty()) else {
                continue;
            };
            let last = short(&plant.spec.name);
            let fits = uses.get(&last) == Some(&1) && !taken.contains(&last) && !last.as_str().is_empty();
            let name = if fits { last } else { plant.spec.name.clone() };
            let means = "a namespace of the same name is attached";
            diagnostics.notes.assumed(self.kind, Says::Has("no namespace".to_owned()), means, plant.at);
            taken.insert(name.clone());
            plant.spec.namespaces.push(name);
        }
    }
}

/// Two ways to correct a tree that guarantees too much.
const WAYS: [&str; 2] = [
    "`quotree import --derive-mins` raises the min of each parent to the sum of its children's mins, as far as max allows",
    "`quotree import --over-promised warn` takes the tree as it is: not every guarantee can then be honoured at once",
];

/// How to correct a finding, if that is not obvious.
fn help(finding: &FindingKind, quota: &str, are_mins_derived: bool) -> Vec<String> {
    match finding {
        FindingKind::OverPromised { resource, children, error: true, .. } if are_mins_derived => vec![format!(
            "raise the min and the max of `{quota}` to {children} {resource}, or lower the mins of its children: --derive-mins raises \
             no min above its max"
        )],
        FindingKind::OverPromised { resource, children, error: true, .. } => {
            vec![format!("raise the min of `{quota}` to {children} {resource}, or lower those of its children")]
        }
        FindingKind::MinAboveMax { resource, max, .. } => {
            let max = format_quantity(*max, Unit::of(resource.as_str()));
            vec![format!("lower the min of `{quota}` to {max} {resource}, or raise its max")]
        }
        _ => Vec::new(),
    }
}
