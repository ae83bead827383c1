//! Every smallest world, by number: a pool of one resource, a root with one to three leaves, up to three pods of two sizes
//! and two priorities, each submitted to each leaf in turn. Both the reference and the laws S1 to S4 judge it.

use crate::{
    drive::{Play, drive, drive_beside},
    sites::Looks,
    worlds::{Job, Quota, Step, World},
};

/// Guarantee and ceiling of a leaf in a pool of four.
const LEAVES: [(i64, i64); 5] = [(0, 4), (1, 2), (1, 4), (2, 2), (2, 4)];
/// What a pod asks.
const SIZES: [i64; 2] = [1, 3];
/// Priorities of a pod.
const PRIORITIES: [i32; 2] = [0, 1];
const POOL: i64 = 4;
const MOST: u32 = 3;

/// The trees: lists of leaves whose guarantees fit into the pool, in every order.
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

/// How many kinds of pods there are where there are so many leaves.
fn kinds(leaves: usize) -> u64 {
    (leaves * SIZES.len() * PRIORITIES.len()) as u64
}

/// How many lists of one to [`MOST`] pods there are.
fn lists(leaves: usize) -> u64 {
    (1..=MOST).map(|pods| kinds(leaves).pow(pods)).sum()
}

/// How many worlds there are.
#[must_use]
pub fn count() -> u64 {
    trees().iter().map(|tree| lists(tree.len())).sum()
}

/// The world of this number; one without pods past the end.
#[must_use]
pub fn world(mut index: u64) -> World {
    let mut world = World::new(&[[POOL, 0]]).quota(Quota::new(None, [POOL, 0], [POOL, -1]));
    for tree in trees() {
        let lists = lists(tree.len());
        if index >= lists {
            index -= lists;
            continue;
        }
        for (min, max) in &tree {
            world = world.quota(Quota::new(Some(0), [*min, 0], [*max, -1]));
        }
        world.steps = pods(index, tree.len());
        return world;
    }
    world
}

/// The list of pods of this number.
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
            ask: [size, 0],
            count: 1,
            min: 1,
            priority,
            preemptible: true,
            looks: Looks::default(),
        };
        steps.push(Step::Submit(job));
    }
    steps
}

/// What is wrong with it: by the reference, with binds at once and late, and by the laws, S4 among them.
#[must_use]
pub fn wrong(world: &World) -> Vec<String> {
    let mut wrong = drive_beside(world, Play::AT_ONCE).wrong;
    wrong.extend(drive_beside(world, Play { delays: Some(1), ..Play::AT_ONCE }).wrong);
    wrong.extend(drive(world, Play { delays: None, settles: true, guaranteed: true }).wrong);
    wrong
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
