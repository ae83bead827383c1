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
    /// Kueue: ClusterQueues, Cohorts, LocalQueues and more; or a configuration of the performance test generator.
    Kueue,
    /// KAI: Queues; or a configuration of the time-aware simulator.
    Kai,
    /// Armada: workload specification of the simulator; needs `--nodes` with the cluster specification.
    Armada,
    /// A cluster dump: `kubectl get pods,nodes,podgroups,pdb,elasticquotatrees -A -o json`.
    Kubernetes,
    /// An ElasticQuotaTree.
    ElasticQuotaTree,
    /// ElasticQuotas of scheduler-plugins or Koordinator.
    ElasticQuota,
    /// Volcano: Queues.
    Volcano,
    /// YuniKorn: queues.yaml.
    Yunikorn,
    /// YARN: capacity-scheduler.xml.
    Yarn,
    /// Slurm: a log of `sacct -P`; or accounts, of `sacctmgr dump` or `sacctmgr show associations -P`.
    Slurm,
    /// A trace in quotree's own format.
    Native,
}

/// What happens to a tree whose parents promise more than they have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum OnPromise {
    /// It is refused.
    Error,
    /// It is imported, with a warning.
    Warn,
}

#[derive(Debug, Clone, Group)]
#[command(
    after_help = "The scenario refers to traces and dumps by a path relative to itself, so write it to its final folder with --out.

Kinds; most files say by their content which they are:
  quotas   elastic-quota-tree, elastic-quota, kueue, kai, volcano, yunikorn, yarn, slurm
  clusters kubernetes
  jobs     native, slurm, philly, helios, helios-demand, acme, muri, openb, pai, swf, kueue, kai, armada

Examples:
  quotree import quotas.yaml --out quotas.ron          whatever it is: the content decides
  quotree import manifests/ --out cluster.ron          a folder of queues, nodes and pods is one import
  quotree import queues.yaml --cluster cpu=400,memory=1600Gi,nvidia.com/gpu=64
  quotree import tree.yaml --derive-mins               raise parents that promise more than they have
  quotree import kueue queues.yaml --strict            fail if anything has no place in a scenario
  quotree import sacct.txt --tree accounts.cfg --cluster cpu=2048,memory=8Ti,nvidia.com/gpu=64 --out slurm.ron
  quotree import philly.csv.gz --gpus 520 --out philly-fifo.ron
  quotree import philly philly.csv.gz --tree philly_vc.csv --out philly-vc.ron
  quotree import helios-demand Earth_vcs_may2020 --tree Earth_gpu_number.csv --out earth.ron
  quotree import acme trace_kalos.csv --gpus 2416 --by-demand --out kalos.ron
  quotree import openb pods.csv --nodes nodes.csv --out openb.ron
  quotree import swf LCG.swf.gz --cpus 24515 --out lcg.ron
  quotree import armada workload.yaml --nodes cluster.yaml --out armada.ron
  quotree import kubernetes dump.json.gz --out cluster.ron
  quotree import kubernetes pods.json --nodes nodes.json --out cluster.ron
  quotree import kubernetes --from-recording recording --out yesterday.ron
  quotree import kubernetes --from-recording recording --from 2026-12-01T10:00:00Z --to 2026-12-01T12:00:00Z --out noon.ron

Exit codes: 0 success (rows that were skipped, and what has no place, are warnings), 2 invalid file or argument, or a warning
with --strict."
)]
pub(crate) struct Import {
    /// A trace, a dump, quota objects or a folder of them; may be compressed (.gz). A kind before it says what it is.
    #[arg(value_name = "[KIND] FILE", required_unless_present = "from_recording", num_args = 1..)]
    pub(crate) what: Vec<PathBuf>,
    /// The kind of the file, once it is known.
    #[arg(skip)]
    pub(crate) kind: Option<ImportKind>,
    /// The file, once it is known.
    #[arg(skip)]
    pub(crate) file: PathBuf,
    /// Write the scenario to this file instead of stdout.
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    /// Job lists: the number of GPUs of the cluster.
    #[arg(long, value_name = "N")]
    pub(crate) gpus: Option<u32>,
    /// Job lists: the sizes of the virtual clusters (columns `vc,node num`, or by day `date,VC..,total`); each becomes a leaf
    /// quota. Slurm: the accounts (`sacctmgr dump`).
    #[arg(long, value_name = "FILE")]
    pub(crate) tree: Option<PathBuf>,
    /// Job lists: each namespace becomes a leaf quota, with a min in proportion to its demand.
    #[arg(long, conflicts_with = "tree")]
    pub(crate) by_demand: bool,
    /// Set max to min on every leaf quota, so that none may borrow.
    #[arg(long)]
    pub(crate) no_borrowing: bool,
    /// openb, pai: the node list; armada: the cluster specification; kubernetes: the part of the dump with the nodes.
    #[arg(long, value_name = "FILE")]
    pub(crate) nodes: Option<PathBuf>,
    /// kubernetes: the folder of a recording (`quotree-scheduler --record`) instead of a file.
    #[arg(long, value_name = "DIR")]
    pub(crate) from_recording: Option<PathBuf>,
    /// A recording: begin at this time, with what is there: `2026-12-01T10:00:00Z`, or `90m` after the recording begins.
    #[arg(long, value_name = "TIME")]
    pub(crate) from: Option<String>,
    /// A recording: end at this time.
    #[arg(long, value_name = "TIME")]
    pub(crate) to: Option<String>,
    /// swf: the number of processors of the cluster.
    #[arg(long, value_name = "N")]
    pub(crate) cpus: Option<u32>,
    /// Quota objects, slurm, native: the size of the cluster, as `cpu=400,memory=1600Gi,nvidia.com/gpu=64`.
    #[arg(long, value_name = "AMOUNTS")]
    pub(crate) cluster: Option<String>,
    /// Quota objects: raise the min of each parent to the sum of its children's, as far as its max allows it.
    #[arg(long)]
    pub(crate) derive_mins: bool,
    /// Quota objects: what to do where the children of a quota are promised more than the quota is.
    #[arg(long, value_enum, value_name = "WHAT")]
    pub(crate) over_promised: Option<OnPromise>,
    /// Fail if anything in the files has no place in a scenario.
    #[arg(long)]
    pub(crate) strict: bool,
}
