//! The arguments of `quotree check`.

use super::{Edits, Format, OverSeeds, Watch};
use clap::{Args as Group, ValueEnum};
use std::path::PathBuf;

#[derive(Debug, Group)]
#[command(
    after_help = "In a folder, every scenario is run (*.ron, *.yaml, *.json); files that scenarios only include, and other files in
YAML and JSON, are skipped.

Examples:
  quotree check scenarios
  quotree check scenarios --doublecheck --audit --junit claims.xml
  quotree check scenarios --deny-warnings --annotate --markdown comment.md
  quotree check large.ron --audit --audit-every 1000
  quotree check scenarios/world --seeds 30     a claim holds if it does with 95 % of the seeds
  quotree check teams.ron --bless              writes teams.outcome.yaml: its waits, evictions, fairness
  quotree check teams.ron                      from then on, also compares with it

Exit codes: 0 all claims hold, 1 a claim failed, an outcome is not that of its baseline, or a digest
differs, 2 invalid file or argument, 3 internal error."
)]
pub(crate) struct Check {
    /// Scenario files, or folders of scenario files.
    #[arg(required = true)]
    pub(crate) paths: Vec<PathBuf>,
    /// Write the results as JUnit XML to this file: a suite for each scenario, a test case for each claim.
    #[arg(long, value_name = "FILE")]
    pub(crate) junit: Option<PathBuf>,
    /// Write the results as Markdown, fit for a comment on a pull request, to this file; `-` prints it instead of the text.
    #[arg(long, value_name = "FILE")]
    pub(crate) markdown: Option<PathBuf>,
    /// Also print annotations to stderr, which GitHub Actions shows beside the lines of the files.
    #[arg(long)]
    pub(crate) annotate: bool,
    /// Treat warnings about a scenario as errors: it is not run (exit 2).
    #[arg(long)]
    pub(crate) deny_warnings: bool,
    #[command(flatten)]
    pub(crate) edits: Edits,
    #[command(flatten)]
    pub(crate) over: OverSeeds,
    /// The number of scenarios that run in parallel, or with `--seeds` of runs; does not affect results.
    #[arg(long, value_name = "N")]
    pub(crate) jobs: Option<usize>,
    /// Compare the run digest and the plan digest with those in this file; exit 1 if one differs.
    #[arg(long, value_name = "FILE")]
    pub(crate) digests: Option<PathBuf>,
    /// Write the outcome of each scenario beside it: waits, evictions and fairness by team of NAME.ron go to
    /// NAME.outcome.yaml. Tolerances in that file stay. With `--digests`, write the digests instead.
    #[arg(long)]
    pub(crate) bless: bool,
    /// What to do with outcome files: compare those that there are, require one of each scenario, or ignore them.
    #[arg(long, value_enum, value_name = "HOW", default_value_t = Baselines::Compare)]
    pub(crate) baselines: Baselines,
    #[command(flatten)]
    pub(crate) watch: Watch,
    /// The output format.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
}

/// What `check` does with outcome files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Baselines {
    /// Compare those that there are.
    Compare,
    /// Also fail where there is none, or it is of other seeds.
    Require,
    /// Leave them aside.
    Ignore,
}
