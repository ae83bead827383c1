//! How jobs handle failures, and when work is saved. The language and the engine use the same records.

use quotree_syntax::{Ms, Positive, record};

record! {
    /// How a job handles pods that fail.
    pub struct Retries {
        /// The job fails after more than this many pod failures. A pod that is lost with its node has failed; an evicted pod has
        /// not.
        backoff_limit: u32 => "6; no limit with `backoff_limit_per_index`",
        /// Each index of the job (one of its `completions`, with all its tries) may fail this many times. An index that fails once
        /// more has failed for good, and the others go on. When all have ended, the job fails if one of them has failed. The
        /// `retry_delay` of an index then doubles with its own failures. `backoff_limit` still ends the job at once, if it is given.
        backoff_limit_per_index: u32 => "absent",
        /// The delay from a failure to the next try, in addition to the world's `recreate_delay`. It doubles with each failure,
        /// up to 1h.
        retry_delay: Ms = Ms(0),
        /// The job fails when the work of one of its pods has run this long, all its tries together.
        runtime_limit: Positive => "absent",
    }
}

record! {
    /// When work is saved.
    pub struct Checkpoints {
        /// The work that an interrupted pod keeps is a multiple of this. Without it, an interrupted pod starts from the beginning.
        checkpoint: Positive => "absent",
        /// How long the work stops for each checkpoint.
        checkpoint_cost: Ms = Ms(0),
    }
}

impl Checkpoints {
    /// After how much work it is saved, milliseconds.
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
    /// How many failures of all its pods together a job survives.
    #[must_use]
    pub fn limit(&self) -> u32 {
        let default = if self.backoff_limit_per_index.is_some() { u32::MAX } else { 6 };
        self.backoff_limit.unwrap_or(default)
    }
}
