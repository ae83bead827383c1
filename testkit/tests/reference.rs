//! Compares the core with the reference scheduler: in random worlds and in every smallest one, both decide the same for
//! the same reasons. A failure prints the world as Rust that can be pasted into a test, the first difference, and what
//! happened.
//!
//! The seed is fixed, so that everybody sees the same failure; `PROPTEST_RNG_SEED` sets another.

#![expect(clippy::indexing_slicing, reason = "a world has three resources in every row")]

use proptest::{prelude::*, test_runner::RngSeed};
use quotree_core::{Level, Placement};
use quotree_testkit::{
    drive::{Play, drive_with_reference},
    generate::{Kinds, worlds},
    smallest,
    traits::Mode,
    worlds::{Step, World},
};
use std::collections::BTreeMap;

fn cases(cases: u32) -> ProptestConfig {
    let usual = ProptestConfig::default();
    let rng_seed = if usual.rng_seed == RngSeed::Random { RngSeed::Fixed(2026) } else { usual.rng_seed };
    ProptestConfig { cases, rng_seed, failure_persistence: None, max_shrink_iters: 2000, ..usual }
}

fn alike(world: &World, play: Play) -> Result<(), TestCaseError> {
    let played = drive_with_reference(world, play);
    let story = || format!("{}\n{play:?}\n{world:?}\n{}", played.violations.join("\n"), played.trace.join("\n"));
    prop_assert!(played.violations.is_empty(), "\n{}", story());
    Ok(())
}

proptest! {
    #![proptest_config(cases(400))]

    #[test]
    fn the_reference_agrees_in_pools(world in worlds(Kinds::PLAIN), seed in any::<Option<u64>>()) {
        alike(&world, Play { delays: seed, ..Play::AT_ONCE })?;
    }

    #[test]
    fn the_reference_agrees_on_nodes_with_gangs(world in worlds(Kinds::CALM), seed in any::<Option<u64>>()) {
        alike(&world, Play { delays: seed, ..Play::AT_ONCE })?;
    }

    #[test]
    fn the_reference_agrees_where_quotas_lend_only_part(world in worlds(Kinds::LENDING), seed in any::<Option<u64>>()) {
        alike(&world, Play { delays: seed, ..Play::AT_ONCE })?;
    }

    #[test]
    fn the_reference_agrees_where_nobody_is_guaranteed_some_resource(world in worlds(Kinds::LIMITS), seed in any::<Option<u64>>()) {
        alike(&world, Play { delays: seed, ..Play::AT_ONCE })?;
    }

    // Drawn apart: a placement more to choose from would change every other random world.
    #[test]
    fn the_reference_agrees_on_least_gpus(mut world in worlds(Kinds::MORE)) {
        world.policy.placement = Placement::LeastGpus;
        alike(&world, Play::AT_ONCE)?;
    }

    #[test]
    fn the_reference_agrees_in_wild_worlds(world in worlds(Kinds::WILD), seed in any::<Option<u64>>()) {
        alike(&world, Play { delays: seed, ..Play::AT_ONCE })?;
    }
}

proptest! {
    #![proptest_config(cases(1200))]

    #[test]
    fn the_reference_agrees_in_a_cluster_that_goes_its_own_way(world in worlds(Kinds::LIVE), seed in any::<Option<u64>>()) {
        alike(&world, Play { delays: seed, ..Play::AT_ONCE })?;
    }

    #[test]
    fn the_reference_agrees_where_workloads_change(world in worlds(Kinds::CHANGES), seed in any::<Option<u64>>()) {
        alike(&world, Play { delays: seed, ..Play::AT_ONCE })?;
    }

    #[test]
    fn the_reference_agrees_whatever_there_is(world in worlds(Kinds::MORE), seed in any::<Option<u64>>()) {
        alike(&world, Play { delays: seed, ..Play::AT_ONCE })?;
    }
}

/// Worlds in which the two once disagreed, by the seed of their kind.
#[test]
fn worlds_that_were_once_decided_differently() {
    let delayed = |seed| Play { delays: Some(seed), ..Play::AT_ONCE };
    let nodes = Kinds { gangs: true, nodes: true, ..Kinds::PLAIN };
    let rows: &[(Kinds, &[u64])] = &[
        (Kinds::PLAIN, &[21_588, 44_358, 35_340]),
        (nodes, &[110, 160, 2895, 38_604]),
        (Kinds::CALM, &[217, 544, 1980, 2506, 3758]),
        (Kinds::WILD, &[1779, 2528, 2573, 3413, 3847, 4271, 16_324, 16_452, 18_205, 20_440, 30_868, 9_005_998]),
        (Kinds::LENDING, &[8_006_603, 8_000_799, 8_002_227]),
        (Kinds::CHANGES, &[1346]),
    ];
    for (kinds, seeds) in rows {
        for seed in *seeds {
            let world = World::random(*seed, *kinds);
            // When they were, what was created again was new.
            let new = World { aging: 0, ..world.clone() };
            for (world, play) in [&new, &world].into_iter().flat_map(|w| [(w, Play::AT_ONCE), (w, delayed(*seed))]) {
                let played = drive_with_reference(world, play);
                assert!(played.violations.is_empty(), "seed {seed}, {kinds:?}, {play:?}: {:?}", played.violations);
            }
        }
    }
}

fn has_mode(world: &World, mode: Mode) -> bool {
    world.devices && world.node_traits.iter().any(|site| site.mode == mode)
}

/// Whether some quota has a max in a resource, and none below the root a min (Q5).
fn is_capped(world: &World, r: usize) -> bool {
    let below = || world.quotas.iter().filter(|quota| quota.parent.is_some());
    below().any(|quota| quota.max[r] >= 0) && below().all(|quota| quota.min[r] == 0)
}

/// Whether nodes have a resource that no quota names (Q2).
fn is_ungoverned(world: &World, r: usize) -> bool {
    world.capacity()[r] > 0 && world.quotas.iter().all(|quota| quota.min[r] == 0 && quota.max[r] < 0)
}

/// The properties above say nothing about what does not occur: this must occur, in at least so many of 1200 worlds, as
/// many as the last property plays.
#[test]
fn the_worlds_cover_what_they_should() {
    let mut counts: BTreeMap<&str, u32> = BTreeMap::new();
    for seed in 0..1200 {
        let world = World::random(seed, Kinds::MORE);
        let delays = (seed % 2 == 1).then_some(seed);
        let mut seen = drive_with_reference(&world, Play { delays, ..Play::AT_ONCE }).seen;
        let jobs = || world.steps.iter().filter_map(|s| if let Step::Submit(job) = s { Some(job) } else { None });
        let has = |which: fn(&Step) -> bool| world.steps.iter().any(which);
        let alike = |a: usize, b: usize| jobs().nth(a) == jobs().nth(b);
        let drawn = [
            ("depth 5", (0..world.quotas.len()).any(|q| world.depth(q) == 5)),
            ("two resources", world.capacity()[1] > 0 && jobs().any(|job| job.ask[1] > 0)),
            ("nodes", world.nodes.len() > 1),
            ("devices", world.devices),
            ("named devices", world.devices && jobs().any(|job| job.traits.over > 0)),
            ("labels", jobs().any(|job| job.traits.kind.is_some())),
            ("three resources", jobs().any(|job| job.ask[2] > 0) && world.capacity()[1] > 0),
            ("a resource that is only capped", (0..3).any(|r| is_capped(&world, r))),
            ("a resource that no quota names", (0..3).any(|r| is_ungoverned(&world, r))),
            (
                "above a max",
                jobs().any(|job| world.quotas[job.leaf].max[0] >= 0 && job.ask[0] > world.quotas[job.leaf].max[0]),
            ),
            ("above a min for good", jobs().any(|job| !job.preemptible && job.ask[0] > world.quotas[job.leaf].min[0])),
            ("larger than any node", jobs().any(|job| world.nodes.iter().all(|node| job.ask[0] > node[0]))),
            ("several decisions at one moment", world.pace == 0),
            ("taints", world.node_traits.iter().any(|site| site.tainted) && jobs().any(|job| job.traits.tolerates)),
            ("exclusive devices", has_mode(&world, Mode::Exclusive)),
            ("shared devices", has_mode(&world, Mode::Share)),
            ("devices with cores", has_mode(&world, Mode::Cores) && jobs().any(|job| job.traits.cores > 0)),
            ("islands", has_mode(&world, Mode::Islands)),
            ("spread", world.devices && world.node_traits.iter().any(|site| site.spread)),
            ("unhealthy devices", has(|s| matches!(s, Step::Unhealthy(_, 1..)))),
            ("relabelled", has(|s| matches!(s, Step::ChangeMode(..)))),
            ("together on a node", jobs().any(|job| job.traits.together == Some(Level::Node))),
            ("together in a rack", jobs().any(|job| job.traits.together == Some(Level::Rack))),
            ("together in a zone", jobs().any(|job| job.traits.together == Some(Level::Zone))),
            ("gangs", jobs().any(|job| job.min > 1)),
            ("roles", world.roles && jobs().any(|job| job.count > 2)),
            ("elastic gangs", jobs().any(|job| job.min < job.count)),
            ("priorities", jobs().any(|job| job.priority > 0)),
            ("non-preemptible", jobs().any(|job| !job.preemptible)),
            ("budgets exhausted", world.budgets > 0 && has(|s| matches!(s, Step::Budget(_, 0)))),
            ("lending limits", world.quotas.iter().any(|q| q.lend.is_some())),
            ("job limits", world.quotas.iter().any(|q| q.jobs.is_some())),
            ("queues that block", world.quotas.iter().any(|q| q.block)),
            ("tree edits", has(|s| matches!(s, Step::Edit(..)))),
            ("node loss", world.nodes.len() > 1 && has(|s| matches!(s, Step::NodeDown(_)))),
            ("cordons", has(|s| matches!(s, Step::Cordon(_)))),
            ("pods that fail", has(|s| matches!(s, Step::Fail(_)))),
            ("gangs that grow", has(|s| matches!(s, Step::Grow(..)))),
            ("jobs beside replicas", ![0, u64::MAX].contains(&world.aging)),
            ("withdrawn", has(|s| matches!(s, Step::Withdraw(_)))),
            ("ties", world.every > 1 && (1..jobs().count()).any(|i| (0..i).any(|j| alike(i, j)))),
            ("fair shares", world.policy.reclaim == quotree_core::Reclaim::FairShare),
            ("every knob", world.policy != quotree_core::Policy::default()),
        ];
        seen.extend(drawn.into_iter().filter(|(_, is)| *is).map(|(word, _)| word));
        for word in seen {
            *counts.entry(word).or_default() += 1;
        }
    }
    let wanted = [
        ("depth 5", 60),
        ("two resources", 150),
        ("nodes", 150),
        ("devices", 50),
        ("named devices", 20),
        ("labels", 40),
        ("taints", 40),
        ("exclusive devices", 15),
        ("shared devices", 15),
        ("devices with cores", 10),
        ("islands", 15),
        ("spread", 20),
        ("unhealthy devices", 20),
        ("relabelled", 15),
        ("together on a node", 20),
        ("together in a rack", 40),
        ("together in a zone", 20),
        ("gangs", 200),
        ("roles", 50),
        ("elastic gangs", 150),
        ("priorities", 300),
        ("non-preemptible", 200),
        ("budgets exhausted", 60),
        ("lending limits", 150),
        ("job limits", 100),
        ("queues that block", 100),
        ("tree edits", 150),
        ("node loss", 60),
        ("cordons", 60),
        ("pods that fail", 100),
        ("gangs that grow", 100),
        ("jobs beside replicas", 400),
        ("withdrawn", 150),
        ("three resources", 150),
        ("a resource that is only capped", 200),
        ("a resource that no quota names", 100),
        ("above a max", 50),
        ("above a min for good", 100),
        ("larger than any node", 50),
        ("several decisions at one moment", 100),
        ("ties", 4),
        ("fair shares", 50),
        ("every knob", 250),
        ("guarantee", 300),
        ("borrowing", 200),
        ("gangs bound", 100),
        ("reclaim", 70),
        ("within a leaf", 60),
        ("gang evictions", 30),
        ("pruning", 8),
        ("holds pending", 60),
        ("held room", 100),
        ("holds that no longer fit", 3),
        ("holds taken over", 1),
        ("holds timed out", 1),
        ("holds ended by an edit", 3),
        ("holds ended by a lost node", 1),
        ("budgets broken", 2),
        ("ceilings enforced", 3),
        ("stale gangs", 1),
        ("evicted without a quota", 1),
    ];
    let short: Vec<String> = wanted
        .into_iter()
        .map(|(word, least)| (word, least, counts.get(word).copied().unwrap_or(0)))
        .filter(|(_, least, seen)| seen < least)
        .map(|(word, least, seen)| format!("{word}: {seen} of at least {least}"))
        .collect();
    assert!(short.is_empty(), "{short:#?}\n{counts:#?}");
}

/// One in 97 of the smallest worlds, which covers every tree and every list of pods. `cargo run --release -p
/// quotree-testkit --example smallest` plays all of them and takes minutes.
#[test]
fn s1_s2_s4_and_the_reference_hold_in_the_smallest_worlds() {
    let mut played = 0u64;
    for index in (0..smallest::count()).step_by(97) {
        let world = smallest::world(index);
        let violations = smallest::violations(&world);
        assert!(violations.is_empty(), "world {index}\n{world:?}\n{}", violations.join("\n"));
        played += 1;
    }
    assert!(played > 1000, "only {played} worlds");
}
