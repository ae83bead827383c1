//! The searches over sets of victims that found nothing, as a workload remembers them (V5).

/// The last search in vain of each kind: a digest of what it depended on, and whether it hit a bound.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct VainSearches([Option<(u64, bool)>; 4]);

impl VainSearches {
    /// Whether the last search of this kind hit a bound; nothing if it depended on something else.
    pub(crate) fn hit_bound(&self, kind: usize, digest: u64) -> Option<bool> {
        let last = self.0.get(kind).copied().flatten()?;
        (last.0 == digest).then_some(last.1)
    }

    pub(crate) fn note(&mut self, kind: usize, digest: u64, hit_bound: bool) {
        if let Some(last) = self.0.get_mut(kind) {
            *last = Some((digest, hit_bound));
        }
    }
}
