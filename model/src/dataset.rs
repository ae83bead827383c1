//! Datasets as the simulator uses them: names resolved, sizes in bytes, bandwidths in bytes a second.

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
    /// Bandwidth of the storage where the data lies, in bytes a second, at least 1. All pods that read from it share it equally.
    pub backend: u64,
    /// How it is accelerated; `None`: not at all.
    pub cache: Option<Cache>,
    /// When it is loaded into the cache beforehand; `None`: not at all.
    pub preload: Option<Time>,
}

/// An acceleration: cache workers, the pods of a Deployment.
#[derive(Debug, Clone)]
pub struct Cache {
    /// The Deployment whose running pods are the workers, by name.
    pub workload: String,
    /// Bytes that one worker can hold, at least 1.
    pub quota: u64,
    /// Where it holds them.
    pub tier: Tier,
    /// Up to this many thousandths of the capacity are filled.
    pub high_permille: u64,
    /// When a pass over the dataset ends with the cache filled that far, it evicts down to this many thousandths of its capacity.
    pub low_permille: u64,
    /// Bytes a second that a pod reads from the cache where a worker runs on its node, at least 1.
    pub local: u64,
    /// Bytes a second that it reads otherwise, at least 1.
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
    /// As it is written.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Mem => "MEM",
            Self::Ssd => "SSD",
            Self::Hdd => "HDD",
        }
    }
}

/// What a workload reads.
#[derive(Debug, Clone)]
pub struct Reads {
    /// Index into [`Scenario::datasets`](super::Scenario::datasets).
    pub dataset: usize,
    /// Bytes in all, pass after pass: of each pod of a Job, or of the members of a Training together. At least 1.
    pub bytes: u64,
    /// Whether it reads ahead while it computes.
    pub prefetch: bool,
    /// Indices of the roles whose members read; `None`: all.
    pub roles: Option<Vec<usize>>,
}

/// Figures of a dataset that a claim can be about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DatasetFigure {
    /// Thousandths of it that are cached.
    Cached,
    /// Thousandths of the bytes read that came from the cache.
    HitRatio,
    /// Bytes a second while somebody read.
    Rate,
    /// Milliseconds by which its readers were faster than without a cache.
    Saved,
    /// The same, times the GPUs that they hold.
    GpuSaved,
}

words! { Tier: MEM = Mem, SSD = Ssd, HDD = Hdd }
words! { DatasetFigure: Cached, HitRatio, Rate, Saved, GpuSaved }
