//! Leaf quotas by demand: one for each namespace, with a min in proportion to request times runtime of its jobs.

use super::draft::split;
use quotree_core::{Amounts, Name, QuotaSpec, TreeSpec, Unit};
use quotree_sim::model::TraceRow;
use std::collections::BTreeMap;

/// A tree with the namespaces of these rows as leaves below a root of this size. The name of the root is a prefix of
/// the names of the leaves.
pub(super) fn tree(root: &str, rows: &[TraceRow], total: &Amounts, no_borrowing: bool) -> TreeSpec {
    let mut demand: BTreeMap<&Name, BTreeMap<&str, u128>> = BTreeMap::new();
    for row in rows {
        let of = demand.entry(&row.namespace).or_default();
        for (name, amount) in row.template.request.iter() {
            let amount = u128::try_from(amount).unwrap_or(0).saturating_mul(u128::from(row.pods));
            let sum = of.entry(name.as_str()).or_default();
            *sum = sum.saturating_add(amount.saturating_mul(u128::from(row.runtime_ms)));
        }
    }
    let mut mins: Vec<Amounts> = vec![Amounts::new(); demand.len()];
    for (name, amount) in total.iter() {
        // Whole cores, GPUs and GiB, since quotas are not given in thousandths.
        let unit = if Unit::of(name.as_str()) == Unit::Bytes { 1 << 30 } else { 1000 };
        let weights: Vec<u128> = demand.values().map(|of| of.get(name.as_str()).copied().unwrap_or(0)).collect();
        for (min, share) in mins.iter_mut().zip(split(amount / unit, &weights)) {
            min.set(name.clone(), share.saturating_mul(unit));
        }
    }
    let leaves = demand.keys().zip(mins).map(|(namespace, min)| {
        let max = if no_borrowing { min.clone() } else { total.clone() };
        QuotaSpec::new(&format!("{root}-{namespace}"), Some(root)).min(min).max(max).namespace(namespace.as_str())
    });
    let all = QuotaSpec::new(root, None).min(total.clone()).max(total.clone());
    std::iter::once(all).chain(leaves).collect()
}
