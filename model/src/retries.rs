//! What jobs do about failures, and when work is saved: parts of the language that the engine uses as they are read.

use quotree_syntax::{Ms, Positive, record};

record! {
    /// What a job does about pods that fail.
    pub struct Retries {
        /// The job fails after more than this many pod failures. A pod that is lost with its node has failed; an evicted pod has
        /// not.
        backoff_limit: u32 => "6",
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
        Self { backoff_limit: None, retry_delay: Ms(0), runtime_limit: None }
    }
}

impl Retries {
    /// How many failures of its pods a job survives.
    #[must_use]
    pub fn limit(&self) -> u32 {
        self.backoff_limit.unwrap_or(6)
    }
}
