//! Numbers as people write them: spans of time, counts, shares. Integers throughout; what is cut off is cut off, never
//! rounded up to something that was not reached, except where the doc says so.

use quotree_core::{Amounts, QuantityText, Unit};

/// A span of milliseconds by its two largest units: `2m30s`, `5d3h`, `500ms`, `0s`.
///
/// ```
/// assert_eq!(quotree_reports::span(150_000), "2m30s");
/// assert_eq!(quotree_reports::span(1_500), "1s500ms");
/// assert_eq!(quotree_reports::span(3_610_000), "1h10s");
/// ```
#[must_use]
pub fn span(ms: u64) -> String {
    const UNITS: [(u64, &str); 5] = [(86_400_000, "d"), (3_600_000, "h"), (60_000, "m"), (1000, "s"), (1, "ms")];
    let Some(first) = UNITS.iter().position(|(size, _)| ms >= *size) else { return "0s".to_owned() };
    let (mut rest, mut told) = (ms, 0);
    let mut text = String::new();
    for (size, unit) in UNITS.iter().skip(first).take(3) {
        if rest >= *size && told < 2 {
            text.push_str(&format!("{}{unit}", rest / size));
            told += 1;
        }
        rest %= size;
    }
    text
}

/// The mean of a sum of milliseconds in seconds, to the hundredth, rounded half up; `0.00` of nothing.
///
/// ```
/// assert_eq!(quotree_reports::seconds(1_000, 3), "0.33");
/// assert_eq!(quotree_reports::seconds(20, 2), "0.01");
/// ```
#[must_use]
pub fn seconds(sum_ms: u128, of: u64) -> String {
    let of = u128::from(of.max(1));
    let hundredths = (sum_ms + 5 * of) / (10 * of);
    format!("{}.{:02}", hundredths / 100, hundredths % 100)
}

/// A count with its thousands set apart: `82,247`.
#[must_use]
pub fn count(number: u128) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Thousandths as per cent: `93.1 %`.
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

/// One amount as a Kubernetes quantity.
pub(crate) fn amount(resource: &str, amount: i64) -> String {
    QuantityText { amount, unit: Unit::of(resource) }.to_string()
}

/// The amounts that are not 0, as `5 cpu, 2Gi memory`; nothing when there are none.
pub(crate) fn amounts(all: &Amounts) -> Option<String> {
    let words: Vec<_> = all
        .iter()
        .filter(|(_, value)| *value != 0)
        .map(|(name, value)| format!("{} {name}", amount(name.as_str(), value)))
        .collect();
    (!words.is_empty()).then(|| words.join(", "))
}

/// A sentence of reasons without what only a closer look needs: which rules protect whom.
///
/// ```
/// assert_eq!(quotree_reports::gist("A1: full; 2 pods not taken: R1 ..; more would help"), "A1: full; more would help");
/// ```
#[must_use]
pub fn gist(reason: &str) -> String {
    reason.split("; ").filter(|clause| !clause.contains(" not taken: ")).collect::<Vec<_>>().join("; ")
}

/// `1 pod`, `2 pods`.
pub(crate) fn many(number: u64, what: &str) -> String {
    format!("{} {what}{}", count(number.into()), if number == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_people_do() {
        assert_eq!(
            [0, 1, 999, 1000, 60_000, 61_500, 86_400_000, 90_061_001].map(span),
            ["0s", "1ms", "999ms", "1s", "1m", "1m1s", "1d", "1d1h"]
        );
        assert_eq!([1, 1000, 82_247, 1_000_000].map(count), ["1", "1,000", "82,247", "1,000,000"]);
        assert_eq!(seconds(0, 0), "0.00");
        assert_eq!(seconds(429_128_880, 1), "429128.88");
        assert_eq!(percent(1000), "100.0 %");
        assert_eq!([0, 999, 1000, 154_618_822_656].map(bytes), ["0 B", "999 B", "1.0 KB", "154.6 GB"]);
    }
}
