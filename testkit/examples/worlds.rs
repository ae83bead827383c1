//! Plays random worlds by seed and prints what is wrong: `cargo run --release -p quotree-testkit --example worlds -- CHECK
//! FIRST COUNT [KIND]`. CHECK is `laws` (S1 to S4 and the invariants), `reference` (the reference scheduler decides the same),
//! `explanations` (X2, X3) or `helped` (V5, by brute force). Each seed is played as several kinds of worlds, at once and with
//! delays; KIND picks one. `helped` has worlds of its own, and plays each once. With a COUNT of 1 the world and what happened is
//! printed, too.

#![expect(clippy::print_stdout, reason = "a program that prints its findings")]

use quotree_testkit::{
    drive::{Play, Played, drive, drive_with_reference},
    explained::explained,
    generate::Kinds,
    oracle, owed,
    worlds::World,
};

/// The kinds of worlds that each check plays, by name.
fn kinds(check: &str) -> Vec<(&'static str, Kinds)> {
    let gangs = Kinds { gangs: true, ..Kinds::PLAIN };
    let (pool, calm, wild) = (("pool", Kinds::PLAIN), ("calm", Kinds::CALM), ("wild", Kinds::WILD));
    let (lending, limits) = (("lending", Kinds::LENDING), ("limits", Kinds::LIMITS));
    match check {
        "laws" => vec![
            pool,
            ("pool with gangs", gangs),
            calm,
            lending,
            limits,
            wild,
            ("wild and live", Kinds { live: true, ..Kinds::WILD }),
            ("wild and changing", Kinds { live: true, changes: true, ..Kinds::WILD }),
        ],
        "explanations" => vec![pool, calm, wild],
        _ => {
            let nodes = Kinds { nodes: true, ..Kinds::PLAIN };
            vec![
                pool,
                ("nodes", nodes),
                ("gangs", Kinds { nodes: true, ..gangs }),
                calm,
                lending,
                wild,
                limits,
                ("more", Kinds::MORE),
                ("live", Kinds::LIVE),
                ("changes", Kinds::CHANGES),
            ]
        }
    }
}

/// The laws that hold in a kind of worlds.
fn play(name: &str, check: &str, delays: Option<u64>) -> Play {
    let laws = check == "laws" && !name.starts_with("wild");
    Play { delays, settles: laws, guaranteed: laws && name.starts_with("pool") && delays.is_none() }
}

fn violations(check: &str, world: &World, play: Play) -> (Played, Vec<String>) {
    if check == "reference" {
        let played = drive_with_reference(world, play);
        let violations = played.violations.clone();
        return (played, violations);
    }
    let played = drive(world, play);
    let violations = if check == "laws" { played.violations.clone() } else { explained(&played.log, 1).violations };
    (played, violations)
}

fn helped_violations(world: &World) -> Vec<String> {
    let played = drive(world, Play::AT_ONCE);
    let found = oracle::judge(&played.log, true).violations;
    played.violations.into_iter().chain(found).collect()
}

/// Plays worlds in which somebody is owed something, and tries every set of victims (V5).
fn helped(first: u64, count: u64) {
    let mut all = [0u64; 6];
    for seed in first..first + count {
        let world = owed::world(seed);
        let played = drive(&world, Play::AT_ONCE);
        let found = oracle::judge(&played.log, true);
        let broken = played.violations.iter().chain(&found.violations).next();
        let numbers =
            [found.waiting, found.sets, found.choices, found.explained, found.advice, u64::from(broken.is_some())];
        all.iter_mut().zip(numbers).for_each(|(sum, n)| *sum += n);
        if let Some(violation) = broken {
            println!("seed {seed}: {violation}");
            if count == 1 {
                let small = oracle::shrunk(&world, |world| !helped_violations(world).is_empty());
                let played = drive(&small, Play::AT_ONCE);
                println!("{small:?}\n{}\n{}", played.trace.join("\n"), oracle::scenario(&played.log, "helped"));
                println!("{}", helped_violations(&small).join("\n"));
            }
        }
    }
    let [waiting, sets, choices, explained, advice, broken] = all;
    println!(
        "{count} seeds: {waiting} entitled workloads waited at rest, {sets} plans by sets among {choices} legal ones, \
         {explained} explanations, {advice} pieces of advice, {broken} broken"
    );
}

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let check = words.first().map_or("laws", String::as_str);
    let number = |at: usize, usual| words.get(at).and_then(|word| word.parse::<u64>().ok()).unwrap_or(usual);
    let (first, count, only) = (number(1, 0), number(2, 1000), words.get(3));
    match check {
        "helped" => return helped(first, count),
        "laws" | "reference" | "explanations" => {}
        _ => return println!("CHECK is laws, reference, explanations or helped: worlds CHECK FIRST COUNT [KIND]"),
    }
    let (mut plays, mut broken, mut by_sets) = (0u64, 0u64, 0u64);
    for seed in first..first + count {
        for (name, kinds) in kinds(check).into_iter().filter(|(name, _)| only.is_none_or(|only| only == name)) {
            for delays in [None, Some(seed)] {
                let world = World::random(seed, kinds);
                let (played, violations) = violations(check, &world, play(name, check, delays));
                plays += 1;
                by_sets += u64::from(played.seen.contains("sets"));
                let Some(violation) = violations.first() else { continue };
                broken += 1;
                let delayed = if delays.is_some() { ", with delays" } else { "" };
                println!("seed {seed}, {name}{delayed}: {violation}");
                if count == 1 {
                    println!("{world:?}\n{}", played.trace.join("\n"));
                }
            }
        }
    }
    let sets = if by_sets > 0 { format!(", {by_sets} with a plan by sets") } else { String::new() };
    println!("{count} seeds, {plays} plays{sets}, {broken} broken");
}
