//! Datasets in the form that the simulator uses: names are resolved, sizes are in bytes, bandwidths in bytes a second.

use quotree_core::{Name, Time};
use quotree_syntax::words;

/// Data that workloads read.
#[derive(Debug, Clone)]
pub struct Dataset {
    /// Unique in the scenario.
    pub name: Name,
    /// The namespace of its cache workers.
    pub namespace: Name,
    /// Bytes, at least 1.
    pub size: u64,
    /// Bandwidth of the storage that contains the data, in bytes a second, at least 1. All pods that read from it share
    /// it equally.
    pub backend: u64,
    /// Its cache; `None`: it has none.
    pub cache: Option<Cache>,
    /// When its preload into the cache begins; `None`: there is no preload.
    pub preload: Option<Time>,
}

/// A cache. Its workers are the pods of a Deployment.
#[derive(Debug, Clone)]
pub struct Cache {
    /// The Deployment whose running pods are the workers, by name.
    pub workload: String,
    /// How many bytes one worker can hold, at least 1.
    pub quota: u64,
    /// The medium in which it holds them.
    pub tier: Tier,
    /// The high mark: the cache is filled up to this part of its capacity, in thousandths.
    pub high_permille: u64,
    /// The low mark: when a pass over the dataset ends with the cache filled to the high mark, the cache evicts down to
    /// this part of its capacity, in thousandths.
    pub low_permille: u64,
    /// Bytes a second that a pod reads from the cache if a worker runs on its node, at least 1.
    pub local: u64,
    /// Bytes a second that any other pod reads from the cache, at least 1.
    pub remote: u64,
}

/// The medium in which a cache worker holds its bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tier {
    /// Memory.
    Mem,
    /// Solid-state disks.
    Ssd,
    /// Spinning disks.
    Hdd,
}

impl Tier {
    /// Its word in scenarios.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Mem => "MEM",
            Self::Ssd => "SSD",
            Self::Hdd => "HDD",
        }
    }
}

/// The input of a workload.
#[derive(Debug, Clone)]
pub struct Reads {
    /// Index into [`Scenario::datasets`](super::Scenario::datasets).
    pub dataset: usize,
    /// Bytes in total, over all passes, at least 1. Each pod of a Job reads this much; the members of a Training
    /// together read this much.
    pub bytes: u64,
    /// Whether it reads ahead while it computes.
    pub prefetch: bool,
    /// Indices of the roles whose members read; `None`: all.
    pub roles: Option<Vec<usize>>,
}

/// Figures of a dataset that a claim can be about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DatasetFigure {
    /// The cached part of the dataset, thousandths.
    Cached,
    /// The part of the bytes read that came from the cache, thousandths.
    HitRatio,
    /// Bytes a second while at least one reader read.
    Rate,
    /// Milliseconds that the cache saved its readers.
    Saved,
    /// Milliseconds that the cache saved its readers, times their GPUs.
    GpuSaved,
}

words! { Tier: MEM = Mem, SSD = Ssd, HDD = Hdd }
words! { DatasetFigure: Cached, HitRatio, Rate, Saved, GpuSaved }
