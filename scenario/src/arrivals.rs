//! `arrivals: Poisson("10m", until: "7d")`: workloads that are submitted repeatedly, and the period of a `CronJob`.

use crate::{
    files::Files,
    times::{RandomTime, latency},
    workload::CronJob,
};
use quotree_core::Time;
use quotree_model::{Arrivals, Pattern as Checked};
use quotree_syntax::{At, Ms, Positive, Report, Span, group, record};

/// The most times in a list of arrivals.
const MAX_TIMES: usize = 1_000_000;

/// The most instances of a burst.
const MAX_BURST: u32 = 100_000;

/// The largest weight of an hour.
const MAX_WEIGHT: u32 = 1_000_000;

group! {
    /// When the instances of a workload are submitted. The arrivals must have an end: `until`, `count`, or the `until`
    /// of the world.
    pub(crate) enum Pattern in "arrivals", "a pattern of arrivals" { Times, Every, Poisson, Diurnal, Bursts }
}

record! {
    /// At these times after `submit`.
    pub(crate) struct Times(times) in "arrivals" {
        /// The times.
        times: At<Vec<Ms>> => required,
        bounds: Bounds => embedded,
    }
}

record! {
    /// At `submit`, and then with a fixed period.
    pub(crate) struct Every(period) in "arrivals" {
        /// The period.
        period: Positive => required,
        bounds: Bounds => embedded,
    }
}

record! {
    /// With exponentially distributed gaps.
    pub(crate) struct Poisson(mean) in "arrivals" {
        /// The mean gap.
        mean: Positive => required,
        bounds: Bounds => embedded,
    }
}

record! {
    /// Like `Poisson`, with a rate that depends on the hour of the day; time 0 is midnight.
    pub(crate) struct Diurnal(mean) in "arrivals" {
        /// The mean gap over a day.
        mean: Positive => required,
        /// 24 weights, one an hour: the rate of arrivals relative to other hours.
        hours: At<Vec<u32>> => required,
        bounds: Bounds => embedded,
    }
}

record! {
    /// Several instances at a time.
    pub(crate) struct Bursts in "arrivals" {
        /// The time from the start of one burst to the start of the next. A burst never starts before the last instance
        /// of the previous one was submitted.
        every: At<RandomTime> => required,
        /// How many instances a burst has, at most 100,000.
        size: At<u32> => required,
        /// Each instance of a burst is submitted at a random time within this duration.
        spread: Ms = Ms(0),
        bounds: Bounds => embedded,
    }
}

record! {
    /// What ends the arrivals.
    pub(crate) struct Bounds {
        /// Nothing is submitted from this time on.
        until: Positive => "the world's",
        /// The most instances.
        count: At<u64> => "no limit",
    }
}

/// The fields that state when a workload is submitted.
pub(crate) enum Arriving<'a> {
    Once,
    Repeated(&'a At<Pattern>),
    Cron(&'a CronJob),
}

impl<'a> Arriving<'a> {
    pub(crate) fn of(pattern: Option<&'a At<Pattern>>) -> Self {
        pattern.map_or(Self::Once, Self::Repeated)
    }

    /// The arrivals with their place. The inner `None` means that the workload is submitted once, the outer one that
    /// there was a mistake.
    pub(crate) fn check(&self, files: &mut Files<'_>, report: &mut Report) -> Option<Option<(Arrivals, Span)>> {
        Some(match self {
            Self::Once => None,
            Self::Repeated(pattern) => Some((repeated(&pattern.value, files, report)?, pattern.span)),
            Self::Cron(cron) => {
                let (until, count) = cron.bounds.check(report);
                let pattern = Checked::Every(cron.every?.0);
                Some((Arrivals { pattern, until, count, concurrency: Some(cron.concurrency) }, cron.span))
            }
        })
    }
}

impl Bounds {
    fn check(&self, report: &mut Report) -> (Option<Time>, Option<u64>) {
        if let Some(count) = self.count.as_ref().filter(|count| count.value == 0) {
            report.error(count.span, "`count` must be at least 1", "0 is not allowed");
        }
        (self.until.map(|ms| Time(ms.0)), self.count.as_ref().map(|count| count.value))
    }
}

fn repeated(read: &Pattern, files: &mut Files<'_>, report: &mut Report) -> Option<Arrivals> {
    let (pattern, bounds) = match read {
        Pattern::Times(Times { times, bounds, .. }) => (times.as_ref().and_then(|at| times_of(at, report)), bounds),
        Pattern::Every(Every { period, bounds, .. }) => (period.map(|ms| Checked::Every(ms.0)), bounds),
        Pattern::Poisson(Poisson { mean, bounds, .. }) => (mean.map(|ms| Checked::Poisson(ms.0)), bounds),
        Pattern::Diurnal(Diurnal { mean, hours, bounds, .. }) => {
            let hours = hours.as_ref().and_then(|hours| hours_of(hours, report));
            (mean.zip(hours).map(|(mean, hours)| Checked::Diurnal { mean_ms: mean.0, hours }), bounds)
        }
        Pattern::Bursts(read) => (bursts(read, files, report), &read.bounds),
    };
    let (until, count) = bounds.check(report);
    Some(Arrivals { pattern: pattern?, until, count, concurrency: None })
}

fn times_of(times: &At<Vec<Ms>>, report: &mut Report) -> Option<Checked> {
    let mut all: Vec<u64> = times.value.iter().map(|ms| ms.0).collect();
    if all.is_empty() || all.len() > MAX_TIMES {
        let title = format!("{} times given; 1 to {MAX_TIMES} are allowed", all.len());
        report.error(times.span, title, "too few or too many");
        return None;
    }
    all.sort_unstable();
    Some(Checked::Times(all.into()))
}

fn hours_of(hours: &At<Vec<u32>>, report: &mut Report) -> Option<[u32; 24]> {
    let Ok(weights) = <[u32; 24]>::try_from(hours.value.as_slice()) else {
        let title = format!("{} hours given; a day has 24", hours.value.len());
        report.error(hours.span, title, "24 weights are needed, one an hour");
        return None;
    };
    if weights.iter().all(|weight| *weight == 0) || weights.iter().any(|weight| *weight > MAX_WEIGHT) {
        let title = format!("weights must be at most {MAX_WEIGHT}, and one of them above 0");
        report.error(hours.span, title, "out of range");
        return None;
    }
    Some(weights)
}

fn bursts(read: &Bursts, files: &mut Files<'_>, report: &mut Report) -> Option<Checked> {
    let every = latency("every", read.every.as_ref(), files, report);
    if let (Some(at), Some(0)) = (&read.every, every.as_ref().map(quotree_model::Runtime::typical_ms)) {
        report.error(at.span, "the interval between bursts must be above 0", "must be longer than 0");
        return None;
    }
    let size = read.size.as_ref()?;
    if size.value == 0 || size.value > MAX_BURST {
        report.error(size.span, format!("a burst has 1 to {MAX_BURST} instances"), "out of range");
        return None;
    }
    Some(Checked::Bursts { every: every?, size: size.value, spread_ms: read.spread.0 })
}
