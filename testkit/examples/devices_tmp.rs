#![allow(missing_docs)]
use quotree_core::Action;
use quotree_testkit::{
    drive::*,
    generate::Kinds,
    worlds::{Step, World},
};
fn main() {
    let mut args = std::env::args().skip(1).map(|a| a.parse::<u64>().unwrap());
    let (from, to) = (args.next().unwrap(), args.next().unwrap());
    let (mut bad, mut sites, mut th, mut tb) = (0, 0, 0, 0);
    for seed in from..to {
        let world = World::random(seed, Kinds { sites: true, ..Kinds::MORE });
        if world.sites.is_empty() {
            continue;
        }
        sites += 1;
        for play in [Play::AT_ONCE, Play { delays: Some(seed), ..Play::AT_ONCE }] {
            let played = drive_beside(&world, play);
            if !played.wrong.is_empty() {
                bad += 1;
                if bad < 4 {
                    println!("seed {seed} {play:?}\n{}\n{world:?}\n{}", played.wrong[0], played.trace.join("\n"));
                }
            }
            if world.steps.iter().any(|s| matches!(s, Step::Submit(j) if j.looks.together.is_some())) {
                let t = played.trace.join("\n");
                th += usize::from(t.contains("hold"));
                tb += 1;
            }
        }
        let played = drive(&world, Play::AT_ONCE);
        if !played.wrong.is_empty() {
            bad += 1;
            if bad < 4 {
                println!("LAWS seed {seed}\n{}\n{world:?}\n{}", played.wrong.join("\n"), played.trace.join("\n"));
            }
        }
    }
    let _ = Action::Release { workload: quotree_core::WorkloadId(0), reason: quotree_core::ReleaseReason::TimedOut };
    println!("{sites} worlds, {bad} bad; together {tb}, with holds {th}");
}
