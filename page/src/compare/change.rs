//! A figure of two runs: its signed difference, whether the difference is an improvement, and how it is printed.

use super::Both;
use crate::{
    model::{AmountTime, ResourceIx},
    still::table::Cell,
    units,
};
use std::cmp::Ordering;

/// Which direction is an improvement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Good {
    /// Less, such as for waits and evictions.
    Less,
    /// More, such as for finished work.
    More,
    /// Neither, such as for usage, borrowing and cost.
    None,
}

/// A figure of both runs.
pub(super) struct Change<'a> {
    /// The value before. `None` for an endless time (never started, not done).
    pub(super) before: Option<u128>,
    /// The value after, in the same form.
    pub(super) after: Option<u128>,
    pub(super) good: Good,
    /// Prints a value.
    say: Box<dyn Fn(u128) -> String + 'a>,
    /// The text for `None`.
    nothing: &'static str,
    /// Whether it is a share. The difference of shares is in percentage points.
    is_share: bool,
    /// Whether before and after are lower bounds.
    at_least: (bool, bool),
}

impl<'a> Change<'a> {
    pub(super) fn of(
        (before, after): (impl Into<u128>, impl Into<u128>),
        good: Good,
        say: impl Fn(u128) -> String + 'a,
    ) -> Self {
        Self {
            before: Some(before.into()),
            after: Some(after.into()),
            good,
            say: Box::new(say),
            nothing: "",
            is_share: false,
            at_least: (false, false),
        }
    }

    /// A number of things in both runs.
    pub(super) fn count(values: (impl Into<u128>, impl Into<u128>), good: Good) -> Self {
        Self::of(values, good, |n| units::whole(units::wide(n)))
    }

    /// A duration; less is better.
    pub(super) fn span(values: (impl Into<u128>, impl Into<u128>)) -> Self {
        Self::of(values, Good::Less, units::long_span)
    }

    /// A duration that may be endless.
    pub(super) fn open_span(before: Option<u64>, after: Option<u64>, nothing: &'static str) -> Self {
        let (before, after) = (before.map(u128::from), after.map(u128::from));
        Self { before, after, nothing, ..Self::span((0_u64, 0_u64)) }
    }

    /// A duration that may be a lower bound.
    pub(super) fn bounded_span((before, after): ((u64, bool), (u64, bool))) -> Self {
        Self { at_least: (before.1, after.1), ..Self::span((before.0, after.0)) }
    }

    /// A share in thousandths.
    pub(super) fn permille(values: (impl Into<u128>, impl Into<u128>), good: Good) -> Self {
        Self { is_share: true, ..Self::of(values, good, |permille| units::percent(units::wide(permille))) }
    }

    /// An amount of a resource, integrated over time.
    pub(super) fn amount_time(both: &Both<'a>, resource: ResourceIx, values: (u128, u128), good: Good) -> Self {
        let units = both.before.units;
        Self::of(values, good, move |unit_s| units.amount_time(AmountTime { resource, unit_s }))
    }

    /// An amount of money.
    pub(super) fn money(both: &Both<'a>, values: (u128, u128)) -> Self {
        let units = both.before.units;
        Self::of(values, Good::None, move |milli| units.money(milli))
    }

    /// How the value after compares with the value before. An endless time is greater than any other.
    pub(super) fn direction(&self) -> Ordering {
        match (self.before, self.after) {
            (None, None) => Ordering::Equal,
            (None, Some(_)) => Ordering::Less,
            (Some(_), None) => Ordering::Greater,
            (Some(before), Some(after)) => (after, self.at_least.1).cmp(&(before, self.at_least.0)),
        }
    }

    /// Whether the change is an improvement; nothing if there is no change, or if neither direction is one.
    pub(super) fn is_better(&self) -> Option<bool> {
        match (self.direction(), self.good) {
            (Ordering::Equal, _) | (_, Good::None) => None,
            (direction, good) => Some((direction == Ordering::Less) == (good == Good::Less)),
        }
    }

    /// The size of the change, for sorting.
    pub(super) fn size(&self) -> u128 {
        match (self.before, self.after) {
            (None, None) => 0,
            (Some(before), Some(after)) => before.abs_diff(after),
            _ => u128::MAX,
        }
    }

    /// Whether the figure is not 0 in at least one of the runs.
    pub(super) fn is_something(&self) -> bool {
        (self.before, self.after) != (Some(0), Some(0))
    }

    /// The tone of the change: `better`, `worse`, or empty.
    pub(super) fn tone(&self) -> &'static str {
        self.is_better().map_or("", |better| if better { "better" } else { "worse" })
    }

    /// The difference with its sign, or a dot if there is none.
    pub(super) fn difference(&self) -> String {
        match (self.before, self.after) {
            (None, Some(after)) => format!("now {}", (self.say)(after)),
            (Some(_), None) => format!("now {}", self.nothing),
            (Some(before), Some(after)) if before != after => {
                let sign = if after > before { "+" } else { "−" };
                let said = (self.say)(before.abs_diff(after));
                let points = if self.is_share { said.replace(" %", " pp") } else { said };
                format!("{sign}{points}")
            }
            _ => "·".to_owned(),
        }
    }

    /// The value before, as text.
    pub(super) fn said_before(&self) -> String {
        self.said(self.before, self.at_least.0)
    }

    /// The value after, as text.
    pub(super) fn said_after(&self) -> String {
        self.said(self.after, self.at_least.1)
    }

    fn said(&self, value: Option<u128>, at_least: bool) -> String {
        let bound = if at_least { "≥ " } else { "" };
        value.map_or_else(|| self.nothing.to_owned(), |value| format!("{bound}{}", (self.say)(value)))
    }

    /// Both values as text: `2 h → 1 h`, or only one if they are equal.
    pub(super) fn values(&self) -> String {
        let (before, after) = (self.said_before(), self.said_after());
        if self.direction() == Ordering::Equal { before } else { format!("{before} → {after}") }
    }

    /// A cell with the value of the only run that has it.
    pub(super) fn alone(said: String) -> Cell<'static> {
        Cell::Changed("", "·".to_owned(), said)
    }

    /// A cell with the difference, and the two values below it.
    pub(super) fn cell(&self) -> Cell<'static> {
        Cell::Changed(self.tone(), self.difference(), self.values())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differences_have_signs_and_tones() {
        let less = Change::span((360_000_u64, 60_000_u64));
        assert_eq!(
            (less.difference(), less.tone(), less.values()),
            ("−5 min".into(), "better", "6 min → 1 min".into())
        );
        let more = Change::count((1_u64, 1_235_u64), Good::Less);
        assert_eq!((more.difference(), more.tone()), ("+1,234".into(), "worse"));
        let same = Change::count((7_u64, 7_u64), Good::More);
        assert_eq!((same.difference(), same.tone(), same.values()), ("·".into(), "", "7".into()));
        let share = Change::permille((763_u64, 765_u64), Good::More);
        assert_eq!((share.difference(), share.values()), ("+0.2 pp".into(), "76.3 % → 76.5 %".into()));
        let neutral = Change::count((7_u64, 8_u64), Good::None);
        assert_eq!((neutral.difference(), neutral.tone()), ("+1".into(), ""));
    }

    #[test]
    fn what_goes_on_is_at_least_as_long() {
        let change = |before, after| Change::bounded_span((before, after));
        let longer = change((60_000, false), (90_000, true));
        assert_eq!(
            (longer.difference(), longer.tone(), longer.values()),
            ("+30 s".into(), "worse", "1 min → ≥ 1 min 30 s".into())
        );
        let open = change((60_000, false), (60_000, true));
        assert_eq!((open.tone(), open.values()), ("worse", "1 min → ≥ 1 min".into()));
        assert_eq!(change((60_000, true), (60_000, true)).values(), "≥ 1 min");
    }

    #[test]
    fn what_never_ends_is_the_longest() {
        let ends = Change::open_span(None, Some(5_000), "never started");
        let expected = ("now 5 s".to_owned(), "better", "never started → 5 s".to_owned());
        assert_eq!((ends.difference(), ends.tone(), ends.values()), expected);
        let starts = Change::open_span(Some(5_000), None, "never started");
        assert_eq!(
            (starts.difference(), starts.tone(), starts.size()),
            ("now never started".into(), "worse", u128::MAX)
        );
        assert_eq!(Change::open_span(None, None, "never started").difference(), "·");
    }
}
