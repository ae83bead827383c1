//! The arguments of `quotree import`.

use clap::{Args as Group, ValueEnum};
use std::path::PathBuf;

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ImportKind {
    /// Philly: job list.
    Philly,
    /// Helios: job list of one cluster.
    Helios,
    /// Helios: demand series of one virtual cluster, or a folder of them.
    HeliosDemand,
    /// Acme: job list.
    Acme,
    /// Muri: job list.
    Muri,
    /// openb: pod list; needs `--nodes` with the node list.
    Openb,
    /// PAI 2020: task table; needs `--nodes` with the machine table.
    Pai,
    /// A log in the Standard Workload Format.
    Swf,
    /// Kueue: configuration of the performance test generator.
    Kueue,
    /// KAI: configuration of the time-aware simulator.
    Kai,
    /// Armada: workload specification of the simulator; needs `--nodes` with the cluster specification.
    Armada,
    /// A cluster dump: `kubectl get pods,nodes,elasticquotatrees -A -o json`.
    Kubernetes,
    /// An ElasticQuotaTree manifest.
    ElasticQuotaTree,
}

#[derive(Debug, Group)]
#[command(
    after_help = "The scenario refers to the trace by a path relative to itself, so write it to its final folder with --out.

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
  quotree import elastic-quota-tree tree.yaml

Exit codes: 0 success (rows that were skipped are a warning), 2 invalid file or argument."
)]
pub(crate) struct Import {
    /// The format of the file.
    #[arg(value_enum)]
    pub(crate) kind: ImportKind,
    /// The trace, dump or manifest; may be compressed (.gz).
    pub(crate) file: PathBuf,
    /// Write the scenario to this file instead of stdout.
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    /// Job lists: the number of GPUs of the cluster.
    #[arg(long, value_name = "N")]
    pub(crate) gpus: Option<u32>,
    /// Job lists: the sizes of the virtual clusters (columns `vc,node num`, or by day `date,VC..,total`); each becomes a leaf quota.
    #[arg(long, value_name = "FILE")]
    pub(crate) tree: Option<PathBuf>,
    /// Job lists: each namespace becomes a leaf quota, with a min in proportion to its demand.
    #[arg(long, conflicts_with = "tree")]
    pub(crate) by_demand: bool,
    /// Set max to min on every leaf quota, so that none may borrow.
    #[arg(long)]
    pub(crate) no_borrowing: bool,
    /// openb, pai: the node list; armada: the cluster specification.
    #[arg(long, value_name = "FILE")]
    pub(crate) nodes: Option<PathBuf>,
    /// swf: the number of processors of the cluster.
    #[arg(long, value_name = "N")]
    pub(crate) cpus: Option<u32>,
}
