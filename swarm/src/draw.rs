//! Random draws from one labelled stream of the simulator: a seed gives the same scenario on every machine.

use quotree_sim::random::Stream;

/// Draws numbers.
#[derive(Debug)]
pub(crate) struct Draw(Stream);

impl Draw {
    pub(crate) fn new(seed: u64, label: &str) -> Self {
        Self(Stream::new(seed, label))
    }

    /// A number between the two, both included.
    pub(crate) fn between(&mut self, low: u64, high: u64) -> u64 {
        self.0.between(low, high)
    }

    /// True in `percent` of 100 cases.
    pub(crate) fn chance(&mut self, percent: u64) -> bool {
        self.0.below(100) < percent
    }

    /// One of these, at random; `None` if there is none.
    pub(crate) fn one_of<T: Copy>(&mut self, of: &[T]) -> Option<T> {
        let index = self.0.below(of.len() as u64);
        of.get(usize::try_from(index).unwrap_or(0)).copied()
    }
}
