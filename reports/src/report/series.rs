//! Converts series of the history to series of the report.

use quotree_page::model::{Series, Step};
use quotree_sim::history::{Line, Steps};

/// The series of the report for a series of the history, in a run that ends at `end`.
pub(super) fn series(line: &Line, end: u64) -> Series {
    match line.clone().finish(end) {
        Steps::All(steps) => Series::of(steps.into_iter().map(|(at_ms, value)| Step { at_ms, value })),
        Steps::Thinned { width: bucket_ms, buckets, last } => {
            let (mut min, mut max, mut mean) = (Vec::new(), Vec::new(), Vec::new());
            let mut rest: i128 = 0;
            for (place, bucket) in (0u64..).zip(buckets) {
                let from = place * bucket_ms;
                let width = i128::from(bucket_ms.min(end.saturating_sub(from)).max(1));
                let area = bucket.area + rest;
                let value = area.div_euclid(width);
                rest = area - value * width;
                min.push(bucket.min);
                max.push(bucket.max);
                mean.push(i64::try_from(value).unwrap_or(i64::MAX));
            }
            Series::Buckets { bucket_ms, min, max, mean, last: Some(last) }
        }
    }
}

/// A series of counts, from their changes and the times of these.
pub(super) fn counted(mut changes: Vec<(u64, i64)>, end: u64) -> Series {
    changes.sort_unstable();
    let mut line = Line::default();
    line.set(0, 0);
    let mut value = 0;
    let mut changes = changes.into_iter().peekable();
    while let Some((at, by)) = changes.next() {
        value += by;
        if changes.peek().is_none_or(|(next, _)| *next > at) {
            line.set(at, value);
        }
    }
    series(&line, end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thinned_means_carry_their_remainder() {
        let mut line = Line::default();
        for at in 0..4_001u64 {
            line.set(at * 1_000, i64::from(at % 3 == 0));
        }
        let (end, area) = (4_000_500, line.area(4_000_500));
        let series = series(&line, end);
        assert!((series.area(end) - area).abs() < 4_000, "{} and {area}", series.area(end));
        assert!(matches!(series, Series::Buckets { bucket_ms: 4_000, .. }), "4,001 changes");
    }

    #[test]
    fn counts_of_one_time_are_one_step() {
        let seen = counted(vec![(5, 1), (9, -1), (5, 1), (9, 1)], 20);
        assert_eq!(seen, Series::of([(0, 0), (5, 2)].map(|(at_ms, value)| Step { at_ms, value })));
    }
}
