//! A part of a recording, by time.

use jiff::{Timestamp, civil::DateTime, tz::TimeZone};
use quotree_core::Time;
use quotree_syntax::parse_duration;

/// A moment of a recording.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// At this time.
    At(Time),
    /// So many milliseconds after the recording begins.
    After(u64),
}

impl Moment {
    /// Reads `2026-12-01T10:00:00Z` (or with an offset), `2026-12-01T10:00` or `2026-12-01` in universal time, or a time since the
    /// begin of the recording such as `90m`.
    ///
    /// ```
    /// use quotree_core::Time;
    /// use quotree_import::recording::Moment;
    /// assert_eq!(Moment::parse("1970-01-01T00:01:00Z"), Ok(Moment::At(Time(60_000))));
    /// assert_eq!(Moment::parse("1970-01-01T01:01+01:00"), Ok(Moment::At(Time(60_000))));
    /// assert_eq!(Moment::parse("1970-01-02"), Ok(Moment::At(Time(86_400_000))));
    /// assert_eq!(Moment::parse("1h30m"), Ok(Moment::After(5_400_000)));
    /// assert!(Moment::parse("yesterday").is_err() && Moment::parse("1960-01-01").is_err());
    /// ```
    ///
    /// # Errors
    /// If it is none of these, or before 1970.
    pub fn parse(text: &str) -> Result<Self, String> {
        let stamp = text.parse::<Timestamp>().ok();
        let civil = || text.parse::<DateTime>().ok()?.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp());
        if let Some(stamp) = stamp.or_else(civil) {
            let ms = u64::try_from(stamp.as_millisecond()).map_err(|_| format!("`{text}` is before 1970"))?;
            return Ok(Self::At(Time(ms)));
        }
        let why = "is no time such as 2026-12-01T10:00:00Z, nor one since the begin of the recording such as 90m";
        parse_duration(text).map(Self::After).map_err(|_| format!("`{text}` {why}"))
    }

    /// The time, in a recording that begins at this time.
    pub(super) const fn time(self, begin: Time) -> Time {
        match self {
            Self::At(time) => time,
            Self::After(ms) => begin.after_ms(ms),
        }
    }
}

/// A part of a recording. By default all of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Window {
    /// What was before is only the state at the begin.
    pub from: Option<Moment>,
    /// What comes after counts for nothing.
    pub to: Option<Moment>,
}
