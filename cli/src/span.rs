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

    /// Moments of every size for tests: each unit alone, the values next to it, and random values over the whole range.
    fn moments() -> impl Iterator<Item = u64> {
        let sizes = [1, 1000, 60_000, 3_600_000, 86_400_000u64].into_iter();
        let near = sizes.flat_map(|size| [size - 1, size, size + 1, 7 * size + 1, 23 * size + size / 2]);
        let draw = |n: &u64| Some(n.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407));
        let draws = std::iter::successors(Some(1), draw).take(1_000);
        near.chain(draws.enumerate().map(|(i, n)| n >> (i % 64))).chain([0, u64::MAX])
    }

    #[test]
    fn what_is_printed_can_be_typed_back() {
        for at in moments() {
            assert_eq!(ms(&quotree_reports::moment(at)), Some(at), "a moment comes back exactly");
            let duration = quotree_reports::span(at);
            let back = ms(&duration).unwrap_or_else(|| panic!("`{duration}` is not read"));
            assert_eq!(quotree_reports::span(back), duration, "a duration comes back as it was printed");
        }
    }

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
