//! A scheduler that is made from what a LIST shows goes on as the one before it (E4).

use quotree_testkit::{
    drive::{Play, drive},
    generate::Kinds,
    restart::{Restart, restarts},
    worlds::World,
};

/// Restarts in random worlds: how many were judged, evicted somebody, and lost holds.
fn played(when: Restart, seeds: u64) -> (u32, u32, u32) {
    let kinds = [Kinds::PLAIN, Kinds::CALM, Kinds { knobs: false, ..Kinds::WILD }];
    let (mut judged, mut evicting, mut holding) = (0, 0, 0);
    for seed in 0..seeds {
        for kind in kinds {
            for delays in [None, Some(seed)] {
                let world = World::random(seed, kind);
                let log = drive(&world, Play { delays, ..Play::AT_ONCE }).log;
                let all = restarts(&log, when);
                assert!(all.wrong.is_empty(), "seed {seed}, {kind:?}, {delays:?}: {}\n{world:?}", all.wrong.join("\n"));
                (judged, evicting, holding) = (judged + all.judged, evicting + all.evicting, holding + all.holding);
            }
        }
    }
    (judged, evicting, holding)
}

#[test]
fn e4_a_restart_at_rest_evicts_nobody_else() {
    let (judged, evicting, _) = played(Restart::AtRest, 400);
    assert!(judged > 5000 && evicting > 300, "{judged} restarts, {evicting} with evictions");
}

#[test]
fn e4_a_restart_under_way_loses_holds_and_nothing_else() {
    let (judged, evicting, holding) = played(Restart::UnderWay, 400);
    assert!(
        judged > 5000 && evicting > 300 && holding > 1000,
        "{judged} restarts, {evicting} with evictions, {holding} with holds"
    );
}
