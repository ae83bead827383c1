//! Durations that may be random: `"10m"`, `Uniform("1s", "5s")`, `LogNormal(median: "10m", sigma: 1.5)`, ..

use crate::{
    files::Files,
    trace::{read_file, report_problems},
};
use quotree_import::RowProblem;
use quotree_model::{Runtime, parse_duration};
use quotree_syntax::{At, Ms, Node, Path, Permille, Positive, Read, Report, Shape, group, record};

/// The most durations in a file.
const MAX_DURATIONS: usize = 1_000_000;

/// The largest sigma of a log-normal duration, thousandths. With this sigma, one duration in six is at least 22,000
/// times the median.
const MAX_SIGMA: u64 = 10_000;

group! {
    /// Durations, fixed or random. A random one is drawn for each pod from a labelled stream.
    pub(crate) enum Distribution in "time",
    "a duration such as \"90s\", or one of `Uniform(..)`, `Exponential(..)`, `LogNormal(..)` and others" {
        Fixed, Uniform, Exponential, ShiftedExponential, LogNormal, Empirical, Forever
    }
}

record! {
    /// A fixed duration. Instead of `Fixed("10m")`, the duration alone may be written.
    pub(crate) struct Fixed(time) in "time" {
        /// The duration.
        time: Ms => required,
    }
}

record! {
    /// Any whole number of milliseconds, both ends included.
    pub(crate) struct Uniform(from, to) in "time" {
        /// The shortest.
        from: Ms => required,
        /// The longest.
        to: Ms => required,
    }
}

record! {
    /// An exponentially distributed duration.
    pub(crate) struct Exponential(mean) in "time" {
        /// Its mean.
        mean: Positive => required,
    }
}

record! {
    /// A fixed shortest duration plus an exponentially distributed one.
    pub(crate) struct ShiftedExponential(least, mean) in "time" {
        /// The shortest.
        least: Ms => required,
        /// The mean of the exponential part.
        mean: Positive => required,
    }
}

record! {
    /// A log-normally distributed duration.
    pub(crate) struct LogNormal(median, sigma) in "time" {
        /// The median.
        median: Positive => required,
        /// The standard deviation of the logarithm: one standard deviation is a factor of exp(sigma), and the mean is
        /// the median times exp(sigma^2 / 2).
        sigma: At<Permille> => required,
    }
}

record! {
    /// One of the durations in a file, each equally likely.
    pub(crate) struct Empirical(file) in "time" {
        /// A text file with a duration on each line, relative to this file; `#` begins a comment.
        file: At<Path> => required,
    }
}

record! {
    /// Without end: until the pod is stopped.
    pub(crate) struct Forever in "time" {}
}

/// A duration as written.
#[derive(Debug, Clone)]
pub(crate) struct RandomTime(Distribution);

impl Read for RandomTime {
    fn kind() -> String {
        Distribution::kind()
    }

    fn read(node: &Node, report: &mut Report) -> Option<Self> {
        if matches!(node.shape, Shape::String(_) | Shape::Number(_)) {
            let time = Some(Ms::read(node, report)?);
            return Some(Self(Distribution::Fixed(Fixed { span: node.span, time })));
        }
        Distribution::read(node, report).map(Self)
    }
}

/// A duration that must end, such as a latency.
pub(crate) fn latency(
    field: &str,
    time: Option<&At<RandomTime>>,
    files: &mut Files<'_>,
    report: &mut Report,
) -> Option<Runtime> {
    let time = time?;
    let runtime = resolve(time, files, report)?;
    if runtime == Runtime::Forever {
        report.error(time.span, format!("`{field}` cannot be forever"), "must end");
        return None;
    }
    Some(runtime)
}

/// How long something runs: longer than 0, as far as that is known before the run.
pub(crate) fn runtime(time: &At<RandomTime>, files: &mut Files<'_>, report: &mut Report) -> Option<Runtime> {
    let runtime = resolve(time, files, report)?;
    if runtime.longest() == Some(0) {
        report.error(time.span, "a duration of 0 is not allowed here", "must be longer than 0");
        return None;
    }
    Some(runtime)
}

/// The duration in the form of the model. Reads the file of an empirical distribution.
fn resolve(time: &At<RandomTime>, files: &mut Files<'_>, report: &mut Report) -> Option<Runtime> {
    Some(match &time.value.0 {
        Distribution::Fixed(Fixed { time, .. }) => Runtime::Fixed((*time)?.0),
        Distribution::Uniform(uniform) => {
            let (from, to) = (uniform.from?, uniform.to?);
            if from > to {
                report.error(time.span, "`from` is later than `to`", "the range ends before it starts");
                return None;
            }
            Runtime::Uniform(from.0, to.0)
        }
        Distribution::Exponential(Exponential { mean, .. }) => Runtime::Exponential((*mean)?.0),
        Distribution::ShiftedExponential(shifted) => {
            Runtime::ShiftedExponential { least: shifted.least?.0, mean: shifted.mean?.0 }
        }
        Distribution::LogNormal(LogNormal { median, sigma, .. }) => {
            let sigma = sigma.as_ref()?;
            if sigma.value.0 > MAX_SIGMA {
                report.error(sigma.span, "`sigma` must be at most 10", "too large");
                return None;
            }
            Runtime::LogNormal { median: (*median)?.0, sigma_permille: sigma.value.0 }
        }
        Distribution::Empirical(Empirical { file, .. }) => return empirical(file.as_ref()?, files, report),
        Distribution::Forever(Forever { .. }) => Runtime::Forever,
    })
}

/// Reads one duration per line; empty lines and comments after `#` are ignored.
fn empirical(file: &At<Path>, files: &mut Files<'_>, report: &mut Report) -> Option<Runtime> {
    let bytes = read_file(file, files, report)?;
    let Ok(text) = String::from_utf8(bytes) else {
        report.error(file.span, format!("`{}` is not UTF-8 text", file.value.0), "this file");
        return None;
    };
    let (mut durations, mut problems) = (Vec::new(), Vec::new());
    for (line, text) in (1..).zip(text.lines()) {
        let text = text.split('#').next().unwrap_or_default().trim();
        if text.is_empty() {
            continue;
        }
        if durations.len() == MAX_DURATIONS {
            problems.push(RowProblem { line, what: format!("at most {MAX_DURATIONS} durations are supported") });
            break;
        }
        match parse_duration(text) {
            Ok(ms) => durations.push(ms),
            Err(what) => problems.push(RowProblem { line, what: format!("not a duration: {what}") }),
        }
    }
    if durations.is_empty() && problems.is_empty() {
        problems.push(RowProblem { line: 0, what: "the file contains no duration".to_owned() });
    }
    report_problems(file, &problems, report);
    problems.is_empty().then(|| Runtime::Empirical(durations.into()))
}
