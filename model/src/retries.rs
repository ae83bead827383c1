//! How jobs handle failures, and when work is saved. The language and the engine share these records.

use quotree_syntax::{Ms, Positive, record};

record! {
    /// How a job handles pods that fail.
    pub struct Retries {
        /// The job fails after more than this many pod failures. A pod that is lost with its node has failed; an evicted pod has
        /// not.
        backoff_limit: u32 => "6; no limit with `backoff_limit_per_index`",
        /// How many times each index of the job (one of its `completions`, with all its tries) may fail. An index that
        /// fails once more has failed for good, and the others go on. When all have ended, the job fails if one of them
        /// has failed. The `retry_delay` of an index then doubles with the failures of this index. If `backoff_limit`
        /// is given, too, it still ends the job at once.
        backoff_limit_per_index: u32 => "absent",
        /// The delay from a failure to the next try, in addition to the world's `recreate_delay`. It doubles with each failure,
        /// up to 1h.
        retry_delay: Ms = Ms(0),
        /// The longest time that the work of one of its pods may run, all its tries together. Then the job fails.
        runtime_limit: Positive => "absent",
    }
}

record! {
    /// When work is saved.
    pub struct Checkpoints {
        /// The unit of saved work: an interrupted pod keeps a multiple of this much work. Without checkpoints, it
        /// starts from the beginning.
        checkpoint: Positive => "absent",
        /// How long the work stops for each checkpoint.
        checkpoint_cost: Ms = Ms(0),
    }
}

impl Checkpoints {
    /// The work between two checkpoints, milliseconds.
    #[must_use]
    pub fn every_ms(&self) -> Option<u64> {
        self.checkpoint.map(|every| every.0)
    }
}

impl Default for Retries {
    fn default() -> Self {
        Self { backoff_limit: None, backoff_limit_per_index: None, retry_delay: Ms(0), runtime_limit: None }
    }
}

impl Retries {
    /// The most failures of all its pods together after which a job still continues.
    #[must_use]
    pub fn limit(&self) -> u32 {
        let default = if self.backoff_limit_per_index.is_some() { u32::MAX } else { 6 };
        self.backoff_limit.unwrap_or(default)
    }
}
