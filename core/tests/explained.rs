//! Properties of explanations over random small worlds. X2: a world that is minimised to what an explanation cites
//! gives the same verdict. X3: advice, applied as an event, places the workload in the next decision, and one unit less
//! does not. They are checked at rest, when a decision after an event without content changes nothing.

use proptest::{prelude::*, test_runner::RngSeed};
use quotree_core::Rule;
use quotree_testkit::{
    drive::{Play, drive},
    explained::{Explained, explained},
    generate::{Kinds, worlds},
    worlds::World,
};
use std::collections::BTreeMap;

fn cases(cases: u32) -> ProptestConfig {
    let usual = ProptestConfig::default();
    let rng_seed = if usual.rng_seed == RngSeed::Random { RngSeed::Fixed(2026) } else { usual.rng_seed };
    ProptestConfig { cases, rng_seed, failure_persistence: None, max_shrink_iters: 500, ..usual }
}

fn sound(world: &World, delays: Option<u64>) -> Result<(), TestCaseError> {
    let played = drive(world, Play { delays, ..Play::AT_ONCE });
    let found = explained(&played.log, 3);
    prop_assert!(
        found.violations.is_empty(),
        "\n{world:?}\n{}\n{}",
        played.trace.join("\n"),
        found.violations.join("\n")
    );
    Ok(())
}

proptest! {
    #![proptest_config(cases(120))]

    #[test]
    fn x2_x3_hold_in_a_pool(world in worlds(Kinds::PLAIN)) {
        sound(&world, None)?;
    }

    #[test]
    fn x2_x3_hold_on_nodes_with_gangs(world in worlds(Kinds::CALM)) {
        sound(&world, None)?;
    }

    #[test]
    fn x2_x3_hold_while_pods_leave_slowly(world in worlds(Kinds::CALM), seed in any::<u64>()) {
        sound(&world, Some(seed))?;
    }

    #[test]
    fn x2_x3_hold_in_wild_worlds(world in worlds(Kinds::WILD), seed in any::<u64>()) {
        sound(&world, (seed % 2 == 0).then_some(seed))?;
    }
}

/// Worlds in which an explanation once cited too little, or advice was not the smallest.
#[test]
fn explanations_that_once_cited_too_little() {
    let pools = [64, 1589].map(|seed| (seed, Kinds::PLAIN));
    let gangs = [218, 1269, 1428, 1581, 1748, 2539].map(|seed| (seed, Kinds::CALM));
    for (seed, kinds) in pools.into_iter().chain(gangs).chain([(713, Kinds::WILD)]) {
        for delays in [None, Some(seed)] {
            let found = explained(&drive(&World::random(seed, kinds), Play { delays, ..Play::AT_ONCE }).log, 1);
            assert!(found.violations.is_empty(), "seed {seed}: {:?}", found.violations);
        }
    }
}

/// The properties say nothing if all waits are of one kind, no advice is given, or nothing is left out.
#[test]
fn explanations_of_every_kind_occur() {
    let mut all = Explained::default();
    for seed in 0..150 {
        for kinds in [Kinds::CALM, Kinds::WILD] {
            let found = explained(&drive(&World::random(seed, kinds), Play::AT_ONCE).log, 3);
            let sum = |into: &mut BTreeMap<Rule, u32>, from: BTreeMap<Rule, u32>| {
                from.into_iter().for_each(|(rule, n)| *into.entry(rule).or_default() += n);
            };
            sum(&mut all.bound_by, found.bound_by);
            sum(&mut all.also, found.also);
            sum(&mut all.protected, found.protected);
            found.helps.into_iter().for_each(|(kind, n)| *all.helps.entry(kind).or_default() += n);
            all.cut = [all.cut[0] + found.cut[0], all.cut[1] + found.cut[1]];
        }
    }
    for rule in [Rule::A1, Rule::A2, Rule::A5, Rule::O2, Rule::P1] {
        assert!(all.bound_by.get(&rule).is_some_and(|n| *n > 8), "{rule} binds rarely: {:?}", all.bound_by);
    }
    for rule in [Rule::A1, Rule::P1, Rule::R1, Rule::R2a] {
        assert!(all.also.get(&rule).is_some_and(|n| *n > 20), "{rule} is rarely in the way: {:?}", all.also);
    }
    for rule in [Rule::R1, Rule::R2a, Rule::R2b, Rule::R2c, Rule::R5, Rule::R6] {
        assert!(all.protected.get(&rule).is_some_and(|n| *n > 8), "{rule} rarely protects: {:?}", all.protected);
    }
    for kind in ["MoreMin", "MoreMax", "FreeOnNode", "MoreJobs", "Preemptible", "Uncordon"] {
        assert!(all.helps.get(kind).is_some_and(|n| *n > 5), "{kind} rarely helps: {:?}", all.helps);
    }
    assert!(2 * all.cut[0] < all.cut[1], "the cuts leave {} of {} workloads", all.cut[0], all.cut[1]);
}
