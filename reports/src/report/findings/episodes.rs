//! How often something happened that a finding reports in one sentence. The sum and the worst moment alone would hide
//! that it ended and began again.

use super::text;
use quotree_page::model::{Ms, Piece, Series};

/// A number of episodes, the beginning of the first, and the end of the last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Episodes {
    /// The number of episodes; unknown if the series has only means of buckets.
    count: Option<u64>,
    first: Ms,
    last: Ms,
}

impl Episodes {
    /// The episodes in which a series is above 0; nothing if it never is. Takes O(steps).
    pub(super) fn above_zero(series: &Series, end: Ms) -> Option<Self> {
        let mut steps = series.steps().peekable();
        let (mut first, mut last, mut count, mut is_on) = (None, 0, 0, false);
        while let Some(step) = steps.next() {
            let is_above = step.value > 0;
            if is_above {
                first = first.or(Some(step.at_ms));
                last = steps.peek().map_or(end, |next| next.at_ms);
                count += u64::from(!is_on);
            }
            is_on = is_above;
        }
        let is_exact = matches!(series, Series::Steps { .. });
        first.map(|first| Self { count: is_exact.then_some(count), first, last })
    }

    /// The episodes of something that happened at certain moments; nothing if there are none.
    pub(super) fn at(moments: impl IntoIterator<Item = Ms>) -> Option<Self> {
        let mut moments: Vec<Ms> = moments.into_iter().collect();
        moments.sort_unstable();
        moments.dedup();
        let (first, last) = (*moments.first()?, *moments.last()?);
        Some(Self { count: Some(moments.len() as u64), first, last })
    }

    /// How often, since when and until when, as a part of a sentence. Empty for a single episode, since the sentence
    /// contains its moment anyway.
    pub(super) fn pieces(self) -> Vec<Piece> {
        let often = match self.count {
            Some(1) => return Vec::new(),
            Some(count) => vec![text(", "), Piece::Count(count), text(" times between ")],
            None => vec![text(", on and off between ")],
        };
        let span = [Piece::Moment(self.first), text(" and "), Piece::Moment(self.last)];
        often.into_iter().chain(span).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use quotree_page::model::Step;

    #[test]
    fn episodes_are_counted_from_the_first_begin_to_the_last_end() {
        let of = |steps: &[(Ms, i64)]| {
            let steps = steps.iter().map(|(at_ms, value)| Step { at_ms: *at_ms, value: *value });
            Episodes::above_zero(&Series::of(steps), 100)
        };
        assert_eq!(of(&[(0, 0)]), None);
        // 4 and 2 are one episode.
        let told = of(&[(0, 0), (10, 4), (20, 2), (30, 0), (50, 1), (60, 0)]).unwrap();
        assert_eq!(told, Episodes { count: Some(2), first: 10, last: 60 });
        let words =
            [text(", "), Piece::Count(2), text(" times between "), Piece::Moment(10), text(" and "), Piece::Moment(60)];
        assert_eq!(told.pieces(), words);
        // It goes on at the end.
        let told = of(&[(0, 0), (10, 4)]).unwrap();
        assert_eq!((told, told.pieces()), (Episodes { count: Some(1), first: 10, last: 100 }, Vec::new()));
        let means =
            Series::Buckets { bucket_ms: 10, min: vec![0; 3], max: vec![5; 3], mean: vec![0, 2, 0], last: None };
        assert_eq!(Episodes::above_zero(&means, 100), Some(Episodes { count: None, first: 10, last: 20 }));
        assert_eq!(Episodes::at([7, 3, 7]), Some(Episodes { count: Some(2), first: 3, last: 7 }));
    }
}
