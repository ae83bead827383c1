//! Durations as text, exact to the millisecond.

/// The largest time in a scenario, milliseconds: a little over 31,000 years. So sums of a few times never overflow 64
/// bits.
pub const MAX_MS: u64 = 1_000_000_000_000_000;

/// The milliseconds of a text such as `1h30m`, or why it is not a duration.
pub fn parse_duration(text: &str) -> Result<u64, String> {
    const UNITS: [(&str, u128); 5] = [("ms", 1), ("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000)];
    let mut rest = text;
    let mut total: u128 = 0;
    let mut last = u128::MAX;
    if text.starts_with('-') {
        return Err("a duration cannot be negative".to_owned());
    }
    while !rest.is_empty() {
        let end = rest.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(rest.len());
        let (number, after) = rest.split_at(end);
        let letters = after.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(after.len());
        let (unit, after) = after.split_at(letters);
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        if number.is_empty() || fraction.contains('.') || (whole.is_empty() && fraction.is_empty()) {
            return Err("expected a number and a unit".to_owned());
        }
        let Some((_, scale)) = UNITS.iter().find(|(name, _)| *name == unit) else {
            let word = after.split_whitespace().next().unwrap_or_default();
            return Err(match if unit.is_empty() { word } else { unit } {
                "" => "the unit is missing; use d, h, m, s or ms".to_owned(),
                word if UNITS.iter().any(|(name, _)| *name == word) => {
                    format!("write the unit right after the number: `{number}{word}`")
                }
                word => format!("unknown unit `{word}`; use d, h, m, s or ms"),
            });
        };
        if *scale >= last {
            return Err("units must go from large to small, each once".to_owned());
        }
        last = *scale;
        total = total.checked_add(exact(whole, fraction, *scale)?).ok_or("too long")?;
        rest = after;
    }
    if text.is_empty() {
        return Err("it is empty".to_owned());
    }
    u64::try_from(total).ok().filter(|ms| *ms <= MAX_MS).ok_or_else(|| "too long: at most 31,688 years".to_owned())
}

/// `whole.fraction` times `scale`, exactly.
pub fn exact(whole: &str, fraction: &str, scale: u128) -> Result<u128, String> {
    let fraction = fraction.trim_end_matches('0');
    if fraction.len() > 20 || whole.trim_start_matches('0').len() > 18 {
        return Err("too many digits".to_owned());
    }
    let mut digits: u128 = 0;
    for digit in whole.bytes().chain(fraction.bytes()) {
        digits = digits * 10 + u128::from(digit - b'0');
    }
    let power = 10_u128.pow(u32::try_from(fraction.len()).unwrap_or_default());
    let scaled = digits.checked_mul(scale).ok_or("too long")?;
    if scaled % power != 0 {
        return Err("finer than a millisecond".to_owned());
    }
    Ok(scaled / power)
}

/// A time in the notation of scenarios: `1h30m`, `250ms`, `0s`.
///
/// ```
/// let texts = [0, 250, 90_000, 5_400_000, 86_400_001].map(quotree_syntax::time_text);
/// assert_eq!(texts, ["0s", "250ms", "1m30s", "1h30m", "1d1ms"]);
/// ```
#[must_use]
pub fn time_text(ms: u64) -> String {
    const UNITS: [(u64, &str); 5] = [(86_400_000, "d"), (3_600_000, "h"), (60_000, "m"), (1000, "s"), (1, "ms")];
    let (mut left, mut out) = (ms, String::new());
    for (size, unit) in UNITS {
        if left >= size {
            out += &format!("{}{unit}", left / size);
            left %= size;
        }
    }
    if out.is_empty() { "0s".to_owned() } else { out }
}

#[cfg(test)]
mod tests {
    use super::parse_duration;

    #[test]
    fn durations_are_exact_or_refused() {
        let rows = [
            ("90s", Some(90_000)),
            ("1h30m", Some(5_400_000)),
            ("2d", Some(172_800_000)),
            ("250ms", Some(250)),
            ("1.5s", Some(1500)),
            ("429128.88s", Some(429_128_880)),
            ("1d2h3m4s5ms", Some(93_784_005)),
            ("0s", Some(0)),
            ("0.001s", Some(1)),
            ("0.0005s", None),
            ("0.5ms", None),
            ("0.5m", Some(30_000)),
            ("", None),
            ("90", None),
            ("s", None),
            ("1m1h", None),
            ("1s1s", None),
            ("-5s", None),
            ("1e3s", None),
            ("5 s", None),
            ("5min", None),
            ("1..5s", None),
            (".s", None),
            ("999999999999d", None),
            ("99999999999999999999999999999999999999999s", None),
            ("１s", None),
        ];
        for (text, wanted) in rows {
            assert_eq!(parse_duration(text).ok(), wanted, "`{text}`");
        }
    }
}
