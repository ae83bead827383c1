//! Bandwidths. A bandwidth that cannot be represented exactly is an error.

use quotree_syntax::{Node, Read, Report, Shape, clip, wrong};

/// The largest bandwidth, in bytes a second: a terabyte.
const MAX_BANDWIDTH: u64 = 1_000_000_000_000;

/// Bytes a second, written as `"1GB/s"`, `"800MiB/s"` or `"10Gbit/s"`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bandwidth(pub(crate) u64);

/// The units, each with its number of bits.
const UNITS: [(&str, u128); 14] = [
    ("B/s", 8),
    ("KB/s", 8_000),
    ("MB/s", 8_000_000),
    ("GB/s", 8_000_000_000),
    ("TB/s", 8_000_000_000_000),
    ("KiB/s", 8 << 10),
    ("MiB/s", 8 << 20),
    ("GiB/s", 8 << 30),
    ("TiB/s", 8 << 40),
    ("bit/s", 1),
    ("Kbit/s", 1_000),
    ("Mbit/s", 1_000_000),
    ("Gbit/s", 1_000_000_000),
    ("Tbit/s", 1_000_000_000_000),
];

fn parse_bandwidth(text: &str) -> Result<u64, String> {
    let end = text.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let Some((_, bits)) = UNITS.iter().find(|(name, _)| *name == unit.trim_start()) else {
        return Err(if unit.is_empty() {
            "the unit is missing, such as GB/s".to_owned()
        } else {
            format!(
                "unknown unit of bandwidth `{}`; the units are B/s, KB/s, MB/s, GB/s, TB/s, KiB/s .. and bit/s ..",
                clip(unit)
            )
        });
    };
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let fraction = fraction.trim_end_matches('0');
    if fraction.contains('.') || (whole.is_empty() && fraction.is_empty()) || whole.len() + fraction.len() > 18 {
        return Err("expected a number and a unit".to_owned());
    }
    let digits: u128 = format!("{whole}{fraction}").parse().unwrap_or(0);
    let scale = 8 * 10_u128.pow(u32::try_from(fraction.len()).unwrap_or_default());
    let bits = digits * bits;
    if !bits.is_multiple_of(scale) {
        return Err("it is not a whole number of bytes per second".to_owned());
    }
    match u64::try_from(bits / scale) {
        Ok(0) => Err("nothing would ever be read".to_owned()),
        Ok(bytes) if bytes <= MAX_BANDWIDTH => Ok(bytes),
        _ => Err("too much: at most 1TB/s".to_owned()),
    }
}

impl Read for Bandwidth {
    fn kind() -> String {
        "bandwidth".to_owned()
    }

    fn read(node: &Node, report: &mut Report) -> Option<Self> {
        const EXPECTED: &str = "a bandwidth string such as \"1GB/s\" or \"10Gbit/s\"";
        match &node.shape {
            Shape::String(text) => match parse_bandwidth(text) {
                Ok(bytes) => Some(Self(bytes)),
                Err(why) => {
                    let title = format!("`{}` is not a bandwidth: {why}", clip(text));
                    report.error(node.span, title, why).help(format!("expected {EXPECTED}"));
                    None
                }
            },
            _ => {
                wrong(node, EXPECTED, report);
                None
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::parse_bandwidth;

    #[test]
    fn bandwidths_are_exact_or_refused() {
        let rows = [
            ("1GB/s", Some(1_000_000_000)),
            ("1.5GB/s", Some(1_500_000_000)),
            ("800 MiB/s", Some(838_860_800)),
            ("10Gbit/s", Some(1_250_000_000)),
            ("1TB/s", Some(1_000_000_000_000)),
            ("1B/s", Some(1)),
            ("8bit/s", Some(1)),
            ("4bit/s", None),
            ("0.5B/s", None),
            ("0GB/s", None),
            ("2TB/s", None),
            ("1GB", None),
            ("1Gb/s", None),
            ("GB/s", None),
            ("1..5GB/s", None),
            ("-1GB/s", None),
            ("1000000000000000000000GB/s", None),
            ("", None),
        ];
        for (text, wanted) in rows {
            assert_eq!(parse_bandwidth(text).ok(), wanted, "`{text}`");
        }
    }
}
