//! Amounts of resources, exact or refused.
//!
//! A quantity is an `i64` in the base unit of its resource (rule Q1): bytes for memory, storage and hugepages,
//! thousandths for everything else. Text is parsed exactly: what the base unit cannot represent is an error, never
//! rounded, and the canonical text parses back to the same number.

use std::fmt;

/// How a resource is counted (rule Q1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Bytes: `memory`, `ephemeral-storage`, `storage` and `hugepages-*`.
    Bytes,
    /// Thousandths: everything else; cpu `5` is 5000, half a GPU is 500.
    Milli,
}

impl Unit {
    /// The unit in which the resource of this name is counted.
    ///
    /// ```
    /// use quotree_core::Unit;
    /// assert_eq!(Unit::of("memory"), Unit::Bytes);
    /// assert_eq!(Unit::of("nvidia.com/gpu"), Unit::Milli);
    /// ```
    #[must_use]
    pub fn of(resource: &str) -> Self {
        let name = resource.strip_prefix("requests.").or_else(|| resource.strip_prefix("limits.")).unwrap_or(resource);
        if matches!(name, "memory" | "storage" | "ephemeral-storage") || name.starts_with("hugepages-") {
            Self::Bytes
        } else {
            Self::Milli
        }
    }

    const fn per_one(self) -> i128 {
        match self {
            Self::Bytes => 1,
            Self::Milli => 1000,
        }
    }
}

/// Why a text is not a quantity.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum QuantityError {
    /// Not of the form `number suffix`.
    #[error(
        "`{text}` is not a quantity; expected a number with an optional suffix, such as `100m`, `1.5`, `16Gi` or `2e3`"
    )]
    Malformed {
        /// The text as given.
        text: String,
    },
    /// The number is finer than the base unit.
    #[error("`{text}` is too precise: the smallest amount of this resource is {smallest}")]
    Inexact {
        /// The text as given.
        text: String,
        /// The smallest amount, as text.
        smallest: &'static str,
    },
    /// The number does not fit 64 bits of base units.
    #[error("`{text}` is too large: at most {max} base units")]
    TooLarge {
        /// The text as given.
        text: String,
        /// The largest count of base units.
        max: i64,
    },
}

/// Parses a Kubernetes quantity string into base units of `unit`.
///
/// # Errors
/// [`QuantityError`] when the text is malformed, finer than the base unit, or too large.
///
/// ```
/// use quotree_core::{Unit, parse_quantity};
/// assert_eq!(parse_quantity("1.5", Unit::Milli), Ok(1500));
/// assert_eq!(parse_quantity("16Gi", Unit::Bytes), Ok(16 << 30));
/// assert_eq!(parse_quantity("2e3", Unit::Milli), Ok(2_000_000));
/// assert!(parse_quantity("0.5m", Unit::Milli).is_err());
/// ```
pub fn parse_quantity(text: &str, unit: Unit) -> Result<i64, QuantityError> {
    parse(text, unit, false)
}

/// Parses a Kubernetes quantity string into base units of `unit`, as the API server and the kube-scheduler read it: an
/// amount finer than the base unit is rounded up, and a negative one away from 0.
///
/// # Errors
/// [`QuantityError`] when the text is malformed or too large.
///
/// ```
/// use quotree_core::{Unit, parse_quantity_up};
/// assert_eq!(parse_quantity_up("0.5m", Unit::Milli), Ok(1));
/// assert_eq!(parse_quantity_up("128974848000m", Unit::Bytes), Ok(128_974_848));
/// assert_eq!(parse_quantity_up("100m", Unit::Bytes), Ok(1));
/// ```
pub fn parse_quantity_up(text: &str, unit: Unit) -> Result<i64, QuantityError> {
    parse(text, unit, true)
}

fn parse(text: &str, unit: Unit, round_up: bool) -> Result<i64, QuantityError> {
    let malformed = || QuantityError::Malformed { text: text.to_owned() };
    let too_large = || QuantityError::TooLarge { text: text.to_owned(), max: i64::MAX };
    let (negative, unsigned) = match text.as_bytes().first() {
        Some(b'-') => (true, text.get(1..).unwrap_or_default()),
        Some(b'+') => (false, text.get(1..).unwrap_or_default()),
        _ => (false, text),
    };
    let end = unsigned.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(unsigned.len());
    let (number, suffix) = unsigned.split_at(end);
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if (whole.is_empty() && fraction.is_empty()) || fraction.contains('.') {
        return Err(malformed());
    }
    let (numerator, mut denominator) = scale_of(suffix).ok_or_else(malformed)?;
    let mut digits: i128 = 0;
    for c in whole.chars().chain(fraction.trim_end_matches('0').chars()) {
        let digit = i128::from(c.to_digit(10).ok_or_else(malformed)?);
        digits = digits.checked_mul(10).and_then(|d| d.checked_add(digit)).ok_or_else(too_large)?;
    }
    let places = u32::try_from(fraction.trim_end_matches('0').len()).map_err(|_| too_large())?;
    denominator = 10i128.checked_pow(places).and_then(|p| p.checked_mul(denominator)).ok_or_else(too_large)?;
    let scaled = digits.checked_mul(numerator).and_then(|d| d.checked_mul(unit.per_one())).ok_or_else(too_large)?;
    let rest = scaled % denominator;
    if rest != 0 && !round_up {
        let smallest = match unit {
            Unit::Bytes => "1 byte",
            Unit::Milli => "1m",
        };
        return Err(QuantityError::Inexact { text: text.to_owned(), smallest });
    }
    let size = scaled / denominator + i128::from(rest != 0);
    let signed = if negative { -size } else { size };
    i64::try_from(signed).map_err(|_| too_large())
}

/// Numerator and denominator of a suffix; nothing when it is not one.
fn scale_of(suffix: &str) -> Option<(i128, i128)> {
    Some(match suffix {
        "" => (1, 1),
        "n" => (1, 1_000_000_000),
        "u" => (1, 1_000_000),
        "m" => (1, 1000),
        "k" => (1000, 1),
        "M" => (1_000_000, 1),
        "G" => (1_000_000_000, 1),
        "T" => (1_000_000_000_000, 1),
        "P" => (1_000_000_000_000_000, 1),
        "E" => (1_000_000_000_000_000_000, 1),
        "Ki" => (1 << 10, 1),
        "Mi" => (1 << 20, 1),
        "Gi" => (1 << 30, 1),
        "Ti" => (1 << 40, 1),
        "Pi" => (1 << 50, 1),
        "Ei" => (1 << 60, 1),
        _ => {
            let exponent: i32 = suffix.strip_prefix(['e', 'E'])?.parse().ok()?;
            let power = 10i128.checked_pow(exponent.unsigned_abs())?;
            if exponent < 0 { (1, power) } else { (power, 1) }
        }
    })
}

/// Writes base units as the canonical Kubernetes quantity string: it parses back to the same number.
///
/// ```
/// use quotree_core::{Unit, format_quantity};
/// assert_eq!(format_quantity(1500, Unit::Milli), "1500m");
/// assert_eq!(format_quantity(5000, Unit::Milli), "5");
/// assert_eq!(format_quantity(16 << 30, Unit::Bytes), "16Gi");
/// ```
#[must_use]
pub fn format_quantity(amount: i64, unit: Unit) -> String {
    QuantityText { amount, unit }.to_string()
}

/// An amount with its unit, for `{}`: writes the canonical text without an allocation of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QuantityText {
    /// Base units.
    pub amount: i64,
    /// The unit they are in.
    pub unit: Unit,
}

impl QuantityText {
    /// The amount as sentences show it: thousandths as a decimal. Bytes are written as by `{}`.
    ///
    /// ```
    /// use quotree_core::{QuantityText, Unit};
    /// assert_eq!(QuantityText { amount: 1500, unit: Unit::Milli }.decimal(), "1.5");
    /// assert_eq!(QuantityText { amount: 16 << 30, unit: Unit::Bytes }.decimal(), "16Gi");
    /// ```
    #[must_use]
    pub fn decimal(self) -> String {
        if self.unit == Unit::Bytes || self.amount % 1000 == 0 {
            return self.to_string();
        }
        let (sign, size) = (if self.amount < 0 { "-" } else { "" }, self.amount.unsigned_abs());
        let digits = format!("{:03}", size % 1000);
        format!("{sign}{}.{}", size / 1000, digits.trim_end_matches('0'))
    }
}

impl fmt::Display for QuantityText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const BINARY: [(i64, &str); 6] =
            [(1 << 60, "Ei"), (1 << 50, "Pi"), (1 << 40, "Ti"), (1 << 30, "Gi"), (1 << 20, "Mi"), (1 << 10, "Ki")];
        match self.unit {
            Unit::Milli if self.amount % 1000 == 0 => write!(f, "{}", self.amount / 1000),
            Unit::Milli => write!(f, "{}m", self.amount),
            Unit::Bytes => {
                let fitting = BINARY.iter().find(|(size, _)| self.amount != 0 && self.amount % size == 0);
                match fitting {
                    Some((size, suffix)) => write!(f, "{}{suffix}", self.amount / size),
                    None => write!(f, "{}", self.amount),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn q1_quantities_parse_exactly() {
        let rows: &[(&str, Unit, Option<i64>)] = &[
            ("100m", Unit::Milli, Some(100)),
            ("0.1", Unit::Milli, Some(100)),
            (".5", Unit::Milli, Some(500)),
            ("5.", Unit::Milli, Some(5000)),
            ("1.0000", Unit::Milli, Some(1000)),
            ("1e-3", Unit::Milli, Some(1)),
            ("1E3", Unit::Milli, Some(1_000_000)),
            ("2E", Unit::Bytes, Some(2_000_000_000_000_000_000)),
            ("8Ei", Unit::Bytes, None),
            ("7Ei", Unit::Bytes, Some(7 << 60)),
            ("1.5Gi", Unit::Bytes, Some(3 << 29)),
            ("500m", Unit::Bytes, None),
            ("1500m", Unit::Bytes, None),
            ("2000m", Unit::Bytes, Some(2)),
            ("-3", Unit::Milli, Some(-3000)),
            ("+3", Unit::Milli, Some(3000)),
            ("0.0001", Unit::Milli, None),
            ("1u", Unit::Milli, None),
            ("1000u", Unit::Milli, Some(1)),
            ("", Unit::Milli, None),
            (".", Unit::Milli, None),
            ("1.2.3", Unit::Milli, None),
            ("5 ", Unit::Milli, None),
            ("5cores", Unit::Milli, None),
            ("1e", Unit::Milli, None),
            ("1e99999999999", Unit::Milli, None),
            ("9223372036854775807", Unit::Bytes, Some(i64::MAX)),
            ("9223372036854775808", Unit::Bytes, None),
            ("9223372036854775807", Unit::Milli, None),
        ];
        for (text, unit, wanted) in rows {
            assert_eq!(parse_quantity(text, *unit).ok(), *wanted, "`{text}` as {unit:?}");
        }
    }

    #[test]
    fn q1_what_the_api_server_rounds_is_rounded_up() {
        let rows: &[(&str, Unit, Option<i64>)] = &[
            ("0.5m", Unit::Milli, Some(1)),
            ("1.0001", Unit::Milli, Some(1001)),
            ("1u", Unit::Milli, Some(1)),
            ("1500m", Unit::Bytes, Some(2)),
            ("0.1Ki", Unit::Bytes, Some(103)),
            ("-0.5m", Unit::Milli, Some(-1)),
            ("0.0000", Unit::Milli, Some(0)),
            ("1.2.3", Unit::Milli, None),
            ("9223372036854775807.5", Unit::Bytes, None),
        ];
        for (text, unit, wanted) in rows {
            assert_eq!(parse_quantity_up(text, *unit).ok(), *wanted, "`{text}` as {unit:?}");
        }
    }

    #[test]
    fn q1_every_suffix_counts_what_kubernetes_says() {
        let rows: &[(&str, i64)] = &[
            ("3k", 3000),
            ("3M", 3_000_000),
            ("3G", 3_000_000_000),
            ("3T", 3_000_000_000_000),
            ("3P", 3_000_000_000_000_000),
            ("3E", 3_000_000_000_000_000_000),
            ("3Ki", 3072),
            ("3Mi", 3_145_728),
            ("3Gi", 3_221_225_472),
            ("3Ti", 3_298_534_883_328),
            ("3Pi", 3_377_699_720_527_872),
            ("3Ei", 3_458_764_513_820_540_928),
            ("3000000000n", 3),
            ("3000000u", 3),
            ("3000m", 3),
            ("3", 3),
        ];
        for (text, wanted) in rows {
            assert_eq!(parse_quantity(text, Unit::Bytes), Ok(*wanted), "`{text}`");
        }
    }

    #[test]
    fn q1_memory_and_storage_are_counted_in_bytes_and_written_in_binary_units() {
        for name in ["memory", "requests.storage", "ephemeral-storage", "hugepages-2Mi"] {
            assert_eq!(Unit::of(name), Unit::Bytes, "{name}");
        }
        assert_eq!(Unit::of("cpu"), Unit::Milli);
        for (amount, text) in [(0, "0"), (1023, "1023"), (3 << 30, "3Gi"), (5 << 10, "5Ki")] {
            assert_eq!(format_quantity(amount, Unit::Bytes), text);
        }
    }

    proptest! {
        #[test]
        fn q1_canonical_text_parses_back(amount in any::<i64>(), bytes in any::<bool>()) {
            let unit = if bytes { Unit::Bytes } else { Unit::Milli };
            prop_assert_eq!(parse_quantity(&format_quantity(amount, unit), unit), Ok(amount));
        }

        #[test]
        fn q1_no_text_panics(text in "\\PC{0,24}") {
            for unit in [Unit::Milli, Unit::Bytes] {
                // Where both accept a text, they agree.
                let exact = parse_quantity(&text, unit);
                prop_assert!(exact.is_err() || exact == parse_quantity_up(&text, unit));
            }
        }
    }
}
