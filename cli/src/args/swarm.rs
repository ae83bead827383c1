//! The arguments of `quotree swarm`, and of `quotree shrink`, which makes the scenarios small that it finds.

use super::{Format, Pins};
use clap::Args as Group;
use std::path::PathBuf;

#[derive(Debug, Group)]
#[command(after_help = "Each seed generates one scenario: first its features, then sizes, then quotas, nodes and
workloads. The scenario runs, and its properties are checked: invariants, no eviction loop,
guarantees, replay. A scenario that fails is written to DIR/SEED: seed.txt, scenario.ron,
shrunk.ron (a small scenario that fails in the same way) and trace.jsonl of that one.

Examples:
  quotree swarm --seeds 1000
  quotree swarm --seeds 10000 --first 50000 --out swarm
  quotree swarm --seeds 1 --first 4711 --out swarm

Exit codes: 0 all properties hold, 1 a digest differs, 2 invalid argument, 3 a property is violated.")]
pub(crate) struct Swarm {
    /// The number of seeds.
    #[arg(long, value_name = "N")]
    pub(crate) seeds: u64,
    /// The first seed.
    #[arg(long, value_name = "SEED", default_value_t = 0)]
    pub(crate) first: u64,
    /// Write the scenarios that fail into this folder.
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// The number of scenarios that run in parallel; does not affect results.
    #[arg(long, value_name = "J")]
    pub(crate) jobs: Option<usize>,
    #[command(flatten)]
    pub(crate) pins: Pins,
    /// The output format.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
}

#[derive(Debug, Group)]
#[command(after_help = "The failure may be a claim, an invariant, the run itself, or a property that `swarm` checks.
The result is formatted and loses its comments. Included files are not changed.

Examples:
  quotree shrink swarm/4711/scenario.ron --out small.ron
  quotree shrink broken.ron --claim 'Final(Evictions'

Exit codes: 0 success, 2 the file is invalid or does not fail.")]
pub(crate) struct Shrink {
    /// The scenario that fails.
    pub(crate) file: PathBuf,
    /// Write the result to this file instead of stdout.
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    /// Keep the failure whose text contains TEXT (a part of a claim, or `law: S3`, `audit: I2`); default: the first.
    #[arg(long, value_name = "TEXT")]
    pub(crate) claim: Option<String>,
    /// The most candidate scenarios to try.
    #[arg(long, value_name = "N", default_value_t = quotree_swarm::ShrinkOptions::STEPS)]
    pub(crate) steps: u32,
}
