//! Worlds out of seeds.
use quotree_sim::scenario::{MapLoader, format, load};
use quotree_swarm::World;

#[test]
fn every_world_loads_and_is_formatted() {
    for seed in 0..300 {
        let world = World::draw(seed);
        let loaded = load("x.ron", &MapLoader::new().with("x.ron", world.text.as_str()));
        let told: Vec<String> = loaded.diagnostics.iter().map(ToString::to_string).collect();
        assert!(loaded.scenario.is_some(), "seed {seed}: {told:#?}\n{}", world.text);
        assert_eq!(format(&world.text).as_ref(), Ok(&world.text), "seed {seed}");
    }
}
