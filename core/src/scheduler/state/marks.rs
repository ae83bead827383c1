//! Marks quotas of which something has changed, so that an update looks only at these.

use super::{keys::QuotaSlot, table::Table};

/// A set of quotas. Marking a marked quota again costs a look at one byte.
#[derive(Debug, Clone)]
pub(crate) struct Marks {
    is_marked: Table<QuotaSlot, bool>,
    marked: Vec<QuotaSlot>,
}

impl Marks {
    /// A set for this many quotas, with none marked.
    pub(crate) fn new(quotas: usize) -> Self {
        Self { is_marked: (0..quotas).map(|_| false).collect(), marked: Vec::new() }
    }

    pub(crate) fn mark(&mut self, quota: QuotaSlot) {
        if !std::mem::replace(self.is_marked.at_mut(quota), true) {
            self.marked.push(quota);
        }
    }

    /// Takes out one of the marked quotas, and keeps the memory.
    pub(crate) fn pop(&mut self) -> Option<QuotaSlot> {
        let marked = self.marked.pop()?;
        *self.is_marked.at_mut(marked) = false;
        Some(marked)
    }

    /// Forgets all marks, and keeps the memory.
    pub(crate) fn clear(&mut self) {
        while self.pop().is_some() {}
    }

    /// Takes out the marked quotas, each once.
    pub(crate) fn take(&mut self) -> Vec<QuotaSlot> {
        let marked = std::mem::take(&mut self.marked);
        marked.iter().for_each(|quota| *self.is_marked.at_mut(*quota) = false);
        marked
    }
}
