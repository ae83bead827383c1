//! How well a share of all seeds is known from the seeds that were run: the Wilson score interval, at 95 % confidence.
//!
//! A share `p` is in the interval if and only if the score test does not reject it: `(k − n·p)² ≤ z²·n·p·(1 − p)`, with `k` of
//! `n` and `z = 1.96`. For a `p` of whole ten-thousandths that is a comparison of integers, so that whether a bound is in the
//! interval is the same on every machine (decision 076).

use serde::{Serialize, Serializer};

/// One whole, in the unit of shares.
const WHOLE: u32 = 10_000;
/// `z²` in ten-thousandths: 1.96².
const Z_SQUARED: u128 = 38_416;

/// A share of a whole, in ten-thousandths.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Share(u32);

impl Share {
    /// 95 of 100.
    pub const USUAL: Self = Self(9_500);
    /// One half.
    pub const HALF: Self = Self(5_000);

    /// Parses a percentage above 0 and up to 100, with at most two decimals and perhaps with `%`.
    ///
    /// # Errors
    /// A sentence that says what it should be.
    ///
    /// ```
    /// use quotree_study::Share;
    /// assert_eq!(Share::parse("95").unwrap(), Share::USUAL);
    /// assert_eq!(Share::parse("99.5 %").unwrap().to_string(), "99.5 %");
    /// assert!(Share::parse("0").is_err() && Share::parse("101%").is_err());
    /// ```
    pub fn parse(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is no share: give a percentage above 0 and up to 100, such as `95` or `99.5`");
        let number = text.trim().trim_end_matches('%').trim_end();
        let (whole, part) = number.split_once('.').unwrap_or((number, "0"));
        let digits = |text: &str| !text.is_empty() && text.len() <= 3 && text.bytes().all(|b| b.is_ascii_digit());
        if !digits(whole) || !digits(part) || part.len() > 2 {
            return Err(wrong());
        }
        let hundredths: u32 = format!("{part:0<2}").parse().map_err(|_| wrong())?;
        let share = whole.parse::<u32>().map_err(|_| wrong())? * 100 + hundredths;
        if share == 0 || share > WHOLE { Err(wrong()) } else { Ok(Self(share)) }
    }

    /// Whether `held` of `runs` are at least this share.
    #[must_use]
    pub const fn is_reached(self, held: u64, runs: u64) -> bool {
        held as u128 * WHOLE as u128 >= runs as u128 * self.0 as u128
    }

    /// How many runs would decide that this share is reached, if all of them hold; nothing for the whole, which no number of
    /// runs can show.
    #[must_use]
    pub fn runs_to_decide(self) -> Option<u64> {
        // All of n hold: the bound is outside if (n·(1 − p))² > z²·n·p·(1 − p), that is n·(1 − p) > z²·p.
        let (p, rest) = (u128::from(self.0), u128::from(WHOLE - self.0));
        let least = (Z_SQUARED * p).checked_div(rest * u128::from(WHOLE))? + 1;
        u64::try_from(least).ok()
    }

    /// In ten-thousandths.
    #[must_use]
    pub const fn permyriad(self) -> u32 {
        self.0
    }
}

impl std::fmt::Display for Share {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (whole, part) = (self.0 / 100, self.0 % 100);
        match part {
            0 => write!(f, "{whole} %"),
            part if part % 10 == 0 => write!(f, "{whole}.{} %", part / 10),
            part => write!(f, "{whole}.{part:02} %"),
        }
    }
}

impl Serialize for Share {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u32(self.0)
    }
}

/// What is known of the share of all seeds: it lies between the two at 95 % confidence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Interval {
    /// The least share, rounded down.
    pub low: Share,
    /// The largest share, rounded up.
    pub high: Share,
}

impl std::fmt::Display for Interval {
    /// To a tenth of a percent, rounded outwards: `88.6 % to 100 %`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (low, high) = (Share(self.low.0 / 10 * 10), Share(self.high.0.div_ceil(10) * 10));
        write!(f, "{low} to {high}")
    }
}

impl Interval {
    /// The interval after `held` of `runs`.
    ///
    /// ```
    /// use quotree_study::{Interval, Share};
    /// let all = Interval::of(30, 30);
    /// assert_eq!((all.low.to_string(), all.high.to_string()), ("88.64 %".into(), "100 %".into()));
    /// // 30 seeds that all hold do not show that 95 % of all do; 73 do.
    /// assert!(Interval::includes(30, 30, Share::USUAL));
    /// assert_eq!(Share::USUAL.runs_to_decide(), Some(73));
    /// assert!(Interval::includes(72, 72, Share::USUAL) && !Interval::includes(73, 73, Share::USUAL));
    /// ```
    #[must_use]
    pub fn of(held: u64, runs: u64) -> Self {
        if runs == 0 {
            return Self { low: Share(0), high: Share(WHOLE) };
        }
        let inside = |share: u32| Self::includes(held, runs, Share(share));
        // The observed share is inside, and everything between it and the ends.
        let seen = u128::from(held.min(runs)) * u128::from(WHOLE) / u128::from(runs);
        let seen = u32::try_from(seen).unwrap_or(WHOLE);
        let (mut low, mut below) = (seen, 0);
        while below < low {
            let middle = below + (low - below) / 2;
            if inside(middle) {
                low = middle;
            } else {
                below = middle + 1;
            }
        }
        let mut high = (seen + 1).min(WHOLE);
        let mut above = WHOLE;
        while high < above {
            let middle = above - (above - high) / 2;
            if inside(middle) {
                high = middle;
            } else {
                above = middle - 1;
            }
        }
        // A whole ten-thousandth that is outside is rounded outwards already.
        let low = if low > 0 && inside(low) { low - 1 } else { low };
        let high = if high < WHOLE && inside(high) { high + 1 } else { high };
        Self { low: Share(low), high: Share(high) }
    }

    /// Whether a share is in the interval after `held` of `runs`, exactly.
    #[must_use]
    pub const fn includes(held: u64, runs: u64, share: Share) -> bool {
        let (whole, p) = (WHOLE as u128, share.0 as u128);
        let distance = (held as u128 * whole).abs_diff(runs as u128 * p);
        distance * distance * whole <= Z_SQUARED * runs as u128 * p * (whole - p)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The bounds by the usual formula, for tests only.
    fn formula(held: u64, runs: u64) -> (f64, f64) {
        let (k, n) = (held as f64, runs as f64);
        let (p, z) = (k / n, 1.96_f64);
        let middle = p + z * z / (2.0 * n);
        let half = z * (p * (1.0 - p) / n + z * z / (4.0 * n * n)).sqrt();
        let scale = 1.0 + z * z / n;
        ((middle - half) / scale, (middle + half) / scale)
    }

    #[test]
    fn bounds_are_those_of_the_formula_rounded_outwards() {
        for runs in (1..60).chain([73, 100, 500, 10_000, 100_000]) {
            for held in [0, 1, runs / 3, runs / 2, runs - 1, runs] {
                let (low, high) = formula(held, runs);
                let seen = Interval::of(held, runs);
                let of = |share: Share| f64::from(share.0) / f64::from(WHOLE);
                assert!(of(seen.low) <= low + 1e-9 && low < of(seen.low) + 1.001e-4, "{held}/{runs}: {seen:?} {low}");
                assert!(
                    of(seen.high) >= high - 1e-9 && high > of(seen.high) - 1.001e-4,
                    "{held}/{runs}: {seen:?} {high}"
                );
            }
        }
    }

    #[test]
    fn how_many_runs_decide_is_found_by_trying() {
        for share in [Share(1), Share(5_000), Share(9_000), Share::USUAL, Share(9_900), Share(9_999)] {
            let least = (1..100_000).find(|n| !Interval::includes(*n, *n, share));
            assert_eq!(share.runs_to_decide(), least, "{share}");
        }
        assert_eq!(Share(WHOLE).runs_to_decide(), None);
    }

    #[test]
    fn a_share_is_reached_by_counting() {
        assert!(Share::USUAL.is_reached(19, 20) && !Share::USUAL.is_reached(28, 30) && Share::USUAL.is_reached(29, 30));
    }
}
