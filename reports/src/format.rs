//! Durations, counts, shares and amounts as text. All are integers. Unless a function states otherwise, digits that are
//! not shown are cut off, since rounding up could show a value that was not reached.

use quotree_core::{Amounts, QuantityText, Unit};
use quotree_page::units::grouped;
pub use quotree_page::units::many;
use quotree_sim::{model::Start, result::RunResult};

/// A duration in milliseconds by its two largest units: `2m 30s`, `5d 3h`, `500ms`, `0s`.
///
/// ```
/// assert_eq!(quotree_reports::span(150_000), "2m 30s");
/// assert_eq!(quotree_reports::span(1_500), "1s 500ms");
/// assert_eq!(quotree_reports::span(3_610_000), "1h 10s");
/// ```
#[must_use]
pub fn span(ms: u64) -> String {
    const UNITS: [(u64, &str); 5] = [(86_400_000, "d"), (3_600_000, "h"), (60_000, "m"), (1000, "s"), (1, "ms")];
    let Some(first) = UNITS.iter().position(|(size, _)| ms >= *size) else { return "0s".to_owned() };
    let mut rest = ms;
    let mut parts = Vec::new();
    for (size, unit) in UNITS.iter().skip(first).take(3) {
        if rest >= *size && parts.len() < 2 {
            parts.push(format!("{}{unit}", rest / size));
        }
        rest %= size;
    }
    parts.join(" ")
}

/// An exact moment, in the notation of scenarios and of `--at`: `1d4h7m`, `0s`.
///
/// ```
/// assert_eq!(quotree_reports::moment(101_220_000), "1d4h7m");
/// ```
#[must_use]
pub fn moment(ms: u64) -> String {
    quotree_syntax::time_text(ms)
}

/// A moment rounded up to whole seconds. If it is given to `--at`, everything at this moment has happened. Moments of
/// the first minute are exact.
pub(crate) fn moment_up(ms: u64) -> String {
    moment(if ms < 60_000 { ms } else { ms.div_ceil(1000).saturating_mul(1000) })
}

/// The date of a moment in brackets, after a space, if the scenario says when moment 0 is; or nothing.
///
/// ```
/// use quotree_sim::model::Start;
/// assert_eq!(quotree_reports::date(Some(Start::new(1_772_352_000, Some(0))), 3_600_000), " (2026-03-01 09:00Z)");
/// assert_eq!(quotree_reports::date(None, 3_600_000), "");
/// ```
#[must_use]
pub fn date(starts_at: Option<Start>, ms: u64) -> String {
    starts_at.map_or_else(String::new, |start| format!(" ({})", start.date(ms)))
}

/// A moment of a run, rounded up, with its date.
pub(crate) fn dated(result: &RunResult, ms: u64) -> String {
    let up = if ms < 60_000 { ms } else { ms.div_ceil(1000).saturating_mul(1000) };
    format!("{}{}", moment(up), date(result.starts_at, up))
}

/// A duration that may be a lower bound: `≥1d`.
pub(crate) fn bounded(ms: u64, at_least: bool) -> String {
    format!("{}{}", if at_least { "≥" } else { "" }, span(ms))
}

/// Thousandths as a decimal, cut off after a hundredth: `1.35`.
pub(crate) fn ratio(permille: u64) -> String {
    format!("{}.{:02}", count((permille / 1000).into()), permille % 1000 / 10)
}

/// A sum of durations, which may exceed the range of a single one.
pub(crate) fn long_span(ms: u128) -> String {
    u64::try_from(ms).map_or_else(|_| format!("{} s", count(ms / 1000)), span)
}

/// An amount over time, converted from base units times seconds: hours to the hundredth, or whole seconds below one
/// hour.
pub(crate) fn unit_hours(resource: &str, base_seconds: u128) -> String {
    let (one, of) = match Unit::of(resource) {
        Unit::Milli => (1000, ""),
        Unit::Bytes => (1 << 30, "GiB-"),
    };
    if base_seconds < 3600 * one {
        return format!("{} {of}{resource}-seconds", base_seconds / one);
    }
    let hundredths = base_seconds / (36 * one);
    format!("{}.{:02} {of}{resource}-hours", count(hundredths / 100), hundredths % 100)
}

/// A count with thousands separators: `82,247`.
#[must_use]
pub fn count(number: u128) -> String {
    grouped(&number.to_string())
}

/// Thousandths as a percentage: `93.1 %`.
#[must_use]
pub fn percent(permille: u64) -> String {
    format!("{}.{} %", permille / 10, permille % 10)
}

/// Bytes by the largest decimal unit, cut off after a tenth: `154.6 GB`.
pub(crate) fn bytes(bytes: u64) -> String {
    const UNITS: [(u64, &str); 5] = [
        (1_000_000_000_000_000, "PB"),
        (1_000_000_000_000, "TB"),
        (1_000_000_000, "GB"),
        (1_000_000, "MB"),
        (1000, "KB"),
    ];
    match UNITS.iter().find(|(size, _)| bytes >= *size) {
        Some((size, unit)) => format!("{}.{} {unit}", bytes / size, bytes % size / (size / 10)),
        None => format!("{bytes} B"),
    }
}

/// One amount as a Kubernetes quantity; a fraction as a decimal: `10.434`, not `10434m`.
pub(crate) fn amount(resource: &str, amount: i64) -> String {
    QuantityText { amount, unit: Unit::of(resource) }.decimal()
}

/// The amounts other than 0, as `5 cpu, 2Gi memory`; nothing if there are none.
pub(crate) fn amounts(all: &Amounts) -> Option<String> {
    let words: Vec<_> = all
        .iter()
        .filter(|(_, value)| *value != 0)
        .map(|(name, value)| format!("{} {name}", amount(name.as_str(), value)))
        .collect();
    (!words.is_empty()).then(|| words.join(", "))
}

/// A verdict without the clauses that only `explain` prints: those about other pods that were not preempted.
///
/// ```
/// let reason = "A1: full; 2 pods not preempted because ..; would help: ..";
/// assert_eq!(quotree_reports::short_reason(reason), "A1: full; would help: ..");
/// ```
#[must_use]
pub fn short_reason(reason: &str) -> String {
    reason.split("; ").filter(|clause| !clause.contains(" not preempted because ")).collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_counts_and_shares_are_readable() {
        assert_eq!(
            [0, 1, 999, 1000, 60_000, 61_500, 86_400_000, 90_061_001].map(span),
            ["0s", "1ms", "999ms", "1s", "1m", "1m 1s", "1d", "1d 1h"]
        );
        assert_eq!([1, 1000, 82_247, 1_000_000].map(count), ["1", "1,000", "82,247", "1,000,000"]);
        assert_eq!(
            [741, 59_001, 60_000, 60_001, 43_558_741].map(moment_up),
            ["741ms", "59s1ms", "1m", "1m1s", "12h5m59s"]
        );
        assert_eq!(percent(1000), "100.0 %");
        assert_eq!([0, 999, 1000, 154_618_822_656].map(bytes), ["0 B", "999 B", "1.0 KB", "154.6 GB"]);
    }
}
