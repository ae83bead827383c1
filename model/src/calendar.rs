//! The calendar time of moment 0, and that of any other moment. Only reports show it: no decision depends on it.

use serde::{Serialize, Serializer};
use std::{fmt, str::FromStr};

/// Seconds of a day.
const DAY_S: i64 = 86_400;

/// A calendar time, with a fixed offset from UTC if one was given. There are no time zones and no summer time.
///
/// ```
/// use quotree_model::Start;
/// // 2026-03-01T08:00:00Z
/// let start = Start::new(1_772_352_000, Some(0));
/// assert_eq!(start.to_string(), "2026-03-01T08:00:00Z");
/// assert_eq!(start.date(0), "2026-03-01 08:00Z");
/// assert_eq!(start.date(90_061_500), "2026-03-02 09:01:01.5Z");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Start {
    /// Seconds from 1970-01-01T00:00:00 on the clock on the wall.
    local_s: i64,
    /// Minutes by which that clock is ahead of UTC.
    offset_min: Option<i16>,
}

impl Start {
    /// The time that many seconds after 1970-01-01T00:00:00 on the clock on the wall, which is that many minutes ahead of
    /// UTC, if that is known.
    #[must_use]
    pub const fn new(local_s: i64, offset_min: Option<i16>) -> Self {
        Self { local_s, offset_min }
    }

    /// The calendar time of a moment, milliseconds after the start: with seconds where they are not 0, and with the
    /// offset if there is one.
    #[must_use]
    pub fn date(self, ms: u64) -> String {
        let (date, clock) = self.parts(ms / 1000);
        let (second, milli) = (clock % 60, ms % 1000);
        let seconds = match (second, milli) {
            (0, 0) => String::new(),
            (_, 0) => format!(":{second:02}"),
            _ => format!(":{second:02}.{milli:03}").trim_end_matches('0').to_owned(),
        };
        format!("{date} {:02}:{:02}{seconds}{}", clock / 3600, clock / 60 % 60, self.offset())
    }

    /// The calendar time without its offset: `2026-03-01T08:00:00`.
    #[must_use]
    pub fn local(self) -> String {
        let (date, clock) = self.parts(0);
        format!("{date}T{:02}:{:02}:{:02}", clock / 3600, clock / 60 % 60, clock % 60)
    }

    /// The date, and the second of the day.
    fn parts(self, after_s: u64) -> (String, i64) {
        let at = self.local_s.saturating_add(i64::try_from(after_s).unwrap_or(i64::MAX));
        let (days, clock) = (at.div_euclid(DAY_S), at.rem_euclid(DAY_S));
        // Days from 0000-03-01, in eras of 400 years; years begin in March, so that the day of a leap year is the last.
        let days = days.saturating_add(719_468);
        let (era, day) = (days.div_euclid(146_097), days.rem_euclid(146_097));
        let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
        let day = day - (365 * year + year / 4 - year / 100);
        let month = (5 * day + 2) / 153;
        let (day, month) = (day - (153 * month + 2) / 5 + 1, if month < 10 { month + 3 } else { month - 9 });
        let year = year + era * 400 + i64::from(month <= 2);
        (format!("{year:04}-{month:02}-{day:02}"), clock)
    }

    fn offset(self) -> String {
        match self.offset_min {
            None => String::new(),
            Some(0) => "Z".to_owned(),
            Some(minutes) => {
                let (sign, minutes) = (if minutes < 0 { '-' } else { '+' }, minutes.unsigned_abs());
                format!("{sign}{:02}:{:02}", minutes / 60, minutes % 60)
            }
        }
    }
}

impl fmt::Display for Start {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.local(), self.offset())
    }
}

/// Reads what [`Display`](fmt::Display) writes, as it stands in a summary.
impl FromStr for Start {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let number = |range: std::ops::Range<usize>| {
            let digits = text.get(range).filter(|part| part.bytes().all(|byte| byte.is_ascii_digit()));
            digits.and_then(|part| part.parse::<i64>().ok()).ok_or(())
        };
        let (year, month, day) = (number(0..4)?, number(5..7)?, number(8..10)?);
        let (hour, minute, second) = (number(11..13)?, number(14..16)?, number(17..19)?);
        let offset_min = match text.get(19..).ok_or(())? {
            "" => None,
            "Z" => Some(0),
            offset => {
                let minutes = number(20..22)? * 60 + number(23..25)?;
                let minutes = if offset.starts_with('-') { -minutes } else { minutes };
                Some(i16::try_from(minutes).map_err(|_| ())?)
            }
        };
        // Days since 0000-03-01, as in `parts`.
        let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
        let days = year * 365 + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
        let days = days + (153 * month + 2) / 5 + day - 1 - 719_468;
        let start = Self { local_s: days * DAY_S + hour * 3600 + minute * 60 + second, offset_min };
        if start.to_string() == text { Ok(start) } else { Err(()) }
    }
}

impl Serialize for Start {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_those_of_the_calendar() {
        let at = |days: i64| Start::new(days * DAY_S, None).local();
        // 1970-01-01, the last day of February in a leap year, in 1900 (none), in 2000 (one), and the end of a year.
        let rows = [
            (0, "1970-01-01"),
            (-1, "1969-12-31"),
            (-25_509, "1900-02-28"),
            (-25_508, "1900-03-01"),
            (11_016, "2000-02-29"),
            (11_017, "2000-03-01"),
            (20_453, "2025-12-31"),
            (20_454, "2026-01-01"),
            (21_243, "2028-02-29"),
        ];
        for (days, date) in rows {
            assert_eq!(at(days), format!("{date}T00:00:00"), "{days}");
            for offset in [None, Some(0), Some(-330), Some(60)] {
                let start = Start::new(days * DAY_S + 45_296, offset);
                assert_eq!(start.to_string().parse(), Ok(start), "{date}");
            }
        }
        for wrong in ["", "2026-02-30T00:00:00", "2026-01-01T24:00:00", "2026-01-01", "2026-01-01T00:00:00+1:00"] {
            assert_eq!(wrong.parse::<Start>(), Err(()), "{wrong}");
        }
        let start = Start::new(20_454 * DAY_S - 60, Some(-330));
        assert_eq!(start.date(60_000), "2026-01-01 00:00-05:30");
        assert_eq!(start.date(0), "2025-12-31 23:59-05:30");
        assert_eq!(start.date(1), "2025-12-31 23:59:00.001-05:30");
    }
}
