//! Small worlds in which somebody is owed something: leaves with guarantees, borrowers that came first, on a few nodes
//! with little room. For the oracle, which tries every set of victims ([`crate::oracle`]).

use crate::{
    dice::Dice,
    generate::{Kinds, NO_MAX, draw_max},
    limits::draw_limits,
    traits::PodTraits,
    worlds::{Job, Quota, Step, Units, World},
};
use quotree_core::{Floor, RespectBudgets, VictimOrder};

/// How many worlds a test plays: `QUOTREE_HELPED_WORLDS`, else the usual number.
#[must_use]
pub fn worlds_to_play(usual: u64) -> u64 {
    std::env::var("QUOTREE_HELPED_WORLDS").ok().and_then(|text| text.parse().ok()).unwrap_or(usual)
}

/// The world of this seed.
#[must_use]
pub fn world(seed: u64) -> World {
    let dice = &mut Dice::new(seed);
    let nodes = if dice.chance(15) { 1 } else { 2 + dice.index(3) };
    let large = if dice.chance(60) { 4 } else { 6 };
    let two = dice.chance(45);
    let mut world = World::new(&[]);
    world.nodes = (0..nodes).map(|_| [dice.between(2, large), if two { dice.between(0, 4) } else { 0 }, 0]).collect();
    world.quotas = draw_tree(dice, world.capacity());
    world.budgets = if dice.chance(30) { 1 + dice.index(2) } else { 0 };
    world.policy.floor = if dice.chance(25) { Floor::Strict } else { Floor::Pod };
    world.policy.victims = if dice.chance(15) { VictimOrder::Latest } else { VictimOrder::FairThenLatest };
    world.policy.respect_budgets = if dice.chance(30) { RespectBudgets::Always } else { RespectBudgets::Prefer };
    world.policy.min_runtime_ms = if dice.chance(10) { 4 } else { 0 };
    for budget in 0..world.budgets {
        world.steps.push(Step::Budget(budget, u32::try_from(dice.below(3)).unwrap_or(0)));
    }
    // The last leaf comes late, and the others lend what it was promised.
    let owner = (0..world.quotas.len()).rfind(|q| world.is_leaf(*q)).unwrap_or(0);
    let mut steps = lent(dice, &world, owner);
    for _ in 0..dice.between(3, 9) {
        steps.push(match dice.below(12) {
            0 => Step::Finish(dice.index(16)),
            1 => Step::Tick(dice.below(6)),
            2 if world.budgets > 0 => Step::Budget(dice.index(2), u32::try_from(dice.below(3)).unwrap_or(0)),
            3..7 => Step::Submit(Job { leaf: owner, ..draw_job(dice, &world) }),
            _ => Step::Submit(draw_job(dice, &world)),
        });
    }
    world.steps.extend(steps);
    if dice.chance(50) {
        draw_limits(dice, &mut world, Kinds::LIMITS);
    }
    world.every = if dice.chance(20) { 2 } else { 1 };
    world
}

/// A root that promises all there is to two to five quotas, some with children.
fn draw_tree(dice: &mut Dice, capacity: Units) -> Vec<Quota> {
    let max = capacity.map(|n| if n == 0 || dice.chance(25) { NO_MAX } else { n });
    let mut quotas = vec![Quota::new(None, capacity, [max[0], max[1], NO_MAX])];
    let children = if dice.chance(50) { 2 } else { 3 + dice.index(2) };
    add_children(dice, &mut quotas, 0, children);
    for quota in 1..quotas.len() {
        if dice.chance(20) {
            add_children(dice, &mut quotas, quota, 2);
        }
    }
    quotas
}

fn add_children(dice: &mut Dice, quotas: &mut Vec<Quota>, parent: usize, count: usize) {
    let Some(above) = quotas.get(parent).copied() else { return };
    let mut left = above.min;
    for child in 0..count {
        let last = child + 1 == count;
        let [cpu, gpu, _] = left;
        let most = if last && dice.chance(75) { cpu } else { dice.between(0, cpu) };
        let min = [most, dice.between(0, gpu), 0];
        left = [cpu - min[0], gpu - min[1], 0];
        let mut max = above.max;
        if dice.chance(40) {
            max = [draw_max(dice, min[0], max[0]), draw_max(dice, min[1], max[1]), NO_MAX];
        }
        quotas.push(Quota::new(Some(parent), min, max));
    }
}

/// Workloads that come first and bring most leaves a little above their min, in any order.
fn lent(dice: &mut Dice, world: &World, owner: usize) -> Vec<Step> {
    let mut steps = Vec::new();
    for leaf in (0..world.quotas.len()).filter(|q| world.is_leaf(*q) && *q != owner) {
        let Some(quota) = world.quotas.get(leaf) else { continue };
        let mut left = if dice.chance(80) { quota.min[0] + dice.between(0, 3) } else { 0 };
        while left > 0 && steps.len() < 12 {
            let job = Job { leaf, ..draw_job(dice, world) };
            left -= job.ask[0].max(1) * i64::from(job.count);
            steps.insert(dice.index(steps.len() + 1), Step::Submit(job));
        }
    }
    steps
}

fn draw_job(dice: &mut Dice, world: &World) -> Job {
    let leaves: Vec<usize> = (0..world.quotas.len()).filter(|q| world.is_leaf(*q)).collect();
    let leaf = leaves.get(dice.index(leaves.len())).copied().unwrap_or(0);
    let few = |dice: &mut Dice, n: u64| u32::try_from(dice.below(n)).unwrap_or(0);
    let count = if dice.chance(15) { 2 + few(dice, 3) } else { 1 };
    let min = if count > 1 && dice.chance(50) { 1 + few(dice, u64::from(count)) } else { count };
    let two = world.capacity()[1] > 0;
    let cpu = if count > 1 { dice.between(1, 2) } else { dice.between(1, 3) };
    let gpu = if two && dice.chance(50) { dice.between(1, 2) } else { 0 };
    Job {
        leaf,
        ask: [if gpu > 0 && dice.chance(20) { 0 } else { cpu }, gpu, 0],
        count,
        min,
        priority: if dice.chance(50) { 0 } else { i32::try_from(dice.below(3)).unwrap_or(0) },
        preemptible: !dice.chance(8),
        traits: PodTraits::default(),
    }
}
