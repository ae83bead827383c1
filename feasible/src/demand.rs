//! What each leaf demands within its min: its own units, the largest first, as often as its jobs may need them.

use crate::{
    node::{Nodes, amount},
    unit::Unit,
    words,
};
use quotree_core::{Name, PodTemplate, QuotaId, QuotaTree};
use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
};

/// What a leaf demands within its min.
pub(crate) struct Demand {
    pub(crate) leaf: QuotaId,
    /// Units with the number of times.
    pub(crate) units: Vec<(usize, u64)>,
}

/// All leaves, their pods and the nodes.
pub(crate) struct Look<'s, 'a> {
    pub(crate) nodes: Nodes<'s>,
    /// Each template with its guaranteed resources only.
    pub(crate) promised: &'s BTreeMap<&'a PodTemplate, PodTemplate>,
    pub(crate) tree: &'s QuotaTree,
    pub(crate) units: &'s [Unit<'a>],
}

impl Look<'_, '_> {
    /// The demand of each leaf with a min, and the jobs of leaves whose units their min does not cover.
    pub(crate) fn demands(&self, never: &BTreeSet<String>) -> (Vec<Demand>, BTreeMap<QuotaId, Vec<String>>) {
        let tree = self.tree;
        let counted: Vec<(usize, &Name)> =
            tree.governed().enumerate().filter(|(_, resource)| tree.is_guaranteed(resource)).collect();
        let mut by_leaf: BTreeMap<QuotaId, Vec<usize>> = BTreeMap::new();
        for (at, unit) in self.units.iter().enumerate() {
            if let Some(leaf) = tree.leaf_of(unit.namespace.as_str()).filter(|_| !never.contains(&unit.who)) {
                by_leaf.entry(leaf).or_default().push(at);
            }
        }
        let mut left: BTreeMap<(QuotaId, usize), i128> = BTreeMap::new();
        let (mut demands, mut borrows) = (Vec::new(), BTreeMap::new());
        for leaf in tree.ids().filter(|leaf| tree.is_leaf(*leaf)) {
            if counted.iter().all(|(at, _)| tree.min(leaf).get(*at).copied().unwrap_or(0) == 0) {
                continue;
            }
            let path: Vec<QuotaId> =
                tree.path(leaf).filter(|quota| tree.parent(*quota).is_some() || tree.is_leaf(*quota)).collect();
            let mut order = by_leaf.remove(&leaf).unwrap_or_default();
            order.sort_by_cached_key(|at| (Reverse(self.size(*at)), *at));
            let mut demand = Demand { leaf, units: Vec::new() };
            for at in order {
                let Some(unit) = self.units.get(at).filter(|unit| unit.count > 0 && !unit.sets.is_empty()) else {
                    continue;
                };
                let total = unit.total();
                let asks: Vec<(usize, i128)> =
                    counted.iter().filter_map(|(at, resource)| Some((*at, *total.get(resource)?))).collect();
                if asks.is_empty() {
                    continue;
                }
                let min = |quota: QuotaId, at: usize| tree.min(quota).get(at).copied().map_or(0, i128::from);
                if asks.iter().any(|(at, amount)| *amount > min(leaf, *at)) {
                    let list: &mut Vec<String> = borrows.entry(leaf).or_default();
                    list.push(words::unit(unit, 1));
                    continue;
                }
                let mut times = i128::from(unit.count);
                for quota in &path {
                    for (at, amount) in &asks {
                        let left = *left.entry((*quota, *at)).or_insert_with(|| min(*quota, *at));
                        times = times.min(left.checked_div(*amount).unwrap_or(times));
                    }
                }
                let Some(times) = u64::try_from(times).ok().filter(|times| *times > 0) else { continue };
                for quota in &path {
                    for (at, amount) in &asks {
                        left.entry((*quota, *at)).and_modify(|left| *left -= amount.saturating_mul(i128::from(times)));
                    }
                }
                demand.units.push((at, times));
            }
            demands.push(demand);
        }
        (demands, borrows)
    }

    /// How large a unit is: its largest pod in millionths of the largest node, then the sum of them.
    pub(crate) fn size(&self, unit: usize) -> (i128, i128) {
        let Some(unit) = self.units.get(unit) else { return (0, 0) };
        let part = |template: &PodTemplate| {
            let of = |resource: &Name| {
                let most = self.nodes.classes.iter().map(|class| amount(&class.spec.allocatable, resource)).max();
                let asked = i128::from(amount(&template.request, resource)) * 1_000_000;
                asked.checked_div(i128::from(most.unwrap_or(0))).unwrap_or(0)
            };
            self.nodes.resources.iter().map(of).max().unwrap_or(0)
        };
        let parts = unit.sets.iter().map(|(template, pods)| (part(template), i128::from(*pods)));
        parts.fold((0, 0), |(most, sum), (part, pods)| (most.max(part), sum + part * pods))
    }

    pub(crate) fn pods(&self, demand: &Demand) -> u64 {
        let pods = |(at, times): &(usize, u64)| self.units.get(*at).map_or(0, Unit::pods).saturating_mul(*times);
        demand.units.iter().map(pods).fold(0, u64::saturating_add)
    }

    pub(crate) fn list(&self, demand: &Demand) -> Vec<(&Unit<'_>, u64)> {
        demand.units.iter().filter_map(|(at, times)| Some((self.units.get(*at)?, *times))).collect()
    }
}
