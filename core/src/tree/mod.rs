//! The quota tree, validated and laid out for fast queries.
//!
//! Quotas are in preorder. So a subtree is a range of ids, and two comparisons show whether a quota is below another.
//! Min and max of all governed resources (Q2) are in flat tables.

mod dot;
mod validate;

use crate::api::{Amounts, Finding, Name, NameMap, OverPromised, QuotaId, QuotaSpec, Severity, TreeSpec};

/// The value of max that means "unlimited" (Q3).
pub(crate) const UNLIMITED: i64 = i64::MAX;

/// A validated quota tree. Ids are places in its preorder; the root is 0.
///
/// ```
/// use quotree_core::{Amounts, QuotaSpec, QuotaTree, TreeSpec};
/// let cpu = |n: i64| Amounts::new().with("cpu", n * 1000);
/// let spec: TreeSpec = [
///     QuotaSpec::new("root", None).min(cpu(40)).max(cpu(40)),
///     QuotaSpec::new("team", Some("root")).min(cpu(10)).max(cpu(20)).namespace("team-ns"),
/// ]
/// .into_iter()
/// .collect();
/// let tree = QuotaTree::new(&spec, Default::default()).unwrap();
/// let leaf = tree.leaf_of("team-ns").unwrap();
/// assert_eq!(tree.name(leaf).as_str(), "team");
/// assert_eq!(tree.path(leaf).map(|q| tree.name(q).to_string()).collect::<Vec<_>>(), ["team", "root"]);
/// ```
#[derive(Debug, Clone)]
pub struct QuotaTree {
    specs: Vec<QuotaSpec>,
    parents: Vec<Option<QuotaId>>,
    children: Vec<Vec<QuotaId>>,
    /// One past the last id of each subtree.
    ends: Vec<u32>,
    depths: Vec<u32>,
    resources: NameMap<()>,
    min: Vec<i64>,
    max: Vec<i64>,
    /// `min - lend`: what a quota never lends (L3).
    lend_floor: Vec<i64>,
    /// By governed resource: whether some quota below the root has a min in it (Q5).
    guaranteed: Vec<bool>,
    names: NameMap<QuotaId>,
    leaves: NameMap<QuotaId>,
}

impl QuotaTree {
    /// Validates the tree (T2) and lays it out.
    ///
    /// # Errors
    /// All findings, warnings included, when at least one of them is an error.
    ///
    /// Takes time linear in the tree and its namespaces, times their logarithm.
    pub fn new(spec: &TreeSpec, over_promised: OverPromised) -> Result<Self, Vec<Finding>> {
        let findings = Self::validate(spec, over_promised);
        if findings.iter().any(|f| f.severity() == Severity::Error) {
            return Err(findings);
        }
        Ok(Self::lay_out(spec))
    }

    fn lay_out(spec: &TreeSpec) -> Self {
        let mut below: NameMap<Vec<&QuotaSpec>> = NameMap::default();
        let mut stack = Vec::new();
        for quota in &spec.quotas {
            match &quota.parent {
                Some(parent) => below.entry(parent.clone()).or_default().push(quota),
                None => stack.push((quota, None, 0)),
            }
        }
        let mut tree = Self {
            specs: Vec::new(),
            parents: Vec::new(),
            children: Vec::new(),
            ends: Vec::new(),
            depths: Vec::new(),
            resources: governed(spec),
            min: Vec::new(),
            max: Vec::new(),
            lend_floor: Vec::new(),
            guaranteed: Vec::new(),
            names: NameMap::default(),
            leaves: NameMap::default(),
        };
        while let Some((quota, parent, depth)) = stack.pop() {
            let id = QuotaId(u32::try_from(tree.specs.len()).unwrap_or(u32::MAX));
            tree.push(quota, id, parent, depth);
            let kids = below.get(&quota.name).into_iter().flatten().rev();
            stack.extend(kids.map(|kid| (*kid, Some(id), depth + 1)));
        }
        tree.close_ranges();
        tree.guaranteed = (0..tree.width()).map(|r| tree.has_guarantee(r)).collect();
        tree
    }

    fn push(&mut self, quota: &QuotaSpec, id: QuotaId, parent: Option<QuotaId>, depth: u32) {
        for resource in self.resources.keys() {
            let min = quota.min.get(resource.as_str()).unwrap_or(0);
            let lend = quota.lend.as_ref().map_or(min, |lend| lend.get(resource.as_str()).unwrap_or(0).min(min));
            self.min.push(min);
            self.max.push(quota.max.get(resource.as_str()).unwrap_or(UNLIMITED));
            self.lend_floor.push(min.saturating_sub(lend));
        }
        if let Some(siblings) = parent.and_then(|p| self.children.get_mut(p.0 as usize)) {
            siblings.push(id);
        }
        for namespace in &quota.namespaces {
            self.leaves.insert(namespace.clone(), id);
        }
        self.names.insert(quota.name.clone(), id);
        self.specs.push(quota.clone());
        self.parents.push(parent);
        self.children.push(Vec::new());
        self.depths.push(depth);
        self.ends.push(id.0 + 1);
    }

    fn close_ranges(&mut self) {
        for id in (1..self.len()).rev() {
            let end = self.ends.get(id).copied().unwrap_or_default();
            let parent = self.parents.get(id).copied().flatten();
            if let Some(slot) = parent.and_then(|p| self.ends.get_mut(p.0 as usize)) {
                *slot = (*slot).max(end);
            }
        }
    }

    /// How many quotas there are; at least one.
    #[must_use]
    pub fn len(&self) -> usize {
        self.specs.len()
    }

    /// Never true: a valid tree has a root.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.specs.is_empty()
    }

    /// All quotas, in preorder.
    pub fn ids(&self) -> impl DoubleEndedIterator<Item = QuotaId> + use<> {
        (0..u32::try_from(self.len()).unwrap_or(u32::MAX)).map(QuotaId)
    }

    /// The specification of a quota; nothing for an id of another tree.
    #[must_use]
    pub fn spec(&self, quota: QuotaId) -> Option<&QuotaSpec> {
        self.specs.get(quota.0 as usize)
    }

    /// The name of a quota. An id of another tree gives the name of the root.
    #[must_use]
    pub fn name(&self, quota: QuotaId) -> &Name {
        static NONE: std::sync::LazyLock<Name> = std::sync::LazyLock::new(|| Name::from(""));
        self.specs.get(quota.0 as usize).or_else(|| self.specs.first()).map_or(&NONE, |s| &s.name)
    }

    /// The quota with this name.
    #[must_use]
    pub fn by_name(&self, name: &str) -> Option<QuotaId> {
        self.names.get(name).copied()
    }

    /// The leaf that this namespace is attached to (T1).
    #[must_use]
    pub fn leaf_of(&self, namespace: &str) -> Option<QuotaId> {
        self.leaves.get(namespace).copied()
    }

    /// The leaf that a workload is charged to: the one that it names or, if it names none, the one that its namespace is
    /// attached to (T1). A name that is no leaf gives none (A4).
    #[must_use]
    pub fn leaf_for(&self, quota: Option<&Name>, namespace: &Name) -> Option<QuotaId> {
        match quota {
            Some(quota) => self.by_name(quota.as_str()).filter(|quota| self.is_leaf(*quota)),
            None => self.leaf_of(namespace.as_str()),
        }
    }

    /// All namespaces with their leaves, in tree order.
    pub fn namespaces(&self) -> impl Iterator<Item = (&Name, QuotaId)> {
        self.leaves.iter().map(|(name, quota)| (name, *quota))
    }

    /// The parent of a quota; the root has none.
    #[must_use]
    pub fn parent(&self, quota: QuotaId) -> Option<QuotaId> {
        self.parents.get(quota.0 as usize).copied().flatten()
    }

    /// The children of a quota, in tree order.
    #[must_use]
    pub fn children(&self, quota: QuotaId) -> &[QuotaId] {
        self.children.get(quota.0 as usize).map_or(&[], Vec::as_slice)
    }

    /// Whether a quota has no children.
    #[must_use]
    pub fn is_leaf(&self, quota: QuotaId) -> bool {
        self.children(quota).is_empty()
    }

    /// How many quotas are above a quota.
    #[must_use]
    pub fn depth(&self, quota: QuotaId) -> u32 {
        self.depths.get(quota.0 as usize).copied().unwrap_or_default()
    }

    /// The quota and all above it, ending with the root.
    pub fn path(&self, quota: QuotaId) -> impl Iterator<Item = QuotaId> {
        std::iter::successors(Some(quota), |q| self.parent(*q))
    }

    /// Whether `quota` is `ancestor` or below it.
    #[must_use]
    pub fn is_under(&self, quota: QuotaId, ancestor: QuotaId) -> bool {
        let end = self.ends.get(ancestor.0 as usize).copied().unwrap_or_default();
        ancestor <= quota && quota.0 < end
    }

    /// The lowest common ancestor of two quotas, which may be one of them. Takes time linear in the depth.
    #[must_use]
    pub fn common(&self, a: QuotaId, b: QuotaId) -> QuotaId {
        self.path(a).find(|q| self.is_under(b, *q)).unwrap_or(QuotaId(0))
    }

    /// The governed resources (Q2), sorted by name. All rows of amounts have this order.
    pub fn governed(&self) -> impl ExactSizeIterator<Item = &Name> {
        self.resources.keys()
    }

    pub(crate) fn width(&self) -> usize {
        self.resources.len()
    }

    pub(crate) fn resource_index(&self, name: &str) -> Option<usize> {
        self.resources.get_index_of(name)
    }

    pub(crate) fn resource_name(&self, index: usize) -> Option<&Name> {
        self.resources.get_index(index).map(|(name, ())| name)
    }

    /// The min of a quota, one amount a governed resource, base units.
    #[must_use]
    pub fn min(&self, quota: QuotaId) -> &[i64] {
        self.row(&self.min, quota)
    }

    /// The max of a quota, one amount a governed resource, base units; `i64::MAX` where unlimited.
    #[must_use]
    pub fn max(&self, quota: QuotaId) -> &[i64] {
        self.row(&self.max, quota)
    }

    /// The part of its min that a quota never lends (L3), one amount for each governed resource, base units.
    #[must_use]
    pub fn lend_floor(&self, quota: QuotaId) -> &[i64] {
        self.row(&self.lend_floor, quota)
    }

    /// Raises min and max of a quota without validation, to test what advice would change.
    pub(crate) fn raise(&mut self, quota: QuotaId, resource: &Name, min: i64, max: i64) {
        let Some(at) = self.resource_index(resource.as_str()).map(|r| quota.0 as usize * self.width() + r) else {
            return;
        };
        for (table, by) in [(&mut self.min, min), (&mut self.max, max)] {
            if let Some(cell) = table.get_mut(at) {
                *cell = cell.saturating_add(by);
            }
        }
        self.guaranteed = (0..self.width()).map(|r| self.has_guarantee(r)).collect();
    }

    /// Whether a governed resource is guaranteed to anybody: some quota below the root has a min above 0 in it, or the
    /// root of a tree of one quota has (Q5). Otherwise it is only capped.
    #[must_use]
    pub fn is_guaranteed(&self, resource: &Name) -> bool {
        self.resource_index(resource.as_str()).is_some_and(|r| self.guarantees(r))
    }

    /// [`is_guaranteed`](Self::is_guaranteed) by the index of the resource.
    pub(crate) fn guarantees(&self, resource: usize) -> bool {
        self.guaranteed.get(resource).copied().unwrap_or_default()
    }

    fn has_guarantee(&self, resource: usize) -> bool {
        let quotas = self.ids().skip(usize::from(self.len() > 1));
        quotas.into_iter().any(|q| self.min(q).get(resource).is_some_and(|min| *min > 0))
    }

    fn row<'a>(&self, table: &'a [i64], quota: QuotaId) -> &'a [i64] {
        let start = quota.0 as usize * self.width();
        table.get(start..start + self.width()).unwrap_or_default()
    }

    /// The amounts of a row by resource name. Resources whose amount is `skip` are left out.
    #[must_use]
    pub fn named(&self, row: &[i64], skip: i64) -> Amounts {
        let kept = self.resources.keys().zip(row).filter(|(_, amount)| **amount != skip);
        kept.map(|(name, amount)| (name.clone(), *amount)).collect()
    }
}

/// The resources that some quota names in min or max (Q2), sorted by name.
fn governed(spec: &TreeSpec) -> NameMap<()> {
    let mut names: Vec<Name> = Vec::new();
    for quota in &spec.quotas {
        names.extend(quota.min.iter().chain(quota.max.iter()).map(|(name, _)| name.clone()));
    }
    names.sort_unstable();
    names.dedup();
    names.into_iter().map(|name| (name, ())).collect()
}
