//! Plays random worlds by seed and tells which break a law: `cargo run --release -p quotree-testkit --example worlds --
//! FIRST COUNT`. Of a single seed the whole story is told. Each seed is played at once and with delays, calm and wild.

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
            if let Some(wrong) = played.wrong.first() {
                broken += 1;
                println!("seed {seed}, {name}: {wrong}");
                if count == 1 {
                    println!("{world:?}\n{}", played.trace.join("\n"));
                }
            }
        }
    }
    println!("{count} seeds, {broken} plays broken");
}
