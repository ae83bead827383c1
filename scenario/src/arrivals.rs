//! `arrivals: Poisson("10m", until: "7d")`: workloads that come again and again, and the period of a `CronJob`.

use super::{
    diagnostic::Report,
    files::Files,
    reader::{At, Fields, Read, choice, variant, wrong},
    syntax::{Node, Shape},
    times::latency,
    values::{Ms, Positive},
};
use quotree_core::Time;
use quotree_model::{Arrivals, Concurrency, Pattern, Runtime};

/// A list of arrivals may have this many times.
const MAX_TIMES: usize = 1_000_000;

/// A burst may have this many instances.
const MAX_BURST: u32 = 100_000;

/// The densest hour of a day.
const MAX_WEIGHT: u32 = 1_000_000;

const PATTERNS: [&str; 5] = ["Times", "Every", "Poisson", "Diurnal", "Bursts"];

/// Reads the arrivals of a workload.
pub(crate) fn read(node: &Node, files: &mut Files<'_>, report: &mut Report) -> Option<Arrivals> {
    let variant = variant(node, &PATTERNS, "a pattern of arrivals", report)?;
    let positional: &[&'static str] = match variant.name {
        "Times" => &["times"],
        "Every" => &["period"],
        "Poisson" | "Diurnal" => &["mean"],
        _ => &[],
    };
    let mut fields = variant.fields(positional, report);
    let pattern = match variant.name {
        "Times" => times(&mut fields, report),
        "Every" => fields.required::<Positive>("period", report).map(|ms| Pattern::Every(ms.0)),
        "Poisson" => fields.required::<Positive>("mean", report).map(|ms| Pattern::Poisson(ms.0)),
        "Diurnal" => {
            let mean = fields.required::<Positive>("mean", report);
            let hours = fields.required_node("hours", report).and_then(|node| hours(node, report));
            mean.zip(hours).map(|(mean, hours)| Pattern::Diurnal { mean_ms: mean.0, hours })
        }
        _ => bursts(&mut fields, files, report),
    };
    let (until, count) = bounds(&mut fields, report);
    fields.finish(report);
    Some(Arrivals { pattern: pattern?, until, count, concurrency: None })
}

/// Reads the period of a `CronJob`.
pub(crate) fn cron(fields: &mut Fields<'_>, report: &mut Report) -> Option<Arrivals> {
    let every = fields.required::<Positive>("every", report);
    let words = [("Allow", Concurrency::Allow), ("Forbid", Concurrency::Forbid), ("Replace", Concurrency::Replace)];
    let concurrency = fields.node("concurrency").and_then(|node| choice(node, &words, report));
    let (until, count) = bounds(fields, report);
    let concurrency = Some(concurrency.unwrap_or(Concurrency::Allow));
    Some(Arrivals { pattern: Pattern::Every(every?.0), until, count, concurrency })
}

fn bounds(fields: &mut Fields<'_>, report: &mut Report) -> (Option<Time>, Option<u64>) {
    let until = fields.optional::<Positive>("until", report).map(|ms| Time(ms.0));
    let count = fields.optional::<At<u64>>("count", report);
    if let Some(count) = count.as_ref().filter(|count| count.value == 0) {
        report.error(count.span, "`count` must be at least 1", "0 makes no sense here");
    }
    (until, count.map(|count| count.value))
}

fn times(fields: &mut Fields<'_>, report: &mut Report) -> Option<Pattern> {
    let node = fields.required_node("times", report)?;
    let times: Vec<Ms> = Vec::<Ms>::read(node, report)?;
    if times.is_empty() || times.len() > MAX_TIMES {
        let title = format!("{} times: 1 to {MAX_TIMES} are allowed", times.len());
        report.error(node.span, title, "too few or too many");
        return None;
    }
    let mut times: Vec<u64> = times.into_iter().map(|ms| ms.0).collect();
    times.sort_unstable();
    Some(Pattern::Times(times.into()))
}

fn hours(node: &Node, report: &mut Report) -> Option<[u32; 24]> {
    let Shape::List(items) = &node.shape else {
        wrong(node, "a list of 24 whole numbers, one an hour", report);
        return None;
    };
    let weights: Vec<u32> = items.iter().filter_map(|item| u32::read(item, report)).collect();
    if weights.len() < items.len() {
        return None;
    }
    let Ok(hours) = <[u32; 24]>::try_from(weights) else {
        let title = format!("{} hours: a day has 24", items.len());
        report.error(node.span, title, "24 weights are needed, one an hour");
        return None;
    };
    if hours.iter().all(|weight| *weight == 0) || hours.iter().any(|weight| *weight > MAX_WEIGHT) {
        let title = format!("weights must be at most {MAX_WEIGHT}, and one of them above 0");
        report.error(node.span, title, "out of range");
        return None;
    }
    Some(hours)
}

fn bursts(fields: &mut Fields<'_>, files: &mut Files<'_>, report: &mut Report) -> Option<Pattern> {
    let every_node = fields.required_node("every", report);
    let size = fields.required::<At<u32>>("size", report);
    let spread_ms = fields.or("spread", Ms(0), report).0;
    let every = every_node.and_then(|node| latency("every", node, files, report));
    if let Some(node) = every_node.filter(|_| every.as_ref().is_some_and(|every: &Runtime| every.typical_ms() == 0)) {
        report.error(node.span, "bursts without time in between would never end", "must be longer than 0");
        return None;
    }
    let size = size?;
    if size.value == 0 || size.value > MAX_BURST {
        report.error(size.span, format!("a burst has 1 to {MAX_BURST} instances"), "out of range");
        return None;
    }
    Some(Pattern::Bursts { every: every?, size: size.value, spread_ms })
}
