//! Times that may be random: `"10m"`, `Uniform("1s", "5s")`, `LogNormal(median: "10m", sigma: 1.5)`, ..

use super::{
    diagnostic::Report,
    files::Files,
    reader::{At, Read, Variant, variant},
    syntax::{Node, Shape},
    trace::{read_file, tell_problems},
    values::{Ms, Permille, Positive},
};
use quotree_import::RowProblem;
use quotree_model::{Runtime, parse_duration};

/// A file of durations may have this many.
const MAX_SEEN: usize = 1_000_000;

/// The largest sigma of a log-normal, thousandths: there, one in six is 22,000 times as long as the median, or longer.
const MAX_SIGMA: u64 = 10_000;

/// The kinds of times.
const KINDS: [&str; 7] = ["Fixed", "Uniform", "Exponential", "ShiftedExponential", "LogNormal", "Empirical", "Forever"];

/// A time that must end, such as a latency.
pub(crate) fn latency(field: &str, node: &Node, files: &mut Files<'_>, report: &mut Report) -> Option<Runtime> {
    let runtime = time(node, Some(files), report)?;
    if runtime == Runtime::Forever {
        report.error(node.span, format!("`{field}` cannot be forever"), "must end");
        return None;
    }
    Some(runtime)
}

/// How long something runs: longer than 0, as far as that can be said beforehand.
pub(crate) fn runtime(node: &Node, files: &mut Files<'_>, report: &mut Report) -> Option<Runtime> {
    let runtime = time(node, Some(files), report)?;
    if runtime.longest() == Some(0) {
        report.error(node.span, "a duration of 0 makes no sense here", "must be longer than 0");
        return None;
    }
    Some(runtime)
}

impl Read for Runtime {
    fn read(node: &Node, report: &mut Report) -> Option<Self> {
        time(node, None, report)
    }
}

/// Reads a time; without files it cannot be one out of a file.
fn time(node: &Node, files: Option<&mut Files<'_>>, report: &mut Report) -> Option<Runtime> {
    if matches!(node.shape, Shape::String(_) | Shape::Number(_)) {
        return Ms::read(node, report).map(|ms| Runtime::Fixed(ms.0));
    }
    let what = "a duration such as \"90s\", or one of `Uniform(..)`, `Exponential(..)`, `LogNormal(..)` and others";
    let variant = variant(node, &KINDS, what, report)?;
    match variant.name {
        "Uniform" => uniform(variant, node, report),
        "Exponential" => {
            let mut fields = variant.fields(&["mean"], report);
            let mean = fields.required::<Positive>("mean", report);
            fields.finish(report);
            Some(Runtime::Exponential(mean?.0))
        }
        "ShiftedExponential" => {
            let mut fields = variant.fields(&["least", "mean"], report);
            let least = fields.required::<Ms>("least", report);
            let mean = fields.required::<Positive>("mean", report);
            fields.finish(report);
            Some(Runtime::ShiftedExponential { least: least?.0, mean: mean?.0 })
        }
        "LogNormal" => {
            let mut fields = variant.fields(&["median", "sigma"], report);
            let median = fields.required::<Positive>("median", report);
            let sigma_node = fields.required_node("sigma", report);
            fields.finish(report);
            let Permille(sigma) = Permille::read(sigma_node?, report)?;
            if sigma > MAX_SIGMA {
                report.error(sigma_node?.span, "`sigma` can be 10 at most", "too much");
                return None;
            }
            Some(Runtime::LogNormal { median: median?.0, sigma_permille: sigma })
        }
        "Empirical" => {
            let mut fields = variant.fields(&["file"], report);
            let file = fields.required::<At<String>>("file", report);
            fields.finish(report);
            let Some(files) = files else {
                report.error(node.span, "times out of a file cannot be given here", "not here");
                return None;
            };
            empirical(&file?, files, report)
        }
        "Fixed" => {
            let mut fields = variant.fields(&["time"], report);
            let time = fields.required::<Ms>("time", report);
            fields.finish(report);
            Some(Runtime::Fixed(time?.0))
        }
        _ => {
            variant.bare(report);
            Some(Runtime::Forever)
        }
    }
}

fn uniform(variant: Variant<'_>, node: &Node, report: &mut Report) -> Option<Runtime> {
    let mut fields = variant.fields(&["from", "to"], report);
    let from = fields.required::<Ms>("from", report);
    let to = fields.required::<Ms>("to", report);
    fields.finish(report);
    let (from, to) = (from?, to?);
    if from > to {
        report.error(node.span, "a range that ends before it starts", "from must be at most to");
        return None;
    }
    Some(Runtime::Uniform(from.0, to.0))
}

/// A duration a line; empty lines and what stands behind `#` do not count.
fn empirical(file: &At<String>, files: &mut Files<'_>, report: &mut Report) -> Option<Runtime> {
    let bytes = read_file(file, files, report)?;
    let Ok(text) = String::from_utf8(bytes) else {
        report.error(file.span, format!("`{}` is no text", file.value), "this file");
        return None;
    };
    let (mut seen, mut problems) = (Vec::new(), Vec::new());
    for (line, text) in (1..).zip(text.lines()) {
        let text = text.split('#').next().unwrap_or_default().trim();
        if text.is_empty() {
            continue;
        }
        if seen.len() == MAX_SEEN {
            problems.push(RowProblem { line, what: format!("more than {MAX_SEEN} durations") });
            break;
        }
        match parse_duration(text) {
            Ok(ms) => seen.push(ms),
            Err(what) => problems.push(RowProblem { line, what: format!("no duration: {what}") }),
        }
    }
    if seen.is_empty() && problems.is_empty() {
        problems.push(RowProblem { line: 0, what: "there is no duration in it".to_owned() });
    }
    tell_problems(file, &problems, report);
    problems.is_empty().then(|| Runtime::Empirical(seen.into()))
}
