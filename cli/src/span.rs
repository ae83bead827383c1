//! Times on the command line: `2m30s`, `90s`, `1d`, `500ms`. A number needs a unit.

use quotree_core::Time;

/// Reads a time as scenarios and reports write it (`2m30s`, `2m 30s`), units from the largest to the smallest.
///
/// # Errors
/// A sentence with the text and the expected form.
pub(crate) fn parse(text: &str) -> Result<Time, String> {
    ms(text).map(Time).ok_or_else(|| {
        format!("`{text}` is not a time; expected a number with a unit, such as `2m30s`, `1h` or `500ms`")
    })
}

fn ms(text: &str) -> Option<u64> {
    const UNITS: [(&str, u64); 5] = [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1)];
    let text: String = text.split_whitespace().collect();
    let mut rest = text.as_str();
    let (mut total, mut next) = (0u64, 0);
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        let (number, after) = rest.split_at_checked(digits)?;
        let end = after.find(|c: char| c.is_ascii_digit()).unwrap_or(after.len());
        let (unit, after) = after.split_at_checked(end)?;
        let place = UNITS.iter().position(|(name, _)| *name == unit).filter(|place| *place >= next)?;
        let (_, size) = UNITS.get(place)?;
        total = number.parse::<u64>().ok()?.checked_mul(*size)?.checked_add(total)?;
        next = place + 1;
        rest = after;
    }
    Some(total)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_scenarios_write_them() {
        for (text, wanted) in [
            ("0s", Some(0)),
            ("2m30s", Some(150_000)),
            ("2m 30s", Some(150_000)),
            ("1d1ms", Some(86_400_001)),
            ("90s", Some(90_000)),
            ("5", None),
            ("", None),
            ("s", None),
            ("1s1m", None),
            ("1m1m", None),
            ("-1s", None),
            ("99999999999999999999s", None),
            ("9999999999999999999d", None),
            ("1ü", None),
        ] {
            assert_eq!(ms(text), wanted, "{text}");
        }
    }
}
