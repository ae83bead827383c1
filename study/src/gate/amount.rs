//! Amounts in the unit of a figure, as they are written in gates and in outcome files: read and written exactly.

use super::Bound;
use crate::facts::{Key, Unit};
use quotree_core::Unit as Base;
use quotree_syntax::{parse_amount, parse_duration, time_text};

impl Bound {
    /// Reads a bound of a figure: without a sign a value, with a sign a change.
    ///
    /// # Errors
    /// What is wrong, in a clause.
    pub(crate) fn parse(key: &Key, text: &str) -> Result<Self, String> {
        let (sign, amount) = match text.split_at_checked(1) {
            Some(("+", rest)) => (Some(1), rest),
            Some(("-", rest)) => (Some(-1), rest),
            _ => (None, text),
        };
        match (sign, amount.strip_suffix('%')) {
            (Some(sign), Some(percent)) => Ok(Self::Relative(sign * decimal(percent.trim_end(), 2)?)),
            (Some(sign), None) => Ok(Self::Change(sign * points(key, amount).unwrap_or_else(|| value(key, amount))?)),
            (None, None) if points(key, amount).is_some() => Err("a change in points needs a sign".to_owned()),
            (None, Some(_)) if key.measure().unit != Unit::Permille => Err("a relative change needs a sign".to_owned()),
            (None, _) => Ok(Self::Value(value(key, amount)?)),
        }
    }
}

/// A number of percentage points, if it is one, of a figure that is a percentage.
fn points(key: &Key, text: &str) -> Option<Result<i128, String>> {
    let points = text.strip_suffix("pp").filter(|_| key.measure().unit == Unit::Permille)?;
    Some(decimal(points.trim_end(), 1))
}

/// An amount in the unit of a figure.
///
/// # Errors
/// What is wrong, in a clause.
pub(crate) fn value(key: &Key, text: &str) -> Result<i128, String> {
    match key.measure().unit {
        Unit::Count => decimal(text, 0),
        Unit::Ms => {
            let text: String = text.split_whitespace().collect();
            if text.is_empty() { Err("it is missing".to_owned()) } else { parse_duration(&text).map(i128::from) }
        }
        Unit::Permille => {
            let percent = text.strip_suffix('%').ok_or("the unit is missing")?;
            decimal(percent.trim_end(), 1)
        }
        Unit::Ratio | Unit::MoneyMilli => decimal(text, 3),
        Unit::UnitSeconds => {
            let amount = parse_amount(key.resource.as_deref().unwrap_or_default(), text).map_err(|error| error.what)?;
            Ok(i128::from(amount) * 3600)
        }
    }
}

/// The value of a figure as a file can state it: amounts over time are whole thousandths of a unit (or bytes) times hours, rounded down.
pub(crate) fn rounded(key: &Key, value: i128) -> i128 {
    match key.measure().unit {
        Unit::UnitSeconds => value.div_euclid(3600) * 3600,
        _ => value,
    }
}

/// A value that is [`rounded`], as [`value`] reads it.
pub(crate) fn text(key: &Key, value: i128) -> String {
    let thousandths = |value: i128| {
        let text = format!("{}.{:03}", value / 1000, value.rem_euclid(1000));
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    };
    match key.measure().unit {
        Unit::Count => value.to_string(),
        Unit::Ms => time_text(u64::try_from(value).unwrap_or_default()),
        Unit::Permille => format!("{}.{}%", value / 10, value.rem_euclid(10)),
        Unit::Ratio | Unit::MoneyMilli => thousandths(value),
        Unit::UnitSeconds => match Base::of(key.resource.as_deref().unwrap_or_default()) {
            Base::Milli => thousandths(value / 3600),
            Base::Bytes => {
                let bytes = value / 3600;
                let units = [(1 << 30, "Gi"), (1 << 20, "Mi"), (1 << 10, "Ki")];
                let unit = units.into_iter().find(|(size, _)| bytes != 0 && bytes % size == 0);
                unit.map_or_else(|| bytes.to_string(), |(size, name)| format!("{}{name}", bytes / size))
            }
        },
    }
}

/// Reads a decimal number exactly, in units of its last place: with two places, `1.5` is 150.
///
/// # Errors
/// What is wrong, in a clause.
pub(crate) fn decimal(text: &str, places: usize) -> Result<i128, String> {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let digits = |text: &str| text.len() <= 18 && text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !digits(whole) || !digits(part) || (text.contains('.') && part.is_empty()) {
        return Err("it is not a number".to_owned());
    }
    if part.len() > places {
        return Err(match places {
            0 => "it has decimals".to_owned(),
            1 => "it has more than one decimal".to_owned(),
            n => format!("it has more than {n} decimals"),
        });
    }
    format!("{whole}{part:0<places$}").parse().map_err(|_| "it is too large".to_owned())
}
