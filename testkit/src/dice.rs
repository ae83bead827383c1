//! A small seeded generator of random numbers (SplitMix64). It gives the same numbers on every machine and in every
//! version, so the seed in a failure report always gives the same scenario.

/// Draws random numbers.
#[derive(Debug, Clone)]
pub struct Dice {
    state: u64,
    /// The bytes that the first draws use, two each, in reverse order.
    script: Vec<u8>,
}

impl Dice {
    /// Dice with this seed.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self { state: seed, script: Vec::new() }
    }

    /// Dice that use these bytes first and then draw at random, so that a fuzzer can control the draws.
    #[must_use]
    pub fn scripted(bytes: &[u8]) -> Self {
        Self { state: 0, script: bytes.iter().rev().copied().collect() }
    }

    /// The next 64 bits.
    pub fn bits(&mut self) -> u64 {
        if let (Some(high), Some(low)) = (self.script.pop(), self.script.pop()) {
            return u64::from(u16::from_be_bytes([high, low])) << 48;
        }
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number from 0 to `n - 1`; 0 when `n` is 0.
    pub fn below(&mut self, n: u64) -> u64 {
        u64::try_from((u128::from(self.bits()) * u128::from(n)) >> 64).unwrap_or(0)
    }

    /// A number from `low` to `high`, both included; `low` when the range is empty.
    pub fn between(&mut self, low: i64, high: i64) -> i64 {
        let span = u64::try_from(high.saturating_sub(low)).map_or(0, |s| s.saturating_add(1));
        low.saturating_add(i64::try_from(self.below(span)).unwrap_or(0))
    }

    /// True in `percent` of 100 cases.
    pub fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    /// A random index of a list; 0 if the list is empty.
    pub fn index(&mut self, len: usize) -> usize {
        usize::try_from(self.below(len as u64)).unwrap_or(0)
    }

    /// A random one of these values.
    #[expect(clippy::indexing_slicing, reason = "an index below the length")]
    pub fn one_of<T: Copy, const N: usize>(&mut self, of: [T; N]) -> T {
        of[self.index(N)]
    }
}
