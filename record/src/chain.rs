//! The digest chain: each sum covers the one before, and all bytes since.

use sha2::{Digest, Sha256};
use std::fmt::Write;

/// A digest chain that takes bytes.
///
/// ```
/// use quotree_record::chain::Chain;
/// let (mut one, mut other) = (Chain::default(), Chain::default());
/// one.take(b"first\n");
/// other.take(b"first\n");
/// assert_eq!(one.sum(), other.sum());
/// other.take(b"second\n");
/// assert_ne!(one.sum(), other.sum());
/// ```
#[derive(Debug, Clone, Default)]
pub struct Chain {
    hasher: Sha256,
}

impl Chain {
    /// Takes bytes.
    pub fn take(&mut self, bytes: &[u8]) {
        self.hasher.update(bytes);
    }

    /// The sum of all so far, which begins the next step.
    pub fn sum(&mut self) -> String {
        let digest = self.hasher.finalize_reset();
        self.hasher.update(digest);
        digest.iter().fold(String::with_capacity(64), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
    }
}
