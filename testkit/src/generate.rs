//! Random small scenarios in which much happens: trees with room to borrow, more demand than capacity, gangs, ties,
//! non-preemptible pods. A seed always gives the same scenario.

use crate::{
    dice::Dice,
    limits::draw_limits,
    traits::{Mode, NodeTraits, PodTraits},
    worlds::{Job, Quota, Step, Units, World, amounts},
};
use proptest::prelude::*;
use quotree_core::{
    BorrowWhilePreempting, EnforceMax, Floor, Level, Order, Placement, PodTemplate, Policy, Preemption, Reclaim,
    RespectBudgets, TypicalPod, Unquotaed, VictimOrder, WithinQueuePreemption,
};

/// The value that means no max.
pub(crate) const NO_MAX: i64 = -1;

/// The features that a random scenario may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kinds {
    /// Several nodes instead of a pool.
    pub nodes: bool,
    /// Gangs and elastic gangs.
    pub gangs: bool,
    /// Non-preemptible pods.
    pub non_preemptible: bool,
    /// Lending limits, job limits and blocking queues.
    pub quota_options: bool,
    /// Lending limits on most quotas.
    pub lending: bool,
    /// Faults and edits.
    pub faults: bool,
    /// Policies other than the default.
    pub knobs: bool,
    /// Deeper trees, budgets, roles, pods that fail, gangs that grow, pods without a quota, and more policy settings.
    pub more: bool,
    /// Labels, taints, modes of devices, unhealthy devices, racks and zones, and pods that request them.
    pub node_traits: bool,
    /// Resources that nobody is guaranteed, a third resource, asks that can never run, several decisions at one moment.
    pub limits: bool,
    /// A cluster in which not everything goes by plan: pods that others bound (E1), evictions that fail
    /// (E2), pods that are bound elsewhere (E3).
    pub live: bool,
    /// Workloads that name their leaf, that evict nobody (R9), and that change after they were submitted.
    pub changes: bool,
}

impl Kinds {
    /// The scenarios to which S2 and S4 apply: a pool, preemptible pods, the default policy, no faults.
    pub const PLAIN: Self = Self {
        nodes: false,
        gangs: false,
        non_preemptible: false,
        quota_options: false,
        lending: false,
        faults: false,
        knobs: false,
        more: false,
        node_traits: false,
        limits: false,
        live: false,
        changes: false,
    };
    /// Fixed demand with everything that can be requested, under the default policy.
    pub const CALM: Self = Self { nodes: true, gangs: true, non_preemptible: true, ..Self::PLAIN };
    /// The same with resources that nobody is guaranteed, and asks that can never run.
    pub const LIMITS: Self = Self { limits: true, ..Self::CALM };
    /// The same as [`Self::CALM`] in trees in which most quotas keep part of their min from lending (L3).
    pub const LENDING: Self = Self { lending: true, ..Self::CALM };
    /// Everything.
    pub const WILD: Self = Self {
        nodes: true,
        gangs: true,
        non_preemptible: true,
        quota_options: true,
        lending: false,
        faults: true,
        knobs: true,
        more: false,
        node_traits: false,
        limits: false,
        live: false,
        changes: false,
    };
    /// All features, for the comparison with the reference.
    pub const MORE: Self = Self { more: true, node_traits: true, limits: true, ..Self::WILD };
    /// All features, and a cluster in which not everything goes by plan.
    pub const LIVE: Self = Self { live: true, ..Self::MORE };
    /// The same, and workloads that change.
    pub const CHANGES: Self = Self { changes: true, ..Self::LIVE };
}

/// Scenarios for proptest; a failing one shrinks to fewer steps.
pub fn worlds(kinds: Kinds) -> impl Strategy<Value = World> {
    any::<u64>().no_shrink().prop_flat_map(move |seed| {
        let world = World::random(seed, kinds);
        let kept = proptest::collection::vec(proptest::bool::weighted(0.97), world.steps.len());
        kept.prop_map(move |kept| {
            let steps = world.steps.iter().zip(kept).filter(|(_, kept)| *kept).map(|(step, _)| *step).collect();
            World { steps, ..world.clone() }
        })
    })
}

impl World {
    /// The scenario of this seed.
    #[must_use]
    pub fn random(seed: u64, kinds: Kinds) -> Self {
        Self::draw(Dice::new(seed), kinds)
    }

    /// The scenario that these bytes determine; every byte string gives one.
    #[must_use]
    pub fn from_bytes(bytes: &[u8], kinds: Kinds) -> Self {
        Self::draw(Dice::scripted(bytes), kinds)
    }

    fn draw(mut dice: Dice, kinds: Kinds) -> Self {
        let dice = &mut dice;
        let two = dice.chance(45);
        let capacity = [dice.between(4, 16), if two { 2 * dice.between(1, 5) } else { 0 }, 0];
        // Lending limits, job limits and blocking queues leave little to reclaim: half of the worlds do without.
        let kinds = if kinds.more && dice.chance(50) { Kinds { quota_options: false, ..kinds } } else { kinds };
        let mut world = Self::new(&[]);
        world.quotas = draw_tree(dice, capacity, kinds);
        world.nodes = if kinds.nodes && dice.chance(50) { split(dice, capacity) } else { vec![capacity] };
        if dice.chance(15) && world.nodes.len() == 1 {
            world.nodes = vec![capacity.map(|n| if n > 0 { n + 2 } else { 0 })];
        }
        world.devices = kinds.nodes && two && dice.chance(50);
        world.every = if dice.chance(25) { 3 } else { 1 };
        if kinds.knobs && dice.chance(60) {
            world.policy = draw_policy(dice);
            if kinds.more {
                draw_more_knobs(dice, &mut world.policy);
            }
        }
        if kinds.more {
            world.budgets = dice.index(4);
            world.roles = dice.chance(30);
        }
        let steps = if kinds.more { dice.between(12, 34) } else { dice.between(4, 22) };
        world.steps = (0..steps).map(|_| draw_step(dice, &world, capacity, kinds)).collect();
        // Drawn last, so that it changes nothing else about the world of a seed.
        if kinds.node_traits && world.nodes.len() > 1 && dice.chance(if world.devices { 70 } else { 50 }) {
            draw_node_traits(dice, &mut world);
        }
        if kinds.limits && dice.chance(if kinds.more { 60 } else { 100 }) {
            draw_limits(dice, &mut world, kinds);
        }
        // Half of the worlds have both: jobs, which keep their age, and replicas, which do not.
        world.aging = match dice.below(4) {
            0 => 0,
            1 => u64::MAX,
            _ => dice.below(u64::MAX),
        };
        if kinds.live {
            draw_live_steps(dice, &mut world);
        }
        if kinds.changes {
            draw_changes(dice, &mut world);
        }
        world
    }
}

fn draw_tree(dice: &mut Dice, capacity: Units, kinds: Kinds) -> Vec<Quota> {
    let root_max = capacity.map(|n| if n == 0 { NO_MAX } else { n });
    let mut quotas = vec![Quota::new(None, capacity, root_max)];
    let mut depths = vec![0];
    let mut leaves = vec![0];
    let wanted = dice.index(8) + 1;
    let deepest = if kinds.more { 5 } else { 4 };
    while leaves.len() < wanted {
        let open: Vec<usize> =
            leaves.iter().copied().filter(|l| depths.get(*l).is_some_and(|d| *d < deepest)).collect();
        let parent = if dice.chance(60) { open.last() } else { open.get(dice.index(open.len())) };
        let Some(parent) = parent.copied() else { break };
        let Some((depth, above)) = depths.get(parent).copied().zip(quotas.get(parent).copied()) else { break };
        leaves.retain(|leaf| *leaf != parent);
        let mut left = above.min;
        for _ in 0..1 + dice.index(3) {
            let min = up_to(dice, left);
            left = [left[0] - min[0], left[1] - min[1], 0];
            let max = [draw_max(dice, min[0], above.max[0]), draw_max(dice, min[1], above.max[1]), NO_MAX];
            leaves.push(quotas.len());
            depths.push(depth + 1);
            quotas.push(Quota::new(Some(parent), min, max));
        }
    }
    for quota in quotas.iter_mut().filter(|_| kinds.lending) {
        quota.lend = dice.chance(60).then(|| up_to(dice, quota.min));
    }
    for quota in quotas.iter_mut().filter(|_| kinds.quota_options) {
        if dice.chance(15) {
            quota.lend = Some(up_to(dice, quota.min));
        }
        quota.jobs = dice.chance(8).then(|| 1 + u32::try_from(dice.below(4)).unwrap_or(0));
        quota.block = dice.chance(10);
    }
    quotas
}

/// A max between a min and the parent's max; sometimes none.
pub(crate) fn draw_max(dice: &mut Dice, min: i64, above: i64) -> i64 {
    if above == NO_MAX || dice.chance(40) {
        above
    } else if dice.chance(8) {
        NO_MAX
    } else {
        dice.between(min, above)
    }
}

/// Amounts of cpu and GPUs, at most these. The third resource is drawn by `limits` alone.
pub(crate) fn up_to(dice: &mut Dice, [cpu, gpu, _]: Units) -> Units {
    [dice.between(0, cpu), dice.between(0, gpu), 0]
}

fn split(dice: &mut Dice, capacity: Units) -> Vec<Units> {
    let [mut cpu, mut gpu, _] = capacity;
    let mut nodes = Vec::new();
    while cpu > 0 && nodes.len() < 4 {
        let part = [dice.between(1, cpu.min(8)), if gpu > 0 { 2 * dice.between(0, gpu / 2) } else { 0 }, 0];
        nodes.push(part);
        cpu -= part[0];
        gpu -= part[1];
    }
    if cpu > 0 || gpu > 0 {
        nodes.push([cpu, gpu, 0]);
    }
    nodes
}

fn draw_policy(dice: &mut Dice) -> Policy {
    Policy {
        order: dice.one_of([Order::GuaranteedFirst, Order::GuaranteedFirst, Order::Fifo, Order::Share]),
        within: dice.one_of([
            WithinQueuePreemption::LowerPriority,
            WithinQueuePreemption::LowerOrNewerEqual,
            WithinQueuePreemption::Never,
        ]),
        preemption: dice.one_of([
            Preemption::Auto,
            Preemption::Auto,
            Preemption::ReclaimOnly,
            Preemption::PriorityOnly,
        ]),
        floor: dice.one_of([Floor::Pod, Floor::Strict]),
        victims: dice.one_of([VictimOrder::FairThenLatest, VictimOrder::Latest]),
        placement: dice.one_of([
            Placement::BestFit,
            Placement::Binpack,
            Placement::Spread,
            Placement::Random { seed: 7 },
        ]),
        min_runtime_ms: if dice.chance(20) { 100 } else { 0 },
        hold_timeout_ms: dice.chance(20).then_some(60),
        stale_after_ms: dice.chance(20).then_some(200),
        ..Policy::default()
    }
}

fn draw_typical(dice: &mut Dice) -> TypicalPod {
    let request = amounts([dice.between(0, 6), dice.between(0, 4), 0]);
    let weight = u32::try_from(dice.below(9)).unwrap_or(0);
    TypicalPod { template: PodTemplate { request, ..PodTemplate::default() }, weight }
}

fn draw_more_knobs(dice: &mut Dice, policy: &mut Policy) {
    policy.reclaim = dice.one_of([Reclaim::Min, Reclaim::Min, Reclaim::FairShare, Reclaim::Off]);
    policy.growth = if dice.chance(10) { BorrowWhilePreempting::Allowed } else { BorrowWhilePreempting::Refused };
    policy.respect_budgets = dice.one_of([RespectBudgets::Prefer, RespectBudgets::Prefer, RespectBudgets::Always]);
    policy.hold_timeout_ms = policy.hold_timeout_ms.map(|_| 5 + dice.below(35));
    policy.unquotaed = dice.one_of([Unquotaed::Refuse, Unquotaed::Schedule]);
    policy.enforce_max = if dice.chance(25) { EnforceMax::After { ms: dice.below(80) } } else { EnforceMax::Never };
    if dice.chance(60) {
        let by_pod = [Placement::DotProduct, Placement::GpuPacking, Placement::GpuClustering, Placement::Fgd];
        policy.placement = dice.one_of(by_pod);
    }
    if policy.placement == Placement::Fgd {
        policy.typical = (0..dice.below(5)).map(|_| draw_typical(dice)).collect();
    }
}

fn draw_step(dice: &mut Dice, world: &World, capacity: Units, kinds: Kinds) -> Step {
    let quotas = world.quotas.len();
    if kinds.more && dice.chance(14) {
        let few = |dice: &mut Dice| u32::try_from(dice.below(3)).unwrap_or(0);
        return match dice.below(4) {
            0 => Step::Fail(dice.index(16)),
            1 => Step::Grow(dice.index(16), 1 + few(dice)),
            _ => Step::Budget(dice.index(4), few(dice)),
        };
    }
    let pick = dice.below(100);
    match pick {
        0..=7 => Step::Finish(dice.index(16)),
        8..=11 => Step::Withdraw(dice.index(16)),
        12..=19 => Step::Tick(dice.below(120)),
        20..=22 if kinds.faults => Step::NodeDown(dice.index(8)),
        23..=25 if kinds.faults => Step::NodeUp(dice.index(8)),
        26..=27 if kinds.faults => Step::Cordon(dice.index(8)),
        28..=31 if kinds.faults => {
            let quota = dice.index(quotas);
            let old = world.quotas.get(quota).map_or(capacity, |q| q.max.map(|n| n.max(0)));
            let [cpu, gpu, _] = old.map(|n| n + 2);
            let [cpu, gpu, _] = up_to(dice, [cpu, gpu, 0]);
            Step::Edit(quota, up_to(dice, [cpu, gpu, 0]), [cpu, gpu, NO_MAX])
        }
        32..=33 if kinds.faults => Step::BindsFail(1 + u32::try_from(dice.below(2)).unwrap_or(0)),
        34..=35 if kinds.faults => Step::Priority(dice.index(16), i32::try_from(dice.below(4)).unwrap_or(0)),
        36 if kinds.faults => Step::Drain(dice.index(8)),
        _ => Step::Submit(draw_job(dice, world, capacity, kinds)),
    }
}

fn draw_job(dice: &mut Dice, world: &World, [cpu, gpu, _]: Units, kinds: Kinds) -> Job {
    let leaves: Vec<usize> = (0..world.quotas.len()).filter(|q| world.is_leaf(*q)).collect();
    let leaf = leaves.get(dice.index(leaves.len())).copied().unwrap_or(0);
    // An inner quota has no namespace, so such a job has no quota.
    let leaf = if kinds.more && dice.chance(6) { 0 } else { leaf };
    let gang = kinds.gangs && dice.chance(25);
    let count = if gang { 2 + u32::try_from(dice.below(3)).unwrap_or(0) } else { 1 };
    let min =
        if gang && dice.chance(35) { 1 + u32::try_from(dice.below(u64::from(count))).unwrap_or(0) } else { count };
    let most = if gang { (cpu / 4).max(1) } else { (cpu / 2).max(1) };
    let halves = if gpu > 0 && dice.chance(60) { dice.one_of([1, 2, 2, 4]) } else { 0 };
    let priority = if dice.chance(40) { 0 } else { i32::try_from(dice.below(4)).unwrap_or(0) };
    let preemptible = !(kinds.non_preemptible && dice.chance(12));
    Job {
        leaf,
        ask: [dice.between(i64::from(halves == 0), most), halves.min(gpu), 0],
        count,
        min,
        priority,
        preemptible,
        traits: PodTraits::default(),
    }
}

fn draw_mode(dice: &mut Dice) -> Mode {
    dice.one_of([Mode::Fraction, Mode::Fraction, Mode::Exclusive, Mode::Share, Mode::Cores, Mode::Islands])
}

fn draw_node_traits(dice: &mut Dice, world: &mut World) {
    let (labels, taints, racks) = (dice.chance(40), dice.chance(40), dice.chance(60));
    let small = |dice: &mut Dice, n: u64| u8::try_from(dice.below(n)).unwrap_or(0);
    let same = if dice.chance(50) { Some(draw_mode(dice)) } else { None };
    world.node_traits = (0..world.nodes.len())
        .map(|_| NodeTraits {
            mode: same.unwrap_or_else(|| draw_mode(dice)),
            spread: dice.chance(30),
            kind: (labels && dice.chance(70)).then(|| small(dice, 2)),
            tainted: taints && dice.chance(40),
            zone: (racks && dice.chance(80)).then(|| small(dice, 2)),
            rack: (racks && dice.chance(80)).then(|| small(dice, 2)),
        })
        .collect();
    let devices = world.devices;
    for step in &mut world.steps {
        let Step::Submit(job) = step else { continue };
        job.traits = PodTraits {
            over: if devices && job.ask[1] > 1 && dice.chance(30) { 2 } else { 0 },
            cores: if devices && dice.chance(15) { 20 * dice.between(1, 4) } else { 0 },
            kind: (labels && dice.chance(30)).then(|| small(dice, 2)),
            tolerates: taints && dice.chance(50),
            together: (job.count > 1 && dice.chance(70))
                .then(|| dice.one_of([Level::Node, Level::Rack, Level::Rack, Level::Zone])),
            ..PodTraits::default()
        };
    }
    for _ in 0..if devices { dice.below(4) } else { 0 } {
        let (at, node) = (dice.index(world.steps.len()), dice.index(8));
        let step = if dice.chance(60) {
            Step::Unhealthy(node, dice.below(4))
        } else {
            Step::ChangeMode(node, draw_mode(dice))
        };
        world.steps.insert(at, step);
    }
}

/// Adds steps in which the cluster goes its own way.
fn draw_live_steps(dice: &mut Dice, world: &mut World) {
    for _ in 0..1 + dice.below(6) {
        let step = match dice.below(3) {
            0 => Step::Found(dice.index(16), dice.index(8), dice.index(3)),
            1 => Step::BindsElsewhere(1 + u32::try_from(dice.below(3)).unwrap_or(0), 1 + dice.index(7)),
            _ => Step::EvictionsFail(1 + u32::try_from(dice.below(3)).unwrap_or(0)),
        };
        let at = dice.index(world.steps.len() + 1);
        world.steps.insert(at, step);
    }
}

/// Lets some workloads name their leaf and some evict nobody, and adds steps in which workloads change.
fn draw_changes(dice: &mut Dice, world: &mut World) {
    let few = |dice: &mut Dice, n: u64| u32::try_from(dice.below(n)).unwrap_or(0);
    world.policy.bind_back_off_ms = dice.chance(50).then(|| 1 + dice.below(20));
    for step in &mut world.steps {
        let Step::Submit(job) = step else { continue };
        job.traits.names_leaf = dice.chance(20);
        job.traits.evicts_nobody = dice.chance(20);
    }
    for _ in 0..1 + dice.below(6) {
        let step = match dice.below(6) {
            5 => Step::TakeBack(dice.index(3)),
            4 => Step::BindsFail(1 + few(dice, 3)),
            0 => Step::Rebudget(dice.index(16), dice.index(5)),
            1 => Step::Minimum(dice.index(16), few(dice, 6)),
            _ => Step::Change(dice.index(32), dice.index(5)),
        };
        let at = dice.index(world.steps.len() + 1);
        world.steps.insert(at, step);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The generator covers what it is for, often enough.
    #[test]
    fn the_generator_covers_what_it_should() {
        let mut seen = [0u32; 9];
        let worlds: Vec<World> = (0..2000).map(|seed| World::random(seed, Kinds::WILD)).collect();
        for world in &worlds {
            let jobs = || world.steps.iter().filter_map(|s| if let Step::Submit(job) = s { Some(job) } else { None });
            let deepest = (0..world.quotas.len()).map(|q| world.depth(q)).max();
            let demand: i64 = jobs().map(|j| j.ask[0] * i64::from(j.count)).sum();
            let priorities: Vec<_> = jobs().map(|j| (j.leaf, j.priority)).collect();
            let covered = [
                deepest == Some(4),
                world.quotas.iter().any(|q| q.parent.is_some() && q.max[0] > q.min[0]),
                jobs().any(|j| j.count > 1),
                jobs().any(|j| j.min < j.count),
                world.every > 1 && (1..priorities.len()).any(|i| priorities[..i].contains(&priorities[i])),
                demand > world.capacity()[0],
                jobs().any(|j| !j.preemptible),
                world.nodes.len() > 1,
                world.capacity()[1] > 0,
            ];
            for (count, covered) in seen.iter_mut().zip(covered) {
                *count += u32::from(covered);
            }
        }
        let names = [
            "depth 4",
            "borrowing room",
            "gangs",
            "elastic",
            "ties",
            "over-commitment",
            "non-preemptible",
            "nodes",
            "two",
        ];
        for (name, count) in names.iter().zip(seen) {
            assert!(count >= 200, "only {count} of 2000 worlds have {name}");
        }
    }

    #[test]
    fn drawn_trees_are_valid() {
        for seed in 0..2000 {
            let world = World::random(seed, Kinds::WILD);
            let tree = quotree_core::QuotaTree::new(&world.tree(), Default::default());
            assert!(tree.is_ok(), "seed {seed}: {:?}\n{world:?}", tree.err());
        }
    }
}
