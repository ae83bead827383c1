//! The arithmetic of reading: rates as whole numbers, and products of 256 bits.
//!
//! A rate is a whole number of 2^-64 bytes a millisecond, rounded up. The amount left to read is a whole number of
//! 2^-64 bytes. So a rate times milliseconds is exact, and events in between do not change the result. A read that
//! should end exactly on a millisecond does: after t milliseconds a reader is ahead of the exact rate by less than 3t
//! units of 2^-64 bytes.

/// A byte, in parts of 2^-64.
pub(crate) const BYTE: u128 = 1 << 64;
/// Rates above this count as instantaneous. The sum of two such rates still fits 128 bits.
const FASTEST: u128 = u128::MAX >> 2;

/// `a * b / c`, rounded down; the largest number if it does not fit or `c` is 0.
pub(crate) fn muldiv(a: u128, b: u128, c: u128) -> u128 {
    divided(a, b, c).map_or(u128::MAX, |(quotient, _)| quotient)
}

/// `a * b / c`, rounded up; the largest number if it does not fit or `c` is 0.
pub(crate) fn muldiv_up(a: u128, b: u128, c: u128) -> u128 {
    divided(a, b, c).map_or(u128::MAX, |(quotient, rest)| quotient.saturating_add(u128::from(rest > 0)))
}

fn divided(a: u128, b: u128, c: u128) -> Option<(u128, u128)> {
    if let Some(product) = a.checked_mul(b) {
        return Some((product.checked_div(c)?, product % c));
    }
    let (high, low) = product(a, b);
    if high >= c {
        return None;
    }
    // Long division, a bit at a time: the rest is below `c` before each step.
    let (mut quotient, mut rest) = (0, high);
    for bit in (0..128).rev() {
        let carry = rest >> 127 == 1;
        rest = rest << 1 | (low >> bit & 1);
        if carry || rest >= c {
            rest = rest.wrapping_sub(c);
            quotient |= 1 << bit;
        }
    }
    Some((quotient, rest))
}

/// The high and the low half of a product.
fn product(a: u128, b: u128) -> (u128, u128) {
    const HALF: u128 = u64::MAX as u128;
    let (a1, a0, b1, b0) = (a >> 64, a & HALF, b >> 64, b & HALF);
    let (low, left, right) = (a0 * b0, a1 * b0, a0 * b1);
    let middle = (low >> 64) + (left & HALF) + (right & HALF);
    (a1 * b1 + (left >> 64) + (right >> 64) + (middle >> 64), (middle << 64) | (low & HALF))
}

/// The sources from which a pod reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sources {
    /// Bytes of the dataset.
    pub(crate) size: u64,
    /// Bytes of a pass that are in the cache.
    pub(crate) hits: u64,
    /// Bytes a second from the cache.
    pub(crate) cache: u64,
    /// Bytes a second of the backend, and how many pods share them.
    pub(crate) backend: u64,
    pub(crate) sharers: u64,
}

impl Sources {
    /// The rate at which this many pods read together: x bytes with hit ratio h take the time x (h / cache + (1 - h) /
    /// (backend / sharers)).
    pub(crate) fn rate(&self, pods: u64) -> u128 {
        let [size, hits, cache, backend, sharers, pods] =
            [self.size, self.hits, self.cache.max(1), self.backend, self.sharers.max(1), pods].map(u128::from);
        // size bytes take hits / cache + (size - hits) * sharers / backend seconds.
        let below = hits * backend + (size - hits.min(size)) * sharers * cache;
        muldiv_up(size * cache, (pods * backend) << 64, 1000 * below).min(FASTEST)
    }
}

/// The rate in bytes at which a pod could read if its computation alone set the pace: it reads `bytes` during `total`
/// work at `rate` per millisecond.
pub(crate) fn compute_rate(bytes: u64, rate: u128, total: u128) -> u128 {
    muldiv_up(u128::from(bytes) << 64, rate, total).min(FASTEST)
}

/// The combined rate of input and compute: with prefetch, the lower of both; without, one after the other.
pub(crate) fn together(input: u128, compute: u128, prefetch: bool) -> u128 {
    if prefetch { input.min(compute) } else { muldiv_up(input, compute, input + compute) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_of_256_bits_divide_exactly() {
        let rows = [
            (6, 7, 5, 8, 9),
            (1 << 100, 1 << 100, 1 << 90, 1 << 110, 1 << 110),
            ((1 << 100) + 1, 1 << 100, 1 << 100, (1 << 100) + 1, (1 << 100) + 1),
            (u128::MAX, u128::MAX, u128::MAX, u128::MAX, u128::MAX),
            (u128::MAX, u128::MAX - 1, u128::MAX, u128::MAX - 1, u128::MAX - 1),
            (u128::MAX - 1, u128::MAX - 1, u128::MAX, u128::MAX - 2, u128::MAX - 1),
            // 10^38 * 10^20 / (3 * 10^20) = 3.33.. * 10^37
            (10_u128.pow(38), 10_u128.pow(20), 3 * 10_u128.pow(20), 10_u128.pow(38) / 3, 10_u128.pow(38) / 3 + 1),
            (u128::MAX, 2, 1, u128::MAX, u128::MAX),
            (1, 1, 0, u128::MAX, u128::MAX),
        ];
        for (a, b, c, down, up) in rows {
            assert_eq!((muldiv(a, b, c), muldiv_up(a, b, c)), (down, up), "{a} * {b} / {c}");
        }
    }

    #[test]
    fn a_rate_is_that_of_the_formula_rounded_up() {
        // 1 GB/s is 10^6 bytes a millisecond; three share it: 333,333.3; two pods of one reader get two shares.
        let sources = Sources { size: 144 << 30, hits: 0, cache: 0, backend: 1_000_000_000, sharers: 1 };
        assert_eq!(sources.rate(1), 1_000_000 << 64);
        assert_eq!(Sources { sharers: 3, ..sources }.rate(1), (1_000_000_u128 << 64).div_ceil(3));
        assert_eq!(Sources { sharers: 3, ..sources }.rate(2), (2_000_000_u128 << 64).div_ceil(3));
        // Half out of a cache of 4 GB/s: 1 / (1/8 + 1/2) = 1.6 GB/s.
        let half = Sources { hits: 72 << 30, cache: 4_000_000_000, ..sources };
        assert_eq!(half.rate(1), 1_600_000 << 64);
        assert_eq!(Sources { hits: 144 << 30, ..half }.rate(3), 12_000_000 << 64);
    }

    #[test]
    fn the_largest_numbers_that_a_scenario_may_have_fit() {
        let (size, bandwidth) = (1 << 50, 1_000_000_000_000);
        let full = Sources { size, hits: size, cache: bandwidth, backend: bandwidth, sharers: 10_000_000 };
        assert_eq!(full.rate(1), 1_000_000_000 << 64);
        let missed = Sources { hits: 0, ..full };
        assert_eq!(missed.rate(10_000_000), 1_000_000_000 << 64);
        assert_eq!(missed.rate(1), 100 << 64);
    }

    #[test]
    fn prefetch_takes_the_slower_and_the_rest_the_sum_of_times() {
        assert_eq!([together(6, 3, true), together(6, 3, false), together(3, 6, true)], [3, 2, 3]);
        // 100 bytes while 40 units of work are done at 2 a millisecond: 5 a millisecond.
        assert_eq!(compute_rate(100, 2, 40), 5 << 64);
        assert_eq!(compute_rate(1, 1, 0), FASTEST);
    }
}
