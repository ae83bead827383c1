//! Job queues: they suspend jobs in front of the scheduler and release them to it.

use quotree_core::Name;
use quotree_syntax::words;

/// A queue in front of one leaf. It suspends jobs when they are submitted, and the scheduler does not know a job before
/// the queue releases it. Jobs are trainings, pods of Jobs and trace rows: what `max_jobs` of a leaf counts, except
/// Deployments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobQueue {
    /// The leaf.
    pub quota: Name,
    /// The order of releases.
    pub queueing: QueueOrder,
    /// The most jobs that are released and have not ended; if absent, unlimited.
    pub max_jobs: Option<u32>,
    /// A job that does not start within this time of its release returns to the queue, milliseconds; if absent, it
    /// stays released.
    pub start_timeout_ms: Option<u64>,
    /// The back-off of a job that returns for the first time, milliseconds. Each further return doubles it.
    pub backoff_ms: u64,
    /// The longest back-off, milliseconds.
    pub backoff_max_ms: u64,
}

impl JobQueue {
    /// The back-off of a job that did not start for the `tries`-th time, counted from 1: `backoff` times 2^(tries - 1),
    /// at most `backoff_max`.
    ///
    /// ```
    /// use quotree_model::{JobQueue, QueueOrder};
    /// let queue = JobQueue {
    ///     quota: "leaf".into(), queueing: QueueOrder::Skip, max_jobs: None, start_timeout_ms: Some(60_000),
    ///     backoff_ms: 60_000, backoff_max_ms: 3_600_000,
    /// };
    /// let waits = [1, 2, 6, 7, 200].map(|tries| queue.wait_ms(tries) / 1000);
    /// assert_eq!(waits, [60, 120, 1920, 3600, 3600]);
    /// ```
    #[must_use]
    pub fn wait_ms(&self, tries: u32) -> u64 {
        let doublings = tries.saturating_sub(1).min(63);
        self.backoff_ms.saturating_mul(1 << doublings).min(self.backoff_max_ms)
    }
}

/// The order in which a job queue releases jobs. In every order priority comes first, then age (O3), then the id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum QueueOrder {
    /// A job that cannot be released, or is in its back-off, keeps its position and is passed over.
    #[default]
    Skip,
    /// No job overtakes the first one, and no job is released before the job released last has started.
    Block,
    /// A job that did not start in time goes behind all jobs of its priority that were tried less often.
    RoundRobin,
}

words! { QueueOrder: Skip, Block, RoundRobin }
