//! The time of the adapter.

use quotree_core::Time;
use std::time::Duration;
use tokio::time::Instant;

/// Milliseconds since 1970 that never go back: the wall clock at the start, and from then on the time that has passed.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    start: Time,
    since: Instant,
}

impl Clock {
    /// A clock that shows this time now.
    #[must_use]
    pub fn starting_at(now: Time) -> Self {
        Self { start: now, since: Instant::now() }
    }

    /// A clock that shows the time of the machine.
    #[must_use]
    pub fn of_the_machine() -> Self {
        let ms = jiff::Timestamp::now().as_millisecond();
        Self::starting_at(Time(u64::try_from(ms).unwrap_or(0)))
    }

    /// The time.
    #[must_use]
    pub fn now(&self) -> Time {
        self.start.after_ms(u64::try_from(self.since.elapsed().as_millis()).unwrap_or(u64::MAX))
    }

    /// When it will show this time.
    pub(crate) fn instant(&self, at: Time) -> Instant {
        self.since + Duration::from_millis(at.since(self.start))
    }
}
