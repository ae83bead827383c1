//! A scheduler that is made from what a LIST shows goes on as the one before it (E4).

use quotree_testkit::{
    drive::{Play, drive},
    generate::Kinds,
    restart::restarts,
    worlds::World,
};

#[test]
fn e4_a_restart_at_rest_evicts_nobody_else() {
    let kinds = [Kinds::PLAIN, Kinds::CALM, Kinds { knobs: false, ..Kinds::WILD }];
    let (mut judged, mut evicting) = (0, 0);
    for seed in 0..400 {
        for kind in kinds {
            for delays in [None, Some(seed)] {
                let world = World::random(seed, kind);
                let log = drive(&world, Play { delays, ..Play::AT_ONCE }).log;
                let (wrong, more, some) = restarts(&log);
                assert!(wrong.is_empty(), "seed {seed}, {kind:?}, {delays:?}: {}\n{world:?}", wrong.join("\n"));
                (judged, evicting) = (judged + more, evicting + some);
            }
        }
    }
    assert!(judged > 5000 && evicting > 300, "{judged} restarts, {evicting} with evictions");
}
