//! Every smallest scenario, by number: a pool of one resource, a root with one to three leaves, up to three pods of two
//! sizes and two priorities, each submitted to each leaf in turn. They are checked by the reference and by the laws S1
//! to S4.

use crate::{
    drive::{Play, drive, drive_with_reference},
    traits::PodTraits,
    worlds::{Job, Quota, Step, World},
};

/// The min and max of a leaf, in a pool of four.
const LEAVES: [(i64, i64); 5] = [(0, 4), (1, 2), (1, 4), (2, 2), (2, 4)];
/// The request of a pod.
const SIZES: [i64; 2] = [1, 3];
/// The priority of a pod.
const PRIORITIES: [i32; 2] = [0, 1];
const POOL: i64 = 4;
const MOST: u32 = 3;

/// The trees: lists of leaves whose mins fit into the pool, in every order.
fn trees() -> Vec<Vec<(i64, i64)>> {
    let mut trees: Vec<Vec<(i64, i64)>> = vec![Vec::new()];
    let mut all = Vec::new();
    for _ in 0..MOST {
        let longer = |tree: &Vec<(i64, i64)>| {
            let tree = tree.clone();
            LEAVES.iter().map(move |leaf| tree.iter().copied().chain([*leaf]).collect::<Vec<_>>())
        };
        trees =
            trees.iter().flat_map(longer).filter(|tree| tree.iter().map(|(min, _)| min).sum::<i64>() <= POOL).collect();
        all.extend(trees.iter().cloned());
    }
    all
}

/// The number of different pods in a tree with this many leaves.
fn kinds(leaves: usize) -> u64 {
    (leaves * SIZES.len() * PRIORITIES.len()) as u64
}

/// The number of lists of one to [`MOST`] pods.
fn lists(leaves: usize) -> u64 {
    (1..=MOST).map(|pods| kinds(leaves).pow(pods)).sum()
}

/// The number of scenarios.
#[must_use]
pub fn count() -> u64 {
    trees().iter().map(|tree| lists(tree.len())).sum()
}

/// The scenario with this number; one without pods past the end.
#[must_use]
pub fn world(mut index: u64) -> World {
    let mut world = World::new(&[[POOL, 0, 0]]).quota(Quota::new(None, [POOL, 0, 0], [POOL, -1, -1]));
    for tree in trees() {
        let lists = lists(tree.len());
        if index >= lists {
            index -= lists;
            continue;
        }
        for (min, max) in &tree {
            world = world.quota(Quota::new(Some(0), [*min, 0, 0], [*max, -1, -1]));
        }
        world.steps = pods(index, tree.len());
        return world;
    }
    world
}

/// The list of pods with this number.
fn pods(mut index: u64, leaves: usize) -> Vec<Step> {
    let kinds = kinds(leaves);
    let mut count = 1;
    while index >= kinds.pow(count) && count < MOST {
        index -= kinds.pow(count);
        count += 1;
    }
    let mut steps = Vec::new();
    for _ in 0..count {
        let mut of = |n: usize| {
            let digit = index % n as u64;
            index /= n as u64;
            usize::try_from(digit).unwrap_or(0)
        };
        let (leaf, size, priority) = (of(leaves), of(SIZES.len()), of(PRIORITIES.len()));
        let size = SIZES.get(size).copied().unwrap_or(1);
        let priority = PRIORITIES.get(priority).copied().unwrap_or(0);
        let job = Job {
            leaf: leaf + 1,
            ask: [size, 0, 0],
            count: 1,
            min: 1,
            priority,
            preemptible: true,
            traits: PodTraits::default(),
        };
        steps.push(Step::Submit(job));
    }
    steps
}

/// The violations: differences from the reference, with immediate and delayed binds, and of the laws, S4 included; with
/// pods that keep their age when they are created again, and with pods that do not (O3).
#[must_use]
pub fn violations(world: &World) -> Vec<String> {
    let mut violations = Vec::new();
    for aging in [0, u64::MAX] {
        let world = &World { aging, ..world.clone() };
        violations.extend(drive_with_reference(world, Play::AT_ONCE).violations);
        violations.extend(drive_with_reference(world, Play { delays: Some(1), ..Play::AT_ONCE }).violations);
        violations.extend(drive(world, Play { delays: None, settles: true, guaranteed: true }).violations);
    }
    violations
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_number_is_another_world() {
        let all: BTreeSet<String> = (0..count()).step_by(1009).map(|i| format!("{:?}", world(i))).collect();
        assert_eq!(all.len() as u64, count().div_ceil(1009));
        assert!(world(count()).steps.is_empty());
    }
}
