//! What bounds a world besides guarantees: resources that are only capped (Q5) or that no quota names (Q2), nodes with
//! few places, asks that can never run (O4), and moments at which much happens (R2c).

use crate::{
    dice::Dice,
    generate::{Kinds, NO_MAX, draw_max},
    worlds::{Job, Quota, Step, Units, World},
};

/// What the quotas say about a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    /// Some have a min in it.
    Guaranteed,
    /// Some have a max in it, and none below the root a min.
    Capped,
    /// None names it.
    Ungoverned,
}

fn draw_role(dice: &mut Dice, capped: u64, ungoverned: u64) -> Role {
    match dice.below(100) {
        n if n < capped => Role::Capped,
        n if n < capped + ungoverned => Role::Ungoverned,
        _ => Role::Guaranteed,
    }
}

/// Changes a world that is drawn already.
pub(crate) fn draw_limits(dice: &mut Dice, world: &mut World, kinds: Kinds) {
    let roles = [draw_role(dice, 10, 4), draw_role(dice, 35, 15), draw_role(dice, 40, 35)];
    if dice.chance(60) {
        add_third(dice, world);
    }
    for (r, role) in roles.into_iter().enumerate() {
        let root = dice.chance(50) && world.quotas.len() > 1;
        for (q, quota) in world.quotas.iter_mut().enumerate() {
            let lent = quota.lend.as_mut();
            take_role(role, r, root && q == 0, &mut quota.min, &mut quota.max);
            if let Some(lend) = lent {
                cap(lend, r, quota.min);
            }
        }
        for step in &mut world.steps {
            if let Step::Edit(_, min, max) = step
                && dice.chance(80)
            {
                take_role(role, r, false, min, max);
            }
        }
    }
    draw_large_asks(dice, world, kinds);
    for q in 0..world.quotas.len() {
        let block = world.is_leaf(q) && kinds.quota_options && dice.chance(15);
        world.quotas.iter_mut().skip(q).take(1).for_each(|quota| quota.block |= block);
    }
    world.pace = u64::from(dice.chance(75));
}

fn cap(amounts: &mut Units, r: usize, most: Units) {
    if let (Some(amount), Some(most)) = (amounts.get_mut(r), most.get(r)) {
        *amount = (*amount).min(*most);
    }
}

fn take_role(role: Role, r: usize, keeps_min: bool, min: &mut Units, max: &mut Units) {
    let set = |amounts: &mut Units, to: i64| amounts.iter_mut().skip(r).take(1).for_each(|amount| *amount = to);
    if role == Role::Ungoverned || role == Role::Capped && !keeps_min {
        set(min, 0);
    }
    if role == Role::Ungoverned {
        set(max, NO_MAX);
    }
}

/// Adds the third resource: memory, or places of which every pod takes one.
fn add_third(dice: &mut Dice, world: &mut World) {
    let places = dice.chance(50);
    for node in &mut world.nodes {
        node[2] = if places { dice.between(1, 4) } else { dice.between(0, 8) };
    }
    let all: i64 = world.nodes.iter().map(|node| node[2]).sum();
    let mut left: Vec<i64> = Vec::new();
    for q in 0..world.quotas.len() {
        let parent = world.quotas.get(q).and_then(|quota| quota.parent);
        let above = parent.and_then(|parent| world.quotas.get(parent)).map_or(NO_MAX, |quota| quota.max[2]);
        let free = parent.and_then(|parent| left.get(parent)).copied().unwrap_or(all);
        let min = if parent.is_none() { all } else { dice.between(0, free) };
        if let Some(rest) = parent.and_then(|parent| left.get_mut(parent)) {
            *rest -= min;
        }
        left.push(min);
        let max = if parent.is_none() && dice.chance(70) { all } else { draw_max(dice, min, above) };
        if let Some(quota) = world.quotas.get_mut(q) {
            (quota.min[2], quota.max[2]) = (min, max);
            quota.lend.iter_mut().for_each(|lend| lend[2] = min);
        }
    }
    let quotas = world.quotas.clone();
    for step in &mut world.steps {
        match step {
            Step::Submit(job) => job.ask[2] = if places { 1 } else { dice.between(0, 4) },
            Step::Edit(quota, min, max) => {
                if let Some(Quota { min: old_min, max: old_max, .. }) = quotas.get(*quota) {
                    (min[2], max[2]) = (dice.between(0, old_min[2]), old_max[2]);
                }
            }
            _ => {}
        }
    }
}

/// Lets some workloads ask for more than they can ever get (O4), often with a priority that puts them first.
fn draw_large_asks(dice: &mut Dice, world: &mut World, kinds: Kinds) {
    let largest = world.nodes.iter().map(|node| node[0]).max().unwrap_or(0);
    let quotas = world.quotas.clone();
    for step in &mut world.steps {
        let Step::Submit(job) = step else { continue };
        let Some(leaf) = quotas.get(job.leaf) else { continue };
        if dice.chance(88) {
            continue;
        }
        match dice.below(3) {
            0 => job.ask[0] = largest + dice.between(0, 1),
            1 if leaf.max[0] != NO_MAX => job.ask[0] = leaf.max[0] + dice.between(0, 1),
            2 if kinds.non_preemptible => {
                job.ask[0] = job.ask[0].max(leaf.min[0] + dice.between(0, 1));
                job.preemptible = false;
            }
            _ => {}
        }
        if dice.chance(60) {
            job.priority = 3;
        }
        at_least_something(job);
    }
}

/// A pod that requests nothing fits everywhere, and tells nothing.
fn at_least_something(job: &mut Job) {
    if job.ask.iter().all(|amount| *amount == 0) {
        job.ask[0] = 1;
    }
}
