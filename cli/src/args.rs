//! The arguments, with the help a person reads first.

use clap::{Args as Group, Parser, Subcommand, ValueEnum};
use quotree_core::Time;
use std::path::PathBuf;

const FIRST_SCREEN: &str = "Try it:
  quotree run scenarios/nginx-40-core.ron      run the demo and read what happened
  quotree check scenarios                      run every scenario and judge its claims
  quotree explain scenarios/nginx-40-core.ron nginx1-4

Exit codes: 0 fine, 1 a claim failed, 2 a file or argument is invalid, 3 internal fault.";

/// Who runs where under a tree of quotas, who is evicted for whom, and why: exactly and repeatably.
#[derive(Debug, Parser)]
#[command(name = "quotree", version, after_help = FIRST_SCREEN)]
pub(crate) struct Args {
    /// When to use colours.
    #[arg(long, global = true, value_enum, default_value_t = Color::Auto, value_name = "WHEN")]
    pub(crate) color: Color,
    #[command(subcommand)]
    pub(crate) verb: Option<Verb>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    /// On a terminal, unless `NO_COLOR` is set.
    Auto,
    Always,
    Never,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people.
    Text,
    /// For programs; documented in docs/cli.md.
    Json,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Run a scenario and print what happened.
    Run(Run),
    /// Run scenarios and judge their claims: one line each.
    Check(Check),
    /// Show the state of a scenario at a time.
    Inspect(Inspect),
    /// Show who can use what, and why not.
    Tenancy(Tenancy),
    /// Check a scenario, a quota tree or an ElasticQuotaTree manifest without running it.
    Validate(Validate),
    /// Tell the story of a pod, and why it waits.
    Explain(Explain),
    /// Compare two runs: what changed for whom.
    Diff(Diff),
    /// Write a scenario around a trace or a quota manifest.
    Import(Import),
    /// Feed a recorded log to the scheduler again and compare every decision.
    Replay(Replay),
    /// Run random worlds and hold them to the laws.
    Swarm(Swarm),
    /// Make a failing scenario small: the same failure with little around it.
    Shrink(Shrink),
    /// Format scenario files.
    Fmt(Fmt),
    /// Print the JSON schema of scenario files.
    Schema,
}

/// How a scenario is run.
#[derive(Debug, Clone, Group)]
pub(crate) struct How {
    /// Use another seed than the scenario's.
    #[arg(long, value_name = "N")]
    pub(crate) seed: Option<u64>,
    /// Use another policy than the scenario's, such as `Capacity(order: Fifo)`.
    #[arg(long, value_name = "POLICY")]
    pub(crate) policy: Option<String>,
}

/// How a run is watched over.
#[derive(Debug, Clone, Copy, Group)]
pub(crate) struct Watch {
    /// Run twice, the second time on another thread, and fail (exit 3) if anything differs.
    #[arg(long)]
    pub(crate) doublecheck: bool,
    /// Recompute all invariants after every decision and fail (exit 3) if one is broken. Slow.
    #[arg(long)]
    pub(crate) audit: bool,
}

#[derive(Debug, Group)]
#[command(after_help = "Examples:
  quotree run scenarios/nginx-40-core.ron
  quotree run scenarios/nginx-40-core.ron --at 2m30s
  quotree run scenarios/nginx-40-core.ron --out out --record out/log.json
  quotree run scenarios/people/user-in-two-groups.ron --by user --by group
  quotree run scenarios/nginx-40-core.ron --policy 'Capacity(order: Fifo)' --format json")]
pub(crate) struct Run {
    /// The scenario.
    pub(crate) file: PathBuf,
    /// Stop after everything that happens at this time, such as `2m30s`.
    #[arg(long, value_name = "TIME", value_parser = crate::span::parse)]
    pub(crate) at: Option<Time>,
    #[command(flatten)]
    pub(crate) how: How,
    #[command(flatten)]
    pub(crate) watch: Watch,
    /// Write summary.json, trace.jsonl, tree.svg and the tables into this folder.
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// Write the log of all facts and decisions, for `replay`.
    #[arg(long, value_name = "FILE")]
    pub(crate) record: Option<PathBuf>,
    /// Add a table of what everybody's work came to; may be given more than once.
    #[arg(long, value_enum, value_name = "WHAT")]
    pub(crate) by: Vec<By>,
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
}

/// What a table of work is by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum By {
    /// Who submitted it.
    User,
    /// As members of which group.
    Group,
    /// Into which namespace.
    Namespace,
    /// Under which quota.
    Quota,
}

/// Digests pinned in a file.
#[derive(Debug, Clone, Group)]
pub(crate) struct Pins {
    /// Compare each run digest and plan digest with those pinned in this file; exit 1 where one differs.
    #[arg(long, value_name = "FILE")]
    pub(crate) digests: Option<PathBuf>,
    /// Write the digests of this run into that file instead.
    #[arg(long, requires = "digests")]
    pub(crate) bless: bool,
}

#[derive(Debug, Group)]
#[command(after_help = "Folders are searched for *.ron; files that are only parts of scenarios are left out.

Examples:
  quotree check scenarios
  quotree check scenarios --doublecheck --audit --junit claims.xml")]
pub(crate) struct Check {
    /// Scenarios, or folders of them.
    #[arg(required = true)]
    pub(crate) paths: Vec<PathBuf>,
    /// Write the outcome as JUnit XML.
    #[arg(long, value_name = "FILE")]
    pub(crate) junit: Option<PathBuf>,
    /// How many scenarios run at once; the outcome does not depend on it.
    #[arg(long, value_name = "N")]
    pub(crate) jobs: Option<usize>,
    #[command(flatten)]
    pub(crate) pins: Pins,
    #[command(flatten)]
    pub(crate) watch: Watch,
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
}

#[derive(Debug, Group)]
#[command(after_help = "Examples:
  quotree inspect scenarios/nginx-40-core.ron --at 2m30s
  quotree inspect scenarios/nginx-40-core.ron --at 2m30s --format json
  quotree inspect scenarios/nginx-40-core.ron --dot | dot -Tsvg > tree.svg")]
pub(crate) struct Inspect {
    /// The scenario.
    pub(crate) file: PathBuf,
    /// After everything that happens at this time; the end when absent.
    #[arg(long, value_name = "TIME", value_parser = crate::span::parse)]
    pub(crate) at: Option<Time>,
    #[command(flatten)]
    pub(crate) how: How,
    /// Print the quota tree as Graphviz DOT instead.
    #[arg(long)]
    pub(crate) dot: bool,
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
}

#[derive(Debug, Group)]
#[command(after_help = "A user can use the leaves of its groups, and submits into the namespaces on them.

Examples:
  quotree tenancy scenarios/people/user-in-two-groups.ron
  quotree tenancy scenarios/people/user-in-two-groups.ron --user bob
  quotree tenancy scenarios/people/user-in-two-groups.ron --at 30m --format json")]
pub(crate) struct Tenancy {
    /// The scenario.
    pub(crate) file: PathBuf,
    /// Only this user, with every leaf: what it can use, and why not the rest.
    #[arg(long, value_name = "NAME")]
    pub(crate) user: Option<String>,
    /// After everything that happens at this time, with what is used; the start when absent.
    #[arg(long, value_name = "TIME", value_parser = crate::span::parse)]
    pub(crate) at: Option<Time>,
    #[command(flatten)]
    pub(crate) how: How,
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
}

#[derive(Debug, Group)]
#[command(after_help = "Examples:
  quotree validate scenarios/nginx-40-core.ron
  quotree validate elastic-quota-tree.yaml")]
pub(crate) struct Validate {
    /// A scenario or quota tree (*.ron), or an ElasticQuotaTree manifest (*.yaml, *.yml).
    pub(crate) file: PathBuf,
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
}

#[derive(Debug, Group)]
#[command(after_help = "Examples:
  quotree explain scenarios/nginx-40-core.ron nginx1-4
  quotree explain scenarios/nginx-40-core.ron nginx3 --at 2m30s --format json
  quotree explain --rule R2       print a rule: what it says, why, an example
  quotree explain --rules         list all rules")]
pub(crate) struct Explain {
    /// The scenario.
    #[arg(required_unless_present = "rule")]
    pub(crate) file: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) who: Who,
    /// Print a rule of the rule book instead, such as `R2` or `R2(b)`, or a chapter, such as `R` or `vocabulary`; without a
    /// name, list all rules.
    #[arg(
        long,
        visible_alias = "rules",
        value_name = "RULE",
        num_args = 0..=1,
        default_missing_value = "",
        conflicts_with_all = ["file", "Who", "at", "seed", "policy"]
    )]
    pub(crate) rule: Option<String>,
    /// After everything that happens at this time; the end when absent.
    #[arg(long, value_name = "TIME", value_parser = crate::span::parse)]
    pub(crate) at: Option<Time>,
    #[command(flatten)]
    pub(crate) how: How,
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
}

/// Whose story is told.
#[derive(Debug, Group)]
#[group(multiple = false)]
pub(crate) struct Who {
    /// The pod, or the workload whose pods it is about.
    #[arg(value_name = "POD", required_unless_present_any = ["pod", "rule"])]
    name: Option<String>,
    /// The same, by name.
    #[arg(long, value_name = "POD")]
    pod: Option<String>,
}

impl Who {
    pub(crate) fn pod(&self) -> &str {
        self.name.as_deref().or(self.pod.as_deref()).unwrap_or_default()
    }
}

#[derive(Debug, Group)]
#[command(after_help = "Examples:
  quotree diff monday/summary.json tuesday/summary.json
  quotree diff with-borrowing.ron without-borrowing.ron")]
pub(crate) struct Diff {
    /// A summary.json, or a scenario that is run.
    pub(crate) a: PathBuf,
    /// The other one.
    pub(crate) b: PathBuf,
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ImportKind {
    /// The Philly job list.
    Philly,
    /// The job list of a Helios cluster.
    Helios,
    /// A folder of the demand series of Helios' virtual clusters, or one of them.
    HeliosDemand,
    /// An Acme job list.
    Acme,
    /// A Muri job list.
    Muri,
    /// The openb pod list, with `--nodes` its node list.
    Openb,
    /// The PAI task table of 2020, with `--nodes` its machine table.
    Pai,
    /// A log in the Standard Workload Format.
    Swf,
    /// A configuration of Kueue's performance generator.
    Kueue,
    /// A configuration of KAI's time-aware simulator.
    Kai,
    /// A workload specification of Armada's simulator, with `--nodes` its cluster specification.
    Armada,
    /// A dump of a cluster: `kubectl get pods,nodes,elasticquotatrees -A -o json`.
    Kubernetes,
    /// An ElasticQuotaTree manifest.
    ElasticQuotaTree,
}

#[derive(Debug, Group)]
#[command(
    after_help = "The scenario names the trace by its path relative to the scenario, so write it where it is to stay.

Examples:
  quotree import philly philly.csv.gz --gpus 520 --out philly-fifo.ron
  quotree import philly philly.csv.gz --tree philly_vc.csv --out philly-vc.ron
  quotree import helios-demand Earth_vcs_may2020 --tree Earth_gpu_number.csv --out earth.ron
  quotree import acme trace_kalos.csv --gpus 2416 --by-demand --out kalos.ron
  quotree import openb pods.csv --nodes nodes.csv --out openb.ron
  quotree import swf LCG.swf.gz --cpus 24515 --out lcg.ron
  quotree import kueue generator.yaml
  quotree import armada workload.yaml --nodes cluster.yaml --out armada.ron
  quotree import kubernetes dump.json.gz --out cluster.ron
  quotree import elastic-quota-tree tree.yaml"
)]
pub(crate) struct Import {
    /// What the file is.
    #[arg(value_enum)]
    pub(crate) kind: ImportKind,
    /// The trace, description or manifest; may be packed (.gz).
    pub(crate) file: PathBuf,
    /// Write the scenario here instead of to stdout.
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    /// Job lists: GPUs of the pool.
    #[arg(long, value_name = "N")]
    pub(crate) gpus: Option<u32>,
    /// Job lists: the sizes of the virtual clusters (vc,node num; or by day, date,VC..,total); each becomes a leaf.
    #[arg(long, value_name = "FILE")]
    pub(crate) tree: Option<PathBuf>,
    /// Job lists: each namespace becomes a leaf, with a min in proportion to its demand.
    #[arg(long, conflicts_with = "tree")]
    pub(crate) by_demand: bool,
    /// With leaves: none may use more than its min.
    #[arg(long)]
    pub(crate) no_borrowing: bool,
    /// openb, pai: the node list; armada: the cluster specification.
    #[arg(long, value_name = "FILE")]
    pub(crate) nodes: Option<PathBuf>,
    /// swf: processors of the pool.
    #[arg(long, value_name = "N")]
    pub(crate) cpus: Option<u32>,
}

#[derive(Debug, Group)]
#[command(after_help = "Example:
  quotree run scenarios/nginx-40-core.ron --record log.json && quotree replay log.json")]
pub(crate) struct Replay {
    /// A log written by `run --record`.
    pub(crate) log: PathBuf,
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
}

#[derive(Debug, Group)]
#[command(after_help = "Each seed draws what exists at all in its world, then sizes, then a scenario. A world that
breaks a law is written to DIR/SEED: seed.txt, scenario.ron, shrunk.ron, and trace.jsonl of
the shrunk one.

Examples:
  quotree swarm --seeds 1000
  quotree swarm --seeds 10000 --first 50000 --out swarm
  quotree swarm --seeds 1 --first 4711 --out swarm")]
pub(crate) struct Swarm {
    /// How many seeds are played.
    #[arg(long, value_name = "N")]
    pub(crate) seeds: u64,
    /// The first of them.
    #[arg(long, value_name = "SEED", default_value_t = 0)]
    pub(crate) first: u64,
    /// Write the worlds that fail into this folder.
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// How many worlds run at once; the outcome does not depend on it.
    #[arg(long, value_name = "J")]
    pub(crate) jobs: Option<usize>,
    #[command(flatten)]
    pub(crate) pins: Pins,
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
}

#[derive(Debug, Group)]
#[command(after_help = "What fails may be a claim, an invariant, the run itself, or a law of its calm phase. The
result fails in the same way and is formatted; comments are not kept. Included files stay as
they are.

Examples:
  quotree shrink swarm/4711/scenario.ron --out small.ron
  quotree shrink broken.ron --claim 'Final(Evictions'")]
pub(crate) struct Shrink {
    /// The scenario that fails.
    pub(crate) file: PathBuf,
    /// Write the result here instead of to stdout.
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    /// Which failure to keep, by a part of how it is told: of a claim's text, `law: S3`, `audit: I2`; the first when absent.
    #[arg(long, value_name = "TEXT")]
    pub(crate) claim: Option<String>,
    /// The most smaller scenarios that are tried.
    #[arg(long, value_name = "N", default_value_t = quotree_swarm::ShrinkOptions::STEPS)]
    pub(crate) steps: u32,
}

#[derive(Debug, Group)]
#[command(after_help = "Examples:
  quotree fmt scenarios/nginx-40-core.ron
  quotree fmt --check scenarios")]
pub(crate) struct Fmt {
    /// Scenario files, or folders of them.
    #[arg(required = true)]
    pub(crate) paths: Vec<PathBuf>,
    /// Change nothing; exit 1 when a file is not formatted.
    #[arg(long)]
    pub(crate) check: bool,
}
