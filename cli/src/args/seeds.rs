//! The arguments of commands that run a scenario several times.

use clap::Args as Group;
use quotree_study::{Seeds, Share};

/// Several seeds.
#[derive(Debug, Clone, Group)]
pub(crate) struct OverSeeds {
    /// Run with several seeds: how many, from the seed of the scenario on (`30`), a range (`1..30`), or a list (`1,5,9`).
    #[arg(long, value_name = "SEEDS")]
    pub(crate) seeds: Option<Seeds>,
    /// With `--seeds`: a claim holds if it does with at least this percentage of the seeds.
    #[arg(long, value_name = "PERCENT", requires = "seeds", default_value = "95", value_parser = Share::parse)]
    pub(crate) must_hold: Share,
}

/// Threads.
#[derive(Debug, Clone, Copy, Group)]
pub(crate) struct Jobs {
    /// How many runs go on at the same time, at most one for each core (default: that many); does not affect results.
    #[arg(long, value_name = "N")]
    pub(crate) jobs: Option<usize>,
}
