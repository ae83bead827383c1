//! The validation of a quota tree (T2). It returns all findings at once: first about the shape of the tree, then about
//! the amounts of each quota.

use super::QuotaTree;
use crate::api::{
    Amounts, Finding, FindingKind as K, Name, NameMap, OverPromised, QuotaSpec, TreeSpec, Unit, format_quantity,
};
use std::collections::BTreeSet;

use petgraph::{algo::kosaraju_scc, graphmap::DiGraphMap};

impl QuotaTree {
    /// All errors and warnings about a tree, in the order of its list (T2).
    ///
    /// ```
    /// use quotree_core::{QuotaSpec, QuotaTree, TreeSpec};
    /// let spec: TreeSpec = [QuotaSpec::new("a", Some("nowhere"))].into_iter().collect();
    /// let findings = QuotaTree::validate(&spec, Default::default());
    /// assert!(findings.iter().any(|f| f.to_string().contains("unknown parent `nowhere`")));
    /// ```
    #[must_use]
    pub fn validate(spec: &TreeSpec, over_promised: OverPromised) -> Vec<Finding> {
        let mut check = Check::new(spec);
        check.shape();
        for quota in &spec.quotas {
            check.numbers(quota);
            check.against_parent(quota);
            check.namespaces(quota);
            check.over_promises(quota, over_promised);
            check.oddities(quota);
        }
        check.findings
    }

    /// Warnings about a tree on a cluster with these amounts (T2).
    #[must_use]
    pub fn warnings_on(spec: &TreeSpec, cluster: &Amounts) -> Vec<Finding> {
        let mut findings = Vec::new();
        let parents: BTreeSet<&Name> = spec.quotas.iter().filter_map(|q| q.parent.as_ref()).collect();
        for root in spec.quotas.iter().filter(|q| q.parent.is_none()) {
            let path = root.name.to_string();
            for (resource, max) in root.max.iter() {
                let has = cluster.get(resource.as_str()).unwrap_or(0);
                if max > has {
                    let kind = K::RootMaxAboveCluster { resource: resource.clone(), max, cluster: has };
                    findings.push(Finding { path: path.clone(), quota: root.name.clone(), kind });
                }
            }
            let leaves = || spec.quotas.iter().filter(|q| !parents.contains(&q.name));
            for resource in crate::tree::governed(spec).keys() {
                let sum: i128 = leaves().map(|q| i128::from(q.min.get(resource.as_str()).unwrap_or(0))).sum();
                let has = cluster.get(resource.as_str()).unwrap_or(0);
                if sum > i128::from(has) {
                    let kind =
                        K::MinAboveCluster { resource: resource.clone(), min: show(resource, sum), cluster: has };
                    findings.push(Finding { path: path.clone(), quota: root.name.clone(), kind });
                }
            }
        }
        findings
    }
}

/// An amount as text, also where it exceeds 64 bits.
fn show(resource: &Name, amount: i128) -> String {
    let unit = Unit::of(resource.as_str());
    i64::try_from(amount).map_or_else(|_| format!("{amount} base units"), |amount| format_quantity(amount, unit))
}

struct Check<'a> {
    spec: &'a TreeSpec,
    by_name: NameMap<&'a QuotaSpec>,
    children: NameMap<Vec<&'a QuotaSpec>>,
    attached_to: NameMap<Name>,
    findings: Vec<Finding>,
}

impl<'a> Check<'a> {
    fn new(spec: &'a TreeSpec) -> Self {
        let mut by_name = NameMap::default();
        let mut children: NameMap<Vec<&QuotaSpec>> = NameMap::default();
        for quota in &spec.quotas {
            by_name.entry(quota.name.clone()).or_insert(quota);
            if let Some(parent) = &quota.parent {
                children.entry(parent.clone()).or_default().push(quota);
            }
        }
        Self { spec, by_name, children, attached_to: NameMap::default(), findings: Vec::new() }
    }

    fn find(&mut self, quota: &QuotaSpec, kind: K) {
        let mut names = vec![quota.name.as_str()];
        let mut above = quota.parent.as_ref();
        while let Some(parent) = above {
            if names.contains(&parent.as_str()) || names.len() > 64 {
                break;
            }
            names.push(parent.as_str());
            above = self.by_name.get(parent).and_then(|p| p.parent.as_ref());
        }
        names.reverse();
        self.findings.push(Finding { path: names.join(" / "), quota: quota.name.clone(), kind });
    }

    /// One root, known parents, unique names, no cycle.
    fn shape(&mut self) {
        let spec = self.spec;
        let mut first_root: Option<&QuotaSpec> = None;
        for quota in &spec.quotas {
            let first = self.by_name.get(&quota.name).copied();
            if let Some(first) = first.filter(|first| !std::ptr::eq(*first, quota)) {
                let kind = if first.parent == quota.parent {
                    K::DuplicateName
                } else {
                    let parents = [first, quota].iter().filter_map(|q| q.parent.clone()).collect();
                    K::TwoParents { parents }
                };
                self.find(quota, kind);
                continue;
            }
            match (&quota.parent, first_root) {
                (None, None) => first_root = Some(quota),
                (None, Some(first)) => self.find(quota, K::SecondRoot { first: first.name.clone() }),
                (Some(parent), _) if !self.by_name.contains_key(parent) => {
                    self.find(quota, K::UnknownParent { parent: parent.clone() });
                }
                (Some(_), _) => {}
            }
        }
        if first_root.is_none() {
            self.findings.push(Finding { path: String::new(), quota: "".into(), kind: K::NoRoot });
        }
        self.cycles();
    }

    fn cycles(&mut self) {
        let mut graph: DiGraphMap<u32, ()> = DiGraphMap::new();
        let index = |name: &Name| self.by_name.get_index_of(name).and_then(|i| u32::try_from(i).ok());
        for quota in &self.spec.quotas {
            if let (Some(child), Some(parent)) = (index(&quota.name), quota.parent.as_ref().and_then(index)) {
                graph.add_edge(parent, child, ());
            }
        }
        for component in kosaraju_scc(&graph) {
            let loops = component.len() > 1 || component.first().is_some_and(|n| graph.contains_edge(*n, *n));
            if loops {
                let mut indices = component;
                indices.sort_unstable();
                let at = |i: &u32| self.by_name.get_index(*i as usize).map(|(_, quota)| *quota);
                let members = indices.iter().filter_map(at).map(|q| q.name.clone()).collect();
                if let Some(quota) = indices.first().and_then(at) {
                    self.find(quota, K::Cycle { members });
                }
            }
        }
    }

    fn numbers(&mut self, quota: &QuotaSpec) {
        let lend = quota.lend.as_ref();
        let fields = [("min", Some(&quota.min)), ("max", Some(&quota.max)), ("lend", lend)];
        for (field, amounts) in fields {
            for (resource, amount) in amounts.into_iter().flat_map(Amounts::iter).filter(|(_, amount)| *amount < 0) {
                self.find(quota, K::Negative { resource: resource.clone(), field: field.into(), amount });
            }
        }
        for (resource, min) in quota.min.iter() {
            let max = quota.max.get(resource.as_str()).unwrap_or(crate::tree::UNLIMITED);
            if min > max {
                self.find(quota, K::MinAboveMax { resource: resource.clone(), min, max });
            }
        }
        for (resource, lend) in lend.into_iter().flat_map(Amounts::iter) {
            let min = quota.min.get(resource.as_str()).unwrap_or(0);
            if lend > min {
                self.find(quota, K::LendAboveMin { resource: resource.clone(), lend, min });
            }
        }
    }

    fn against_parent(&mut self, quota: &QuotaSpec) {
        let parent = quota.parent.as_ref().and_then(|p| self.by_name.get(p)).copied();
        for (resource, max) in quota.max.iter() {
            let parent_max = parent.and_then(|p| p.max.get(resource.as_str()));
            if let Some(parent_max) = parent_max.filter(|parent_max| max > *parent_max) {
                self.find(quota, K::MaxAboveParent { resource: resource.clone(), max, parent_max });
            }
        }
    }

    fn namespaces(&mut self, quota: &QuotaSpec) {
        let inner = self.children.contains_key(&quota.name);
        for namespace in &quota.namespaces {
            if inner {
                self.find(quota, K::NamespaceOnInner { namespace: namespace.clone() });
            }
            if let Some(other) = self.attached_to.insert(namespace.clone(), quota.name.clone()) {
                self.find(quota, K::NamespaceTwice { namespace: namespace.clone(), other });
            }
        }
    }

    fn over_promises(&mut self, quota: &QuotaSpec, over_promised: OverPromised) {
        let Some(children) = self.children.get(&quota.name).cloned() else { return };
        let mut sums: NameMap<i128> = NameMap::default();
        for (resource, min) in children.iter().flat_map(|child| child.min.iter()) {
            *sums.entry(resource.clone()).or_default() += i128::from(min);
        }
        sums.sort_unstable_keys();
        for (resource, sum) in sums {
            let min = quota.min.get(resource.as_str()).unwrap_or(0);
            if sum > i128::from(min) {
                let children = show(&resource, sum);
                let error = over_promised == OverPromised::Error;
                self.find(quota, K::OverPromised { resource, children, min, error });
            }
        }
    }

    fn oddities(&mut self, quota: &QuotaSpec) {
        if quota.parent.is_none() {
            for (resource, min) in quota.min.iter() {
                let max = quota.max.get(resource.as_str());
                // A min above the max is an error of its own.
                if max.is_none_or(|max| max > min) {
                    self.find(quota, K::RootMinIsNotMax { resource: resource.clone(), min, max });
                }
            }
            for (resource, max) in quota.max.iter().filter(|(r, _)| quota.min.get(r.as_str()).is_none()) {
                self.find(quota, K::RootMinIsNotMax { resource: resource.clone(), min: 0, max: Some(max) });
            }
        }
        if quota.weight == Some(0) && quota.min.iter().all(|(_, min)| min == 0) {
            self.find(quota, K::AlwaysFirstVictim);
        }
        let leaf = !self.children.contains_key(&quota.name);
        if leaf && quota.namespaces.is_empty() {
            self.find(quota, K::Unreachable);
        }
    }
}
