//! Cells: guarantees in whole groups of devices (HiveD). A node is a cell of all its devices, its islands are smaller
//! cells, and a single device is the smallest cell. A cell with an unhealthy device cannot be used, but its healthy
//! parts can.
//!
//! The check tests whether the nodes that are up can provide the cells guaranteed to leaves. It takes the largest
//! guaranteed cells first, and splits each from the smallest remaining cell that contains one of its size. Cells are
//! only counted; no decision depends on them.

use quotree_core::{DeviceMode, NodeSpec, TreeSpec};
use std::{borrow::Borrow, collections::BTreeMap, fmt};

/// Guaranteed cells that the healthy devices cannot provide.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Short {
    /// The number of devices of each cell.
    pub size: u32,
    /// How many such cells are guaranteed to leaves.
    pub wanted: u64,
    /// How many of them the healthy devices cannot provide.
    pub missing: u64,
}

impl fmt::Display for Short {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { size, wanted, missing } = self;
        let (can, device) = (wanted - missing, if *size == 1 { "device" } else { "devices" });
        write!(f, "the healthy devices form only {can} of the {wanted} guaranteed cells of {size} {device}")
    }
}

/// A remaining cell: its size, and the smaller sizes that it can be split into.
type Cells = BTreeMap<(u32, Vec<u32>), u64>;

/// The cells guaranteed to the leaves of a tree, by size.
pub fn guaranteed(tree: &TreeSpec) -> BTreeMap<u32, u64> {
    let mut sums = BTreeMap::new();
    for (size, count) in tree.quotas.iter().flat_map(|quota| &quota.cells) {
        let sum: &mut u64 = sums.entry(*size).or_default();
        *sum = sum.saturating_add(u64::from(*count));
    }
    sums
}

/// The largest healthy cells of a node.
fn add(node: &NodeSpec, cells: &mut Cells) {
    let count = node.devices.first().map_or(0, |devices| devices.count);
    let islands = if let DeviceMode::Topology { islands } = &node.mode { islands.as_slice() } else { &[] };
    let mut sizes: Vec<u32> = [1, count].into_iter().chain(islands.iter().copied()).filter(|n| *n <= count).collect();
    sizes.sort_unstable();
    sizes.dedup();
    let mut open: Vec<(u32, u32)> = (count > 0).then_some((0, count)).into_iter().collect();
    while let Some((first, size)) = open.pop() {
        let below: Vec<u32> = sizes.iter().copied().filter(|smaller| *smaller < size).collect();
        if (first..first + size).any(|device| node.unhealthy.has(device)) {
            if let Some(part) = below.last() {
                open.extend(
                    (first..first + size).step_by(*part as usize).map(|at| (at, (*part).min(first + size - at))),
                );
            }
        } else {
            *cells.entry((size, below)).or_default() += 1;
        }
    }
}

/// The largest guaranteed cells that cannot be provided, if there are any.
pub fn short(wanted: &BTreeMap<u32, u64>, nodes: impl Iterator<Item = impl Borrow<NodeSpec>>) -> Option<Short> {
    let mut cells = Cells::new();
    nodes.for_each(|node| add(node.borrow(), &mut cells));
    for (size, count) in wanted.iter().rev() {
        let mut missing = *count;
        while missing > 0 {
            // The smallest cell that is enough: of this size, or one that can be split into this size.
            let found =
                cells.iter().find(|((whole, parts), left)| **left > 0 && (whole == size || parts.contains(size)));
            let Some((whole, parts)) = found.map(|(cell, _)| cell.clone()) else {
                return Some(Short { size: *size, wanted: *count, missing });
            };
            if whole == *size {
                let left = cells.entry((whole, parts)).or_default();
                let taken = missing.min(*left);
                (*left, missing) = (*left - taken, missing - taken);
            } else {
                // Split once: into parts of the next smaller size, and a remainder.
                *cells.entry((whole, parts.clone())).or_default() -= 1;
                let mut below = parts;
                let part = below.pop().unwrap_or(1);
                *cells.entry((part, below.clone())).or_default() += u64::from(whole / part);
                if whole % part > 0 {
                    *cells.entry((1, Vec::new())).or_default() += u64::from(whole % part);
                }
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use quotree_core::{Amounts, DeviceSet, DeviceSpec};

    /// Nodes; how many cells of each size are guaranteed; the size and number of the largest missing cells.
    type Row<'a> = (&'a [NodeSpec], &'a [(u32, u64)], Option<(u32, u64)>);

    fn node(count: u32, islands: &[u32], ill: u64) -> NodeSpec {
        let mut node = NodeSpec::new(0, Amounts::new().with("gpu", i64::from(count) * 1000));
        node.devices.push(DeviceSpec { resource: "gpu".into(), count, each: 1000 });
        node.mode = DeviceMode::Topology { islands: islands.to_vec() };
        node.unhealthy = DeviceSet(ill);
        node
    }

    /// Two nodes of eight in islands of two and four. One unhealthy device of node 1 leaves a 4, a 2 and a 1 there.
    #[test]
    fn cells_are_split_like_buddies() {
        let well = [node(8, &[2, 4], 0), node(8, &[2, 4], 0)];
        let ill = [node(8, &[2, 4], 0), node(8, &[2, 4], 0b1)];
        let short_of = |nodes: &[NodeSpec], wanted: &[(u32, u64)]| {
            short(&wanted.iter().copied().collect(), nodes.iter()).map(|short| (short.size, short.missing))
        };
        let rows: &[Row<'_>] = &[
            (&well, &[], None),
            (&well, &[(8, 2)], None),
            (&well, &[(8, 2), (1, 1)], Some((1, 1))),
            (&well, &[(8, 1), (4, 1), (2, 2)], None),
            (&well, &[(4, 3), (2, 3)], Some((2, 1))),
            (&well, &[(3, 1)], Some((3, 1))),
            (&ill, &[(8, 2)], Some((8, 1))),
            (&ill, &[(8, 1), (4, 1), (2, 1), (1, 1)], None),
            (&ill, &[(8, 1), (4, 1), (2, 1), (1, 2)], Some((1, 1))),
            (&ill, &[(8, 1), (2, 4)], Some((2, 1))),
            (&ill, &[(4, 3), (2, 1), (1, 1)], None),
            // No islands: a node splits into single devices only.
            (&[node(4, &[], 0)], &[(2, 1)], Some((2, 1))),
            (&[node(4, &[], 0b10)], &[(1, 3)], None),
            (&[node(4, &[], 0b10)], &[(1, 4)], Some((1, 1))),
        ];
        for (i, (nodes, wanted, missing)) in rows.iter().enumerate() {
            assert_eq!(short_of(nodes, wanted), *missing, "row {i}: {wanted:?}");
        }
    }
}
