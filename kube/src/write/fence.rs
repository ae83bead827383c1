//! The fence of the writer: a process that may not lead any more sends nothing, whatever else it has not noticed yet.

use quotree_core::Time;
use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

/// Until when writes may be sent. Clones are the same fence.
#[derive(Debug, Clone)]
pub struct Fence(Arc<AtomicU64>);

impl Fence {
    /// A fence that is never closed, for a process that has no rival.
    #[must_use]
    pub fn open() -> Self {
        Self(Arc::new(AtomicU64::new(u64::MAX)))
    }

    /// A fence that is closed until it is opened.
    #[must_use]
    pub fn closed() -> Self {
        Self(Arc::new(AtomicU64::new(0)))
    }

    /// Whether a write may be sent.
    #[must_use]
    pub fn allows(&self, now: Time) -> bool {
        now.0 < self.0.load(Ordering::Acquire)
    }

    /// Writes may be sent until this time.
    pub fn open_until(&self, end: Time) {
        self.0.store(end.0, Ordering::Release);
    }

    /// Nothing may be sent any more.
    pub fn close(&self) {
        self.0.store(0, Ordering::Release);
    }
}
