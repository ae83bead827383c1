//! The arguments of `quotree run`, and of `quotree report`, which renders what a run wrote.

use super::{Format, How, Jobs, OverSeeds, Picture, TableFile, Watch};
use clap::{Args as Group, ValueEnum};
use quotree_core::Time;
use std::path::PathBuf;

#[derive(Debug, Group)]
#[command(after_help = "Examples:
  quotree run scenarios/nginx-40-core.ron
  quotree run scenarios/nginx-40-core.ron --at 2m30s
  quotree run scenarios/nginx-40-core.ron --open
  quotree run scenarios/nginx-40-core.ron --out out --record out/log.json
  quotree run scenarios/nginx-40-core.ron --out out --figures svg,png
  quotree run scenarios/nginx-40-core.ron --out out --tables csv,json,parquet
  quotree run scenarios/nginx-40-core.ron --markdown comment.md
  quotree run scenarios/people/user-in-two-groups.ron --by user --by group
  quotree run scenarios/nginx-40-core.ron --policy 'Capacity(order: Fifo)' --format json
  quotree run scenarios/world/research-lab.ron --seeds 30       every figure over 30 seeds

Exit codes: 0 all claims hold, 1 a claim failed, 2 invalid file or argument, 3 internal error, 130
interrupted.")]
pub(crate) struct Run {
    /// The scenario file.
    pub(crate) file: PathBuf,
    /// Stop after all events at this time, for example `2m30s`.
    #[arg(long, value_name = "TIME", value_parser = crate::span::parse, conflicts_with = "seeds")]
    pub(crate) at: Option<Time>,
    #[command(flatten)]
    pub(crate) how: How,
    #[command(flatten)]
    pub(crate) over: OverSeeds,
    #[command(flatten)]
    pub(crate) jobs: Jobs,
    #[command(flatten)]
    pub(crate) watch: Watch,
    /// Write the report page report.html, its data report.json, summary.json, summary.md, metrics.prom, trace.jsonl, tree.svg
    /// and the tables into this folder.
    #[arg(long, value_name = "DIR", conflicts_with = "seeds")]
    pub(crate) out: Option<PathBuf>,
    /// The formats of the tables of `--out`.
    #[arg(long, value_enum, value_delimiter = ',', value_name = "FORMATS", requires = "out", default_value = "csv")]
    pub(crate) tables: Vec<TableFile>,
    /// Also draw the figures of the run, for slides and papers, into the folder `figures` of `--out`.
    #[arg(long, value_enum, value_delimiter = ',', value_name = "FORMATS", requires = "out")]
    pub(crate) figures: Vec<Picture>,
    /// Open the report page in the browser; without `--out`, it is written to a new folder among the temporary files, which only you can read.
    #[arg(long, conflicts_with = "seeds")]
    pub(crate) open: bool,
    /// Write the summary as Markdown, fit for a comment on a pull request, to this file; `-` prints it instead of the text.
    #[arg(long, value_name = "FILE", conflicts_with = "seeds")]
    pub(crate) markdown: Option<PathBuf>,
    /// Write the metrics of the end state in the text format of Prometheus to this file; `-` prints them instead of the text.
    #[arg(long, value_name = "FILE", conflicts_with = "seeds")]
    pub(crate) prometheus: Option<PathBuf>,
    /// How many waits the report explains in full, by a second run: first those of evicted, lost or late work, then the
    /// longest. 0: none, and no second run.
    #[arg(long, value_name = "N", default_value_t = 2_000)]
    pub(crate) reasons: usize,
    /// Write the log of all events and decisions to this file, for `replay`.
    #[arg(long, value_name = "FILE", conflicts_with = "seeds")]
    pub(crate) record: Option<PathBuf>,
    /// Add a usage table by user, group, namespace or quota, or the table of jobs; may be repeated.
    #[arg(long, value_enum, value_name = "WHAT", conflicts_with = "seeds")]
    pub(crate) by: Vec<By>,
    /// The output format.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
}

#[derive(Debug, Group)]
#[command(after_help = "Examples:
  quotree run scenarios/nginx-40-core.ron --out out && quotree report out
  quotree report out --open
  quotree report out --figures svg,png

Exit codes: 0 written, 2 invalid folder or argument, 3 internal error.")]
pub(crate) struct Report {
    /// The folder that `run --out` wrote: report.html is written again from its report.json.
    #[arg(value_name = "DIR")]
    pub(crate) folder: PathBuf,
    /// Also draw the figures of the run, for slides and papers, into the folder `figures` of DIR.
    #[arg(long, value_enum, value_delimiter = ',', value_name = "FORMATS")]
    pub(crate) figures: Vec<Picture>,
    /// Write the summary as Markdown to this file; `-` prints it instead of the sentences.
    #[arg(long, value_name = "FILE")]
    pub(crate) markdown: Option<PathBuf>,
    /// Open the page in the browser.
    #[arg(long)]
    pub(crate) open: bool,
}

/// The key of a usage table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum By {
    /// The user who submitted the work.
    User,
    /// The group through which the user submitted it.
    Group,
    /// The namespace it was submitted to.
    Namespace,
    /// The quota it was charged to.
    Quota,
    /// The jobs, one row each.
    Job,
}
