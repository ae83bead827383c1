//! Reads a gate: `FIGURE [of TEAM] < | <= | > | >= BOUND`.

use super::{Bound, Gate, Op};
use crate::facts::{Key, Unit};

/// Why a text is no gate.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("column {column}: {what}")]
pub struct GateError {
    /// Where, in characters from 1.
    pub column: usize,
    /// What is wrong, and what to write.
    pub what: String,
}

/// The characters of comparisons, and of what is often taken for one.
const SIGNS: [char; 4] = ['<', '>', '=', '!'];

/// The help of an error in a bound: the forms that a bound may have.
fn expected(unit: Unit) -> &'static str {
    match unit {
        Unit::Count => "a number (`3`), a change (`+3`) or a relative change (`+10%`)",
        Unit::Ms => "a duration (`10m`), a change (`+5m`) or a relative change (`+10%`)",
        Unit::Permille => "a percentage (`80%`), a change in points (`-2pp`) or a relative change (`-5%`)",
        Unit::Ratio => "a number (`0.9`), a change (`-0.05`) or a relative change (`-5%`)",
        Unit::MoneyMilli => "an amount of money (`1200`), a change (`+50`) or a relative change (`+10%`)",
        Unit::UnitSeconds => {
            "an amount times hours (`12` for 12 GPU-hours), a change (`+2`) or a relative change (`+10%`)"
        }
    }
}

impl Gate {
    /// Reads a gate.
    ///
    /// A bound without a sign is compared with the figure of the second run; with a sign, with the change. `%` after a sign is relative to
    /// the first run, `pp` are percentage points.
    ///
    /// # Errors
    /// What is wrong, with its column.
    pub fn parse(text: &str) -> Result<Self, GateError> {
        // A column is that of the first character of a part of the text.
        let column = |part: &str| {
            let start = (part.as_ptr() as usize).saturating_sub(text.as_ptr() as usize);
            text.get(..start).map_or(0, |before| before.chars().count()) + 1
        };
        let error = |part: &str, what: String| GateError { column: column(part), what };
        let Some(at) = text.rfind(['<', '>']) else {
            let end = text.get(text.trim_end().len()..).unwrap_or_default();
            return Err(error(
                end,
                "expected `<`, `<=`, `>` or `>=` and a bound, as in `wait.p95 of nlp > +10%`".to_owned(),
            ));
        };
        let end = text.len() - text.get(at..).unwrap_or_default().trim_start_matches(SIGNS).len();
        let start = text.get(..at).unwrap_or_default().trim_end_matches(SIGNS).len();
        let (left, sign) = (text.get(..start).unwrap_or_default(), text.get(start..end).unwrap_or_default());
        let bound = text.get(end..).unwrap_or_default();
        let op = match sign {
            "<" => Op::Less,
            "<=" => Op::AtMost,
            ">" => Op::More,
            ">=" => Op::AtLeast,
            _ => {
                let part = text.get(start..).unwrap_or_default();
                return Err(error(part, format!("`{sign}` is no comparison: expected `<`, `<=`, `>` or `>=`")));
            }
        };
        let key = Key::parse(left.trim()).map_err(|what| error(left.trim_start(), what))?;
        let bound = bound.trim();
        let unit = key.measure().unit;
        let wrong = |what: &str| {
            let what = if what.is_empty() { String::new() } else { format!(" ({what})") };
            error(bound, format!("`{bound}` is no bound of `{}`{what}: expected {}", key.name(), expected(unit)))
        };
        let bound = Bound::parse(&key, bound).map_err(|what| wrong(&what))?;
        Ok(Self { text: text.to_owned(), key, op, bound })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_are_exact() {
        let rows = [
            ("wait.p95 of nlp > +10%", Op::More, Bound::Relative(1000)),
            ("wait.p95 >= -0.25 %", Op::AtLeast, Bound::Relative(-25)),
            ("wait.p95>10m", Op::More, Bound::Value(600_000)),
            ("wait.max of a > b < +1h30m", Op::Less, Bound::Change(5_400_000)),
            ("evictions of nlp > +3", Op::More, Bound::Change(3)),
            ("evictions <= 0", Op::AtMost, Bound::Value(0)),
            ("utilisation.cpu < 80%", Op::Less, Bound::Value(800)),
            ("utilisation.cpu < -2.5pp", Op::Less, Bound::Change(-25)),
            ("utilisation.cpu < -5%", Op::Less, Bound::Relative(-500)),
            ("jain < 0.9", Op::Less, Bound::Value(900)),
            ("cost > +50.5", Op::More, Bound::Change(50_500)),
            ("unmet.nvidia.com/gpu of nlp > 12", Op::More, Bound::Value(12 * 1000 * 3600)),
        ];
        for (text, op, bound) in rows {
            let gate = Gate::parse(text).unwrap();
            assert_eq!((gate.op, gate.bound), (op, bound), "{text}");
        }
    }

    #[test]
    fn errors_point_at_the_part_that_is_wrong() {
        let rows = [
            ("", 1, "expected `<`"),
            ("wait.p95 of nlp", 16, "expected `<`"),
            ("  wait.p96 > 10m", 3, "there is no figure `wait.p96`"),
            ("wait.p95 > ", 11, "no bound"),
            ("wait.p95 of ü > 10", 17, "unit is missing"),
            ("wait.p95 > 10%", 12, "a relative change needs a sign"),
            ("wait.p95 > +10pp", 12, "no bound"),
            ("utilisation.cpu < 2pp", 19, "needs a sign"),
            ("utilisation.cpu < 80", 19, "the unit is missing"),
            ("evictions > 1.5", 13, "it has decimals"),
            ("evictions > +1.234%", 13, "more than 2 decimals"),
            ("evictions == 3", 15, "expected `<`"),
            ("evictions >> 3", 11, "`>>` is no comparison"),
            ("evictions => 3", 11, "`=>` is no comparison"),
            ("evictions > 99999999999999999999", 13, "not a number"),
            ("unmet.nvidia.com/gpu > 8Gi", 24, "memory"),
        ];
        for (text, column, what) in rows {
            let error = Gate::parse(text).unwrap_err();
            assert!(error.column == column && error.what.contains(what), "{text}: {error}");
        }
    }
}
