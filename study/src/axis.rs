//! An axis of a study: a field of the scenario, and the values that it gets, one after the other.
//!
//! `cluster.gpu.count=8..16` are the whole numbers from 8 to 16, both included; `8..16..4` every fourth of them. Both ends may
//! have the same unit: `8Gi..32Gi..8Gi`, `5m..30m..5m`. Values are separated by commas, where they are not inside brackets or
//! quotes: `policy=Capacity(),Capacity(order: Fifo)`.

use quotree_sim::scenario::Setting;
use quotree_syntax::{Report, Span};

/// The most values of one axis, and the most settings and runs of a study.
pub const MOST_RUNS: usize = 100_000;

/// The option that an axis is from, unless it is said otherwise.
const DEFAULT_OPTION: &str = "--set";

/// A field of the scenario, and the values that it gets.
///
/// ```
/// use quotree_study::Axis;
/// let values = |text: &str| Axis::parse(text).map(|axis| axis.values.join(" "));
/// assert_eq!(values("cluster.gpu.count=8..11,16").unwrap(), "8 9 10 11 16");
/// assert_eq!(values("workloads.train.runtime=10m..30m..10m").unwrap(), "10m 20m 30m");
/// assert_eq!(values("policy=Capacity(order: Fifo, age: Original),Capacity()").unwrap().matches('(').count(), 2);
/// assert_eq!(values("cluster.gpu.count=16..8").unwrap_err()[0].help[0], "write `8..16`");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Axis {
    /// The path of the field, as in [`Setting`](quotree_sim::scenario::Setting).
    pub path: String,
    /// The values, as they are written in a setting.
    pub values: Vec<String>,
    /// The option that diagnostics about its settings name.
    pub option: &'static str,
}

impl Axis {
    /// Parses `PATH=VALUES`.
    ///
    /// # Errors
    /// All mistakes; their places are those in the text, which is source 0.
    pub fn parse(text: &str) -> Result<Self, Vec<quotree_syntax::Diagnostic>> {
        let mut report = Report::default();
        let axis = Self::read(text, 0, &mut report);
        let source = quotree_syntax::Source { path: DEFAULT_OPTION.to_owned(), text: text.to_owned() };
        let found = report.finish(&[source]);
        axis.filter(|_| found.is_empty()).ok_or(found)
    }

    /// Parses `PATH=VALUES`, which is this source.
    pub fn read(text: &str, source: u32, report: &mut Report) -> Option<Self> {
        let Some((path, rest)) = text.split_once('=') else {
            report
                .error(Span::new(source, 0..text.len()), "a setting is `PATH=VALUES`", "there is no `=`")
                .help("for example `cluster.gpu.count=8..16` or `policy.order=Fifo,GuaranteedFirst`");
            return None;
        };
        let mut values: Vec<String> = Vec::new();
        for (start, part) in parts(rest) {
            let start = path.len() + 1 + start + (part.len() - part.trim_start().len());
            let part = part.trim();
            let span = Span::new(source, start..start + part.len());
            if part.is_empty() {
                let title = if values.is_empty() { "there is no value" } else { "there is no value after the comma" };
                report.error(span, title, "a value is missing").help("a text with commas needs quotes: `\"a, b\"`");
                continue;
            }
            match range(part) {
                Ok(None) => values.push(part.to_owned()),
                Ok(Some(range)) if range.len() <= MOST_RUNS as u128 => values.extend(range.values()),
                Ok(Some(range)) => {
                    let count = quotree_reports::count(range.len());
                    report
                        .error(span, format!("this range has {count} values"), format!("more than {MOST_RUNS}"))
                        .help(format!("give a step, as in `{}..{}..{}`", range.from, range.to, range.len() / 20));
                }
                Err((title, help)) => {
                    report.error(span, title, "not a range").help(help);
                }
            }
        }
        let span = Span::new(source, path.len() + 1..text.len());
        if values.len() > MOST_RUNS {
            let count = quotree_reports::count(values.len() as u128);
            report.error(span, format!("{count} values, which are more than {MOST_RUNS}"), "too many");
            return None;
        }
        let mut sorted: Vec<&String> = values.iter().collect();
        sorted.sort_unstable();
        if let Some(twice) = sorted.iter().zip(sorted.iter().skip(1)).find_map(|(a, b)| (a == b).then_some(a)) {
            report.error(span, format!("`{twice}` is given twice"), "each value has its own runs");
        }
        Some(Self { path: path.trim().to_owned(), values, option: DEFAULT_OPTION })
    }

    /// The setting of the value at an index, `PATH=VALUE`.
    #[must_use]
    pub fn setting(&self, index: usize) -> Option<Setting> {
        let text = format!("{}={}", self.path, self.values.get(index)?);
        Some(Setting::new(text.as_str()).part_of(self.option, text, 0))
    }
}

/// The values of a list with commas between them, as on an axis, without the spaces around them. Each has the byte of the text at
/// which it begins.
///
/// ```
/// let values = quotree_study::split_values("Capacity(), Capacity(order: Fifo, age: Original)");
/// assert_eq!(values, [(0, "Capacity()"), (12, "Capacity(order: Fifo, age: Original)")]);
/// ```
#[must_use]
pub fn split_values(text: &str) -> Vec<(usize, &str)> {
    parts(text).into_iter().map(|(at, part)| (at + part.len() - part.trim_start().len(), part.trim())).collect()
}

/// The parts between commas, each with its place. Commas inside brackets and quotes separate nothing.
fn parts(text: &str) -> Vec<(usize, &str)> {
    let (mut found, mut start, mut depth) = (Vec::new(), 0, 0_usize);
    let (mut quoted, mut escaped) = (false, false);
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            _ if quoted => {}
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => {
                found.push((start, text.get(start..at).unwrap_or_default()));
                start = at + 1;
            }
            _ => {}
        }
    }
    found.push((start, text.get(start..).unwrap_or_default()));
    found
}

/// A range of whole numbers with a unit.
struct Range {
    from: i64,
    to: i64,
    step: i64,
    unit: String,
}

impl Range {
    /// How many values it has.
    fn len(&self) -> u128 {
        (i128::from(self.to) - i128::from(self.from)).unsigned_abs() / u128::from(self.step.unsigned_abs()) + 1
    }

    fn values(&self) -> impl Iterator<Item = String> {
        let all = std::iter::successors(Some(self.from), |last| last.checked_add(self.step));
        all.take_while(|value| *value <= self.to).map(|value| format!("{value}{}", self.unit))
    }
}

/// The range that a value is. A text that does not begin like a range is none.
fn range(text: &str) -> Result<Option<Range>, (String, String)> {
    let Some((from, rest)) = text.split_once("..") else { return Ok(None) };
    let Some((from, from_unit)) = number(from) else {
        if from.trim().starts_with(|c: char| c.is_ascii_digit()) && !text.contains(['"', '(']) {
            return Err(("a range goes over whole numbers".to_owned(), "list the values: `1.5,2,2.5`".to_owned()));
        }
        return Ok(None);
    };
    let (to, step) = rest.split_once("..").map_or((rest, None), |(to, step)| (to, Some(step)));
    if let Some(to) = to.strip_prefix('=') {
        return Err(("a range includes both of its ends".to_owned(), format!("write `{from}..{to}`")));
    }
    let help =
        || "a range is `FROM..TO` or `FROM..TO..STEP`, with both ends included: `8..16`, `8Gi..32Gi..8Gi`".to_owned();
    let wrong = |what: &str| (format!("this range has no {what}"), help());
    let (to, unit) = number(to).ok_or_else(|| wrong("end that is a whole number"))?;
    let (step, step_unit) = match step {
        None => (1, unit),
        Some(step) => number(step).ok_or_else(|| wrong("step that is a whole number"))?,
    };
    if !from_unit.is_empty() && from_unit != unit || !step_unit.is_empty() && step_unit != unit {
        return Err(("the numbers of a range have the same unit".to_owned(), help()));
    }
    if step <= 0 {
        return Err(("the step of a range is at least 1".to_owned(), help()));
    }
    if from > to {
        return Err(("the range goes backwards".to_owned(), format!("write `{to}{unit}..{from}{unit}`")));
    }
    Ok(Some(Range { from, to, step, unit: unit.to_owned() }))
}

/// A whole number and its unit, which consists of letters.
fn number(text: &str) -> Option<(i64, &str)> {
    let text = text.trim();
    let sign = usize::from(text.starts_with('-'));
    let digits = text.bytes().skip(sign).take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at_checked(sign + digits)?;
    if !unit.chars().all(|c| c.is_ascii_alphabetic()) {
        return None;
    }
    Some((number.parse().ok()?, unit))
}
