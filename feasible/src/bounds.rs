//! Proofs that pods do not fit, without a search. Each bound looks at pods that only some nodes take, and compares what
//! these pods need with what these nodes have.
//!
//! 1. How many pods of a kind the nodes hold.
//! 2. The sum of a resource.
//! 3. The same in whole parts: of 4 GPUs, a node of 6 has one part, and so has a pod of 4.
//! 4. The same with the dual feasible functions of Fekete and Schepers: on one node, pods of more than half of it count
//!    as a whole, those of exactly half as a half, smaller ones as nothing; likewise for thirds and so on.
//!
//! Parts and functions never give a set of pods on one node more than the node, so none of the bounds refutes pods that fit.

use crate::{
    node::{Nodes, amount},
    pack::{Bins, Gang, Proof},
};
use std::collections::{BTreeMap, BTreeSet};

/// The finest fractions of nodes that bound 4 looks at.
const FINEST: i128 = 16;

/// The most kinds of pods for which bounds 3 and 4 are computed.
const MOST_KINDS: usize = 64;

/// A proof that these gangs do not fit, if a bound gives one.
pub(crate) fn refute(nodes: &mut Nodes<'_>, bins: &Bins, gangs: &[(Gang, u64)]) -> Option<Proof> {
    let mut wanted: BTreeMap<u32, u64> = BTreeMap::new();
    for (gang, times) in gangs {
        for (kind, pods) in &gang.pods {
            let sum = wanted.entry(*kind).or_default();
            *sum = sum.saturating_add(u64::from(*pods).saturating_mul(*times));
        }
    }
    let mut classes: BTreeMap<u32, u64> = BTreeMap::new();
    for (state, count) in bins {
        *classes.entry(nodes.class_of(*state)).or_default() += u64::from(*count);
    }
    // By set of nodes: the kinds that go only there.
    let mut groups: BTreeMap<Vec<u32>, BTreeMap<u32, u64>> = BTreeMap::new();
    for (pod, wanted) in &wanted {
        let mut open = Vec::new();
        let mut holds = 0u64;
        for (class, count) in &classes {
            let each = nodes.holds(*class, *pod);
            if each > 0 {
                open.push(*class);
                holds = holds.saturating_add(each.saturating_mul(*count));
            }
        }
        if *wanted > holds {
            return Some(Proof::Holds { pod: *pod, wanted: *wanted, holds });
        }
        groups.entry(open).or_default().insert(*pod, *wanted);
    }
    let sets: Vec<(BTreeSet<u32>, BTreeMap<u32, u64>)> = {
        let all: Vec<(BTreeSet<u32>, &BTreeMap<u32, u64>)> =
            groups.iter().map(|(open, kinds)| (open.iter().copied().collect(), kinds)).collect();
        let within = |open: &BTreeSet<u32>| {
            let inside = all.iter().filter(|(other, _)| other.is_subset(open));
            inside.flat_map(|(_, kinds)| kinds.iter()).map(|(pod, wanted)| (*pod, *wanted)).collect()
        };
        let mut sets: Vec<_> = all.iter().take(MOST_KINDS).map(|(open, _)| (open.clone(), within(open))).collect();
        // All pods on all nodes that take any of them.
        let union: BTreeSet<u32> = all.iter().flat_map(|(open, _)| open.iter().copied()).collect();
        sets.push((union.clone(), within(&union)));
        sets
    };
    sets.iter().find_map(|(open, kinds)| of_set(nodes, open, kinds, &classes))
}

fn of_set(
    nodes: &mut Nodes<'_>,
    open: &BTreeSet<u32>,
    kinds: &BTreeMap<u32, u64>,
    classes: &BTreeMap<u32, u64>,
) -> Option<Proof> {
    for resource in 0..nodes.resources.len() {
        let name = nodes.resources.get(resource)?.clone();
        let mut free: BTreeMap<i64, u64> = BTreeMap::new();
        for class in open {
            let empty = nodes.empty(*class);
            *free.entry(nodes.free(empty, resource).max(0)).or_default() += classes.get(class).copied().unwrap_or(0);
        }
        let mut sizes: BTreeMap<i64, u64> = BTreeMap::new();
        for (pod, wanted) in kinds {
            let size = nodes.pods.get(*pod as usize).map_or(0, |template| amount(&template.request, &name));
            let sum = sizes.entry(size.max(0)).or_default();
            *sum = sum.saturating_add(*wanted);
        }
        sizes.remove(&0);
        let sum = |of: &BTreeMap<i64, u64>, value: &dyn Fn(i64) -> i128| -> i128 {
            of.iter().map(|(size, count)| value(*size).saturating_mul(i128::from(*count))).fold(0, i128::saturating_add)
        };
        let whole = |size: i64| i128::from(size);
        let (wanted, has) = (sum(&sizes, &whole), sum(&free, &whole));
        if wanted > has {
            return Some(Proof::Sum { resource, wanted, has });
        }
        for part in sizes.keys().rev().take(MOST_KINDS) {
            let in_parts = |size: i64| i128::from(size / part);
            let (wanted, has) = (sum(&sizes, &in_parts), sum(&free, &in_parts));
            if wanted > has {
                return Some(Proof::Parts { resource, part: *part, wanted, has });
            }
        }
        let (most, count) = (i128::from(*free.keys().next_back()?), free.values().sum::<u64>());
        for parts in 1..=FINEST {
            // In parts of `most * parts`, so that all values are whole.
            let value = |size: i64| {
                let (size, scaled) = (i128::from(size), i128::from(size) * (parts + 1));
                if most > 0 && scaled % most == 0 { size * parts } else { scaled.checked_div(most).unwrap_or(0) * most }
            };
            let (wanted, node) = (sum(&sizes, &value), most * parts);
            if wanted > node.saturating_mul(i128::from(count)) {
                let wanted = u64::try_from((wanted + node - 1).checked_div(node)?).unwrap_or(u64::MAX);
                let most = i64::try_from(most).unwrap_or(i64::MAX);
                return Some(Proof::Combined { resource, most, wanted, has: count });
            }
        }
    }
    None
}

/// The resource of which a pod takes the largest part of the largest node.
pub(crate) fn main_resource(nodes: &Nodes<'_>, kind: u32) -> usize {
    let Some(template) = nodes.pods.get(kind as usize) else { return 0 };
    let part = |(at, resource): (usize, &quotree_core::Name)| {
        let most = nodes.classes.iter().map(|class| amount(&class.spec.allocatable, resource)).max().unwrap_or(0);
        let part = i128::from(amount(&template.request, resource)) * 1_000_000;
        (part.checked_div(i128::from(most)).unwrap_or(0), std::cmp::Reverse(at))
    };
    nodes.resources.iter().enumerate().map(part).max().map_or(0, |(_, at)| at.0)
}
