//! Plays random worlds with the core and the reference scheduler, and prints where they decide differently: `cargo run
//! --release -p quotree-testkit --example reference -- FIRST COUNT [KIND]`. With a count of one it prints the world and
//! what happened.

#![expect(clippy::print_stdout, reason = "a program that tells")]

use quotree_testkit::{
    drive::{Play, drive_with_reference},
    generate::Kinds,
    worlds::World,
};

fn main() {
    let mut words = std::env::args().skip(1);
    let mut number = |usual| words.next().and_then(|word| word.parse::<u64>().ok()).unwrap_or(usual);
    let (first, count) = (number(0), number(1000));
    let only = words.next();
    let mut differ = 0u64;
    let mut compared = 0u64;
    for seed in first..first + count {
        let delays = Play { delays: Some(seed), ..Play::AT_ONCE };
        let plays = [
            ("pool", Kinds::PLAIN, Play::AT_ONCE),
            ("pool, delays", Kinds::PLAIN, delays),
            ("nodes", Kinds { nodes: true, ..Kinds::PLAIN }, Play::AT_ONCE),
            ("gangs", Kinds { gangs: true, nodes: true, ..Kinds::PLAIN }, Play::AT_ONCE),
            ("calm", Kinds::CALM, Play::AT_ONCE),
            ("calm, delays", Kinds::CALM, delays),
            ("lending", Kinds::LENDING, Play::AT_ONCE),
            ("lending, delays", Kinds::LENDING, delays),
            ("wild", Kinds::WILD, Play::AT_ONCE),
            ("wild, delays", Kinds::WILD, delays),
            ("more", Kinds::MORE, Play::AT_ONCE),
            ("more, delays", Kinds::MORE, delays),
        ];
        for (name, kinds, play) in plays {
            if only.as_deref().is_some_and(|only| only != name) {
                continue;
            }
            let world = World::random(seed, kinds);
            let played = drive_with_reference(&world, play);
            compared += played.decisions;
            if let Some(violation) = played.violations.first() {
                differ += 1;
                println!("seed {seed}, {name}: {violation}");
                if count == 1 {
                    println!("{world:?}\n{}", played.trace.join("\n"));
                }
            }
        }
    }
    println!("{count} seeds, {compared} decisions compared, {differ} plays differ");
}
