//! The writer of the text exposition format: families with HELP and TYPE, samples with labels, histograms.

use quotree_core::Unit;
use std::fmt::{Display, Write};

/// The type of a family.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Counter,
    Gauge,
    Summary,
    Histogram,
}

impl Kind {
    const fn name(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Summary => "summary",
            Self::Histogram => "histogram",
        }
    }
}

/// One line: the suffix of the family name, the labels, the value.
#[derive(Debug)]
pub(super) struct Sample {
    suffix: &'static str,
    labels: Vec<(&'static str, String)>,
    value: String,
}

impl Sample {
    pub(super) fn new(labels: &[(&'static str, &str)], value: impl Display) -> Self {
        Self::with("", labels, value)
    }

    pub(super) fn with(suffix: &'static str, labels: &[(&'static str, &str)], value: impl Display) -> Self {
        let labels = labels.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        Self { suffix, labels, value: value.to_string() }
    }
}

/// The exposition that is being written.
#[derive(Debug, Default)]
pub(super) struct Text(String);

impl Text {
    /// Writes a family; nothing if it has no sample.
    pub(super) fn family(
        &mut self,
        name: &'static str,
        kind: Kind,
        help: &'static str,
        samples: impl IntoIterator<Item = Sample>,
    ) {
        let mut samples = samples.into_iter().peekable();
        if samples.peek().is_none() {
            return;
        }
        let _ = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {}", kind.name());
        for sample in samples {
            let _ = write!(self.0, "{name}{}", sample.suffix);
            for (place, (label, value)) in sample.labels.iter().enumerate() {
                let _ = write!(self.0, "{}{label}=\"{}\"", if place == 0 { "{" } else { "," }, escaped(value));
            }
            let end = if sample.labels.is_empty() { "" } else { "}" };
            let _ = writeln!(self.0, "{end} {}", sample.value);
        }
    }

    pub(super) fn done(self) -> String {
        self.0
    }
}

/// The value of a label, escaped for the format.
fn escaped(value: &str) -> String {
    let shown: Vec<String> = value.split('\n').map(quotree_page::visible).collect();
    shown.join("\n").replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

/// Thousandths as a decimal without trailing zeros.
fn decimal(milli: u128) -> String {
    let text = format!("{}.{:03}", milli / 1000, milli % 1000);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// Milliseconds as seconds.
pub(super) fn seconds(ms: u128) -> String {
    decimal(ms)
}

/// Thousandths as a ratio.
pub(super) fn ratio(permille: u64) -> String {
    decimal(permille.into())
}

/// Thousandths as percent.
pub(super) fn percent(permille: u64) -> String {
    decimal(u128::from(permille) * 100)
}

/// An amount of a resource in its unit: bytes, cores, devices.
pub(super) fn amount(resource: &str, amount: i64) -> String {
    let sign = if amount < 0 { "-" } else { "" };
    let size = u128::from(amount.unsigned_abs());
    match Unit::of(resource) {
        Unit::Milli => format!("{sign}{}", decimal(size)),
        Unit::Bytes => format!("{sign}{size}"),
    }
}

/// The samples of a histogram. Bounds and values are whole numbers, which `shown` prints in the unit of the histogram.
pub(super) fn histogram(
    labels: &[(&'static str, &str)],
    bounds: &[u64],
    values: &[u64],
    shown: fn(u128) -> String,
) -> Vec<Sample> {
    let mut sorted = values.to_vec();
    sorted.sort_unstable();
    let bucket = |le: &str, count: usize| {
        let labels: Vec<_> = labels.iter().copied().chain([("le", le)]).collect();
        Sample::with("_bucket", &labels, count)
    };
    let mut samples: Vec<Sample> = (bounds.iter())
        .map(|bound| bucket(&shown((*bound).into()), sorted.partition_point(|value| value <= bound)))
        .collect();
    samples.push(bucket("+Inf", sorted.len()));
    let sum: u128 = values.iter().map(|value| u128::from(*value)).sum();
    samples.push(Sample::with("_sum", labels, shown(sum)));
    samples.push(Sample::with("_count", labels, sorted.len()));
    samples
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_exact() {
        assert_eq!([0, 1, 1000, 1500, 183_063].map(seconds), ["0", "0.001", "1", "1.5", "183.063"]);
        assert_eq!(seconds(u128::MAX).len(), 40);
        assert_eq!(
            [amount("cpu", 5500), amount("cpu", -1), amount("memory", 1 << 40)],
            ["5.5", "-0.001", "1099511627776"]
        );
        assert_eq!(amount("nvidia.com/gpu", i64::MIN), "-9223372036854775.808");
    }

    #[test]
    fn labels_are_escaped_and_families_are_whole() {
        let mut text = Text::default();
        text.family(
            "x",
            Kind::Gauge,
            "An x.",
            [Sample::new(&[("a", "q\"b\\c\nd"), ("b", "")], 1), Sample::new(&[], 2)],
        );
        text.family("empty", Kind::Gauge, "Nothing.", []);
        assert_eq!(text.done(), "# HELP x An x.\n# TYPE x gauge\nx{a=\"q\\\"b\\\\c\\nd\",b=\"\"} 1\nx 2\n");
    }

    #[test]
    fn buckets_are_cumulative() {
        let mut text = Text::default();
        text.family("w", Kind::Histogram, "W.", histogram(&[], &[1000, 2500], &[1000, 1, 2501], seconds));
        let lines = "w_bucket{le=\"1\"} 2\nw_bucket{le=\"2.5\"} 2\nw_bucket{le=\"+Inf\"} 3\nw_sum 3.502\nw_count 3\n";
        assert_eq!(text.done(), format!("# HELP w W.\n# TYPE w histogram\n{lines}"));
    }
}
