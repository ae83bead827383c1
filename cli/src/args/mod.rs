//! The command-line arguments and their help.

mod check;
mod feasible;
mod figures;
mod import;
mod run;
mod seeds;
mod study;
mod swarm;
mod tables;

pub(crate) use check::{Baselines, Check};
pub(crate) use feasible::{Feasible, Survive};
pub(crate) use figures::Picture;
pub(crate) use import::{Import, ImportKind, OnPromise};
pub(crate) use run::{By, Report, Run};
pub(crate) use seeds::{Jobs, OverSeeds};
pub(crate) use study::{Compare, Plan, Sweep};
pub(crate) use swarm::{Shrink, Swarm};
pub(crate) use tables::{TableFile, TableFormat};

use clap::{Args as Group, Parser, Subcommand, ValueEnum};
use quotree_core::Time;
use quotree_sim::scenario::Notation;
use std::{num::NonZeroU32, path::PathBuf};

const FIRST_SCREEN: &str = "Try it:
  quotree run scenarios/nginx-40-core.ron                 run the demo and print its outcome
  quotree explain scenarios/nginx-40-core.ron nginx1-5    print why this pod is pending
  quotree check scenarios                                 run all scenarios and check their claims

Exit codes: 0 success, 1 a claim failed, 2 a file or an argument is invalid, 3 internal error.";

const SCHEMA: &str = "Editors check and complete scenarios in YAML by the schema if the file begins with

  # yaml-language-server: $schema=quotree.schema.json

Examples:
  quotree schema > quotree.schema.json
  quotree schema --reference > scenario-fields.md

Exit codes: 0 success.";

/// Simulate elastic quotas on a GPU cluster: which pod runs where, which is preempted for which, and why.
#[derive(Debug, Parser)]
#[command(name = "quotree", version, after_help = FIRST_SCREEN)]
pub(crate) struct Args {
    /// When to use colours.
    #[arg(long, global = true, value_enum, default_value_t = Color::Auto, value_name = "WHEN")]
    pub(crate) color: Color,
    /// Let scenarios name files anywhere, not only below their folder and the working directory.
    #[arg(long, global = true, hide_short_help = true)]
    pub(crate) allow_outside: bool,
    #[command(subcommand)]
    pub(crate) verb: Option<Verb>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    /// On a terminal, unless `NO_COLOR` is set.
    Auto,
    /// Also in files and pipes.
    Always,
    /// Never.
    Never,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// Tables and sentences to read.
    Text,
    /// JSON for programs; docs/cli.md documents the fields.
    Json,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Run a scenario and print the outcome.
    Run(Run),
    /// Write the report page of a finished run again.
    Report(Report),
    /// Run scenarios and check their claims, one line per scenario.
    Check(Check),
    /// Print the state of a scenario at a given time.
    Inspect(Inspect),
    /// Print which users may use which leaf quotas, and why not the others.
    Tenancy(Tenancy),
    /// Validate a scenario, a quota tree or quota objects without running anything.
    Validate(Validate),
    /// Say before any run which jobs can never start, and which guarantees the nodes cannot honour.
    Feasible(Feasible),
    /// Print the timeline of a pod or workload, and why it is pending.
    Explain(Explain),
    /// Compare two runs and print what differs.
    Diff(Diff),
    /// Run every combination of several values of settings, with several seeds, and print one table.
    Sweep(Sweep),
    /// Find the smallest value of a setting for which claims hold.
    Plan(Plan),
    /// Compare several policies, or several sets of changes, by team.
    Compare(Compare),
    /// Convert quota objects, a cluster dump or a trace into a scenario.
    Import(Import),
    /// Replay a recorded log, or the recording of a live scheduler, and compare every decision.
    Replay(Replay),
    /// Property-test random scenarios.
    Swarm(Swarm),
    /// Reduce a failing scenario to a small one that fails in the same way.
    Shrink(Shrink),
    /// Format scenario files in place, or write them in another notation.
    Fmt(Fmt),
    /// Print the JSON schema of scenario files.
    #[command(after_help = SCHEMA)]
    Schema {
        /// Print the reference page of all fields instead, as Markdown.
        #[arg(long)]
        reference: bool,
    },
}

/// How a scenario is run.
#[derive(Debug, Clone, Group)]
pub(crate) struct How {
    /// Override the seed of the scenario.
    #[arg(long, value_name = "N")]
    pub(crate) seed: Option<u64>,
    #[command(flatten)]
    pub(crate) edits: Edits,
}

/// The changes of a scenario before it is run.
#[derive(Debug, Clone, Default, Group)]
pub(crate) struct Edits {
    /// Override the policy of the scenario, for example with `Capacity(order: Fifo)`.
    #[arg(long, value_name = "POLICY")]
    pub(crate) policy: Option<String>,
    /// Set a field of the scenario, for example `quota.nlp.min.cpu=26` or `cluster.gpu.count=12`. May be repeated.
    #[arg(long, value_name = "PATH=VALUE")]
    pub(crate) set: Vec<String>,
}

/// Extra checks of a run.
#[derive(Debug, Clone, Copy, Group)]
pub(crate) struct Watch {
    /// Run twice, on two threads, and fail (exit 3) if the results differ.
    #[arg(long)]
    pub(crate) doublecheck: bool,
    /// Check all invariants after every decision and fail (exit 3) if one is violated. Slow.
    #[arg(long)]
    pub(crate) audit: bool,
    /// With `--audit`, check only the first of every N decisions: in a large run, each check takes far longer than a
    /// decision.
    #[arg(long, value_name = "N", requires = "audit", default_value_t = NonZeroU32::MIN)]
    pub(crate) audit_every: NonZeroU32,
}

/// Comparison with pinned digests.
#[derive(Debug, Clone, Group)]
pub(crate) struct Pins {
    /// Compare the run digest and the plan digest with those in this file; exit 1 if one differs.
    #[arg(long, value_name = "FILE")]
    pub(crate) digests: Option<PathBuf>,
    /// Write the digests into the file of `--digests` instead of comparing them.
    #[arg(long, requires = "digests")]
    pub(crate) bless: bool,
}

#[derive(Debug, Group)]
#[command(after_help = "Examples:
  quotree inspect scenarios/nginx-40-core.ron --at 2m30s
  quotree inspect scenarios/nginx-40-core.ron --at 2m30s --format json
  quotree inspect scenarios/nginx-40-core.ron --dot | dot -Tsvg > tree.svg

Exit codes: 0 success, 2 invalid file or argument, 3 internal error.")]
pub(crate) struct Inspect {
    /// The scenario file.
    pub(crate) file: PathBuf,
    /// Show the state after all events at this time (default: the end of the run).
    #[arg(long, value_name = "TIME", value_parser = crate::span::parse)]
    pub(crate) at: Option<Time>,
    #[command(flatten)]
    pub(crate) how: How,
    /// Print the quota tree as Graphviz DOT instead.
    #[arg(long)]
    pub(crate) dot: bool,
    /// The output format.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
}

#[derive(Debug, Group)]
#[command(after_help = "A user may use the leaf quotas of its groups, and submits to the namespaces attached to them.

Examples:
  quotree tenancy scenarios/people/user-in-two-groups.ron
  quotree tenancy scenarios/people/user-in-two-groups.ron --user bob
  quotree tenancy scenarios/people/user-in-two-groups.ron --at 30m --format json

Exit codes: 0 success, 2 invalid file or argument, 3 internal error.")]
pub(crate) struct Tenancy {
    /// The scenario file.
    pub(crate) file: PathBuf,
    /// Print only this user, with every leaf quota it may not use and the reason.
    #[arg(long, value_name = "NAME")]
    pub(crate) user: Option<String>,
    /// Show the access and the usage at this time (default: the start of the run, without usage).
    #[arg(long, value_name = "TIME", value_parser = crate::span::parse)]
    pub(crate) at: Option<Time>,
    #[command(flatten)]
    pub(crate) how: How,
    /// The output format.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
}

#[derive(Debug, Group)]
#[command(after_help = "Examples:
  quotree validate scenarios/nginx-40-core.ron
  quotree validate team.yaml                a scenario in YAML
  quotree validate elastic-quota-tree.yaml
  quotree validate kueue-queues.yaml

Exit codes: 0 valid (perhaps with warnings), 2 invalid.")]
pub(crate) struct Validate {
    /// A scenario or a quota tree (*.ron, *.yaml, *.json), or quota objects of any format that `import` reads.
    pub(crate) file: PathBuf,
    /// The output format.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
}

#[derive(Debug, Group)]
#[command(after_help = "Examples:
  quotree explain scenarios/nginx-40-core.ron nginx1-4
  quotree explain scenarios/nginx-40-core.ron nginx3 --at 2m30s --format json
  quotree explain scenarios/nginx-40-core.ron --quota root.a.1       who uses its guarantee, and who waits
  quotree explain --rule R2       print a rule: what it says, why, an example
  quotree explain --rules         list all rules

Exit codes: 0 success, 2 invalid file or argument, or no such pod or rule, 3 internal error.")]
pub(crate) struct Explain {
    /// The scenario file.
    #[arg(required_unless_present = "rule")]
    pub(crate) file: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) who: Who,
    /// Print a rule of the rule book, such as `R2` or `R2(b)`, or a chapter, such as `R` or `vocabulary`; without a value,
    /// list all rules.
    #[arg(
        long,
        visible_alias = "rules",
        value_name = "RULE",
        num_args = 0..=1,
        default_missing_value = "",
        conflicts_with_all = ["file", "Who", "at", "seed", "policy"]
    )]
    pub(crate) rule: Option<String>,
    /// Show the state after all events at this time (default: the end of the run).
    #[arg(long, value_name = "TIME", value_parser = crate::span::parse)]
    pub(crate) at: Option<Time>,
    #[command(flatten)]
    pub(crate) how: How,
    /// The output format.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
}

/// The pod, workload or quota to explain.
#[derive(Debug, Group)]
#[group(multiple = false)]
pub(crate) struct Who {
    /// The pod, or the workload with all its pods, or the quota if no workload has this name.
    #[arg(value_name = "POD", required_unless_present_any = ["pod", "quota", "rule"])]
    name: Option<String>,
    /// The same as POD, as an option.
    #[arg(long, value_name = "POD")]
    pod: Option<String>,
    /// The quota, or the team that has it.
    #[arg(long, value_name = "QUOTA")]
    quota: Option<String>,
}

impl Who {
    pub(crate) fn pod(&self) -> &str {
        self.name.as_deref().or(self.pod.as_deref()).unwrap_or_default()
    }

    /// The quota, if one was asked for.
    pub(crate) fn quota(&self) -> Option<&str> {
        self.quota.as_deref()
    }
}

#[derive(Debug, Group)]
#[command(after_help = "Examples:
  quotree diff monday/summary.json tuesday/summary.json
  quotree diff with-borrowing.ron without-borrowing.ron
  quotree diff monday tuesday --html compared.html
  quotree diff monday tuesday --out compared --figures svg,png
  quotree diff lab.ron --set quota.nlp.min.cpu=26          what if nlp had a guarantee of 26 cores?
  quotree diff lab.ron --policy 'Capacity(reclaim: Off)'
  quotree diff lab.ron --set quota.nlp.min.cpu=26 --seeds 30    the difference seed by seed
  quotree diff main/lab.ron lab.ron --fail-if 'wait.p95 of nlp > +10%' --fail-if 'evictions > +3'

Exit codes: 0 compared, whether or not they differ, 1 a `--fail-if` is so, 2 invalid file or argument, 3 internal error.")]
pub(crate) struct Diff {
    /// The first run: a folder that `run --out` wrote, its summary.json, or a scenario, which is run.
    pub(crate) a: PathBuf,
    /// The second run. Without it, the scenario of the first with `--set` or `--policy`.
    #[arg(required_unless_present_any = ["policy", "set"])]
    pub(crate) b: Option<PathBuf>,
    /// Changes of the second run, which must be a scenario.
    #[command(flatten)]
    pub(crate) edits: Edits,
    /// Compare over several seeds, which needs two scenarios: how many seeds, from that of the first one on (`30`), a range
    /// (`1..30`), or a list (`1,5,9`).
    #[arg(long, value_name = "SEEDS", conflicts_with_all = ["html", "figures"])]
    pub(crate) seeds: Option<quotree_study::Seeds>,
    /// Exit 1 if this is so of the second run, or of what changed, such as `wait.p95 of nlp > +10%`, `evictions > +3` or
    /// `utilisation.cpu < 80%`. May be repeated.
    #[arg(long, value_name = "CONDITION", value_parser = quotree_study::Gate::parse)]
    pub(crate) fail_if: Vec<quotree_study::Gate>,
    /// With `--seeds` and `--fail-if`: it must not fail with at least this percentage of the seeds.
    #[arg(long, value_name = "PERCENT", requires_all = ["seeds", "fail_if"], default_value = "95", value_parser = quotree_study::Share::parse)]
    pub(crate) must_hold: quotree_study::Share,
    #[command(flatten)]
    pub(crate) jobs: Jobs,
    /// Also write a page with both runs side by side to this file.
    #[arg(long, value_name = "FILE")]
    pub(crate) html: Option<PathBuf>,
    /// Also draw the figure of both runs into the folder `figures` beside the page of `--html`, or of `--out`.
    #[arg(long, value_enum, value_delimiter = ',', value_name = "FORMATS")]
    pub(crate) figures: Vec<Picture>,
    /// The folder for `--figures`.
    #[arg(long, value_name = "DIR", requires = "figures")]
    pub(crate) out: Option<PathBuf>,
    /// The output format.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
}

#[derive(Debug, Group)]
#[command(after_help = "Examples:
  quotree run scenarios/nginx-40-core.ron --record log.json && quotree replay log.json
  quotree replay recording                    the folder of quotree-scheduler --record
  quotree replay recording/segment-000007.jsonl.zst

Exit codes: 0 all decisions are equal, 1 a decision differs and the rules have changed since, 2 invalid log, 3 a decision
differs by the rules that it was recorded by.")]
pub(crate) struct Replay {
    /// The log, as written by `run --record`; or the folder of a recording of `quotree-scheduler --record`, or one of its
    /// segments.
    pub(crate) log: PathBuf,
    /// The output format.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
}

#[derive(Debug, Group)]
#[command(
    after_help = "Scenarios are written in RON, YAML or JSON; the name of a file says in which. `--to` writes the same scenario beside
the file, with its comments, where the notation has any. Files that it includes stay as they are.

Examples:
  quotree fmt scenarios/nginx-40-core.ron
  quotree fmt --check scenarios
  quotree fmt team.ron --to yaml              writes team.yaml
  quotree fmt team.yaml --to ron --out -      prints it

Exit codes: 0 success, 1 with --check: a file is not formatted, 2 a file is invalid."
)]
pub(crate) struct Fmt {
    /// Scenario files, or folders of them. Without `--to`, files in RON.
    #[arg(required = true)]
    pub(crate) paths: Vec<PathBuf>,
    /// Do not write; exit 1 if any file needs formatting.
    #[arg(long, conflicts_with = "to")]
    pub(crate) check: bool,
    /// Write the files in this notation.
    #[arg(long, value_enum, value_name = "NOTATION")]
    pub(crate) to: Option<To>,
    /// With `--to`: the file to write, or `-` for stdout (default: the file's name with another ending).
    #[arg(long, value_name = "FILE", requires = "to")]
    pub(crate) out: Option<PathBuf>,
}

/// A notation of scenario files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum To {
    /// RON, with named structs.
    Ron,
    /// YAML, as manifests are written.
    Yaml,
    /// JSON, for programs; it has no comments.
    Json,
}

impl From<To> for Notation {
    fn from(to: To) -> Self {
        match to {
            To::Ron => Self::Ron,
            To::Yaml => Self::Yaml,
            To::Json => Self::Json,
        }
    }
}
