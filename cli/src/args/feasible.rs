//! The arguments of `quotree feasible`.

use super::{Edits, Format};
use clap::{Args as Group, ValueEnum};
use std::path::PathBuf;

/// What must be lost without harm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub(crate) enum Survive {
    /// Nothing: all nodes are there.
    None,
    /// Any one node.
    Node,
    /// Any one node, and any one rack.
    Rack,
}

#[derive(Debug, Group)]
#[command(
    after_help = "Nothing is run. A finding is a counterexample: it names the pods, the quotas, the nodes and the arithmetic. Where the
search for an arrangement gives up, the answer is `not decided`, which is no finding.

Examples:
  quotree feasible lab.ron
  quotree feasible lab.ron --survive rack                  also fail if a guarantee does not survive the loss of a rack
  quotree feasible lab.ron --set cluster.gpu.count=12      what if there were 12 nodes?
  quotree feasible lab.ron --format json

Exit codes: 0 nothing found, 1 a job can never start or a min cannot be honoured, 2 invalid file or argument,
3 internal error."
)]
pub(crate) struct Feasible {
    /// The scenario file.
    pub(crate) file: PathBuf,
    /// What the guarantees must survive; the losses of a node and of a rack are shown in any case.
    #[arg(long, value_enum, default_value_t = Survive::None, value_name = "LOSS")]
    pub(crate) survive: Survive,
    /// How long to search for arrangements of pods on nodes; a step is one pod put on one node.
    #[arg(long, value_name = "N", default_value_t = 1_000_000, value_parser = clap::value_parser!(u64).range(1..=100_000_000))]
    pub(crate) steps: u64,
    #[command(flatten)]
    pub(crate) edits: Edits,
    /// The output format.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
}
