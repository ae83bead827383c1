//! A token bucket: how much may be sent, and when the next may be. `kube` itself limits nothing.

use quotree_core::Time;

/// So many thousandths of a token are one.
const TOKEN: u64 = 1000;

/// A token bucket. It begins full.
#[derive(Debug, Clone)]
pub struct Bucket {
    per_second: u64,
    burst: u64,
    /// Thousandths of tokens.
    level: u64,
    at: Time,
}

impl Bucket {
    /// A bucket that gains so many tokens a second, and holds at most `burst`. Rates of 0 count as 1.
    #[must_use]
    pub const fn new(per_second: u32, burst: u32) -> Self {
        let per_second = if per_second == 0 { 1 } else { per_second as u64 };
        let burst = if burst == 0 { 1 } else { burst as u64 };
        Self { per_second, burst, level: burst * TOKEN, at: Time(0) }
    }

    /// Whether there is a token.
    pub fn has(&mut self, now: Time) -> bool {
        // Tokens a second are thousandths of tokens a millisecond.
        let gained = now.since(self.at).saturating_mul(self.per_second);
        self.level = self.level.saturating_add(gained).min(self.burst * TOKEN);
        self.at = self.at.max(now);
        self.level >= TOKEN
    }

    /// Takes a token, if there is one.
    pub fn take(&mut self, now: Time) -> bool {
        let has = self.has(now);
        if has {
            self.level -= TOKEN;
        }
        has
    }

    /// When there will be a token, if none is taken until then.
    #[must_use]
    pub const fn next(&self) -> Time {
        let missing = TOKEN.saturating_sub(self.level);
        self.at.after_ms(missing.div_ceil(self.per_second))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_then_the_rate() {
        let mut bucket = Bucket::new(10, 3);
        let start = Time(1_000_000);
        assert_eq!((0..5).filter(|_| bucket.take(start)).count(), 3);
        assert_eq!(bucket.next(), start.after_ms(100));
        assert!(!bucket.take(start.after_ms(99)));
        assert!(bucket.take(start.after_ms(100)));
        assert_eq!((0..50).filter(|_| bucket.take(start.after_ms(60_000))).count(), 3, "it holds no more");
    }
}
