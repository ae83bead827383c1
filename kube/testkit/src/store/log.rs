//! The log of changes: bounded, as that of etcd is by compaction. Watches read on in it, and lists at an earlier
//! resourceVersion go back along it.

use crate::kinds::Resource;
use serde_json::Value;
use std::{collections::VecDeque, sync::Arc};

/// One change of one object.
#[derive(Debug, Clone)]
pub struct Change {
    /// The resourceVersion that the change made.
    pub revision: u64,
    /// Group and plural.
    pub resource: Arc<Resource>,
    /// Namespace and name.
    pub key: (String, String),
    /// The object before; none if it was created.
    pub before: Option<Arc<Value>>,
    /// The object after; none if it is gone.
    pub after: Option<Arc<Value>>,
}

/// The latest changes.
#[derive(Debug, Clone)]
pub struct Log {
    changes: VecDeque<Change>,
    capacity: usize,
    /// The latest revision that is forgotten.
    forgotten: u64,
}

impl Log {
    pub(super) fn new(capacity: usize) -> Self {
        Self { changes: VecDeque::new(), capacity, forgotten: 0 }
    }

    pub(super) fn push(&mut self, change: Change) {
        self.changes.push_back(change);
        while self.changes.len() > self.capacity {
            self.forget_one();
        }
    }

    fn forget_one(&mut self) {
        if let Some(change) = self.changes.pop_front() {
            self.forgotten = change.revision;
        }
    }

    /// Forgets all changes up to this revision.
    pub(super) fn compact(&mut self, revision: u64) {
        while self.changes.front().is_some_and(|change| change.revision <= revision) {
            self.forget_one();
        }
        self.forgotten = self.forgotten.max(revision);
    }

    /// The latest revision that is forgotten: a watch from an earlier one is expired.
    pub fn forgotten(&self) -> u64 {
        self.forgotten
    }

    /// The changes after a revision, the oldest first.
    pub fn after(&self, revision: u64) -> impl DoubleEndedIterator<Item = &Change> {
        let from = self.changes.partition_point(|change| change.revision <= revision);
        self.changes.range(from..)
    }
}
