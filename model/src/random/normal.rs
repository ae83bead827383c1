//! Normal and log-normal numbers without floats.
//!
//! A normal is drawn by Karney's method ("Sampling exactly from the normal distribution", 2016), which only compares
//! uniforms: `k + x` with a whole `k` and a fraction `x` of 64 bits gets the density exp(-(k + x)^2 / 2) by accepting
//! `k` and `x` with probabilities that are powers of exp(-a), each decided as for exponentials. The exponential of a
//! log-normal is computed in fixed point and rounded once, to the nearest millisecond.

use super::Stream;
use crate::MAX_MS;

/// ln 2 times 2^64, rounded down.
const LN_2: i128 = 0xB172_17F7_D1CF_79AB;

impl Stream {
    /// True with probability exp(-a / 2^64): the falling run of uniform numbers that starts at `a` has even length.
    fn survives(&mut self, a: u64) -> bool {
        let (mut last, mut even) = (a, true);
        loop {
            let next = self.bits();
            if next >= last {
                return even;
            }
            (last, even) = (next, !even);
        }
    }

    /// A standard normal times 2^64.
    pub(crate) fn normal(&mut self) -> i128 {
        const HALF: u64 = 1 << 63;
        loop {
            let mut whole: u32 = 0;
            while self.survives(HALF) {
                whole += 1;
            }
            if !(0..u64::from(whole) * u64::from(whole.saturating_sub(1))).all(|_| self.survives(HALF)) {
                continue;
            }
            let fraction = self.bits();
            // x (2k + x) / (2k + 2), k + 1 times.
            let (x, twice) = (u128::from(fraction), 2 * u128::from(whole));
            let step = (x * twice + ((x * x) >> 64)) / (twice + 2);
            let step = u64::try_from(step).unwrap_or(u64::MAX);
            if (0..=whole).all(|_| self.survives(step)) {
                let size = i128::from(whole) << 64 | i128::from(fraction);
                return if self.below(2) == 0 { size } else { -size };
            }
        }
    }

    /// A whole number whose logarithm is normally distributed, rounded to the nearest, and at most the largest possible
    /// time.
    pub fn log_normal(&mut self, median: u64, sigma_permille: u64) -> u64 {
        let sigma = i128::from(sigma_permille.min(1_000_000));
        times_exp(median, self.normal() * sigma / 1000)
    }
}

/// `factor` times exp(power / 2^64), rounded to the nearest, at most [`MAX_MS`].
fn times_exp(factor: u64, power: i128) -> u64 {
    let (doublings, rest) = (power.div_euclid(LN_2), power.rem_euclid(LN_2));
    // exp(rest) in parts of 2^62, by its series; the rest is below ln 2, so 25 terms are beyond the last bit, and the sum
    // is below 2^63.
    let rest = u64::try_from(rest).unwrap_or_default();
    let (mut term, mut sum) = (1u64 << 62, 1u64 << 62);
    for n in 1..=25 {
        term = ((u128::from(term) * u128::from(rest)) >> 64) as u64 / n;
        sum += term;
    }
    let product = u128::from(factor.min(MAX_MS)) * u128::from(sum);
    let shift = 62 - doublings;
    let rounded = match u32::try_from(shift) {
        Ok(0) => product,
        Ok(shift @ 1..=126) => (product + (1 << (shift - 1))) >> shift,
        Ok(_) => 0,
        Err(_) if product == 0 => 0,
        Err(_) => u128::MAX,
    };
    u64::try_from(rounded).unwrap_or(u64::MAX).min(MAX_MS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::expect;

    const ONE: i128 = 1 << 64;

    #[test]
    fn powers_of_e_are_exact_to_the_last_digit() {
        // e = 2.718281828459045.., e^10 = 22026.465794806.., e^-1 = 0.36787944117.., e^0.5 = 1.64872127070012..
        let rows = [
            (1_000_000_000_000_000, 0, 1_000_000_000_000_000),
            (100_000_000_000_000, ONE, 271_828_182_845_905),
            (10_000_000_000, 10 * ONE, 220_264_657_948_067),
            (100_000_000_000_000, -ONE, 36_787_944_117_144),
            (100_000_000_000_000, ONE / 2, 164_872_127_070_013),
            (1_000_000, 1000 * ONE, MAX_MS),
            (1_000_000, -1000 * ONE, 0),
            (0, 1000 * ONE, 0),
        ];
        for (factor, power, wanted) in rows {
            assert_eq!(times_exp(factor, power), wanted, "{factor} exp({power} / 2^64)");
        }
    }

    /// If these numbers change, the outcome of every scenario with log-normal times changes.
    #[test]
    fn first_draws_are_pinned() {
        let mut stream = Stream::new(1, "log-normal");
        let drawn: Vec<u64> = (0..6).map(|_| stream.log_normal(600_000, 1_500)).collect();
        expect!["[1373201, 393427, 914722, 361274, 1877918, 408664]"].assert_eq(&format!("{drawn:?}"));
    }

    #[test]
    fn normals_have_their_mean_variance_and_tails() {
        let mut stream = Stream::new(7, "normal");
        // In thousandths.
        let drawn: Vec<i64> = (0..100_000).map(|_| i64::try_from(stream.normal() * 1000 / ONE).unwrap()).collect();
        // Standard errors: of the mean 1/316, of the variance sqrt(2)/316, of a share p sqrt(p (1 - p))/316.
        let mean = drawn.iter().sum::<i64>() / 100_000;
        assert!((-10..=10).contains(&mean), "{mean}");
        let variance = drawn.iter().map(|z| z * z).sum::<i64>() / 100_000;
        assert!((986_000..1_014_000).contains(&variance), "{variance}");
        let below = |z: i64| drawn.iter().filter(|d| **d < z).count();
        // 2.275 %, 15.866 %, 50 %, 84.134 % and 97.725 % are below -2, -1, 0, 1 and 2.
        for (z, wanted, error) in
            [(-2000, 2_275, 150), (-1000, 15_866, 350), (0, 50_000, 480), (1000, 84_134, 350), (2000, 97_725, 150)]
        {
            assert!(below(z).abs_diff(wanted) <= error, "{} below {z}", below(z));
        }
        assert!(drawn.iter().any(|z| z.abs() > 3_500), "23 of 100,000 are beyond 3.5");
    }

    #[test]
    fn log_normals_have_their_median_mean_and_quantiles() {
        let mut stream = Stream::new(7, "log-normal");
        let drawn: Vec<u64> = (0..100_000).map(|_| stream.log_normal(1_000_000, 500)).collect();
        // Mean: exp(0.125) = 1.133148 medians, standard error 0.6039 / 316 = 0.0019.
        let mean = drawn.iter().sum::<u64>() / 100_000;
        assert!((1_127_000..1_139_000).contains(&mean), "{mean}");
        let below = |ms: u64| drawn.iter().filter(|d| **d < ms).count();
        // exp(0.5) = 1.648721 has 84.134 % below, exp(-1) = 0.367879 has 2.275 %.
        for (ms, wanted, error) in [(1_000_000, 50_000, 480), (1_648_721, 84_134, 350), (367_879, 2_275, 150)] {
            assert!(below(ms).abs_diff(wanted) <= error, "{} below {ms}", below(ms));
        }
        assert_eq!(stream.log_normal(5_000, 0), 5_000, "without spread it is the median");
    }
}
