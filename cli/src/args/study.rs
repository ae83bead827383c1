//! The arguments of `sweep`, `plan` and `compare`.

use super::{Format, Jobs, TableFormat};
use clap::Args as Group;
use quotree_study::{Key, Seeds, Share};
use std::{path::PathBuf, str::FromStr};

/// A part of the runs of a sweep: `3/16`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Shard {
    /// Which part, from 1.
    pub(crate) part: usize,
    /// Of how many.
    pub(crate) of: usize,
}

impl FromStr for Shard {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let numbers = text.split_once('/').and_then(|(part, of)| Some((part.parse().ok()?, of.parse().ok()?)));
        match numbers {
            Some((part, of)) if 0 < part && part <= of => Ok(Self { part, of }),
            _ => Err(format!("`{text}` is no part: give `K/N`, such as `3/16` for the third of 16 parts")),
        }
    }
}

#[derive(Debug, Group)]
#[command(
    after_help = "Values of `--set` are separated by commas; `8..16` are all whole numbers from 8 to 16, `8..64..8` every eighth of them,
`8Gi..32Gi..8Gi` quantities. Every combination of all values is run with every seed.

Examples:
  quotree sweep lab.ron --set cluster.gpu.count=8..16 --seeds 20
  quotree sweep lab.ron --set cluster.gpu.count=8..16 --set policy.order=Fifo,GuaranteedFirst --out buy-nodes
  quotree sweep lab.ron --set cluster.gpu.count=8..16 --show 'wait.p95 of nlp' --show cost --format csv
  quotree sweep lab.ron --set cluster.gpu.count=8..16 --seeds 200 --out buy-nodes --shard 3/16

Stopped? The same command with the same `--out` goes on from there. Folders of parts can be copied into one.

Exit codes: 0 all runs ended, whatever they claim, 2 invalid file or argument, or a run failed, 3 internal error,
130 interrupted."
)]
pub(crate) struct Sweep {
    /// The scenario file.
    pub(crate) file: PathBuf,
    /// Set a field of the scenario to each of these values. May be repeated.
    #[arg(long, value_name = "PATH=VALUES", required = true)]
    pub(crate) set: Vec<String>,
    /// Run every setting with several seeds: how many, from that of the scenario on (`30`), a range (`1..30`), or a list (`1,5,9`).
    #[arg(long, value_name = "SEEDS", default_value = "1")]
    pub(crate) seeds: Seeds,
    /// A claim holds if it does with at least this percentage of the seeds.
    #[arg(long, value_name = "PERCENT", default_value = "95", value_parser = Share::parse)]
    pub(crate) must_hold: Share,
    /// The figures in the table, such as `wait.p95`, `unmet.nvidia.com/gpu` or `evictions of nlp`; the first is drawn. May be repeated.
    #[arg(long, value_name = "FIGURE", value_parser = Key::parse)]
    pub(crate) show: Vec<Key>,
    /// Run the valid settings although others are invalid.
    #[arg(long)]
    pub(crate) skip_invalid: bool,
    /// Keep finished runs in this folder, and write the tables (CSV, JSON, Parquet) and the figure there. Runs that are there already
    /// are not run again.
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// Run only part K of N of all runs, on each of N machines.
    #[arg(long, value_name = "K/N", requires = "out")]
    pub(crate) shard: Option<Shard>,
    #[command(flatten)]
    pub(crate) jobs: Jobs,
    /// The output format.
    #[arg(long, value_enum, default_value_t = TableFormat::Text)]
    pub(crate) format: TableFormat,
}

#[derive(Debug, Group)]
#[command(after_help = "Examples:
  quotree plan lab.ron --find cluster.gpu.count=1..64 --such-that 'Wait(of: Quota(\"nlp\"), stat: P95, at_most: \"10m\")'
  quotree plan lab.ron --find quota.nlp.min.nvidia.com/gpu=0..64..4 --such-that 'Evictions(at_most: 3)' --seeds 20
  quotree plan lab.ron --find cluster.gpu.count=1..64          such that the claims of the file hold
  quotree plan lab.ron --find quota.batch.max.cpu=10..500..10 --largest --such-that 'EvictedFrom(\"nlp\", at_most: 0)'

Exit codes: 0 found, 1 no value helps, 2 invalid file or argument, 3 internal error, 130 interrupted.")]
pub(crate) struct Plan {
    /// The scenario file.
    pub(crate) file: PathBuf,
    /// The field to find a value for, and the values to try, the smallest first.
    #[arg(long, value_name = "PATH=VALUES")]
    pub(crate) find: String,
    /// What must hold, as in `expect` of a scenario; without a time, at the end. May be repeated. Without it, the claims of the file.
    #[arg(long, value_name = "CLAIM")]
    pub(crate) such_that: Vec<String>,
    /// Find the last of the values for which it holds, not the first.
    #[arg(long)]
    pub(crate) largest: bool,
    /// Try every value instead of bisecting.
    #[arg(long)]
    pub(crate) scan: bool,
    /// Try each value with several seeds: how many, from that of the scenario on (`20`), a range (`1..20`), or a list (`1,5,9`).
    #[arg(long, value_name = "SEEDS", default_value = "1")]
    pub(crate) seeds: Seeds,
    /// It holds for a value if it does with at least this percentage of the seeds.
    #[arg(long, value_name = "PERCENT", default_value = "95", value_parser = Share::parse)]
    pub(crate) must_hold: Share,
    #[command(flatten)]
    pub(crate) edits: super::Edits,
    #[command(flatten)]
    pub(crate) jobs: Jobs,
    /// The output format.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
}

#[derive(Debug, Group)]
#[command(
    after_help = "The first case is compared with each other one: `as it is` if there are `--edits`, else the first policy.
A file of edits has a setting `PATH=VALUE` on each line; lines with `#` are comments.

Examples:
  quotree compare lab.ron --policies 'Capacity(),Capacity(order: Fifo),Capacity(reclaim: Off)'
  quotree compare lab.ron --policies 'Capacity(),Capacity(reclaim: FairShare)' --seeds 20
  quotree compare lab.ron --edits more-nodes.set --edits less-nlp.set

Exit codes: 0 compared, 2 invalid file or argument, 3 internal error, 130 interrupted."
)]
pub(crate) struct Compare {
    /// The scenario file.
    pub(crate) file: PathBuf,
    /// The policies, with commas between them.
    #[arg(long, value_name = "POLICIES", required_unless_present = "edits")]
    pub(crate) policies: Option<String>,
    /// A file of changes, one case. May be repeated. With `--policies`, every policy is combined with every file.
    #[arg(long, value_name = "FILE")]
    pub(crate) edits: Vec<PathBuf>,
    /// Changes that all cases have: set a field of the scenario. May be repeated.
    #[arg(long, value_name = "PATH=VALUE")]
    pub(crate) set: Vec<String>,
    /// Run every case with several seeds: how many, from that of the scenario on (`20`), a range (`1..20`), or a list (`1,5,9`).
    #[arg(long, value_name = "SEEDS", default_value = "1")]
    pub(crate) seeds: Seeds,
    /// A claim holds if it does with at least this percentage of the seeds.
    #[arg(long, value_name = "PERCENT", default_value = "95", value_parser = Share::parse)]
    pub(crate) must_hold: Share,
    #[command(flatten)]
    pub(crate) jobs: Jobs,
    /// The output format.
    #[arg(long, value_enum, default_value_t = TableFormat::Text)]
    pub(crate) format: TableFormat,
}
