//! How numbers are printed: durations in two units, moments, amounts with units, three digits. The page's script prints
//! them in the same way.

use crate::model::{Amount, AmountTime, Report, Resource, ResourceIx, ResourceKind};

/// Prints the numbers of a report.
#[derive(Debug, Clone, Copy)]
pub struct Units<'a> {
    resources: &'a [Resource],
    currency: &'a str,
    end_ms: u64,
}

impl<'a> Units<'a> {
    /// The formatter for the numbers of a report.
    #[must_use]
    pub fn of(report: &'a Report) -> Self {
        Self { resources: &report.resources, currency: &report.run.currency, end_ms: report.run.end_ms }
    }

    /// A resource, if the report has it.
    #[must_use]
    pub fn resource(&self, resource: ResourceIx) -> Option<&'a Resource> {
        usize::try_from(resource).ok().and_then(|i| self.resources.get(i))
    }

    fn is_bytes(&self, resource: ResourceIx) -> bool {
        self.resource(resource).is_some_and(|r| r.kind == ResourceKind::Bytes)
    }

    /// The short name of a resource.
    pub fn short_name(&self, resource: ResourceIx) -> &'a str {
        self.resource(resource).map_or("", |r| &r.short)
    }

    /// The number without its unit; for bytes with the unit.
    pub fn bare(&self, resource: ResourceIx, amount: i64) -> String {
        if self.is_bytes(resource) { bytes(real(amount)) } else { short(real(amount) / 1000.0) }
    }

    /// An amount with its unit: `16 GPUs`.
    pub fn amount(&self, resource: ResourceIx, amount: i64) -> String {
        if self.is_bytes(resource) {
            return bytes(real(amount));
        }
        let unit = self.resource(resource).map_or("", |r| if amount.abs() == 1000 { &r.unit } else { &r.units });
        format!("{} {unit}", short(real(amount) / 1000.0))
    }

    /// Amounts with their units: `8 GPUs, 16 cores`.
    pub fn amounts(&self, amounts: &[Amount]) -> String {
        let all: Vec<String> = amounts.iter().map(|a| self.amount(a.resource, a.amount)).collect();
        if all.is_empty() { "nothing".to_owned() } else { all.join(", ") }
    }

    /// An integral as number and unit: `602` and `GPU-h`.
    pub fn amount_time_parts(&self, time: AmountTime) -> (String, String) {
        let units = wide(time.unit_s);
        if self.is_bytes(time.resource) {
            let text = bytes(units / 3600.0);
            let (number, unit) = text.split_once(' ').unwrap_or((&text, "B"));
            return (number.to_owned(), format!("{unit}-h"));
        }
        let (seconds, unit) = (units / 1000.0, self.resource(time.resource).map_or("", |r| &r.unit));
        if seconds == 0.0 {
            ("0".to_owned(), format!("{unit}-h"))
        } else if seconds >= 3600.0 * 0.995 {
            let hours = seconds / 3600.0;
            let number = if hours < 9.95 { format!("{hours:.1}") } else { whole(hours) };
            (number, format!("{unit}-h"))
        } else if seconds >= 60.0 {
            (whole(seconds / 60.0), format!("{unit}-min"))
        } else {
            (short(seconds), format!("{unit}-s"))
        }
    }

    /// An integral with its unit: `602 GPU-h`.
    pub fn amount_time(&self, time: AmountTime) -> String {
        let (number, unit) = self.amount_time_parts(time);
        format!("{number} {unit}")
    }

    /// A moment: `12:30`, `12:00:51`, `d3 07:58`. In a short run it always has seconds, since `00:02` could be read as
    /// two seconds.
    pub fn moment(&self, ms: u64) -> String {
        let (s, day) = (ms / 1000, ms / DAY_MS);
        let mut clock = format!("{:02}:{:02}", s / 3600 % 24, s / 60 % 60);
        if self.end_ms < SHORT_RUN_MS || !s.is_multiple_of(60) {
            clock = format!("{clock}:{:02}", s % 60);
        }
        if self.end_ms >= DAY_MS && (day > 0 || self.end_ms >= 2 * DAY_MS) { format!("d{day} {clock}") } else { clock }
    }

    /// An amount of money, given in thousandths of the currency.
    pub fn money(&self, milli: u128) -> String {
        let value = wide(milli) / 1000.0;
        let number = if value >= 100.0 { whole(value) } else { short(value) };
        if self.currency.is_empty() { number } else { format!("{number} {}", self.currency) }
    }
}

/// Moments in runs that are shorter than this have seconds.
const SHORT_RUN_MS: u64 = 2 * 3_600_000;

/// A day, milliseconds.
pub const DAY_MS: u64 = 86_400_000;

/// An amount as a number for printing. Digits beyond 2^53 are never shown.
#[expect(clippy::cast_precision_loss, reason = "at most four digits of it are printed")]
pub fn real(amount: i64) -> f64 {
    amount as f64
}

/// An amount over time as a number for printing.
#[expect(clippy::cast_precision_loss, reason = "at most four digits of it are printed")]
pub fn wide(amount: u128) -> f64 {
    amount as f64
}

/// A number rounded to the nearest whole one, with digits in groups of three.
pub fn whole(number: f64) -> String {
    let digits = format!("{:.0}", number.abs().round());
    let sign = if number < 0.0 && digits != "0" { "-" } else { "" };
    format!("{sign}{}", grouped(&digits))
}

/// Digits with a comma before each group of three: `82,247`.
#[must_use]
pub fn grouped(digits: &str) -> String {
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A count.
pub fn count(number: u64) -> String {
    grouped(&number.to_string())
}

/// A number with three digits, at most one of them after the point.
pub fn short(number: f64) -> String {
    let size = number.abs();
    let is_whole = size.fract() == 0.0;
    if size == 0.0 {
        "0".to_owned()
    } else if size >= 99.95 {
        whole(number)
    } else if is_whole {
        format!("{number:.0}")
    } else if size >= 9.95 {
        let text = format!("{number:.1}");
        text.strip_suffix(".0").unwrap_or(&text).to_owned()
    } else if size >= 0.095 {
        format!("{number:.1}")
    } else if size < 0.01 {
        if number < 0.0 { "-0.01".to_owned() } else { "under 0.01".to_owned() }
    } else {
        format!("{number:.2}")
    }
}

/// Bytes in binary units.
pub fn bytes(number: f64) -> String {
    let (mut size, mut unit) = (number.abs(), 0);
    let names = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
    while size >= 1024.0 && unit + 1 < names.len() {
        size /= 1024.0;
        unit += 1;
    }
    let sign = if number < 0.0 { "-" } else { "" };
    format!("{sign}{} {}", short(size), names.get(unit).copied().unwrap_or("EiB"))
}

/// A duration in two units: `3 h 59 min`, `6 min 6 s`, `0 s`.
pub fn span(ms: u64) -> String {
    if ms > 0 && ms < 1000 {
        return format!("{ms} ms");
    }
    let s = ms / 1000;
    let parts = [(s / 86400, "d"), (s / 3600 % 24, "h"), (s / 60 % 60, "min"), (s % 60, "s")];
    let first = parts.iter().position(|(n, _)| *n > 0).unwrap_or(parts.len());
    let shown: Vec<String> =
        parts.iter().skip(first).take(2).filter(|(n, _)| *n > 0).map(|(n, unit)| format!("{n} {unit}")).collect();
    if shown.is_empty() { "0 s".to_owned() } else { shown.join(" ") }
}

/// A sum of durations.
pub fn long_span(ms: u128) -> String {
    span(u64::try_from(ms).unwrap_or(u64::MAX))
}

/// A share in thousandths as percent. It is shown as 0 or 100 only if it is exactly that.
pub fn percent(permille: f64) -> String {
    if permille > 0.0 && permille < 0.5 {
        return "under 1 %".to_owned();
    }
    if permille > 999.0 && permille < 1000.0 {
        return "over 99 %".to_owned();
    }
    let text = format!("{:.1}", permille / 10.0);
    format!("{} %", text.strip_suffix(".0").unwrap_or(&text))
}

/// A part of a whole in whole percent. It is shown as 0 or 100 only if it is exactly that.
pub fn part(part: u128, whole_of: u128) -> String {
    if whole_of == 0 {
        return "0 %".to_owned();
    }
    let percent = wide(part) / wide(whole_of) * 100.0;
    if percent > 0.0 && percent < 1.0 {
        "under 1 %".to_owned()
    } else if percent > 99.0 && percent < 100.0 {
        "over 99 %".to_owned()
    } else {
        format!("{percent:.0} %")
    }
}

/// A number with its noun: `1 pod`, `3 pods`.
pub fn many(n: u64, one: &str) -> String {
    format!("{} {one}{}", count(n), if n == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report() -> Report {
        let gpu = Resource {
            name: "nvidia.com/gpu".to_owned(),
            unit: "GPU".to_owned(),
            units: "GPUs".to_owned(),
            kind: ResourceKind::Gpu,
            ..Resource::default()
        };
        let memory = Resource { kind: ResourceKind::Bytes, ..Resource::default() };
        Report { resources: vec![gpu, memory], ..Report::default() }
    }

    #[test]
    fn durations_have_two_units() {
        let spans = [0, 350, 6_000, 366_000, 14_397_000, 3_600_000, 93_600_000].map(span);
        assert_eq!(spans, ["0 s", "350 ms", "6 s", "6 min 6 s", "3 h 59 min", "1 h", "1 d 2 h"]);
    }

    #[test]
    fn amounts_have_three_digits_and_a_unit() {
        let report = report();
        let units = Units::of(&report);
        assert_eq!(
            [1000, 500, 16_000, 1_234_000].map(|a| units.amount(0, a)),
            ["1 GPU", "0.5 GPUs", "16 GPUs", "1,234 GPUs"]
        );
        assert_eq!(units.amount(1, 512 << 30), "512 GiB");
        let hours = |unit_s| units.amount_time(AmountTime { resource: 0, unit_s });
        let times = [2_167_674_343, 7_150_743, 199_597, 1_500].map(hours);
        assert_eq!(times, ["602 GPU-h", "2.0 GPU-h", "3 GPU-min", "1.5 GPU-s"]);
    }

    #[test]
    fn shares_are_never_a_false_nothing_or_all() {
        assert_eq!([0.0, 0.4, 856.0, 999.5, 1000.0].map(percent), ["0 %", "under 1 %", "85.6 %", "over 99 %", "100 %"]);
        assert_eq!(
            [(0, 0), (1, 1000), (870, 1000), (999, 1000)].map(|(p, w)| part(p, w)),
            ["0 %", "under 1 %", "87 %", "over 99 %"]
        );
    }

    #[test]
    fn moments_have_days_in_long_runs() {
        let mut report = report();
        report.run.end_ms = 3 * DAY_MS;
        assert_eq!(Units::of(&report).moment(3 * 3_600_000 + 51_000), "d0 03:00:51");
        report.run.end_ms = DAY_MS / 2;
        assert_eq!(Units::of(&report).moment(3 * 3_600_000), "03:00");
    }
}
