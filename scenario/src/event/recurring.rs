//! Recurring events as single ones: `Every("1d", Scale("web", 40), at: "22h")`.

use super::{At, Change};
use quotree_core::{Name, Time};
use quotree_syntax::{At as Placed, Positive, Report, Span, group, record};

/// The most single events that all recurring ones may be.
const MAX_OCCURRENCES: u64 = 100_000;

record! {
    /// A change that is made again and again.
    pub(crate) struct Every(every, change) in "event" {
        /// The time from one to the next.
        every: Positive => required,
        /// The change.
        change: Placed<Change> => required,
        /// When it is made first.
        at: Time = Time(0),
        /// It is not made at or after this time.
        until: Time => "the end of the world",
        /// How often it is made.
        count: Placed<u32> => "as often as there is time",
        /// The user who makes the change, as for `At`.
        by: Placed<Name> => "absent",
        /// The name by which `extends` replaces an entry.
        name: String => "absent",
    }
}

group! {
    /// Entries of `events`: what happens to the world. Equal times happen in the order of the file.
    pub(crate) enum Event in "event", "an event: `At(..)` or `Every(..)`" { At, Every } else At
}

/// An event at one time.
#[derive(Debug, Clone)]
pub(crate) struct Occurrence<'a> {
    pub(crate) at: Time,
    /// The place of its time.
    pub(crate) span: Span,
    pub(crate) change: Option<&'a Placed<Change>>,
    pub(crate) by: Option<&'a Placed<Name>>,
    /// Whether the same entry of the file was made before.
    pub(crate) is_repeated: bool,
}

/// All events in the order of the file, each recurring one in the place of its entry. `end`: the end of the world.
pub(crate) fn expand<'a>(written: &'a [Placed<Event>], end: Option<Time>, report: &mut Report) -> Vec<Occurrence<'a>> {
    let mut all = Vec::new();
    let mut left = MAX_OCCURRENCES;
    for entry in written {
        let every = match &entry.value {
            Event::At(At { time, change, by, .. }) => {
                let (at, span) = time.as_ref().map_or((Time(0), entry.span), |time| (time.value, time.span));
                let (change, by) = (change.as_ref(), by.as_ref());
                all.push(Occurrence { at, span, change, by, is_repeated: false });
                continue;
            }
            Event::Every(every) => every,
        };
        let Some(period) = every.every.map(|period| period.0.max(1)) else { continue };
        // A run that ends at a time still has the events of that time; `until` excludes its own.
        let before = [every.until, end.map(|end| end.after_ms(1))].into_iter().flatten().min();
        let by_time = before.map(|before| before.0.saturating_sub(every.at.0).div_ceil(period));
        let by_count = every.count.as_ref().map(|count| u64::from(count.value));
        let Some(times) = by_time.into_iter().chain(by_count).min() else {
            report
                .error(every.span, "this event recurs without end", "without end")
                .help("give it `until` or `count`, or the world `until`");
            continue;
        };
        if times == 0 {
            report.warning(every.span, "this event has no effect: it is never made", "no time for it");
        }
        if times > left {
            let title =
                format!("recurring events are made {MAX_OCCURRENCES} times at most in sum, and this one {times} times");
            report
                .error(every.span, title, "too often")
                .help("make it less often, or end it earlier by `until` or `count`");
            continue;
        }
        left -= times;
        all.extend((0..times).map(|number| Occurrence {
            at: every.at.after_ms(period.saturating_mul(number)),
            span: every.span,
            change: every.change.as_ref(),
            by: every.by.as_ref(),
            is_repeated: number > 0,
        }));
    }
    all
}
