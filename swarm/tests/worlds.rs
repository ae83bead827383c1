//! Random scenarios from seeds: they load, their runs satisfy the laws, and together they cover all features.

use quotree_sim::{
    Scenario,
    scenario::{MapLoader, format, load},
};
use quotree_swarm::{Feature, World, calm_from, play};
use std::collections::BTreeMap;

/// How many seeds the tests use.
const SEEDS: u64 = 400;

#[expect(clippy::panic, reason = "a test that cannot go on fails")]
fn scenario(text: &str) -> Scenario {
    let loaded = load("x.ron", &MapLoader::new().with("x.ron", text));
    let told: Vec<String> = loaded.diagnostics.iter().map(ToString::to_string).collect();
    loaded.scenario.unwrap_or_else(|| panic!("{told:#?}\n{text}"))
}

#[test]
fn every_world_loads_is_formatted_and_comes_to_a_calm_phase() {
    for seed in 0..SEEDS {
        let text = World::draw(seed).text;
        assert_eq!(format(&text).as_ref(), Ok(&text), "seed {seed}");
        let calm = calm_from(&scenario(&text));
        // Three hours of everything, and what began in the last of them and takes its time: outages, drains, repairs.
        assert!(calm.is_some_and(|calm| calm.0 <= 14_400_000), "seed {seed}: {calm:?}");
    }
}

#[test]
fn s1_s2_s3_s4_h2_i1_to_i8_i12_hold_in_the_swarm() {
    let mut features: BTreeMap<Feature, u32> = BTreeMap::new();
    let mut seen: BTreeMap<String, u64> = BTreeMap::new();
    for seed in 0..SEEDS {
        let world = World::draw(seed);
        let played = play(&scenario(&world.text));
        assert!(played.failures.is_empty(), "quotree swarm --seeds 1 --first {seed}: {:#?}", played.failures);
        for feature in world.features.iter() {
            *features.entry(feature).or_default() += 1;
        }
        for (what, count) in played.seen {
            *seen.entry(what).or_default() += count;
        }
    }
    // The generator covers what it says, and the worlds are not tame.
    let missing: Vec<&str> = Feature::ALL.iter().filter(|f| !features.contains_key(f)).map(|f| f.name()).collect();
    assert_eq!(missing, [""; 0]);
    for (what, least) in [
        ("evictions by R1", 20),
        ("evictions by R2", 100),
        ("evictions by T4", 1),
        ("evictions in the calm phase", 20),
        ("evictions without quota", 5),
        ("gangs evicted", 2),
        ("holds", 100),
        ("holds that ended early", 2),
        ("budgets broken", 2),
        ("failed binds", 100),
        ("lost evictions", 5),
        ("failed evictions", 5),
        ("pods resized", 20),
        ("restarts judged", 20),
        ("nodes lost", 50),
        ("trees replaced", 50),
        ("refused edits", 5),
        ("runs judged at rest", SEEDS - 4),
        ("jobs released by queues", 100),
        ("jobs released again", 5),
        ("jobs suspended at rest", 50),
        ("binds with a topology level", 50),
        ("binds on exclusive devices", 5),
        ("binds on shared devices", 5),
        ("binds on cores and memory", 5),
        ("binds on close devices", 5),
        ("unhealthy devices", 10),
        ("nodes relabelled", 5),
        ("edits of users and groups", 10),
        ("refused submissions and edits", 50),
        ("starts beside a job that waits for no more", 50),
    ] {
        assert!(seen.get(what).is_some_and(|count| *count >= least), "{what}: {:?} of {least}", seen.get(what));
    }
}
