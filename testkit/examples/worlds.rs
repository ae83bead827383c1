//! Plays random worlds by seed and prints the violations of laws: `cargo run --release -p quotree-testkit --example
//! worlds -- FIRST COUNT`. With a count of one it prints the world and what happened. Each seed is played at once and
//! with delays, as calm and wild worlds.

#![expect(clippy::print_stdout, reason = "a program that tells")]

use quotree_testkit::{
    drive::{Play, drive},
    generate::Kinds,
    worlds::World,
};

fn main() {
    let mut numbers = std::env::args().skip(1).filter_map(|arg| arg.parse::<u64>().ok());
    let (first, count) = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(1000));
    let mut broken = 0;
    for seed in first..first + count {
        let plays = [
            ("pool", Kinds::PLAIN, Play { delays: None, settles: true, guaranteed: true }),
            (
                "pool, gangs",
                Kinds { gangs: true, ..Kinds::PLAIN },
                Play { delays: None, settles: true, guaranteed: true },
            ),
            ("calm", Kinds::CALM, Play { delays: None, settles: true, guaranteed: false }),
            ("calm, delays", Kinds::CALM, Play { delays: Some(seed), settles: true, guaranteed: false }),
            ("lending", Kinds::LENDING, Play { delays: None, settles: true, guaranteed: false }),
            ("lending, delays", Kinds::LENDING, Play { delays: Some(seed), settles: true, guaranteed: false }),
            ("wild", Kinds::WILD, Play::AT_ONCE),
            ("wild, delays", Kinds::WILD, Play { delays: Some(seed), ..Play::AT_ONCE }),
        ];
        for (name, kinds, play) in plays {
            let world = World::random(seed, kinds);
            let played = drive(&world, play);
            if let Some(violation) = played.violations.first() {
                broken += 1;
                println!("seed {seed}, {name}: {violation}");
                if count == 1 {
                    println!("{world:?}\n{}", played.trace.join("\n"));
                }
            }
        }
    }
    println!("{count} seeds, {broken} plays broken");
}
