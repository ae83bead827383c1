//! The arrival times of a workload that is submitted repeatedly, each computed when it is needed.
//!
//! The clock needs little memory, however many arrivals there are, and draws from one stream, labelled with the
//! workload. Rates that change by the hour are exact: gaps are drawn on a scale on which arrivals have constant
//! density, and converted to time.

use crate::{
    model::{Arrivals, HOUR_MS, Pattern},
    random::Stream,
};
use quotree_core::Time;
use std::collections::VecDeque;

/// The state of an arrival process.
#[derive(Debug, Clone)]
pub(crate) struct Clock {
    stream: Stream,
    submit: Time,
    /// The number of arrivals returned so far.
    given: u64,
    /// The position of the last arrival: a time, or a position on the scale of constant density.
    at: u128,
    /// The remaining arrivals of the current burst, and the time of its last one.
    burst: VecDeque<u64>,
    last: u64,
}

impl Clock {
    pub(crate) fn new(seed: u64, workload: &str, submit: Time, arrivals: &Arrivals) -> Self {
        let at = match &arrivals.pattern {
            Pattern::Diurnal { hours, .. } => weight_until(hours, submit.0),
            _ => u128::from(submit.0),
        };
        let stream = Stream::new(seed, &format!("arrivals/{workload}"));
        Self { stream, submit, given: 0, at, burst: VecDeque::new(), last: 0 }
    }

    /// The next arrival; nothing after the last.
    pub(crate) fn next(&mut self, arrivals: &Arrivals) -> Option<Time> {
        if arrivals.count.is_some_and(|count| self.given >= count) {
            return None;
        }
        let time = self.time(&arrivals.pattern)?;
        if arrivals.until.is_some_and(|until| time >= until) {
            return None;
        }
        self.given += 1;
        Some(time)
    }

    fn time(&mut self, pattern: &Pattern) -> Option<Time> {
        match pattern {
            Pattern::Times(times) => {
                let place = usize::try_from(self.given).ok()?;
                times.get(place).map(|ms| self.submit.after_ms(*ms))
            }
            Pattern::Every(ms) => Some(self.submit.after_ms(ms.saturating_mul(self.given))),
            Pattern::Poisson(mean) => {
                self.at += u128::from(self.stream.exponential(*mean));
                u64::try_from(self.at).ok().map(Time)
            }
            Pattern::Diurnal { mean_ms, hours } => {
                let day: u64 = hours.iter().map(|weight| u64::from(*weight)).sum();
                let mean = u128::from(*mean_ms) * u128::from(day) / 24;
                self.at += u128::from(self.stream.exponential(u64::try_from(mean).unwrap_or(u64::MAX)));
                time_of(hours, self.at)
            }
            Pattern::Bursts { every, size, spread_ms } => {
                if self.burst.is_empty() {
                    if self.given > 0 {
                        let begun = u64::try_from(self.at).ok()?;
                        let gap = self.stream.duration_ms(every)?;
                        self.at = u128::from(begun.saturating_add(gap).max(self.last));
                    }
                    let begins = u64::try_from(self.at).ok()?;
                    let mut times: Vec<u64> =
                        (0..*size).map(|_| begins.saturating_add(self.stream.between(0, *spread_ms))).collect();
                    times.sort_unstable();
                    // The next burst waits for the last of this one.
                    self.last = times.last().copied().unwrap_or(begins);
                    self.burst = times.into();
                }
                self.burst.pop_front().map(Time)
            }
        }
    }
}

/// The sum of the weights of all milliseconds before a time.
fn weight_until(hours: &[u32; 24], ms: u64) -> u128 {
    let day: u128 = hours.iter().map(|weight| u128::from(*weight) * u128::from(HOUR_MS)).sum();
    let (days, mut rest) = (ms / (24 * HOUR_MS), ms % (24 * HOUR_MS));
    let mut sum = day * u128::from(days);
    for weight in hours {
        let here = rest.min(HOUR_MS);
        sum += u128::from(*weight) * u128::from(here);
        rest -= here;
    }
    sum
}

/// The first time before which the sum of the weights is at least this much.
fn time_of(hours: &[u32; 24], weight: u128) -> Option<Time> {
    let day: u128 = hours.iter().map(|weight| u128::from(*weight) * u128::from(HOUR_MS)).sum();
    let (days, mut rest) = (weight.checked_div(day)?, weight % day);
    let mut ms = days.checked_mul(24 * u128::from(HOUR_MS))?;
    for here in hours {
        let whole = u128::from(*here) * u128::from(HOUR_MS);
        if rest <= whole && *here > 0 {
            ms += rest.div_ceil(u128::from(*here));
            break;
        }
        rest -= whole.min(rest);
        ms += u128::from(HOUR_MS);
    }
    u64::try_from(ms).ok().map(Time)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Runtime;

    const HOUR: u64 = HOUR_MS;

    fn all(pattern: Pattern, submit: u64, until: Option<u64>, count: Option<u64>) -> Vec<u64> {
        let arrivals = Arrivals { pattern, until: until.map(Time), count, concurrency: None };
        let mut clock = Clock::new(7, "test", Time(submit), &arrivals);
        std::iter::from_fn(|| clock.next(&arrivals)).map(|time| time.0).take(1_000_000).collect()
    }

    #[test]
    fn lists_and_periods_are_to_the_letter() {
        assert_eq!(all(Pattern::Times([0, 5, 5, 90].into()), 10, Some(100), None), [10, 15, 15]);
        assert_eq!(all(Pattern::Every(30), 10, Some(100), None), [10, 40, 70]);
        assert_eq!(all(Pattern::Every(30), 10, None, Some(2)), [10, 40]);
    }

    #[test]
    fn poisson_arrivals_are_as_many_as_their_mean_says() {
        // 100 days of one every 10 minutes: 14,400 with a standard deviation of 120.
        let times = all(Pattern::Poisson(600_000), 0, Some(2400 * HOUR), None);
        assert!(times.len().abs_diff(14_400) < 360, "{}", times.len());
        assert!(times.is_sorted());
        // A day with n has a variance of n, too: over 100 days of 144 it is 144 with a standard error of 20.
        let of_day = |day: u64| times.iter().filter(|t| **t / (24 * HOUR) == day).count() as i64;
        let variance = (0..100).map(|day| (of_day(day) - 144).pow(2)).sum::<i64>() / 100;
        assert!((84..204).contains(&variance), "{variance}");
    }

    #[test]
    fn days_have_their_profile() {
        // By day (8 to 20 o'clock) three times as many as by night: of 100 a day 75 come by day.
        let mut hours = [1; 24];
        hours[8..20].fill(3);
        let times = all(Pattern::Diurnal { mean_ms: 24 * HOUR / 100, hours }, 0, Some(1000 * 24 * HOUR), None);
        assert!(times.len().abs_diff(100_000) < 950, "{}", times.len());
        let by_day = times.iter().filter(|t| (8..20).contains(&(**t / HOUR % 24))).count();
        assert!(by_day.abs_diff(75_000) < 820, "{by_day}");
        // Nobody comes in hours without weight.
        let mut noon = [0; 24];
        noon[12] = 5;
        let times = all(Pattern::Diurnal { mean_ms: HOUR, hours: noon }, 30 * HOUR, None, Some(1000));
        assert!(times.iter().all(|t| (12 * HOUR..=13 * HOUR).contains(&(t % (24 * HOUR)))));
        assert!(times.first().is_some_and(|first| *first >= 36 * HOUR), "it begins on the second day");
    }

    #[test]
    fn weights_and_times_go_together() {
        let mut hours = [0; 24];
        (hours[1], hours[23]) = (2, 7);
        let day = 9 * u128::from(HOUR);
        for (weight, wanted) in [
            (1, HOUR + 1),
            (2, HOUR + 1),
            (3, HOUR + 2),
            (2 * u128::from(HOUR), 2 * HOUR),
            (2 * u128::from(HOUR) + 7, 23 * HOUR + 1),
            (day + 4, 25 * HOUR + 2),
        ] {
            assert_eq!(time_of(&hours, weight), Some(Time(wanted)), "{weight}");
            assert!(weight_until(&hours, wanted) >= weight && weight_until(&hours, wanted - 1) < weight);
        }
        assert_eq!(time_of(&[0; 24], 1), None);
    }

    #[test]
    fn bursts_come_together() {
        let bursts = |every, size, spread_ms| Pattern::Bursts { every, size, spread_ms };
        let fixed = Runtime::Fixed(100);
        assert_eq!(all(bursts(fixed.clone(), 3, 0), 5, Some(206), None), [5, 5, 5, 105, 105, 105, 205, 205, 205]);
        assert_eq!(all(bursts(fixed.clone(), 3, 0), 5, None, Some(4)), [5, 5, 5, 105]);
        let times = all(bursts(fixed, 50, 40), 0, Some(10_000), None);
        assert_eq!(times.len(), 5000);
        assert!(times.chunks(50).zip(0..).all(|(burst, i)| burst.iter().all(|t| (100 * i..=100 * i + 40).contains(t))));
        assert!(all(bursts(Runtime::Exponential(10), 5, 90), 0, Some(50_000), None).is_sorted(), "though they overlap");
    }
}
