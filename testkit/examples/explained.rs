//! Checks the explanations of random worlds by seed (X2, X3): `cargo run --release -p quotree-testkit --example
//! explained -- FIRST COUNT`. With a count of one it prints the world and what happened.

#![expect(clippy::print_stdout, reason = "a program that tells")]

use quotree_testkit::{
    drive::{Play, drive},
    explained::explained,
    generate::Kinds,
    worlds::World,
};

fn main() {
    let mut numbers = std::env::args().skip(1).filter_map(|arg| arg.parse::<u64>().ok());
    let (first, count) = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(1000));
    let mut broken = 0;
    let mut verdicts = 0;
    for seed in first..first + count {
        for (name, kinds, delays) in [
            ("pool", Kinds::PLAIN, None),
            ("calm", Kinds::CALM, None),
            ("calm, delays", Kinds::CALM, Some(seed)),
            ("wild", Kinds::WILD, None),
            ("wild, delays", Kinds::WILD, Some(seed)),
        ] {
            let world = World::random(seed, kinds);
            let played = drive(&world, Play { delays, ..Play::AT_ONCE });
            let found = explained(&played.log, 1);
            verdicts += found.bound_by.values().sum::<u32>();
            if let Some(violation) = found.violations.first() {
                broken += 1;
                println!("seed {seed}, {name}: {violation}");
                if count == 1 {
                    println!("{world:?}\n{}", played.trace.join("\n"));
                }
            }
        }
    }
    println!("{count} seeds, {verdicts} verdicts, {broken} plays broken");
}
