//! What users want, without the procedure: an entitled workload that could be helped is helped. In small worlds every set
//! of evictions over the whole cluster is tried (`quotree_testkit::oracle`). If a legal set makes room, a plan must have
//! been found, the set that V5 takes must be the best, and no explanation may deny that there is one.
//!
//! `QUOTREE_HELPED_WORLDS` sets how many worlds are played, from seed 0 on.

use quotree_testkit::{
    drive::{Play, drive},
    oracle::{Judged, judge, scenario, shrunk},
    owed,
    worlds::World,
};

/// Enough to see each kind of violation, and quick enough for every change.
const WORLDS: u64 = 2000;

fn judged(world: &World) -> Judged {
    let played = drive(world, Play::AT_ONCE);
    let mut judged = judge(&played.log, true);
    judged.violations.extend(played.violations);
    judged
}

/// The world made small, as Rust and as a scenario, with what happened and what is wrong.
fn told(seed: u64, world: &World) -> String {
    let small = shrunk(world, |world| !judged(world).violations.is_empty());
    let played = drive(&small, Play::AT_ONCE);
    let (story, text) = (played.trace.join("\n"), scenario(&played.log, "helped"));
    format!("seed {seed}\n{small:?}\n{story}\n{text}\n{}", judged(&small).violations.join("\n"))
}

#[test]
fn an_entitled_workload_that_could_be_helped_is_helped() {
    let mut all = Judged::default();
    let worlds = owed::worlds_to_play(WORLDS);
    for seed in 0..worlds {
        let world = owed::world(seed);
        let found = judged(&world);
        assert!(found.violations.is_empty(), "{}", told(seed, &world));
        all.waiting += found.waiting;
        all.sets += found.sets;
        all.choices += found.choices;
        all.explained += found.explained;
        all.advice += found.advice;
    }
    println!("{all:?}");
    assert!(all.waiting > worlds && all.explained > worlds && all.advice > worlds, "too little happens: {all:?}");
    assert!(all.sets > worlds / 1000, "V5 finds too few sets to judge it by: {all:?}");
}

/// The property says nothing if the oracle finds nothing: without V5 it does.
#[test]
fn without_sets_the_oracle_finds_who_could_be_helped() {
    let missed = |seed: &u64| {
        let mut world = owed::world(*seed);
        world.policy.bounds.sets = 0;
        judged(&world).violations.iter().any(|what| what.starts_with("MISS") && !what.contains("not confirmed"))
    };
    assert!((0..3000).any(|seed| missed(&seed)), "no entitled workload waits in vain where no sets are searched");
}
