//! `quotree swarm`: property-tests random scenarios in parallel. The output is in the order of the seeds.

use crate::{
    args::{Format, Swarm as Args},
    digests,
    exit::{Exit, Outcome, Trouble},
    files,
    runner::Watcher,
    terminal::Terminal,
};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use quotree_core::StableHasher;
use quotree_reports::count;
use quotree_sim::{
    RunOptions, Scenario,
    scenario::{MapLoader, Severity, load},
};
use quotree_swarm::{Failure, Feature, Features, Played, ShrinkOptions, World, play};
use rayon::prelude::*;
use std::{collections::BTreeMap, fmt::Write, hash::Hasher, path::Path};

/// The most failures that are shrunk. For further ones, only the seed and the scenario are written.
const MOST_SHRUNK: usize = 20;

/// The most failures that are printed one by one.
const MOST_TOLD: usize = 50;

/// The file name of a generated scenario.
const FILE: &str = "scenario.ron";

/// The result of one seed.
struct Seeded {
    seed: u64,
    features: Features,
    played: Played,
    /// The digest of all plans of the run; 0 if the run did not end.
    plans: u64,
}

pub(super) fn swarm(args: &Args, terminal: Terminal) -> Outcome {
    let end = args.first.checked_add(args.seeds).filter(|_| args.seeds > 0);
    let end = end.ok_or_else(|| {
        Trouble::invalid("`--seeds` must be at least 1, and `--first` plus `--seeds` must fit in 64 bits")
    })?;
    let pool = super::threads(args.jobs)?;
    let bar = bar(terminal, args.seeds);
    // A panic is caught, reported and shrunk, so its own message is not printed.
    std::panic::set_hook(Box::new(|_| {}));
    let all: Vec<Seeded> = pool.install(|| {
        let one = |seed: u64| {
            let seeded = one(seed);
            bar.inc(1);
            seeded
        };
        (args.first..end).into_par_iter().map(one).collect()
    });
    bar.finish_and_clear();
    let failed: Vec<&Seeded> = all.iter().filter(|one| !one.played.failures.is_empty()).collect();
    if let Some(folder) = &args.out {
        let written = pool.install(|| {
            let write = |(number, one): (usize, &&Seeded)| write(one, folder, number < MOST_SHRUNK, terminal);
            failed.par_iter().enumerate().map(write).collect::<Vec<_>>()
        });
        written.into_iter().collect::<Result<(), Trouble>>()?;
    }
    let _ = std::panic::take_hook();
    let summary = Summary::new(&all);
    terminal.show(&match args.format {
        Format::Text => summary.text(args, &failed),
        Format::Json => super::pretty(&summary.json(args, &failed)),
    })?;
    let exit = if failed.is_empty() { Exit::Fine } else { Exit::Fault };
    let Some(path) = &args.pins.digests else { return Ok(exit) };
    let of_seed = |one: &Seeded| (one.seed.to_string(), format!("{}-{:016x}", one.played.digest, one.plans));
    let compared = digests::compare(path, &all.iter().map(of_seed).collect(), args.pins.bless)?;
    terminal.complain(&compared.text);
    Ok(exit.max(compared.exit))
}

fn bar(terminal: Terminal, worlds: u64) -> ProgressBar {
    let target = if terminal.watched { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
    let bar = ProgressBar::with_draw_target(Some(worlds), target);
    ProgressStyle::with_template("{bar:40} {pos} of {len} scenarios, {eta} left")
        .map(|style| bar.set_style(style))
        .ok();
    bar
}

fn one(seed: u64) -> Seeded {
    let World { features, text } = World::draw(seed);
    let mut played = match scenario(&text) {
        Ok(scenario) => play(&scenario),
        Err(failure) => Played { failures: vec![failure], ..Played::default() },
    };
    let plans = played.log.take().map_or(0, |log| digests::of_plans(&log));
    Seeded { seed, features, played, plans }
}

fn scenario(text: &str) -> Result<Scenario, Failure> {
    let loaded = load(FILE, &MapLoader::new().with(FILE, text));
    loaded.scenario.ok_or_else(|| Failure {
        kind: "the scenario does not load".to_owned(),
        message: loaded
            .diagnostics
            .iter()
            .min_by_key(|d| d.severity != Severity::Error)
            .map_or_else(String::new, ToString::to_string),
    })
}

/// Writes the files of a scenario that failed: its failures, the command to repeat it, the scenario, and a small
/// scenario that fails in the same way.
fn write(one: &Seeded, folder: &Path, shrink: bool, terminal: Terminal) -> Result<(), Trouble> {
    let seed = one.seed;
    let folder = folder.join(seed.to_string());
    let text = World::draw(seed).text;
    let mut report = format!("seed {seed}\n");
    for failure in &one.played.failures {
        let _ = writeln!(report, "{failure}");
    }
    let _ = writeln!(report, "repeat with: quotree swarm --seeds 1 --first {seed}");
    files::write(&folder.join(FILE), &text)?;
    let mut small = text;
    if shrink {
        let loader = MapLoader::new().with(FILE, small.as_str());
        if let Ok(shrunk) = quotree_swarm::shrink(FILE, &loader, &ShrinkOptions::default(), &mut |_, _| {}) {
            let _ = write!(report, "shrunk: {}", super::shrink::report(&shrunk));
            small = shrunk.text;
            files::write(&folder.join("shrunk.ron"), &small)?;
        }
    }
    files::write(&folder.join("seed.txt"), &report)?;
    let mut trace = Vec::new();
    if let Ok(scenario) = scenario(&small) {
        let mut watcher = Watcher::new(terminal, "", Some(&mut trace));
        // How the run ends is known; only its trace is needed.
        let run = || drop(quotree_sim::run(&scenario, &RunOptions::default(), &mut watcher));
        let _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(run));
    }
    files::write(&folder.join("trace.jsonl"), &trace)
}

/// The result of all seeds together.
struct Summary {
    seen: BTreeMap<String, u64>,
    features: BTreeMap<Feature, u64>,
    digest: u128,
}

impl Summary {
    fn new(all: &[Seeded]) -> Self {
        let mut hasher = StableHasher::default();
        let (mut seen, mut features): (BTreeMap<String, u64>, BTreeMap<Feature, u64>) = Default::default();
        for one in all {
            hasher.write(one.played.digest.as_bytes());
            for (what, count) in &one.played.seen {
                *seen.entry(what.clone()).or_default() += count;
            }
            for feature in one.features.iter() {
                *features.entry(feature).or_default() += 1;
            }
        }
        Self { seen, features, digest: hasher.digest128() }
    }

    fn text(&self, args: &Args, failed: &[&Seeded]) -> String {
        let mut text = String::new();
        for one in failed.iter().take(MOST_TOLD) {
            for failure in &one.played.failures {
                let _ = writeln!(text, "FAILED  seed {}  {failure}", one.seed);
            }
        }
        if failed.len() > MOST_TOLD {
            let _ = writeln!(text, "… and {} more seeds", failed.len() - MOST_TOLD);
        }
        let listed = |all: &mut dyn Iterator<Item = (&str, u64)>| {
            let items: Vec<String> = all.map(|(what, n)| format!("{} {what}", count(n.into()))).collect();
            items.join(", ")
        };
        let (first, last) = (args.first, args.first.saturating_add(args.seeds).saturating_sub(1));
        let scenarios = count(args.seeds.into());
        let seen = listed(&mut self.seen.iter().map(|(what, n)| (what.as_str(), *n)));
        let features = listed(&mut Feature::ALL.iter().map(|f| (f.name(), self.features.get(f).copied().unwrap_or(0))));
        let _ =
            writeln!(text, "{scenarios} scenarios, seeds {first} to {last}: {} failed", count(failed.len() as u128));
        let _ = writeln!(text, "Observed: {seen}.\nScenarios with: {features}.\nDigest: {:032x}", self.digest);
        text
    }

    fn json(&self, args: &Args, failed: &[&Seeded]) -> serde_json::Value {
        let failures = failed.iter().map(|one| {
            let list = one.played.failures.iter().map(|f| serde_json::json!({ "kind": f.kind, "message": f.message }));
            serde_json::json!({ "seed": one.seed, "failures": list.collect::<Vec<_>>() })
        });
        let features: serde_json::Map<String, serde_json::Value> = Feature::ALL
            .iter()
            .map(|f| (f.name().to_owned(), self.features.get(f).copied().unwrap_or(0).into()))
            .collect();
        serde_json::json!({
            "first": args.first,
            "worlds": args.seeds,
            "failed": failed.len(),
            "digest": format!("{:032x}", self.digest),
            "seen": self.seen,
            "features": features,
            "failures": failures.collect::<Vec<_>>(),
        })
    }
}
