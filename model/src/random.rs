//! Reproducible random numbers: one ChaCha8 stream for each label, computed with integers only.
//!
//! The root seed and a label such as `runtime/train-7` are the key of a stream, so an additional draw from one stream
//! changes no other stream. This crate maps bits to numbers without floats: by unbiased multiplication for ranges, von
//! Neumann's comparison method for exponentials, and Karney's method for normals. So the numbers are the same on every
//! machine and in every version; a test pins them.

mod normal;

use crate::Runtime;
use rand_chacha::ChaCha8Rng;
use rand_core::{RngCore, SeedableRng};
use xxhash_rust::xxh3::xxh3_128;

/// A labelled stream of random numbers.
///
/// ```
/// use quotree_model::random::Stream;
/// let (mut a, mut b) = (Stream::new(1, "arrivals"), Stream::new(1, "arrivals"));
/// assert_eq!(a.below(100), b.below(100));
/// ```
#[derive(Debug, Clone)]
pub struct Stream(ChaCha8Rng);

impl Stream {
    /// The stream of this label under this root seed.
    #[must_use]
    pub fn new(seed: u64, label: &str) -> Self {
        let mut key = [0; 32];
        // Hashed at once: every instance of a recurring workload has its own stream.
        let mut hashed = Vec::with_capacity(16 + label.len());
        for (half, slot) in (0u64..).zip(key.chunks_exact_mut(16)) {
            hashed.clear();
            hashed.extend(seed.to_le_bytes());
            hashed.extend(half.to_le_bytes());
            hashed.extend(label.as_bytes());
            slot.copy_from_slice(&xxh3_128(&hashed).to_le_bytes());
        }
        Self(ChaCha8Rng::from_seed(key))
    }

    /// 64 random bits.
    pub fn bits(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// A number below `bound`, each equally likely; 0 when the bound is 0.
    ///
    /// The result is the high half of `bits * bound`; the few products that would make some numbers more likely are
    /// drawn again.
    pub fn below(&mut self, bound: u64) -> u64 {
        let unfair = bound.wrapping_neg().checked_rem(bound).unwrap_or(0);
        loop {
            let product = u128::from(self.bits()) * u128::from(bound);
            if product as u64 >= unfair {
                return (product >> 64) as u64;
            }
        }
    }

    /// A number between the two, both included, each equally likely. The two may be given in any order.
    pub fn between(&mut self, one: u64, other: u64) -> u64 {
        let (low, high) = (one.min(other), one.max(other));
        match (high - low).checked_add(1) {
            Some(width) => low + self.below(width),
            None => self.bits(),
        }
    }

    /// An exponentially distributed whole number with this mean, rounded down.
    ///
    /// Von Neumann's method: in a sequence of uniform numbers, the length of the initial falling run is odd with
    /// probability exp(-first). So comparisons of uniform numbers decide the result; each failed run adds one mean.
    pub fn exponential(&mut self, mean: u64) -> u64 {
        let mut whole: u64 = 0;
        loop {
            let first = self.bits();
            let (mut last, mut length) = (first, 1u32);
            loop {
                let next = self.bits();
                if next >= last {
                    break;
                }
                (last, length) = (next, length + 1);
            }
            if length % 2 == 1 {
                let fraction = (u128::from(mean) * u128::from(first)) >> 64;
                let sum = u128::from(mean) * u128::from(whole) + fraction;
                return u64::try_from(sum).unwrap_or(u64::MAX);
            }
            whole += 1;
        }
    }

    /// A duration in milliseconds; nothing for one without end. A fixed duration draws no random bits.
    pub fn duration_ms(&mut self, runtime: &Runtime) -> Option<u64> {
        match runtime {
            Runtime::Forever => None,
            Runtime::Fixed(ms) => Some(*ms),
            Runtime::Uniform(from, to) => Some(self.between(*from, *to)),
            Runtime::Exponential(mean) => Some(self.exponential(*mean)),
            Runtime::ShiftedExponential { least, mean } => Some(least.saturating_add(self.exponential(*mean))),
            Runtime::LogNormal { median, sigma_permille } => Some(self.log_normal(*median, *sigma_permille)),
            Runtime::Empirical(seen) => {
                let place = usize::try_from(self.below(seen.len() as u64)).unwrap_or_default();
                Some(seen.get(place).copied().unwrap_or_default())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::expect;

    /// If these numbers change, the outcome of every random scenario changes.
    #[test]
    fn first_draws_are_pinned() {
        let mut seen = String::new();
        for (seed, label) in [(0, ""), (1, "bind"), (1, "evict"), (1, "runtime/job"), (u64::MAX, "runtime/job")] {
            let mut stream = Stream::new(seed, label);
            let drawn = (stream.bits(), stream.below(1000), stream.between(10, 20), stream.exponential(60_000));
            seen += &format!("{seed} {label:?}: {drawn:?}\n");
        }
        expect![[r#"
            0 "": (11942604074896693229, 120, 17, 49058)
            1 "bind": (15393962605855715012, 533, 19, 108486)
            1 "evict": (17552284271614123646, 360, 17, 70959)
            1 "runtime/job": (17512026440725429479, 41, 18, 19587)
            18446744073709551615 "runtime/job": (17441517449637510021, 263, 16, 5016)
        "#]]
        .assert_eq(&seen);
    }

    #[test]
    fn a_stream_does_not_depend_on_others() {
        let (mut one, mut other) = (Stream::new(3, "a"), Stream::new(3, "b"));
        let wanted: Vec<u64> = (0..5).map(|_| Stream::bits(&mut one)).collect();
        let mut again = Stream::new(3, "a");
        let mixed: Vec<u64> = (0..5)
            .map(|_| {
                other.bits();
                again.bits()
            })
            .collect();
        assert_eq!(mixed, wanted);
    }

    #[test]
    fn every_value_of_a_range_comes_about_equally_often() {
        let mut stream = Stream::new(7, "range");
        let mut seen = [0u32; 7];
        for _ in 0..70_000 {
            seen[usize::try_from(stream.between(10, 16) - 10).unwrap()] += 1;
        }
        assert!(seen.iter().all(|n| (9_600..10_400).contains(n)), "{seen:?}");
        assert_eq!((stream.below(0), stream.below(1), stream.between(5, 5)), (0, 0, 5));
        let _ = stream.between(u64::MAX, 0);
    }

    #[test]
    fn exponentials_have_their_mean_and_tail() {
        let mut stream = Stream::new(7, "exponential");
        let drawn: Vec<u64> = (0..100_000).map(|_| stream.exponential(1_000_000)).collect();
        let mean = drawn.iter().sum::<u64>() / 100_000;
        assert!((990_000..1_010_000).contains(&mean), "{mean}");
        // One in e exceeds the mean: 36,788 of 100,000.
        let above = drawn.iter().filter(|d| **d >= 1_000_000).count();
        assert!((36_300..37_300).contains(&above), "{above}");
        assert_eq!(stream.exponential(0), 0);
    }

    #[test]
    fn shifted_exponentials_begin_at_their_least() {
        let mut stream = Stream::new(7, "shifted");
        let runtime = Runtime::ShiftedExponential { least: 5_000, mean: 10_000 };
        let drawn: Vec<u64> = (0..100_000).map(|_| stream.duration_ms(&runtime).unwrap()).collect();
        // Mean 5 + 10 s with a standard error of 10 s / sqrt(100,000) = 32 ms; the median is 5 + 10 ln 2 = 11.931 s.
        let mean = drawn.iter().sum::<u64>() / 100_000;
        assert!((14_870..15_130).contains(&mean), "{mean}");
        assert!(drawn.iter().all(|ms| *ms >= 5_000));
        let below = drawn.iter().filter(|ms| **ms < 11_931).count();
        assert!((49_400..50_600).contains(&below), "{below}");
    }

    #[test]
    fn what_was_seen_is_drawn_as_often_as_it_was_seen() {
        let mut stream = Stream::new(7, "seen");
        let runtime = Runtime::Empirical([10, 10, 30, 70].into());
        let drawn: Vec<u64> = (0..40_000).map(|_| stream.duration_ms(&runtime).unwrap()).collect();
        let times = |ms: u64| drawn.iter().filter(|d| **d == ms).count();
        // A half, a quarter and a quarter; the standard errors are 100 and 87.
        assert!((19_600..20_400).contains(&times(10)), "{}", times(10));
        assert!((9_650..10_350).contains(&times(30)), "{}", times(30));
        assert_eq!(times(10) + times(30) + times(70), 40_000);
        assert_eq!(stream.duration_ms(&Runtime::Empirical([].into())), Some(0));
    }
}
