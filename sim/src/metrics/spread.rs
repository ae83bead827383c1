//! The spread of times: exact quantiles by nearest rank. Times that have not ended are lower bounds.

use crate::{
    model::WaitStat,
    result::{AtLeast, SpreadRow},
    world::Span,
};

/// The row for a list of times; sorts the list.
///
/// Quantiles are by nearest rank: the smallest time that is at least as long as p of 100 times. A time that has not
/// ended counts with its length so far. A quantile is exact if it cannot change however long these times become.
pub(crate) fn spread(spans: &mut [Span]) -> SpreadRow {
    spans.sort_unstable();
    let closed: Vec<u64> = spans.iter().filter(|span| !span.is_open).map(|span| span.ms).collect();
    let rank = |percent: usize| {
        let place = (spans.len() * percent).div_ceil(100).saturating_sub(1);
        let ms = spans.get(place).map_or(0, |span| span.ms);
        // If all that goes on took for ever, the closed ones came first.
        (ms, !spans.is_empty() && closed.get(place) != Some(&ms))
    };
    let [p50, p95, p99, max] = [50, 95, 99, 100].map(rank);
    let open = spans.len() - closed.len();
    SpreadRow {
        count: spans.len() as u64,
        open: open as u64,
        sum_ms: spans.iter().map(|span| u128::from(span.ms)).sum(),
        p50_ms: p50.0,
        p95_ms: p95.0,
        p99_ms: p99.0,
        max_ms: max.0,
        at_least: AtLeast { mean: open > 0, p50: p50.1, p95: p95.1, p99: p99.1, max: max.1 },
    }
}

/// One figure of a row, and whether it is a lower bound. The mean is rounded down.
pub(crate) fn figure(row: &SpreadRow, stat: WaitStat) -> (u64, bool) {
    let at_least = row.at_least;
    match stat {
        WaitStat::P50 => (row.p50_ms, at_least.p50),
        WaitStat::P95 => (row.p95_ms, at_least.p95),
        WaitStat::P99 => (row.p99_ms, at_least.p99),
        WaitStat::Max => (row.max_ms, at_least.max),
        WaitStat::Mean => (row.mean_ms(), at_least.mean),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn closed(ms: impl IntoIterator<Item = u64>) -> Vec<Span> {
        ms.into_iter().map(|ms| Span { ms, is_open: false }).collect()
    }

    #[test]
    fn quantiles_are_by_nearest_rank() {
        let row = spread(&mut closed((1..=200).rev()));
        assert_eq!((row.p50_ms, row.p95_ms, row.p99_ms, row.max_ms), (100, 190, 198, 200));
        assert_eq!((row.count, row.sum_ms, figure(&row, WaitStat::Mean)), (200, 20_100, (100, false)));
        let seven =
            SpreadRow { count: 1, sum_ms: 7, p50_ms: 7, p95_ms: 7, p99_ms: 7, max_ms: 7, ..SpreadRow::default() };
        assert_eq!(spread(&mut closed([7])), seven);
        assert_eq!(spread(&mut []), SpreadRow::default());
        assert_eq!(figure(&SpreadRow::default(), WaitStat::Mean), (0, false));
    }

    #[test]
    fn what_goes_on_is_a_lower_bound_where_it_could_change_the_figure() {
        let mut spans = closed([1, 2, 3, 4, 5, 6, 7, 8, 9]);
        spans.push(Span { ms: 3, is_open: true });
        let row = spread(&mut spans);
        // Of ten, the fifth is 4 with the open one at 3, and 5 if that goes on: at least 4.
        assert_eq!((row.count, row.open, row.sum_ms), (10, 1, 48));
        assert_eq!((figure(&row, WaitStat::P50), figure(&row, WaitStat::Max)), ((4, true), (9, true)));
        let mut long = closed([1, 2, 3, 4, 5, 6, 7, 8, 9]);
        long.push(Span { ms: 20, is_open: true });
        let row = spread(&mut long);
        assert_eq!((figure(&row, WaitStat::P50), figure(&row, WaitStat::Max)), ((5, false), (20, true)));
        assert!(row.at_least.mean);
        let mut equal = closed([5, 5, 5]);
        equal.push(Span { ms: 5, is_open: true });
        assert_eq!(figure(&spread(&mut equal), WaitStat::P50), (5, false), "however long it goes on");
    }
}
