//! Job queues: what stands before the scheduler and lets jobs out to it.

use quotree_core::Name;
use quotree_syntax::words;

/// A queue in front of one leaf. Jobs (trainings, pods of Jobs, trace rows; what a leaf's `max_jobs` counts, but for
/// Deployments) are suspended when they are submitted: the scheduler learns of them when the queue lets them out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobQueue {
    /// The leaf it stands before.
    pub quota: Name,
    /// Whose turn it is.
    pub queueing: QueueOrder,
    /// The most jobs that are out and have not ended; absent: no limit.
    pub max_jobs: Option<u32>,
    /// A job that does not start within so many milliseconds goes back into the queue; absent: it stays out.
    pub start_timeout_ms: Option<u64>,
    /// How long it then waits at least, after the first time; twice as long after each further time, milliseconds.
    pub backoff_ms: u64,
    /// The longest such wait, milliseconds.
    pub backoff_max_ms: u64,
}

impl JobQueue {
    /// How long a job waits at least that did not start for the `tries`-th time, from 1: `backoff` times 2^(tries - 1), at
    /// most `backoff_max`.
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

/// Whose turn it is in a job queue. Everywhere priority goes first, then submission, then the id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum QueueOrder {
    /// A job that cannot be let out, or is in its back-off, keeps its place and is passed.
    #[default]
    Skip,
    /// Nobody passes the first, and nobody is let out before the one let out last has started.
    Block,
    /// A job that did not start in time goes behind all of its priority that were tried less often.
    RoundRobin,
}

words! { QueueOrder: Skip, Block, RoundRobin }
